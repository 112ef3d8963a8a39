/* The decoder trusts nothing: every number is checked where it is read, a count
 * against what is left before memory is taken for it, and after the first
 * mistake every further get answers zero, so that all loops end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/format.h"

#include "core/base/crc32c.h"

#include <assert.h>

struct decoder {
    const uint8_t *at;
    const uint8_t *end;
    struct base_arena *arena;
    bool failed;
};

static void fail(struct decoder *decoder)
{
    decoder->failed = true;
    decoder->at = decoder->end;
}

static inline size_t left(const struct decoder *decoder)
{
    return (size_t)(decoder->end - decoder->at);
}

/* A number of two bytes or more; refused when fewer would have done. */
static uint64_t get_long_number(struct decoder *decoder)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && decoder->at < decoder->end; shift += 7) {
        uint8_t digit = *decoder->at++;
        if (shift == 63 && digit > 1) {
            break;
        }
        value |= (uint64_t)(digit & 0x7f) << shift;
        if (digit < 0x80) {
            if (digit == 0 && shift > 0) {
                break;
            }
            return value;
        }
    }
    fail(decoder);
    return 0;
}

static inline uint64_t get_number(struct decoder *decoder)
{
    if (decoder->at < decoder->end && *decoder->at < 0x80) {
        return *decoder->at++;
    }
    return get_long_number(decoder);
}

static inline int64_t get_signed(struct decoder *decoder)
{
    uint64_t number = get_number(decoder);
    uint64_t half = number >> 1;
    return (int64_t)(number & 1 ? ~half : half);
}

/* A byte of which only the bits in `known` may be set. */
static inline unsigned get_flags(struct decoder *decoder, unsigned known)
{
    if (decoder->at == decoder->end || (*decoder->at & ~known) != 0) {
        fail(decoder);
        return 0;
    }
    return *decoder->at++;
}

/* A number below `limit`. */
static inline unsigned get_choice(struct decoder *decoder, unsigned limit)
{
    uint64_t number = get_number(decoder);
    if (number >= limit) {
        fail(decoder);
        return 0;
    }
    return (unsigned)number;
}

static inline struct base_bytes get_bytes(struct decoder *decoder)
{
    uint64_t size = get_number(decoder);
    if (size > left(decoder)) {
        fail(decoder);
        return (struct base_bytes){0};
    }
    if (size == 0) {
        return (struct base_bytes){0};
    }
    struct base_bytes bytes = {.data = decoder->at, .size = (size_t)size};
    decoder->at += size;
    return bytes;
}

/* How many items follow, each of `size_min` bytes or more. */
static uint32_t get_count(struct decoder *decoder, size_t size_min)
{
    uint64_t count = get_number(decoder);
    if (count > left(decoder) / size_min || count > UINT32_MAX) {
        fail(decoder);
        return 0;
    }
    return (uint32_t)count;
}

/* The same for a group that is only there when there are any. */
static uint32_t get_count_above_zero(struct decoder *decoder, size_t size_min)
{
    uint32_t count = get_count(decoder, size_min);
    if (count == 0) {
        fail(decoder);
    }
    return count;
}

static void *get_array(struct decoder *decoder, uint32_t count, size_t item_size)
{
    return count == 0 ? NULL : base_arena_alloc(decoder->arena, (size_t)count * item_size);
}

/* A group that was announced must not be all zero. */
static void demand(struct decoder *decoder, bool is_sound)
{
    if (!is_sound) {
        fail(decoder);
    }
}

static struct kv_op get_op(struct decoder *decoder, uint32_t depth);

static const struct kv_op *get_ops(struct decoder *decoder, uint32_t *count, uint32_t depth)
{
    *count = get_count(decoder, WIRE_OP_SIZE_MIN);
    struct kv_op *ops = get_array(decoder, *count, sizeof *ops);
    for (uint32_t i = 0; i < *count; i++) {
        ops[i] = get_op(decoder, depth);
    }
    return ops;
}

static struct kv_compare get_compare(struct decoder *decoder)
{
    struct kv_compare compare = {0};
    unsigned choice = get_flags(decoder, 0xff);
    demand(decoder, (choice & 15) <= KV_COMPARE_LEASE && choice >> 4 <= KV_GREATER);
    compare.target = (enum kv_compare_target)(decoder->failed ? 0 : choice & 15);
    compare.relation = (enum kv_relation)(decoder->failed ? 0 : choice >> 4);
    compare.key = get_bytes(decoder);
    compare.range_end = get_bytes(decoder);
    compare.number = get_signed(decoder);
    compare.value = get_bytes(decoder);
    return compare;
}

