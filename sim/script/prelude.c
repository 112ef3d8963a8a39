/* Methods that are written in Lua, and what they need of the world beside globals. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/prelude.h"

#include "sim/script/api.h"
#include "sim/script/client.h"
#include "sim/script/cluster.h"
#include "sim/script/dist.h"
#include "sim/script/lock.h"
#include "sim/script/reconfigure.h"

#include <stdio.h>
#include <stdlib.h>

/* Compiled once in a process; never given back. */
static struct base_buffer prelude_code;

static int write_code(lua_State *lua, const void *data, size_t size, void *context)
{
    (void)lua;
    if (size > 0) {
        memcpy(base_buffer_extend(context, size), data, size);
    }
    return 0;
}

static void load_prelude(lua_State *lua)
{
    bool is_compiled = prelude_code.size > 0;
    const char *data = is_compiled ? (const char *)prelude_code.data : (const char *)script_prelude;
    size_t size = is_compiled ? prelude_code.size : script_prelude_size;
    if (luaL_loadbufferx(lua, data, size, "=prelude", is_compiled ? "b" : "t") != LUA_OK) {
        (void)lua_error(lua);
    }
    if (!is_compiled) {
        base_buffer_init(&prelude_code, &script_memory);
        (void)lua_dump(lua, write_code, &prelude_code, 0);
    }
}

#define LOCK_CALL "cli:lock(name, {lease=, within=})"

