/* What is asked of all seeds of a scenario together: that something happens in one
 * of them at least (`sometimes`), that judges and faults had a part (`arms`), that a
 * hazard shows itself (`shows`), that a statistic lies where it should (`expect`). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_DEMAND_H
#define SIM_CAMPAIGN_DEMAND_H

#include "sim/campaign/tally.h"

enum campaign_demand_state {
    CAMPAIGN_MET,
    CAMPAIGN_UNMET,
    CAMPAIGN_OPEN, /* Fewer seeds ran than the scenario asks for. */
    CAMPAIGN_PARTS /* It lies elsewhere, as it is known to, for the reason given. */
};

/* "met", "unmet", "open", "parts". */
const char *campaign_demand_word(enum campaign_demand_state state);

struct campaign_demand {
    enum campaign_demand_state state;
    char sentence[512];
};

/* How many demands a closed tally has, and the one in slot `slot`. */
size_t campaign_demand_count(const struct campaign_tally *tally);
void campaign_demand_get(const struct campaign_tally *tally, size_t slot, struct campaign_demand *out);
/* The statistic that a row of `expect` is about; NAN: no value, or no such statistic.
 * And how it stands. */
double campaign_expect_found(const struct campaign_tally *tally, const struct script_expect *expect);
enum campaign_demand_state campaign_expect_state(const struct campaign_tally *tally,
                                                 const struct script_expect *expect);
/* Is any of them unmet? */
bool campaign_demand_fails(const struct campaign_tally *tally);

#endif
