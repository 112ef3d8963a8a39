/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

/* Client 11 puts k = v1, v2 at revisions 2 and 3 and is answered. */
static void begin(struct rig *rig)
{
    rig_init(rig);
    rig_lead(rig, 1, 5);
    struct wire_request first = rig_put_request("k", "v1");
    uint64_t call = rig_invoke(rig, 11, &first);
    rig_put(rig, "k", "v1", 0, 1);
    rig_return_put(rig, 11, call, &first, 2);
    struct wire_request second = rig_put_request("k", "v2");
    call = rig_invoke(rig, 11, &second);
    rig_put(rig, "k", "v2", 2, 2);
    rig_return_put(rig, 11, call, &second, 3);
    cr_assert_null(check_first(rig->check), "%s", rig_sentence(rig));
}

Test(check_history, reads_the_newest)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v2", 3, 2);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_history, stale_linearizable_read)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 2, "v1", 2, 1);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, a_read_that_began_before_may_be_older)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    struct wire_request get = rig_get_request("k");
    uint64_t read = rig_invoke(&rig, 12, &get);
    struct wire_request put = rig_put_request("k", "v1");
    uint64_t write = rig_invoke(&rig, 11, &put);
    rig_put(&rig, "k", "v1", 0, 1);
    rig_return_put(&rig, 11, write, &put, 2);
    rig_return_get(&rig, 12, read, &get, 1, NULL, 0, 0);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_history, serializable_read_may_be_old)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    get.op.flags = KV_SERIALIZABLE;
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 2, "v1", 2, 1);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_history, serializable_read_goes_back_on_one_member)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    get.op.flags = KV_SERIALIZABLE;
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v2", 3, 2);
    rig_wait(&rig, RIG_SECOND);
    call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 2, "v1", 2, 1);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, serializable_read_is_a_state_that_was)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    get.op.flags = KV_SERIALIZABLE;
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v1", 2, 1);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, value_that_nobody_put)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v3", 3, 2);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, revision_of_the_future)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 4, "v2", 3, 2);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, acknowledged_but_applied_by_nobody)
{
    struct rig rig;
    begin(&rig);
    struct wire_request put = rig_put_request("l", "v");
    uint64_t call = rig_invoke(&rig, 12, &put);
    rig_return_put(&rig, 12, call, &put, 3);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, one_revision_acknowledged_twice)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    struct wire_request put = rig_put_request("k", "v1");
    uint64_t first = rig_invoke(&rig, 11, &put);
    uint64_t second = rig_invoke(&rig, 12, &put);
    rig_put(&rig, "k", "v1", 0, 1);
    rig_put(&rig, "k", "v1", 2, 2);
    rig_return_put(&rig, 11, first, &put, 2);
    rig_return_put(&rig, 12, second, &put, 2);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, unknown_write_may_appear_later)
{
    struct rig rig;
    begin(&rig);
    struct wire_request put = rig_put_request("k", "v3");
    uint64_t call = rig_invoke(&rig, 11, &put);
    rig_return_unknown(&rig, 11, call, &put);
    rig_wait(&rig, 100 * RIG_SECOND);
    rig_put(&rig, "k", "v3", 2, 3);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_history, unknown_write_never_appears_twice)
{
    struct rig rig;
    begin(&rig);
    struct wire_request put = rig_put_request("k", "v3");
    uint64_t call = rig_invoke(&rig, 11, &put);
    rig_return_unknown(&rig, 11, call, &put);
    rig_put(&rig, "k", "v3", 2, 3);
    rig_put(&rig, "k", "v3", 2, 4);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, acknowledged_write_is_not_applied_again)
{
    struct rig rig;
    begin(&rig);
    rig_put(&rig, "k", "v2", 2, 3);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, refused_write_does_not_take_effect)
{
    struct rig rig;
    begin(&rig);
    struct wire_request put = rig_put_request("k", "v3");
    uint64_t call = rig_invoke(&rig, 11, &put);
    struct wire_response response = {.status = BASE_TOO_MANY_REQUESTS, .cluster_id = RIG_CLUSTER};
    check_return(rig.check, rig.now, 11, call, &put, &response, false);
    rig_put(&rig, "k", "v3", 2, 3);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, range_leaves_out_a_key)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("a");
    get.op.range_end = base_bytes_of("z");
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, NULL, 0, 0);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

static void return_txn(struct rig *rig, uint64_t call, const struct wire_request *request, int64_t revision,
                       bool succeeded)
{
    struct kv_result put = {.kind = KV_PUT};
    struct wire_response response = {.cluster_id = RIG_CLUSTER,
                                     .member_id = rig_id(1),
                                     .revision = revision,
                                     .result = {.kind = KV_TXN,
                                                .succeeded = succeeded,
                                                .result_count = succeeded ? 1 : 0,
                                                .results = &put}};
    check_return(rig->check, rig->now, 12, call, request, &response, false);
}

/* If k is still as it was at `mod`, put v3. */
static struct wire_request swap(struct kv_compare *compare, struct kv_op *put, struct kv_txn *txn,
                                int64_t mod)
{
    *compare = (struct kv_compare){.key = base_bytes_of("k"), .target = KV_COMPARE_MOD, .number = mod};
    *put = rig_put_request("k", "v3").op;
    *txn = (struct kv_txn){.compare_count = 1, .success_count = 1, .compares = compare, .success = put};
    return (struct wire_request){.kind = WIRE_KV, .op = {.kind = KV_TXN, .txn = txn}};
}

static void apply_swap(struct rig *rig, const struct wire_request *request, bool succeeded)
{
    raft_index index = rig_commit(rig, "swap");
    rig->revision += succeeded;
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        if (succeeded) {
            rig_change(rig, member, "k", "v3", rig->revision, 2, 3, 0);
        }
        rig_apply(rig, member, index, rig->term, "swap", request, BASE_OK, rig->revision);
    }
}

Test(check_history, transaction_takes_the_right_branch)
{
    struct rig rig;
    begin(&rig);
    struct kv_compare compare;
    struct kv_op put;
    struct kv_txn txn;
    struct wire_request request = swap(&compare, &put, &txn, 3);
    uint64_t call = rig_invoke(&rig, 12, &request);
    apply_swap(&rig, &request, true);
    return_txn(&rig, call, &request, 4, true);
    EXPECT(CHECK_COUNT);
    request = swap(&compare, &put, &txn, 3);
    call = rig_invoke(&rig, 12, &request);
    apply_swap(&rig, &request, false);
    return_txn(&rig, call, &request, 4, false);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A lost update: the guard no longer held. */
Test(check_history, transaction_takes_the_wrong_branch)
{
    struct rig rig;
    begin(&rig);
    struct kv_compare compare;
    struct kv_op put;
    struct kv_txn txn;
    struct wire_request request = swap(&compare, &put, &txn, 2);
    uint64_t call = rig_invoke(&rig, 12, &request);
    apply_swap(&rig, &request, true);
    return_txn(&rig, call, &request, 4, true);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}

Test(check_history, read_at_a_named_revision)
{
    struct rig rig;
    begin(&rig);
    struct wire_request get = rig_get_request("k");
    get.op.revision = 2;
    uint64_t call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v1", 2, 1);
    EXPECT(CHECK_COUNT);
    call = rig_invoke(&rig, 12, &get);
    rig_return_get(&rig, 12, call, &get, 3, "v2", 3, 2);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}
