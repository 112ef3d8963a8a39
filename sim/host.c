/* The tables a member is given: what it asks of its machine is recorded in the
 * outbox, what it tells its observer goes to the recorder and the judges. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/id_set.h"
#include "sim/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t host_random(void *context)
{
    struct sim_machine *machine = context;
    return sim_random_u64(&machine->random_raft);
}

/* "http://m3:2380" is machine 3; of several places the first. */
static uint32_t number_of_url(const struct sim_world *world, struct base_bytes url)
{
    uint32_t number = 0;
    if (base_bytes_equal(url, base_bytes_of(SIM_REGISTRY_URL))) {
        return world->registry;
    }
    if (url.size < 9 || memcmp(url.data, "http://m", 8) != 0) {
        return 0;
    }
    for (size_t at = 8; at < url.size && url.data[at] >= '0' && url.data[at] <= '9'; at++) {
        number = number * 10 + (uint32_t)(url.data[at] - '0');
    }
    return number <= world->member_count ? number : 0;
}

static void host_add_peer(void *context, raft_id id, struct base_bytes url)
{
    struct sim_machine *machine = context;
    uint32_t number = number_of_url(machine->world, url);
    for (uint32_t i = 0; i < machine->peer_count; i++) {
        if (machine->peers[i].id == id) {
            machine->peers[i].number = number;
            return;
        }
    }
    if (number != 0 && machine->peer_count < SIM_MEMBERS_MAX) {
        machine->peers[machine->peer_count++] = (struct sim_peer){.id = id, .number = number};
    }
}

static void host_remove_peer(void *context, raft_id id)
{
    struct sim_machine *machine = context;
    for (uint32_t i = 0; i < machine->peer_count; i++) {
        if (machine->peers[i].id == id) {
            machine->peer_count--;
            memmove(&machine->peers[i], &machine->peers[i + 1],
                    (machine->peer_count - i) * sizeof machine->peers[0]);
            return;
        }
    }
}

/* Pass a point; false when the process is over by now. */
static bool pass(struct sim_machine *machine, const struct sim_point *point)
{
    if (machine->world->reach && machine->doom == SIM_DOOM_NONE) {
        machine->world->reach(machine->world->reach_context, point);
    }
    return machine->doom == SIM_DOOM_NONE;
}

static void notice(struct sim_machine *machine, enum sim_point_verb verb, uint64_t kinds, uint64_t term,
                   uint64_t index)
{
    const struct sim_point point = {.when = SIM_POINT_AT,
                                    .verb = verb,
                                    .kinds = kinds,
                                    .machine = machine->number,
                                    .term = term,
                                    .index = index};
    (void)pass(machine, &point);
}

static void outbox_put(struct sim_machine *machine, struct sim_frame *frame)
{
    const struct wire_message *message = frame->message;
    bool is_raft = message->kind == WIRE_RAFT;
    struct sim_point point = {
        .when = SIM_POINT_BEFORE,
        .verb = SIM_VERB_SEND,
        .kinds = sim_point_message(message->kind, is_raft ? message->raft.type : 0),
        .machine = machine->number,
        .peer = frame->to,
        .term = is_raft ? message->raft.term : 0,
        .index = is_raft ? message->raft.index : 0,
    };
    if (!pass(machine, &point)) {
        sim_frame_free(machine->world, frame);
        return;
    }
    if (message->kind == WIRE_SNAPSHOT_CHUNK) {
        sim_frame_window(machine->world, frame);
    }
    frame->next = NULL;
    *machine->outbox_end = frame;
    machine->outbox_end = &frame->next;
    point.when = SIM_POINT_AFTER;
    (void)pass(machine, &point);
}

/* Where a peer lives; 0: its address is nobody's, or our own. */
static uint32_t number_of_peer(const struct sim_machine *machine, raft_id id)
{
    for (uint32_t i = 0; i < machine->peer_count; i++) {
        if (machine->peers[i].id == id) {
            return machine->peers[i].number == machine->number ? 0 : machine->peers[i].number;
        }
    }
    return 0;
}

static void host_send(void *context, raft_id to, const struct wire_message *message)
{
    struct sim_machine *machine = context;
    uint32_t number = number_of_peer(machine, to);
    if (number != 0) {
        outbox_put(machine, sim_frame_new(machine->world, machine->number, number, 0, message));
    }
}

static bool host_is_way_full(void *context, raft_id to)
{
    struct sim_machine *machine = context;
    uint32_t number = number_of_peer(machine, to);
    return number != 0 && sim_stream_is_full(machine->world, machine->number, number);
}

static void host_ask(void *context, struct base_bytes url, uint64_t number,
                     const struct wire_message *message)
{
    struct sim_machine *machine = context;
    uint32_t to = number_of_url(machine->world, url);
    if (to == 0 || to == machine->number) {
        return; /* Nobody will ever answer there. */
    }
    machine->asked_number = number;
    machine->asked_whom = to;
    outbox_put(machine, sim_frame_new(machine->world, machine->number, to, number, message));
}

