/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/claims.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/print.h"

#include <stdlib.h>
#include <string.h>

static const struct campaign_promise promises[] = {
#define CLAIM(id, promise, without) {id, promise, without},
#include "sim/campaign/claims.def"
};

enum { PROMISES = sizeof promises / sizeof promises[0] };

const struct campaign_promise *campaign_promise(size_t slot)
{
    return slot < PROMISES ? &promises[slot] : NULL;
}

/* Its place in the documentation; PROMISES when it is not there. */
static size_t place_of(const char *id)
{
    size_t place = 0;
    while (place < PROMISES && strcmp(promises[place].id, id) != 0) {
        place++;
    }
    return place;
}

/* Negative, zero or positive: the order of two claims. */
static int compare(const char *a, const char *b)
{
    size_t left = place_of(a);
    size_t right = place_of(b);
    if (left != right) {
        return left < right ? -1 : 1;
    }
    return strcmp(a, b);
}

bool campaign_claim_is_carried(const struct script_scenario *scenario, const char *claim)
{
    for (const char *const *at = scenario->claims; at && *at; at++) {
        if (strcmp(*at, claim) == 0) {
            return true;
        }
    }
    return false;
}

bool campaign_claim_is_measured(const struct script_scenario *scenario, const char *claim, const char *metric)
{
    size_t size = strlen(claim);
    if (!scenario->measures) {
        return true;
    }
    for (const char *const *at = scenario->measures; *at; at++) {
        /* "claim metric" */
        if (strncmp(*at, claim, size) == 0 && (*at)[size] == ' ' && strcmp(*at + size + 1, metric) == 0) {
            return true;
        }
    }
    return false;
}

bool campaign_claim_has_note(const struct campaign *campaign, size_t slot, const char *claim)
{
    const struct script_scenario *scenario = campaign->tallies[slot].scenario;
    if (!scenario->note || !campaign_claim_is_carried(scenario, claim)) {
        return false;
    }
    for (size_t i = 0; i < slot; i++) {
        const struct script_scenario *before = campaign->tallies[i].scenario;
        if (before->note && campaign_claim_is_carried(before, claim) &&
            strcmp(before->note, scenario->note) == 0) {
            return false;
        }
    }
    return true;
}

/* The row of a claim, which is put in its place when it is new. */
static struct campaign_claim *row_of(struct campaign_claims *claims, const char *id)
{
    size_t place = 0;
    while (place < claims->count && compare(claims->rows[place].id, id) < 0) {
        place++;
    }
    if (place < claims->count && strcmp(claims->rows[place].id, id) == 0) {
        return &claims->rows[place];
    }
    claims->rows = campaign_grow(claims->rows, claims->count, sizeof claims->rows[0]);
    memmove(claims->rows + place + 1, claims->rows + place, (claims->count - place) * sizeof claims->rows[0]);
    claims->count++;
    size_t known = place_of(id);
    claims->rows[place] = (struct campaign_claim){.id = id,
                                                  .promise = known < PROMISES ? promises[known].promise : "",
                                                  .verdict = "held"};
    return &claims->rows[place];
}

void campaign_claims_init(struct campaign_claims *claims, const struct campaign *campaign)
{
    *claims = (struct campaign_claims){0};
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        for (const char *const *id = tally->scenario->claims; id && *id; id++) {
            struct campaign_claim *row = row_of(claims, *id);
            const char *own = campaign_verdict_text(tally);
            /* A violation outweighs whatever else was not as it should be. */
            if (strcmp(own, "held") != 0 && strcmp(row->verdict, "violated") != 0) {
                row->verdict = own;
            }
            row->scenario_count++;
            row->runs += tally->runs;
        }
    }
}

void campaign_claims_release(struct campaign_claims *claims)
{
    free(claims->rows);
    *claims = (struct campaign_claims){0};
}
