/* SPDX-License-Identifier: Apache-2.0 */
/* A leader: takes proposals, follows the followers' progress, steps aside (§5.3,
 * §6, thesis §3.10). */
#include "core/raft/state.h"

#include <assert.h>

static uint64_t payload_bytes(const struct raft_entry *entries, uint32_t entry_count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < entry_count; i++) {
        bytes += entries[i].size;
    }
    return bytes;
}

bool raft_leader_append(struct raft *raft, const struct raft_entry *entries, uint32_t entry_count)
{
    assert(raft->role == RAFT_LEADER);
    uint64_t bytes = payload_bytes(entries, entry_count);
    uint64_t limit = raft->config.uncommitted_bytes_max;
    /* One proposal always fits, and the empty ones that elections and
     * configurations need are never refused. */
    if (limit != 0 && raft->uncommitted_bytes > 0 && bytes > 0 &&
        (bytes > limit || raft->uncommitted_bytes > limit - bytes)) {
        return false;
    }
    raft->uncommitted_bytes += bytes;
    for (uint32_t i = 0; i < entry_count; i++) {
        struct raft_entry entry = entries[i];
        entry.term = raft->term;
        entry.index = raft->log.last + 1;
        raft_append_entry(raft, &entry);
    }
    /* We count among those who hold it once our own disk does. */
    raft_send(raft, RAFT_MSG_APP_RESP, raft->config.id)->index = raft->log.last;
    return true;
}

/* May this configuration change go into the log? */
static bool is_change_welcome(const struct raft *raft, const struct raft_entry *entry)
{
    struct raft_conf_change change;
    struct base_bytes data = {.data = entry->data, .size = entry->size};
    enum raft_status status = raft_conf_change_decode(entry->type, data, &change);
    assert(status == RAFT_OK); /* raft_check_message has seen to it. */
    bool is_pending = raft->pending_conf_index > raft->log.applied;
    bool is_joint = raft_conf_is_joint(&raft->tracker.conf);
    bool is_leave = change.change_count == 0;
    return raft->config.conf_change_validation_disabled || (!is_pending && is_joint == is_leave);
}

static enum raft_status propose(struct raft *raft, const struct raft_message *message)
{
    if (raft->self_slot == RAFT_NO_SLOT || raft->transferee != RAFT_NONE) {
        return RAFT_DROPPED;
    }
    raft_index pending_before = raft->pending_conf_index;
    uint32_t change_count = 0;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        change_count += message->entries[i].type != RAFT_ENTRY_NORMAL;
    }
    const struct raft_entry *entries = message->entries;
    if (change_count > 0) {
        /* A change that does not fit becomes an empty entry in its place. */
        struct raft_entry *edited =
            base_arena_alloc(&raft_batch(raft)->arena, message->entry_count * sizeof *edited);
        for (uint32_t i = 0; i < message->entry_count; i++) {
            edited[i] = message->entries[i];
            if (edited[i].type == RAFT_ENTRY_NORMAL) {
                continue;
            }
            if (is_change_welcome(raft, &edited[i])) {
                raft->pending_conf_index = raft->log.last + i + 1;
            } else {
                edited[i] = (struct raft_entry){.type = RAFT_ENTRY_NORMAL};
            }
        }
        entries = edited;
    }
    if (!raft_leader_append(raft, entries, message->entry_count)) {
        raft->pending_conf_index = pending_before;
        return RAFT_DROPPED;
    }
    raft_broadcast_append(raft);
    return RAFT_OK;
}

void raft_check_quorum(struct raft *raft)
{
    assert(raft->role == RAFT_LEADER);
    bool is_active = raft_tracker_is_quorum_active(&raft->tracker);
    uint64_t self = raft->self_slot == RAFT_NO_SLOT ? 0 : UINT64_C(1) << raft->self_slot;
    if (!is_active) {
        raft_become_follower(raft, raft->term, RAFT_NONE);
    }
    raft->tracker.active &= self;
}

static void send_timeout_now(struct raft *raft, raft_id to)
{
    (void)raft_send(raft, RAFT_MSG_TIMEOUT_NOW, to);
}

void raft_abort_transfer(struct raft *raft)
{
    raft->transferee = RAFT_NONE;
}

static void reject_received(struct raft *raft, uint32_t slot, const struct raft_message *message)
{
    struct raft_progress *progress = &raft->tracker.progress[slot];
    raft_index hint = message->reject_hint;
    if (message->log_term > 0) {
        /* The follower has nothing of a later term than log_term up to the
         * hint: where we are beyond that term, the logs cannot match. */
        raft_term unused = 0;
        hint = raft_log_find_by_term(&raft->log, hint, message->log_term, &unused);
    }
    if (raft_progress_rejected(progress, message->index, hint)) {
        if (progress->state == RAFT_REPLICATE) {
            raft_progress_become_probe(progress);
        }
        raft_send_append(raft, slot, true);
    }
}

