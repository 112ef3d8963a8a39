/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/pool.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/worker.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* How far the newest task may be ahead of the oldest unfinished one, and how much
 * work one order should hold. */
enum { WINDOW_MAX = 1 << 16, CHUNK_MAX = 256, CHUNK_NS = 100000000, IDLE_MS = 200 };

/* A finished task that waits for those before it. */
struct slot {
    bool is_finished;
    bool is_lost;
    uint8_t *data;
    size_t size;
};

struct run {
    const struct campaign_pool *pool;
    struct campaign_worker *workers;
    struct slot *slots; /* A ring of WINDOW_MAX, by task. */
    uint64_t next;      /* The first task that nobody was given. */
    uint64_t handed;    /* Tasks below were handed over; handed <= next. */
    uint64_t finished;  /* Tasks with a result. */
    uint64_t work_ns;   /* Real time the workers spent on `worked` tasks. */
    uint64_t worked;
    uint64_t *orphans; /* Tasks whose worker died before it came to them. */
    size_t orphan_count;
    bool is_over; /* No more is wanted. */
};

uint64_t campaign_real_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t campaign_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void check(const struct run *run)
{
    assert(run->handed <= run->next);
    assert(run->next <= run->pool->tasks);
    assert(run->next - run->handed <= WINDOW_MAX);
}

/* How many tasks the next order holds: some 100 ms of work, and towards the end
 * few enough that everybody has some. */
static uint64_t chunk(const struct run *run)
{
    uint64_t mean_ns = run->worked == 0 ? CHUNK_NS : run->work_ns / run->worked + 1;
    uint64_t count = CHUNK_NS / mean_ns;
    uint64_t left = run->pool->tasks - run->next;
    uint64_t fair = left / (2 * (uint64_t)run->pool->workers);
    uint64_t room = WINDOW_MAX - (run->next - run->handed);
    count = count > CHUNK_MAX ? CHUNK_MAX : count;
    count = count > fair ? fair : count;
    count = count == 0 ? 1 : count;
    count = count > left ? left : count;
    return count > room ? room : count;
}

/* Give an idle worker something to do. false: there is nothing now. */
static bool order(struct run *run, struct campaign_worker *worker)
{
    const struct campaign_pool *pool = run->pool;
    if (run->orphan_count > 0) {
        return campaign_worker_order(worker, run->orphans[--run->orphan_count], 1);
    }
    if (run->next == pool->tasks || (pool->may_begin && !pool->may_begin(pool->context))) {
        return false;
    }
    uint64_t count = chunk(run);
    if (count == 0) {
        return false;
    }
    uint64_t first = run->next;
    run->next += count;
    check(run);
    return campaign_worker_order(worker, first, count);
}

static void finish(struct run *run, uint64_t task, const uint8_t *data, size_t size, bool is_lost)
{
    struct slot *slot = &run->slots[task % WINDOW_MAX];
    assert(!slot->is_finished);
    *slot =
        (struct slot){.is_finished = true, .is_lost = is_lost, .data = campaign_alloc(size), .size = size};
    if (size > 0) {
        memcpy(slot->data, data, size);
    }
    run->finished++;
}

/* Hand over what is finished and has nothing unfinished before it. */
static void hand_over(struct run *run)
{
    const struct campaign_pool *pool = run->pool;
    while (!run->is_over && run->handed < run->next && run->slots[run->handed % WINDOW_MAX].is_finished) {
        struct slot slot = run->slots[run->handed % WINDOW_MAX];
        run->slots[run->handed % WINDOW_MAX] = (struct slot){0};
        uint64_t task = run->handed++;
        bool goes_on;
        if (slot.is_lost) {
            goes_on = pool->lost(pool->context, task, (const char *)slot.data);
        } else {
            goes_on =
                pool->done(pool->context, task, (struct base_bytes){.data = slot.data, .size = slot.size});
        }
        free(slot.data);
        run->is_over = !goes_on;
    }
    check(run);
}

