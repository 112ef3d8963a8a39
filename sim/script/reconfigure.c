/* What an operator does to the membership of a running cluster. The steps that wait are
 * here; how they follow each other is told in prelude.lua. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/reconfigure.h"

#include "sim/script/client.h"
#include "sim/script/cluster.h"

#include <stdio.h>

/* Changes on their way, on the stack of whoever waits for them. */
struct changing {
    uint32_t count;
    sim_machine_number added[SIM_MEMBERS_MAX]; /* 0: the change adds nobody. */
    struct wire_change changes[SIM_MEMBERS_MAX];
    char urls[SIM_MEMBERS_MAX][32];
};

static char *keep(struct script_run *run, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(run->arena, size), text, size);
}

/* "http://m3:2380" is "m3". */
static void name_of_url(struct base_bytes url, char out[32])
{
    size_t size = 0;
    for (size_t at = 7; at < url.size && url.data[at] != ':' && size < 31; at++) {
        out[size++] = (char)url.data[at];
    }
    out[size] = '\0';
}

/* Whoever was added is told the members there are now, for its first start. */
static void brief(struct script_run *run, sim_machine_number machine, const struct wire_response *response)
{
    struct sim_boot *boot = &run->boots[machine];
    char url[32];
    (void)snprintf(url, sizeof url, "http://m%u:2380", (unsigned)machine);
    *boot = (struct sim_boot){.state = "existing", .has_peers = true};
    for (uint32_t i = 0; i < response->member_count && i < SIM_MEMBERS_MAX; i++) {
        const struct wire_member *member = &response->members[i];
        char name[32];
        char text[128];
        name_of_url(member->peer_url, name);
        (void)snprintf(text, sizeof text, "%.*s", (int)member->peer_url.size,
                       (const char *)member->peer_url.data);
        boot->peer_names[boot->peer_count] = keep(run, name);
        boot->peer_urls[boot->peer_count++] = keep(run, text);
        if (strcmp(text, url) == 0) {
            sim_member_assign(run->world, machine, member->id);
        }
    }
    run->has_boots = true;
}

static void brief_all(struct script_run *run, const struct changing *changing,
                      const struct wire_response *response)
{
    for (uint32_t i = 0; i < changing->count; i++) {
        if (changing->added[i] != 0) {
            brief(run, changing->added[i], response);
        }
    }
}

static int end_change(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    brief_all(script_state_of(lua)->run, lua_touserdata(lua, -1), script_wait_response(wait));
    lua_pushboolean(lua, 1);
    return 1;
}

/* Is the change made, by the list of members? Who was somebody else before is not told
 * by the address. */
static bool is_made(const struct wire_response *response, const struct wire_change *change, raft_id former)
{
    const struct wire_member *found = NULL;
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct wire_member *member = &response->members[i];
        bool is_it = change->kind == WIRE_CHANGE_ADD
                         ? base_bytes_equal(member->peer_url, change->member.peer_url) && member->id != former
                         : member->id == change->member.id;
        found = is_it ? member : found;
    }
    switch (change->kind) {
    case WIRE_CHANGE_ADD:
        return found != NULL;
    case WIRE_CHANGE_REMOVE:
        return !found;
    case WIRE_CHANGE_PROMOTE:
        return found && !found->is_learner;
    case WIRE_CHANGE_DEMOTE:
        return found && found->is_learner;
    case WIRE_CHANGE_UPDATE:
    case WIRE_CHANGE_KIND_COUNT:
        break;
    }
    return false;
}

static int end_listed(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    const struct changing *changing = lua_touserdata(lua, -1);
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    struct script_run *run = script_state_of(lua)->run;
    for (uint32_t i = 0; i < changing->count; i++) {
        struct sim_member_view view = {0};
        if (changing->added[i] != 0) {
            sim_member_view(run->world, changing->added[i], false, &view);
        }
        if (!is_made(response, &changing->changes[i], view.member_id)) {
            lua_pushboolean(lua, 0);
            return 1;
        }
    }
    brief_all(run, changing, response);
    lua_pushboolean(lua, 1);
    return 1;
}

