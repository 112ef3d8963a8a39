/* What is done to machines from outside: by a script, a nemesis, or the operator
 * that both of them play. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *refuse(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *refuse(struct sim_world *world, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->text, sizeof world->text, format, arguments);
    va_end(arguments);
    return world->text;
}

/* The member, or NULL and why not in `*why`. */
static struct sim_machine *live_member(struct sim_world *world, uint32_t number, const char **why)
{
    struct sim_machine *machine = sim_machine_at(world, number);
    if (machine->is_client || !machine->is_alive) {
        *why = refuse(world, "%s is down (%s)", machine->name,
                      machine->exit[0] ? machine->exit : "never started");
        return NULL;
    }
    world->has_changed = true;
    return machine;
}

void sim_operator_acted(struct sim_world *world)
{
    world->cost.operator_actions++;
}

uint32_t sim_member_count(const struct sim_world *world)
{
    return world->member_count;
}

sim_machine_number sim_member_new(struct sim_world *world)
{
    if (world->member_count == SIM_MEMBERS_MAX) {
        return 0;
    }
    world->has_changed = true;
    return sim_machine_add(world, false)->number;
}

void sim_member_assign(struct sim_world *world, sim_machine_number member, uint64_t member_id)
{
    sim_machine_at(world, member)->member_id = member_id;
}

uint64_t sim_voters(struct sim_world *world)
{
    uint64_t highest = 0;
    const struct raft_conf_state *newest = NULL;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        struct sim_machine *machine = world->machines[number];
        if (!machine->is_alive || !sim_member_is_current(world, number)) {
            continue;
        }
        struct member_status status;
        member_get_status(machine->member, &status);
        const struct raft_conf_state *own = member_configuration(machine->member);
        if (own && own->voters.count > 0 && status.applied >= highest) {
            highest = status.applied;
            newest = own;
        }
    }
    uint64_t voters = 0;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        bool is_voter = newest ? false : number <= world->options.cluster.members;
        for (uint32_t i = 0; newest && i < newest->voters.count; i++) {
            is_voter |= newest->voters.ids[i] == world->machines[number]->member_id;
        }
        voters |= is_voter ? UINT64_C(1) << (number - 1) : 0;
    }
    return voters;
}

void sim_member_url(uint32_t number, char out[32])
{
    snprintf(out, 32, "http://m%" PRIu32 ":2380", number);
}

/* Peers are those it was told of, or all members there were to be at first. */
static uint32_t peers_of(const struct sim_machine *machine, struct member_peer *peers, char urls[][32],
                         char names[][16])
{
    const struct sim_boot *boot = &machine->boot;
    const struct sim_cluster_options *cluster = &machine->world->options.cluster;
    if (boot->has_peers) {
        for (uint32_t i = 0; i < boot->peer_count; i++) {
            peers[i] = (struct member_peer){.name = boot->peer_names[i], .url = boot->peer_urls[i]};
        }
        return boot->peer_count;
    }
    uint32_t count = boot->discovery ? 0 : cluster->members + cluster->learners;
    for (uint32_t i = 0; i < count; i++) {
        sim_member_url(i + 1, urls[i]);
        snprintf(names[i], 16, "m%" PRIu32, i + 1);
        peers[i] =
            (struct member_peer){.name = names[i], .url = urls[i], .is_learner = i >= cluster->members};
    }
    return count;
}

