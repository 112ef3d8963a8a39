/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/conf_change.h"
#include "core/raft/raft.h"
#include "tests/core/raft/random_cluster.h"

#include <criterion/criterion.h>

static enum raft_entry_type type_of(const struct raft_conf_change *change)
{
    return change->is_v1 ? RAFT_ENTRY_CONF_CHANGE : RAFT_ENTRY_CONF_CHANGE_V2;
}

static bool is_equal(const struct raft_conf_change *a, const struct raft_conf_change *b)
{
    bool same = a->is_v1 == b->is_v1 && a->transition == b->transition &&
                a->change_count == b->change_count && base_bytes_equal(a->context, b->context);
    for (uint32_t i = 0; same && i < a->change_count; i++) {
        same = a->changes[i].type == b->changes[i].type && a->changes[i].id == b->changes[i].id;
    }
    return same;
}

static void check_round_trip(const struct raft_conf_change *change)
{
    struct base_buffer buffer;
    base_buffer_init(&buffer, &cluster_allocator);
    raft_conf_change_encode(change, &buffer);
    struct raft_conf_change back;
    cr_assert_eq(raft_conf_change_decode(type_of(change), base_buffer_view(&buffer), &back), RAFT_OK);
    cr_assert(is_equal(change, &back));
    /* Any shorter or longer is no change. */
    for (size_t size = change->is_v1 ? 0 : 1; size < buffer.size; size++) {
        struct base_bytes part = {.data = buffer.data, .size = size};
        cr_assert_eq(raft_conf_change_decode(type_of(change), part, &back), RAFT_INVALID);
    }
    base_put_u8(&buffer, 0);
    cr_assert_eq(raft_conf_change_decode(type_of(change), base_buffer_view(&buffer), &back), RAFT_INVALID);
    base_buffer_release(&buffer);
}

Test(raft_conf_change, decodes_what_it_encoded)
{
    struct raft_conf_change change = {.is_v1 = true, .change_count = 1, .context = base_bytes_of("peer")};
    change.changes[0] = (struct raft_conf_change_single){.type = RAFT_REMOVE_NODE, .id = 77};
    check_round_trip(&change);
    change.is_v1 = false;
    for (uint32_t count = 0; count <= 3; count++) {
        for (uint32_t transition = 0; transition < 3; transition++) {
            change.change_count = count;
            change.transition = (enum raft_transition)transition;
            check_round_trip(&change);
            change.changes[count] =
                (struct raft_conf_change_single){.type = RAFT_ADD_LEARNER_NODE, .id = UINT64_MAX - 9};
        }
    }
}

Test(raft_conf_change, empty_v2_leaves_a_joint_configuration)
{
    struct raft_conf_change change;
    cr_assert_eq(raft_conf_change_decode(RAFT_ENTRY_CONF_CHANGE_V2, (struct base_bytes){0}, &change),
                 RAFT_OK);
    cr_assert(raft_conf_change_is_leave(&change));
    cr_assert_eq(raft_conf_change_decode(RAFT_ENTRY_CONF_CHANGE, (struct base_bytes){0}, &change),
                 RAFT_INVALID);
}

static struct raft_conf_state voters(uint32_t count)
{
    struct raft_conf_state state = {.voters = {.count = count}};
    for (uint32_t i = 0; i < count; i++) {
        state.voters.ids[i] = i + 1;
    }
    return state;
}

/* Thesis §4.1: one voter at a time, so that majorities overlap. */
Test(raft_conf_change, simple_change_moves_one_voter)
{
    struct raft_conf_state from = voters(3);
    struct raft_conf_change_single two[] = {{RAFT_ADD_NODE, 4}, {RAFT_REMOVE_NODE, 1}};
    struct raft_conf_plan plan;
    cr_assert(raft_conf_simple(&from, two, 1, &plan));
    cr_assert_eq(plan.state.voters.count, 4);
    cr_assert_not(raft_conf_simple(&from, two, 2, &plan));
}

/* §6: a voter that becomes a learner votes in the old half until it is left. */
Test(raft_conf_change, demotion_waits_for_the_leave)
{
    struct raft_conf_state from = voters(3);
    struct raft_conf_change_single changes[] = {{RAFT_ADD_LEARNER_NODE, 1}, {RAFT_ADD_NODE, 4}};
    struct raft_conf_plan joint;
    struct raft_conf_plan left;
    cr_assert(raft_conf_enter_joint(&from, false, changes, 2, &joint));
    cr_assert_eq(joint.state.learners.count, 0);
    cr_assert_eq(joint.state.learners_next.ids[0], 1);
    cr_assert(raft_conf_leave_joint(&joint.state, &left));
    cr_assert_eq(left.state.learners.ids[0], 1);
    cr_assert_eq(left.state.voters.count, 3);
}

Test(raft_conf_change, members_are_limited)
{
    struct raft_conf_state from = voters(RAFT_MEMBERS_MAX);
    struct raft_conf_change_single one = {RAFT_ADD_LEARNER_NODE, 1000};
    struct raft_conf_plan plan;
    cr_assert_not(raft_conf_simple(&from, &one, 1, &plan));
    cr_assert_str_eq(plan.refusal, "too many members");
}
