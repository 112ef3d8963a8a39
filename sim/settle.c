/* The end of a run: everything heals, and progress is demanded. Wherever a quorum
 * of a cluster lives, within 30 election timeouts (counted anew while a member
 * still catches up) there is a leader, a write of ours is answered, and all live
 * members have applied the same to equal stores. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/conf_change.h"
#include "core/raft/id_set.h"
#include "sim/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SETTLE_ELECTIONS = 30, PROBE_NONE = 0, PROBE_UNDER_WAY = 1, PROBE_ANSWERED = 2 };

static uint64_t bound_ns(const struct sim_world *world)
{
    return SETTLE_ELECTIONS * world->options.cluster.election_ns;
}

/* Came to an end by a fault, not by a verdict of its own, and has not lost its disk. */
static bool comes_back(const struct sim_machine *machine)
{
    return machine->has_started && !machine->is_alive && !machine->is_wiped &&
           (strcmp(machine->exit, "crashed") == 0 || strcmp(machine->exit, "powered off") == 0 ||
            strncmp(machine->exit, "stopped", 7) == 0);
}

/* Errors and lies end; how fast the disk is, and what they did, stays. */
static void heal_disk(struct sim_world *world, uint32_t number)
{
    struct sim_disk_behaviour behaviour = *sim_member_disk(world, number);
    behaviour.read_error_ppm = 0;
    behaviour.write_error_ppm = 0;
    behaviour.sync_error_ppm = 0;
    behaviour.misdirect_ppm = 0;
    behaviour.full_bytes = 0;
    behaviour.is_lying = false;
    sim_disk_behave(world->machines[number]->disk, &behaviour);
    sim_disk_unstall(world->machines[number]->disk);
}

static void heal_timer(struct sim_machine *machine)
{
    if (machine->is_alive && machine->stalled_until_ns > machine->world->now_ns) {
        machine->stalled_until_ns = machine->world->now_ns;
        sim_timer_set(machine, &machine->tick_timer, SIM_ITEM_TICK, machine->world->now_ns);
    }
}

void sim_world_heal_all(struct sim_world *world)
{
    sim_loads_stop_all(world);
    uint64_t actions = world->cost.operator_actions;
    sim_network_heal(world);
    world->options.network.loss_ppm = 0;
    world->options.network.duplicate_ppm = 0;
    world->options.network.reorder_ppm = 0;
    world->options.network.corrupt_ppm = 0;
    for (uint32_t i = 0; i < world->link_count; i++) {
        world->links[i].loss_ppm = 0;
        world->links[i].duplicate_ppm = 0;
        world->links[i].reorder_ppm = 0;
        world->links[i].corrupt_ppm = 0;
    }
    for (uint32_t number = 1; number <= world->machine_count; number++) {
        struct sim_machine *machine = world->machines[number];
        if (!machine) {
            continue;
        }
        if (machine->is_client) {
            if (!machine->is_alive) {
                (void)sim_registry_restart(world); /* Of what has no disk, only it ever goes down. */
            } else if (machine->is_paused) {
                (void)sim_client_resume(world, number);
            }
            continue;
        }
        machine->slow_thousandths = SIM_USUAL_PACE;
        for (uint32_t stage = 0; stage < HOST_STAGE_COUNT; stage++) {
            sim_stage_set(machine, (enum host_stage)stage, SIM_USUAL_PACE);
        }
        heal_disk(world, number);
        heal_timer(machine);
        if (machine->is_paused) {
            (void)sim_member_resume(world, number);
        } else if (comes_back(machine)) {
            (void)sim_member_restart(world, number);
        }
    }
    world->cost.operator_actions = actions; /* Nobody's work but the testbed's. */
    world->is_healed = true;
    uint64_t backlog_ns = sim_network_backlog_ns(world);
    world->settle_deadline_ns = (backlog_ns > world->now_ns ? backlog_ns : world->now_ns) + bound_ns(world);
    world->settle_look_ns = world->now_ns;
}

