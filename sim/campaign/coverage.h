/* How far the faults of a campaign have reached: which befell members of which role
 * and messages of which kind, and which messages passed between which roles. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_COVERAGE_H
#define SIM_CAMPAIGN_COVERAGE_H

#include "sim/campaign/tally.h"

#include <stdio.h>

/* How often the fault of that number (sim_coverage_name) happened. */
uint64_t campaign_fault_total(const struct campaign_tally *tally, uint32_t number);
/* One line: how many cells of each table were seen, and what never happened. */
void campaign_coverage_sum(FILE *out, const struct campaign_tally *tally);
/* The tables. */
void campaign_coverage_print(FILE *out, const struct campaign_tally *tally);

#endif
