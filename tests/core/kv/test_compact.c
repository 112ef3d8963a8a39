/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/kv/kv_support.h"

#include <criterion/criterion.h>

static void do_ok(struct store *store, struct kv_op op)
{
    cr_assert_eq(store_do(store, op), BASE_OK);
}

static void compact_wholly(struct store *store, int64_t revision)
{
    cr_assert_eq(kv_compact(store->kv, revision), BASE_OK);
    while (kv_compact_step(store->kv, 1)) {
    }
}

/* The number of changes of [from, newest]. */
static uint32_t history_count(struct store *store, int64_t from)
{
    const struct kv_event *events;
    uint32_t count;
    int64_t next;
    cr_assert_eq(kv_history(store->kv, from, INT64_MAX, 100, true, &store->arena, &events, &count, &next),
                 BASE_OK);
    cr_assert_eq(next, kv_revision(store->kv) + 1);
    return count;
}

Test(kv_compact, refuses_backwards_and_future)
{
    struct store store;
    store_init(&store);
    cr_assert_eq(kv_compact(store.kv, 0), BASE_COMPACTED);
    cr_assert_eq(kv_compact(store.kv, 2), BASE_FUTURE_REVISION);
    cr_assert_eq(kv_compact(store.kv, 1), BASE_OK);
    cr_assert_eq(kv_compact(store.kv, 1), BASE_COMPACTED);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_compact, keeps_newest_version_of_a_live_key)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("a", "2"));
    do_ok(&store, op_put("b", "1"));
    compact_wholly(&store, 4);
    struct kv_op op = op_get("a");
    op.revision = 4;
    do_ok(&store, op);
    cr_assert_eq(store.result.records[0].mod_revision, 3);
    cr_assert_eq(kv_compacted(store.kv), 4);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_compact, keeps_tombstone_at_its_revision)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_delete("a", ""));
    do_ok(&store, op_put("b", "1"));
    compact_wholly(&store, 3);
    cr_assert_eq(history_count(&store, 3), 2);
    compact_wholly(&store, 4);
    cr_assert_eq(history_count(&store, 4), 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_compact, forgets_a_deleted_key)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("b", "1"));
    size_t size = kv_size_bytes(store.kv);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_delete("a", ""));
    do_ok(&store, op_put("b", "2"));
    compact_wholly(&store, 5);
    cr_assert_eq(kv_size_bytes(store.kv), size);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_compact, hash_does_not_see_how_far_it_is)
{
    struct store store;
    store_init(&store);
    for (int i = 0; i < 20; i++) {
        do_ok(&store, op_put(i % 2 == 0 ? "a" : "b", "1"));
        do_ok(&store, op_delete(i % 3 == 0 ? "a" : "b", ""));
    }
    uint64_t before;
    uint64_t after;
    cr_assert_eq(kv_hash(store.kv, 0, &before), BASE_OK);
    cr_assert_eq(kv_compact(store.kv, 20), BASE_OK);
    cr_assert_eq(kv_hash(store.kv, 0, &after), BASE_OK);
    cr_assert_neq(before, after);
    before = after;
    while (kv_compact_step(store.kv, 1)) {
        cr_assert_eq(kv_hash(store.kv, 0, &after), BASE_OK);
        cr_assert_eq(before, after);
    }
    cr_assert_eq(store_release(&store), 0);
}

/* Content of two stores whose only record is a tombstone at the revision. */
Test(kv_compact, hash_tells_kept_tombstones_apart)
{
    uint64_t hashes[2];
    const char *const keys[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        struct store store;
        store_init(&store);
        do_ok(&store, op_put(keys[i], "1"));
        do_ok(&store, op_delete(keys[i], ""));
        compact_wholly(&store, 3);
        cr_assert_eq(kv_hash(store.kv, 0, &hashes[i]), BASE_OK);
        cr_assert_eq(store_release(&store), 0);
    }
    cr_assert_neq(hashes[0], hashes[1]);
}

Test(kv_compact, hash_below_is_refused)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("a", "2"));
    cr_assert_eq(kv_compact(store.kv, 3), BASE_OK);
    uint64_t hash = 7;
    cr_assert_eq(kv_hash(store.kv, 2, &hash), BASE_COMPACTED);
    cr_assert_eq(kv_hash(store.kv, 4, &hash), BASE_FUTURE_REVISION);
    cr_assert_eq(hash, 7);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_compact, a_second_one_overtakes_the_first)
{
    struct store store;
    store_init(&store);
    for (int i = 0; i < 50; i++) {
        do_ok(&store, op_put("a", "1"));
    }
    cr_assert_eq(kv_compact(store.kv, 20), BASE_OK);
    cr_assert(kv_compact_step(store.kv, 5));
    compact_wholly(&store, 40);
    cr_assert_not(kv_is_compacting(store.kv));
    cr_assert_eq(history_count(&store, 40), 12);
    cr_assert_eq(store_release(&store), 0);
}

/* A hot key's changes are dropped from the front one by one: this must not be
 * quadratic. */
Test(kv_compact, many_versions_of_one_key_go_quickly, .timeout = 5)
{
    struct store store;
    store_init(&store);
    for (int i = 0; i < 200000; i++) {
        do_ok(&store, op_put("a", "1"));
    }
    cr_assert_eq(kv_compact(store.kv, kv_revision(store.kv)), BASE_OK);
    cr_assert(kv_compact_step(store.kv, 100000));
    cr_assert_not(kv_compact_step(store.kv, 200000));
    cr_assert_lt(store.bytes, 16384);
    cr_assert_eq(store_release(&store), 0);
}
