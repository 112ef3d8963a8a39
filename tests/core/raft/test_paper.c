/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the Raft paper and thesis, each by its section. */
#include "tests/core/raft/network.h"

#include <criterion/criterion.h>

static struct network *three(void)
{
    struct raft_config config = network_config();
    return network_new(3, &config);
}

static enum raft_status step(struct network *network, struct raft_message message)
{
    message.to = message.to == RAFT_NONE ? 1 : message.to;
    return raft_step(network->nodes[message.to], &message);
}

/* §5.1: "If a candidate or leader discovers that its term is out of date, it
 * immediately reverts to follower state." */
Test(raft_paper, s5_1_higher_term_makes_a_follower)
{
    struct network *network = three();
    network_elect(network, 1);
    cr_assert_eq(network_status(network, 1).role, RAFT_LEADER);
    cr_assert_eq(step(network, (struct raft_message){.type = RAFT_MSG_APP, .from = 2, .term = 9}), RAFT_OK);
    cr_assert_eq(network_status(network, 1).role, RAFT_FOLLOWER);
    cr_assert_eq(network_status(network, 1).hard_state.term, 9);
    cr_assert_eq(network_status(network, 1).leader, 2);
    network_free(network);
}

/* §5.1: "If a server receives a request with a stale term number, it rejects the
 * request." */
Test(raft_paper, s5_1_stale_term_is_ignored)
{
    struct network *network = three();
    network_elect(network, 1);
    raft_index last = network_status(network, 2).last_index;
    struct raft_entry entry = {.term = 1, .index = last + 1};
    cr_assert_eq(step(network, (struct raft_message){.type = RAFT_MSG_APP,
                                                     .to = 2,
                                                     .from = 3,
                                                     .term = 1,
                                                     .index = last,
                                                     .log_term = 1,
                                                     .entries = &entry,
                                                     .entry_count = 1}),
                 RAFT_OK);
    cr_assert_eq(network_status(network, 2).last_index, last);
    network_free(network);
}

/* §5.2: a node starts as a follower and stands when it hears nothing. */
Test(raft_paper, s5_2_silence_starts_an_election)
{
    struct network *network = three();
    cr_assert_eq(network_status(network, 1).role, RAFT_FOLLOWER);
    raft_tick(network->nodes[1], 20);
    cr_assert_eq(network_status(network, 1).role, RAFT_CANDIDATE);
    cr_assert_eq(network_status(network, 1).hard_state.vote, 1);
    network_ready(network, 1);
    cr_assert_eq(network_count(network, RAFT_MSG_VOTE), 2);
    network_free(network);
}

/* §5.2: "each server will vote for at most one candidate in a given term, on a
 * first-come-first-served basis". */
Test(raft_paper, s5_2_one_vote_a_term)
{
    struct network *network = three();
    raft_index last = network_status(network, 1).last_index;
    for (raft_id from = 2; from <= 3; from++) {
        cr_assert_eq(step(network,
                          (struct raft_message){
                              .type = RAFT_MSG_VOTE, .from = from, .term = 5, .index = last, .log_term = 1}),
                     RAFT_OK);
        network_ready(network, 1);
        const struct raft_message *answer = network_last(network, RAFT_MSG_VOTE_RESP);
        cr_assert_eq(answer->to, from);
        cr_assert_eq(answer->reject, from == 3);
    }
    network_free(network);
}

/* §5.2: a candidate wins with a majority, and stays one without. */
Test(raft_paper, s5_2_majority_elects)
{
    struct raft_config config = network_config();
    struct network *network = network_new(5, &config);
    network->is_cut[4] = network->is_cut[5] = true;
    network_elect(network, 1);
    cr_assert_eq(network_status(network, 1).role, RAFT_LEADER);
    network_free(network);
    network = network_new(5, &config);
    network->is_cut[3] = network->is_cut[4] = network->is_cut[5] = true;
    network_elect(network, 1);
    cr_assert_eq(network_status(network, 1).role, RAFT_CANDIDATE);
    network_free(network);
}

/* §5.3: an entry is committed once a majority holds it, and applied in order. */
Test(raft_paper, s5_3_majority_commits)
{
    struct network *network = three();
    network_elect(network, 1);
    network->is_cut[3] = true;
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    network_settle(network);
    cr_assert_eq(network->payloads[1], 1);
    cr_assert_eq(network->payloads[2], 1);
    cr_assert_eq(network->payloads[3], 0);
    network->is_cut[2] = true;
    cr_assert_eq(network_propose(network, 1, "y"), RAFT_OK);
    network_settle(network);
    cr_assert_eq(network->payloads[1], 1);
    network_free(network);
}

/* §5.3: "the leader handles inconsistencies by forcing the followers' logs to
 * duplicate its own". */
