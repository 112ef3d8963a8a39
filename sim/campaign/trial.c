/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/trial.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/worker.h"

#include <assert.h>
#include <stdlib.h>

struct round {
    struct campaign_trials *trials;
    campaign_trial_make make;
    void *context;
    size_t count;
    bool is_lenient;
    bool wants_all;
    size_t found; /* The first that breaks it; `count`: none yet. */
    size_t breaking;
    struct campaign_trial *out;
};

void campaign_trial_release(struct campaign_trial *trial)
{
    free(trial->refused);
    *trial = (struct campaign_trial){.time_ns = 0};
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

void campaign_trial_demand(const char *sentence, char out[CAMPAIGN_TRIAL_DEMAND])
{
    const char *at = strstr(sentence, ": "); /* Behind file and line. */
    size_t size = 0;
    at = at ? at + 2 : sentence;
    while (*at && size + 1 < CAMPAIGN_TRIAL_DEMAND) {
        const char *end = at;
        while (is_digit(*end) || (end > at && *end == '.' && is_digit(end[1]))) {
            end++;
        }
        out[size++] = end > at + 1 ? '#' : *at;
        at = end > at ? end : at + 1;
    }
    out[size] = '\0';
}

static bool breaks(const struct campaign_trials *trials, const struct script_outcome *outcome)
{
    char demand[CAMPAIGN_TRIAL_DEMAND];
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        if (strcmp(outcome->metrics[i].name, "late") == 0) {
            return false; /* It is the script that breaks what has just been healed. */
        }
    }
    if (outcome->verdict != SCRIPT_VIOLATED || outcome->violation.judge != trials->judge) {
        return false;
    }
    campaign_trial_demand(outcome->violation.sentence, demand);
    return trials->judge != CHECK_EXPECT || strcmp(demand, trials->demand) == 0;
}

/* --- in a worker --- */

static void put_outcome(const struct round *round, const struct script_outcome *outcome, uint64_t seed,
                        struct base_buffer *result)
{
    base_put_u8(result, breaks(round->trials, outcome));
    base_put_u64(result, seed);
    base_put_u64(result, outcome->violation.time_ns);
    base_put_bytes(result, base_bytes_of(outcome->violation.sentence));
    base_put_u32(result, round->is_lenient ? outcome->metric_count : 0);
    for (uint32_t i = 0; round->is_lenient && i < outcome->metric_count; i++) {
        base_put_u32(result, (uint32_t)strtoul(outcome->metrics[i].name, NULL, 10));
    }
}

static void work(void *context, uint64_t task, struct base_buffer *result)
{
    static struct script_worlds *worlds; /* The worker's, from trial to trial. */
    const struct round *round = context;
    struct campaign_schedule schedule;
    uint64_t seed = round->trials->seed;
    char error[SCRIPT_TEXT_MAX];
    if (!round->make(round->context, (size_t)task, &schedule, &seed)) {
        return;
    }
    struct base_buffer text = {0};
    base_buffer_init(&text, &campaign_memory);
    campaign_schedule_print(&schedule, "shrunk", round->is_lenient, &text);
    struct script_file *file = script_open_text("shrunk.lua", base_buffer_view(&text), error);
    if (file) {
        struct script_outcome outcome = {0};
        const struct script_run_options options = {.seed = seed,
                                                   .until_ns = schedule.end_ns + round->trials->slack_ns,
                                                   .steps = &campaign_worker_steps};
        script_run(file, 0, &options, &worlds, &outcome);
        put_outcome(round, &outcome, seed, result);
        script_outcome_release(&outcome);
        script_close(file);
    }
    base_buffer_release(&text);
    campaign_schedule_release(&schedule);
}

/* --- in the parent --- */

static bool done(void *context, uint64_t task, struct base_bytes result)
{
    struct round *round = context;
    struct base_reader reader;
    round->trials->run_count += result.size > 0;
    if (result.size == 0 || result.data[0] == 0) {
        return true;
    }
    round->breaking++;
    if (round->found == round->count && round->out) {
        struct campaign_trial *out = round->out;
        base_reader_init(&reader, result);
        (void)base_get_u8(&reader);
        out->seed = base_get_u64(&reader);
        out->time_ns = base_get_u64(&reader);
        struct base_bytes sentence = base_get_bytes(&reader);
        assert(sentence.size < sizeof out->sentence);
        memcpy(out->sentence, sentence.data, sentence.size);
        out->sentence[sentence.size] = '\0';
        out->refused_count = base_get_u32(&reader);
        out->refused = campaign_alloc((out->refused_count + 1) * sizeof out->refused[0]);
        for (uint32_t i = 0; i < out->refused_count; i++) {
            out->refused[i] = base_get_u32(&reader);
        }
        assert(!reader.failed);
    }
    round->found = (size_t)task < round->found ? (size_t)task : round->found;
    return round->wants_all;
}

/* The world ran into something that ended the process: no answer is an answer. */
static bool lost(void *context, uint64_t task, const char *why)
{
    struct round *round = context;
    (void)task;
    (void)why;
    round->trials->run_count++;
    return true;
}

static bool may_begin(void *context)
{
    const struct round *round = context;
    return campaign_real_ns() < round->trials->stop_ns;
}

static void run(struct round *round)
{
    struct campaign_pool pool = {.context = round,
                                 .workers = round->trials->jobs,
                                 .tasks = round->count,
                                 .work = work,
                                 .interrupt = script_interrupt,
                                 .done = done,
                                 .lost = lost,
                                 .may_begin = may_begin};
    round->found = round->count;
    if (round->count > 0) {
        uint64_t handed = campaign_pool_run(&pool);
        bool is_whole = handed == round->count || (round->found < round->count && !round->wants_all);
        round->trials->is_late = round->trials->is_late || !is_whole;
    }
}

size_t campaign_trial_first(struct campaign_trials *trials, size_t count, campaign_trial_make make,
                            void *context, bool is_lenient, struct campaign_trial *out)
{
    struct round round = {.trials = trials,
                          .make = make,
                          .context = context,
                          .count = count,
                          .is_lenient = is_lenient,
                          .out = out};
    run(&round);
    return round.found;
}

size_t campaign_trial_count(struct campaign_trials *trials, size_t count, campaign_trial_make make,
                            void *context, bool is_lenient)
{
    struct round round = {.trials = trials,
                          .make = make,
                          .context = context,
                          .count = count,
                          .is_lenient = is_lenient,
                          .wants_all = true};
    run(&round);
    return round.breaking;
}
