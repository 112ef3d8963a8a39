/* Code from files: only from the scenario's own folder, only as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/sandbox.h"
#include "sim/script/value.h"

#include <stdio.h>

enum { MODULE_MAX = 200 };

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.' || byte == '/';
}

/* May a file of this name be required? Not from elsewhere. */
static bool is_module(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > MODULE_MAX || strstr(name, "..") || strstr(name, "//") || name[0] == '/' ||
        name[0] == '.' || name[size - 1] == '/' || name[size - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_name_byte(name[i])) {
            return false;
        }
    }
    return true;
}

/* "folder/of/the/scenario/" + "a/b" + ".lua" */
static void module_path(const struct script_sources *sources, const char *name, char *out, size_t size)
{
    const char *main = sources->items[0].path;
    const char *slash = strrchr(main, '/');
    int folder = slash ? (int)(slash - main) + 1 : 0;
    size_t used = (size_t)snprintf(out, size, "%.*s", folder, main);
    for (const char *at = name; *at && used + 5 < size; at++) {
        out[used++] = *at == '.' ? '/' : *at;
    }
    (void)snprintf(out + used, size - used, ".lua");
}

static struct script_source *find_module(lua_State *lua, const char *name)
{
    struct script_sources *sources = script_state_of(lua)->sources;
    char path[1024];
    char error[SCRIPT_TEXT_MAX];
    for (uint32_t i = 1; i < sources->count; i++) {
        if (strcmp(sources->items[i].module, name) == 0) {
            return &sources->items[i];
        }
    }
    module_path(sources, name, path, sizeof path);
    struct script_source *source = script_source_add(sources, path, name, error);
    if (!source) {
        script_error(lua, "require(\"%s\"): %s", name, error);
    }
    return source;
}

/* Upvalue 1 holds what modules returned; false while one is being loaded. */
static int call_require(lua_State *lua)
{
    const char *name = script_check_text(lua, 1, "require(name)");
    if (!is_module(name)) {
        script_error(lua, "require: found \"%.100s\", expected the name of a file in the scenario's folder",
                     name);
    }
    lua_settop(lua, 1);
    lua_pushvalue(lua, 1);
    int type = lua_rawget(lua, lua_upvalueindex(1));
    if (type == LUA_TBOOLEAN && !lua_toboolean(lua, -1)) {
        script_error(lua, "require(\"%s\"): found a file that requires itself", name);
    }
    if (type != LUA_TNIL) {
        return 1;
    }
    lua_pushvalue(lua, 1);
    lua_pushboolean(lua, 0);
    lua_rawset(lua, lua_upvalueindex(1));
    script_source_load(lua, find_module(lua, name));
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        lua_pushboolean(lua, 1);
    }
    lua_pushvalue(lua, 1);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, lua_upvalueindex(1));
    return 1;
}

/* The pieces that a function given to load() returns, as one string. */
static void join_pieces(lua_State *lua)
{
    luaL_Buffer text;
    luaL_buffinit(lua, &text);
    for (;;) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 0, 1);
        bool is_end = lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) == 0;
        if (is_end) {
            lua_pop(lua, 1);
            break;
        }
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    lua_replace(lua, 1);
}

/* load(text or function, name, mode, environment): text only. */
static int call_load(lua_State *lua)
{
    bool has_environment = lua_gettop(lua) >= 4;
    lua_settop(lua, 4);
    if (lua_isfunction(lua, 1)) {
        join_pieces(lua);
    }
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    const char *name = luaL_optstring(lua, 2, "=load");
    if (luaL_loadbufferx(lua, text, size, name[0] == '@' ? "=load" : name, "t") != LUA_OK) {
        lua_pushnil(lua);
        lua_insert(lua, -2);
        return 2;
    }
    if (has_environment) {
        lua_pushvalue(lua, 4);
        if (!lua_setupvalue(lua, -2, 1)) {
            lua_pop(lua, 1);
        }
    }
    return 1;
}

void script_require_open(lua_State *lua)
{
    lua_newtable(lua);
    lua_pushcclosure(lua, call_require, 1);
    lua_setglobal(lua, "require");
    lua_pushcfunction(lua, call_load);
    lua_setglobal(lua, "load");
}
