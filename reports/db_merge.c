/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/db.h"

#include "reports/db_state.h"

#include <stdio.h>
#include <unistd.h>

/* Scenarios are matched by file and name; what is there already is left alone: a seed
 * comes to the same wherever it was run. */
static const char merging[] =
    "INSERT OR IGNORE INTO scenario(file, name, line, seeds)"
    " SELECT file, name, line, seeds FROM other.scenario ORDER BY id;"
    "INSERT OR IGNORE INTO about SELECT name, value FROM other.about;"
    "CREATE TEMP TABLE same AS SELECT theirs.id AS old, ours.id AS new"
    " FROM other.scenario AS theirs JOIN main.scenario AS ours USING(file, name);"
    "INSERT OR IGNORE INTO word SELECT new, kind, place, word FROM other.word JOIN same ON scenario = old;"
    "INSERT OR IGNORE INTO expectation SELECT new, place, stat, of, near, within, min, max, published, parts"
    " FROM other.expectation JOIN same ON scenario = old;"
    "INSERT OR IGNORE INTO run SELECT new, seed, verdict, judge, time_ns, machine, sentence, digest,"
    " digest_again, events, simulated_ns, operator_actions, messages, bytes, entries, syncs,"
    " lease_margin_ns, armed FROM other.run JOIN same ON scenario = old;"
    "INSERT OR IGNORE INTO metric SELECT new, seed, place, name, value"
    " FROM other.metric JOIN same ON scenario = old;"
    "INSERT OR IGNORE INTO sometimes SELECT new, seed, place, name, was_true"
    " FROM other.sometimes JOIN same ON scenario = old;"
    "INSERT OR IGNORE INTO event SELECT new, seed, place, time_ns, number, machine, member, text"
    " FROM other.event JOIN same ON scenario = old;"
    "DROP TABLE same;";

bool report_db_merge(struct report_db *db, const char *path, char error[REPORT_TEXT_MAX])
{
    sqlite3 *other = NULL;
    bool is_ours =
        sqlite3_open_v2(path, &other, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && report_db_is_known(other);
    (void)sqlite3_close(other);
    if (!is_ours) {
        (void)snprintf(error, REPORT_TEXT_MAX,
                       "%s: found %s, expected a results file of run --db", path,
                       access(path, F_OK) == 0 ? "something else" : "no such file");
        return false;
    }
    report_db_execute(db, "COMMIT");
    sqlite3_stmt *attach = NULL;
    (void)sqlite3_prepare_v2(db->handle, "ATTACH ? AS other", -1, &attach, NULL);
    (void)sqlite3_bind_text(attach, 1, path, -1, SQLITE_TRANSIENT);
    db->has_failed = sqlite3_step(attach) != SQLITE_DONE || db->has_failed;
    (void)sqlite3_finalize(attach);
    report_db_execute(db, "BEGIN");
    report_db_execute(db, merging);
    if (db->has_failed) {
        (void)snprintf(error, REPORT_TEXT_MAX, "%s: %s", path, sqlite3_errmsg(db->handle));
        return false;
    }
    report_db_execute(db, "COMMIT; DETACH other; BEGIN");
    return !db->has_failed;
}
