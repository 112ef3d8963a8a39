/* Randomness: PCG streams, one for each (member, incarnation, purpose), so that a
 * draw added in one moves nothing in another. Draw first, decide after; one draw
 * a statement. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* What a stream is for; the numbers are part of every seed's meaning. */
enum sim_purpose {
    SIM_FOR_WORLD = 1,
    SIM_FOR_RAFT = 2,    /* Election timeouts: the host's generator. */
    SIM_FOR_NETWORK = 3, /* What becomes of what this machine sends. */
    SIM_FOR_DISK = 4,
    SIM_FOR_CLOCK = 5, /* Drift, and the phase of the first tick. */
    SIM_FOR_SCHEDULE = 6,
    SIM_FOR_SCRIPT = 7, /* random(), choose(), shuffle(). */
    SIM_FOR_LOAD = 8,
    SIM_FOR_CLIENT = 9,
    SIM_FOR_NEMESIS = 10,
    SIM_FOR_POWER = 11,  /* Which unsynced sectors survive. */
    SIM_FOR_CORRUPT = 12 /* Which frames lose bits, and which bits. */
};

/* One stream: pcg64's state, opaque here. */
struct sim_random {
    _Alignas(16) unsigned char state[32];
};

void sim_random_init(struct sim_random *random, uint64_t seed, uint32_t machine, uint32_t incarnation,
                     enum sim_purpose purpose);
uint64_t sim_random_u64(struct sim_random *random);
/* Uniform in [0, bound); one draw, whatever the bound; 0 for bound 0. */
uint64_t sim_random_below(struct sim_random *random, uint64_t bound);
/* Uniform in [low, high]. */
uint64_t sim_random_between(struct sim_random *random, uint64_t low, uint64_t high);
/* True `ppm` times in a million. */
bool sim_random_ppm(struct sim_random *random, uint32_t ppm);

#endif
