/* What people call the machines of a run, learnt from its events as they pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_NAMES_H
#define SIM_CAMPAIGN_NAMES_H

#include "sim/options.h"
#include "sim/record.h"

enum { CAMPAIGN_NAME_MAX = 16 };

struct campaign_known_id {
    uint64_t id;
    uint32_t machine;
};

/* Zero-initialise. */
struct campaign_names {
    struct campaign_known_id *ids; /* Member ids, in order of their appearance. */
    size_t id_count;
};

void campaign_names_release(struct campaign_names *names);
void campaign_names_learn(struct campaign_names *names, const struct sim_event *event);
/* "world", "m3", "c67". */
void campaign_names_machine(uint32_t machine, char out[CAMPAIGN_NAME_MAX]);
/* What happened, in words, without time and machine. */
void campaign_names_text(const struct campaign_names *names, const struct sim_event *event, char *out,
                         size_t size);

#endif
