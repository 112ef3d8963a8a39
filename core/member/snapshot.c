/* How a snapshot is made, sent and taken in (etcd-behaviour §2.3).
 *
 *   made:      begin ─▶ slice … slice ─▶ ended ──(durable)──▶ offered, log compacted
 *   sent:      MsgSnap ─▶ chunk … chunk ─▶ news of the peer, or failed after a while;
 *              a chunk waits for room on its way
 *   received:  MsgSnap held ─▶ chunks ─▶ whole: stepped ─▶ installing ──(durable)──▶
 *              store, leases and membership replaced together
 *
 * The state is a head (membership, leases) and the store's stream of revisions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"
#include "core/raft/conf_change.h"

#include <assert.h>

static void wake(struct member *member)
{
    if (!member->snapshots.is_woken) {
        member->snapshots.is_woken = true;
        member->host->wake(member->host->context, HOST_STORAGE);
    }
}

static void put_member(struct base_buffer *out, const struct wire_member *member)
{
    base_put_u64(out, member->id);
    base_put_bytes(out, member->name);
    base_put_bytes(out, member->peer_url);
    base_put_u8(out, member->is_learner);
}

void member_snapshot_head(const struct member *member, struct base_buffer *out)
{
    base_put_u64(out, member->apply.applied);
    base_put_u32(out, member->cluster.count);
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        put_member(out, &member->cluster.members[i]);
    }
    base_put_u32(out, member->cluster.removed_count);
    for (uint32_t i = 0; i < member->cluster.removed_count; i++) {
        base_put_u64(out, member->cluster.removed[i]);
    }
    member_alarms_save(member, out);
    lease_save(member->lessor.lessor, out);
}

static bool head_decode(struct member_cluster *cluster, struct member_alarms *alarms,
                        struct lease_lessor *lessor, struct base_reader *in)
{
    (void)base_get_u64(in);
    uint32_t count = base_get_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        struct wire_member member = {.id = base_get_u64(in)};
        member.name = base_get_bytes(in);
        member.peer_url = base_get_bytes(in);
        member.is_learner = base_get_u8(in) != 0;
        if (in->failed || member.id == RAFT_NONE || member_cluster_add(cluster, &member) != BASE_OK) {
            return false;
        }
    }
    uint32_t removed = base_get_u32(in);
    for (uint32_t i = 0; i < removed && !in->failed; i++) {
        member_cluster_bury(cluster, base_get_u64(in));
    }
    return member_alarms_load(alarms, in) && lease_load(lessor, in) == BASE_OK;
}

/* Another membership in place of ours: those who are not in it any more are no peers. */
static void membership_load(struct member *member, struct member_cluster *cluster)
{
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        raft_id id = member->cluster.members[i].id;
        if (id != member->id && !member_cluster_find(cluster, id)) {
            member->host->remove_peer(member->host->context, id);
        }
    }
    member_cluster_release(&member->cluster);
    member->cluster = *cluster;
    for (uint32_t i = 0; i < cluster->count; i++) {
        const struct wire_member *peer = &cluster->members[i];
        if (peer->id != member->id) {
            member->host->add_peer(member->host->context, peer->id, peer->peer_url);
        } else if (peer->name.size > 0) {
            member->is_published = true;
        }
    }
    member_maybe_removed(member);
}

/* The cluster as it is to be, in place of what a state says. */
static void replace_members(struct member_cluster *cluster, const struct wire_member *members, uint32_t count)
{
    const struct base_allocator *allocator = cluster->allocator;
    member_cluster_release(cluster);
    member_cluster_init(cluster, allocator);
    for (uint32_t i = 0; i < count; i++) {
        enum base_status status = member_cluster_add(cluster, &members[i]);
        assert(status == BASE_OK); /* Ids and addresses were found to differ. */
    }
}

