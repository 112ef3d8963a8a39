/* The store against a slow obvious twin: kv_random SEEDS STEPS. The twin is the
 * list of all changes ever made; every answer is found by looking at all of it. A
 * second store gets the same operations, compacts at other times, and is replaced
 * now and then by one restored from a snapshot of the first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/watch.h"
#include "tests/core/kv/kv_model.h"
#include "tests/core/kv/kv_support.h"

#include <assert.h>
#include <stdio.h>

enum { LEASES = 4, WATCHES = 6, PENDING_MAX = 64 };

/* A store with what hangs on it. */
struct side {
    struct kv *kv;
    struct model_leases leases;
    const struct model *model;
    int64_t told_main; /* The observer's last change. */
    int64_t told_sub;
    uint64_t told_count;
};

struct world {
    struct model model;
    struct side sides[2];
    struct model_random random;
    struct base_allocator allocator;
    size_t bytes;
    struct base_arena plan;   /* Operations, until they were replayed. */
    struct base_arena answer; /* Of one call. */
    struct kv_watchers *watchers;
    struct {
        bool is_on;
        uint32_t key;
        uint32_t end; /* A key's number, MODEL_KEYS: one key, above: open. */
        uint32_t flags;
        bool is_behind; /* A batch of it was not taken. */
        int64_t next;
    } watches[WATCHES];
    struct kv_snapshot *snapshot; /* Of side 0; side 1 waits for it meanwhile. */
    struct base_buffer stream;
    struct model_leases snapshot_leases;
    struct {
        const struct kv_op *op; /* NULL: a compaction. */
        int64_t compact;
    } pending[PENDING_MAX];
    uint32_t pending_count;
};

static uint64_t below(struct world *world, uint64_t bound)
{
    return model_random_below(&world->random, bound);
}

static bool lease_exists_here(void *context, int64_t lease)
{
    const struct side *side = context;
    return side->leases.exists[lease];
}

static void lease_attach_here(void *context, int64_t lease, struct base_bytes key)
{
    struct side *side = context;
    int64_t *at = &side->leases.of_key[model_key_number(key)];
    assert(*at == 0 && side->leases.exists[lease]);
    *at = lease;
}

static void lease_detach_here(void *context, int64_t lease, struct base_bytes key)
{
    struct side *side = context;
    int64_t *at = &side->leases.of_key[model_key_number(key)];
    assert(*at == lease);
    *at = 0;
}

static void told(void *context, const struct kv_event *event, int64_t sub)
{
    struct side *side = context;
    int64_t main = event->record.mod_revision;
    assert(main > side->told_main || (main == side->told_main && sub == side->told_sub + 1));
    assert(main == side->told_main || sub == 0);
    side->told_main = main;
    side->told_sub = sub;
    side->told_count++;
    model_expect_event(side->model, event, sub, true);
}

static void side_new(struct world *world, struct side *side)
{
    const struct kv_lease_hooks hooks = {.context = side,
                                         .exists = lease_exists_here,
                                         .attach = lease_attach_here,
                                         .detach = lease_detach_here};
    const struct kv_observer observer = {.context = side, .change = told};
    side->model = &world->model;
    side->kv = kv_new(&world->allocator, &hooks, &observer);
}

static struct base_bytes random_key(struct world *world)
{
    return model_key((uint32_t)below(world, MODEL_KEYS));
}

static struct base_bytes random_end(struct world *world)
{
    uint64_t draw = below(world, 8);
    if (draw < 3) {
        return (struct base_bytes){0};
    }
    return draw == 3 ? open_end() : random_key(world);
}

static struct base_bytes random_value(struct world *world)
{
    size_t size = (size_t)below(world, 4);
    uint8_t *data = base_arena_alloc(&world->plan, 4);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)('a' + below(world, 2));
    }
    return (struct base_bytes){.data = data, .size = size};
}

