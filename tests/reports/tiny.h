/* A run of a few events, told by hand: two members and a client, an election, a lost
 * message, a cut, a pause, a crash, a call, and a promise broken at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_REPORTS_TINY_H
#define TESTS_REPORTS_TINY_H

#include "reports/run.h"

struct tiny {
    struct campaign_plan_options plan;
    struct script_scenario scenario;
    struct script_outcome outcome;
    struct script_param drawn[1];
    struct campaign_failure failure;
    struct report_run run;
};

enum { TINY_EVENTS = 27 };

void tiny_init(struct tiny *tiny);
/* All its events, as a recorder would tell them. */
void tiny_tell(struct sim_sink *sink);

#endif
