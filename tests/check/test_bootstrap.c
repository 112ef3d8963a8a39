/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))
#define OTHER_CLUSTER UINT64_C(0xc2)

static void receive(struct rig *rig, uint64_t cluster_id, raft_id from)
{
    struct wire_message message = {.kind = WIRE_RAFT,
                                   .cluster_id = cluster_id,
                                   .from = from,
                                   .to = rig_id(2),
                                   .raft = {.type = RAFT_MSG_HEARTBEAT, .from = from, .term = 9}};
    check_receive(rig->check, rig->now, 2, 9, &message);
}

Test(check_bootstrap, follows_a_leader_of_another_cluster)
{
    struct rig rig;
    rig_init(&rig);
    receive(&rig, OTHER_CLUSTER, 909);
    check_role(rig.check, rig.now, 2, RAFT_FOLLOWER, 9, 909);
    EXPECT(CHECK_BOOTSTRAP);
    rig_release(&rig);
}

Test(check_bootstrap, appends_what_another_cluster_sent)
{
    struct rig rig;
    rig_init(&rig);
    receive(&rig, OTHER_CLUSTER, 909);
    rig_append(&rig, 2, 1, 9, "foreign");
    EXPECT(CHECK_BOOTSTRAP);
    rig_release(&rig);
}

Test(check_bootstrap, refuses_another_cluster)
{
    struct rig rig;
    rig_init(&rig);
    receive(&rig, OTHER_CLUSTER, 909);
    rig_wait(&rig, RIG_SECOND);
    receive(&rig, RIG_CLUSTER, rig_id(1));
    check_role(rig.check, rig.now, 2, RAFT_FOLLOWER, 9, rig_id(1));
    rig_append(&rig, 2, 1, 9, "ours");
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

static void serve(struct rig *rig, uint64_t cluster_id)
{
    struct wire_request get = rig_get_request("k");
    struct wire_response response = {.cluster_id = cluster_id, .revision = 1, .result = {.kind = KV_RANGE}};
    uint64_t call = rig_invoke(rig, 11, &get);
    check_return(rig->check, rig->now, 11, call, &get, &response, false);
    rig_wait(rig, RIG_SECOND);
}

Test(check_bootstrap, two_clusters_share_a_machine_and_serve)
{
    struct rig rig;
    rig_init(&rig);
    serve(&rig, RIG_CLUSTER);
    check_identity(rig.check, rig.now, 3, OTHER_CLUSTER, 909);
    serve(&rig, OTHER_CLUSTER);
    EXPECT(CHECK_COUNT);
    serve(&rig, RIG_CLUSTER);
    serve(&rig, OTHER_CLUSTER);
    EXPECT(CHECK_BOOTSTRAP);
    rig_release(&rig);
}

Test(check_bootstrap, serves_before_a_quorum_shares_the_membership)
{
    struct rig rig;
    rig_init(&rig);
    check_identity(rig.check, rig.now, 1, OTHER_CLUSTER, 901);
    struct raft_conf_state configuration = {.voters = {.count = 3, .ids = {901, 902, 903}}};
    check_configuration(rig.check, rig.now, 1, &configuration);
    serve(&rig, OTHER_CLUSTER);
    EXPECT(CHECK_BOOTSTRAP);
    rig_release(&rig);
}

Test(check_bootstrap, serves_before_who_was_added_has_begun)
{
    struct rig rig;
    rig_init(&rig);
    check_identity(rig.check, rig.now, 1, OTHER_CLUSTER, 901);
    struct raft_conf_state configuration = {.voters = {.count = 1, .ids = {901}}};
    check_configuration(rig.check, rig.now, 1, &configuration);
    configuration = (struct raft_conf_state){.voters = {.count = 2, .ids = {901, 902}}};
    check_configuration(rig.check, rig.now, 1, &configuration);
    serve(&rig, OTHER_CLUSTER);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_bootstrap, a_machine_with_a_new_directory_left_its_old_cluster)
{
    struct rig rig;
    rig_init(&rig);
    serve(&rig, RIG_CLUSTER);
    check_down(rig.check, rig.now, 3, true);
    check_wipe(rig.check, rig.now, 3);
    check_identity(rig.check, rig.now, 3, OTHER_CLUSTER, 909);
    serve(&rig, OTHER_CLUSTER);
    serve(&rig, RIG_CLUSTER);
    serve(&rig, OTHER_CLUSTER);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A cluster made from a backup at revision 2, when revision 3 was acknowledged. */
static void restore(struct rig *rig)
{
    struct wire_request put = rig_put_request("k", "new");
    const struct check_restored restored = {.cluster_id = RIG_CLUSTER, .revision = 2};
    rig_init(rig);
    rig_lead(rig, 1, 2);
    rig_put(rig, "k", "old", 2, 1);
    uint64_t call = rig_invoke(rig, 11, &put);
    rig_put(rig, "k", "new", 2, 2);
    rig_return_put(rig, 11, call, &put, 3);
    check_identity(rig->check, rig->now, 4, OTHER_CLUSTER, 904);
    check_restored(rig->check, rig->now, 4, &restored);
}

static void answer(struct rig *rig, const char *value, int64_t version)
{
    struct wire_request get = rig_get_request("k");
    const struct kv_record record = {.key = base_bytes_of("k"),
                                     .value = base_bytes_of(value),
                                     .create_revision = 2,
                                     .mod_revision = 2,
                                     .version = version};
    struct wire_response response = {
        .cluster_id = OTHER_CLUSTER,
        .revision = 2,
        .result = {.kind = KV_RANGE, .count = 1, .record_count = 1, .records = &record},
    };
    uint64_t call = rig_invoke(rig, 12, &get);
    check_return(rig->check, rig->now, 12, call, &get, &response, false);
}

Test(check_bootstrap, a_restored_cluster_has_what_its_backup_had)
{
    struct rig rig;
    restore(&rig);
    answer(&rig, "old", 1);
    EXPECT(CHECK_COUNT);
    cr_assert_eq(check_lost(rig.check), 1);
    rig_release(&rig);
}

Test(check_bootstrap, a_restored_cluster_has_nothing_else)
{
    struct rig rig;
    restore(&rig);
    answer(&rig, "altered", 1);
    EXPECT(CHECK_HISTORY);
    rig_release(&rig);
}
