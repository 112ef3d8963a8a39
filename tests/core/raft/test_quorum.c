/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/quorum.h"

#include <criterion/criterion.h>

/* The slow way: try every index there is. */
static raft_index committed_slowly(const raft_index *acked, uint32_t count, raft_index highest)
{
    raft_index best = 0;
    for (raft_index index = 1; index <= highest; index++) {
        uint32_t holders = 0;
        for (uint32_t i = 0; i < count; i++) {
            holders += acked[i] >= index;
        }
        best = 2 * holders > count ? index : best;
    }
    return best;
}

Test(raft_quorum, committed_is_what_a_majority_holds)
{
    for (uint32_t count = 1; count <= 5; count++) {
        uint32_t cases = 1;
        for (uint32_t i = 0; i < count; i++) {
            cases *= 5;
        }
        for (uint32_t code = 0; code < cases; code++) {
            raft_index acked[5];
            uint32_t rest = code;
            for (uint32_t i = 0; i < count; i++, rest /= 5) {
                acked[i] = rest % 5;
            }
            raft_index expected = committed_slowly(acked, count, 4);
            cr_assert_eq(raft_quorum_committed(acked, count), expected);
        }
    }
}

Test(raft_quorum, nobody_commits_everything)
{
    cr_assert_eq(raft_quorum_committed(NULL, 0), UINT64_MAX);
}

Test(raft_quorum, vote_is_decided_as_soon_as_it_can_be)
{
    for (uint32_t count = 1; count <= 9; count++) {
        for (uint32_t granted = 0; granted <= count; granted++) {
            for (uint32_t rejected = 0; granted + rejected <= count; rejected++) {
                bool can_win = 2 * (count - rejected) > count;
                bool has_won = 2 * granted > count;
                enum raft_vote_result expected = has_won   ? RAFT_VOTE_WON
                                                 : can_win ? RAFT_VOTE_PENDING
                                                           : RAFT_VOTE_LOST;
                cr_assert_eq(raft_quorum_vote(count, granted, rejected), expected);
            }
        }
    }
}

Test(raft_quorum, joint_vote_needs_both_majorities)
{
    const enum raft_vote_result won = RAFT_VOTE_WON;
    const enum raft_vote_result lost = RAFT_VOTE_LOST;
    const enum raft_vote_result pending = RAFT_VOTE_PENDING;
    cr_assert_eq(raft_quorum_vote_joint(won, won), won);
    cr_assert_eq(raft_quorum_vote_joint(won, pending), pending);
    cr_assert_eq(raft_quorum_vote_joint(pending, won), pending);
    cr_assert_eq(raft_quorum_vote_joint(won, lost), lost);
    cr_assert_eq(raft_quorum_vote_joint(lost, pending), lost);
    cr_assert_eq(raft_quorum_vote_joint(pending, pending), pending);
}

Test(raft_quorum, bits_are_counted)
{
    cr_assert_eq(raft_bit_count(0), 0);
    cr_assert_eq(raft_bit_count(UINT64_MAX), 64);
    for (uint32_t i = 0; i < 64; i++) {
        cr_assert_eq(raft_bit_count(UINT64_C(1) << i), 1);
        cr_assert_eq(raft_bit_count((UINT64_C(1) << i) - 1), i);
    }
}