static void add_change(lua_State *lua, struct script_run *run, struct changing *changing,
                       enum wire_change_kind kind, sim_machine_number member, bool is_learner,
                       const char *call)
{
    uint32_t slot = changing->count;
    struct sim_member_view view;
    if (slot == SIM_MEMBERS_MAX) {
        script_error(lua, "%s: found more than %d changes", call, SIM_MEMBERS_MAX);
    }
    sim_member_view(run->world, member, false, &view);
    struct wire_change *change = &changing->changes[slot];
    *change = (struct wire_change){.kind = kind, .member = {.is_learner = is_learner}};
    if (kind == WIRE_CHANGE_ADD) {
        changing->added[slot] = member;
        (void)snprintf(changing->urls[slot], sizeof changing->urls[slot], "http://m%u:2380",
                       (unsigned)member);
        change->member.peer_url = base_bytes_of(changing->urls[slot]);
    } else if (view.member_id == 0) {
        script_error(lua, "%s: found m%u, which has never been in a cluster", call, (unsigned)member);
    } else {
        change->member.id = view.member_id;
    }
    changing->count++;
}

/* native.change(c, call, kind, members, learners, is_joint): each of the list `members`,
 * one after the other in what it says of them; kind is a letter each: "a" add, "l" add as
 * learner, "r" remove, "p" promote, "d" demote. Changes that go together are joint. */
static struct changing *read_changes(lua_State *lua, struct script_run *run, const char **call)
{
    *call = lua_tostring(lua, 2);
    const char *letters = lua_tostring(lua, 3);
    struct changing *changing = lua_newuserdatauv(lua, sizeof *changing, 0);
    memset(changing, 0, sizeof *changing);
    for (lua_Integer i = 0; letters[i] != '\0'; i++) {
        static const char known[] = "alrpd";
        static const enum wire_change_kind kinds[] = {WIRE_CHANGE_ADD, WIRE_CHANGE_ADD, WIRE_CHANGE_REMOVE,
                                                      WIRE_CHANGE_PROMOTE, WIRE_CHANGE_DEMOTE};
        (void)lua_rawgeti(lua, 4, i + 1);
        sim_machine_number member = script_check_member(lua, -1, *call);
        lua_pop(lua, 1);
        add_change(lua, run, changing, kinds[strchr(known, letters[i]) - known], member, letters[i] == 'l',
                   *call);
    }
    return changing;
}

int script_reconfigure_change(lua_State *lua)
{
    const char *call = NULL;
    struct script_run *run = script_cluster_self(lua, "change");
    struct changing *changing = read_changes(lua, run, &call);
    static const enum wire_request_kind kinds[WIRE_CHANGE_KIND_COUNT] = {
        [WIRE_CHANGE_ADD] = WIRE_MEMBER_ADD,
        [WIRE_CHANGE_REMOVE] = WIRE_MEMBER_REMOVE,
        [WIRE_CHANGE_PROMOTE] = WIRE_MEMBER_PROMOTE,
    };
    struct wire_request request = {.kind = WIRE_MEMBER_CHANGE,
                                   .change_count = changing->count,
                                   .changes = changing->changes};
    if (!lua_toboolean(lua, 5)) {
        request = (struct wire_request){.kind = kinds[changing->changes[0].kind],
                                        .member = changing->changes[0].member};
    }
    return script_wait_call(lua, call, script_cluster_admin(lua, run), 0, &request, end_change);
}

/* native.listed(c, call, kinds, members): are the changes made? Additions are seen on any
 * member's list: the second member of a cluster has to be started before it has a quorum.
 * The others' lists may be too old to have had in them what is gone. */
