/* Strings of values that show no address, and none of the collector's business. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/sandbox.h"
#include "sim/script/value.h"

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

void script_push_tostring(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    int type = lua_type(lua, index);
    bool is_plain = type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING;
    if (is_plain || luaL_getmetafield(lua, index, "__tostring") != LUA_TNIL) {
        lua_pop(lua, is_plain ? 0 : 1);
        (void)luaL_tolstring(lua, index, NULL);
        return;
    }
    if (luaL_getmetafield(lua, index, "__name") == LUA_TNIL) {
        (void)lua_pushstring(lua, lua_typename(lua, type));
    } else if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_pop(lua, 1);
        (void)lua_pushstring(lua, lua_typename(lua, type));
    }
}

/* string.format: what %s and %q are given is made a string first, and %p is the
 * name of a type. Upvalue 1 is Lua's own. */
static int call_format(lua_State *lua)
{
    int argument = 1;
    int count = lua_gettop(lua);
    luaL_Buffer format;
    const char *at = luaL_checkstring(lua, 1);
    luaL_buffinit(lua, &format);
    while (*at) {
        const char *start = at;
        if (*at++ != '%' || *at == '%') {
            at += *start == '%';
            luaL_addlstring(&format, start, (size_t)(at - start));
            continue;
        }
        while (*at && !is_letter(*at)) {
            at++;
        }
        argument++;
        char letter = *at;
        luaL_addlstring(&format, start, (size_t)(at - start));
        if (letter != '\0') {
            luaL_addchar(&format, letter == 'p' ? 's' : letter);
            at++;
        }
        if (letter == 'p' && argument <= count) {
            (void)lua_pushstring(lua, luaL_typename(lua, argument));
            lua_replace(lua, argument);
        } else if (letter == 's' && argument <= count) {
            script_push_tostring(lua, argument);
            lua_replace(lua, argument);
        }
    }
    luaL_pushresult(&format);
    lua_replace(lua, 1);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, 1);
    return 1;
}

void script_string_open(lua_State *lua)
{
    (void)lua_getglobal(lua, "string");
    (void)lua_getfield(lua, -1, "format");
    lua_pushcclosure(lua, call_format, 1);
    lua_setfield(lua, -2, "format");
    lua_pushnil(lua);
    lua_setfield(lua, -2, "dump");
    lua_pop(lua, 1);
    (void)lua_pushliteral(lua, "");
    if (lua_getmetatable(lua, -1) != 0) {
        lua_pushboolean(lua, 0);
        lua_setfield(lua, -2, "__metatable");
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}
