/* Client machines: a client of the core on a machine of its own, and the calls that
 * scripts and loads make through it. Every call and answer is part of the history.
 *
 *   call ──▶ INVOKE ──▶ client ──▶ … ──▶ done ──(step over)──▶ RETURN ──▶ caller
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t client_random(void *context)
{
    struct sim_machine *machine = context;
    return sim_random_u64(&machine->random_raft);
}

static void client_send(void *context, uint32_t endpoint, uint64_t connection,
                        const struct wire_message *message)
{
    struct sim_machine *machine = context;
    assert(endpoint < machine->endpoint_count);
    struct sim_frame *frame =
        sim_frame_new(machine->world, machine->number, machine->endpoints[endpoint], connection, message);
    frame->next = NULL;
    *machine->outbox_end = frame;
    machine->outbox_end = &frame->next;
}

static void client_set_due(void *context, uint64_t due_ns)
{
    struct sim_machine *machine = context;
    sim_timer_set(machine, &machine->due_timer, SIM_ITEM_DUE,
                  due_ns == CLIENT_NEVER ? UINT64_MAX : sim_clock_true(&machine->clock, due_ns));
}

static struct sim_completion *completion_put(struct sim_machine *machine, const struct wire_message *message)
{
    struct sim_world *world = machine->world;
    size_t head = (sizeof(struct sim_completion) + 15) & ~(size_t)15;
    size_t size = head + wire_flat_size(message);
    struct sim_completion *completion = sim_pool_take(world->pool, size);
    *completion = (struct sim_completion){.size_bytes = (uint32_t)size, .machine = machine->number};
    completion->message = wire_flatten(message, (unsigned char *)completion + head);
    *world->completions_end = completion;
    world->completions_end = &completion->next;
    return completion;
}

static void client_done(void *context, uint64_t call, const struct wire_response *response, bool is_unknown)
{
    struct wire_message message = {.kind = WIRE_RESPONSE, .response = *response};
    struct sim_completion *completion = completion_put(context, &message);
    completion->call = call;
    completion->is_unknown = is_unknown;
}

static void client_watched(void *context, uint64_t watch, const struct wire_watch *batch)
{
    struct wire_message message = {.kind = WIRE_WATCH, .watch = *batch};
    struct sim_completion *completion = completion_put(context, &message);
    completion->watch = watch;
}

static void client_locked(void *context, uint64_t lock, enum base_status status, int64_t revision,
                          bool is_unknown)
{
    struct wire_message message = {.kind = WIRE_RESPONSE,
                                   .response = {.status = status, .revision = revision}};
    struct sim_completion *completion = completion_put(context, &message);
    completion->lock = lock;
    completion->is_unknown = is_unknown;
}

static void complete_call(struct sim_world *world, struct sim_machine *machine,
                          const struct sim_completion *completion)
{
    uint32_t slot = 0;
    while (slot < machine->call_count && machine->calls[slot].call != completion->call) {
        slot++;
    }
    assert(slot < machine->call_count); /* Answered once. */
    struct sim_call call = machine->calls[slot];
    machine->calls[slot] = machine->calls[--machine->call_count];
    const struct wire_response *response = &completion->message->response;
    sim_emit(world, SIM_EVENT_RETURN, machine->number,
             (uint64_t[]){call.number, response->status, completion->is_unknown, (uint64_t)response->revision,
                          sim_machine_now(machine)});
    check_return(world->check, world->now_ns, machine->number, call.number, &call.request->request, response,
                 completion->is_unknown);
    world->has_changed = true;
    if (call.done) {
        call.done(call.context, response, completion->is_unknown);
    }
    sim_pool_give(world->pool, call.request);
}

static void complete_watch(struct sim_world *world, struct sim_machine *machine,
                           const struct sim_completion *completion)
{
    check_watched(world->check, world->now_ns, machine->number, completion->watch,
                  &completion->message->watch);
    world->has_changed = true;
    for (uint32_t i = 0; i < machine->watcher_count; i++) {
        if (machine->watchers[i].watch == completion->watch) {
            machine->watchers[i].batch(machine->watchers[i].context, &completion->message->watch);
            return;
        }
    }
}

