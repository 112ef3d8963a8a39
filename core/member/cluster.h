/* Who belongs to the cluster: members by id, with names and addresses, and the
 * ids that were removed and may never return. Ids as etcd makes them
 * (etcd-behaviour §2.6; etcd: membership/cluster.go). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_CLUSTER_H
#define CORE_MEMBER_CLUSTER_H

#include "core/base/status.h"
#include "core/wire/wire.h"

/* Changes that are made at once. */
struct member_change_list {
    const struct wire_change *items;
    uint32_t count;
};

/* Owns its strings. Sorted by id. */
struct member_cluster {
    const struct base_allocator *allocator;
    uint32_t count;
    uint32_t removed_count;
    uint32_t removed_capacity;
    struct wire_member members[RAFT_MEMBERS_MAX];
    raft_id *removed;
};

void member_cluster_init(struct member_cluster *cluster, const struct base_allocator *allocator);
void member_cluster_release(struct member_cluster *cluster);
/* NULL when there is none. Borrowed until the next change. */
const struct wire_member *member_cluster_find(const struct member_cluster *cluster, raft_id id);
bool member_cluster_is_removed(const struct member_cluster *cluster, raft_id id);
/* Copies what `member` points to. MEMBER_REMOVED, MEMBER_EXISTS, PEER_URL_EXISTS. */
enum base_status member_cluster_add(struct member_cluster *cluster, const struct wire_member *member);
/* `id` was removed, whether or not it is known here. */
void member_cluster_bury(struct member_cluster *cluster, raft_id id);
/* Would these changes, made at once, fit? MEMBER_REMOVED, MEMBER_EXISTS, PEER_URL_EXISTS,
 * MEMBER_NOT_FOUND, MEMBER_NOT_LEARNER; INVALID when they contradict each other. */
enum base_status member_cluster_check(const struct member_cluster *cluster,
                                      const struct member_change_list *list);
/* Learners and voters are what `state` calls them; who is not in it at all is removed,
 * and its id put into `gone`. Answers how many. */
uint32_t member_cluster_follow(struct member_cluster *cluster, const struct raft_conf_state *state,
                               raft_id gone[RAFT_MEMBERS_MAX]);
/* Name and address of a member that is there: MEMBER_NOT_FOUND. Empty: as it was. */
enum base_status member_cluster_update(struct member_cluster *cluster, const struct wire_member *member);

/* Of all of it, the removed included. */
uint64_t member_cluster_hash(const struct member_cluster *cluster);

/* The id of a member with this address (or these: "a,b"): the first 8 bytes, big-endian,
 * of SHA-1 over sorted addresses and token, and over `time_s` in decimal for one added
 * later (0: not). */
raft_id member_id_of(struct base_bytes peer_url, struct base_bytes token, uint64_t time_s);
/* The cluster's: likewise over the sorted member ids. */
uint64_t member_cluster_id_of(const raft_id *sorted, uint32_t count);

#endif
