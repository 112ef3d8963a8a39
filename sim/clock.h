/* A machine's clock, in integers.
 *
 * Fault model. The oscillator runs at a rate of its own (drift, in ppm of true
 * time, constant between changes) and may stand still for a while (freeze). The
 * monotonic clock counts it and never goes back. The wall clock is the monotonic
 * clock and an offset that may jump either way; no member ever sees it as time
 * passed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdint.h>

struct sim_clock {
    uint64_t true_base_ns;    /* At this true instant */
    uint64_t local_base_ns;   /* the monotonic clock showed this, */
    int64_t drift_ppm;        /* and gains so much since. > -1,000,000. */
    uint64_t frozen_until_ns; /* True; it stands still before. */
    int64_t wall_offset_ns;
};

void sim_clock_init(struct sim_clock *clock, uint64_t true_ns, uint64_t local_ns, int64_t drift_ppm);
/* The monotonic clock at a true instant not before the last change. */
uint64_t sim_clock_local(const struct sim_clock *clock, uint64_t true_ns);
/* The first true instant at which the monotonic clock shows `local_ns` or more;
 * UINT64_MAX stays UINT64_MAX, and so does what would overflow. */
uint64_t sim_clock_true(const struct sim_clock *clock, uint64_t local_ns);
/* From `true_ns` on run at another rate. */
void sim_clock_set_drift(struct sim_clock *clock, uint64_t true_ns, int64_t drift_ppm);
/* Stand still from `true_ns` for `duration_ns` of true time. */
void sim_clock_freeze(struct sim_clock *clock, uint64_t true_ns, uint64_t duration_ns);
int64_t sim_clock_wall(const struct sim_clock *clock, uint64_t true_ns);

#endif
