/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/run.h"

#include "sim/export.h"
#include "sim/load.h"
#include "sim/script/file.h"
#include "sim/script/object.h"
#include "sim/script/taping.h"
#include "sim/script/text.h"
#include "sim/trap.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What lives from run to run. */
struct script_worlds {
    struct sim_world *world;
    struct base_arena arena; /* Holds what the last run's world may still point to. */
    struct sim_options options;
};

struct script_run *script_run_check(lua_State *lua, const char *call)
{
    struct script_run *run = script_state_of(lua)->run;
    if (!run) {
        script_error(lua, "%s: found at the top of a file, expected inside of a scenario's run", call);
    }
    return run;
}

bool script_run_is_task(const struct script_run *run, const lua_State *lua)
{
    return run->current && run->current->thread == lua;
}

/* --- tasks --- */

static void make_ready(struct script_run *run, struct script_task *task)
{
    assert(!task->is_ready);
    task->is_ready = true;
    task->next_ready = NULL;
    *run->ready_end = task;
    run->ready_end = &task->next_ready;
}

struct script_task *script_run_spawn(lua_State *lua, struct script_run *run, int count)
{
    struct script_task *task = run->free_tasks;
    lua_State *thread = lua_newthread(lua);
    int reference = luaL_ref(lua, LUA_REGISTRYINDEX);
    if (!lua_checkstack(thread, count + 1)) {
        script_error(lua, "spawn: found too many arguments");
    }
    lua_xmove(lua, thread, count + 1);
    if (task) {
        run->free_tasks = task->next;
    } else {
        task = base_arena_alloc(run->arena, sizeof *task);
    }
    *task = (struct script_task){.thread = thread,
                                 .reference = reference,
                                 .number = ++run->spawned,
                                 .arguments = count,
                                 .place = run->start};
    task->wait.task = task;
    (void)script_where(lua, &task->place, NULL);
    *run->tasks_end = task;
    run->tasks_end = &task->next;
    make_ready(run, task);
    return task;
}

static void end_task(struct script_run *run, struct script_task *task)
{
    struct script_task **at = &run->tasks;
    while (*at != task) {
        at = &(*at)->next;
    }
    *at = task->next;
    if (run->tasks_end == &task->next) {
        run->tasks_end = at;
    }
    luaL_unref(run->state->lua, LUA_REGISTRYINDEX, task->reference);
    task->next = run->free_tasks;
    run->free_tasks = task;
}

/* --- waits --- */

static void drop_answer(struct script_wait *wait)
{
    base_free(&script_memory, wait->answer, wait->answer_bytes);
    wait->answer = NULL;
}

struct script_wait *script_wait_begin(lua_State *lua, const char *what)
{
    struct script_run *run = script_run_check(lua, what);
    if (!lua_isyieldable(lua) || !run->current) {
        script_error(
            lua,
            "%s: found where nothing may wait (a callback of at or when, a comparison, a metamethod); "
            "expected inside of run or of what it spawns",
            what);
    }
    struct script_wait *wait = &run->current->wait;
    assert(!wait->is_waiting);
    drop_answer(wait);
    *wait = (struct script_wait){.task = run->current, .what = what};
    return wait;
}

static void forget_timer(struct script_run *run, struct script_wait *wait)
{
    if (wait->timer != 0) {
        sim_world_cancel(run->world, wait->timer);
        wait->timer = 0;
    }
}

void script_wait_wake(struct script_run *run, struct script_wait *wait)
{
    assert(wait->is_waiting);
    wait->is_waiting = false;
    forget_timer(run, wait);
    make_ready(run, wait->task);
}

static void on_deadline(void *context)
{
    struct script_wait *wait = context;
    struct script_run *run = script_state_of(wait->task->thread)->run;
    wait->timer = 0;
    wait->is_late = true;
    script_wait_wake(run, wait);
}

int script_wait(lua_State *lua, struct script_wait *wait, uint64_t deadline_ns, lua_KFunction then)
{
    struct script_state *state = script_state_of(lua);
    struct script_run *run = state->run;
    if (wait->is_true && wait->is_true(run, wait)) {
        return then(lua, LUA_OK, (lua_KContext)wait);
    }
    wait->is_waiting = true;
    if (deadline_ns != UINT64_MAX) {
        wait->timer = sim_world_at(run->world, deadline_ns, on_deadline, wait);
    }
    state->has_waited = true;
    return lua_yieldk(lua, 0, (lua_KContext)wait, then);
}

