/* The configuration changer: from one configuration and a change to the next,
 * or to the reason why not (§6, thesis §4). It touches no node. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_CONF_CHANGE_H
#define CORE_RAFT_CONF_CHANGE_H

#include "core/raft/types.h"

/* What a change leads to. `created` holds the members of whom nothing is known
 * yet: the new ones, and those removed and added again by one change. */
struct raft_conf_plan {
    struct raft_conf_state state;
    struct raft_id_set created;
    const char *refusal; /* NULL, or why the change does not fit. */
};

/* At most one voter may differ; not in a joint configuration. */
bool raft_conf_simple(const struct raft_conf_state *from, const struct raft_conf_change_single *changes,
                      uint32_t change_count, struct raft_conf_plan *out);
/* Any changes at all: decisions need both majorities until the leave. */
bool raft_conf_enter_joint(const struct raft_conf_state *from, bool auto_leave,
                           const struct raft_conf_change_single *changes, uint32_t change_count,
                           struct raft_conf_plan *out);
bool raft_conf_leave_joint(const struct raft_conf_state *from, struct raft_conf_plan *out);
/* The one of the three that `change` asks for. */
bool raft_conf_change_plan(const struct raft_conf_state *from, const struct raft_conf_change *change,
                           struct raft_conf_plan *out);

/* Does `change` ask to leave a joint configuration? */
bool raft_conf_change_is_leave(const struct raft_conf_change *change);
bool raft_conf_is_joint(const struct raft_conf_state *state);
/* Voter in either half, or learner. */
bool raft_conf_has(const struct raft_conf_state *state, raft_id id);
/* Sets that overlap as they may, and no more members than can be tracked. */
bool raft_conf_is_valid(const struct raft_conf_state *state);
bool raft_conf_equal(const struct raft_conf_state *a, const struct raft_conf_state *b);
/* Everybody in `state`. false: more than RAFT_MEMBERS_MAX. */
bool raft_conf_members(const struct raft_conf_state *state, struct raft_id_set *out);

#endif
