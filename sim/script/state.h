/* One Lua state: what it may use, what it was made for, and how errors in it are
 * said. A state lives for one run, or for reading one file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_STATE_H
#define SIM_SCRIPT_STATE_H

#include "sim/random.h"
#include "sim/script/script.h"

#include <lauxlib.h>
#include <lua.h>

enum {
    SCRIPT_MEMORY_MAX = 256 * 1024 * 1024,
    SCRIPT_STEP_INSTRUCTIONS = 100 * 1000 * 1000, /* From one wait to the next. */
    SCRIPT_HOOK_INSTRUCTIONS = 4000,
    SCRIPT_INSTRUCTION_BYTES = 16, /* Filling so much memory costs as much as one. */
    SCRIPT_SOURCES_MAX = 64
};

/* malloc behind the core's face; out of memory is an abort. */
extern const struct base_allocator script_memory;

/* A file of Lua: the scenario's, or one that it requires. Owns all. */
struct script_source {
    char *path;
    char *module;                /* As it is required; NULL for the scenario's own. */
    char short_path[LUA_IDSIZE]; /* As Lua's own messages show the path. */
    struct base_buffer text;
    struct base_buffer code; /* Compiled; empty before the first use. */
};

/* What states of one file share: read and compiled once. */
struct script_sources {
    struct script_source items[SCRIPT_SOURCES_MAX];
    uint32_t count;
};

/* A place in a script. */
struct script_place {
    const struct script_source *source;
    uint32_t line;
};

struct script_run;
struct script_reading;
struct script_tape;

struct script_state {
    lua_State *lua;
    lua_State *top; /* The coroutine that runs a file's top level. */
    struct script_sources *sources;
    const struct script_param *params;
    uint32_t param_count;
    struct script_param *drawn; /* What param() has answered; owns the texts. */
    uint32_t drawn_count, drawn_capacity;
    struct script_run *run;         /* NULL while a file is only read. */
    struct script_tape *tape;       /* Calls are taken down there; NULL: nowhere. */
    struct script_reading *reading; /* Where `scenario` puts what it finds; NULL: nowhere. */
    struct sim_random random;
    size_t memory_bytes;
    size_t memory_collect_bytes; /* Collect garbage when more than this is used. */
    uint64_t budget;             /* Instructions left in this step. */
    bool has_waited;             /* The coroutine that yields waits for the world. */
    bool is_doomed;              /* The run is over, nothing in Lua may catch why: */
    enum script_verdict doom;
    char doom_text[SCRIPT_TEXT_MAX];
};

/* A sandboxed state with all globals. NULL: no memory. */
struct script_state *script_state_new(struct script_sources *sources, const struct script_param *params,
                                      uint32_t param_count, uint64_t seed);
void script_state_free(struct script_state *state);
struct script_state *script_state_of(lua_State *lua);
/* A step begins: it has its whole budget. */
void script_state_begin_step(struct script_state *state);
/* Let a coroutine take a step; lua_resume's answer. */
int script_state_resume(struct script_state *state, lua_State *thread, int arguments);

/* Read a file into `sources`; NULL, `error` filled, when it cannot be read. */
struct script_source *script_source_add(struct script_sources *sources, const char *path, const char *module,
                                        char error[SCRIPT_TEXT_MAX]);
/* The same of a text. */
struct script_source *script_source_add_text(struct script_sources *sources, const char *path,
                                             struct base_bytes text);
void script_sources_release(struct script_sources *sources);
/* Push the compiled chunk, or raise what does not compile. */
void script_source_load(lua_State *lua, struct script_source *source);
/* Run the chunk, in a coroutine of its own: an error leaves its stack to look at.
 * false: `error` is filled. */
bool script_source_run(struct script_state *state, struct script_source *source, char error[SCRIPT_TEXT_MAX]);
const struct script_source *script_source_named(const struct script_sources *sources, const char *chunk);

/* The innermost place of the user's own code on a stack; false: there is none. Its
 * activation record is left in `record`, unless that is NULL. */
bool script_where(lua_State *lua, struct script_place *out, lua_Debug *record);
/* Push the value that a name has on the level of `record`: a local, what the function
 * closed over, or a global. */
void script_push_named(lua_State *lua, lua_Debug *record, const char *name);
/* Raise "file:line: …" for that place. */
_Noreturn void script_error(lua_State *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Raise it for another line of the same file. */
_Noreturn void script_error_at(lua_State *lua, const struct script_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* End the run with a verdict; pcall does not stop this. */
_Noreturn void script_doom(lua_State *lua, enum script_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The error on top of the stack as "file:line: message", for whoever caught it. */
void script_error_text(lua_State *lua, const struct script_place *fallback, char out[SCRIPT_TEXT_MAX]);

#endif
