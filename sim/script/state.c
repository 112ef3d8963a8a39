/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/script/state.h"

#include "sim/script/api.h"
#include "sim/script/sandbox.h"
#include "sim/script/text.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Set from a signal's handler, looked at by the count hook. */
static volatile sig_atomic_t is_interrupted;
/* Whose step is under way, for that handler. */
static lua_State *volatile running;

static void *memory_resize(void *context, void *block, size_t size_old, size_t size_new)
{
    (void)context;
    (void)size_old;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

const struct base_allocator script_memory = {.resize = memory_resize};

/* What a library's function makes in one instruction is work, too: of large strings, a
 * loop makes seconds of it long before it has used up its instructions. */
static void charge(struct script_state *state, size_t bytes)
{
    uint64_t work = bytes / SCRIPT_INSTRUCTION_BYTES;
    state->budget -= work < state->budget ? work : state->budget;
}

/* Lua's allocator: counts, and refuses beyond the limit. */
static void *lua_memory(void *context, void *block, size_t size_old, size_t size_new)
{
    struct script_state *state = context;
    size_t size_before = block ? size_old : 0;
    if (size_new == 0) {
        free(block);
        state->memory_bytes -= size_before;
        return NULL;
    }
    if (size_new > size_before && state->memory_bytes - size_before + size_new > SCRIPT_MEMORY_MAX) {
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (moved) {
        charge(state, size_new > size_before ? size_new - size_before : 0);
        state->memory_bytes = state->memory_bytes - size_before + size_new;
    }
    return moved;
}

struct script_state *script_state_of(lua_State *lua)
{
    struct script_state *state = NULL;
    memcpy(&state, lua_getextraspace(lua), sizeof state);
    return state;
}

/* In a signal's handler: say to standard error where the script is, should it never
 * come back (a pattern can keep string.find busy for years). Nothing is allocated,
 * and the process has a second or two to live. */
static void tell_place(lua_State *lua)
{
    lua_Debug record;
    for (int level = 0; lua_getstack(lua, level, &record) == 1; level++) {
        (void)lua_getinfo(lua, "Sl", &record);
        if (record.source[0] == '@' && record.currentline > 0) {
            char text[256];
            int size = snprintf(text, sizeof text, "%.200s:%d: a step takes longer than 10 s of real time\n",
                                record.source + 1, record.currentline);
            (void)!write(STDERR_FILENO, text, (size_t)size);
            return;
        }
    }
}

void script_interrupt(void)
{
    is_interrupted = 1;
    if (running) {
        tell_place(running);
    }
}

/* A metatable may be made weak after setmetatable has seen it. */
static bool has_weak_tables(lua_State *lua)
{
    bool has_found = false;
    (void)lua_rawgetp(lua, LUA_REGISTRYINDEX, script_metatables_key);
    lua_pushnil(lua);
    while (!has_found && lua_next(lua, -2) != 0) {
        lua_pop(lua, 1);
        (void)lua_pushliteral(lua, "__mode");
        has_found = lua_rawget(lua, -2) != LUA_TNIL;
        lua_pop(lua, has_found ? 2 : 1);
    }
    lua_pop(lua, 1);
    return has_found;
}

/* Collecting on the run's own terms: not by Lua's pace. false: nothing is collected,
 * for a script could see it. */
static bool maybe_collect(struct script_state *state, lua_State *lua)
{
    if (state->memory_bytes <= state->memory_collect_bytes) {
        return true;
    }
    if (!lua_checkstack(lua, 8) || has_weak_tables(lua)) {
        return false;
    }
    (void)lua_gc(lua, LUA_GCCOLLECT);
    state->memory_collect_bytes = state->memory_bytes * 2 + (size_t)8 * 1024 * 1024;
    return true;
}

static void on_count(lua_State *lua, lua_Debug *record)
{
    struct script_state *state = script_state_of(lua);
    (void)record;
    if (is_interrupted) {
        script_doom(lua, SCRIPT_UNJUDGED, "a step takes longer than 10 s of real time");
    }
    if (state->budget < SCRIPT_HOOK_INSTRUCTIONS) {
        script_doom(lua, SCRIPT_WRONG,
                    "endless loop: found more than %d million instructions without a wait, expected sleep, a "
                    "call of a client or another wait",
                    SCRIPT_STEP_INSTRUCTIONS / 1000000);
    }
    state->budget -= SCRIPT_HOOK_INSTRUCTIONS;
    if (!maybe_collect(state, lua)) {
        script_doom(lua, SCRIPT_WRONG, "found a metatable with __mode, which a scenario has not got");
    }
}

void script_state_begin_step(struct script_state *state)
{
    state->budget = SCRIPT_STEP_INSTRUCTIONS;
    state->has_waited = false;
}

int script_state_resume(struct script_state *state, lua_State *thread, int arguments)
{
    int results = 0;
    script_state_begin_step(state);
    (void)maybe_collect(state, state->lua);
    running = thread;
    int status = lua_resume(thread, state->lua, arguments, &results);
    running = NULL;
    return status;
}

static int open_all(lua_State *lua)
{
    script_sandbox_open(lua);
    script_api_open(lua);
    return 0;
}

struct script_state *script_state_new(struct script_sources *sources, const struct script_param *params,
                                      uint32_t param_count, uint64_t seed)
{
    struct script_state *state = base_zalloc(&script_memory, sizeof *state);
    state->sources = sources;
    state->params = params;
    state->param_count = param_count;
    state->memory_collect_bytes = (size_t)8 * 1024 * 1024;
    is_interrupted = 0;
    sim_random_init(&state->random, seed, 0, 0, SIM_FOR_SCRIPT);
    state->lua = lua_newstate(lua_memory, state);
    if (!state->lua) {
        abort();
    }
    memcpy(lua_getextraspace(state->lua), &state, sizeof state);
    (void)lua_gc(state->lua, LUA_GCSTOP);
    lua_pushcfunction(state->lua, open_all);
    int status = lua_pcall(state->lua, 0, 0, 0);
    if (status != LUA_OK) {
        (void)fprintf(stderr, "%s\n", lua_tostring(state->lua, -1)); /* A bug of ours. */
        abort();
    }
    lua_sethook(state->lua, on_count, LUA_MASKCOUNT, SCRIPT_HOOK_INSTRUCTIONS);
    script_state_begin_step(state);
    return state;
}

void script_state_free(struct script_state *state)
{
    if (state) {
        lua_close(state->lua);
        for (uint32_t i = 0; i < state->drawn_count; i++) {
            free((void *)(uintptr_t)state->drawn[i].name);
            free((void *)(uintptr_t)state->drawn[i].value);
        }
        free(state->drawn);
        base_free(&script_memory, state, sizeof *state);
    }
}

/* --- files --- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_alloc(&script_memory, size), text, size);
}

static bool read_file(const char *path, struct base_buffer *out, char error[SCRIPT_TEXT_MAX])
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%.900s: cannot be read", path);
        return false;
    }
    size_t got = 0;
    do {
        size_t size = out->size;
        got = fread(base_buffer_extend(out, 16384), 1, 16384, file);
        out->size = size + got;
    } while (got > 0);
    bool is_bad = ferror(file) != 0;
    (void)fclose(file);
    if (is_bad) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%.900s: cannot be read", path);
    }
    return !is_bad;
}

/* As Lua's messages show it: long paths lose their front. */
static void shorten(const char *path, char out[LUA_IDSIZE])
{
    size_t size = strlen(path);
    bool fits = size + 1 <= LUA_IDSIZE;
    size_t kept = fits ? size : LUA_IDSIZE - 4;
    (void)snprintf(out, LUA_IDSIZE, "%s%s", fits ? "" : "...", path + size - kept);
}

static struct script_source *add_source(struct script_sources *sources, const char *path, const char *module,
                                        struct base_buffer take_text)
{
    assert(sources->count < SCRIPT_SOURCES_MAX);
    struct script_source *source = &sources->items[sources->count++];
    *source = (struct script_source){.path = copy_text(path), .text = take_text};
    source->module = module ? copy_text(module) : NULL;
    shorten(path, source->short_path);
    base_buffer_init(&source->code, &script_memory);
    return source;
}

struct script_source *script_source_add(struct script_sources *sources, const char *path, const char *module,
                                        char error[SCRIPT_TEXT_MAX])
{
    if (sources->count == SCRIPT_SOURCES_MAX) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%.900s: found more than %d required files", path,
                       SCRIPT_SOURCES_MAX - 1);
        return NULL;
    }
    struct base_buffer text = {0};
    base_buffer_init(&text, &script_memory);
    if (!read_file(path, &text, error)) {
        base_buffer_release(&text);
        return NULL;
    }
    return add_source(sources, path, module, text);
}

