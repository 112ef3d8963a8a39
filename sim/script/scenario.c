/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/scenario.h"

#include "sim/script/text.h"

#include <assert.h>
#include <math.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { AXES_MAX = 8, POINTS_MAX = 100000 };

/* Keys without an offset are looked at by themselves. */
#define LATER(key, kind) {key, kind, 0, 0, 0, NULL}

struct reading {
    uint64_t seeds;
    uint64_t trials;
    const char *source;
    const char *note;
};

static const struct script_key scenario_keys[] = {
    LATER("claims", SCRIPT_TABLE),
    LATER("tags", SCRIPT_TABLE),
    {"seeds", SCRIPT_U64, offsetof(struct reading, seeds), 1, UINT64_C(1000000000), NULL},
    LATER("cluster", SCRIPT_ANY),
    LATER("network", SCRIPT_ANY),
    LATER("disk", SCRIPT_ANY),
    LATER("clock", SCRIPT_ANY),
    LATER("cpu", SCRIPT_ANY),
    LATER("tolerance", SCRIPT_ANY),
    LATER("checks", SCRIPT_TABLE),
    LATER("arms", SCRIPT_TABLE),
    LATER("shows", SCRIPT_TABLE),
    LATER("measures", SCRIPT_TABLE),
    {"note", SCRIPT_TEXT, offsetof(struct reading, note), 0, 0, NULL},
    LATER("expect", SCRIPT_TABLE),
    LATER("limit", SCRIPT_ANY),
    LATER("run", SCRIPT_FUNCTION),
    /* An experiment's only. */
    {"source", SCRIPT_TEXT, offsetof(struct reading, source), 0, 0, NULL},
    LATER("grid", SCRIPT_TABLE),
    {"trials", SCRIPT_U64, offsetof(struct reading, trials), 1, UINT64_C(1000000000), NULL},
    LATER("figure", SCRIPT_TABLE),
};

enum { SCENARIO_KEYS = COUNT(scenario_keys) - 4, EXPERIMENT_KEYS = COUNT(scenario_keys) };

static const char *keep(struct base_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(arena, size), text, size);
}

static const char *keep_or_null(struct base_arena *arena, const char *text)
{
    return text ? keep(arena, text) : NULL;
}

/* How long the list on top of the stack is. Other keys would never be seen: an error. */
static size_t list_size(lua_State *lua, const struct script_path *path)
{
    size_t size = (size_t)lua_rawlen(lua, -1);
    size_t count = 0;
    lua_pushnil(lua);
    for (; lua_next(lua, -2) != 0; lua_pop(lua, 1)) {
        count++;
    }
    if (count != size) {
        script_path_error(lua, path, "found keys that are no places in a list, expected a list");
    }
    return size;
}

/* What the names in a list are of. */
enum names { NAMES_ANY, NAMES_JUDGES, NAMES_ARMED };

/* The list of strings under a key of the table at 2, NULL-terminated; NULL when the
 * key is not there. A judge's name is checked. */
static const char *const *read_names(lua_State *lua, const struct script_path *path, const char *key,
                                     enum names kind, struct base_arena *arena)
{
    struct script_path inner = script_path_in(path, key);
    const char *judges[CHECK_COUNT + SIM_FAULT_COUNT + SIM_FRAME_COUNT + 1] = {NULL};
    const struct script_key choice = {.name = key, .type = SCRIPT_CHOICE, .choices = judges};
    uint32_t ignored = 0;
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        judges[judge] = check_info((enum check_judge)judge)->name;
    }
    for (uint32_t fault = 0; kind == NAMES_ARMED && sim_coverage_name(fault); fault++) {
        judges[CHECK_COUNT + fault] = sim_coverage_name(fault);
    }
    if (lua_getfield(lua, 2, key) == LUA_TNIL) {
        lua_pop(lua, 1);
        return NULL;
    }
    size_t count = list_size(lua, &inner);
    const char **names = base_arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(lua, -1, (lua_Integer)i + 1);
        if (kind != NAMES_ANY) {
            script_read_value(lua, -1, &inner, &choice, &ignored);
        } else if (lua_type(lua, -1) != LUA_TSTRING) {
            char found[96];
            script_describe(lua, -1, found);
            script_path_error(lua, &inner, "found %s in the list, expected strings", found);
        }
        names[i] = keep(arena, lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
    names[count] = NULL;
    lua_pop(lua, 1);
    return names;
}

/* `measures = {claim = {"metric", …}}` as "claim metric", by claim and in the order of
 * each list; a claim without figures is "claim " alone. What names no claim of the
 * scenario's would never be seen: an error. */
