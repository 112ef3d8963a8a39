/* A machine: one processor that does one thing at a time, two soft timers, and the
 * process on it.
 *
 *   arrival, tick, due, disk ──▶ free? ── yes ──▶ step ──▶ outbox ──▶ charged
 *                                  └── no ──▶ waits in order ──(free)──▶ step
 *
 * Fault model. A crash ends the process between two steps: its heap goes whole,
 * its page cache stays. A pause stops the processor: what arrives waits up to the
 * link's queue, time goes on; on resume the member is told the ticks up to the
 * pause and one more, for a tick that nobody was there to take is lost, and that
 * tick and what waited come in an order drawn from the machine's stream. A
 * stalled timer loses ticks likewise while everything else goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_machine_now(const struct sim_machine *machine)
{
    return sim_clock_local(&machine->clock, machine->world->now_ns);
}

void sim_timer_set(struct sim_machine *machine, struct sim_soft_timer *timer, enum sim_item_kind kind,
                   uint64_t due_ns)
{
    timer->due_ns = due_ns;
    if (due_ns < timer->event_ns) {
        timer->event_ns = due_ns < machine->world->now_ns ? machine->world->now_ns : due_ns;
        sim_push(machine->world, timer->event_ns, kind, machine->number, NULL, machine->life);
    }
}

void sim_machine_later(struct sim_machine *machine, const struct sim_work *work)
{
    if (machine->work_count == machine->work_capacity) {
        uint32_t capacity = machine->work_capacity == 0 ? 16 : machine->work_capacity * 2;
        struct sim_work *bigger = malloc(capacity * sizeof *bigger);
        if (!bigger) {
            abort();
        }
        for (uint32_t i = 0; i < machine->work_count; i++) {
            bigger[i] = machine->work[(machine->work_first + i) & (machine->work_capacity - 1)];
        }
        free(machine->work);
        machine->work = bigger;
        machine->work_capacity = capacity;
        machine->work_first = 0;
    }
    uint32_t slot = (machine->work_first + machine->work_count) & (machine->work_capacity - 1);
    machine->work[slot] = *work;
    machine->work_count++;
}

static struct sim_work work_pop(struct sim_machine *machine)
{
    assert(machine->work_count > 0);
    struct sim_work work = machine->work[machine->work_first];
    machine->work_first = (machine->work_first + 1) & (machine->work_capacity - 1);
    machine->work_count--;
    return work;
}

void sim_machine_drop_work(struct sim_machine *machine)
{
    while (machine->work_count > 0) {
        struct sim_work work = work_pop(machine);
        if (work.frame) {
            sim_frame_free(machine->world, work.frame);
        }
    }
    sim_stages_drop(machine);
    while (machine->outbox) {
        struct sim_frame *frame = machine->outbox;
        machine->outbox = frame->next;
        sim_frame_free(machine->world, frame);
    }
    machine->outbox_end = &machine->outbox;
    machine->woken = 0;
    machine->work_before_tick = 0;
}

/* The ticks the member has not been told of yet. */
static void tell_ticks(struct sim_machine *machine, uint64_t local_ns)
{
    if (machine->stalled_until_ns > machine->world->now_ns || machine->work_before_tick > 0) {
        return;
    }
    sim_machine_unstall(machine);
    if (local_ns < machine->tick_next_local_ns) {
        return;
    }
    uint64_t number = (local_ns - machine->tick_base_ns) / machine->tick_ns;
    uint64_t ticks = number - machine->ticks_told;
    machine->ticks_told = number;
    machine->tick_next_local_ns = machine->tick_base_ns + (number + 1) * machine->tick_ns;
    member_tick(machine->member, local_ns, ticks);
}

static uint64_t connection_of(const struct sim_frame *frame)
{
    /* Never 0, and tells apart a client's connections one after the other. */
    return (uint64_t)frame->from << 40 | (frame->connection & ((UINT64_C(1) << 40) - 1));
}

static struct sim_connection *connection_find(struct sim_machine *machine, const struct sim_frame *frame)
{
    for (uint32_t i = 0; i < machine->connection_count; i++) {
        struct sim_connection *connection = &machine->connections[i];
        if (connection->client == frame->from && connection->number == frame->connection) {
            return connection;
        }
    }
    return NULL;
}

static void connection_open(struct sim_machine *machine, const struct sim_frame *frame)
{
    if (machine->connection_count == machine->connection_capacity) {
        uint32_t capacity = machine->connection_capacity == 0 ? 8 : machine->connection_capacity * 2;
        machine->connections = realloc(machine->connections, capacity * sizeof *machine->connections);
        if (!machine->connections) {
            abort();
        }
        machine->connection_capacity = capacity;
    }
    machine->connections[machine->connection_count++] =
        (struct sim_connection){.client = frame->from, .number = frame->connection};
}

