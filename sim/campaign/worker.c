/* The orders pipe carries pairs of words, (first, count); the results pipe, for each
 * task in order, a length and so many bytes. Both words are little-endian. A worker
 * ends when its orders do. Its SIGALRM comes once a second and compares the count
 * of steps with what it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/worker.h"

#include "sim/campaign/memory.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_HUNG = 86, GRACE_SECONDS = 2, READ_SIZE = 65536 };

volatile uint64_t campaign_worker_steps;

/* The handler's own; a worker is a process of its own. */
static void (*watch_interrupt)(void);
static volatile uint64_t watch_steps;
static volatile sig_atomic_t watch_seconds;

static void on_alarm(int signal)
{
    (void)signal;
    if (watch_steps != campaign_worker_steps) {
        watch_steps = campaign_worker_steps;
        watch_seconds = 0;
    } else {
        watch_seconds++;
    }
    if (watch_seconds == CAMPAIGN_STEP_SECONDS && watch_interrupt) {
        watch_interrupt();
    }
    if (watch_seconds >= CAMPAIGN_STEP_SECONDS + (watch_interrupt ? GRACE_SECONDS : 0)) {
        _exit(EXIT_HUNG);
    }
    (void)alarm(1);
}

static void watch(const struct campaign_pool *pool)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    watch_interrupt = pool->interrupt;
    (void)sigaction(SIGALRM, &action, NULL);
}

static bool write_all(int file, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool read_all(int file, uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t got = read(file, data, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        data += got;
        size -= (size_t)got;
    }
    return true;
}

/* A worker's life. */
static void serve(const struct campaign_pool *pool, int orders, int results)
{
    struct base_buffer result = {0};
    base_buffer_init(&result, &campaign_memory);
    uint8_t order[16];
    watch(pool);
    while (read_all(orders, order, sizeof order)) {
        uint64_t first = base_load_u64(order);
        uint64_t count = base_load_u64(order + 8);
        for (uint64_t task = first; task < first + count; task++) {
            base_buffer_reset(&result);
            base_put_u64(&result, 0);
            watch_seconds = 0;
            (void)alarm(1);
            pool->work(pool->context, task, &result);
            (void)alarm(0);
            base_store_u64(result.data, result.size - 8);
            if (!write_all(results, result.data, result.size)) {
                _exit(0);
            }
        }
    }
    _exit(0);
}

static void close_others(const struct campaign_worker *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (others[i].pid != 0) {
            (void)close(others[i].orders);
            (void)close(others[i].results);
        }
    }
}

void campaign_worker_start(struct campaign_worker *worker, const struct campaign_pool *pool,
                           const struct campaign_worker *others, uint32_t other_count)
{
    assert(worker->pid == 0);
    int orders[2];
    int results[2];
    FILE *complaints = tmpfile();
    if (!complaints || pipe(orders) != 0 || pipe(results) != 0) {
        abort();
    }
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        abort();
    }
    if (pid == 0) {
        close_others(others, other_count);
        (void)close(orders[1]);
        (void)close(results[0]);
        (void)dup2(fileno(complaints), STDERR_FILENO);
        serve(pool, orders[0], results[1]);
    }
    (void)close(orders[0]);
    (void)close(results[1]);
    *worker = (struct campaign_worker){.pid = pid,
                                       .orders = orders[1],
                                       .results = results[0],
                                       .complaints = complaints};
    base_buffer_init(&worker->input, &campaign_memory);
}

bool campaign_worker_order(struct campaign_worker *worker, uint64_t first, uint64_t count)
{
    assert(worker->count == worker->finished);
    assert(count > 0);
    uint8_t order[16];
    base_store_u64(order, first);
    base_store_u64(order + 8, count);
    worker->first = first;
    worker->count = count;
    worker->finished = 0;
    worker->given_ns = campaign_real_ns();
    return write_all(worker->orders, order, sizeof order);
}

bool campaign_worker_read(struct campaign_worker *worker)
{
    size_t size = worker->input.size;
    uint8_t *at = base_buffer_extend(&worker->input, READ_SIZE);
    ssize_t got = read(worker->results, at, READ_SIZE);
    worker->input.size = size + (got > 0 ? (size_t)got : 0);
    return got > 0 || (got < 0 && errno == EINTR);
}

bool campaign_worker_next(const struct campaign_worker *worker, size_t *at, struct base_bytes *result)
{
    const struct base_buffer *input = &worker->input;
    if (input->size - *at < 8) {
        return false;
    }
    uint64_t size = base_load_u64(input->data + *at);
    if (input->size - *at - 8 < size) {
        return false;
    }
    *result = (struct base_bytes){.data = input->data + *at + 8, .size = size};
    *at += 8 + size;
    return true;
}

void campaign_worker_consume(struct campaign_worker *worker, size_t size)
{
    struct base_buffer *input = &worker->input;
    assert(size <= input->size);
    memmove(input->data, input->data + size, input->size - size);
    input->size -= size;
}

/* The last line a worker complained with, without its end; "" when it said nothing. */
static void last_complaint(FILE *complaints, char *out, size_t size)
{
    out[0] = '\0';
    char line[CAMPAIGN_WHY_MAX / 2 - 8];
    rewind(complaints);
    while (fgets(line, sizeof line, complaints)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0') {
            (void)snprintf(out, size, ": %s", line);
        }
    }
}

void campaign_worker_end(struct campaign_worker *worker, bool kill_it, char why[CAMPAIGN_WHY_MAX])
{
    assert(worker->pid != 0);
    int status = 0;
    if (kill_it) {
        (void)kill(worker->pid, SIGKILL);
    }
    (void)close(worker->orders);
    (void)close(worker->results);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    char complaint[CAMPAIGN_WHY_MAX / 2];
    last_complaint(worker->complaints, complaint, sizeof complaint);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HUNG) {
        (void)snprintf(why, CAMPAIGN_WHY_MAX, "no step in %d s of real time%s", CAMPAIGN_STEP_SECONDS,
                       complaint);
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(why, CAMPAIGN_WHY_MAX, "the worker died of signal %d%s", WTERMSIG(status), complaint);
    } else {
        (void)snprintf(why, CAMPAIGN_WHY_MAX, "the worker ended with status %d%s", WEXITSTATUS(status),
                       complaint);
    }
    (void)fclose(worker->complaints);
    base_buffer_release(&worker->input);
    *worker = (struct campaign_worker){0};
}
