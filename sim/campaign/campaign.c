/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/campaign.h"

#include "sim/campaign/look.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/worker.h"
#include "sim/heap.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORKER_BYTES_MAX = 256 << 20 };

/* A worker's world, kept from seed to seed. */
static struct script_worlds *worker_worlds;

/* One large world leaves more behind than all others need: begin anew after it. */
static void let_go_of_much(void)
{
    if (campaign_memory_resident() > WORKER_BYTES_MAX) {
        script_worlds_free(worker_worlds);
        worker_worlds = NULL;
        sim_heap_trim();
    }
}

static void run_task(void *context, uint64_t task, struct base_buffer *result)
{
    const struct campaign *campaign = context;
    const struct campaign_plan_options *plan = &campaign->options->plan;
    size_t unit = 0;
    struct script_run_options options = {.params = plan->params,
                                         .param_count = plan->param_count,
                                         .steps = &campaign_worker_steps};
    campaign_plan_task(&campaign->plan, task, &unit, &options.seed);
    const struct campaign_unit *at = &campaign->plan.units[unit];
    options.point = at->scenario->point;
    struct script_outcome outcome = {0};
    struct script_outcome again = {0};
    script_run(at->file, at->scenario->number, &options, &worker_worlds, &outcome);
    if (campaign->options->verify) {
        script_run(at->file, at->scenario->number, &options, &worker_worlds, &again);
    }
    campaign_result_put(result, &outcome, again.digest);
    script_outcome_release(&outcome);
    if (campaign->options->verify) {
        script_outcome_release(&again);
    }
    let_go_of_much();
}

/* All that is asked of a scenario's seeds can be judged now. */
static void close_tally(struct campaign *campaign)
{
    const struct campaign_options *options = campaign->options;
    struct campaign_tally *tally = &campaign->tallies[campaign->closed++];
    campaign_tally_close(tally);
    if (options->with_events) {
        struct campaign_look look = {.params = options->plan.params,
                                     .param_count = options->plan.param_count,
                                     .jobs = options->jobs};
        campaign_look_again(&look, tally);
    }
    if (options->scenario_done) {
        options->scenario_done(options->context, campaign, tally);
    }
}

/* The tally that a task belongs to; scenarios before it are done with when tasks
 * go scenario by scenario. */
static struct campaign_tally *tally_of(struct campaign *campaign, uint64_t task, uint64_t *seed)
{
    size_t unit = 0;
    campaign_plan_task(&campaign->plan, task, &unit, seed);
    while (!campaign->plan.is_by_seed && campaign->closed < unit) {
        close_tally(campaign);
    }
    return &campaign->tallies[unit];
}

static bool tally_run(struct campaign *campaign, bool is_good)
{
    campaign->tallied++;
    campaign->failures += !is_good;
    return is_good || !campaign->options->fail_fast;
}

static void tell(const struct campaign *campaign, const struct campaign_tally *tally, uint64_t seed,
                 const struct campaign_result *result)
{
    const struct campaign_options *options = campaign->options;
    if (options->run_done) {
        options->run_done(options->context, &campaign->plan.units[tally - campaign->tallies], seed, result);
    }
}

static bool take_result(void *context, uint64_t task, struct base_bytes bytes)
{
    struct campaign *campaign = context;
    uint64_t seed = 0;
    struct campaign_tally *tally = tally_of(campaign, task, &seed);
    struct campaign_result result;
    campaign_result_get(&result, bytes);
    bool is_good = campaign_tally_add(tally, seed, &result);
    campaign->time_ns += result.outcome.time_ns;
    tell(campaign, tally, seed, &result);
    campaign_result_release(&result);
    return tally_run(campaign, is_good);
}

static bool take_loss(void *context, uint64_t task, const char *why)
{
    struct campaign *campaign = context;
    uint64_t seed = 0;
    struct campaign_tally *tally = tally_of(campaign, task, &seed);
    struct campaign_result result = {.outcome = {.verdict = SCRIPT_UNJUDGED, .lease_margin_ns = INT64_MAX}};
    (void)snprintf(result.outcome.error, sizeof result.outcome.error, "%s", why);
    (void)campaign_tally_add(tally, seed, &result);
    tell(campaign, tally, seed, &result);
    return tally_run(campaign, false);
}

static bool has_time(void *context)
{
    const struct campaign *campaign = context;
    return campaign_real_ns() - campaign->began_ns < campaign->options->time_ns;
}

static void look_around(void *context, uint64_t finished)
{
    struct campaign *campaign = context;
    campaign->finished = finished;
    campaign->options->progress(campaign->options->context, campaign);
}

bool campaign_run(struct campaign *campaign, const struct campaign_options *options,
                  char error[SCRIPT_TEXT_MAX])
{
    *campaign = (struct campaign){.options = options};
    if (!campaign_plan_init(&campaign->plan, &options->plan, error)) {
        return false;
    }
    campaign->tally_count = campaign->plan.unit_count;
    campaign->tallies = campaign_alloc(campaign->tally_count * sizeof campaign->tallies[0]);
    for (size_t i = 0; i < campaign->tally_count; i++) {
        campaign_tally_init(&campaign->tallies[i], &campaign->plan.units[i]);
    }
    campaign->began_ns = campaign_real_ns();
    bool is_small = campaign->plan.task_count < options->jobs;
    struct campaign_pool pool = {.context = campaign,
                                 .workers = is_small ? (uint32_t)campaign->plan.task_count : options->jobs,
                                 .tasks = campaign->plan.task_count,
                                 .work = run_task,
                                 .interrupt = script_interrupt,
                                 .done = take_result,
                                 .lost = take_loss,
                                 .may_begin = options->time_ns > 0 ? has_time : NULL,
                                 .idle = options->progress ? look_around : NULL};
    if (pool.workers > 0) {
        (void)campaign_pool_run(&pool);
    }
    while (campaign->closed < campaign->tally_count) {
        close_tally(campaign);
    }
    campaign->took_ns = campaign_real_ns() - campaign->began_ns;
    return true;
}

void campaign_release(struct campaign *campaign)
{
    for (size_t i = 0; i < campaign->tally_count; i++) {
        campaign_tally_release(&campaign->tallies[i]);
    }
    free(campaign->tallies);
    campaign_plan_release(&campaign->plan);
    *campaign = (struct campaign){0};
}

int campaign_exit_status(const struct campaign *campaign)
{
    bool is_violated = false;
    bool is_wrong = false;
    bool is_unjudged = false;
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        is_violated = is_violated || tally->violated > 0 || campaign_demand_fails(tally);
        is_wrong = is_wrong || tally->wrong > 0;
        is_unjudged = is_unjudged || tally->unjudged > 0 || tally->parted > 0;
    }
    return is_violated ? 1 : is_wrong ? 2 : is_unjudged ? 3 : 0;
}
