/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

Test(check_append_only, leader_cuts_its_log)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 1, 1, 5, "a");
    check_truncate(rig.check, rig.now, 1, 1);
    EXPECT(CHECK_APPEND_ONLY);
    rig_release(&rig);
}

Test(check_append_only, leader_overwrites_an_entry)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 1, 1, 5, "a");
    rig_append(&rig, 1, 1, 5, "a");
    EXPECT(CHECK_APPEND_ONLY);
    rig_release(&rig);
}

Test(check_append_only, follower_cuts_its_tail)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_append(&rig, 1, 2, 5, "b");
    rig_lead(&rig, 2, 6);
    rig_append(&rig, 2, 2, 6, "c");
    check_role(rig.check, rig.now, 1, RAFT_FOLLOWER, 6, rig_id(2));
    check_truncate(rig.check, rig.now, 1, 2);
    rig_append(&rig, 1, 2, 6, "c");
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_commit, follower_cuts_a_committed_entry)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    check_truncate(rig.check, rig.now, 2, 1);
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}

/* A snapshot that arrives late must not drop what was acknowledged since. */
Test(check_commit, snapshot_drops_committed_entries)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    raft_index index = ++rig.index;
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(&rig, member, index, 5, "b");
        rig_durable(&rig, member, index, index, 5);
    }
    check_commit(rig.check, rig.now, 1, index);
    check_restore(rig.check, rig.now, 2, &(struct raft_snapshot){.index = 1, .term = 5});
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}

Test(check_log_matching, same_place_other_content)
{
    struct rig rig;
    rig_init(&rig);
    rig_append(&rig, 1, 1, 5, "a");
    rig_append(&rig, 2, 1, 5, "b");
    EXPECT(CHECK_LOG_MATCHING);
    rig_release(&rig);
}

Test(check_log_matching, same_entry_after_different_ones)
{
    struct rig rig;
    rig_init(&rig);
    rig_append(&rig, 1, 1, 3, "a");
    rig_append(&rig, 1, 2, 5, "b");
    rig_append(&rig, 2, 1, 4, "x");
    rig_append(&rig, 2, 2, 5, "b");
    EXPECT(CHECK_LOG_MATCHING);
    rig_release(&rig);
}

Test(check_log_matching, a_gap)
{
    struct rig rig;
    rig_init(&rig);
    rig_append(&rig, 1, 1, 5, "a");
    rig_append(&rig, 1, 3, 5, "c");
    EXPECT(CHECK_LOG_MATCHING);
    rig_release(&rig);
}

/* Figure 7: logs that differ after a common part. */
Test(check_log_matching, different_terms_at_one_index)
{
    struct rig rig;
    rig_init(&rig);
    rig_append(&rig, 1, 1, 3, "a");
    rig_append(&rig, 2, 1, 3, "a");
    rig_append(&rig, 1, 2, 4, "b");
    rig_append(&rig, 2, 2, 5, "c");
    rig_append(&rig, 3, 1, 3, "a");
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_completeness, leader_lacks_a_committed_entry)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 1, 1, 5, "a");
    rig_append(&rig, 2, 1, 5, "a");
    rig_durable(&rig, 1, 1, 1, 5);
    rig_durable(&rig, 2, 1, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    rig_lead(&rig, 3, 6);
    EXPECT(CHECK_COMPLETENESS);
    rig_release(&rig);
}

/* The last vote it needed came late: it may lack what later leaders committed. */
Test(check_completeness, late_leader_of_an_earlier_term)
{
    struct rig rig;
    rig_init(&rig);
    check_role(rig.check, rig.now, 3, RAFT_CANDIDATE, 4, RAFT_NONE);
    rig_hard_state(&rig, 3, 4, 3);
    rig_hard_state(&rig, 1, 5, 1);
    check_role(rig.check, rig.now, 1, RAFT_LEADER, 5, rig_id(1));
    rig_append(&rig, 1, 1, 5, "a");
    rig_append(&rig, 2, 1, 5, "a");
    rig_durable(&rig, 1, 1, 1, 5);
    rig_durable(&rig, 2, 1, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    check_role(rig.check, rig.now, 3, RAFT_LEADER, 4, rig_id(3));
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_state_machine, another_entry_is_applied)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    raft_index index = rig_commit(&rig, "a");
    rig_apply(&rig, 1, index, 5, "a", NULL, BASE_OK, 1);
    rig_apply(&rig, 2, index, 5, "b", NULL, BASE_OK, 1);
    EXPECT(CHECK_STATE_MACHINE);
    rig_release(&rig);
}

