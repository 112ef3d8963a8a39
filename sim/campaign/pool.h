/* A pool of worker processes: tasks are numbered from 0, done in any order by
 * whoever is free, and their results handed over in the order of their numbers.
 * A worker that dies costs the task it was at and nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_POOL_H
#define SIM_CAMPAIGN_POOL_H

#include "core/base/bytes.h"

enum { CAMPAIGN_WORKERS_MAX = 1024, CAMPAIGN_WHY_MAX = 512, CAMPAIGN_STEP_SECONDS = 10 };

struct campaign_pool {
    void *context;
    uint32_t workers;
    uint64_t tasks; /* UINT64_MAX: until `may_begin` says no. */
    /* In a worker: do the task and append its result. It counts `steps` up as it
     * goes; without one for CAMPAIGN_STEP_SECONDS the worker ends itself. */
    void (*work)(void *context, uint64_t task, struct base_buffer *result);
    /* In a worker, from a signal's handler: a step takes too long. A grace of two
     * seconds is left for saying where. NULL: nothing to say. */
    void (*interrupt)(void);
    /* In the parent, in order: a result, borrowed. false: no more is wanted. */
    bool (*done)(void *context, uint64_t task, struct base_bytes result);
    /* In the parent, in order: its worker died over it; `why` in words. */
    bool (*lost)(void *context, uint64_t task, const char *why);
    /* In the parent: may further tasks begin? NULL: always. */
    bool (*may_begin)(void *context);
    /* In the parent, several times a second; NULL: never. `finished` tasks have
     * a result, whether handed over or not. */
    void (*idle)(void *context, uint64_t finished);
};

/* Run all of it. Answers the number of tasks that were handed over. */
uint64_t campaign_pool_run(const struct campaign_pool *pool);

/* Real time since some instant, for limits and progress; never for a run. */
uint64_t campaign_real_ns(void);
/* What this process has had of a processor, its system calls included: for benches,
 * which others on the machine may otherwise slow. */
uint64_t campaign_cpu_ns(void);

#endif