static struct member_config config_of(const struct sim_machine *machine)
{
    const struct sim_cluster_options *options = &machine->options;
    const struct sim_boot *boot = &machine->boot;
    return (struct member_config){
        .name = boot->name ? boot->name : machine->name,
        .state = boot->state,
        .token = boot->token ? boot->token : options->token,
        .discovery = boot->discovery,
        .discovery_url = SIM_REGISTRY_URL,
        .strict_timing = options->strict_timing,
        .tick_ns = options->tick_ns,
        .heartbeat_ticks = (uint32_t)(options->heartbeat_ns / options->tick_ns),
        .election_ticks = (uint32_t)(options->election_ns / options->tick_ns),
        .election_spread_ticks =
            (uint32_t)((options->election_spread_ns + options->tick_ns - 1) / options->tick_ns),
        .pre_vote = options->pre_vote,
        .check_quorum = options->check_quorum,
        .read_lease = options->read_lease,
        .snapshot_entries = options->snapshot_entries,
        .catchup_entries = options->catchup_entries,
        .inflight_count_max = options->max_inflight,
        .message_bytes_max = options->max_message_bytes,
        .lease_fencing = options->lease_fencing,
        .lease_checkpoint = options->lease_checkpoint,
        .strict_reconfig = options->strict_reconfig,
        .learners_max = options->learners_max,
        .segment_bytes = options->segment_bytes,
        .allocate_bytes = options->allocate_bytes,
        .quota_bytes = options->quota_bytes,
        .request_bytes_max = options->max_request_bytes,
        .progress_notify_ns = options->progress_notify_ns,
        .corrupt_check_ns = options->corrupt_check_ns,
    };
}

/* The first tick comes after a part of a tick from the machine's own stream. */
static void ticks_begin(struct sim_machine *machine, uint64_t local_ns)
{
    machine->tick_ns = machine->options.tick_ns;
    uint64_t phase_ns = sim_random_below(&machine->random_schedule, machine->tick_ns) + 1;
    uint64_t first_ns = local_ns + phase_ns;
    /* Tick 1 at `first_ns`; tick 0 may have been before the clock's 0, and wraps. */
    machine->tick_base_ns = first_ns - machine->tick_ns;
    machine->ticks_told = 0;
    machine->tick_due = 0;
    machine->tick_next_local_ns = first_ns;
}

/* Crashes and power losses are what a log is for: whoever refuses its own disk after
 * nothing worse has lost what it was to keep. */
static void judge_refusal(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    if (machine->is_stopping && !machine->is_harmed && strncmp(machine->exit, "disk", 4) == 0) {
        check_violate(
            world->check, CHECK_DURABILITY, world->now_ns, machine->number,
            "%s will not start again from a disk that had no other fault than crashes and power losses: %s",
            machine->name, machine->exit);
    }
}

static void begin(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    struct member_peer peers[SIM_MEMBERS_MAX];
    char urls[SIM_MEMBERS_MAX][32];
    char names[SIM_MEMBERS_MAX][16];
    char own_url[32];
    sim_announce(world);
    machine->life++;
    machine->is_alive = true;
    machine->is_paused = false;
    machine->is_powered = true;
    machine->is_stopping = false;
    machine->is_leaving = false;
    machine->has_started = true;
    machine->heals = true;
    machine->is_booting = true;
    machine->is_wiped = false;
    machine->exit[0] = '\0';
    machine->busy_until_ns = world->now_ns;
    machine->stalled_until_ns = 0;
    sim_random_init(&machine->random_raft, world->seed, machine->number, machine->life, SIM_FOR_RAFT);
    sim_random_init(&machine->random_network, world->seed, machine->number, machine->life, SIM_FOR_NETWORK);
    uint64_t local_ns = sim_machine_now(machine);
    ticks_begin(machine, local_ns);
    sim_emit(world, machine->life == 1 ? SIM_EVENT_START : SIM_EVENT_RESTART, machine->number,
             (uint64_t[]){machine->life});
    check_start(world->check, world->now_ns, machine->number, machine->life);
    struct member_config config = config_of(machine);
    snprintf(own_url, sizeof own_url, "http://m%" PRIu32 ":2380", machine->number);
    config.url = machine->boot.url ? machine->boot.url : own_url;
    config.peers = peers;
    config.peer_count = peers_of(machine, peers, urls, names);
    sim_disaster_configure(machine, &config);
    machine->member = member_new(&config, sim_heap_allocator(machine->heap), &machine->host,
                                 &machine->platter, &machine->observer);
    machine->is_in_step = true;
    member_start(machine->member, local_ns);
    machine->is_in_step = false;
    judge_refusal(machine);
    machine->survivor_count = 0;
    world->has_changed = true;
    sim_machine_begin(machine);
}

const char *sim_world_boot(struct sim_world *world)
{
    for (uint32_t number = 1; number <= world->member_count; number++) {
        begin(world->machines[number]);
        world->cost.operator_actions++;
    }
    return NULL;
}

