/* One page that stands on its own: no script, no request to anywhere, light or dark
 * as its reader's machine is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "reports/svg.h"
#include "reports/text.h"
#include "sim/campaign/claims.h"
#include "sim/campaign/coverage.h"
#include "sim/campaign/print.h"
#include "sim/campaign/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ground:#fcfcfb;--raised:#fff;--ink:#1b1d21;--soft:#5d636d;--line:#e2e3e6;"
    "--good:#1a7f45;--bad:#c02b2b;--open:#9a6700;--bar:#7d95b5;--lane:#d4d7dc}"
    "@media(prefers-color-scheme:dark){:root{--ground:#131518;--raised:#1a1d21;--ink:#e6e7ea;--soft:#9aa1ac;"
    "--line:#2c3036;--good:#55b97f;--bad:#ef7272;--open:#d8a441;--bar:#6883a8;--lane:#363b43}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:48px 24px 96px;max-width:960px;background:var(--ground);color:var(--ink);"
    "font:15px/1.55 system-ui,sans-serif}"
    "h1{font-size:26px;font-weight:650;margin:0}h2{font-size:15px;font-weight:600;margin:48px 0 12px;"
    "font-family:ui-monospace,monospace;color:var(--soft)}h3{font-size:17px;font-weight:600;margin:0}"
    "p{margin:6px 0}.soft{color:var(--soft)}.lead{font-size:18px;margin:8px 0 0}"
    "section{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:16px 20px;"
    "margin:12px 0}"
    ".head{display:flex;gap:12px;align-items:baseline}.head h3{flex:1}"
    ".verdict{font-weight:600;white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}"
    ".open{color:var(--open)}"
    ".claims td{vertical-align:top}.claims .row td{border-top-width:2px;padding-top:8px}"
    ".claims .promise{white-space:normal}.claims .note td{border:0;white-space:normal;color:var(--soft)}"
    ".words{font-size:13px;color:var(--soft)}.words b{font-weight:500;color:var(--ink)}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px;"
    "font-variant-numeric:tabular-nums;margin:10px 0}"
    "th{font-weight:500;color:var(--soft);text-align:right;padding:4px 10px 4px 0;white-space:nowrap}"
    "td{text-align:right;padding:4px 10px 4px 0;border-top:1px solid var(--line);white-space:nowrap}"
    "th:first-child,td:first-child,td.text,th.text,.events td,.events th{text-align:left}"
    ".events td{font-family:ui-monospace,monospace;font-size:12px;vertical-align:top}"
    ".events td:last-child{white-space:normal;width:100%}"
    "code{font:12.5px/1.5 ui-monospace,monospace;background:var(--ground);border:1px solid var(--line);"
    "border-radius:5px;padding:6px 10px;display:block;overflow-x:auto;white-space:pre}"
    "details{border-top:1px solid var(--line);margin-top:14px;padding-top:12px}"
    "summary{cursor:pointer}svg{display:block}.dist rect{fill:var(--bar)}"
    ".dist .base{stroke:var(--line);fill:none}.dist .median{stroke:var(--ink);fill:none}"
    ".lanes{width:100%;margin:14px 0 6px}.lanes text{font:12px ui-monospace,monospace;fill:var(--ink)}"
    ".lanes .tick{font-size:11px;fill:var(--soft)}.lanes .lane{stroke:var(--lane);fill:none}"
    ".lanes .broken{stroke:var(--bad);stroke-width:1.5;fill:none}.mark{fill:var(--bar)}"
    ".leader{fill:var(--good)}.fault{fill:var(--bad)}.mark,.leader,.fault{stroke:var(--raised)}";

static const char *class_of_verdict(const char *verdict)
{
    return strcmp(verdict, "held") == 0 ? "good" : strcmp(verdict, "not run") == 0 ? "open" : "bad";
}

static void write_words(const char *what, const char *const *words, FILE *out)
{
    if (!words || !words[0]) {
        return;
    }
    fprintf(out, "<p class=\"words\">%s", what);
    for (; *words; words++) {
        fprintf(out, " <b>");
        report_text_escape(out, *words);
        fprintf(out, "</b>%s", words[1] ? " ·" : "");
    }
    fprintf(out, "</p>\n");
}

static void write_demands(const struct campaign_tally *tally, FILE *out)
{
    static const char *const classes[] = {"good", "bad", "open", "open"}; /* As the states are listed. */
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        struct campaign_demand demand;
        campaign_demand_get(tally, i, &demand);
        fprintf(out, "<p class=\"words\"><b class=\"%s\">%s</b> ", classes[demand.state],
                campaign_demand_word(demand.state));
        report_text_escape(out, demand.sentence);
        fprintf(out, "</p>\n");
    }
}

