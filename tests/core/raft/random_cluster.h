/* A cluster that everything happens to: messages lost, doubled and reordered, nodes
 * restarted from what they had persisted, configurations changed, leadership moved,
 * logs compacted. The laws of Raft are asserted as it goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_RAFT_RANDOM_CLUSTER_H
#define TESTS_CORE_RAFT_RANDOM_CLUSTER_H

#include "core/raft/raft.h"

enum {
    CLUSTER_NODES = 6,
    CLUSTER_LOG_MAX = 1 << 16,
    CLUSTER_TERMS_MAX = 1 << 14,
    CLUSTER_FLIGHTS_MAX = 256,
    CLUSTER_WORKS_MAX = 64,
    CLUSTER_READS_MAX = 1 << 12
};

/* A deep copy of a message; owns what it points to. */
struct flight {
    struct raft_message message;
    struct raft_entry *entries;
    uint8_t *bytes;
    struct raft_snapshot snapshot;
    struct flight *responses;
};

struct cluster_entry {
    raft_term term;
    uint64_t value; /* A proposal's number, or a hash of a change. */
    enum raft_entry_type type;
    uint32_t size;
    uint8_t data[64];
};

/* What survives a crash. */
struct cluster_disk {
    struct raft_hard_state state;
    struct raft_snapshot snapshot;
    raft_index last;
    struct cluster_entry *log; /* By index. */
};

struct cluster_node {
    struct cluster *cluster;
    raft_id id;
    struct raft *raft; /* NULL: down. */
    struct raft_observer observer;
    bool is_async;
    struct cluster_disk disk;
    raft_index applied;
    raft_index commit;                    /* The highest seen in this life. */
    struct raft_conf_state configuration; /* As of applied. */
    struct flight appends[CLUSTER_WORKS_MAX];
    uint32_t append_count;
    struct flight applies[CLUSTER_WORKS_MAX];
    uint32_t apply_count;
    raft_id voted[CLUSTER_TERMS_MAX]; /* Votes that went out, by term. */
};

struct cluster {
    uint64_t random;
    struct cluster_node nodes[CLUSTER_NODES];
    struct flight flights[CLUSTER_FLIGHTS_MAX];
    uint32_t flight_count;
    raft_id leaders[CLUSTER_TERMS_MAX];
    struct cluster_entry *committed; /* By index: what was applied first. */
    raft_index committed_last;
    raft_index commit_max;               /* The highest commit index any node has had. */
    raft_index reads[CLUSTER_READS_MAX]; /* What each read must not be below. */
    uint32_t read_count;
    uint64_t proposal_count;
    uint64_t elections;
    uint64_t restarts;
    uint64_t snapshots;
    uint64_t changes;
    uint64_t reads_done;
    bool is_safe_read;
    /* The same for all: with either on some nodes alone a node can stay outside
     * for good, as in etcd. */
    bool pre_vote;
    bool check_quorum;
};

/* cluster.c */
struct cluster *cluster_new(uint64_t seed);
void cluster_free(struct cluster *cluster);
/* One thing happens. */
void cluster_step(struct cluster *cluster);
/* Everything works from now on: true once something new has been committed and
 * all members have applied it. */
bool cluster_heal(struct cluster *cluster);
uint64_t cluster_draw(struct cluster *cluster, uint64_t bound);

/* cluster_host.c: what a host does for one node. */
void cluster_start(struct cluster_node *node, const struct raft_config *config, bool is_new, uint32_t voters);
void cluster_crash(struct cluster_node *node);
/* Carry out Ready until there is none. `may_crash`: perhaps not to the end. */
void cluster_settle(struct cluster_node *node, bool may_crash);
void cluster_run_append(struct cluster_node *node);
void cluster_run_apply(struct cluster_node *node);
void cluster_send(struct cluster *cluster, const struct raft_message *message);

/* flight.c */
void flight_load(struct flight *flight, const struct raft_message *message);
void flight_release(struct flight *flight);
extern const struct base_allocator cluster_allocator;

#endif
