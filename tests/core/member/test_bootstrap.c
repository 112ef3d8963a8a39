/* Who a member is when it starts: every way in, and every misconfiguration with the
 * error of its own (etcd-behaviour §4.1 to §4.3). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/member/boot_rig.h"

#include <criterion/criterion.h>
#include <string.h>

/* Refuse whatever is asked until nothing is: no peer is there. */
static void refuse_all(struct boot_rig *rig)
{
    while (rig->asked.number != 0 && rig->stopped[0] == '\0') {
        rig_refuse(rig);
    }
}

/* It must stop for this reason, before it is anybody and with nothing on its disk. */
static void check_stops(struct boot_rig *rig, const char *reason)
{
    rig_start(rig);
    cr_assert_str_eq(rig->stopped, reason);
    cr_assert_eq(rig->member_id, RAFT_NONE);
    cr_assert_eq(rig->question_count, 0);
    cr_assert_eq(rig->disk->queue_count, 0);
    rig_release(rig);
}

/* --- misconfigurations --- */

Test(member_misconfigured, its_name_is_not_in_the_list)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.name = "m9";
    check_stops(&rig, "bootstrap: couldn't find local name \"m9\" in the initial cluster configuration");
}

Test(member_misconfigured, the_list_has_an_address_it_does_not_advertise)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.peers[0].url = "http://m1:2380,http://m1:9999";
    check_stops(&rig, "bootstrap: initial-cluster has http://m1:9999 but missing from "
                      "initial-advertise-peer-urls=http://m1:2380");
}

Test(member_misconfigured, it_advertises_an_address_that_is_not_in_the_list)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.url = "http://m1:2380,http://elsewhere:1";
    check_stops(&rig, "bootstrap: initial-advertise-peer-urls has http://elsewhere:1 but missing from "
                      "initial-cluster=http://m1:2380");
}

Test(member_misconfigured, two_members_share_an_address)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.peers[2].url = "http://m3:2380,http://m2:2380";
    check_stops(&rig, "bootstrap: initial cluster m2=http://m2:2380,m3=http://m3:2380,http://m2:2380 has "
                      "duplicate url http://m2:2380");
}

Test(member_misconfigured, two_members_have_one_id)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.peers[1].url = rig.peers[2].url = "";
    rig_start(&rig);
    static const char reason[] = "bootstrap: member exists with identical ID ";
    cr_assert_eq(strncmp(rig.stopped, reason, strlen(reason)), 0, "%s", rig.stopped);
    cr_assert_eq(rig.disk->queue_count, 0);
    rig_release(&rig);
}

Test(member_misconfigured, there_is_neither_a_list_nor_discovery)
{
    struct boot_rig rig;
    rig_init(&rig, 0);
    check_stops(&rig, "bootstrap: initial cluster unset and no discovery endpoints found");
}

Test(member_misconfigured, there_are_both_a_list_and_discovery)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.discovery = "token";
    check_stops(&rig, "bootstrap: multiple discovery or bootstrap flags are set: choose one of "
                      "initial-cluster and discovery");
}

Test(member_misconfigured, the_state_is_neither_new_nor_existing)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.state = "old";
    check_stops(&rig, "bootstrap: unknown initial-cluster-state \"old\", expected \"new\" or \"existing\"");
}

Test(member_misconfigured, discovery_is_set_for_a_cluster_that_exists)
{
    struct boot_rig rig;
    rig_init(&rig, 0);
    rig.config.discovery = "token";
    rig.config.state = "existing";
    check_stops(&rig, "bootstrap: discovery should not be set when joining existing initial cluster");
}

Test(member_misconfigured, the_election_timeout_is_below_five_heartbeats)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.strict_timing = true;
    rig.config.heartbeat_ticks = 3;
    check_stops(&rig, "bootstrap: election-timeout[1000ms] should be at least as 5 times as "
                      "heartbeat-interval[300ms]");
}

Test(member_misconfigured, the_election_timeout_is_beyond_fifty_seconds)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.strict_timing = true;
    rig.config.election_ticks = 501;
    check_stops(&rig,
                "bootstrap: election-timeout[50100ms] is too long, and should be set less than 50000ms");
}

Test(member_misconfigured, there_is_no_log_to_force_a_cluster_from)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig.config.force_new_cluster = true;
    check_stops(&rig, "bootstrap: no log to force a new cluster from");
}

/* --- a new cluster --- */

