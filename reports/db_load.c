/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/db.h"

#include "reports/db_state.h"
#include "sim/campaign/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD_CLAIMS, WORD_TAGS, WORD_SHOWS, WORD_MEASURES, WORD_NOTE, WORD_KINDS };

/* A scenario of a results file: what the tally's pointers point to. */
struct loaded_scenario {
    struct script_scenario scenario;
    char **words[WORD_KINDS]; /* Each NULL-terminated. */
    struct script_expect *expects;
};

struct report_loaded {
    struct campaign campaign;
    struct campaign_options options;
    struct script_param *params;
    struct loaded_scenario *scenarios;
    size_t count;
    sqlite3 *handle;
};

static char *column_text(sqlite3_stmt *statement, int place)
{
    const char *text = (const char *)sqlite3_column_text(statement, place);
    return campaign_text_copy(text ? text : "");
}

static char *column_text_or_null(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_type(statement, place) == SQLITE_NULL ? NULL : column_text(statement, place);
}

/* Like column_text, into a place of so many bytes; what does not fit is cut off. */
static void copy_text(sqlite3_stmt *statement, int place, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, place);
    (void)snprintf(out, size, "%s", text ? text : "");
}

static uint64_t column_number(sqlite3_stmt *statement, int place)
{
    return (uint64_t)sqlite3_column_int64(statement, place);
}

static double column_double(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_type(statement, place) == SQLITE_NULL ? (double)NAN
                                                                : sqlite3_column_double(statement, place);
}

/* A query about one scenario, and about one of its seeds when the text asks for it. */
static sqlite3_stmt *query(sqlite3 *handle, const char *text, sqlite3_int64 scenario, uint64_t seed)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(handle, text, -1, &statement, NULL) != SQLITE_OK) {
        return NULL;
    }
    (void)sqlite3_bind_int64(statement, 1, scenario);
    if (sqlite3_bind_parameter_count(statement) > 1) {
        (void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed);
    }
    return statement;
}

static bool next(sqlite3_stmt *statement)
{
    return statement && sqlite3_step(statement) == SQLITE_ROW;
}

static char **load_words(sqlite3 *handle, sqlite3_int64 scenario, const char *kind)
{
    char **words = NULL;
    size_t count = 0;
    sqlite3_stmt *statement =
        query(handle, "SELECT word FROM word WHERE scenario = ?1 AND kind = ?2 ORDER BY place", scenario, 0);
    (void)sqlite3_bind_text(statement, 2, kind, -1, SQLITE_TRANSIENT);
    while (next(statement)) {
        words = campaign_grow(words, count, sizeof words[0]);
        words[count++] = column_text(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    words = campaign_grow(words, count, sizeof words[0]);
    words[count] = NULL;
    return words;
}

static void load_expects(sqlite3 *handle, sqlite3_int64 id, struct loaded_scenario *loaded)
{
    uint32_t count = 0;
    sqlite3_stmt *rows = query(handle,
                               "SELECT stat, of, near, within, min, max, published, parts FROM expectation"
                               " WHERE scenario = ? ORDER BY place",
                               id, 0);
    while (next(rows)) {
        loaded->expects = campaign_grow(loaded->expects, count, sizeof loaded->expects[0]);
        loaded->expects[count++] = (struct script_expect){.stat = column_text(rows, 0),
                                                          .of = column_text(rows, 1),
                                                          .near = column_double(rows, 2),
                                                          .within = column_double(rows, 3),
                                                          .min = column_double(rows, 4),
                                                          .max = column_double(rows, 5),
                                                          .is_published = sqlite3_column_int(rows, 6) != 0,
                                                          .parts = column_text_or_null(rows, 7)};
    }
    (void)sqlite3_finalize(rows);
    loaded->scenario.expects = loaded->expects;
    loaded->scenario.expect_count = count;
}

static const char *const *as_words(char **words)
{
    return (const char *const *)words;
}

static void load_scenario(struct report_loaded *all, sqlite3_stmt *row)
{
    static const char *const kinds[WORD_KINDS] = {"claim", "tag", "shows", "measures", "note"};
    all->scenarios = campaign_grow(all->scenarios, all->count, sizeof all->scenarios[0]);
    struct loaded_scenario *loaded = &all->scenarios[all->count++];
    sqlite3_int64 id = sqlite3_column_int64(row, 0);
    *loaded = (struct loaded_scenario){0};
    for (int kind = 0; kind < WORD_KINDS; kind++) {
        loaded->words[kind] = load_words(all->handle, id, kinds[kind]);
    }
    loaded->scenario = (struct script_scenario){.file = column_text(row, 1),
                                                .name = column_text(row, 2),
                                                .line = (uint32_t)column_number(row, 3),
                                                .number = (uint32_t)id,
                                                .seeds = column_number(row, 4),
                                                .claims = as_words(loaded->words[WORD_CLAIMS]),
                                                .tags = as_words(loaded->words[WORD_TAGS]),
                                                .shows = as_words(loaded->words[WORD_SHOWS]),
                                                .measures = loaded->words[WORD_MEASURES][0]
                                                                ? as_words(loaded->words[WORD_MEASURES])
                                                                : NULL,
                                                .note = loaded->words[WORD_NOTE][0]};
    load_expects(all->handle, id, loaded);
}

static enum check_judge judge_named(const char *name)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (strcmp(check_info((enum check_judge)i)->name, name) == 0) {
            return (enum check_judge)i;
        }
    }
    return CHECK_EXPECT;
}