int script_reconfigure_listed(lua_State *lua)
{
    const char *call = NULL;
    struct script_run *run = script_cluster_self(lua, "listed");
    const struct changing *changing = read_changes(lua, run, &call);
    uint32_t additions = 0;
    for (uint32_t i = 0; i < changing->count; i++) {
        additions += changing->changes[i].kind == WIRE_CHANGE_ADD;
    }
    struct wire_request request = {.kind = WIRE_MEMBER_LIST};
    request.op.flags = additions == changing->count ? KV_SERIALIZABLE : 0;
    return script_wait_call(lua, call, script_cluster_admin(lua, run), 0, &request, end_listed);
}

/* native.machine(c, call, on): the machine for a member that is to come: `on`, which
 * must be empty, or a new one. */
int script_reconfigure_machine(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "machine");
    const char *call = lua_tostring(lua, 2);
    if (!lua_isnil(lua, 3)) {
        sim_machine_number member = script_check_member(lua, 3, call);
        struct sim_member_view view;
        sim_member_view(run->world, member, false, &view);
        if (view.alive) {
            script_error(lua, "%s: on: found m%u, which is running", call, (unsigned)member);
        }
        script_push_member(lua, member);
        return 1;
    }
    sim_machine_number member = sim_member_new(run->world);
    if (member == 0) {
        script_error(lua, "%s: found %d members, there cannot be more", call, SIM_MEMBERS_MAX);
    }
    script_push_member(lua, member);
    return 1;
}

/* native.start(c, call, m) */
int script_reconfigure_start(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "start");
    sim_machine_number member = script_check_member(lua, 3, lua_tostring(lua, 2));
    script_check_done(lua, lua_tostring(lua, 2), sim_member_start(run->world, member, &run->boots[member]));
    return 0;
}

/* Up and published, or not up any more. */
static bool has_arrived(struct script_run *run, struct script_wait *wait)
{
    for (sim_machine_number member = 1; member <= sim_member_count(run->world); member++) {
        struct sim_member_view view;
        sim_member_view(run->world, member, false, &view);
        if ((wait->members & script_member_bit(member)) && view.alive && !view.ready) {
            return false;
        }
    }
    return true;
}

static int end_arrived(lua_State *lua, int status, lua_KContext context)
{
    (void)lua;
    (void)status;
    (void)context;
    return 0;
}

/* native.arrived(c, call, members, within): wait until they serve, or not any longer. */
int script_reconfigure_arrived(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "arrived");
    uint64_t members = script_check_members(lua, 3, lua_tostring(lua, 2));
    uint64_t within_ns = (uint64_t)(lua_tonumber(lua, 4) * 1e9);
    struct script_wait *wait = script_wait_begin(lua, lua_tostring(lua, 2));
    wait->is_true = has_arrived;
    wait->members = members;
    return script_wait(lua, wait, sim_world_now(run->world) + within_ns, end_arrived);
}

struct add_options {
    bool learner;
    bool start;
    uint64_t within_ns;
};

/* native.check_add(c, options): learner, start, within and on of c:add_member. */
int script_reconfigure_check_add(lua_State *lua)
{
    static const struct script_key keys[] = {
        {"learner", SCRIPT_BOOL, offsetof(struct add_options, learner), 0, 0, NULL},
        {"start", SCRIPT_BOOL, offsetof(struct add_options, start), 0, 0, NULL},
        {"within", SCRIPT_NS, offsetof(struct add_options, within_ns), 0, 0, NULL},
        {"on", SCRIPT_ANY, 0, 0, 0, NULL},
    };
    const struct script_path path = {.call = "c:add_member"};
    struct script_run *run = script_cluster_self(lua, "add_member");
    struct add_options options = {.start = true, .within_ns = script_cluster_within(run)};
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &options);
    lua_pushboolean(lua, options.learner);
    lua_pushboolean(lua, options.start);
    script_push_ns(lua, options.within_ns);
    if (!lua_istable(lua, 2)) {
        lua_pushnil(lua);
    } else {
        (void)lua_getfield(lua, 2, "on");
    }
    return 4;
}

