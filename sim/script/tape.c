/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/tape.h"

#include "sim/script/client.h"
#include "sim/script/dist.h"
#include "sim/script/prelude.h"
#include "sim/script/source.h"
#include "sim/script/taping.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const option_names[SCRIPT_TAPE_OPTIONS] = {"cluster", "network",   "disk",   "clock",
                                                              "cpu",     "tolerance", "checks", "limit"};

/* Where a state keeps the function that takes down what world is asked for. */
static const char option_key;

void script_tape_init(struct script_tape *tape)
{
    *tape = (struct script_tape){.now_ns = 0};
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        tape->options[i].name = option_names[i];
    }
}

void script_tape_release(struct script_tape *tape)
{
    for (uint32_t i = 0; i < tape->act_count; i++) {
        free(tape->acts[i].text);
        free(tape->acts[i].point);
        free(tape->acts[i].name);
    }
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        free(tape->options[i].text);
    }
    free(tape->acts);
    script_tape_init(tape);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_alloc(&script_memory, size), text, size);
}

static struct script_tape *tape_of(lua_State *lua)
{
    struct script_tape *tape = script_state_of(lua)->tape;
    assert(tape);
    return tape;
}

/* --- time --- */

/* When what is done now is to be done by the clock. */
static uint64_t stamp(struct script_tape *tape, const struct script_run *run)
{
    uint64_t now_ns = sim_world_now(run->world);
    const struct script_task *task = run->current;
    bool is_first = tape->act_count == 0 && now_ns == 0;
    uint64_t number = task ? task->number : 0;
    bool goes_on = number > 0 && number == tape->task && now_ns == tape->now_ns && !tape->has_waited;
    bool by_clock = task && task->wait.what && strcmp(task->wait.what, "sleep") == 0 && task->wait.is_late;
    if (!is_first && !goes_on && !(by_clock && now_ns > tape->now_ns)) {
        tape->delay_ns++;
    }
    tape->now_ns = now_ns;
    tape->task = number;
    tape->has_waited = false;
    return now_ns + tape->delay_ns;
}

void script_tape_end(struct script_tape *tape, uint64_t now_ns, bool is_over)
{
    /* Room for a violation that comes as late as everything else. */
    tape->end_ns = now_ns + tape->delay_ns + (is_over ? 1 : 1000);
    tape->is_ended = is_over;
}

/* --- what the Lua side calls --- */

static struct script_act *add_act(struct script_tape *tape)
{
    if (tape->act_count == tape->act_capacity) {
        uint32_t capacity = tape->act_capacity == 0 ? 256 : tape->act_capacity * 2;
        tape->acts = base_resize(&script_memory, tape->acts, tape->act_capacity * sizeof tape->acts[0],
                                 capacity * sizeof tape->acts[0]);
        tape->act_capacity = capacity;
    }
    struct script_act *act = &tape->acts[tape->act_count];
    *act = (struct script_act){.order = tape->act_count++};
    return act;
}

/* native.act(text, mode, point, is_polled): a call is made; answers its number. `point`,
 * if any, is the place that native.mark answered and how the point is written. */
static int take_act(lua_State *lua)
{
    struct script_tape *tape = tape_of(lua);
    const struct script_run *run = script_run_check(lua, "a tape");
    const char *mode = luaL_checkstring(lua, 2);
    bool has_point = lua_istable(lua, 3);
    uint64_t time_ns = has_point ? 0 : stamp(tape, run);
    struct script_act *act = add_act(tape);
    act->time_ns = time_ns;
    act->text = copy_text(luaL_checkstring(lua, 1));
    act->waits = strcmp(mode, "act") != 0;
    act->is_demand = strcmp(mode, "demand") == 0;
    act->task = run->current ? run->current->number : 0;
    act->is_polled = lua_toboolean(lua, 4) != 0;
    memcpy(act->why, tape->why, sizeof act->why);
    tape->why[0] = '\0';
    if (has_point) {
        (void)lua_rawgeti(lua, 3, 1);
        const struct script_act *mark = &tape->acts[lua_tointeger(lua, -1)];
        (void)lua_rawgeti(lua, 3, 2);
        act->point = copy_text(lua_tostring(lua, -1));
        act->time_ns = mark->time_ns;
        act->order = mark->order;
    } else {
        tape->has_waited = act->waits;
    }
    lua_pushinteger(lua, (lua_Integer)(tape->act_count - 1));
    return 1;
}

