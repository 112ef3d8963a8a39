/* SPDX-License-Identifier: Apache-2.0 */
/* Read indexes (§8, thesis §6.4): safe by a round of heartbeats, or by trust in
 * the lease that the quorum check gives. */
#include "core/raft/state.h"

#include <assert.h>

void raft_add_read_state(struct raft *raft, raft_index index, struct base_bytes context)
{
    struct raft_batch *batch = raft_batch(raft);
    if (batch->read_state_count == batch->read_state_capacity) {
        uint32_t capacity = batch->read_state_capacity == 0 ? 8 : batch->read_state_capacity * 2;
        batch->read_states = base_resize(raft->allocator, batch->read_states,
                                         batch->read_state_capacity * sizeof *batch->read_states,
                                         capacity * sizeof *batch->read_states);
        batch->read_state_capacity = capacity;
    }
    batch->read_states[batch->read_state_count++] =
        (struct raft_read_state){.index = index, .context = base_arena_copy(&batch->arena, context)};
}

static void answer(struct raft *raft, raft_id to, raft_index index, struct base_bytes context)
{
    if (to == RAFT_NONE || to == raft->config.id) {
        raft_add_read_state(raft, index, context);
        return;
    }
    struct raft_entry entry = {.data = context.data, .size = (uint32_t)context.size};
    struct raft_message *message = raft_send(raft, RAFT_MSG_READ_INDEX_RESP, to);
    message->index = index;
    message->entries = raft_copy_entries(raft, &entry, 1);
    message->entry_count = 1;
}

static bool is_singleton(const struct raft *raft)
{
    const struct raft_conf_state *conf = &raft->tracker.conf;
    return conf->voters.count == 1 && conf->voters_outgoing.count == 0 &&
           conf->voters.ids[0] == raft->config.id;
}

/* We have committed in our own term, so that our commit is no older than any
 * other leader's was (§8). */
static void read_now(struct raft *raft, raft_id from, struct base_bytes context)
{
    if (raft->config.read_mode == RAFT_READ_LEASE || is_singleton(raft)) {
        answer(raft, from, raft->log.committed, context);
        return;
    }
    raft_read_queue_push(&raft->reads.unconfirmed, from, raft->log.committed, context);
    if (raft->self_slot != RAFT_NO_SLOT) {
        raft->tracker.progress[raft->self_slot].read_position = raft_read_only_position(&raft->reads);
    }
    raft_broadcast_heartbeat(raft);
}

static bool has_committed_in_term(const struct raft *raft)
{
    return raft_log_has(&raft->log, raft->log.committed, raft->term);
}

enum raft_status raft_leader_read(struct raft *raft, const struct raft_message *message)
{
    struct base_bytes context = {.data = message->entries[0].data, .size = message->entries[0].size};
    /* Alone in the cluster, too: what was committed before a restart may have been
     * forgotten, for a commit index is not synced. (etcd answers at once then.) */
    if (!has_committed_in_term(raft)) {
        raft_read_queue_push(&raft->reads.early, message->from, 0, context);
    } else {
        read_now(raft, message->from, context);
    }
    return RAFT_OK;
}

void raft_release_early_reads(struct raft *raft)
{
    if (raft->reads.early.count == 0 || !has_committed_in_term(raft)) {
        return;
    }
    while (raft->reads.early.count > 0) {
        struct raft_read_request request = raft_read_queue_pop(&raft->reads.early);
        read_now(raft, request.from, raft_read_request_context(&request));
        raft_read_request_release(&request, raft->allocator);
    }
}

void raft_confirm_reads(struct raft *raft)
{
    assert(raft->role == RAFT_LEADER);
    uint64_t position = raft_tracker_read_position(&raft->tracker);
    while (raft->reads.confirmed < position && raft->reads.unconfirmed.count > 0) {
        struct raft_read_request request = raft_read_queue_pop(&raft->reads.unconfirmed);
        raft->reads.confirmed++;
        answer(raft, request.from, request.index, raft_read_request_context(&request));
        raft_read_request_release(&request, raft->allocator);
    }
}
