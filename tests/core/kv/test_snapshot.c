/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/kv/kv_support.h"

#include <criterion/criterion.h>

static void do_ok(struct store *store, struct kv_op op)
{
    cr_assert_eq(store_do(store, op), BASE_OK);
}

/* A store with a compaction under way. */
static void fill(struct store *store)
{
    const char *const keys[] = {"a", "b", "c", "d", "e"};
    store_init(store);
    for (int i = 0; i < 30; i++) {
        do_ok(store, i % 7 == 3 ? op_delete("b", "d") : op_put(keys[i % 5], keys[i % 3]));
    }
    cr_assert_eq(kv_compact(store->kv, 15), BASE_OK);
    cr_assert(kv_compact_step(store->kv, 6));
}

static void write_stream(struct store *store, size_t slice, struct base_buffer *out)
{
    base_buffer_init(out, &store->allocator);
    struct kv_snapshot *snapshot = kv_snapshot_begin(store->kv);
    while (kv_snapshot_slice(snapshot, slice, out)) {
    }
    kv_snapshot_end(snapshot);
}

static enum base_status read_stream(struct store *store, struct base_bytes stream, size_t piece)
{
    store_init(store);
    for (size_t at = 0; at < stream.size; at += piece) {
        size_t left = stream.size - at;
        struct base_bytes bytes = {.data = stream.data + at, .size = left < piece ? left : piece};
        enum base_status status = kv_restore(store->kv, bytes);
        if (status != BASE_OK) {
            return status;
        }
    }
    return kv_restore_end(store->kv);
}

static uint64_t hash_of(struct store *store)
{
    uint64_t hash;
    cr_assert_eq(kv_hash(store->kv, 0, &hash), BASE_OK);
    return hash;
}