static struct kv_op random_range(struct world *world)
{
    struct kv_op op = {.kind = KV_RANGE, .key = random_key(world), .range_end = random_end(world)};
    if (below(world, 3) == 0) {
        op.revision = (int64_t)below(world, (uint64_t)world->model.revision + 2);
    }
    if (below(world, 3) == 0) {
        op.limit = (int64_t)below(world, 5);
    }
    if (below(world, 3) == 0) {
        op.sort_target = (enum kv_sort_target)below(world, 5);
        op.sort_order = (enum kv_sort_order)below(world, 3);
    }
    if (below(world, 4) == 0) {
        op.flags = below(world, 2) == 0 ? KV_KEYS_ONLY : KV_COUNT_ONLY;
    }
    return op;
}

static struct kv_op random_put(struct world *world)
{
    struct kv_op op = {.kind = KV_PUT, .key = random_key(world)};
    uint64_t draw = below(world, 8);
    if (draw == 0) {
        op.flags |= KV_IGNORE_VALUE;
    } else {
        op.value = random_value(world);
    }
    draw = below(world, 8);
    if (draw == 0) {
        op.flags |= KV_IGNORE_LEASE;
    } else if (draw < 4) {
        op.lease = (int64_t)below(world, LEASES + 1);
    }
    op.flags |= below(world, 2) == 0 ? KV_PREV_KV : 0;
    if (below(world, 64) == 0) {
        op.key.size = 0;
    }
    if (below(world, 64) == 0) {
        op.flags |= KV_IGNORE_VALUE | KV_IGNORE_LEASE;
    }
    return op;
}

static struct kv_compare random_compare(struct world *world)
{
    struct kv_compare compare = {.key = random_key(world)};
    compare.range_end = below(world, 3) == 0 ? random_end(world) : (struct base_bytes){0};
    compare.target = (enum kv_compare_target)below(world, 5);
    compare.relation = (enum kv_relation)below(world, 4);
    compare.number = compare.target == KV_COMPARE_MOD || compare.target == KV_COMPARE_CREATE
                         ? (int64_t)below(world, (uint64_t)world->model.revision + 2)
                         : (int64_t)below(world, 4);
    compare.value = random_value(world);
    return compare;
}

static struct kv_op random_op(struct world *world, uint32_t depth);

static const struct kv_op *random_branch(struct world *world, uint32_t depth, uint32_t *count)
{
    *count = (uint32_t)below(world, 4);
    struct kv_op *ops = base_arena_alloc(&world->plan, 4 * sizeof *ops);
    for (uint32_t i = 0; i < *count; i++) {
        ops[i] = random_op(world, depth + 1);
    }
    return ops;
}

static struct kv_op random_txn(struct world *world, uint32_t depth)
{
    struct kv_txn *txn = base_arena_alloc(&world->plan, sizeof *txn);
    *txn = (struct kv_txn){.compare_count = (uint32_t)below(world, 3)};
    struct kv_compare *compares = base_arena_alloc(&world->plan, 3 * sizeof *compares);
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        compares[i] = random_compare(world);
    }
    txn->compares = compares;
    txn->success = random_branch(world, depth, &txn->success_count);
    txn->failure = random_branch(world, depth, &txn->failure_count);
    return op_txn(txn);
}

static struct kv_op random_op(struct world *world, uint32_t depth)
{
    uint64_t draw = below(world, 16);
    if (draw < 3) {
        return random_range(world);
    }
    if (draw < 6) {
        return (struct kv_op){.kind = KV_DELETE_RANGE,
                              .key = random_key(world),
                              .range_end = random_end(world),
                              .flags = below(world, 2) == 0 ? KV_PREV_KV : 0};
    }
    if (draw < 10 && depth < 3) {
        return random_txn(world, depth);
    }
    return random_put(world);
}

/* Is everything that hangs on the store as the twin says? */
static void expect_level(struct world *world, struct side *side)
{
    const struct model *model = &world->model;
    assert(kv_revision(side->kv) == model->revision);
    assert(kv_compacted(side->kv) == model->compacted);
    uint64_t live = 0;
    for (uint32_t key = 0; key < MODEL_KEYS; key++) {
        const struct model_change *change = model_at(model, key, INT64_MAX);
        live += change != NULL;
        assert(side->leases.of_key[key] == (change ? change->lease : 0));
    }
    assert(kv_key_count(side->kv) == live);
}

