/* What a campaign is to run: the scenarios found under its paths, and the seeds of
 * each; and the order of all that as one row of tasks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PLAN_H
#define SIM_CAMPAIGN_PLAN_H

#include "sim/script/script.h"

/* What is meant of the files. An experiment stands for every point of its grid, but in
 * a list. */
enum campaign_plan_kind {
    CAMPAIGN_SCENARIOS,
    CAMPAIGN_EXPERIMENTS,
    CAMPAIGN_BOTH,
    CAMPAIGN_LIST, /* Both, an experiment as one. */
};

struct campaign_plan_options {
    const char *const *paths; /* Files, and folders whose *.lua files are meant. */
    uint32_t path_count;
    const struct script_param *params;
    uint32_t param_count;
    const char *filter;   /* NULL, or a part of the scenario's name. */
    const char *scenario; /* NULL, or its whole name. */
    const char *tag;      /* NULL, or one of its tags. */
    const char *claim;    /* NULL, or one of its claims. */
    bool has_seeds;       /* Else each scenario's own number, from 1. */
    uint64_t seed_first;
    uint64_t seed_last;
    bool is_endless; /* Seeds go on (from 1 unless said) until somebody stops. */
    enum campaign_plan_kind kind;
    uint32_t shard;       /* From 1. */
    uint32_t shard_count; /* 0: all is ours. */
};

/* One scenario and its seeds, both ends included. */
struct campaign_unit {
    const struct script_file *file;
    const struct script_scenario *scenario; /* The file's, or the plan's: a point of a grid. */
    uint64_t seed_first;
    uint64_t seed_last;
    uint64_t start; /* Tasks of the units before, of all shards. */
};

/* Owns the files and points. Tasks go scenario by scenario, or seed by seed when endless. */
struct campaign_plan {
    struct script_file **files;
    size_t file_count;
    struct script_scenario **points;
    size_t point_count;
    struct campaign_unit *units;
    size_t unit_count;
    uint64_t task_count; /* Of this shard; UINT64_MAX when endless. */
    uint32_t shard;      /* From 0. */
    uint32_t shard_count;
    bool is_by_seed;
};

/* Read all files. false: `error` says what is wrong; nothing is to be released. */
bool campaign_plan_init(struct campaign_plan *plan, const struct campaign_plan_options *options,
                        char error[SCRIPT_TEXT_MAX]);
void campaign_plan_release(struct campaign_plan *plan);
/* The unit (its slot) and the seed that a task is. */
void campaign_plan_task(const struct campaign_plan *plan, uint64_t task, size_t *unit, uint64_t *seed);

#endif