static void connection_close(struct sim_machine *machine, struct sim_connection *connection)
{
    uint32_t slot = (uint32_t)(connection - machine->connections);
    machine->connection_count--;
    memmove(connection, connection + 1, (machine->connection_count - slot) * sizeof *connection);
}

/* A frame of a client: only within a connection it has opened. */
static bool admit(struct sim_machine *machine, const struct sim_frame *frame)
{
    struct sim_connection *connection = connection_find(machine, frame);
    if (frame->message->kind == WIRE_HELLO) {
        if (!connection) {
            connection_open(machine, frame);
        }
        return true;
    }
    if (!connection) {
        if (frame->message->kind != WIRE_GOODBYE) {
            sim_network_reset(machine->world, machine->number, frame->from, frame->connection);
        }
        return false;
    }
    if (frame->message->kind == WIRE_GOODBYE) {
        connection_close(machine, connection);
    }
    return true;
}

static void emit_receive(struct sim_machine *machine, const struct sim_frame *frame)
{
    struct sim_world *world = machine->world;
    if (frame->is_reset) {
        sim_emit(world, SIM_EVENT_RESET, machine->number, (uint64_t[]){frame->from});
    } else if (frame->message->kind == WIRE_RAFT) {
        const struct raft_message *raft = &frame->message->raft;
        sim_emit(world, SIM_EVENT_RECEIVE, machine->number,
                 (uint64_t[]){frame->from, raft->type, raft->term, raft->index, raft->commit});
    } else {
        sim_emit(world, SIM_EVENT_RECEIVE_STREAM, machine->number,
                 (uint64_t[]){frame->from, frame->message->kind});
    }
}

static uint64_t peer_id(const struct sim_machine *machine, uint32_t number)
{
    for (uint32_t i = 0; i < machine->peer_count; i++) {
        if (machine->peers[i].number == number) {
            return machine->peers[i].id;
        }
    }
    return RAFT_NONE;
}

/* false: the process is over by now. */
static bool receive_point(struct sim_machine *machine, const struct sim_frame *frame,
                          enum sim_point_when when)
{
    if (machine->world->reach && machine->doom == SIM_DOOM_NONE) {
        const struct wire_message *message = frame->message;
        const struct sim_point point = {
            .when = when,
            .verb = SIM_VERB_RECEIVE,
            .kinds = sim_point_message(message->kind, message->kind == WIRE_RAFT ? message->raft.type : 0),
            .machine = machine->number,
            .peer = frame->from,
            .term = message->kind == WIRE_RAFT ? message->raft.term : 0,
            .index = message->kind == WIRE_RAFT ? message->raft.index : 0,
        };
        machine->world->reach(machine->world->reach_context, &point);
    }
    return machine->doom == SIM_DOOM_NONE;
}

/* Of a peer: it is gone, or whoever was asked there. */
static void receive_peer_reset(struct sim_machine *machine, const struct sim_frame *frame, uint64_t local_ns)
{
    uint64_t number = frame->connection;
    if (number == 0 && frame->from == machine->asked_whom) {
        number = machine->asked_number;
    }
    if (number != 0) {
        member_unanswered(machine->member, local_ns, number);
    }
    uint64_t id = frame->connection == 0 ? peer_id(machine, frame->from) : RAFT_NONE;
    if (id != RAFT_NONE) {
        member_unreachable(machine->member, local_ns, id);
    }
}

static bool is_peer(const struct sim_world *world, uint32_t number)
{
    return !world->machines[number]->is_client || world->machines[number]->registry;
}

/* A peer is gone, or a client's connection is broken. */
static void receive_reset(struct sim_machine *machine, const struct sim_frame *frame, uint64_t local_ns)
{
    if (is_peer(machine->world, frame->from)) {
        receive_peer_reset(machine, frame, local_ns);
        return;
    }
    struct sim_connection *connection = connection_find(machine, frame);
    if (connection) {
        const struct wire_message goodbye = {.kind = WIRE_GOODBYE};
        connection_close(machine, connection);
        member_receive(machine->member, local_ns, connection_of(frame), &goodbye);
    }
}

