/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/demand.h"

#include "sim/campaign/coverage.h"
#include "sim/campaign/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool has_shows(const struct campaign_tally *tally)
{
    return tally->scenario->shows && tally->scenario->shows[0];
}

static bool has_arms(const struct campaign_tally *tally)
{
    return tally->scenario->arms && tally->scenario->arms[0];
}

size_t campaign_demand_count(const struct campaign_tally *tally)
{
    return (has_arms(tally) ? 1 : 0) + tally->sometimes_count + (has_shows(tally) ? 1 : 0) +
           tally->scenario->expect_count;
}

const char *campaign_demand_word(enum campaign_demand_state state)
{
    static const char *const words[] = {"met", "unmet", "open", "parts"};
    return words[state];
}

/* Met now, or unmet for good only when enough seeds ran. */
static enum campaign_demand_state judge(const struct campaign_tally *tally, bool is_met)
{
    if (is_met) {
        return CAMPAIGN_MET;
    }
    return campaign_tally_is_whole(tally) ? CAMPAIGN_UNMET : CAMPAIGN_OPEN;
}

static void judge_sometimes(const struct campaign_tally *tally, const struct campaign_sometimes *sometimes,
                            struct campaign_demand *out)
{
    out->state = judge(tally, sometimes->runs_true > 0);
    (void)snprintf(out->sentence, sizeof out->sentence,
                   "sometimes \"%s\": true in %" PRIu64 " of %" PRIu64 " seeds", sometimes->name,
                   sometimes->runs_true, tally->runs);
}

/* How often a judge's premise was true, or a fault happened. */
static uint64_t armed(const struct campaign_tally *tally, const char *name)
{
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        if (strcmp(check_info((enum check_judge)judge)->name, name) == 0) {
            return tally->armed[judge];
        }
    }
    for (uint32_t fault = 0; sim_coverage_name(fault); fault++) {
        if (strcmp(sim_coverage_name(fault), name) == 0) {
            return campaign_fault_total(tally, fault);
        }
    }
    return 0; /* The scenario was read with other names: an older file of results. */
}

/* A judge whose premise was never true has judged nothing, and a fault that never
 * happened has tried nothing. */
static void judge_arms(const struct campaign_tally *tally, struct campaign_demand *out)
{
    uint32_t count = 0;
    uint32_t missing = 0;
    int used = 0;
    for (const char *const *name = tally->scenario->arms; *name; name++, count++) {
        size_t left = sizeof out->sentence - (size_t)used;
        if (armed(tally, *name) > 0) {
            continue;
        }
        int more = snprintf(out->sentence + used, left, "%s %s", missing == 0 ? "arms: never" : ",", *name);
        used += more > 0 && (size_t)more < left ? more : 0;
        missing++;
    }
    out->state = judge(tally, missing == 0);
    if (missing == 0) {
        (void)snprintf(out->sentence, sizeof out->sentence, "arms: all %" PRIu32 " had their part", count);
    }
}

static void judge_shows(const struct campaign_tally *tally, struct campaign_demand *out)
{
    out->state = judge(tally, tally->shown > 0);
    int used = snprintf(out->sentence, sizeof out->sentence, "shows");
    for (const char *const *name = tally->scenario->shows; *name; name++) {
        size_t left = sizeof out->sentence - (size_t)used;
        int more = snprintf(out->sentence + used, left, " %s", *name);
        if (more < 0 || (size_t)more >= left) {
            return;
        }
        used += more;
    }
    (void)snprintf(out->sentence + used, sizeof out->sentence - (size_t)used,
                   ": seen in %" PRIu64 " of %" PRIu64 " seeds", tally->shown, tally->runs);
}

/* A statistic by its name. false: there is none of that name. */
static bool statistic(const struct campaign_metric *metric, const char *stat, double *out)
{
    struct campaign_quantiles all;
    campaign_metric_quantiles(metric, &all);
    const struct {
        const char *name;
        double value;
    } known[] = {
        {"min", all.min},
        {"median", all.median},
        {"p90", all.p90},
        {"p99", all.p99},
        {"max", all.max},
        {"mean", all.mean},
        {"count", (double)metric->count},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, stat) == 0) {
            *out = known[i].value;
            return true;
        }
    }
    return false;
}

