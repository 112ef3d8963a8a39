/* Where two runs of the same seed part: both side by side, event by event. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PART_H
#define SIM_CAMPAIGN_PART_H

#include "sim/script/script.h"

enum { CAMPAIGN_PART_MAX = 512 };

/* Run a seed twice, in processes of their own: one in fresh memory, one in memory
 * that has seen this seed before. `out` says at which event they part, or that
 * they do not. Counts `*steps` up as it goes. */
void campaign_part(const struct script_file *file, uint32_t number, const struct script_run_options *options,
                   volatile uint64_t *steps, char out[CAMPAIGN_PART_MAX]);

#endif
