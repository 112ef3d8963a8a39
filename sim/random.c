/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/random.h"

#include "sim/pcg.h"

#include <assert.h>

enum { PPM_ALL = 1000000 };

/* A bijection in which every bit of the input moves every bit of the output
 * about half of the time: xor-shift and multiply, three rounds. */
static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    return value;
}

/* The high 64 bits of a product. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)a * b) >> 64);
}

void sim_random_init(struct sim_random *random, uint64_t seed, uint32_t machine, uint32_t incarnation,
                     enum sim_purpose purpose)
{
    static_assert(sizeof random->state == 32, "pcg64 keeps 32 bytes");
    uint64_t key = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    key = mix(key ^ ((uint64_t)machine << 32 | incarnation));
    key = mix(key + (uint64_t)purpose * UINT64_C(0x9e3779b97f4a7c15));
    uint64_t words[4];
    for (uint64_t i = 0; i < 4; i++) {
        words[i] = mix(key + (i + 1) * UINT64_C(0xd1342543de82ef95));
    }
    sim_pcg_seed(random->state, words, words + 2);
}

uint64_t sim_random_u64(struct sim_random *random)
{
    return sim_pcg_next(random->state);
}

uint64_t sim_random_below(struct sim_random *random, uint64_t bound)
{
    uint64_t draw = sim_pcg_next(random->state);
    return multiply_high(draw, bound);
}

uint64_t sim_random_between(struct sim_random *random, uint64_t low, uint64_t high)
{
    assert(low <= high);
    uint64_t draw = sim_pcg_next(random->state);
    uint64_t span = high - low + 1;
    return span == 0 ? draw : low + multiply_high(draw, span);
}

bool sim_random_ppm(struct sim_random *random, uint32_t ppm)
{
    assert(ppm <= PPM_ALL);
    uint64_t draw = sim_pcg_next(random->state);
    return multiply_high(draw, PPM_ALL) < ppm;
}
