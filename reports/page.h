/* A run as a page for people: a space-time diagram that stands on its own. No request
 * to anywhere; light or dark as its reader's machine is. What draws it is in
 * reports/page/; this writes the events for it, as they come, and keeps none.
 *
 * A page has a bounded number of events: the last ones all, and of those before only
 * what outlines the run (faults, roles, starts), the last of them. What is left out
 * it says. So it has to be known before how many there will be: a survey counts
 * them, for a run that is the same each time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_PAGE_H
#define REPORTS_PAGE_H

#include "reports/run.h"
#include "sim/record.h"

#include <stdio.h>

enum { REPORT_PAGE_EVENTS_MAX = 400000, REPORT_PAGE_OUTLINE_MAX = 100000 };

struct report_survey {
    struct sim_sink sink; /* For the run before. */
    uint64_t events;
    uint64_t outline;     /* Of them. */
    uint64_t events_max;  /* What the page may have: of all kinds, */
    uint64_t outline_max; /* and of those before, that outline the run. */
};

void report_survey_init(struct report_survey *survey);

struct report_page;

/* All borrowed to the end; nobody adds to the survey any more. */
struct report_page *report_page_new(const struct report_run *run, const struct report_survey *survey,
                                    FILE *out);
/* For the run, once. */
struct sim_sink *report_page_sink(struct report_page *page);
/* End the file; free all. Whether all was written ferror says. */
void report_page_end(struct report_page *page);

#endif
