/* The report for programs. One object, keys sorted:
 *
 *   faultline    the version              build    the compiler
 *   schema       1                        status   the exit status
 *   claims       a list: {claim promise verdict scenarios runs notes
 *                  figures: [{scenario metric count min median p99 max}]}
 *   scenarios    a list, in the order they were run, each with
 *     file line name tags claims verdict
 *     seeds         runs held violated shown wrong not_judged not_deterministic
 *     metrics       by name: count min median mean p90 p99 max
 *     demands       [{state: met|unmet|open|parts, text}]: sometimes, shows, expect
 *     coverage      {faults: {NAME: {role: n}}, frames: {NAME: {message: n}},
 *                     passed: {message: {"role > role": n}}}
 *     armed         by judge: how often its premise was true
 *     events simulated_ns cost digest lease_margin_ns (null: none measured)
 *     failed_seeds  the first of them
 *     failures      [{kind seed judge promise sentence drawn time_ns replay
 *                     events: [{time_ns member what}]}]; judge, promise and
 *                   time_ns are null where no judge found it
 *
 * Times are simulated. Nothing in it depends on how long the campaign took. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/claims.h"
#include "sim/campaign/print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *text(const char *value)
{
    char *clean = report_text_clean(value);
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

/* Text that is clean already and to be freed. */
static json_t *own_text(char *value)
{
    json_t *string = json_string(value);
    free(value);
    return string;
}

static json_t *words(const char *const *values)
{
    json_t *list = json_array();
    for (; values && *values; values++) {
        json_array_append_new(list, text(*values));
    }
    return list;
}

static json_t *metrics(const struct campaign_tally *tally)
{
    json_t *all = json_object();
    for (size_t i = 0; i < tally->metric_count; i++) {
        const struct campaign_metric *metric = &tally->metrics[i];
        struct campaign_quantiles quantiles;
        campaign_metric_quantiles(metric, &quantiles);
        json_t *one = json_object();
        json_object_set_new(one, "count", number(metric->count));
        json_object_set_new(one, "min", json_real(quantiles.min));
        json_object_set_new(one, "median", json_real(quantiles.median));
        json_object_set_new(one, "mean", json_real(quantiles.mean));
        json_object_set_new(one, "p90", json_real(quantiles.p90));
        json_object_set_new(one, "p99", json_real(quantiles.p99));
        json_object_set_new(one, "max", json_real(quantiles.max));
        char *name = report_text_clean(metric->name);
        json_object_set_new(all, name, one);
        free(name);
    }
    return all;
}

static json_t *demands(const struct campaign_tally *tally)
{
    json_t *all = json_array();
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        struct campaign_demand demand;
        campaign_demand_get(tally, i, &demand);
        json_t *one = json_object();
        json_object_set_new(one, "state", json_string(campaign_demand_word(demand.state)));
        json_object_set_new(one, "text", text(demand.sentence));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *armed(const struct campaign_tally *tally)
{
    json_t *all = json_object();
    for (int i = 0; i < CHECK_COUNT; i++) {
        json_object_set_new(all, check_info((enum check_judge)i)->name, number(tally->armed[i]));
    }
    return all;
}

/* Counts that are not zero: faults by role, faults of frames by kind of message, and
 * who said what to whom ("leader > follower"). */
static json_t *coverage(const struct campaign_tally *tally)
{
    json_t *faults = json_object();
    json_t *frames = json_object();
    json_t *passed = json_object();
    for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        json_t *one = json_object();
        for (int role = 0; role < SIM_STATION_COUNT; role++) {
            if (tally->faults[fault][role] > 0) {
                json_object_set_new(one, sim_station_text((enum sim_station)role),
                                    number(tally->faults[fault][role]));
            }
        }
        json_object_set_new(faults, sim_fault_text((enum sim_fault)fault), one);
    }
    for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
        json_t *one = json_object();
        for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
            if (tally->frames[fault][message] > 0) {
                json_object_set_new(one, sim_coverage_message_text(message),
                                    number(tally->frames[fault][message]));
            }
        }
        json_object_set_new(frames, sim_frame_fault_text((enum sim_frame_fault)fault), one);
    }
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        json_t *one = json_object();
        for (int pair = 0; pair < SIM_STATION_COUNT * SIM_STATION_COUNT; pair++) {
            int from = pair / SIM_STATION_COUNT;
            int to = pair % SIM_STATION_COUNT;
            char text[64];
            snprintf(text, sizeof text, "%s > %s", sim_station_text((enum sim_station)from),
                     sim_station_text((enum sim_station)to));
            if (tally->passed[message][from][to] > 0) {
                json_object_set_new(one, text, number(tally->passed[message][from][to]));
            }
        }
        if (json_object_size(one) > 0) {
            json_object_set(passed, sim_coverage_message_text(message), one);
        }
        json_decref(one);
    }
    return json_pack("{s:o,s:o,s:o}", "faults", faults, "frames", frames, "passed", passed);
}

