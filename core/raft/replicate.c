/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the log to the others and knowing what is committed (§5.3, §5.4.2, §7). */
#include "core/raft/state.h"

#include <assert.h>

void raft_append_entry(struct raft *raft, const struct raft_entry *entry)
{
    raft_log_append(&raft->log, entry);
    if (raft->observer.append) {
        raft->observer.append(raft->observer.context, entry);
    }
}

void raft_commit_to(struct raft *raft, raft_index index)
{
    if (raft_log_commit(&raft->log, index) && raft->observer.commit) {
        raft->observer.commit(raft->observer.context, index);
    }
}

bool raft_maybe_commit(struct raft *raft)
{
    raft_index index = raft_tracker_committed(&raft->tracker, raft->log.committed);
    /* §5.4.2: entries of earlier terms are only committed along with one of ours. */
    if (index == raft->log.committed || !raft_log_has(&raft->log, index, raft->term)) {
        return false;
    }
    raft_commit_to(raft, index);
    return true;
}

/* The entries the peer lacks are gone: send the state instead (§7). */
static bool send_snapshot(struct raft *raft, uint32_t slot)
{
    bool is_active = ((raft->tracker.active >> slot) & 1) != 0;
    bool covers = raft->offer.index != 0 && raft->offer.index + 1 >= raft->log.first;
    if (!is_active || !covers) {
        return false; /* Nobody there to take it, or none to send yet. */
    }
    raft_progress_become_snapshot(&raft->tracker.progress[slot], raft->offer.index);
    raft_send(raft, RAFT_MSG_SNAP, raft->tracker.ids[slot])->snapshot =
        raft_copy_snapshot(raft, &raft->offer);
    return true;
}

static uint64_t payload_bytes(struct raft_slice slice)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < slice.count; i++) {
        bytes += slice.entries[i].size;
    }
    return bytes;
}

bool raft_send_append(struct raft *raft, uint32_t slot, bool send_empty)
{
    assert(slot != raft->self_slot);
    struct raft_progress *progress = &raft->tracker.progress[slot];
    if (raft_progress_is_paused(progress)) {
        return false;
    }
    raft_term term = 0;
    if (raft_log_term(&raft->log, progress->next - 1, &term) != RAFT_OK) {
        return send_snapshot(raft, slot);
    }
    struct raft_slice slice = {0};
    if (progress->state != RAFT_REPLICATE ||
        !raft_inflights_is_full(&progress->inflights, &raft->tracker.limits)) {
        slice = raft_log_slice(&raft->log, &raft_batch(raft)->arena, progress->next, raft->log.last,
                               raft->config.message_bytes_max);
    }
    if (slice.count == 0 && !send_empty) {
        return false;
    }
    struct raft_message *message = raft_send(raft, RAFT_MSG_APP, raft->tracker.ids[slot]);
    message->index = progress->next - 1;
    message->log_term = term;
    message->entries = slice.entries;
    message->entry_count = slice.count;
    message->commit = raft->log.committed;
    raft_progress_sent(progress, &raft->tracker.limits, raft->allocator, slice.count, payload_bytes(slice));
    progress->sent_commit = raft->log.committed;
    return true;
}

void raft_broadcast_append(struct raft *raft)
{
    for (uint32_t slot = 0; slot < raft->tracker.count; slot++) {
        if (slot != raft->self_slot) {
            (void)raft_send_append(raft, slot, true);
        }
    }
}

void raft_broadcast_heartbeat(struct raft *raft)
{
    struct base_bytes context = {0};
    if (raft->reads.unconfirmed.count > 0) {
        uint8_t position[RAFT_READ_POSITION_SIZE];
        base_store_u64(position, raft_read_only_position(&raft->reads));
        context = base_arena_copy(&raft_batch(raft)->arena,
                                  (struct base_bytes){.data = position, .size = sizeof position});
    }
    for (uint32_t slot = 0; slot < raft->tracker.count; slot++) {
        if (slot == raft->self_slot) {
            continue;
        }
        struct raft_progress *progress = &raft->tracker.progress[slot];
        /* Never beyond what the member is known to hold: it commits to it
         * without comparing logs. */
        raft_index commit = progress->match < raft->log.committed ? progress->match : raft->log.committed;
        struct raft_message *message = raft_send(raft, RAFT_MSG_HEARTBEAT, raft->tracker.ids[slot]);
        message->commit = commit;
        message->context = context;
        progress->sent_commit = commit;
    }
}