/* NAN compares false with everything, so what is not said does not count. */
static bool lies_right(const struct script_expect *expect, double value)
{
    double slack = expect->near * expect->within;
    slack = slack < 0 ? -slack : slack;
    return !(value < expect->min) && !(value > expect->max) && !(value < expect->near - slack) &&
           !(value > expect->near + slack);
}

/* ", expected …" in words, appended. */
static void append_expected(const struct script_expect *expect, char *out, size_t size)
{
    size_t used = strlen(out);
    const char *by = expect->is_published ? " as published" : "";
    if (expect->near == expect->near) {
        (void)snprintf(out + used, size - used, ", expected %.12g within %.4g%%%s", expect->near,
                       expect->within * 100, by);
    } else if (expect->min == expect->min && expect->max == expect->max) {
        (void)snprintf(out + used, size - used, ", expected %.12g to %.12g", expect->min, expect->max);
    } else if (expect->min == expect->min) {
        (void)snprintf(out + used, size - used, ", expected at least %.12g", expect->min);
    } else {
        (void)snprintf(out + used, size - used, ", expected at most %.12g", expect->max);
    }
}

/* "; parts: …" where ours is known to lie elsewhere. */
static void append_parting(const struct script_expect *expect, char *out, size_t size)
{
    size_t used = strlen(out);
    if (expect->parts) {
        (void)snprintf(out + used, size - used, "; because %s", expect->parts);
    }
}

double campaign_expect_found(const struct campaign_tally *tally, const struct script_expect *expect)
{
    const struct campaign_metric *metric = campaign_tally_metric(tally, expect->of);
    double value = 0;
    return metric && statistic(metric, expect->stat, &value) ? value : (double)NAN;
}

enum campaign_demand_state campaign_expect_state(const struct campaign_tally *tally,
                                                 const struct script_expect *expect)
{
    double value = campaign_expect_found(tally, expect);
    if (!campaign_tally_is_whole(tally)) {
        return CAMPAIGN_OPEN;
    }
    bool is_right = value == value && lies_right(expect, value);
    if (expect->parts) {
        return is_right ? CAMPAIGN_UNMET : CAMPAIGN_PARTS;
    }
    return is_right ? CAMPAIGN_MET : CAMPAIGN_UNMET;
}

static void judge_expect(const struct campaign_tally *tally, const struct script_expect *expect,
                         struct campaign_demand *out)
{
    double value = campaign_expect_found(tally, expect);
    out->state = campaign_expect_state(tally, expect);
    (void)snprintf(out->sentence, sizeof out->sentence, "expect %s of %s: found ", expect->stat, expect->of);
    size_t used = strlen(out->sentence);
    if (value == value) {
        (void)snprintf(out->sentence + used, sizeof out->sentence - used, "%.12g", value);
        append_expected(expect, out->sentence, sizeof out->sentence);
        append_parting(expect, out->sentence, sizeof out->sentence);
    } else if (!campaign_tally_metric(tally, expect->of)) {
        (void)snprintf(out->sentence + used, sizeof out->sentence - used, "no value");
    } else {
        out->state = CAMPAIGN_UNMET;
        (void)snprintf(out->sentence + used, sizeof out->sentence - used,
                       "%s, expected count, min, median, mean, p90, p99 or max", expect->stat);
    }
}

void campaign_demand_get(const struct campaign_tally *tally, size_t slot, struct campaign_demand *out)
{
    assert(slot < campaign_demand_count(tally));
    *out = (struct campaign_demand){0};
    if (has_arms(tally)) {
        if (slot == 0) {
            judge_arms(tally, out);
            return;
        }
        slot--;
    }
    if (slot < tally->sometimes_count) {
        judge_sometimes(tally, &tally->sometimes[slot], out);
        return;
    }
    slot -= tally->sometimes_count;
    if (has_shows(tally)) {
        if (slot == 0) {
            judge_shows(tally, out);
            return;
        }
        slot--;
    }
    judge_expect(tally, &tally->scenario->expects[slot], out);
}

bool campaign_demand_fails(const struct campaign_tally *tally)
{
    struct campaign_demand demand;
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        campaign_demand_get(tally, i, &demand);
        if (demand.state == CAMPAIGN_UNMET) {
            return true;
        }
    }
    return false;
}
