/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dist.h"

#include "sim/dist_table.h"

#include <assert.h>

enum {
    FIXED_BITS = 28, /* Of the tables. */
    POWER_BITS = 30,
    MILLION = 1000000
};
static const uint64_t log2_e_fixed = 387270501;
/* 146 years: what is drawn can be added to a time without a thought. */
static const uint64_t value_max = UINT64_C(1) << 62;

__extension__ typedef unsigned __int128 wide;

static uint64_t clamped(wide value)
{
    return value > value_max ? value_max : (uint64_t)value;
}

/* The quantile for the upper tail `tail` (of 2^64) in a table that begins with
 * octave `first`, between its steps on a straight line. */
static uint64_t at_tail(const uint32_t *table, uint32_t first, uint64_t tail)
{
    uint64_t least = UINT64_C(1) << (64 - DIST_OCTAVES);
    if (tail < least) {
        tail = least;
    }
    uint32_t octave = (uint32_t)__builtin_clzll(tail);
    assert(octave >= first);
    uint64_t below = ~(tail << octave); /* How far below the octave's upper end. */
    uint32_t place = (octave - first) * DIST_STEPS + (uint32_t)(below >> 57);
    uint64_t part = below >> 25 & UINT32_MAX;
    uint64_t step = table[place + 1] - table[place];
    return table[place] + (step * part >> 32);
}

/* a * 2^(x / 2^28), for x of either sign. */
static uint64_t scaled(uint64_t a, uint64_t x, bool is_negative)
{
    uint64_t whole = x >> FIXED_BITS;
    uint64_t part = x & ((UINT64_C(1) << FIXED_BITS) - 1);
    if (is_negative && part > 0) {
        whole++;
        part = (UINT64_C(1) << FIXED_BITS) - part;
    }
    uint64_t place = part >> 20;
    uint64_t step = power_of_two[place + 1 < 257 ? place + 1 : 256] - power_of_two[place];
    uint64_t power = power_of_two[place] + (step * (part & 0xfffff) >> 20);
    wide value = (wide)a * power >> POWER_BITS;
    if (is_negative) {
        return whole < 64 ? clamped(value >> whole) : 0;
    }
    if (value == 0) {
        return 0;
    }
    return whole < 62 ? clamped(value << whole) : value_max;
}

static uint64_t normal_at(const struct sim_dist *dist, uint64_t fraction)
{
    bool is_low = fraction < UINT64_C(1) << 63;
    uint64_t z = at_tail(normal_tail, 1, is_low ? fraction : ~fraction);
    wide away = (wide)dist->b * z >> FIXED_BITS;
    if (is_low) {
        return away > dist->a_ns ? 0 : dist->a_ns - (uint64_t)away;
    }
    return clamped(dist->a_ns + away);
}

static uint64_t lognormal_at(const struct sim_dist *dist, uint64_t fraction)
{
    bool is_low = fraction < UINT64_C(1) << 63;
    uint64_t z = at_tail(normal_tail, 1, is_low ? fraction : ~fraction);
    wide power = ((wide)z * log2_e_fixed >> FIXED_BITS) * dist->b / MILLION;
    return scaled(dist->a_ns, clamped(power), is_low);
}

static uint64_t pareto_at(const struct sim_dist *dist, uint64_t fraction)
{
    assert(dist->b > 0);
    uint64_t x = at_tail(exponential_tail, 0, ~fraction);
    wide power = ((wide)x * log2_e_fixed >> FIXED_BITS) * MILLION / dist->b;
    return scaled(dist->a_ns, clamped(power), false);
}

static uint64_t empirical_at(const struct sim_dist *dist, uint64_t fraction)
{
    assert(dist->point_count > 0);
    wide place = (wide)fraction * (dist->point_count - 1);
    uint32_t slot = (uint32_t)(place >> 64);
    uint64_t low = dist->points[slot];
    if (slot + 1 == dist->point_count) {
        return low;
    }
    assert(dist->points[slot + 1] >= low);
    return low + (uint64_t)((wide)(dist->points[slot + 1] - low) * (uint64_t)place >> 64);
}

static uint64_t uniform_at(const struct sim_dist *dist, uint64_t fraction)
{
    assert(dist->a_ns <= dist->b);
    wide span = (wide)(dist->b - dist->a_ns) + 1;
    return dist->a_ns + (uint64_t)(span * fraction >> 64);
}

uint64_t sim_dist_at(const struct sim_dist *dist, uint64_t fraction)
{
    switch (dist->kind) {
    case SIM_DIST_CONSTANT:
        return dist->a_ns;
    case SIM_DIST_UNIFORM:
        return uniform_at(dist, fraction);
    case SIM_DIST_NORMAL:
        return normal_at(dist, fraction);
    case SIM_DIST_LOGNORMAL:
        return lognormal_at(dist, fraction);
    case SIM_DIST_EXPONENTIAL:
        return clamped((wide)dist->a_ns * at_tail(exponential_tail, 0, ~fraction) >> FIXED_BITS);
    case SIM_DIST_PARETO:
        return pareto_at(dist, fraction);
    case SIM_DIST_EMPIRICAL:
        return empirical_at(dist, fraction);
    }
    assert(false); /* No such kind. */
    return 0;
}

uint64_t sim_dist_draw(const struct sim_dist *dist, struct sim_random *random)
{
    uint64_t fraction = sim_random_u64(random);
    return sim_dist_at(dist, fraction);
}
