/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/text.h"

#include <assert.h>

static const char *const message_types[RAFT_MSG_COUNT] = {
    [RAFT_MSG_HUP] = "MsgHup",
    [RAFT_MSG_BEAT] = "MsgBeat",
    [RAFT_MSG_PROP] = "MsgProp",
    [RAFT_MSG_APP] = "MsgApp",
    [RAFT_MSG_APP_RESP] = "MsgAppResp",
    [RAFT_MSG_VOTE] = "MsgVote",
    [RAFT_MSG_VOTE_RESP] = "MsgVoteResp",
    [RAFT_MSG_SNAP] = "MsgSnap",
    [RAFT_MSG_HEARTBEAT] = "MsgHeartbeat",
    [RAFT_MSG_HEARTBEAT_RESP] = "MsgHeartbeatResp",
    [RAFT_MSG_UNREACHABLE] = "MsgUnreachable",
    [RAFT_MSG_SNAP_STATUS] = "MsgSnapStatus",
    [RAFT_MSG_CHECK_QUORUM] = "MsgCheckQuorum",
    [RAFT_MSG_TRANSFER_LEADER] = "MsgTransferLeader",
    [RAFT_MSG_TIMEOUT_NOW] = "MsgTimeoutNow",
    [RAFT_MSG_READ_INDEX] = "MsgReadIndex",
    [RAFT_MSG_READ_INDEX_RESP] = "MsgReadIndexResp",
    [RAFT_MSG_PRE_VOTE] = "MsgPreVote",
    [RAFT_MSG_PRE_VOTE_RESP] = "MsgPreVoteResp",
    [RAFT_MSG_STORAGE_APPEND] = "MsgStorageAppend",
    [RAFT_MSG_STORAGE_APPEND_RESP] = "MsgStorageAppendResp",
    [RAFT_MSG_STORAGE_APPLY] = "MsgStorageApply",
    [RAFT_MSG_STORAGE_APPLY_RESP] = "MsgStorageApplyResp",
    [RAFT_MSG_FORGET_LEADER] = "MsgForgetLeader",
};

static const char *const roles[] = {
    [RAFT_FOLLOWER] = "StateFollower",
    [RAFT_CANDIDATE] = "StateCandidate",
    [RAFT_LEADER] = "StateLeader",
    [RAFT_PRE_CANDIDATE] = "StatePreCandidate",
};

static const char *const entry_types[] = {
    [RAFT_ENTRY_NORMAL] = "EntryNormal",
    [RAFT_ENTRY_CONF_CHANGE] = "EntryConfChange",
    [RAFT_ENTRY_CONF_CHANGE_V2] = "EntryConfChangeV2",
};

static const char *const progress_states[] = {
    [RAFT_PROBE] = "StateProbe",
    [RAFT_REPLICATE] = "StateReplicate",
    [RAFT_SNAPSHOT] = "StateSnapshot",
};

static const char *const statuses[] = {
    [RAFT_OK] = "",
    [RAFT_DROPPED] = "raft proposal dropped",
    [RAFT_LOCAL_MESSAGE] = "raft: cannot step raft local message",
    [RAFT_PEER_NOT_FOUND] = "raft: cannot step as peer not found",
    [RAFT_COMPACTED] = "requested index is unavailable due to compaction",
    [RAFT_UNAVAILABLE] = "requested entry at index is unavailable",
    [RAFT_INVALID] = "invalid message, change or configuration",
    [RAFT_BEYOND_LOG] = "commit index is beyond the log",
};

const char *raft_text_message_type(enum raft_message_type type)
{
    return (uint32_t)type < RAFT_MSG_COUNT ? message_types[type] : "MsgUnknown";
}

const char *raft_text_role(enum raft_role role)
{
    return (uint32_t)role < sizeof roles / sizeof roles[0] ? roles[role] : "StateUnknown";
}

const char *raft_text_entry_type(enum raft_entry_type type)
{
    return (uint32_t)type < sizeof entry_types / sizeof entry_types[0] ? entry_types[type] : "EntryUnknown";
}

