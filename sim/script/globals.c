/* The globals of a scenario, but for those that judge and those that draw. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/dist.h"
#include "sim/script/object.h"
#include "sim/script/run.h"
#include "sim/script/sandbox.h"
#include "sim/script/text.h"
#include "sim/script/value.h"

#include <stdio.h>
#include <stdlib.h>

static int call_scenario(lua_State *lua)
{
    return script_call_scenario(lua);
}

static int call_experiment(lua_State *lua)
{
    return script_call_experiment(lua);
}

static int call_expect(lua_State *lua)
{
    return script_call_expect(lua);
}

static int call_eventually(lua_State *lua)
{
    return script_call_eventually(lua);
}

static int call_always(lua_State *lua)
{
    return script_call_always(lua);
}

static int call_now(lua_State *lua)
{
    const struct script_run *run = script_run_check(lua, "now()");
    script_push_ns(lua, sim_world_now(run->world));
    return 1;
}

static int nothing_more(lua_State *lua, int status, lua_KContext context)
{
    (void)lua;
    (void)status;
    (void)context;
    return 0;
}

static int call_sleep(lua_State *lua)
{
    uint64_t duration_ns = script_check_ns(lua, 1, "sleep(duration)");
    struct script_wait *wait = script_wait_begin(lua, "sleep");
    return script_wait(lua, wait, sim_world_now(script_state_of(lua)->run->world) + duration_ns,
                       nothing_more);
}

static int call_spawn(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "spawn(fn)");
    script_check_function(lua, 1, "spawn(fn)");
    (void)script_run_spawn(lua, run, lua_gettop(lua) - 1);
    return 0;
}

static char *copy_name(const char *name)
{
    size_t size = strlen(name) + 1;
    return memcpy(base_alloc(&script_memory, size), name, size);
}

static int call_record(lua_State *lua)
{
    static const char call[] = "record(name, number)";
    struct script_run *run = script_run_check(lua, call);
    const char *name = script_check_text(lua, 1, call);
    if (lua_type(lua, 2) != LUA_TNUMBER) {
        script_argument_error(lua, 2, call, "a number");
    }
    double number = script_round(lua_tonumber(lua, 2));
    if (number - number != 0) {
        script_argument_error(lua, 2, call, "a finite number");
    }
    if (run->metric_count == run->metric_capacity) {
        uint32_t capacity = run->metric_capacity == 0 ? 8 : run->metric_capacity * 2;
        run->metrics = base_resize(&script_memory, run->metrics, run->metric_capacity * sizeof *run->metrics,
                                   capacity * sizeof *run->metrics);
        run->metric_capacity = capacity;
    }
    run->metrics[run->metric_count++] = (struct script_metric){.name = copy_name(name), .value = number};
    char digits[32];
    char text[160];
    script_text_number(number, digits);
    (void)snprintf(text, sizeof text, "record %.100s = %s", name, digits);
    sim_world_note(run->world, text);
    return 0;
}

static int call_sometimes(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "sometimes(name, cond)");
    const char *name = script_check_text(lua, 1, "sometimes(name, cond)");
    bool is_true = lua_toboolean(lua, 2) != 0;
    for (uint32_t i = 0; i < run->sometimes_count; i++) {
        if (strcmp(run->sometimes[i].name, name) == 0) {
            run->sometimes[i].was_true = run->sometimes[i].was_true || is_true;
            return 0;
        }
    }
    if (run->sometimes_count == run->sometimes_capacity) {
        uint32_t capacity = run->sometimes_capacity == 0 ? 8 : run->sometimes_capacity * 2;
        run->sometimes =
            base_resize(&script_memory, run->sometimes, run->sometimes_capacity * sizeof *run->sometimes,
                        capacity * sizeof *run->sometimes);
        run->sometimes_capacity = capacity;
    }
    run->sometimes[run->sometimes_count++] =
        (struct script_sometimes){.name = copy_name(name), .was_true = is_true};
    return 0;
}

static int call_note(lua_State *lua)
{
    const struct script_run *run = script_run_check(lua, "note(text)");
    script_push_tostring(lua, 1);
    sim_world_note(run->world, lua_tostring(lua, -1));
    return 0;
}

static int call_print(lua_State *lua)
{
    const struct script_run *run = script_state_of(lua)->run;
    int count = lua_gettop(lua);
    luaL_Buffer text;
    luaL_buffinit(lua, &text);
    for (int i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&text, '\t');
        }
        script_push_tostring(lua, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    if (run) {
        sim_world_note(run->world, lua_tostring(lua, -1));
    }
    return 0;
}

/* "5", "0.5", "150ms": a number as a parameter is written. */
static bool push_number(lua_State *lua, const char *text)
{
#define VALUE(name, number, text) {#name, number},
    static const struct {
        const char *name;
        double value;
    } units[] = {
#include "sim/script/api.def"
    };
    char *end = NULL;
    if (lua_stringtonumber(lua, text) != 0) {
        return true;
    }
    double number = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0) {
            lua_pushnumber(lua, script_round(number * units[i].value));
            return true;
        }
    }
    return false;
}

