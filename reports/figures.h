/* What experiments found, in a folder: for each a table of all values, one of its
 * points, one of its verdicts (CSV), and the figure it asks for (SVG, drawn by gnuplot,
 * whose script stays beside it), with published values over ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_FIGURES_H
#define REPORTS_FIGURES_H

#include "reports/db.h"

struct report_figures;

enum report_figures_status {
    REPORT_FIGURES_DRAWN,
    REPORT_FIGURES_UNWRITTEN, /* A file could not be written. */
    REPORT_FIGURES_UNDRAWN    /* All is there, but gnuplot is not, or did not like it. */
};

/* The folder is made where it is missing. NULL: `error` says why not. */
struct report_figures *report_figures_new(const char *folder, char error[REPORT_TEXT_MAX]);
/* Where the results file belongs: "FOLDER/results.db". */
const char *report_figures_db(const struct report_figures *figures);
/* A run of one of the plan's points; they come point by point. */
void report_figures_put_run(struct report_figures *figures, const struct campaign_unit *unit, uint64_t seed,
                            const struct campaign_result *result);
/* Write what is left, draw, and free it. `error` says what went wrong. */
enum report_figures_status report_figures_end(struct report_figures *figures, const struct campaign *campaign,
                                              char error[REPORT_TEXT_MAX]);

#endif
