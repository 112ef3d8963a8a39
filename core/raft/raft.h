/* One Raft node: messages, proposals and ticks in; Ready out.
 *
 * The shape is that of etcd's library (raft.go, rawnode.go): a node never does
 * anything by itself, it asks nobody for the time, and what it wants persisted,
 * sent and applied it says in its Ready. Sources: the Raft paper (ATC 2014) as
 * §n, the thesis as thesis §n, etcd-io/raft by file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_RAFT_H
#define CORE_RAFT_RAFT_H

#include "core/raft/types.h"

struct raft;

enum raft_status {
    RAFT_OK,
    RAFT_DROPPED,        /* A proposal that could not be taken (no leader, transfer, limit). */
    RAFT_LOCAL_MESSAGE,  /* A type that must not come from the network. */
    RAFT_PEER_NOT_FOUND, /* A response from nobody we know. */
    RAFT_COMPACTED,      /* The index is below the log's first. */
    RAFT_UNAVAILABLE,    /* The index is beyond the log's last. */
    RAFT_INVALID,        /* A malformed or impossible message, change or configuration. */
    RAFT_BEYOND_LOG      /* The leader says that is committed what we have not got: our disk
                          * forgot something (etcd: "tocommit out of range"). The host stops. */
};

enum raft_read_mode { RAFT_READ_SAFE, RAFT_READ_LEASE };

/* What a server logs and counts from, and what judges watch. All optional.
 * An observer changes nothing: it gets no way back into the node. */
struct raft_observer {
    void *context;
    /* The node entered `role`; `leader` is whom it now follows, or RAFT_NONE. */
    void (*role)(void *context, enum raft_role role, raft_term term, raft_id leader);
    /* Term or vote changed, in memory. */
    void (*vote)(void *context, raft_term term, raft_id vote);
    /* An entry joined the log, in memory; `entry` is borrowed for the call. */
    void (*append)(void *context, const struct raft_entry *entry);
    /* Entries from `index` on left the log (a follower's conflict, §5.3). */
    void (*truncate)(void *context, raft_index index);
    void (*commit)(void *context, raft_index index);
    /* A snapshot replaced the log. */
    void (*restore)(void *context, const struct raft_snapshot *snapshot);
    /* A configuration came into force. */
    void (*configuration)(void *context, const struct raft_conf_state *configuration);
    /* The leader learnt that `peer` holds everything up to `match`. */
    void (*match)(void *context, raft_id peer, raft_index match);
};

/* Options, as etcd's Config (etcd-behaviour §1.1). Zero means the default said. */
struct raft_config {
    raft_id id;
    uint32_t election_ticks;        /* > heartbeat_ticks. */
    uint32_t heartbeat_ticks;       /* > 0. */
    uint32_t election_spread_ticks; /* Timeouts are drawn from
                                     * [election, election + spread); 0 is election_ticks. */
    uint64_t message_bytes_max;     /* Of entries in one MsgApp; 0 is one entry each. */
    uint64_t committed_bytes_max;   /* Of committed entries in one Ready; 0 is message_bytes_max. */
    uint64_t uncommitted_bytes_max; /* Of the leader's uncommitted payload; 0 is no limit. */
    uint32_t inflight_count_max;    /* MsgApps under way to one peer; > 0. */
    uint64_t inflight_bytes_max;    /* 0 is no limit. */
    enum raft_read_mode read_mode;
    bool pre_vote;
    bool check_quorum;
    bool async_storage_writes;
    bool proposal_forwarding_disabled;
    bool conf_change_validation_disabled;
    bool step_down_on_removal;
    /* 64 uniform bits from the host's generator: election timeouts come from it. */
    uint64_t (*random)(void *context);
    void *random_context;
    const struct raft_observer *observer; /* NULL is nobody. Outlives the node. */
};

/* A new node without a log, to be filled by the restore calls below and then
 * started. RAFT_INVALID when the options contradict each other; `*out` is then
 * untouched. All memory comes from `allocator`, which outlives the node. */
enum raft_status raft_new(const struct raft_config *config, const struct base_allocator *allocator,
                          struct raft **out);
void raft_free(struct raft *raft);

/* Before raft_start, in this order: at most one snapshot; entries in log order,
 * where one at or below the last index cuts the tail first (a WAL replays so);
 * the hard state. What is restored counts as durable. RAFT_INVALID: a gap. */
enum raft_status raft_restore_snapshot(struct raft *raft, const struct raft_snapshot *snapshot);
enum raft_status raft_restore_entry(struct raft *raft, const struct raft_entry *entry);
/* RAFT_INVALID: a commit outside the log ("state.commit out of range"). */
enum raft_status raft_restore_hard_state(struct raft *raft, const struct raft_hard_state *state);
/* A node of a brand-new cluster (etcd: StartNode): one ConfChangeAddNode per
 * peer at term 1, all committed. `contexts[i]` goes into the i-th change; who is
 * in `learners` (NULL: nobody) begins as one.
 * In place of the restore calls. The entries come out in the first Ready. */
enum raft_status raft_bootstrap(struct raft *raft, const raft_id *peers, const struct base_bytes *contexts,
                                const bool *learners, uint32_t peer_count);
/* Begin as a follower. Entries up to `applied` are never handed out again.
 * RAFT_INVALID: that is beyond the commit, or the log ends more than one term
 * after the hard state's. */