const char *raft_text_progress_state(enum raft_progress_state state)
{
    return (uint32_t)state < sizeof progress_states / sizeof progress_states[0] ? progress_states[state]
                                                                                : "StateUnknown";
}

const char *raft_text_status(enum raft_status status)
{
    return (uint32_t)status < sizeof statuses / sizeof statuses[0] ? statuses[status] : "unknown status";
}

static void put_bytes(struct base_buffer *out, const uint8_t *data, size_t size)
{
    if (size > 0) {
        memcpy(base_buffer_extend(out, size), data, size);
    }
}

void raft_text_string(struct base_buffer *out, const char *text)
{
    struct base_bytes bytes = base_bytes_of(text);
    put_bytes(out, bytes.data, bytes.size);
}

static void put_number(struct base_buffer *out, uint64_t value, uint32_t base)
{
    uint8_t digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t) "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    put_bytes(out, digits + at, sizeof digits - at);
}

void raft_text_decimal(struct base_buffer *out, uint64_t value)
{
    put_number(out, value, 10);
}

/* A label and the number after it. */
static void put_field(struct base_buffer *out, const char *label, uint64_t value)
{
    raft_text_string(out, label);
    raft_text_decimal(out, value);
}

/* The length of the UTF-8 sequence that begins here; 0 when it is none. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool is_outside = (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf4 && at[1] >= 0x90);
    return is_overlong || is_outside ? 0 : length;
}

static void put_escaped(struct base_buffer *out, uint8_t byte)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"";
    static const char letters[] = "abfnrtv\\\"";
    for (uint32_t i = 0; i + 1 < sizeof plain; i++) {
        if (byte == (uint8_t)plain[i]) {
            base_put_u8(out, '\\');
            base_put_u8(out, (uint8_t)letters[i]);
            return;
        }
    }
    raft_text_string(out, byte < 16 ? "\\x0" : "\\x");
    put_number(out, byte, 16);
}

void raft_text_quoted(struct base_buffer *out, struct base_bytes bytes)
{
    base_put_u8(out, '"');
    size_t at = 0;
    while (at < bytes.size) {
        uint8_t byte = bytes.data[at];
        size_t length = byte < 0x80 ? 1 : utf8_length(bytes.data + at, bytes.size - at);
        if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
            put_escaped(out, byte);
            at++;
        } else {
            put_bytes(out, bytes.data + at, length);
            at += length;
        }
    }
    base_put_u8(out, '"');
}

void raft_text_changes(struct base_buffer *out, const struct raft_conf_change_single *changes, uint32_t count)
{
    static const char letters[] = {
        [RAFT_ADD_NODE] = 'v',
        [RAFT_REMOVE_NODE] = 'r',
        [RAFT_UPDATE_NODE] = 'u',
        [RAFT_ADD_LEARNER_NODE] = 'l',
    };
    for (uint32_t i = 0; i < count; i++) {
        assert((uint32_t)changes[i].type < sizeof letters);
        if (i > 0) {
            base_put_u8(out, ' ');
        }
        base_put_u8(out, (uint8_t)letters[changes[i].type]);
        raft_text_decimal(out, changes[i].id);
    }
}

void raft_text_entry(struct base_buffer *out, const struct raft_entry *entry)
{
    struct base_bytes data = {.data = entry->data, .size = entry->size};
    raft_text_decimal(out, entry->term);
    put_field(out, "/", entry->index);
    base_put_u8(out, ' ');
    raft_text_string(out, raft_text_entry_type(entry->type));
    struct raft_conf_change change;
    if (entry->type == RAFT_ENTRY_NORMAL) {
        base_put_u8(out, ' ');
        raft_text_quoted(out, data);
    } else if (raft_conf_change_decode(entry->type, data, &change) != RAFT_OK) {
        raft_text_string(out, " <malformed>");
    } else if (change.change_count > 0) {
        base_put_u8(out, ' ');
        raft_text_changes(out, change.changes, change.change_count);
    }
}

void raft_text_entries(struct base_buffer *out, const struct raft_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        raft_text_entry(out, &entries[i]);
        base_put_u8(out, '\n');
    }
}

void raft_text_hard_state(struct base_buffer *out, const struct raft_hard_state *state)
{
    put_field(out, "Term:", state->term);
    if (state->vote != RAFT_NONE) {
        put_field(out, " Vote:", state->vote);
    }
    put_field(out, " Commit:", state->commit);
}

/* The ids with spaces between, inside `open` and `close`. */
static void put_set(struct base_buffer *out, const char *open, const struct raft_id_set *set,
                    const char *close)
{
    raft_text_string(out, open);
    for (uint32_t i = 0; i < set->count; i++) {
        if (i > 0) {
            base_put_u8(out, ' ');
        }
        raft_text_decimal(out, set->ids[i]);
    }
    raft_text_string(out, close);
}

