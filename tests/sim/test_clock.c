/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clock.h"
#include "sim/random.h"

#include <criterion/criterion.h>

#define SECOND UINT64_C(1000000000)

static int64_t any_drift(struct sim_random *random)
{
    static const int64_t drifts[] = {0, 1, -1, 200, -200, 100000, -500000, -999999, 3000000};
    return drifts[sim_random_below(random, sizeof drifts / sizeof drifts[0])];
}

Test(sim_clock, gains_its_drift)
{
    struct sim_clock clock;
    sim_clock_init(&clock, 10 * SECOND, 500, 200);
    cr_assert_eq(sim_clock_local(&clock, 10 * SECOND), 500);
    cr_assert_eq(sim_clock_local(&clock, 11 * SECOND), 500 + SECOND + 200000);
    sim_clock_init(&clock, 0, 0, -100000);
    cr_assert_eq(sim_clock_local(&clock, 10 * SECOND), 9 * SECOND);
}

/* sim_clock_true is the first instant that shows it: the one before does not. */
Test(sim_clock, true_is_the_first_instant_that_shows_it)
{
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    for (uint32_t i = 0; i < 20000; i++) {
        uint64_t bits = sim_random_below(&random, 44);
        uint64_t true_base = sim_random_u64(&random) >> 20;
        uint64_t local_base = sim_random_u64(&random) >> 20;
        int64_t drift = any_drift(&random);
        uint64_t gain = sim_random_u64(&random) >> (20 + bits);
        struct sim_clock clock;
        sim_clock_init(&clock, true_base, local_base, drift);
        uint64_t at = sim_clock_true(&clock, local_base + gain);
        cr_assert_neq(at, UINT64_MAX);
        cr_assert_geq(sim_clock_local(&clock, at), local_base + gain);
        if (at > true_base) {
            cr_assert_lt(sim_clock_local(&clock, at - 1), local_base + gain);
        }
        uint64_t shown = sim_clock_local(&clock, at);
        cr_assert_leq(sim_clock_true(&clock, shown), at);
    }
}

Test(sim_clock, never_goes_back_whatever_is_done_to_it)
{
    struct sim_random random;
    sim_random_init(&random, 2, 0, 0, SIM_FOR_WORLD);
    struct sim_clock clock;
    sim_clock_init(&clock, 0, 1000, 0);
    uint64_t now = 0;
    uint64_t last = 1000;
    for (uint32_t i = 0; i < 20000; i++) {
        now += sim_random_below(&random, SECOND);
        uint64_t local = sim_clock_local(&clock, now);
        cr_assert_geq(local, last);
        uint64_t what = sim_random_below(&random, 4);
        int64_t drift = any_drift(&random);
        uint64_t duration = sim_random_below(&random, 3 * SECOND);
        if (what == 0) {
            sim_clock_set_drift(&clock, now, drift);
        } else if (what == 1) {
            sim_clock_freeze(&clock, now, duration);
        }
        cr_assert_eq(sim_clock_local(&clock, now), local); /* A change is no jump. */
        last = local;
    }
}

Test(sim_clock, stands_still_while_frozen)
{
    struct sim_clock clock;
    sim_clock_init(&clock, 0, 0, 0);
    sim_clock_freeze(&clock, SECOND, 5 * SECOND);
    sim_clock_freeze(&clock, 2 * SECOND, SECOND); /* Within the first. */
    sim_clock_set_drift(&clock, 3 * SECOND, 100000);
    cr_assert_eq(sim_clock_local(&clock, 6 * SECOND), SECOND);
    cr_assert_eq(sim_clock_local(&clock, 7 * SECOND), SECOND + SECOND / 10 * 11);
    cr_assert_eq(sim_clock_true(&clock, SECOND + 1), 6 * SECOND + 1);
}

Test(sim_clock, what_would_overflow_never_comes)
{
    struct sim_clock clock;
    sim_clock_init(&clock, SECOND, 0, -500000);
    cr_assert_eq(sim_clock_true(&clock, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(sim_clock_true(&clock, UINT64_MAX - 1), UINT64_MAX);
    sim_clock_init(&clock, SECOND, 0, 0);
    cr_assert_eq(sim_clock_true(&clock, UINT64_MAX - 1), UINT64_MAX);
}

Test(sim_clock, the_wall_clock_jumps_alone)
{
    struct sim_clock clock;
    sim_clock_init(&clock, 0, 0, 0);
    clock.wall_offset_ns = -5 * (int64_t)SECOND;
    cr_assert_eq(sim_clock_wall(&clock, SECOND), -4 * (int64_t)SECOND);
    cr_assert_eq(sim_clock_local(&clock, SECOND), SECOND);
}
