/* Starting members: what each is told of the cluster it is to begin or to join. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/cluster.h"

#include <stdio.h>

static char *keep(struct script_run *run, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(run->arena, size), text, size);
}

struct boot_options {
    const char *token;
    const char *discovery;
    const char *name;
    const char *url;
    const char *state;
};

static const char *keep_or(struct script_run *run, const char *text, const char *otherwise)
{
    return text ? keep(run, text) : otherwise;
}

static void add_peer(lua_State *lua, struct sim_boot *boot, const char *name, const char *url)
{
    static const char call[] = "c:bootstrap: peers";
    if (boot->peer_count == SIM_MEMBERS_MAX) {
        script_error(lua, "%s: found more than %d of them", call, SIM_MEMBERS_MAX);
    }
    uint32_t slot = boot->peer_count++;
    for (; slot > 0 && strcmp(boot->peer_names[slot - 1], name) > 0; slot--) {
        boot->peer_names[slot] = boot->peer_names[slot - 1];
        boot->peer_urls[slot] = boot->peer_urls[slot - 1];
    }
    boot->peer_names[slot] = name;
    boot->peer_urls[slot] = url;
}

/* A member, its number or its name; or the name of somebody who is not there. */
static void add_listed(lua_State *lua, struct script_run *run, struct sim_boot *boot)
{
    char name[64];
    char url[96];
    if (lua_type(lua, -1) == LUA_TSTRING) {
        (void)snprintf(name, sizeof name, "%s", lua_tostring(lua, -1));
    } else {
        (void)snprintf(name, sizeof name, "m%u",
                       (unsigned)script_check_member(lua, -1, "c:bootstrap: peers"));
    }
    (void)snprintf(url, sizeof url, "http://%s:2380", name);
    add_peer(lua, boot, keep(run, name), keep(run, url));
}

/* `peers = {1, 2, c[3]}`, or `peers = {m1 = "http://m1:2380", …}`; the table on top.
 * In order of the names, whichever way they are said. */
static void read_peers(lua_State *lua, struct script_run *run, struct sim_boot *boot)
{
    int table = lua_gettop(lua);
    boot->has_peers = true;
    boot->peer_count = 0;
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, table); i++) {
        (void)lua_rawgeti(lua, table, i);
        add_listed(lua, run, boot);
        lua_settop(lua, table);
    }
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        if (lua_type(lua, -2) == LUA_TSTRING && lua_type(lua, -1) == LUA_TSTRING) {
            add_peer(lua, boot, keep(run, lua_tostring(lua, -2)), keep(run, lua_tostring(lua, -1)));
        } else if (!lua_isinteger(lua, -2)) {
            script_error(lua, "c:bootstrap: peers: expected a list of members, or a table of urls by name");
        }
        lua_pop(lua, 1);
    }
}

/* `member = {[3] = {token=, peers=, name=, url=, state=, discovery=}}`: the inner
 * table on top. */
static void read_boot(lua_State *lua, struct script_run *run, const struct script_path *path,
                      struct sim_boot *out)
{
    static const struct script_key keys[] = {
        {"token", SCRIPT_TEXT, offsetof(struct boot_options, token), 0, 0, NULL},
        {"discovery", SCRIPT_TEXT, offsetof(struct boot_options, discovery), 0, 0, NULL},
        {"name", SCRIPT_TEXT, offsetof(struct boot_options, name), 0, 0, NULL},
        {"url", SCRIPT_TEXT, offsetof(struct boot_options, url), 0, 0, NULL},
        {"state", SCRIPT_TEXT, offsetof(struct boot_options, state), 0, 0, NULL},
        {"peers", SCRIPT_TABLE, 0, 0, 0, NULL},
    };
    struct boot_options options = {.token = NULL};
    script_read_table(lua, -1, path, keys, sizeof keys / sizeof keys[0], &options);
    out->token = keep_or(run, options.token, out->token);
    out->discovery = keep_or(run, options.discovery, out->discovery);
    out->name = keep_or(run, options.name, out->name);
    out->url = keep_or(run, options.url, out->url);
    out->state = keep_or(run, options.state, out->state);
    if (lua_getfield(lua, -1, "peers") != LUA_TNIL) {
        read_peers(lua, run, out);
    }
    lua_pop(lua, 1);
}

static void start_member(lua_State *lua, struct script_run *run, sim_machine_number member, const char *call)
{
    const struct sim_boot *boot = run->has_boots ? &run->boots[member] : NULL;
    script_check_done(lua, call, sim_member_start(run->world, member, boot));
}

/* `size = n`: what the token is for; anything may stand there, as in a registry that
 * somebody else has filled. false: nothing does. */
static void open_registry(lua_State *lua, struct script_run *run, const char *token)
{
    char size[32];
    (void)snprintf(size, sizeof size, "%u", (unsigned)sim_world_options(run->world)->cluster.members);
    const char *text = size;
    if (strlen(token) == 0 || strlen(token) > 64) {
        script_error(lua, "c:bootstrap: discovery: found %zu bytes, expected 1 to 64", strlen(token));
    }
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "size") != LUA_TNIL) {
        text = lua_type(lua, -1) == LUA_TBOOLEAN ? NULL : luaL_tolstring(lua, -1, NULL);
    }
    (void)sim_registry_open(run->world, token, text);
    lua_settop(lua, 2);
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
        open_registry(lua, run, options.discovery);
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
        run->boots[member] = (struct sim_boot){.token = keep_or(run, options.token, NULL),
                                               .discovery = keep_or(run, options.discovery, NULL)};
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
