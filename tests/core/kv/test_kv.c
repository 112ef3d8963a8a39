/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/kv/kv_support.h"

#include <criterion/criterion.h>

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

/* The value of a key at a revision is this text; NULL: the key is not there. */
static void expect_value(struct store *store, const char *key, int64_t revision, const char *value)
{
    struct kv_op op = op_get(key);
    op.revision = revision;
    cr_assert_eq(store_do(store, op), BASE_OK);
    cr_assert_eq(store->result.record_count, value ? 1 : 0);
    if (value) {
        cr_assert(base_bytes_equal(store->result.records[0].value, base_bytes_of(value)));
    }
}

static void do_ok(struct store *store, struct kv_op op)
{
    cr_assert_eq(store_do(store, op), BASE_OK);
}

Test(kv_put, first_change_makes_revision_two)
{
    struct store store;
    store_init(&store);
    cr_assert_eq(kv_revision(store.kv), 1);
    do_ok(&store, op_put("a", "1"));
    cr_assert_eq(kv_revision(store.kv), 2);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_put, versions_count_from_each_creation)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("a", "2"));
    do_ok(&store, op_get("a"));
    const struct kv_record second = store.result.records[0];
    cr_assert(second.create_revision == 2 && second.mod_revision == 3 && second.version == 2);
    do_ok(&store, op_delete("a", ""));
    do_ok(&store, op_put("a", "3"));
    do_ok(&store, op_get("a"));
    const struct kv_record again = store.result.records[0];
    cr_assert(again.create_revision == 5 && again.mod_revision == 5 && again.version == 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_put, old_versions_stay_readable)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("a", "2"));
    do_ok(&store, op_delete("a", ""));
    expect_value(&store, "a", 1, NULL);
    expect_value(&store, "a", 2, "1");
    expect_value(&store, "a", 3, "2");
    expect_value(&store, "a", 4, NULL);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_put, previous_is_told_on_request)
{
    struct store store;
    store_init(&store);
    struct kv_op op = op_put("a", "1");
    op.flags = KV_PREV_KV;
    do_ok(&store, op);
    cr_assert_eq(store.result.record_count, 0);
    op.value = base_bytes_of("2");
    do_ok(&store, op);
    cr_assert_eq(store.result.record_count, 1);
    cr_assert(base_bytes_equal(store.result.records[0].value, base_bytes_of("1")));
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_put, keeping_value_or_lease_needs_the_key)
{
    struct store store;
    store_init(&store);
    struct kv_op op = op_put("a", "");
    op.flags = KV_IGNORE_VALUE;
    cr_assert_eq(store_do(&store, op), BASE_KEY_NOT_FOUND);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op);
    expect_value(&store, "a", 0, "1");
    cr_assert_eq(kv_revision(store.kv), 3);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_put, unknown_lease_is_refused)
{
    struct store store;
    store_init(&store);
    struct kv_op op = op_put("a", "1");
    op.lease = 7;
    cr_assert_eq(store_do(&store, op), BASE_LEASE_NOT_FOUND);
    cr_assert_eq(kv_revision(store.kv), 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_delete, nothing_deleted_makes_no_revision)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("b", "1"));
    do_ok(&store, op_delete("c", "d"));
    cr_assert_eq(store.result.count, 0);
    cr_assert_eq(kv_revision(store.kv), 2);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_delete, range_is_one_revision_in_key_order)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("b", "2"));
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("c", "3"));
    struct kv_op op = op_delete("a", "c");
    op.flags = KV_PREV_KV;
    do_ok(&store, op);
    cr_assert_eq(store.result.count, 2);
    cr_assert(base_bytes_equal(store.result.records[0].key, base_bytes_of("a")));
    cr_assert(base_bytes_equal(store.result.records[1].key, base_bytes_of("b")));
    cr_assert_eq(kv_revision(store.kv), 5);
    cr_assert_eq(kv_key_count(store.kv), 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_range, limit_cuts_records_but_not_the_count)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("b", "2"));
    do_ok(&store, op_put("c", "3"));
    struct kv_op op = op_range("a", "z");
    op.limit = 2;
    do_ok(&store, op);
    cr_assert(store.result.record_count == 2 && store.result.count == 3 && store.result.more);
    op.limit = 3;
    do_ok(&store, op);
    cr_assert(store.result.record_count == 3 && !store.result.more);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_range, zero_byte_end_is_open)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("\xff\xff", "2"));
    struct kv_op op = op_get("b");
    op.range_end = open_end();
    do_ok(&store, op);
    cr_assert_eq(store.result.count, 1);
    op.key = open_end();
    do_ok(&store, op);
    cr_assert_eq(store.result.count, 2);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_range, sorts_before_it_cuts)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "2"));
    do_ok(&store, op_put("b", "3"));
    do_ok(&store, op_put("c", "1"));
    struct kv_op op = op_range("a", "z");
    op.sort_target = KV_SORT_VALUE;
    op.sort_order = KV_SORT_DESCEND;
    op.limit = 1;
    do_ok(&store, op);
    cr_assert(base_bytes_equal(store.result.records[0].key, base_bytes_of("b")));
    op.sort_order = KV_SORT_NONE; /* A target alone means ascending. */
    do_ok(&store, op);
    cr_assert(base_bytes_equal(store.result.records[0].key, base_bytes_of("c")));
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_range, future_and_compacted_revisions_are_refused)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    do_ok(&store, op_put("a", "2"));
    do_ok(&store, op_put("a", "3"));
    cr_assert_eq(kv_compact(store.kv, 3), BASE_OK);
    struct kv_op op = op_get("a");
    op.revision = 5;
    cr_assert_eq(store_do(&store, op), BASE_FUTURE_REVISION);
    op.revision = 2;
    cr_assert_eq(store_do(&store, op), BASE_COMPACTED);
    expect_value(&store, "a", 3, "2");
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_txn, ranges_see_earlier_puts_and_compares_do_not)
{
    struct store store;
    store_init(&store);
    const struct kv_compare absent = {.key = base_bytes_of("a"),
                                      .target = KV_COMPARE_VERSION,
                                      .relation = KV_EQUAL,
                                      .number = 0};
    const struct kv_op inner_success[] = {op_get("a")};
    const struct kv_txn inner = {.compare_count = 1,
                                 .success_count = 1,
                                 .compares = &absent,
                                 .success = inner_success};
    const struct kv_op success[] = {op_put("a", "1"), op_get("a"), op_txn(&inner)};
    const struct kv_txn txn = {.compare_count = 1,
                               .success_count = COUNT(success),
                               .compares = &absent,
                               .success = success};
    do_ok(&store, op_txn(&txn));
    cr_assert(store.result.succeeded && store.result.result_count == 3);
    cr_assert_eq(store.result.results[1].count, 1);
    cr_assert_eq(store.result.results[1].records[0].mod_revision, 2);
    cr_assert(store.result.results[2].succeeded);
    cr_assert_eq(store.result.results[2].results[0].count, 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_txn, all_changes_are_one_revision)
{
    struct store store;
    store_init(&store);
    const struct kv_op success[] = {op_put("b", "1"), op_put("a", "1"), op_delete("c", "d")};
    const struct kv_txn txn = {.success_count = COUNT(success), .success = success};
    do_ok(&store, op_txn(&txn));
    cr_assert_eq(kv_revision(store.kv), 2);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_txn, a_refused_part_refuses_the_whole)
{
    struct store store;
    store_init(&store);
    struct kv_op late = op_put("b", "");
    late.flags = KV_IGNORE_VALUE;
    const struct kv_op success[] = {op_put("a", "1"), late};
    const struct kv_txn txn = {.success_count = COUNT(success), .success = success};
    cr_assert_eq(store_do(&store, op_txn(&txn)), BASE_KEY_NOT_FOUND);
    expect_value(&store, "a", 0, NULL);
    cr_assert_eq(kv_revision(store.kv), 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_txn, missing_key_has_no_value_and_zero_else)
{
    struct store store;
    store_init(&store);
    struct kv_compare compare = {.key = base_bytes_of("a"),
                                 .target = KV_COMPARE_VALUE,
                                 .relation = KV_NOT_EQUAL,
                                 .value = base_bytes_of("x")};
    const struct kv_txn txn = {.compare_count = 1, .compares = &compare};
    do_ok(&store, op_txn(&txn));
    cr_assert_not(store.result.succeeded);
    compare = (struct kv_compare){.key = base_bytes_of("a"),
                                  .target = KV_COMPARE_MOD,
                                  .relation = KV_LESS,
                                  .number = 1};
    do_ok(&store, op_txn(&txn));
    cr_assert(store.result.succeeded);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_txn, range_compare_holds_for_every_key)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "x"));
    do_ok(&store, op_put("b", "x"));
    const struct kv_compare compare = {.key = base_bytes_of("a"),
                                       .range_end = base_bytes_of("z"),
                                       .target = KV_COMPARE_VALUE,
                                       .relation = KV_EQUAL,
                                       .value = base_bytes_of("x")};
    const struct kv_txn txn = {.compare_count = 1, .compares = &compare};
    do_ok(&store, op_txn(&txn));
    cr_assert(store.result.succeeded);
    do_ok(&store, op_put("b", "y"));
    do_ok(&store, op_txn(&txn));
    cr_assert_not(store.result.succeeded);
    cr_assert_eq(store_release(&store), 0);
}

