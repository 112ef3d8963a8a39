/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/tally.h"

#include "core/base/hash.h"
#include "sim/campaign/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void campaign_tally_init(struct campaign_tally *tally, const struct campaign_unit *unit)
{
    *tally =
        (struct campaign_tally){.scenario = unit->scenario, .file = unit->file, .lease_margin_ns = INT64_MAX};
}

static void release_failure(struct campaign_failure *failure)
{
    for (size_t i = 0; i < failure->event_count; i++) {
        free(failure->events[i].text);
    }
    free(failure->events);
    free(failure->sentence);
    free(failure->drawn);
}

void campaign_tally_release(struct campaign_tally *tally)
{
    for (size_t i = 0; i < tally->metric_count; i++) {
        free(tally->metrics[i].name);
        free(tally->metrics[i].values);
    }
    for (size_t i = 0; i < tally->sometimes_count; i++) {
        free(tally->sometimes[i].name);
    }
    for (size_t i = 0; i < tally->failure_count; i++) {
        release_failure(&tally->failures[i]);
    }
    free(tally->metrics);
    free(tally->sometimes);
    free(tally->failures);
    free(tally->failed_seeds);
    *tally = (struct campaign_tally){0};
}

/* The slot of a metric by its name; metric_count: there is none. */
static size_t slot_of(const struct campaign_tally *tally, const char *name)
{
    size_t slot = 0;
    while (slot < tally->metric_count && strcmp(tally->metrics[slot].name, name) != 0) {
        slot++;
    }
    return slot;
}

const struct campaign_metric *campaign_tally_metric(const struct campaign_tally *tally, const char *name)
{
    size_t slot = slot_of(tally, name);
    return slot < tally->metric_count ? &tally->metrics[slot] : NULL;
}

static struct campaign_metric *metric_named(struct campaign_tally *tally, const char *name)
{
    size_t slot = slot_of(tally, name);
    if (slot < tally->metric_count) {
        return &tally->metrics[slot];
    }
    tally->metrics = campaign_grow(tally->metrics, tally->metric_count, sizeof tally->metrics[0]);
    struct campaign_metric *metric = &tally->metrics[tally->metric_count++];
    *metric = (struct campaign_metric){.name = campaign_text_copy(name)};
    return metric;
}

static struct campaign_sometimes *sometimes_named(struct campaign_tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->sometimes_count; i++) {
        if (strcmp(tally->sometimes[i].name, name) == 0) {
            return &tally->sometimes[i];
        }
    }
    tally->sometimes = campaign_grow(tally->sometimes, tally->sometimes_count, sizeof tally->sometimes[0]);
    struct campaign_sometimes *sometimes = &tally->sometimes[tally->sometimes_count++];
    *sometimes = (struct campaign_sometimes){.name = campaign_text_copy(name)};
    return sometimes;
}

static void add_lists(struct campaign_tally *tally, const struct script_outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        struct campaign_metric *metric = metric_named(tally, outcome->metrics[i].name);
        metric->values = campaign_grow(metric->values, metric->count, sizeof metric->values[0]);
        metric->values[metric->count++] = outcome->metrics[i].value;
    }
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        sometimes_named(tally, outcome->sometimes[i].name)->runs_true += outcome->sometimes[i].was_true;
    }
}

static void add_coverage(struct campaign_tally *tally, const struct sim_coverage *coverage)
{
    for (uint32_t i = 0; i < SIM_FAULT_COUNT * SIM_STATION_COUNT; i++) {
        (&tally->faults[0][0])[i] += (&coverage->faults[0][0])[i];
    }
    for (uint32_t i = 0; i < SIM_FRAME_COUNT * SIM_MESSAGE_COUNT; i++) {
        (&tally->frames[0][0])[i] += (&coverage->frames[0][0])[i];
    }
    for (uint32_t i = 0; i < SIM_MESSAGE_COUNT * SIM_STATION_COUNT * SIM_STATION_COUNT; i++) {
        (&tally->passed[0][0][0])[i] += (&coverage->passed[0][0][0])[i];
    }
}

/* What the run's world was drawn to be, as the command line would say it. */
static char *drawn_text(const struct script_outcome *outcome)
{
    struct base_buffer text = {0};
    base_buffer_init(&text, &campaign_memory);
    for (uint32_t i = 0; i < outcome->drawn_count; i++) {
        const struct script_param *drawn = &outcome->drawn[i];
        size_t size = strlen(drawn->name) + strlen(drawn->value) + 3;
        char *at = (char *)base_buffer_extend(&text, size);
        (void)snprintf(at, size, "%s%s=%s", i > 0 ? " " : "", drawn->name, drawn->value);
        text.size = (size_t)(at - (char *)text.data) + strlen(at);
    }
    *base_buffer_extend(&text, 1) = '\0';
    char *copy = campaign_text_copy((const char *)text.data);
    base_buffer_release(&text);
    return copy;
}

