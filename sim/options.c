/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)

void sim_options_init(struct sim_options *options)
{
    memset(options, 0, sizeof *options);
    options->cluster = (struct sim_cluster_options){
        .members = 3,
        .heartbeat_ns = 100 * MS,
        .election_ns = 1000 * MS,
        .tick_ns = 0,            /* The heartbeat. */
        .election_spread_ns = 0, /* The election timeout. */
        .pre_vote = true,
        .check_quorum = true,
        .snapshot_entries = 10000,
        .catchup_entries = 5000,
        .max_inflight = 512,
        .max_message_bytes = UINT64_C(1) << 20,
        .progress_notify_ns = UINT64_C(600000000000),
        .max_request_bytes = UINT64_C(1536) << 10,
        .segment_bytes = UINT64_C(64) << 20,
        .quota_bytes = UINT64_C(2048) << 20,
        .lease_fencing = true,
        .strict_reconfig = true,
        .learners_max = 1,
        .token = "cluster",
    };
    options->network = (struct sim_link_options){
        .latency = {.kind = SIM_DIST_UNIFORM, .a_ns = MS / 2, .b = 2 * MS},
        .queue_frames = 4096,
        .window_bytes = 64 * 1024,
    };
    options->disk = (struct sim_disk_options){
        .write = {.kind = SIM_DIST_CONSTANT},
        .sync = {.kind = SIM_DIST_UNIFORM, .a_ns = MS / 2, .b = 3 * MS},
    };
    options->cpu = (struct sim_cpu_options){.message_ns = 5000, .entry_ns = 5000, .request_ns = 20000};
    options->limit_ns = UINT64_C(24) * 3600 * 1000 * MS;
}

/* Of one member the bounds of strict_timing are its own affair: it will not start. */
static const char *cluster_check(const struct sim_cluster_options *cluster, bool is_member, char *text,
                                 uint32_t size)
{
    uint64_t tick_ns = cluster->tick_ns == 0 ? cluster->heartbeat_ns : cluster->tick_ns;
    uint32_t count = cluster->members + cluster->learners;
    if (cluster->members == 0 || count > SIM_MEMBERS_MAX) {
        snprintf(text, size, "members and learners: found %" PRIu32 ", expected 1 to %d", count,
                 SIM_MEMBERS_MAX);
    } else if (cluster->heartbeat_ns == 0 || tick_ns == 0) {
        snprintf(text, size, "heartbeat and tick must be more than 0");
    } else if (cluster->heartbeat_ns % tick_ns != 0 || cluster->election_ns % tick_ns != 0) {
        snprintf(text, size, "heartbeat and election must be whole ticks of %" PRIu64 " us", tick_ns / 1000);
    } else if (cluster->election_ns <= cluster->heartbeat_ns) {
        snprintf(text, size,
                 "election must be greater than heartbeat: found %" PRIu64 " ms, expected more than %" PRIu64
                 " ms",
                 cluster->election_ns / MS, cluster->heartbeat_ns / MS);
    } else if (!is_member && cluster->strict_timing && cluster->election_ns > 50000 * MS) {
        snprintf(text, size,
                 "election must be at most 50 s with strict_timing: found %" PRIu64 " ms, expected 50000 ms",
                 cluster->election_ns / MS);
    } else if (!is_member && cluster->strict_timing && cluster->election_ns < 5 * cluster->heartbeat_ns) {
        snprintf(text, size,
                 "election must be at least 5 heartbeats with strict_timing: found %" PRIu64
                 " ms, expected %" PRIu64 " ms",
                 cluster->election_ns / MS, 5 * cluster->heartbeat_ns / MS);
    } else if (cluster->max_inflight == 0) {
        snprintf(text, size, "max_inflight: found 0, expected 1 or more");
    } else {
        return NULL;
    }
    return text;
}

const char *sim_options_check(const struct sim_options *options, char *text, uint32_t size)
{
    const char *wrong = cluster_check(&options->cluster, false, text, size);
    for (uint32_t number = 1; !wrong && number <= SIM_MEMBERS_MAX; number++) {
        if (options->has_member[number]) {
            wrong = cluster_check(&options->member[number], true, text, size);
        }
    }
    return wrong;
}