static void load_outcome(sqlite3_stmt *row, struct campaign_result *result)
{
    struct script_outcome *outcome = &result->outcome;
    uint64_t verdict = column_number(row, 1);
    char judge[64];
    copy_text(row, 2, judge, sizeof judge);
    outcome->verdict = verdict > SCRIPT_UNJUDGED ? SCRIPT_UNJUDGED : (enum script_verdict)verdict;
    outcome->violation = (struct check_violation){.judge = judge_named(judge),
                                                  .time_ns = column_number(row, 3),
                                                  .machine = (uint32_t)column_number(row, 4)};
    copy_text(row, 5, outcome->violation.sentence, sizeof outcome->violation.sentence);
    copy_text(row, 5, outcome->error, sizeof outcome->error);
    copy_text(row, 6, outcome->digest, sizeof outcome->digest);
    copy_text(row, 7, result->digest_again, sizeof result->digest_again);
    outcome->events = column_number(row, 8);
    outcome->time_ns = column_number(row, 9);
    outcome->cost = (struct sim_cost){.time_ns = outcome->time_ns,
                                      .operator_actions = column_number(row, 10),
                                      .messages = column_number(row, 11),
                                      .bytes = column_number(row, 12),
                                      .entries = column_number(row, 13),
                                      .syncs = column_number(row, 14)};
    outcome->lease_margin_ns = sqlite3_column_int64(row, 15);
    char armed[CHECK_COUNT * 22];
    copy_text(row, 16, armed, sizeof armed);
    char *at = armed;
    for (int i = 0; i < CHECK_COUNT; i++) {
        outcome->armed[i] = strtoull(at, &at, 10);
    }
}

static void load_lists(sqlite3 *handle, sqlite3_int64 id, uint64_t seed, struct script_outcome *outcome)
{
    sqlite3_stmt *row =
        query(handle, "SELECT name, value FROM metric WHERE scenario = ? AND seed = ? ORDER BY place", id,
              seed);
    while (next(row)) {
        outcome->metrics = campaign_grow(outcome->metrics, outcome->metric_count, sizeof outcome->metrics[0]);
        outcome->metrics[outcome->metric_count++] =
            (struct script_metric){.name = column_text(row, 0), .value = sqlite3_column_double(row, 1)};
    }
    (void)sqlite3_finalize(row);
    row = query(handle, "SELECT name, was_true FROM sometimes WHERE scenario = ? AND seed = ? ORDER BY place",
                id, seed);
    while (next(row)) {
        outcome->sometimes =
            campaign_grow(outcome->sometimes, outcome->sometimes_count, sizeof outcome->sometimes[0]);
        outcome->sometimes[outcome->sometimes_count++] =
            (struct script_sometimes){.name = column_text(row, 0),
                                      .was_true = sqlite3_column_int(row, 1) != 0};
    }
    (void)sqlite3_finalize(row);
}

/* free() for a text that is const to its users. */
static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void release_lists(struct script_outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        free_text(outcome->metrics[i].name);
    }
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        free_text(outcome->sometimes[i].name);
    }
    free(outcome->metrics);
    free(outcome->sometimes);
}

static void load_events(sqlite3 *handle, sqlite3_int64 id, struct campaign_failure *failure)
{
    sqlite3_stmt *row = query(handle,
                              "SELECT time_ns, number, machine, member, text FROM event"
                              " WHERE scenario = ? AND seed = ? ORDER BY place",
                              id, failure->seed);
    while (next(row)) {
        failure->events = campaign_grow(failure->events, failure->event_count, sizeof failure->events[0]);
        struct campaign_event *event = &failure->events[failure->event_count++];
        *event = (struct campaign_event){.time_ns = column_number(row, 0),
                                         .number = column_number(row, 1),
                                         .machine = (uint32_t)column_number(row, 2),
                                         .text = column_text(row, 4)};
        copy_text(row, 3, event->member, sizeof event->member);
    }
    (void)sqlite3_finalize(row);
}