static void accept_received(struct raft *raft, uint32_t slot, const struct raft_message *message)
{
    struct raft_progress *progress = &raft->tracker.progress[slot];
    bool is_self = slot == raft->self_slot;
    bool advanced = raft_progress_acked(progress, message->index);
    raft_tracker_matched(&raft->tracker, slot);
    if (advanced && raft->observer.match) {
        raft->observer.match(raft->observer.context, message->from, progress->match);
    }
    if (!advanced && (progress->match != message->index || progress->state != RAFT_PROBE)) {
        return;
    }
    if (progress->state == RAFT_PROBE ||
        (progress->state == RAFT_SNAPSHOT && progress->match + 1 >= raft->log.first)) {
        /* From a snapshot only when our log goes on where the peer stands, by
         * whatever way it got there. */
        raft_progress_become_replicate(progress);
    } else if (progress->state == RAFT_REPLICATE) {
        raft_inflights_free_to(&progress->inflights, message->index);
    }
    /* Who is not beyond the commit cannot have moved it. */
    if (progress->match > raft->log.committed && raft_maybe_commit(raft)) {
        raft_release_early_reads(raft);
        raft_broadcast_append(raft);
    } else if (!is_self && raft_progress_lacks_commit(progress, raft->log.committed)) {
        raft_send_append(raft, slot, true);
    }
    if (!is_self) {
        /* The window has opened: send as much as it takes. */
        while (raft_send_append(raft, slot, false)) {
        }
    }
    if (message->from == raft->transferee && progress->match == raft->log.last) {
        send_timeout_now(raft, message->from);
    }
}

static void heartbeat_answered(struct raft *raft, uint32_t slot, const struct raft_message *message)
{
    struct raft_progress *progress = &raft->tracker.progress[slot];
    progress->is_flow_paused = false;
    /* Even into a full window this sends an empty append: should everything in
     * it have been lost, the answer tells. */
    if (progress->match < raft->log.last || progress->state == RAFT_PROBE) {
        raft_send_append(raft, slot, true);
    }
    if (raft->config.read_mode == RAFT_READ_SAFE && message->context.size == RAFT_READ_POSITION_SIZE) {
        uint64_t position = base_load_u64(message->context.data);
        if (position > progress->read_position && position <= raft_read_only_position(&raft->reads)) {
            progress->read_position = position;
            raft_confirm_reads(raft);
        }
    }
}

static void snapshot_reported(struct raft_progress *progress, bool failed)
{
    if (progress->state != RAFT_SNAPSHOT) {
        return;
    }
    if (failed) {
        progress->pending_snapshot = 0; /* Probe from before it. */
    }
    raft_progress_become_probe(progress);
    /* Sent: wait for the peer's word. Failed: wait for a heartbeat's answer. */
    progress->is_flow_paused = true;
}

static void transfer(struct raft *raft, uint32_t slot, raft_id to)
{
    if (((raft->tracker.learners >> slot) & 1) != 0 || raft->transferee == to) {
        return;
    }
    raft_abort_transfer(raft);
    if (to == raft->config.id) {
        return;
    }
    /* Thesis §3.10: within one election timeout, or not at all. */
    raft->election_elapsed = 0;
    raft->transferee = to;
    if (raft->tracker.progress[slot].match == raft->log.last) {
        send_timeout_now(raft, to);
    } else {
        raft_send_append(raft, slot, true);
    }
}

static void step_peer(struct raft *raft, uint32_t slot, const struct raft_message *message)
{
    struct raft_progress *progress = &raft->tracker.progress[slot];
    switch (message->type) {
    case RAFT_MSG_APP_RESP:
        raft->tracker.active |= UINT64_C(1) << slot;
        if (message->reject) {
            reject_received(raft, slot, message);
        } else {
            accept_received(raft, slot, message);
        }
        break;
    case RAFT_MSG_HEARTBEAT_RESP:
        raft->tracker.active |= UINT64_C(1) << slot;
        heartbeat_answered(raft, slot, message);
        break;
    case RAFT_MSG_SNAP_STATUS:
        snapshot_reported(progress, message->reject);
        break;
    case RAFT_MSG_UNREACHABLE:
        /* What was sent ahead is probably lost. */
        if (progress->state == RAFT_REPLICATE) {
            raft_progress_become_probe(progress);
        }
        break;
    case RAFT_MSG_TRANSFER_LEADER:
        transfer(raft, slot, message->from);
        break;
    case RAFT_MSG_HUP:
    case RAFT_MSG_BEAT:
    case RAFT_MSG_PROP:
    case RAFT_MSG_APP:
    case RAFT_MSG_VOTE:
    case RAFT_MSG_VOTE_RESP:
    case RAFT_MSG_SNAP:
    case RAFT_MSG_HEARTBEAT:
    case RAFT_MSG_CHECK_QUORUM:
    case RAFT_MSG_TIMEOUT_NOW:
    case RAFT_MSG_READ_INDEX:
    case RAFT_MSG_READ_INDEX_RESP:
    case RAFT_MSG_PRE_VOTE:
    case RAFT_MSG_PRE_VOTE_RESP:
    case RAFT_MSG_STORAGE_APPEND:
    case RAFT_MSG_STORAGE_APPEND_RESP:
    case RAFT_MSG_STORAGE_APPLY:
    case RAFT_MSG_STORAGE_APPLY_RESP:
    case RAFT_MSG_FORGET_LEADER:
    case RAFT_MSG_COUNT:
        break; /* Late answers to our candidacy, or not for a leader. */
    }
}

enum raft_status raft_step_leader(struct raft *raft, const struct raft_message *message)
{
    if (message->type == RAFT_MSG_PROP) {
        return propose(raft, message);
    }
    if (message->type == RAFT_MSG_READ_INDEX) {
        return raft_leader_read(raft, message);
    }
    uint32_t slot = raft_tracker_slot(&raft->tracker, message->from);
    if (slot != RAFT_NO_SLOT) {
        step_peer(raft, slot, message);
    }
    return RAFT_OK;
}
