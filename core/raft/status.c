/* SPDX-License-Identifier: Apache-2.0 */
/* Looking in, for hosts, judges and tests. */
#include "core/raft/state.h"

void raft_get_status(const struct raft *raft, struct raft_status_report *out)
{
    *out = (struct raft_status_report){
        .id = raft->config.id,
        .leader = raft->leader,
        .transferee = raft->transferee,
        .role = raft->role,
        .hard_state = {.term = raft->term, .vote = raft->vote, .commit = raft->log.committed},
        .applied = raft->log.applied,
        .first_index = raft->log.first,
        .last_index = raft->log.last,
        .last_term = raft->log.last_term,
    };
}

const struct raft_conf_state *raft_configuration(const struct raft *raft)
{
    return &raft->tracker.conf;
}

bool raft_get_progress(const struct raft *raft, raft_id id, struct raft_progress_status *out)
{
    uint32_t slot = raft_tracker_slot(&raft->tracker, id);
    if (raft->role != RAFT_LEADER || slot == RAFT_NO_SLOT) {
        return false;
    }
    const struct raft_progress *progress = &raft->tracker.progress[slot];
    *out = (struct raft_progress_status){
        .id = id,
        .match = progress->match,
        .next = progress->next,
        .state = progress->state,
        .pending_snapshot = progress->pending_snapshot,
        .recent_active = ((raft->tracker.active >> slot) & 1) != 0,
        .is_learner = ((raft->tracker.learners >> slot) & 1) != 0,
        .is_paused = raft_progress_is_paused(progress),
        .is_full = raft_inflights_is_full(&progress->inflights, &raft->tracker.limits),
        .inflight_count = progress->inflights.count,
    };
    return true;
}

enum raft_status raft_term_at(const struct raft *raft, raft_index index, raft_term *out)
{
    return raft_log_term(&raft->log, index, out);
}

enum raft_status raft_entry_at(const struct raft *raft, raft_index index, struct raft_entry *out)
{
    if (index < raft->log.first) {
        return RAFT_COMPACTED;
    }
    if (index > raft->log.last) {
        return RAFT_UNAVAILABLE;
    }
    *out = raft_blocks_at(&raft->log.blocks, index);
    return RAFT_OK;
}
