/* One worker process: two pipes to its parent, and a watch over its own pace. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_WORKER_H
#define SIM_CAMPAIGN_WORKER_H

#include "sim/campaign/pool.h"

#include <stdio.h>
#include <sys/types.h>

/* As the parent sees it. Tasks `first` to `first + count` are its; results come in
 * that order, so the one it is at is `first + finished`. */
struct campaign_worker {
    pid_t pid; /* 0: no process. */
    int orders;
    int results;
    FILE *complaints; /* What it writes to standard error. */
    uint64_t first;
    uint64_t count;
    uint64_t finished;
    struct base_buffer input; /* Results not yet complete. */
    uint64_t given_ns;        /* Real time. */
};

/* Start a process. `others` are closed in it. */
void campaign_worker_start(struct campaign_worker *worker, const struct campaign_pool *pool,
                           const struct campaign_worker *others, uint32_t other_count);
/* Give it tasks; it has none. false: it is gone. */
bool campaign_worker_order(struct campaign_worker *worker, uint64_t first, uint64_t count);
/* Read what it has written, without waiting when asked for after poll(). false: it is gone. */
bool campaign_worker_read(struct campaign_worker *worker);
/* The next complete result in its input from `*at` on; moves `*at` past it. */
bool campaign_worker_next(const struct campaign_worker *worker, size_t *at, struct base_bytes *result);
/* Drop the first `size` bytes of its input. */
void campaign_worker_consume(struct campaign_worker *worker, size_t size);
/* End it (it may be gone already) and say why it ended. */
void campaign_worker_end(struct campaign_worker *worker, bool kill_it, char why[CAMPAIGN_WHY_MAX]);

/* Counted up by the task under way; see struct campaign_pool. */
extern volatile uint64_t campaign_worker_steps;

#endif
