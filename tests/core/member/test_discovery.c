/* Members that find each other in a registry: nobody begins before as many as the
 * token is for have entered, and a token is good for one cluster (etcd-behaviour §4.4). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/member/boot_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 96 };

/* What is registered under the token. */
struct registry {
    struct kv_record records[RIG_PEERS];
    char keys[RIG_PEERS][KEY_SIZE];
    char values[RIG_PEERS][KEY_SIZE];
    uint32_t count;
};

static void begin(struct boot_rig *rig)
{
    rig_init(rig, 0);
    rig->config.discovery = "T1";
    rig_start(rig);
}

static void answer_size(struct boot_rig *rig, const char *size)
{
    cr_assert_str_eq(rig->asked.key, "/_etcd/registry/T1/_config/size");
    cr_assert_str_eq(rig->asked.url, "http://discovery:2379");
    const struct kv_record record = {.key = base_bytes_of(rig->asked.key), .value = base_bytes_of(size)};
    rig_answer_records(rig, &record, 1);
}

static void enter(struct registry *registry, const char *key, const char *value)
{
    uint32_t slot = registry->count++;
    (void)snprintf(registry->keys[slot], KEY_SIZE, "%s", key);
    (void)snprintf(registry->values[slot], KEY_SIZE, "%s", value);
    registry->records[slot] = (struct kv_record){.key = base_bytes_of(registry->keys[slot]),
                                                 .value = base_bytes_of(registry->values[slot])};
}

static void answer_members(struct boot_rig *rig, const struct registry *registry)
{
    cr_assert_str_eq(rig->asked.key, "/_etcd/registry/T1/members/");
    rig_answer_records(rig, registry->records, registry->count);
}

/* It registers itself. */
static void take_entry(struct boot_rig *rig, struct registry *registry)
{
    cr_assert_eq(rig->asked.op, KV_PUT);
    cr_assert_str_eq(rig->asked.value, "m1=http://m1:2380");
    enter(registry, rig->asked.key, rig->asked.value);
    rig_answer_records(rig, NULL, 0);
}

static void check_refused(struct boot_rig *rig, const char *why)
{
    char reason[RIG_TEXT];
    (void)snprintf(reason, sizeof reason,
                   "bootstrap: discovery: %s (token T1): generate a new token to bootstrap a cluster", why);
    cr_assert_str_eq(rig->stopped, reason);
    cr_assert_eq(rig->member_id, RAFT_NONE);
    cr_assert_eq(rig->disk->queue_count, 0);
    rig_release(rig);
}

Test(member_discovery, nobody_set_a_size)
{
    struct boot_rig rig;
    begin(&rig);
    rig_answer_records(&rig, NULL, 0);
    check_refused(&rig, "size key not found");
}

Test(member_discovery, a_size_is_a_positive_number)
{
    static const char *const sizes[] = {"", "0", "-3", "three", "3x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct boot_rig rig;
        begin(&rig);
        answer_size(&rig, sizes[i]);
        check_refused(&rig, "size key is bad");
    }
}

Test(member_discovery, there_is_no_room_left)
{
    struct boot_rig rig;
    struct registry registry = {.count = 0};
    enter(&registry, "/_etcd/registry/T1/members/2", "m2=http://m2:2380");
    enter(&registry, "/_etcd/registry/T1/members/3", "m3=http://m3:2380");
    begin(&rig);
    answer_size(&rig, "2");
    answer_members(&rig, &registry);
    check_refused(&rig, "cluster is full");
}

/* Two were faster between our look and our entry: who comes first by creation counts. */
Test(member_discovery, who_enters_too_late_is_not_among_the_first)
{
    struct boot_rig rig;
    struct registry registry = {.count = 0};
    begin(&rig);
    answer_size(&rig, "2");
    answer_members(&rig, &registry);
    enter(&registry, "/_etcd/registry/T1/members/2", "m2=http://m2:2380");
    enter(&registry, "/_etcd/registry/T1/members/3", "m3=http://m3:2380");
    take_entry(&rig, &registry);
    answer_members(&rig, &registry);
    check_refused(&rig, "cluster is full");
}

