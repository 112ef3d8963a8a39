/* at and when: a scenario's own code at points of a member's work. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/point.h"

#include "sim/script/api.h"
#include "sim/script/cluster.h"

/* One `at` or `when`, in the run's arena. */
struct script_trigger {
    struct script_trigger *next;
    bool is_when;
    int function; /* References in the registry. */
    int action;   /* when: what to do. */
    /* at: */
    struct sim_point_match match;
    uint64_t members;        /* Bits; 0: any. */
    sim_machine_number peer; /* 0: any. */
    uint64_t nth;
    uint64_t every;
    uint64_t counts[SIM_MEMBERS_MAX + 1]; /* Matches, by member. */
    /* when: */
    bool was_true[SIM_MEMBERS_MAX + 1];
    struct sim_member_view seen[SIM_MEMBERS_MAX + 1];
};

/* What a callback is called with, for protected mode. */
struct occasion {
    const struct script_trigger *trigger;
    sim_machine_number member;
    const struct sim_point *point; /* NULL: when. */
    const char *text;
    bool is_true;
};

static struct script_trigger *add_trigger(lua_State *lua, struct script_run *run, int function, int action)
{
    struct script_trigger *trigger = base_arena_alloc(run->arena, sizeof *trigger);
    struct script_trigger **end = &run->triggers;
    memset(trigger, 0, sizeof *trigger);
    lua_pushvalue(lua, function);
    trigger->function = luaL_ref(lua, LUA_REGISTRYINDEX);
    if (action > 0) {
        lua_pushvalue(lua, action);
        trigger->action = luaL_ref(lua, LUA_REGISTRYINDEX);
    }
    while (*end) {
        end = &(*end)->next;
    }
    *end = trigger;
    return trigger;
}

static int call_at_point(lua_State *lua)
{
    const struct occasion *occasion = lua_touserdata(lua, 1);
    const struct sim_point *point = occasion->point;
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, occasion->trigger->function);
    script_push_member(lua, occasion->member);
    lua_createtable(lua, 0, 4);
    lua_pushinteger(lua, (lua_Integer)point->term);
    lua_setfield(lua, -2, "term");
    lua_pushinteger(lua, (lua_Integer)point->index);
    lua_setfield(lua, -2, "index");
    if (point->peer > 0 && point->peer <= SIM_MEMBERS_MAX) {
        script_push_member(lua, point->peer);
        lua_setfield(lua, -2, "peer");
    }
    if (point->word) {
        (void)lua_pushstring(lua, point->word);
        lua_setfield(lua, -2, "step");
    }
    lua_call(lua, 2, 0);
    return 0;
}

static int call_when_changed(lua_State *lua)
{
    struct occasion *occasion = lua_touserdata(lua, 1);
    const struct script_trigger *trigger = occasion->trigger;
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, trigger->function);
    script_push_member(lua, occasion->member);
    lua_call(lua, 1, 1);
    occasion->is_true = lua_toboolean(lua, -1) != 0;
    if (occasion->is_true && !trigger->was_true[occasion->member]) {
        (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, trigger->action);
        script_push_member(lua, occasion->member);
        lua_call(lua, 1, 0);
    }
    return 0;
}

/* Run a callback where the world stands; nothing of Lua's errors crosses the world. */
static void run_callback(struct script_run *run, lua_CFunction body, struct occasion *occasion)
{
    lua_State *lua = run->state->lua;
    if (run->has_failed || !lua_checkstack(lua, 4)) {
        return;
    }
    if (!run->current) {
        script_state_begin_step(run->state);
    }
    bool had_waited = run->state->has_waited;
    lua_pushcfunction(lua, body);
    lua_pushlightuserdata(lua, occasion);
    if (lua_pcall(lua, 1, 0, 0) != LUA_OK) {
        script_error_text(lua, &run->start, run->failure);
        run->has_failed = true;
        lua_pop(lua, 1);
    }
    run->state->has_waited = had_waited;
}