static json_t *cost(const struct sim_cost *spent)
{
    json_t *all = json_object();
    json_object_set_new(all, "operator_actions", number(spent->operator_actions));
    json_object_set_new(all, "messages", number(spent->messages));
    json_object_set_new(all, "bytes", number(spent->bytes));
    json_object_set_new(all, "entries", number(spent->entries));
    json_object_set_new(all, "syncs", number(spent->syncs));
    return all;
}

static json_t *events(const struct campaign_failure *failure)
{
    json_t *all = json_array();
    for (size_t i = 0; i < failure->event_count; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "time_ns", number(failure->events[i].time_ns));
        json_object_set_new(one, "member", text(failure->events[i].member));
        json_object_set_new(one, "what", text(failure->events[i].text));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *failures(const struct campaign *campaign, const struct campaign_tally *tally)
{
    json_t *all = json_array();
    for (size_t i = 0; i < tally->failure_count; i++) {
        const struct campaign_failure *failure = &tally->failures[i];
        bool has_judge = failure->kind == CAMPAIGN_VIOLATED || failure->kind == CAMPAIGN_SHOWN;
        const struct check_info *info = check_info(failure->judge);
        json_t *one = json_object();
        json_object_set_new(one, "kind", json_string(report_text_kind(failure->kind)));
        json_object_set_new(one, "seed", number(failure->seed));
        json_object_set_new(one, "judge", has_judge ? json_string(info->name) : json_null());
        json_object_set_new(one, "promise", has_judge ? json_string(info->promise) : json_null());
        json_object_set_new(one, "time_ns", has_judge ? number(failure->time_ns) : json_null());
        json_object_set_new(one, "sentence", text(failure->sentence));
        json_object_set_new(one, "drawn", text(failure->drawn ? failure->drawn : ""));
        json_object_set_new(one, "replay",
                            own_text(report_text_replay(campaign, tally->scenario, failure->seed)));
        json_object_set_new(one, "events", events(failure));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *seeds(const struct campaign_tally *tally)
{
    json_t *all = json_object();
    json_object_set_new(all, "runs", number(tally->runs));
    json_object_set_new(all, "held", number(tally->held));
    json_object_set_new(all, "violated", number(tally->violated));
    json_object_set_new(all, "shown", number(tally->shown));
    json_object_set_new(all, "wrong", number(tally->wrong));
    json_object_set_new(all, "not_judged", number(tally->unjudged));
    json_object_set_new(all, "not_deterministic", number(tally->parted));
    return all;
}

static json_t *scenario(const struct campaign *campaign, const struct campaign_tally *tally)
{
    const struct script_scenario *about = tally->scenario;
    char digest[17];
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, tally->digest);
    json_t *failed = json_array();
    for (size_t i = 0; i < tally->failed_seed_count; i++) {
        json_array_append_new(failed, number(tally->failed_seeds[i]));
    }
    json_t *one = json_object();
    json_object_set_new(one, "file", text(about->file));
    json_object_set_new(one, "line", number(about->line));
    json_object_set_new(one, "name", text(about->name));
    json_object_set_new(one, "tags", words(about->tags));
    json_object_set_new(one, "claims", words(about->claims));
    json_object_set_new(one, "verdict", json_string(campaign_verdict_text(tally)));
    json_object_set_new(one, "seeds", seeds(tally));
    json_object_set_new(one, "metrics", metrics(tally));
    json_object_set_new(one, "demands", demands(tally));
    json_object_set_new(one, "armed", armed(tally));
    json_object_set_new(one, "coverage", coverage(tally));
    json_object_set_new(one, "events", number(tally->events));
    json_object_set_new(one, "simulated_ns", number(tally->time_ns));
    json_object_set_new(one, "cost", cost(&tally->cost));
    json_object_set_new(one, "digest", json_string(digest));
    json_object_set_new(one, "lease_margin_ns",
                        tally->lease_margin_ns == INT64_MAX ? json_null()
                                                            : json_integer(tally->lease_margin_ns));
    json_object_set_new(one, "failed_seeds", failed);
    json_object_set_new(one, "failures", failures(campaign, tally));
    return one;
}

/* The figures that matter for a claim, scenario by scenario. */
static json_t *claim_figures(const struct campaign *campaign, const char *claim)
{
    json_t *all = json_array();
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        bool is_carried = campaign_claim_is_carried(tally->scenario, claim);
        for (size_t j = 0; is_carried && j < tally->metric_count; j++) {
            const struct campaign_metric *metric = &tally->metrics[j];
            struct campaign_quantiles quantiles;
            if (!campaign_claim_is_measured(tally->scenario, claim, metric->name)) {
                continue;
            }
            campaign_metric_quantiles(metric, &quantiles);
            json_t *one = json_object();
            json_object_set_new(one, "scenario", text(tally->scenario->name));
            json_object_set_new(one, "metric", text(metric->name));
            json_object_set_new(one, "count", number(metric->count));
            json_object_set_new(one, "min", json_real(quantiles.min));
            json_object_set_new(one, "median", json_real(quantiles.median));
            json_object_set_new(one, "p99", json_real(quantiles.p99));
            json_object_set_new(one, "max", json_real(quantiles.max));
            json_array_append_new(all, one);
        }
    }
    return all;
}

static json_t *claims_of(const struct campaign *campaign)
{
    struct campaign_claims claims;
    json_t *all = json_array();
    campaign_claims_init(&claims, campaign);
    for (size_t i = 0; i < claims.count; i++) {
        const struct campaign_claim *claim = &claims.rows[i];
        json_t *one = json_object();
        json_t *notes = json_array();
        for (size_t j = 0; j < campaign->tally_count; j++) {
            if (campaign_claim_has_note(campaign, j, claim->id)) {
                json_array_append_new(notes, text(campaign->tallies[j].scenario->note));
            }
        }
        json_object_set_new(one, "claim", text(claim->id));
        json_object_set_new(one, "promise", text(claim->promise));
        json_object_set_new(one, "verdict", json_string(claim->verdict));
        json_object_set_new(one, "scenarios", number(claim->scenario_count));
        json_object_set_new(one, "runs", number(claim->runs));
        json_object_set_new(one, "notes", notes);
        json_object_set_new(one, "figures", claim_figures(campaign, claim->id));
        json_array_append_new(all, one);
    }
    campaign_claims_release(&claims);
    return all;
}

void report_json(const struct campaign *campaign, FILE *out)
{
    json_t *all = json_array();
    for (size_t i = 0; i < campaign->tally_count; i++) {
        json_array_append_new(all, scenario(campaign, &campaign->tallies[i]));
    }
    json_t *document = json_object();
    json_object_set_new(document, "faultline", json_string(report_version()));
    json_object_set_new(document, "build", json_string(report_build()));
    json_object_set_new(document, "schema", json_integer(1));
    json_object_set_new(document, "status", json_integer(campaign_exit_status(campaign)));
    json_object_set_new(document, "claims", claims_of(campaign));
    json_object_set_new(document, "scenarios", all);
    if (json_dumpf(document, out, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_REAL_PRECISION(12)) != 0) {
        abort(); /* Out of memory; what cannot be written shows when the file is closed. */
    }
    fputc('\n', out);
    json_decref(document);
}