static const char *const *read_measures(lua_State *lua, const struct script_path *path,
                                        const struct script_scenario *scenario, struct base_arena *arena)
{
    struct script_path inner = script_path_in(path, "measures");
    const char **measures = NULL;
    size_t count = 0;
    size_t used = 0;
    if (lua_getfield(lua, 2, "measures") == LUA_TNIL) {
        lua_pop(lua, 1);
        return NULL;
    }
    lua_pushnil(lua);
    for (; lua_next(lua, -2) != 0; lua_pop(lua, 1)) {
        used++;
        count += lua_istable(lua, -1) ? (size_t)lua_rawlen(lua, -1) + 1 : 0;
    }
    measures = base_arena_alloc(arena, (count + 1) * sizeof *measures);
    count = 0;
    for (const char *const *claim = scenario->claims; *claim; claim++) {
        struct script_path own = script_path_in(&inner, *claim);
        if (lua_getfield(lua, -1, *claim) != LUA_TNIL) {
            used--;
            bool is_list = lua_istable(lua, -1);
            lua_Integer size = is_list ? (lua_Integer)lua_rawlen(lua, -1) : 0;
            for (lua_Integer i = 1; i <= size && is_list; i++) {
                is_list = lua_rawgeti(lua, -1, i) == LUA_TSTRING;
                measures[count++] = keep(arena, lua_pushfstring(lua, "%s %s", *claim, lua_tostring(lua, -1)));
                lua_pop(lua, 2);
            }
            if (!is_list) {
                script_path_error(lua, &own, "found no list of names, expected metrics that the scenario records");
            }
            if (size == 0) {
                measures[count++] = keep(arena, lua_pushfstring(lua, "%s ", *claim));
                lua_pop(lua, 1);
            }
        }
        lua_pop(lua, 1);
    }
    if (used > 0) {
        script_path_error(lua, &inner, "found a key that is none of its claims, expected those only");
    }
    measures[count] = NULL;
    lua_pop(lua, 1);
    return measures;
}

/* The number or string on top of the stack as a value; pops it. */
static struct script_value read_value(lua_State *lua, const struct script_path *path, const char *name,
                                      struct base_arena *arena)
{
    struct script_value value = {.name = name, .number = NAN};
    char text[32];
    if (lua_type(lua, -1) == LUA_TNUMBER) {
        value.number = lua_tonumber(lua, -1);
        value.is_whole = lua_isinteger(lua, -1) != 0;
        script_text_number(value.number, text);
        value.text = keep(arena, text);
    } else if (lua_type(lua, -1) == LUA_TSTRING) {
        value.text = keep(arena, lua_tostring(lua, -1));
    } else {
        char found[96];
        script_describe(lua, -1, found);
        script_path_error(lua, path, "found %s, expected numbers or strings", found);
    }
    lua_pop(lua, 1);
    return value;
}

/* The string keys of the table on top of the stack in order of their bytes. */
static size_t sorted_keys(lua_State *lua, const struct script_path *path, const char *names[AXES_MAX])
{
    size_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) != LUA_TSTRING || count == AXES_MAX) {
            script_path_error(lua, path, "found a key that is no string, or more than %d", AXES_MAX);
        }
        const char *name = lua_tostring(lua, -1);
        size_t at = count++;
        for (; at > 0 && strcmp(names[at - 1], name) > 0; at--) {
            names[at] = names[at - 1];
        }
        names[at] = name;
    }
    return count;
}

static void read_grid(lua_State *lua, const struct script_path *path, struct base_arena *arena,
                      struct script_scenario *out)
{
    struct script_path inner = script_path_in(path, "grid");
    const char *names[AXES_MAX];
    out->point_count = 1;
    if (lua_getfield(lua, 2, "grid") == LUA_TNIL) {
        lua_pop(lua, 1);
        return;
    }
    size_t count = sorted_keys(lua, &inner, names);
    struct script_axis *axes = base_arena_alloc(arena, (count + 1) * sizeof *axes);
    for (size_t i = 0; i < count; i++) {
        struct script_path axis = script_path_in(&inner, names[i]);
        (void)lua_getfield(lua, -1, names[i]);
        lua_Integer size = lua_istable(lua, -1) ? (lua_Integer)lua_rawlen(lua, -1) : 0;
        if (size < 1 || (uint64_t)size * out->point_count > POINTS_MAX) {
            script_path_error(lua, &axis, "found no list of values, or more than %d combinations", POINTS_MAX);
        }
        struct script_value *values = base_arena_alloc(arena, (size_t)size * sizeof *values);
        axes[i] = (struct script_axis){
            .name = keep(arena, names[i]), .value_count = (uint32_t)size, .values = values};
        for (lua_Integer j = 0; j < size; j++) {
            (void)lua_rawgeti(lua, -1, j + 1);
            values[j] = read_value(lua, &axis, axes[i].name, arena);
        }
        out->point_count *= (uint32_t)size;
        lua_pop(lua, 1);
    }
    out->axes = axes;
    out->axis_count = (uint32_t)count;
    lua_pop(lua, 1);
}

