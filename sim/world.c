/* The world: the queue, the machines, and nothing that happens beside them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMER_BLOCK = 64 };

static void *zalloc_or_die(size_t size)
{
    void *block = calloc(1, size);
    if (!block) {
        abort();
    }
    return block;
}

void sim_emit_text(struct sim_world *world, enum sim_event_kind kind, uint32_t machine,
                   const uint64_t *fields, struct base_bytes text)
{
    sim_record(&world->recorder, world->now_ns, kind, machine, fields, text);
}

/* The first event of a run says how many machines are members: the others are
 * clients. Late enough for a sink that was added to a new world to hear it. */
void sim_announce(struct sim_world *world)
{
    if (world->recorder.count == 0) {
        sim_emit(world, SIM_EVENT_WORLD, 0, (uint64_t[]){world->member_count, world->seed});
    }
}

enum sim_station sim_station_of(const struct sim_machine *machine)
{
    return machine->is_client ? SIM_CLIENT : machine->is_alive ? machine->station : SIM_DOWN;
}

void sim_cover(struct sim_machine *machine, enum sim_fault fault)
{
    machine->world->coverage.faults[fault][sim_station_of(machine)]++;
}

const struct sim_coverage *sim_world_coverage(const struct sim_world *world)
{
    return &world->coverage;
}

void sim_emit(struct sim_world *world, enum sim_event_kind kind, uint32_t machine, const uint64_t *fields)
{
    sim_record(&world->recorder, world->now_ns, kind, machine, fields, (struct base_bytes){0});
}

void sim_push(struct sim_world *world, uint64_t time_ns, enum sim_item_kind kind, uint32_t machine,
              void *data, uint64_t value)
{
    assert(time_ns >= world->now_ns);
    const struct sim_item item = {
        .time_ns = time_ns, .kind = kind, .machine = machine, .data = data, .value = value};
    sim_queue_push(world->queue, &item);
}

struct sim_machine *sim_machine_at(const struct sim_world *world, uint32_t number)
{
    assert(number >= 1 && number <= world->machine_count && world->machines[number]);
    return world->machines[number];
}

uint32_t sim_number_of(const struct sim_world *world, uint64_t member_id)
{
    for (uint32_t i = world->id_count; i > 0; i--) {
        if (world->ids[i - 1].id == member_id) {
            return world->ids[i - 1].number;
        }
    }
    return 0;
}

static uint32_t number_of(void *context, uint64_t id)
{
    return sim_number_of(context, id);
}

void sim_learn_id(struct sim_world *world, uint64_t member_id, uint32_t number)
{
    if (sim_number_of(world, member_id) == number) {
        return;
    }
    if (world->id_count == world->id_capacity) {
        world->id_capacity = world->id_capacity == 0 ? 16 : world->id_capacity * 2;
        world->ids = realloc(world->ids, world->id_capacity * sizeof *world->ids);
        if (!world->ids) {
            abort();
        }
    }
    world->ids[world->id_count++] = (struct sim_id){.id = member_id, .number = number};
}

static uint64_t disk_now(void *context)
{
    struct sim_machine *machine = context;
    return machine->world->now_ns;
}

static void disk_arm(void *context, uint64_t time_ns)
{
    struct sim_machine *machine = context;
    sim_push(machine->world, time_ns, SIM_ITEM_DISK, machine->number, NULL, machine->life);
}

static void disk_written(void *context, const struct disk_tag *tag)
{
    struct sim_machine *machine = context;
    check_written(machine->world->check, machine->world->now_ns, machine->number, tag);
}

static void disk_durable(void *context, const struct disk_tag *tag)
{
    struct sim_machine *machine = context;
    check_durable(machine->world->check, machine->world->now_ns, machine->number, tag);
}

static void disk_survived(void *context, const struct disk_tag *tag)
{
    struct sim_machine *machine = context;
    if (machine->survivor_count == machine->survivor_capacity) {
        machine->survivor_capacity = machine->survivor_capacity == 0 ? 8 : machine->survivor_capacity * 2;
        machine->survivors =
            realloc(machine->survivors, machine->survivor_capacity * sizeof *machine->survivors);
        if (!machine->survivors) {
            abort();
        }
    }
    machine->survivors[machine->survivor_count++] = *tag;
}