/* What kv_check says of a transaction with these operations in its first branch. */
static enum base_status check_branch(const struct kv_op *ops, uint32_t count)
{
    const struct kv_txn txn = {.success_count = count, .success = ops};
    const struct kv_op op = op_txn(&txn);
    return kv_check(&op, 128);
}

Test(kv_check, put_twice_is_refused)
{
    const struct kv_op ops[] = {op_put("b", "1"), op_put("a", "1"), op_put("b", "2")};
    cr_assert_eq(check_branch(ops, 2), BASE_OK);
    cr_assert_eq(check_branch(ops, 3), BASE_DUPLICATE_KEY);
}

Test(kv_check, put_in_a_deleted_range_is_refused_in_either_order)
{
    const struct kv_op put_first[] = {op_put("b", "1"), op_delete("a", "c")};
    const struct kv_op put_last[] = {op_delete("a", "c"), op_put("b", "1")};
    const struct kv_op beside[] = {op_delete("a", "c"), op_put("c", "1")};
    cr_assert_eq(check_branch(put_first, 2), BASE_DUPLICATE_KEY);
    cr_assert_eq(check_branch(put_last, 2), BASE_DUPLICATE_KEY);
    cr_assert_eq(check_branch(beside, 2), BASE_OK);
}

Test(kv_check, opposite_branches_may_put_the_same_key)
{
    const struct kv_op put = op_put("a", "1");
    const struct kv_txn both = {.success_count = 1, .failure_count = 1, .success = &put, .failure = &put};
    const struct kv_op ops[] = {op_txn(&both), op_put("a", "2")};
    cr_assert_eq(check_branch(ops, 1), BASE_OK);
    cr_assert_eq(check_branch(ops, 2), BASE_DUPLICATE_KEY);
}

