/* A new cluster from a backup: its state in new directories, under new ids
 * (etcd-behaviour §4.6; etcd: etcdutl snapshot restore).
 *
 * Every member of it is given the same backup, list and token, so all begin with
 * the same snapshot: at the index that as many founding entries would have, in term
 * 1, with the listed members for its configuration. Learners and whoever was
 * removed are forgotten; leases begin anew with their whole TTL. A crash on the way
 * leaves a directory that holds the ids alone: harmless, for nothing was promised
 * under them, and it is to be restored once more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/backup.h"
#include "core/member/state.h"

#include <assert.h>

static void refuse(struct member *member, enum base_status status, const char *why)
{
    struct wal_text text = {0};
    wal_text_put(&text, base_status_text(status));
    wal_text_put(&text, ": ");
    wal_text_put(&text, why);
    member_stop(member, "restore", text.bytes);
}

/* The file's state in this member, with the new members in place of the old. */
static bool load(struct member *member, const struct raft_snapshot *snapshot,
                 const struct wire_member *members)
{
    struct member_backup_info info;
    enum base_status status = member_backup_read(member->config.backup, &info);
    if (status == BASE_BACKUP_FOREIGN) {
        refuse(member, status, "it does not begin as one does");
        return false;
    }
    if (status != BASE_OK) {
        refuse(member, status, "its hash does not fit its content");
        return false;
    }
    uint32_t count = member->boot.peer_count;
    bool is_good = member_snapshot_load(member, info.state, snapshot, members, count);
    if (!is_good || member_store_hash(member) != info.store_hash) {
        refuse(member, BASE_BACKUP_DAMAGED, "its content is not what it was when it was taken");
        return false;
    }
    kv_skip_revisions(member->kv, member->config.bump_revision);
    if (member->config.mark_compacted) {
        /* Whoever watched the old cluster is told so, rather than taken back in time. */
        status = kv_compact(member->kv, kv_revision(member->kv));
        while (status == BASE_OK && kv_compact_step(member->kv, MEMBER_COMPACT_KEYS)) {
        }
    }
    return true;
}

static void write_down(struct member *member, const struct raft_snapshot *snapshot)
{
    struct wal *wal = member->storage.wal;
    struct base_buffer *piece = &member->scratch;
    const struct wal_metadata metadata = {.member_id = member->id, .cluster_id = member->cluster_id};
    const struct raft_hard_state state = {.term = snapshot->term, .commit = snapshot->index};
    (void)wal_create(wal, &metadata);
    wal_snapshot_begin(wal, snapshot);
    base_buffer_reset(piece);
    member_snapshot_head(member, piece);
    wal_snapshot_piece(wal, base_buffer_view(piece));
    struct kv_snapshot *stream = kv_snapshot_begin(member->kv);
    bool goes_on = true;
    while (goes_on) {
        base_buffer_reset(piece);
        goes_on = kv_snapshot_slice(stream, MEMBER_SLICE_BYTES, piece);
        wal_snapshot_piece(wal, base_buffer_view(piece));
    }
    kv_snapshot_end(stream);
    wal_snapshot_end(wal);
    member->storage.ticket_written = wal_save(wal, NULL, 0, &state, true);
    member->storage.ticket_needed = member->storage.ticket_written;
    member->storage.ticket_created = member->storage.ticket_written;
    member->snapshots.making = *snapshot;
    member->snapshots.ended = snapshot->index;
}

void member_restore(struct member *member)
{
    struct wire_member members[RAFT_MEMBERS_MAX];
    uint32_t count = member->boot.peer_count;
    if (!member_boot_ids(member, members)) {
        return;
    }
    struct raft_snapshot snapshot = {.index = count, .term = 1};
    snapshot.configuration.voters.count = count;
    for (uint32_t i = 0; i < count; i++) {
        snapshot.configuration.voters.ids[i] = members[i].id;
    }
    member->cluster_id = member_cluster_id_of(snapshot.configuration.voters.ids, count);
    member_identify(member);
    member_boot_step(member, "ids");
    if (!load(member, &snapshot, members) || !member_raft_make(member, member->id)) {
        return;
    }
    const struct raft_hard_state state = {.term = snapshot.term, .commit = snapshot.index};
    enum raft_status status = raft_restore_snapshot(member->raft, &snapshot);
    assert(status == RAFT_OK); /* The node is empty. */
    status = raft_restore_hard_state(member->raft, &state);
    assert(status == RAFT_OK);
    member_snapshot_loaded(member, &snapshot);
    member_boot_step(member, "restored");
    write_down(member, &snapshot);
    member_boot_step(member, "log");
    member_boot_done(member);
}
