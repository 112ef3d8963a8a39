/* A message flattened: the struct, and behind it, each at a multiple of 8, the
 * arrays and bytes it leads to. One pass counts, one copies; both follow the
 * same walk, so what is counted is what is filled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/wire.h"

#include <assert.h>

enum { ALIGN = 8, ZERO_STEP = 16 };

static_assert(sizeof(struct wire_message) % ALIGN == 0, "what follows the message is aligned");
static_assert(sizeof(struct wire_message) % ZERO_STEP == 0, "it is zeroed in whole steps");
static_assert(_Alignof(struct wire_message) <= ALIGN, "no part needs more");

static inline size_t rounded(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* The counting pass: bytes needed beyond the struct itself. */

static size_t count_op(const struct kv_op *op, uint32_t depth);

static size_t count_ops(const struct kv_op *ops, uint32_t count, uint32_t depth)
{
    size_t size = (size_t)count * sizeof *ops;
    for (uint32_t i = 0; i < count; i++) {
        size += count_op(&ops[i], depth);
    }
    return size;
}

static size_t count_txn(const struct kv_txn *txn, uint32_t depth)
{
    assert(depth < WIRE_DEPTH_MAX);
    size_t size = sizeof *txn + (size_t)txn->compare_count * sizeof *txn->compares;
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        const struct kv_compare *compare = &txn->compares[i];
        size += rounded(compare->key.size) + rounded(compare->range_end.size) + rounded(compare->value.size);
    }
    return size + count_ops(txn->success, txn->success_count, depth + 1) +
           count_ops(txn->failure, txn->failure_count, depth + 1);
}

static size_t count_op(const struct kv_op *op, uint32_t depth)
{
    size_t size = rounded(op->key.size) + rounded(op->range_end.size) + rounded(op->value.size);
    if (op->kind == KV_TXN && op->txn) {
        size += count_txn(op->txn, depth);
    }
    return size;
}

static size_t count_member(const struct wire_member *member)
{
    return rounded(member->name.size) + rounded(member->peer_url.size);
}

static size_t count_request(const struct wire_request *request)
{
    size_t size = count_op(&request->op, 0) + count_member(&request->member) +
                  2 * (size_t)request->checkpoint_count * sizeof(int64_t) +
                  (size_t)request->change_count * sizeof *request->changes;
    for (uint32_t i = 0; i < request->change_count; i++) {
        size += count_member(&request->changes[i].member);
    }
    return size;
}

static size_t count_record(const struct kv_record *record)
{
    return rounded(record->key.size) + rounded(record->value.size);
}

static size_t count_result(const struct kv_result *result, uint32_t depth)
{
    assert(depth <= WIRE_DEPTH_MAX);
    size_t size = (size_t)result->record_count * sizeof *result->records;
    for (uint32_t i = 0; i < result->record_count; i++) {
        size += count_record(&result->records[i]);
    }
    size += (size_t)result->result_count * sizeof *result->results;
    for (uint32_t i = 0; i < result->result_count; i++) {
        size += count_result(&result->results[i], depth + 1);
    }
    return size;
}

static size_t count_response(const struct wire_response *response)
{
    size_t size = count_result(&response->result, 0) + rounded(response->data.size);
    size += (size_t)response->lease_count * sizeof *response->leases;
    size += (size_t)response->key_count * sizeof *response->keys;
    for (uint32_t i = 0; i < response->key_count; i++) {
        size += rounded(response->keys[i].size);
    }
    size += (size_t)response->member_count * sizeof *response->members;
    for (uint32_t i = 0; i < response->member_count; i++) {
        size += count_member(&response->members[i]);
    }
    return size;
}

static size_t count_watch(const struct wire_watch *watch)
{
    size_t size = (size_t)watch->event_count * sizeof *watch->events;
    for (uint32_t i = 0; i < watch->event_count; i++) {
        const struct kv_event *event = &watch->events[i];
        size += count_record(&event->record);
        if (event->has_previous) {
            size += count_record(&event->previous);
        }
    }
    return size;
}

static size_t count_raft(const struct raft_message *message, uint32_t depth)
{
    assert(depth <= WIRE_DEPTH_MAX);
    size_t size = rounded(message->context.size) + (size_t)message->entry_count * sizeof *message->entries;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        size += rounded(message->entries[i].size);
    }
    if (message->snapshot) {
        size += sizeof *message->snapshot + rounded(message->snapshot->data.size);
    }
    size += (size_t)message->response_count * sizeof *message->responses;
    for (uint32_t i = 0; i < message->response_count; i++) {
        size += count_raft(&message->responses[i], depth + 1);
    }
    return size;
}

