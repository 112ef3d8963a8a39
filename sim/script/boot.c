/* Starting members: what each is told of the cluster it is to begin or to join. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/cluster.h"

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
