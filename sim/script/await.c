/* Native waits for a state of the cluster: looked at when something has changed, and
 * given up, with the scenario, at their deadline. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/load.h"
#include "sim/script/cluster.h"
#include "sim/script/text.h"

#include <stdio.h>

struct await_options {
    uint64_t within_ns;
};

#define WITHIN                                                                                               \
    {                                                                                                        \
        "within", SCRIPT_NS, offsetof(struct await_options, within_ns), 0, 0, NULL                           \
    }

static uint64_t deadline_of(const struct script_run *run, const struct await_options *options)
{
    return sim_world_now(run->world) + options->within_ns;
}

/* The wait's deadline came first: the scenario fails. */
static _Noreturn void fail_late(lua_State *lua, const struct script_wait *wait, const char *expected)
{
    struct script_run *run = script_state_of(lua)->run;
    char members[320];
    char within[32];
    script_cluster_print(run->world, members);
    script_text_duration(wait->within_ns, within);
    script_fail(lua, "%s: found %s, expected %s within %s", wait->what, members, expected, within);
}

/* --- await_leader --- */

static bool has_other_leader(struct script_run *run, struct script_wait *wait)
{
    sim_machine_number leader = sim_leader(run->world);
    return leader != 0 && (wait->members & script_member_bit(leader)) == 0;
}

static int end_leader(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    struct script_run *run = script_state_of(lua)->run;
    (void)status;
    if (!has_other_leader(run, wait)) {
        fail_late(lua, wait, wait->members ? "another leader" : "a leader");
    }
    script_push_member(lua, sim_leader(run->world));
    return 1;
}

int script_cluster_await_leader(lua_State *lua)
{
    static const struct script_key keys[] = {WITHIN, {"other_than", SCRIPT_ANY, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "c:await_leader"};
    struct script_run *run = script_cluster_self(lua, "await_leader");
    struct await_options options = {script_cluster_within(run)};
    script_read_table(lua, 2, &path, keys, 2, &options);
    uint64_t others = 0;
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "other_than") != LUA_TNIL) {
        others = script_check_members(lua, -1, "c:await_leader{other_than=}");
    }
    struct script_wait *wait = script_wait_begin(lua, "c:await_leader");
    wait->is_true = has_other_leader;
    wait->members = others;
    wait->within_ns = options.within_ns;
    return script_wait(lua, wait, deadline_of(run, &options), end_leader);
}

/* --- await_applied --- */

static bool has_applied(struct script_run *run, struct script_wait *wait)
{
    uint64_t members = wait->members ? wait->members : script_cluster_live(run->world);
    for (sim_machine_number member = 1; member <= sim_member_count(run->world); member++) {
        struct sim_member_view view;
        sim_member_view(run->world, member, false, &view);
        if ((members & script_member_bit(member)) && view.applied < wait->number) {
            return false;
        }
    }
    return members != 0;
}

static int end_applied(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    (void)status;
    if (wait->is_late && !has_applied(script_state_of(lua)->run, wait)) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "index %llu applied", (unsigned long long)wait->number);
        fail_late(lua, wait, expected);
    }
    return 0;
}

int script_cluster_await_applied(lua_State *lua)
{
    static const struct script_key keys[] = {WITHIN, {"on", SCRIPT_ANY, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "c:await_applied"};
    struct script_run *run = script_cluster_self(lua, "await_applied");
    struct await_options options = {script_cluster_within(run)};
    int64_t index = script_check_whole(lua, 2, "c:await_applied(index, {on=, within=})", 0, INT64_MAX);
    script_read_table(lua, 3, &path, keys, 2, &options);
    uint64_t members = 0;
    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "on") != LUA_TNIL) {
        members = script_check_members(lua, -1, "c:await_applied: on");
    }
    struct script_wait *wait = script_wait_begin(lua, "c:await_applied");
    wait->is_true = has_applied;
    wait->members = members;
    wait->number = (uint64_t)index;
    wait->within_ns = options.within_ns;
    return script_wait(lua, wait, deadline_of(run, &options), end_applied);
}

/* --- await_converged --- */

static bool has_converged(struct script_run *run, struct script_wait *wait)
{
    struct sim_world *world = run->world;
    uint64_t live = script_cluster_live(world);
    sim_machine_number leader = sim_leader(world);
    struct sim_member_view first;
    (void)wait;
    if (leader == 0 || !sim_loads_are_idle(world)) {
        return false;
    }
    sim_member_view(world, leader, false, &first);
    bool is_level = first.applied == first.last_index;
    for (sim_machine_number member = 1; member <= sim_member_count(world) && is_level; member++) {
        struct sim_member_view view;
        sim_member_view(world, member, false, &view);
        is_level = (live & script_member_bit(member)) == 0 || view.applied == first.applied;
    }
    if (!is_level) {
        return false;
    }
    sim_member_view(world, leader, true, &first);
    for (sim_machine_number member = 1; member <= sim_member_count(world); member++) {
        struct sim_member_view view;
        sim_member_view(world, member, true, &view);
        if ((live & script_member_bit(member)) && view.store_hash != first.store_hash) {
            return false;
        }
    }
    return true;
}

