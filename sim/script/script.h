/* Scenarios in Lua: loading a file, and running one of its scenarios on one seed.
 * Each run gets a Lua state of its own, sandboxed and bounded (SCENARIOS.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_SCRIPT_H
#define SIM_SCRIPT_SCRIPT_H

#include "sim/check/check.h"
#include "sim/record.h"
#include "sim/world.h"

enum { SCRIPT_TEXT_MAX = 1024 };

/* A `--param name=value`. */
struct script_param {
    const char *name;
    const char *value;
};

/* A value of a grid's axis, or one that `where` names: a number, or a text. */
struct script_value {
    const char *name;
    const char *text;
    double number; /* NAN: it is none. */
    bool is_whole;
};

/* A row of `expect`: a statistic ("median", "p99" …) of a metric, and where it has
 * to lie. What is not said is NAN. */
struct script_expect {
    const char *stat;
    const char *of;
    double near;
    double within; /* A fraction of `near`. */
    double min;
    double max;
    bool is_published;    /* `near` is somebody else's figure. */
    const char *parts;    /* Why ours is known to lie elsewhere; NULL: it is not. */
    uint32_t where_count; /* Only for points with all these values. */
    const struct script_value *where;
    uint32_t line;
};

/* One parameter of a grid and all its values. */
struct script_axis {
    const char *name;
    uint32_t value_count;
    const struct script_value *values;
};

/* How an experiment is drawn; NULL where nothing is said. */
struct script_figure {
    const char *kind;
    const char *x;
    const char *y;
    const char *by;
    const char *title;
    bool is_log_x;
    bool is_log_y;
};

/* What a file says about one of its scenarios before anything runs. Strings belong
 * to the file. */
struct script_scenario {
    const char *name;
    const char *file; /* As given. */
    uint32_t line;
    uint32_t number;                     /* In its file, from 0. */
    uint64_t seeds;                      /* Its own number of seeds; 100 unless it says. */
    const char *const *tags;             /* NULL-terminated. */
    const char *const *claims;           /* NULL-terminated. */
    const char *const *arms;             /* Judges and faults that must have had their part; NULL: none. */
    const char *const *shows;            /* A hazard: names of judges, NULL-terminated; NULL: none. */
    const char *const *measures;         /* "claim metric": the figures of a claim; NULL: all metrics are. */
    const char *note;                    /* Where reality is subtler than what is claimed; NULL: nowhere. */
    const struct script_expect *expects; /* Judged over all seeds; NULL: none. */
    uint32_t expect_count;
    bool is_experiment;
    /* An experiment's. */
    uint64_t trials;
    const char *source; /* NULL: none. */
    uint32_t axis_count;
    uint32_t point;                     /* Which one this is, of those that a plan has taken apart. */
    uint32_t point_count;               /* Every combination: the product of all axes; 1 without any. */
    const struct script_axis *axes;     /* By name. */
    const struct script_figure *figure; /* NULL: none. */
};

struct script_file;

/* Read and compile a file and evaluate its top level. NULL when it does not load:
 * `error` then says file, line, what was found and what was expected. */
struct script_file *script_open(const char *path, const struct script_param *params, uint32_t param_count,
                                char error[SCRIPT_TEXT_MAX]);
/* The same of a text that is in no file; `path` is what errors call it. */
struct script_file *script_open_text(const char *path, struct base_bytes text, char error[SCRIPT_TEXT_MAX]);
void script_close(struct script_file *file);
uint32_t script_count(const struct script_file *file);
const struct script_scenario *script_get(const struct script_file *file, uint32_t number);
/* The value of an axis at a point of the grid (from 0; the last axis turns fastest). */
const struct script_value *script_point_value(const struct script_scenario *scenario, uint32_t point,
                                              uint32_t axis);

/* Numbers by their value, texts by their bytes. */
bool script_value_equal(const struct script_value *a, const struct script_value *b);

/* One line of `faultline help api`. */
struct script_api_line {
    const char *of; /* "" for globals, else what it belongs to. */
    const char *name;
    const char *written;
    const char *text;
};
const struct script_api_line *script_api(uint32_t *count);
/* The options of tables, in the same manner. */
const struct script_api_line *script_api_options(uint32_t *count);

enum script_verdict {
    SCRIPT_HELD,     /* exit 0 */
    SCRIPT_VIOLATED, /* exit 1 */
    SCRIPT_WRONG,    /* exit 2: the script itself is at fault. */
    SCRIPT_UNJUDGED  /* exit 3: the testbed failed, or gave up. */
};

struct script_metric {
    const char *name;
    double value; /* Rounded to 12 digits. */
};

struct script_sometimes {
    const char *name;
    bool was_true;
};

/* One run. Strings and arrays belong to the outcome until script_outcome_release. */
struct script_outcome {
    enum script_verdict verdict;
    struct check_violation violation; /* When violated. */
    char error[SCRIPT_TEXT_MAX];      /* When wrong or unjudged: file, line, what. */
    char digest[33];
    uint64_t events;
    uint64_t time_ns; /* Simulated. */
    struct sim_cost cost;
    uint64_t armed[CHECK_COUNT];
    int64_t lease_margin_ns; /* INT64_MAX: none measured. */
    uint32_t metric_count;
    uint32_t sometimes_count;
    uint32_t drawn_count;
    struct script_metric *metrics;
    struct script_sometimes *sometimes;
    struct sim_coverage *coverage; /* NULL: the run did not come so far. */
    struct script_param *drawn;    /* What param() answered, by name, in order of first use. */
};

struct script_tape;

struct script_run_options {
    uint64_t seed;
    uint32_t point; /* Of an experiment's grid. */
    const struct script_param *params;
    uint32_t param_count;
    struct sim_sink *sink;    /* NULL: nothing is recorded but the digest. */
    uint64_t until_ns;        /* Stop looking here; 0: never. */
    struct script_tape *tape; /* Initialised: takes down what the script does; NULL: nothing does. */
    const char *disks;        /* Leave the members' directories in this folder; NULL: no. */
    volatile uint64_t *steps; /* Counted up at each step of world or script, for a watchdog; may be NULL. */
};

/* Run one scenario on one seed. `worlds` keeps a world's memory from run to run:
 * point it to a NULL pointer first, give it to script_worlds_free last. */
struct script_worlds;
void script_run(const struct script_file *file, uint32_t number, const struct script_run_options *options,
                struct script_worlds **worlds, struct script_outcome *out);
/* From a signal's handler: the script's step under way has taken too long in real
 * time; the run ends as unjudged, naming its line, once Lua gets to run. */
void script_interrupt(void);
void script_worlds_free(struct script_worlds *worlds);
void script_outcome_release(struct script_outcome *outcome);

#endif
