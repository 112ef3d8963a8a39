/* How far the faults of a campaign have reached: which befell members of which role
 * and messages of which kind, and which messages passed between which roles. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_COVERAGE_H
#define SIM_CAMPAIGN_COVERAGE_H

#include "sim/campaign/tally.h"

#include <stdio.h>

/* How many cells of each table were seen, of how many that can be. */
struct campaign_coverage {
    uint32_t on_roles, on_roles_possible; /* Fault × role. */
    uint32_t on_kinds, on_kinds_possible; /* Fault × kind of message that passed at all. */
    uint32_t kinds;                       /* Of messages that passed, */
    uint32_t pairs;                       /* and kind × sender × receiver. */
};

struct campaign_coverage campaign_coverage(const struct campaign_tally *tally);
/* How often a kind of message arrived at all. */
uint64_t campaign_passed_total(const struct campaign_tally *tally, uint32_t message);
/* How often the fault of that number (sim_coverage_name) happened. */
uint64_t campaign_fault_total(const struct campaign_tally *tally, uint32_t number);
/* One line: how many cells of each table were seen, and what never happened. */
void campaign_coverage_sum(FILE *out, const struct campaign_tally *tally);
/* The tables. */
void campaign_coverage_print(FILE *out, const struct campaign_tally *tally);

#endif