/* One cluster's live members. */
struct cluster_view {
    uint64_t cluster_id;
    uint32_t live;
    uint32_t members[SIM_MEMBERS_MAX];
    uint32_t newest; /* Who has applied most: its configuration counts. */
    /* Of those who belong to it: */
    uint64_t applied_low, applied_high, applied_sum;
    uint32_t belonging;
    uint32_t stranger; /* Who does not, and runs all the same; 0 nobody. */
    bool has_leader;
};

static const struct raft_conf_state *configuration_of(const struct sim_world *world, uint32_t number)
{
    return member_configuration(world->machines[number]->member);
}

/* Of those in `ids`, how many live? */
static uint32_t count_live(const struct sim_world *world, const struct cluster_view *view,
                           const struct raft_id_set *ids)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < view->live; i++) {
        count += raft_id_set_has(ids, world->machines[view->members[i]]->member_id);
    }
    return count;
}

static bool is_quorum_live(const struct sim_world *world, const struct cluster_view *view,
                           const struct raft_conf_state *configuration)
{
    const struct raft_id_set *const halves[] = {&configuration->voters, &configuration->voters_outgoing};
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t count = halves[half]->count;
        if (count > 0 && count_live(world, view, halves[half]) < count / 2 + 1) {
            return false;
        }
    }
    return configuration->voters.count > 0;
}

static bool has_quorum(const struct sim_world *world, const struct cluster_view *view)
{
    const struct raft_conf_state *newest = configuration_of(world, view->newest);
    return newest && is_quorum_live(world, view, newest);
}

/* Must they find a leader, whoever of them stands? A voter that has not applied the
 * newest configuration stands by an older one, and may need somebody who is gone for
 * good: a known limit (etcd-behaviour §1.11, etcd#12359). */
static bool must_elect(const struct sim_world *world, const struct cluster_view *view)
{
    const struct raft_conf_state *newest = configuration_of(world, view->newest);
    for (uint32_t i = 0; i < view->live; i++) {
        const struct raft_conf_state *own = configuration_of(world, view->members[i]);
        bool stands = raft_id_set_has(&newest->voters, world->machines[view->members[i]]->member_id);
        if (stands && own && own->voters.count > 0 && !is_quorum_live(world, view, own)) {
            return false;
        }
    }
    return true;
}

static void view_add(struct sim_world *world, struct cluster_view *view, uint32_t number)
{
    struct member_status status;
    struct member_status newest = {0};
    member_get_status(world->machines[number]->member, &status);
    if (view->live > 0) {
        member_get_status(world->machines[view->newest]->member, &newest);
    }
    if (view->live == 0 || status.applied > newest.applied) {
        view->newest = number;
    }
    view->members[view->live++] = number;
}

/* How far those have come who belong. */
static void view_measure(struct sim_world *world, struct cluster_view *view)
{
    const struct raft_conf_state *newest = configuration_of(world, view->newest);
    for (uint32_t i = 0; i < view->live && newest; i++) {
        struct sim_machine *machine = world->machines[view->members[i]];
        struct member_status status;
        member_get_status(machine->member, &status);
        if (!raft_conf_has(newest, machine->member_id)) {
            view->stranger = machine->number;
            continue;
        }
        if (view->belonging == 0 || status.applied < view->applied_low) {
            view->applied_low = status.applied;
        }
        if (status.applied > view->applied_high) {
            view->applied_high = status.applied;
        }
        view->applied_sum += status.applied;
        view->has_leader |= status.raft.role == RAFT_LEADER;
        view->belonging++;
    }
}

