/* Clusters that must not mix, and the membership a cluster begins with. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_BOOTSTRAP_H
#define SIM_CHECK_BOOTSTRAP_H

#include "core/wire/wire.h"

struct check;
struct check_cluster;
struct check_member;

struct check_bootstrap {
    bool is_serving; /* It answered a client. */
    uint64_t served_first_ns;
    uint64_t served_last_ns;
};

void check_bootstrap_reset(struct check_bootstrap *bootstrap);
/* A message of another cluster has reached `member`. */
void check_bootstrap_foreign(struct check_member *member, uint64_t now, const struct wire_message *message);
/* `member` did something by the word of `id` (RAFT_NONE: of whoever sent last). */
void check_bootstrap_moved(struct check *check, uint64_t now, struct check_member *member, raft_id id,
                           const char *what);
/* A client was answered by `cluster`. */
void check_bootstrap_served(struct check *check, uint64_t now, uint32_t client,
                            struct check_cluster *cluster);

#endif
