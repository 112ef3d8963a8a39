/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/dist.h"

#include "sim/script/value.h"

#include <stdio.h>

static const char dist_name[] = "distribution";

static int compare_points(const uint64_t *a, const uint64_t *b)
{
    return *a < *b ? -1 : *a > *b;
}

/* By insertion: lists are short, and the order is total. */
static void sort_points(uint64_t *points, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t point = points[i];
        size_t at = i;
        for (; at > 0 && compare_points(&points[at - 1], &point) > 0; at--) {
            points[at] = points[at - 1];
        }
        points[at] = point;
    }
}

static bool read_duration(lua_State *lua, int index, uint64_t *out)
{
    double seconds = lua_type(lua, index) == LUA_TNUMBER ? lua_tonumber(lua, index) : -1;
    if (!(seconds >= 0 && seconds * 1e9 <= (double)SCRIPT_NS_MAX)) {
        return false;
    }
    *out = (uint64_t)(seconds * 1e9 + 0.5);
    return true;
}

static bool read_range(lua_State *lua, int index, struct sim_dist *out)
{
    uint64_t low = 0;
    uint64_t high = 0;
    (void)lua_rawgeti(lua, index, 1);
    (void)lua_rawgeti(lua, index, 2);
    bool is_good = lua_rawlen(lua, index) == 2 && read_duration(lua, -2, &low) &&
                   read_duration(lua, -1, &high) && low <= high;
    lua_pop(lua, 2);
    if (is_good) {
        *out = (struct sim_dist){.kind = SIM_DIST_UNIFORM, .a_ns = low, .b = high};
    }
    return is_good;
}

bool script_dist_read(lua_State *lua, int index, struct sim_dist *out)
{
    index = lua_absindex(lua, index);
    uint64_t constant = 0;
    const struct sim_dist *dist = luaL_testudata(lua, index, dist_name);
    if (dist) {
        *out = *dist;
        return true;
    }
    if (read_duration(lua, index, &constant)) {
        *out = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a_ns = constant};
        return true;
    }
    return lua_istable(lua, index) && read_range(lua, index, out);
}

/* The list at 1 as ascending points, kept in the state for as long as it lives. */
static void read_points(lua_State *lua, const char *call, struct sim_dist *out)
{
    if (!lua_istable(lua, 1) || lua_rawlen(lua, 1) == 0 || lua_rawlen(lua, 1) > 65536) {
        script_argument_error(lua, 1, call, "a list of 1 to 65536 durations");
    }
    size_t count = (size_t)lua_rawlen(lua, 1);
    uint64_t *points = lua_newuserdatauv(lua, count * sizeof *points, 0);
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(lua, 1, (lua_Integer)i + 1);
        points[i] = script_check_ns(lua, -1, call);
        lua_pop(lua, 1);
    }
    sort_points(points, count);
    (void)luaL_ref(lua, LUA_REGISTRYINDEX);
    out->points = points;
    out->point_count = (uint32_t)count;
}

/* The second parameter as a pure number, in millionths. */
static uint64_t check_shape(lua_State *lua, const char *call)
{
    double value = lua_type(lua, 2) == LUA_TNUMBER ? lua_tonumber(lua, 2) : -1;
    if (!(value > 0 && value <= 1000)) {
        script_argument_error(lua, 2, call, "a number above 0, at most 1000");
    }
    return (uint64_t)(value * 1e6 + 0.5);
}

int script_dist_make(lua_State *lua, enum sim_dist_kind kind)
{
    static const char *const calls[] = {
        [SIM_DIST_CONSTANT] = "constant(x)",           [SIM_DIST_UNIFORM] = "uniform(a, b)",
        [SIM_DIST_NORMAL] = "normal(mean, deviation)", [SIM_DIST_LOGNORMAL] = "lognormal(median, sigma)",
        [SIM_DIST_EXPONENTIAL] = "exponential(mean)",  [SIM_DIST_PARETO] = "pareto(min, alpha)",
        [SIM_DIST_EMPIRICAL] = "empirical{…}",
    };
    struct sim_dist dist = {.kind = kind};
    const char *call = calls[kind];
    if (kind == SIM_DIST_EMPIRICAL) {
        read_points(lua, call, &dist);
    } else {
        dist.a_ns = script_check_ns(lua, 1, call);
    }
    if (kind == SIM_DIST_UNIFORM || kind == SIM_DIST_NORMAL) {
        dist.b = script_check_ns(lua, 2, call);
    } else if (kind == SIM_DIST_LOGNORMAL || kind == SIM_DIST_PARETO) {
        dist.b = check_shape(lua, call);
    }
    if (kind == SIM_DIST_UNIFORM && dist.b < dist.a_ns) {
        script_argument_error(lua, 2, call, "an upper end not below the lower one");
    }
    struct sim_dist *made = lua_newuserdatauv(lua, sizeof *made, 0);
    *made = dist;
    (void)luaL_newmetatable(lua, dist_name);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    (void)lua_setmetatable(lua, -2);
    return 1;
}

/* Seconds, in as many digits as it takes. */
static void add_seconds(luaL_Buffer *text, uint64_t time_ns)
{
    char digits[40];
    (void)snprintf(digits, sizeof digits, "%.12g", (double)time_ns / 1e9);
    luaL_addstring(text, digits);
}

int script_dist_write(lua_State *lua, int index)
{
    static const char *const names[] = {
        [SIM_DIST_CONSTANT] = "constant(",       [SIM_DIST_UNIFORM] = "uniform(",
        [SIM_DIST_NORMAL] = "normal(",           [SIM_DIST_LOGNORMAL] = "lognormal(",
        [SIM_DIST_EXPONENTIAL] = "exponential(", [SIM_DIST_PARETO] = "pareto(",
        [SIM_DIST_EMPIRICAL] = "empirical({",
    };
    const struct sim_dist *dist = luaL_testudata(lua, index, dist_name);
    luaL_Buffer text;
    char digits[40];
    if (!dist) {
        return 0;
    }
    luaL_buffinit(lua, &text);
    luaL_addstring(&text, names[dist->kind]);
    for (uint32_t i = 0; i < dist->point_count; i++) {
        luaL_addstring(&text, i > 0 ? ", " : "");
        add_seconds(&text, dist->points[i]);
    }
    if (dist->kind != SIM_DIST_EMPIRICAL) {
        add_seconds(&text, dist->a_ns);
    }
    if (dist->kind == SIM_DIST_UNIFORM || dist->kind == SIM_DIST_NORMAL) {
        luaL_addstring(&text, ", ");
        add_seconds(&text, dist->b);
    } else if (dist->kind == SIM_DIST_LOGNORMAL || dist->kind == SIM_DIST_PARETO) {
        (void)snprintf(digits, sizeof digits, ", %.12g", (double)dist->b / 1e6);
        luaL_addstring(&text, digits);
    }
    luaL_addstring(&text, dist->kind == SIM_DIST_EMPIRICAL ? "})" : ")");
    luaL_pushresult(&text);
    return 1;
}
