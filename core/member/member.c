/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/member.h"

#include "core/base/hash.h"
#include "core/member/state.h"

#include <assert.h>

static const char *text_keep(struct member *member, const char *text)
{
    struct base_bytes bytes = base_bytes_of(text ? text : "");
    char *copy = base_arena_alloc(&member->texts, bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}

static void config_keep(struct member *member, const struct member_config *config)
{
    member->config = *config;
    member->config.name = text_keep(member, config->name);
    member->config.url = text_keep(member, config->url);
    member->config.state = text_keep(member, config->state);
    member->config.token = text_keep(member, config->token);
    member->config.discovery = text_keep(member, config->discovery);
    member->config.discovery_url = text_keep(member, config->discovery_url);
    struct member_peer *peers = base_arena_alloc(&member->texts, (config->peer_count + 1) * sizeof *peers);
    for (uint32_t i = 0; i < config->peer_count; i++) {
        peers[i].name = text_keep(member, config->peers[i].name);
        peers[i].url = text_keep(member, config->peers[i].url);
        peers[i].is_learner = config->peers[i].is_learner;
    }
    member->config.peers = peers;
    if (config->batch_entries == 0) {
        member->config.batch_entries = MEMBER_BATCH_DEFAULT;
    }
    if (config->progress_notify_ns == 0) {
        member->config.progress_notify_ns = MEMBER_NOTICE_NS;
    }
    if (config->request_bytes_max == 0) {
        member->config.request_bytes_max = MEMBER_REQUEST_BYTES_MAX;
    }
}

/* The store's changes, passed on to whoever watches. */
static void on_change(void *context, const struct kv_event *event, int64_t sub)
{
    struct member *member = context;
    if (member->observer.change) {
        member->observer.change(member->observer.context, event, sub);
    }
}

static bool on_lease_exists(void *context, int64_t lease)
{
    struct member *member = context;
    return lease_exists(member->lessor.lessor, lease);
}

static void on_lease_attach(void *context, int64_t lease, struct base_bytes key)
{
    struct member *member = context;
    if (!lease_exists(member->lessor.lessor, lease)) {
        member->snapshots.is_torn = true; /* Only a snapshot can say so; it is refused. */
        return;
    }
    lease_attach(member->lessor.lessor, lease, key);
}

static void on_lease_detach(void *context, int64_t lease, struct base_bytes key)
{
    struct member *member = context;
    lease_detach(member->lessor.lessor, lease, key);
}

/* etcd: minTTL, three half election timeouts in whole seconds, rounded up. */
static int64_t ttl_min_s(const struct member_config *config)
{
    uint64_t ns = (uint64_t)config->election_ticks * 3 / 2 * config->tick_ns;
    return (int64_t)((ns + UINT64_C(999999999)) / UINT64_C(1000000000));
}

struct kv *member_new_kv(struct member *member)
{
    const struct kv_lease_hooks hooks = {
        .context = member,
        .exists = on_lease_exists,
        .attach = on_lease_attach,
        .detach = on_lease_detach,
    };
    const struct kv_observer observer = {.context = member, .change = on_change};
    return kv_new(member->allocator, &hooks, &observer);
}

struct lease_lessor *member_new_lessor(struct member *member)
{
    const struct lease_options options = {
        .ttl_min_s = ttl_min_s(&member->config),
        .retry_interval_ns = member_request_timeout(member),
        .checkpoints = member->config.lease_checkpoint,
    };
    return lease_new(member->allocator, &options);
}

struct member *member_new(const struct member_config *config, const struct base_allocator *allocator,
                          const struct host *host, const struct disk *disk,
                          const struct host_observer *observer)
{
    struct member *member = base_zalloc(allocator, sizeof *member);
    member->allocator = allocator;
    member->host = host;
    member->disk = disk;
    if (observer) {
        member->observer = *observer;
    }
    base_arena_init(&member->texts, allocator);
    base_arena_init(&member->arena, allocator);
    base_buffer_init(&member->scratch, allocator);
    base_buffer_init(&member->snapshots.state, allocator);
    config_keep(member, config);
    member_cluster_init(&member->cluster, allocator);
    member->due_ns = HOST_NEVER;
    return member;
}

void member_free(struct member *member)
{
    const struct base_allocator *allocator = member->allocator;
    member_snapshots_release(member);
    member_backups_drop(member);
    member_watches_release(member);
    member_reads_release(member);
    member_proposals_release(member);
    member_changes_release(member);
    member_lessor_release(member);
    member_storage_free(member);
    if (member->raft) {
        raft_free(member->raft);
    }
    if (member->kv) {
        kv_free(member->kv);
    }
    member_cluster_release(&member->cluster);
    base_free(allocator, member->hellos, MEMBER_HELLOS_MAX * sizeof *member->hellos);
    base_buffer_release(&member->scratch);
    base_arena_release(&member->arena);
    base_arena_release(&member->texts);
    base_free(allocator, member, sizeof *member);
}

uint64_t member_request_timeout(const struct member *member)
{
    return MEMBER_REQUEST_BASE_NS + 2 * member->config.election_ticks * member->config.tick_ns;
}

bool member_is_leader(const struct member *member)
{
    return member->role == RAFT_LEADER;
}

void member_stop(struct member *member, const char *reason, const char *detail)
{
    if (member->is_stopped) {
        return;
    }
    member->is_stopped = true;
    base_buffer_reset(&member->scratch);
    const struct base_bytes parts[] = {base_bytes_of(reason), base_bytes_of(": "), base_bytes_of(detail)};
    for (uint32_t i = 0; i < (detail[0] == '\0' ? 1 : 3); i++) {
        memcpy(base_buffer_extend(&member->scratch, parts[i].size), parts[i].data, parts[i].size);
    }
    member->host->stop(member->host->context, base_buffer_view(&member->scratch));
}

void member_send(struct member *member, raft_id to, struct wire_message *message)
{
    message->cluster_id = member->cluster_id;
    message->from = member->id;
    message->to = to;
    uint64_t way_back = member_way_back(member, to);
    if (way_back != 0) {
        member->host->reply(member->host->context, way_back, message);
    } else {
        member->host->send(member->host->context, to, message);
    }
}

static void publish(struct member *member)
{
    struct wire_request request = {
        .kind = WIRE_MEMBER_PUBLISH,
        .member = {.id = member->id, .name = base_bytes_of(member->config.name)},
    };
    member->publish_ns = member->now_ns + member_request_timeout(member);
    (void)member_propose(member, 0, &request, false);
}

/* The others refuse whoever starts anew under a name that is published: before its log
 * is there to come back to, nobody has a name. */
static void maybe_publish(struct member *member)
{
    const struct member_storage *storage = &member->storage;
    if (!member->is_published && member->publish_ns == 0 && member->leader != RAFT_NONE &&
        wal_durable(storage->wal) >= storage->ticket_created) {
        publish(member);
    }
}

static void welcome(struct member *member, uint64_t connection)
{
    struct wire_message out = {.kind = WIRE_WELCOME, .cluster_id = member->cluster_id, .from = member->id};
    member->host->reply(member->host->context, connection, &out);
}

/* Published: from now on this member serves, those first who came before. */
static void maybe_open(struct member *member)
{
    if (!member->is_published || member->hello_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < member->hello_count; i++) {
        welcome(member, member->hellos[i]);
    }
    member->hello_count = 0;
}

static void hello(struct member *member, uint64_t connection)
{
    if (member->is_published) {
        welcome(member, connection);
        return;
    }
    if (!member->hellos) {
        member->hellos = base_alloc(member->allocator, MEMBER_HELLOS_MAX * sizeof *member->hellos);
    }
    if (member->hello_count < MEMBER_HELLOS_MAX) {
        member->hellos[member->hello_count++] = connection;
    }
}

/* A new leader, another, or none (etcd: raftNode.start, step 1). */
static void leader_changed(struct member *member, raft_id leader)
{
    if (member->leader != RAFT_NONE && leader == RAFT_NONE) {
        member->leader_lost_ns = member->now_ns;
    }
    member->leader = leader;
    member_changes_leader(member);
    if (leader == RAFT_NONE) {
        return;
    }
    member->leader_found_ns = member->now_ns;
    member_reads_leader_changed(member);
    member_lessor_leader_changed(member);
    maybe_publish(member);
}

static void soft_state(struct member *member, const struct raft_ready *ready)
{
    if (ready->role == RAFT_LEADER && member->role != RAFT_LEADER) {
        member->changes.lead_since_ns = member->now_ns;
    }
    member->role = ready->role;
    if (ready->role != RAFT_LEADER && lease_is_primary(member->lessor.lessor)) {
        lease_demote(member->lessor.lessor);
        if (member->observer.demote) {
            member->observer.demote(member->observer.context, member->term);
        }
    }
}

/* Everything in a Ready that does not step Raft. */
static void carry_out(struct member *member, const struct raft_ready *ready)
{
    if (ready->has_hard_state) {
        member->term = ready->hard_state.term;
    }
    if (ready->has_soft_state) {
        soft_state(member, ready);
    }
    for (uint32_t i = 0; i < ready->read_state_count; i++) {
        member_reads_state(member, &ready->read_states[i]);
    }
    for (uint32_t i = 0; i < ready->message_count; i++) {
        const struct raft_message *message = &ready->messages[i];
        if (message->to == RAFT_APPEND_THREAD) {
            member_storage_append(member, message, ready->must_sync);
        } else if (message->to == RAFT_APPLY_THREAD) {
            member_apply_handed(member, message);
        } else if (message->type == RAFT_MSG_SNAP) {
            member_snapshot_send(member, message);
        } else {
            struct wire_message out = {.kind = WIRE_RAFT, .raft = *message};
            member_send(member, message->to, &out);
        }
    }
}

static uint64_t due_of(const struct member *member)
{
    if (!member->boot.is_over) {
        return member->boot.state == MEMBER_BOOT_IDLE ? HOST_NEVER : member->boot.due_ns;
    }
    const uint64_t dues[] = {
        member_proposals_due_ns(member),
        member_reads_due_ns(member),
        member_lessor_due_ns(member),
        member_snapshot_due_ns(member),
        member_hash_check_due_ns(member),
        member_changes_due_ns(member),
        member_backups_due_ns(member),
        member_watches_due_ns(member),
        member->is_published || member->publish_ns == 0 ? HOST_NEVER : member->publish_ns,
        member->is_leaving ? member->leave_ns : HOST_NEVER,
    };
    uint64_t due = HOST_NEVER;
    for (uint32_t i = 0; i < sizeof dues / sizeof dues[0]; i++) {
        due = dues[i] < due ? dues[i] : due;
    }
    return due;
}

static void settle_raft(struct member *member)
{
    do {
        while (!member->is_stopped && raft_has_ready(member->raft)) {
            struct raft_ready ready;
            raft_ready(member->raft, &ready);
            raft_id leader = ready.has_soft_state ? ready.leader : member->leader;
            carry_out(member, &ready);
            if (leader != member->leader) {
                leader_changed(member, leader);
            }
            if (member->leader != RAFT_NONE && member->proposals.waiting_count > 0) {
                member_proposals_leader(member);
            }
        }
    } while (!member->is_stopped && member_storage_release(member));
    if (member->is_stopped) {
        return;
    }
    maybe_open(member);
    if (member->is_leaving && !member_is_leader(member)) {
        member_stop(member, "stopped", "");
        return;
    }
    member->host->set_tick(member->host->context, raft_due_ticks(member->raft));
}

void member_settle(struct member *member)
{
    if (member->boot.is_over) {
        settle_raft(member);
    }
    if (member->is_stopped) {
        return;
    }
    uint64_t due = due_of(member);
    if (due != member->due_ns) {
        member->due_ns = due;
        member->host->set_due(member->host->context, due);
    }
}

/* The beginning of every call. false: this member is over. */
static bool enter(struct member *member, uint64_t now_ns)
{
    if (member->is_stopped) {
        return false;
    }
    assert(now_ns >= member->now_ns); /* The monotonic clock never goes back. */
    member->now_ns = now_ns;
    base_arena_reset(&member->arena);
    return true;
}

void member_boot_done(struct member *member)
{
    if (raft_start(member->raft, member->apply.applied) != RAFT_OK) {
        member_stop(member, "disk", "the log's terms do not fit its hard state");
        return;
    }
    uint64_t random = member->host->random(member->host->context);
    member->proposals.first = (member->id & UINT64_C(0xffff)) << 48 | (random & UINT64_C(0xffffffffff)) << 8;
    /* Answers to an earlier life of ours may still be under way: no number comes twice. */
    member->reads.number = random >> 1;
    member->lessor.forward_number = random >> 1;
    struct raft_status_report report;
    raft_get_status(member->raft, &report);
    member->term = report.hard_state.term;
    member->greeting.until = report.hard_state.commit;
    member->boot.is_over = true;
    if (member->observer.started) {
        member->observer.started(member->observer.context, &report);
    }
    member_boot_step(member, "raft");
    member_greet(member);
}

void member_start(struct member *member, uint64_t now_ns)
{
    member->now_ns = now_ns;
    member->changes.began_ns = now_ns;
    const struct wal_options wal_options = {.segment_bytes = member->config.segment_bytes,
                                            .allocate_bytes = member->config.allocate_bytes};
    member->kv = member_new_kv(member);
    member->watches.watchers = kv_watchers_new(member->allocator, member->kv);
    member->lessor.lessor = member_new_lessor(member);
    member->storage.wal = wal_new(&wal_options, member->allocator, member->disk);
    member_bootstrap(member);
    if (!member->is_stopped) {
        member_settle(member);
    }
}

raft_id member_heir(const struct member *member)
{
    raft_id heir = RAFT_NONE;
    raft_index best = 0;
    const struct raft_id_set *voters = &raft_configuration(member->raft)->voters;
    for (uint32_t i = 0; i < voters->count; i++) {
        struct raft_progress_status progress;
        if (voters->ids[i] != member->id && raft_get_progress(member->raft, voters->ids[i], &progress) &&
            member_is_connected(member, voters->ids[i], 0) && progress.match >= best) {
            heir = voters->ids[i];
            best = progress.match;
        }
    }
    return heir;
}

void member_leave(struct member *member, uint64_t now_ns)
{
    if (!enter(member, now_ns)) {
        return;
    }
    if (!member->boot.is_over) {
        member_stop(member, "stopped", "");
        return;
    }
    raft_id heir = member_heir(member);
    if (!member_is_leader(member) || heir == RAFT_NONE) {
        member_stop(member, "stopped", "");
        return;
    }
    member->is_leaving = true;
    member->leave_ns = now_ns + member_request_timeout(member);
    raft_transfer_leader(member->raft, heir);
    member_settle(member);
}

void member_tick(struct member *member, uint64_t now_ns, uint64_t ticks)
{
    if (enter(member, now_ns) && member->boot.is_over) {
        raft_tick(member->raft, ticks);
        member_settle(member);
    }
}

static void receive_raft(struct member *member, const struct wire_message *message)
{
    member->work.messages++;
    if (message->raft.to != member->id || message->raft.from != message->from) {
        return;
    }
    if (message->raft.type == RAFT_MSG_SNAP) {
        member_snapshot_announced(member, &message->raft);
        return;
    }
    switch (raft_step(member->raft, &message->raft)) {
    case RAFT_BEYOND_LOG:
        member_stop(member, "log", "the leader's commit is out of range: this disk has forgotten entries");
        return;
    case RAFT_OK:
    case RAFT_DROPPED:
    case RAFT_LOCAL_MESSAGE:
    case RAFT_PEER_NOT_FOUND:
    case RAFT_COMPACTED:
    case RAFT_UNAVAILABLE:
    case RAFT_INVALID:
        return; /* Refused: the node is as it was. */
    }
}

/* `intended`: whom it was for. */
static void refuse_peer(struct member *member, uint64_t connection, const struct wire_message *message,
                        enum base_status status, raft_id intended)
{
    struct wire_message out = {
        .kind = WIRE_REFUSAL,
        .cluster_id = member->cluster_id,
        .from = member->id,
        .to = message->from,
        .refusal = {.status = status, .refused = message->from, .intended = intended},
    };
    member->host->reply(member->host->context, connection, &out);
}

/* Peers are believed only within one cluster. */
static bool is_ours(struct member *member, uint64_t connection, const struct wire_message *message)
{
    enum base_status status = BASE_OK;
    if (message->cluster_id != member->cluster_id) {
        status = BASE_CLUSTER_ID_MISMATCH;
    } else if (member_cluster_is_removed(&member->cluster, message->from)) {
        status = BASE_MEMBER_REMOVED;
    } else if (message->to != member->id) {
        status = BASE_MEMBER_NOT_FOUND;
    }
    if (status == BASE_OK) {
        return true;
    }
    refuse_peer(member, connection, message, status, message->to);
    return false;
}

/* Told that we are out by a peer that knows: whoever lags learns of its removal so. That
 * a message was misdelivered says nothing about us, and neither does another cluster. */
static void receive_refusal(struct member *member, const struct wire_message *message)
{
    const struct wire_refusal *refusal = &message->refusal;
    bool is_ours = message->cluster_id == member->cluster_id && refusal->refused == member->id &&
                   refusal->intended == message->from;
    if (is_ours && refusal->status == BASE_MEMBER_REMOVED) {
        member_stop(member, "removed", "");
    }
}

static void receive_peer(struct member *member, uint64_t connection, const struct wire_message *message)
{
    if (!is_ours(member, connection, message)) {
        return;
    }
    member_greeted(member, message->from);
    member_heard(member, message->from, connection);
    if (message->kind == WIRE_RAFT) {
        receive_raft(member, message);
    } else if (message->kind == WIRE_SNAPSHOT_CHUNK) {
        member_snapshot_chunk(member, message->from, &message->chunk);
    } else if (message->kind == WIRE_CHANGE_FORWARD) {
        member_change_forwarded(member, connection, &message->request);
    } else {
        assert(message->kind == WIRE_LEASE_FORWARD);
        member_lease_forwarded(member, connection, &message->request);
    }
}

/* Who belongs to us, to whom it may concern: it need not be one of us. */
static void receive_query(struct member *member, uint64_t connection, const struct wire_message *message)
{
    if (message->cluster_id == member->cluster_id &&
        member_cluster_is_removed(&member->cluster, message->from)) {
        refuse_peer(member, connection, message, BASE_MEMBER_REMOVED, member->id);
        return;
    }
    struct wire_message out = {
        .kind = WIRE_PEER_ANSWER,
        .cluster_id = member->cluster_id,
        .from = member->id,
        .to = message->from,
        .response = {.id = message->request.id,
                     .cluster_id = member->cluster_id,
                     .member_id = member->id,
                     .member_count = member->cluster.count,
                     .members = member->cluster.members},
    };
    member->host->reply(member->host->context, connection, &out);
    if (message->cluster_id == member->cluster_id) {
        member_greeted(member, message->from);
    }
}

/* Before there is Raft: connections wait, questions are not answered. */
static void receive_early(struct member *member, uint64_t connection, const struct wire_message *message)
{
    if (message->kind == WIRE_HELLO) {
        hello(member, connection);
    } else if (message->kind == WIRE_GOODBYE) {
        member_disconnected(member, connection);
    } else if (message->kind == WIRE_PEER_ANSWER || message->kind == WIRE_RESPONSE) {
        member_boot_answered(member, message);
    }
}

static void receive(struct member *member, uint64_t connection, const struct wire_message *message)
{
    switch (message->kind) {
    case WIRE_RAFT:
    case WIRE_SNAPSHOT_CHUNK:
    case WIRE_LEASE_FORWARD:
    case WIRE_CHANGE_FORWARD:
        receive_peer(member, connection, message);
        break;
    case WIRE_LEASE_ANSWER:
        member_lease_answered(member, &message->response);
        break;
    case WIRE_CHANGE_ANSWER:
        member_change_answered(member, &message->response);
        break;
    case WIRE_REFUSAL:
        receive_refusal(member, message);
        break;
    case WIRE_HELLO:
        hello(member, connection);
        break;
    case WIRE_PING: {
        struct wire_message out = {.kind = WIRE_PONG, .cluster_id = member->cluster_id, .from = member->id};
        member->host->reply(member->host->context, connection, &out);
        break;
    }
    case WIRE_REQUEST:
        member_request(member, connection, &message->request);
        break;
    case WIRE_GOODBYE:
        member_disconnected(member, connection);
        break;
    case WIRE_PEER_QUERY:
        receive_query(member, connection, message);
        break;
    case WIRE_PEER_ANSWER:
        if (message->cluster_id == member->cluster_id) {
            member_greeted(member, message->from);
        }
        break;
    case WIRE_WELCOME:
    case WIRE_PONG:
    case WIRE_RESPONSE:
    case WIRE_WATCH:
    case WIRE_KIND_COUNT:
        break; /* Nothing a member of this version takes to heart. */
    }
}

void member_receive(struct member *member, uint64_t now_ns, uint64_t connection,
                    const struct wire_message *message)
{
    if (!enter(member, now_ns)) {
        return;
    }
    if (member->boot.is_over) {
        receive(member, connection, message);
    } else {
        receive_early(member, connection, message);
    }
    member_settle(member);
}

void member_disconnected(struct member *member, uint64_t connection)
{
    if (member->is_stopped) {
        return;
    }
    member_watches_closed(member, connection);
    member_backups_closed(member, connection);
    for (uint32_t i = 0; i < member->hello_count; i++) {
        if (member->hellos[i] == connection) {
            member->hello_count--;
            memmove(&member->hellos[i], &member->hellos[i + 1],
                    (member->hello_count - i) * sizeof *member->hellos);
            break;
        }
    }
}

void member_unanswered(struct member *member, uint64_t now_ns, uint64_t number)
{
    if (enter(member, now_ns) && !member->boot.is_over) {
        member_boot_unanswered(member, number);
        member_settle(member);
    }
}

void member_unreachable(struct member *member, uint64_t now_ns, raft_id peer)
{
    if (enter(member, now_ns) && member->boot.is_over) {
        raft_report_unreachable(member->raft, peer);
        member_unheard(member, peer);
        member_snapshot_unreachable(member, peer);
        member_settle(member);
    }
}

void member_disk_done(struct member *member, uint64_t now_ns, uint64_t token, enum disk_status status)
{
    if (enter(member, now_ns)) {
        member_storage_done(member, token, status);
        if (!member->is_stopped) {
            maybe_publish(member);
        }
        member_settle(member);
    }
}

void member_due(struct member *member, uint64_t now_ns)
{
    if (!enter(member, now_ns)) {
        return;
    }
    member->due_ns = HOST_NEVER; /* Told: the host has nothing set any more. */
    if (!member->boot.is_over) {
        member_boot_due(member);
        member_settle(member);
        return;
    }
    member_proposals_due(member);
    member_reads_due(member);
    member_lessor_due(member);
    member_snapshot_due(member);
    member_hash_check_due(member);
    member_changes_due(member);
    member_backups_due(member);
    member_watches_due(member);
    if (!member->is_published && member->publish_ns != 0 && member->publish_ns <= now_ns) {
        publish(member);
    }
    if (member->is_leaving && member->leave_ns <= now_ns) {
        member_stop(member, "stopped", "leadership could not be handed over");
    }
    member_settle(member);
}

void member_run(struct member *member, uint64_t now_ns, enum host_stage stage)
{
    if (!enter(member, now_ns) || !member->boot.is_over) {
        return;
    }
    switch (stage) {
    case HOST_APPLY:
        member_apply_run(member);
        break;
    case HOST_LESSOR:
        member_lessor_run(member);
        break;
    case HOST_READS:
        member_reads_run(member);
        break;
    case HOST_STORAGE:
        member_snapshot_run(member);
        break;
    case HOST_RAFT:
    case HOST_STAGE_COUNT:
        break; /* Runs on what reaches it. */
    }
    member_settle(member);
}

const struct member_work *member_get_work(const struct member *member)
{
    return &member->work;
}

void member_get_status(const struct member *member, struct member_status *out)
{
    *out = (struct member_status){
        .cluster_id = member->cluster_id,
        .member_id = member->id,
        .applied = member->apply.applied,
        .revision = member->kv ? kv_revision(member->kv) : 0,
        .leases = member->lessor.lessor ? lease_count(member->lessor.lessor) : 0,
        .is_lease_primary = member->lessor.lessor && lease_is_primary(member->lessor.lessor),
        .is_ready = member->is_published,
        .work = member->work,
    };
    if (member->raft) {
        raft_get_status(member->raft, &out->raft);
        const struct raft_id_set *learners = &raft_configuration(member->raft)->learners;
        for (uint32_t i = 0; i < learners->count; i++) {
            out->is_learner |= learners->ids[i] == member->id;
        }
    }
}

const struct raft_conf_state *member_configuration(const struct member *member)
{
    return member->raft ? raft_configuration(member->raft) : NULL;
}

uint64_t member_store_hash(const struct member *member)
{
    if (!member->kv) {
        return 0;
    }
    uint64_t hash = 0;
    enum base_status status = kv_hash(member->kv, 0, &hash);
    assert(status == BASE_OK);
    return hash ^ lease_hash(member->lessor.lessor) * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t member_state_hash(const struct member *member)
{
    return base_hash_u64(member_store_hash(member), member_cluster_hash(&member->cluster));
}

enum raft_status member_term_at(const struct member *member, raft_index index, raft_term *out)
{
    return member->raft ? raft_term_at(member->raft, index, out) : RAFT_UNAVAILABLE;
}