static const struct kv_txn *get_txn(struct decoder *decoder, uint32_t depth)
{
    if (depth >= WIRE_DEPTH_MAX) {
        fail(decoder);
    }
    if (decoder->failed) {
        return NULL;
    }
    struct kv_txn *txn = base_arena_alloc(decoder->arena, sizeof *txn);
    *txn = (struct kv_txn){0};
    txn->compare_count = get_count(decoder, WIRE_COMPARE_SIZE_MIN);
    struct kv_compare *compares = get_array(decoder, txn->compare_count, sizeof *compares);
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        compares[i] = get_compare(decoder);
    }
    txn->compares = compares;
    txn->success = get_ops(decoder, &txn->success_count, depth + 1);
    txn->failure = get_ops(decoder, &txn->failure_count, depth + 1);
    return txn;
}

static void get_op_read(struct decoder *decoder, struct kv_op *op)
{
    op->revision = get_signed(decoder);
    op->limit = get_signed(decoder);
    unsigned sort = get_flags(decoder, 0xff);
    demand(decoder, (sort & 15) <= KV_SORT_VALUE && sort >> 4 <= KV_SORT_DESCEND);
    demand(decoder, (op->revision | op->limit) != 0 || sort != 0);
    op->sort_target = (enum kv_sort_target)(decoder->failed ? 0 : sort & 15);
    op->sort_order = (enum kv_sort_order)(decoder->failed ? 0 : sort >> 4);
}

static struct kv_op get_op(struct decoder *decoder, uint32_t depth)
{
    struct kv_op op = {0};
    unsigned shape = get_flags(decoder, WIRE_OP_ALL);
    op.kind = (enum kv_op_kind)(shape & WIRE_OP_KIND);
    op.key = get_bytes(decoder);
    if (shape & WIRE_OP_RANGE_END) {
        op.range_end = get_bytes(decoder);
        demand(decoder, op.range_end.size != 0);
    }
    if (shape & WIRE_OP_VALUE) {
        op.value = get_bytes(decoder);
        demand(decoder, op.value.size != 0);
    }
    if (shape & WIRE_OP_LEASE) {
        op.lease = get_signed(decoder);
        demand(decoder, op.lease != 0);
    }
    if (shape & WIRE_OP_READ) {
        get_op_read(decoder, &op);
    }
    if (shape & WIRE_OP_FLAGS) {
        uint64_t flags = get_number(decoder);
        demand(decoder, flags != 0 && flags <= UINT32_MAX);
        op.flags = (uint32_t)flags;
    }
    if (op.kind == KV_TXN) {
        op.txn = get_txn(decoder, depth);
    }
    return op;
}

static struct wire_member get_member(struct decoder *decoder)
{
    struct wire_member member = {0};
    member.is_learner = get_flags(decoder, 1) != 0;
    member.id = get_number(decoder);
    member.name = get_bytes(decoder);
    member.peer_url = get_bytes(decoder);
    return member;
}

static void get_checkpoints(struct decoder *decoder, struct wire_request *request)
{
    uint32_t count = get_count_above_zero(decoder, WIRE_CHECKPOINT_SIZE_MIN);
    int64_t *leases = get_array(decoder, count, sizeof *leases);
    int64_t *remaining_s = get_array(decoder, count, sizeof *remaining_s);
    for (uint32_t i = 0; i < count; i++) {
        leases[i] = get_signed(decoder);
        remaining_s[i] = get_signed(decoder);
    }
    request->checkpoint_count = count;
    request->checkpoint_leases = leases;
    request->checkpoint_remaining_s = remaining_s;
}

static void get_changes(struct decoder *decoder, struct wire_request *request)
{
    uint32_t count = get_count(decoder, WIRE_CHANGE_SIZE_MIN);
    struct wire_change *changes = get_array(decoder, count, sizeof *changes);
    for (uint32_t i = 0; i < count; i++) {
        changes[i].kind = (enum wire_change_kind)get_choice(decoder, WIRE_CHANGE_KIND_COUNT);
        changes[i].member = get_member(decoder);
    }
    request->change_count = count;
    request->changes = changes;
}