static void complete_lock(struct sim_world *world, struct sim_machine *machine,
                          const struct sim_completion *completion)
{
    const struct wire_response *response = &completion->message->response;
    world->has_changed = true;
    for (uint32_t i = 0; i < machine->locker_count; i++) {
        if (machine->lockers[i].lock == completion->lock) {
            struct sim_locker locker = machine->lockers[i];
            machine->lockers[i] = machine->lockers[--machine->locker_count];
            locker.done(locker.context, response->status, response->revision, completion->is_unknown);
            return;
        }
    }
}

void sim_completions_run(struct sim_world *world)
{
    while (world->completions) {
        struct sim_completion *completion = world->completions;
        world->completions = completion->next;
        if (!world->completions) {
            world->completions_end = &world->completions;
        }
        struct sim_machine *machine = world->machines[completion->machine];
        if (completion->call != 0) {
            complete_call(world, machine, completion);
        } else if (completion->lock != 0) {
            complete_lock(world, machine, completion);
        } else {
            complete_watch(world, machine, completion);
        }
        sim_pool_give(world->pool, completion);
    }
}

static uint64_t key_digest(const struct wire_request *request)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < request->op.key.size; i++) {
        hash = (hash ^ request->op.key.data[i]) * UINT64_C(1099511628211);
    }
    return hash ^ (uint64_t)request->lease;
}

/* No program asks for these by itself. */
static bool is_operators(enum wire_request_kind kind)
{
    return kind == WIRE_MEMBER_ADD || kind == WIRE_MEMBER_REMOVE || kind == WIRE_MEMBER_UPDATE ||
           kind == WIRE_MEMBER_PROMOTE || kind == WIRE_MOVE_LEADER;
}

static uint64_t call_note(struct sim_machine *machine, const struct wire_request *request, sim_call_done done,
                          void *context)
{
    struct sim_world *world = machine->world;
    if (machine->call_count == machine->call_capacity) {
        machine->call_capacity = machine->call_capacity == 0 ? 4 : machine->call_capacity * 2;
        machine->calls = realloc(machine->calls, machine->call_capacity * sizeof *machine->calls);
        if (!machine->calls) {
            abort();
        }
    }
    struct wire_message message = {.kind = WIRE_REQUEST, .request = *request};
    size_t size = wire_flat_size(&message);
    struct sim_call *call = &machine->calls[machine->call_count++];
    *call = (struct sim_call){
        .number = ++world->call_number,
        .done = done,
        .context = context,
        .request = wire_flatten(&message, sim_pool_take(world->pool, size)),
        .request_bytes = (uint32_t)size,
    };
    world->cost.operator_actions += is_operators(request->kind);
    sim_emit(world, SIM_EVENT_INVOKE, machine->number,
             (uint64_t[]){call->number, request->kind, key_digest(request), sim_machine_now(machine)});
    check_invoke(world->check, world->now_ns, machine->number, call->number, request);
    world->is_reconfigured |= request->kind == WIRE_MEMBER_CHANGE || request->kind == WIRE_MEMBER_ADD ||
                              request->kind == WIRE_MEMBER_REMOVE || request->kind == WIRE_MEMBER_PROMOTE ||
                              request->kind == WIRE_MEMBER_UPDATE;
    return call->number;
}

/* A call that the client makes on its own account, for a lock: nobody waits for it
 * here, but it is part of the history. */
static void client_asked(void *context, uint64_t call, const struct wire_request *request)
{
    struct sim_machine *machine = context;
    (void)call_note(machine, request, NULL, NULL);
    machine->calls[machine->call_count - 1].call = call;
}

/* After a call into the client from outside its machine's own steps. */
static void settle(struct sim_machine *machine)
{
    sim_machine_begin(machine);
    sim_completions_run(machine->world);
}

