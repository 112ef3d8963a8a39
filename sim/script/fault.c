/* Faults of a member's disk, and copies of what is on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/member.h"
#include "sim/script/object.h"

struct disk_options {
    uint64_t stall_ns;
};

void script_disk(lua_State *lua, sim_machine_number member)
{
    static const char *const later[] = {"latency", "sync", "full", "error", "rot", "misdirect", "lie"};
    static const char call[] = "m:disk";
    static const struct script_key keys[] = {
        {"stall", SCRIPT_NS, offsetof(struct disk_options, stall_ns), 1, 0, NULL},
        {"latency", SCRIPT_ANY, 0, 0, 0, NULL},
        {"sync", SCRIPT_ANY, 0, 0, 0, NULL},
        {"full", SCRIPT_ANY, 0, 0, 0, NULL},
        {"error", SCRIPT_ANY, 0, 0, 0, NULL},
        {"rot", SCRIPT_ANY, 0, 0, 0, NULL},
        {"misdirect", SCRIPT_ANY, 0, 0, 0, NULL},
        {"lie", SCRIPT_ANY, 0, 0, 0, NULL},
    };
    struct sim_world *world = script_run_check(lua, call)->world;
    const struct script_path path = {.call = call};
    struct disk_options options = {0};
    if (!lua_istable(lua, 2)) {
        script_argument_error(lua, 2, call, "a table");
    }
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &options);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (lua_getfield(lua, 2, later[i]) != LUA_TNIL) {
            struct script_path inner = script_path_in(&path, later[i]);
            script_path_error(lua, &inner, "not available yet");
        }
        lua_pop(lua, 1);
    }
    if (options.stall_ns > 0) {
        script_check_done(lua, call, sim_member_stall_disk(world, member, options.stall_ns));
    }
}

int script_push_image(lua_State *lua, sim_machine_number member)
{
    (void)member;
    script_error(lua, "m:image(): not available yet");
}

const char *script_restart_image(lua_State *lua, int index, sim_machine_number member)
{
    (void)lua;
    (void)index;
    (void)member;
    return "not available yet";
}