size_t wire_flat_size(const struct wire_message *message)
{
    switch (message->kind) {
    case WIRE_RAFT:
        return sizeof *message + count_raft(&message->raft, 0);
    case WIRE_SNAPSHOT_CHUNK:
        return sizeof *message + rounded(message->chunk.data.size);
    case WIRE_LEASE_FORWARD:
    case WIRE_PEER_QUERY:
    case WIRE_CHANGE_FORWARD:
    case WIRE_REQUEST:
        return sizeof *message + count_request(&message->request);
    case WIRE_LEASE_ANSWER:
    case WIRE_CHANGE_ANSWER:
    case WIRE_PEER_ANSWER:
    case WIRE_RESPONSE:
        return sizeof *message + count_response(&message->response);
    case WIRE_WATCH:
        return sizeof *message + count_watch(&message->watch);
    case WIRE_REFUSAL:
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_GOODBYE:
        return sizeof *message;
    case WIRE_KIND_COUNT:
        break;
    }
    assert(false && "a kind of message");
    return 0;
}

/* The copying pass. Each function is given a shallow copy that already stands in
 * the block, and replaces what it still borrows by copies further on. */

struct packer {
    uint8_t *at;
};

static void *pack_array(struct packer *packer, const void *items, size_t size)
{
    if (size == 0) {
        return NULL;
    }
    void *copy = packer->at;
    memcpy(copy, items, size);
    packer->at += size;
    return copy;
}

static inline void pack_bytes(struct packer *packer, struct base_bytes *bytes)
{
    if (bytes->size == 0) {
        bytes->data = NULL;
        return;
    }
    bytes->data = memcpy(packer->at, bytes->data, bytes->size);
    packer->at += rounded(bytes->size);
}

static void pack_op(struct packer *packer, struct kv_op *op);

static const struct kv_op *pack_ops(struct packer *packer, const struct kv_op *ops, uint32_t count)
{
    struct kv_op *copies = pack_array(packer, ops, (size_t)count * sizeof *ops);
    for (uint32_t i = 0; i < count; i++) {
        pack_op(packer, &copies[i]);
    }
    return copies;
}

static const struct kv_txn *pack_txn(struct packer *packer, const struct kv_txn *txn)
{
    struct kv_txn *copy = pack_array(packer, txn, sizeof *txn);
    struct kv_compare *compares =
        pack_array(packer, txn->compares, (size_t)txn->compare_count * sizeof *txn->compares);
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        pack_bytes(packer, &compares[i].key);
        pack_bytes(packer, &compares[i].range_end);
        pack_bytes(packer, &compares[i].value);
    }
    copy->compares = compares;
    copy->success = pack_ops(packer, txn->success, txn->success_count);
    copy->failure = pack_ops(packer, txn->failure, txn->failure_count);
    return copy;
}

static void pack_op(struct packer *packer, struct kv_op *op)
{
    pack_bytes(packer, &op->key);
    pack_bytes(packer, &op->range_end);
    pack_bytes(packer, &op->value);
    op->txn = op->kind == KV_TXN && op->txn ? pack_txn(packer, op->txn) : NULL;
}

static void pack_member(struct packer *packer, struct wire_member *member)
{
    pack_bytes(packer, &member->name);
    pack_bytes(packer, &member->peer_url);
}

static void pack_request(struct packer *packer, struct wire_request *request)
{
    pack_op(packer, &request->op);
    pack_member(packer, &request->member);
    size_t size = (size_t)request->checkpoint_count * sizeof(int64_t);
    request->checkpoint_leases = pack_array(packer, request->checkpoint_leases, size);
    request->checkpoint_remaining_s = pack_array(packer, request->checkpoint_remaining_s, size);
    struct wire_change *changes =
        pack_array(packer, request->changes, (size_t)request->change_count * sizeof *changes);
    for (uint32_t i = 0; i < request->change_count; i++) {
        pack_member(packer, &changes[i].member);
    }
    request->changes = changes;
}

static void pack_record(struct packer *packer, struct kv_record *record)
{
    pack_bytes(packer, &record->key);
    pack_bytes(packer, &record->value);
}

static void pack_result(struct packer *packer, struct kv_result *result)
{
    struct kv_record *records =
        pack_array(packer, result->records, (size_t)result->record_count * sizeof *records);
    for (uint32_t i = 0; i < result->record_count; i++) {
        pack_record(packer, &records[i]);
    }
    struct kv_result *results =
        pack_array(packer, result->results, (size_t)result->result_count * sizeof *results);
    for (uint32_t i = 0; i < result->result_count; i++) {
        pack_result(packer, &results[i]);
    }
    result->records = records;
    result->results = results;
}

