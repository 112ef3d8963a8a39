/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/script/file.h"

#include "sim/script/api.h"
#include "sim/script/scenario.h"

#include <assert.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

struct script_sources *script_file_sources(const struct script_file *file)
{
    return file->sources;
}

/* Made once, kept to the end of the process. */
static locale_t plain_locale(void)
{
    static locale_t plain;
    if (!plain) {
        plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    }
    return plain;
}

void *script_locale_enter(void)
{
    return uselocale(plain_locale());
}

void script_locale_leave(void *before)
{
    (void)uselocale((locale_t)before);
}

static struct script_file *file_new(void)
{
    struct script_file *file = base_zalloc(&script_memory, sizeof *file);
    file->sources = base_zalloc(&script_memory, sizeof *file->sources);
    base_arena_init(&file->arena, &script_memory);
    return file;
}

/* Evaluate the file's top level; NULL `source`: there is nothing to evaluate. Answers
 * the file, or NULL with the file closed. */
static struct script_file *read_scenarios(struct script_file *file, struct script_source *source,
                                          const struct script_param *params, uint32_t param_count,
                                          char error[SCRIPT_TEXT_MAX])
{
    bool is_good = false;
    if (source) {
        struct script_reading reading = {.adding = file, .file = file};
        struct script_state *state = script_state_new(file->sources, params, param_count, 0);
        state->reading = &reading;
        is_good = script_source_run(state, source, error);
        if (is_good && reading.open_line != 0) {
            is_good = false;
            (void)snprintf(error, SCRIPT_TEXT_MAX,
                           "%.600s:%" PRIu32 ": \"%s\": found nothing behind the name, expected {…}",
                           source->path, reading.open_line, reading.open_name);
        }
        script_state_free(state);
    }
    if (!is_good) {
        script_close(file);
    }
    return is_good ? file : NULL;
}

struct script_file *script_open(const char *path, const struct script_param *params, uint32_t param_count,
                                char error[SCRIPT_TEXT_MAX])
{
    void *before = script_locale_enter();
    struct script_file *file = file_new();
    error[0] = '\0';
    struct script_source *source = script_source_add(file->sources, path, NULL, error);
    file = read_scenarios(file, source, params, param_count, error);
    script_locale_leave(before);
    return file;
}

struct script_file *script_open_text(const char *path, struct base_bytes text, char error[SCRIPT_TEXT_MAX])
{
    void *before = script_locale_enter();
    struct script_file *file = file_new();
    error[0] = '\0';
    struct script_source *source = script_source_add_text(file->sources, path, text);
    file = read_scenarios(file, source, NULL, 0, error);
    script_locale_leave(before);
    return file;
}

void script_close(struct script_file *file)
{
    if (file) {
        script_sources_release(file->sources);
        free(file->sources);
        free(file->scenarios);
        base_arena_release(&file->arena);
        free(file);
    }
}

uint32_t script_count(const struct script_file *file)
{
    return file->count;
}

const struct script_scenario *script_get(const struct script_file *file, uint32_t number)
{
    assert(number < file->count);
    return &file->scenarios[number];
}

/* --- scenario "name" {…} --- */

static void push_point(lua_State *lua, const struct script_scenario *scenario, uint32_t point)
{
    if (!scenario->is_experiment) {
        lua_pushnil(lua);
        return;
    }
    lua_createtable(lua, 0, (int)scenario->axis_count);
    for (uint32_t axis = 0; axis < scenario->axis_count; axis++) {
        const struct script_value *value = script_point_value(scenario, point, axis);
        bool is_text = value->number != value->number;
        if (is_text) {
            (void)lua_pushstring(lua, value->text);
        } else if (value->is_whole) {
            lua_pushinteger(lua, (lua_Integer)value->number);
        } else {
            lua_pushnumber(lua, value->number);
        }
        lua_setfield(lua, -2, scenario->axes[axis].name);
    }
}

static void add_scenario(lua_State *lua, struct script_file *file, struct script_scenario *scenario)
{
    struct script_path path = {.call = scenario->is_experiment ? "experiment" : "scenario"};
    struct sim_options *options = lua_newuserdatauv(lua, sizeof *options, 0);
    for (uint32_t point = 0; point < scenario->point_count && point < 64; point++) {
        push_point(lua, scenario, point);
        script_options_read(lua, 2, lua_gettop(lua), &path, options);
        lua_pop(lua, 1);
    }
    if (file->count == file->capacity) {
        uint32_t capacity = file->capacity == 0 ? 8 : file->capacity * 2;
        file->scenarios =
            base_resize(&script_memory, file->scenarios, file->capacity * sizeof *file->scenarios,
                        capacity * sizeof *file->scenarios);
        file->capacity = capacity;
    }
    scenario->number = file->count;
    file->scenarios[file->count++] = *scenario;
}

static void pick_scenario(lua_State *lua, struct script_reading *reading,
                          const struct script_scenario *scenario)
{
    struct script_path path = {.call = scenario->is_experiment ? "experiment" : "scenario"};
    (void)script_where(lua, &reading->place, NULL);
    reading->is_found = true;
    push_point(lua, scenario, reading->point);
    script_options_read(lua, 2, lua_gettop(lua), &path, reading->options);
    reading->point_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
    (void)lua_getfield(lua, 2, "run");
    reading->run_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* scenario(name, table); 1 is the name, 2 the table. */
static int define(lua_State *lua, bool is_experiment)
{
    struct script_reading *reading = script_state_of(lua)->reading;
    const char *call = is_experiment ? "experiment \"name\" {…}" : "scenario \"name\" {…}";
    if (!reading) {
        script_error(lua, "%s: found inside of a run, expected at the top of a file", call);
    }
    (void)script_check_text(lua, 1, call);
    if (!lua_istable(lua, 2)) {
        script_argument_error(lua, 2, call, "a table");
    }
    lua_settop(lua, 2);
    reading->open_line = 0;
    if (reading->adding) {
        struct script_scenario scenario;
        script_scenario_read(lua, is_experiment, &reading->adding->arena, &scenario);
        add_scenario(lua, reading->adding, &scenario);
    } else if (reading->seen < reading->file->count && reading->seen == reading->wanted) {
        pick_scenario(lua, reading, script_get(reading->file, reading->seen));
    }
    reading->seen++;
    return 0;
}

/* scenario "name" {…} is two calls: the first answers the second. */
static int call_define(lua_State *lua)
{
    lua_settop(lua, 1);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    bool is_experiment = lua_toboolean(lua, lua_upvalueindex(2)) != 0;
    return define(lua, is_experiment);
}

static int begin_define(lua_State *lua, bool is_experiment)
{
    if (!lua_isnoneornil(lua, 2)) {
        return define(lua, is_experiment);
    }
    const char *name =
        script_check_text(lua, 1, is_experiment ? "experiment \"name\" {…}" : "scenario \"name\" {…}");
    struct script_reading *reading = script_state_of(lua)->reading;
    if (reading && reading->open_line != 0) {
        script_error(lua, "\"%s\": found nothing behind the name before this, expected {…}",
                     reading->open_name);
    }
    if (reading) {
        struct script_place place = {.line = 0};
        (void)script_where(lua, &place, NULL);
        reading->open_line = place.line;
        (void)snprintf(reading->open_name, sizeof reading->open_name, "%s", name);
    }
    lua_settop(lua, 1);
    lua_pushboolean(lua, is_experiment);
    lua_pushcclosure(lua, call_define, 2);
    return 1;
}

int script_call_scenario(lua_State *lua)
{
    return begin_define(lua, false);
}

int script_call_experiment(lua_State *lua)
{
    return begin_define(lua, true);
}