static void side_apply(struct world *world, struct side *side, const struct kv_op *op,
                       const struct model_answer *expected)
{
    struct kv_result result;
    memset(&result, 0x5a, sizeof result);
    base_arena_reset(&world->answer);
    enum base_status status = kv_apply(side->kv, op, &world->answer, &result);
    if (!expected) {
        return;
    }
    assert(status == expected->status);
    if (status == BASE_OK) {
        model_expect_result(expected, &result);
    }
    expect_level(world, side);
}

static void step_apply(struct world *world)
{
    struct kv_op *op = base_arena_alloc(&world->plan, sizeof *op);
    *op = random_op(world, 0);
    bool is_read_only = kv_is_read_only(op);
    int64_t revision = world->model.revision;
    struct model_answer *expected = model_apply(&world->model, op, world->sides[0].leases.exists);
    assert(!is_read_only || world->model.revision == revision);
    if (is_read_only) {
        struct kv_result result;
        base_arena_reset(&world->answer);
        enum base_status status = kv_read(world->sides[0].kv, op, &world->answer, &result);
        assert(status == expected->status);
        if (status == BASE_OK) {
            model_expect_result(expected, &result);
        }
    }
    side_apply(world, &world->sides[0], op, expected);
    if (world->snapshot) {
        world->pending[world->pending_count++].op = op;
    } else {
        side_apply(world, &world->sides[1], op, expected);
        base_arena_reset(&world->plan);
    }
    model_answer_free(expected);
}

static void side_revoke(struct side *side, int64_t lease, uint32_t expected)
{
    struct base_bytes keys[MODEL_KEYS];
    uint32_t count = 0;
    for (uint32_t key = 0; key < MODEL_KEYS; key++) {
        if (side->leases.of_key[key] == lease) {
            keys[count++] = model_key(key);
            side->leases.of_key[key] = 0;
        }
    }
    side->leases.exists[lease] = false;
    uint32_t deleted = kv_delete_keys(side->kv, keys, count);
    assert(deleted == expected);
}

/* Leases come and go only while both sides are level. */
static void step_lease(struct world *world)
{
    if (world->snapshot) {
        return;
    }
    int64_t lease = 1 + (int64_t)below(world, LEASES);
    if (!world->sides[0].leases.exists[lease]) {
        world->sides[0].leases.exists[lease] = true;
        world->sides[1].leases.exists[lease] = true;
        return;
    }
    uint32_t deleted = model_revoke(&world->model, lease);
    for (int i = 0; i < 2; i++) {
        side_revoke(&world->sides[i], lease, deleted);
        expect_level(world, &world->sides[i]);
    }
}

static void step_compact(struct world *world)
{
    int64_t revision = (int64_t)below(world, (uint64_t)world->model.revision + 3);
    enum base_status expected = model_compact(&world->model, revision);
    for (int i = 0; i < (world->snapshot ? 1 : 2); i++) {
        enum base_status status = kv_compact(world->sides[i].kv, revision);
        assert(status == expected);
    }
    if (world->snapshot && expected == BASE_OK) {
        world->pending[world->pending_count].op = NULL;
        world->pending[world->pending_count++].compact = revision;
    }
}

static void step_compact_some(struct world *world)
{
    struct kv *kv = world->sides[below(world, 2)].kv;
    uint32_t keys = (uint32_t)below(world, 6);
    bool is_waiting = world->snapshot && kv == world->sides[0].kv;
    size_t size = kv_size_bytes(kv);
    bool more = kv_compact_step(kv, keys);
    assert(more == kv_is_compacting(kv));
    assert(!is_waiting || size == kv_size_bytes(kv));
}

static void step_hash(struct world *world)
{
    int64_t revision = (int64_t)below(world, (uint64_t)world->model.revision + 2);
    enum base_status expected = model_read_status(&world->model, revision);
    if (revision == 0) {
        expected = BASE_OK;
    }
    uint64_t hashes[2] = {0, 0};
    for (int i = 0; i < (world->snapshot ? 1 : 2); i++) {
        enum base_status status = kv_hash(world->sides[i].kv, revision, &hashes[i]);
        assert(status == expected);
    }
    assert(world->snapshot || hashes[0] == hashes[1]);
}

