/* The network between members and clients, as a scenario changes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/cluster.h"
#include "sim/script/file.h"

/* Put the machines of the list (or the one machine) at `index` into a group. */
static void add_group(lua_State *lua, int index, uint32_t group, uint32_t *groups, uint32_t *count)
{
    static const char call[] = "c:partition({a, b}, {c, d, e})";
    bool is_list = lua_istable(lua, index);
    lua_Integer size = is_list ? (lua_Integer)lua_rawlen(lua, index) : 1;
    for (lua_Integer i = 1; i <= size; i++) {
        if (is_list) {
            (void)lua_rawgeti(lua, index, i);
        } else {
            lua_pushvalue(lua, index);
        }
        sim_machine_number machine = script_check_machine(lua, -1, call);
        lua_pop(lua, 1);
        if (groups[machine] != 0 && groups[machine] != group) {
            script_error(lua, "%s: found machine %u in two groups", call, (unsigned)machine);
        }
        groups[machine] = group;
        *count = machine + 1 > *count ? machine + 1 : *count;
    }
}

int script_cluster_partition(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "partition");
    int last = lua_gettop(lua);
    uint32_t count = 0;
    uint32_t *groups = lua_newuserdatauv(lua, SIM_MACHINES_MAX * sizeof *groups, 0);
    memset(groups, 0, SIM_MACHINES_MAX * sizeof *groups);
    if (last < 3) {
        script_error(lua, "c:partition({a, b}, {c, d, e}): found fewer than 2 groups");
    }
    for (int index = 2; index <= last; index++) {
        add_group(lua, index, (uint32_t)index - 1, groups, &count);
    }
    sim_partition(run->world, groups, count);
    return 0;
}

int script_cluster_isolate(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "isolate");
    sim_isolate(run->world, script_check_machine(lua, 2, "c:isolate(m)"));
    return 0;
}

int script_cluster_cut(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "cut");
    sim_machine_number from = script_check_machine(lua, 2, "c:cut(a, b)");
    sim_machine_number to = script_check_machine(lua, 3, "c:cut(a, b)");
    if (from == to) {
        script_error(lua, "c:cut(a, b): found the same machine twice");
    }
    sim_cut(run->world, from, to);
    return 0;
}

int script_cluster_heal(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "heal");
    sim_heal(run->world);
    return 0;
}

int script_cluster_link(lua_State *lua)
{
    static const char call[] = "c:link(a, b, {…})";
    struct script_run *run = script_cluster_self(lua, "link");
    const struct script_path path = {.call = "c:link"};
    struct sim_link_options options;
    sim_machine_number from = script_check_machine(lua, 2, call);
    sim_machine_number to = script_check_machine(lua, 3, call);
    if (from == to || !lua_istable(lua, 4)) {
        script_argument_error(lua, from == to ? 3 : 4, call, from == to ? "another machine" : "a table");
    }
    sim_link_options(run->world, from, to, &options);
    script_link_read(lua, 4, &path, &options);
    sim_link(run->world, from, to, &options);
    return 0;
}

int script_cluster_network(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "network");
    const struct script_path path = {.call = "c:network"};
    struct sim_link_options options;
    if (!lua_istable(lua, 2)) {
        script_argument_error(lua, 2, "c:network{…}", "a table");
    }
    sim_link_options(run->world, 0, 0, &options);
    script_link_read(lua, 2, &path, &options);
    sim_network(run->world, &options);
    return 0;
}
