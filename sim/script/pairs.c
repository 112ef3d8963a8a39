/* pairs and next in an order of their own: numbers, strings by byte, booleans, then
 * members, clients and leases by number. A table whose keys are 1 to n, as most
 * are, is walked as it stands; of others the keys are sorted once a walk. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"
#include "sim/script/object.h"
#include "sim/script/sandbox.h"
#include "sim/script/value.h"

/* One key, in a form that is compared without Lua; `slot` is its place in the list. */
struct key {
    int rank; /* 0 numbers, 1 strings, 2 booleans, 3… objects */
    bool is_whole;
    lua_Integer whole;
    lua_Number real;
    const char *text;
    size_t size;
    uint64_t number;
    lua_Integer slot;
};

static int compare_wholes(lua_Integer a, lua_Integer b)
{
    return a < b ? -1 : a > b;
}

/* A whole number against one that is not whole, or is beyond all whole ones. */
static int compare_mixed(lua_Integer a, lua_Number b)
{
    if (b >= 0x1p63) {
        return -1;
    }
    if (b < -0x1p63) {
        return 1;
    }
    lua_Integer floor = (lua_Integer)b;
    floor -= (lua_Number)floor > b; /* Conversion goes towards zero. */
    return a <= floor ? -1 : 1;
}

static int compare_numbers(const struct key *a, const struct key *b)
{
    if (a->is_whole && b->is_whole) {
        return compare_wholes(a->whole, b->whole);
    }
    if (a->is_whole) {
        return compare_mixed(a->whole, b->real);
    }
    if (b->is_whole) {
        return -compare_mixed(b->whole, a->real);
    }
    return a->real < b->real ? -1 : a->real > b->real;
}

static int compare_texts(const struct key *a, const struct key *b)
{
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_keys(const void *context, const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;
    (void)context;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->rank == 0) {
        return compare_numbers(a, b);
    }
    if (a->rank == 1) {
        return compare_texts(a, b);
    }
    return (a->number > b->number) - (a->number < b->number);
}

static void read_key(lua_State *lua, int index, struct key *out)
{
    *out = (struct key){.rank = 0};
    int rank = 0;
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        out->is_whole = lua_isinteger(lua, index) != 0;
        out->whole = out->is_whole ? lua_tointeger(lua, index) : 0;
        out->real = lua_tonumber(lua, index);
        return;
    case LUA_TSTRING:
        out->rank = 1;
        out->text = lua_tolstring(lua, index, &out->size);
        return;
    case LUA_TBOOLEAN:
        out->rank = 2;
        out->number = lua_toboolean(lua, index) != 0;
        return;
    default:
        if (!script_object_order(lua, index, &rank, &out->number)) {
            char found[96];
            script_describe(lua, index, found);
            script_error(lua,
                         "pairs: found %s as a key, which has no order; expected numbers, strings, booleans, "
                         "members, clients or leases",
                         found);
        }
        out->rank = 3 + rank;
    }
}

/* Are the keys of the table at 1 exactly 1 to n? Answers n, or -1. */
static lua_Integer sequence_size(lua_State *lua, lua_Integer *count)
{
    lua_Integer size = (lua_Integer)lua_rawlen(lua, 1);
    bool is_sequence = true;
    *count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        lua_Integer key = lua_isinteger(lua, -1) ? lua_tointeger(lua, -1) : 0;
        is_sequence = is_sequence && key >= 1 && key <= size;
        (*count)++;
    }
    return is_sequence && *count == size ? size : -1;
}

/* Push a list of the keys of the table at 1, in order. */
static void push_sorted_keys(lua_State *lua, lua_Integer count)
{
    size_t size = (size_t)count;
    lua_createtable(lua, (int)count, 0);
    int unsorted = lua_gettop(lua);
    lua_createtable(lua, (int)count, 0);
    struct key *keys = lua_newuserdatauv(lua, (size + 1) * sizeof *keys, 0);
    const void **items = lua_newuserdatauv(lua, (2 * size + 2) * sizeof *items, 0);
    lua_Integer slot = 0;
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        read_key(lua, -1, &keys[slot]);
        items[slot] = &keys[slot];
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, unsorted, ++slot);
        keys[slot - 1].slot = slot;
    }
    base_sort(items, items + size + 1, size, compare_keys, NULL);
    for (size_t i = 0; i < size; i++) {
        const struct key *key = items[i];
        (void)lua_rawgeti(lua, unsorted, key->slot);
        lua_rawseti(lua, unsorted + 1, (lua_Integer)i + 1);
    }
    lua_settop(lua, unsorted + 1);
    lua_remove(lua, unsorted);
}

