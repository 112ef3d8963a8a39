/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/ring.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/relevant.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512 };

/* A partition is many links at one instant: one row for all of them. */
static bool is_of_links(enum sim_event_kind kind)
{
    return kind == SIM_EVENT_CUT || kind == SIM_EVENT_HEAL || kind == SIM_EVENT_LINK;
}

static bool join_last(struct campaign_ring *ring, const struct sim_event *event)
{
    if (ring->count == 0 || ring->last_kind != event->kind || !is_of_links(event->kind)) {
        return false;
    }
    struct campaign_event *row = &ring->events[(ring->count - 1) % ring->capacity];
    if (row->time_ns != event->time_ns) {
        return false;
    }
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof text, "%.*s, and %" PRIu32 " more", (int)ring->last_size, row->text,
                   ++ring->more);
    free(row->text);
    row->text = campaign_text_copy(text);
    return true;
}

static void keep(void *context, const struct sim_event *event)
{
    struct campaign_ring *ring = context;
    campaign_names_learn(&ring->names, event);
    if (event->time_ns > ring->until_ns || (campaign_group_of(event->kind) & ring->groups) == 0) {
        return;
    }
    if (join_last(ring, event)) {
        return;
    }
    char text[TEXT_MAX];
    campaign_names_text(&ring->names, event, text, sizeof text);
    struct campaign_event *row = &ring->events[ring->count % ring->capacity];
    free(row->text);
    *row = (struct campaign_event){.time_ns = event->time_ns,
                                   .number = event->number,
                                   .machine = event->machine,
                                   .text = campaign_text_copy(text)};
    campaign_names_machine(event->machine, row->member);
    ring->count++;
    ring->last_kind = event->kind;
    ring->last_size = strlen(text);
    ring->more = 0;
}

void campaign_ring_init(struct campaign_ring *ring, size_t capacity, uint32_t groups, uint64_t until_ns)
{
    assert(capacity > 0);
    *ring = (struct campaign_ring){.capacity = capacity, .groups = groups, .until_ns = until_ns};
    ring->sink = (struct sim_sink){.context = ring, .event = keep};
    ring->events = campaign_alloc(capacity * sizeof ring->events[0]);
}

void campaign_ring_release(struct campaign_ring *ring)
{
    if (ring->events) {
        campaign_events_free(ring->events, ring->capacity);
    }
    campaign_names_release(&ring->names);
    *ring = (struct campaign_ring){0};
}

struct campaign_event *campaign_ring_take_events(struct campaign_ring *ring, size_t *count)
{
    size_t kept = ring->count < ring->capacity ? (size_t)ring->count : ring->capacity;
    struct campaign_event *events = campaign_alloc(kept * sizeof events[0]);
    for (size_t i = 0; i < kept; i++) {
        struct campaign_event *row = &ring->events[(ring->count - kept + i) % ring->capacity];
        events[i] = *row;
        row->text = NULL;
    }
    ring->count = 0;
    *count = kept;
    return events;
}

void campaign_events_free(struct campaign_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(events[i].text);
    }
    free(events);
}

void campaign_events_print(const struct campaign_event *events, size_t count, size_t limit, FILE *out)
{
    size_t first = count > limit ? count - limit : 0;
    fprintf(out, "  %16s  %-7s  %s\n", "time", "member", "what");
    for (size_t i = first; i < count; i++) {
        const struct campaign_event *row = &events[i];
        fprintf(out, "  %5" PRIu64 ".%09" PRIu64 "s  %-7s  %s\n", row->time_ns / 1000000000,
                row->time_ns % 1000000000, row->member, row->text);
    }
}