static void step_history(struct world *world)
{
    const struct kv *kv = world->sides[0].kv;
    int64_t from = (int64_t)below(world, (uint64_t)world->model.revision + 2);
    int64_t to = from + (int64_t)below(world, 20) - 2;
    uint32_t max = (uint32_t)below(world, 8);
    const struct kv_event *events = NULL;
    uint32_t count = 0;
    int64_t next = 0;
    base_arena_reset(&world->answer);
    enum base_status status = kv_history(kv, from, to, max, true, &world->answer, &events, &count, &next);
    if (from < world->model.compacted) {
        assert(status == BASE_COMPACTED);
        return;
    }
    assert(status == BASE_OK && next >= from);
    const struct model_filter everything = {.end = MODEL_END_OPEN};
    model_expect_events(&world->model, &everything, from, next - 1, events, count, true);
    int64_t last = to < world->model.revision ? to : world->model.revision;
    assert(next > last || count > 0);
    assert(next <= last + 1 || next == from);
    assert(count <= max || model_changes_at(&world->model, events[count - 1].record.mod_revision) == count);
}

static void step_watch(struct world *world)
{
    uint64_t watch = below(world, WATCHES);
    if (world->watches[watch].is_on) {
        if (below(world, 4) == 0) {
            bool was_there = kv_watch_cancel(world->watchers, watch);
            assert(was_there);
            world->watches[watch].is_on = false;
        }
        return;
    }
    uint32_t end = (uint32_t)below(world, MODEL_KEYS + 2);
    int64_t revision = below(world, 2) == 0 ? 0 : (int64_t)below(world, (uint64_t)world->model.revision + 4);
    uint32_t key = (uint32_t)below(world, MODEL_KEYS);
    world->watches[watch].key = key;
    world->watches[watch].end = below(world, 3) == 0 ? MODEL_END_NONE : end;
    world->watches[watch].flags = (uint32_t)below(world, 8);
    world->watches[watch].is_behind = false;
    world->watches[watch].next = revision == 0 ? world->model.revision + 1 : revision;
    enum base_status status =
        kv_watch_add(world->watchers, watch, model_key(key), model_range_end(world->watches[watch].end),
                     revision, world->watches[watch].flags);
    bool is_empty = world->watches[watch].end < MODEL_KEYS && world->watches[watch].end <= key;
    assert(status == (is_empty ? BASE_EMPTY_RANGE : BASE_OK));
    world->watches[watch].is_on = !is_empty;
}

/* Hold a batch against the twin, and move the watch on. */
static void expect_batch(struct world *world, const struct kv_watch_batch *batch)
{
    assert(world->watches[batch->watch].is_on && batch->revision == world->model.revision);
    int64_t from = world->watches[batch->watch].next;
    if (batch->compact_revision != 0) {
        assert(batch->compact_revision == world->model.compacted && from < world->model.compacted);
        world->watches[batch->watch].is_on = false;
        return;
    }
    assert(batch->event_count > 0); /* `from` may be compacted: the watch has silently passed it. */
    const struct model_filter filter = {.key = world->watches[batch->watch].key,
                                        .end = world->watches[batch->watch].end,
                                        .no_put = (world->watches[batch->watch].flags & KV_WATCH_NO_PUT) != 0,
                                        .no_delete =
                                            (world->watches[batch->watch].flags & KV_WATCH_NO_DELETE) != 0};
    int64_t last = batch->events[batch->event_count - 1].record.mod_revision;
    model_expect_events(&world->model, &filter, from, last, batch->events, batch->event_count,
                        (world->watches[batch->watch].flags & KV_WATCH_PREV_KV) != 0);
    world->watches[batch->watch].next = last + 1;
}

/* A receiver that cannot take it now and then. */
static bool is_taken(void *context, uint64_t watch)
{
    struct world *world = context;
    assert(world->watches[watch].is_on && !world->watches[watch].is_behind);
    world->watches[watch].is_behind = below(world, 8) == 0;
    return !world->watches[watch].is_behind;
}

