/* Raft in words: messages, entries, states and Ready as etcd's library prints
 * them in its scripts. Appends to a buffer, without a newline at the end unless
 * it says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_TEXT_H
#define CORE_RAFT_TEXT_H

#include "core/raft/raft.h"

/* Names of enumerators: "MsgApp", "StateLeader", "EntryNormal", "StateProbe". */
const char *raft_text_message_type(enum raft_message_type type);
const char *raft_text_role(enum raft_role role);
const char *raft_text_entry_type(enum raft_entry_type type);
const char *raft_text_progress_state(enum raft_progress_state state);
/* The sentence that an error of etcd's library says; "" for RAFT_OK. */
const char *raft_text_status(enum raft_status status);

void raft_text_string(struct base_buffer *out, const char *text);
void raft_text_decimal(struct base_buffer *out, uint64_t value);
/* Quoted as Go's %q does. */
void raft_text_quoted(struct base_buffer *out, struct base_bytes bytes);

/* v1 l2 r3 u4: what each single change does to whom. */
void raft_text_changes(struct base_buffer *out, const struct raft_conf_change_single *changes,
                       uint32_t count);
/* 1/11 EntryNormal "x" */
void raft_text_entry(struct base_buffer *out, const struct raft_entry *entry);
/* One a line, each with its newline. */
void raft_text_entries(struct base_buffer *out, const struct raft_entry *entries, uint32_t count);
/* Term:1 Vote:2 Commit:3 */
void raft_text_hard_state(struct base_buffer *out, const struct raft_hard_state *state);
/* Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false */
void raft_text_conf_state(struct base_buffer *out, const struct raft_conf_state *state);
/* voters=(1 2)&&(1) learners=(3) learners_next=(4) autoleave */
void raft_text_configuration(struct base_buffer *out, const struct raft_conf_state *state);
/* Index:3 Term:1 ConfState:… */
void raft_text_snapshot(struct base_buffer *out, const struct raft_snapshot *snapshot);
/* May be several lines, the further ones indented. */
void raft_text_message(struct base_buffer *out, const struct raft_message *message);
/* Several lines, each with its newline; or "<empty Ready>" without one. */
void raft_text_ready(struct base_buffer *out, const struct raft_ready *ready);
/* StateReplicate match=3 next=4 learner paused pendingSnap=5 inactive inflight=6[full] */
void raft_text_progress(struct base_buffer *out, const struct raft_progress_status *progress);

#endif
