/* table.sort as a stable merge sort: what it does depends on the values and the
 * comparison only, and a comparison that contradicts itself does no harm. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/sandbox.h"
#include "sim/script/value.h"

/* Argument 1 is the list, 2 the comparison or nil, 3 and 4 copies of the list. */
static bool comes_before(lua_State *lua, int list, lua_Integer a, lua_Integer b)
{
    bool is_less = false;
    if (lua_isnil(lua, 2)) {
        (void)lua_rawgeti(lua, list, a);
        (void)lua_rawgeti(lua, list, b);
        is_less = lua_compare(lua, -2, -1, LUA_OPLT) != 0;
        lua_pop(lua, 2);
    } else {
        lua_pushvalue(lua, 2);
        (void)lua_rawgeti(lua, list, a);
        (void)lua_rawgeti(lua, list, b);
        lua_call(lua, 2, 1);
        is_less = lua_toboolean(lua, -1) != 0;
        lua_pop(lua, 1);
    }
    return is_less;
}

static void copy_item(lua_State *lua, int from, lua_Integer at, int to, lua_Integer slot)
{
    (void)lua_rawgeti(lua, from, at);
    lua_rawseti(lua, to, slot);
}

/* Merge [low, middle) and [middle, high) of one list into another. */
static void merge(lua_State *lua, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high)
{
    lua_Integer left = low;
    lua_Integer right = middle;
    for (lua_Integer slot = low; slot < high; slot++) {
        bool is_right = right < high && (left >= middle || comes_before(lua, from, right, left));
        copy_item(lua, from, is_right ? right++ : left++, to, slot);
    }
}

static lua_Integer least(lua_Integer a, lua_Integer b)
{
    return a < b ? a : b;
}

static int call_sort(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    if (!lua_isnoneornil(lua, 2)) {
        script_check_function(lua, 2, "table.sort(list, comparison)");
    }
    lua_settop(lua, 2);
    lua_Integer count = luaL_len(lua, 1);
    luaL_argcheck(lua, count < INT32_MAX, 1, "array too big");
    lua_createtable(lua, (int)count, 0);
    lua_createtable(lua, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        (void)lua_geti(lua, 1, i);
        lua_rawseti(lua, 3, i);
    }
    int from = 3;
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer low = 1; low <= count; low += 2 * width) {
            merge(lua, from, 7 - from, low, least(low + width, count + 1), least(low + 2 * width, count + 1));
        }
        from = 7 - from;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        (void)lua_rawgeti(lua, from, i);
        lua_seti(lua, 1, i);
    }
    return 0;
}

void script_sort_open(lua_State *lua)
{
    (void)lua_getglobal(lua, "table");
    lua_pushcfunction(lua, call_sort);
    lua_setfield(lua, -2, "sort");
    lua_pop(lua, 1);
}