static int end_converged(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    (void)status;
    if (wait->is_late && !has_converged(script_state_of(lua)->run, wait)) {
        fail_late(lua, wait, "one applied index and one hash on all live members");
    }
    return 0;
}

int script_cluster_await_converged(lua_State *lua)
{
    static const struct script_key keys[] = {WITHIN};
    const struct script_path path = {.call = "c:await_converged"};
    struct script_run *run = script_cluster_self(lua, "await_converged");
    struct await_options options = {script_cluster_within(run)};
    script_read_table(lua, 2, &path, keys, 1, &options);
    sim_loads_stop_all(run->world);
    struct script_wait *wait = script_wait_begin(lua, "c:await_converged");
    wait->is_true = has_converged;
    wait->within_ns = options.within_ns;
    return script_wait(lua, wait, deadline_of(run, &options), end_converged);
}

/* --- await_healthy: one leader, then one read over each member --- */

struct healthy {
    uint64_t deadline_ns;
    uint64_t within_ns;
    uint64_t served; /* Members that have answered, bits. */
    sim_machine_number asked;
};

static bool follows_one_leader(struct script_run *run, struct script_wait *wait)
{
    uint64_t live = script_cluster_live(run->world);
    sim_machine_number leader = sim_leader(run->world);
    (void)wait;
    for (sim_machine_number member = 1; leader != 0 && member <= sim_member_count(run->world); member++) {
        struct sim_member_view view;
        sim_member_view(run->world, member, false, &view);
        if ((live & script_member_bit(member)) && view.leader != leader) {
            return false;
        }
    }
    return leader != 0;
}

static int ask_next(lua_State *lua, int status, lua_KContext context);

static int wait_for_leader(lua_State *lua)
{
    const struct healthy *healthy = lua_touserdata(lua, -1);
    struct script_wait *wait = script_wait_begin(lua, "c:await_healthy");
    wait->is_true = follows_one_leader;
    wait->within_ns = healthy->within_ns;
    return script_wait(lua, wait, healthy->deadline_ns, ask_next);
}

static int paused(lua_State *lua, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return wait_for_leader(lua);
}

static int answered(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    struct healthy *healthy = lua_touserdata(lua, -1);
    struct script_run *run = script_state_of(lua)->run;
    (void)status;
    wait->within_ns = healthy->within_ns;
    if (script_wait_response(wait)->status == BASE_OK) {
        healthy->served |= script_member_bit(healthy->asked);
        return wait_for_leader(lua);
    }
    if (sim_world_now(run->world) >= healthy->deadline_ns) {
        fail_late(lua, wait, "all live members to serve reads");
    }
    struct script_wait *pause = script_wait_begin(lua, "c:await_healthy");
    return script_wait(lua, pause, sim_world_now(run->world) + 100000000, paused);
}

static int ask_next(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    struct healthy *healthy = lua_touserdata(lua, -1);
    struct script_run *run = script_state_of(lua)->run;
    uint64_t missing = script_cluster_live(run->world) & ~healthy->served;
    (void)status;
    if (!follows_one_leader(run, wait)) {
        fail_late(lua, wait, "one leader that all live members follow");
    }
    if (missing == 0) {
        return 0;
    }
    healthy->asked = 1;
    while ((missing & script_member_bit(healthy->asked)) == 0) {
        healthy->asked++;
    }
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_RANGE, .key = base_bytes_of("health")}};
    if ((sim_voters(run->world) & script_member_bit(healthy->asked)) == 0) {
        request.op.flags = KV_SERIALIZABLE; /* All that a learner serves. */
    }
    return script_wait_call(lua, "c:await_healthy", script_cluster_admin(lua, run), healthy->asked, &request,
                            answered);
}

int script_cluster_await_healthy(lua_State *lua)
{
    static const struct script_key keys[] = {WITHIN};
    const struct script_path path = {.call = "c:await_healthy"};
    struct script_run *run = script_cluster_self(lua, "await_healthy");
    struct await_options options = {script_cluster_within(run)};
    script_read_table(lua, 2, &path, keys, 1, &options);
    struct healthy *healthy = lua_newuserdatauv(lua, sizeof *healthy, 0);
    *healthy = (struct healthy){.deadline_ns = deadline_of(run, &options), .within_ns = options.within_ns};
    return wait_for_leader(lua);
}
