/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/flight.h"

#include "core/wire/wire.h"
#include "sim/campaign/memory.h"
#include "sim/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A link has a member at one end, so two tables hold all: by member and machine, for
 * what goes to the member and for what comes from it. */
enum {
    NEAR = SIM_MEMBERS_MAX + 1,
    FAR = SIM_MACHINES_MAX + 1,
    LINKS = 2 * NEAR * FAR,
    LATE_NS = 10000000, /* Said so long before a start, it came before it. */
    SAYS = 5            /* What a message says: is it Raft's; then its fields after the machine. */
};

struct open_message {
    uint64_t number;  /* Of the event that sent it, */
    uint64_t time_ns; /* and its time. */
    uint64_t says[SAYS];
};

/* Oldest first. */
struct link {
    struct open_message *open;
    size_t count;
    uint64_t cut; /* The event that cut it while its receiver was paused; 0: none. */
};

struct report_flight {
    struct link *links[LINKS]; /* NULL: nothing was ever sent there. */
    bool is_paused[FAR];
};

struct report_flight *report_flight_new(void)
{
    return campaign_alloc(sizeof(struct report_flight));
}

void report_flight_free(struct report_flight *flight)
{
    for (size_t i = 0; i < LINKS; i++) {
        if (flight->links[i]) {
            free(flight->links[i]->open);
            free(flight->links[i]);
        }
    }
    free(flight);
}

/* LINKS: no such link can be. */
static size_t slot_of(uint64_t from, uint64_t to)
{
    if (from < FAR && to < NEAR) {
        return (size_t)(from * NEAR + to);
    }
    return from < NEAR && to < FAR ? (size_t)((FAR + to) * NEAR + from) : LINKS;
}

static struct link *link_of(const struct report_flight *flight, uint64_t from, uint64_t to)
{
    size_t slot = slot_of(from, to);
    return slot == LINKS ? NULL : flight->links[slot];
}

static void open_add(struct report_flight *flight, const struct sim_event *event)
{
    size_t slot = slot_of(event->machine, event->fields[0]);
    if (slot == LINKS) {
        return;
    }
    struct link *link = flight->links[slot];
    if (!link) {
        link = campaign_alloc(sizeof *link);
        flight->links[slot] = link;
    }
    if (link->count == REPORT_FLIGHT_MAX) {
        link->count--;
        memmove(link->open, link->open + 1, link->count * sizeof link->open[0]);
    } else {
        link->open = campaign_grow(link->open, link->count, sizeof link->open[0]);
    }
    struct open_message *open = &link->open[link->count++];
    *open = (struct open_message){.number = event->number,
                                  .time_ns = event->time_ns,
                                  .says = {event->kind == SIM_EVENT_SEND}};
    for (size_t i = 1; i < SAYS; i++) {
        open->says[i] = event->fields[i];
    }
}

static uint64_t open_take(struct link *link, size_t at)
{
    uint64_t number = link->open[at].number;
    link->count--;
    memmove(link->open + at, link->open + at + 1, (link->count - at) * sizeof link->open[0]);
    return number;
}

static uint64_t receive(const struct report_flight *flight, const struct sim_event *event)
{
    struct link *link = link_of(flight, event->fields[0], event->machine);
    uint64_t says[SAYS] = {event->kind == SIM_EVENT_RECEIVE};
    memcpy(says + 1, event->fields + 1, (SAYS - 1) * sizeof says[0]);
    for (size_t i = 0; link && i < link->count; i++) {
        if (memcmp(link->open[i].says, says, sizeof says) == 0) {
            return open_take(link, i);
        }
    }
    return 0;
}

/* What is lost is named by its kind only. Where it was sent just now it is that one,
 * else the one that was to arrive first. */
static uint64_t lose(const struct report_flight *flight, uint64_t from, uint64_t to,
                     const struct sim_event *event)
{
    struct link *link = link_of(flight, from, to);
    if (!link || link->count == 0) {
        return 0;
    }
    if (link->open[link->count - 1].number == event->number - 1) {
        return open_take(link, link->count - 1);
    }
    bool is_raft = event->fields[1] == WIRE_RAFT;
    for (size_t i = 0; i < link->count; i++) {
        const uint64_t *says = link->open[i].says;
        if (is_raft ? says[0] == 1 : says[0] == 0 && says[1] == event->fields[1]) {
            return open_take(link, i);
        }
    }
    return 0;
}

/* Forget the oldest, `count` of them. */
static void forget(struct link *link, size_t count)
{
    link->count -= count;
    memmove(link->open, link->open + count, link->count * sizeof link->open[0]);
    link->cut = 0;
}

/* How many were sent before an event. */
static size_t count_before(const struct link *link, uint64_t number)
{
    size_t count = 0;
    while (count < link->count && link->open[count].number < number) {
        count++;
    }
    return count;
}

/* Some of what is open may have arrived where it waits, some is lost: which, nobody
 * says before the machine goes on. */
static void cut_or_heal(struct report_flight *flight, const struct sim_event *event)
{
    struct link *link = link_of(flight, event->fields[0], event->fields[1]);
    if (!link || link->count == 0) {
        return;
    }
    bool is_paused = flight->is_paused[event->fields[1]];
    if (event->kind == SIM_EVENT_CUT && is_paused) {
        link->cut = event->number;
    } else if (event->kind == SIM_EVENT_CUT) {
        forget(link, link->count);
    } else if (link->cut > 0 && !is_paused) {
        forget(link, count_before(link, link->cut));
    }
}

static void start(struct report_flight *flight, const struct sim_event *event)
{
    flight->is_paused[event->machine] = false;
    for (uint32_t from = 1; from < FAR; from++) {
        struct link *link = link_of(flight, from, event->machine);
        size_t count = 0;
        while (link && count < link->count && link->open[count].time_ns + LATE_NS < event->time_ns) {
            count++;
        }
        if (count > 0) {
            forget(link, count);
        }
    }
}

/* Most kinds of events are nothing to this. */
uint64_t report_flight_match(struct report_flight *flight, const struct sim_event *event)
{
    assert(event->number > 0);
    if (event->kind == SIM_EVENT_SEND || event->kind == SIM_EVENT_SEND_STREAM) {
        open_add(flight, event);
    } else if (event->kind == SIM_EVENT_RECEIVE || event->kind == SIM_EVENT_RECEIVE_STREAM) {
        return receive(flight, event);
    } else if (event->kind == SIM_EVENT_LOSE) {
        return lose(flight, event->machine, event->fields[0], event);
    } else if (event->kind == SIM_EVENT_REFUSE) {
        return lose(flight, event->fields[0], event->machine, event);
    } else if (event->kind == SIM_EVENT_CUT || event->kind == SIM_EVENT_HEAL) {
        cut_or_heal(flight, event);
    } else if (event->kind == SIM_EVENT_PAUSE || event->kind == SIM_EVENT_RESUME) {
        flight->is_paused[event->machine] = event->kind == SIM_EVENT_PAUSE;
    } else if (event->kind == SIM_EVENT_START || event->kind == SIM_EVENT_RESTART) {
        start(flight, event);
    }
    return 0;
}
