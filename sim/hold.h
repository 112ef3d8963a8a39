/* What the judge of locks is told: a client holds a lock from when it was given to it
 * until it gives it back, or until, by the client's own clock, the lease behind it
 * may be gone. Whoever is paused meanwhile believes nothing new. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_HOLD_H
#define SIM_HOLD_H

#include "sim/world.h"

/* The caller's memory, up to the end of the run; so is the name. */
struct sim_hold {
    struct sim_world *world;
    sim_machine_number client;
    struct base_bytes name;
    /* The end of the belief on the client's clock; UINT64_MAX: only by giving back. */
    uint64_t (*deadline_ns)(struct sim_world *world, void *context);
    void *context;
    struct sim_hold *next; /* Of those that are not over. */
    bool is_over;
};

/* The lock was given with a fencing token (0: not known). false: its time is over
 * already, so the client does not have it. The fields above `next` are set. */
bool sim_hold_begin(struct sim_hold *hold, int64_t revision);
void sim_hold_end(struct sim_hold *hold);

#endif