static void write_metrics(const struct campaign_tally *tally, FILE *out)
{
    if (tally->metric_count == 0) {
        return;
    }
    fprintf(out, "<div class=\"wide\"><table><tr><th>metric</th><th>count</th><th>min</th><th>median</th>"
                 "<th>p90</th><th>p99</th><th>max</th><th></th></tr>\n");
    for (size_t i = 0; i < tally->metric_count; i++) {
        const struct campaign_metric *metric = &tally->metrics[i];
        struct campaign_quantiles all;
        campaign_metric_quantiles(metric, &all);
        fprintf(out, "<tr><td>");
        report_text_escape(out, metric->name);
        fprintf(out, "</td><td>%zu</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td>",
                metric->count, all.min, all.median, all.p90, all.p99, all.max);
        report_svg_distribution(metric, out);
        fprintf(out, "</td></tr>\n");
    }
    fprintf(out, "</table></div>\n");
}

static void write_events(const struct campaign_failure *failure, FILE *out)
{
    report_svg_timeline(failure, out);
    fprintf(out,
            "<details><summary>the last %zu relevant events</summary><div class=\"wide\">"
            "<table class=\"events\"><tr><th>time</th><th>member</th><th>what</th></tr>\n",
            failure->event_count);
    for (size_t i = 0; i < failure->event_count; i++) {
        const struct campaign_event *event = &failure->events[i];
        char when[32];
        campaign_text_time(event->time_ns, when);
        fprintf(out, "<tr><td>%s</td><td>", when);
        report_text_escape(out, event->member);
        fprintf(out, "</td><td>");
        report_text_escape(out, event->text);
        fprintf(out, "</td></tr>\n");
    }
    fprintf(out, "</table></div></details>\n");
}

static void write_failure(const struct campaign *campaign, const struct campaign_tally *tally,
                          const struct campaign_failure *failure, FILE *out)
{
    bool is_shown = failure->kind == CAMPAIGN_SHOWN;
    char *what = report_text_failure(failure);
    char *replay = report_text_replay(campaign, tally->scenario, failure->seed);
    fprintf(out, "<details%s><summary><b class=\"%s\">%s</b> seed %" PRIu64 "</summary>\n<p>",
            is_shown ? "" : " open=\"open\"", is_shown ? "open" : "bad", report_text_kind(failure->kind),
            failure->seed);
    report_text_escape(out, what);
    fprintf(out, "</p>\n");
    if (failure->kind == CAMPAIGN_VIOLATED || is_shown) {
        char when[32];
        campaign_text_time(failure->time_ns, when);
        fprintf(out, "<p class=\"soft\">%s, at %s of simulated time</p>\n",
                check_info(failure->judge)->promise, when);
    }
    if (failure->event_count > 0) {
        write_events(failure, out);
    }
    fprintf(out, "<code>");
    report_text_escape(out, replay);
    fprintf(out, "</code></details>\n");
    free(what);
    free(replay);
}

static void write_unarmed(const struct campaign_tally *tally, FILE *out)
{
    bool has_any = false;
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (tally->armed[i] == 0) {
            fprintf(out, "%s%s", has_any ? " · " : "<p class=\"words\">had nothing to judge: ",
                    check_info((enum check_judge)i)->name);
            has_any = true;
        }
    }
    fprintf(out, "%s", has_any ? "</p>\n" : "");
}

