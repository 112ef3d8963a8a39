/* SPDX-License-Identifier: Apache-2.0 */
/* What may be stepped at all. Anything can come from a network; what no member
 * that follows the protocol could have sent to us now is refused here, before
 * anything changes, so that everything behind may assert its assumptions. */
#include "core/raft/entry.h"
#include "core/raft/state.h"

#include <assert.h>

static bool is_member_id(raft_id id)
{
    return id != RAFT_NONE && id < RAFT_APPLY_THREAD;
}

static bool is_entry_sane(const struct raft_entry *entry)
{
    return (uint32_t)entry->type <= RAFT_ENTRY_CONF_CHANGE_V2 && entry->size <= RAFT_ENTRY_SIZE_MAX &&
           (entry->size == 0 || entry->data);
}

static bool is_place_sane(raft_index index, raft_term term)
{
    return (index == 0) == (term == 0);
}

/* Consecutive entries after (index, log_term), of terms that never go down and
 * are not above the message's. */
static bool are_entries_sane(const struct raft_message *message)
{
    raft_term term = message->log_term;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        const struct raft_entry *entry = &message->entries[i];
        if (!is_entry_sane(entry) || entry->index != message->index + i + 1 || entry->term < term ||
            entry->term == 0) {
            return false;
        }
        term = entry->term;
    }
    return term <= message->term;
}

/* Does an entry of this log contradict one of ours that is committed? */
static bool contradicts_commit(const struct raft_log *log, raft_index index, raft_term term)
{
    raft_term ours = 0;
    return index <= log->committed && raft_log_term(log, index, &ours) == RAFT_OK && ours != term;
}

static enum raft_status check_append(const struct raft *raft, const struct raft_message *message)
{
    if (!is_place_sane(message->index, message->log_term) || !are_entries_sane(message)) {
        return RAFT_INVALID;
    }
    if (message->term < raft->term) {
        return RAFT_OK; /* Will be ignored. */
    }
    if (raft->role == RAFT_LEADER && message->term == raft->term) {
        return RAFT_INVALID; /* §5.2: one leader a term, and that is us. */
    }
    if (contradicts_commit(&raft->log, message->index, message->log_term)) {
        return RAFT_INVALID;
    }
    for (uint32_t i = 0; i < message->entry_count && message->entries[i].index <= raft->log.committed; i++) {
        if (contradicts_commit(&raft->log, message->entries[i].index, message->entries[i].term)) {
            return RAFT_INVALID;
        }
    }
    return RAFT_OK;
}

static enum raft_status check_append_response(const struct raft *raft, const struct raft_message *message)
{
    if (raft->role != RAFT_LEADER || message->term != raft->term) {
        return RAFT_OK;
    }
    /* Nobody holds more of our term than we do, nor our disk than it was given. */
    bool is_own = message->from == raft->config.id;
    raft_index most = is_own ? raft->log.in_progress : raft->log.last;
    return message->reject || message->index <= most ? RAFT_OK : RAFT_INVALID;
}

static enum raft_status check_heartbeat(const struct raft *raft, const struct raft_message *message)
{
    if (message->term < raft->term) {
        return RAFT_OK;
    }
    if (raft->role == RAFT_LEADER && message->term == raft->term) {
        return RAFT_INVALID;
    }
    return message->commit > raft->log.last ? RAFT_BEYOND_LOG : RAFT_OK;
}

static enum raft_status check_snapshot(const struct raft *raft, const struct raft_message *message)
{
    const struct raft_snapshot *snapshot = message->snapshot;
    if (!snapshot || snapshot->index == 0 || snapshot->index > RAFT_NUMBER_MAX || snapshot->term == 0 ||
        snapshot->term > message->term || (snapshot->data.size > 0 && !snapshot->data.data) ||
        snapshot->configuration.voters.count == 0 || !raft_conf_is_valid(&snapshot->configuration)) {
        return RAFT_INVALID;
    }
    if (message->term >= raft->term && ((raft->role == RAFT_LEADER && message->term == raft->term) ||
                                        contradicts_commit(&raft->log, snapshot->index, snapshot->term))) {
        return RAFT_INVALID;
    }
    return RAFT_OK;
}

static enum raft_status check_proposal(const struct raft_message *message)
{
    if (message->term != 0 || message->entry_count == 0) {
        return RAFT_INVALID;
    }
    for (uint32_t i = 0; i < message->entry_count; i++) {
        const struct raft_entry *entry = &message->entries[i];
        struct raft_conf_change change;
        if (!is_entry_sane(entry) ||
            (entry->type != RAFT_ENTRY_NORMAL &&
             raft_conf_change_decode(entry->type,
                                     (struct base_bytes){.data = entry->data, .size = entry->size},
                                     &change) != RAFT_OK)) {
            return RAFT_INVALID;
        }
    }
    return RAFT_OK;
}

static enum raft_status check_read(const struct raft_message *message)
{
    return message->entry_count == 1 && is_entry_sane(&message->entries[0]) ? RAFT_OK : RAFT_INVALID;
}

/* From our own storage stage: of what was handed out to it. */
static enum raft_status check_storage(const struct raft *raft, const struct raft_message *message)
{
    if (message->type == RAFT_MSG_STORAGE_APPEND_RESP) {
        bool fits = message->from == RAFT_APPEND_THREAD && message->term <= raft->term &&
                    (!message->snapshot || message->snapshot->index <= raft->log.snapshot_handed);
        return fits ? RAFT_OK : RAFT_INVALID;
    }
    raft_index index =
        message->entry_count > 0 ? message->entries[message->entry_count - 1].index : message->index;
    bool fits = message->from == RAFT_APPLY_THREAD && message->term == 0 && index <= raft->log.applying;
    return fits ? RAFT_OK : RAFT_INVALID;
}