bool member_snapshot_load(struct member *member, struct base_bytes state,
                          const struct raft_snapshot *snapshot, const struct wire_member *members,
                          uint32_t member_count)
{
    struct base_reader reader;
    struct member_cluster cluster;
    member_cluster_init(&cluster, member->allocator);
    struct lease_lessor *lessor = member_new_lessor(member);
    struct lease_lessor *lessor_before = member->lessor.lessor;
    base_reader_init(&reader, state);
    struct member_alarms alarms = {.check_ns = member->alarms.check_ns};
    bool is_good = head_decode(&cluster, &alarms, lessor, &reader);
    /* Restoring the store attaches keys to leases: to the new ones. */
    member->lessor.lessor = lessor;
    struct kv *kv = member_new_kv(member);
    struct base_bytes rest = {.data = state.data + reader.at, .size = state.size - reader.at};
    member->snapshots.is_torn = false;
    is_good = is_good && kv_restore(kv, rest) == BASE_OK && kv_restore_end(kv) == BASE_OK;
    is_good = is_good && !member->snapshots.is_torn;
    if (!is_good) {
        member->lessor.lessor = lessor_before;
        kv_free(kv);
        lease_free(lessor);
        member_cluster_release(&cluster);
        return false;
    }
    if (members) {
        replace_members(&cluster, members, member_count);
    }
    member_backups_drop(member);
    kv_watchers_move(member->watches.watchers, kv);
    lease_free(lessor_before);
    kv_free(member->kv);
    member->kv = kv;
    member->alarms = alarms;
    member->apply.applied = snapshot->index;
    member->apply.handed_to = snapshot->index;
    membership_load(member, &cluster);
    return true;
}

void member_snapshot_loaded(const struct member *member, const struct raft_snapshot *snapshot)
{
    if (member->observer.snapshot) {
        member->observer.snapshot(member->observer.context, snapshot->index, snapshot->term,
                                  member_state_hash(member), true);
    }
}

/* --- giving up what comes no more --- */

static void receiving_end(struct member *member)
{
    member->snapshots.is_receiving = false;
    base_buffer_reset(&member->snapshots.state);
}

/* Its leader is deposed, or silent for too long: who waits for the rest would make no
 * snapshot of his own, nor send one, for ever. */
static void receiving_check(struct member *member)
{
    const struct member_snapshots *snapshots = &member->snapshots;
    if (snapshots->is_receiving &&
        (snapshots->message.term < member->term || snapshots->receiving_deadline_ns <= member->now_ns)) {
        receiving_end(member);
    }
}

/* --- making --- */

/* Enough was applied since the newest one; or somebody needs one who joined later. */
static bool is_due(const struct member *member)
{
    const struct member_snapshots *snapshots = &member->snapshots;
    raft_index last = snapshots->newest.index;
    uint64_t every = member->config.snapshot_entries;
    if (member->apply.applied <= last) {
        return false;
    }
    return snapshots->is_wanted || (every > 0 && member->apply.applied - last > every);
}

void member_snapshot_maybe_begin(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    receiving_check(member);
    bool is_busy =
        snapshots->stream || snapshots->ended != 0 || snapshots->is_installing || snapshots->is_receiving;
    if (is_busy || !is_due(member)) {
        return;
    }
    snapshots->is_wanted = false;
    raft_term term = 0;
    enum raft_status status = raft_term_at(member->raft, member->apply.applied, &term);
    assert(status == RAFT_OK); /* What is applied is not compacted yet. */
    snapshots->making = (struct raft_snapshot){
        .index = member->apply.applied,
        .term = term,
        .configuration = *raft_configuration(member->raft),
    };
    if (member->observer.snapshot) {
        member->observer.snapshot(member->observer.context, member->apply.applied, term,
                                  member_state_hash(member), false);
    }
    wal_snapshot_begin(member->storage.wal, &snapshots->making);
    base_buffer_reset(&member->scratch);
    member_snapshot_head(member, &member->scratch);
    wal_snapshot_piece(member->storage.wal, base_buffer_view(&member->scratch));
    snapshots->stream = kv_snapshot_begin(member->kv);
    wake(member);
}

