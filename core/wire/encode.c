/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/format.h"

#include "core/base/crc32c.h"

#include <assert.h>

bool wire_op_is_zero(const struct kv_op *op)
{
    return op->kind == 0 && op->flags == 0 && op->key.size == 0 && op->range_end.size == 0 &&
           op->value.size == 0 && op->lease == 0 && op->revision == 0 && op->limit == 0 &&
           op->sort_target == 0 && op->sort_order == 0;
}

bool wire_member_is_zero(const struct wire_member *member)
{
    return member->id == 0 && member->name.size == 0 && member->peer_url.size == 0 && !member->is_learner;
}

bool wire_result_is_zero(const struct kv_result *result)
{
    return result->kind == 0 && !result->succeeded && !result->more && result->count == 0 &&
           result->record_count == 0 && result->result_count == 0;
}

/* Writes behind what the buffer holds, by pointer, and tells the buffer only
 * when it must grow and at the end. Without a buffer it measures: numbers go to
 * a scratch that begins anew when it is full, bytes are only counted. */
struct writer {
    struct base_buffer *out; /* NULL: measuring. */
    uint8_t *scratch;
    size_t measured; /* What has left the scratch, or never stood there. */
    uint8_t *at;
    uint8_t *end;
};

enum { SCRATCH_SIZE = 256 };

static void writer_sync(struct writer *writer)
{
    writer->out->size = (size_t)(writer->at - writer->out->data);
}

static void writer_grow(struct writer *writer, size_t more)
{
    size_t size = writer->out->size;
    (void)base_buffer_extend(writer->out, more);
    writer->out->size = size;
    writer->at = writer->out->data + size;
    writer->end = writer->out->data + writer->out->capacity;
}

static void writer_init(struct writer *writer, struct base_buffer *out)
{
    *writer = (struct writer){.out = out};
    writer_grow(writer, 128);
}

static void writer_reserve(struct writer *writer, size_t more)
{
    if (writer->out) {
        writer_sync(writer);
        writer_grow(writer, more);
        return;
    }
    assert(more <= SCRATCH_SIZE);
    writer->measured += (size_t)(writer->at - writer->scratch);
    writer->at = writer->scratch;
}

static inline void room(struct writer *writer, size_t more)
{
    if ((size_t)(writer->end - writer->at) < more) {
        writer_reserve(writer, more);
    }
}

static inline void put_flags(struct writer *writer, unsigned flags)
{
    assert(flags <= UINT8_MAX);
    room(writer, 1);
    *writer->at++ = (uint8_t)flags;
}

static inline void put_number(struct writer *writer, uint64_t value)
{
    room(writer, WIRE_NUMBER_MAX);
    while (value >= 0x80) {
        *writer->at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *writer->at++ = (uint8_t)value;
}

static inline void put_signed(struct writer *writer, int64_t value)
{
    uint64_t doubled = (uint64_t)value << 1;
    put_number(writer, value < 0 ? ~doubled : doubled);
}

static inline void put_bytes(struct writer *writer, struct base_bytes bytes)
{
    put_number(writer, bytes.size);
    if (!writer->out) {
        writer->measured += bytes.size;
    } else if (bytes.size > 0) {
        room(writer, bytes.size);
        memcpy(writer->at, bytes.data, bytes.size);
        writer->at += bytes.size;
    }
}

static void put_op(struct writer *writer, const struct kv_op *op, uint32_t depth);

static void put_ops(struct writer *writer, const struct kv_op *ops, uint32_t count, uint32_t depth)
{
    put_number(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        put_op(writer, &ops[i], depth);
    }
}

static void put_txn(struct writer *writer, const struct kv_txn *txn, uint32_t depth)
{
    assert(txn);
    assert(depth < WIRE_DEPTH_MAX);
    put_number(writer, txn->compare_count);
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        const struct kv_compare *compare = &txn->compares[i];
        put_flags(writer, (unsigned)compare->target | (unsigned)compare->relation << 4);
        put_bytes(writer, compare->key);
        put_bytes(writer, compare->range_end);
        put_signed(writer, compare->number);
        put_bytes(writer, compare->value);
    }
    put_ops(writer, txn->success, txn->success_count, depth + 1);
    put_ops(writer, txn->failure, txn->failure_count, depth + 1);
}