static void on_answer(void *context, const struct wire_response *response, bool is_unknown)
{
    struct script_wait *wait = context;
    struct wire_message message = {.kind = WIRE_RESPONSE, .response = *response};
    wait->is_unknown = is_unknown;
    wait->answer_bytes = wire_flat_size(&message);
    wait->answer = wire_flatten(&message, base_alloc(&script_memory, wait->answer_bytes));
    script_wait_wake(script_state_of(wait->task->thread)->run, wait);
}

int script_wait_call(lua_State *lua, const char *what, sim_machine_number client, sim_machine_number member,
                     const struct wire_request *request, lua_KFunction then)
{
    struct script_wait *wait = script_wait_begin(lua, what);
    struct script_run *run = script_state_of(lua)->run;
    wait->is_waiting = true; /* It may be answered at once. */
    if (member == 0) {
        (void)sim_client_call(run->world, client, request, on_answer, wait);
    } else if (sim_client_call_at(run->world, client, member, request, on_answer, wait) == 0) {
        wait->is_waiting = false;
        script_error(lua, "%s: found m%u, expected one of the client's endpoints", what, (unsigned)member);
    }
    script_state_of(lua)->has_waited = true;
    return lua_yieldk(lua, 0, (lua_KContext)wait, then);
}

static void on_locked(void *context, enum base_status status, int64_t revision, bool is_unknown)
{
    const struct wire_response response = {.status = status, .revision = revision};
    on_answer(context, &response, is_unknown);
}

int script_wait_lock(lua_State *lua, const char *what, sim_machine_number client, struct base_bytes name,
                     int64_t lease, uint64_t within_ns, lua_KFunction then)
{
    struct script_wait *wait = script_wait_begin(lua, what);
    wait->is_waiting = true;
    (void)sim_client_lock(script_state_of(lua)->run->world, client, name, lease, within_ns, on_locked, wait);
    script_state_of(lua)->has_waited = true;
    return lua_yieldk(lua, 0, (lua_KContext)wait, then);
}

const struct wire_response *script_wait_response(const struct script_wait *wait)
{
    assert(wait->answer && wait->answer->kind == WIRE_RESPONSE);
    return &wait->answer->response;
}

static int print_error(lua_State *lua)
{
    (void)lua_getfield(lua, 1, "code");
    return 1;
}

int script_push_failure(lua_State *lua, const char *code, bool is_unknown)
{
    lua_pushboolean(lua, 0);
    lua_createtable(lua, 0, 2);
    (void)lua_pushstring(lua, code);
    lua_setfield(lua, -2, "code");
    lua_pushboolean(lua, is_unknown);
    lua_setfield(lua, -2, "unknown");
    if (luaL_newmetatable(lua, "error") != 0) {
        lua_pushcfunction(lua, print_error);
        lua_setfield(lua, -2, "__tostring");
    }
    (void)lua_setmetatable(lua, -2);
    return 2;
}

/* --- findings --- */

_Noreturn void script_fail(lua_State *lua, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    script_doom(lua, SCRIPT_VIOLATED, "%s", text);
}

static void violate(struct script_run *run, const char *text)
{
    check_violate(sim_world_check(run->world), CHECK_EXPECT, sim_world_now(run->world), 0, "%.500s", text);
}

/* --- the loop --- */

static bool is_violated(const struct script_run *run)
{
    return check_first(sim_world_check(run->world)) != NULL;
}

/* A coroutine or a callback has failed: that is a finding, or the script's fault. */
static void take_failure(struct script_run *run, struct script_outcome *out)
{
    const struct script_state *state = run->state;
    if (state->is_doomed && state->doom == SCRIPT_VIOLATED) {
        violate(run, run->failure);
    } else {
        out->verdict = state->is_doomed ? state->doom : SCRIPT_WRONG;
        memcpy(out->error, run->failure, sizeof out->error);
    }
}

