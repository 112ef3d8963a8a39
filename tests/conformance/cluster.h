/* Scripted nodes and the pool of messages between them. Nothing moves but what a
 * command moves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFORMANCE_CLUSTER_H
#define TESTS_CONFORMANCE_CLUSTER_H

#include "tests/conformance/store.h"

enum { CLUSTER_NODES_MAX = 32 };

/* Messages in order; what they point to is in the cluster's arena. */
struct pool {
    struct raft_message *items;
    size_t count;
    size_t capacity;
};

void pool_push(struct pool *pool, const struct raft_message *message);
void pool_remove(struct pool *pool, size_t place);

struct node {
    struct raft *raft;
    struct raft_config config;
    struct store store;
    /* The newest state: what was applied, one after the other. */
    struct raft_snapshot state;
    struct pool append_work;
    struct pool apply_work;
};

struct conformance_cluster {
    struct base_arena arena;
    uint32_t node_count;
    struct node nodes[CLUSTER_NODES_MAX];
    struct pool messages;
    bool is_quiet; /* log-level none */
    uint64_t random;
};

/* Add a node like `config`, restored from `snapshot` unless that is at index 0.
 * Answers what is wrong, or NULL. */
const char *cluster_add(struct conformance_cluster *cluster, const struct raft_config *config,
                        const struct raft_snapshot *snapshot);
/* Each prints what it does to `out`; answers an error's text, or NULL. */
const char *cluster_ready(struct conformance_cluster *cluster, struct node *node, struct base_buffer *out);
const char *cluster_append_thread(struct conformance_cluster *cluster, struct node *node,
                                  struct base_buffer *out);
const char *cluster_apply_thread(struct conformance_cluster *cluster, struct node *node,
                                 struct base_buffer *out);
/* Deliver, or drop, what is in the pool for `to`; `type` RAFT_MSG_COUNT is any.
 * Answers how many. */
size_t cluster_deliver(struct conformance_cluster *cluster, raft_id to, enum raft_message_type type,
                       bool drop, struct base_buffer *out);
bool cluster_has_messages(const struct conformance_cluster *cluster, raft_id to);
const char *cluster_stabilize(struct conformance_cluster *cluster, struct node **nodes, size_t node_count,
                              struct base_buffer *out);
/* Indent by two what `out` has from `start` on, line by line. */
void cluster_indent(struct base_buffer *out, size_t start);

#endif