Test(raft_paper, s5_3_conflicting_tail_is_replaced)
{
    struct network *network = three();
    network_elect(network, 1);
    network->is_cut[1] = true;
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(network_propose(network, 1, "lost"), RAFT_OK);
    }
    network_settle(network);
    network_elect(network, 2);
    cr_assert_eq(network_propose(network, 2, "kept"), RAFT_OK);
    network_settle(network);
    network->is_cut[1] = false;
    raft_tick(network->nodes[2], 1);
    network_settle(network);
    cr_assert_eq(network_status(network, 1).last_index, network_status(network, 2).last_index);
    cr_assert_eq(network_status(network, 1).last_term, network_status(network, 2).last_term);
    cr_assert_eq(network->payloads[1], 1);
    network_free(network);
}

/* §5.4.1: "the voter denies its vote if its own log is more up-to-date". */
Test(raft_paper, s5_4_1_vote_needs_an_up_to_date_log)
{
    struct network *network = three();
    network_elect(network, 1);
    network->is_cut[3] = true;
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    network_settle(network);
    network->is_cut[3] = false;
    network->is_cut[1] = true;
    network_elect(network, 3);
    cr_assert_neq(network_status(network, 3).role, RAFT_LEADER);
    network_elect(network, 2);
    cr_assert_eq(network_status(network, 2).role, RAFT_LEADER);
    network_free(network);
}

/* §5.4.2: "only log entries from the leader's current term are committed by
 * counting replicas" (figure 8). */
Test(raft_paper, s5_4_2_older_terms_are_not_counted)
{
    struct network *network = three();
    network_elect(network, 1);
    raft_index committed = network_status(network, 1).hard_state.commit;
    network->is_cut[2] = network->is_cut[3] = true;
    cr_assert_eq(network_propose(network, 1, "old"), RAFT_OK);
    network_settle(network);
    network->is_cut[2] = network->is_cut[3] = false;
    /* Leader again, its own entry not yet anywhere. */
    raft_campaign(network->nodes[1]);
    network_ready(network, 1);
    raft_term term = network_status(network, 1).hard_state.term;
    cr_assert_eq(step(network, (struct raft_message){.type = RAFT_MSG_APP, .from = 2, .term = term + 1}),
                 RAFT_OK);
    cr_assert_eq(network_status(network, 1).hard_state.commit, committed);
    network_settle(network);
    network_elect(network, 1);
    network_settle(network);
    struct raft_status_report status = network_status(network, 1);
    cr_assert_eq(status.role, RAFT_LEADER);
    cr_assert_eq(status.hard_state.commit, status.last_index); /* With an entry of its own, both. */
    cr_assert_eq(network->payloads[1], 1);
    network_free(network);
}

/* §7: a follower that lags behind the leader's log gets a snapshot. */
Test(raft_paper, s7_snapshot_for_who_lags_too_far)
{
    struct network *network = three();
    network_elect(network, 1);
    network->is_cut[3] = true;
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    }
    network_settle(network);
    struct raft_status_report status = network_status(network, 1);
    struct raft_snapshot snapshot = {.index = status.applied,
                                     .term = status.last_term,
                                     .configuration = *raft_configuration(network->nodes[1])};
    raft_offer_snapshot(network->nodes[1], &snapshot);
    cr_assert_eq(raft_compact(network->nodes[1], status.applied), RAFT_OK);
    network->is_cut[3] = false;
    raft_tick(network->nodes[1], 1);
    network_settle(network);
    cr_assert_eq(network_count(network, RAFT_MSG_SNAP), 1);
    cr_assert_eq(network_status(network, 3).first_index, status.applied + 1);
    cr_assert_eq(network_propose(network, 1, "y"), RAFT_OK);
    network_settle(network);
    cr_assert_eq(network_status(network, 3).applied, status.applied + 1);
    network_free(network);
}

/* §8: a new leader commits an entry of its own term at once. */
Test(raft_paper, s8_leader_begins_with_an_empty_entry)
{
    struct network *network = three();
    raft_index last = network_status(network, 1).last_index;
    network_elect(network, 1);
    struct raft_status_report status = network_status(network, 1);
    cr_assert_eq(status.last_index, last + 1);
    cr_assert_eq(status.last_term, status.hard_state.term);
    cr_assert_eq(status.hard_state.commit, last + 1);
    network_free(network);
}

/* Thesis §3.10: leadership is handed to a follower that is up to date. */
Test(raft_paper, thesis_3_10_transfer)
{
    struct network *network = three();
    network_elect(network, 1);
    raft_transfer_leader(network->nodes[1], 3);
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_DROPPED);
    network_settle(network);
    cr_assert_eq(network_status(network, 3).role, RAFT_LEADER);
    cr_assert_eq(network_status(network, 1).leader, 3);
    network_free(network);
}

/* Thesis §3.10: "if it doesn't complete after about an election timeout, the prior
 * leader aborts the transfer". */
Test(raft_paper, thesis_3_10_transfer_gives_up)
{
    struct network *network = three();
    network_elect(network, 1);
    network->is_cut[3] = true;
    raft_transfer_leader(network->nodes[1], 3);
    network_settle(network);
    raft_tick(network->nodes[1], 10);
    cr_assert_eq(network_status(network, 1).transferee, RAFT_NONE);
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    network_free(network);
}