static void get_request(struct decoder *decoder, struct wire_request *request)
{
    request->kind = (enum wire_request_kind)get_choice(decoder, WIRE_REQUEST_KIND_COUNT);
    unsigned flags = get_flags(decoder, 0xff);
    request->require_leader = (flags & WIRE_REQUEST_REQUIRE_LEADER) != 0;
    request->keys = (flags & WIRE_REQUEST_KEYS) != 0;
    request->physical = (flags & WIRE_REQUEST_PHYSICAL) != 0;
    request->id = get_number(decoder);
    if (flags & WIRE_REQUEST_OP) {
        request->op = get_op(decoder, 0);
        demand(decoder, request->kind == WIRE_KV || !wire_op_is_zero(&request->op));
    } else {
        demand(decoder, request->kind != WIRE_KV);
    }
    if (flags & WIRE_REQUEST_LEASE) {
        request->lease = get_signed(decoder);
        request->ttl_s = get_signed(decoder);
        demand(decoder, (request->lease | request->ttl_s) != 0);
    }
    if (flags & WIRE_REQUEST_WATCH) {
        request->revision = get_signed(decoder);
        request->watch = get_number(decoder);
        request->alarm = get_number(decoder);
        demand(decoder, request->revision != 0 || (request->watch | request->alarm) != 0);
    }
    if (flags & WIRE_REQUEST_MEMBER) {
        request->member = get_member(decoder);
        demand(decoder, !wire_member_is_zero(&request->member));
    }
    if (flags & WIRE_REQUEST_CHECKPOINTS) {
        get_checkpoints(decoder, request);
    }
    if (request->kind == WIRE_MEMBER_CHANGE) {
        get_changes(decoder, request);
    }
}

static struct kv_record get_record(struct decoder *decoder)
{
    struct kv_record record = {0};
    record.key = get_bytes(decoder);
    record.value = get_bytes(decoder);
    record.create_revision = get_signed(decoder);
    record.mod_revision = get_signed(decoder);
    record.version = get_signed(decoder);
    record.lease = get_signed(decoder);
    return record;
}

static struct kv_result get_result(struct decoder *decoder, uint32_t depth)
{
    struct kv_result result = {0};
    if (depth > WIRE_DEPTH_MAX) {
        fail(decoder);
    }
    unsigned shape = get_flags(decoder, WIRE_RESULT_ALL);
    result.kind = (enum kv_op_kind)(shape & WIRE_RESULT_KIND);
    result.succeeded = (shape & WIRE_RESULT_SUCCEEDED) != 0;
    result.more = (shape & WIRE_RESULT_MORE) != 0;
    result.count = get_signed(decoder);
    if (shape & WIRE_RESULT_RECORDS) {
        result.record_count = get_count_above_zero(decoder, WIRE_RECORD_SIZE_MIN);
        struct kv_record *records = get_array(decoder, result.record_count, sizeof *records);
        for (uint32_t i = 0; i < result.record_count; i++) {
            records[i] = get_record(decoder);
        }
        result.records = records;
    }
    if (shape & WIRE_RESULT_RESULTS) {
        result.result_count = get_count_above_zero(decoder, WIRE_RESULT_SIZE_MIN);
        struct kv_result *results = get_array(decoder, result.result_count, sizeof *results);
        for (uint32_t i = 0; i < result.result_count; i++) {
            results[i] = get_result(decoder, depth + 1);
        }
        result.results = results;
    }
    return result;
}

static void get_response_lists(struct decoder *decoder, struct wire_response *response, unsigned flags)
{
    if (flags & WIRE_RESPONSE_LEASES) {
        response->lease_count = get_count_above_zero(decoder, 1);
        int64_t *leases = get_array(decoder, response->lease_count, sizeof *leases);
        for (uint32_t i = 0; i < response->lease_count; i++) {
            leases[i] = get_signed(decoder);
        }
        response->leases = leases;
    }
    if (flags & WIRE_RESPONSE_KEYS) {
        response->key_count = get_count_above_zero(decoder, 1);
        struct base_bytes *keys = get_array(decoder, response->key_count, sizeof *keys);
        for (uint32_t i = 0; i < response->key_count; i++) {
            keys[i] = get_bytes(decoder);
        }
        response->keys = keys;
    }
    if (flags & WIRE_RESPONSE_MEMBERS) {
        response->member_count = get_count_above_zero(decoder, WIRE_MEMBER_SIZE_MIN);
        struct wire_member *members = get_array(decoder, response->member_count, sizeof *members);
        for (uint32_t i = 0; i < response->member_count; i++) {
            members[i] = get_member(decoder);
        }
        response->members = members;
    }
}