static void disk_lost(void *context, disk_file file, uint64_t offset, uint64_t size_bytes)
{
    struct sim_machine *machine = context;
    sim_emit(machine->world, SIM_EVENT_DISK_LOST, machine->number, (uint64_t[]){file, offset, size_bytes});
}

static void disk_make(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    const struct sim_disk_behaviour behaviour = {
        .write = world->options.disk.write,
        .sync = world->options.disk.sync,
    };
    machine->disk_host = (struct sim_disk_host){
        .context = machine,
        .now = disk_now,
        .arm = disk_arm,
        .written = disk_written,
        .durable = disk_durable,
        .survived = disk_survived,
        .lost = disk_lost,
    };
    sim_random_init(&machine->random_disk, world->seed, machine->number, 0, SIM_FOR_DISK);
    sim_random_init(&machine->random_power, world->seed, machine->number, 0, SIM_FOR_POWER);
    if (machine->disk) {
        sim_disk_reset(machine->disk);
    } else {
        machine->disk = sim_disk_new(&machine->disk_host, &machine->random_disk);
    }
    sim_disk_behave(machine->disk, &behaviour);
}

static const struct sim_cluster_options *options_of(const struct sim_world *world, uint32_t number)
{
    bool is_own = number <= SIM_MEMBERS_MAX && world->options.has_member[number];
    return is_own ? &world->options.member[number] : &world->options.cluster;
}

static void clock_make(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    struct sim_random random;
    sim_random_init(&random, world->seed, machine->number, 0, SIM_FOR_CLOCK);
    uint64_t draw = sim_random_below(&random, 2 * (uint64_t)world->options.drift_ppm + 1);
    int64_t drift_ppm = (int64_t)draw - (int64_t)world->options.drift_ppm;
    uint64_t offset_ns = sim_random_below(&random, UINT64_C(1000000000000));
    sim_clock_init(&machine->clock, world->now_ns, offset_ns, drift_ppm);
}

/* Memory of an earlier machine of the same kind, or new. */
static struct sim_machine *machine_take(struct sim_world *world, bool is_client)
{
    struct sim_machine **at = &world->spare;
    while (*at && (*at)->is_client != is_client) {
        at = &(*at)->next;
    }
    struct sim_machine *machine = *at;
    if (!machine) {
        return zalloc_or_die(sizeof *machine);
    }
    *at = machine->next;
    struct sim_machine kept = *machine;
    *machine = (struct sim_machine){
        .disk = kept.disk,
        .heap = kept.heap,
        .survivors = kept.survivors,
        .survivor_capacity = kept.survivor_capacity,
        .work = kept.work,
        .work_capacity = kept.work_capacity,
        .connections = kept.connections,
        .connection_capacity = kept.connection_capacity,
        .calls = kept.calls,
        .call_capacity = kept.call_capacity,
        .watchers = kept.watchers,
        .watcher_capacity = kept.watcher_capacity,
        .lockers = kept.lockers,
        .locker_capacity = kept.locker_capacity,
        .out = kept.out,
        .in = kept.in,
    };
    return machine;
}

static void links_make(struct sim_machine *machine)
{
    size_t size = (SIM_MEMBERS_MAX + 1) * sizeof *machine->out;
    if (!machine->out) {
        machine->out = zalloc_or_die(size);
        machine->in = machine->is_client ? zalloc_or_die(size) : NULL;
    } else {
        memset(machine->out, 0, size);
        if (machine->in) {
            memset(machine->in, 0, size);
        }
    }
}