Test(kv_check, operations_are_counted_through_nesting)
{
    const struct kv_op puts[] = {op_put("a", "1"), op_put("b", "1")};
    const struct kv_txn inner = {.success_count = 2, .success = puts};
    const struct kv_op nested = op_txn(&inner);
    const struct kv_txn outer = {.success_count = 1, .success = &nested};
    const struct kv_op op = op_txn(&outer);
    cr_assert_eq(kv_check(&op, 3), BASE_OK);
    cr_assert_eq(kv_check(&op, 2), BASE_TOO_MANY_OPERATIONS);
    cr_assert_eq(kv_check(&nested, 1), BASE_TOO_MANY_OPERATIONS);
}

Test(kv_check, depth_is_bounded)
{
    enum { DEPTH = KV_DEPTH_MAX + 1 };
    struct kv_txn txns[DEPTH] = {0};
    struct kv_op ops[DEPTH];
    for (uint32_t i = 0; i < DEPTH; i++) {
        ops[i] = op_txn(&txns[i]);
        if (i > 0) {
            txns[i] = (struct kv_txn){.success_count = 1, .success = &ops[i - 1]};
        }
    }
    cr_assert_eq(kv_check(&ops[DEPTH - 2], UINT32_MAX), BASE_OK);
    cr_assert_eq(kv_check(&ops[DEPTH - 1], UINT32_MAX), BASE_TOO_MANY_OPERATIONS);
}

Test(kv_check, senseless_fields_are_refused)
{
    struct kv_op op = op_get("");
    cr_assert_eq(kv_check(&op, 1), BASE_EMPTY_KEY);
    op = op_get("a");
    op.sort_target = (enum kv_sort_target)9;
    cr_assert_eq(kv_check(&op, 1), BASE_INVALID);
    op = op_put("a", "1");
    op.flags = KV_IGNORE_VALUE;
    cr_assert_eq(kv_check(&op, 1), BASE_VALUE_PROVIDED);
    op = op_put("a", "");
    op.flags = KV_IGNORE_LEASE;
    op.lease = 1;
    cr_assert_eq(kv_check(&op, 1), BASE_LEASE_PROVIDED);
    op.kind = (enum kv_op_kind)9;
    cr_assert_eq(kv_check(&op, 1), BASE_INVALID);
    op.kind = KV_TXN;
    cr_assert_eq(kv_check(&op, 1), BASE_INVALID);
    const struct kv_compare compare = {.key = base_bytes_of("a"), .target = (enum kv_compare_target)9};
    const struct kv_txn txn = {.compare_count = 1, .compares = &compare};
    op = op_txn(&txn);
    cr_assert_eq(kv_check(&op, 1), BASE_INVALID);
}

Test(kv_read, refuses_what_would_change_something)
{
    struct store store;
    store_init(&store);
    struct kv_op op = op_put("a", "1");
    cr_assert_eq(kv_read(store.kv, &op, &store.arena, &store.result), BASE_INVALID);
    cr_assert_eq(kv_revision(store.kv), 1);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_skip, revisions_jump_without_changes)
{
    struct store store;
    store_init(&store);
    do_ok(&store, op_put("a", "1"));
    kv_skip_revisions(store.kv, 100);
    cr_assert_eq(kv_revision(store.kv), 102);
    cr_assert_eq(kv_compact(store.kv, 102), BASE_OK);
    cr_assert_not(kv_compact_step(store.kv, 10));
    expect_value(&store, "a", 0, "1");
    do_ok(&store, op_put("a", "2"));
    cr_assert_eq(kv_revision(store.kv), 103);
    cr_assert_eq(store_release(&store), 0);
}

Test(kv_new, idle_store_is_small)
{
    struct store store;
    store_init(&store);
    cr_assert_lt(store.bytes, 4096);
    cr_assert_eq(store_release(&store), 0);
}