static void get_response(struct decoder *decoder, struct wire_response *response)
{
    unsigned flags = get_flags(decoder, WIRE_RESPONSE_ALL);
    response->status = (enum base_status)get_choice(decoder, BASE_STATUS_COUNT);
    response->id = get_number(decoder);
    response->cluster_id = get_number(decoder);
    response->member_id = get_number(decoder);
    response->revision = get_signed(decoder);
    response->term = get_number(decoder);
    response->applied = get_number(decoder);
    response->leader = get_number(decoder);
    if (flags & WIRE_RESPONSE_RESULT) {
        response->result = get_result(decoder, 0);
        demand(decoder, !wire_result_is_zero(&response->result));
    }
    if (flags & WIRE_RESPONSE_LEASE) {
        response->lease = get_signed(decoder);
        response->ttl_s = get_signed(decoder);
        response->granted_s = get_signed(decoder);
        demand(decoder, (response->lease | response->ttl_s | response->granted_s) != 0);
    }
    if (flags & WIRE_RESPONSE_COMPACT) {
        response->compact_revision = get_signed(decoder);
        demand(decoder, response->compact_revision != 0);
    }
    if (flags & WIRE_RESPONSE_HASH) {
        response->hash = get_number(decoder);
        demand(decoder, response->hash != 0);
    }
    get_response_lists(decoder, response, flags);
    if (flags & WIRE_RESPONSE_DATA) {
        response->data = get_bytes(decoder);
        demand(decoder, response->data.size != 0);
    }
}

static void get_watch(struct decoder *decoder, struct wire_watch *watch)
{
    watch->fragment = get_flags(decoder, 1) != 0;
    watch->watch = get_number(decoder);
    watch->revision = get_signed(decoder);
    watch->compact_revision = get_signed(decoder);
    watch->event_count = get_count(decoder, WIRE_EVENT_SIZE_MIN);
    struct kv_event *events = get_array(decoder, watch->event_count, sizeof *events);
    for (uint32_t i = 0; i < watch->event_count; i++) {
        unsigned flags = get_flags(decoder, WIRE_EVENT_ALL);
        events[i] = (struct kv_event){.is_delete = (flags & WIRE_EVENT_DELETE) != 0,
                                      .has_previous = (flags & WIRE_EVENT_PREVIOUS) != 0};
        events[i].record = get_record(decoder);
        if (events[i].has_previous) {
            events[i].previous = get_record(decoder);
        }
    }
    watch->events = events;
}

/* Ascending and unique, as everybody relies on. */
static void get_id_set(struct decoder *decoder, struct raft_id_set *set)
{
    uint32_t count = get_count(decoder, 1);
    if (count > RAFT_MEMBERS_MAX) {
        fail(decoder);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        set->ids[i] = get_number(decoder);
        demand(decoder, i == 0 || set->ids[i] > set->ids[i - 1]);
    }
    set->count = count;
}

static const struct raft_snapshot *get_snapshot(struct decoder *decoder)
{
    struct raft_snapshot *snapshot = base_arena_alloc(decoder->arena, sizeof *snapshot);
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->configuration.auto_leave = get_flags(decoder, 1) != 0;
    snapshot->index = get_number(decoder);
    snapshot->term = get_number(decoder);
    snapshot->handle = get_number(decoder);
    snapshot->data = get_bytes(decoder);
    get_id_set(decoder, &snapshot->configuration.voters);
    get_id_set(decoder, &snapshot->configuration.learners);
    get_id_set(decoder, &snapshot->configuration.voters_outgoing);
    get_id_set(decoder, &snapshot->configuration.learners_next);
    return snapshot;
}

static void get_entries(struct decoder *decoder, struct raft_message *message)
{
    uint32_t count = get_count_above_zero(decoder, WIRE_ENTRY_SIZE_MIN);
    struct raft_entry *entries = get_array(decoder, count, sizeof *entries);
    for (uint32_t i = 0; i < count; i++) {
        unsigned type = get_choice(decoder, RAFT_ENTRY_CONF_CHANGE_V2 + 1);
        entries[i] = (struct raft_entry){.type = (enum raft_entry_type)type};
        entries[i].term = get_number(decoder);
        entries[i].index = get_number(decoder);
        struct base_bytes data = get_bytes(decoder);
        demand(decoder, data.size <= UINT32_MAX);
        entries[i].data = data.data;
        entries[i].size = (uint32_t)data.size;
    }
    message->entry_count = count;
    message->entries = entries;
}

