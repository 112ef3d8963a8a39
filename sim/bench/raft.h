/* How fast bare Raft runs: nodes in memory, links that are first in first out with
 * a delay of 0.5 to 2 ms, ticks of 100 ms by due time, nothing that fails. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BENCH_RAFT_H
#define SIM_BENCH_RAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_RAFT_NODES_MAX = 64 };

struct bench_raft_options {
    uint32_t nodes;
    uint32_t proposals;   /* Of 64 bytes each, a simulated second. */
    uint64_t kept;        /* Entries after which a log is compacted; 0 is never. */
    uint64_t cpu_ns;      /* Stop when so much processor time is over, */
    uint64_t entries_max; /* or so much is committed; 0 is no limit. */
    uint64_t seed;
    bool has_checks; /* All judges watch. */
};

struct bench_raft_result {
    uint64_t simulated_ns;
    uint64_t cpu_ns;
    uint64_t messages;
    uint64_t events; /* Messages, timers and proposals. */
    uint64_t committed;
    size_t memory_peak; /* Bytes of all nodes together. */
    bool is_violated;   /* A judge found something. */
    uint64_t digest;    /* Of every event, to compare two runs of as much simulated time. */
};

void bench_raft(const struct bench_raft_options *options, struct bench_raft_result *out);

/* The workloads: idle (5 nodes), load (5 nodes, 1,000 proposals/s), wide (51 nodes,
 * the same), kept (3 nodes that keep 1,000,000 entries). */
struct bench_raft_options bench_raft_idle(uint64_t cpu_ns);
struct bench_raft_options bench_raft_load(uint64_t cpu_ns);
struct bench_raft_options bench_raft_wide(uint64_t cpu_ns);
struct bench_raft_options bench_raft_kept(uint64_t cpu_ns);

#endif