struct script_source *script_source_add_text(struct script_sources *sources, const char *path,
                                             struct base_bytes text)
{
    struct base_buffer copy = {0};
    base_buffer_init(&copy, &script_memory);
    if (text.size > 0) {
        memcpy(base_buffer_extend(&copy, text.size), text.data, text.size);
    }
    return add_source(sources, path, NULL, copy);
}

void script_sources_release(struct script_sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++) {
        struct script_source *source = &sources->items[i];
        base_buffer_release(&source->text);
        base_buffer_release(&source->code);
        free(source->path);
        free(source->module);
    }
    sources->count = 0;
}

static int write_code(lua_State *lua, const void *data, size_t size, void *context)
{
    struct base_buffer *code = context;
    (void)lua;
    if (size > 0) {
        memcpy(base_buffer_extend(code, size), data, size);
    }
    return 0;
}

/* What Lua itself would skip at the head of a file: a byte order mark, and a first line
 * that begins with #. The line's end stays, so that lines keep their numbers. */
static size_t head_size(const char *data, size_t size)
{
    size_t at = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool is_line = at < size && data[at] == '#';
    while (is_line && at < size && data[at] != '\n') {
        at++;
    }
    return at;
}

void script_source_load(lua_State *lua, struct script_source *source)
{
    const char *chunk = lua_pushfstring(lua, "@%s", source->path);
    bool is_compiled = source->code.size > 0;
    const struct base_buffer *from = is_compiled ? &source->code : &source->text;
    const char *data = from->data ? (const char *)from->data : "";
    size_t skipped = is_compiled ? 0 : head_size(data, from->size);
    if (!is_compiled && data[0] == LUA_SIGNATURE[0]) {
        (void)lua_pushfstring(lua, "%s:1: found compiled code, expected the text of a script", source->short_path);
        (void)lua_error(lua);
    }
    if (luaL_loadbufferx(lua, data + skipped, from->size - skipped, chunk, is_compiled ? "b" : "t") != LUA_OK) {
        (void)lua_error(lua);
    }
    if (!is_compiled) {
        (void)lua_dump(lua, write_code, &source->code, 0);
    }
    lua_remove(lua, -2);
}