static void make_slice(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    base_buffer_reset(&member->scratch);
    bool goes_on = kv_snapshot_slice(snapshots->stream, MEMBER_SLICE_BYTES, &member->scratch);
    wal_snapshot_piece(member->storage.wal, base_buffer_view(&member->scratch));
    if (goes_on) {
        wake(member);
        return;
    }
    kv_snapshot_end(snapshots->stream);
    snapshots->stream = NULL;
    wal_snapshot_end(member->storage.wal);
    snapshots->ended = snapshots->making.index;
    member_apply_wake(member); /* A compaction may have waited. */
}

static void give_up_making(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    if (snapshots->stream) {
        kv_snapshot_end(snapshots->stream);
        snapshots->stream = NULL;
        wal_snapshot_abandon(member->storage.wal);
    }
}

/* Entries a follower may still ask for stay; while a snapshot is on its way, all do. */
static void compact(struct member *member)
{
    raft_index index = member->snapshots.newest.index;
    uint64_t kept = member->config.catchup_entries;
    if (index <= kept || member->snapshots.sending_count > 0) {
        return;
    }
    if (raft_compact(member->raft, index - kept) == RAFT_OK) {
        wal_release(member->storage.wal, index - kept);
    }
}

void member_snapshot_durable(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    if (snapshots->ended == 0 || wal_snapshot_index(member->storage.wal) < snapshots->ended) {
        return;
    }
    snapshots->ended = 0;
    snapshots->newest = snapshots->making;
    raft_offer_snapshot(member->raft, &snapshots->newest);
    compact(member);
    member_snapshot_maybe_begin(member);
}

/* --- sending --- */

static void sending_end(struct member *member, uint32_t slot, bool has_failed)
{
    struct member_snapshots *snapshots = &member->snapshots;
    raft_id to = snapshots->sendings[slot].to;
    snapshots->sending_count--;
    memmove(&snapshots->sendings[slot], &snapshots->sendings[slot + 1],
            (snapshots->sending_count - slot) * sizeof snapshots->sendings[0]);
    raft_report_snapshot(member->raft, to, has_failed);
    compact(member);
}

void member_snapshot_send(struct member *member, const struct raft_message *message)
{
    struct member_snapshots *snapshots = &member->snapshots;
    for (uint32_t slot = 0; slot < snapshots->sending_count; slot++) {
        if (snapshots->sendings[slot].to == message->to) {
            snapshots->sending_count--;
            memmove(&snapshots->sendings[slot], &snapshots->sendings[slot + 1],
                    (snapshots->sending_count - slot) * sizeof snapshots->sendings[0]);
            break;
        }
    }
    /* Nobody takes one from before he joined: it does not name him. One is made that
     * does, and Raft tries again (etcd makes each as it is sent). */
    bool is_strange = !raft_conf_has(&message->snapshot->configuration, message->to);
    bool is_coming = (snapshots->stream || snapshots->ended != 0) &&
                     raft_conf_has(&snapshots->making.configuration, message->to);
    snapshots->is_wanted |= is_strange && !is_coming;
    if (is_strange || snapshots->sending_count == MEMBER_SENDINGS_MAX) {
        if (snapshots->refused_count < MEMBER_SENDINGS_MAX) {
            snapshots->refused[snapshots->refused_count++] = message->to;
        }
        wake(member);
        return;
    }
    snapshots->sendings[snapshots->sending_count++] = (struct member_sending){
        .to = message->to,
        .index = message->snapshot->index,
        .term = message->snapshot->term,
        .deadline_ns = member->now_ns + MEMBER_SENDING_NS,
    };
    struct wire_message out = {.kind = WIRE_RAFT, .raft = *message};
    member_send(member, message->to, &out);
    wake(member);
}

