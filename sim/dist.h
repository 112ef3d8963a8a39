/* Distributions of delays: integers only, so that every machine draws the same.
 * What is not uniform is read from quantile tables kept in the source. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_DIST_H
#define SIM_DIST_H

#include "sim/random.h"

enum sim_dist_kind {
    SIM_DIST_CONSTANT,    /* a */
    SIM_DIST_UNIFORM,     /* [a, b] */
    SIM_DIST_NORMAL,      /* mean a, deviation b */
    SIM_DIST_LOGNORMAL,   /* median-scale a, sigma b in millionths */
    SIM_DIST_EXPONENTIAL, /* mean a */
    SIM_DIST_PARETO,      /* minimum a, alpha b in millionths */
    SIM_DIST_EMPIRICAL    /* `points` ascending quantiles, evenly spaced */
};

struct sim_dist {
    enum sim_dist_kind kind;
    uint64_t a_ns;
    uint64_t b;
    const uint64_t *points;
    uint32_t point_count;
};

/* One 64-bit draw; negative values are 0, tails end at the quantile 1 - 2^-16. */
uint64_t sim_dist_draw(const struct sim_dist *dist, struct sim_random *random);
/* The value at a fraction of 2^64. */
uint64_t sim_dist_at(const struct sim_dist *dist, uint64_t fraction);

#endif