/* A peer that refuses costs nothing; all are asked, by their addresses. */
Test(member_bootstrap, nobody_is_there_yet)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    cr_assert_str_eq(rig.asked.url, "http://m2:2380");
    rig_refuse(&rig);
    cr_assert_str_eq(rig.asked.url, "http://m3:2380");
    cr_assert_eq(rig.member_id, RAFT_NONE);
    rig_refuse(&rig);
    cr_assert_str_eq(rig.steps, "configured probed ids log raft");
    cr_assert_eq(rig.now_ns, RIG_SECOND);
    cr_assert_eq(rig.peer_count, 2);
    rig_release(&rig);
}

Test(member_bootstrap, a_silent_peer_costs_a_second)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    rig_advance(&rig, RIG_SECOND - 1);
    cr_assert_str_eq(rig.asked.url, "http://m2:2380");
    rig_advance(&rig, 1);
    cr_assert_str_eq(rig.asked.url, "http://m3:2380");
    rig_advance(&rig, RIG_SECOND);
    cr_assert_str_eq(rig.steps, "configured probed ids log raft");
    rig_release(&rig);
}

/* Nothing is said to anybody before the log that says who we are is durable. */
Test(member_bootstrap, silence_until_the_log_is_durable)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    refuse_all(&rig);
    uint32_t questions = rig.question_count;
    member_tick(rig.member, rig.now_ns, 40);
    cr_assert_eq(rig.sent_count, 0);
    cr_assert_eq(rig.question_count, questions);
    rig_settle(&rig);
    member_tick(rig.member, rig.now_ns, 40);
    rig_settle(&rig);
    cr_assert_gt(rig.sent_count, 0, "it stands for election");
    rig_release(&rig);
}

static raft_id id_in(const char *token, uint32_t count, uint64_t *cluster_id)
{
    struct boot_rig rig;
    rig_init(&rig, count);
    rig.config.token = token;
    rig_start(&rig);
    refuse_all(&rig);
    raft_id id = rig.member_id;
    *cluster_id = rig.cluster_id;
    rig_release(&rig);
    return id;
}

Test(member_bootstrap, another_token_or_list_is_another_cluster)
{
    uint64_t cluster = 0;
    uint64_t same = 0;
    uint64_t other_token = 0;
    uint64_t other_list = 0;
    raft_id id = id_in("token", 3, &cluster);
    cr_assert_eq(id_in("token", 3, &same), id);
    cr_assert_eq(same, cluster);
    cr_assert_neq(id_in("another", 3, &other_token), id);
    cr_assert_neq(other_token, cluster);
    cr_assert_eq(id_in("token", 4, &other_list), id, "the id is of address and token");
    cr_assert_neq(other_list, cluster);
}

/* Every member begins with the same log: all members by id, of term 1, committed. */
Test(member_bootstrap, the_first_log_is_the_membership)
{
    struct boot_rig rig;
    rig_init(&rig, 5);
    rig_start(&rig);
    refuse_all(&rig);
    struct member_status status;
    member_get_status(rig.member, &status);
    cr_assert_eq(status.raft.last_index, 5);
    cr_assert_eq(status.raft.hard_state.term, 1);
    cr_assert_eq(status.raft.hard_state.commit, 5);
    rig_settle(&rig);
    const struct raft_conf_state *configuration = member_configuration(rig.member);
    cr_assert_eq(configuration->voters.count, 5);
    cr_assert_eq(configuration->learners.count, 0);
    rig_release(&rig);
}

/* --- a peer that answers is believed --- */

static void members_at(const struct boot_rig *rig, const char *name_of_first, struct wire_member out[3])
{
    for (uint32_t i = 0; i < 3; i++) {
        out[i] = (struct wire_member){.id = 100 + i,
                                      .name = base_bytes_of(i == 0 ? name_of_first : rig->peers[i].name),
                                      .peer_url = base_bytes_of(rig->peers[i].url)};
    }
}

Test(member_bootstrap, who_has_served_before_does_not_begin_anew)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    uint64_t cluster_id = 0;
    raft_id id = id_in("token", 3, &cluster_id);
    rig_start(&rig);
    struct wire_member members[3];
    members_at(&rig, "m1", members);
    members[0].id = id;
    rig_answer_members(&rig, cluster_id, members, 3);
    cr_assert(strstr(rig.stopped, " has already been bootstrapped"), "%s", rig.stopped);
    cr_assert_eq(rig.disk->queue_count, 0);
    rig_release(&rig);
}

/* Listed and never published: the others have begun and we have not. */
Test(member_bootstrap, who_is_listed_without_a_name_begins)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    uint64_t cluster_id = 0;
    raft_id id = id_in("token", 3, &cluster_id);
    rig_start(&rig);
    struct wire_member members[3];
    members_at(&rig, "", members);
    members[0].id = id;
    rig_answer_members(&rig, cluster_id, members, 3);
    cr_assert_str_eq(rig.stopped, "");
    cr_assert_str_eq(rig.steps, "configured probed ids log raft");
    rig_release(&rig);
}