/* Let one task go on until it waits or ends. false: the run is over. */
static bool resume_task(struct script_run *run, struct script_task *task, struct script_outcome *out)
{
    run->current = task;
    int status = script_state_resume(run->state, task->thread, task->arguments);
    task->arguments = 0;
    if (task->wait.answer && !task->wait.is_waiting) {
        drop_answer(&task->wait);
    }
    if (status == LUA_YIELD) {
        run->current = NULL;
        return true;
    }
    if (status == LUA_OK) {
        run->current = NULL;
        end_task(run, task);
        return true;
    }
    script_error_text(task->thread, &task->place, run->failure);
    run->current = NULL;
    take_failure(run, out);
    return false;
}

static void look_at_waits(struct script_run *run)
{
    for (struct script_task *task = run->tasks; task; task = task->next) {
        struct script_wait *wait = &task->wait;
        if (wait->is_waiting && wait->is_true && wait->is_true(run, wait)) {
            script_wait_wake(run, wait);
        }
    }
}

/* Everything that can happen at this instant of the script. false: the run is over. */
static bool run_ready(struct script_run *run, struct script_outcome *out)
{
    do {
        while (run->ready) {
            struct script_task *task = run->ready;
            run->ready = task->next_ready;
            if (!run->ready) {
                run->ready_end = &run->ready;
            }
            task->is_ready = false;
            if (!resume_task(run, task, out) || is_violated(run)) {
                return false;
            }
        }
        bool has_changed = sim_world_take_changed(run->world);
        if (has_changed || run->has_changed) {
            run->has_changed = false;
            script_triggers_look(run);
            look_at_waits(run);
        }
        if (run->has_failed) {
            take_failure(run, out);
            return false;
        }
    } while (run->ready);
    return true;
}

/* The run has no end: say who still waits, and where. */
static void give_up(struct script_run *run, const char *why)
{
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "%.200s:%u: %s", run->start.source->path,
                                   (unsigned)run->start.line, why);
    for (const struct script_task *task = run->tasks; task && used < 400; task = task->next) {
        struct script_place place = task->place;
        (void)script_where(task->thread, &place, NULL);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %.20s at line %u",
                                 task == run->tasks ? "; still waiting:" : ",",
                                 task->wait.what ? task->wait.what : "?", (unsigned)place.line);
    }
    violate(run, text);
}

/* From the start to the end; on return the outcome is a verdict or a violation. */
static void loop(struct script_run *run, const struct script_run_options *options, struct script_outcome *out)
{
    uint64_t limit_ns = sim_world_options(run->world)->limit_ns;
    uint64_t healed_ns = 0;
    bool is_healed = false;
    while (run_ready(run, out)) {
        if (!run->tasks && !is_healed) {
            sim_loads_stop_all(run->world);
            sim_world_heal_all(run->world);
            is_healed = true;
            healed_ns = sim_world_now(run->world); /* Settling has as long again. */
            if (options->tape) {
                script_tape_end(options->tape, healed_ns, true);
            }
        }
        if (is_healed && sim_world_is_settled(run->world)) {
            return;
        }
        if (options->until_ns > 0 && sim_world_now(run->world) >= options->until_ns) {
            return;
        }
        if (options->steps) {
            (*options->steps)++;
        }
        bool has_stepped = sim_world_step(run->world);
        if (is_violated(run)) {
            return;
        }
        bool is_late = sim_world_now(run->world) - healed_ns > limit_ns;
        if (is_late || (!is_healed && !has_stepped)) {
            char limit[32];
            char why[96];
            script_text_duration(limit_ns, limit);
            (void)snprintf(why, sizeof why, "%s longer than its limit of %s",
                           is_healed ? "settling takes" : "the run is", limit);
            give_up(run, has_stepped ? why : "nothing is left that could happen");
            return;
        }
        if (!has_stepped) {
            return;
        }
    }
}

/* --- one run --- */

struct setup {
    struct script_reading *reading;
    const struct script_run_options *options;
    struct script_worlds *worlds;
    struct script_run *run;
};

/* What the file has drawn to make this world comes first in its trace. */
static void note_drawn(const struct script_run *run)
{
    char text[256];
    for (uint32_t i = 0; i < run->state->drawn_count; i++) {
        const struct script_param *drawn = &run->state->drawn[i];
        (void)snprintf(text, sizeof text, "param %.80s=%.160s", drawn->name, drawn->value);
        sim_world_note(run->world, text);
    }
}