static void put_op(struct writer *writer, const struct kv_op *op, uint32_t depth)
{
    unsigned shape = (unsigned)op->kind;
    assert(shape <= WIRE_OP_KIND);
    shape |= op->range_end.size != 0 ? WIRE_OP_RANGE_END : 0;
    shape |= op->value.size != 0 ? WIRE_OP_VALUE : 0;
    shape |= op->lease != 0 ? WIRE_OP_LEASE : 0;
    shape |=
        (op->revision | op->limit) != 0 || op->sort_target != 0 || op->sort_order != 0 ? WIRE_OP_READ : 0;
    shape |= op->flags != 0 ? WIRE_OP_FLAGS : 0;
    put_flags(writer, shape);
    put_bytes(writer, op->key);
    if (shape & WIRE_OP_RANGE_END) {
        put_bytes(writer, op->range_end);
    }
    if (shape & WIRE_OP_VALUE) {
        put_bytes(writer, op->value);
    }
    if (shape & WIRE_OP_LEASE) {
        put_signed(writer, op->lease);
    }
    if (shape & WIRE_OP_READ) {
        put_signed(writer, op->revision);
        put_signed(writer, op->limit);
        put_flags(writer, (unsigned)op->sort_target | (unsigned)op->sort_order << 4);
    }
    if (shape & WIRE_OP_FLAGS) {
        put_number(writer, op->flags);
    }
    if (op->kind == KV_TXN) {
        put_txn(writer, op->txn, depth);
    }
}

static void put_member(struct writer *writer, const struct wire_member *member)
{
    put_flags(writer, member->is_learner);
    put_number(writer, member->id);
    put_bytes(writer, member->name);
    put_bytes(writer, member->peer_url);
}

static unsigned request_flags(const struct wire_request *request)
{
    unsigned flags = 0;
    flags |= request->require_leader ? WIRE_REQUEST_REQUIRE_LEADER : 0;
    flags |= request->keys ? WIRE_REQUEST_KEYS : 0;
    flags |= request->physical ? WIRE_REQUEST_PHYSICAL : 0;
    flags |= request->kind == WIRE_KV || !wire_op_is_zero(&request->op) ? WIRE_REQUEST_OP : 0;
    flags |= (request->lease | request->ttl_s) != 0 ? WIRE_REQUEST_LEASE : 0;
    flags |= request->revision != 0 || (request->watch | request->alarm) != 0 ? WIRE_REQUEST_WATCH : 0;
    flags |= !wire_member_is_zero(&request->member) ? WIRE_REQUEST_MEMBER : 0;
    flags |= request->checkpoint_count != 0 ? WIRE_REQUEST_CHECKPOINTS : 0;
    return flags;
}

static void put_request(struct writer *writer, const struct wire_request *request)
{
    assert((unsigned)request->kind < WIRE_REQUEST_KIND_COUNT);
    unsigned flags = request_flags(request);
    put_flags(writer, (unsigned)request->kind);
    put_flags(writer, flags);
    put_number(writer, request->id);
    if (flags & WIRE_REQUEST_OP) {
        put_op(writer, &request->op, 0);
    }
    if (flags & WIRE_REQUEST_LEASE) {
        put_signed(writer, request->lease);
        put_signed(writer, request->ttl_s);
    }
    if (flags & WIRE_REQUEST_WATCH) {
        put_signed(writer, request->revision);
        put_number(writer, request->watch);
        put_number(writer, request->alarm);
    }
    if (flags & WIRE_REQUEST_MEMBER) {
        put_member(writer, &request->member);
    }
    if (flags & WIRE_REQUEST_CHECKPOINTS) {
        put_number(writer, request->checkpoint_count);
        for (uint32_t i = 0; i < request->checkpoint_count; i++) {
            put_signed(writer, request->checkpoint_leases[i]);
            put_signed(writer, request->checkpoint_remaining_s[i]);
        }
    }
    assert(request->kind == WIRE_MEMBER_CHANGE || request->change_count == 0);
    if (request->kind == WIRE_MEMBER_CHANGE) {
        put_number(writer, request->change_count);
        for (uint32_t i = 0; i < request->change_count; i++) {
            put_flags(writer, (unsigned)request->changes[i].kind);
            put_member(writer, &request->changes[i].member);
        }
    }
}

