/* A stage that is slow alone. Usually a member's five stages share its processor,
 * and whatever is slow holds up everything. A slow stage waits for something of
 * its own instead (a lock, a slow library, a long pass over its data): its turns
 * come late and one by one while the others go on, which is where two stages
 * disagree about what is the case. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "core/host.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_machine;
struct sim_work;

enum { SIM_USUAL_PACE = 1000 }; /* Of a stage or a processor, in thousandths. */

/* "raft" "storage" …, and NULL behind them. */
extern const char *const sim_stage_texts[HOST_STAGE_COUNT + 1];

struct sim_stage {
    uint32_t slow_thousandths; /* 0 or 1,000: it keeps the processor's pace. */
    bool is_released;          /* A turn of it waits for the processor. */
    uint64_t until_ns;         /* No turn before this instant. */
    struct sim_work *work;     /* Its turns in order, from `first`. */
    uint32_t first, count, capacity;
};

/* Pace a stage. What waits does so anew: at the usual pace, it goes at once. */
void sim_stage_set(struct sim_machine *machine, enum host_stage stage, uint32_t thousandths);
/* Which stage does this? HOST_STAGE_COUNT: none alone (what clients ask, timers). */
enum host_stage sim_stage_of(const struct sim_machine *machine, const struct sim_work *work);
/* Is the work to come later? Then the stage has it. */
bool sim_stage_holds(struct sim_machine *machine, const struct sim_work *work);
/* A turn is over that cost so much. */
void sim_stage_charge(struct sim_machine *machine, enum host_stage stage, uint64_t cost_ns);
/* Their instants may have come: let the next turns go to the processor. */
void sim_stages_look(struct sim_machine *machine);
/* Forget what waits. The paces stay. */
void sim_stages_drop(struct sim_machine *machine);
void sim_stages_release(struct sim_machine *machine);

#endif
