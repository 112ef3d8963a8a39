/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/cluster.h"

#include "sim/script/api.h"
#include "sim/script/object.h"
#include "sim/script/text.h"

#include <stdio.h>

struct script_run *script_cluster_self(lua_State *lua, const char *method)
{
    (void)script_object_self(lua, &script_cluster_class, method);
    return script_run_check(lua, method);
}

uint64_t script_cluster_live(struct sim_world *world)
{
    uint64_t live = 0;
    for (sim_machine_number member = 1; member <= sim_member_count(world); member++) {
        struct sim_member_view view;
        sim_member_view(world, member, false, &view);
        bool is_meant = view.alive && !view.paused && sim_member_is_current(world, member);
        live |= is_meant ? script_member_bit(member) : 0;
    }
    return live;
}

void script_cluster_print(struct sim_world *world, char out[320])
{
    size_t used = 0;
    out[0] = '\0';
    for (sim_machine_number member = 1; member <= sim_member_count(world) && used < 240; member++) {
        struct sim_member_view view;
        sim_member_view(world, member, false, &view);
        used += (size_t)snprintf(out + used, 320 - used, "%s%.16s %.16s", member > 1 ? ", " : "", view.name,
                                 view.paused ? "paused" : view.role);
        if (view.alive) {
            used += (size_t)snprintf(out + used, 320 - used, " in term %llu", (unsigned long long)view.term);
        } else if (view.exit && view.exit[0]) {
            used += (size_t)snprintf(out + used, 320 - used, " (%.30s)", view.exit);
        }
    }
}

uint64_t script_cluster_within(const struct script_run *run)
{
    return 30 * sim_world_options(run->world)->cluster.election_ns;
}

sim_machine_number script_cluster_admin(lua_State *lua, struct script_run *run)
{
    (void)lua;
    uint64_t open = sim_members_open(run->world);
    if (run->admin == 0 || (open & ~run->admin_members) != 0) {
        /* etcdctl's own: who lost its power would else be waited for to the end. */
        struct sim_client_options options = {.keepalive_every_ns = UINT64_C(2000000000),
                                             .keepalive_timeout_ns = UINT64_C(6000000000)};
        run->admin = sim_client_new(run->world, &options);
        run->admin_members = open;
    }
    return run->admin;
}

/* --- who is who --- */

int script_cluster_members(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "members");
    uint32_t count = sim_member_count(run->world);
    script_push_members(lua, count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1);
    return 1;
}

int script_cluster_leader(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "leader");
    script_push_member(lua, sim_leader(run->world));
    return 1;
}

/* Live voters but the leader; `voters` is how many there are in all. */
static uint64_t followers_of(struct sim_world *world, uint32_t *voters)
{
    uint64_t all = sim_voters(world);
    sim_machine_number leader = sim_leader(world);
    *voters = 0;
    for (sim_machine_number member = 1; member <= sim_member_count(world); member++) {
        *voters += (all & script_member_bit(member)) != 0;
    }
    uint64_t followers = all & script_cluster_live(world);
    if (leader != 0) {
        followers &= ~script_member_bit(leader);
    }
    return followers;
}

static uint64_t minority_of(struct sim_world *world)
{
    uint32_t voters = 0;
    uint64_t followers = followers_of(world, &voters);
    uint32_t left = voters - (voters / 2 + 1);
    uint64_t minority = 0;
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX && left > 0; member++) {
        if (followers & script_member_bit(member)) {
            minority |= script_member_bit(member);
            left--;
        }
    }
    return minority;
}

int script_cluster_followers(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "followers");
    uint32_t voters = 0;
    script_push_members(lua, followers_of(run->world, &voters));
    return 1;
}

int script_cluster_minority(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "minority");
    script_push_members(lua, minority_of(run->world));
    return 1;
}

int script_cluster_majority(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "majority");
    uint32_t count = sim_member_count(run->world);
    uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    script_push_members(lua, all & ~minority_of(run->world));
    return 1;
}

int script_cluster_cost(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "cost");
    struct sim_cost cost;
    sim_world_cost(run->world, &cost);
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"operator_actions", cost.operator_actions},
                  {"messages", cost.messages},
                  {"bytes", cost.bytes},
                  {"entries", cost.entries},
                  {"syncs", cost.syncs}};
    lua_createtable(lua, 0, 6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        lua_pushinteger(lua, (lua_Integer)counts[i].value);
        lua_setfield(lua, -2, counts[i].name);
    }
    script_push_ns(lua, cost.time_ns);
    lua_setfield(lua, -2, "time");
    return 1;
}

int script_cluster_lease_margin(lua_State *lua)
{
    const struct script_run *run = script_cluster_self(lua, "lease_margin");
    int64_t margin_ns = check_lease_margin(sim_world_check(run->world));
    if (margin_ns == INT64_MAX) {
        lua_pushnil(lua);
    } else if (margin_ns < 0) {
        script_push_ns(lua, (uint64_t)-margin_ns);
        lua_arith(lua, LUA_OPUNM);
    } else {
        script_push_ns(lua, (uint64_t)margin_ns);
    }
    return 1;
}

/* --- c itself --- */

static void get_cluster(lua_State *lua, const void *object, size_t field)
{
    (void)object;
    (void)field;
    lua_pushnil(lua);
}

static void get_slot(lua_State *lua, const void *object, int index)
{
    const struct script_run *run = script_run_check(lua, "c[i]");
    uint32_t count = sim_member_count(run->world);
    int is_whole = 0;
    lua_Integer number = lua_tointegerx(lua, index, &is_whole);
    (void)object;
    if (!is_whole || number < 1 || number > (lua_Integer)count) {
        char found[96];
        script_describe(lua, index, found);
        script_error(lua, "c[%s]: there are members 1 to %u", found, (unsigned)count);
    }
    script_push_member(lua, (sim_machine_number)number);
}

static lua_Integer count_members(lua_State *lua, const void *object)
{
    (void)object;
    return (lua_Integer)sim_member_count(script_run_check(lua, "#c")->world);
}

static void print_cluster(const void *object, char out[64])
{
    (void)object;
    (void)snprintf(out, 64, "cluster");
}

void script_cluster_open(lua_State *lua)
{
    script_class_open(lua, &script_cluster_class);
}

static const luaL_Reg cluster_methods[] = {
#define CLUSTER(name, written, text) {#name, script_cluster_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

const struct script_class script_cluster_class = {
    .name = "cluster",
    .methods = cluster_methods,
    .get = get_cluster,
    .get_slot = get_slot,
    .print = print_cluster,
    .count = count_members,
};
