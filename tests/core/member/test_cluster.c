/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/cluster.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void *resize(void *context, void *block, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static const struct base_allocator allocator = {.resize = resize};

static struct wire_member at(raft_id id, const char *url)
{
    return (struct wire_member){.id = id, .peer_url = base_bytes_of(url)};
}

/* Members 1 and 2 vote, 3 learns, 9 was removed. */
static void begin(struct member_cluster *cluster)
{
    member_cluster_init(cluster, &allocator);
    for (raft_id id = 1; id <= 3; id++) {
        char url[16] = "http://m0:1";
        url[8] = (char)('0' + id);
        struct wire_member member = at(id, url);
        member.is_learner = id == 3;
        cr_assert_eq(member_cluster_add(cluster, &member), BASE_OK);
    }
    member_cluster_bury(cluster, 9);
}

static enum base_status check_one(struct member_cluster *cluster, enum wire_change_kind kind, raft_id id,
                                  const char *url)
{
    const struct wire_change change = {.kind = kind, .member = at(id, url)};
    const struct member_change_list list = {.items = &change, .count = 1};
    return member_cluster_check(cluster, &list);
}

/* etcd-behaviour §2.6: what a change may be refused for. */
Test(member_cluster, refuses_what_does_not_fit)
{
    static const struct {
        enum wire_change_kind kind;
        raft_id id;
        const char *url;
        enum base_status status;
    } cases[] = {
        {WIRE_CHANGE_ADD, 4, "http://m4:1", BASE_OK},
        {WIRE_CHANGE_ADD, 1, "http://m4:1", BASE_MEMBER_EXISTS},
        {WIRE_CHANGE_ADD, 9, "http://m4:1", BASE_MEMBER_REMOVED},
        {WIRE_CHANGE_ADD, 4, "http://m2:1", BASE_PEER_URL_EXISTS},
        {WIRE_CHANGE_ADD, 4, "", BASE_INVALID},
        {WIRE_CHANGE_ADD, RAFT_NONE, "http://m4:1", BASE_INVALID},
        {WIRE_CHANGE_ADD, RAFT_APPEND_THREAD, "http://m4:1", BASE_INVALID},
        {WIRE_CHANGE_REMOVE, 2, "", BASE_OK},
        {WIRE_CHANGE_REMOVE, 7, "", BASE_MEMBER_NOT_FOUND},
        {WIRE_CHANGE_REMOVE, 9, "", BASE_MEMBER_REMOVED},
        {WIRE_CHANGE_PROMOTE, 3, "", BASE_OK},
        {WIRE_CHANGE_PROMOTE, 2, "", BASE_MEMBER_NOT_LEARNER},
        {WIRE_CHANGE_PROMOTE, 7, "", BASE_MEMBER_NOT_FOUND},
        {WIRE_CHANGE_DEMOTE, 2, "", BASE_OK},
        {WIRE_CHANGE_DEMOTE, 3, "", BASE_INVALID},
        {WIRE_CHANGE_UPDATE, 2, "http://m2:1", BASE_OK},
        {WIRE_CHANGE_UPDATE, 2, "http://m8:1", BASE_OK},
        {WIRE_CHANGE_UPDATE, 2, "http://m1:1", BASE_PEER_URL_EXISTS},
        {WIRE_CHANGE_UPDATE, 7, "http://m8:1", BASE_MEMBER_NOT_FOUND},
    };
    struct member_cluster cluster;
    begin(&cluster);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(check_one(&cluster, cases[i].kind, cases[i].id, cases[i].url), cases[i].status,
                     "case %zu", i);
    }
    member_cluster_release(&cluster);
}

Test(member_cluster, changes_made_at_once_must_not_contradict)
{
    struct member_cluster cluster;
    begin(&cluster);
    const struct wire_change twice[] = {{.kind = WIRE_CHANGE_REMOVE, .member = at(2, "")},
                                        {.kind = WIRE_CHANGE_DEMOTE, .member = at(2, "")}};
    const struct wire_change one_place[] = {{.kind = WIRE_CHANGE_ADD, .member = at(4, "http://m4:1")},
                                            {.kind = WIRE_CHANGE_ADD, .member = at(5, "http://m4:1")}};
    const struct wire_change good[] = {{.kind = WIRE_CHANGE_ADD, .member = at(4, "http://m4:1")},
                                       {.kind = WIRE_CHANGE_REMOVE, .member = at(2, "")}};
    struct member_change_list list = {.items = twice, .count = 2};
    cr_assert_eq(member_cluster_check(&cluster, &list), BASE_INVALID);
    list.items = one_place;
    cr_assert_eq(member_cluster_check(&cluster, &list), BASE_PEER_URL_EXISTS);
    list.items = good;
    cr_assert_eq(member_cluster_check(&cluster, &list), BASE_OK);
    member_cluster_release(&cluster);
}

/* Who votes is what Raft says; who still votes in the outgoing half is still there. */
Test(member_cluster, follows_the_configuration)
{
    struct member_cluster cluster;
    raft_id gone[RAFT_MEMBERS_MAX];
    begin(&cluster);
    struct raft_conf_state joint = {.voters = {.count = 2, .ids = {1, 3}},
                                    .voters_outgoing = {.count = 2, .ids = {1, 2}}};
    cr_assert_eq(member_cluster_follow(&cluster, &joint, gone), 0u);
    cr_assert(!member_cluster_find(&cluster, 3)->is_learner);
    cr_assert(!member_cluster_is_removed(&cluster, 2));

    struct raft_conf_state after = {.voters = {.count = 1, .ids = {3}}, .learners = {.count = 1, .ids = {1}}};
    cr_assert_eq(member_cluster_follow(&cluster, &after, gone), 1u);
    cr_assert_eq(gone[0], (raft_id)2);
    cr_assert(member_cluster_is_removed(&cluster, 2));
    cr_assert(member_cluster_find(&cluster, 1)->is_learner);
    cr_assert_null(member_cluster_find(&cluster, 2));
    cr_assert_eq(check_one(&cluster, WIRE_CHANGE_ADD, 2, "http://m2:1"), BASE_MEMBER_REMOVED);
    member_cluster_release(&cluster);
}

Test(member_cluster, the_hash_sees_everything)
{
    struct member_cluster a;
    struct member_cluster b;
    begin(&a);
    begin(&b);
    cr_assert_eq(member_cluster_hash(&a), member_cluster_hash(&b));
    member_cluster_bury(&b, 11);
    cr_assert_neq(member_cluster_hash(&a), member_cluster_hash(&b));
    member_cluster_bury(&a, 11);
    const struct wire_member named = {.id = 1, .name = base_bytes_of("m1")};
    cr_assert_eq(member_cluster_update(&a, &named), BASE_OK);
    cr_assert_neq(member_cluster_hash(&a), member_cluster_hash(&b));
    member_cluster_release(&a);
    member_cluster_release(&b);
}

/* One that is added again is somebody else. */
Test(member_cluster, ids_differ_by_time)
{
    struct base_bytes url = base_bytes_of("http://m1:1");
    struct base_bytes token = base_bytes_of("");
    cr_assert_neq(member_id_of(url, token, 1), member_id_of(url, token, 2));
    cr_assert_neq(member_id_of(url, token, 1), member_id_of(url, token, 0));
    cr_assert_eq(member_id_of(url, token, 7), member_id_of(url, token, 7));
}