/* A count; nothing where there can be none, and loud where there was none. */
static void write_cell(uint64_t count, bool is_possible, FILE *out)
{
    if (count > 0) {
        fprintf(out, "<td>%" PRIu64 "</td>", count);
    } else {
        fprintf(out, is_possible ? "<td class=\"bad\">0</td>" : "<td></td>");
    }
}

static void write_faults(const struct campaign_tally *tally, FILE *out)
{
    fprintf(out, "<div class=\"wide\"><table><tr><th>fault</th>");
    for (int role = 0; role < SIM_STATION_COUNT; role++) {
        fprintf(out, "<th>%s</th>", sim_station_text((enum sim_station)role));
    }
    fprintf(out, "</tr>\n");
    for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        fprintf(out, "<tr><td>%s</td>", sim_fault_text((enum sim_fault)fault));
        for (int role = 0; role < SIM_STATION_COUNT; role++) {
            write_cell(tally->faults[fault][role],
                       sim_fault_can_find((enum sim_fault)fault, (enum sim_station)role), out);
        }
        fprintf(out, "</tr>\n");
    }
    fprintf(out, "</table></div>\n");
}

static void write_frames(const struct campaign_tally *tally, FILE *out)
{
    fprintf(out, "<div class=\"wide\"><table><tr><th>message</th>");
    for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
        fprintf(out, "<th>%s</th>", sim_frame_fault_text((enum sim_frame_fault)fault));
    }
    fprintf(out, "<th>passed</th></tr>\n");
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        uint64_t passed = campaign_passed_total(tally, message);
        if (passed == 0) {
            continue;
        }
        fprintf(out, "<tr><td>%s</td>", sim_coverage_message_text(message));
        for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
            write_cell(tally->frames[fault][message],
                       sim_frame_fault_can_befall((enum sim_frame_fault)fault, message), out);
        }
        fprintf(out, "<td>%" PRIu64 "</td></tr>\n", passed);
    }
    fprintf(out, "</table></div>\n");
}

/* How far the faults of a scenario reached, where it had any. */
static void write_coverage(const struct campaign_tally *tally, FILE *out)
{
    struct campaign_coverage coverage = campaign_coverage(tally);
    if (coverage.on_roles == 0 && coverage.on_kinds == 0) {
        return;
    }
    fprintf(out,
            "<details><summary>coverage: %" PRIu32 " of %" PRIu32 " fault × role, %" PRIu32 " of %" PRIu32
            " fault × message, %" PRIu32 " kinds of message between %" PRIu32 " pairs of roles</summary>\n",
            coverage.on_roles, coverage.on_roles_possible, coverage.on_kinds, coverage.on_kinds_possible,
            coverage.kinds, coverage.pairs);
    write_faults(tally, out);
    write_frames(tally, out);
    fprintf(out, "</details>\n");
}

static void write_scenario(const struct campaign *campaign, const struct campaign_tally *tally, FILE *out)
{
    const char *verdict = campaign_verdict_text(tally);
    char time[32];
    campaign_text_time(tally->time_ns, time);
    fprintf(out, "<section><div class=\"head\"><h3>");
    report_text_escape(out, tally->scenario->name);
    fprintf(out, "</h3><span class=\"verdict %s\">%s</span></div>\n", class_of_verdict(verdict), verdict);
    fprintf(out, "<p class=\"soft\">%" PRIu64 " seeds · %" PRIu64 " held · %s simulated · %" PRIu64 " events",
            tally->runs, tally->held, time, tally->events);
    if (tally->lease_margin_ns != INT64_MAX) {
        fprintf(out, " · smallest lease margin %.6g s", (double)tally->lease_margin_ns / 1e9);
    }
    fprintf(out, "</p>\n");
    write_words("claims", tally->scenario->claims, out);
    write_words("tags", tally->scenario->tags, out);
    write_demands(tally, out);
    write_metrics(tally, out);
    for (size_t i = 0; i < tally->failure_count && i < 8; i++) {
        write_failure(campaign, tally, &tally->failures[i], out);
    }
    write_unarmed(tally, out);
    write_coverage(tally, out);
    fprintf(out, "</section>\n");
}

