/* The promises of the documentation, and what the scenarios that carry them came to:
 * one row a claim, over all its scenarios and seeds. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_CLAIMS_H
#define SIM_CAMPAIGN_CLAIMS_H

#include "sim/campaign/campaign.h"

struct campaign_claim {
    const char *id;
    const char *promise; /* "" when it is none of the documentation's. */
    const char *verdict; /* As campaign_verdict_text, over all that carry it. */
    size_t scenario_count;
    uint64_t runs;
};

struct campaign_claims {
    struct campaign_claim *rows; /* The documentation's in its order, then others by name. */
    size_t count;
};

/* Look at all scenarios of a campaign that is over; the texts remain the scenarios'. */
void campaign_claims_init(struct campaign_claims *claims, const struct campaign *campaign);
void campaign_claims_release(struct campaign_claims *claims);

/* Does the scenario carry this claim? */
bool campaign_claim_is_carried(const struct script_scenario *scenario, const char *claim);
/* Is a metric one of the figures that matter for a claim of the scenario's? Those
 * that `measures` names for it; all, when the scenario has no `measures`. */
bool campaign_claim_is_measured(const struct script_scenario *scenario, const char *claim,
                                const char *metric);
/* Is the note of the scenario in this slot new among those that carry the claim? */
bool campaign_claim_has_note(const struct campaign *campaign, size_t slot, const char *claim);

/* A promise of the documentation; NULL past the last. */
struct campaign_promise {
    const char *id;
    const char *promise;
    const char *without; /* Mechanisms without which it falls, separated by ", ". */
};
const struct campaign_promise *campaign_promise(size_t slot);

#endif
