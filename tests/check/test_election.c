/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

Test(check_election, two_leaders_of_a_term)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_wait(&rig, RIG_SECOND);
    check_role(rig.check, rig.now, 2, RAFT_LEADER, 5, rig_id(2));
    EXPECT(CHECK_ELECTION);
    cr_assert_str_eq(rig_sentence(&rig), "m2 became leader of term 5, but m1 has led term 5 since 1.000 s");
    rig_release(&rig);
}

/* §6.4: an old leader may believe in itself for a while. */
Test(check_election, leaders_of_different_terms_may_overlap)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    rig_lead(&rig, 2, 6);
    EXPECT(CHECK_COUNT);
    cr_assert_eq(check_armed(rig.check, CHECK_ELECTION), 2);
    rig_release(&rig);
}

/* m2's second word for m1 is the first one again. */
Test(check_election, leader_without_a_majority)
{
    struct rig rig;
    rig_init(&rig);
    const struct raft_message grant = {.type = RAFT_MSG_VOTE_RESP, .term = 5};
    struct raft_conf_state four = {
        .voters = {.count = 4, .ids = {rig_id(1), rig_id(2), rig_id(3), rig_id(4)}}};
    check_configuration(rig.check, rig.now, 1, &four);
    rig_hard_state(&rig, 2, 5, 1);
    rig_send(&rig, 2, 1, &grant);
    rig_send(&rig, 2, 1, &grant);
    rig_lead(&rig, 1, 5);
    EXPECT(CHECK_ELECTION);
    cr_assert_str_eq(rig_sentence(&rig), "m1 became leader of term 5 by the votes of 2 of 4 voters");
    rig_release(&rig);
}

Test(check_election, each_half_elects_while_joint)
{
    struct rig rig;
    rig_init(&rig);
    const struct raft_message grant = {.type = RAFT_MSG_VOTE_RESP, .term = 5};
    struct raft_conf_state joint = {.voters = {.count = 2, .ids = {rig_id(1), rig_id(2)}},
                                    .voters_outgoing = {.count = 1, .ids = {rig_id(3)}}};
    check_configuration(rig.check, rig.now, 1, &joint);
    rig_hard_state(&rig, 2, 5, 1);
    rig_send(&rig, 2, 1, &grant);
    rig_lead(&rig, 1, 5);
    EXPECT(CHECK_ELECTION);
    cr_assert_str_eq(rig_sentence(&rig), "m1 became leader of term 5 by the votes of 0 of 1 voters");
    rig_release(&rig);
}

Test(check_election, leaders_of_the_same_term_in_two_clusters)
{
    struct rig rig;
    rig_init(&rig);
    rig_lead(&rig, 1, 5);
    check_identity(rig.check, rig.now, 2, 0xc2, 77);
    rig_hard_state(&rig, 2, 5, 0);
    struct disk_tag tag = {.record = DISK_HARD_STATE, .term = 5, .vote = 77};
    check_durable(rig.check, rig.now, 2, &tag);
    check_role(rig.check, rig.now, 2, RAFT_LEADER, 5, 77);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_election, a_judge_that_is_off_says_nothing)
{
    struct rig rig;
    struct check_options options = rig_options();
    options.off = UINT64_C(1) << CHECK_ELECTION;
    rig_init_with(&rig, &options);
    rig_lead(&rig, 1, 5);
    rig_lead(&rig, 2, 5);
    cr_assert_neq(rig_verdict(&rig), CHECK_ELECTION);
    rig_release(&rig);
}

Test(check_vote, two_votes_in_a_term)
{
    struct rig rig;
    rig_init(&rig);
    check_vote(rig.check, rig.now, 3, 5, rig_id(1));
    check_vote(rig.check, rig.now, 3, 5, RAFT_NONE);
    check_vote(rig.check, rig.now, 3, 5, rig_id(2));
    EXPECT(CHECK_VOTE);
    rig_release(&rig);
}

Test(check_vote, one_vote_in_each_of_two_terms)
{
    struct rig rig;
    rig_init(&rig);
    check_vote(rig.check, rig.now, 3, 5, rig_id(1));
    check_vote(rig.check, rig.now, 3, 6, RAFT_NONE);
    check_vote(rig.check, rig.now, 3, 6, rig_id(2));
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_vote, term_goes_back)
{
    struct rig rig;
    rig_init(&rig);
    check_role(rig.check, rig.now, 3, RAFT_FOLLOWER, 7, rig_id(1));
    check_role(rig.check, rig.now, 3, RAFT_FOLLOWER, 6, rig_id(1));
    EXPECT(CHECK_VOTE);
    rig_release(&rig);
}

Test(check_vote, restart_forgets_a_durable_vote)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 3, 5, 1);
    struct raft_status_report report = {.hard_state = {.term = 5}};
    rig_restart(&rig, 3, true, &report);
    EXPECT(CHECK_VOTE);
    rig_release(&rig);
}

Test(check_vote, restart_forgets_a_durable_term)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 3, 5, 1);
    struct raft_status_report report = {.hard_state = {.term = 4}};
    rig_restart(&rig, 3, false, &report);
    EXPECT(CHECK_VOTE);
    rig_release(&rig);
}

Test(check_vote, restart_with_exactly_what_was_durable)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 3, 5, 1);
    /* Never written: lost with the power, and nobody was told. */
    check_vote(rig.check, rig.now, 3, 6, rig_id(2));
    struct raft_status_report report = {.hard_state = {.term = 5, .vote = rig_id(1)}};
    rig_restart(&rig, 3, true, &report);
    rig_hard_state(&rig, 3, 6, 1);
    rig_send(&rig, 3, 1, &(struct raft_message){.type = RAFT_MSG_VOTE_RESP, .term = 6});
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* The hazard of a wiped member under its old id. */
Test(check_vote, wiped_member_votes_again)
{
    struct rig rig;
    rig_init(&rig);
    rig_hard_state(&rig, 3, 5, 1);
    rig_send(&rig, 3, 1, &(struct raft_message){.type = RAFT_MSG_VOTE_RESP, .term = 5});
    check_down(rig.check, rig.now, 3, false);
    check_wipe(rig.check, rig.now, 3);
    struct raft_status_report report = {.id = rig_id(3)};
    rig_restart(&rig, 3, false, &report);
    EXPECT(CHECK_COUNT);
    rig_hard_state(&rig, 3, 5, 2);
    rig_send(&rig, 3, 2, &(struct raft_message){.type = RAFT_MSG_VOTE_RESP, .term = 5});
    EXPECT(CHECK_VOTE);
    rig_release(&rig);
}
