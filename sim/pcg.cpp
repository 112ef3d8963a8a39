// SPDX-License-Identifier: Apache-2.0
// libstdc++'s <iostream> makes eight stream objects before main. The library needs
// only its types, so its guard is set and the types are had from below it; another
// standard library ignores the guard and is merely slower to start.
#define _GLIBCXX_IOSTREAM 1
#include <istream>

// A template that nobody here uses would seed from the time of the build.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdate-time"
#include <pcg_random.hpp>
#pragma GCC diagnostic pop

#include <cstdint>
#include <new>
#include <type_traits>

extern "C" {
#include "sim/pcg.h"
}

static_assert(sizeof(pcg64) == 32, "fits struct sim_random");
static_assert(alignof(pcg64) <= 16, "fits struct sim_random");
static_assert(std::is_trivially_destructible<pcg64>::value, "needs no end");

static pcg_extras::pcg128_t join(const uint64_t words[2])
{
    return pcg_extras::pcg128_t(words[1]) << 64 | words[0];
}

void sim_pcg_seed(void *state, const uint64_t start[2], const uint64_t stream[2])
{
    new (state) pcg64(join(start), join(stream));
}

uint64_t sim_pcg_next(void *state)
{
    return (*static_cast<pcg64 *>(state))();
}
