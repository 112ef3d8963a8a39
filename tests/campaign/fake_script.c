/* A script layer without scripts: a file has a line for each scenario,
 *
 *     name | seeds | what happens
 *
 * where what happens is a row of words: "violate 7" breaks a promise on every seed
 * that 7 divides, and so on below. Stands in for sim/script, so that campaigns and
 * reports can be tested for what no cluster does on demand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/memory.h"
#include "sim/script/script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCENARIOS_MAX = 8 };

struct script_file {
    struct script_scenario scenarios[SCENARIOS_MAX];
    char names[SCENARIOS_MAX][64];
    char words[SCENARIOS_MAX][128];
    struct script_expect expects[SCENARIOS_MAX];
    uint32_t count;
    char *path;
};

static const char *const shows[] = {"election", NULL};
static const char *const claims[] = {"leader.elected", NULL};
static const char *const measures[] = {"leader.elected value", NULL};
static const char *const tags[] = {"fake", NULL};

/* The number behind a word; 0 when the word is not there. */
static uint64_t number_behind(const char *words, const char *word)
{
    const char *at = strstr(words, word);
    return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

static bool hits(const char *words, const char *word, uint64_t seed)
{
    uint64_t every = number_behind(words, word);
    return every != 0 && seed % every == 0;
}

static void add(struct script_file *file, const char *line, uint32_t number)
{
    uint32_t slot = file->count++;
    unsigned long long seeds = 0;
    if (sscanf(line, "%63[^|]|%llu|%127[^\n]", file->names[slot], &seeds, file->words[slot]) != 3) {
        abort();
    }
    file->expects[slot] = (struct script_expect){
        .stat = "median", .of = "value", .near = NAN, .within = NAN, .min = NAN, .max = NAN};
    file->expects[slot].max = (double)number_behind(file->words[slot], "expect ");
    file->scenarios[slot] = (struct script_scenario){
        .name = file->names[slot],
        .file = file->path,
        .line = number,
        .number = slot,
        .seeds = seeds,
        .tags = tags,
        .claims = claims,
        .measures = measures,
        .note = "not <b>quite</b>",
        .shows = strstr(file->words[slot], "shows") ? shows : NULL,
        .expects = &file->expects[slot],
        .expect_count = strstr(file->words[slot], "expect ") ? 1 : 0,
    };
}

struct script_file *script_open(const char *path, const struct script_param *params, uint32_t param_count,
                                char error[SCRIPT_TEXT_MAX])
{
    (void)params;
    (void)param_count;
    FILE *in = fopen(path, "r");
    char line[256];
    if (!in) {
        (void)snprintf(error, SCRIPT_TEXT_MAX, "%s: cannot be read", path);
        return NULL;
    }
    struct script_file *file = campaign_alloc(sizeof *file);
    file->path = campaign_text_copy(path);
    for (uint32_t number = 1; fgets(line, sizeof line, in); number++) {
        add(file, line, number);
    }
    (void)fclose(in);
    return file;
}

void script_close(struct script_file *file)
{
    free(file->path);
    free(file);
}

uint32_t script_count(const struct script_file *file)
{
    return file->count;
}

const struct script_scenario *script_get(const struct script_file *file, uint32_t number)
{
    return &file->scenarios[number];
}

/* Ten role changes and a crash, a second apart. */
static void emit(struct sim_sink *sink, uint64_t salt)
{
    for (uint64_t i = 1; sink && i <= 10; i++) {
        struct sim_event event = {.time_ns = i * 1000000000,
                                  .number = i,
                                  .kind = i == 4 ? SIM_EVENT_CRASH : SIM_EVENT_ROLE,
                                  .machine = (uint32_t)(i % 3 + 1),
                                  .fields = {i == 4 ? 1 : i % 3, i == 7 ? i + salt : i, 0}};
        sink->event(sink->context, &event);
    }
}

static void violate(struct script_outcome *out, uint64_t seed)
{
    out->verdict = SCRIPT_VIOLATED;
    out->violation = (struct check_violation){.judge = CHECK_ELECTION, .time_ns = 7500000000, .machine = 2};
    (void)snprintf(out->violation.sentence, sizeof out->violation.sentence,
                   "m1 and m2 both lead term %llu <&\"'>", (unsigned long long)seed);
}

void script_run(const struct script_file *file, uint32_t number, const struct script_run_options *options,
                struct script_worlds **worlds, struct script_outcome *out)
{
    static uint64_t runs;
    const char *words = file->words[number];
    uint64_t seed = options->seed;
    uint64_t salt = hits(words, "part ", seed) ? ++runs : 0;
    (void)worlds;
    *out = (struct script_outcome){.events = 10, .time_ns = 10000000000, .lease_margin_ns = INT64_MAX};
    emit(options->sink, salt);
    if (hits(words, "crash ", seed)) {
        abort();
    }
    while (hits(words, "hang ", seed)) {
    }
    if (hits(words, "violate ", seed)) {
        violate(out, seed);
    }
    if (hits(words, "wrong ", seed)) {
        out->verdict = SCRIPT_WRONG;
        (void)snprintf(out->error, sizeof out->error, "%s:%u: found nothing, expected something", file->path,
                       file->scenarios[number].line);
    }
    (void)snprintf(out->digest, sizeof out->digest, "%016llx%016llx", (unsigned long long)seed * 77,
                   (unsigned long long)salt);
    out->armed[CHECK_ELECTION] = 1;
    out->metric_count = 1;
    out->metrics = campaign_alloc(sizeof out->metrics[0]);
    out->metrics[0] = (struct script_metric){.name = "value", .value = (double)seed * 1.5};
    out->sometimes_count = 1;
    out->sometimes = campaign_alloc(sizeof out->sometimes[0]);
    out->sometimes[0] =
        (struct script_sometimes){.name = "often", .was_true = seed > number_behind(words, "rare ")};
}

void script_interrupt(void)
{
}

void script_worlds_free(struct script_worlds *worlds)
{
    (void)worlds;
}

void script_outcome_release(struct script_outcome *outcome)
{
    free(outcome->metrics);
    free(outcome->sometimes);
}