static bool is_axis(const struct script_scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->axis_count; i++) {
        if (strcmp(scenario->axes[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Every name in a figure is that of an axis, but for x of a cdf and y of a line. */
static void check_figure(lua_State *lua, const struct script_path *path, const struct script_figure *figure,
                         const struct script_scenario *scenario)
{
    static const char *const kinds[] = {"cdf", "line", NULL};
    static const struct script_key kind_key = {.name = "kind", .type = SCRIPT_CHOICE, .choices = kinds};
    uint32_t kind = 0;
    struct script_path inner = script_path_in(path, "kind");
    (void)lua_getfield(lua, -1, "kind");
    script_read_value(lua, -1, &inner, &kind_key, &kind);
    lua_pop(lua, 1);
    bool is_line = kind == 1;
    const struct {
        const char *key;
        const char *name;
        bool is_needed;
        bool is_axis;
    } parts[] = {{"x", figure->x, true, is_line}, {"y", figure->y, is_line, false}, {"by", figure->by, false, true}};
    for (size_t i = 0; i < COUNT(parts); i++) {
        inner = script_path_in(path, parts[i].key);
        if (!parts[i].name && parts[i].is_needed) {
            script_path_error(lua, &inner, "found none, expected the name of %s",
                              parts[i].is_axis ? "one of grid's lists" : "a metric");
        }
        if (parts[i].name && parts[i].is_axis && !is_axis(scenario, parts[i].name)) {
            script_path_error(lua, &inner, "found \"%s\", expected the name of one of grid's lists", parts[i].name);
        }
    }
}

static void read_figure(lua_State *lua, const struct script_path *path, struct base_arena *arena,
                        struct script_scenario *out)
{
#define FIGURE(key, kind, member) {key, kind, offsetof(struct script_figure, member), 0, 0, NULL}
    static const struct script_key keys[] = {
        FIGURE("kind", SCRIPT_TEXT, kind),       FIGURE("x", SCRIPT_TEXT, x),
        FIGURE("y", SCRIPT_TEXT, y),             FIGURE("by", SCRIPT_TEXT, by),
        FIGURE("title", SCRIPT_TEXT, title),     FIGURE("log_x", SCRIPT_BOOL, is_log_x),
        FIGURE("log_y", SCRIPT_BOOL, is_log_y),
    };
#undef FIGURE
    struct script_path inner = script_path_in(path, "figure");
    if (lua_getfield(lua, 2, "figure") != LUA_TNIL) {
        struct script_figure *figure = base_arena_alloc(arena, sizeof *figure);
        *figure = (struct script_figure){.kind = NULL};
        script_read_table(lua, -1, &inner, keys, COUNT(keys), figure);
        check_figure(lua, &inner, figure, out);
        figure->kind = keep_or_null(arena, figure->kind);
        figure->x = keep_or_null(arena, figure->x);
        figure->y = keep_or_null(arena, figure->y);
        figure->by = keep_or_null(arena, figure->by);
        figure->title = keep_or_null(arena, figure->title);
        out->figure = figure;
    }
    lua_pop(lua, 1);
}

/* A row for a point that is not in the grid would never be judged. */
static void check_where(lua_State *lua, const struct script_path *path, const struct script_value *value,
                        const struct script_scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->axis_count; i++) {
        const struct script_axis *axis = &scenario->axes[i];
        for (uint32_t j = 0; strcmp(axis->name, value->name) == 0 && j < axis->value_count; j++) {
            if (script_value_equal(&axis->values[j], value)) {
                return;
            }
        }
    }
    script_path_error(lua, path, "found %s = %s, which is not in the grid", value->name, value->text);
}

/* `where = {spread = 5}` of the row on top of the stack. */
static void read_where(lua_State *lua, const struct script_path *path, struct base_arena *arena,
                       const struct script_scenario *scenario, struct script_expect *out)
{
    const char *names[AXES_MAX];
    struct script_path inner = script_path_in(path, "where");
    if (lua_getfield(lua, -1, "where") != LUA_TNIL) {
        size_t count = sorted_keys(lua, &inner, names);
        struct script_value *values = base_arena_alloc(arena, (count + 1) * sizeof *values);
        for (size_t i = 0; i < count; i++) {
            (void)lua_getfield(lua, -1, names[i]);
            values[i] = read_value(lua, &inner, keep(arena, names[i]), arena);
            check_where(lua, &inner, &values[i], scenario);
        }
        out->where = values;
        out->where_count = (uint32_t)count;
    }
    lua_pop(lua, 1);
}

/* The statistic of the row on top of the stack. */
static const char *read_stat(lua_State *lua, const struct script_path *path)
{
    static const char *const stats[] = {"count", "min", "median", "mean", "p90", "p99", "max", NULL};
    static const struct script_key choice = {.name = "stat", .type = SCRIPT_CHOICE, .choices = stats};
    struct script_path inner = script_path_in(path, "stat");
    uint32_t stat = 2;
    if (lua_getfield(lua, -1, "stat") != LUA_TNIL) {
        script_read_value(lua, -1, &inner, &choice, &stat);
    }
    lua_pop(lua, 1);
    return stats[stat];
}

static void read_expect(lua_State *lua, const struct script_path *path, struct base_arena *arena,
                        const struct script_scenario *scenario, struct script_expect *out)
{
#define EXPECT(key, kind, member) {key, kind, offsetof(struct script_expect, member), 0, 0, NULL}
    static const struct script_key keys[] = {
        LATER("stat", SCRIPT_ANY),             EXPECT("of", SCRIPT_TEXT, of),
        LATER("where", SCRIPT_TABLE),          EXPECT("near", SCRIPT_NUMBER, near),
        EXPECT("within", SCRIPT_NUMBER, within), EXPECT("min", SCRIPT_NUMBER, min),
        EXPECT("max", SCRIPT_NUMBER, max),     EXPECT("published", SCRIPT_BOOL, is_published),
        EXPECT("parts", SCRIPT_TEXT, parts),
    };
#undef EXPECT
    *out = (struct script_expect){.near = NAN, .within = NAN, .min = NAN, .max = NAN};
    script_read_table(lua, -1, path, keys, COUNT(keys), out);
    if (!out->of) {
        script_path_error(lua, path, "found a row without of, expected the name of a metric");
    }
    bool has_near = !isnan(out->near);
    if (!has_near && isnan(out->min) && isnan(out->max)) {
        script_path_error(lua, path, "found a row without near, min and max, expected one of them at least");
    }
    out->within = has_near && isnan(out->within) ? 0.1 : out->within;
    out->stat = keep(arena, read_stat(lua, path));
    out->of = keep(arena, out->of);
    out->parts = keep_or_null(arena, out->parts);
    read_where(lua, path, arena, scenario, out);
    struct script_place place = {.line = 0};
    (void)script_where(lua, &place, NULL);
    out->line = place.line;
}

static void read_expects(lua_State *lua, const struct script_path *path, struct base_arena *arena,
                         struct script_scenario *out)
{
    struct script_path inner = script_path_in(path, "expect");
    if (lua_getfield(lua, 2, "expect") != LUA_TNIL) {
        size_t count = list_size(lua, &inner);
        struct script_expect *rows = base_arena_alloc(arena, (count + 1) * sizeof *rows);
        for (size_t i = 0; i < count; i++) {
            (void)lua_rawgeti(lua, -1, (lua_Integer)i + 1);
            read_expect(lua, &inner, arena, out, &rows[i]);
            lua_pop(lua, 1);
        }
        out->expects = rows;
        out->expect_count = (uint32_t)count;
    }
    lua_pop(lua, 1);
}

void script_scenario_read(lua_State *lua, bool is_experiment, struct base_arena *arena,
                          struct script_scenario *out)
{
    static const char *const none[] = {NULL};
    struct script_path path = {.call = is_experiment ? "experiment" : "scenario"};
    struct script_place place = {.source = NULL};
    struct reading reading = {.seeds = 100, .trials = 100};
    (void)script_where(lua, &place, NULL);
    script_read_table(lua, 2, &path, scenario_keys, is_experiment ? EXPERIMENT_KEYS : SCENARIO_KEYS, &reading);
    *out = (struct script_scenario){.name = keep(arena, lua_tostring(lua, 1)),
                                    .file = place.source ? keep(arena, place.source->path) : "",
                                    .line = place.line,
                                    .seeds = is_experiment ? reading.trials : reading.seeds,
                                    .trials = reading.trials,
                                    .source = keep_or_null(arena, reading.source),
                                    .note = keep_or_null(arena, reading.note),
                                    .is_experiment = is_experiment};
    if (lua_getfield(lua, 2, "run") == LUA_TNIL) {
        script_path_error(lua, &path, "found no run, expected run = function(c) … end");
    }
    lua_pop(lua, 1);
    out->tags = read_names(lua, &path, "tags", NAMES_ANY, arena);
    out->claims = read_names(lua, &path, "claims", NAMES_ANY, arena);
    out->arms = read_names(lua, &path, "arms", NAMES_ARMED, arena);
    out->shows = read_names(lua, &path, "shows", NAMES_JUDGES, arena);
    out->tags = out->tags ? out->tags : none;
    out->claims = out->claims ? out->claims : none;
    out->measures = read_measures(lua, &path, out, arena);
    read_grid(lua, &path, arena, out);
    read_figure(lua, &path, arena, out);
    read_expects(lua, &path, arena, out);
}
