/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/value.h"

#include "sim/nearest.h"
#include "sim/script/dist.h"
#include "sim/script/source.h"
#include "sim/script/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct script_path script_path_in(const struct script_path *path, const char *key)
{
    struct script_path inner = *path;
    assert(inner.count < SCRIPT_PATH_MAX);
    inner.keys[inner.count++] = key;
    return inner;
}

static void print_path(const struct script_path *path, char out[256])
{
    size_t used = (size_t)snprintf(out, 256, "%.60s", path->count == 0 ? path->call : "");
    for (size_t i = 0; i < path->count && used < 200; i++) {
        used += (size_t)snprintf(out + used, 256 - used, "%s%.40s", i > 0 ? "." : "", path->keys[i]);
    }
}

_Noreturn void script_path_error(lua_State *lua, const struct script_path *path, const char *format, ...)
{
    char text[SCRIPT_TEXT_MAX];
    char name[256];
    struct script_place place = {.source = NULL};
    if (script_where(lua, &place, NULL) && path->count > 0) {
        struct base_bytes source = base_buffer_view(&place.source->text);
        place.line = script_key_line(source, place.line, path->keys, path->count);
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_path(path, name);
    script_error_at(lua, &place, "%s: %s", name, text);
}

void script_describe(lua_State *lua, int index, char out[96])
{
    char number[32];
    switch (lua_type(lua, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        (void)snprintf(out, 96, "nothing");
        break;
    case LUA_TBOOLEAN:
        (void)snprintf(out, 96, "%s", lua_toboolean(lua, index) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        script_text_number(lua_tonumber(lua, index), number);
        (void)snprintf(out, 96, "%s", number);
        break;
    case LUA_TSTRING:
        (void)snprintf(out, 96, "\"%.80s\"", lua_tostring(lua, index));
        break;
    default:
        if (luaL_getmetafield(lua, index, "__name") == LUA_TSTRING) {
            (void)snprintf(out, 96, "a %.80s", lua_tostring(lua, -1));
            lua_pop(lua, 1);
        } else {
            (void)snprintf(out, 96, "a %s", luaL_typename(lua, index));
        }
    }
}

static _Noreturn void refuse(lua_State *lua, int index, const struct script_path *path, const char *expected)
{
    char found[96];
    script_describe(lua, index, found);
    script_path_error(lua, path, "found %s, expected %s", found, expected);
}

/* A number of seconds as whole nanoseconds; false when it is none, or too long. */
static bool to_ns(lua_State *lua, int index, int64_t *out)
{
    if (lua_type(lua, index) != LUA_TNUMBER) {
        return false;
    }
    double ns = lua_tonumber(lua, index) * 1e9;
    if (!(ns >= -(double)SCRIPT_NS_MAX && ns <= (double)SCRIPT_NS_MAX)) {
        return false;
    }
    *out = (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
    return true;
}

static bool to_whole(lua_State *lua, int index, int64_t *out)
{
    int is_whole = 0;
    lua_Integer value = lua_type(lua, index) == LUA_TNUMBER ? lua_tointegerx(lua, index, &is_whole) : 0;
    *out = value;
    return is_whole != 0;
}

static void read_ns(lua_State *lua, int index, const struct script_path *path, const struct script_key *key,
                    uint64_t *out)
{
    int64_t ns = 0;
    uint64_t max = key->max > 0 ? key->max : SCRIPT_NS_MAX;
    if (!to_ns(lua, index, &ns)) {
        refuse(lua, index, path, "a duration, a number of seconds such as 150*ms");
    }
    if (ns < 0 || (uint64_t)ns < key->min || (uint64_t)ns > max) {
        char low[32];
        char high[32];
        script_text_duration(key->min, low);
        script_text_duration(max, high);
        char expected[128];
        (void)snprintf(expected, sizeof expected, "a duration from %s to %s, in seconds", low, high);
        refuse(lua, index, path, expected);
    }
    *out = (uint64_t)ns;
}

static uint64_t read_whole(lua_State *lua, int index, const struct script_path *path,
                           const struct script_key *key, uint64_t type_max)
{
    int64_t value = 0;
    uint64_t max = key->max > 0 ? key->max : type_max;
    if (!to_whole(lua, index, &value) || value < 0 || (uint64_t)value < key->min || (uint64_t)value > max) {
        char expected[128];
        (void)snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
                       (unsigned long long)key->min, (unsigned long long)max);
        refuse(lua, index, path, expected);
    }
    return (uint64_t)value;
}

static int64_t read_ppm(lua_State *lua, int index, const struct script_path *path, bool is_signed)
{
    double value = lua_type(lua, index) == LUA_TNUMBER ? lua_tonumber(lua, index) : 2;
    if (!(value <= 1 && (is_signed ? value > -1 : value >= 0))) {
        refuse(lua, index, path,
               is_signed ? "a fraction between -1 and 1, such as 200*ppm or 0.1"
                         : "a fraction from 0 to 1, such as 200*ppm or 0.1");
    }
    return (int64_t)(value < 0 ? value * 1e6 - 0.5 : value * 1e6 + 0.5);
}

static void list_names(const char *const *names, size_t count, const char *quote, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used + 40 < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s%.30s%s", i > 0 ? ", " : "", quote, names[i],
                                 quote);
    }
}

static uint32_t read_choice(lua_State *lua, int index, const struct script_path *path,
                            const struct script_key *key)
{
    size_t count = 0;
    const char *text = lua_type(lua, index) == LUA_TSTRING ? lua_tostring(lua, index) : "";
    for (; key->choices[count]; count++) {
        if (strcmp(key->choices[count], text) == 0) {
            return (uint32_t)count;
        }
    }
    char found[96];
    char names[512];
    script_describe(lua, index, found);
    list_names(key->choices, count, "\"", names, sizeof names);
    const char *nearest = sim_nearest(text, key->choices, count);
    script_path_error(lua, path, "found %s%s%s%s of %s", found, nearest ? ", did you mean \"" : "",
                      nearest ? nearest : "", nearest ? "\"? Expected one" : ", expected one", names);
}

static void check_type(lua_State *lua, int index, const struct script_path *path, int type,
                       const char *expected)
{
    if (lua_type(lua, index) != type) {
        refuse(lua, index, path, expected);
    }
}

void script_read_value(lua_State *lua, int index, const struct script_path *path,
                       const struct script_key *key, void *out)
{
    char *field = out ? (char *)out + key->offset : NULL;
    int64_t ns = 0;
    switch (key->type) {
    case SCRIPT_BOOL:
        check_type(lua, index, path, LUA_TBOOLEAN, "true or false");
        *(bool *)(void *)field = lua_toboolean(lua, index) != 0;
        break;
    case SCRIPT_U32:
        *(uint32_t *)(void *)field = (uint32_t)read_whole(lua, index, path, key, UINT32_MAX);
        break;
    case SCRIPT_U64:
    case SCRIPT_BYTES:
        *(uint64_t *)(void *)field = read_whole(lua, index, path, key, INT64_MAX);
        break;
    case SCRIPT_NS:
        read_ns(lua, index, path, key, (uint64_t *)(void *)field);
        break;
    case SCRIPT_SIGNED_NS:
        if (!to_ns(lua, index, &ns)) {
            refuse(lua, index, path, "a duration, a number of seconds such as -5*s");
        }
        *(int64_t *)(void *)field = ns;
        break;
    case SCRIPT_PPM:
        *(uint32_t *)(void *)field = (uint32_t)read_ppm(lua, index, path, false);
        break;
    case SCRIPT_SIGNED_PPM:
        *(int64_t *)(void *)field = read_ppm(lua, index, path, true);
        break;
    case SCRIPT_NUMBER:
        check_type(lua, index, path, LUA_TNUMBER, "a number");
        *(double *)(void *)field = lua_tonumber(lua, index);
        break;
    case SCRIPT_DIST:
        if (!script_dist_read(lua, index, (struct sim_dist *)(void *)field)) {
            refuse(lua, index, path, "a duration, a range such as {1*ms, 2*ms}, or a distribution");
        }
        break;
    case SCRIPT_TEXT:
        check_type(lua, index, path, LUA_TSTRING, "a string");
        *(const char **)(void *)field = lua_tostring(lua, index);
        break;
    case SCRIPT_CHOICE:
        *(uint32_t *)(void *)field = read_choice(lua, index, path, key);
        break;
    case SCRIPT_FUNCTION:
        check_type(lua, index, path, LUA_TFUNCTION, "a function");
        break;
    case SCRIPT_TABLE:
        check_type(lua, index, path, LUA_TTABLE, "a table");
        break;
    case SCRIPT_ANY:
        break;
    }
}

static _Noreturn void refuse_key(lua_State *lua, int index, const struct script_path *path,
                                 const struct script_key *keys, size_t key_count)
{
    const char *names[SCRIPT_KEYS_MAX];
    char known[768];
    char found[96];
    char name[256];
    assert(key_count <= SCRIPT_KEYS_MAX);
    for (size_t i = 0; i < key_count; i++) {
        names[i] = keys[i].name;
    }
    list_names(names, key_count, "", known, sizeof known);
    print_path(path, name);
    if (lua_type(lua, index) != LUA_TSTRING) {
        script_describe(lua, index, found);
        script_path_error(lua, path, "found %s as a key, expected one of: %s", found, known);
    }
    const char *word = lua_tostring(lua, index);
    const char *nearest = sim_nearest(word, names, key_count);
    struct script_path inner = script_path_in(path, word);
    struct script_place place = {.source = NULL};
    if (script_where(lua, &place, NULL)) {
        struct base_bytes source = base_buffer_view(&place.source->text);
        place.line = script_key_line(source, place.line, inner.keys, inner.count);
    }
    if (nearest) {
        script_error_at(lua, &place, "%s: found \"%.60s\", did you mean \"%s\"? Expected one of: %s", name,
                        word, nearest, known);
    }
    script_error_at(lua, &place, "%s: found \"%.60s\", expected one of: %s", name, word, known);
}

void script_read_table(lua_State *lua, int index, const struct script_path *path,
                       const struct script_key *keys, size_t key_count, void *out)
{
    index = lua_absindex(lua, index);
    if (lua_isnoneornil(lua, index)) {
        return;
    }
    if (!lua_istable(lua, index)) {
        refuse(lua, index, path, "a table");
    }
    /* Keys that are not known, the least of them first: next()'s order must not show. */
    const char *wrong = NULL;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) != LUA_TSTRING) {
            refuse_key(lua, -1, path, keys, key_count);
        }
        const char *word = lua_tostring(lua, -1);
        bool is_known = false;
        for (size_t i = 0; i < key_count && !is_known; i++) {
            is_known = strcmp(keys[i].name, word) == 0;
        }
        if (!is_known && (!wrong || strcmp(word, wrong) < 0)) {
            wrong = word;
        }
    }
    if (wrong) {
        (void)lua_pushstring(lua, wrong);
        refuse_key(lua, -1, path, keys, key_count);
    }
    for (size_t i = 0; i < key_count; i++) {
        (void)lua_pushstring(lua, keys[i].name);
        if (lua_rawget(lua, index) != LUA_TNIL) {
            struct script_path inner = script_path_in(path, keys[i].name);
            script_read_value(lua, -1, &inner, &keys[i], out);
        }
        lua_pop(lua, 1);
    }
}

