/* SPDX-License-Identifier: Apache-2.0 */
/* The roles and the ways between them (§5.1, §5.2; pre-vote: thesis §9.6).
 *
 *             timeout, pre-vote        pre-vote won        vote won
 *   FOLLOWER ──────────────────▶ PRE_CANDIDATE ──▶ CANDIDATE ──▶ LEADER
 *     ▲   └─── timeout, no pre-vote; transfer ────────▲            │
 *     └── higher term, a leader of this term, lost, no quorum ─────┘
 *
 * raft_become_follower, _pre_candidate, _candidate, _leader. */
#include "core/raft/state.h"

#include <assert.h>

static void observe_role(struct raft *raft)
{
    if (raft->observer.role) {
        raft->observer.role(raft->observer.context, raft->role, raft->term, raft->leader);
    }
}

void raft_set_leader(struct raft *raft, raft_id leader)
{
    if (raft->leader != leader) {
        raft->leader = leader;
        observe_role(raft);
    }
}

void raft_set_vote(struct raft *raft, raft_term term, raft_id vote)
{
    assert(term >= raft->term); /* §5.1: terms never go back. */
    /* §5.2: one vote a term. */
    assert(term > raft->term || raft->vote == RAFT_NONE || raft->vote == vote);
    if (raft->term != term || raft->vote != vote) {
        raft->term = term;
        raft->vote = vote;
        if (raft->observer.vote) {
            raft->observer.vote(raft->observer.context, term, vote);
        }
    }
}

/* Uniform in [election, election + spread): §5.2 against split votes. */
static void draw_timeout(struct raft *raft)
{
    uint64_t bits = raft->config.random(raft->config.random_context);
    uint64_t extra = ((bits >> 32) * raft->config.election_spread_ticks) >> 32;
    raft->election_timeout = raft->config.election_ticks + extra;
}

/* What every new role but the pre-candidate's begins with. */
static void reset(struct raft *raft)
{
    raft->leader = RAFT_NONE;
    raft->election_elapsed = 0;
    raft->heartbeat_elapsed = 0;
    draw_timeout(raft);
    raft_abort_transfer(raft);
    raft_tracker_reset(&raft->tracker, raft->config.id, raft->log.last);
    raft->pending_conf_index = 0;
    raft->uncommitted_bytes = 0;
    raft_read_only_reset(&raft->reads);
}

void raft_become_follower(struct raft *raft, raft_term term, raft_id leader)
{
    raft_set_vote(raft, term, term == raft->term ? raft->vote : RAFT_NONE);
    reset(raft);
    raft->role = RAFT_FOLLOWER;
    raft->leader = leader;
    observe_role(raft);
}

void raft_become_pre_candidate(struct raft *raft)
{
    assert(raft->role != RAFT_LEADER);
    /* Neither term nor vote nor timeout change: asking disturbs nobody. Having
     * no leader matters, though: we must not refuse votes for its sake. */
    raft_tracker_reset_votes(&raft->tracker);
    raft->leader = RAFT_NONE;
    raft->role = RAFT_PRE_CANDIDATE;
    observe_role(raft);
}

void raft_become_candidate(struct raft *raft)
{
    assert(raft->role != RAFT_LEADER);
    raft_set_vote(raft, raft->term + 1, raft->config.id);
    reset(raft);
    raft->role = RAFT_CANDIDATE;
    observe_role(raft);
}

void raft_become_leader(struct raft *raft)
{
    assert(raft->role == RAFT_CANDIDATE); /* §5.2: only who stood is elected. */
    assert(raft->self_slot < raft->tracker.count);
    reset(raft);
    raft->role = RAFT_LEADER;
    raft->leader = raft->config.id;
    raft_progress_become_replicate(&raft->tracker.progress[raft->self_slot]);
    raft->tracker.active |= UINT64_C(1) << raft->self_slot;
    /* Any inherited entry may be a configuration change: propose none until
     * all of them are applied. */
    raft->pending_conf_index = raft->log.last;
    observe_role(raft);
    /* §8: a leader learns what is committed by an entry of its own term. */
    bool appended = raft_leader_append(raft, &(struct raft_entry){0}, 1);
    assert(appended);
}
