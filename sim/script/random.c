/* Chance, from the scenario's own seeded stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/value.h"

/* A fraction in [0, 1) with 53 bits; one draw. */
static double draw_fraction(struct sim_random *random)
{
    return (double)(sim_random_u64(random) >> 11) * 0x1p-53;
}

static int push_between(lua_State *lua, const char *call, lua_Integer low, lua_Integer high)
{
    struct sim_random *random = &script_state_of(lua)->random;
    if (low > high) {
        script_error(lua, "%s: found an empty range", call);
    }
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t draw = span == UINT64_MAX ? sim_random_u64(random) : sim_random_below(random, span + 1);
    lua_pushinteger(lua, (lua_Integer)((uint64_t)low + draw));
    return 1;
}

static void check_number(lua_State *lua, int index, const char *call)
{
    if (lua_type(lua, index) != LUA_TNUMBER) {
        script_argument_error(lua, index, call, "a number");
    }
}

int script_call_random(lua_State *lua)
{
    static const char call[] = "random(a, b)";
    struct sim_random *random = &script_state_of(lua)->random;
    int count = lua_gettop(lua);
    if (count == 0) {
        lua_pushnumber(lua, draw_fraction(random));
        return 1;
    }
    check_number(lua, 1, call);
    if (count == 1) {
        return push_between(lua, "random(n)", 1,
                            script_check_whole(lua, 1, "random(n)", INT64_MIN, INT64_MAX));
    }
    check_number(lua, 2, call);
    if (lua_isinteger(lua, 1) && lua_isinteger(lua, 2)) {
        return push_between(lua, call, lua_tointeger(lua, 1), lua_tointeger(lua, 2));
    }
    double low = lua_tonumber(lua, 1);
    double high = lua_tonumber(lua, 2);
    if (!(low <= high)) {
        script_error(lua, "%s: found an empty range", call);
    }
    lua_pushnumber(lua, low + (high - low) * draw_fraction(random));
    return 1;
}

/* math.random: Lua's own manners, the scenario's stream. */
static int call_math_random(lua_State *lua)
{
    static const char call[] = "math.random(m, n)";
    struct sim_random *random = &script_state_of(lua)->random;
    lua_Integer low = 1;
    lua_Integer high = 0;
    if (lua_gettop(lua) == 0) {
        lua_pushnumber(lua, draw_fraction(random));
        return 1;
    }
    high = script_check_whole(lua, 1, call, INT64_MIN, INT64_MAX);
    if (lua_gettop(lua) > 1) {
        low = high;
        high = script_check_whole(lua, 2, call, INT64_MIN, INT64_MAX);
    } else if (high == 0) {
        lua_pushinteger(lua, (lua_Integer)sim_random_u64(random));
        return 1;
    }
    return push_between(lua, call, low, high);
}

static lua_Integer check_list(lua_State *lua, const char *call)
{
    if (!lua_istable(lua, 1)) {
        script_argument_error(lua, 1, call, "a list");
    }
    return (lua_Integer)lua_rawlen(lua, 1);
}

int script_call_choose(lua_State *lua)
{
    lua_Integer count = check_list(lua, "choose(list)");
    if (count == 0) {
        script_error(lua, "choose(list): found an empty list");
    }
    uint64_t slot = sim_random_below(&script_state_of(lua)->random, (uint64_t)count);
    (void)lua_rawgeti(lua, 1, (lua_Integer)slot + 1);
    return 1;
}

int script_call_shuffle(lua_State *lua)
{
    lua_Integer count = check_list(lua, "shuffle(list)");
    for (lua_Integer i = count; i > 1; i--) {
        lua_Integer other = (lua_Integer)sim_random_below(&script_state_of(lua)->random, (uint64_t)i) + 1;
        (void)lua_rawgeti(lua, 1, i);
        (void)lua_rawgeti(lua, 1, other);
        lua_rawseti(lua, 1, i);
        lua_rawseti(lua, 1, other);
    }
    lua_settop(lua, 1);
    return 1;
}

void script_random_open(lua_State *lua)
{
    (void)lua_getglobal(lua, "math");
    lua_pushcfunction(lua, call_math_random);
    lua_setfield(lua, -2, "random");
    lua_pop(lua, 1);
}
