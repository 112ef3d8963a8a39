/* The judges on bare Raft nodes: each node's observer tells them what it sees. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BENCH_JUDGED_H
#define SIM_BENCH_JUDGED_H

#include "sim/check/check.h"

/* One node under the judges' eyes. */
struct bench_judged {
    struct check *check;
    const uint64_t *now_ns;
    uint32_t number; /* From 1; also the node's Raft id. */
    struct raft_observer observer;
};

/* Begin to watch node `number` of one cluster; `judged` stays where it is. */
void bench_judged_init(struct bench_judged *judged, struct check *check, const uint64_t *now_ns,
                       uint32_t number);
/* A node applied an entry (bare Raft has no store: it changes nothing). */
void bench_judged_applied(const struct bench_judged *judged, const struct raft_entry *entry);

#endif
