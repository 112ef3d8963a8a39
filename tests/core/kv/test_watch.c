/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/watch.h"
#include "tests/core/kv/kv_support.h"

#include <criterion/criterion.h>

struct watched {
    struct store store;
    struct kv_watchers *watchers;
    struct kv_watch_batch batch;
};

static void watched_init(struct watched *watched)
{
    store_init(&watched->store);
    watched->watchers = kv_watchers_new(&watched->store.allocator, watched->store.kv);
}

static size_t watched_release(struct watched *watched)
{
    kv_watchers_free(watched->watchers);
    return store_release(&watched->store);
}

static void do_ok(struct watched *watched, struct kv_op op)
{
    cr_assert_eq(store_do(&watched->store, op), BASE_OK);
}

static bool poll(struct watched *watched)
{
    return kv_watch_poll(watched->watchers, NULL, 100, &watched->store.arena, &watched->batch);
}

static void watch(struct watched *watched, uint64_t id, const char *key, const char *range_end,
                  int64_t revision, uint32_t flags)
{
    cr_assert_eq(kv_watch_add(watched->watchers, id, base_bytes_of(key), base_bytes_of(range_end), revision,
                              flags),
                 BASE_OK);
}

Test(kv_watch, zero_means_what_comes_next)
{
    struct watched watched;
    watched_init(&watched);
    do_ok(&watched, op_put("a", "1"));
    watch(&watched, 1, "a", "", 0, 0);
    cr_assert_not(poll(&watched));
    do_ok(&watched, op_put("a", "2"));
    cr_assert(kv_watchers_pending(watched.watchers));
    cr_assert(poll(&watched));
    cr_assert(watched.batch.watch == 1 && watched.batch.event_count == 1 && watched.batch.revision == 3);
    cr_assert_eq(watched.batch.events[0].record.mod_revision, 3);
    cr_assert_not(poll(&watched));
    cr_assert_not(kv_watchers_pending(watched.watchers));
    cr_assert_eq(watched_release(&watched), 0);
}

Test(kv_watch, history_comes_in_whole_revisions)
{
    struct watched watched;
    watched_init(&watched);
    do_ok(&watched, op_put("a", "1"));
    const struct kv_op puts[] = {op_put("a", "2"), op_put("b", "2"), op_put("c", "2")};
    const struct kv_txn txn = {.success_count = 3, .success = puts};
    do_ok(&watched, op_txn(&txn));
    watch(&watched, 1, "a", "z", 1, 0);
    cr_assert(kv_watch_poll(watched.watchers, NULL, 2, &watched.store.arena, &watched.batch));
    cr_assert_eq(watched.batch.event_count, 1);
    cr_assert(kv_watch_poll(watched.watchers, NULL, 2, &watched.store.arena, &watched.batch));
    cr_assert_eq(watched.batch.event_count, 3);
    cr_assert_not(poll(&watched));
    cr_assert_eq(watched_release(&watched), 0);
}

Test(kv_watch, filters_and_previous)
{
    struct watched watched;
    watched_init(&watched);
    do_ok(&watched, op_put("a", "1"));
    do_ok(&watched, op_delete("a", ""));
    watch(&watched, 1, "a", "", 1, KV_WATCH_NO_DELETE);
    watch(&watched, 2, "a", "", 1, KV_WATCH_NO_PUT | KV_WATCH_PREV_KV);
    cr_assert(poll(&watched));
    cr_assert(watched.batch.watch == 1 && watched.batch.event_count == 1 &&
              !watched.batch.events[0].is_delete);
    cr_assert(poll(&watched));
    cr_assert(watched.batch.watch == 2 && watched.batch.event_count == 1 &&
              watched.batch.events[0].is_delete);
    cr_assert(watched.batch.events[0].has_previous);
    cr_assert(base_bytes_equal(watched.batch.events[0].previous.value, base_bytes_of("1")));
    cr_assert_eq(watched_release(&watched), 0);
}