const char *sim_member_start(struct sim_world *world, sim_machine_number member, const struct sim_boot *boot)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    if (machine->is_alive) {
        return refuse(world, "%s is running already", machine->name);
    }
    if (boot) {
        machine->boot = *boot;
    }
    world->cost.operator_actions++;
    begin(machine);
    return NULL;
}

const char *sim_member_restart(struct sim_world *world, sim_machine_number member)
{
    return sim_member_start(world, member, NULL);
}

static void crash(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    sim_cover(machine, SIM_FAULT_CRASH);
    sim_emit(world, SIM_EVENT_CRASH, machine->number, (uint64_t[]){machine->life});
    sim_machine_end(machine, "crashed", false);
    check_down(world->check, world->now_ns, machine->number, false);
}

static void power_off(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    sim_cover(machine, SIM_FAULT_POWER_OFF);
    sim_emit(world, SIM_EVENT_POWER_OFF, machine->number, (uint64_t[]){machine->life});
    if (machine->is_alive) {
        sim_machine_end(machine, "powered off", true);
    }
    machine->is_powered = false;
    sim_disk_power_loss(machine->disk, &machine->random_power);
    check_down(world->check, world->now_ns, machine->number, true);
    world->has_changed = true;
}

void sim_machine_execute(struct sim_machine *machine)
{
    enum sim_doom doom = machine->doom;
    machine->doom = SIM_DOOM_NONE;
    if (doom == SIM_DOOM_CRASH) {
        crash(machine);
    } else if (doom == SIM_DOOM_POWER_OFF) {
        power_off(machine);
    }
}

const char *sim_member_crash(struct sim_world *world, sim_machine_number member)
{
    const char *why = NULL;
    struct sim_machine *machine = live_member(world, member, &why);
    if (!machine) {
        return why;
    }
    if (machine->is_in_step) {
        machine->doom = machine->doom == SIM_DOOM_NONE ? SIM_DOOM_CRASH : machine->doom;
        return NULL;
    }
    crash(machine);
    return NULL;
}

const char *sim_member_power_off(struct sim_world *world, sim_machine_number member)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    if (!machine->is_powered) {
        return refuse(world, "%s is powered off already", machine->name);
    }
    if (machine->is_in_step) {
        machine->doom = SIM_DOOM_POWER_OFF;
        return NULL;
    }
    power_off(machine);
    return NULL;
}

const char *sim_member_stop(struct sim_world *world, sim_machine_number member)
{
    const char *why = NULL;
    struct sim_machine *machine = live_member(world, member, &why);
    if (!machine) {
        return why;
    }
    if (machine->is_paused) {
        return refuse(world, "%s is paused: a stopped process cannot leave gracefully", machine->name);
    }
    if (machine->is_in_step) {
        return refuse(world, "%s is in the middle of a step: it can be killed there, not asked to leave",
                      machine->name);
    }
    world->cost.operator_actions++;
    machine->is_leaving = true;
    sim_cover(machine, SIM_FAULT_STOP);
    machine->is_in_step = true;
    member_leave(machine->member, sim_machine_now(machine));
    machine->is_in_step = false;
    sim_machine_begin(machine);
    return NULL;
}

const char *sim_member_pause(struct sim_world *world, sim_machine_number member)
{
    const char *why = NULL;
    struct sim_machine *machine = live_member(world, member, &why);
    if (!machine) {
        return why;
    }
    if (machine->is_paused) {
        return refuse(world, "%s is paused already", machine->name);
    }
    sim_emit(world, SIM_EVENT_PAUSE, member, NULL);
    sim_cover(machine, SIM_FAULT_PAUSE);
    machine->is_paused = true;
    machine->paused_local_ns = sim_machine_now(machine);
    return NULL;
}

/* The ticks up to the pause count, and one more; those between nobody took. */
static uint64_t ticks_after_gap(struct sim_machine *machine, uint64_t gap_began_ns, uint64_t local_ns)
{
    uint64_t before = 0;
    if (gap_began_ns >= machine->tick_next_local_ns) {
        before = (gap_began_ns - machine->tick_base_ns) / machine->tick_ns - machine->ticks_told;
    }
    uint64_t passed = (local_ns - machine->tick_base_ns) / machine->tick_ns - machine->ticks_told;
    if (passed <= before) {
        return passed;
    }
    /* The tick number goes on from here as if the lost ones had never been. */
    uint64_t lost = passed - before - 1;
    machine->tick_base_ns += lost * machine->tick_ns;
    machine->tick_next_local_ns += lost * machine->tick_ns;
    return before + 1;
}