enum raft_status raft_start(struct raft *raft, raft_index applied);

/* Time. `ticks` at once equals as many single ticks, Ready aside: nothing that
 * would have come between is skipped. */
void raft_tick(struct raft *raft, uint64_t ticks);
/* Ticks until something next falls due: never late, at most one too soon;
 * UINT64_MAX when nothing is. Valid until the next call that steps the node. */
uint64_t raft_due_ticks(const struct raft *raft);

/* Step a message from the network, or one of the local stages' responses.
 * Anything may arrive: what is malformed or impossible is refused, and the
 * node is as it was. Of a RAFT_MSG_STORAGE_APPLY_RESP only the last entry's
 * index counts; it may be given as `index` without entries. The answer that a
 * removed leader gave itself is refused with RAFT_PEER_NOT_FOUND, harmlessly. */
enum raft_status raft_step(struct raft *raft, const struct raft_message *message);
enum raft_status raft_propose(struct raft *raft, struct base_bytes data);
enum raft_status raft_propose_conf_change(struct raft *raft, const struct raft_conf_change *change);
void raft_campaign(struct raft *raft);
/* Ask for a read index; the answer comes as a read state with the same context
 * (8 bytes or any other), or never. */
enum raft_status raft_read_index(struct raft *raft, struct base_bytes context);
void raft_transfer_leader(struct raft *raft, raft_id transferee);
void raft_forget_leader(struct raft *raft);
void raft_report_unreachable(struct raft *raft, raft_id peer);
void raft_report_snapshot(struct raft *raft, raft_id peer, bool failed);

/* The newest snapshot the host can send. Until one covers what a peer lacks,
 * the node waits (etcd: ErrSnapshotTemporarilyUnavailable). Copied, `data` too. */
void raft_offer_snapshot(struct raft *raft, const struct raft_snapshot *snapshot);
/* Drop entries up to and including `index`, which must be applied and durable.
 * Term(index) stays known. RAFT_COMPACTED, RAFT_UNAVAILABLE. */
enum raft_status raft_compact(struct raft *raft, raft_index index);

struct raft_read_state {
    raft_index index;
    struct base_bytes context;
};

/* What has come up since the last Ready. Everything is borrowed until
 * raft_advance, or with async_storage_writes until the next raft_ready; steps
 * in between change none of it. Order of work: etcd-behaviour §1.12. */
struct raft_ready {
    bool has_soft_state; /* role or leader changed */
    enum raft_role role;
    raft_id leader;
    bool has_hard_state;
    struct raft_hard_state hard_state;
    bool must_sync;
    uint32_t entry_count; /* To persist. */
    uint32_t committed_count;
    uint32_t message_count;
    uint32_t read_state_count;
    const struct raft_entry *entries;
    const struct raft_entry *committed; /* To apply. */
    const struct raft_message *messages;
    const struct raft_read_state *read_states;
    const struct raft_snapshot *snapshot; /* To persist and apply first; NULL if none. */
};

bool raft_has_ready(const struct raft *raft);
void raft_ready(struct raft *raft, struct raft_ready *out);
/* Everything of the last Ready is persisted and applied. Synchronous mode only. */
void raft_advance(struct raft *raft);

/* Bring an applied configuration change into force; a change to id RAFT_NONE is
 * the no-op of one that was refused. Answers the configuration now in force.
 * RAFT_INVALID: the change does not fit it (nothing changed). */
enum raft_status raft_apply_conf_change(struct raft *raft, const struct raft_conf_change *change,
                                        struct raft_conf_state *out);

void raft_conf_change_encode(const struct raft_conf_change *change, struct base_buffer *out);
/* RAFT_INVALID for anything encode did not write. `context` borrows `data`. An
 * empty `data` is the v2 change that leaves a joint configuration. */
enum raft_status raft_conf_change_decode(enum raft_entry_type type, struct base_bytes data,
                                         struct raft_conf_change *out);

/* Looking in, for hosts, judges and tests. */
enum raft_progress_state { RAFT_PROBE, RAFT_REPLICATE, RAFT_SNAPSHOT };

struct raft_progress_status {
    raft_id id;
    raft_index match;
    raft_index next;
    enum raft_progress_state state;
    raft_index pending_snapshot;
    bool recent_active;
    bool is_learner;
    bool is_paused;
    bool is_full; /* The window of messages under way. */
    uint32_t inflight_count;
};

struct raft_status_report {
    raft_id id;
    raft_id leader;
    raft_id transferee;
    enum raft_role role;
    struct raft_hard_state hard_state;
    raft_index applied;
    raft_index first_index;
    raft_index last_index;
    raft_term last_term;
};

void raft_get_status(const struct raft *raft, struct raft_status_report *out);
const struct raft_conf_state *raft_configuration(const struct raft *raft);
/* On a leader: what it knows of `id`. false: not the leader, or no such peer. */
bool raft_get_progress(const struct raft *raft, raft_id id, struct raft_progress_status *out);
/* RAFT_COMPACTED or RAFT_UNAVAILABLE; the term of first_index - 1 is known. */
enum raft_status raft_term_at(const struct raft *raft, raft_index index, raft_term *out);
/* An entry of the log, borrowed until the next step. */
enum raft_status raft_entry_at(const struct raft *raft, raft_index index, struct raft_entry *out);

#endif
