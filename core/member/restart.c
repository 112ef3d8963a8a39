/* A member that finds a log on its disk: who it is, its entries and its hard state
 * come from there, and what its configuration says of a cluster is ignored
 * (etcd-behaviour §2.5, §4.1). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include "core/raft/id_set.h"

#include <assert.h>

/* What recovery has found so far. */
struct recovery {
    struct member *member;
    struct raft_hard_state hard_state;
    bool has_hard_state;
    enum raft_status status;
    uint64_t forced_ticket; /* What was forced is durable with it. */
};

static void recover_metadata(void *context, const struct wal_metadata *metadata)
{
    struct recovery *recovery = context;
    recovery->member->id = metadata->member_id;
    recovery->member->cluster_id = metadata->cluster_id;
    if (!recovery->member->raft && !member_raft_make(recovery->member, metadata->member_id)) {
        recovery->status = RAFT_INVALID;
    }
}

static void recover_entry(void *context, const struct raft_entry *entry)
{
    struct recovery *recovery = context;
    if (!recovery->member->raft) {
        recovery->status = RAFT_INVALID;
        return;
    }
    enum raft_status status = raft_restore_entry(recovery->member->raft, entry);
    if (status != RAFT_OK) {
        recovery->status = status;
    }
}

static void recover_hard_state(void *context, const struct raft_hard_state *state)
{
    struct recovery *recovery = context;
    recovery->hard_state = *state;
    recovery->has_hard_state = true;
}

static void recover_snapshot(void *context, const struct raft_snapshot *snapshot)
{
    struct recovery *recovery = context;
    member_snapshot_recovering(recovery->member, snapshot);
    if (!recovery->member->raft || raft_restore_snapshot(recovery->member->raft, snapshot) != RAFT_OK) {
        recovery->status = RAFT_INVALID;
    }
}

static void recover_piece(void *context, struct base_bytes piece)
{
    struct recovery *recovery = context;
    member_snapshot_recovering_piece(recovery->member, piece);
}

/* --- on alone: a new cluster from this log (etcd: CreateConfigChangeEnts) --- */

/* Who is in the configuration that the log's committed part ends with. */
struct crowd {
    struct raft_id_set all;
    struct raft_id_set voters;
    bool is_joint;
};

static void crowd_add(struct crowd *crowd, const struct raft_id_set *ids, bool is_voting)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        (void)raft_id_set_add(&crowd->all, ids->ids[i]);
        if (is_voting) {
            (void)raft_id_set_add(&crowd->voters, ids->ids[i]);
        }
    }
}

static void crowd_change(struct crowd *crowd, const struct raft_conf_change *change)
{
    for (uint32_t i = 0; i < change->change_count; i++) {
        raft_id id = change->changes[i].id;
        switch (change->changes[i].type) {
        case RAFT_ADD_NODE:
            (void)raft_id_set_add(&crowd->all, id);
            (void)raft_id_set_add(&crowd->voters, id);
            break;
        case RAFT_ADD_LEARNER_NODE:
            (void)raft_id_set_add(&crowd->all, id);
            raft_id_set_remove(&crowd->voters, id);
            break;
        case RAFT_REMOVE_NODE:
            raft_id_set_remove(&crowd->all, id);
            raft_id_set_remove(&crowd->voters, id);
            break;
        case RAFT_UPDATE_NODE:
            break;
        }
    }
    if (!change->is_v1) {
        crowd->is_joint = change->change_count > 1 || (crowd->is_joint && change->change_count > 0);
    }
}

static void crowd_of(const struct member *member, raft_index committed, struct crowd *out)
{
    const struct raft_snapshot *snapshot = &member->snapshots.incoming;
    *out = (struct crowd){.is_joint = snapshot->configuration.voters_outgoing.count > 0};
    crowd_add(out, &snapshot->configuration.voters, true);
    crowd_add(out, &snapshot->configuration.learners, false);
    crowd_add(out, &snapshot->configuration.voters_outgoing, false);
    crowd_add(out, &snapshot->configuration.learners_next, false);
    for (raft_index index = snapshot->index + 1; index <= committed; index++) {
        struct raft_entry entry;
        struct raft_conf_change change;
        enum raft_status status = raft_entry_at(member->raft, index, &entry);
        assert(status == RAFT_OK); /* Restored without a gap. */
        struct base_bytes data = {.data = entry.data, .size = entry.size};
        if (entry.type != RAFT_ENTRY_NORMAL &&
            raft_conf_change_decode(entry.type, data, &change) == RAFT_OK) {
            crowd_change(out, &change);
        }
    }
}

/* The entries that leave nobody but us, behind what is committed. */
struct eviction {
    struct member *member;
    raft_term term;
    raft_index next;
    uint32_t count;
    struct raft_entry entries[RAFT_MEMBERS_MAX + 2];
};

