/* SPDX-License-Identifier: Apache-2.0 */
/* A follower: takes what the leader sends, passes on what is for the leader (§5.3). */
#include "core/raft/state.h"

#include <assert.h>

static void hear_leader(struct raft *raft, raft_id leader)
{
    raft->election_elapsed = 0;
    raft_set_leader(raft, leader);
}

static void answer_append(struct raft *raft, raft_id to, raft_index index)
{
    raft_send(raft, RAFT_MSG_APP_RESP, to)->index = index;
}

static raft_index least(raft_index a, raft_index b)
{
    return a < b ? a : b;
}

/* §5.3: refuse, and say where to look next: the last index whose term is not
 * above the one the leader has there. */
static void reject_append(struct raft *raft, const struct raft_message *message)
{
    raft_term hint_term = 0;
    raft_index hint = raft_log_find_by_term(&raft->log, least(message->index, raft->log.last),
                                            message->log_term, &hint_term);
    struct raft_message *answer = raft_send(raft, RAFT_MSG_APP_RESP, message->from);
    answer->index = message->index;
    answer->reject = true;
    answer->reject_hint = hint;
    answer->log_term = hint_term;
}

/* §5.3: skip what we hold already, cut at the first conflict, append the rest. A
 * matching tail is never cut: the message may be an old one. */
static void take_entries(struct raft *raft, const struct raft_entry *entries, uint32_t entry_count)
{
    uint32_t known = 0;
    while (known < entry_count && raft_log_has(&raft->log, entries[known].index, entries[known].term)) {
        known++;
    }
    if (known < entry_count && entries[known].index <= raft->log.last) {
        raft_log_cut(&raft->log, entries[known].index);
        if (raft->observer.truncate) {
            raft->observer.truncate(raft->observer.context, entries[known].index);
        }
    }
    for (uint32_t i = known; i < entry_count; i++) {
        raft_append_entry(raft, &entries[i]);
    }
}

void raft_handle_append(struct raft *raft, const struct raft_message *message)
{
    if (message->index < raft->log.committed) {
        answer_append(raft, message->from, raft->log.committed);
        return;
    }
    if (!raft_log_has(&raft->log, message->index, message->log_term)) {
        reject_append(raft, message);
        return;
    }
    take_entries(raft, message->entries, message->entry_count);
    raft_index last_new = message->index + message->entry_count;
    raft_commit_to(raft, least(message->commit, last_new));
    answer_append(raft, message->from, last_new);
}

void raft_handle_heartbeat(struct raft *raft, const struct raft_message *message)
{
    raft_commit_to(raft, message->commit);
    struct raft_message *answer = raft_send(raft, RAFT_MSG_HEARTBEAT_RESP, message->from);
    if (message->context.size > 0) {
        answer->context = base_arena_copy(&raft_batch(raft)->arena, message->context);
    }
}

/* true: the log was replaced. */
static bool restore(struct raft *raft, const struct raft_snapshot *snapshot)
{
    if (snapshot->index <= raft->log.committed) {
        return false;
    }
    assert(raft->role == RAFT_FOLLOWER);
    if (!raft_conf_has(&snapshot->configuration, raft->config.id)) {
        return false; /* Not meant for us: we are not even in it. */
    }
    if (raft_log_has(&raft->log, snapshot->index, snapshot->term)) {
        raft_commit_to(raft, snapshot->index); /* §7: the log has it all. */
        return false;
    }
    raft_log_restore(&raft->log, snapshot);
    if (raft->observer.restore) {
        raft->observer.restore(raft->observer.context, snapshot);
    }
    struct raft_conf_plan plan = raft_conf_plan_of(&snapshot->configuration);
    raft_switch_configuration(raft, &plan);
    return true;
}

void raft_handle_snapshot(struct raft *raft, const struct raft_message *message)
{
    bool restored = restore(raft, message->snapshot);
    answer_append(raft, message->from, restored ? raft->log.last : raft->log.committed);
}

/* Pass a message on to the leader; `from` stays whoever asked. */
static void forward(struct raft *raft, const struct raft_message *message)
{
    assert(raft->leader != RAFT_NONE && raft->leader != raft->config.id);
    struct raft_message *copy = raft_send(raft, message->type, raft->leader);
    copy->from = message->from == RAFT_NONE ? raft->config.id : message->from;
    copy->entries = raft_copy_entries(raft, message->entries, message->entry_count);
    copy->entry_count = message->entry_count;
}

enum raft_status raft_step_follower(struct raft *raft, const struct raft_message *message)
{
    switch (message->type) {
    case RAFT_MSG_APP:
        hear_leader(raft, message->from);
        raft_handle_append(raft, message);
        return RAFT_OK;
    case RAFT_MSG_HEARTBEAT:
        hear_leader(raft, message->from);
        raft_handle_heartbeat(raft, message);
        return RAFT_OK;
    case RAFT_MSG_SNAP:
        hear_leader(raft, message->from);
        raft_handle_snapshot(raft, message);
        return RAFT_OK;
    case RAFT_MSG_PROP:
        if (raft->leader == RAFT_NONE || raft->config.proposal_forwarding_disabled) {
            return RAFT_DROPPED;
        }
        forward(raft, message);
        return RAFT_OK;
    case RAFT_MSG_TRANSFER_LEADER:
    case RAFT_MSG_READ_INDEX:
        if (raft->leader != RAFT_NONE) {
            forward(raft, message);
        }
        return RAFT_OK;
    case RAFT_MSG_READ_INDEX_RESP:
        raft_add_read_state(raft, message->index,
                            (struct base_bytes){.data = message->entries[0].data,
                                                .size = message->entries[0].size});
        return RAFT_OK;
    case RAFT_MSG_FORGET_LEADER:
        /* Lease-based reads rest on followers that stand by their leader. */
        if (raft->config.read_mode != RAFT_READ_LEASE) {
            raft_set_leader(raft, RAFT_NONE);
        }
        return RAFT_OK;
    case RAFT_MSG_TIMEOUT_NOW:
        /* Thesis §3.10: no pre-vote; the leader itself has asked for this. */
        raft_hup(raft, RAFT_CAMPAIGN_TRANSFER);
        return RAFT_OK;
    case RAFT_MSG_HUP:
    case RAFT_MSG_BEAT:
    case RAFT_MSG_APP_RESP:
    case RAFT_MSG_VOTE:
    case RAFT_MSG_VOTE_RESP:
    case RAFT_MSG_HEARTBEAT_RESP:
    case RAFT_MSG_UNREACHABLE:
    case RAFT_MSG_SNAP_STATUS:
    case RAFT_MSG_CHECK_QUORUM:
    case RAFT_MSG_PRE_VOTE:
    case RAFT_MSG_PRE_VOTE_RESP:
    case RAFT_MSG_STORAGE_APPEND:
    case RAFT_MSG_STORAGE_APPEND_RESP:
    case RAFT_MSG_STORAGE_APPLY:
    case RAFT_MSG_STORAGE_APPLY_RESP:
    case RAFT_MSG_COUNT:
        break; /* Answers to a role we had, or settled before. */
    }
    return RAFT_OK;
}
