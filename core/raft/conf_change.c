/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/conf_change.h"

#include "core/raft/id_set.h"

#include <assert.h>

bool raft_conf_is_joint(const struct raft_conf_state *state)
{
    return state->voters_outgoing.count > 0;
}

bool raft_conf_has(const struct raft_conf_state *state, raft_id id)
{
    return raft_id_set_has(&state->voters, id) || raft_id_set_has(&state->learners, id) ||
           raft_id_set_has(&state->voters_outgoing, id);
}

bool raft_conf_members(const struct raft_conf_state *state, struct raft_id_set *out)
{
    const struct raft_id_set *sets[] = {&state->voters, &state->learners, &state->voters_outgoing};
    *out = (struct raft_id_set){0};
    for (uint32_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        for (uint32_t i = 0; i < sets[s]->count; i++) {
            if (!raft_id_set_add(out, sets[s]->ids[i])) {
                return false;
            }
        }
    }
    return true;
}

static bool is_disjoint(const struct raft_id_set *a, const struct raft_id_set *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (raft_id_set_has(b, a->ids[i])) {
            return false;
        }
    }
    return true;
}

static bool is_subset(const struct raft_id_set *inner, const struct raft_id_set *outer)
{
    for (uint32_t i = 0; i < inner->count; i++) {
        if (!raft_id_set_has(outer, inner->ids[i])) {
            return false;
        }
    }
    return true;
}

bool raft_conf_is_valid(const struct raft_conf_state *state)
{
    if (!raft_id_set_is_valid(&state->voters) || !raft_id_set_is_valid(&state->learners) ||
        !raft_id_set_is_valid(&state->voters_outgoing) || !raft_id_set_is_valid(&state->learners_next)) {
        return false;
    }
    struct raft_id_set members;
    return raft_conf_members(state, &members) && is_disjoint(&state->learners, &state->voters) &&
           is_disjoint(&state->learners, &state->voters_outgoing) &&
           is_disjoint(&state->learners_next, &state->voters) &&
           is_subset(&state->learners_next, &state->voters_outgoing) &&
           (state->voters.count > 0 || members.count == 0) &&
           (raft_conf_is_joint(state) || !state->auto_leave);
}

bool raft_conf_equal(const struct raft_conf_state *a, const struct raft_conf_state *b)
{
    return raft_id_set_equal(&a->voters, &b->voters) && raft_id_set_equal(&a->learners, &b->learners) &&
           raft_id_set_equal(&a->voters_outgoing, &b->voters_outgoing) &&
           raft_id_set_equal(&a->learners_next, &b->learners_next) && a->auto_leave == b->auto_leave;
}

static bool refuse(struct raft_conf_plan *plan, const char *reason)
{
    plan->refusal = reason;
    return false;
}

static void begin(const struct raft_conf_state *from, struct raft_conf_plan *out)
{
    assert(raft_conf_is_valid(from));
    *out = (struct raft_conf_plan){.state = *from};
}

/* A member of whom nothing was known until now. */
static bool create(struct raft_conf_plan *plan, raft_id id, bool is_learner)
{
    struct raft_id_set *set = is_learner ? &plan->state.learners : &plan->state.voters;
    return raft_id_set_add(set, id) && raft_id_set_add(&plan->created, id);
}

static bool make_voter(struct raft_conf_plan *plan, raft_id id)
{
    if (!raft_conf_has(&plan->state, id)) {
        return create(plan, id, false);
    }
    raft_id_set_remove(&plan->state.learners, id);
    raft_id_set_remove(&plan->state.learners_next, id);
    return raft_id_set_add(&plan->state.voters, id);
}

static bool make_learner(struct raft_conf_plan *plan, raft_id id)
{
    struct raft_conf_state *state = &plan->state;
    if (!raft_conf_has(state, id)) {
        return create(plan, id, true);
    }
    if (raft_id_set_has(&state->learners, id)) {
        return true;
    }
    raft_id_set_remove(&state->voters, id);
    /* Who still votes in the outgoing half must not be a learner as well: it
     * waits until that half is left. */
    bool is_outgoing = raft_id_set_has(&state->voters_outgoing, id);
    return raft_id_set_add(is_outgoing ? &state->learners_next : &state->learners, id);
}

static void remove_member(struct raft_conf_plan *plan, raft_id id)
{
    raft_id_set_remove(&plan->state.voters, id);
    raft_id_set_remove(&plan->state.learners, id);
    raft_id_set_remove(&plan->state.learners_next, id);
    if (!raft_id_set_has(&plan->state.voters_outgoing, id)) {
        raft_id_set_remove(&plan->created, id);
    }
}

