/* Sets of member ids: small, ascending arrays. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_ID_SET_H
#define CORE_RAFT_ID_SET_H

#include "core/raft/types.h"

bool raft_id_set_has(const struct raft_id_set *set, raft_id id);
/* false: the set is full. */
bool raft_id_set_add(struct raft_id_set *set, raft_id id);
/* Removing what is not in is fine. */
void raft_id_set_remove(struct raft_id_set *set, raft_id id);
bool raft_id_set_equal(const struct raft_id_set *a, const struct raft_id_set *b);
/* Ascending, unique, no reserved id: what came from elsewhere may be anything. */
bool raft_id_set_is_valid(const struct raft_id_set *set);

#endif