static bool is_member(const struct raft *raft, raft_id id)
{
    return raft_tracker_slot(&raft->tracker, id) != RAFT_NO_SLOT;
}

/* Who sends: a member other than ourselves, except that the promises we make to
 * ourselves come back through the host. */
static enum raft_status check_sender(const struct raft *raft, const struct raft_message *message)
{
    switch (message->type) {
    case RAFT_MSG_APP_RESP:
    case RAFT_MSG_VOTE_RESP:
    case RAFT_MSG_PRE_VOTE_RESP:
        if (!is_member(raft, message->from)) {
            return RAFT_PEER_NOT_FOUND;
        }
        /* We do not refuse ourselves. */
        return message->from == raft->config.id && message->reject ? RAFT_INVALID : RAFT_OK;
    case RAFT_MSG_HEARTBEAT_RESP:
    case RAFT_MSG_READ_INDEX_RESP:
        if (!is_member(raft, message->from)) {
            return RAFT_PEER_NOT_FOUND;
        }
        return message->from != raft->config.id ? RAFT_OK : RAFT_INVALID;
    case RAFT_MSG_PROP:
    case RAFT_MSG_READ_INDEX:
        return message->from == RAFT_NONE || is_member_id(message->from) ? RAFT_OK : RAFT_INVALID;
    case RAFT_MSG_TRANSFER_LEADER:
        return is_member_id(message->from) ? RAFT_OK : RAFT_INVALID;
    case RAFT_MSG_APP:
    case RAFT_MSG_VOTE:
    case RAFT_MSG_SNAP:
    case RAFT_MSG_HEARTBEAT:
    case RAFT_MSG_TIMEOUT_NOW:
    case RAFT_MSG_PRE_VOTE:
        return is_member_id(message->from) && message->from != raft->config.id ? RAFT_OK : RAFT_INVALID;
    case RAFT_MSG_STORAGE_APPEND_RESP:
    case RAFT_MSG_STORAGE_APPLY_RESP:
        return message->from >= RAFT_APPLY_THREAD ? RAFT_OK : RAFT_LOCAL_MESSAGE;
    case RAFT_MSG_HUP:
    case RAFT_MSG_BEAT:
    case RAFT_MSG_UNREACHABLE:
    case RAFT_MSG_SNAP_STATUS:
    case RAFT_MSG_CHECK_QUORUM:
    case RAFT_MSG_STORAGE_APPEND:
    case RAFT_MSG_STORAGE_APPLY:
    case RAFT_MSG_FORGET_LEADER:
        return RAFT_LOCAL_MESSAGE;
    case RAFT_MSG_COUNT:
        break;
    }
    return RAFT_INVALID;
}

/* Which types carry no term: those that are passed on, and the apply stage's. */
static bool is_term_sane(const struct raft_message *message)
{
    uint32_t without = UINT32_C(1) << RAFT_MSG_PROP | UINT32_C(1) << RAFT_MSG_READ_INDEX |
                       UINT32_C(1) << RAFT_MSG_STORAGE_APPLY_RESP;
    return (without >> message->type & 1) == (message->term == 0);
}

static enum raft_status check_content(const struct raft *raft, const struct raft_message *message)
{
    switch (message->type) {
    case RAFT_MSG_PROP:
        return check_proposal(message);
    case RAFT_MSG_APP:
        return check_append(raft, message);
    case RAFT_MSG_APP_RESP:
        return check_append_response(raft, message);
    case RAFT_MSG_HEARTBEAT:
        return check_heartbeat(raft, message);
    case RAFT_MSG_SNAP:
        return check_snapshot(raft, message);
    case RAFT_MSG_READ_INDEX:
    case RAFT_MSG_READ_INDEX_RESP:
        return check_read(message);
    case RAFT_MSG_VOTE:
    case RAFT_MSG_PRE_VOTE:
        return is_place_sane(message->index, message->log_term) && message->log_term <= message->term
                   ? RAFT_OK
                   : RAFT_INVALID;
    case RAFT_MSG_STORAGE_APPEND_RESP:
    case RAFT_MSG_STORAGE_APPLY_RESP:
        return check_storage(raft, message);
    case RAFT_MSG_HUP:
    case RAFT_MSG_BEAT:
    case RAFT_MSG_VOTE_RESP:
    case RAFT_MSG_HEARTBEAT_RESP:
    case RAFT_MSG_UNREACHABLE:
    case RAFT_MSG_SNAP_STATUS:
    case RAFT_MSG_CHECK_QUORUM:
    case RAFT_MSG_TRANSFER_LEADER:
    case RAFT_MSG_TIMEOUT_NOW:
    case RAFT_MSG_PRE_VOTE_RESP:
    case RAFT_MSG_STORAGE_APPEND:
    case RAFT_MSG_STORAGE_APPLY:
    case RAFT_MSG_FORGET_LEADER:
    case RAFT_MSG_COUNT:
        break;
    }
    return RAFT_OK;
}

enum raft_status raft_check_message(const struct raft *raft, const struct raft_message *message)
{
    if ((uint32_t)message->type >= RAFT_MSG_COUNT) {
        return RAFT_INVALID;
    }
    enum raft_status status = check_sender(raft, message);
    if (status != RAFT_OK) {
        return status;
    }
    /* The limit is all bits but the top ones: together they say as much as one by one. */
    uint64_t numbers =
        message->term | message->log_term | message->index | message->commit | message->reject_hint;
    bool is_shape_sane = message->to == raft->config.id && is_term_sane(message) &&
                         numbers <= RAFT_NUMBER_MAX && (message->entry_count == 0 || message->entries) &&
                         (message->context.size == 0 || message->context.data);
    return is_shape_sane ? check_content(raft, message) : RAFT_INVALID;
}