/* Thesis §4.2.3, §6.2: a leader that hears from no majority stops being one. */
Test(raft_paper, thesis_6_2_leader_without_quorum_steps_down)
{
    struct raft_config config = network_config();
    config.check_quorum = true;
    struct network *network = network_new(3, &config);
    network_elect(network, 1);
    raft_term term = network_status(network, 1).hard_state.term;
    network->is_cut[1] = true;
    for (int i = 0; i < 21; i++) {
        raft_tick(network->nodes[1], 1);
        network_settle(network);
    }
    cr_assert_eq(network_status(network, 1).role, RAFT_FOLLOWER);
    cr_assert_eq(network_status(network, 1).hard_state.term, term);
    network_free(network);
}

/* Thesis §4.2.3: who hears a leader grants no vote. */
Test(raft_paper, thesis_4_2_3_removed_server_does_not_disturb)
{
    struct raft_config config = network_config();
    config.check_quorum = true;
    struct network *network = network_new(3, &config);
    network_elect(network, 1);
    network_elect(network, 3);
    cr_assert_eq(network_status(network, 1).role, RAFT_LEADER);
    cr_assert_eq(network_status(network, 2).leader, 1);
    network_free(network);
}

/* Thesis §6.4: a read is confirmed by a round of heartbeats. */
Test(raft_paper, thesis_6_4_read_index_needs_a_quorum)
{
    struct network *network = three();
    network_elect(network, 1);
    cr_assert_eq(raft_read_index(network->nodes[1], base_bytes_of("r")), RAFT_OK);
    network_ready(network, 1);
    cr_assert_eq(network->read_count, 0);
    network_settle(network);
    cr_assert_eq(network->read_count, 1);
    cr_assert_eq(network->read.index, network_status(network, 1).hard_state.commit);
    network->is_cut[1] = true;
    cr_assert_eq(raft_read_index(network->nodes[1], base_bytes_of("s")), RAFT_OK);
    network_settle(network);
    cr_assert_eq(network->read_count, 1);
    network_free(network);
}

/* Thesis §6.4: a follower asks the leader. */
Test(raft_paper, thesis_6_4_follower_reads_through_the_leader)
{
    struct network *network = three();
    network_elect(network, 1);
    cr_assert_eq(raft_read_index(network->nodes[2], base_bytes_of("a context of some length")), RAFT_OK);
    network_settle(network);
    cr_assert_eq(network->read_count, 1);
    cr_assert_eq(network->read.index, network_status(network, 1).hard_state.commit);
    network_free(network);
}

/* Thesis §9.6: pre-vote keeps a node that comes back from raising terms. */
Test(raft_paper, thesis_9_6_pre_vote_does_not_raise_terms)
{
    struct raft_config config = network_config();
    config.pre_vote = true;
    struct network *network = network_new(3, &config);
    network_elect(network, 1);
    raft_term term = network_status(network, 1).hard_state.term;
    network->is_cut[3] = true;
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    network_settle(network);
    raft_tick(network->nodes[3], 100);
    network_settle(network);
    cr_assert_eq(network_status(network, 3).role, RAFT_PRE_CANDIDATE);
    cr_assert_eq(network_status(network, 3).hard_state.term, term);
    network->is_cut[3] = false;
    network_elect(network, 3);
    cr_assert_eq(network_status(network, 1).hard_state.term, term);
    network_free(network);
}

/* Thesis §10.2.1: the leader sends entries while it writes them itself, and counts
 * itself only once it has. */
Test(raft_paper, thesis_10_2_1_leader_writes_in_parallel)
{
    struct network *network = three();
    network_elect(network, 1);
    cr_assert_eq(network_propose(network, 1, "x"), RAFT_OK);
    struct raft_ready ready;
    raft_ready(network->nodes[1], &ready);
    cr_assert_eq(ready.entry_count, 1);
    cr_assert_eq(ready.message_count, 2); /* Sent along with what is to be persisted. */
    struct raft_progress_status self;
    cr_assert(raft_get_progress(network->nodes[1], 1, &self));
    cr_assert_eq(self.match, ready.entries[0].index - 1);
    raft_advance(network->nodes[1]);
    cr_assert(raft_get_progress(network->nodes[1], 1, &self));
    cr_assert_eq(self.match, network_status(network, 1).last_index);
    network_free(network);
}

/* Thesis §4.3: a joint configuration needs both majorities, and is left by itself. */
Test(raft_paper, thesis_4_3_joint_consensus)
{
    struct network *network = three();
    network_elect(network, 1);
    struct raft_conf_change change = {.change_count = 2};
    change.changes[0] = (struct raft_conf_change_single){RAFT_ADD_LEARNER_NODE, 2};
    change.changes[1] = (struct raft_conf_change_single){RAFT_REMOVE_NODE, 3};
    cr_assert_eq(raft_propose_conf_change(network->nodes[1], &change), RAFT_OK);
    network_settle(network);
    const struct raft_conf_state *conf = raft_configuration(network->nodes[1]);
    cr_assert_eq(conf->voters.count, 1);
    cr_assert_eq(conf->voters_outgoing.count, 0);
    cr_assert_eq(conf->learners.ids[0], 2);
    network_free(network);
}