static void host_reply(void *context, uint64_t connection, const struct wire_message *message)
{
    struct sim_machine *machine = context;
    uint32_t to = (uint32_t)(connection >> 40);
    uint64_t number = connection & ((UINT64_C(1) << 40) - 1);
    assert(to >= 1 && to <= machine->world->machine_count);
    bool is_open = to <= machine->world->member_count;
    for (uint32_t i = 0; i < machine->connection_count && !is_open; i++) {
        is_open = machine->connections[i].client == to && machine->connections[i].number == number;
    }
    if (is_open) {
        struct sim_frame *frame = sim_frame_new(machine->world, machine->number, to, number, message);
        if (to > machine->world->member_count) {
            sim_frame_window(machine->world, frame);
        }
        outbox_put(machine, frame);
    }
}

static bool host_is_full(void *context, uint64_t connection)
{
    struct sim_machine *machine = context;
    return sim_stream_is_full(machine->world, machine->number, (uint32_t)(connection >> 40));
}

static void host_set_tick(void *context, uint64_t ticks)
{
    struct sim_machine *machine = context;
    uint64_t number = ticks > UINT64_MAX / 2 ? UINT64_MAX : machine->ticks_told + ticks;
    if (number == machine->tick_due && machine->tick_timer.due_ns != UINT64_MAX) {
        return;
    }
    machine->tick_due = number;
    uint64_t due_ns = UINT64_MAX;
    uint64_t first_ns = machine->tick_base_ns + machine->tick_ns;
    if (number != UINT64_MAX && number <= (UINT64_MAX - first_ns) / machine->tick_ns) {
        due_ns = sim_clock_true(&machine->clock, first_ns + (number - 1) * machine->tick_ns);
    }
    if (due_ns < machine->stalled_until_ns) {
        due_ns = machine->stalled_until_ns;
    }
    sim_timer_set(machine, &machine->tick_timer, SIM_ITEM_TICK, due_ns);
}

static void host_set_due(void *context, uint64_t due_ns)
{
    struct sim_machine *machine = context;
    sim_timer_set(machine, &machine->due_timer, SIM_ITEM_DUE,
                  due_ns == HOST_NEVER ? UINT64_MAX : sim_clock_true(&machine->clock, due_ns));
}

static void host_wake(void *context, enum host_stage stage)
{
    struct sim_machine *machine = context;
    if ((machine->woken & 1u << stage) != 0 || machine->doom != SIM_DOOM_NONE) {
        return;
    }
    machine->woken |= 1u << stage;
    struct sim_work work = {.kind = SIM_WORK_STAGE, .value = stage};
    sim_machine_later(machine, &work);
}

static void host_stop(void *context, struct base_bytes reason)
{
    struct sim_machine *machine = context;
    if (machine->doom != SIM_DOOM_NONE) {
        return; /* Nobody is there any more to say so. */
    }
    machine->is_stopping = true;
    snprintf(machine->exit, sizeof machine->exit, "%.*s", (int)reason.size, (const char *)reason.data);
    sim_emit_text(machine->world, SIM_EVENT_STOPPED, machine->number, NULL, reason);
}

/* --- the observer --- */

/* Killed in this step: what it still believes to do has not happened. */
static bool is_over(const struct sim_machine *machine)
{
    return machine->doom != SIM_DOOM_NONE;
}

void sim_host_led(struct sim_world *world, uint64_t cluster_id)
{
    for (uint32_t i = 0; i < world->led_count; i++) {
        if (world->led[i] == cluster_id) {
            return;
        }
    }
    if (world->led_count == world->led_capacity) {
        world->led_capacity = world->led_capacity == 0 ? 4 : world->led_capacity * 2;
        world->led = realloc(world->led, world->led_capacity * sizeof *world->led);
        if (!world->led) {
            abort();
        }
    }
    world->led[world->led_count++] = cluster_id;
}

static enum sim_station station_of(const struct sim_machine *machine, enum raft_role role)
{
    switch (role) {
    case RAFT_LEADER:
        return SIM_LEADER;
    case RAFT_CANDIDATE:
        return SIM_CANDIDATE;
    case RAFT_PRE_CANDIDATE:
        return SIM_PRE_CANDIDATE;
    case RAFT_FOLLOWER:
        break;
    }
    return machine->is_learner ? SIM_LEARNER : SIM_FOLLOWER;
}

