/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/pool.h"
#include "sim/campaign/worker.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What was handed over, and what is to happen on the way. */
struct seen {
    uint64_t next; /* The task expected next. */
    uint64_t lost;
    uint64_t stop_at;  /* Want no more after this one. */
    uint64_t crash_at; /* The worker dies over every task that this divides; 0 none. */
    bool is_out_of_order;
    bool is_false; /* A result was another's. */
    char why[CAMPAIGN_WHY_MAX];
};

static void work(void *context, uint64_t task, struct base_buffer *result)
{
    const struct seen *seen = context;
    struct timespec pause = {.tv_nsec = (long)(task * 7919 % 13) * 100000};
    (void)nanosleep(&pause, NULL);
    if (seen->crash_at != 0 && task % seen->crash_at == 3) {
        fprintf(stderr, "task %d is bad\n", (int)task);
        abort();
    }
    for (uint64_t i = 0; i <= task % 5; i++) {
        base_put_u64(result, task * task);
    }
}

static bool count(struct seen *seen, uint64_t task)
{
    seen->is_out_of_order = seen->is_out_of_order || task != seen->next;
    seen->next = task + 1;
    return task != seen->stop_at;
}

static bool done(void *context, uint64_t task, struct base_bytes result)
{
    struct seen *seen = context;
    struct base_reader reader;
    base_reader_init(&reader, result);
    bool is_right = result.size == 8 * (task % 5 + 1) && base_get_u64(&reader) == task * task;
    seen->is_false = seen->is_false || !is_right;
    return count(seen, task);
}

static bool lost(void *context, uint64_t task, const char *why)
{
    struct seen *seen = context;
    seen->lost++;
    (void)snprintf(seen->why, sizeof seen->why, "%s", why);
    return count(seen, task);
}

static uint64_t run(struct seen *seen, uint32_t workers, uint64_t tasks)
{
    struct campaign_pool pool = {
        .context = seen, .workers = workers, .tasks = tasks, .work = work, .done = done, .lost = lost};
    return campaign_pool_run(&pool);
}

Test(campaign_pool, results_come_in_order_whoever_made_them)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    cr_assert_eq(run(&seen, 5, 500), 500);
    cr_assert_not(seen.is_out_of_order);
    cr_assert_not(seen.is_false);
}

Test(campaign_pool, more_workers_than_tasks_do_no_harm)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    cr_assert_eq(run(&seen, 16, 3), 3);
    cr_assert_not(seen.is_false);
}

Test(campaign_pool, a_worker_that_dies_costs_one_task)
{
    struct seen seen = {.stop_at = UINT64_MAX, .crash_at = 40};
    cr_assert_eq(run(&seen, 3, 200), 200);
    cr_assert_eq(seen.lost, 5);
    cr_assert_not(seen.is_out_of_order);
    cr_assert_not(seen.is_false);
    cr_assert_str_eq(seen.why, "the worker died of signal 6: task 163 is bad");
}

Test(campaign_pool, stops_where_it_is_told)
{
    struct seen seen = {.stop_at = 77};
    cr_assert_eq(run(&seen, 4, 100000), 78);
    cr_assert_eq(seen.next, 78);
}

static bool may_begin(void *context)
{
    const struct seen *seen = context;
    return seen->next < 50;
}

Test(campaign_pool, without_end_until_nothing_may_begin)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct campaign_pool pool = {.context = &seen,
                                 .workers = 2,
                                 .tasks = UINT64_MAX,
                                 .work = work,
                                 .done = done,
                                 .lost = lost,
                                 .may_begin = may_begin};
    uint64_t handed = campaign_pool_run(&pool);
    cr_assert_geq(handed, 50);
    cr_assert_not(seen.is_out_of_order);
}

static void hang(void *context, uint64_t task, struct base_buffer *result)
{
    (void)context;
    (void)result;
    while (task == 1) {
        (void)pause();
    }
}

static bool ignore(void *context, uint64_t task, struct base_bytes result)
{
    (void)context;
    (void)task;
    (void)result;
    return true;
}

Test(campaign_pool, a_worker_that_hangs_is_ended, .timeout = 30)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct campaign_pool pool = {
        .context = &seen, .workers = 2, .tasks = 4, .work = hang, .done = ignore, .lost = lost};
    cr_assert_eq(campaign_pool_run(&pool), 4);
    cr_assert_eq(seen.lost, 1);
    cr_assert_str_eq(seen.why, "no step in 10 s of real time");
}
