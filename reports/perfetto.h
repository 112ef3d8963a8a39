/* A run as a trace for ui.perfetto.dev and chrome://tracing: Chrome's JSON format.
 *
 * A process for each member, one for all clients, one for the world; a thread for
 * each stage as far as events tell which it was. Slices are what lasts: a process's
 * life and its pauses, a role with its term, a client's call, a cut. What happens at
 * once is an instant; a message is a slice of one nanosecond at either end, with an
 * arrow between them. Term, commit and applied index, and who leads, are counters.
 * Times are simulated. It is written as the events come and kept nowhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_PERFETTO_H
#define REPORTS_PERFETTO_H

#include "reports/run.h"
#include "sim/record.h"

#include <stdio.h>

struct report_perfetto;

/* `run` and `out` are borrowed to the end. */
struct report_perfetto *report_perfetto_new(const struct report_run *run, FILE *out);
/* For the run, once. */
struct sim_sink *report_perfetto_sink(struct report_perfetto *perfetto);
/* End what still lasts and the file; free all. Whether all was written ferror says. */
void report_perfetto_end(struct report_perfetto *perfetto);

#endif
