/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"
#include "core/kv/store.h"

#include <assert.h>

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_changes(const void *context, const void *left, const void *right)
{
    const struct kv_op *op = context;
    const struct kv_change *a = left;
    const struct kv_change *b = right;
    int order = 0;
    switch (op->sort_target) {
    case KV_SORT_KEY:
        order = base_bytes_compare(kv_key_bytes(a->key), kv_key_bytes(b->key));
        break;
    case KV_SORT_VERSION:
        order = order_of(a->version, b->version);
        break;
    case KV_SORT_CREATE:
        order = order_of(a->create, b->create);
        break;
    case KV_SORT_MOD:
        order = order_of(a->main, b->main);
        break;
    case KV_SORT_VALUE:
        order = base_bytes_compare(kv_change_value(a), kv_change_value(b));
        break;
    }
    return op->sort_order == KV_SORT_DESCEND ? -order : order;
}

/* Keys come in order anyway; a target other than the key, without an order, means
 * ascending. */
static bool needs_sort(const struct kv_op *op)
{
    return op->sort_target != KV_SORT_KEY || op->sort_order == KV_SORT_DESCEND;
}

/* The first `take` changes of the answer, sorted; `all` is how many are live. */
static const void **sorted_changes(const struct kv *kv, const struct kv_op *op, int64_t at, size_t all,
                                   struct base_arena *arena)
{
    const void **changes = base_arena_alloc(arena, all * sizeof *changes);
    const void **scratch = base_arena_alloc(arena, all * sizeof *scratch);
    struct kv_walk walk = kv_walk_begin(kv, op->key, op->range_end);
    size_t count = 0;
    for (const struct kv_key *key = kv_walk_next(&walk); key; key = kv_walk_next(&walk)) {
        const struct kv_change *change = kv_key_at(key, at);
        if (change) {
            assert(count < all);
            changes[count++] = change;
        }
    }
    base_sort(changes, scratch, count, compare_changes, op);
    return changes;
}

static struct kv_record record_for(const struct kv_op *op, const struct kv_change *change)
{
    struct kv_record record = kv_change_record(change);
    if (op->flags & KV_KEYS_ONLY) {
        record.value = (struct base_bytes){0};
    }
    return record;
}

static size_t count_live(const struct kv *kv, const struct kv_op *op, int64_t at)
{
    size_t count = 0;
    struct kv_walk walk = kv_walk_begin(kv, op->key, op->range_end);
    for (const struct kv_key *key = kv_walk_next(&walk); key; key = kv_walk_next(&walk)) {
        count += kv_key_at(key, at) != NULL;
    }
    return count;
}

static void range_one(const struct kv *kv, const struct kv_op *op, int64_t at, struct base_arena *arena,
                      struct kv_result *result)
{
    const struct kv_key *key = base_map_get(&kv->keys, op->key);
    const struct kv_change *change = key ? kv_key_at(key, at) : NULL;
    if (!change) {
        return;
    }
    result->count = 1;
    if (!(op->flags & KV_COUNT_ONLY)) {
        struct kv_record *record = base_arena_alloc(arena, sizeof *record);
        *record = record_for(op, change);
        result->records = record;
        result->record_count = 1;
    }
}

void kv_range(const struct kv *kv, const struct kv_op *op, struct base_arena *arena, struct kv_result *result)
{
    *result = (struct kv_result){.kind = KV_RANGE};
    int64_t at = op->revision > 0 ? op->revision : KV_NEWEST;
    if (op->range_end.size == 0) {
        range_one(kv, op, at, arena, result);
        return;
    }
    size_t all = count_live(kv, op, at);
    result->count = (int64_t)all;
    if ((op->flags & KV_COUNT_ONLY) || all == 0) {
        return;
    }
    size_t take = op->limit > 0 && (uint64_t)op->limit < all ? (size_t)op->limit : all;
    assert(take <= UINT32_MAX);
    struct kv_record *records = base_arena_alloc(arena, take * sizeof *records);
    if (needs_sort(op)) {
        const void **changes = sorted_changes(kv, op, at, all, arena);
        for (size_t i = 0; i < take; i++) {
            records[i] = record_for(op, changes[i]);
        }
    } else {
        struct kv_walk walk = kv_walk_begin(kv, op->key, op->range_end);
        for (size_t i = 0; i < take;) {
            const struct kv_change *change = kv_key_at(kv_walk_next(&walk), at);
            if (change) {
                records[i++] = record_for(op, change);
            }
        }
    }
    result->records = records;
    result->record_count = (uint32_t)take;
    result->more = take < all;
}

static bool relation_holds(enum kv_relation relation, int order)
{
    switch (relation) {
    case KV_EQUAL:
        return order == 0;
    case KV_NOT_EQUAL:
        return order != 0;
    case KV_LESS:
        return order < 0;
    case KV_GREATER:
        return order > 0;
    }
    return false;
}

/* A missing key (`change` NULL) has no value to hold anything against, and zero
 * for everything else. */
static bool compare_holds_for(const struct kv_compare *compare, const struct kv_change *change)
{
    int64_t number = 0;
    switch (compare->target) {
    case KV_COMPARE_VALUE:
        if (!change) {
            return false;
        }
        return relation_holds(compare->relation, base_bytes_compare(kv_change_value(change), compare->value));
    case KV_COMPARE_VERSION:
        number = change ? change->version : 0;
        break;
    case KV_COMPARE_CREATE:
        number = change ? change->create : 0;
        break;
    case KV_COMPARE_MOD:
        number = change ? change->main : 0;
        break;
    case KV_COMPARE_LEASE:
        number = change ? change->lease : 0;
        break;
    }
    return relation_holds(compare->relation, order_of(number, compare->number));
}

static bool compare_holds(const struct kv *kv, const struct kv_compare *compare)
{
    bool is_empty = true;
    struct kv_walk walk = kv_walk_begin(kv, compare->key, compare->range_end);
    for (const struct kv_key *key = kv_walk_next(&walk); key; key = kv_walk_next(&walk)) {
        const struct kv_change *change = kv_key_at(key, KV_NEWEST);
        if (change) {
            is_empty = false;
            if (!compare_holds_for(compare, change)) {
                return false;
            }
        }
    }
    return !is_empty || compare_holds_for(compare, NULL);
}

bool kv_compares_hold(const struct kv *kv, const struct kv_txn *txn)
{
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        if (!compare_holds(kv, &txn->compares[i])) {
            return false;
        }
    }
    return true;
}
