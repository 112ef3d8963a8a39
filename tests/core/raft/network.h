/* A few nodes over links that lose nothing unless they are cut: for tests of single
 * rules. Messages are delivered in the order they were sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_RAFT_NETWORK_H
#define TESTS_CORE_RAFT_NETWORK_H

#include "tests/core/raft/random_cluster.h"

enum { NETWORK_NODES_MAX = 5, NETWORK_FLIGHTS_MAX = 4096, NETWORK_SEEN_MAX = 4096 };

struct network {
    uint32_t count;
    struct raft *nodes[NETWORK_NODES_MAX + 1]; /* By id. */
    bool is_cut[NETWORK_NODES_MAX + 1];
    struct flight flights[NETWORK_FLIGHTS_MAX];
    uint32_t flight_count;
    /* Everything that was sent, content aside. */
    struct raft_message seen[NETWORK_SEEN_MAX];
    uint32_t seen_count;
    raft_index applied[NETWORK_NODES_MAX + 1];
    uint32_t payloads[NETWORK_NODES_MAX + 1]; /* Non-empty entries applied. */
    struct raft_read_state read;              /* The last one; its context is not kept. */
    uint32_t read_count;
    uint64_t random;
};

/* What tests configure; the rest is usual. */
struct raft_config network_config(void);
/* Bootstrap and start `count` nodes like `config`. */
struct network *network_new(uint32_t count, const struct raft_config *config);
void network_free(struct network *network);
/* Handle Ready and deliver until nothing moves. */
void network_settle(struct network *network);
/* Handle the Ready of one node; its messages wait. */
void network_ready(struct network *network, raft_id id);
/* Make `id` the leader and settle. */
void network_elect(struct network *network, raft_id id);
enum raft_status network_propose(struct network *network, raft_id id, const char *text);
struct raft_status_report network_status(const struct network *network, raft_id id);
/* The last message of this type that was sent, or NULL. */
const struct raft_message *network_last(const struct network *network, enum raft_message_type type);
uint32_t network_count(const struct network *network, enum raft_message_type type);
void network_forget(struct network *network);

#endif