/* native.mark(): a place for acts that are still to come; void itself. */
static int take_mark(lua_State *lua)
{
    struct script_tape *tape = tape_of(lua);
    uint64_t time_ns = stamp(tape, script_run_check(lua, "at"));
    struct script_act *act = add_act(tape);
    act->time_ns = time_ns;
    act->text = copy_text("");
    act->is_void = true;
    lua_pushinteger(lua, (lua_Integer)(tape->act_count - 1));
    return 1;
}

static int take_name(lua_State *lua)
{
    struct script_act *act = &tape_of(lua)->acts[luaL_checkinteger(lua, 1)];
    assert(!act->name);
    act->name = copy_text(luaL_checkstring(lua, 2));
    return 0;
}

static int take_void(lua_State *lua)
{
    tape_of(lua)->acts[luaL_checkinteger(lua, 1)].is_void = true;
    return 0;
}

/* native.fail(why): something of the next act cannot be written down. */
static int take_fail(lua_State *lua)
{
    struct script_tape *tape = tape_of(lua);
    if (tape->why[0] == '\0') {
        (void)snprintf(tape->why, sizeof tape->why, "%s", luaL_checkstring(lua, 1));
    }
    return 0;
}

static int take_option(lua_State *lua)
{
    struct script_tape *tape = tape_of(lua);
    const char *name = luaL_checkstring(lua, 1);
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        if (strcmp(option_names[i], name) == 0) {
            free(tape->options[i].text);
            tape->options[i].text = copy_text(luaL_checkstring(lua, 2));
        }
    }
    return 0;
}

/* native.members(): how many there were from the start. */
static int members_of(lua_State *lua)
{
    lua_pushinteger(lua, (lua_Integer)tape_of(lua)->members);
    return 1;
}