/* Everything there was for this watch, it has been told. */
static void expect_told(struct world *world, uint64_t watch)
{
    const struct model_filter filter = {.key = world->watches[watch].key,
                                        .end = world->watches[watch].end,
                                        .no_put = (world->watches[watch].flags & KV_WATCH_NO_PUT) != 0,
                                        .no_delete = (world->watches[watch].flags & KV_WATCH_NO_DELETE) != 0};
    int64_t next = world->watches[watch].next;
    struct kv_watch_batch batch;
    model_expect_events(&world->model, &filter, next, world->model.revision, NULL, 0, false);
    assert(kv_watch_is_synced(world->watchers, watch));
    bool is_level = next <= world->model.revision + 1;
    bool has_progress = kv_watch_progress(world->watchers, watch, &batch);
    assert(has_progress == is_level);
}

/* Those behind, some of them, one batch each. */
static void step_catch_up(struct world *world)
{
    uint64_t seen = 0;
    for (uint64_t watch = 0; kv_watch_behind(world->watchers, &watch); watch++) {
        assert(world->watches[watch].is_on && world->watches[watch].is_behind);
        seen |= UINT64_C(1) << watch;
        if (below(world, 2) == 0) {
            continue;
        }
        struct kv_watch_batch batch;
        base_arena_reset(&world->answer);
        if (kv_watch_catch_up(world->watchers, watch, (uint32_t)below(world, 5), &world->answer, &batch)) {
            assert(batch.watch == watch);
            expect_batch(world, &batch);
        }
        uint64_t again = watch;
        world->watches[watch].is_behind = kv_watch_behind(world->watchers, &again) && again == watch;
        if (world->watches[watch].is_on && !world->watches[watch].is_behind) {
            expect_told(world, watch);
        }
    }
    for (uint64_t watch = 0; watch < WATCHES; watch++) {
        bool is_behind = world->watches[watch].is_on && world->watches[watch].is_behind;
        assert(!is_behind || (seen >> watch & 1) != 0);
    }
}

static void step_poll(struct world *world)
{
    const struct kv_watch_taker taker = {.context = world, .is_ready = is_taken};
    struct kv_watch_batch batch;
    uint64_t polls = 1 + below(world, 12);
    while (polls-- > 0) {
        base_arena_reset(&world->answer);
        if (kv_watch_poll(world->watchers, &taker, (uint32_t)below(world, 5), &world->answer, &batch)) {
            assert(kv_watchers_pending(world->watchers) || batch.compact_revision != 0);
            assert(!world->watches[batch.watch].is_behind);
            expect_batch(world, &batch);
            continue;
        }
        assert(!kv_watchers_pending(world->watchers));
        for (uint64_t watch = 0; watch < WATCHES; watch++) {
            if (world->watches[watch].is_on && !world->watches[watch].is_behind) {
                expect_told(world, watch);
            }
        }
        step_catch_up(world);
        return;
    }
}

static void step_snapshot_begin(struct world *world)
{
    base_arena_reset(&world->plan);
    base_buffer_reset(&world->stream);
    world->snapshot = kv_snapshot_begin(world->sides[0].kv);
    world->snapshot_leases = world->sides[0].leases;
    world->pending_count = 0;
}

