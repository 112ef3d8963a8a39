/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/load.h"
#include "sim/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static void nothing(void *context)
{
    (void)context;
}

static void run_until(struct sim_world *world, uint64_t time_ns)
{
    (void)sim_world_at(world, time_ns, nothing, NULL);
    while (sim_world_now(world) < time_ns && !check_first(sim_world_check(world))) {
        cr_assert(sim_world_step(world));
    }
}

static void settle(struct sim_world *world)
{
    sim_world_heal_all(world);
    while (!sim_world_is_settled(world)) {
        cr_assert(sim_world_step(world));
    }
    const struct check_violation *violation = check_first(sim_world_check(world));
    cr_assert_null(violation, "%s", violation ? violation->sentence : "");
}

static struct sim_options options_of(uint32_t members)
{
    struct sim_options options;
    sim_options_init(&options);
    options.cluster.members = members;
    return options;
}

/* Load, a leader that crashes and one that loses power; the digest of it all. */
static void eventful(struct sim_world *world, char digest[33])
{
    cr_assert_null(sim_world_boot(world));
    const struct sim_load_options load = {
        .clients = 4, .rate_millihertz = 100000, .mix = {1, 1}, .keys = 10, .value_bytes = 32};
    (void)sim_load_start(world, &load);
    run_until(world, 7 * SECOND);
    sim_machine_number first = sim_leader(world);
    cr_assert_neq(first, 0);
    cr_assert_null(sim_member_crash(world, first));
    run_until(world, 13 * SECOND);
    cr_assert_null(sim_member_restart(world, first));
    run_until(world, 15 * SECOND);
    sim_machine_number second = sim_leader(world);
    cr_assert_neq(second, 0);
    cr_assert_null(sim_member_power_off(world, second));
    run_until(world, 21 * SECOND);
    settle(world);
    sim_recorder_digest(sim_world_recorder(world), digest);
}

Test(sim_world, one_seed_makes_one_run)
{
    char first[33];
    char second[33];
    struct sim_options options = options_of(3);
    struct sim_world *world = sim_world_new(&options, 7);
    eventful(world, first);
    sim_world_free(world);
    world = sim_world_new(&options, 7);
    eventful(world, second);
    sim_world_free(world);
    cr_assert_str_eq(first, second);
}

Test(sim_world, memory_of_an_earlier_seed_changes_nothing)
{
    char first[33];
    char second[33];
    struct sim_options options = options_of(3);
    struct sim_options other = options_of(5);
    struct sim_world *world = sim_world_new(&options, 7);
    eventful(world, first);
    sim_world_reset(world, &other, 8);
    eventful(world, second);
    cr_assert_str_neq(first, second);
    sim_world_reset(world, &options, 7);
    eventful(world, second);
    sim_world_free(world);
    cr_assert_str_eq(first, second);
}

Test(sim_world, a_follower_that_crashes_costs_no_election)
{
    struct sim_options options = options_of(5);
    struct sim_world *world = sim_world_new(&options, 3);
    cr_assert_null(sim_world_boot(world));
    run_until(world, 7 * SECOND);
    sim_machine_number leader = sim_leader(world);
    struct sim_member_view before;
    sim_member_view(world, leader, false, &before);
    cr_assert_null(sim_member_crash(world, leader % 5 + 1));
    cr_assert_null(sim_member_crash(world, (leader + 1) % 5 + 1));
    run_until(world, 23 * SECOND);
    struct sim_member_view after;
    sim_member_view(world, leader, false, &after);
    cr_assert_eq(sim_leader(world), leader);
    cr_assert_eq(after.term, before.term);
    settle(world);
    sim_world_free(world);
}

Test(sim_world, a_minority_has_no_leader_and_a_healed_one_follows)
{
    struct sim_options options = options_of(5);
    struct sim_world *world = sim_world_new(&options, 11);
    cr_assert_null(sim_world_boot(world));
    run_until(world, 7 * SECOND);
    sim_machine_number old = sim_leader(world);
    uint32_t groups[6] = {0, 2, 2, 2, 2, 2};
    groups[old] = 1;
    groups[old % 5 + 1] = 1;
    sim_partition(world, groups, 6);
    run_until(world, 13 * SECOND);
    struct sim_member_view view;
    sim_member_view(world, old, false, &view);
    cr_assert_str_neq(view.role, "leader");
    cr_assert_neq(sim_leader(world), 0);
    cr_assert_neq(sim_leader(world), old);
    sim_heal(world);
    run_until(world, 15 * SECOND);
    sim_member_view(world, old, false, &view);
    cr_assert_eq(view.leader, sim_leader(world));
    settle(world);
    sim_world_free(world);
}

Test(sim_world, operations_on_the_wrong_state_are_refused_in_words)
{
    struct sim_options options = options_of(3);
    struct sim_world *world = sim_world_new(&options, 1);
    cr_assert_str_eq(sim_member_crash(world, 2), "m2 is down (never started)");
    cr_assert_null(sim_world_boot(world));
    cr_assert_str_eq(sim_member_restart(world, 2), "m2 is running already");
    cr_assert_str_eq(sim_member_resume(world, 2), "m2 is not paused");
    cr_assert_null(sim_member_crash(world, 2));
    cr_assert_str_eq(sim_member_pause(world, 2), "m2 is down (crashed)");
    sim_world_free(world);
}
