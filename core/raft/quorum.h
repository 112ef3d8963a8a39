/* Quorum arithmetic: what a majority, or two of them at once, has agreed on. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_QUORUM_H
#define CORE_RAFT_QUORUM_H

#include "core/raft/types.h"

enum raft_vote_result { RAFT_VOTE_PENDING, RAFT_VOTE_LOST, RAFT_VOTE_WON };

/* Members in `set`, one bit each. */
uint32_t raft_bit_count(uint64_t set);

/* The outcome of an election among `voter_count` voters. No voters: won. */
enum raft_vote_result raft_quorum_vote(uint32_t voter_count, uint32_t granted, uint32_t rejected);

/* Both majorities must win; either can lose (§6). */
enum raft_vote_result raft_quorum_vote_joint(enum raft_vote_result incoming, enum raft_vote_result outgoing);

/* The highest index that a majority of `acked` has reached, UINT64_MAX for no
 * voters at all: joined with another majority the lower one counts. `acked` is
 * left in some other order. At most RAFT_MEMBERS_MAX. */
raft_index raft_quorum_committed(raft_index *acked, uint32_t count);

#endif
