/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/plan.h"

#include "sim/campaign/claims.h"
#include "sim/campaign/files.h"
#include "sim/campaign/grid.h"
#include "sim/campaign/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static bool has_tag(const struct script_scenario *scenario, const char *tag)
{
    for (const char *const *at = scenario->tags; at && *at; at++) {
        if (strcmp(*at, tag) == 0) {
            return true;
        }
    }
    return false;
}

/* All of an experiment's points have its name, too. */
static bool has_name(const struct script_scenario *scenario, const struct script_scenario *whole,
                     const char *name)
{
    return strcmp(scenario->name, name) == 0 || strcmp(whole->name, name) == 0;
}

static bool is_kind_meant(const struct script_scenario *scenario, enum campaign_plan_kind kind)
{
    return kind == CAMPAIGN_BOTH || kind == CAMPAIGN_LIST ||
           scenario->is_experiment == (kind == CAMPAIGN_EXPERIMENTS);
}

static bool is_meant(const struct script_scenario *scenario, const struct script_scenario *whole,
                     const struct campaign_plan_options *options)
{
    return (!options->filter || strstr(scenario->name, options->filter)) &&
           (!options->scenario || has_name(scenario, whole, options->scenario)) &&
           (!options->tag || has_tag(scenario, options->tag)) &&
           (!options->claim || campaign_claim_is_carried(scenario, options->claim));
}

static void add_unit(struct campaign_plan *plan, const struct script_file *file,
                     const struct script_scenario *scenario, const struct campaign_plan_options *options)
{
    struct campaign_unit unit = {.file = file, .scenario = scenario, .seed_first = 1};
    unit.seed_last = options->is_endless ? UINT64_MAX : scenario->seeds;
    if (options->has_seeds) {
        unit.seed_first = options->seed_first;
        unit.seed_last = options->seed_last;
    }
    if (plan->unit_count > 0 && !options->is_endless) {
        const struct campaign_unit *before = &plan->units[plan->unit_count - 1];
        unit.start = before->start + (before->seed_last - before->seed_first + 1);
    }
    plan->units = campaign_grow(plan->units, plan->unit_count, sizeof unit);
    plan->units[plan->unit_count++] = unit;
}

/* A scenario, or the points of an experiment. */
static void add_scenario(struct campaign_plan *plan, const struct script_file *file, uint32_t number,
                         const struct campaign_plan_options *options)
{
    const struct script_scenario *whole = script_get(file, number);
    if (!is_kind_meant(whole, options->kind)) {
        return;
    }
    if (!whole->is_experiment || options->kind == CAMPAIGN_LIST) {
        if (is_meant(whole, whole, options)) {
            add_unit(plan, file, whole, options);
        }
        return;
    }
    for (uint32_t number_of_point = 0; number_of_point < whole->point_count; number_of_point++) {
        struct script_scenario *point = campaign_grid_scenario(whole, number_of_point);
        if (!is_meant(point, whole, options)) {
            campaign_grid_free(point);
            continue;
        }
        plan->points = campaign_grow(plan->points, plan->point_count, sizeof plan->points[0]);
        plan->points[plan->point_count++] = point;
        add_unit(plan, file, point, options);
    }
}

/* Open a file and take what is meant of it. */
static bool add_file(struct campaign_plan *plan, const char *path, bool is_named,
                     const struct campaign_plan_options *options, char error[SCRIPT_TEXT_MAX])
{
    struct script_file *file = script_open(path, options->params, options->param_count, error);
    if (!file) {
        return false;
    }
    plan->files = campaign_grow(plan->files, plan->file_count, sizeof plan->files[0]);
    plan->files[plan->file_count++] = file;
    if (is_named && script_count(file) == 0) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%s: found no scenario, expected at least one", path);
        return false;
    }
    for (uint32_t i = 0; i < script_count(file); i++) {
        add_scenario(plan, file, i, options);
    }
    return true;
}