/* --- the data directory decides --- */

/* A log: whatever the configuration says of a cluster is ignored, wrong or not. */
Test(member_bootstrap, a_log_on_disk_is_who_it_is)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    refuse_all(&rig);
    rig_settle(&rig);
    uint64_t cluster_id = rig.cluster_id;
    raft_id id = rig.member_id;
    rig.config.token = "another";
    rig.config.name = "m9";
    rig.config.peer_count = 0;
    rig.config.state = "old";
    rig_start(&rig);
    cr_assert_str_eq(rig.stopped, "");
    cr_assert_eq(rig.cluster_id, cluster_id);
    cr_assert_eq(rig.member_id, id);
    cr_assert_eq(strncmp(rig.steps, "recovered", 9), 0, "%s", rig.steps);
    rig_release(&rig);
}

/* Died before its log had a name: it was never there. */
Test(member_bootstrap, a_log_that_was_not_finished_is_none)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    refuse_all(&rig);
    rig_start(&rig);
    cr_assert_eq(strncmp(rig.steps, "configured", 10), 0, "%s", rig.steps);
    rig_release(&rig);
}

Test(member_bootstrap, a_backup_goes_into_no_used_directory)
{
    struct boot_rig rig;
    rig_init(&rig, 3);
    rig_start(&rig);
    refuse_all(&rig);
    rig_settle(&rig);
    rig.config.backup = base_bytes_of("anything");
    rig_start(&rig);
    cr_assert_str_eq(rig.stopped, "restore: the data directory is not empty");
    rig_release(&rig);
}

/* --- joining a cluster that exists --- */

static void join_start(struct boot_rig *rig)
{
    rig_init(rig, 3);
    rig->config.state = "existing";
    rig_start(rig);
}

Test(member_join, takes_its_ids_from_the_others)
{
    struct boot_rig rig;
    struct wire_member members[3];
    join_start(&rig);
    members_at(&rig, "", members);
    rig_answer_members(&rig, 77, members, 3);
    cr_assert_str_eq(rig.steps, "configured joined log raft");
    cr_assert_eq(rig.member_id, 100);
    cr_assert_eq(rig.cluster_id, 77);
    struct member_status status;
    member_get_status(rig.member, &status);
    cr_assert_eq(status.raft.last_index, 0, "its log is empty");
    rig_settle(&rig);
    member_tick(rig.member, rig.now_ns, 100);
    rig_settle(&rig);
    member_get_status(rig.member, &status);
    cr_assert_eq(status.raft.hard_state.term, 0, "who is in no configuration does not stand");
    rig_release(&rig);
}

Test(member_join, nobody_has_added_it)
{
    struct boot_rig rig;
    struct wire_member members[3];
    join_start(&rig);
    members_at(&rig, "", members);
    rig_answer_members(&rig, 77, members + 1, 2);
    rig_answer_members(&rig, 77, members + 1, 2);
    cr_assert_str_eq(rig.stopped, "bootstrap: error validating peerURLs: member count is unequal");
    rig_release(&rig);
}

Test(member_join, the_cluster_lives_elsewhere)
{
    struct boot_rig rig;
    struct wire_member members[3];
    join_start(&rig);
    members_at(&rig, "", members);
    members[2].peer_url = base_bytes_of("http://elsewhere:1");
    rig_answer_members(&rig, 77, members, 3);
    rig_answer_members(&rig, 77, members, 3);
    static const char reason[] =
        "bootstrap: error validating peerURLs: PeerURLs: no match found for existing member";
    cr_assert_eq(strncmp(rig.stopped, reason, strlen(reason)), 0, "%s", rig.stopped);
    rig_release(&rig);
}

/* One that lags does not know of us yet; the next one does. */
Test(member_join, one_peer_that_knows_is_enough)
{
    struct boot_rig rig;
    struct wire_member members[3];
    join_start(&rig);
    members_at(&rig, "", members);
    rig_answer_members(&rig, 77, members + 1, 2);
    rig_answer_members(&rig, 77, members, 3);
    cr_assert_str_eq(rig.stopped, "");
    cr_assert_eq(rig.member_id, 100);
    rig_release(&rig);
}

Test(member_join, nobody_answers_for_ten_seconds)
{
    struct boot_rig rig;
    join_start(&rig);
    rig_advance(&rig, 9 * RIG_SECOND);
    cr_assert_str_eq(rig.stopped, "");
    rig_advance(&rig, 2 * RIG_SECOND);
    cr_assert_str_eq(rig.stopped, "bootstrap: cannot fetch cluster info from peer urls: could not retrieve "
                                  "cluster information from the given URLs");
    rig_release(&rig);
}