static void evict(struct eviction *eviction, const struct raft_conf_change *change)
{
    struct member *member = eviction->member;
    base_buffer_reset(&member->scratch);
    raft_conf_change_encode(change, &member->scratch);
    struct base_bytes data = base_arena_copy(&member->arena, base_buffer_view(&member->scratch));
    eviction->entries[eviction->count++] = (struct raft_entry){
        .term = eviction->term,
        .index = eviction->next++,
        .data = data.data,
        .size = (uint32_t)data.size,
        .type = change->is_v1 ? RAFT_ENTRY_CONF_CHANGE : RAFT_ENTRY_CONF_CHANGE_V2,
    };
}

static void evict_one(struct eviction *eviction, enum raft_conf_change_type type, raft_id id)
{
    struct member *member = eviction->member;
    const struct wire_proposal proposal = {
        .proposer = RAFT_NONE,
        .request = {.kind = type == RAFT_REMOVE_NODE ? WIRE_MEMBER_REMOVE : WIRE_MEMBER_ADD,
                    .member = {.id = id, .peer_url = base_bytes_of(member->config.url)}},
    };
    struct raft_conf_change change = {.is_v1 = true, .change_count = 1};
    change.changes[0] = (struct raft_conf_change_single){.type = type, .id = id};
    base_buffer_reset(&member->scratch);
    wire_proposal_encode(&proposal, &member->scratch);
    change.context = base_arena_copy(&member->arena, base_buffer_view(&member->scratch));
    evict(eviction, &change);
}

/* What is above the commit is discarded; what is known to be committed stays. */
static bool force_new_cluster(struct member *member, struct recovery *recovery)
{
    struct raft_hard_state *state = &recovery->hard_state;
    raft_index begin = member->snapshots.incoming.index;
    raft_index committed = state->commit > begin ? state->commit : begin;
    struct crowd crowd;
    crowd_of(member, committed, &crowd);
    struct eviction eviction = {.member = member, .term = state->term, .next = committed + 1};
    if (crowd.is_joint) {
        const struct raft_conf_change leave = {.is_v1 = false};
        evict(&eviction, &leave);
    }
    if (!raft_id_set_has(&crowd.voters, member->id)) {
        evict_one(&eviction, RAFT_ADD_NODE, member->id);
    }
    for (uint32_t i = 0; i < crowd.all.count; i++) {
        if (crowd.all.ids[i] != member->id) {
            evict_one(&eviction, RAFT_REMOVE_NODE, crowd.all.ids[i]);
        }
    }
    for (uint32_t i = 0; i < eviction.count; i++) {
        if (raft_restore_entry(member->raft, &eviction.entries[i]) != RAFT_OK) {
            return false;
        }
    }
    state->commit = eviction.next - 1;
    state->vote = RAFT_NONE;
    state->term++; /* Whatever it voted for is of no account in a cluster of one. */
    recovery->has_hard_state = true;
    recovery->forced_ticket = wal_save(member->storage.wal, eviction.entries, eviction.count, state, true);
    return true;
}

static bool restart(struct member *member, struct recovery *recovery)
{
    if (recovery->status != RAFT_OK || !member->raft) {
        member_stop(member, "disk", "the log does not hold together: its entries leave a gap");
        return false;
    }
    member_identify(member);
    if (member->config.force_new_cluster) {
        if (!force_new_cluster(member, recovery)) {
            member_stop(member, "disk", "the log cannot be gone on from");
            return false;
        }
        member_boot_step(member, "forced");
    }
    if (recovery->has_hard_state && raft_restore_hard_state(member->raft, &recovery->hard_state) != RAFT_OK) {
        member_stop(member, "disk", "the hard state's commit is out of the log's range");
        return false;
    }
    if (!member_snapshot_recovered(member)) {
        member_stop(member, "disk", "the snapshot's state cannot be read");
        return false;
    }
    /* Until it is durable, nothing that was found may be acted upon towards others. */
    uint64_t ticket = recovery->forced_ticket > 0 ? recovery->forced_ticket : 1;
    member->storage.ticket_written = ticket;
    member->storage.ticket_needed = ticket;
    member_boot_step(member, "recovered");
    return true;
}

enum member_found member_restart(struct member *member)
{
    struct recovery recovery = {.member = member, .status = RAFT_OK};
    const struct wal_visitor visitor = {
        .context = &recovery,
        .metadata = recover_metadata,
        .snapshot = recover_snapshot,
        .snapshot_piece = recover_piece,
        .entry = recover_entry,
        .hard_state = recover_hard_state,
    };
    switch (wal_recover(member->storage.wal, &visitor)) {
    case WAL_OK:
        return restart(member, &recovery) ? MEMBER_FOUND_LOG : MEMBER_FOUND_DAMAGE;
    case WAL_NONE:
        return MEMBER_FOUND_NOTHING;
    case WAL_CORRUPT:
    case WAL_FAILED:
        break;
    }
    member_stop(member, "disk", wal_error(member->storage.wal));
    return MEMBER_FOUND_DAMAGE;
}