static void get_raft(struct decoder *decoder, struct raft_message *message, uint32_t depth)
{
    if (depth > WIRE_DEPTH_MAX) {
        fail(decoder);
    }
    message->type = (enum raft_message_type)get_choice(decoder, RAFT_MSG_COUNT);
    unsigned flags = get_flags(decoder, WIRE_RAFT_ALL);
    message->reject = (flags & WIRE_RAFT_REJECT) != 0;
    message->to = get_number(decoder);
    message->from = get_number(decoder);
    message->term = get_number(decoder);
    message->log_term = get_number(decoder);
    message->index = get_number(decoder);
    message->commit = get_number(decoder);
    message->reject_hint = get_number(decoder);
    message->vote = get_number(decoder);
    if (flags & WIRE_RAFT_CONTEXT) {
        message->context = get_bytes(decoder);
        demand(decoder, message->context.size != 0);
    }
    if (flags & WIRE_RAFT_ENTRIES) {
        get_entries(decoder, message);
    }
    if (flags & WIRE_RAFT_SNAPSHOT) {
        message->snapshot = get_snapshot(decoder);
    }
    if (flags & WIRE_RAFT_RESPONSES) {
        uint32_t count = get_count_above_zero(decoder, WIRE_RAFT_SIZE_MIN);
        struct raft_message *responses = get_array(decoder, count, sizeof *responses);
        for (uint32_t i = 0; i < count; i++) {
            responses[i] = (struct raft_message){0};
            get_raft(decoder, &responses[i], depth + 1);
        }
        message->response_count = count;
        message->responses = responses;
    }
}

static void get_payload(struct decoder *decoder, struct wire_message *message)
{
    switch (message->kind) {
    case WIRE_RAFT:
        get_raft(decoder, &message->raft, 0);
        break;
    case WIRE_SNAPSHOT_CHUNK:
        message->chunk.last = get_flags(decoder, 1) != 0;
        message->chunk.index = get_number(decoder);
        message->chunk.term = get_number(decoder);
        message->chunk.offset = get_number(decoder);
        message->chunk.data = get_bytes(decoder);
        break;
    case WIRE_REFUSAL:
        message->refusal.status = (enum base_status)get_choice(decoder, BASE_STATUS_COUNT);
        message->refusal.refused = get_number(decoder);
        message->refusal.intended = get_number(decoder);
        break;
    case WIRE_LEASE_FORWARD:
    case WIRE_PEER_QUERY:
    case WIRE_CHANGE_FORWARD:
    case WIRE_REQUEST:
        get_request(decoder, &message->request);
        break;
    case WIRE_LEASE_ANSWER:
    case WIRE_CHANGE_ANSWER:
    case WIRE_PEER_ANSWER:
    case WIRE_RESPONSE:
        get_response(decoder, &message->response);
        break;
    case WIRE_WATCH:
        get_watch(decoder, &message->watch);
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

enum base_status wire_decode(struct base_bytes frame, struct base_arena *arena, struct wire_message *out)
{
    if (frame.size < WIRE_FRAME_HEAD || frame.size - WIRE_FRAME_HEAD != base_load_u32(frame.data)) {
        return BASE_CORRUPT;
    }
    const uint8_t *body = frame.data + WIRE_FRAME_HEAD;
    size_t size = frame.size - WIRE_FRAME_HEAD;
    if (base_load_u32(frame.data + 4) != base_crc32c(0, body, size)) {
        return BASE_CORRUPT;
    }
    struct decoder decoder = {.at = body, .end = body + size, .arena = arena};
    struct wire_message message;
    memset(&message, 0, sizeof message); /* All of the union, not its first member. */
    message.kind = (enum wire_kind)get_choice(&decoder, WIRE_KIND_COUNT);
    message.cluster_id = get_number(&decoder);
    message.from = get_number(&decoder);
    message.to = get_number(&decoder);
    get_payload(&decoder, &message);
    if (decoder.failed || decoder.at != decoder.end) {
        return BASE_CORRUPT;
    }
    *out = message;
    return BASE_OK;
}

enum base_status wire_proposal_decode(struct base_bytes data, struct base_arena *arena,
                                      struct wire_proposal *out)
{
    if (data.size == 0) {
        return BASE_CORRUPT;
    }
    struct decoder decoder = {.at = data.data, .end = data.data + data.size, .arena = arena};
    struct wire_proposal proposal = {0};
    proposal.is_fenced = get_flags(&decoder, 1) != 0;
    proposal.id = get_number(&decoder);
    proposal.proposer = get_number(&decoder);
    proposal.term = get_number(&decoder);
    get_request(&decoder, &proposal.request);
    if (decoder.failed || decoder.at != decoder.end) {
        return BASE_CORRUPT;
    }
    *out = proposal;
    return BASE_OK;
}
