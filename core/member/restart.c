/* A member that finds a log on its disk: who it is, its entries and its hard state
 * come from there, and what its configuration says of a cluster is ignored
 * (etcd-behaviour §2.5, §4.1). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

/* What recovery has found so far. */
struct recovery {
    struct member *member;
    struct raft_hard_state hard_state;
    bool has_hard_state;
    enum raft_status status;
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

static bool restart(struct member *member, const struct recovery *recovery)
{
    if (recovery->status != RAFT_OK || !member->raft) {
        member_stop(member, "disk", "the log does not hold together: its entries leave a gap");
        return false;
    }
    member_identify(member);
    if (recovery->has_hard_state && raft_restore_hard_state(member->raft, &recovery->hard_state) != RAFT_OK) {
        member_stop(member, "disk", "the hard state's commit is out of the log's range");
        return false;
    }
    if (!member_snapshot_recovered(member)) {
        member_stop(member, "disk", "the snapshot's state cannot be read");
        return false;
    }
    /* Until it is durable, nothing that was found may be acted upon towards others. */
    member->storage.ticket_written = 1;
    member->storage.ticket_needed = 1;
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
