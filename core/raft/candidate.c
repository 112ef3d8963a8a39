/* SPDX-License-Identifier: Apache-2.0 */
/* A candidate, or a pre-candidate: counts votes until it wins, loses or hears of
 * a leader of its term (§5.2). */
#include "core/raft/state.h"

#include <assert.h>

enum raft_status raft_step_candidate(struct raft *raft, const struct raft_message *message)
{
    assert(raft->role == RAFT_CANDIDATE || raft->role == RAFT_PRE_CANDIDATE);
    switch (message->type) {
    case RAFT_MSG_PROP:
        return RAFT_DROPPED;
    case RAFT_MSG_APP:
        raft_become_follower(raft, message->term, message->from);
        raft_handle_append(raft, message);
        return RAFT_OK;
    case RAFT_MSG_HEARTBEAT:
        raft_become_follower(raft, message->term, message->from);
        raft_handle_heartbeat(raft, message);
        return RAFT_OK;
    case RAFT_MSG_SNAP:
        raft_become_follower(raft, message->term, message->from);
        raft_handle_snapshot(raft, message);
        return RAFT_OK;
    case RAFT_MSG_VOTE_RESP:
        if (raft->role == RAFT_CANDIDATE) {
            raft_handle_vote_response(raft, message);
        }
        return RAFT_OK;
    case RAFT_MSG_PRE_VOTE_RESP:
        if (raft->role == RAFT_PRE_CANDIDATE) {
            raft_handle_vote_response(raft, message);
        }
        return RAFT_OK;
    case RAFT_MSG_HUP:
    case RAFT_MSG_BEAT:
    case RAFT_MSG_APP_RESP:
    case RAFT_MSG_VOTE:
    case RAFT_MSG_HEARTBEAT_RESP:
    case RAFT_MSG_UNREACHABLE:
    case RAFT_MSG_SNAP_STATUS:
    case RAFT_MSG_CHECK_QUORUM:
    case RAFT_MSG_TRANSFER_LEADER:
    case RAFT_MSG_TIMEOUT_NOW:
    case RAFT_MSG_READ_INDEX:
    case RAFT_MSG_READ_INDEX_RESP:
    case RAFT_MSG_PRE_VOTE:
    case RAFT_MSG_STORAGE_APPEND:
    case RAFT_MSG_STORAGE_APPEND_RESP:
    case RAFT_MSG_STORAGE_APPLY:
    case RAFT_MSG_STORAGE_APPLY_RESP:
    case RAFT_MSG_FORGET_LEADER:
    case RAFT_MSG_COUNT:
        break; /* For a leader, or settled before. */
    }
    return RAFT_OK;
}
