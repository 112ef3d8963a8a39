/* What prelude.lua needs for cli:lock and cli:unlock. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/lock.h"

#include "core/client/client.h"
#include "sim/hold.h"

/* In the run's arena. */
struct script_hold {
    struct script_hold *next;
    struct sim_hold hold;
};

static uint64_t lease_deadline(struct sim_world *world, void *context)
{
    /* Without an object only its number was known, and nothing of its time. */
    return context ? script_lease_deadline(world, context) : UINT64_MAX;
}

static int end_wait(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    lua_pushinteger(lua, script_wait_response(wait)->revision);
    return 1;
}

int script_lock_wait(lua_State *lua)
{
    const struct script_client *client = script_object_at(lua, 1, &script_client_class);
    struct base_bytes name = script_check_bytes(lua, 2, "cli:lock");
    int64_t lease = script_check_lease(lua, 3, "cli:lock");
    uint64_t within_ns = lua_isnoneornil(lua, 4) ? CLIENT_NEVER : script_check_ns(lua, 4, "cli:lock");
    return script_wait_lock(lua, "cli:lock", (sim_machine_number)client->head.number, name, lease, within_ns,
                            end_wait);
}

int script_lock_hold(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "cli:lock");
    const struct script_client *client = script_object_at(lua, 1, &script_client_class);
    struct script_hold *hold = base_arena_alloc(run->arena, sizeof *hold);
    void *lease = script_object_at(lua, 3, &script_lease_class);
    *hold = (struct script_hold){
        .next = run->holds,
        .hold = {.world = run->world,
                 .client = (sim_machine_number)client->head.number,
                 .name = base_arena_copy(run->arena, script_check_bytes(lua, 2, "cli:lock")),
                 .deadline_ns = lease_deadline,
                 .context = lease},
    };
    if (lease) {
        lua_pushvalue(lua, 3);
        (void)luaL_ref(lua, LUA_REGISTRYINDEX);
    }
    run->holds = hold;
    lua_pushboolean(lua, sim_hold_begin(&hold->hold, lua_tointeger(lua, 4)));
    return 1;
}

int script_lock_release(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "cli:unlock");
    const struct script_client *client = script_object_at(lua, 1, &script_client_class);
    struct base_bytes name = script_check_bytes(lua, 2, "cli:unlock");
    for (struct script_hold *hold = run->holds; hold; hold = hold->next) {
        if (!hold->hold.is_over && hold->hold.client == client->head.number &&
            base_bytes_equal(hold->hold.name, name)) {
            sim_hold_end(&hold->hold);
            return 0;
        }
    }
    return 0;
}