/* The clusters that live, by the order of their first member. */
static uint32_t views_of(struct sim_world *world, struct cluster_view *views, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t number = 1; number <= world->member_count; number++) {
        struct sim_machine *machine = world->machines[number];
        if (!machine->is_alive || machine->is_booting) {
            continue;
        }
        uint32_t slot = 0;
        while (slot < count && views[slot].cluster_id != machine->cluster_id) {
            slot++;
        }
        if (slot == count) {
            if (count == max) {
                continue;
            }
            views[count++] = (struct cluster_view){.cluster_id = machine->cluster_id};
        }
        view_add(world, &views[slot], number);
    }
    for (uint32_t slot = 0; slot < count; slot++) {
        view_measure(world, &views[slot]);
    }
    return count;
}

/* Equal applied indexes and equal stores: then the judges get to see them. */
static bool is_converged(struct sim_world *world, const struct cluster_view *view)
{
    if (!view->has_leader || view->applied_low != view->applied_high || view->stranger != 0) {
        return false;
    }
    for (uint32_t i = 0; i < view->live; i++) {
        struct sim_member_view member;
        sim_member_view(world, view->members[i], false, &member);
        if (member.commit != member.applied || member.last_index != member.commit) {
            return false;
        }
    }
    return true;
}

static void on_probe(void *context, const struct wire_response *response, bool is_unknown)
{
    struct sim_world *world = context;
    bool is_answered = response->status == BASE_OK && !is_unknown;
    world->is_out_of_space |= response->status == BASE_NO_SPACE;
    bool is_last = world->has_probed_write || !world->is_reconfigured;
    world->probe_state = is_answered && is_last ? PROBE_ANSWERED : PROBE_NONE;
    world->has_probed_write |= is_answered;
}

static bool *has_asked(struct sim_world *world)
{
    return world->has_probed_write ? &world->has_asked_change : &world->has_asked_write;
}

/* A write of our own: a leader alone is no progress; where the quota refuses to put, to
 * delete. Where the membership was changed, it must be possible to change it again: to
 * tell anew where a member lives will do. */
static void probe(struct sim_world *world, const struct cluster_view *view)
{
    if (world->prober == 0) {
        struct sim_client_options options = {.endpoint_count = view->live};
        memcpy(options.endpoints, view->members, view->live * sizeof view->members[0]);
        world->prober = sim_client_new(world, &options);
    }
    char url[32];
    struct wire_request request = {
        .kind = WIRE_KV,
        .op = {.kind = KV_PUT, .key = base_bytes_of("faultline/probe"), .value = base_bytes_of("healed")},
    };
    if (world->is_out_of_space) {
        request.op = (struct kv_op){.kind = KV_DELETE_RANGE, .key = request.op.key};
    }
    if (world->has_probed_write) {
        const struct raft_conf_state *newest = configuration_of(world, view->newest);
        raft_id first = newest->voters.ids[0];
        sim_member_url(sim_number_of(world, first), url);
        request = (struct wire_request){.kind = WIRE_MEMBER_UPDATE,
                                        .member = {.id = first, .peer_url = base_bytes_of(url)}};
    }
    /* If the first one is lost, with a leader that goes, there must be time for a second;
     * once, so that a cluster that answers none is found out. */
    if (!*has_asked(world)) {
        uint64_t request_ns = UINT64_C(5000000000) + 2 * world->options.cluster.election_ns;
        uint64_t deadline_ns = world->now_ns + bound_ns(world) + 2 * request_ns;
        world->settle_deadline_ns =
            deadline_ns > world->settle_deadline_ns ? deadline_ns : world->settle_deadline_ns;
    }
    *has_asked(world) = true;
    world->probe_state = PROBE_UNDER_WAY;
    (void)sim_client_call(world, world->prober, &request, on_probe, world);
}

static void settled(struct sim_world *world, const struct cluster_view *views, uint32_t count)
{
    for (uint32_t slot = 0; slot < count; slot++) {
        if (!has_quorum(world, &views[slot]) || !is_converged(world, &views[slot])) {
            continue;
        }
        check_demanded(world->check);
        for (uint32_t i = 0; i < views[slot].live; i++) {
            struct sim_member_view member;
            sim_member_view(world, views[slot].members[i], true, &member);
            check_settled(world->check, world->now_ns, member.number, member.applied, member.revision,
                          member.state_hash);
        }
    }
    check_end(world->check, world->now_ns);
    world->is_settled = true;
}