uint64_t sim_members_open(const struct sim_world *world)
{
    uint64_t open = 0;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        if (sim_member_is_current(world, number) &&
            strncmp(world->machines[number]->exit, "removed", 7) != 0) {
            open |= UINT64_C(1) << (number - 1);
        }
    }
    return open;
}

sim_machine_number sim_client_new(struct sim_world *world, const struct sim_client_options *options)
{
    sim_announce(world);
    struct sim_machine *machine = sim_machine_add(world, true);
    machine->endpoint_count = options->endpoint_count;
    for (uint32_t i = 0; i < options->endpoint_count; i++) {
        machine->endpoints[i] = options->endpoints[i];
    }
    uint64_t open = options->endpoint_count == 0 ? sim_members_open(world) : 0;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        if ((open >> (number - 1) & 1) != 0) {
            machine->endpoints[machine->endpoint_count++] = number;
        }
    }
    uint64_t request_ns = UINT64_C(5000000000) + 2 * world->options.cluster.election_ns;
    struct client_config config = {
        .endpoint_count = machine->endpoint_count,
        .timeout_ns = options->timeout_ns == 0 ? 2 * request_ns : options->timeout_ns,
        .keepalive_every_ns = options->keepalive_every_ns,
        .keepalive_timeout_ns = options->keepalive_timeout_ns,
    };
    machine->client_host = (struct client_host){
        .context = machine,
        .random = client_random,
        .send = client_send,
        .set_due = client_set_due,
        .done = client_done,
        .watched = client_watched,
        .asked = client_asked,
        .locked = client_locked,
    };
    machine->client = client_new(&config, sim_heap_allocator(world->client_heap), &machine->client_host);
    client_start(machine->client, sim_machine_now(machine));
    settle(machine);
    return machine->number;
}

uint64_t sim_client_call(struct sim_world *world, sim_machine_number client,
                         const struct wire_request *request, sim_call_done done, void *context)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    uint64_t number = call_note(machine, request, done, context);
    machine->calls[machine->call_count - 1].call =
        client_call(machine->client, sim_machine_now(machine), request);
    settle(machine);
    return number;
}

uint64_t sim_client_call_at(struct sim_world *world, sim_machine_number client, sim_machine_number member,
                            const struct wire_request *request, sim_call_done done, void *context)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    uint32_t endpoint = 0;
    while (endpoint < machine->endpoint_count && machine->endpoints[endpoint] != member) {
        endpoint++;
    }
    if (endpoint == machine->endpoint_count) {
        return 0;
    }
    uint64_t number = call_note(machine, request, done, context);
    machine->calls[machine->call_count - 1].call =
        client_call_at(machine->client, sim_machine_now(machine), endpoint, request);
    settle(machine);
    return number;
}

uint64_t sim_client_watch(struct sim_world *world, sim_machine_number client,
                          const struct wire_request *create, sim_watch_batch batch, void *context)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    if (machine->watcher_count == machine->watcher_capacity) {
        machine->watcher_capacity = machine->watcher_capacity == 0 ? 4 : machine->watcher_capacity * 2;
        machine->watchers = realloc(machine->watchers, machine->watcher_capacity * sizeof *machine->watchers);
        if (!machine->watchers) {
            abort();
        }
    }
    uint64_t watch = ++machine->watch_number;
    machine->watchers[machine->watcher_count++] =
        (struct sim_watcher){.watch = watch, .batch = batch, .context = context};
    client_watch(machine->client, sim_machine_now(machine), watch, create);
    settle(machine);
    return watch;
}

void sim_client_watch_cancel(struct sim_world *world, sim_machine_number client, uint64_t watch)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    for (uint32_t i = 0; i < machine->watcher_count; i++) {
        if (machine->watchers[i].watch == watch) {
            machine->watchers[i] = machine->watchers[--machine->watcher_count];
            client_watch_cancel(machine->client, sim_machine_now(machine), watch);
            settle(machine);
            return;
        }
    }
}