Test(check_state_machine, an_entry_is_left_out)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    rig_apply(&rig, 1, 2, 5, "b", NULL, BASE_OK, 1);
    EXPECT(CHECK_STATE_MACHINE);
    rig_release(&rig);
}

Test(check_state_machine, snapshot_of_what_was_never_committed)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    check_restore(rig.check, rig.now, 3, &(struct raft_snapshot){.index = 2, .term = 4});
    EXPECT(CHECK_STATE_MACHINE);
    rig_release(&rig);
}

Test(check_state_machine, applied_again_after_a_restart)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    raft_index index = rig_commit(&rig, "a");
    rig_apply(&rig, 2, index, 5, "a", NULL, BASE_OK, 1);
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1), .commit = 1},
                                        .last_index = 1,
                                        .last_term = 5};
    rig_restart(&rig, 2, false, &report);
    rig_apply(&rig, 2, index, 5, "a", NULL, BASE_OK, 1);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_monotone, applied_twice)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    raft_index index = rig_commit(&rig, "a");
    rig_apply(&rig, 2, index, 5, "a", NULL, BASE_OK, 1);
    rig_apply(&rig, 2, index, 5, "a", NULL, BASE_OK, 1);
    EXPECT(CHECK_MONOTONE);
    rig_release(&rig);
}

Test(check_monotone, commit_goes_back)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    check_commit(rig.check, rig.now, 3, 1);
    EXPECT(CHECK_MONOTONE);
    rig_release(&rig);
}

Test(check_monotone, match_goes_back)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    check_match(rig.check, rig.now, 1, rig_id(2), 2);
    check_match(rig.check, rig.now, 1, rig_id(2), 1);
    EXPECT(CHECK_MONOTONE);
    rig_release(&rig);
}

Test(check_monotone, match_begins_anew_in_a_new_term)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    check_match(rig.check, rig.now, 1, rig_id(3), 2);
    rig_lead(&rig, 2, 6);
    check_match(rig.check, rig.now, 2, rig_id(3), 1);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

static void vote_between(struct rig *rig, const char *second)
{
    rig_lead(rig, 1, 4);
    for (uint32_t member = 2; member <= 3; member++) {
        rig_append(rig, member, 1, 4, "a");
    }
    if (second) {
        rig_append(rig, 3, 2, 4, second);
    }
    check_vote(rig->check, rig->now, 2, 5, rig_id(2));
    check_role(rig->check, rig->now, 2, RAFT_CANDIDATE, 5, RAFT_NONE);
    rig_hard_state(rig, 3, 5, 2);
    rig_send(rig, 3, 2, &(struct raft_message){.type = RAFT_MSG_VOTE_RESP, .term = 5});
}

/* §5.4.1 */
Test(check_completeness, vote_for_a_shorter_log)
{
    struct rig rig;
    rig_init(&rig);
    vote_between(&rig, "b");
    EXPECT(CHECK_COMPLETENESS);
    rig_release(&rig);
}

/* The vote waits for the disk; somebody else wins its term meanwhile, and sends entries. */
Test(check_completeness, vote_that_is_told_later)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 4);
    for (uint32_t member = 2; member <= 3; member++) {
        rig_append(&rig, member, 1, 4, "a");
    }
    check_vote(rig.check, rig.now, 2, 5, rig_id(2));
    check_role(rig.check, rig.now, 2, RAFT_CANDIDATE, 5, RAFT_NONE);
    rig_hard_state(&rig, 3, 5, 2);
    rig_append(&rig, 3, 2, 5, "theirs");
    rig_send(&rig, 3, 2, &(struct raft_message){.type = RAFT_MSG_VOTE_RESP, .term = 5});
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_completeness, vote_for_a_log_that_is_as_long)
{
    struct rig rig;
    rig_init(&rig);
    vote_between(&rig, NULL);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}
