/* A materialised schedule: a world, and what is done to it when, as a scenario that
 * stands on its own. It is made from a tape, made smaller, and printed as Lua. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_SCHEDULE_H
#define SIM_CAMPAIGN_SCHEDULE_H

#include "core/base/arena.h"
#include "sim/script/source.h"
#include "sim/script/tape.h"

/* One call; see struct script_act. Texts are the arena's, and never change. */
struct campaign_act {
    uint64_t time_ns;
    const char *text;
    const char *point; /* NULL: at its time; else from then on, at this point. */
    const char *name;  /* Of its result; NULL: none. */
    bool waits;
    bool is_demand; /* What is broken: it stays as it is. */
    bool is_setup;  /* A call on the way to it. */
};

/* Acts stand in order of time. A copy is a schedule of its own with the same texts. */
struct campaign_schedule {
    struct script_tape_option options[SCRIPT_TAPE_OPTIONS]; /* Texts are the arena's. */
    struct campaign_act *acts;
    size_t act_count;
    uint64_t end_ns;  /* The script returns then. */
    uint32_t members; /* At the start, learners among them. */
};

/* What of a tape can be done again; with demands only when they are what was broken.
 * `why` is what cannot, "" when there is nothing. */
void campaign_schedule_init(struct campaign_schedule *schedule, const struct script_tape *tape,
                            bool with_demands, struct base_arena *texts, char why[SCRIPT_TAPE_WHY]);
void campaign_schedule_copy(struct campaign_schedule *schedule, const struct campaign_schedule *from);
void campaign_schedule_release(struct campaign_schedule *schedule);

/* Take out acts from `first` on, `count` of them. */
void campaign_schedule_cut(struct campaign_schedule *schedule, size_t first, size_t count);
/* Take out what is about results of acts that are not there. */
void campaign_schedule_prune(struct campaign_schedule *schedule);
/* Number clients, leases and the like anew from 1. */
void campaign_schedule_renumber(struct campaign_schedule *schedule, struct base_arena *texts);
/* Is this the name of some act's result: "cli1", "lease12"? */
bool campaign_schedule_is_name(const char *text, size_t size);
/* The number of the member that a token names, "m12"; 0: it names none. `next` is the
 * one behind it: keys of tables are no members. */
unsigned campaign_schedule_member(const struct script_token *token, const struct script_token *next);

/* Append the scenario. Lenient: a call that is refused is noted as a metric, its number
 * in the list, and does no harm; so is one at a point that comes after the end, while
 * the world heals: "late". */
void campaign_schedule_print(const struct campaign_schedule *schedule, const char *name, bool is_lenient,
                             struct base_buffer *out);

#endif