struct sim_machine *sim_machine_add(struct sim_world *world, bool is_client)
{
    uint32_t number = is_client ? world->machine_count + 1 : ++world->member_count;
    assert(is_client ? number < SIM_MACHINES_MAX : number <= SIM_MEMBERS_MAX);
    if (number >= world->machine_capacity) {
        world->machine_capacity *= 2;
        world->machines = realloc(world->machines, world->machine_capacity * sizeof *world->machines);
        if (!world->machines) {
            abort();
        }
    }
    struct sim_machine *machine = machine_take(world, is_client);
    world->machines[number] = machine;
    world->machine_count = number > world->machine_count ? number : world->machine_count;
    machine->world = world;
    machine->number = number;
    machine->is_client = is_client;
    machine->is_powered = true;
    machine->is_alive = is_client;
    machine->outbox_end = &machine->outbox;
    machine->cpu_event_ns = UINT64_MAX;
    machine->tick_timer = (struct sim_soft_timer){UINT64_MAX, UINT64_MAX};
    machine->due_timer = (struct sim_soft_timer){UINT64_MAX, UINT64_MAX};
    links_make(machine);
    clock_make(machine);
    sim_random_init(&machine->random_raft, world->seed, machine->number, 1, SIM_FOR_RAFT);
    sim_random_init(&machine->random_network, world->seed, machine->number, 1, SIM_FOR_NETWORK);
    sim_random_init(&machine->random_corrupt, world->seed, machine->number, 0, SIM_FOR_CORRUPT);
    sim_random_init(&machine->random_schedule, world->seed, machine->number, 0, SIM_FOR_SCHEDULE);
    if (is_client) {
        snprintf(machine->name, sizeof machine->name, "c%u", machine->number);
        return machine;
    }
    snprintf(machine->name, sizeof machine->name, "m%u", machine->number);
    machine->options = *options_of(world, machine->number);
    machine->slow_thousandths = SIM_USUAL_PACE;
    disk_make(machine);
    if (!machine->heap) {
        machine->heap = sim_heap_new();
    }
    sim_host_init(machine);
    sim_platter_init(machine);
    return machine;
}

/* The ring's 64 buckets should span the usual delay. */
static uint64_t bucket_ns(const struct sim_options *options)
{
    uint64_t usual_ns = sim_dist_at(&options->network.latency, UINT64_MAX / 16 * 15) +
                        sim_dist_at(&options->disk.sync, UINT64_MAX / 2);
    return usual_ns / 32 < 1000 ? 1000 : usual_ns / 32;
}

static void check_make(struct sim_world *world)
{
    const struct sim_cluster_options *cluster = &world->options.cluster;
    const struct check_options options = {
        .members = cluster->members + cluster->learners,
        .heartbeat_ns = cluster->heartbeat_ns,
        .election_ns = cluster->election_ns,
        .tick_ns = cluster->tick_ns,
        .drift_ppm = world->options.drift_ppm,
        .is_exceeded = world->options.tolerance_exceeded,
        .is_lossy = world->options.tolerance_lossy,
        .is_lease_unfenced = !cluster->lease_fencing,
        .off = world->options.checks_off,
    };
    check_reset(world->check, &options);
}

static void options_fill(struct sim_cluster_options *cluster)
{
    if (cluster->tick_ns == 0) {
        cluster->tick_ns = cluster->heartbeat_ns;
    }
    if (cluster->election_spread_ns == 0) {
        cluster->election_spread_ns = cluster->election_ns;
    }
    if (cluster->learners_max < cluster->learners) {
        cluster->learners_max = cluster->learners;
    }
}

static void populate(struct sim_world *world, const struct sim_options *options, uint64_t seed)
{
    world->options = *options;
    options_fill(&world->options.cluster);
    for (uint32_t number = 1; number <= SIM_MEMBERS_MAX; number++) {
        options_fill(&world->options.member[number]);
    }
    world->seed = seed;
    world->now_ns = 0;
    world->machine_count = SIM_MEMBERS_MAX;
    world->member_count = 0;
    memset(world->machines, 0, (SIM_MEMBERS_MAX + 1) * sizeof *world->machines);
    world->completions_end = &world->completions;
    sim_recorder_init(&world->recorder, seed);
    world->recorder.number_of = number_of;
    world->recorder.number_context = world;
    sim_random_init(&world->random, seed, 0, 0, SIM_FOR_WORLD);
    check_make(world);
    for (uint32_t i = 0; i < options->cluster.members + options->cluster.learners; i++) {
        (void)sim_machine_add(world, false);
    }
}

struct sim_world *sim_world_new(const struct sim_options *options, uint64_t seed)
{
    struct sim_world *world = zalloc_or_die(sizeof *world);
    world->queue = sim_queue_new(bucket_ns(options));
    world->pool = sim_pool_new();
    world->check = check_new();
    world->client_heap = sim_heap_new();
    world->machine_capacity = 2 * SIM_MEMBERS_MAX;
    world->machines = zalloc_or_die(world->machine_capacity * sizeof *world->machines);
    populate(world, options, seed);
    return world;
}