/* In protected mode: make the world, spawn the scenario. */
static int set_up(lua_State *lua)
{
    struct setup *setup = lua_touserdata(lua, 1);
    struct script_worlds *worlds = setup->worlds;
    struct script_run *run = setup->run;
    struct script_reading *reading = setup->reading;
    run->start = reading->place;
    if (worlds->world) {
        sim_world_reset(worlds->world, &worlds->options, setup->options->seed);
    } else {
        worlds->world = sim_world_new(&worlds->options, setup->options->seed);
    }
    base_arena_reset(&worlds->arena);
    run->world = worlds->world;
    run->boots = base_arena_alloc(run->arena, (SIM_MEMBERS_MAX + 1) * sizeof *run->boots);
    memset(run->boots, 0, (SIM_MEMBERS_MAX + 1) * sizeof *run->boots);
    run->state->run = run;
    if (setup->options->tape) {
        setup->options->tape->members = sim_member_count(run->world);
    }
    if (setup->options->sink) {
        sim_recorder_add(sim_world_recorder(run->world), setup->options->sink);
    }
    note_drawn(run);
    const char *refusal = worlds->options.cluster.start_none ? NULL : sim_world_boot(run->world);
    if (refusal) {
        script_error_at(lua, &run->start, "cluster: %s", refusal);
    }
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, reading->run_reference);
    (void)script_object_new(lua, &script_cluster_class, 1);
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, reading->point_reference);
    (void)script_run_spawn(lua, run, 2);
    return 0;
}

static void fill_outcome(const struct script_run *run, struct script_outcome *out)
{
    struct sim_world *world = run->world;
    const struct check *check = sim_world_check(world);
    const struct check_violation *violation = check_first(check);
    if (violation && out->verdict == SCRIPT_HELD) {
        out->verdict = SCRIPT_VIOLATED;
        out->violation = *violation;
    }
    sim_recorder_digest(sim_world_recorder(world), out->digest);
    out->events = sim_world_events(world);
    out->time_ns = sim_world_now(world);
    sim_world_cost(world, &out->cost);
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        out->armed[judge] = check_armed(check, (enum check_judge)judge);
    }
    out->armed[CHECK_EXPECT] = run->expects;
    out->lease_margin_ns = check_lease_margin(check);
    out->coverage = base_alloc(&script_memory, sizeof *out->coverage);
    *out->coverage = *sim_world_coverage(world);
}

static struct script_worlds *worlds_new(void)
{
    struct script_worlds *worlds = base_zalloc(&script_memory, sizeof *worlds);
    base_arena_init(&worlds->arena, &script_memory);
    return worlds;
}

/* Read the file once more, for the one scenario's world and functions. */
static bool read_scenario(const struct setup *setup, struct script_outcome *out)
{
    struct script_state *state = setup->run->state;
    struct script_reading *reading = setup->reading;
    state->reading = reading;
    bool is_good = script_source_run(state, &state->sources->items[0], out->error);
    state->reading = NULL;
    if (is_good && !reading->is_found) {
        (void)snprintf(out->error, sizeof out->error, "%.700s: found no scenario number %u when run",
                       state->sources->items[0].path, (unsigned)reading->wanted);
    }
    return is_good && reading->is_found;
}

static void run_protected(const struct setup *setup, struct script_outcome *out)
{
    struct script_run *run = setup->run;
    lua_State *lua = run->state->lua;
    if (!read_scenario(setup, out)) {
        out->verdict = run->state->is_doomed ? run->state->doom : SCRIPT_WRONG;
        return;
    }
    lua_pushcfunction(lua, set_up);
    lua_pushlightuserdata(lua, (void *)(uintptr_t)setup);
    if (lua_pcall(lua, 1, 0, 0) != LUA_OK) {
        script_error_text(lua, NULL, out->error);
        out->verdict = run->state->is_doomed ? run->state->doom : SCRIPT_WRONG;
        return;
    }
    loop(run, setup->options, out);
    fill_outcome(run, out);
    const char *unwritten =
        setup->options->disks ? sim_world_export(run->world, setup->options->disks) : NULL;
    if (unwritten) {
        out->verdict = SCRIPT_UNJUDGED;
        (void)snprintf(out->error, sizeof out->error, "--disks: %.700s: cannot be written", unwritten);
    }
}