/* After a gap: what waited and the tick come in an order drawn from the stream. */
static void end_gap(struct sim_machine *machine, uint64_t gap_began_ns)
{
    uint64_t local_ns = sim_machine_now(machine);
    uint64_t draw = sim_random_u64(&machine->random_schedule);
    uint64_t ticks = ticks_after_gap(machine, gap_began_ns, local_ns);
    if (ticks > 0 && machine->work_count > 0) {
        machine->work_before_tick = (uint32_t)(draw % (machine->work_count + 1));
    }
    machine->tick_timer.due_ns = machine->world->now_ns;
    sim_timer_set(machine, &machine->tick_timer, SIM_ITEM_TICK, machine->world->now_ns);
}

const char *sim_member_resume(struct sim_world *world, sim_machine_number member)
{
    const char *why = NULL;
    struct sim_machine *machine = live_member(world, member, &why);
    if (!machine) {
        return why;
    }
    if (!machine->is_paused) {
        return refuse(world, "%s is not paused", machine->name);
    }
    sim_emit(world, SIM_EVENT_RESUME, member, NULL);
    machine->is_paused = false;
    machine->busy_until_ns = world->now_ns;
    sim_stages_look(machine);
    end_gap(machine, machine->paused_local_ns);
    sim_machine_begin(machine);
    return NULL;
}

/* Does a disk that behaves so do more than lose what was not synced? */
static bool is_harmful(const struct sim_disk_behaviour *behaviour)
{
    return behaviour->read_error_ppm != 0 || behaviour->write_error_ppm != 0 ||
           behaviour->sync_error_ppm != 0 || behaviour->misdirect_ppm != 0 || behaviour->full_bytes != 0 ||
           behaviour->is_lying;
}

const char *sim_member_wipe(struct sim_world *world, sim_machine_number member)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    if (machine->is_alive) {
        return refuse(world, "%s is running: stop it before its directory is deleted", machine->name);
    }
    world->cost.operator_actions++;
    sim_emit(world, SIM_EVENT_WIPE, member, NULL);
    sim_cover(machine, SIM_FAULT_WIPE);
    sim_disk_wipe(machine->disk);
    machine->is_wiped = true;
    machine->survivor_count = 0;
    machine->is_harmed = is_harmful(sim_disk_behaviour(machine->disk)); /* The drive is the same. */
    check_wipe(world->check, world->now_ns, member);
    return NULL;
}

const char *sim_member_stall_timer(struct sim_world *world, sim_machine_number member, uint64_t duration_ns)
{
    const char *why = NULL;
    struct sim_machine *machine = live_member(world, member, &why);
    if (!machine) {
        return why;
    }
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of("timer stalled"));
    sim_cover(machine, SIM_FAULT_TIMER);
    if (machine->stalled_until_ns <= world->now_ns) {
        machine->stalled_local_ns = sim_machine_now(machine);
    }
    machine->stalled_until_ns = world->now_ns + duration_ns;
    sim_timer_set(machine, &machine->tick_timer, SIM_ITEM_TICK, machine->stalled_until_ns);
    return NULL;
}

void sim_machine_unstall(struct sim_machine *machine)
{
    if (machine->stalled_until_ns != 0 && machine->stalled_until_ns <= machine->world->now_ns) {
        machine->stalled_until_ns = 0;
        (void)ticks_after_gap(machine, machine->stalled_local_ns, sim_machine_now(machine));
    }
}

const char *sim_member_stall_disk(struct sim_world *world, sim_machine_number member, uint64_t duration_ns)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of("disk stalled"));
    sim_cover(machine, SIM_FAULT_DISK_STALL);
    sim_disk_stall(machine->disk, duration_ns);
    sim_disk_settle(machine->disk);
    return NULL;
}