static void pack_response(struct packer *packer, struct wire_response *response)
{
    pack_result(packer, &response->result);
    pack_bytes(packer, &response->data);
    response->leases =
        pack_array(packer, response->leases, (size_t)response->lease_count * sizeof *response->leases);
    struct base_bytes *keys = pack_array(packer, response->keys, (size_t)response->key_count * sizeof *keys);
    for (uint32_t i = 0; i < response->key_count; i++) {
        pack_bytes(packer, &keys[i]);
    }
    struct wire_member *members =
        pack_array(packer, response->members, (size_t)response->member_count * sizeof *members);
    for (uint32_t i = 0; i < response->member_count; i++) {
        pack_member(packer, &members[i]);
    }
    response->keys = keys;
    response->members = members;
}

static void pack_watch(struct packer *packer, struct wire_watch *watch)
{
    struct kv_event *events = pack_array(packer, watch->events, (size_t)watch->event_count * sizeof *events);
    for (uint32_t i = 0; i < watch->event_count; i++) {
        pack_record(packer, &events[i].record);
        if (events[i].has_previous) {
            pack_record(packer, &events[i].previous);
        } else {
            events[i].previous = (struct kv_record){0};
        }
    }
    watch->events = events;
}

static void pack_raft(struct packer *packer, struct raft_message *message)
{
    pack_bytes(packer, &message->context);
    struct raft_entry *entries =
        pack_array(packer, message->entries, (size_t)message->entry_count * sizeof *entries);
    for (uint32_t i = 0; i < message->entry_count; i++) {
        struct base_bytes data = {.data = entries[i].data, .size = entries[i].size};
        pack_bytes(packer, &data);
        entries[i].data = data.data;
    }
    message->entries = entries;
    if (message->snapshot) {
        struct raft_snapshot *snapshot = pack_array(packer, message->snapshot, sizeof *snapshot);
        pack_bytes(packer, &snapshot->data);
        message->snapshot = snapshot;
    }
    struct raft_message *responses =
        pack_array(packer, message->responses, (size_t)message->response_count * sizeof *responses);
    for (uint32_t i = 0; i < message->response_count; i++) {
        pack_raft(packer, &responses[i]);
    }
    message->responses = responses;
}

/* What the union holds, by kind; nothing for the kinds not named. */
static const uint16_t payload_sizes[WIRE_KIND_COUNT] = {
    [WIRE_RAFT] = sizeof(struct raft_message),           [WIRE_SNAPSHOT_CHUNK] = sizeof(struct wire_chunk),
    [WIRE_REFUSAL] = sizeof(struct wire_refusal),        [WIRE_LEASE_FORWARD] = sizeof(struct wire_request),
    [WIRE_LEASE_ANSWER] = sizeof(struct wire_response),  [WIRE_PEER_QUERY] = sizeof(struct wire_request),
    [WIRE_PEER_ANSWER] = sizeof(struct wire_response),   [WIRE_REQUEST] = sizeof(struct wire_request),
    [WIRE_RESPONSE] = sizeof(struct wire_response),      [WIRE_WATCH] = sizeof(struct wire_watch),
    [WIRE_CHANGE_FORWARD] = sizeof(struct wire_request), [WIRE_CHANGE_ANSWER] = sizeof(struct wire_response),
};

struct wire_message *wire_flatten(const struct wire_message *message, void *memory)
{
    assert(memory && (uintptr_t)memory % ALIGN == 0);
    assert((unsigned)message->kind < WIRE_KIND_COUNT);
    struct wire_message *copy = memory;
    size_t used = offsetof(struct wire_message, raft) + payload_sizes[message->kind];
    /* Zeroed in steps that become plain stores: for the whole a compiler takes a
     * string instruction, which costs more than all the rest of a heartbeat. */
    for (size_t at = 0; at < sizeof *copy; at += ZERO_STEP) {
        memset((uint8_t *)memory + at, 0, ZERO_STEP);
    }
    memcpy(copy, message, used);
    struct packer packer = {.at = (uint8_t *)memory + sizeof *copy};
    switch (message->kind) {
    case WIRE_RAFT:
        pack_raft(&packer, &copy->raft);
        break;
    case WIRE_SNAPSHOT_CHUNK:
        pack_bytes(&packer, &copy->chunk.data);
        break;
    case WIRE_LEASE_FORWARD:
    case WIRE_PEER_QUERY:
    case WIRE_CHANGE_FORWARD:
    case WIRE_REQUEST:
        pack_request(&packer, &copy->request);
        break;
    case WIRE_LEASE_ANSWER:
    case WIRE_CHANGE_ANSWER:
    case WIRE_PEER_ANSWER:
    case WIRE_RESPONSE:
        pack_response(&packer, &copy->response);
        break;
    case WIRE_WATCH:
        pack_watch(&packer, &copy->watch);
        break;
    case WIRE_REFUSAL:
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_GOODBYE:
        break;
    case WIRE_KIND_COUNT:
        assert(false && "a kind of message");
    }
    return copy;
}
