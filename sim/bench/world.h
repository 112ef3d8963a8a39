/* How fast a whole world runs: members with disks, stores, leases and clients, every
 * judge on, and things that break on a timetable. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BENCH_WORLD_H
#define SIM_BENCH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct bench_world_options {
    uint32_t members;
    uint32_t rate; /* Requests a simulated second; 0: no clients. */
    bool has_faults;
    uint64_t seed_ns; /* Simulated time of one seed. */
    uint64_t cpu_ns;  /* Seeds follow each other until so much processor time is over. */
};

struct bench_world_result {
    uint64_t seeds;
    uint64_t simulated_ns;
    uint64_t cpu_ns;
    uint64_t events;
    bool is_violated; /* A judge found something: the figures count for nothing. */
};

void bench_world(const struct bench_world_options *options, struct bench_world_result *out);

#endif
