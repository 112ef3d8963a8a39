/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/db.h"

#include "reports/db_schema.h"
#include "reports/db_state.h"
#include "reports/report.h"
#include "sim/campaign/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const statements[DB_STATEMENTS] = {
    [DB_PUT_RUN] = "INSERT OR REPLACE INTO run VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [DB_PUT_METRIC] = "INSERT OR REPLACE INTO metric VALUES(?,?,?,?,?)",
    [DB_PUT_SOMETIMES] = "INSERT OR REPLACE INTO sometimes VALUES(?,?,?,?,?)",
    [DB_PUT_EVENT] = "INSERT OR REPLACE INTO event VALUES(?,?,?,?,?,?,?,?)",
    [DB_FIND_SCENARIO] = "SELECT id FROM scenario WHERE file = ? AND name = ?",
};

void report_db_execute(struct report_db *db, const char *text)
{
    db->has_failed = sqlite3_exec(db->handle, text, NULL, NULL, NULL) != SQLITE_OK || db->has_failed;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    (void)sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

/* Unsigned numbers keep their bits. */
static void bind_number(sqlite3_stmt *statement, int place, uint64_t number)
{
    (void)sqlite3_bind_int64(statement, place, (sqlite3_int64)number);
}

/* Run a statement that answers nothing, and make it ready for the next time. */
static void step(struct report_db *db, sqlite3_stmt *statement)
{
    db->has_failed = sqlite3_step(statement) != SQLITE_DONE || db->has_failed;
    (void)sqlite3_reset(statement);
}

/* A statement for one use. */
static sqlite3_stmt *prepare(struct report_db *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    db->has_failed =
        sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL) != SQLITE_OK || db->has_failed;
    return statement;
}

bool report_db_is_known(sqlite3 *handle)
{
    sqlite3_stmt *row = NULL;
    (void)sqlite3_prepare_v2(handle, "SELECT value FROM about WHERE name = 'schema'", -1, &row, NULL);
    bool is_ours = row && sqlite3_step(row) == SQLITE_ROW && sqlite3_column_int(row, 0) == REPORT_DB_SCHEMA;
    (void)sqlite3_finalize(row);
    return is_ours;
}

static void put_about(struct report_db *db, const char *name, const char *value)
{
    sqlite3_stmt *statement = prepare(db, "INSERT OR REPLACE INTO about VALUES(?,?)");
    bind_text(statement, 1, name);
    bind_text(statement, 2, value);
    step(db, statement);
    (void)sqlite3_finalize(statement);
}

void report_db_put_param(struct report_db *db, const struct script_param *param)
{
    size_t size = strlen(param->name) + sizeof "param:";
    char *name = campaign_alloc(size);
    (void)snprintf(name, size, "param:%s", param->name);
    put_about(db, name, param->value);
    free(name);
}

struct report_db *report_db_new(const char *path, char error[REPORT_TEXT_MAX])
{
    struct report_db *db = campaign_alloc(sizeof *db);
    (void)remove(path);
    if (sqlite3_open(path, &db->handle) != SQLITE_OK) {
        db->has_failed = true;
    } else {
        report_db_execute(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;");
        report_db_execute(db, report_db_tables);
        char schema[16];
        (void)snprintf(schema, sizeof schema, "%d", REPORT_DB_SCHEMA);
        put_about(db, "schema", schema);
        put_about(db, "version", report_version());
        put_about(db, "build", report_build());
        for (int i = 0; i < DB_STATEMENTS; i++) {
            db->statements[i] = prepare(db, statements[i]);
        }
    }
    if (db->has_failed) {
        (void)snprintf(error, REPORT_TEXT_MAX, "%s: %s", path, sqlite3_errmsg(db->handle));
        (void)report_db_end(db);
        return NULL;
    }
    return db;
}

bool report_db_end(struct report_db *db)
{
    if (!db->has_failed) {
        report_db_execute(db, "COMMIT");
    }
    for (int i = 0; i < DB_STATEMENTS; i++) {
        (void)sqlite3_finalize(db->statements[i]);
    }
    bool is_good = sqlite3_close(db->handle) == SQLITE_OK && !db->has_failed;
    free(db);
    return is_good;
}

static void put_words(struct report_db *db, sqlite3_int64 scenario, const char *kind,
                      const char *const *words)
{
    sqlite3_stmt *statement = prepare(db, "INSERT INTO word VALUES(?,?,?,?)");
    for (int place = 0; words && words[place]; place++) {
        (void)sqlite3_bind_int64(statement, 1, scenario);
        bind_text(statement, 2, kind);
        (void)sqlite3_bind_int(statement, 3, place);
        bind_text(statement, 4, words[place]);
        step(db, statement);
    }
    (void)sqlite3_finalize(statement);
}

/* What is not said, NAN, is NULL there. */
static void put_expects(struct report_db *db, sqlite3_int64 id, const struct script_scenario *scenario)
{
    sqlite3_stmt *statement = prepare(db, "INSERT INTO expectation VALUES(?,?,?,?,?,?,?,?,?,?)");
    for (uint32_t place = 0; place < scenario->expect_count; place++) {
        const struct script_expect *expect = &scenario->expects[place];
        (void)sqlite3_bind_int64(statement, 1, id);
        (void)sqlite3_bind_int64(statement, 2, place);
        bind_text(statement, 3, expect->stat);
        bind_text(statement, 4, expect->of);
        (void)sqlite3_bind_double(statement, 5, expect->near);
        (void)sqlite3_bind_double(statement, 6, expect->within);
        (void)sqlite3_bind_double(statement, 7, expect->min);
        (void)sqlite3_bind_double(statement, 8, expect->max);
        (void)sqlite3_bind_int(statement, 9, expect->is_published);
        bind_text(statement, 10, expect->parts);
        step(db, statement);
    }
    (void)sqlite3_finalize(statement);
}

/* The number of a scenario, which is entered when it is new. */
static sqlite3_int64 scenario_id(struct report_db *db, const struct script_scenario *scenario)
{
    sqlite3_stmt *find = db->statements[DB_FIND_SCENARIO];
    bind_text(find, 1, scenario->file);
    bind_text(find, 2, scenario->name);
    sqlite3_int64 id = sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    (void)sqlite3_reset(find);
    if (id != 0) {
        return id;
    }
    sqlite3_stmt *statement = prepare(db, "INSERT INTO scenario(file, name, line, seeds) VALUES(?,?,?,?)");
    bind_text(statement, 1, scenario->file);
    bind_text(statement, 2, scenario->name);
    bind_number(statement, 3, scenario->line);
    bind_number(statement, 4, scenario->seeds);
    step(db, statement);
    (void)sqlite3_finalize(statement);
    id = sqlite3_last_insert_rowid(db->handle);
    put_words(db, id, "claim", scenario->claims);
    put_words(db, id, "tag", scenario->tags);
    put_words(db, id, "shows", scenario->shows);
    put_words(db, id, "measures", scenario->measures);
    const char *note[] = {scenario->note, NULL};
    put_words(db, id, "note", note);
    put_expects(db, id, scenario);
    return id;
}

static void put_lists(struct report_db *db, sqlite3_int64 id, uint64_t seed,
                      const struct script_outcome *outcome)
{
    sqlite3_stmt *metric = db->statements[DB_PUT_METRIC];
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        (void)sqlite3_bind_int64(metric, 1, id);
        bind_number(metric, 2, seed);
        (void)sqlite3_bind_int64(metric, 3, i);
        bind_text(metric, 4, outcome->metrics[i].name);
        (void)sqlite3_bind_double(metric, 5, outcome->metrics[i].value);
        step(db, metric);
    }
    sqlite3_stmt *sometimes = db->statements[DB_PUT_SOMETIMES];
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        (void)sqlite3_bind_int64(sometimes, 1, id);
        bind_number(sometimes, 2, seed);
        (void)sqlite3_bind_int64(sometimes, 3, i);
        bind_text(sometimes, 4, outcome->sometimes[i].name);
        (void)sqlite3_bind_int(sometimes, 5, outcome->sometimes[i].was_true);
        step(db, sometimes);
    }
}

