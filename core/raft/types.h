/* What Raft is made of when it crosses a border: terms, entries, hard state,
 * configurations, snapshots and messages. No behaviour. The shapes and the
 * numbering are etcd's (raftpb/raft.proto). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_TYPES_H
#define CORE_RAFT_TYPES_H

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t raft_term;
typedef uint64_t raft_index; /* Place in the log, from 1; 0 is before the first. */
typedef uint64_t raft_id;    /* A member's id. */

#define RAFT_NONE ((raft_id)0)                        /* No member. */
#define RAFT_APPEND_THREAD ((raft_id)UINT64_MAX)      /* The local storage stage. */
#define RAFT_APPLY_THREAD ((raft_id)(UINT64_MAX - 1)) /* The local apply stage. */

enum {
    RAFT_MEMBERS_MAX = 64, /* All members of one configuration, of either half. */
    RAFT_CHANGES_MAX = 64, /* Single changes in one configuration change. */
};

enum raft_role { RAFT_FOLLOWER, RAFT_CANDIDATE, RAFT_LEADER, RAFT_PRE_CANDIDATE };

enum raft_entry_type { RAFT_ENTRY_NORMAL, RAFT_ENTRY_CONF_CHANGE, RAFT_ENTRY_CONF_CHANGE_V2 };

struct raft_entry {
    raft_term term;
    raft_index index;
    const uint8_t *data; /* Borrowed; see where the entry was handed out. */
    uint32_t size;
    enum raft_entry_type type;
};

/* What must survive a crash beside the entries. */
struct raft_hard_state {
    raft_term term;
    raft_id vote;
    raft_index commit;
};

struct raft_id_set {
    uint32_t count;
    raft_id ids[RAFT_MEMBERS_MAX]; /* Ascending, unique. */
};

/* A configuration; joint while voters_outgoing is not empty. */
struct raft_conf_state {
    struct raft_id_set voters;
    struct raft_id_set learners;
    struct raft_id_set voters_outgoing;
    struct raft_id_set learners_next;
    bool auto_leave;
};

/* A snapshot is the state after `index`. Raft carries its place, its
 * configuration and a handle; what the handle leads to is its host's business.
 * (`data` is what etcd's interaction scripts print; a member leaves it empty.) */
struct raft_snapshot {
    raft_index index;
    raft_term term;
    struct raft_conf_state configuration;
    uint64_t handle;
    struct base_bytes data; /* Borrowed, like an entry's. */
};

enum raft_message_type {
    RAFT_MSG_HUP,
    RAFT_MSG_BEAT,
    RAFT_MSG_PROP,
    RAFT_MSG_APP,
    RAFT_MSG_APP_RESP,
    RAFT_MSG_VOTE,
    RAFT_MSG_VOTE_RESP,
    RAFT_MSG_SNAP,
    RAFT_MSG_HEARTBEAT,
    RAFT_MSG_HEARTBEAT_RESP,
    RAFT_MSG_UNREACHABLE,
    RAFT_MSG_SNAP_STATUS,
    RAFT_MSG_CHECK_QUORUM,
    RAFT_MSG_TRANSFER_LEADER,
    RAFT_MSG_TIMEOUT_NOW,
    RAFT_MSG_READ_INDEX,
    RAFT_MSG_READ_INDEX_RESP,
    RAFT_MSG_PRE_VOTE,
    RAFT_MSG_PRE_VOTE_RESP,
    RAFT_MSG_STORAGE_APPEND,
    RAFT_MSG_STORAGE_APPEND_RESP,
    RAFT_MSG_STORAGE_APPLY,
    RAFT_MSG_STORAGE_APPLY_RESP,
    RAFT_MSG_FORGET_LEADER,
    RAFT_MSG_COUNT
};

/* Which fields mean something depends on the type (etcd-raft's doc.go); the
 * others are zero. Everything pointed to is borrowed. */
struct raft_message {
    enum raft_message_type type;
    bool reject;
    raft_id to;
    raft_id from;
    raft_term term;
    raft_term log_term;
    raft_index index;
    raft_index commit;
    raft_index reject_hint;
    raft_id vote;
    uint32_t entry_count;
    uint32_t response_count;
    const struct raft_entry *entries;
    const struct raft_message *responses;
    const struct raft_snapshot *snapshot; /* NULL when there is none. */
    struct base_bytes context;
};

enum raft_conf_change_type { RAFT_ADD_NODE, RAFT_REMOVE_NODE, RAFT_UPDATE_NODE, RAFT_ADD_LEARNER_NODE };

enum raft_transition { RAFT_TRANSITION_AUTO, RAFT_TRANSITION_JOINT_IMPLICIT, RAFT_TRANSITION_JOINT_EXPLICIT };

struct raft_conf_change_single {
    enum raft_conf_change_type type;
    raft_id id; /* RAFT_NONE makes the change a no-op. */
};

/* A configuration change, v1 (exactly one change, auto) or v2. */
struct raft_conf_change {
    bool is_v1;
    enum raft_transition transition;
    uint32_t change_count;
    struct raft_conf_change_single changes[RAFT_CHANGES_MAX];
    struct base_bytes context; /* The proposer's own; borrowed. */
};

#endif
