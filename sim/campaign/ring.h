/* The last events of a run that matter: a sink that keeps a bounded number of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_RING_H
#define SIM_CAMPAIGN_RING_H

#include "sim/campaign/names.h"
#include "sim/campaign/tally.h"

#include <stdio.h>

struct campaign_ring {
    struct sim_sink sink; /* Give this to the run. */
    struct campaign_names names;
    struct campaign_event *events; /* A ring of `capacity`. */
    size_t capacity;
    uint64_t count; /* Events ever kept. */
    enum sim_event_kind last_kind;
    size_t last_size;  /* Of the last row's text, without */
    uint32_t more;     /* those that joined it. */
    uint32_t groups;   /* Bits of enum campaign_group: what is kept, */
    uint64_t until_ns; /* up to here. */
};

void campaign_ring_init(struct campaign_ring *ring, size_t capacity, uint32_t groups, uint64_t until_ns);
void campaign_ring_release(struct campaign_ring *ring);
/* What was kept, oldest first; now the caller's (campaign_events_free). */
struct campaign_event *campaign_ring_take_events(struct campaign_ring *ring, size_t *count);
void campaign_events_free(struct campaign_event *events, size_t count);

/* Rows of (time, member, what), the last `limit` of them. */
void campaign_events_print(const struct campaign_event *events, size_t count, size_t limit, FILE *out);

#endif