void raft_text_conf_state(struct base_buffer *out, const struct raft_conf_state *state)
{
    put_set(out, "Voters:[", &state->voters, "]");
    put_set(out, " VotersOutgoing:[", &state->voters_outgoing, "]");
    put_set(out, " Learners:[", &state->learners, "]");
    put_set(out, " LearnersNext:[", &state->learners_next, "]");
    raft_text_string(out, state->auto_leave ? " AutoLeave:true" : " AutoLeave:false");
}

void raft_text_configuration(struct base_buffer *out, const struct raft_conf_state *state)
{
    put_set(out, "voters=(", &state->voters, ")");
    if (state->voters_outgoing.count > 0) {
        put_set(out, "&&(", &state->voters_outgoing, ")");
    }
    if (state->learners.count > 0) {
        put_set(out, " learners=(", &state->learners, ")");
    }
    if (state->learners_next.count > 0) {
        put_set(out, " learners_next=(", &state->learners_next, ")");
    }
    if (state->auto_leave) {
        raft_text_string(out, " autoleave");
    }
}

void raft_text_snapshot(struct base_buffer *out, const struct raft_snapshot *snapshot)
{
    put_field(out, "Index:", snapshot->index);
    put_field(out, " Term:", snapshot->term);
    raft_text_string(out, " ConfState:");
    raft_text_conf_state(out, &snapshot->configuration);
}

static void put_member(struct base_buffer *out, raft_id id)
{
    if (id == RAFT_NONE) {
        raft_text_string(out, "None");
    } else if (id == RAFT_APPEND_THREAD) {
        raft_text_string(out, "AppendThread");
    } else if (id == RAFT_APPLY_THREAD) {
        raft_text_string(out, "ApplyThread");
    } else {
        put_number(out, id, 16);
    }
}

static void put_indent(struct base_buffer *out, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        raft_text_string(out, "  ");
    }
}

static void put_message_entries(struct base_buffer *out, const struct raft_message *message, uint32_t depth)
{
    raft_text_string(out, " Entries:[");
    for (uint32_t i = 0; i < message->entry_count; i++) {
        if (message->entry_count > 1) {
            base_put_u8(out, '\n');
            put_indent(out, depth + 1);
        }
        raft_text_entry(out, &message->entries[i]);
    }
    if (message->entry_count > 1) {
        base_put_u8(out, '\n');
        put_indent(out, depth);
    }
    base_put_u8(out, ']');
}

/* All of a message but what it carries to be sent on. */
static void put_message(struct base_buffer *out, const struct raft_message *message, uint32_t depth)
{
    put_indent(out, depth);
    put_member(out, message->from);
    raft_text_string(out, "->");
    put_member(out, message->to);
    base_put_u8(out, ' ');
    raft_text_string(out, raft_text_message_type(message->type));
    put_field(out, " Term:", message->term);
    put_field(out, " Log:", message->log_term);
    put_field(out, "/", message->index);
    if (message->reject) {
        put_field(out, " Rejected (Hint: ", message->reject_hint);
        base_put_u8(out, ')');
    }
    if (message->commit != 0) {
        put_field(out, " Commit:", message->commit);
    }
    if (message->vote != RAFT_NONE) {
        put_field(out, " Vote:", message->vote);
    }
    if (message->entry_count > 0) {
        put_message_entries(out, message, depth);
    }
    if (message->snapshot) {
        base_put_u8(out, '\n');
        put_indent(out, depth + 1);
        raft_text_string(out, "Snapshot: ");
        raft_text_snapshot(out, message->snapshot);
    }
}

