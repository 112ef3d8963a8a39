/* Faults of a member's disk, and copies of what is on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/member.h"

static const char image_name[] = "image of a directory";

/* What is asked for beside the disk's behaviour. */
struct disk_reading {
    struct sim_disk_behaviour behaviour;
    uint64_t stall_ns;
    uint32_t rot;
};

#define BEHAVIOUR(key, kind, member)                                                                         \
    {                                                                                                        \
        key, kind, offsetof(struct disk_reading, behaviour.member), 0, 0, NULL                               \
    }

static void read_errors(lua_State *lua, const struct script_path *path, struct disk_reading *out)
{
    static const struct script_key keys[] = {
        BEHAVIOUR("sync", SCRIPT_PPM, sync_error_ppm),
        BEHAVIOUR("write", SCRIPT_PPM, write_error_ppm),
        BEHAVIOUR("read", SCRIPT_PPM, read_error_ppm),
    };
    struct script_path inner = script_path_in(path, "error");
    if (lua_getfield(lua, 2, "error") != LUA_TNIL) {
        script_read_table(lua, -1, &inner, keys, sizeof keys / sizeof keys[0], out);
    }
    lua_pop(lua, 1);
}

void script_disk(lua_State *lua, sim_machine_number member)
{
    static const char call[] = "m:disk";
    static const struct script_key keys[] = {
        BEHAVIOUR("latency", SCRIPT_DIST, write),
        BEHAVIOUR("sync", SCRIPT_DIST, sync),
        BEHAVIOUR("full", SCRIPT_BYTES, full_bytes),
        BEHAVIOUR("misdirect", SCRIPT_PPM, misdirect_ppm),
        BEHAVIOUR("lie", SCRIPT_BOOL, is_lying),
        {"error", SCRIPT_TABLE, 0, 0, 0, NULL},
        {"stall", SCRIPT_NS, offsetof(struct disk_reading, stall_ns), 1, 0, NULL},
        {"rot", SCRIPT_U32, offsetof(struct disk_reading, rot), 0, 1000000, NULL},
    };
    struct sim_world *world = script_run_check(lua, call)->world;
    const struct script_path path = {.call = call};
    struct disk_reading reading = {.behaviour = *sim_member_disk(world, member)};
    if (!lua_istable(lua, 2)) {
        script_argument_error(lua, 2, call, "a table");
    }
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &reading);
    read_errors(lua, &path, &reading);
    sim_member_set_disk(world, member, &reading.behaviour);
    if (reading.rot > 0) {
        (void)sim_member_rot(world, member, reading.rot);
    }
    if (reading.stall_ns > 0) {
        script_check_done(lua, call, sim_member_stall_disk(world, member, reading.stall_ns));
    }
}

int script_push_image(lua_State *lua, sim_machine_number member)
{
    uint32_t *image = lua_newuserdatauv(lua, sizeof *image, 0);
    *image = sim_member_image(script_run_check(lua, "m:image()")->world, member);
    if (*image == 0) {
        script_error(lua, "m:image(): there is nothing to copy");
    }
    if (luaL_newmetatable(lua, image_name) != 0) {
        lua_pushboolean(lua, 0);
        lua_setfield(lua, -2, "__metatable");
    }
    (void)lua_setmetatable(lua, -2);
    return 1;
}

bool script_is_image(lua_State *lua, int index)
{
    return luaL_testudata(lua, index, image_name) != NULL;
}

const char *script_restart_image(lua_State *lua, int index, sim_machine_number member)
{
    static const char call[] = "m:restart{image=}";
    struct sim_world *world = script_run_check(lua, call)->world;
    const uint32_t *image = luaL_testudata(lua, index, image_name);
    if (!image) {
        script_argument_error(lua, index, call, "what m:image() returned");
    }
    return sim_member_restart_from(world, member, *image);
}
