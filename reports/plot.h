/* gnuplot's script for the figure of one experiment. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_PLOT_H
#define REPORTS_PLOT_H

#include "sim/campaign/tally.h"

#include <stdio.h>

/* One experiment: its closed tallies, a point each, in the order of the grid. */
struct report_experiment {
    const struct script_scenario *whole;
    const struct campaign_tally *tallies;
    size_t count;
    const char *slug; /* Of its files' names. */
};

/* false: it has no figure, or there is nothing to draw. */
bool report_plot(const struct report_experiment *experiment, FILE *out);

#endif