static void on_role(void *context, enum raft_role role, raft_term term, raft_id leader)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->has_changed = true;
    sim_emit(world, SIM_EVENT_ROLE, machine->number, (uint64_t[]){role, term, leader});
    machine->station = station_of(machine, role);
    check_role(world->check, world->now_ns, machine->number, role, term, leader);
    if (role == RAFT_LEADER) {
        sim_host_led(world, machine->cluster_id);
    }
    notice(machine, SIM_VERB_ROLE, sim_point_role(role), term, 0);
}

static void on_vote(void *context, raft_term term, raft_id vote)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->has_changed = true;
    sim_emit(world, SIM_EVENT_VOTE, machine->number, (uint64_t[]){term, vote});
    check_vote(world->check, world->now_ns, machine->number, term, vote);
}

static void on_append(void *context, const struct raft_entry *entry)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->cost.entries++;
    sim_emit(world, SIM_EVENT_APPEND, machine->number, (uint64_t[]){entry->index, entry->term, entry->size});
    check_append(world->check, world->now_ns, machine->number, entry);
}

static void on_truncate(void *context, raft_index index)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_TRUNCATE, machine->number, (uint64_t[]){index});
    check_truncate(world->check, world->now_ns, machine->number, index);
}

static void on_commit(void *context, raft_index index)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->has_changed = true;
    sim_emit(world, SIM_EVENT_COMMIT, machine->number, (uint64_t[]){index});
    check_commit(world->check, world->now_ns, machine->number, index);
    notice(machine, SIM_VERB_COMMIT, 0, 0, index);
}

static void on_restore(void *context, const struct raft_snapshot *snapshot)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->has_changed = true;
    sim_emit(world, SIM_EVENT_SNAPSHOT, machine->number, (uint64_t[]){snapshot->index, snapshot->term, 1});
    check_restore(world->check, world->now_ns, machine->number, snapshot);
}

static void on_configuration(void *context, const struct raft_conf_state *configuration)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_CONFIGURATION, machine->number,
             (uint64_t[]){configuration->voters.count, configuration->learners.count});
    machine->is_learner = raft_id_set_has(&configuration->learners, machine->member_id);
    if (machine->station == SIM_FOLLOWER || machine->station == SIM_LEARNER) {
        machine->station = machine->is_learner ? SIM_LEARNER : SIM_FOLLOWER;
    }
    check_configuration(world->check, world->now_ns, machine->number, configuration);
}

static void on_match(void *context, raft_id peer, raft_index match)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    check_match(machine->world->check, machine->world->now_ns, machine->number, peer, match);
}

static void on_identity(void *context, uint64_t cluster_id, raft_id member_id)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    machine->cluster_id = cluster_id;
    machine->member_id = member_id;
    machine->is_booting = false;
    sim_learn_id(world, member_id, machine->number);
    sim_emit(world, SIM_EVENT_IDENTITY, machine->number, (uint64_t[]){cluster_id, member_id});
    check_identity(world->check, world->now_ns, machine->number, cluster_id, member_id);
}

/* What nobody synced and recovery found all the same is durable from here on. */
static void tell_survivors(struct sim_machine *machine, const struct raft_status_report *status)
{
    struct sim_world *world = machine->world;
    for (uint32_t i = 0; i < machine->survivor_count; i++) {
        const struct disk_tag *tag = &machine->survivors[i];
        raft_term term = 0;
        bool is_found = true;
        if (tag->record == DISK_HARD_STATE) {
            is_found = tag->term == status->hard_state.term && tag->vote == status->hard_state.vote;
        } else if (tag->record == DISK_ENTRY) {
            is_found =
                member_term_at(machine->member, tag->last_index, &term) == RAFT_OK && term == tag->term;
        }
        if (is_found) {
            check_durable(world->check, world->now_ns, machine->number, tag);
        }
    }
    machine->survivor_count = 0;
}

static void on_started(void *context, const struct raft_status_report *status)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    sim_disaster_started(machine);
    check_restarted(machine->world->check, machine->world->now_ns, machine->number, status);
    tell_survivors(machine, status);
}

static void on_step(void *context, const char *word)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    sim_emit_text(machine->world, SIM_EVENT_BOOT_STEP, machine->number, NULL, base_bytes_of(word));
    if (strcmp(word, "forced") == 0) {
        check_forced(machine->world->check, machine->world->now_ns, machine->number);
    }
    const struct sim_point point = {.when = SIM_POINT_AT,
                                    .verb = SIM_VERB_BOOTSTRAP,
                                    .kinds = sim_point_step(word),
                                    .word = word,
                                    .machine = machine->number};
    (void)pass(machine, &point);
}

