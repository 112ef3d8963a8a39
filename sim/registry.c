/* The discovery service: a machine beside the members, named "discovery", that keeps
 * who wants to be in which cluster until there are enough of them
 * (etcd-behaviour §4.4).
 *
 * Fault model. It is a machine like any other: its links can be cut, slowed and
 * partitioned, its process crashed and paused. What it has answered it keeps:
 * behind it is a store of its own, which does not fail. What is under way when it
 * dies is lost, and may have taken effect. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/kv.h"
#include "sim/inside.h"

#include <assert.h>
#include <stdio.h>

enum { KEY_BYTES_MAX = 160 };

static struct sim_machine *registry_of(struct sim_world *world)
{
    if (world->registry != 0) {
        return world->machines[world->registry];
    }
    sim_announce(world);
    struct sim_machine *machine = sim_machine_add(world, true);
    snprintf(machine->name, sizeof machine->name, "discovery");
    world->registry = machine->number;
    if (!machine->heap) {
        machine->heap = sim_heap_new();
    }
    static const struct kv_lease_hooks no_leases = {0};
    static const struct kv_observer nobody = {0};
    machine->registry = kv_new(sim_heap_allocator(machine->heap), &no_leases, &nobody);
    return machine;
}

/* One operation on the store; the answer is borrowed from `arena` and the store. */
static enum base_status operate(struct sim_machine *machine, const struct kv_op *op, struct base_arena *arena,
                                struct kv_result *result)
{
    enum base_status status = kv_check(op, 1);
    if (status != BASE_OK || op->lease != 0) {
        return status != BASE_OK ? status : BASE_LEASE_NOT_FOUND;
    }
    return kv_is_read_only(op) ? kv_read(machine->registry, op, arena, result)
                               : kv_apply(machine->registry, op, arena, result);
}

sim_machine_number sim_registry_open(struct sim_world *world, const char *token, const char *size)
{
    struct sim_machine *machine = registry_of(world);
    char key[KEY_BYTES_MAX];
    snprintf(key, sizeof key, "/_etcd/registry/%s/_config/size", token);
    struct base_arena arena;
    struct kv_result result = {0};
    base_arena_init(&arena, sim_heap_allocator(machine->heap));
    struct kv_op op = {.kind = KV_RANGE, .key = base_bytes_of(key)};
    enum base_status status = operate(machine, &op, &arena, &result);
    assert(status == BASE_OK);
    if (size && result.record_count == 0) {
        op = (struct kv_op){.kind = KV_PUT, .key = base_bytes_of(key), .value = base_bytes_of(size)};
        status = operate(machine, &op, &arena, &result);
        assert(status == BASE_OK);
        world->cost.operator_actions++;
    }
    base_arena_release(&arena);
    return machine->number;
}

sim_machine_number sim_registry(const struct sim_world *world)
{
    return world->registry;
}

uint32_t sim_registry_count(struct sim_world *world, const char *token)
{
    if (world->registry == 0) {
        return 0;
    }
    struct sim_machine *machine = world->machines[world->registry];
    char key[KEY_BYTES_MAX];
    char end[KEY_BYTES_MAX];
    snprintf(key, sizeof key, "/_etcd/registry/%s/members/", token);
    snprintf(end, sizeof end, "/_etcd/registry/%s/members0", token);
    struct base_arena arena;
    struct kv_result result = {0};
    base_arena_init(&arena, sim_heap_allocator(machine->heap));
    const struct kv_op op = {.kind = KV_RANGE,
                             .key = base_bytes_of(key),
                             .range_end = base_bytes_of(end),
                             .flags = KV_COUNT_ONLY};
    enum base_status status = operate(machine, &op, &arena, &result);
    assert(status == BASE_OK);
    base_arena_release(&arena);
    return (uint32_t)result.count;
}

void sim_registry_arrive(struct sim_machine *machine, const struct sim_frame *frame)
{
    if (frame->is_reset || frame->message->kind != WIRE_REQUEST || frame->message->request.kind != WIRE_KV) {
        return;
    }
    const struct wire_request *request = &frame->message->request;
    struct base_arena arena;
    base_arena_init(&arena, sim_heap_allocator(machine->heap));
    struct wire_message out = {.kind = WIRE_RESPONSE, .response = {.id = request->id}};
    out.response.status = operate(machine, &request->op, &arena, &out.response.result);
    out.response.revision = kv_revision(machine->registry);
    struct sim_frame *answer =
        sim_frame_new(machine->world, machine->number, frame->from, frame->connection, &out);
    answer->next = NULL;
    *machine->outbox_end = answer;
    machine->outbox_end = &answer->next;
    base_arena_release(&arena);
}

bool sim_registry_is_alive(const struct sim_world *world)
{
    return world->registry != 0 && world->machines[world->registry]->is_alive;
}

const char *sim_registry_crash(struct sim_world *world)
{
    struct sim_machine *machine = world->machines[world->registry];
    if (!machine->is_alive) {
        return "discovery is down already";
    }
    sim_emit(world, SIM_EVENT_CRASH, machine->number, (uint64_t[]){0});
    machine->is_alive = false;
    machine->is_paused = false;
    sim_machine_drop_work(machine);
    for (uint32_t number = 1; number <= world->member_count; number++) {
        if (world->machines[number]->is_alive) {
            sim_network_reset(world, machine->number, number, 0);
        }
    }
    return NULL;
}

const char *sim_registry_restart(struct sim_world *world)
{
    struct sim_machine *machine = world->machines[world->registry];
    if (machine->is_alive) {
        return "discovery is running already";
    }
    sim_emit(world, SIM_EVENT_RESTART, machine->number, (uint64_t[]){0});
    world->cost.operator_actions++;
    machine->is_alive = true;
    return NULL;
}