static uint64_t count_tasks(const struct campaign_plan *plan, bool is_endless)
{
    const struct campaign_unit *last = &plan->units[plan->unit_count - 1];
    if (is_endless) {
        return UINT64_MAX;
    }
    uint64_t seeds = last->seed_last - last->seed_first + 1;
    uint64_t all = plan->is_by_seed ? seeds * plan->unit_count : last->start + seeds;
    return all > plan->shard ? (all - plan->shard - 1) / plan->shard_count + 1 : 0;
}

static bool has_any(const struct campaign_plan *plan)
{
    for (size_t i = 0; i < plan->file_count; i++) {
        if (script_count(plan->files[i]) > 0) {
            return true;
        }
    }
    return false;
}

/* Why nothing is left to run, in a sentence. */
static void explain_nothing(const struct campaign_plan *plan, const struct campaign_plan_options *options,
                            char error[SCRIPT_TEXT_MAX])
{
    const struct {
        const char *kind;
        const char *value;
    } said[] = {{"--scenario", options->scenario},
                {"--filter", options->filter},
                {"--tag", options->tag},
                {"--claim", options->claim}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (said[i].value) {
            (void)snprintf(error, SCRIPT_TEXT_MAX, "%s: found no scenario that fits \"%s\"", said[i].kind,
                           said[i].value);
            return;
        }
    }
    bool wants_experiments = options->kind == CAMPAIGN_EXPERIMENTS;
    const char *hint = !has_any(plan)      ? ""
                       : wants_experiments ? ", only scenarios: faultline run runs them"
                                           : ", only experiments: faultline sweep runs them";
    (void)snprintf(error, SCRIPT_TEXT_MAX, "found no %s under the paths given%s",
                   wants_experiments ? "experiment" : "scenario", hint);
}

bool campaign_plan_init(struct campaign_plan *plan, const struct campaign_plan_options *options,
                        char error[SCRIPT_TEXT_MAX])
{
    *plan = (struct campaign_plan){.is_by_seed = options->is_endless, .shard_count = 1};
    if (options->shard_count > 0) {
        assert(options->shard >= 1 && options->shard <= options->shard_count);
        plan->shard = options->shard - 1;
        plan->shard_count = options->shard_count;
    }
    struct campaign_files files;
    const char *missing = campaign_files_init(&files, options->paths, options->path_count);
    if (missing) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%s: no such file or folder", missing);
        return false;
    }
    bool is_good = true;
    for (size_t i = 0; is_good && i < files.count; i++) {
        is_good = add_file(plan, files.paths[i], files.is_named[i], options, error);
    }
    campaign_files_release(&files);
    if (is_good && plan->unit_count == 0) {
        explain_nothing(plan, options, error);
        is_good = false;
    }
    if (!is_good) {
        campaign_plan_release(plan);
        return false;
    }
    plan->task_count = count_tasks(plan, options->is_endless && !options->has_seeds);
    return true;
}

void campaign_plan_release(struct campaign_plan *plan)
{
    for (size_t i = 0; i < plan->file_count; i++) {
        script_close(plan->files[i]);
    }
    for (size_t i = 0; i < plan->point_count; i++) {
        campaign_grid_free(plan->points[i]);
    }
    free(plan->files);
    free(plan->points);
    free(plan->units);
    *plan = (struct campaign_plan){0};
}

void campaign_plan_task(const struct campaign_plan *plan, uint64_t task, size_t *unit, uint64_t *seed)
{
    assert(task < plan->task_count);
    uint64_t number = task * plan->shard_count + plan->shard;
    if (plan->is_by_seed) {
        *unit = (size_t)(number % plan->unit_count);
        *seed = plan->units[*unit].seed_first + number / plan->unit_count;
        return;
    }
    size_t low = 0;
    size_t high = plan->unit_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (plan->units[middle].start <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *unit = low;
    *seed = plan->units[low].seed_first + (number - plan->units[low].start);
    assert(*seed <= plan->units[low].seed_last);
}
