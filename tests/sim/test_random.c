/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/pcg.h"
#include "sim/random.h"

#include <criterion/criterion.h>

/* The generator's published check: pcg64 seeded with 42, stream 54. */
Test(sim_random, draws_are_the_library_s)
{
    const uint64_t start[2] = {42, 0};
    const uint64_t stream[2] = {54, 0};
    const uint64_t expected[] = {UINT64_C(0x86b1da1d72062b68), UINT64_C(0x1304aa46c9853d39),
                                 UINT64_C(0xa3670e9e0dd50358), UINT64_C(0xf9090e529a7dae00),
                                 UINT64_C(0xc85b9fd837996f2c), UINT64_C(0x606121f8e3919196)};
    struct sim_random random;
    sim_pcg_seed(random.state, start, stream);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cr_assert_eq(sim_pcg_next(random.state), expected[i]);
    }
}

/* What a seed means may not change unnoticed. */
Test(sim_random, a_seed_means_the_same_on_every_machine)
{
    struct sim_random random;
    sim_random_init(&random, 42, 3, 2, SIM_FOR_DISK);
    cr_assert_eq(sim_random_u64(&random), UINT64_C(0xb11eebfcc20d444d));
}

Test(sim_random, streams_differ_in_whatever_they_are_for)
{
    enum { COUNT = 6 };
    struct sim_random streams[COUNT];
    sim_random_init(&streams[0], 1, 1, 1, SIM_FOR_RAFT);
    sim_random_init(&streams[1], 2, 1, 1, SIM_FOR_RAFT);
    sim_random_init(&streams[2], 1, 2, 1, SIM_FOR_RAFT);
    sim_random_init(&streams[3], 1, 1, 2, SIM_FOR_RAFT);
    sim_random_init(&streams[4], 1, 1, 1, SIM_FOR_DISK);
    sim_random_init(&streams[5], 0, 0, 0, SIM_FOR_WORLD);
    for (uint32_t draw = 0; draw < 100; draw++) {
        uint64_t values[COUNT];
        for (uint32_t i = 0; i < COUNT; i++) {
            values[i] = sim_random_u64(&streams[i]);
            for (uint32_t k = 0; k < i; k++) {
                cr_assert_neq(values[i], values[k]);
            }
        }
    }
}

Test(sim_random, near_seeds_are_far_apart)
{
    uint32_t bits[64] = {0};
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct sim_random a;
        struct sim_random b;
        sim_random_init(&a, seed, 1, 0, SIM_FOR_RAFT);
        sim_random_init(&b, seed + 1, 1, 0, SIM_FOR_RAFT);
        uint64_t of_a = sim_random_u64(&a);
        uint64_t different = of_a ^ sim_random_u64(&b);
        for (uint32_t bit = 0; bit < 64; bit++) {
            bits[bit] += different >> bit & 1;
        }
    }
    for (uint32_t bit = 0; bit < 64; bit++) {
        cr_assert(bits[bit] > 400 && bits[bit] < 600);
    }
}

Test(sim_random, below_is_even_and_below)
{
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    uint32_t count[10] = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t value = sim_random_below(&random, 10);
        cr_assert_lt(value, 10);
        count[value]++;
    }
    for (uint32_t i = 0; i < 10; i++) {
        cr_assert(count[i] > 9500 && count[i] < 10500);
    }
    cr_assert_eq(sim_random_below(&random, 0), 0);
    cr_assert_eq(sim_random_below(&random, 1), 0);
}

Test(sim_random, between_includes_both_ends)
{
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t value = sim_random_between(&random, 5, 7);
        cr_assert(value >= 5 && value <= 7);
        seen |= 1u << value;
    }
    cr_assert_eq(seen, 7u << 5);
    cr_assert_eq(sim_random_between(&random, 9, 9), 9);
    uint64_t first = sim_random_between(&random, 0, UINT64_MAX);
    cr_assert_neq(first, sim_random_between(&random, 0, UINT64_MAX));
}

Test(sim_random, ppm_is_a_chance_in_a_million)
{
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    uint32_t hits = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        cr_assert(!sim_random_ppm(&random, 0));
        cr_assert(sim_random_ppm(&random, 1000000));
        hits += sim_random_ppm(&random, 250000);
    }
    cr_assert(hits > 24000 && hits < 26000);
}

/* Draw first, decide after: what is decided moves no later draw. */
Test(sim_random, every_call_is_one_draw)
{
    struct sim_random a;
    struct sim_random b;
    sim_random_init(&a, 1, 0, 0, SIM_FOR_WORLD);
    sim_random_init(&b, 1, 0, 0, SIM_FOR_WORLD);
    (void)sim_random_below(&a, 0);
    (void)sim_random_below(&a, UINT64_MAX);
    (void)sim_random_between(&a, 3, 3);
    (void)sim_random_between(&a, 0, UINT64_MAX);
    (void)sim_random_ppm(&a, 0);
    for (uint32_t i = 0; i < 5; i++) {
        (void)sim_random_u64(&b);
    }
    cr_assert_eq(sim_random_u64(&a), sim_random_u64(&b));
}
