/* Who led each term (election), and whom everybody voted for (vote). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_ELECTION_H
#define SIM_CHECK_ELECTION_H

#include "core/raft/raft.h"

struct check;
struct check_cluster;
struct check_identity;
struct check_member;

struct check_reign {
    raft_term term;
    struct check_identity *leader;
    uint64_t since_ns;
};

struct check_election {
    struct check_reign *reigns; /* By term. */
    uint32_t count;
    uint32_t capacity;
};

void check_election_release(struct check_election *election);
void check_election_reset(struct check_election *election);
/* `member` leads its term from now on. */
void check_election_won(struct check *check, uint64_t now, struct check_member *member);
/* `member` is in `term`, in memory. */
void check_vote_term(struct check *check, uint64_t now, struct check_member *member, raft_term term);
void check_vote_cast(struct check *check, uint64_t now, struct check_member *member, raft_term term,
                     raft_id vote);
/* A vote that somebody may count from now on: it binds the id for ever. */
void check_vote_promised(struct check *check, uint64_t now, struct check_member *member, raft_term term,
                         raft_id vote);
/* A member begins with what its disk held. */
void check_vote_restarted(struct check *check, uint64_t now, struct check_member *member,
                          const struct raft_hard_state *state);

#endif
