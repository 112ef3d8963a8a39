/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/member.h"

#include "core/host.h"
#include "sim/script/api.h"
#include "sim/script/object.h"
#include "sim/script/text.h"
#include "sim/stage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static_assert(SIM_MEMBERS_MAX <= 64, "members fit in the bits of a word");

struct member_object {
    struct script_numbered head;
};

/* Where a state keeps its member objects, by number. */
static const char members_key;

enum member_field {
#define MEMBER_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

void script_push_member(lua_State *lua, sim_machine_number member)
{
    if (member == 0) {
        lua_pushnil(lua);
        return;
    }
    (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, &members_key);
    if (lua_rawgeti(lua, -1, member) == LUA_TNIL) {
        lua_pop(lua, 1);
        struct member_object *object = script_object_new(lua, &script_member_class, sizeof *object);
        object->head.number = member;
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, member);
    }
    lua_remove(lua, -2);
}

void script_push_members(lua_State *lua, uint64_t members)
{
    lua_Integer count = 0;
    lua_newtable(lua);
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
        if (members & script_member_bit(member)) {
            script_push_member(lua, member);
            lua_rawseti(lua, -2, ++count);
        }
    }
}

static sim_machine_number member_named(struct sim_world *world, const char *name)
{
    struct sim_member_view view;
    for (sim_machine_number member = 1; member <= sim_member_count(world); member++) {
        sim_member_view(world, member, false, &view);
        if (strcmp(view.name, name) == 0) {
            return member;
        }
    }
    return 0;
}

/* 0: nothing of the kind stands there. */
static sim_machine_number member_at(lua_State *lua, int index, const char *call)
{
    struct script_run *run = script_run_check(lua, call);
    const struct member_object *object = script_object_at(lua, index, &script_member_class);
    uint32_t count = sim_member_count(run->world);
    if (object) {
        return (sim_machine_number)object->head.number;
    }
    if (lua_type(lua, index) == LUA_TNUMBER) {
        int is_whole = 0;
        lua_Integer number = lua_tointegerx(lua, index, &is_whole);
        if (!is_whole || number < 1 || number > (lua_Integer)count) {
            char found[96];
            script_describe(lua, index, found);
            script_error(lua, "%s: found member %s, there are members 1 to %u", call, found, (unsigned)count);
        }
        return (sim_machine_number)number;
    }
    return lua_type(lua, index) == LUA_TSTRING ? member_named(run->world, lua_tostring(lua, index)) : 0;
}

sim_machine_number script_check_member(lua_State *lua, int index, const char *call)
{
    sim_machine_number member = member_at(lua, index, call);
    if (member == 0) {
        script_argument_error(lua, index, call, "a member, its number or its name");
    }
    return member;
}

uint64_t script_check_members(lua_State *lua, int index, const char *call)
{
    uint64_t members = 0;
    index = lua_absindex(lua, index);
    if (!lua_istable(lua, index)) {
        return script_member_bit(script_check_member(lua, index, call));
    }
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, index); i++) {
        (void)lua_rawgeti(lua, index, i);
        members |= script_member_bit(script_check_member(lua, -1, call));
        lua_pop(lua, 1);
    }
    return members;
}

sim_machine_number script_check_machine(lua_State *lua, int index, const char *call)
{
    const struct script_numbered *client = script_object_at(lua, index, &script_client_class);
    if (client) {
        return (sim_machine_number)client->number;
    }
    sim_machine_number member = member_at(lua, index, call);
    bool is_text = lua_type(lua, index) == LUA_TSTRING;
    if (member == 0 && is_text && strcmp(lua_tostring(lua, index), "discovery") == 0) {
        member = sim_registry(script_run_check(lua, call)->world);
    }
    if (member == 0) {
        script_argument_error(lua, index, call, "a member (or its number or name), a client or \"discovery\"");
    }
    return member;
}

void script_check_done(lua_State *lua, const char *call, const char *refusal)
{
    if (refusal) {
        script_error(lua, "%s: %s", call, refusal);
    }
}

/* --- fields --- */

static void push_count(lua_State *lua, uint64_t count)
{
    lua_pushinteger(lua, (lua_Integer)count);
}

static void push_hex(lua_State *lua, uint64_t id, bool is_always)
{
    char text[32];
    if (id == 0 && !is_always) {
        lua_pushnil(lua);
        return;
    }
    (void)snprintf(text, sizeof text, "%016" PRIx64, id);
    (void)lua_pushstring(lua, text);
}