/* Take back what a run has used; memory stays for the next. */
static void depopulate(struct sim_world *world)
{
    sim_loads_drop(world);
    world->holds = NULL;
    struct sim_item item;
    while (sim_queue_pop(world->queue, &item)) {
        if (item.kind == SIM_ITEM_FRAME) {
            sim_frame_free(world, item.data);
        }
    }
    while (world->completions) {
        struct sim_completion *completion = world->completions;
        world->completions = completion->next;
        sim_pool_give(world->pool, completion);
    }
    for (uint32_t number = 1; number <= world->machine_count; number++) {
        struct sim_machine *machine = world->machines[number];
        if (!machine) {
            continue;
        }
        sim_machine_drop_work(machine);
        sim_stages_release(machine);
        if (machine->is_client) {
            sim_client_drop(machine);
        }
        machine->member = NULL;
        if (machine->heap) {
            sim_heap_reset(machine->heap);
        }
        machine->next = world->spare;
        world->spare = machine;
    }
    for (uint32_t i = 0; i < world->image_count; i++) {
        sim_disk_image_free(world->images[i]);
    }
    free(world->images);
    world->images = NULL;
    world->image_count = 0;
    sim_heap_reset(world->client_heap);
    world->timer_free = NULL;
    for (uint32_t block = 0; block < world->timer_block_count; block++) {
        for (uint32_t i = 0; i < TIMER_BLOCK; i++) {
            world->timers[block][i].next = world->timer_free;
            world->timers[block][i].number = 0;
            world->timer_free = &world->timers[block][i];
        }
    }
}

static void machine_free(struct sim_machine *machine)
{
    if (machine->disk) {
        sim_disk_free(machine->disk);
    }
    sim_heap_free(machine->heap);
    free(machine->survivors);
    free(machine->work);
    free(machine->connections);
    free(machine->calls);
    free(machine->watchers);
    free(machine->lockers);
    free(machine->out);
    free(machine->in);
    free(machine);
}

void sim_world_free(struct sim_world *world)
{
    depopulate(world);
    while (world->spare) {
        struct sim_machine *machine = world->spare;
        world->spare = machine->next;
        machine_free(machine);
    }
    for (uint32_t block = 0; block < world->timer_block_count; block++) {
        free(world->timers[block]);
    }
    free(world->timers);
    free(world->machines);
    free(world->ids);
    free(world->led);
    check_free(world->check);
    sim_heap_free(world->client_heap);
    sim_pool_free(world->pool);
    sim_queue_free(world->queue);
    free(world);
}

void sim_world_reset(struct sim_world *world, const struct sim_options *options, uint64_t seed)
{
    depopulate(world);
    sim_queue_reset(world->queue, bucket_ns(options));
    struct sim_world kept = *world;
    memset(world, 0, sizeof *world);
    world->queue = kept.queue;
    world->pool = kept.pool;
    world->check = kept.check;
    world->client_heap = kept.client_heap;
    world->machines = kept.machines;
    world->machine_capacity = kept.machine_capacity;
    world->spare = kept.spare;
    world->ids = kept.ids;
    world->id_capacity = kept.id_capacity;
    world->led = kept.led;
    world->led_capacity = kept.led_capacity;
    world->timers = kept.timers;
    world->timer_block_count = kept.timer_block_count;
    world->timer_free = kept.timer_free;
    populate(world, options, seed);
}

uint64_t sim_world_now(const struct sim_world *world)
{
    return world->now_ns;
}

struct sim_recorder *sim_world_recorder(struct sim_world *world)
{
    return &world->recorder;
}

struct check *sim_world_check(struct sim_world *world)
{
    return world->check;
}

const struct sim_options *sim_world_options(const struct sim_world *world)
{
    return &world->options;
}

static void disk_event(struct sim_machine *machine)
{
    struct sim_disk_done done;
    while (sim_disk_take(machine->disk, &done)) {
        sim_emit(machine->world, SIM_EVENT_DISK_DONE, machine->number,
                 (uint64_t[]){done.token & UINT32_MAX, done.status});
        if (machine->is_alive) {
            struct sim_work work = {.kind = SIM_WORK_DISK, .value = done.status, .token = done.token};
            sim_machine_input(machine, &work);
        }
    }
    sim_disk_settle(machine->disk);
}

