/* SPDX-License-Identifier: Apache-2.0 */
/* A message that has passed raft_check_message: first its term against ours
 * (§5.1), then what is the same in every role, then the role. */
#include "core/raft/state.h"

#include <assert.h>

static bool is_from_leader(enum raft_message_type type)
{
    return type == RAFT_MSG_APP || type == RAFT_MSG_HEARTBEAT || type == RAFT_MSG_SNAP;
}

/* Have we heard from a leader so lately that nobody may disturb it (§6, thesis
 * §4.2.3)? A leader's own timer counts quorum checks, so it says yes as well. */
static bool is_in_lease(const struct raft *raft)
{
    return raft->config.check_quorum && raft->leader != RAFT_NONE &&
           raft->election_elapsed < raft->config.election_ticks;
}

/* false: the message is not to be looked at any further. */
static bool meet_higher_term(struct raft *raft, const struct raft_message *message)
{
    if (message->type == RAFT_MSG_VOTE || message->type == RAFT_MSG_PRE_VOTE) {
        bool is_forced = message->context.size > 0 &&
                         base_bytes_equal(message->context, base_bytes_of("CampaignTransfer"));
        if (!is_forced && is_in_lease(raft)) {
            return false;
        }
    }
    bool is_from_future =
        message->type == RAFT_MSG_PRE_VOTE || (message->type == RAFT_MSG_PRE_VOTE_RESP && !message->reject);
    if (!is_from_future) {
        raft_become_follower(raft, message->term, is_from_leader(message->type) ? message->from : RAFT_NONE);
    }
    return true;
}

static void meet_lower_term(struct raft *raft, const struct raft_message *message)
{
    if ((raft->config.check_quorum || raft->config.pre_vote) &&
        (message->type == RAFT_MSG_HEARTBEAT || message->type == RAFT_MSG_APP)) {
        /* With either option nobody's higher term gets through to this leader by
         * a vote, so it learns of it here; else a node that has campaigned in
         * vain, or one that came back, would stay outside for good. */
        (void)raft_send(raft, RAFT_MSG_APP_RESP, message->from);
    } else if (message->type == RAFT_MSG_PRE_VOTE) {
        /* Before pre-vote was switched on everywhere terms may have parted; the
         * answer lets the lower one catch up. */
        raft_send(raft, RAFT_MSG_PRE_VOTE_RESP, message->from)->reject = true;
    }
}

static void handle_append_response(struct raft *raft, const struct raft_message *message)
{
    raft_written_to(raft,
                    &(struct raft_written){.term = message->term,
                                           .index = message->index,
                                           .log_term = message->log_term,
                                           .snapshot = message->snapshot ? message->snapshot->index : 0});
}

static void handle_apply_response(struct raft *raft, const struct raft_message *message)
{
    if (message->entry_count > 0) {
        raft_applied_to(raft, message->entries[message->entry_count - 1].index);
    } else if (message->index != 0) {
        raft_applied_to(raft, message->index);
    }
}

static inline enum raft_status step_role(struct raft *raft, const struct raft_message *message)
{
    switch (raft->role) {
    case RAFT_FOLLOWER:
        break;
    case RAFT_CANDIDATE:
    case RAFT_PRE_CANDIDATE:
        return raft_step_candidate(raft, message);
    case RAFT_LEADER:
        return raft_step_leader(raft, message);
    }
    assert(raft->role == RAFT_FOLLOWER);
    return raft_step_follower(raft, message);
}

/* A message of another term than ours, of none, or for every role alike. */
static __attribute__((noinline)) enum raft_status step_other(struct raft *raft,
                                                             const struct raft_message *message)
{
    if (message->type == RAFT_MSG_STORAGE_APPEND_RESP) {
        handle_append_response(raft, message);
        return RAFT_OK;
    }
    if (message->term > raft->term) {
        if (!meet_higher_term(raft, message)) {
            return RAFT_OK;
        }
    } else if (message->term != 0 && message->term < raft->term) {
        meet_lower_term(raft, message);
        return RAFT_OK;
    }
    if (message->type == RAFT_MSG_VOTE || message->type == RAFT_MSG_PRE_VOTE) {
        raft_handle_vote_request(raft, message);
        return RAFT_OK;
    }
    if (message->type == RAFT_MSG_STORAGE_APPLY_RESP) {
        handle_apply_response(raft, message);
        return RAFT_OK;
    }
    return step_role(raft, message);
}

/* Nearly all there is: what leader and followers tell each other in their term. */
static bool is_everyday(enum raft_message_type type)
{
    uint32_t types = UINT32_C(1) << RAFT_MSG_APP | UINT32_C(1) << RAFT_MSG_APP_RESP |
                     UINT32_C(1) << RAFT_MSG_HEARTBEAT | UINT32_C(1) << RAFT_MSG_HEARTBEAT_RESP;
    return (types >> type & 1) != 0;
}

enum raft_status raft_step_checked(struct raft *raft, const struct raft_message *message)
{
    if (message->term == raft->term && is_everyday(message->type)) {
        return step_role(raft, message);
    }
    return step_other(raft, message);
}

enum raft_status raft_step(struct raft *raft, const struct raft_message *message)
{
    assert(raft->is_started);
    enum raft_status status = raft_check_message(raft, message);
    return status == RAFT_OK ? raft_step_checked(raft, message) : status;
}