static void get_member(lua_State *lua, const void *object, size_t field)
{
    const struct member_object *member = object;
    struct script_run *run = script_run_check(lua, "a field of a member");
    struct sim_member_view view;
    sim_member_view(run->world, (sim_machine_number)member->head.number, field == FIELD_store_hash, &view);
    switch ((enum member_field)field) {
    case FIELD_id: push_count(lua, view.number); break;
    case FIELD_name: (void)lua_pushstring(lua, view.name); break;
    case FIELD_member_id: push_hex(lua, view.member_id, false); break;
    case FIELD_cluster_id: push_hex(lua, view.cluster_id, false); break;
    case FIELD_role: (void)lua_pushstring(lua, view.role); break;
    case FIELD_term: push_count(lua, view.term); break;
    case FIELD_vote: script_push_member(lua, (sim_machine_number)view.vote); break;
    case FIELD_commit: push_count(lua, view.commit); break;
    case FIELD_applied: push_count(lua, view.applied); break;
    case FIELD_last_index: push_count(lua, view.last_index); break;
    case FIELD_last_term: push_count(lua, view.last_term); break;
    case FIELD_leader: script_push_member(lua, view.leader); break;
    case FIELD_alive: lua_pushboolean(lua, view.alive); break;
    case FIELD_paused: lua_pushboolean(lua, view.paused); break;
    case FIELD_exit: (void)lua_pushstring(lua, view.exit && view.exit[0] ? view.exit : NULL); break;
    case FIELD_now: script_push_ns(lua, view.local_ns); break;
    case FIELD_wall: lua_pushnumber(lua, (double)view.wall_ns / 1e9); break;
    case FIELD_revision: lua_pushinteger(lua, view.revision); break;
    case FIELD_store_hash: push_hex(lua, view.store_hash, true); break;
    case FIELD_disk_used: push_count(lua, view.disk_used_bytes); break;
    case FIELD_memory: push_count(lua, view.memory_bytes); break;
    case FIELD_requests_served: push_count(lua, view.requests_served); break;
    case FIELD_connections: push_count(lua, view.connections); break;
    case FIELD_COUNT: break;
    }
}

static void print_member(const void *object, char out[64])
{
    const struct member_object *member = object;
    (void)snprintf(out, 64, "m%u", (unsigned)member->head.number);
}

/* --- methods --- */

static sim_machine_number self(lua_State *lua, const char *method, struct sim_world **world)
{
    const struct member_object *member = script_object_self(lua, &script_member_class, method);
    *world = script_run_check(lua, method)->world;
    return (sim_machine_number)member->head.number;
}

static int call_term_at(lua_State *lua)
{
    struct sim_world *world = NULL;
    uint64_t term = 0;
    sim_machine_number member = self(lua, "term_at", &world);
    int64_t index = script_check_whole(lua, 2, "m:term_at(i)", 0, INT64_MAX);
    if (!sim_member_term_at(world, member, (uint64_t)index, &term)) {
        lua_pushnil(lua);
        return 1;
    }
    push_count(lua, term);
    return 1;
}

