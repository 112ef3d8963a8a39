/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wire/messages.h"

#include <stdlib.h>

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    size_t *bytes_out = context;
    *bytes_out = *bytes_out - size_old + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

struct base_allocator test_allocator(size_t *bytes_out)
{
    *bytes_out = 0;
    return (struct base_allocator){.resize = resize, .context = bytes_out};
}

/* SplitMix64. */
uint64_t test_random_next(struct test_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word = random->state;
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

uint32_t test_random_below(struct test_random *random, uint32_t limit)
{
    return (uint32_t)(test_random_next(random) % limit);
}

static bool coin(struct test_random *random)
{
    return test_random_below(random, 2) == 0;
}

/* Numbers of every length, zero and the extremes among them. */
static uint64_t number(struct test_random *random)
{
    uint64_t word = test_random_next(random);
    uint32_t shift = test_random_below(random, 66);
    return shift >= 64 ? (shift == 64 ? 0 : UINT64_MAX) : word >> shift;
}

static int64_t signed_number(struct test_random *random)
{
    uint64_t word = number(random);
    return coin(random) ? (int64_t)word : -(int64_t)(word >> 1);
}

static struct base_bytes bytes(struct test_random *random, struct base_arena *arena)
{
    uint32_t size = coin(random) ? 0 : test_random_below(random, coin(random) ? 8 : 300);
    if (size == 0) {
        return (struct base_bytes){0};
    }
    uint8_t *data = base_arena_alloc(arena, size);
    for (uint32_t i = 0; i < size; i++) {
        data[i] = (uint8_t)test_random_next(random);
    }
    return (struct base_bytes){.data = data, .size = size};
}

static uint32_t few(struct test_random *random)
{
    return coin(random) ? 0 : test_random_below(random, 4);
}

static struct kv_op op(struct test_random *random, struct base_arena *arena, uint32_t depth);

static const struct kv_op *ops(struct test_random *random, struct base_arena *arena, uint32_t depth,
                               uint32_t *count)
{
    *count = few(random);
    struct kv_op *items = *count == 0 ? NULL : base_arena_alloc(arena, *count * sizeof *items);
    for (uint32_t i = 0; i < *count; i++) {
        items[i] = op(random, arena, depth);
    }
    return items;
}

static const struct kv_txn *txn(struct test_random *random, struct base_arena *arena, uint32_t depth)
{
    struct kv_txn *made = base_arena_alloc(arena, sizeof *made);
    *made = (struct kv_txn){.compare_count = few(random)};
    struct kv_compare *compares =
        made->compare_count == 0 ? NULL : base_arena_alloc(arena, made->compare_count * sizeof *compares);
    for (uint32_t i = 0; i < made->compare_count; i++) {
        compares[i] = (struct kv_compare){0};
        compares[i].key = bytes(random, arena);
        compares[i].range_end = bytes(random, arena);
        compares[i].target = (enum kv_compare_target)test_random_below(random, KV_COMPARE_LEASE + 1);
        compares[i].relation = (enum kv_relation)test_random_below(random, KV_GREATER + 1);
        compares[i].number = signed_number(random);
        compares[i].value = bytes(random, arena);
    }
    made->compares = compares;
    made->success = ops(random, arena, depth + 1, &made->success_count);
    made->failure = ops(random, arena, depth + 1, &made->failure_count);
    return made;
}

static struct kv_op op(struct test_random *random, struct base_arena *arena, uint32_t depth)
{
    struct kv_op made = {0};
    made.kind = (enum kv_op_kind)test_random_below(random, depth < WIRE_DEPTH_MAX ? 4 : 3);
    made.key = bytes(random, arena);
    if (coin(random)) {
        made.flags = (uint32_t)test_random_next(random);
        made.range_end = bytes(random, arena);
        made.lease = signed_number(random);
    }
    if (coin(random)) {
        made.value = bytes(random, arena);
        made.revision = signed_number(random);
        made.limit = signed_number(random);
        made.sort_target = (enum kv_sort_target)test_random_below(random, KV_SORT_VALUE + 1);
        made.sort_order = (enum kv_sort_order)test_random_below(random, KV_SORT_DESCEND + 1);
    }
    made.txn = made.kind == KV_TXN ? txn(random, arena, depth) : NULL;
    return made;
}

static struct wire_member member(struct test_random *random, struct base_arena *arena)
{
    struct wire_member made = {.is_learner = coin(random)};
    made.id = number(random);
    made.name = bytes(random, arena);
    made.peer_url = bytes(random, arena);
    return made;
}

static const int64_t *numbers(struct test_random *random, struct base_arena *arena, uint32_t count)
{
    int64_t *items = count == 0 ? NULL : base_arena_alloc(arena, count * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = signed_number(random);
    }
    return items;
}

static struct wire_request request(struct test_random *random, struct base_arena *arena)
{
    struct wire_request made = {.require_leader = coin(random),
                                .keys = coin(random),
                                .physical = coin(random)};
    made.id = number(random);
    made.kind = (enum wire_request_kind)test_random_below(random, WIRE_REQUEST_KIND_COUNT);
    if (made.kind == WIRE_KV || coin(random)) {
        made.op = op(random, arena, 0);
    }
    if (coin(random)) {
        made.lease = signed_number(random);
        made.ttl_s = signed_number(random);
        made.revision = signed_number(random);
    }
    if (coin(random)) {
        made.watch = number(random);
        made.alarm = number(random);
        made.member = member(random, arena);
        made.checkpoint_count = few(random);
        made.checkpoint_leases = numbers(random, arena, made.checkpoint_count);
        made.checkpoint_remaining_s = numbers(random, arena, made.checkpoint_count);
    }
    if (made.kind == WIRE_MEMBER_CHANGE) {
        made.change_count = few(random);
        struct wire_change *changes =
            made.change_count == 0 ? NULL : base_arena_alloc(arena, made.change_count * sizeof *changes);
        for (uint32_t i = 0; i < made.change_count; i++) {
            changes[i].kind = (enum wire_change_kind)test_random_below(random, WIRE_CHANGE_KIND_COUNT);
            changes[i].member = member(random, arena);
        }
        made.changes = changes;
    }
    return made;
}

static struct kv_record record(struct test_random *random, struct base_arena *arena)
{
    struct kv_record made = {0};
    made.key = bytes(random, arena);
    made.value = bytes(random, arena);
    made.create_revision = signed_number(random);
    made.mod_revision = signed_number(random);
    made.version = signed_number(random);
    made.lease = signed_number(random);
    return made;
}

static struct kv_result result(struct test_random *random, struct base_arena *arena, uint32_t depth)
{
    struct kv_result made = {.succeeded = coin(random), .more = coin(random)};
    made.kind = (enum kv_op_kind)test_random_below(random, 4);
    made.count = signed_number(random);
    made.record_count = few(random);
    struct kv_record *records =
        made.record_count == 0 ? NULL : base_arena_alloc(arena, made.record_count * sizeof *records);
    for (uint32_t i = 0; i < made.record_count; i++) {
        records[i] = record(random, arena);
    }
    made.result_count = depth < WIRE_DEPTH_MAX ? few(random) : 0;
    struct kv_result *results =
        made.result_count == 0 ? NULL : base_arena_alloc(arena, made.result_count * sizeof *results);
    for (uint32_t i = 0; i < made.result_count; i++) {
        results[i] = result(random, arena, depth + 1);
    }
    made.records = records;
    made.results = results;
    return made;
}

static struct wire_response response(struct test_random *random, struct base_arena *arena)
{
    struct wire_response made = {.id = number(random)};
    made.status = (enum base_status)test_random_below(random, BASE_STATUS_COUNT);
    made.cluster_id = number(random);
    made.member_id = number(random);
    made.revision = signed_number(random);
    made.term = number(random);
    made.applied = number(random);
    made.leader = number(random);
    if (coin(random)) {
        made.result = result(random, arena, 0);
        made.lease = signed_number(random);
        made.ttl_s = signed_number(random);
        made.granted_s = signed_number(random);
        made.compact_revision = signed_number(random);
        made.hash = number(random);
    }
    made.lease_count = few(random);
    made.leases = numbers(random, arena, made.lease_count);
    made.key_count = few(random);
    struct base_bytes *keys =
        made.key_count == 0 ? NULL : base_arena_alloc(arena, made.key_count * sizeof *keys);
    for (uint32_t i = 0; i < made.key_count; i++) {
        keys[i] = bytes(random, arena);
    }
    made.member_count = few(random);
    struct wire_member *members =
        made.member_count == 0 ? NULL : base_arena_alloc(arena, made.member_count * sizeof *members);
    for (uint32_t i = 0; i < made.member_count; i++) {
        members[i] = member(random, arena);
    }
    made.data = bytes(random, arena);
    made.keys = keys;
    made.members = members;
    return made;
}

static struct wire_watch watch(struct test_random *random, struct base_arena *arena)
{
    struct wire_watch made = {.fragment = coin(random), .watch = number(random)};
    made.revision = signed_number(random);
    made.compact_revision = signed_number(random);
    made.event_count = few(random);
    struct kv_event *events =
        made.event_count == 0 ? NULL : base_arena_alloc(arena, made.event_count * sizeof *events);
    for (uint32_t i = 0; i < made.event_count; i++) {
        events[i] = (struct kv_event){.is_delete = coin(random), .has_previous = coin(random)};
        events[i].record = record(random, arena);
        if (events[i].has_previous) {
            events[i].previous = record(random, arena);
        }
    }
    made.events = events;
    return made;
}

static void id_set(struct test_random *random, struct raft_id_set *set)
{
    uint64_t id = 0;
    set->count = test_random_below(random, RAFT_MEMBERS_MAX + 1);
    for (uint32_t i = 0; i < set->count; i++) {
        id += 1 + (test_random_next(random) >> (8 + test_random_below(random, 50)));
        set->ids[i] = id;
    }
}

static const struct raft_snapshot *snapshot(struct test_random *random, struct base_arena *arena)
{
    struct raft_snapshot *made = base_arena_alloc(arena, sizeof *made);
    memset(made, 0, sizeof *made);
    made->index = number(random);
    made->term = number(random);
    made->handle = number(random);
    made->data = bytes(random, arena);
    made->configuration.auto_leave = coin(random);
    id_set(random, &made->configuration.voters);
    id_set(random, &made->configuration.learners);
    id_set(random, &made->configuration.voters_outgoing);
    id_set(random, &made->configuration.learners_next);
    return made;
}

static struct raft_message raft(struct test_random *random, struct base_arena *arena, uint32_t depth)
{
    struct raft_message made = {.reject = coin(random)};
    made.type = (enum raft_message_type)test_random_below(random, RAFT_MSG_COUNT);
    made.to = number(random);
    made.from = number(random);
    made.term = number(random);
    made.log_term = number(random);
    made.index = number(random);
    made.commit = number(random);
    made.reject_hint = number(random);
    made.vote = number(random);
    made.context = bytes(random, arena);
    made.entry_count = few(random);
    struct raft_entry *entries =
        made.entry_count == 0 ? NULL : base_arena_alloc(arena, made.entry_count * sizeof *entries);
    for (uint32_t i = 0; i < made.entry_count; i++) {
        struct base_bytes data = bytes(random, arena);
        entries[i] = (struct raft_entry){.data = data.data, .size = (uint32_t)data.size};
        entries[i].term = number(random);
        entries[i].index = number(random);
        entries[i].type = (enum raft_entry_type)test_random_below(random, 3);
    }
    made.entries = entries;
    made.snapshot = test_random_below(random, 8) == 0 ? snapshot(random, arena) : NULL;
    made.response_count = depth < WIRE_DEPTH_MAX ? few(random) / 2 : 0;
    struct raft_message *responses =
        made.response_count == 0 ? NULL : base_arena_alloc(arena, made.response_count * sizeof *responses);
    for (uint32_t i = 0; i < made.response_count; i++) {
        responses[i] = raft(random, arena, depth + 1);
    }
    made.responses = responses;
    return made;
}

struct wire_message test_message(struct test_random *random, struct base_arena *arena, enum wire_kind kind)
{
    struct wire_message made;
    memset(&made, 0, sizeof made);
    made.kind = kind;
    made.cluster_id = number(random);
    made.from = number(random);
    made.to = number(random);
    if (kind == WIRE_RAFT) {
        made.raft = raft(random, arena, 0);
    } else if (kind == WIRE_SNAPSHOT_CHUNK) {
        made.chunk = (struct wire_chunk){.index = number(random), .last = coin(random)};
        made.chunk.offset = number(random);
        made.chunk.term = number(random);
        made.chunk.data = bytes(random, arena);
    } else if (kind == WIRE_REFUSAL) {
        made.refusal.status = (enum base_status)test_random_below(random, BASE_STATUS_COUNT);
        made.refusal.refused = number(random);
        made.refusal.intended = number(random);
    } else if (kind == WIRE_LEASE_FORWARD || kind == WIRE_CHANGE_FORWARD || kind == WIRE_PEER_QUERY ||
               kind == WIRE_REQUEST) {
        made.request = request(random, arena);
    } else if (kind == WIRE_LEASE_ANSWER || kind == WIRE_CHANGE_ANSWER || kind == WIRE_PEER_ANSWER ||
               kind == WIRE_RESPONSE) {
        made.response = response(random, arena);
    } else if (kind == WIRE_WATCH) {
        made.watch = watch(random, arena);
    }
    return made;
}

struct wire_proposal test_proposal(struct test_random *random, struct base_arena *arena)
{
    struct wire_proposal made = {.id = number(random), .is_fenced = coin(random)};
    made.proposer = number(random);
    made.term = number(random);
    made.request = request(random, arena);
    return made;
}

struct kv_op test_nested_op(struct base_arena *arena, uint32_t depth)
{
    struct kv_op made = {.kind = KV_PUT, .key = base_bytes_of("key"), .value = base_bytes_of("value")};
    for (uint32_t i = 0; i < depth; i++) {
        struct kv_op *inner = base_arena_alloc(arena, sizeof *inner);
        *inner = made;
        struct kv_txn *outer = base_arena_alloc(arena, sizeof *outer);
        *outer = (struct kv_txn){.success_count = 1, .success = inner};
        made = (struct kv_op){.kind = KV_TXN, .txn = outer};
    }
    return made;
}
