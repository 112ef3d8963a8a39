/* The two pictures of a report, drawn inline: how a metric is distributed over the
 * seeds, and what happened to whom before a failure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#include "sim/campaign/tally.h"

#include <stdio.h>

/* A small histogram of a closed tally's metric, with its median marked. */
void report_svg_distribution(const struct campaign_metric *metric, FILE *out);
/* A lane for each machine, a mark for each event; what happened is in its title. */
void report_svg_timeline(const struct campaign_failure *failure, FILE *out);

#endif
