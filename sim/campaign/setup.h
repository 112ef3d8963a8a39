/* What a scenario's own demand stands on. A judge's promise holds whatever is done; a
 * demand is made of a cluster that has been put right again, and of what a client has
 * written before. To leave that out would break another one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_SETUP_H
#define SIM_CAMPAIGN_SETUP_H

#include "sim/campaign/schedule.h"

/* Is `act` to stay behind these: a call on the way to the demand, the demand itself, or
 * the end of a fault that is among them? */
bool campaign_setup_is_needed(const struct campaign_act *before, size_t count,
                              const struct campaign_act *act);

#endif
