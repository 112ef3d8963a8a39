/* What a scenario did to its world in one run: the materialised schedule. Each call of
 * a method is an act: Lua that says the same with literal arguments, the time it was
 * made at, and the name that later acts know its result by. Members are m1, m2 …,
 * clients cli1 …, leases lease1 …; c is the cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_TAPE_H
#define SIM_SCRIPT_TAPE_H

#include "sim/script/script.h"

enum { SCRIPT_TAPE_OPTIONS = 8, SCRIPT_TAPE_WHY = 128 };

struct script_act {
    uint64_t time_ns;
    uint64_t order;            /* Among those of one time; equal: as they stand in the list. */
    char *text;                /* "cli1:put(\"a\", \"b\")" */
    char *point;               /* Not at a time but at a point: "at(\"before:sync\", {…}"; else NULL. */
    char *name;                /* "lease1"; NULL: it has no result, or none that matters. */
    uint64_t task;             /* The coroutine that did it; 0: a callback. */
    bool waits;                /* For the world: it is to be spawned. */
    bool is_demand;            /* It does nothing and may fail the scenario. */
    bool is_polled;            /* A call that eventually or always makes again and again. */
    bool is_void;              /* It was refused, or was a demand that came true. */
    char why[SCRIPT_TAPE_WHY]; /* What of it cannot be written down; "" nothing. */
};

/* A table of the scenario: "network", "{ loss = 0.1 }". */
struct script_tape_option {
    const char *name; /* Static. */
    char *text;       /* NULL: not said. */
};

struct script_tape {
    struct script_tape_option options[SCRIPT_TAPE_OPTIONS];
    struct script_act *acts;
    uint32_t act_count, act_capacity;
    uint32_t members; /* That there were from the start, learners among them. */
    uint64_t end_ns;  /* When the last of the script's coroutines had returned, or the run was over. */
    bool is_ended;    /* The former. */
    /* While it runs. What is done at the very time of an event that it answers to must
     * come after that event when it is done by the clock: each such instant puts all
     * that follows off by a nanosecond. */
    uint64_t delay_ns;
    uint64_t now_ns; /* Of the last act. */
    uint64_t task;
    bool has_waited; /* The last act waits: what comes next stands behind its start. */
    char why[SCRIPT_TAPE_WHY];
};

void script_tape_init(struct script_tape *tape);
void script_tape_release(struct script_tape *tape);

#endif
