/* Fault model: every 5 s of simulated time the members take turns to be crashed for
 * 1 s or cut off from the others for 1 s; 0.1 % of Raft's messages are lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bench/world.h"

#include "sim/campaign/pool.h"
#include "sim/check/check.h"
#include "sim/load.h"
#include "sim/world.h"

#include <assert.h>

static const uint64_t second_ns = 1000000000;

struct breaker {
    struct sim_world *world;
    uint32_t members;
    uint64_t turn;
};

static sim_machine_number victim_of(const struct breaker *breaker)
{
    return (sim_machine_number)(breaker->turn / 2 % breaker->members + 1);
}

static void break_something(void *context);

static void mend(void *context)
{
    struct breaker *breaker = context;
    sim_heal(breaker->world);
    if (breaker->turn % 2 == 0) {
        const char *why = sim_member_restart(breaker->world, victim_of(breaker));
        assert(!why);
    }
    breaker->turn++;
    (void)sim_world_at(breaker->world, sim_world_now(breaker->world) + 4 * second_ns, break_something,
                       breaker);
}

static void break_something(void *context)
{
    struct breaker *breaker = context;
    if (breaker->turn % 2 == 0) {
        const char *why = sim_member_crash(breaker->world, victim_of(breaker));
        assert(!why);
    } else {
        sim_isolate(breaker->world, victim_of(breaker));
    }
    (void)sim_world_at(breaker->world, sim_world_now(breaker->world) + second_ns, mend, breaker);
}

/* One seed, in a world that may have seen others. */
static void run_seed(struct sim_world *world, const struct bench_world_options *options,
                     struct bench_world_result *out)
{
    struct breaker breaker = {.world = world, .members = options->members};
    const char *why = sim_world_boot(world);
    assert(!why);
    if (options->rate > 0) {
        struct sim_load_options load = {.clients = 4,
                                        .rate_millihertz = (uint64_t)options->rate * 1000,
                                        .mix = {[SIM_LOAD_PUT] = 1, [SIM_LOAD_GET] = 1},
                                        .keys = 100,
                                        .value_bytes = 64};
        (void)sim_load_start(world, &load);
    }
    if (options->has_faults) {
        (void)sim_world_at(world, 5 * second_ns, break_something, &breaker);
    }
    while (sim_world_now(world) < options->seed_ns && !check_first(sim_world_check(world)) &&
           sim_world_step(world)) {
    }
    out->seeds++;
    out->simulated_ns += sim_world_now(world);
    out->events += sim_world_events(world);
    out->is_violated = out->is_violated || check_first(sim_world_check(world)) != NULL;
}

void bench_world(const struct bench_world_options *options, struct bench_world_result *out)
{
    *out = (struct bench_world_result){0};
    struct sim_options world_options;
    sim_options_init(&world_options);
    world_options.cluster.members = options->members;
    world_options.network.loss_ppm = options->has_faults ? 1000 : 0;
    uint64_t began_ns = campaign_cpu_ns();
    struct sim_world *world = sim_world_new(&world_options, 1);
    do {
        if (out->seeds > 0) {
            sim_world_reset(world, &world_options, out->seeds + 1);
        }
        run_seed(world, options, out);
        out->cpu_ns = campaign_cpu_ns() - began_ns;
    } while (out->cpu_ns < options->cpu_ns && !out->is_violated);
    sim_world_free(world);
}