static void bind_armed(sqlite3_stmt *statement, int place, const uint64_t *armed)
{
    char text[CHECK_COUNT * 22];
    size_t used = 0;
    for (int i = 0; i < CHECK_COUNT; i++) {
        int more = snprintf(text + used, sizeof text - used, "%s%" PRIu64, i == 0 ? "" : " ", armed[i]);
        assert(more > 0 && (size_t)more < sizeof text - used);
        used += (size_t)more;
    }
    bind_text(statement, place, text);
}

void report_db_put_run(struct report_db *db, const struct script_scenario *scenario, uint64_t seed,
                       const struct campaign_result *result)
{
    const struct script_outcome *outcome = &result->outcome;
    const struct sim_cost *cost = &outcome->cost;
    bool is_violated = outcome->verdict == SCRIPT_VIOLATED;
    sqlite3_int64 id = scenario_id(db, scenario);
    sqlite3_stmt *run = db->statements[DB_PUT_RUN];
    (void)sqlite3_bind_int64(run, 1, id);
    bind_number(run, 2, seed);
    (void)sqlite3_bind_int(run, 3, (int)outcome->verdict);
    bind_text(run, 4, is_violated ? check_info(outcome->violation.judge)->name : "");
    bind_number(run, 5, outcome->violation.time_ns);
    bind_number(run, 6, outcome->violation.machine);
    bind_text(run, 7, is_violated ? outcome->violation.sentence : outcome->error);
    bind_text(run, 8, outcome->digest);
    bind_text(run, 9, result->digest_again);
    bind_number(run, 10, outcome->events);
    bind_number(run, 11, outcome->time_ns);
    bind_number(run, 12, cost->operator_actions);
    bind_number(run, 13, cost->messages);
    bind_number(run, 14, cost->bytes);
    bind_number(run, 15, cost->entries);
    bind_number(run, 16, cost->syncs);
    bind_number(run, 17, (uint64_t)outcome->lease_margin_ns);
    bind_armed(run, 18, outcome->armed);
    step(db, run);
    put_lists(db, id, seed, outcome);
}

void report_db_put_events(struct report_db *db, const struct campaign_tally *tally)
{
    sqlite3_stmt *event = db->statements[DB_PUT_EVENT];
    sqlite3_int64 id = tally->failure_count > 0 ? scenario_id(db, tally->scenario) : 0;
    for (size_t i = 0; i < tally->failure_count; i++) {
        const struct campaign_failure *failure = &tally->failures[i];
        for (size_t place = 0; place < failure->event_count; place++) {
            const struct campaign_event *row = &failure->events[place];
            (void)sqlite3_bind_int64(event, 1, id);
            bind_number(event, 2, failure->seed);
            bind_number(event, 3, place);
            bind_number(event, 4, row->time_ns);
            bind_number(event, 5, row->number);
            bind_number(event, 6, row->machine);
            bind_text(event, 7, row->member);
            bind_text(event, 8, row->text);
            step(db, event);
        }
    }
}