/* In a coroutine: load and run the source at 1. */
static int run_source(lua_State *lua)
{
    struct script_source *source = lua_touserdata(lua, 1);
    script_source_load(lua, source);
    lua_call(lua, 0, 0);
    return 0;
}

bool script_source_run(struct script_state *state, struct script_source *source, char error[SCRIPT_TEXT_MAX])
{
    state->top = lua_newthread(state->lua);
    lua_pushcfunction(state->top, run_source);
    lua_pushlightuserdata(state->top, source);
    int status = script_state_resume(state, state->top, 1);
    if (status != LUA_OK) {
        script_error_text(state->top, NULL, error);
    }
    state->top = NULL;
    lua_pop(state->lua, 1);
    return status == LUA_OK;
}

const struct script_source *script_source_named(const struct script_sources *sources, const char *chunk)
{
    for (uint32_t i = 0; chunk[0] == '@' && i < sources->count; i++) {
        if (strcmp(sources->items[i].path, chunk + 1) == 0) {
            return &sources->items[i];
        }
    }
    return NULL;
}

/* --- errors --- */

bool script_where(lua_State *lua, struct script_place *out, lua_Debug *record)
{
    lua_Debug own;
    lua_Debug *ar = record ? record : &own;
    for (int level = 0; lua_getstack(lua, level, ar) == 1; level++) {
        (void)lua_getinfo(lua, "Sl", ar);
        const struct script_source *source = script_source_named(script_state_of(lua)->sources, ar->source);
        if (source && ar->currentline > 0) {
            *out = (struct script_place){.source = source, .line = (uint32_t)ar->currentline};
            return true;
        }
    }
    return false;
}

static size_t print_place(const struct script_place *place, char *out, size_t size)
{
    int length = snprintf(out, size, "%.700s:%u: ", place->source->path, (unsigned)place->line);
    assert(length > 0 && (size_t)length < size);
    return (size_t)length;
}

_Noreturn void script_error(lua_State *lua, const char *format, ...)
{
    struct script_place place;
    char text[SCRIPT_TEXT_MAX];
    size_t size = script_where(lua, &place, NULL) ? print_place(&place, text, sizeof text) : 0;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + size, sizeof text - size, format, arguments);
    va_end(arguments);
    (void)lua_pushstring(lua, text);
    (void)lua_error(lua);
    abort();
}

