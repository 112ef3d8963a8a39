/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/quorum.h"

#include <assert.h>

/* Counted by hand: the compilers' builtin may call into their library. */
uint32_t raft_bit_count(uint64_t set)
{
    set -= (set >> 1) & UINT64_C(0x5555555555555555);
    set = (set & UINT64_C(0x3333333333333333)) + ((set >> 2) & UINT64_C(0x3333333333333333));
    set = (set + (set >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)((set * UINT64_C(0x0101010101010101)) >> 56);
}

enum raft_vote_result raft_quorum_vote(uint32_t voter_count, uint32_t granted, uint32_t rejected)
{
    assert(granted + rejected <= voter_count);
    if (voter_count == 0) {
        return RAFT_VOTE_WON;
    }
    uint32_t needed = voter_count / 2 + 1;
    if (granted >= needed) {
        return RAFT_VOTE_WON;
    }
    return voter_count - rejected >= needed ? RAFT_VOTE_PENDING : RAFT_VOTE_LOST;
}

enum raft_vote_result raft_quorum_vote_joint(enum raft_vote_result incoming, enum raft_vote_result outgoing)
{
    if (incoming == RAFT_VOTE_LOST || outgoing == RAFT_VOTE_LOST) {
        return RAFT_VOTE_LOST;
    }
    return incoming == RAFT_VOTE_WON ? outgoing : incoming;
}

raft_index raft_quorum_committed(raft_index *acked, uint32_t count)
{
    assert(count <= RAFT_MEMBERS_MAX);
    if (count == 0) {
        return UINT64_MAX;
    }
    /* Insertion sort, ascending: few values, nearly all of them equal. */
    for (uint32_t i = 1; i < count; i++) {
        raft_index value = acked[i];
        uint32_t slot = i;
        for (; slot > 0 && acked[slot - 1] > value; slot--) {
            acked[slot] = acked[slot - 1];
        }
        acked[slot] = value;
    }
    return acked[count - (count / 2 + 1)];
}
