/* Values that a script hands over: checked once, at the edge, and rounded at once
 * to whole nanoseconds, bytes and parts per million. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_VALUE_H
#define SIM_SCRIPT_VALUE_H

#include "sim/dist.h"
#include "sim/script/state.h"

enum { SCRIPT_KEYS_MAX = 64, SCRIPT_PATH_MAX = 6 };

/* Longest duration: 1,000 days. */
#define SCRIPT_NS_MAX (UINT64_C(86400000) * 1000000000)

enum script_type {
    SCRIPT_BOOL,       /* bool */
    SCRIPT_U32,        /* uint32_t, a whole number in [min, max] */
    SCRIPT_U64,        /* uint64_t, likewise */
    SCRIPT_NS,         /* uint64_t, a duration in [min, max] ns */
    SCRIPT_SIGNED_NS,  /* int64_t, a duration of either sign */
    SCRIPT_BYTES,      /* uint64_t, whole, in [min, max] */
    SCRIPT_PPM,        /* uint32_t, a fraction in [0, 1] */
    SCRIPT_SIGNED_PPM, /* int64_t, a fraction in (-1, 1] */
    SCRIPT_NUMBER,     /* double */
    SCRIPT_DIST,       /* struct sim_dist */
    SCRIPT_TEXT,       /* const char *, good while the table is */
    SCRIPT_CHOICE,     /* uint32_t, its place among `choices` */
    SCRIPT_FUNCTION,   /* nothing is stored: the reader takes it from the table */
    SCRIPT_TABLE,      /* likewise */
    SCRIPT_ANY         /* likewise, unchecked */
};

/* A key that a table may have. */
struct script_key {
    const char *name;
    enum script_type type;
    size_t offset; /* In the struct that is filled. */
    uint64_t min;
    uint64_t max;
    const char *const *choices; /* NULL-terminated. */
};

/* The keys around a value, outermost first, for messages and for finding lines. */
struct script_path {
    const char *call; /* "scenario", "c:load" … */
    const char *keys[SCRIPT_PATH_MAX];
    size_t count;
};

struct script_path script_path_in(const struct script_path *path, const char *key);
/* Raise an error about the value that stands under the path: "file:line: cluster.members:
 * found 0, expected …". */
_Noreturn void script_path_error(lua_State *lua, const struct script_path *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read the table at `index` (nil: nothing to read) into the struct at `out`, which
 * holds the defaults; every key is checked. */
void script_read_table(lua_State *lua, int index, const struct script_path *path,
                       const struct script_key *keys, size_t key_count, void *out);
/* Read one value. */
void script_read_value(lua_State *lua, int index, const struct script_path *path,
                       const struct script_key *key, void *out);

/* What stands at `index`, in words: "the string \"x\"", "3", "a member", "nothing". */
void script_describe(lua_State *lua, int index, char out[96]);
/* Arguments of calls; `call` is how it is written ("sleep(duration)"). */
uint64_t script_check_ns(lua_State *lua, int index, const char *call);
int64_t script_check_whole(lua_State *lua, int index, const char *call, int64_t min, int64_t max);
const char *script_check_text(lua_State *lua, int index, const char *call);
/* A key or value of the store: a string, or a number as tostring shows it. */
struct base_bytes script_check_bytes(lua_State *lua, int index, const char *call);
void script_check_function(lua_State *lua, int index, const char *call);
_Noreturn void script_argument_error(lua_State *lua, int index, const char *call, const char *expected);

void script_push_ns(lua_State *lua, uint64_t time_ns);

#endif
