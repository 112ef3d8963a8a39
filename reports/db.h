/* A campaign's runs in an SQLite file: what each came to, and its metrics. Written as
 * they end, merged from several machines, read back for a report. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_DB_H
#define REPORTS_DB_H

#include "sim/campaign/campaign.h"

enum { REPORT_TEXT_MAX = 512 };

struct report_db;

/* A file of its own: what stood under this name goes. NULL, with a sentence in
 * `error`, when it cannot be. */
struct report_db *report_db_new(const char *path, char error[REPORT_TEXT_MAX]);
/* A parameter the runs were given, for the commands that replay them. */
void report_db_put_param(struct report_db *db, const struct script_param *param);
/* Put a run into it; its scenario is entered with the first one. */
void report_db_put_run(struct report_db *db, const struct script_scenario *scenario, uint64_t seed,
                       const struct campaign_result *result);
/* The events of a closed tally's failures. */
void report_db_put_events(struct report_db *db, const struct campaign_tally *tally);
/* Finish and free it. false: something could not be written. */
bool report_db_end(struct report_db *db);

/* Everything in `path` that `db` has not got yet. false: `error` says why. */
bool report_db_merge(struct report_db *db, const char *path, char error[REPORT_TEXT_MAX]);

/* A campaign as it was, for reports: its tallies are closed. false: `error` says why. */
struct report_loaded;
struct report_loaded *report_db_load(const char *path, char error[REPORT_TEXT_MAX]);
const struct campaign *report_loaded_campaign(const struct report_loaded *loaded);
void report_loaded_free(struct report_loaded *loaded);

#endif