static _Noreturn void refuse_param(lua_State *lua, const char *name, const char *text, const char *expected)
{
    script_error(lua, "--param %.60s=%.60s: found \"%.60s\", expected %s", name, text, text, expected);
}

/* Push what the command line says, as a value of the default's type. */
static void push_param(lua_State *lua, const char *name, const char *text)
{
    bool is_boolean = lua_isboolean(lua, 2);
    if (is_boolean) {
        bool is_true = strcmp(text, "true") == 0;
        if (!is_true && strcmp(text, "false") != 0) {
            refuse_param(lua, name, text, "true or false");
        }
        lua_pushboolean(lua, is_true);
    } else if (lua_type(lua, 2) == LUA_TSTRING) {
        (void)lua_pushstring(lua, text);
    } else if (!push_number(lua, text)) {
        if (lua_type(lua, 2) == LUA_TNUMBER) {
            refuse_param(lua, name, text, "a number, or one with a unit such as 150ms");
        }
        (void)lua_pushstring(lua, text);
    }
}

/* Put on record what a parameter is in this run: the value on top of the stack. */
static void note_param(lua_State *lua, const char *name)
{
    struct script_state *state = script_state_of(lua);
    char text[256];
    script_push_tostring(lua, -1);
    for (uint32_t i = 0; i < state->drawn_count; i++) {
        if (strcmp(state->drawn[i].name, name) == 0) {
            lua_pop(lua, 1);
            return;
        }
    }
    if (state->drawn_count == state->drawn_capacity) {
        uint32_t capacity = state->drawn_capacity == 0 ? 32 : state->drawn_capacity * 2;
        state->drawn = base_resize(&script_memory, state->drawn, state->drawn_capacity * sizeof *state->drawn,
                                   capacity * sizeof *state->drawn);
        state->drawn_capacity = capacity;
    }
    struct script_param *drawn = &state->drawn[state->drawn_count++];
    *drawn = (struct script_param){.name = copy_name(name), .value = copy_name(lua_tostring(lua, -1))};
    if (state->run) {
        (void)snprintf(text, sizeof text, "param %.80s=%.160s", drawn->name, drawn->value);
        sim_world_note(state->run->world, text);
    }
    lua_pop(lua, 1);
}

static int call_param(lua_State *lua)
{
    const struct script_state *state = script_state_of(lua);
    const char *name = script_check_text(lua, 1, "param(name, default)");
    lua_settop(lua, 2);
    for (uint32_t i = state->param_count; i-- > 0;) {
        if (strcmp(state->params[i].name, name) == 0) {
            push_param(lua, name, state->params[i].value);
            break;
        }
    }
    note_param(lua, name);
    return 1;
}

static int call_uniform(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_UNIFORM);
}

static int call_normal(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_NORMAL);
}

static int call_lognormal(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_LOGNORMAL);
}

static int call_exponential(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_EXPONENTIAL);
}

static int call_pareto(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_PARETO);
}

static int call_constant(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_CONSTANT);
}

static int call_empirical(lua_State *lua)
{
    return script_dist_make(lua, SIM_DIST_EMPIRICAL);
}

static int call_random(lua_State *lua)
{
    return script_call_random(lua);
}

static int call_choose(lua_State *lua)
{
    return script_call_choose(lua);
}

static int call_shuffle(lua_State *lua)
{
    return script_call_shuffle(lua);
}

static int call_at(lua_State *lua)
{
    return script_call_at(lua);
}

static int call_when(lua_State *lua)
{
    return script_call_when(lua);
}

void script_globals_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
#define GLOBAL(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
        {NULL, NULL}};
    lua_pushglobaltable(lua);
    luaL_setfuncs(lua, functions, 0);
#define VALUE(name, number, text)                                                                            \
    lua_pushnumber(lua, number);                                                                             \
    lua_setfield(lua, -2, #name);
#include "sim/script/api.def"
    static const char *const wholes[] = {"KiB", "MiB"};
    for (size_t i = 0; i < 2; i++) {
        (void)lua_getfield(lua, -1, wholes[i]);
        lua_pushinteger(lua, (lua_Integer)lua_tonumber(lua, -1));
        lua_setfield(lua, -3, wholes[i]);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}