/* The next chunk; true while more is left. */
static bool send_chunk(struct member *member, struct member_sending *sending)
{
    uint8_t *bytes = base_arena_alloc(&member->arena, MEMBER_SLICE_BYTES);
    size_t got = 0;
    enum wal_status status = wal_snapshot_read(member->storage.wal, sending->index, sending->offset, bytes,
                                               MEMBER_SLICE_BYTES, &got);
    if (status == WAL_FAILED || status == WAL_CORRUPT) {
        member_stop(member, "disk", wal_error(member->storage.wal));
        return false;
    }
    bool is_last = status == WAL_NONE || got == 0;
    struct wire_message out = {
        .kind = WIRE_SNAPSHOT_CHUNK,
        .chunk = {.index = sending->index,
                  .term = sending->term,
                  .offset = sending->offset,
                  .last = is_last,
                  .data = {.data = bytes, .size = got}},
    };
    if (status == WAL_NONE) {
        return false; /* Replaced meanwhile: the peer waits in vain, and is sent another. */
    }
    sending->offset += got;
    sending->is_sent = is_last;
    sending->deadline_ns = member->now_ns + MEMBER_SENDING_NS;
    member_send(member, sending->to, &out);
    return !is_last;
}

static bool is_way_full(struct member *member, raft_id to)
{
    uint64_t way_back = member_way_back(member, to);
    return way_back != 0 ? member->host->is_full(member->host->context, way_back)
                         : member->host->is_way_full(member->host->context, to);
}

static void send_chunks(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    bool goes_on = false;
    for (uint32_t slot = 0; slot < snapshots->sending_count && !member->is_stopped; slot++) {
        if (snapshots->sendings[slot].is_sent) {
            continue;
        }
        if (is_way_full(member, snapshots->sendings[slot].to)) {
            snapshots->room_ns = member->now_ns + MEMBER_ROOM_NS;
        } else {
            goes_on |= send_chunk(member, &snapshots->sendings[slot]);
        }
    }
    if (goes_on) {
        wake(member);
    }
}

/* Over: the peer has answered, we lead no more, or nothing was heard for too long. */
void member_snapshot_due(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    for (uint32_t slot = 0; slot < snapshots->sending_count;) {
        const struct member_sending *sending = &snapshots->sendings[slot];
        struct raft_progress_status progress;
        bool is_waiting = raft_get_progress(member->raft, sending->to, &progress) &&
                          progress.state == RAFT_SNAPSHOT && progress.pending_snapshot == sending->index;
        if (!is_waiting) {
            sending_end(member, slot, false);
        } else if (sending->deadline_ns <= member->now_ns) {
            sending_end(member, slot, true);
        } else {
            slot++;
        }
    }
    if (snapshots->room_ns != 0 && snapshots->room_ns <= member->now_ns) {
        snapshots->room_ns = 0;
        wake(member);
    }
    if (snapshots->is_receiving) {
        member_snapshot_maybe_begin(member);
    }
}

uint64_t member_snapshot_due_ns(const struct member *member)
{
    const struct member_snapshots *snapshots = &member->snapshots;
    uint64_t due = snapshots->is_receiving ? snapshots->receiving_deadline_ns : HOST_NEVER;
    for (uint32_t slot = 0; slot < snapshots->sending_count; slot++) {
        uint64_t deadline = snapshots->sendings[slot].deadline_ns;
        due = deadline < due ? deadline : due;
    }
    if (snapshots->room_ns != 0 && snapshots->room_ns < due) {
        due = snapshots->room_ns;
    }
    return due;
}

void member_snapshot_unreachable(struct member *member, raft_id peer)
{
    struct member_snapshots *snapshots = &member->snapshots;
    for (uint32_t slot = 0; slot < snapshots->sending_count; slot++) {
        if (snapshots->sendings[slot].to == peer) {
            sending_end(member, slot, true);
            return;
        }
    }
}

/* --- receiving --- */

void member_snapshot_announced(struct member *member, const struct raft_message *message)
{
    struct member_snapshots *snapshots = &member->snapshots;
    if (!message->snapshot || snapshots->is_installing || message->term < member->term) {
        return; /* One at a time, and none of the past: the sender tries again. */
    }
    snapshots->message = *message;
    snapshots->incoming = *message->snapshot;
    snapshots->incoming.data = (struct base_bytes){0};
    snapshots->message.snapshot = &snapshots->incoming;
    snapshots->is_receiving = true;
    snapshots->receiving_deadline_ns = member->now_ns + MEMBER_SENDING_NS;
    base_buffer_reset(&snapshots->state);
}

