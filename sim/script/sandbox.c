/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/sandbox.h"

#include "sim/script/text.h"
#include "sim/script/value.h"

#include <lualib.h>

static const char metatables_mark;
const void *const script_metatables_key = &metatables_mark;

static int call_tostring(lua_State *lua)
{
    luaL_checkany(lua, 1);
    script_push_tostring(lua, 1);
    return 1;
}

/* What would be collected behind a script's back must not be seen by it. */
static int call_setmetatable(lua_State *lua)
{
    static const char *const refused[] = {"__gc", "__mode"};
    luaL_checktype(lua, 1, LUA_TTABLE);
    if (!lua_isnoneornil(lua, 2)) {
        luaL_checktype(lua, 2, LUA_TTABLE);
        for (size_t i = 0; i < 2; i++) {
            (void)lua_pushstring(lua, refused[i]);
            if (lua_rawget(lua, 2) != LUA_TNIL) {
                script_error(lua, "setmetatable: found %s, which a scenario has not got", refused[i]);
            }
            lua_pop(lua, 1);
        }
        (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, script_metatables_key);
        lua_pushvalue(lua, 2);
        lua_pushboolean(lua, 1);
        lua_rawset(lua, -3);
        lua_pop(lua, 1);
    }
    if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
        script_error(lua, "setmetatable: found a protected metatable");
    }
    lua_settop(lua, 2);
    (void)lua_setmetatable(lua, 1);
    return 1;
}

/* Nothing catches what ends the run. */
static int end_pcall(lua_State *lua, int status, lua_KContext first)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        if (script_state_of(lua)->is_doomed) {
            return lua_error(lua);
        }
        lua_pushboolean(lua, 0);
        lua_insert(lua, -2);
        return 2;
    }
    return lua_gettop(lua) - (int)first;
}

static int call_pcall(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    int status = lua_pcallk(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0, 0, end_pcall);
    return end_pcall(lua, status, 0);
}

static int call_xpcall(lua_State *lua)
{
    int count = lua_gettop(lua);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushboolean(lua, 1);
    lua_pushvalue(lua, 1);
    lua_rotate(lua, 3, 2); /* function, handler, true, function, arguments */
    int status = lua_pcallk(lua, count - 2, LUA_MULTRET, 2, 2, end_pcall);
    return end_pcall(lua, status, 2);
}

/* The last bits of these come from the machine's own mathematics: leave them out. */
static int call_rounded(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    lua_pushnumber(lua, script_round(lua_tonumber(lua, -1)));
    return 1;
}

static void open_math(lua_State *lua)
{
    static const char *const inexact[] = {"exp", "log", "sin", "cos", "tan", "asin", "acos", "atan"};
    (void)lua_getglobal(lua, "math");
    for (size_t i = 0; i < sizeof inexact / sizeof inexact[0]; i++) {
        (void)lua_getfield(lua, -1, inexact[i]);
        lua_pushcclosure(lua, call_rounded, 1);
        lua_setfield(lua, -2, inexact[i]);
    }
    lua_pushnil(lua);
    lua_setfield(lua, -2, "randomseed");
    lua_pop(lua, 1);
}

void script_sandbox_open(lua_State *lua)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},       {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine}};
    static const char *const removed[] = {"dofile", "loadfile", "collectgarbage", "warn"};
    static const luaL_Reg replaced[] = {{"tostring", call_tostring},
                                        {"setmetatable", call_setmetatable},
                                        {"pcall", call_pcall},
                                        {"xpcall", call_xpcall},
                                        {NULL, NULL}};
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    lua_pushglobaltable(lua);
    luaL_setfuncs(lua, replaced, 0);
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, removed[i]);
    }
    lua_pop(lua, 1);
    lua_newtable(lua);
    lua_newtable(lua);
    (void)lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    (void)lua_setmetatable(lua, -2);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, script_metatables_key);
    open_math(lua);
    script_pairs_open(lua);
    script_sort_open(lua);
    script_string_open(lua);
    script_coroutine_open(lua);
    script_require_open(lua);
}