static void receive(struct sim_machine *machine, struct sim_frame *frame, uint64_t local_ns)
{
    struct sim_world *world = machine->world;
    emit_receive(machine, frame);
    if (frame->message) {
        const struct sim_machine *sender = world->machines[frame->from];
        uint32_t kind = sim_coverage_message(frame->message);
        world->coverage.passed[kind][sim_station_of(sender)][sim_station_of(machine)]++;
    }
    if (machine->registry) {
        sim_registry_arrive(machine, frame);
    } else if (machine->is_client) {
        sim_client_arrive(machine, frame);
    } else if (frame->is_reset) {
        receive_reset(machine, frame, local_ns);
    } else if (!receive_point(machine, frame, SIM_POINT_BEFORE)) {
        /* Killed before it could take it. */
    } else if (is_peer(world, frame->from)) {
        if (!machine->is_booting) {
            check_receive(world->check, world->now_ns, machine->number, frame->from, frame->message);
        }
        member_receive(machine->member, local_ns, connection_of(frame), frame->message);
    } else if (admit(machine, frame)) {
        machine->served += frame->message->kind == WIRE_REQUEST;
        if (!machine->is_booting) {
            check_receive(world->check, world->now_ns, machine->number, frame->from, frame->message);
        }
        member_receive(machine->member, local_ns, connection_of(frame), frame->message);
    }
    if (!machine->is_client && !frame->is_reset) {
        (void)receive_point(machine, frame, SIM_POINT_AFTER);
    }
    sim_frame_free(world, frame);
}

static uint64_t member_cost(struct sim_machine *machine, const struct member_work *before,
                            const struct member_work *after)
{
    const struct sim_cpu_options *cpu = &machine->world->options.cpu;
    uint64_t cost_ns = (after->messages - before->messages) * cpu->message_ns +
                       (after->entries - before->entries) * cpu->entry_ns +
                       (after->requests - before->requests) * cpu->request_ns;
    return cost_ns * machine->slow_thousandths / SIM_USUAL_PACE;
}

/* Carry out what the step recorded, in order. */
static void flush(struct sim_machine *machine)
{
    while (machine->outbox) {
        struct sim_frame *frame = machine->outbox;
        machine->outbox = frame->next;
        sim_network_send(machine->world, frame);
    }
    machine->outbox_end = &machine->outbox;
    if (!machine->is_client) {
        sim_disk_settle(machine->disk);
    }
    if (machine->doom != SIM_DOOM_NONE) {
        sim_machine_execute(machine);
    } else if (machine->is_stopping) {
        sim_machine_end(machine, NULL, false);
    }
}

static void step_client(struct sim_machine *machine, const struct sim_work *work, uint64_t local_ns)
{
    if (work->kind == SIM_WORK_FRAME) {
        receive(machine, work->frame, local_ns);
    } else {
        assert(work->kind == SIM_WORK_DUE);
        sim_client_due(machine);
    }
    flush(machine);
    sim_completions_run(machine->world);
}

static void step(struct sim_machine *machine, const struct sim_work *work)
{
    uint64_t local_ns = sim_machine_now(machine);
    if (machine->is_client) {
        step_client(machine, work, local_ns);
        return;
    }
    struct member_work before = *member_get_work(machine->member);
    enum host_stage stage = HOST_STAGE_COUNT;
    if ((machine->slow_stages | machine->busy_stages) != 0) {
        stage = sim_stage_of(machine, work);
    }
    machine->is_in_step = true;
    if (stage == HOST_RAFT || ((machine->slow_stages | machine->busy_stages) & 1u << HOST_RAFT) == 0) {
        tell_ticks(machine, local_ns);
    }
    if (machine->work_before_tick > 0) {
        machine->work_before_tick--;
    }
    switch (work->kind) {
    case SIM_WORK_FRAME:
        receive(machine, work->frame, local_ns);
        break;
    case SIM_WORK_TICK:
        break; /* Told above. */
    case SIM_WORK_DUE:
        member_due(machine->member, local_ns);
        break;
    case SIM_WORK_DISK:
        sim_platter_done(machine, work->token);
        member_disk_done(machine->member, local_ns, work->token, (enum disk_status)work->value);
        break;
    case SIM_WORK_STAGE:
        machine->woken &= ~(1u << work->value);
        member_run(machine->member, local_ns, (enum host_stage)work->value);
        break;
    }
    machine->is_in_step = false;
    uint64_t cost_ns = member_cost(machine, &before, member_get_work(machine->member));
    machine->busy_until_ns = machine->world->now_ns + cost_ns;
    sim_stage_charge(machine, stage, cost_ns);
    flush(machine);
}

/* Do what can be done now; come back when the processor is free. */
static void run(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    while (machine->work_count > 0 && machine->is_alive && !machine->is_paused) {
        if (machine->busy_until_ns > world->now_ns) {
            if (machine->cpu_event_ns == UINT64_MAX) {
                machine->cpu_event_ns = machine->busy_until_ns;
                sim_push(world, machine->busy_until_ns, SIM_ITEM_CPU, machine->number, NULL, machine->life);
            }
            return;
        }
        struct sim_work work = work_pop(machine);
        if (!sim_stage_holds(machine, &work)) {
            step(machine, &work);
        }
    }
}