/* native.kind(value): "cli", "lease" …: what a name for it begins with; or nothing. */
static int kind_of(lua_State *lua)
{
    static const struct {
        const struct script_class *class;
        const char *kind;
    } kinds[] = {{&script_client_class, "cli"},
                 {&script_lease_class, "lease"},
                 {&script_watch_class, "watch"},
                 {&script_load_class, "load"},
                 {&script_backup_class, "backup"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (script_object_at(lua, 1, kinds[i].class)) {
            (void)lua_pushstring(lua, kinds[i].kind);
            return 1;
        }
    }
    if (script_is_image(lua, 1)) {
        (void)lua_pushstring(lua, "image");
        return 1;
    }
    return 0;
}

/* native.written(value): how a value is written that needs no name; or nothing. */
static int written(lua_State *lua)
{
    const struct script_numbered *member = script_object_at(lua, 1, &script_member_class);
    if (member) {
        (void)lua_pushfstring(lua, "m%d", (int)member->number);
    } else if (script_object_at(lua, 1, &script_cluster_class)) {
        (void)lua_pushliteral(lua, "c");
    } else if (script_object_at(lua, 1, &script_discovery_class)) {
        (void)lua_pushliteral(lua, "c:discovery()");
    } else {
        return script_dist_write(lua, 1);
    }
    return 1;
}

/* --- native.quote --- */

static bool is_name(const struct script_token *token, const struct script_token *before,
                    const struct script_token *next)
{
    bool is_field = script_token_is(before, ".") || script_token_is(before, ":");
    bool is_key = script_token_is(next, "=");
    return token->kind == SCRIPT_TOKEN_NAME && !is_field && !is_key && !script_token_is_keyword(token);
}

/* native.quote(call): the first argument of the call that the script is at, on one
 * line, and a table of the values that the names in it have where they stand. */
static int quote(lua_State *lua)
{
    struct script_place place;
    lua_Debug record;
    struct base_bytes expression;
    struct script_scanner scanner;
    struct script_token before = {.kind = SCRIPT_TOKEN_END};
    const char *call = luaL_checkstring(lua, 1);
    luaL_Buffer text;
    lua_settop(lua, 1);
    lua_newtable(lua);
    if (!script_where(lua, &place, &record) ||
        !script_argument(base_buffer_view(&place.source->text), place.line, call, &expression)) {
        lua_pushliteral(lua, "");
        lua_pushvalue(lua, 2);
        return 2;
    }
    luaL_buffinit(lua, &text);
    script_scanner_init(&scanner, expression);
    for (struct script_token token = script_scan(&scanner); token.kind != SCRIPT_TOKEN_END;) {
        struct script_token next = script_scan(&scanner);
        if (before.kind != SCRIPT_TOKEN_END && token.start > before.end) {
            luaL_addchar(&text, ' ');
        }
        luaL_addlstring(&text, (const char *)expression.data + token.start, token.end - token.start);
        before = token;
        token = next;
    }
    luaL_pushresult(&text);
    before.kind = SCRIPT_TOKEN_END;
    script_scanner_init(&scanner, expression);
    for (struct script_token token = script_scan(&scanner); token.kind != SCRIPT_TOKEN_END;) {
        struct script_token next = script_scan(&scanner);
        if (is_name(&token, &before, &next)) {
            (void)lua_pushlstring(lua, (const char *)token.text.data, token.text.size);
            script_push_named(lua, &record, lua_tostring(lua, -1));
            lua_rawset(lua, 2);
        }
        before = token;
        token = next;
    }
    lua_pushvalue(lua, 2);
    return 2;
}

/* --- opening --- */

static void add_class(lua_State *lua, const char *name, const struct script_class *class)
{
    (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, class);
    lua_setfield(lua, -2, name);
}

static int open_tape(lua_State *lua)
{
    static const luaL_Reg native[] = {{"act", take_act},       {"mark", take_mark}, {"name", take_name},
                                      {"void", take_void},     {"fail", take_fail}, {"option", take_option},
                                      {"kind", kind_of},       {"quote", quote},    {"written", written},
                                      {"members", members_of}, {NULL, NULL}};
    if (luaL_loadbufferx(lua, (const char *)script_tape_text, script_tape_text_size, "=tape", "t") !=
        LUA_OK) {
        return lua_error(lua);
    }
    lua_newtable(lua);
    luaL_setfuncs(lua, native, 0);
    lua_newtable(lua);
    add_class(lua, "cluster", &script_cluster_class);
    add_class(lua, "member", &script_member_class);
    add_class(lua, "client", &script_client_class);
    add_class(lua, "lease", &script_lease_class);
    add_class(lua, "watch", &script_watch_class);
    add_class(lua, "load", &script_load_class);
    add_class(lua, "backup", &script_backup_class);
    add_class(lua, "discovery", &script_discovery_class);
    lua_setfield(lua, -2, "classes");
    lua_pushglobaltable(lua);
    lua_setfield(lua, -2, "globals");
    lua_call(lua, 1, 1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &option_key);
    return 0;
}

void script_tape_open(struct script_state *state, struct script_tape *tape)
{
    state->tape = tape;
    lua_pushcfunction(state->lua, open_tape);
    if (lua_pcall(state->lua, 0, 0, 0) != LUA_OK) {
        (void)fprintf(stderr, "%s\n", lua_tostring(state->lua, -1)); /* A bug of ours. */
        abort();
    }
}

void script_tape_option(lua_State *lua, const char *name)
{
    if (script_state_of(lua)->tape) {
        (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, &option_key);
        (void)lua_pushstring(lua, name);
        lua_pushvalue(lua, -3);
        lua_call(lua, 2, 0);
    }
}
