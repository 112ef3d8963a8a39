/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hold.h"

#include "sim/check/check.h"

enum { LOOK_PARTS = 10, LOOK_MIN_NS = 100000 };

void sim_hold_end(struct sim_hold *hold)
{
    if (hold->is_over) {
        return;
    }
    hold->is_over = true;
    if (hold->timer != 0) {
        sim_world_cancel(hold->world, hold->timer);
        hold->timer = 0;
    }
    check_lock_released(sim_world_check(hold->world), sim_world_now(hold->world), hold->client, hold->name);
}

/* What is left of it on the client's clock; 0: nothing. */
static uint64_t left_ns(const struct sim_hold *hold)
{
    uint64_t now_ns = sim_machine_local(hold->world, hold->client);
    uint64_t deadline_ns = hold->deadline_ns(hold->world, hold->context);
    if (deadline_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}

/* Look again when part of what is left has gone by: clocks run at their own rates. */
static void look(void *context)
{
    struct sim_hold *hold = context;
    uint64_t left = left_ns(hold);
    hold->timer = 0;
    if (left == 0) {
        sim_hold_end(hold);
    } else if (left != UINT64_MAX) {
        uint64_t part_ns = left - left / LOOK_PARTS;
        uint64_t delay_ns = part_ns > LOOK_MIN_NS ? part_ns : LOOK_MIN_NS;
        hold->timer = sim_world_at(hold->world, sim_world_now(hold->world) + delay_ns, look, hold);
    }
}

bool sim_hold_begin(struct sim_hold *hold, int64_t revision)
{
    hold->timer = 0;
    hold->is_over = left_ns(hold) == 0;
    if (hold->is_over) {
        return false;
    }
    check_lock_acquired(sim_world_check(hold->world), sim_world_now(hold->world), hold->client, hold->name,
                        revision);
    look(hold);
    return true;
}
