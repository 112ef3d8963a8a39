/* The configuration in force and what is known of each of its members. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_TRACKER_H
#define CORE_RAFT_TRACKER_H

#include "core/raft/conf_change.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"

enum { RAFT_NO_SLOT = RAFT_MEMBERS_MAX };

/* Members stand in slots by ascending id; sets of them are bits by slot. */
struct raft_tracker {
    const struct base_allocator *allocator;
    struct raft_inflight_limits limits;
    struct raft_conf_state conf;
    uint32_t count;
    raft_id ids[RAFT_MEMBERS_MAX];
    struct raft_progress progress[RAFT_MEMBERS_MAX];
    uint64_t voters; /* The incoming half; all voters when not joint. */
    uint64_t outgoing;
    uint64_t learners;
    uint64_t active; /* Heard of since the last quorum check. */
    uint64_t beyond; /* Whose match is above beyond_floor; counted anew when that changes. */
    raft_index beyond_floor;
    uint64_t granted;
    uint64_t rejected;
};

void raft_tracker_init(struct raft_tracker *tracker, const struct base_allocator *allocator,
                       struct raft_inflight_limits limits);
void raft_tracker_release(struct raft_tracker *tracker);
/* Bring `plan` into force: who stays keeps its progress, who is created starts
 * to be probed at `last_index`. */
void raft_tracker_switch(struct raft_tracker *tracker, const struct raft_conf_plan *plan,
                         raft_index last_index);
/* Forget everything known of everybody, as a new role does. */
void raft_tracker_reset(struct raft_tracker *tracker, raft_id self, raft_index last_index);
/* The slot of `id`, or RAFT_NO_SLOT, found by halves. */
uint32_t raft_tracker_search(const struct raft_tracker *tracker, raft_id id);
/* The same; members that are numbered from 1 stand where their ids say. */
static inline uint32_t raft_tracker_slot(const struct raft_tracker *tracker, raft_id id)
{
    if (id - 1 < tracker->count && tracker->ids[id - 1] == id) {
        return (uint32_t)(id - 1);
    }
    return raft_tracker_search(tracker, id);
}

void raft_tracker_reset_votes(struct raft_tracker *tracker);
/* Only a member's first vote counts. */
void raft_tracker_record_vote(struct raft_tracker *tracker, uint32_t slot, bool granted);
enum raft_vote_result raft_tracker_vote_result(const struct raft_tracker *tracker);
/* Has a quorum been heard of since the last check? */
bool raft_tracker_is_quorum_active(const struct raft_tracker *tracker);
/* The match of `slot` has grown. */
static inline void raft_tracker_matched(struct raft_tracker *tracker, uint32_t slot)
{
    tracker->beyond |= (uint64_t)(tracker->progress[slot].match > tracker->beyond_floor) << slot;
}
/* The highest index on a quorum, when that is above `floor`; else `floor`. Every
 * match that has grown since the last call was told by raft_tracker_matched. */
raft_index raft_tracker_committed(struct raft_tracker *tracker, raft_index floor);
/* The latest read round that a quorum has answered. */
uint64_t raft_tracker_read_position(const struct raft_tracker *tracker);

#endif