/* iterator(table, key) for a sequence; upvalue 1 is its size. */
static int step_sequence(lua_State *lua)
{
    lua_Integer size = lua_tointeger(lua, lua_upvalueindex(1));
    lua_Integer at = lua_tointeger(lua, 2);
    while (at < size) {
        at++;
        if (lua_rawgeti(lua, 1, at) != LUA_TNIL) {
            lua_pushinteger(lua, at);
            lua_insert(lua, -2);
            return 2;
        }
        lua_pop(lua, 1);
    }
    lua_pushnil(lua);
    return 1;
}

/* iterator(table, key); upvalue 1 is the list of keys, 2 how many were given out. */
static int step_sorted(lua_State *lua)
{
    lua_Integer at = lua_tointeger(lua, lua_upvalueindex(2));
    for (;;) {
        at++;
        if (lua_rawgeti(lua, lua_upvalueindex(1), at) == LUA_TNIL) {
            return 1;
        }
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, 1) != LUA_TNIL) {
            lua_pushinteger(lua, at);
            lua_replace(lua, lua_upvalueindex(2));
            return 2;
        }
        lua_pop(lua, 2);
    }
}

static int call_pairs(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 1, 3);
        return 3;
    }
    if (!lua_istable(lua, 1)) {
        script_argument_error(lua, 1, "pairs(table)", "a table");
    }
    lua_Integer count = 0;
    lua_Integer size = sequence_size(lua, &count);
    if (size >= 0) {
        lua_pushinteger(lua, size);
        lua_pushcclosure(lua, step_sequence, 1);
    } else {
        push_sorted_keys(lua, count);
        lua_pushinteger(lua, 0);
        lua_pushcclosure(lua, step_sorted, 2);
    }
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

/* The place of the key at 2 in the list of keys on top; 0: it is not there. */
static lua_Integer find_key(lua_State *lua)
{
    struct key wanted;
    read_key(lua, 2, &wanted);
    lua_Integer low = 1;
    lua_Integer high = (lua_Integer)lua_rawlen(lua, -1);
    while (low <= high) {
        struct key found;
        lua_Integer middle = low + (high - low) / 2;
        (void)lua_rawgeti(lua, -1, middle);
        read_key(lua, -1, &found);
        lua_pop(lua, 1);
        int order = compare_keys(NULL, &wanted, &found);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            high = middle - 1;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

/* The walk that next() is on: upvalue 1 is its table, 2 the sorted keys. */
static int call_next(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    bool is_first = lua_isnil(lua, 2);
    bool is_same = lua_rawequal(lua, 1, lua_upvalueindex(1)) != 0;
    if (is_first || !is_same) {
        lua_Integer count = 0;
        (void)sequence_size(lua, &count);
        push_sorted_keys(lua, count);
        lua_pushvalue(lua, -1);
        lua_replace(lua, lua_upvalueindex(2));
        lua_pushvalue(lua, 1);
        lua_replace(lua, lua_upvalueindex(1));
    } else {
        lua_pushvalue(lua, lua_upvalueindex(2));
    }
    lua_Integer at = is_first ? 0 : find_key(lua);
    if (at == 0 && !is_first) {
        script_error(lua, "next: found a key that the table has not got");
    }
    for (;;) {
        at++;
        if (lua_rawgeti(lua, 3, at) == LUA_TNIL) {
            return 1;
        }
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, 1) != LUA_TNIL) {
            return 2;
        }
        lua_pop(lua, 2);
    }
}

void script_pairs_open(lua_State *lua)
{
    lua_pushcfunction(lua, call_pairs);
    lua_setglobal(lua, "pairs");
    lua_pushnil(lua);
    lua_pushnil(lua);
    lua_pushcclosure(lua, call_next, 2);
    lua_setglobal(lua, "next");
}
