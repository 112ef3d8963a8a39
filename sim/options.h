/* What a world is made of: the options a scenario can set, in plain integers.
 * Defaults are etcd's (SCENARIOS.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "sim/dist.h"

#include <stdbool.h>

enum {
    SIM_MEMBERS_MAX = 64,   /* Members, learners and those that join later. */
    SIM_MACHINES_MAX = 4096 /* Members 1 to 64, clients from 65 on. Machine 0 is nobody. */
};

struct sim_cluster_options {
    uint32_t members;
    uint32_t learners;
    uint64_t heartbeat_ns;
    uint64_t election_ns;
    uint64_t tick_ns;
    uint64_t election_spread_ns;
    bool pre_vote;
    bool check_quorum;
    bool strict_timing;
    uint64_t snapshot_entries;
    uint64_t catchup_entries;
    uint32_t max_inflight;
    uint64_t max_message_bytes;
    uint64_t max_request_bytes;
    uint64_t segment_bytes; /* Of the log; a new one is cut beyond. */
    uint64_t
        allocate_bytes; /* Room it holds ahead on the disk, in steps; 0: none, and a full disk shows at once. */
    uint64_t quota_bytes;
    uint64_t progress_notify_ns;
    uint64_t corrupt_check_ns; /* 0: never. */
    bool lease_checkpoint;
    bool lease_fencing;
    bool strict_reconfig;
    uint32_t learners_max;
    bool read_lease;
    char token[64];
    bool start_none; /* start="none" */
};

struct sim_link_options {
    struct sim_dist latency;
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;
    uint32_t corrupt_ppm;
    uint64_t bandwidth_bytes; /* A second; 0 is no limit. */
    uint32_t queue_frames;
    uint64_t window_bytes; /* Under way to a client before watches wait. */
};

struct sim_disk_options {
    struct sim_dist write;
    struct sim_dist sync;
};

struct sim_cpu_options {
    uint64_t message_ns;
    uint64_t entry_ns;
    uint64_t request_ns;
};

struct sim_options {
    struct sim_cluster_options cluster;
    struct sim_cluster_options member[SIM_MEMBERS_MAX + 1]; /* By number, where has_member. */
    bool has_member[SIM_MEMBERS_MAX + 1];
    struct sim_link_options network;
    struct sim_disk_options disk;
    struct sim_cpu_options cpu;
    uint32_t drift_ppm; /* Each machine's is drawn in ± this. */
    uint64_t limit_ns;  /* Longest run; 24 hours. */
    bool tolerance_exceeded;
    bool tolerance_lossy;
    uint64_t checks_off; /* Bits of enum check_judge. */
};

void sim_options_init(struct sim_options *options);
/* NULL, or what does not fit ("election must be greater than heartbeat: found
 * 100ms, expected more than 100ms"): static or in `text`. */
const char *sim_options_check(const struct sim_options *options, char *text, uint32_t size);

#endif
