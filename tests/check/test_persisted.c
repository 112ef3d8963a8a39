/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

static const struct raft_message grant = {.type = RAFT_MSG_VOTE_RESP, .term = 5};
static const struct raft_message accept = {.type = RAFT_MSG_APP_RESP, .term = 5, .index = 2};

Test(check_persisted, vote_before_it_is_durable)
{
    struct rig rig;
    rig_init(&rig);
    struct disk_tag tag = {.record = DISK_HARD_STATE, .term = 5, .vote = rig_id(1)};
    check_vote(rig.check, rig.now, 3, 5, rig_id(1));
    check_written(rig.check, rig.now, 3, &tag);
    rig_send(&rig, 3, 1, &grant);
    EXPECT(CHECK_PERSISTED);
    rig_release(&rig);
}

Test(check_persisted, vote_after_it_is_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 3, 5, 1);
    rig_send(&rig, 3, 1, &grant);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_persisted, refusal_and_pre_vote_promise_nothing)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 1, 1, 1);
    struct raft_message refusal = grant;
    refusal.reject = true;
    rig_send(&rig, 3, 1, &refusal);
    rig_send(&rig, 3, 1, &(struct raft_message){.type = RAFT_MSG_PRE_VOTE_RESP, .term = 5});
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_persisted, leader_by_a_vote_that_is_not_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 1, 4, 1);
    check_vote(rig.check, rig.now, 1, 5, rig_id(1));
    check_role(rig.check, rig.now, 1, RAFT_LEADER, 5, rig_id(1));
    EXPECT(CHECK_PERSISTED);
    rig_release(&rig);
}

Test(check_persisted, acknowledgement_before_it_is_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 2, 1, 5, "a");
    rig_append(&rig, 2, 2, 5, "b");
    rig_durable(&rig, 2, 1, 1, 5);
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_PERSISTED);
    rig_release(&rig);
}

Test(check_persisted, acknowledgement_after_it_is_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 2, 1, 5, "a");
    rig_append(&rig, 2, 2, 5, "b");
    rig_durable(&rig, 2, 1, 2, 5);
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A later leader has overwritten what is acknowledged to an earlier one, who cannot
 * commit it any more: its voters were not among those who held it. */
Test(check_persisted, acknowledgement_of_what_a_later_leader_has_replaced)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 2, 1, 5, "a");
    rig_append(&rig, 2, 2, 5, "b");
    check_truncate(rig.check, rig.now, 2, 1);
    rig_append(&rig, 2, 1, 6, "other");
    rig_durable(&rig, 2, 1, 1, 6);
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* The write of an entry that was replaced since says nothing of its successor. */
Test(check_persisted, acknowledgement_on_the_strength_of_a_replaced_entry)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_append(&rig, 2, 1, 4, "a");
    rig_append(&rig, 2, 2, 4, "old");
    rig_durable(&rig, 2, 1, 2, 4);
    check_truncate(rig.check, rig.now, 2, 2);
    rig_append(&rig, 2, 2, 5, "new");
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_PERSISTED);
    rig_release(&rig);
}

Test(check_persisted, acknowledgement_of_an_installed_snapshot)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1)}};
    check_down(rig.check, rig.now, 2, false);
    check_wipe(rig.check, rig.now, 2);
    report.hard_state.vote = RAFT_NONE;
    rig_restart(&rig, 2, false, &report);
    check_restore(rig.check, rig.now, 2, &(struct raft_snapshot){.index = 2, .term = 5});
    rig_hard_state(&rig, 2, 5, 0);
    check_durable(rig.check, rig.now, 2,
                  &(struct disk_tag){.record = DISK_SNAPSHOT, .last_index = 2, .term = 5});
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_persisted, restart_with_less_than_was_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_commit(&rig, "b");
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1)},
                                        .last_index = 1,
                                        .last_term = 5};
    rig_restart(&rig, 2, true, &report);
    EXPECT(CHECK_PERSISTED);
    rig_release(&rig);
}

Test(check_persisted, restart_with_more_than_was_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_append(&rig, 2, 2, 5, "b");
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1)},
                                        .last_index = 2,
                                        .last_term = 5};
    rig_restart(&rig, 2, true, &report);
    rig_send(&rig, 2, 1, &accept);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* Loss is a metric there, and silences what could follow from it. */
Test(check_persisted, a_lossy_world_may_lose)
{
    struct rig rig;
    struct check_options options = rig_options();
    options.is_lossy = true;
    rig_init_with(&rig, &options);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1)}};
    rig_restart(&rig, 2, true, &report);
    check_role(rig.check, rig.now, 2, RAFT_LEADER, 6, rig_id(2));
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_commit, quorum_is_not_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(&rig, member, 1, 5, "a");
    }
    rig_durable(&rig, 2, 1, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}

/* §5.3: the leader's own disk may be the slow one. */
Test(check_commit, quorum_without_the_leader)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(&rig, member, 1, 5, "a");
    }
    rig_durable(&rig, 2, 1, 1, 5);
    rig_durable(&rig, 3, 1, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    EXPECT(CHECK_COUNT);
    cr_assert_gt(check_armed(rig.check, CHECK_COMMIT), 0);
    rig_release(&rig);
}

Test(check_commit, joint_needs_both_halves)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    struct raft_conf_state joint = {.voters = {.count = 3, .ids = {101, 102, 103}},
                                    .voters_outgoing = {.count = 1, .ids = {101}}};
    check_configuration(rig.check, rig.now, 1, &joint);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(&rig, member, 1, 5, "a");
    }
    rig_durable(&rig, 2, 1, 1, 5);
    rig_durable(&rig, 3, 1, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}

/* §5.4.2, figure 8: an entry of an earlier term is not committed by counting. */
Test(check_commit, entry_of_an_earlier_term_by_counting)
{
    struct rig rig;
    rig_init(&rig);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(&rig, member, 1, 4, "a");
        rig_durable(&rig, member, 1, 1, 4);
    }
    rig_lead(&rig, 1, 5);
    check_commit(rig.check, rig.now, 1, 1);
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}

Test(check_commit, follower_ahead_of_every_leader)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_commit(&rig, "a");
    rig_append(&rig, 2, 2, 5, "b");
    check_commit(rig.check, rig.now, 2, 2);
    EXPECT(CHECK_COMMIT);
    rig_release(&rig);
}