/* native.check_replace(options): joint of c:replace_member. */
int script_reconfigure_check_replace(lua_State *lua)
{
    static const struct script_key keys[] = {{"joint", SCRIPT_BOOL, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "c:replace_member"};
    bool is_joint = false;
    script_read_table(lua, 1, &path, keys, 1, &is_joint);
    lua_pushboolean(lua, is_joint);
    return 1;
}

struct many_options {
    uint32_t add;
    uint32_t learners;
    bool start;
    uint64_t within_ns;
};

static void push_list(lua_State *lua, const char *name)
{
    uint64_t members = 0;
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, name) != LUA_TNIL) {
        members = script_check_members(lua, -1, "c:change_members");
    }
    script_push_members(lua, members);
}

/* native.check_many(c, options): add, learners, remove, promote, demote, start, within. */
int script_reconfigure_check_many(lua_State *lua)
{
    static const struct script_key keys[] = {
        {"add", SCRIPT_U32, offsetof(struct many_options, add), 0, SIM_MEMBERS_MAX, NULL},
        {"learners", SCRIPT_U32, offsetof(struct many_options, learners), 0, SIM_MEMBERS_MAX, NULL},
        {"start", SCRIPT_BOOL, offsetof(struct many_options, start), 0, 0, NULL},
        {"within", SCRIPT_NS, offsetof(struct many_options, within_ns), 0, 0, NULL},
        {"remove", SCRIPT_ANY, 0, 0, 0, NULL},
        {"promote", SCRIPT_ANY, 0, 0, 0, NULL},
        {"demote", SCRIPT_ANY, 0, 0, 0, NULL},
    };
    const struct script_path path = {.call = "c:change_members"};
    struct script_run *run = script_cluster_self(lua, "change_members");
    struct many_options options = {.start = true, .within_ns = script_cluster_within(run)};
    lua_settop(lua, 2);
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], &options);
    lua_pushinteger(lua, options.add);
    lua_pushinteger(lua, options.learners);
    lua_pushboolean(lua, options.start);
    script_push_ns(lua, options.within_ns);
    static const char *const names[] = {"remove", "promote", "demote"};
    for (int i = 0; i < 3; i++) {
        push_list(lua, names[i]);
        if (lua_gettop(lua) > 7 + i) {
            lua_replace(lua, 7 + i);
        }
        lua_settop(lua, 7 + i);
    }
    return 7;
}

/* --- one member, or nobody --- */

static int end_true(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    lua_pushboolean(lua, 1);
    return 1;
}

static uint64_t id_of(lua_State *lua, struct script_run *run, sim_machine_number member, const char *call)
{
    struct sim_member_view view;
    sim_member_view(run->world, member, false, &view);
    if (view.member_id == 0) {
        script_error(lua, "%s: found m%u, which has never been in a cluster", call, (unsigned)member);
    }
    return view.member_id;
}

int script_cluster_update_member(lua_State *lua)
{
    static const char call[] = "c:update_member(m, url)";
    struct script_run *run = script_cluster_self(lua, "update_member");
    uint64_t id = id_of(lua, run, script_check_member(lua, 2, call), call);
    const char *url = script_check_text(lua, 3, call);
    const struct wire_request request = {.kind = WIRE_MEMBER_UPDATE,
                                         .member = {.id = id, .peer_url = base_bytes_of(url)}};
    return script_wait_call(lua, call, script_cluster_admin(lua, run), 0, &request, end_true);
}

int script_cluster_move_leader(lua_State *lua)
{
    static const char call[] = "c:move_leader(to)";
    struct script_run *run = script_cluster_self(lua, "move_leader");
    uint64_t id = id_of(lua, run, script_check_member(lua, 2, call), call);
    sim_machine_number leader = sim_leader(run->world);
    if (leader == 0) {
        return script_push_failure(lua, base_status_text(BASE_NO_LEADER), false);
    }
    const struct wire_request request = {.kind = WIRE_MOVE_LEADER, .member = {.id = id}};
    return script_wait_call(lua, call, script_cluster_admin(lua, run), leader, &request, end_true);
}
