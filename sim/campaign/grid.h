/* An experiment taken apart: each point of its grid is a scenario of its own, with a
 * name that says which ("… [spread=5]") and what is expected of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_GRID_H
#define SIM_CAMPAIGN_GRID_H

#include "sim/script/script.h"

/* The scenario of one point, for campaign_grid_free; what it does not own is the
 * experiment's. */
struct script_scenario *campaign_grid_scenario(const struct script_scenario *experiment, uint32_t point);
void campaign_grid_free(struct script_scenario *scenario);

/* "members=3 spread=5", "" for an experiment without a grid; for free(). */
char *campaign_grid_text(const struct script_scenario *experiment, uint32_t point);
/* The slot of an axis by its name; axis_count: there is none. */
uint32_t campaign_grid_axis(const struct script_scenario *experiment, const char *name);

#endif