/* --- arguments --- */

_Noreturn void script_argument_error(lua_State *lua, int index, const char *call, const char *expected)
{
    char found[96];
    script_describe(lua, index, found);
    script_error(lua, "%s: found %s, expected %s", call, found, expected);
}

uint64_t script_check_ns(lua_State *lua, int index, const char *call)
{
    int64_t ns = 0;
    if (!to_ns(lua, index, &ns) || ns < 0) {
        script_argument_error(lua, index, call, "a duration, a number of seconds such as 150*ms");
    }
    return (uint64_t)ns;
}

int64_t script_check_whole(lua_State *lua, int index, const char *call, int64_t min, int64_t max)
{
    int64_t value = 0;
    if (!to_whole(lua, index, &value) || value < min || value > max) {
        char expected[96];
        (void)snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)min,
                       (long long)max);
        script_argument_error(lua, index, call, max == INT64_MAX ? "a whole number" : expected);
    }
    return value;
}

const char *script_check_text(lua_State *lua, int index, const char *call)
{
    if (lua_type(lua, index) != LUA_TSTRING) {
        script_argument_error(lua, index, call, "a string");
    }
    return lua_tostring(lua, index);
}

struct base_bytes script_check_bytes(lua_State *lua, int index, const char *call)
{
    if (lua_type(lua, index) != LUA_TSTRING && lua_type(lua, index) != LUA_TNUMBER) {
        script_argument_error(lua, index, call, "a string");
    }
    size_t size = 0;
    const char *data = lua_tolstring(lua, index, &size);
    return (struct base_bytes){.data = (const uint8_t *)data, .size = size};
}

void script_check_function(lua_State *lua, int index, const char *call)
{
    if (!lua_isfunction(lua, index)) {
        script_argument_error(lua, index, call, "a function");
    }
}

void script_push_ns(lua_State *lua, uint64_t time_ns)
{
    lua_pushnumber(lua, (double)time_ns / 1e9);
}
