/* What a scenario file says: the blocks it holds, and the world each wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_FILE_H
#define SIM_SCRIPT_FILE_H

#include "core/base/arena.h"
#include "sim/script/value.h"

struct script_file {
    struct script_sources *sources;
    struct base_arena arena; /* What scenarios point to. */
    struct script_scenario *scenarios;
    uint32_t count;
    uint32_t capacity;
};

/* What `scenario` and `experiment` do with what they are given: while a file is
 * opened they add it; while one runs, they pick out the wanted one. */
struct script_reading {
    struct script_file *adding; /* NULL when running. */
    const struct script_file *file;
    uint32_t wanted;
    uint32_t point;
    uint32_t seen;
    bool is_found;
    char open_name[64]; /* The one whose name was read and whose table was not, yet; */
    uint32_t open_line; /* 0: none. */
    struct sim_options *options; /* Filled for the wanted one. */
    struct script_place place;
    int run_reference;   /* Its run function, and the point of the grid or nil: in */
    int point_reference; /* the state's registry. */
};

struct script_sources *script_file_sources(const struct script_file *file);

/* Lua compares and prints by the process's locale: make it "C" for a while. */
void *script_locale_enter(void);
void script_locale_leave(void *before);

/* Read a scenario's table at `index` into options; the cluster of an experiment may
 * be a function of the point, which is at `point`. */
void script_options_read(lua_State *lua, int index, int point, const struct script_path *path,
                         struct sim_options *out);
/* The keys that say how a network behaves; also those of c:network and c:link. */
void script_link_read(lua_State *lua, int index, const struct script_path *path,
                      struct sim_link_options *out);

#endif