/* Side 1 becomes what the stream tells, then does what side 0 has done since. */
static void snapshot_install(struct world *world)
{
    struct side *side = &world->sides[1];
    int64_t revision_before = kv_revision(side->kv);
    int64_t compacted_before = kv_compacted(side->kv);
    uint64_t hash_before = 0;
    uint64_t hash_after = 0;
    bool was_compacting = kv_is_compacting(world->sides[0].kv);
    enum base_status status = kv_hash(side->kv, 0, &hash_before);
    assert(status == BASE_OK);
    kv_free(side->kv);
    side->leases = (struct model_leases){0};
    memcpy(side->leases.exists, world->snapshot_leases.exists, sizeof side->leases.exists);
    side_new(world, side);
    for (size_t at = 0; at < world->stream.size;) {
        size_t size = 1 + (size_t)below(world, 200);
        size = size < world->stream.size - at ? size : world->stream.size - at;
        status = kv_restore(side->kv, (struct base_bytes){.data = world->stream.data + at, .size = size});
        assert(status == BASE_OK);
        at += size;
    }
    status = kv_restore_end(side->kv);
    assert(status == BASE_OK);
    assert(kv_revision(side->kv) == revision_before && kv_compacted(side->kv) == compacted_before);
    status = kv_hash(side->kv, 0, &hash_after);
    assert(status == BASE_OK && hash_before == hash_after);
    assert(memcmp(&side->leases, &world->snapshot_leases, sizeof side->leases) == 0);
    if (world->pending_count == 0 && world->model.compacted == compacted_before) {
        assert(kv_size_bytes(side->kv) == kv_size_bytes(world->sides[0].kv));
        assert(kv_is_compacting(side->kv) == was_compacting);
    }
    for (uint32_t i = 0; i < world->pending_count; i++) {
        if (world->pending[i].op) {
            side_apply(world, side, world->pending[i].op, NULL);
        } else {
            status = kv_compact(side->kv, world->pending[i].compact);
            assert(status == BASE_OK);
        }
    }
    expect_level(world, side);
    base_arena_reset(&world->plan);
}

static void step_snapshot(struct world *world)
{
    if (!world->snapshot) {
        step_snapshot_begin(world);
        return;
    }
    bool more = kv_snapshot_slice(world->snapshot, (size_t)below(world, 300), &world->stream);
    if (!more || world->pending_count == PENDING_MAX) {
        while (more) {
            more = kv_snapshot_slice(world->snapshot, 100, &world->stream);
        }
        kv_snapshot_end(world->snapshot);
        world->snapshot = NULL;
        snapshot_install(world);
    }
}

static void step(struct world *world)
{
    if (world->pending_count == PENDING_MAX && world->snapshot) {
        step_snapshot(world);
        return;
    }
    uint64_t draw = below(world, 100);
    if (draw < 50) {
        step_apply(world);
    } else if (draw < 53) {
        step_lease(world);
    } else if (draw < 57) {
        step_compact(world);
    } else if (draw < 65) {
        step_compact_some(world);
    } else if (draw < 70) {
        step_hash(world);
    } else if (draw < 76) {
        step_history(world);
    } else if (draw < 82) {
        step_watch(world);
    } else if (draw < 90) {
        step_poll(world);
    } else if (world->snapshot || draw < 92) {
        step_snapshot(world);
    }
}

static void run(uint64_t seed, uint64_t steps)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world);
    world->allocator = (struct base_allocator){.resize = support_resize, .context = &world->bytes};
    model_random_init(&world->random, seed);
    model_init(&world->model);
    base_arena_init(&world->plan, &world->allocator);
    base_arena_init(&world->answer, &world->allocator);
    base_buffer_init(&world->stream, &world->allocator);
    side_new(world, &world->sides[0]);
    side_new(world, &world->sides[1]);
    world->watchers = kv_watchers_new(&world->allocator, world->sides[0].kv);
    for (uint64_t i = 0; i < steps; i++) {
        step(world);
    }
    while (world->snapshot) {
        step_snapshot(world);
    }
    for (int i = 0; i < 2; i++) {
        while (kv_compact_step(world->sides[i].kv, 10)) {
        }
    }
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        enum base_status status = kv_hash(world->sides[i].kv, 0, &hashes[i]);
        assert(status == BASE_OK);
        assert(kv_size_bytes(world->sides[i].kv) == kv_size_bytes(world->sides[0].kv));
    }
    assert(hashes[0] == hashes[1]);
    kv_watchers_free(world->watchers);
    kv_free(world->sides[0].kv);
    kv_free(world->sides[1].kv);
    base_arena_release(&world->plan);
    base_arena_release(&world->answer);
    base_buffer_release(&world->stream);
    assert(world->bytes == 0);
    model_release(&world->model);
    free(world);
}

int main(int count, char **arguments)
{
    uint64_t seeds = count > 1 ? strtoull(arguments[1], NULL, 10) : 50;
    uint64_t steps = count > 2 ? strtoull(arguments[2], NULL, 10) : 1000;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run(seed, steps);
    }
    printf("%llu seeds of %llu steps\n", (unsigned long long)seeds, (unsigned long long)steps);
    return 0;
}