/* Methods without arguments that the world does as they are. */
#define SIMPLE(name)                                                              \
    static int call_##name(lua_State *lua)                                        \
    {                                                                             \
        struct sim_world *world = NULL;                                           \
        sim_machine_number member = self(lua, #name, &world);                     \
        script_check_done(lua, "m:" #name "()", sim_member_##name(world, member)); \
        return 0;                                                                 \
    }
SIMPLE(crash)
SIMPLE(power_off)
SIMPLE(stop)
SIMPLE(pause)
SIMPLE(resume)
SIMPLE(wipe)
#undef SIMPLE

static int call_restart(lua_State *lua)
{
    static const struct script_key keys[] = {{"image", SCRIPT_ANY, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "m:restart"};
    struct sim_world *world = NULL;
    sim_machine_number member = self(lua, "restart", &world);
    script_read_table(lua, 2, &path, keys, 1, NULL);
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "image") != LUA_TNIL) {
        script_check_done(lua, "m:restart{image=}", script_restart_image(lua, -1, member));
        return 0;
    }
    script_check_done(lua, "m:restart()", sim_member_restart(world, member));
    return 0;
}

static int call_image(lua_State *lua)
{
    struct sim_world *world = NULL;
    sim_machine_number member = self(lua, "image", &world);
    return script_push_image(lua, member);
}

struct stall_options {
    uint64_t timer_ns;
};

static int call_stall(lua_State *lua)
{
    static const struct script_key keys[] = {
        {"timer", SCRIPT_NS, offsetof(struct stall_options, timer_ns), 1, 0, NULL}};
    const struct script_path path = {.call = "m:stall"};
    struct sim_world *world = NULL;
    struct stall_options options = {0};
    sim_machine_number member = self(lua, "stall", &world);
    script_read_table(lua, 2, &path, keys, 1, &options);
    if (options.timer_ns == 0) {
        script_error(lua, "m:stall{timer=d}: found no timer, expected a duration");
    }
    script_check_done(lua, "m:stall{timer=d}", sim_member_stall_timer(world, member, options.timer_ns));
    return 0;
}

static int call_slow(lua_State *lua)
{
    static const struct script_key key = {.name = "stage", .type = SCRIPT_CHOICE, .choices = sim_stage_texts};
    const struct script_path path = {.call = "m:slow(factor, stage)"};
    struct sim_world *world = NULL;
    uint32_t stage = HOST_STAGE_COUNT;
    sim_machine_number member = self(lua, "slow", &world);
    double factor = lua_type(lua, 2) == LUA_TNUMBER ? lua_tonumber(lua, 2) : -1;
    if (!(factor >= 0 && factor <= 1e6)) {
        script_argument_error(lua, 2, path.call, "a factor from 0 to 1000000");
    }
    if (!lua_isnoneornil(lua, 3)) {
        script_read_value(lua, 3, &path, &key, &stage);
    }
    script_check_done(lua, path.call, sim_member_slow(world, member, (uint32_t)(factor * 1000 + 0.5), stage));
    return 0;
}

struct clock_options {
    int64_t drift_ppm;
    uint64_t freeze_ns;
    int64_t skew_ns;
    int64_t jump_ns;
};

void script_clock(lua_State *lua, sim_machine_number machine, const char *call)
{
    static const struct script_key keys[] = {
        {"drift", SCRIPT_SIGNED_PPM, offsetof(struct clock_options, drift_ppm), 0, 0, NULL},
        {"freeze", SCRIPT_NS, offsetof(struct clock_options, freeze_ns), 1, 0, NULL},
        {"skew", SCRIPT_SIGNED_NS, offsetof(struct clock_options, skew_ns), 0, 0, NULL},
        {"jump", SCRIPT_SIGNED_NS, offsetof(struct clock_options, jump_ns), 0, 0, NULL},
    };
    struct sim_world *world = script_run_check(lua, call)->world;
    const struct script_path path = {.call = call};
    struct clock_options options = {.drift_ppm = INT64_MIN, .skew_ns = INT64_MIN};
    if (!lua_istable(lua, 2)) {
        script_argument_error(lua, 2, call, "a table");
    }
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &options);
    if (options.drift_ppm != INT64_MIN) {
        script_check_done(lua, call, sim_machine_drift(world, machine, options.drift_ppm));
    }
    if (options.freeze_ns > 0) {
        script_check_done(lua, call, sim_machine_freeze(world, machine, options.freeze_ns));
    }
    if (options.skew_ns != INT64_MIN) {
        script_check_done(lua, call, sim_machine_skew(world, machine, options.skew_ns));
    }
    if (options.jump_ns != 0) {
        script_check_done(lua, call, sim_machine_jump(world, machine, options.jump_ns));
    }
}

static int call_clock(lua_State *lua)
{
    struct sim_world *world = NULL;
    sim_machine_number member = self(lua, "clock", &world);
    script_clock(lua, member, "m:clock{drift=, freeze=, skew=, jump=}");
    return 0;
}

static int call_disk(lua_State *lua)
{
    struct sim_world *world = NULL;
    sim_machine_number member = self(lua, "disk", &world);
    script_disk(lua, member);
    return 0;
}

void script_member_open(lua_State *lua)
{
    script_class_open(lua, &script_member_class);
    lua_newtable(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &members_key);
}

static const luaL_Reg member_methods[] = {
#define MEMBER(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const member_fields[] = {
#define MEMBER_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_member_class = {
    .name = "member",
    .methods = member_methods,
    .fields = member_fields,
    .field_count = FIELD_COUNT,
    .get = get_member,
    .print = print_member,
};