static void on_point(void *context, const struct sim_point *point)
{
    struct script_run *run = context;
    for (struct script_trigger *trigger = run->triggers; trigger; trigger = trigger->next) {
        if (trigger->is_when || point->machine == 0 || point->machine > SIM_MEMBERS_MAX) {
            continue;
        }
        bool is_meant = (trigger->members == 0 || (trigger->members & script_member_bit(point->machine))) &&
                        (trigger->peer == 0 || trigger->peer == point->peer) &&
                        sim_point_matches(&trigger->match, point);
        if (!is_meant) {
            continue;
        }
        uint64_t count = ++trigger->counts[point->machine];
        bool is_due = trigger->nth > 0 ? count == trigger->nth : count % trigger->every == 0;
        if (is_due) {
            struct occasion occasion = {.trigger = trigger, .member = point->machine, .point = point};
            run_callback(run, call_at_point, &occasion);
        }
    }
}

struct at_options {
    uint64_t nth;
    uint64_t every;
};

int script_call_at(lua_State *lua)
{
    static const char call[] = "at(point, {member=, peer=, nth=, every=}, fn)";
    static const struct script_key keys[] = {{"member", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"peer", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"nth", SCRIPT_U64, offsetof(struct at_options, nth), 1, 0,
                                              NULL},
                                             {"every", SCRIPT_U64, offsetof(struct at_options, every), 1, 0,
                                              NULL}};
    const struct script_path path = {.call = "at"};
    struct script_run *run = script_run_check(lua, call);
    struct at_options options = {.every = 1};
    struct sim_point_match match;
    char error[768];
    const char *point = script_check_text(lua, 1, call);
    if (lua_isfunction(lua, 2)) {
        lua_pushnil(lua);
        lua_insert(lua, 2);
    }
    lua_settop(lua, 3);
    script_check_function(lua, 3, call);
    script_read_table(lua, 2, &path, keys, 4, &options);
    if (!sim_point_parse(point, &match, error, sizeof error)) {
        script_error(lua, "at: %s", error);
    }
    struct script_trigger *trigger = add_trigger(lua, run, 3, 0);
    trigger->match = match;
    trigger->nth = options.nth;
    trigger->every = options.every;
    if (lua_istable(lua, 2)) {
        if (lua_getfield(lua, 2, "member") != LUA_TNIL) {
            trigger->members = script_check_members(lua, -1, "at: member");
        }
        if (lua_getfield(lua, 2, "peer") != LUA_TNIL) {
            trigger->peer = script_check_machine(lua, -1, "at: peer");
        }
    }
    sim_world_points(run->world, on_point, run);
    return 0;
}

int script_call_when(lua_State *lua)
{
    static const char call[] = "when(fn, action)";
    struct script_run *run = script_run_check(lua, call);
    script_check_function(lua, 1, call);
    script_check_function(lua, 2, call);
    struct script_trigger *trigger = add_trigger(lua, run, 1, 2);
    trigger->is_when = true;
    run->has_changed = true;
    return 0;
}

static bool is_same(const struct sim_member_view *a, const struct sim_member_view *b)
{
    return strcmp(a->role, b->role) == 0 && a->alive == b->alive && a->paused == b->paused &&
           a->term == b->term && a->vote == b->vote && a->commit == b->commit && a->applied == b->applied &&
           a->last_index == b->last_index && a->leader == b->leader && a->revision == b->revision &&
           a->connections == b->connections && a->member_id == b->member_id && a->is_learner == b->is_learner;
}

void script_triggers_look(struct script_run *run)
{
    for (struct script_trigger *trigger = run->triggers; trigger; trigger = trigger->next) {
        for (sim_machine_number member = 1; trigger->is_when && member <= sim_member_count(run->world);
             member++) {
            struct sim_member_view *seen = &trigger->seen[member];
            struct sim_member_view view;
            sim_member_view(run->world, member, false, &view);
            if (seen->number != 0 && is_same(seen, &view)) {
                continue;
            }
            *seen = view;
            struct occasion occasion = {.trigger = trigger, .member = member};
            run_callback(run, call_when_changed, &occasion);
            trigger->was_true[member] = occasion.is_true;
        }
    }
}
