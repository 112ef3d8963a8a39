/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

/* One entry committed everywhere, that puts k. */
static void begin(struct rig *rig)
{
    rig_init(rig);
    rig_lead(rig, 1, 5);
    rig_commit(rig, "a");
    rig_change(rig, 1, "k", "v", 2, 2, 1, 0);
    rig_apply(rig, 1, 1, 5, "a", NULL, BASE_OK, 2);
}

Test(check_store, equal_changes)
{
    struct rig rig;
    begin(&rig);
    rig_change(&rig, 2, "k", "v", 2, 2, 1, 0);
    rig_apply(&rig, 2, 1, 5, "a", NULL, BASE_OK, 2);
    EXPECT(CHECK_COUNT);
    cr_assert_geq(check_armed(rig.check, CHECK_STORE), 2);
    rig_release(&rig);
}

Test(check_store, another_value)
{
    struct rig rig;
    begin(&rig);
    rig_change(&rig, 2, "k", "w", 2, 2, 1, 0);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, another_lease)
{
    struct rig rig;
    begin(&rig);
    rig_change(&rig, 2, "k", "v", 2, 2, 1, 7);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, another_outcome)
{
    struct rig rig;
    begin(&rig);
    rig_apply(&rig, 2, 1, 5, "a", NULL, BASE_LEASE_NOT_FOUND, 1);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, revision_goes_back)
{
    struct rig rig;
    begin(&rig);
    rig_commit(&rig, "b");
    rig_apply(&rig, 1, 2, 5, "b", NULL, BASE_OK, 1);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, revision_is_left_out)
{
    struct rig rig;
    begin(&rig);
    rig_commit(&rig, "b");
    rig_change(&rig, 1, "k", "w", 4, 2, 2, 0);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, change_is_left_out_by_one_member)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    struct kv_event second = {.record = {.key = base_bytes_of("l"),
                                         .value = base_bytes_of("v"),
                                         .create_revision = 2,
                                         .mod_revision = 2,
                                         .version = 1}};
    rig_change(&rig, 1, "k", "v", 2, 2, 1, 0);
    check_change(rig.check, rig.now, 1, &second, 1);
    rig_apply(&rig, 1, 1, 5, "a", NULL, BASE_OK, 2);
    rig_change(&rig, 1, "k", "w", 3, 2, 2, 0);
    rig_change(&rig, 2, "k", "v", 2, 2, 1, 0);
    rig_apply(&rig, 2, 1, 5, "a", NULL, BASE_OK, 2);
    EXPECT(CHECK_COUNT);
    rig_change(&rig, 2, "k", "w", 3, 2, 2, 0);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, version_that_does_not_follow)
{
    struct rig rig;
    begin(&rig);
    rig_commit(&rig, "b");
    rig_change(&rig, 1, "k", "w", 3, 3, 1, 0);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, deletion_of_what_is_not_there)
{
    struct rig rig;
    begin(&rig);
    rig_commit(&rig, "b");
    rig_change(&rig, 1, "l", NULL, 3, 0, 0, 0);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, a_key_may_be_made_again)
{
    struct rig rig;
    begin(&rig);
    rig_commit(&rig, "b");
    rig_commit(&rig, "c");
    rig_change(&rig, 1, "k", NULL, 3, 0, 0, 0);
    rig_apply(&rig, 1, 2, 5, "b", NULL, BASE_OK, 3);
    rig_change(&rig, 1, "k", "again", 4, 4, 1, 0);
    rig_apply(&rig, 1, 3, 5, "c", NULL, BASE_OK, 4);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_store, snapshots_of_one_index_differ)
{
    struct rig rig;
    begin(&rig);
    check_snapshot(rig.check, rig.now, 1, 1, 5, 0xabc, false);
    check_snapshot(rig.check, rig.now, 2, 1, 5, 0xabd, true);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_store, installed_snapshot_and_what_follows)
{
    struct rig rig;
    begin(&rig);
    check_snapshot(rig.check, rig.now, 1, 1, 5, 0xabc, false);
    check_snapshot(rig.check, rig.now, 3, 1, 5, 0xabc, true);
    rig_commit(&rig, "b");
    rig_change(&rig, 3, "k", "w", 3, 2, 2, 0);
    rig_apply(&rig, 3, 2, 5, "b", NULL, BASE_OK, 3);
    rig_change(&rig, 1, "k", "w", 3, 2, 2, 0);
    rig_apply(&rig, 1, 2, 5, "b", NULL, BASE_OK, 3);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_store, settled_stores_differ)
{
    struct rig rig;
    begin(&rig);
    check_settled(rig.check, rig.now, 1, 1, 2, 0xabc);
    check_settled(rig.check, rig.now, 2, 1, 2, 0xabd);
    EXPECT(CHECK_STORE);
    rig_release(&rig);
}

Test(check_durability, an_acknowledged_write_is_missing)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    struct wire_request put = rig_put_request("k", "v");
    uint64_t call = rig_invoke(&rig, 11, &put);
    rig_put(&rig, "k", "v", 0, 1);
    rig_return_put(&rig, 11, call, &put, 2);
    check_settled(rig.check, rig.now, 1, 0, 1, 0xabc);
    EXPECT(CHECK_DURABILITY);
    rig_release(&rig);
}

Test(check_durability, an_unacknowledged_write_may_be_missing)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    struct wire_request put = rig_put_request("k", "v");
    uint64_t call = rig_invoke(&rig, 11, &put);
    rig_return_unknown(&rig, 11, call, &put);
    check_settled(rig.check, rig.now, 1, 0, 1, 0xabc);
    check_end(rig.check, rig.now);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}