Test(kv_snapshot, restores_to_the_same_hash_in_any_pieces)
{
    struct store store;
    fill(&store);
    const size_t sizes[] = {1, 3, 64, 100000};
    for (size_t i = 0; i < 4; i++) {
        struct base_buffer stream;
        write_stream(&store, sizes[i], &stream);
        struct store restored;
        cr_assert_eq(read_stream(&restored, base_buffer_view(&stream), sizes[3 - i]), BASE_OK);
        cr_assert_eq(hash_of(&restored), hash_of(&store));
        cr_assert_eq(kv_revision(restored.kv), kv_revision(store.kv));
        cr_assert_eq(kv_size_bytes(restored.kv), kv_size_bytes(store.kv));
        cr_assert_eq(store_release(&restored), 0);
        base_buffer_release(&stream);
    }
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, unfinished_compaction_goes_on)
{
    struct store store;
    fill(&store);
    struct base_buffer stream;
    write_stream(&store, 100, &stream);
    struct store restored;
    cr_assert_eq(read_stream(&restored, base_buffer_view(&stream), 100), BASE_OK);
    cr_assert(kv_is_compacting(restored.kv));
    while (kv_is_compacting(store.kv)) {
        cr_assert_eq(kv_compact_step(store.kv, 1), kv_compact_step(restored.kv, 1));
        cr_assert_eq(kv_size_bytes(restored.kv), kv_size_bytes(store.kv));
    }
    cr_assert_not(kv_is_compacting(restored.kv));
    cr_assert_eq(store_release(&restored), 0);
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, finished_compaction_stays_finished)
{
    struct store store;
    fill(&store);
    while (kv_compact_step(store.kv, 1)) {
    }
    struct base_buffer stream;
    write_stream(&store, 100, &stream);
    struct store restored;
    cr_assert_eq(read_stream(&restored, base_buffer_view(&stream), 100), BASE_OK);
    cr_assert_not(kv_is_compacting(restored.kv));
    cr_assert_eq(store_release(&restored), 0);
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, later_changes_are_no_part_of_it)
{
    struct store store;
    fill(&store);
    uint64_t hash = hash_of(&store);
    struct base_buffer stream;
    base_buffer_init(&stream, &store.allocator);
    struct kv_snapshot *snapshot = kv_snapshot_begin(store.kv);
    while (kv_snapshot_slice(snapshot, 40, &stream)) {
        do_ok(&store, op_put("c", "later"));
        do_ok(&store, op_put("zz", "new"));
        do_ok(&store, op_delete("a", "b"));
    }
    cr_assert_eq(kv_compact(store.kv, 30), BASE_OK);
    size_t size = kv_size_bytes(store.kv);
    cr_assert(kv_compact_step(store.kv, 10)); /* Waits for the snapshot. */
    cr_assert_eq(kv_size_bytes(store.kv), size);
    kv_snapshot_end(snapshot);
    struct store restored;
    cr_assert_eq(read_stream(&restored, base_buffer_view(&stream), 100), BASE_OK);
    cr_assert_eq(hash_of(&restored), hash);
    cr_assert_eq(store_release(&restored), 0);
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, every_flipped_bit_is_found)
{
    struct store store;
    fill(&store);
    struct base_buffer stream;
    write_stream(&store, 100000, &stream);
    for (size_t bit = 0; bit < stream.size * 8; bit++) {
        stream.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct store restored;
        cr_assert_eq(read_stream(&restored, base_buffer_view(&stream), 100000), BASE_CORRUPT, "bit %zu", bit);
        cr_assert_eq(store_release(&restored), 0);
        stream.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, every_missing_tail_is_found)
{
    struct store store;
    fill(&store);
    struct base_buffer stream;
    write_stream(&store, 100000, &stream);
    for (size_t size = 0; size < stream.size; size++) {
        struct store restored;
        struct base_bytes part = {.data = stream.data, .size = size};
        cr_assert_eq(read_stream(&restored, part, 100000), BASE_CORRUPT, "size %zu", size);
        cr_assert_eq(store_release(&restored), 0);
    }
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_snapshot, bytes_after_the_end_are_refused)
{
    struct store store;
    fill(&store);
    struct base_buffer stream;
    write_stream(&store, 100000, &stream);
    size_t size = stream.size;
    memset(base_buffer_extend(&stream, 9), 0, 9);
    for (size_t more = 1; more <= 9; more++) {
        struct store restored;
        struct base_bytes longer = {.data = stream.data, .size = size + more};
        cr_assert_eq(read_stream(&restored, longer, 100000), BASE_CORRUPT);
        cr_assert_eq(store_release(&restored), 0);
    }
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}

static bool lease_is_seven(void *context, int64_t lease)
{
    (void)context;
    return lease == 7;
}

static void lease_count_key(void *context, int64_t lease, struct base_bytes key)
{
    (void)lease;
    (void)key;
    ++*(int *)context;
}

Test(kv_snapshot, live_keys_go_back_to_their_leases)
{
    struct store store;
    store_init(&store);
    int attached = 0;
    const struct kv_lease_hooks hooks = {.context = &attached,
                                         .exists = lease_is_seven,
                                         .attach = lease_count_key,
                                         .detach = lease_count_key};
    struct kv *kv = kv_new(&store.allocator, &hooks, NULL);
    const char *const keys[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        struct kv_op op = op_put(keys[i], "1");
        op.lease = 7;
        cr_assert_eq(kv_apply(kv, &op, &store.arena, &store.result), BASE_OK);
    }
    struct kv_op op = op_delete("a", "");
    cr_assert_eq(kv_apply(kv, &op, &store.arena, &store.result), BASE_OK);
    op = op_put("b", "2");
    cr_assert_eq(kv_apply(kv, &op, &store.arena, &store.result), BASE_OK);
    cr_assert_eq(attached, 5); /* Three attached, two detached. */
    struct base_buffer stream;
    base_buffer_init(&stream, &store.allocator);
    struct kv_snapshot *snapshot = kv_snapshot_begin(kv);
    cr_assert_not(kv_snapshot_slice(snapshot, 100000, &stream));
    kv_snapshot_end(snapshot);
    kv_free(kv);
    attached = 0;
    kv = kv_new(&store.allocator, &hooks, NULL);
    cr_assert_eq(kv_restore(kv, base_buffer_view(&stream)), BASE_OK);
    cr_assert_eq(kv_restore_end(kv), BASE_OK);
    cr_assert_eq(attached, 1);
    kv_free(kv);
    struct store without; /* Knows no lease 7: a store and a lessor that do not fit. */
    cr_assert_eq(read_stream(&without, base_buffer_view(&stream), 100), BASE_CORRUPT);
    cr_assert_eq(store_release(&without), 0);
    base_buffer_release(&stream);
    cr_assert_eq(store_release(&store), 0);
}