Test(kv_watch, watchers_take_turns)
{
    struct watched watched;
    watched_init(&watched);
    watch(&watched, 7, "a", "", 0, 0);
    watch(&watched, 3, "a", "", 0, 0);
    do_ok(&watched, op_put("a", "1"));
    do_ok(&watched, op_put("a", "2"));
    const uint64_t order[] = {3, 7, 3, 7};
    for (int i = 0; i < 4; i++) {
        cr_assert(kv_watch_poll(watched.watchers, NULL, 1, &watched.store.arena, &watched.batch));
        cr_assert_eq(watched.batch.watch, order[i]);
    }
    cr_assert_not(poll(&watched));
    cr_assert_eq(watched_release(&watched), 0);
}

/* Ready for all watches but this one. */
static bool takes_other(void *context, uint64_t id)
{
    const uint64_t *refused = context;
    return id != *refused;
}

/* Who cannot take its batch holds up nobody, and gets all of it later, in order. */
Test(kv_watch, one_behind_catches_up_from_history)
{
    struct watched watched;
    watched_init(&watched);
    uint64_t refused = 1;
    const struct kv_watch_taker taker = {.context = &refused, .is_ready = takes_other};
    watch(&watched, 1, "a", "", 0, 0);
    watch(&watched, 2, "a", "", 0, 0);
    do_ok(&watched, op_put("a", "1"));
    cr_assert(kv_watch_poll(watched.watchers, &taker, 100, &watched.store.arena, &watched.batch));
    cr_assert_eq(watched.batch.watch, 2);
    cr_assert_not(kv_watch_poll(watched.watchers, &taker, 100, &watched.store.arena, &watched.batch));
    do_ok(&watched, op_put("a", "2"));
    uint64_t behind = 0;
    cr_assert(kv_watch_behind(watched.watchers, &behind) && behind == 1);
    cr_assert_not(kv_watch_is_synced(watched.watchers, 1));
    for (int64_t revision = 2; revision <= 3; revision++) {
        cr_assert(kv_watch_catch_up(watched.watchers, 1, 1, &watched.store.arena, &watched.batch));
        cr_assert_eq(watched.batch.events[0].record.mod_revision, revision);
    }
    behind = 0;
    cr_assert_not(kv_watch_behind(watched.watchers, &behind));
    cr_assert(kv_watch_is_synced(watched.watchers, 1));
    cr_assert_eq(watched_release(&watched), 0);
}

Test(kv_watch, one_behind_is_told_of_a_compaction)
{
    struct watched watched;
    watched_init(&watched);
    uint64_t refused = 1;
    const struct kv_watch_taker taker = {.context = &refused, .is_ready = takes_other};
    watch(&watched, 1, "a", "", 0, 0);
    do_ok(&watched, op_put("a", "1"));
    cr_assert_not(kv_watch_poll(watched.watchers, &taker, 100, &watched.store.arena, &watched.batch));
    do_ok(&watched, op_put("a", "2"));
    do_ok(&watched, op_put("a", "3"));
    cr_assert_eq(kv_compact(watched.store.kv, 4), BASE_OK);
    cr_assert_not(kv_watch_poll(watched.watchers, NULL, 100, &watched.store.arena, &watched.batch));
    cr_assert(kv_watch_catch_up(watched.watchers, 1, 100, &watched.store.arena, &watched.batch));
    cr_assert(watched.batch.compact_revision == 4 && watched.batch.event_count == 0);
    cr_assert_not(kv_watch_cancel(watched.watchers, 1));
    cr_assert_eq(watched_release(&watched), 0);
}

