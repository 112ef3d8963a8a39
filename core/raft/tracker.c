/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/tracker.h"

#include "core/raft/id_set.h"

#include <assert.h>

static void check(const struct raft_tracker *tracker)
{
    assert(tracker->count <= RAFT_MEMBERS_MAX);
    assert((tracker->learners & (tracker->voters | tracker->outgoing)) == 0);
    assert((tracker->granted & tracker->rejected) == 0);
}

void raft_tracker_init(struct raft_tracker *tracker, const struct base_allocator *allocator,
                       struct raft_inflight_limits limits)
{
    assert(limits.count_max > 0);
    *tracker = (struct raft_tracker){.allocator = allocator, .limits = limits, .beyond_floor = UINT64_MAX};
}

void raft_tracker_release(struct raft_tracker *tracker)
{
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        raft_inflights_release(&tracker->progress[slot].inflights, tracker->allocator);
    }
    tracker->count = 0;
}

uint32_t raft_tracker_search(const struct raft_tracker *tracker, raft_id id)
{
    uint32_t low = 0;
    uint32_t high = tracker->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (tracker->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < tracker->count && tracker->ids[low] == id ? low : RAFT_NO_SLOT;
}

static uint64_t bits_of(const struct raft_tracker *tracker, const struct raft_id_set *set)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t slot = raft_tracker_slot(tracker, set->ids[i]);
        assert(slot != RAFT_NO_SLOT);
        bits |= UINT64_C(1) << slot;
    }
    return bits;
}

/* Carry the bit of `before` in `set_before` over to `slot` of `*set`. */
static void carry(uint64_t set_before, uint32_t before, uint64_t *set, uint32_t slot)
{
    *set |= ((set_before >> before) & 1) << slot;
}

/* Nobody is above the highest index: so everybody is looked at again. */
static void forget_beyond(struct raft_tracker *tracker)
{
    tracker->beyond = 0;
    tracker->beyond_floor = UINT64_MAX;
}

/* Move who stays into its new slot, and give the others a new progress. */
static void move_members(struct raft_tracker *tracker, const struct raft_conf_plan *plan,
                         const struct raft_id_set *members, raft_index last_index)
{
    struct raft_tracker before = *tracker;
    uint64_t kept = 0;
    tracker->active = tracker->granted = tracker->rejected = 0;
    for (uint32_t slot = 0; slot < members->count; slot++) {
        raft_id id = members->ids[slot];
        uint32_t old = raft_tracker_slot(&before, id);
        tracker->ids[slot] = id;
        if (old != RAFT_NO_SLOT && !raft_id_set_has(&plan->created, id)) {
            tracker->progress[slot] = before.progress[old];
            kept |= UINT64_C(1) << old;
            carry(before.active, old, &tracker->active, slot);
        } else {
            tracker->progress[slot] = (struct raft_progress){0};
            raft_progress_reset(&tracker->progress[slot], 0, last_index > 1 ? last_index : 1);
            /* Else the next quorum check could fail before it had a chance to speak. */
            tracker->active |= UINT64_C(1) << slot;
        }
        if (old != RAFT_NO_SLOT) {
            carry(before.granted, old, &tracker->granted, slot);
            carry(before.rejected, old, &tracker->rejected, slot);
        }
    }
    for (uint32_t old = 0; old < before.count; old++) {
        if (((kept >> old) & 1) == 0) {
            raft_inflights_release(&before.progress[old].inflights, tracker->allocator);
        }
    }
    tracker->count = members->count;
    forget_beyond(tracker);
}

void raft_tracker_switch(struct raft_tracker *tracker, const struct raft_conf_plan *plan,
                         raft_index last_index)
{
    check(tracker);
    assert(raft_conf_is_valid(&plan->state));
    struct raft_id_set members;
    bool fits = raft_conf_members(&plan->state, &members);
    assert(fits);
    move_members(tracker, plan, &members, last_index);
    tracker->conf = plan->state;
    tracker->voters = bits_of(tracker, &plan->state.voters);
    tracker->outgoing = bits_of(tracker, &plan->state.voters_outgoing);
    tracker->learners = bits_of(tracker, &plan->state.learners);
    check(tracker);
}