void sim_machine_cpu(struct sim_machine *machine)
{
    machine->cpu_event_ns = UINT64_MAX;
    run(machine);
}

void sim_machine_stage(struct sim_machine *machine)
{
    if (!machine->is_paused) {
        sim_stages_look(machine);
        run(machine);
    }
}

void sim_machine_begin(struct sim_machine *machine)
{
    flush(machine);
    run(machine);
}

void sim_machine_input(struct sim_machine *machine, const struct sim_work *work)
{
    bool is_free =
        machine->work_count == 0 && !machine->is_paused && machine->busy_until_ns <= machine->world->now_ns;
    if (!is_free) {
        sim_machine_later(machine, work);
    } else if (!sim_stage_holds(machine, work)) {
        step(machine, work);
    }
    run(machine);
}

void sim_machine_timer(struct sim_machine *machine, enum sim_item_kind kind)
{
    struct sim_soft_timer *timer = kind == SIM_ITEM_TICK ? &machine->tick_timer : &machine->due_timer;
    uint64_t now_ns = machine->world->now_ns;
    if (timer->event_ns != now_ns) {
        return; /* An older event, overtaken by an earlier one. */
    }
    timer->event_ns = UINT64_MAX;
    if (timer->due_ns > now_ns) {
        if (timer->due_ns != UINT64_MAX) {
            sim_timer_set(machine, timer, kind, timer->due_ns);
        }
        return;
    }
    timer->due_ns = UINT64_MAX;
    struct sim_work work = {.kind = kind == SIM_ITEM_TICK ? SIM_WORK_TICK : SIM_WORK_DUE};
    if (!machine->is_paused) {
        sim_machine_input(machine, &work);
    } else if (kind == SIM_ITEM_DUE) {
        sim_machine_later(machine, &work); /* A tick is lost, an instant only comes late. */
    }
}

void sim_machine_arrive(struct sim_machine *machine, struct sim_frame *frame)
{
    struct sim_world *world = machine->world;
    bool is_lost = sim_frame_is_lost(world, frame) || !machine->is_powered;
    if (!is_lost && !machine->is_alive) {
        if (frame->connection != 0 && !frame->is_reset) {
            /* Nobody listens there: refused at once. */
            sim_network_reset(world, machine->number, frame->from, frame->connection);
        }
        is_lost = true;
    }
    if (is_lost || !sim_stream_arrive(world, frame)) {
        sim_frame_free(world, frame);
        return;
    }
    struct sim_work work = {.kind = SIM_WORK_FRAME, .frame = frame};
    sim_machine_input(machine, &work);
}

static void tell_everybody(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    for (uint32_t other = 1; other <= world->member_count; other++) {
        if (other != machine->number && world->machines[other]->is_alive) {
            sim_network_reset(world, machine->number, other, 0);
        }
    }
    for (uint32_t i = 0; i < machine->connection_count; i++) {
        sim_network_reset(world, machine->number, machine->connections[i].client,
                          machine->connections[i].number);
    }
}

void sim_machine_end(struct sim_machine *machine, const char *exit, bool is_silent)
{
    struct sim_world *world = machine->world;
    assert(machine->is_alive);
    member_get_status(machine->member, &machine->last);
    machine->last_hash = machine->last.revision > 0 ? member_store_hash(machine->member) : 0;
    machine->is_alive = false;
    machine->is_paused = false;
    machine->is_stopping = false;
    if (exit) {
        snprintf(machine->exit, sizeof machine->exit, "%s", exit);
    }
    sim_machine_drop_work(machine);
    sim_disk_crash(machine->disk);
    machine->member = NULL;
    sim_heap_reset(machine->heap);
    if (!is_silent) {
        tell_everybody(machine);
    }
    machine->connection_count = 0;
    machine->peer_count = 0;
    machine->tick_timer = (struct sim_soft_timer){UINT64_MAX, UINT64_MAX};
    machine->due_timer = (struct sim_soft_timer){UINT64_MAX, UINT64_MAX};
    machine->cpu_event_ns = UINT64_MAX;
    world->has_changed = true;
}

bool sim_world_broken(struct sim_world *world, const char *what, bool is_assertion)
{
    uint32_t number = world->machine_count;
    while (number > 0 && !(world->machines[number] && world->machines[number]->is_in_step)) {
        number--;
    }
    if (number == 0 && !is_assertion) {
        return false;
    }
    sim_emit_text(world, SIM_EVENT_STOPPED, number, NULL, base_bytes_of(what));
    check_violate(world->check, CHECK_ASSERTION, world->now_ns, number, "%s %s: %s",
                  number > 0 ? world->machines[number]->name : "a client",
                  is_assertion ? "says of itself what is not so" : "was killed in the middle of a step",
                  what);
    return number > 0;
}
