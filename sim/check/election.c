/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/election.h"

#include "sim/check/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

void check_election_release(struct check_election *election)
{
    free(election->reigns);
    *election = (struct check_election){0};
}

void check_election_reset(struct check_election *election)
{
    election->count = 0;
}

/* How many of `half` have voted for `member` in its term. Who has promised much later
 * terms since is not remembered for this one, and may have. */
static uint32_t count_votes(const struct check_electorate *half, const struct check_member *member)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < half->count; slot++) {
        const struct check_vote_record *record = &half->voters[slot]->votes[member->term % CHECK_VOTES_KEPT];
        count += half->voters[slot] == member->identity || record->term > member->term ||
                 (record->term == member->term && record->vote == member->identity->id);
    }
    return count;
}

/* §5.2, §6: who leads has the votes of a majority of each half. Where nobody's votes
 * were told, nothing is known. */
static void judge_majority(struct check *check, uint64_t now, struct check_member *member)
{
    for (uint32_t slot = 0; slot < 2 && check->has_votes; slot++) {
        const struct check_electorate *half = &member->halves[slot];
        uint32_t count = count_votes(half, member);
        if (half->count > 0 && count < half->count / 2 + 1) {
            check_found(check, member->cluster, CHECK_ELECTION, now, member->number,
                        "m%" PRIu32 " became leader of term %" PRIu64 " by the votes of %" PRIu32
                        " of %" PRIu32 " voters",
                        member->number, member->term, count, half->count);
        }
    }
}

void check_election_won(struct check *check, uint64_t now, struct check_member *member)
{
    struct check_election *election = &member->cluster->election;
    uint32_t slot = election->count;
    while (slot > 0 && election->reigns[slot - 1].term > member->term) {
        slot--;
    }
    check_arm(check, CHECK_ELECTION);
    judge_majority(check, now, member);
    if (slot > 0 && election->reigns[slot - 1].term == member->term) {
        const struct check_reign *reign = &election->reigns[slot - 1];
        if (reign->leader != member->identity) {
            check_found(check, member->cluster, CHECK_ELECTION, now, member->number,
                        "m%" PRIu32 " became leader of term %" PRIu64 ", but %s has led term %" PRIu64
                        " since %s",
                        member->number, member->term, check_name(check, reign->leader), member->term,
                        check_seconds(check, reign->since_ns));
        }
        return;
    }
    if (election->count == election->capacity) {
        election->capacity = check_grown(election->capacity, election->count + 1);
        election->reigns = check_resize(election->reigns, election->capacity, sizeof election->reigns[0]);
    }
    memmove(&election->reigns[slot + 1], &election->reigns[slot],
            (election->count - slot) * sizeof election->reigns[0]);
    election->reigns[slot] =
        (struct check_reign){.term = member->term, .leader = member->identity, .since_ns = now};
    election->count++;
}

void check_vote_term(struct check *check, uint64_t now, struct check_member *member, raft_term term)
{
    if (term < member->term) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " went back to term %" PRIu64 " from term %" PRIu64, member->number, term,
                    member->term);
    }
    member->term = term;
}

void check_vote_cast(struct check *check, uint64_t now, struct check_member *member, raft_term term,
                     raft_id vote)
{
    check_vote_term(check, now, member, term);
    if (vote == RAFT_NONE) {
        return;
    }
    check_arm(check, CHECK_VOTE);
    if (member->voted_term == term && member->voted != RAFT_NONE && member->voted != vote) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " votes for %s in term %" PRIu64 ", but has voted for %s in it",
                    member->number, check_name_of(check, member->cluster, vote), term,
                    check_name_of(check, member->cluster, member->voted));
    }
    if (member->voted_term != term || member->voted != vote) {
        member->voted_log = member->log;
    }
    member->voted_term = term;
    member->voted = vote;
}

void check_vote_promised(struct check *check, uint64_t now, struct check_member *member, raft_term term,
                         raft_id vote)
{
    assert(vote != RAFT_NONE);
    struct check_identity *identity = member->identity;
    check->has_votes |= vote != identity->id;
    struct check_vote_record *record = &identity->votes[term % CHECK_VOTES_KEPT];
    check_arm(check, CHECK_VOTE);
    if (record->term == term && record->vote != vote) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " gave its vote of term %" PRIu64 " to %s, but had given it to %s",
                    member->number, term, check_name_of(check, member->cluster, vote),
                    check_name_of(check, member->cluster, record->vote));
    } else if (record->term < term) {
        *record = (struct check_vote_record){.term = term, .vote = vote};
    }
    if (identity->promised_term < term) {
        identity->promised_term = term;
    }
}

void check_vote_restarted(struct check *check, uint64_t now, struct check_member *member,
                          const struct raft_hard_state *state)
{
    /* An entry on the disk tells of its term as well as a hard state does. */
    raft_term durable = member->disk_term;
    if (durable < member->disk.term) {
        durable = member->disk.term;
    }
    raft_term promised = member->identity->promised_term;
    check_arm(check, CHECK_VOTE);
    if (check->has_disk && state->term < durable) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " begins with term %" PRIu64 ", but term %" PRIu64 " was durable on its disk",
                    member->number, state->term, durable);
    } else if (state->term < promised) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " begins with term %" PRIu64 ", but had made promises in term %" PRIu64,
                    member->number, state->term, promised);
    } else if (state->term == member->disk_term && member->disk_vote != RAFT_NONE &&
               state->vote != member->disk_vote) {
        check_found(check, member->cluster, CHECK_VOTE, now, member->number,
                    "m%" PRIu32 " begins term %" PRIu64 " with a vote for %s, but one for %s was durable",
                    member->number, state->term, check_name_of(check, member->cluster, state->vote),
                    check_name_of(check, member->cluster, member->disk_vote));
    }
    member->term = state->term;
    member->voted_term = state->term;
    member->voted = state->vote;
    member->voted_log.index = UINT64_MAX;
}
