/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hold.h"

#include "sim/inside.h"

static void take_out(struct sim_hold *hold)
{
    struct sim_hold **at = &hold->world->holds;
    while (*at != hold) {
        at = &(*at)->next;
    }
    *at = hold->next;
}

void sim_hold_end(struct sim_hold *hold)
{
    if (hold->is_over) {
        return;
    }
    hold->is_over = true;
    take_out(hold);
    check_lock_released(hold->world->check, hold->world->now_ns, hold->client, hold->name);
}

/* Does the client, by its own clock, still believe in it? */
static bool is_believed(const struct sim_hold *hold)
{
    return hold->deadline_ns(hold->world, hold->context) > sim_machine_local(hold->world, hold->client);
}

/* Beliefs matter when somebody else is given a lock: those that are over end then. */
static void end_stale(struct sim_world *world)
{
    struct sim_hold *next = NULL;
    for (struct sim_hold *hold = world->holds; hold; hold = next) {
        next = hold->next;
        if (!is_believed(hold)) {
            sim_hold_end(hold);
        }
    }
}

bool sim_hold_begin(struct sim_hold *hold, int64_t revision)
{
    struct sim_world *world = hold->world;
    end_stale(world);
    hold->is_over = !is_believed(hold);
    if (hold->is_over) {
        return false;
    }
    hold->next = world->holds;
    world->holds = hold;
    check_lock_acquired(world->check, world->now_ns, hold->client, hold->name, revision);
    return true;
}