const struct sim_disk_behaviour *sim_member_disk(const struct sim_world *world, sim_machine_number member)
{
    return sim_disk_behaviour(sim_machine_at(world, member)->disk);
}

void sim_member_set_disk(struct sim_world *world, sim_machine_number member,
                         const struct sim_disk_behaviour *behaviour)
{
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of("disk behaves differently"));
    struct sim_machine *machine = sim_machine_at(world, member);
    sim_cover(machine, SIM_FAULT_DISK);
    machine->is_harmed |= is_harmful(behaviour);
    sim_disk_behave(machine->disk, behaviour);
}

uint32_t sim_member_rot(struct sim_world *world, sim_machine_number member, uint32_t bit_count)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of("bits rot"));
    sim_cover(machine, SIM_FAULT_ROT);
    machine->is_harmed = true;
    return sim_disk_rot(machine->disk, &machine->random_power, bit_count);
}

uint32_t sim_member_image(struct sim_world *world, sim_machine_number member)
{
    struct sim_disk_image **images = realloc(world->images, (world->image_count + 1) * sizeof(*images));
    if (!images) {
        abort();
    }
    world->images = images;
    images[world->image_count] = sim_disk_image(sim_machine_at(world, member)->disk);
    return ++world->image_count;
}

const char *sim_member_restart_from(struct sim_world *world, sim_machine_number member, uint32_t image)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    if (machine->is_alive) {
        return refuse(world, "%s is running already", machine->name);
    }
    if (image == 0 || image > world->image_count) {
        return refuse(world, "there is no image %" PRIu32 ": %" PRIu32 " were taken", image,
                      world->image_count);
    }
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of("directory put back"));
    sim_disk_restore(machine->disk, world->images[image - 1]);
    machine->survivor_count = 0;
    check_wipe(world->check, world->now_ns, member);
    return sim_member_start(world, member, NULL);
}

const char *sim_member_slow(struct sim_world *world, sim_machine_number member, uint32_t thousandths,
                            uint32_t stage)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    bool is_all = stage >= HOST_STAGE_COUNT;
    uint32_t before = is_all ? machine->slow_thousandths : machine->stages[stage].slow_thousandths;
    if (thousandths == (before == 0 ? SIM_USUAL_PACE : before)) {
        return NULL;
    }
    if (is_all) {
        machine->slow_thousandths = thousandths;
    } else {
        sim_stage_set(machine, (enum host_stage)stage, thousandths);
    }
    char text[64];
    (void)snprintf(text, sizeof text, "%s at %" PRIu32 ".%03" PRIu32 " times its usual cost",
                   is_all ? "processor" : sim_stage_texts[stage], thousandths / 1000, thousandths % 1000);
    sim_emit_text(world, SIM_EVENT_FAULT, member, NULL, base_bytes_of(text));
    if (thousandths != SIM_USUAL_PACE) {
        sim_cover(machine, SIM_FAULT_SLOW);
    }
    return NULL;
}

/* Timers lie at true instants of local ones: look at them again. */
static void clock_changed(struct sim_machine *machine)
{
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_CLOCK, machine->number, NULL);
    sim_cover(machine, SIM_FAULT_CLOCK);
    if (machine->is_alive && !machine->is_paused) {
        if (!machine->is_client) {
            sim_timer_set(machine, &machine->tick_timer, SIM_ITEM_TICK, world->now_ns);
        }
        sim_timer_set(machine, &machine->due_timer, SIM_ITEM_DUE, world->now_ns);
    }
}

const char *sim_machine_drift(struct sim_world *world, sim_machine_number number, int64_t drift_ppm)
{
    struct sim_machine *machine = sim_machine_at(world, number);
    sim_clock_set_drift(&machine->clock, world->now_ns, drift_ppm);
    if (!machine->is_client) {
        check_drift(world->check, (uint32_t)(drift_ppm < 0 ? -drift_ppm : drift_ppm));
    }
    clock_changed(machine);
    return NULL;
}

const char *sim_machine_freeze(struct sim_world *world, sim_machine_number number, uint64_t duration_ns)
{
    struct sim_machine *machine = sim_machine_at(world, number);
    sim_clock_freeze(&machine->clock, world->now_ns, duration_ns);
    if (!machine->is_client) {
        check_freeze(world->check, duration_ns);
    }
    clock_changed(machine);
    return NULL;
}

