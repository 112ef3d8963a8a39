/* One run on its way to those who look at it: what ran, and how it ended. Its events
 * come when the same seed is run again, with a sink. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_RUN_H
#define REPORTS_RUN_H

#include "sim/campaign/plan.h"
#include "sim/campaign/tally.h"

/* All borrowed. */
struct report_run {
    const struct campaign_plan_options *plan;
    const struct script_scenario *scenario;
    const struct script_outcome *outcome;
    const struct campaign_failure *failure; /* NULL: it held. */
    uint64_t seed;
};

/* Was it a judge who ended it? Then outcome->violation says where. */
bool report_run_has_judge(const struct report_run *run);
/* The judge's name; else "the script is wrong" or "not judged"; NULL when it held. */
const char *report_run_lead(const struct report_run *run);
/* What broke the promise, or why nothing was judged, clean, for free(); "" when it held. */
char *report_run_sentence(const struct report_run *run);
/* The command that replays it, clean, for free(). */
char *report_run_replay(const struct report_run *run);

#endif
