/* One run of one scenario: the coroutines that are under way, what each waits for,
 * and what they have found. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_RUN_H
#define SIM_SCRIPT_RUN_H

#include "core/base/arena.h"
#include "sim/script/state.h"

struct script_task;
struct script_hold;
struct script_trigger;

/* What a task waits for; each task has one. It is over when it was answered, when
 * `is_true` holds, or when its deadline comes. */
struct script_wait {
    struct script_task *task;
    const char *what; /* For naming who still waits: "sleep", "cli:put" … */
    bool is_waiting;
    bool is_late;   /* The deadline came first. */
    uint64_t timer; /* 0: none. */
    /* Asked after changes in the world; NULL: only an answer or the deadline. */
    bool (*is_true)(struct script_run *run, struct script_wait *wait);
    const void *object;          /* What `is_true` looks at. */
    uint64_t number;             /* Likewise. */
    uint64_t members;            /* Likewise, bits by number; 0: all that live. */
    uint64_t within_ns;          /* For saying what was not in time. */
    struct wire_message *answer; /* Of a call: a flat copy of the response. */
    size_t answer_bytes;
    bool is_unknown;
};

/* A coroutine of the scenario: run, what it spawned, calls made by async. */
struct script_task {
    struct script_task *next;       /* All, by age. */
    struct script_task *next_ready; /* Those that can go on, in the order they came to. */
    bool is_ready;
    lua_State *thread;
    int reference;             /* Keeps the thread. */
    uint64_t number;           /* From 1, in the order they were spawned. */
    int arguments;             /* It is to be started with; 0 later. */
    struct script_place place; /* Where it was spawned. */
    struct script_wait wait;
};

struct script_run {
    struct script_state *state;
    struct sim_world *world;
    struct base_arena *arena; /* What the world may point to, until it is made anew. */
    struct script_task *tasks, **tasks_end;
    struct script_task *ready, **ready_end;
    struct script_task *current;
    struct script_task *free_tasks;
    uint64_t spawned;
    struct script_place start;       /* Of the scenario. */
    bool has_changed;                /* Something that waits look at, beside the world. */
    struct script_hold *holds;       /* Of locks, the newest first. */
    struct script_trigger *triggers; /* Of at and when, the oldest first. */
    bool has_failed;                 /* A callback has: why is in `failure`. */
    char failure[SCRIPT_TEXT_MAX];
    struct sim_boot *boots; /* By number: what c:bootstrap has told members. */
    bool has_boots;
    sim_machine_number admin; /* The client that cluster operations use; 0: none yet. */
    uint32_t restores;        /* How many backups were restored: each makes a cluster of its own. */
    uint64_t admin_members;   /* Whom it knows, a bit each. */
    uint64_t expects;
    uint32_t metric_count, metric_capacity;
    struct script_metric *metrics;
    uint32_t sometimes_count, sometimes_capacity;
    struct script_sometimes *sometimes;
};

/* The run under way; an error when a file is only read. */
struct script_run *script_run_check(lua_State *lua, const char *call);
bool script_run_is_task(const struct script_run *run, const lua_State *lua);
/* Spawn the function that stands below its `count` arguments on top of the stack;
 * pops all. It starts when the current task waits. */
struct script_task *script_run_spawn(lua_State *lua, struct script_run *run, int count);

/* A promise of the scenario is broken: the run ends, with what is said as its
 * finding, behind the script's file and line. */
_Noreturn void script_fail(lua_State *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prepare a wait; an error where nothing may wait. */
struct script_wait *script_wait_begin(lua_State *lua, const char *what);
/* Wait until it is over; then `then` goes on, with the wait as its context. When
 * `is_true` holds at once, nobody waits. `deadline_ns` UINT64_MAX: never. */
int script_wait(lua_State *lua, struct script_wait *wait, uint64_t deadline_ns, lua_KFunction then);
/* Somebody else's event ends the wait. */
void script_wait_wake(struct script_run *run, struct script_wait *wait);

/* Call the cluster from a client (over one member's connection unless `member` is
 * 0) and wait for the answer, which is `wait->answer` in `then`. */
int script_wait_call(lua_State *lua, const char *what, sim_machine_number client, sim_machine_number member,
                     const struct wire_request *request, lua_KFunction then);
/* Wait for a lock, as client_lock does; the answer has its revision. */
int script_wait_lock(lua_State *lua, const char *what, sim_machine_number client, struct base_bytes name,
                     int64_t lease, uint64_t within_ns, lua_KFunction then);
/* The response of an ended call. */
const struct wire_response *script_wait_response(const struct script_wait *wait);
/* Push `false, err` for an ended call. */
int script_push_failure(lua_State *lua, const char *code, bool is_unknown);

/* After changes in the world: ask what `when` watches. */
void script_triggers_look(struct script_run *run);

#endif
