/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A description ends at '#', and a backslash quotes it. */
static void print_description(FILE *out, const char *text)
{
    char *clean = report_text_clean(text);
    for (const char *at = clean; *at != '\0'; at++) {
        if (*at == '#' || *at == '\\') {
            fputc('\\', out);
        }
        fputc(*at == '\n' ? ' ' : *at, out);
    }
    free(clean);
}

/* A string in YAML's double quotes. */
static void print_string(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  %s: \"", key);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            fputc('\\', out);
        }
        if (*at == '\n') {
            fputs("\\n", out);
        } else {
            fputc(*at, out);
        }
    }
    fputs("\"\n", out);
}

static void print_failure(FILE *out, const struct campaign *campaign, const struct campaign_tally *tally)
{
    const struct campaign_failure *failure = NULL;
    for (size_t i = 0; i < tally->failure_count && !failure; i++) {
        failure = tally->failures[i].kind == CAMPAIGN_SHOWN ? NULL : &tally->failures[i];
    }
    fprintf(out, "  ---\n");
    if (failure) {
        char *what = report_text_failure(failure);
        char *replay = report_text_replay(campaign, tally->scenario, failure->seed);
        print_string(out, "message", what);
        fprintf(out, "  seed: %" PRIu64 "\n", failure->seed);
        print_string(out, "replay", replay);
        free(what);
        free(replay);
    }
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        struct campaign_demand demand;
        campaign_demand_get(tally, i, &demand);
        if (demand.state == CAMPAIGN_UNMET) {
            char *what = report_text_clean(demand.sentence);
            char key[40];
            (void)snprintf(key, sizeof key, "unmet_%zu", i + 1);
            print_string(out, key, what);
            free(what);
        }
    }
    fprintf(out, "  ...\n");
}

void report_tap(const struct campaign *campaign, FILE *out)
{
    fprintf(out, "TAP version 14\n1..%zu\n", campaign->tally_count);
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        const char *verdict = campaign_verdict_text(tally);
        bool is_skipped = strcmp(verdict, "not run") == 0;
        bool is_good = is_skipped || strcmp(verdict, "held") == 0;
        fprintf(out, "%s %zu - ", is_good ? "ok" : "not ok", i + 1);
        print_description(out, tally->scenario->file);
        fprintf(out, ": ");
        print_description(out, tally->scenario->name);
        fprintf(out, "%s\n", is_skipped ? " # SKIP not run" : "");
        if (!is_good) {
            print_failure(out, campaign, tally);
        }
    }
}
