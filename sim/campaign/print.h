/* What a campaign says on its way: a line for each scenario, the failures, the
 * figures, and at the end the sum of it all. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PRINT_H
#define SIM_CAMPAIGN_PRINT_H

#include "sim/campaign/campaign.h"

#include <stdio.h>

enum campaign_volume { CAMPAIGN_QUIET, CAMPAIGN_NORMAL, CAMPAIGN_LOUD };

struct campaign_printer {
    FILE *out;
    enum campaign_volume volume;
    bool has_colour;
    bool with_claims;
    bool with_demands; /* Those that are met, too. */
    const char *file; /* The file named last. */
};

/* Colour is for terminals, and for those who have not said NO_COLOR. */
bool campaign_wants_colour(FILE *out);
void campaign_print_scenario(struct campaign_printer *printer, const struct campaign *campaign,
                             const struct campaign_tally *tally);
void campaign_print_sum(struct campaign_printer *printer, const struct campaign *campaign);
/* Each claim of the scenarios': the verdict over all that carry it, the figures that
 * matter, and where reality is subtler than what is claimed. */
void campaign_print_claims(const struct campaign_printer *printer, const struct campaign *campaign);
/* One failure in full, with the command that replays it. */
void campaign_print_failure(const struct campaign_printer *printer, const struct campaign_plan_options *plan,
                            const struct campaign_tally *tally, const struct campaign_failure *failure);
/* The command that replays a seed, without a newline. */
void campaign_print_replay(FILE *out, const struct campaign_plan_options *plan,
                           const struct script_scenario *scenario, uint64_t seed);
/* "held", "violated", "wrong", "not judged", "shown" … */
const char *campaign_verdict_text(const struct campaign_tally *tally);

#endif