/* A watch that fell behind a compaction is told, and does not skip in silence. */
Test(kv_watch, overtaken_by_compaction_is_over)
{
    struct watched watched;
    watched_init(&watched);
    watch(&watched, 1, "a", "", 0, 0);
    do_ok(&watched, op_put("a", "1"));
    do_ok(&watched, op_put("a", "2"));
    do_ok(&watched, op_put("a", "3"));
    cr_assert_eq(kv_compact(watched.store.kv, 4), BASE_OK);
    cr_assert(poll(&watched));
    cr_assert_eq(watched.batch.compact_revision, 4);
    cr_assert_not(kv_watch_cancel(watched.watchers, 1));
    cr_assert_eq(watched_release(&watched), 0);
}

/* The tombstone at the compacted revision is seen although the put before it is
 * gone, also after a restore. */
Test(kv_watch, begins_at_the_compacted_revision)
{
    struct watched watched;
    watched_init(&watched);
    do_ok(&watched, op_put("a", "1"));
    do_ok(&watched, op_delete("a", ""));
    cr_assert_eq(kv_compact(watched.store.kv, 3), BASE_OK);
    while (kv_compact_step(watched.store.kv, 1)) {
    }
    watch(&watched, 1, "a", "", 3, KV_WATCH_PREV_KV);
    cr_assert(poll(&watched));
    cr_assert(watched.batch.event_count == 1 && watched.batch.events[0].is_delete);
    cr_assert_not(watched.batch.events[0].has_previous);
    cr_assert_eq(watched_release(&watched), 0);
}

Test(kv_watch, waits_for_a_future_revision)
{
    struct watched watched;
    watched_init(&watched);
    watch(&watched, 1, "a", "", 4, 0);
    do_ok(&watched, op_put("a", "1"));
    cr_assert_not(poll(&watched));
    cr_assert_not(kv_watch_progress(watched.watchers, 1, &watched.batch));
    do_ok(&watched, op_put("a", "2"));
    cr_assert_not(poll(&watched));
    cr_assert(kv_watch_progress(watched.watchers, 1, &watched.batch));
    do_ok(&watched, op_put("a", "3"));
    cr_assert(poll(&watched));
    cr_assert(watched.batch.event_count == 1 && watched.batch.events[0].record.mod_revision == 4);
    cr_assert_eq(watched_release(&watched), 0);
}

/* A member that installed a snapshot has another store; no watcher may see an old
 * revision again. */
Test(kv_watch, keeps_its_place_in_a_restored_store)
{
    struct watched watched;
    watched_init(&watched);
    watch(&watched, 1, "a", "", 0, 0);
    watch(&watched, 2, "b", "", 9, 0);
    do_ok(&watched, op_put("a", "1"));
    cr_assert(poll(&watched));
    struct store restored;
    store_init(&restored);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(store_do(&restored, op_put("a", "1")), BASE_OK);
        cr_assert_eq(store_do(&restored, op_put("b", "1")), BASE_OK);
    }
    kv_watchers_move(watched.watchers, restored.kv);
    cr_assert(poll(&watched));
    cr_assert(watched.batch.watch == 1 && watched.batch.event_count == 2);
    cr_assert_eq(watched.batch.events[0].record.mod_revision, 4);
    cr_assert_not(poll(&watched));
    cr_assert_eq(watched_release(&watched), 0);
    cr_assert_eq(store_release(&restored), 0);
}

Test(kv_watch, senseless_ones_are_refused)
{
    struct watched watched;
    watched_init(&watched);
    const struct base_bytes none = {0};
    cr_assert_eq(kv_watch_add(watched.watchers, 1, base_bytes_of("a"), none, -1, 0), BASE_INVALID);
    cr_assert_eq(kv_watch_add(watched.watchers, 1, none, none, 0, 0), BASE_EMPTY_KEY);
    cr_assert_eq(kv_watch_add(watched.watchers, 1, base_bytes_of("b"), base_bytes_of("b"), 0, 0),
                 BASE_EMPTY_RANGE);
    cr_assert_not(kv_watch_cancel(watched.watchers, 1));
    cr_assert_not(kv_watch_is_synced(watched.watchers, 1));
    cr_assert_eq(watched_release(&watched), 0);
}