void raft_text_message(struct base_buffer *out, const struct raft_message *message)
{
    put_message(out, message, 0);
    if (message->response_count > 0) {
        raft_text_string(out, " Responses:[");
        for (uint32_t i = 0; i < message->response_count; i++) {
            base_put_u8(out, '\n');
            put_message(out, &message->responses[i], 1);
        }
        raft_text_string(out, "\n]");
    }
}

static void put_read_states(struct base_buffer *out, const struct raft_ready *ready)
{
    raft_text_string(out, "ReadStates [");
    for (uint32_t i = 0; i < ready->read_state_count; i++) {
        put_field(out, i > 0 ? " {" : "{", ready->read_states[i].index);
        raft_text_string(out, " [");
        for (size_t at = 0; at < ready->read_states[i].context.size; at++) {
            put_field(out, at > 0 ? " " : "", ready->read_states[i].context.data[at]);
        }
        raft_text_string(out, "]}");
    }
    raft_text_string(out, "]\n");
}

static bool is_empty(const struct raft_ready *ready)
{
    return !ready->has_soft_state && !ready->has_hard_state && ready->read_state_count == 0 &&
           ready->entry_count == 0 && !ready->snapshot && ready->committed_count == 0 &&
           ready->message_count == 0;
}

void raft_text_ready(struct base_buffer *out, const struct raft_ready *ready)
{
    if (is_empty(ready)) {
        raft_text_string(out, "<empty Ready>");
        return;
    }
    raft_text_string(out, ready->must_sync ? "Ready MustSync=true:\n" : "Ready MustSync=false:\n");
    if (ready->has_soft_state) {
        put_field(out, "Lead:", ready->leader);
        raft_text_string(out, " State:");
        raft_text_string(out, raft_text_role(ready->role));
        base_put_u8(out, '\n');
    }
    if (ready->has_hard_state) {
        raft_text_string(out, "HardState ");
        raft_text_hard_state(out, &ready->hard_state);
        base_put_u8(out, '\n');
    }
    if (ready->read_state_count > 0) {
        put_read_states(out, ready);
    }
    if (ready->entry_count > 0) {
        raft_text_string(out, "Entries:\n");
        raft_text_entries(out, ready->entries, ready->entry_count);
    }
    if (ready->snapshot) {
        raft_text_string(out, "Snapshot ");
        raft_text_snapshot(out, ready->snapshot);
        base_put_u8(out, '\n');
    }
    if (ready->committed_count > 0) {
        raft_text_string(out, "CommittedEntries:\n");
        raft_text_entries(out, ready->committed, ready->committed_count);
    }
    if (ready->message_count > 0) {
        raft_text_string(out, "Messages:\n");
        for (uint32_t i = 0; i < ready->message_count; i++) {
            raft_text_message(out, &ready->messages[i]);
            base_put_u8(out, '\n');
        }
    }
}

void raft_text_progress(struct base_buffer *out, const struct raft_progress_status *progress)
{
    raft_text_string(out, raft_text_progress_state(progress->state));
    put_field(out, " match=", progress->match);
    put_field(out, " next=", progress->next);
    if (progress->is_learner) {
        raft_text_string(out, " learner");
    }
    if (progress->is_paused) {
        raft_text_string(out, " paused");
    }
    if (progress->pending_snapshot > 0) {
        put_field(out, " pendingSnap=", progress->pending_snapshot);
    }
    if (!progress->recent_active) {
        raft_text_string(out, " inactive");
    }
    if (progress->inflight_count > 0) {
        put_field(out, " inflight=", progress->inflight_count);
        raft_text_string(out, progress->is_full ? "[full]" : "");
    }
}