static void add_figures(struct campaign_tally *tally, uint64_t seed, const struct script_outcome *outcome)
{
    tally->events += outcome->events;
    tally->time_ns += outcome->time_ns;
    tally->cost.time_ns += outcome->cost.time_ns;
    tally->cost.operator_actions += outcome->cost.operator_actions;
    tally->cost.messages += outcome->cost.messages;
    tally->cost.bytes += outcome->cost.bytes;
    tally->cost.entries += outcome->cost.entries;
    tally->cost.syncs += outcome->cost.syncs;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        tally->armed[i] += outcome->armed[i];
    }
    if (outcome->lease_margin_ns < tally->lease_margin_ns) {
        tally->lease_margin_ns = outcome->lease_margin_ns;
    }
    if (outcome->coverage) {
        add_coverage(tally, outcome->coverage);
    }
    tally->digest = base_hash_u64(tally->digest, seed);
    tally->digest = base_hash_bytes(tally->digest, base_bytes_of(outcome->digest));
}

/* Put a failure on record; only the first ones are kept whole. */
static void add_failure(struct campaign_tally *tally, enum campaign_failure_kind kind, uint64_t seed,
                        const struct check_violation *violation, const char *sentence,
                        const struct script_outcome *outcome)
{
    if (tally->failed_seed_count < CAMPAIGN_SEEDS_MAX) {
        tally->failed_seeds =
            campaign_grow(tally->failed_seeds, tally->failed_seed_count, sizeof tally->failed_seeds[0]);
        tally->failed_seeds[tally->failed_seed_count++] = seed;
    }
    if (tally->failure_count == CAMPAIGN_FAILURES_MAX) {
        return;
    }
    tally->failures = campaign_grow(tally->failures, tally->failure_count, sizeof tally->failures[0]);
    tally->failures[tally->failure_count++] = (struct campaign_failure){
        .kind = kind,
        .seed = seed,
        .judge = violation ? violation->judge : CHECK_EXPECT,
        .time_ns = violation ? violation->time_ns : 0,
        .sentence = campaign_text_copy(sentence),
        .drawn = drawn_text(outcome),
    };
}

/* Is what this judge found the hazard that the scenario is there to show? */
static bool is_shown(const struct script_scenario *scenario, enum check_judge judge)
{
    for (const char *const *name = scenario->shows; name && *name; name++) {
        if (strcmp(*name, check_info(judge)->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_violation(struct campaign_tally *tally, uint64_t seed, const struct script_outcome *outcome)
{
    const struct check_violation *violation = &outcome->violation;
    bool shown = is_shown(tally->scenario, violation->judge);
    if (shown) {
        tally->shown++;
    } else {
        tally->violated++;
    }
    add_failure(tally, shown ? CAMPAIGN_SHOWN : CAMPAIGN_VIOLATED, seed, violation, violation->sentence,
                outcome);
    return shown;
}

static bool add_parted(struct campaign_tally *tally, uint64_t seed, const struct campaign_result *result)
{
    char sentence[160];
    (void)snprintf(sentence, sizeof sentence, "the first run's digest is %s, the second's %s",
                   result->outcome.digest, result->digest_again);
    tally->parted++;
    add_failure(tally, CAMPAIGN_PARTED, seed, NULL, sentence, &result->outcome);
    return false;
}

bool campaign_tally_add(struct campaign_tally *tally, uint64_t seed, const struct campaign_result *result)
{
    const struct script_outcome *outcome = &result->outcome;
    tally->runs++;
    add_lists(tally, outcome);
    add_figures(tally, seed, outcome);
    if (result->digest_again[0] != '\0' && strcmp(outcome->digest, result->digest_again) != 0) {
        return add_parted(tally, seed, result);
    }
    switch (outcome->verdict) {
    case SCRIPT_HELD:
        tally->held++;
        return true;
    case SCRIPT_VIOLATED:
        return add_violation(tally, seed, outcome);
    case SCRIPT_WRONG:
        tally->wrong++;
        add_failure(tally, CAMPAIGN_WRONG, seed, NULL, outcome->error, outcome);
        return false;
    case SCRIPT_UNJUDGED:
        tally->unjudged++;
        add_failure(tally, CAMPAIGN_UNJUDGED, seed, NULL, outcome->error, outcome);
        return false;
    }
    assert(false);
    return false;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

void campaign_tally_close(struct campaign_tally *tally)
{
    for (size_t i = 0; i < tally->metric_count; i++) {
        struct campaign_metric *metric = &tally->metrics[i];
        qsort(metric->values, metric->count, sizeof metric->values[0], compare_doubles);
    }
}

/* The smallest value that `percent` of all are not above. */
static double rank(const struct campaign_metric *metric, size_t percent)
{
    size_t place = (metric->count * percent + 99) / 100;
    return metric->values[place == 0 ? 0 : place - 1];
}

void campaign_metric_quantiles(const struct campaign_metric *metric, struct campaign_quantiles *out)
{
    assert(metric->count > 0);
    double sum = 0;
    for (size_t i = 0; i < metric->count; i++) {
        sum += metric->values[i];
    }
    *out = (struct campaign_quantiles){
        .min = metric->values[0],
        .median = rank(metric, 50),
        .p90 = rank(metric, 90),
        .p99 = rank(metric, 99),
        .max = metric->values[metric->count - 1],
        .mean = sum / (double)metric->count,
    };
}

bool campaign_tally_is_whole(const struct campaign_tally *tally)
{
    return tally->runs >= tally->scenario->seeds;
}
