/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/object.h"

#include "sim/nearest.h"
#include "sim/script/text.h"
#include "sim/script/value.h"

#include <assert.h>

enum { NAMES_MAX = 64 };

static size_t list_names(const struct script_class *class, const char *names[NAMES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < class->field_count; i++) {
        assert(count < NAMES_MAX);
        names[count++] = class->fields[i];
    }
    for (const luaL_Reg *method = class->methods; method->name; method++) {
        assert(count < NAMES_MAX);
        names[count++] = method->name;
    }
    return count;
}

_Noreturn void script_class_refuse(lua_State *lua, const struct script_class *class, const char *name)
{
    const char *names[NAMES_MAX] = {NULL};
    size_t count = list_names(class, names);
    const char *nearest = sim_nearest(name, names, count);
    if (nearest) {
        script_error(lua, "found \"%.60s\" of a %s, did you mean \"%s\"?", name, class->name, nearest);
    }
    char known[700];
    size_t used = 0;
    known[0] = '\0';
    for (size_t i = 0; i < count && used + 40 < sizeof known; i++) {
        size_t size = strlen(names[i]);
        memcpy(known + used, i > 0 ? ", " : "", i > 0 ? 2 : 0);
        used += i > 0 ? 2 : 0;
        memcpy(known + used, names[i], size + 1);
        used += size;
    }
    script_error(lua, "found \"%.60s\" of a %s, expected one of: %s", name, class->name, known);
}

static const struct script_class *class_of(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(1));
}

static int on_index(lua_State *lua)
{
    const struct script_class *class = class_of(lua);
    const void *object = lua_touserdata(lua, 1);
    lua_pushvalue(lua, 2);
    int type = lua_rawget(lua, lua_upvalueindex(2));
    if (type == LUA_TFUNCTION) {
        return 1;
    }
    if (type == LUA_TNUMBER) {
        class->get(lua, object, (size_t)lua_tointeger(lua, -1));
        return 1;
    }
    if (class->get_slot && lua_type(lua, 2) == LUA_TNUMBER) {
        class->get_slot(lua, object, 2);
        return 1;
    }
    if (lua_type(lua, 2) != LUA_TSTRING) {
        char found[96];
        script_describe(lua, 2, found);
        script_error(lua, "found %s as the name of a field of a %s", found, class->name);
    }
    script_class_refuse(lua, class, lua_tostring(lua, 2));
}

static int on_newindex(lua_State *lua)
{
    char found[96];
    script_describe(lua, 2, found);
    script_error(lua, "found an assignment to %s of a %s, expected none: its fields are only read", found,
                 class_of(lua)->name);
}

static int on_tostring(lua_State *lua)
{
    const struct script_class *class = class_of(lua);
    char text[64];
    class->print(lua_touserdata(lua, 1), text);
    (void)lua_pushstring(lua, text);
    return 1;
}

static int on_len(lua_State *lua)
{
    const struct script_class *class = class_of(lua);
    lua_pushinteger(lua, class->count(lua, lua_touserdata(lua, 1)));
    return 1;
}

static void add_metamethod(lua_State *lua, const struct script_class *class, const char *name,
                           lua_CFunction call)
{
    lua_pushlightuserdata(lua, (void *)(uintptr_t) class);
    lua_pushvalue(lua, -2); /* The names. */
    lua_pushcclosure(lua, call, 2);
    lua_setfield(lua, -3, name);
}

void script_class_open(lua_State *lua, const struct script_class *class)
{
    (void)luaL_newmetatable(lua, class->name); /* Sets __name. */
    lua_newtable(lua);
    luaL_setfuncs(lua, class->methods, 0);
    for (size_t i = 0; i < class->field_count; i++) {
        lua_pushinteger(lua, (lua_Integer)i);
        lua_setfield(lua, -2, class->fields[i]);
    }
    add_metamethod(lua, class, "__index", on_index);
    add_metamethod(lua, class, "__newindex", on_newindex);
    add_metamethod(lua, class, "__tostring", on_tostring);
    if (class->count) {
        add_metamethod(lua, class, "__len", on_len);
    }
    lua_rawsetp(lua, LUA_REGISTRYINDEX, class);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}

void script_class_add(lua_State *lua, const struct script_class *class, const char *name)
{
    (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, class);
    lua_pushvalue(lua, -2);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 2);
}

bool script_class_method(lua_State *lua, const struct script_class *class, const char *name)
{
    (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, class);
    int type = lua_getfield(lua, -1, name);
    lua_remove(lua, -2);
    if (type != LUA_TFUNCTION) {
        lua_pop(lua, 1);
    }
    return type == LUA_TFUNCTION;
}

void *script_object_new(lua_State *lua, const struct script_class *class, size_t size)
{
    void *object = lua_newuserdatauv(lua, size, 1);
    memset(object, 0, size);
    luaL_setmetatable(lua, class->name);
    return object;
}

void *script_object_at(lua_State *lua, int index, const struct script_class *class)
{
    return luaL_testudata(lua, index, class->name);
}

void *script_object_self(lua_State *lua, const struct script_class *class, const char *method)
{
    void *object = script_object_at(lua, 1, class);
    if (!object) {
        char found[96];
        script_describe(lua, 1, found);
        script_error(lua, "%s: found %s, expected a %s: write it with a colon, as in x:%s(…)", method, found,
                     class->name, method);
    }
    return object;
}

bool script_object_order(lua_State *lua, int index, int *rank, uint64_t *number)
{
    static const struct script_class *const classes[] = {&script_member_class, &script_client_class,
                                                         &script_lease_class};
    for (int i = 0; i < 3; i++) {
        const struct script_numbered *object = script_object_at(lua, index, classes[i]);
        if (object) {
            *rank = i;
            *number = object->number;
            return true;
        }
    }
    return false;
}