static void load_params(struct report_loaded *all)
{
    struct campaign_plan_options *plan = &all->options.plan;
    sqlite3_stmt *row = NULL;
    (void)sqlite3_prepare_v2(
        all->handle, "SELECT substr(name, 7), value FROM about WHERE name LIKE 'param:%' ORDER BY name", -1,
        &row, NULL);
    while (next(row)) {
        all->params = campaign_grow(all->params, plan->param_count, sizeof all->params[0]);
        all->params[plan->param_count++] =
            (struct script_param){.name = column_text(row, 0), .value = column_text(row, 1)};
    }
    (void)sqlite3_finalize(row);
    plan->params = all->params;
}

static void load_tally(struct report_loaded *all, size_t slot)
{
    struct campaign_tally *tally = &all->campaign.tallies[slot];
    const struct script_scenario *scenario = &all->scenarios[slot].scenario;
    campaign_tally_init(tally, &(struct campaign_unit){.scenario = scenario});
    sqlite3_stmt *row = query(all->handle,
                              "SELECT seed, verdict, judge, time_ns, machine, sentence, digest, digest_again,"
                              " events, simulated_ns, operator_actions, messages, bytes, entries, syncs,"
                              " lease_margin_ns, armed FROM run WHERE scenario = ? ORDER BY seed",
                              scenario->number, 0);
    while (next(row)) {
        uint64_t seed = column_number(row, 0);
        struct campaign_result result = {0};
        load_outcome(row, &result);
        load_lists(all->handle, scenario->number, seed, &result.outcome);
        bool is_good = campaign_tally_add(tally, seed, &result);
        all->campaign.tallied++;
        all->campaign.failures += !is_good;
        all->campaign.time_ns += result.outcome.time_ns;
        release_lists(&result.outcome);
    }
    (void)sqlite3_finalize(row);
    campaign_tally_close(tally);
    for (size_t i = 0; i < tally->failure_count; i++) {
        load_events(all->handle, scenario->number, &tally->failures[i]);
    }
}

struct report_loaded *report_db_load(const char *path, char error[REPORT_TEXT_MAX])
{
    struct report_loaded *all = campaign_alloc(sizeof *all);
    if (sqlite3_open_v2(path, &all->handle, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        !report_db_is_known(all->handle)) {
        (void)snprintf(error, REPORT_TEXT_MAX,
                       "%s: found %s, expected a results file of run --db", path,
                       access(path, F_OK) == 0 ? "something else" : "no such file");
        (void)sqlite3_close(all->handle);
        free(all);
        return NULL;
    }
    all->campaign.options = &all->options;
    load_params(all);
    sqlite3_stmt *row = NULL;
    (void)sqlite3_prepare_v2(all->handle,
                             "SELECT id, file, name, line, seeds FROM scenario ORDER BY file, id", -1, &row,
                             NULL);
    while (next(row)) {
        load_scenario(all, row);
    }
    (void)sqlite3_finalize(row);
    all->campaign.tally_count = all->count;
    all->campaign.tallies = campaign_alloc(all->count * sizeof all->campaign.tallies[0]);
    for (size_t i = 0; i < all->count; i++) {
        load_tally(all, i);
    }
    (void)sqlite3_close(all->handle);
    all->handle = NULL;
    return all;
}

const struct campaign *report_loaded_campaign(const struct report_loaded *loaded)
{
    return &loaded->campaign;
}

void report_loaded_free(struct report_loaded *loaded)
{
    for (size_t i = 0; i < loaded->count; i++) {
        struct loaded_scenario *one = &loaded->scenarios[i];
        for (int kind = 0; kind < WORD_KINDS; kind++) {
            for (char **word = one->words[kind]; *word; word++) {
                free(*word);
            }
            free(one->words[kind]);
        }
        for (uint32_t j = 0; j < one->scenario.expect_count; j++) {
            free_text(one->expects[j].stat);
            free_text(one->expects[j].of);
            free_text(one->expects[j].parts);
        }
        free(one->expects);
        free_text(one->scenario.file);
        free_text(one->scenario.name);
    }
    for (uint32_t i = 0; i < loaded->options.plan.param_count; i++) {
        free_text(loaded->params[i].name);
        free_text(loaded->params[i].value);
    }
    free(loaded->params);
    free(loaded->scenarios);
    campaign_release(&loaded->campaign);
    free(loaded);
}
