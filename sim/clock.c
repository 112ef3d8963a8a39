/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clock.h"

#include <assert.h>

enum { PPM_ALL = 1000000 };

__extension__ typedef unsigned __int128 wide;

static void check(const struct sim_clock *clock)
{
    assert(clock->drift_ppm > -PPM_ALL);
    assert(clock->drift_ppm <= INT64_MAX - PPM_ALL);
}

static uint64_t rate(const struct sim_clock *clock)
{
    return (uint64_t)(clock->drift_ppm + PPM_ALL);
}

static uint64_t saturated_add(uint64_t a, wide b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + (uint64_t)b;
}

/* The true instant from which on it has run since the last change. */
static uint64_t running_from(const struct sim_clock *clock)
{
    return clock->frozen_until_ns > clock->true_base_ns ? clock->frozen_until_ns : clock->true_base_ns;
}

void sim_clock_init(struct sim_clock *clock, uint64_t true_ns, uint64_t local_ns, int64_t drift_ppm)
{
    *clock = (struct sim_clock){.true_base_ns = true_ns, .local_base_ns = local_ns, .drift_ppm = drift_ppm};
    check(clock);
}

uint64_t sim_clock_local(const struct sim_clock *clock, uint64_t true_ns)
{
    assert(true_ns >= clock->true_base_ns);
    uint64_t from = running_from(clock);
    uint64_t elapsed = true_ns > from ? true_ns - from : 0;
    if (clock->drift_ppm == 0) {
        return saturated_add(clock->local_base_ns, elapsed);
    }
    uint64_t product;
    if (!__builtin_mul_overflow(elapsed, rate(clock), &product)) {
        return saturated_add(clock->local_base_ns, product / PPM_ALL);
    }
    return saturated_add(clock->local_base_ns, (wide)elapsed * rate(clock) / PPM_ALL);
}

uint64_t sim_clock_true(const struct sim_clock *clock, uint64_t local_ns)
{
    if (local_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    if (local_ns <= clock->local_base_ns) {
        return clock->true_base_ns;
    }
    /* The least e with floor(e * rate / million) >= gain. */
    uint64_t gain = local_ns - clock->local_base_ns;
    if (clock->drift_ppm == 0) {
        return saturated_add(running_from(clock), gain);
    }
    uint64_t product;
    if (!__builtin_mul_overflow(gain, (uint64_t)PPM_ALL, &product)) {
        return saturated_add(running_from(clock), product / rate(clock) + (product % rate(clock) != 0));
    }
    wide exact = (wide)gain * PPM_ALL;
    return saturated_add(running_from(clock), (exact + rate(clock) - 1) / rate(clock));
}

/* Start counting anew: at most the fraction of a nanosecond is lost. */
static void rebase(struct sim_clock *clock, uint64_t true_ns)
{
    clock->local_base_ns = sim_clock_local(clock, true_ns);
    clock->true_base_ns = true_ns;
}

void sim_clock_set_drift(struct sim_clock *clock, uint64_t true_ns, int64_t drift_ppm)
{
    rebase(clock, true_ns);
    clock->drift_ppm = drift_ppm;
    check(clock);
}

void sim_clock_freeze(struct sim_clock *clock, uint64_t true_ns, uint64_t duration_ns)
{
    rebase(clock, true_ns);
    uint64_t until = saturated_add(true_ns, duration_ns);
    if (until > clock->frozen_until_ns) {
        clock->frozen_until_ns = until;
    }
}

int64_t sim_clock_wall(const struct sim_clock *clock, uint64_t true_ns)
{
    return (int64_t)sim_clock_local(clock, true_ns) + clock->wall_offset_ns;
}