/* The core broke an assertion of its own, or was killed: the run ends where it stood.
 * Lua's state may have been in the middle of a call, and is only to be closed. */
static void report_trap(struct script_run *run, const struct sim_trap *trap, struct script_outcome *out)
{
    char what[700];
    if (trap->signal != 0) {
        (void)snprintf(what, sizeof what, "signal %d", trap->signal);
    } else {
        (void)snprintf(what, sizeof what, "%.200s:%u: %.400s", trap->file, trap->line, trap->assertion);
    }
    out->verdict = SCRIPT_HELD;
    if (!sim_world_broken(run->world, what, trap->signal == 0) && trap->signal != 0) {
        sim_trap_die(trap->signal);
    }
    fill_outcome(run, out);
    if (out->verdict == SCRIPT_HELD) {
        out->verdict = SCRIPT_UNJUDGED; /* The judge is switched off. */
        (void)snprintf(out->error, sizeof out->error, "the core ran into %s", what);
    }
}

static void run_trapped(const struct setup *setup, struct script_outcome *out)
{
    struct sim_trap trap = {.signal = 0};
    if (setjmp(trap.place) == 0) {
        sim_trap_arm(&trap);
        run_protected(setup, out);
        sim_trap_arm(NULL);
    } else {
        report_trap(setup->run, &trap, out);
    }
}

/* Answers of calls that nobody took. */
static void drop_answers(struct script_run *run)
{
    for (struct script_task *task = run->tasks; task; task = task->next) {
        if (task->wait.answer) {
            drop_answer(&task->wait);
        }
    }
}

void script_run(const struct script_file *file, uint32_t number, const struct script_run_options *options,
                struct script_worlds **worlds, struct script_outcome *out)
{
    void *before = script_locale_enter();
    *worlds = *worlds ? *worlds : worlds_new();
    *out = (struct script_outcome){.verdict = SCRIPT_HELD, .lease_margin_ns = INT64_MAX};
    struct script_run run = {.arena = &(*worlds)->arena};
    struct script_reading reading = {.file = file,
                                     .wanted = number,
                                     .point = options->point,
                                     .options = &(*worlds)->options};
    struct setup setup = {.reading = &reading, .options = options, .worlds = *worlds, .run = &run};
    run.tasks_end = &run.tasks;
    run.ready_end = &run.ready;
    run.state =
        script_state_new(script_file_sources(file), options->params, options->param_count, options->seed);
    if (options->tape) {
        script_tape_open(run.state, options->tape);
    }
    run_trapped(&setup, out);
    if (options->tape && !options->tape->is_ended) {
        script_tape_end(options->tape, out->time_ns, false);
    }
    out->metrics = run.metrics;
    out->metric_count = run.metric_count;
    out->sometimes = run.sometimes;
    out->sometimes_count = run.sometimes_count;
    out->drawn = run.state->drawn;
    out->drawn_count = run.state->drawn_count;
    run.state->drawn = NULL; /* The outcome's from here on. */
    run.state->drawn_count = 0;
    drop_answers(&run);
    script_state_free(run.state);
    script_locale_leave(before);
}

void script_worlds_free(struct script_worlds *worlds)
{
    if (worlds) {
        if (worlds->world) {
            sim_world_free(worlds->world);
        }
        base_arena_release(&worlds->arena);
        base_free(&script_memory, worlds, sizeof *worlds);
    }
}

void script_outcome_release(struct script_outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        free((void *)(uintptr_t)outcome->metrics[i].name);
    }
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        free((void *)(uintptr_t)outcome->sometimes[i].name);
    }
    for (uint32_t i = 0; i < outcome->drawn_count; i++) {
        free((void *)(uintptr_t)outcome->drawn[i].name);
        free((void *)(uintptr_t)outcome->drawn[i].value);
    }
    free(outcome->drawn);
    outcome->drawn = NULL;
    outcome->drawn_count = 0;
    free(outcome->coverage);
    outcome->coverage = NULL;
    free(outcome->metrics);
    free(outcome->sometimes);
    outcome->metrics = NULL;
    outcome->sometimes = NULL;
    outcome->metric_count = 0;
    outcome->sometimes_count = 0;
}
