/* SPDX-License-Identifier: Apache-2.0 */
/* Time, as a number of ticks: election timeouts, heartbeats, quorum checks. */
#include "core/raft/state.h"

#include <assert.h>

/* How many single ticks until a counter that reads `elapsed` stands at `limit`. */
static uint64_t ticks_to(uint64_t elapsed, uint64_t limit)
{
    return elapsed < limit ? limit - elapsed : 1;
}

uint64_t raft_due_ticks(const struct raft *raft)
{
    if (raft->role != RAFT_LEADER) {
        bool can_stand = raft_is_promotable(raft);
        return can_stand ? ticks_to(raft->election_elapsed, raft->election_timeout) : UINT64_MAX;
    }
    uint64_t beat = ticks_to(raft->heartbeat_elapsed, raft->config.heartbeat_ticks);
    uint64_t quorum = ticks_to(raft->election_elapsed, raft->config.election_ticks);
    return beat < quorum ? beat : quorum;
}

static uint64_t sum(uint64_t elapsed, uint64_t ticks)
{
    return elapsed > UINT64_MAX - ticks ? UINT64_MAX : elapsed + ticks;
}

/* Ticks in which nothing falls due. */
static void pass(struct raft *raft, uint64_t ticks)
{
    raft->election_elapsed = sum(raft->election_elapsed, ticks);
    if (raft->role == RAFT_LEADER) {
        raft->heartbeat_elapsed += ticks;
    }
}

static void leader_due(struct raft *raft)
{
    if (raft->election_elapsed >= raft->config.election_ticks) {
        raft->election_elapsed = 0;
        if (raft->config.check_quorum) {
            raft_check_quorum(raft);
        }
        if (raft->role == RAFT_LEADER) {
            raft_abort_transfer(raft); /* Thesis §3.10: its time is up. */
        }
    }
    if (raft->role == RAFT_LEADER && raft->heartbeat_elapsed >= raft->config.heartbeat_ticks) {
        raft->heartbeat_elapsed = 0;
        raft_broadcast_heartbeat(raft);
    }
}

static void follower_due(struct raft *raft)
{
    if (raft_is_promotable(raft) && raft->election_elapsed >= raft->election_timeout) {
        raft->election_elapsed = 0;
        raft_hup(raft, raft->config.pre_vote ? RAFT_CAMPAIGN_PRE_ELECTION : RAFT_CAMPAIGN_ELECTION);
    }
}

void raft_tick(struct raft *raft, uint64_t ticks)
{
    assert(raft->is_started);
    while (ticks > 0) {
        uint64_t due = raft_due_ticks(raft);
        if (due > ticks) {
            pass(raft, ticks);
            return;
        }
        pass(raft, due);
        ticks -= due;
        if (raft->role == RAFT_LEADER) {
            leader_due(raft);
        } else {
            follower_due(raft);
        }
    }
}