static void put_record(struct writer *writer, const struct kv_record *record)
{
    put_bytes(writer, record->key);
    put_bytes(writer, record->value);
    put_signed(writer, record->create_revision);
    put_signed(writer, record->mod_revision);
    put_signed(writer, record->version);
    put_signed(writer, record->lease);
}

static void put_result(struct writer *writer, const struct kv_result *result, uint32_t depth)
{
    assert(depth <= WIRE_DEPTH_MAX);
    unsigned shape = (unsigned)result->kind;
    assert(shape <= WIRE_RESULT_KIND);
    shape |= result->succeeded ? WIRE_RESULT_SUCCEEDED : 0;
    shape |= result->more ? WIRE_RESULT_MORE : 0;
    shape |= result->record_count != 0 ? WIRE_RESULT_RECORDS : 0;
    shape |= result->result_count != 0 ? WIRE_RESULT_RESULTS : 0;
    put_flags(writer, shape);
    put_signed(writer, result->count);
    if (shape & WIRE_RESULT_RECORDS) {
        put_number(writer, result->record_count);
        for (uint32_t i = 0; i < result->record_count; i++) {
            put_record(writer, &result->records[i]);
        }
    }
    if (shape & WIRE_RESULT_RESULTS) {
        put_number(writer, result->result_count);
        for (uint32_t i = 0; i < result->result_count; i++) {
            put_result(writer, &result->results[i], depth + 1);
        }
    }
}

static unsigned response_flags(const struct wire_response *response)
{
    unsigned flags = 0;
    flags |= !wire_result_is_zero(&response->result) ? WIRE_RESPONSE_RESULT : 0;
    flags |= (response->lease | response->ttl_s | response->granted_s) != 0 ? WIRE_RESPONSE_LEASE : 0;
    flags |= response->compact_revision != 0 ? WIRE_RESPONSE_COMPACT : 0;
    flags |= response->hash != 0 ? WIRE_RESPONSE_HASH : 0;
    flags |= response->lease_count != 0 ? WIRE_RESPONSE_LEASES : 0;
    flags |= response->key_count != 0 ? WIRE_RESPONSE_KEYS : 0;
    flags |= response->member_count != 0 ? WIRE_RESPONSE_MEMBERS : 0;
    flags |= response->data.size != 0 ? WIRE_RESPONSE_DATA : 0;
    return flags;
}

static void put_response_lists(struct writer *writer, const struct wire_response *response, unsigned flags)
{
    if (flags & WIRE_RESPONSE_LEASES) {
        put_number(writer, response->lease_count);
        for (uint32_t i = 0; i < response->lease_count; i++) {
            put_signed(writer, response->leases[i]);
        }
    }
    if (flags & WIRE_RESPONSE_KEYS) {
        put_number(writer, response->key_count);
        for (uint32_t i = 0; i < response->key_count; i++) {
            put_bytes(writer, response->keys[i]);
        }
    }
    if (flags & WIRE_RESPONSE_MEMBERS) {
        put_number(writer, response->member_count);
        for (uint32_t i = 0; i < response->member_count; i++) {
            put_member(writer, &response->members[i]);
        }
    }
}

static void put_response(struct writer *writer, const struct wire_response *response)
{
    assert((unsigned)response->status < BASE_STATUS_COUNT);
    unsigned flags = response_flags(response);
    put_flags(writer, flags);
    put_number(writer, (unsigned)response->status);
    put_number(writer, response->id);
    put_number(writer, response->cluster_id);
    put_number(writer, response->member_id);
    put_signed(writer, response->revision);
    put_number(writer, response->term);
    put_number(writer, response->applied);
    put_number(writer, response->leader);
    if (flags & WIRE_RESPONSE_RESULT) {
        put_result(writer, &response->result, 0);
    }
    if (flags & WIRE_RESPONSE_LEASE) {
        put_signed(writer, response->lease);
        put_signed(writer, response->ttl_s);
        put_signed(writer, response->granted_s);
    }
    if (flags & WIRE_RESPONSE_COMPACT) {
        put_signed(writer, response->compact_revision);
    }
    if (flags & WIRE_RESPONSE_HASH) {
        put_number(writer, response->hash);
    }
    put_response_lists(writer, response, flags);
    if (flags & WIRE_RESPONSE_DATA) {
        put_bytes(writer, response->data);
    }
}