void member_snapshot_chunk(struct member *member, raft_id from, const struct wire_chunk *chunk)
{
    struct member_snapshots *snapshots = &member->snapshots;
    bool fits = snapshots->is_receiving && snapshots->message.from == from &&
                snapshots->incoming.index == chunk->index && snapshots->incoming.term == chunk->term &&
                snapshots->state.size == chunk->offset;
    if (!fits || snapshots->state.size + chunk->data.size > MEMBER_STATE_BYTES_MAX) {
        return; /* Of one that was given up, or after a gap. */
    }
    if (chunk->data.size > 0) {
        memcpy(base_buffer_extend(&snapshots->state, chunk->data.size), chunk->data.data, chunk->data.size);
    }
    snapshots->receiving_deadline_ns = member->now_ns + MEMBER_SENDING_NS;
    if (!chunk->last) {
        return;
    }
    snapshots->is_receiving = false;
    (void)raft_step(member->raft, &snapshots->message);
    /* If Raft takes it, its next Ready asks for it to be stored. */
}

void member_snapshot_store(struct member *member, const struct raft_snapshot *snapshot)
{
    struct member_snapshots *snapshots = &member->snapshots;
    assert(snapshot->index == snapshots->incoming.index && !snapshots->is_installing);
    give_up_making(member);
    snapshots->is_installing = true;
    member->apply.handed_to = member->apply.applied; /* Raft's log begins after the snapshot now. */
    wal_snapshot_begin(member->storage.wal, &snapshots->incoming);
    wal_snapshot_piece(member->storage.wal, base_buffer_view(&snapshots->state));
    wal_snapshot_end(member->storage.wal);
}

void member_snapshot_stored(struct member *member, struct raft_message *response)
{
    struct member_snapshots *snapshots = &member->snapshots;
    assert(snapshots->is_installing);
    snapshots->is_installing = false;
    if (!member_snapshot_load(member, base_buffer_view(&snapshots->state), &snapshots->incoming, NULL, 0)) {
        member_stop(member, "snapshot", "the state a leader sent cannot be read");
        return;
    }
    member_snapshot_loaded(member, &snapshots->incoming);
    snapshots->newest = snapshots->incoming;
    response->snapshot = &snapshots->newest;
    raft_offer_snapshot(member->raft, &snapshots->newest);
    receiving_end(member);
    member_watches_pump(member);
    member_reads_applied(member);
}

/* --- recovery --- */

void member_snapshot_recovering(struct member *member, const struct raft_snapshot *snapshot)
{
    member->snapshots.incoming = *snapshot;
    base_buffer_reset(&member->snapshots.state);
}

void member_snapshot_recovering_piece(struct member *member, struct base_bytes piece)
{
    uint8_t *at = base_buffer_extend(&member->snapshots.state, piece.size);
    if (piece.size > 0) {
        memcpy(at, piece.data, piece.size);
    }
}

bool member_snapshot_recovered(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    if (snapshots->incoming.index == 0) {
        return true;
    }
    bool is_good =
        member_snapshot_load(member, base_buffer_view(&snapshots->state), &snapshots->incoming, NULL, 0);
    if (is_good) {
        member_snapshot_loaded(member, &snapshots->incoming);
        snapshots->newest = snapshots->incoming;
        raft_offer_snapshot(member->raft, &snapshots->newest);
    }
    base_buffer_release(&snapshots->state);
    return is_good;
}

/* --- the storage stage's turn --- */

void member_snapshot_run(struct member *member)
{
    struct member_snapshots *snapshots = &member->snapshots;
    snapshots->is_woken = false;
    member_snapshot_maybe_begin(member);
    if (snapshots->stream) {
        make_slice(member);
    }
    while (snapshots->refused_count > 0) {
        raft_report_snapshot(member->raft, snapshots->refused[--snapshots->refused_count], true);
    }
    send_chunks(member);
}

void member_snapshots_release(struct member *member)
{
    if (member->snapshots.stream) {
        kv_snapshot_end(member->snapshots.stream);
    }
    base_buffer_release(&member->snapshots.state);
}