void sim_client_watch_progress(struct sim_world *world, sim_machine_number client, uint64_t watch)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    client_watch_progress(machine->client, sim_machine_now(machine), watch);
    settle(machine);
}

uint64_t sim_client_lock(struct sim_world *world, sim_machine_number client, struct base_bytes name,
                         int64_t lease, uint64_t within_ns, sim_lock_done done, void *context)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    if (machine->locker_count == machine->locker_capacity) {
        machine->locker_capacity = machine->locker_capacity == 0 ? 4 : machine->locker_capacity * 2;
        machine->lockers = realloc(machine->lockers, machine->locker_capacity * sizeof *machine->lockers);
        if (!machine->lockers) {
            abort();
        }
    }
    uint64_t lock = client_lock(machine->client, sim_machine_now(machine), name, lease, within_ns);
    machine->lockers[machine->locker_count++] =
        (struct sim_locker){.lock = lock, .done = done, .context = context};
    settle(machine);
    return lock;
}

void sim_client_lock_abandon(struct sim_world *world, sim_machine_number client, uint64_t lock)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    for (uint32_t i = 0; i < machine->locker_count; i++) {
        if (machine->lockers[i].lock == lock) {
            machine->lockers[i] = machine->lockers[--machine->locker_count];
            client_lock_abandon(machine->client, sim_machine_now(machine), lock);
            settle(machine);
            return;
        }
    }
}

void sim_client_lease_keep(struct sim_world *world, sim_machine_number client, int64_t lease, int64_t ttl_s,
                           uint64_t until_ns)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    client_lease_keep(machine->client, sim_machine_now(machine), lease, ttl_s, until_ns);
    settle(machine);
}

void sim_client_lease_forget(struct sim_world *world, sim_machine_number client, int64_t lease)
{
    client_lease_forget(sim_machine_at(world, client)->client, lease);
}

uint64_t sim_client_lease_deadline(struct sim_world *world, sim_machine_number client, int64_t lease)
{
    return client_lease_deadline(sim_machine_at(world, client)->client, lease);
}

const char *sim_client_pause(struct sim_world *world, sim_machine_number client)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    if (machine->is_paused) {
        return "is paused already";
    }
    machine->is_paused = true;
    sim_emit(world, SIM_EVENT_PAUSE, client, NULL);
    return NULL;
}

const char *sim_client_resume(struct sim_world *world, sim_machine_number client)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    if (!machine->is_paused) {
        return "is not paused";
    }
    machine->is_paused = false;
    sim_emit(world, SIM_EVENT_RESUME, client, NULL);
    settle(machine);
    return NULL;
}

void sim_client_disconnect(struct sim_world *world, sim_machine_number client)
{
    struct sim_machine *machine = sim_machine_at(world, client);
    client_disconnect(machine->client, sim_machine_now(machine));
    settle(machine);
}

void sim_client_arrive(struct sim_machine *machine, const struct sim_frame *frame)
{
    uint32_t endpoint = 0;
    while (endpoint < machine->endpoint_count && machine->endpoints[endpoint] != frame->from) {
        endpoint++;
    }
    if (endpoint == machine->endpoint_count) {
        return;
    }
    uint64_t local_ns = sim_machine_now(machine);
    if (frame->is_reset) {
        client_reset(machine->client, local_ns, endpoint, frame->connection);
    } else {
        client_receive(machine->client, local_ns, endpoint, frame->connection, frame->message);
    }
}

void sim_client_due(struct sim_machine *machine)
{
    client_due(machine->client, sim_machine_now(machine));
}

void sim_client_drop(struct sim_machine *machine)
{
    for (uint32_t i = 0; i < machine->call_count; i++) {
        sim_pool_give(machine->world->pool, machine->calls[i].request);
    }
    machine->call_count = 0;
    machine->watcher_count = 0;
    machine->locker_count = 0;
    machine->client = NULL; /* Its memory is the clients' heap. */
}
