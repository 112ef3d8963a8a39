/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/print.h"

#include "sim/campaign/claims.h"
#include "sim/campaign/coverage.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/ring.h"
#include "sim/campaign/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 20, SEEDS = 10 };

bool campaign_wants_colour(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fileno(out)) && !(no_colour && no_colour[0] != '\0');
}

const char *campaign_verdict_text(const struct campaign_tally *tally)
{
    if (tally->violated > 0 || campaign_demand_fails(tally)) {
        return "violated";
    }
    if (tally->wrong > 0) {
        return "wrong";
    }
    if (tally->unjudged > 0 || tally->parted > 0) {
        return "not judged";
    }
    return tally->runs == 0 ? "not run" : "held";
}

/* A word in the colour of its meaning, padded. */
static void print_verdict(const struct campaign_printer *printer, const char *verdict)
{
    bool is_good = strcmp(verdict, "held") == 0;
    const char *colour = is_good ? "\033[32m" : "\033[31m";
    if (printer->has_colour) {
        fprintf(printer->out, "  %s%-10s\033[0m  ", colour, verdict);
    } else {
        fprintf(printer->out, "  %-10s  ", verdict);
    }
}

/* As a shell reads it back. */
static void print_quoted(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=,@%";
    if (text[0] != '\0' && strspn(text, plain) == strlen(text)) {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*at, out);
        }
    }
    fputc('\'', out);
}

void campaign_print_replay(FILE *out, const struct campaign_plan_options *plan,
                           const struct script_scenario *scenario, uint64_t seed)
{
    fprintf(out, "faultline replay ");
    print_quoted(out, scenario->file);
    fprintf(out, " --seed %" PRIu64 " --scenario ", seed);
    print_quoted(out, scenario->name);
    for (uint32_t i = 0; i < plan->param_count; i++) {
        fprintf(out, " --param ");
        size_t size = strlen(plan->params[i].name) + strlen(plan->params[i].value) + 2;
        char *pair = campaign_alloc(size);
        (void)snprintf(pair, size, "%s=%s", plan->params[i].name, plan->params[i].value);
        print_quoted(out, pair);
        free(pair);
    }
}

/* The line that names what was broken, or why nothing was judged. */
static void print_what(FILE *out, const struct campaign_failure *failure)
{
    switch (failure->kind) {
    case CAMPAIGN_VIOLATED:
    case CAMPAIGN_SHOWN:
        fprintf(out, "%s: %s\n", check_info(failure->judge)->name, failure->sentence);
        break;
    case CAMPAIGN_WRONG:
        fprintf(out, "the script is wrong: %s\n", failure->sentence);
        break;
    case CAMPAIGN_UNJUDGED:
        fprintf(out, "not judged: %s\n", failure->sentence);
        break;
    case CAMPAIGN_PARTED:
        fprintf(out, "not deterministic: %s\n", failure->sentence);
        break;
    }
}

void campaign_print_failure(const struct campaign_printer *printer, const struct campaign_plan_options *plan,
                            const struct campaign_tally *tally, const struct campaign_failure *failure)
{
    FILE *out = printer->out;
    const char *on = printer->has_colour ? "\033[1m" : "";
    const char *off = printer->has_colour ? "\033[0m" : "";
    fprintf(out, "%sscenario \"%s\", seed %" PRIu64 "%s\n", on, tally->scenario->name, failure->seed, off);
    print_what(out, failure);
    if (failure->kind == CAMPAIGN_VIOLATED || failure->kind == CAMPAIGN_SHOWN) {
        char when[32];
        campaign_text_time(failure->time_ns, when);
        fprintf(out, "at %s of simulated time\n", when);
    }
    if (failure->drawn && failure->drawn[0] != '\0') {
        fprintf(out, "with %s\n", failure->drawn);
    }
    if (failure->event_count > 0) {
        campaign_events_print(failure->events, failure->event_count, ROWS, out);
    }
    fprintf(out, "replay it with\n  ");
    campaign_print_replay(out, plan, tally->scenario, failure->seed);
    fprintf(out, "\n");
}

/* Is it the first one of its kind? The others are as the first, most of the time;
 * asked for all, those that say the same word for word are still left out. */
static bool is_first_of_kind(const struct campaign_tally *tally, size_t slot, bool is_loud)
{
    const struct campaign_failure *failure = &tally->failures[slot];
    for (size_t i = 0; i < slot; i++) {
        const struct campaign_failure *before = &tally->failures[i];
        bool says_the_same = strcmp(before->sentence, failure->sentence) == 0;
        if (before->kind == failure->kind && before->judge == failure->judge && (says_the_same || !is_loud)) {
            return false;
        }
    }
    return true;
}