static void put_watch(struct writer *writer, const struct wire_watch *watch)
{
    put_flags(writer, watch->fragment);
    put_number(writer, watch->watch);
    put_signed(writer, watch->revision);
    put_signed(writer, watch->compact_revision);
    put_number(writer, watch->event_count);
    for (uint32_t i = 0; i < watch->event_count; i++) {
        const struct kv_event *event = &watch->events[i];
        unsigned flags = event->is_delete ? WIRE_EVENT_DELETE : 0;
        flags |= event->has_previous ? WIRE_EVENT_PREVIOUS : 0;
        put_flags(writer, flags);
        put_record(writer, &event->record);
        if (event->has_previous) {
            put_record(writer, &event->previous);
        }
    }
}

static void put_id_set(struct writer *writer, const struct raft_id_set *set)
{
    assert(set->count <= RAFT_MEMBERS_MAX);
    put_number(writer, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        put_number(writer, set->ids[i]);
    }
}

static void put_snapshot(struct writer *writer, const struct raft_snapshot *snapshot)
{
    put_flags(writer, snapshot->configuration.auto_leave);
    put_number(writer, snapshot->index);
    put_number(writer, snapshot->term);
    put_number(writer, snapshot->handle);
    put_bytes(writer, snapshot->data);
    put_id_set(writer, &snapshot->configuration.voters);
    put_id_set(writer, &snapshot->configuration.learners);
    put_id_set(writer, &snapshot->configuration.voters_outgoing);
    put_id_set(writer, &snapshot->configuration.learners_next);
}

static unsigned raft_flags(const struct raft_message *message)
{
    unsigned flags = message->reject ? WIRE_RAFT_REJECT : 0;
    flags |= message->entry_count != 0 ? WIRE_RAFT_ENTRIES : 0;
    flags |= message->response_count != 0 ? WIRE_RAFT_RESPONSES : 0;
    flags |= message->snapshot ? WIRE_RAFT_SNAPSHOT : 0;
    flags |= message->context.size != 0 ? WIRE_RAFT_CONTEXT : 0;
    return flags;
}

static void put_entries(struct writer *writer, const struct raft_entry *entries, uint32_t count)
{
    put_number(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        put_flags(writer, (unsigned)entries[i].type);
        put_number(writer, entries[i].term);
        put_number(writer, entries[i].index);
        put_bytes(writer, (struct base_bytes){.data = entries[i].data, .size = entries[i].size});
    }
}

static void put_raft(struct writer *writer, const struct raft_message *message, uint32_t depth)
{
    assert(depth <= WIRE_DEPTH_MAX);
    assert((unsigned)message->type < RAFT_MSG_COUNT);
    unsigned flags = raft_flags(message);
    put_flags(writer, (unsigned)message->type);
    put_flags(writer, flags);
    put_number(writer, message->to);
    put_number(writer, message->from);
    put_number(writer, message->term);
    put_number(writer, message->log_term);
    put_number(writer, message->index);
    put_number(writer, message->commit);
    put_number(writer, message->reject_hint);
    put_number(writer, message->vote);
    if (flags & WIRE_RAFT_CONTEXT) {
        put_bytes(writer, message->context);
    }
    if (flags & WIRE_RAFT_ENTRIES) {
        put_entries(writer, message->entries, message->entry_count);
    }
    if (flags & WIRE_RAFT_SNAPSHOT) {
        put_snapshot(writer, message->snapshot);
    }
    if (flags & WIRE_RAFT_RESPONSES) {
        put_number(writer, message->response_count);
        for (uint32_t i = 0; i < message->response_count; i++) {
            put_raft(writer, &message->responses[i], depth + 1);
        }
    }
}