/* native.check(name, options): the arguments of cli:lock; answers a table. */
static int check_lock(lua_State *lua)
{
    static const struct script_key keys[] = {{"lease", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"within", SCRIPT_NS, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "cli:lock"};
    uint64_t within_ns = 0;
    (void)script_check_text(lua, 1, LOCK_CALL);
    script_read_table(lua, 2, &path, keys, 2, &within_ns);
    if (!lua_istable(lua, 2)) {
        lua_newtable(lua);
        return 1;
    }
    if (lua_getfield(lua, 2, "lease") != LUA_TNIL) {
        (void)script_check_lease(lua, -1, LOCK_CALL);
    }
    lua_settop(lua, 2);
    return 1;
}

struct nemesis_reading {
    uint64_t during_ns;
    struct sim_dist every;
    struct sim_dist heal_after;
};

/* Is nothing but 0 ever drawn? */
static bool is_always_now(const struct sim_dist *dist)
{
    if (dist->kind == SIM_DIST_EMPIRICAL) {
        return dist->points[dist->point_count - 1] == 0;
    }
    bool is_spread = dist->kind == SIM_DIST_UNIFORM || dist->kind == SIM_DIST_NORMAL;
    return dist->a_ns == 0 && !(is_spread && dist->b > 0);
}

/* native.check_nemesis(options, faults): answers the kinds of faults, in order. */
static int check_nemesis(lua_State *lua)
{
#define NEMESIS(key, kind, member, low) {key, kind, offsetof(struct nemesis_reading, member), low, 0, NULL}
    static const struct script_key keys[] = {{"kinds", SCRIPT_TABLE, 0, 0, 0, NULL},
                                             NEMESIS("every", SCRIPT_DIST, every, 0),
                                             NEMESIS("heal_after", SCRIPT_DIST, heal_after, 0),
                                             NEMESIS("during", SCRIPT_NS, during_ns, 1)};
#undef NEMESIS
    static const char *const names[] = {"crash", "power_off", "pause", "partition", "isolate", "cut",
                                        "stall", "disk",      "slow",  "clock",     NULL};
    static const char *const all_names[] = {"crash", "power_off", "pause", "partition", "isolate", "cut",
                                            "stall", "disk",      "slow",  "clock",     "member",  NULL};
    static const struct script_key kind_key = {.name = "kind", .type = SCRIPT_CHOICE, .choices = all_names};
    const struct script_path path = {.call = "c:nemesis"};
    struct script_path inner = script_path_in(&path, "kinds");
    struct nemesis_reading reading = {.every = {.kind = SIM_DIST_CONSTANT, .a_ns = 1}};
    uint32_t ignored = 0;
    if (!lua_istable(lua, 1)) {
        script_argument_error(lua, 1, "c:nemesis{kinds=, every=, during=, heal_after=}", "a table");
    }
    script_read_table(lua, 1, &path, keys, 4, &reading);
    if (reading.during_ns == 0) {
        script_error(lua, "c:nemesis: found no during, expected a duration");
    }
    if (is_always_now(&reading.every)) {
        struct script_path every = script_path_in(&path, "every");
        script_path_error(lua, &every, "found 0 and nothing else, expected some time from one fault to the next");
    }
    if (lua_getfield(lua, 1, "kinds") != LUA_TNIL) {
        lua_Integer count = (lua_Integer)lua_rawlen(lua, -1);
        if (count == 0) {
            script_path_error(lua, &inner, "found an empty list");
        }
        for (lua_Integer i = 1; i <= count; i++) {
            (void)lua_rawgeti(lua, -1, i);
            script_read_value(lua, -1, &inner, &kind_key, &ignored);
            lua_pop(lua, 1);
        }
        return 1;
    }
    lua_newtable(lua);
    for (lua_Integer i = 0; names[i]; i++) {
        (void)lua_pushstring(lua, names[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    return 1;
}

/* native.draw(distribution) */
static int draw(lua_State *lua)
{
    struct sim_dist dist;
    if (!script_dist_read(lua, 1, &dist)) {
        script_argument_error(lua, 1, "c:nemesis", "a duration, a range or a distribution");
    }
    script_push_ns(lua, sim_dist_draw(&dist, &script_state_of(lua)->random));
    return 1;
}

/* native.failure(code): an err of that code. */
static int failure(lua_State *lua)
{
    (void)script_push_failure(lua, lua_tostring(lua, 1), false);
    return 1;
}

/* native.wrong(call, value, expected) */
static int wrong(lua_State *lua)
{
    script_argument_error(lua, 2, lua_tostring(lua, 1), lua_tostring(lua, 3));
}

static void add_methods(lua_State *lua, int table, const struct script_class *class, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        (void)lua_getfield(lua, table, names[i]);
        luaL_checktype(lua, -1, LUA_TFUNCTION);
        script_class_add(lua, class, names[i]);
    }
}

void script_prelude_open(lua_State *lua)
{
    static const luaL_Reg native[] = {{"check", check_lock},
                                      {"check_nemesis", check_nemesis},
                                      {"draw", draw},
                                      {"check_add", script_reconfigure_check_add},
                                      {"check_replace", script_reconfigure_check_replace},
                                      {"check_many", script_reconfigure_check_many},
                                      {"machine", script_reconfigure_machine},
                                      {"change", script_reconfigure_change},
                                      {"listed", script_reconfigure_listed},
                                      {"start", script_reconfigure_start},
                                      {"arrived", script_reconfigure_arrived},
                                      {"failure", failure},
                                      {"hold", script_lock_hold},
                                      {"lock", script_lock_wait},
                                      {"release", script_lock_release},
                                      {"wrong", wrong},
                                      {NULL, NULL}};
    static const char *const client_names[] = {
#define CLIENT_LUA(name, written, text) #name,
#include "sim/script/api.def"
        NULL};
    static const char *const cluster_names[] = {
#define CLUSTER_LUA(name, written, text) #name,
#include "sim/script/api.def"
        NULL};
    int top = lua_gettop(lua);
    load_prelude(lua);
    lua_newtable(lua);
    luaL_setfuncs(lua, native, 0);
    lua_call(lua, 1, 2);
    add_methods(lua, top + 1, &script_client_class, client_names);
    add_methods(lua, top + 2, &script_cluster_class, cluster_names);
    lua_settop(lua, top);
}