static void print_failures(const struct campaign_printer *printer, const struct campaign_plan_options *plan,
                           const struct campaign_tally *tally)
{
    bool is_loud = printer->volume == CAMPAIGN_LOUD;
    for (size_t i = 0; i < tally->failure_count; i++) {
        bool is_expected = tally->failures[i].kind == CAMPAIGN_SHOWN;
        if ((is_loud || !is_expected) && is_first_of_kind(tally, i, is_loud)) {
            fprintf(printer->out, "\n");
            campaign_print_failure(printer, plan, tally, &tally->failures[i]);
        }
    }
    if (tally->failed_seed_count > 1 && tally->failed_seed_count > tally->shown) {
        fprintf(printer->out, "seeds:");
        for (size_t i = 0; i < tally->failed_seed_count && i < SEEDS; i++) {
            fprintf(printer->out, " %" PRIu64, tally->failed_seeds[i]);
        }
        bool has_more = tally->failed_seed_count > SEEDS;
        fprintf(printer->out, "%s\n\n", has_more ? " …" : "");
    } else if (tally->failed_seed_count > tally->shown) {
        fprintf(printer->out, "\n");
    }
}

static void print_demands(const struct campaign_printer *printer, const struct campaign_tally *tally)
{
    struct campaign_demand demand;
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        campaign_demand_get(tally, i, &demand);
        if (demand.state != CAMPAIGN_MET || printer->with_demands || printer->volume == CAMPAIGN_LOUD) {
            fprintf(printer->out, "              %s: %s\n", campaign_demand_word(demand.state),
                    demand.sentence);
        }
    }
}

static void print_metrics(const struct campaign_printer *printer, const struct campaign_tally *tally)
{
    if (tally->metric_count == 0) {
        return;
    }
    fprintf(printer->out, "              %-28s %8s %10s %10s %10s %10s %10s\n", "metric", "count", "min",
            "median", "p90", "p99", "max");
    for (size_t i = 0; i < tally->metric_count; i++) {
        struct campaign_quantiles all;
        campaign_metric_quantiles(&tally->metrics[i], &all);
        fprintf(printer->out, "              %-28s %8zu %10.6g %10.6g %10.6g %10.6g %10.6g\n",
                tally->metrics[i].name, tally->metrics[i].count, all.min, all.median, all.p90, all.p99,
                all.max);
    }
}

/* What only those want who ask for more. */
static void print_figures(const struct campaign_printer *printer, const struct campaign_tally *tally)
{
    FILE *out = printer->out;
    char time[32];
    campaign_text_time(tally->time_ns, time);
    fprintf(out,
            "              simulated %s, %" PRIu64 " events, %" PRIu64 " messages, digest %016" PRIx64 "\n",
            time, tally->events, tally->cost.messages, tally->digest);
    if (tally->lease_margin_ns != INT64_MAX) {
        fprintf(out, "              smallest margin of a lease %.6g s\n",
                (double)tally->lease_margin_ns / 1e9);
    }
    campaign_coverage_sum(out, tally);
    campaign_coverage_print(out, tally);
    fprintf(out, "              unarmed:");
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (tally->armed[i] == 0) {
            fprintf(out, " %s", check_info((enum check_judge)i)->name);
        }
    }
    fprintf(out, "\n");
}

static void print_counts(FILE *out, const struct campaign_tally *tally)
{
    const struct {
        uint64_t count;
        const char *text;
    } parts[] = {
        {tally->violated, "violated"},   {tally->shown, "showed the hazard"},  {tally->wrong, "wrong"},
        {tally->unjudged, "not judged"}, {tally->parted, "not deterministic"},
    };
    fprintf(out, "  (%" PRIu64 " seed%s", tally->runs, tally->runs == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count > 0) {
            fprintf(out, ", %" PRIu64 " %s", parts[i].count, parts[i].text);
        }
    }
    fprintf(out, ")\n");
}

