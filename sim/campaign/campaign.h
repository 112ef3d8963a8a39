/* A campaign: scenarios on many seeds, in several processes, judged together. What
 * it finds depends on the seeds and on nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_CAMPAIGN_H
#define SIM_CAMPAIGN_CAMPAIGN_H

#include "sim/campaign/demand.h"
#include "sim/campaign/plan.h"
#include "sim/campaign/tally.h"

struct campaign;

struct campaign_options {
    struct campaign_plan_options plan;
    uint32_t jobs;    /* Worker processes. */
    uint64_t time_ns; /* No seed begins after so much real time; 0: no limit. */
    bool verify;      /* Run each seed twice and compare. */
    bool fail_fast;   /* Stop at the first run that does not hold. */
    bool with_events; /* Look at failures again to show what led to them. */
    void *context;
    /* A run was tallied, lost ones with an outcome that says so; in order. NULL: nobody
     * asks. */
    void (*run_done)(void *context, const struct campaign_unit *unit, uint64_t seed,
                     const struct campaign_result *result);
    /* A scenario is done and its tally closed; in order. NULL: nobody asks. */
    void (*scenario_done)(void *context, const struct campaign *campaign, const struct campaign_tally *tally);
    /* Several times a second. NULL: never. */
    void (*progress)(void *context, const struct campaign *campaign);
};

/* How it stands, and in the end what came of it. */
struct campaign {
    const struct campaign_options *options;
    struct campaign_plan plan;
    struct campaign_tally *tallies; /* One for each unit of the plan, in its order. */
    size_t tally_count;
    size_t closed;     /* Tallies below are closed. */
    uint64_t finished; /* Runs with a result, tallied or not. */
    uint64_t tallied;  /* Runs in the tallies. */
    uint64_t failures; /* Of these, not held. */
    uint64_t time_ns;  /* Simulated, of the tallied runs. */
    uint64_t began_ns; /* Real time. */
    uint64_t took_ns;
};

/* false: `error` says why the plan is none. Else release it afterwards. */
bool campaign_run(struct campaign *campaign, const struct campaign_options *options,
                  char error[SCRIPT_TEXT_MAX]);
void campaign_release(struct campaign *campaign);
/* 0 all held, 1 something was violated, 2 a script is wrong, 3 not judged. */
int campaign_exit_status(const struct campaign *campaign);

#endif