static uint64_t apply_kinds(const struct raft_entry *entry, const struct wire_proposal *proposal)
{
    enum sim_point_apply kind = SIM_APPLY_EMPTY;
    if (entry->type != RAFT_ENTRY_NORMAL) {
        kind = SIM_APPLY_CONF_CHANGE;
    } else if (proposal && proposal->request.kind == WIRE_KV) {
        switch (proposal->request.op.kind) {
        case KV_PUT:
            kind = SIM_APPLY_PUT;
            break;
        case KV_DELETE_RANGE:
            kind = SIM_APPLY_DELETE;
            break;
        case KV_TXN:
        case KV_RANGE:
            kind = SIM_APPLY_TXN;
            break;
        }
    } else if (proposal && proposal->request.kind == WIRE_COMPACT) {
        kind = SIM_APPLY_COMPACT;
    } else if (proposal && proposal->request.kind == WIRE_LEASE_GRANT) {
        kind = SIM_APPLY_GRANT;
    } else if (proposal && proposal->request.kind == WIRE_LEASE_REVOKE) {
        kind = SIM_APPLY_REVOKE;
    } else if (proposal) {
        return 0;
    }
    return UINT64_C(1) << kind;
}

static void on_applying(void *context, const struct raft_entry *entry, const struct wire_proposal *proposal)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    const struct sim_point point = {.when = SIM_POINT_BEFORE,
                                    .verb = SIM_VERB_APPLY,
                                    .kinds = apply_kinds(entry, proposal),
                                    .machine = machine->number,
                                    .term = entry->term,
                                    .index = entry->index};
    (void)pass(machine, &point);
}

static void on_apply(void *context, const struct raft_entry *entry, const struct wire_proposal *proposal,
                     enum base_status status, int64_t revision)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    world->has_changed = true;
    sim_emit(world, SIM_EVENT_APPLY, machine->number,
             (uint64_t[]){entry->index, entry->term, status, (uint64_t)revision});
    check_apply(world->check, world->now_ns, machine->number, entry, proposal, status, revision);
    const struct sim_point point = {.when = SIM_POINT_AFTER,
                                    .verb = SIM_VERB_APPLY,
                                    .kinds = apply_kinds(entry, proposal),
                                    .machine = machine->number,
                                    .term = entry->term,
                                    .index = entry->index};
    (void)pass(machine, &point);
}

static void on_change(void *context, const struct kv_event *event, int64_t sub)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    check_change(machine->world->check, machine->world->now_ns, machine->number, event, sub);
}

static void on_promote(void *context, raft_term term, uint64_t leases)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_PROMOTE, machine->number, (uint64_t[]){term, leases});
    check_promote(world->check, world->now_ns, machine->number, term, leases);
    notice(machine, SIM_VERB_PROMOTE, 0, term, 0);
}

static void on_demote(void *context, raft_term term)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_DEMOTE, machine->number, (uint64_t[]){term});
    check_demote(world->check, world->now_ns, machine->number, term);
    notice(machine, SIM_VERB_DEMOTE, 0, term, 0);
}

static void on_renew(void *context, int64_t lease, int64_t ttl_s)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_RENEW, machine->number, (uint64_t[]){(uint64_t)lease, (uint64_t)ttl_s});
    check_renew(world->check, world->now_ns, machine->number, lease, ttl_s);
}

static void on_expire(void *context, int64_t lease)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_EXPIRE, machine->number, (uint64_t[]){(uint64_t)lease});
    check_expire(world->check, world->now_ns, machine->number, lease);
}

static void on_snapshot(void *context, raft_index index, raft_term term, uint64_t hash, bool installed)
{
    struct sim_machine *machine = context;
    if (is_over(machine)) {
        return;
    }
    struct sim_world *world = machine->world;
    sim_emit(world, SIM_EVENT_SNAPSHOT, machine->number, (uint64_t[]){index, term, installed});
    check_snapshot(world->check, world->now_ns, machine->number, index, term, hash, installed);
    notice(machine, SIM_VERB_SNAPSHOT, 0, term, index);
}

void sim_host_init(struct sim_machine *machine)
{
    machine->host = (struct host){
        .context = machine,
        .random = host_random,
        .add_peer = host_add_peer,
        .remove_peer = host_remove_peer,
        .send = host_send,
        .ask = host_ask,
        .reply = host_reply,
        .is_full = host_is_full,
        .is_way_full = host_is_way_full,
        .set_tick = host_set_tick,
        .set_due = host_set_due,
        .wake = host_wake,
        .stop = host_stop,
    };
    machine->observer = (struct host_observer){
        .context = machine,
        .raft = {.context = machine,
                 .role = on_role,
                 .vote = on_vote,
                 .append = on_append,
                 .truncate = on_truncate,
                 .commit = on_commit,
                 .restore = on_restore,
                 .configuration = on_configuration,
                 .match = on_match},
        .identity = on_identity,
        .started = on_started,
        .step = on_step,
        .applying = on_applying,
        .apply = on_apply,
        .change = on_change,
        .promote = on_promote,
        .demote = on_demote,
        .renew = on_renew,
        .expire = on_expire,
        .snapshot = on_snapshot,
    };
}
