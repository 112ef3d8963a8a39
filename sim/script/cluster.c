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
        live |= view.alive && !view.paused ? script_member_bit(member) : 0;
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
    if (run->admin == 0 || run->admin_members != sim_member_count(run->world)) {
        struct sim_client_options options = {.endpoint_count = 0};
        run->admin = sim_client_new(run->world, &options);
        run->admin_members = sim_member_count(run->world);
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
    uint64_t followers = 0;
    uint64_t live = script_cluster_live(world);
    sim_machine_number leader = sim_leader(world);
    *voters = 0;
    for (sim_machine_number member = 1; member <= sim_member_count(world); member++) {
        struct sim_member_view view;
        sim_member_view(world, member, false, &view);
        bool is_voter = !view.is_learner && !(view.exit && strncmp(view.exit, "removed", 7) == 0);
        *voters += is_voter;
        if (is_voter && member != leader) {
            followers |= live & script_member_bit(member);
        }
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

/* --- starting members --- */

static char *keep(struct script_run *run, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(run->arena, size), text, size);
}

struct boot_options {
    const char *token;
    const char *discovery;
    const char *name;
    uint32_t state;
};

static const char *const state_choices[] = {"new", "existing", NULL};

/* `member = {[3] = {token=, peers=, name=, state=}}`: the inner table on top. */
static void read_boot(lua_State *lua, struct script_run *run, const struct script_path *path,
                      struct sim_boot *out)
{
    static const struct script_key keys[] = {
        {"token", SCRIPT_TEXT, offsetof(struct boot_options, token), 0, 0, NULL},
        {"name", SCRIPT_TEXT, offsetof(struct boot_options, name), 0, 0, NULL},
        {"state", SCRIPT_CHOICE, offsetof(struct boot_options, state), 0, 0, state_choices},
        {"peers", SCRIPT_TABLE, 0, 0, 0, NULL},
    };
    struct boot_options options = {.state = out->is_existing ? 1 : 0};
    script_read_table(lua, -1, path, keys, sizeof keys / sizeof keys[0], &options);
    out->token = options.token ? keep(run, options.token) : out->token;
    out->name = options.name ? keep(run, options.name) : out->name;
    out->is_existing = options.state == 1;
    if (lua_getfield(lua, -1, "peers") != LUA_TNIL) {
        uint64_t peers = script_check_members(lua, -1, "c:bootstrap: peers");
        out->peer_count = 0;
        for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
            if (peers & script_member_bit(member)) {
                out->peers[out->peer_count++] = member;
            }
        }
    }
    lua_pop(lua, 1);
}

static void start_member(lua_State *lua, struct script_run *run, sim_machine_number member, const char *call)
{
    const struct sim_boot *boot = run->has_boots ? &run->boots[member] : NULL;
    script_check_done(lua, call, sim_member_start(run->world, member, boot));
}

int script_cluster_bootstrap(lua_State *lua)
{
    static const char call[] = "c:bootstrap";
    static const struct script_key keys[] = {
        {"token", SCRIPT_TEXT, offsetof(struct boot_options, token), 0, 0, NULL},
        {"discovery", SCRIPT_TEXT, offsetof(struct boot_options, discovery), 0, 0, NULL},
        {"size", SCRIPT_ANY, 0, 0, 0, NULL},
        {"only", SCRIPT_TABLE, 0, 0, 0, NULL},
        {"member", SCRIPT_TABLE, 0, 0, 0, NULL},
    };
    struct script_run *run = script_cluster_self(lua, "bootstrap");
    const struct script_path path = {.call = call};
    struct script_path inner = script_path_in(&path, "member");
    struct boot_options options = {.token = NULL};
    lua_settop(lua, 2);
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &options);
    if (options.discovery) {
        script_error(lua, "c:bootstrap{discovery=}: not available yet");
    }
    uint32_t count = sim_member_count(run->world);
    uint64_t only = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "only") != LUA_TNIL) {
        only = script_check_members(lua, -1, "c:bootstrap: only");
    }
    lua_settop(lua, 2);
    bool has_members = lua_istable(lua, 2) && lua_getfield(lua, 2, "member") != LUA_TNIL;
    run->has_boots = true;
    for (sim_machine_number member = 1; member <= count; member++) {
        run->boots[member] = (struct sim_boot){.token = options.token ? keep(run, options.token) : NULL};
        if (has_members && lua_rawgeti(lua, 3, member) != LUA_TNIL) {
            read_boot(lua, run, &inner, &run->boots[member]);
        }
        lua_settop(lua, has_members ? 3 : 2);
    }
    for (sim_machine_number member = 1; member <= count; member++) {
        if (only & script_member_bit(member)) {
            start_member(lua, run, member, call);
        }
    }
    return 0;
}

int script_cluster_start(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "start");
    start_member(lua, run, script_check_member(lua, 2, "c:start(m)"), "c:start(m)");
    return 0;
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
