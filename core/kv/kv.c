/* Applying and reading. Two passes keep a refusal from changing anything: plan
 * evaluates every compare against the state before and finds every reason to
 * refuse; perform can then not fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include <assert.h>

/* Which branch an operation takes, if it is a transaction, and those inside it. */
struct choice {
    bool succeeded;
    struct choice *nested; /* One for each operation of the branch. */
};

/* One operation being applied. */
struct run {
    struct kv *kv;
    struct base_arena *arena;
    int64_t main;
    uint32_t sub; /* Changes made so far. */
    uint64_t ring_begin;
};

static enum base_status plan_put(const struct kv *kv, const struct kv_op *op)
{
    int64_t lease = op->lease;
    if (op->flags & (KV_IGNORE_VALUE | KV_IGNORE_LEASE)) {
        const struct kv_key *key = base_map_get(&kv->keys, op->key);
        const struct kv_change *change = key ? kv_key_at(key, KV_NEWEST) : NULL;
        if (!change) {
            return BASE_KEY_NOT_FOUND;
        }
        if (op->flags & KV_IGNORE_LEASE) {
            lease = change->lease;
        }
    }
    if (lease != 0 && !kv->leases.exists(kv->leases.context, lease)) {
        return BASE_LEASE_NOT_FOUND;
    }
    return BASE_OK;
}

static enum base_status plan_range(const struct kv *kv, const struct kv_op *op)
{
    if (op->revision > kv->revision) {
        return BASE_FUTURE_REVISION;
    }
    return op->revision > 0 && op->revision < kv->compacted ? BASE_COMPACTED : BASE_OK;
}

static const struct kv_op *branch_of(const struct kv_txn *txn, bool succeeded, uint32_t *count)
{
    *count = succeeded ? txn->success_count : txn->failure_count;
    return succeeded ? txn->success : txn->failure;
}

static enum base_status plan(const struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                             struct choice *choice);

static enum base_status plan_txn(const struct kv *kv, const struct kv_txn *txn, struct base_arena *arena,
                                 struct choice *choice)
{
    choice->succeeded = kv_compares_hold(kv, txn);
    uint32_t count;
    const struct kv_op *ops = branch_of(txn, choice->succeeded, &count);
    if (count == 0) {
        return BASE_OK;
    }
    choice->nested = base_arena_alloc(arena, count * sizeof *choice->nested);
    for (uint32_t i = 0; i < count; i++) {
        enum base_status status = plan(kv, &ops[i], arena, &choice->nested[i]);
        if (status != BASE_OK) {
            return status;
        }
    }
    return BASE_OK;
}

static enum base_status plan(const struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                             struct choice *choice)
{
    *choice = (struct choice){0};
    switch (op->kind) {
    case KV_RANGE:
        return plan_range(kv, op);
    case KV_PUT:
        return plan_put(kv, op);
    case KV_DELETE_RANGE:
        return BASE_OK;
    case KV_TXN:
        return plan_txn(kv, op->txn, arena, choice);
    }
    return BASE_INVALID;
}

static uint32_t run_next_sub(struct run *run)
{
    assert(run->sub < UINT32_MAX);
    return run->sub++;
}

static void lease_move(struct kv *kv, struct base_bytes key, int64_t from, int64_t to)
{
    if (from == to) {
        return;
    }
    if (from != 0) {
        kv->leases.detach(kv->leases.context, from, key);
    }
    if (to != 0) {
        kv->leases.attach(kv->leases.context, to, key);
    }
}

static void perform_put(struct run *run, const struct kv_op *op, struct kv_result *result)
{
    struct kv *kv = run->kv;
    struct kv_key *key = base_map_get(&kv->keys, op->key);
    const struct kv_change *before = key ? kv_key_at(key, KV_NEWEST) : NULL;
    struct base_bytes value = op->value;
    struct kv_change fields = {.main = run->main, .sub = run_next_sub(run)};
    fields.create = before ? before->create : run->main;
    fields.version = before ? before->version + 1 : 1;
    fields.lease = op->lease;
    if (op->flags & (KV_IGNORE_VALUE | KV_IGNORE_LEASE)) {
        assert(before); /* plan_put, and no other change of the key in this run (kv_check). */
        if (op->flags & KV_IGNORE_VALUE) {
            value = kv_change_value(before);
        }
        if (op->flags & KV_IGNORE_LEASE) {
            fields.lease = before->lease;
        }
    }
    const struct kv_change *change = kv_store_append(kv, key, op->key, &fields, value, true);
    lease_move(kv, kv_key_bytes(change->key), before ? before->lease : 0, fields.lease);
    if (before && (op->flags & KV_PREV_KV)) {
        struct kv_record *record = base_arena_alloc(run->arena, sizeof *record);
        *record = kv_change_record(before);
        result->records = record;
        result->record_count = 1;
    }
}

/* A tombstone for a key that lives. */
static void delete_key(struct run *run, struct kv_key *key)
{
    struct kv_change fields = {.main = run->main, .sub = run_next_sub(run)};
    kv_store_append(run->kv, key, kv_key_bytes(key), &fields, (struct base_bytes){0}, true);
}