Test(member_discovery, it_waits_for_the_others_and_begins_with_them)
{
    struct boot_rig rig;
    struct registry registry = {.count = 0};
    begin(&rig);
    answer_size(&rig, "3");
    answer_members(&rig, &registry);
    take_entry(&rig, &registry);
    cr_assert_str_eq(rig.steps, "configured size registered");
    for (uint32_t i = 2; i <= 3; i++) {
        char key[KEY_SIZE];
        char value[KEY_SIZE];
        answer_members(&rig, &registry);
        cr_assert_eq(rig.member_id, RAFT_NONE, "%u of 3 are not enough", (unsigned)registry.count);
        (void)snprintf(key, sizeof key, "/_etcd/registry/T1/members/%u", (unsigned)i);
        (void)snprintf(value, sizeof value, "m%u=http://m%u:2380", (unsigned)i, (unsigned)i);
        enter(&registry, key, value);
        rig_advance(&rig, RIG_SECOND);
    }
    answer_members(&rig, &registry);
    cr_assert_str_eq(rig.asked.url, "http://m2:2380", "then it asks those it found");
    rig_refuse(&rig);
    rig_refuse(&rig);
    cr_assert_str_eq(rig.steps, "configured size registered complete probed ids log raft");
    cr_assert_eq(rig.peer_count, 2);
    struct member_status status;
    member_get_status(rig.member, &status);
    cr_assert_eq(status.raft.last_index, 3);
    rig_release(&rig);
}

/* The token is the cluster's too: another one would give other ids. */
Test(member_discovery, its_token_is_the_cluster_token)
{
    raft_id ids[2];
    uint64_t clusters[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct boot_rig rig;
        struct registry registry = {.count = 0};
        rig_init(&rig, i == 0 ? 0 : 1);
        if (i == 0) {
            rig_release(&rig);
            begin(&rig);
            answer_size(&rig, "1");
            answer_members(&rig, &registry);
            take_entry(&rig, &registry);
            answer_members(&rig, &registry);
        } else {
            rig.config.token = "T1";
            rig_start(&rig);
        }
        ids[i] = rig.member_id;
        clusters[i] = rig.cluster_id;
        rig_release(&rig);
    }
    cr_assert_neq(ids[0], RAFT_NONE);
    cr_assert_eq(ids[0], ids[1]);
    cr_assert_eq(clusters[0], clusters[1]);
}

/* A token that made a cluster makes no second one: who has served and lost its disk is
 * still registered, and the others know it. */
Test(member_discovery, a_used_token_is_refused_by_the_others)
{
    struct boot_rig rig;
    struct registry registry = {.count = 0};
    begin(&rig);
    answer_size(&rig, "2");
    answer_members(&rig, &registry);
    take_entry(&rig, &registry);
    enter(&registry, "/_etcd/registry/T1/members/2", "m2=http://m2:2380");
    answer_members(&rig, &registry);
    rig_refuse(&rig);
    const struct wire_member served = {.id = rig.member_id,
                                       .name = base_bytes_of("m1"),
                                       .peer_url = base_bytes_of("http://m1:2380")};
    uint64_t cluster_id = rig.cluster_id;
    model_disk_free(rig.disk);
    rig.disk = model_disk_new();
    rig_start(&rig);
    answer_size(&rig, "2");
    answer_members(&rig, &registry);
    rig_answer_records(&rig, NULL, 0); /* Entering again writes what stood there. */
    answer_members(&rig, &registry);
    rig_answer_members(&rig, cluster_id, &served, 1);
    cr_assert(strstr(rig.stopped, " has already been bootstrapped"), "%s", rig.stopped);
    rig_release(&rig);
}

/* Who cannot be reached is asked again after 1 s, 2 s, 4 s … 256 s, for ever. */
Test(member_discovery, an_unreachable_registry_is_asked_again)
{
    struct boot_rig rig;
    begin(&rig);
    for (uint32_t attempt = 0; attempt < 12; attempt++) {
        uint64_t pause_ns = RIG_SECOND << (attempt < 8 ? attempt : 8);
        uint32_t questions = rig.question_count;
        rig_refuse(&rig);
        rig_advance(&rig, pause_ns - 1);
        cr_assert_eq(rig.question_count, questions, "attempt %u", (unsigned)attempt);
        rig_advance(&rig, 1);
        cr_assert_eq(rig.question_count, questions + 1, "attempt %u", (unsigned)attempt);
    }
    cr_assert_str_eq(rig.stopped, "");
    answer_size(&rig, "1");
    cr_assert_str_eq(rig.steps, "configured size");
    rig_release(&rig);
}

/* One that takes the question and does not answer: given up after 5 s, and an answer
 * that comes later is nobody's. */
Test(member_discovery, a_silent_registry_is_given_up)
{
    struct boot_rig rig;
    begin(&rig);
    uint64_t late = rig.asked.number;
    rig_advance(&rig, 5 * RIG_SECOND);
    cr_assert_eq(rig.question_count, 1);
    rig_advance(&rig, RIG_SECOND);
    cr_assert_eq(rig.question_count, 2);
    uint64_t number = rig.asked.number;
    rig.asked.number = late;
    rig_answer_records(&rig, NULL, 0);
    cr_assert_str_eq(rig.stopped, "", "no answer to the question that is open");
    rig.asked.number = number;
    answer_size(&rig, "1");
    cr_assert_str_eq(rig.steps, "configured size");
    rig_release(&rig);
}
