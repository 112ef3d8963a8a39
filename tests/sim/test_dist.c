/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dist.h"

#include <criterion/criterion.h>

#define HALF (UINT64_C(1) << 63)
enum { MS = 1000000 };

static double mean_of(const struct sim_dist *dist)
{
    enum { DRAWS = 400000 };
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    double sum = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        sum += (double)sim_dist_draw(dist, &random);
    }
    return sum / DRAWS;
}

static void assert_near(double value, double expected, double part)
{
    cr_assert(value > expected * (1 - part) && value < expected * (1 + part), "found %f, expected %f", value,
              expected);
}

static void assert_quantile(const struct sim_dist *dist, double quantile, double expected)
{
    uint64_t fraction = (uint64_t)(quantile * 18446744073709551616.0);
    assert_near((double)sim_dist_at(dist, fraction), expected, 0.0005);
}

Test(sim_dist, a_constant_is_itself)
{
    struct sim_dist dist = {.kind = SIM_DIST_CONSTANT, .a_ns = 7};
    cr_assert_eq(sim_dist_at(&dist, 0), 7);
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), 7);
}

Test(sim_dist, uniform_includes_both_ends)
{
    struct sim_dist dist = {.kind = SIM_DIST_UNIFORM, .a_ns = MS / 2, .b = 2 * MS};
    cr_assert_eq(sim_dist_at(&dist, 0), MS / 2);
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), 2 * MS);
    assert_near(mean_of(&dist), 1.25 * MS, 0.005);
    dist = (struct sim_dist){.kind = SIM_DIST_UNIFORM, .a_ns = 0, .b = UINT64_MAX};
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), UINT64_MAX);
}

Test(sim_dist, normal_has_its_mean_and_deviation)
{
    struct sim_dist dist = {.kind = SIM_DIST_NORMAL, .a_ns = 10 * MS, .b = MS};
    assert_near(mean_of(&dist), 10 * MS, 0.002);
    cr_assert_eq(sim_dist_at(&dist, HALF), 10 * MS);
    assert_quantile(&dist, 0.841344746, 11.0 * MS);
    assert_quantile(&dist, 0.158655254, 9.0 * MS);
    assert_quantile(&dist, 0.998650102, 13.0 * MS);
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), sim_dist_at(&dist, UINT64_MAX << 40)); /* The tail's end. */
}

Test(sim_dist, a_negative_draw_is_zero)
{
    struct sim_dist dist = {.kind = SIM_DIST_NORMAL, .a_ns = MS, .b = 10 * MS};
    cr_assert_eq(sim_dist_at(&dist, 0), 0);
    cr_assert_eq(sim_dist_at(&dist, HALF / 2), 0);
}

Test(sim_dist, lognormal_has_its_median_and_sigma)
{
    struct sim_dist dist = {.kind = SIM_DIST_LOGNORMAL, .a_ns = MS, .b = 500000};
    assert_near(mean_of(&dist), 1.133148 * MS, 0.005);
    cr_assert_eq(sim_dist_at(&dist, HALF), MS);
    assert_quantile(&dist, 0.841344746, 1.648721 * MS);
    assert_quantile(&dist, 0.158655254, 0.606531 * MS);
    assert_quantile(&dist, 0.022750132, 0.367879 * MS);
}

Test(sim_dist, exponential_has_its_mean)
{
    struct sim_dist dist = {.kind = SIM_DIST_EXPONENTIAL, .a_ns = MS};
    assert_near(mean_of(&dist), MS, 0.005);
    cr_assert_eq(sim_dist_at(&dist, 0), 0);
    assert_quantile(&dist, 0.5, 0.693147 * MS);
    assert_quantile(&dist, 0.99, 4.605170 * MS);
    assert_near((double)sim_dist_at(&dist, UINT64_MAX), 11.090355 * MS, 0.0001);
}

Test(sim_dist, pareto_has_its_minimum_and_tail)
{
    struct sim_dist dist = {.kind = SIM_DIST_PARETO, .a_ns = MS, .b = 3000000};
    assert_near(mean_of(&dist), 1.5 * MS, 0.01);
    cr_assert_eq(sim_dist_at(&dist, 0), MS);
    assert_quantile(&dist, 0.5, 1.259921 * MS);
    assert_quantile(&dist, 0.999, 10.0 * MS);
}

Test(sim_dist, empirical_goes_through_its_points)
{
    const uint64_t points[] = {10, 20, 100};
    struct sim_dist dist = {.kind = SIM_DIST_EMPIRICAL, .points = points, .point_count = 3};
    cr_assert_eq(sim_dist_at(&dist, 0), 10);
    cr_assert_eq(sim_dist_at(&dist, HALF / 2), 15);
    cr_assert_eq(sim_dist_at(&dist, HALF), 20);
    cr_assert_eq(sim_dist_at(&dist, HALF + HALF / 2), 60);
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), 99);
    dist.point_count = 1;
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), 10);
}

Test(sim_dist, quantiles_never_fall)
{
    static const struct sim_dist dists[] = {
        {.kind = SIM_DIST_NORMAL, .a_ns = 5 * MS, .b = MS},
        {.kind = SIM_DIST_LOGNORMAL, .a_ns = MS, .b = 1500000},
        {.kind = SIM_DIST_EXPONENTIAL, .a_ns = MS},
        {.kind = SIM_DIST_PARETO, .a_ns = MS, .b = 700000},
    };
    for (size_t i = 0; i < sizeof dists / sizeof dists[0]; i++) {
        uint64_t last = 0;
        for (uint64_t step = 0; step < 1 << 16; step++) {
            uint64_t value = sim_dist_at(&dists[i], step << 48 | (step * 40503 & 0xffff) << 32);
            cr_assert_geq(value, last);
            last = value;
        }
    }
}

Test(sim_dist, huge_values_end_where_they_can_be_added)
{
    struct sim_dist dist = {.kind = SIM_DIST_PARETO, .a_ns = UINT64_C(1) << 60, .b = 1000};
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), UINT64_C(1) << 62);
    dist = (struct sim_dist){.kind = SIM_DIST_LOGNORMAL, .a_ns = MS, .b = UINT64_C(1) << 60};
    cr_assert_eq(sim_dist_at(&dist, UINT64_MAX), UINT64_C(1) << 62);
    cr_assert_eq(sim_dist_at(&dist, 0), 0);
}
