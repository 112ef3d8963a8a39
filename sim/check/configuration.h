/* The judge of configurations: each that comes into force at a place in the log is the
 * same everywhere and overlaps with the one before, changes follow one at a time, an id
 * that was removed never returns, and nobody stands for election who has yet to apply
 * what says who votes (§6, thesis §4; etcd-behaviour §1.11, §1.14). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_CONFIGURATION_H
#define SIM_CHECK_CONFIGURATION_H

#include "core/raft/types.h"

struct check;
struct check_member;

/* The configuration after the entry at `index`. */
struct check_epoch {
    raft_index index;
    uint32_t machine; /* Who was first to have it. */
    struct raft_conf_state state;
};

/* Of one cluster. */
struct check_epochs {
    struct check_epoch *list; /* By index. */
    uint32_t count;
    uint32_t capacity;
};

/* Of one member, in this life. */
struct check_standing {
    bool has_state;
    struct raft_conf_state state;  /* In force, */
    struct raft_conf_state before; /* and the one before. */
    raft_index appended;           /* The last configuration change in its log, as far as known. */
    raft_index restored;           /* The snapshot its log was replaced by; 0: none. */
};

void check_epochs_release(struct check_epochs *epochs);
void check_epochs_reset(struct check_epochs *epochs);
/* It came into force; what it is about is told next. */
void check_configuration_state(struct check_member *member, const struct raft_conf_state *state);
/* `entry` was applied, and is a configuration change. */
void check_configuration_applied(struct check *check, uint64_t now, struct check_member *member,
                                 const struct raft_entry *entry);
/* A snapshot at `index` was made or installed. */
void check_configuration_snapshot(struct check *check, uint64_t now, struct check_member *member,
                                  raft_index index);
void check_configuration_append(struct check *check, uint64_t now, struct check_member *member,
                                const struct raft_entry *entry);
void check_configuration_truncate(struct check_member *member, raft_index index);
/* It stands for election, or asks whether it should. */
void check_configuration_stands(struct check *check, uint64_t now, struct check_member *member);

#endif