void raft_tracker_reset(struct raft_tracker *tracker, raft_id self, raft_index last_index)
{
    raft_tracker_reset_votes(tracker);
    tracker->active = 0;
    forget_beyond(tracker);
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        raft_index match = tracker->ids[slot] == self ? last_index : 0;
        raft_progress_reset(&tracker->progress[slot], match, last_index + 1);
    }
    check(tracker);
}

void raft_tracker_reset_votes(struct raft_tracker *tracker)
{
    tracker->granted = 0;
    tracker->rejected = 0;
}

void raft_tracker_record_vote(struct raft_tracker *tracker, uint32_t slot, bool granted)
{
    assert(slot < tracker->count);
    uint64_t bit = UINT64_C(1) << slot;
    if (((tracker->granted | tracker->rejected) & bit) == 0) {
        *(granted ? &tracker->granted : &tracker->rejected) |= bit;
    }
}

static enum raft_vote_result half_result(uint64_t half, uint64_t granted, uint64_t rejected)
{
    return raft_quorum_vote(raft_bit_count(half), raft_bit_count(half & granted),
                            raft_bit_count(half & rejected));
}

enum raft_vote_result raft_tracker_vote_result(const struct raft_tracker *tracker)
{
    check(tracker);
    return raft_quorum_vote_joint(half_result(tracker->voters, tracker->granted, tracker->rejected),
                                  half_result(tracker->outgoing, tracker->granted, tracker->rejected));
}

bool raft_tracker_is_quorum_active(const struct raft_tracker *tracker)
{
    return half_result(tracker->voters, tracker->active, 0) == RAFT_VOTE_WON &&
           half_result(tracker->outgoing, tracker->active, 0) == RAFT_VOTE_WON;
}

static void count_beyond(struct raft_tracker *tracker, raft_index floor)
{
    tracker->beyond = 0;
    tracker->beyond_floor = floor;
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        raft_tracker_matched(tracker, slot);
    }
}

/* Have enough voters of this half gone beyond the floor that it can have moved? */
static bool is_majority_beyond(const struct raft_tracker *tracker, uint64_t half)
{
    return half == 0 || raft_bit_count(half & tracker->beyond) > raft_bit_count(half) / 2;
}

static raft_index half_committed(const struct raft_tracker *tracker, uint64_t half)
{
    raft_index acked[RAFT_MEMBERS_MAX];
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        if ((half >> slot) & 1) {
            acked[count++] = tracker->progress[slot].match;
        }
    }
    return raft_quorum_committed(acked, count);
}

raft_index raft_tracker_committed(struct raft_tracker *tracker, raft_index floor)
{
    if (tracker->beyond_floor != floor) {
        count_beyond(tracker, floor);
    }
    if (tracker->voters == 0 || !is_majority_beyond(tracker, tracker->voters) ||
        !is_majority_beyond(tracker, tracker->outgoing)) {
        return floor;
    }
    raft_index incoming = half_committed(tracker, tracker->voters);
    raft_index outgoing = tracker->outgoing == 0 ? UINT64_MAX : half_committed(tracker, tracker->outgoing);
    raft_index committed = incoming < outgoing ? incoming : outgoing;
    assert(committed > floor);
    return committed;
}

static uint64_t half_read_position(const struct raft_tracker *tracker, uint64_t half)
{
    uint64_t acked[RAFT_MEMBERS_MAX];
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        if ((half >> slot) & 1) {
            acked[count++] = tracker->progress[slot].read_position;
        }
    }
    return raft_quorum_committed(acked, count);
}

uint64_t raft_tracker_read_position(const struct raft_tracker *tracker)
{
    if (tracker->voters == 0) {
        return 0;
    }
    uint64_t incoming = half_read_position(tracker, tracker->voters);
    uint64_t outgoing = half_read_position(tracker, tracker->outgoing);
    return incoming < outgoing ? incoming : outgoing;
}