static void perform_delete(struct run *run, const struct kv_op *op, struct kv_result *result)
{
    struct kv *kv = run->kv;
    if (op->flags & KV_PREV_KV) {
        const struct kv_op before = {.kind = KV_RANGE, .key = op->key, .range_end = op->range_end};
        kv_range(kv, &before, run->arena, result);
        result->kind = KV_DELETE_RANGE;
    }
    result->count = 0;
    struct kv_walk walk = kv_walk_begin(kv, op->key, op->range_end);
    for (struct kv_key *key = kv_walk_next(&walk); key; key = kv_walk_next(&walk)) {
        const struct kv_change *before = kv_key_at(key, KV_NEWEST);
        if (before) {
            delete_key(run, key);
            lease_move(kv, kv_key_bytes(key), before->lease, 0);
            result->count++;
        }
    }
}

static void perform(struct run *run, const struct kv_op *op, const struct choice *choice,
                    struct kv_result *result);

static void perform_txn(struct run *run, const struct kv_txn *txn, const struct choice *choice,
                        struct kv_result *result)
{
    uint32_t count;
    const struct kv_op *ops = branch_of(txn, choice->succeeded, &count);
    result->succeeded = choice->succeeded;
    if (count == 0) {
        return;
    }
    struct kv_result *results = base_arena_alloc(run->arena, count * sizeof *results);
    for (uint32_t i = 0; i < count; i++) {
        perform(run, &ops[i], &choice->nested[i], &results[i]);
    }
    result->results = results;
    result->result_count = count;
}

static void perform(struct run *run, const struct kv_op *op, const struct choice *choice,
                    struct kv_result *result)
{
    *result = (struct kv_result){.kind = op->kind};
    switch (op->kind) {
    case KV_RANGE:
        kv_range(run->kv, op, run->arena, result);
        break;
    case KV_PUT:
        perform_put(run, op, result);
        break;
    case KV_DELETE_RANGE:
        perform_delete(run, op, result);
        break;
    case KV_TXN:
        perform_txn(run, op->txn, choice, result);
        break;
    }
}

static struct run run_begin(struct kv *kv, struct base_arena *arena)
{
    return (struct run){.kv = kv, .arena = arena, .main = kv->revision + 1, .ring_begin = kv->ring.end};
}

/* The changes become a revision, and the observer is told of it. */
static void run_end(const struct run *run)
{
    struct kv *kv = run->kv;
    assert(kv->ring.end - run->ring_begin == run->sub);
    if (run->sub == 0) {
        return;
    }
    kv->revision = run->main;
    if (!kv->observer.change) {
        return;
    }
    for (uint64_t place = run->ring_begin; place < kv->ring.end; place++) {
        const struct kv_change *change = kv_ring_at(&kv->ring, place);
        struct kv_event event = kv_change_event(kv, change, true);
        kv->observer.change(kv->observer.context, &event, change->sub);
    }
}

enum base_status kv_apply(struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                          struct kv_result *result)
{
    assert(!kv->restore);
    enum base_status status = kv_check(op, UINT32_MAX);
    if (status != BASE_OK) {
        return status;
    }
    struct choice choice;
    status = plan(kv, op, arena, &choice);
    if (status != BASE_OK) {
        return status;
    }
    struct run run = run_begin(kv, arena);
    perform(&run, op, &choice, result);
    run_end(&run);
    return BASE_OK;
}

/* What perform does, for an operation that only reads. */
static void perform_read(const struct kv *kv, const struct kv_op *op, const struct choice *choice,
                         struct base_arena *arena, struct kv_result *result)
{
    if (op->kind == KV_RANGE) {
        kv_range(kv, op, arena, result);
        return;
    }
    assert(op->kind == KV_TXN);
    *result = (struct kv_result){.kind = KV_TXN, .succeeded = choice->succeeded};
    uint32_t count;
    const struct kv_op *ops = branch_of(op->txn, choice->succeeded, &count);
    if (count == 0) {
        return;
    }
    struct kv_result *results = base_arena_alloc(arena, count * sizeof *results);
    for (uint32_t i = 0; i < count; i++) {
        perform_read(kv, &ops[i], &choice->nested[i], arena, &results[i]);
    }
    result->results = results;
    result->result_count = count;
}

enum base_status kv_read(const struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                         struct kv_result *result)
{
    enum base_status status = kv_check(op, UINT32_MAX);
    if (status != BASE_OK) {
        return status;
    }
    if (!kv_is_read_only(op)) {
        return BASE_INVALID;
    }
    struct choice choice;
    status = plan(kv, op, arena, &choice);
    if (status == BASE_OK) {
        perform_read(kv, op, &choice, arena, result);
    }
    return status;
}

uint32_t kv_delete_keys(struct kv *kv, const struct base_bytes *keys, uint32_t key_count)
{
    assert(!kv->restore);
    struct run run = run_begin(kv, NULL);
    for (uint32_t i = 0; i < key_count; i++) {
        struct kv_key *key = base_map_get(&kv->keys, keys[i]);
        if (key && kv_key_at(key, KV_NEWEST)) {
            delete_key(&run, key);
        }
    }
    run_end(&run);
    return run.sub;
}

void kv_skip_revisions(struct kv *kv, uint64_t count)
{
    assert(!kv->restore && count <= (uint64_t)(INT64_MAX - kv->revision));
    kv->revision += (int64_t)count;
}