static void no_progress(struct sim_world *world, const struct cluster_view *view)
{
    const struct raft_conf_state *newest = configuration_of(world, view->newest);
    char missing[96] = "the members have not converged";
    if (!view->has_leader) {
        snprintf(missing, sizeof missing, "there is no leader");
    } else if (world->probe_state != PROBE_ANSWERED) {
        snprintf(missing, sizeof missing, "no %s is answered",
                 world->has_probed_write ? "change of the membership" : "write");
    } else if (view->stranger != 0) {
        snprintf(missing, sizeof missing, "m%" PRIu32 " still runs, which is no member any more",
                 view->stranger);
    }
    check_violate(world->check, CHECK_PROGRESS, world->now_ns, view->members[0],
                  "%" PRIu32 " of %" PRIu32 " voters have been able to talk for %" PRIu64
                  " ms since everything healed or last moved, "
                  "and %s (applied %" PRIu64 " to %" PRIu64 ")",
                  count_live(world, view, &newest->voters), newest->voters.count, bound_ns(world) / 1000000,
                  missing, view->applied_low, view->applied_high);
    world->is_settled = true;
}

/* Not with every event: ten times an election timeout is often enough. */
static bool is_time_to_look(struct sim_world *world)
{
    if (world->now_ns < world->settle_look_ns) {
        return false;
    }
    world->settle_look_ns = world->now_ns + world->options.cluster.election_ns / 10;
    return true;
}

static bool is_anyone_booting(const struct sim_world *world)
{
    for (uint32_t number = 1; number <= world->member_count; number++) {
        const struct sim_machine *machine = world->machines[number];
        if (machine->is_alive && machine->is_booting) {
            return true;
        }
    }
    return false;
}

static void look(struct sim_world *world)
{
    struct cluster_view views[4];
    uint32_t count = views_of(world, views, 4);
    if (is_anyone_booting(world) && world->now_ns < world->settle_deadline_ns) {
        return; /* Who asks around will know soon who it is. */
    }
    const struct cluster_view *lagging = NULL;
    uint64_t applied = 0;
    for (uint32_t slot = 0; slot < count; slot++) {
        applied += views[slot].applied_sum;
        bool is_able = has_quorum(world, &views[slot]);
        if (is_able && !is_converged(world, &views[slot])) {
            lagging = &views[slot];
        }
        bool may_ask = !*has_asked(world) || world->now_ns < world->settle_deadline_ns;
        if (is_able && views[slot].has_leader && world->probe_state == PROBE_NONE && may_ask) {
            probe(world, &views[slot]);
            return;
        }
    }
    bool is_probed = world->probe_state == PROBE_ANSWERED;
    for (uint32_t slot = 0; slot < count && !lagging && !is_probed; slot++) {
        lagging = has_quorum(world, &views[slot]) ? &views[slot] : NULL;
    }
    if (!lagging) {
        settled(world, views, count);
    } else if (applied > world->settle_applied && lagging->applied_low != lagging->applied_high) {
        uint64_t deadline_ns = world->now_ns + bound_ns(world);
        world->settle_deadline_ns =
            deadline_ns > world->settle_deadline_ns ? deadline_ns : world->settle_deadline_ns;
    } else if (world->now_ns >= world->settle_deadline_ns) {
        if (must_elect(world, lagging)) {
            no_progress(world, lagging);
        } else {
            settled(world, views, count);
        }
    }
    world->settle_applied = applied;
}

bool sim_world_is_settled(struct sim_world *world)
{
    if (!world->is_healed || world->is_settled || check_first(world->check)) {
        return world->is_healed;
    }
    if (world->options.tolerance_exceeded) {
        check_end(world->check, world->now_ns);
        world->is_settled = true;
        return true;
    }
    if (is_time_to_look(world)) {
        look(world);
    }
    return world->is_settled;
}