static void timer_event(struct sim_world *world, const struct sim_item *item)
{
    struct sim_timer *timer = item->data;
    if (timer->number != item->value) {
        return; /* Cancelled. */
    }
    void (*fire)(void *context) = timer->fire;
    void *context = timer->context;
    timer->number = 0;
    timer->next = world->timer_free;
    world->timer_free = timer;
    fire(context);
}

static void dispatch(struct sim_world *world, const struct sim_item *item)
{
    struct sim_machine *machine = item->machine == 0 ? NULL : world->machines[item->machine];
    switch ((enum sim_item_kind)item->kind) {
    case SIM_ITEM_FRAME:
        sim_machine_arrive(machine, item->data);
        break;
    case SIM_ITEM_TICK:
    case SIM_ITEM_DUE:
        if (item->value == machine->life && machine->is_alive) {
            sim_machine_timer(machine, (enum sim_item_kind)item->kind);
        }
        break;
    case SIM_ITEM_CPU:
        if (item->value == machine->life) {
            sim_machine_cpu(machine);
        }
        break;
    case SIM_ITEM_STAGE:
        if (item->value == machine->life && machine->is_alive) {
            sim_machine_stage(machine);
        }
        break;
    case SIM_ITEM_DISK:
        disk_event(machine);
        break;
    case SIM_ITEM_TIMER:
        timer_event(world, item);
        break;
    }
}

bool sim_world_step(struct sim_world *world)
{
    struct sim_item item;
    if (!sim_queue_pop(world->queue, &item)) {
        return false;
    }
    assert(item.time_ns >= world->now_ns);
    world->now_ns = item.time_ns;
    world->event_count++;
    dispatch(world, &item);
    return true;
}

bool sim_world_take_changed(struct sim_world *world)
{
    bool has_changed = world->has_changed;
    world->has_changed = false;
    return has_changed;
}

static struct sim_timer *timer_take(struct sim_world *world)
{
    if (!world->timer_free) {
        struct sim_timer *block = zalloc_or_die(TIMER_BLOCK * sizeof *block);
        world->timers = realloc(world->timers, (world->timer_block_count + 1) * sizeof *world->timers);
        if (!world->timers) {
            abort();
        }
        world->timers[world->timer_block_count++] = block;
        for (uint32_t i = 0; i < TIMER_BLOCK; i++) {
            block[i].next = world->timer_free;
            world->timer_free = &block[i];
        }
    }
    struct sim_timer *timer = world->timer_free;
    world->timer_free = timer->next;
    return timer;
}

uint64_t sim_world_at(struct sim_world *world, uint64_t time_ns, void (*fire)(void *context), void *context)
{
    struct sim_timer *timer = timer_take(world);
    *timer = (struct sim_timer){.number = ++world->timer_number, .fire = fire, .context = context};
    sim_push(world, time_ns, SIM_ITEM_TIMER, 0, timer, timer->number);
    return timer->number;
}

void sim_world_cancel(struct sim_world *world, uint64_t number)
{
    for (uint32_t block = 0; number != 0 && block < world->timer_block_count; block++) {
        for (uint32_t i = 0; i < TIMER_BLOCK; i++) {
            struct sim_timer *timer = &world->timers[block][i];
            if (timer->number == number) {
                timer->number = 0; /* Its event finds another number and does nothing. */
                timer->next = world->timer_free;
                world->timer_free = timer;
                return;
            }
        }
    }
}

void sim_world_points(struct sim_world *world, sim_point_reached reach, void *context)
{
    world->reach = reach;
    world->reach_context = context;
}

void sim_world_note(struct sim_world *world, const char *text)
{
    sim_announce(world);
    sim_emit_text(world, SIM_EVENT_NOTE, 0, NULL, base_bytes_of(text));
}

void sim_world_cost(const struct sim_world *world, struct sim_cost *out)
{
    *out = world->cost;
    out->time_ns = world->now_ns;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        out->syncs += sim_disk_syncs(world->machines[number]->disk);
    }
}

uint64_t sim_world_events(const struct sim_world *world)
{
    return world->event_count;
}