static void write_claim_figures(const struct campaign_tally *tally, const char *claim, FILE *out)
{
    for (size_t i = 0; i < tally->metric_count; i++) {
        const struct campaign_metric *metric = &tally->metrics[i];
        struct campaign_quantiles all;
        if (!campaign_claim_is_measured(tally->scenario, claim, metric->name)) {
            continue;
        }
        campaign_metric_quantiles(metric, &all);
        fprintf(out, "<tr><td></td><td class=\"text\">");
        report_text_escape(out, metric->name);
        fprintf(out,
                "</td><td>%zu</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td>%.6g</td><td class=\"text\">",
                metric->count, all.min, all.median, all.p99, all.max);
        report_text_escape(out, tally->scenario->name);
        fprintf(out, "</td></tr>\n");
    }
}

static void write_claim(const struct campaign *campaign, const struct campaign_claim *claim, FILE *out)
{
    fprintf(out, "<tr class=\"row\"><td class=\"%s\">%s</td><td class=\"text promise\" colspan=\"6\"><b>",
            class_of_verdict(claim->verdict), claim->verdict);
    report_text_escape(out, claim->id);
    fprintf(out, "</b> ");
    report_text_escape(out, claim->promise);
    fprintf(out, "</td><td class=\"text\">%zu scenario%s, %" PRIu64 " seed%s</td></tr>\n",
            claim->scenario_count, claim->scenario_count == 1 ? "" : "s", claim->runs,
            claim->runs == 1 ? "" : "s");
    for (size_t i = 0; i < campaign->tally_count; i++) {
        if (campaign_claim_is_carried(campaign->tallies[i].scenario, claim->id)) {
            write_claim_figures(&campaign->tallies[i], claim->id, out);
        }
    }
    for (size_t i = 0; i < campaign->tally_count; i++) {
        if (campaign_claim_has_note(campaign, i, claim->id)) {
            fprintf(out, "<tr class=\"note\"><td></td><td class=\"text promise\" colspan=\"7\">");
            report_text_escape(out, campaign->tallies[i].scenario->note);
            fprintf(out, "</td></tr>\n");
        }
    }
}

/* Every claim with its verdict, the figures that matter, and where reality is subtler. */
static void write_claims(const struct campaign *campaign, FILE *out)
{
    struct campaign_claims claims;
    campaign_claims_init(&claims, campaign);
    if (claims.count > 0) {
        fprintf(out, "<h2>claims</h2>\n<section><div class=\"wide\"><table class=\"claims\"><tr><th></th>"
                     "<th class=\"text\">figure</th><th>count</th><th>min</th><th>median</th><th>p99</th>"
                     "<th>max</th><th class=\"text\">scenario</th></tr>\n");
        for (size_t i = 0; i < claims.count; i++) {
            write_claim(campaign, &claims.rows[i], out);
        }
        fprintf(out, "</table></div></section>\n");
    }
    campaign_claims_release(&claims);
}

void report_html(const struct campaign *campaign, FILE *out)
{
    size_t held = 0;
    for (size_t i = 0; i < campaign->tally_count; i++) {
        held += strcmp(campaign_verdict_text(&campaign->tallies[i]), "held") == 0;
    }
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
            "<title>Faultline: %zu of %zu held</title>\n<style>%s</style></head>\n<body>\n",
            held, campaign->tally_count, style);
    char time[32];
    campaign_text_time(campaign->time_ns, time);
    fprintf(out, "<h1>Faultline</h1>\n<p class=\"lead\"><b class=\"%s\">%zu of %zu scenarios held</b></p>\n",
            held == campaign->tally_count ? "good" : "bad", held, campaign->tally_count);
    fprintf(out, "<p class=\"soft\">%" PRIu64 " runs · %s simulated · version %s, %s</p>\n",
            campaign->tallied, time, report_version(), report_build());
    write_claims(campaign, out);
    const char *file = "";
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        if (strcmp(tally->scenario->file, file) != 0) {
            file = tally->scenario->file;
            fprintf(out, "<h2>");
            report_text_escape(out, tally->scenario->file);
            fprintf(out, "</h2>\n");
        }
        write_scenario(campaign, tally, out);
    }
    fprintf(out, "</body></html>\n");
}
