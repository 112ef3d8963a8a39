/* A scenario's own coroutines, in which it may also wait for the world: what waits
 * inside makes its resumer wait too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/sandbox.h"
#include "sim/script/state.h"

#include "sim/script/run.h"

enum { RAISES = 1 }; /* wrap(): errors go on, no "true" goes before results. */

/* The coroutine stands at 1, what it is given above it. */
static int go_on(lua_State *lua, int status, lua_KContext kind)
{
    struct script_state *state = script_state_of(lua);
    lua_State *inner = lua_tothread(lua, 1);
    int results = 0;
    int count = status == LUA_OK ? lua_gettop(lua) - 1 : 0;
    bool is_dead = lua_status(inner) == LUA_OK && lua_gettop(inner) == 0;
    if (is_dead || !lua_checkstack(inner, count)) {
        (void)lua_pushstring(lua, is_dead ? "cannot resume dead coroutine" : "too many arguments to resume");
        status = LUA_ERRRUN;
    } else {
        lua_xmove(lua, inner, count);
        status = lua_resume(inner, lua, count, &results);
        if (status == LUA_YIELD && state->has_waited) {
            lua_settop(lua, 1);
            return lua_yieldk(lua, 0, kind, go_on);
        }
        bool is_good = status == LUA_OK || status == LUA_YIELD;
        if (!lua_checkstack(lua, results + 1)) {
            script_error(lua, "found too many results of a coroutine");
        }
        lua_xmove(inner, lua, is_good ? results : 1);
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        if (kind == RAISES || state->is_doomed) {
            return lua_error(lua);
        }
        lua_pushboolean(lua, 0);
        lua_insert(lua, -2);
        return 2;
    }
    if (kind == RAISES) {
        return results;
    }
    lua_pushboolean(lua, 1);
    lua_insert(lua, -results - 1);
    return results + 1;
}

static int call_resume(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTHREAD);
    return go_on(lua, LUA_OK, 0);
}

static int call_wrapped(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    return go_on(lua, LUA_OK, RAISES);
}

static int call_wrap(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_State *inner = lua_newthread(lua);
    lua_pushvalue(lua, 1);
    lua_xmove(lua, inner, 1);
    lua_pushcclosure(lua, call_wrapped, 1);
    return 1;
}

static int call_yield(lua_State *lua)
{
    const struct script_state *state = script_state_of(lua);
    if (lua == state->lua || lua == state->top || (state->run && script_run_is_task(state->run, lua))) {
        script_error(lua,
                     "coroutine.yield: found no coroutine around it, expected sleep or another wait here");
    }
    return lua_yield(lua, lua_gettop(lua));
}

void script_coroutine_open(lua_State *lua)
{
    static const luaL_Reg replaced[] = {{"resume", call_resume},
                                        {"wrap", call_wrap},
                                        {"yield", call_yield},
                                        {NULL, NULL}};
    (void)lua_getglobal(lua, "coroutine");
    luaL_setfuncs(lua, replaced, 0);
    lua_pop(lua, 1);
}
