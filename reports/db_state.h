/* The inside of an open results file, for the files that are its parts. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_DB_STATE_H
#define REPORTS_DB_STATE_H

#include "reports/db.h"

#include <sqlite3.h>

/* Statements kept for as long as the file is open. */
enum report_db_statement {
    DB_PUT_RUN,
    DB_PUT_METRIC,
    DB_PUT_SOMETIMES,
    DB_PUT_EVENT,
    DB_FIND_SCENARIO,
    DB_STATEMENTS
};

struct report_db {
    sqlite3 *handle;
    sqlite3_stmt *statements[DB_STATEMENTS];
    bool has_failed;
};

void report_db_execute(struct report_db *db, const char *text);
/* Is it a results file of ours? */
bool report_db_is_known(sqlite3 *handle);

#endif
