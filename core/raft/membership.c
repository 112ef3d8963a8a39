/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations coming into force (§6, thesis §4). */
#include "core/raft/state.h"

#include "core/raft/id_set.h"

#include <assert.h>

struct raft_conf_plan raft_conf_plan_of(const struct raft_conf_state *state)
{
    struct raft_conf_plan plan = {.state = *state};
    bool fits = raft_conf_members(state, &plan.created);
    assert(fits);
    return plan;
}

/* What a leader does once the quorums have changed. */
static void follow_up(struct raft *raft)
{
    if (raft_maybe_commit(raft)) {
        /* A smaller quorum may agree on more. */
        raft_release_early_reads(raft);
        raft_broadcast_append(raft);
    } else {
        /* Newcomers need not wait for the next heartbeat. */
        for (uint32_t slot = 0; slot < raft->tracker.count; slot++) {
            if (slot != raft->self_slot) {
                (void)raft_send_append(raft, slot, false);
            }
        }
    }
    raft_confirm_reads(raft);
    uint32_t slot = raft_tracker_slot(&raft->tracker, raft->transferee);
    uint64_t voters = raft->tracker.voters | raft->tracker.outgoing;
    if (raft->transferee != RAFT_NONE && (slot == RAFT_NO_SLOT || ((voters >> slot) & 1) == 0)) {
        raft_abort_transfer(raft);
    }
}

void raft_switch_configuration(struct raft *raft, const struct raft_conf_plan *plan)
{
    raft_tracker_switch(&raft->tracker, plan, raft->log.last);
    raft->self_slot = raft_tracker_slot(&raft->tracker, raft->config.id);
    if (raft->observer.configuration) {
        raft->observer.configuration(raft->observer.context, &raft->tracker.conf);
    }
    if (raft->role != RAFT_LEADER) {
        return;
    }
    bool is_voter = raft->self_slot != RAFT_NO_SLOT && ((raft->tracker.learners >> raft->self_slot) & 1) == 0;
    if (!is_voter) {
        /* Thesis §4.2.2: a leader that is removed goes on until that is
         * committed; it may be told to stop now that it is. */
        if (raft->config.step_down_on_removal) {
            raft_become_follower(raft, raft->term, RAFT_NONE);
        }
        return;
    }
    if (raft->tracker.voters != 0) {
        follow_up(raft);
    }
}

enum raft_status raft_apply_conf_change(struct raft *raft, const struct raft_conf_change *change,
                                        struct raft_conf_state *out)
{
    assert(raft->is_started);
    struct raft_conf_plan plan;
    if (!raft_conf_change_plan(&raft->tracker.conf, change, &plan)) {
        return RAFT_INVALID;
    }
    raft_switch_configuration(raft, &plan);
    *out = raft->tracker.conf;
    return RAFT_OK;
}