_Noreturn void script_error_at(lua_State *lua, const struct script_place *place, const char *format, ...)
{
    char text[SCRIPT_TEXT_MAX];
    size_t size = place->source ? print_place(place, text, sizeof text) : 0;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + size, sizeof text - size, format, arguments);
    va_end(arguments);
    (void)lua_pushstring(lua, text);
    (void)lua_error(lua);
    abort();
}

_Noreturn void script_doom(lua_State *lua, enum script_verdict verdict, const char *format, ...)
{
    struct script_state *state = script_state_of(lua);
    struct script_place place;
    char *text = state->doom_text;
    size_t size = script_where(lua, &place, NULL) ? print_place(&place, text, sizeof state->doom_text) : 0;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + size, sizeof state->doom_text - size, format, arguments);
    va_end(arguments);
    state->is_doomed = true;
    state->doom = verdict;
    (void)lua_pushstring(lua, "the run is over");
    (void)lua_error(lua);
    abort();
}

/* The source whose "path:line:" a message begins with, and what follows the path;
 * Lua shortens long paths. */
static const struct script_source *placed_in(const struct script_sources *sources, const char *text,
                                             const char **rest)
{
    for (uint32_t i = 0; i < sources->count; i++) {
        const struct script_source *source = &sources->items[i];
        const char *names[] = {source->path, source->short_path};
        for (size_t j = 0; j < 2; j++) {
            size_t size = strlen(names[j]);
            if (size > 0 && strncmp(text, names[j], size) == 0 && text[size] == ':' &&
                text[size + 1] >= '0' && text[size + 1] <= '9') {
                *rest = text + size;
                return source;
            }
        }
    }
    return NULL;
}

/* What an error is that is not a text. */
static const char *describe_error(lua_State *lua, char buffer[128])
{
    if (lua_type(lua, -1) == LUA_TSTRING) {
        return lua_tostring(lua, -1);
    }
    if (lua_istable(lua, -1)) {
        (void)lua_pushstring(lua, "code");
        (void)lua_rawget(lua, -2);
        (void)snprintf(buffer, 128, "error: %.100s",
                       lua_isstring(lua, -1) ? lua_tostring(lua, -1) : "a table");
        lua_pop(lua, 1);
        return buffer;
    }
    (void)snprintf(buffer, 128, "error: a value of type %s", luaL_typename(lua, -1));
    return buffer;
}

/* "attempt to call a nil value (global 'slep')": say which name may be meant. */
static void add_hint(const char *text, char *out, size_t size)
{
    static const char mark[] = "(global '";
    const char *start = strstr(text, mark);
    const char *end = start ? strchr(start + sizeof mark - 1, '\'') : NULL;
    char name[64];
    if (!end || strstr(text, "a nil value") == NULL ||
        (size_t)(end - start) - (sizeof mark - 1) >= sizeof name) {
        return;
    }
    start += sizeof mark - 1;
    memcpy(name, start, (size_t)(end - start));
    name[end - start] = '\0';
    const char *nearest = script_api_nearest_global(name);
    size_t used = strlen(out);
    if (nearest && used < size) {
        (void)snprintf(out + used, size - used, ": did you mean \"%s\"?", nearest);
    }
}

void script_error_text(lua_State *lua, const struct script_place *fallback, char out[SCRIPT_TEXT_MAX])
{
    const struct script_state *state = script_state_of(lua);
    char buffer[128];
    const char *text = describe_error(lua, buffer);
    const char *rest = text;
    struct script_place place = fallback ? *fallback : (struct script_place){.source = NULL};
    const struct script_source *source = placed_in(state->sources, text, &rest);
    if (state->is_doomed) {
        (void)snprintf(out, SCRIPT_TEXT_MAX, "%s", state->doom_text);
        return;
    }
    if (source) {
        (void)snprintf(out, SCRIPT_TEXT_MAX, "%.600s%s", source->path, rest);
    } else if (script_where(lua, &place, NULL) || place.source) {
        size_t size = print_place(&place, out, SCRIPT_TEXT_MAX);
        (void)snprintf(out + size, SCRIPT_TEXT_MAX - size, "%s", text);
    } else {
        (void)snprintf(out, SCRIPT_TEXT_MAX, "%s", text);
    }
    add_hint(text, out, SCRIPT_TEXT_MAX);
}