static void put_message(struct writer *writer, const struct wire_message *message)
{
    put_flags(writer, (unsigned)message->kind);
    put_number(writer, message->cluster_id);
    put_number(writer, message->from);
    put_number(writer, message->to);
    switch (message->kind) {
    case WIRE_RAFT:
        put_raft(writer, &message->raft, 0);
        break;
    case WIRE_SNAPSHOT_CHUNK:
        put_flags(writer, message->chunk.last);
        put_number(writer, message->chunk.index);
        put_number(writer, message->chunk.term);
        put_number(writer, message->chunk.offset);
        put_bytes(writer, message->chunk.data);
        break;
    case WIRE_REFUSAL:
        put_number(writer, (unsigned)message->refusal.status);
        put_number(writer, message->refusal.refused);
        put_number(writer, message->refusal.intended);
        break;
    case WIRE_LEASE_FORWARD:
    case WIRE_PEER_QUERY:
    case WIRE_CHANGE_FORWARD:
    case WIRE_REQUEST:
        put_request(writer, &message->request);
        break;
    case WIRE_LEASE_ANSWER:
    case WIRE_CHANGE_ANSWER:
    case WIRE_PEER_ANSWER:
    case WIRE_RESPONSE:
        put_response(writer, &message->response);
        break;
    case WIRE_WATCH:
        put_watch(writer, &message->watch);
        break;
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_GOODBYE:
        break;
    case WIRE_KIND_COUNT:
        assert(false && "a kind of message");
    }
}

void wire_encode(const struct wire_message *message, struct base_buffer *out)
{
    assert((unsigned)message->kind < WIRE_KIND_COUNT);
    size_t start = out->size;
    struct writer writer;
    writer_init(&writer, out);
    room(&writer, WIRE_FRAME_HEAD);
    writer.at += WIRE_FRAME_HEAD;
    put_message(&writer, message);
    writer_sync(&writer);
    uint8_t *head = out->data + start;
    size_t size = out->size - start - WIRE_FRAME_HEAD;
    assert(size <= UINT32_MAX);
    base_store_u32(head, (uint32_t)size);
    base_store_u32(head + 4, base_crc32c(0, head + WIRE_FRAME_HEAD, size));
}

/* What put_number writes. */
static inline size_t number_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits * 9 + 64) / 64; /* A byte for each 7 of them. */
}

static inline size_t bytes_size(size_t size)
{
    return number_size(size) + size;
}

/* Nearly all that members say is this: what put_message writes of a message of Raft
 * that holds no other and no snapshot, by arithmetic. */
static size_t raft_size(const struct wire_message *message)
{
    const struct raft_message *raft = &message->raft;
    size_t size = 3 + number_size(message->cluster_id) + number_size(message->from) +
                  number_size(message->to) + number_size(raft->to) + number_size(raft->from) +
                  number_size(raft->term) + number_size(raft->log_term) + number_size(raft->index) +
                  number_size(raft->commit) + number_size(raft->reject_hint) + number_size(raft->vote);
    size += raft->context.size > 0 ? bytes_size(raft->context.size) : 0;
    size += raft->entry_count > 0 ? number_size(raft->entry_count) : 0;
    for (uint32_t i = 0; i < raft->entry_count; i++) {
        const struct raft_entry *entry = &raft->entries[i];
        size += 1 + number_size(entry->term) + number_size(entry->index) + bytes_size(entry->size);
    }
    return size;
}

size_t wire_encoded_size(const struct wire_message *message)
{
    if (message->kind == WIRE_RAFT && !message->raft.snapshot && message->raft.response_count == 0) {
        return WIRE_FRAME_HEAD + raft_size(message);
    }
    uint8_t scratch[SCRATCH_SIZE];
    struct writer writer = {.scratch = scratch, .at = scratch, .end = scratch + sizeof scratch};
    assert((unsigned)message->kind < WIRE_KIND_COUNT);
    put_message(&writer, message);
    return WIRE_FRAME_HEAD + writer.measured + (size_t)(writer.at - scratch);
}

void wire_proposal_encode(const struct wire_proposal *proposal, struct base_buffer *out)
{
    struct writer writer;
    writer_init(&writer, out);
    put_flags(&writer, proposal->is_fenced);
    put_number(&writer, proposal->id);
    put_number(&writer, proposal->proposer);
    put_number(&writer, proposal->term);
    put_request(&writer, &proposal->request);
    writer_sync(&writer);
}