/* Its task is lost; what it was still to do others do. */
static void bury(struct run *run, struct campaign_worker *worker)
{
    uint64_t task = worker->first + worker->finished;
    uint64_t left = worker->count - worker->finished;
    char why[CAMPAIGN_WHY_MAX];
    campaign_worker_end(worker, false, why);
    if (left > 0) {
        finish(run, task, (const uint8_t *)why, strlen(why) + 1, true);
    }
    for (uint64_t i = left; i > 1; i--) {
        run->orphans = campaign_grow(run->orphans, run->orphan_count, sizeof run->orphans[0]);
        run->orphans[run->orphan_count++] = task + i - 1;
    }
}

static void collect(struct run *run, struct campaign_worker *worker)
{
    bool is_alive = campaign_worker_read(worker);
    struct base_bytes result = {0};
    size_t at = 0;
    while (campaign_worker_next(worker, &at, &result)) {
        assert(worker->finished < worker->count);
        finish(run, worker->first + worker->finished, result.data, result.size, false);
        worker->finished++;
    }
    campaign_worker_consume(worker, at);
    if (worker->finished == worker->count && at > 0) {
        run->work_ns += campaign_real_ns() - worker->given_ns;
        run->worked += worker->count;
    }
    if (!is_alive) {
        bury(run, worker);
    }
}

static uint32_t busy_count(const struct run *run)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->pool->workers; i++) {
        count += run->workers[i].pid != 0 && run->workers[i].finished < run->workers[i].count;
    }
    return count;
}

/* Every idle worker gets an order; a process is started when there is one to give. */
static void distribute(struct run *run)
{
    const struct campaign_pool *pool = run->pool;
    for (uint32_t i = 0; i < pool->workers; i++) {
        struct campaign_worker *worker = &run->workers[i];
        bool has_work = run->orphan_count > 0 || run->next < pool->tasks;
        if (worker->pid == 0 && has_work) {
            campaign_worker_start(worker, pool, run->workers, pool->workers);
        }
        if (worker->pid != 0 && worker->finished == worker->count && !order(run, worker) &&
            worker->finished < worker->count) {
            bury(run, worker);
        }
    }
}

static void wait_for_results(struct run *run, struct pollfd *polls)
{
    uint32_t workers = run->pool->workers;
    for (uint32_t i = 0; i < workers; i++) {
        bool is_alive = run->workers[i].pid != 0;
        polls[i] = (struct pollfd){.fd = is_alive ? run->workers[i].results : -1, .events = POLLIN};
    }
    if (poll(polls, workers, IDLE_MS) <= 0) {
        return;
    }
    for (uint32_t i = 0; i < workers; i++) {
        if (polls[i].revents != 0) {
            collect(run, &run->workers[i]);
        }
    }
}

static void release(struct run *run)
{
    char why[CAMPAIGN_WHY_MAX];
    for (uint32_t i = 0; i < run->pool->workers; i++) {
        struct campaign_worker *worker = &run->workers[i];
        if (worker->pid != 0) {
            campaign_worker_end(worker, worker->finished < worker->count, why);
        }
    }
    for (uint64_t task = run->handed; task < run->next; task++) {
        free(run->slots[task % WINDOW_MAX].data);
    }
    free(run->slots);
    free(run->orphans);
    free(run->workers);
}

uint64_t campaign_pool_run(const struct campaign_pool *pool)
{
    assert(pool->workers > 0 && pool->workers <= CAMPAIGN_WORKERS_MAX);
    struct run run = {.pool = pool};
    run.workers = campaign_alloc(pool->workers * sizeof run.workers[0]);
    run.slots = campaign_alloc(WINDOW_MAX * sizeof run.slots[0]);
    struct pollfd *polls = campaign_alloc(pool->workers * sizeof polls[0]);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    (void)sigaction(SIGPIPE, &ignore, &before);
    while (!run.is_over) {
        distribute(&run);
        if (busy_count(&run) == 0) {
            hand_over(&run);
            break;
        }
        wait_for_results(&run, polls);
        hand_over(&run);
        if (pool->idle) {
            pool->idle(pool->context, run.finished);
        }
    }
    release(&run);
    (void)sigaction(SIGPIPE, &before, NULL);
    free(polls);
    return run.handed;
}
