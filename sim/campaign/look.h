/* A second look at runs that failed: the same seeds once more, with the events that
 * matter kept this time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_LOOK_H
#define SIM_CAMPAIGN_LOOK_H

#include "sim/campaign/tally.h"

enum {
    CAMPAIGN_LOOKS_MAX = 8,   /* Failures of one scenario that are looked at again. */
    CAMPAIGN_EVENTS_MAX = 240 /* Events kept of each. */
};

struct campaign_look {
    const struct script_param *params;
    uint32_t param_count;
    uint32_t jobs;
};

/* Fill in the events of the tally's first failures; where two runs parted, its
 * sentence says at which event. What cannot be repeated stays without. */
void campaign_look_again(const struct campaign_look *look, struct campaign_tally *tally);

#endif
