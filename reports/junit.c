/* Written by hand: a library for XML would be loaded at every start of the program,
 * and costs more time there than a scenario. The tests read it back with one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    report_text_escape(out, value);
    fputc('"', out);
}

static void count_attribute(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, " %s=\"%" PRIu64 "\"", name, value);
}

/* A finding about the cluster is a failure; a run that could not be judged an error. */
static void write_failure(const struct campaign *campaign, const struct campaign_tally *tally,
                          const struct campaign_failure *failure, FILE *out)
{
    bool is_finding = failure->kind == CAMPAIGN_VIOLATED;
    const char *element = is_finding ? "failure" : "error";
    char *what = report_text_failure(failure);
    char *replay = report_text_replay(campaign, tally->scenario, failure->seed);
    fprintf(out, "   <%s", element);
    attribute(out, "message", what);
    attribute(out, "type", is_finding ? check_info(failure->judge)->name : report_text_kind(failure->kind));
    fprintf(out, ">seed %" PRIu64 "\n", failure->seed);
    report_text_escape(out, replay);
    fprintf(out, "</%s>\n", element);
    free(replay);
    free(what);
}

static void write_unmet(const struct campaign_tally *tally, FILE *out)
{
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        struct campaign_demand demand;
        campaign_demand_get(tally, i, &demand);
        if (demand.state == CAMPAIGN_UNMET) {
            fprintf(out, "   <failure");
            attribute(out, "message", demand.sentence);
            attribute(out, "type", "unmet");
            fprintf(out, "/>\n");
        }
    }
}

static void write_case(const struct campaign *campaign, const struct campaign_tally *tally, FILE *out)
{
    fprintf(out, "  <testcase");
    attribute(out, "classname", tally->scenario->file);
    attribute(out, "name", tally->scenario->name);
    count_attribute(out, "assertions", tally->runs);
    fprintf(out, ">\n");
    if (tally->runs == 0) {
        fprintf(out, "   <skipped/>\n");
    }
    for (size_t i = 0; i < tally->failure_count; i++) {
        if (tally->failures[i].kind != CAMPAIGN_SHOWN) {
            write_failure(campaign, tally, &tally->failures[i], out);
        }
    }
    write_unmet(tally, out);
    fprintf(out, "  </testcase>\n");
}

static bool is_failed(const struct campaign_tally *tally)
{
    return tally->violated > 0 || campaign_demand_fails(tally);
}

static bool is_error(const struct campaign_tally *tally)
{
    return !is_failed(tally) && tally->wrong + tally->unjudged + tally->parted > 0;
}

/* The scenarios of one file, from slot `first` on. Answers where the next file begins. */
static size_t write_suite(const struct campaign *campaign, size_t first, FILE *out)
{
    const struct campaign_tally *tallies = campaign->tallies;
    size_t end = first;
    uint64_t failures = 0;
    uint64_t errors = 0;
    uint64_t skipped = 0;
    const char *file = tallies[first].scenario->file;
    for (; end < campaign->tally_count && strcmp(tallies[end].scenario->file, file) == 0; end++) {
        failures += is_failed(&tallies[end]);
        errors += is_error(&tallies[end]);
        skipped += tallies[end].runs == 0;
    }
    fprintf(out, " <testsuite");
    attribute(out, "name", file);
    count_attribute(out, "tests", end - first);
    count_attribute(out, "failures", failures);
    count_attribute(out, "errors", errors);
    count_attribute(out, "skipped", skipped);
    fprintf(out, ">\n");
    for (size_t i = first; i < end; i++) {
        write_case(campaign, &tallies[i], out);
    }
    fprintf(out, " </testsuite>\n");
    return end;
}

void report_junit(const struct campaign *campaign, FILE *out)
{
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"faultline\">\n");
    for (size_t i = 0; i < campaign->tally_count;) {
        i = write_suite(campaign, i, out);
    }
    fprintf(out, "</testsuites>\n");
}