static bool apply_one(struct raft_conf_plan *plan, struct raft_conf_change_single change)
{
    if (change.id == RAFT_NONE) {
        return true; /* The no-op of a change that was refused. */
    }
    if (change.id >= RAFT_APPLY_THREAD) {
        return refuse(plan, "reserved id");
    }
    switch (change.type) {
    case RAFT_ADD_NODE:
        return make_voter(plan, change.id) || refuse(plan, "too many members");
    case RAFT_ADD_LEARNER_NODE:
        return make_learner(plan, change.id) || refuse(plan, "too many members");
    case RAFT_REMOVE_NODE:
        remove_member(plan, change.id);
        return true;
    case RAFT_UPDATE_NODE:
        return true;
    }
    return refuse(plan, "unexpected conf type");
}

static bool apply(struct raft_conf_plan *plan, const struct raft_conf_change_single *changes,
                  uint32_t change_count)
{
    for (uint32_t i = 0; i < change_count; i++) {
        if (!apply_one(plan, changes[i])) {
            return false;
        }
    }
    if (plan->state.voters.count == 0) {
        return refuse(plan, "removed all voters");
    }
    struct raft_id_set members;
    return raft_conf_members(&plan->state, &members) || refuse(plan, "too many members");
}

/* Ids in one of the sets but not in both. */
static uint32_t difference(const struct raft_id_set *a, const struct raft_id_set *b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        count += !raft_id_set_has(b, a->ids[i]);
    }
    for (uint32_t i = 0; i < b->count; i++) {
        count += !raft_id_set_has(a, b->ids[i]);
    }
    return count;
}

bool raft_conf_simple(const struct raft_conf_state *from, const struct raft_conf_change_single *changes,
                      uint32_t change_count, struct raft_conf_plan *out)
{
    begin(from, out);
    if (raft_conf_is_joint(from)) {
        return refuse(out, "can't apply simple config change in joint config");
    }
    if (!apply(out, changes, change_count)) {
        return false;
    }
    /* Thesis §4.1: majorities before and after a single change overlap. */
    if (difference(&from->voters, &out->state.voters) > 1) {
        return refuse(out, "more than one voter changed without entering joint config");
    }
    assert(raft_conf_is_valid(&out->state));
    return true;
}

bool raft_conf_enter_joint(const struct raft_conf_state *from, bool auto_leave,
                           const struct raft_conf_change_single *changes, uint32_t change_count,
                           struct raft_conf_plan *out)
{
    begin(from, out);
    if (raft_conf_is_joint(from)) {
        return refuse(out, "config is already joint");
    }
    if (from->voters.count == 0) {
        return refuse(out, "can't make a zero-voter config joint");
    }
    out->state.voters_outgoing = from->voters;
    if (!apply(out, changes, change_count)) {
        return false;
    }
    out->state.auto_leave = auto_leave;
    assert(raft_conf_is_valid(&out->state));
    return true;
}

bool raft_conf_leave_joint(const struct raft_conf_state *from, struct raft_conf_plan *out)
{
    begin(from, out);
    struct raft_conf_state *state = &out->state;
    if (!raft_conf_is_joint(from)) {
        return refuse(out, "can't leave a non-joint config");
    }
    for (uint32_t i = 0; i < from->learners_next.count; i++) {
        bool added = raft_id_set_add(&state->learners, from->learners_next.ids[i]);
        assert(added);
    }
    state->learners_next = (struct raft_id_set){0};
    state->voters_outgoing = (struct raft_id_set){0};
    state->auto_leave = false;
    assert(raft_conf_is_valid(state));
    return true;
}

bool raft_conf_change_is_leave(const struct raft_conf_change *change)
{
    return !change->is_v1 && change->transition == RAFT_TRANSITION_AUTO && change->change_count == 0;
}

bool raft_conf_change_plan(const struct raft_conf_state *from, const struct raft_conf_change *change,
                           struct raft_conf_plan *out)
{
    if (change->change_count > RAFT_CHANGES_MAX || (change->is_v1 && change->change_count != 1)) {
        begin(from, out);
        return refuse(out, "malformed change");
    }
    if (raft_conf_change_is_leave(change)) {
        return raft_conf_leave_joint(from, out);
    }
    if (!change->is_v1 && (change->transition != RAFT_TRANSITION_AUTO || change->change_count > 1)) {
        bool auto_leave = change->transition != RAFT_TRANSITION_JOINT_EXPLICIT;
        return raft_conf_enter_joint(from, auto_leave, change->changes, change->change_count, out);
    }
    return raft_conf_simple(from, change->changes, change->change_count, out);
}
