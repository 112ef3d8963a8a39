/* SPDX-License-Identifier: Apache-2.0 */
/* Elections: standing, voting, counting (§5.2, §5.4.1; pre-vote: thesis §9.6). */
#include "core/raft/state.h"

#include <assert.h>

static const struct base_bytes transfer_context = {
    .data = (const uint8_t *)"CampaignTransfer",
    .size = sizeof "CampaignTransfer" - 1,
};

bool raft_is_promotable(const struct raft *raft)
{
    return raft->self_slot < raft->tracker.count && ((raft->tracker.learners >> raft->self_slot) & 1) == 0 &&
           !raft->log.has_snapshot;
}

/* Does a committed configuration change wait to be applied? Then we do not know
 * yet who votes. */
static bool has_unapplied_conf_change(const struct raft *raft)
{
    for (raft_index index = raft->log.applied + 1; index <= raft->log.committed; index++) {
        if (raft_blocks_at(&raft->log.blocks, index).type != RAFT_ENTRY_NORMAL) {
            return true;
        }
    }
    return false;
}

static void campaign(struct raft *raft, enum raft_campaign kind)
{
    bool is_pre = kind == RAFT_CAMPAIGN_PRE_ELECTION;
    if (is_pre) {
        raft_become_pre_candidate(raft);
    } else {
        raft_become_candidate(raft);
    }
    raft_term term = is_pre ? raft->term + 1 : raft->term;
    uint64_t voters = raft->tracker.voters | raft->tracker.outgoing;
    for (uint32_t slot = 0; slot < raft->tracker.count; slot++) {
        if (((voters >> slot) & 1) == 0) {
            continue;
        }
        if (slot == raft->self_slot) {
            /* Our own vote counts like any other, once it is durable. */
            raft_send(raft, is_pre ? RAFT_MSG_PRE_VOTE_RESP : RAFT_MSG_VOTE_RESP, raft->config.id)->term =
                term;
            continue;
        }
        struct raft_message *request =
            raft_send(raft, is_pre ? RAFT_MSG_PRE_VOTE : RAFT_MSG_VOTE, raft->tracker.ids[slot]);
        request->term = term;
        request->index = raft->log.last;
        request->log_term = raft->log.last_term;
        if (kind == RAFT_CAMPAIGN_TRANSFER) {
            request->context = transfer_context;
        }
    }
}

void raft_hup(struct raft *raft, enum raft_campaign kind)
{
    if (raft->role == RAFT_LEADER || !raft_is_promotable(raft) || has_unapplied_conf_change(raft)) {
        return;
    }
    campaign(raft, kind);
}

void raft_handle_vote_request(struct raft *raft, const struct raft_message *message)
{
    bool is_pre = message->type == RAFT_MSG_PRE_VOTE;
    bool can_vote = raft->vote == message->from || (raft->vote == RAFT_NONE && raft->leader == RAFT_NONE) ||
                    (is_pre && message->term > raft->term);
    /* Learners vote too: one that is asked may be a voter and not know it yet. */
    bool granted = can_vote && raft_log_is_up_to_date(&raft->log, message->index, message->log_term);
    struct raft_message *answer =
        raft_send(raft, is_pre ? RAFT_MSG_PRE_VOTE_RESP : RAFT_MSG_VOTE_RESP, message->from);
    /* A grant answers the term asked about; a pre-vote's is in the future. */
    answer->term = granted ? message->term : raft->term;
    answer->reject = !granted;
    if (granted && !is_pre) {
        raft->election_elapsed = 0;
        raft_set_vote(raft, raft->term, message->from);
    }
}

void raft_handle_vote_response(struct raft *raft, const struct raft_message *message)
{
    uint32_t slot = raft_tracker_slot(&raft->tracker, message->from);
    if (slot == RAFT_NO_SLOT) {
        return;
    }
    raft_tracker_record_vote(&raft->tracker, slot, !message->reject);
    switch (raft_tracker_vote_result(&raft->tracker)) {
    case RAFT_VOTE_PENDING:
        break;
    case RAFT_VOTE_LOST:
        raft_become_follower(raft, raft->term, RAFT_NONE);
        break;
    case RAFT_VOTE_WON:
        if (!raft_is_promotable(raft)) {
            /* The configuration has changed since we stood. */
            raft_become_follower(raft, raft->term, RAFT_NONE);
        } else if (raft->role == RAFT_PRE_CANDIDATE) {
            campaign(raft, RAFT_CAMPAIGN_ELECTION);
        } else {
            raft_become_leader(raft);
            raft_broadcast_append(raft);
        }
        break;
    }
}
