/* The inside of a node, shared by the files that are its roles and stages.
 * Nobody outside core/raft and its tests includes this. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_STATE_H
#define CORE_RAFT_STATE_H

#include "core/base/arena.h"
#include "core/raft/log.h"
#include "core/raft/raft.h"
#include "core/raft/read_only.h"
#include "core/raft/tracker.h"

/* Terms and indexes beyond are taken for garbage, so that sums never overflow. */
#define RAFT_NUMBER_MAX (UINT64_MAX >> 1)

/* A growing list of messages; what they point to lies in the batch's arena or
 * in the log's blocks. */
struct raft_message_list {
    struct raft_message *items;
    uint32_t count;
    uint32_t capacity;
};

/* What one Ready hands out. Two take turns: one is filled while the other one
 * is with the host. */
struct raft_batch {
    struct base_arena arena;
    struct raft_message_list messages;
    struct raft_message_list after_append; /* Promises: only once the disk has what they tell of. */
    struct raft_read_state *read_states;
    uint32_t read_state_count;
    uint32_t read_state_capacity;
};

/* What is on its way to the disk with a Ready: all up to an entry, in our term of
 * then, and perhaps a snapshot. */
struct raft_written {
    raft_term term;
    raft_index index; /* 0: no entry. */
    raft_term log_term;
    raft_index snapshot; /* Its index; 0: none. */
};

enum raft_campaign { RAFT_CAMPAIGN_PRE_ELECTION, RAFT_CAMPAIGN_ELECTION, RAFT_CAMPAIGN_TRANSFER };

struct raft {
    struct raft_config config; /* Defaults filled in. */
    const struct base_allocator *allocator;
    struct raft_observer observer;
    bool is_started;
    bool is_new; /* Bootstrapped: nothing of it is durable yet. */

    enum raft_role role;
    raft_term term;
    raft_id vote;
    raft_id leader;
    raft_id transferee;            /* RAFT_NONE: no transfer under way. */
    raft_index pending_conf_index; /* No further change until this is applied. */
    uint64_t uncommitted_bytes;    /* Payload proposed and not applied. */
    uint64_t election_elapsed;
    uint64_t heartbeat_elapsed;
    uint64_t election_timeout; /* election_elapsed at which to campaign. */

    struct raft_log log;
    struct raft_tracker tracker;
    uint32_t self_slot; /* Our own slot in the tracker. */
    struct raft_read_only reads;
    struct raft_snapshot offer; /* The newest the host can send; index 0: none. */
    uint8_t *offer_data;        /* Owned. */

    struct raft_batch batches[2];
    uint32_t batch;    /* The one being filled. */
    bool is_ready_out; /* The other one is with the host. */
    uint64_t ready_lending;
    /* Of the Ready that is with the host, for raft_advance. */
    struct raft_written ready_written;
    raft_index ready_applied; /* 0: nothing to apply. */
    /* What the last Ready told. */
    enum raft_role told_role;
    raft_id told_leader;
    struct raft_hard_state told_hard_state;
};

/* check.c: may `message` be stepped at all? Changes nothing. */
enum raft_status raft_check_message(const struct raft *raft, const struct raft_message *message);

/* step.c: what raft_step does once the message is checked. */
enum raft_status raft_step_checked(struct raft *raft, const struct raft_message *message);

/* role.c */
void raft_become_follower(struct raft *raft, raft_term term, raft_id leader);
void raft_become_pre_candidate(struct raft *raft);
void raft_become_candidate(struct raft *raft);
void raft_become_leader(struct raft *raft);
void raft_set_leader(struct raft *raft, raft_id leader);
void raft_set_vote(struct raft *raft, raft_term term, raft_id vote);

/* election.c */
/* May this node stand for election? */
bool raft_is_promotable(const struct raft *raft);
/* The election timeout has passed, or a campaign was asked for. */
void raft_hup(struct raft *raft, enum raft_campaign campaign);
void raft_handle_vote_request(struct raft *raft, const struct raft_message *message);
void raft_handle_vote_response(struct raft *raft, const struct raft_message *message);

/* follower.c, candidate.c, leader.c: a message once terms agree. */
enum raft_status raft_step_follower(struct raft *raft, const struct raft_message *message);
enum raft_status raft_step_candidate(struct raft *raft, const struct raft_message *message);
enum raft_status raft_step_leader(struct raft *raft, const struct raft_message *message);
void raft_handle_append(struct raft *raft, const struct raft_message *message);
void raft_handle_heartbeat(struct raft *raft, const struct raft_message *message);
void raft_handle_snapshot(struct raft *raft, const struct raft_message *message);
void raft_check_quorum(struct raft *raft);
/* Append entries of our own term; their terms and indexes are set. false: the
 * uncommitted limit forbids it. */
bool raft_leader_append(struct raft *raft, const struct raft_entry *entries, uint32_t entry_count);
void raft_abort_transfer(struct raft *raft);

/* replicate.c */
/* Send what `slot` lacks; `send_empty` also when that is nothing. false: nothing sent. */
bool raft_send_append(struct raft *raft, uint32_t slot, bool send_empty);
void raft_broadcast_append(struct raft *raft);
void raft_broadcast_heartbeat(struct raft *raft);
/* Commit what a quorum has, if it is of our own term (§5.4.2). */
bool raft_maybe_commit(struct raft *raft);
void raft_commit_to(struct raft *raft, raft_index index);
void raft_append_entry(struct raft *raft, const struct raft_entry *entry);

/* reads.c */
enum raft_status raft_leader_read(struct raft *raft, const struct raft_message *message);
void raft_release_early_reads(struct raft *raft);
void raft_confirm_reads(struct raft *raft);
void raft_add_read_state(struct raft *raft, raft_index index, struct base_bytes context);

/* membership.c */
void raft_switch_configuration(struct raft *raft, const struct raft_conf_plan *plan);
/* The plan that leads from nothing to `state`. */
struct raft_conf_plan raft_conf_plan_of(const struct raft_conf_state *state);

/* ready.c */
static inline struct raft_batch *raft_batch(struct raft *raft)
{
    return &raft->batches[raft->batch];
}
/* Queue a message from us in our term, or none where the type carries none; the
 * rest is zero, for the caller to fill in before the next one. */
struct raft_message *raft_send(struct raft *raft, enum raft_message_type type, raft_id to);
/* Deep copies into the batch being filled. */
const struct raft_entry *raft_copy_entries(struct raft *raft, const struct raft_entry *entries,
                                           uint32_t count);
const struct raft_snapshot *raft_copy_snapshot(struct raft *raft, const struct raft_snapshot *snapshot);
void raft_batches_init(struct raft *raft);
void raft_batches_release(struct raft *raft);
/* Entries up to `index` have taken effect. */
void raft_applied_to(struct raft *raft, raft_index index);
/* The disk has it. Should our term have moved on meanwhile the entry proves
 * nothing: one with the same place and term may have come back after another
 * had replaced it. The snapshot cannot have. */
void raft_written_to(struct raft *raft, const struct raft_written *written);
void raft_snapshot_installed(struct raft *raft, raft_index index);

#endif