void campaign_print_scenario(struct campaign_printer *printer, const struct campaign *campaign,
                             const struct campaign_tally *tally)
{
    FILE *out = printer->out;
    const char *verdict = campaign_verdict_text(tally);
    bool is_good = strcmp(verdict, "held") == 0;
    if (printer->volume == CAMPAIGN_QUIET && is_good) {
        return;
    }
    if (!printer->file || strcmp(printer->file, tally->scenario->file) != 0) {
        fprintf(out, "%s\n", tally->scenario->file);
        printer->file = tally->scenario->file;
    }
    print_verdict(printer, verdict);
    fprintf(out, "%s", tally->scenario->name);
    print_counts(out, tally);
    print_demands(printer, tally);
    if (printer->volume != CAMPAIGN_QUIET) {
        print_metrics(printer, tally);
    }
    if (printer->volume == CAMPAIGN_LOUD) {
        print_figures(printer, tally);
    } else if (printer->volume != CAMPAIGN_QUIET && tally->scenario->arms) {
        campaign_coverage_sum(out, tally);
    }
    print_failures(printer, &campaign->options->plan, tally);
    (void)fflush(out);
}

/* The figures of one scenario that matter for a claim; the head comes with the first. */
static void print_claim_figures(FILE *out, const struct campaign_tally *tally, const char *claim,
                                bool *has_head)
{
    for (size_t i = 0; i < tally->metric_count; i++) {
        const struct campaign_metric *metric = &tally->metrics[i];
        struct campaign_quantiles all;
        if (!campaign_claim_is_measured(tally->scenario, claim, metric->name)) {
            continue;
        }
        if (!*has_head) {
            fprintf(out, "              %-28s %8s %10s %10s %10s %10s  %s\n", "figure", "count", "min",
                    "median", "p99", "max", "scenario");
            *has_head = true;
        }
        campaign_metric_quantiles(metric, &all);
        fprintf(out, "              %-28s %8zu %10.6g %10.6g %10.6g %10.6g  %s\n", metric->name,
                metric->count, all.min, all.median, all.p99, all.max, tally->scenario->name);
    }
}

static void print_claim(const struct campaign_printer *printer, const struct campaign *campaign,
                        const struct campaign_claim *claim)
{
    FILE *out = printer->out;
    bool has_head = false;
    print_verdict(printer, claim->verdict);
    fprintf(out, "%-24s %s%s(%zu scenario%s, %" PRIu64 " seed%s)\n", claim->id, claim->promise,
            claim->promise[0] != '\0' ? "  " : "", claim->scenario_count,
            claim->scenario_count == 1 ? "" : "s", claim->runs, claim->runs == 1 ? "" : "s");
    for (size_t i = 0; i < campaign->tally_count; i++) {
        if (campaign_claim_is_carried(campaign->tallies[i].scenario, claim->id)) {
            print_claim_figures(out, &campaign->tallies[i], claim->id, &has_head);
        }
    }
    for (size_t i = 0; i < campaign->tally_count; i++) {
        if (campaign_claim_has_note(campaign, i, claim->id)) {
            fprintf(out, "              note: %s\n", campaign->tallies[i].scenario->note);
        }
    }
}

void campaign_print_claims(const struct campaign_printer *printer, const struct campaign *campaign)
{
    struct campaign_claims claims;
    campaign_claims_init(&claims, campaign);
    fprintf(printer->out, "claims\n");
    for (size_t i = 0; i < claims.count; i++) {
        print_claim(printer, campaign, &claims.rows[i]);
    }
    campaign_claims_release(&claims);
}

static void print_unarmed(FILE *out, const struct campaign *campaign)
{
    const char *lead = "unarmed: no run gave these judges anything to judge:";
    bool has_any = false;
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        uint64_t armed = 0;
        for (size_t i = 0; i < campaign->tally_count; i++) {
            armed += campaign->tallies[i].armed[judge];
        }
        if (armed == 0) {
            fprintf(out, "%s %s", has_any ? "" : lead, check_info((enum check_judge)judge)->name);
            has_any = true;
        }
    }
    if (has_any) {
        fprintf(out, "\n");
    }
}

void campaign_print_sum(struct campaign_printer *printer, const struct campaign *campaign)
{
    FILE *out = printer->out;
    size_t good = 0;
    size_t idle = 0;
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const char *verdict = campaign_verdict_text(&campaign->tallies[i]);
        good += strcmp(verdict, "held") == 0;
        idle += strcmp(verdict, "not run") == 0;
    }
    if (printer->volume != CAMPAIGN_QUIET && campaign->tallied > 0) {
        print_unarmed(out, campaign);
    }
    fprintf(out, "%zu scenario%s: %zu held, %zu did not", campaign->tally_count,
            campaign->tally_count == 1 ? "" : "s", good, campaign->tally_count - good - idle);
    if (idle > 0) {
        fprintf(out, ", %zu not run", idle);
    }
    fprintf(out, " (%" PRIu64 " run%s)\n", campaign->tallied, campaign->tallied == 1 ? "" : "s");
    (void)fflush(out);
}