const char *sim_machine_skew(struct sim_world *world, sim_machine_number number, int64_t skew_ns)
{
    struct sim_machine *machine = sim_machine_at(world, number);
    machine->clock.wall_offset_ns = skew_ns;
    clock_changed(machine);
    return NULL;
}

const char *sim_machine_jump(struct sim_world *world, sim_machine_number number, int64_t jump_ns)
{
    struct sim_machine *machine = sim_machine_at(world, number);
    machine->clock.wall_offset_ns += jump_ns; /* The wall clock only: no member asks it. */
    clock_changed(machine);
    return NULL;
}

uint64_t sim_machine_local(struct sim_world *world, sim_machine_number number)
{
    return sim_machine_now(sim_machine_at(world, number));
}

static const char *role_text(const struct sim_machine *machine, const struct member_status *status)
{
    if (!machine->is_alive) {
        return "down";
    }
    switch (status->raft.role) {
    case RAFT_LEADER:
        return "leader";
    case RAFT_CANDIDATE:
        return "candidate";
    case RAFT_PRE_CANDIDATE:
        return "pre-candidate";
    case RAFT_FOLLOWER:
        break;
    }
    return status->is_learner ? "learner" : "follower";
}

void sim_member_view(struct sim_world *world, sim_machine_number member, bool with_hash,
                     struct sim_member_view *out)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    struct member_status status = machine->last;
    if (machine->is_alive) {
        member_get_status(machine->member, &status);
    }
    *out = (struct sim_member_view){
        .number = member,
        .member_id = machine->member_id,
        .cluster_id = machine->cluster_id,
        .name = machine->name,
        .role = role_text(machine, &status),
        .exit = machine->exit,
        .alive = machine->is_alive,
        .paused = machine->is_paused,
        .started = machine->has_started,
        .ready = machine->is_alive && status.is_ready,
        .is_learner = status.is_learner,
        .term = status.raft.hard_state.term,
        .vote = sim_number_of(world, status.raft.hard_state.vote),
        .commit = status.raft.hard_state.commit,
        .applied = status.applied,
        .last_index = status.raft.last_index,
        .last_term = status.raft.last_term,
        .leader = sim_number_of(world, status.raft.leader),
        .revision = status.revision,
        .disk_used_bytes = sim_disk_used_bytes(machine->disk),
        .memory_bytes = sim_heap_used_bytes(machine->heap),
        .requests_served = machine->served,
        .connections = machine->connection_count,
        .local_ns = sim_machine_now(machine),
        .wall_ns = sim_clock_wall(&machine->clock, world->now_ns),
    };
    if (with_hash) {
        out->state_hash = machine->is_alive ? member_state_hash(machine->member) : 0;
        out->store_hash = machine->is_alive ? member_store_hash(machine->member) : machine->last_hash;
    }
}

bool sim_member_term_at(struct sim_world *world, sim_machine_number member, uint64_t index, uint64_t *term)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    return machine->is_alive && member_term_at(machine->member, index, term) == RAFT_OK;
}

bool sim_member_is_current(const struct sim_world *world, sim_machine_number member)
{
    const struct sim_machine *machine = sim_machine_at(world, member);
    for (uint32_t i = 0; i + 1 < world->led_count && !machine->is_booting; i++) {
        if (world->led[i] == machine->cluster_id) {
            return false;
        }
    }
    return true;
}

sim_machine_number sim_leader(struct sim_world *world)
{
    uint64_t highest = 0;
    uint64_t term = 0;
    sim_machine_number leader = 0;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        struct sim_machine *machine = world->machines[number];
        if (!machine->is_alive || !sim_member_is_current(world, number)) {
            continue;
        }
        struct member_status status;
        member_get_status(machine->member, &status);
        uint64_t own = status.raft.hard_state.term;
        highest = own > highest ? own : highest;
        if (status.raft.role == RAFT_LEADER && !machine->is_paused && own > term) {
            term = own;
            leader = number;
        }
    }
    return term == highest ? leader : 0;
}
