/* One line on a terminal that says how far a campaign is; elsewhere nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PROGRESS_H
#define SIM_CAMPAIGN_PROGRESS_H

#include "sim/campaign/campaign.h"

#include <stdio.h>

struct campaign_progress {
    FILE *out;
    bool is_shown; /* `out` is a terminal. */
    bool is_there; /* The line stands on the screen now. */
};

void campaign_progress_init(struct campaign_progress *progress, FILE *out);
void campaign_progress_show(struct campaign_progress *progress, const struct campaign *campaign);
/* Take the line away before anything else is written. */
void campaign_progress_clear(struct campaign_progress *progress);

#endif
