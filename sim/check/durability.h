/* What was acknowledged is there at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_DURABILITY_H
#define SIM_CHECK_DURABILITY_H

#include "core/raft/types.h"

struct check;
struct check_member;

/* A live member's whole store, when everything has settled. */
void check_durability_settled(struct check *check, uint64_t now, struct check_member *member,
                              raft_index applied, int64_t revision, uint64_t store_hash);
void check_durability_end(struct check *check, uint64_t now);

#endif
