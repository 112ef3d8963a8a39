/* What the judge of locks is told: a client holds a lock from the answer of cli:lock
 * to cli:unlock, or to the instant at which, by its own clock, its lease may be gone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/lock.h"

enum { LOOK_PARTS = 10, LOOK_MIN_NS = 100000 };

/* In the run's arena. */
struct script_hold {
    struct script_hold *next;
    struct script_run *run;
    sim_machine_number client;
    struct base_bytes name;
    const void *lease; /* An object, kept in the registry; NULL: only a number was known. */
    uint64_t timer;
    bool is_over;
};

static void end_hold(struct script_hold *hold)
{
    struct sim_world *world = hold->run->world;
    hold->is_over = true;
    if (hold->timer != 0) {
        sim_world_cancel(world, hold->timer);
        hold->timer = 0;
    }
    check_lock_released(sim_world_check(world), sim_world_now(world), hold->client, hold->name);
}

/* Look again when part of what is left has gone by: clocks run at their own rates. */
static void look(void *context)
{
    struct script_hold *hold = context;
    struct sim_world *world = hold->run->world;
    uint64_t now_ns = sim_machine_local(world, hold->client);
    uint64_t deadline_ns = script_lease_deadline(world, hold->lease);
    hold->timer = 0;
    if (deadline_ns <= now_ns) {
        end_hold(hold);
        return;
    }
    uint64_t left_ns = deadline_ns - now_ns;
    uint64_t part_ns = left_ns - left_ns / LOOK_PARTS;
    hold->timer = sim_world_at(world, sim_world_now(world) + (part_ns > LOOK_MIN_NS ? part_ns : LOOK_MIN_NS), look,
                               hold);
}

int script_lock_hold(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "cli:lock");
    const struct script_client *client = script_object_at(lua, 1, &script_client_class);
    struct script_hold *hold = base_arena_alloc(run->arena, sizeof *hold);
    *hold = (struct script_hold){
        .next = run->holds, .run = run, .client = (sim_machine_number)client->head.number};
    hold->name = base_arena_copy(run->arena, script_check_bytes(lua, 2, "cli:lock"));
    run->holds = hold;
    check_lock_acquired(sim_world_check(run->world), sim_world_now(run->world), hold->client, hold->name);
    hold->lease = script_object_at(lua, 3, &script_lease_class);
    if (hold->lease) {
        lua_pushvalue(lua, 3);
        (void)luaL_ref(lua, LUA_REGISTRYINDEX);
        look(hold);
    }
    return 0;
}

int script_lock_release(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "cli:unlock");
    const struct script_client *client = script_object_at(lua, 1, &script_client_class);
    struct base_bytes name = script_check_bytes(lua, 2, "cli:unlock");
    for (struct script_hold *hold = run->holds; hold; hold = hold->next) {
        if (!hold->is_over && hold->client == client->head.number && base_bytes_equal(hold->name, name)) {
            end_hold(hold);
            return 0;
        }
    }
    return 0;
}
