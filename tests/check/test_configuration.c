/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

static struct raft_conf_state voters(uint32_t first, uint32_t last)
{
    struct raft_conf_state state = {0};
    for (uint32_t member = first; member <= last; member++) {
        state.voters.ids[state.voters.count++] = rig_id(member);
    }
    return state;
}

static struct raft_entry change_at(raft_index index)
{
    return (struct raft_entry){.index = index,
                               .term = 2,
                               .data = (const uint8_t *)"change",
                               .size = 6,
                               .type = RAFT_ENTRY_CONF_CHANGE};
}

static void apply(struct rig *rig, uint32_t member, raft_index index, const struct raft_conf_state *state)
{
    struct raft_entry entry = change_at(index);
    check_configuration(rig->check, rig->now, member, state);
    check_apply(rig->check, rig->now, member, &entry, NULL, BASE_OK, 1);
}

/* The first entry everywhere, a configuration change, appended and committed. */
static void begin(struct rig *rig)
{
    rig_init(rig);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        struct raft_conf_state state = voters(1, 3);
        check_configuration(rig->check, rig->now, member, &state);
    }
    rig_lead(rig, 1, 2);
    struct raft_entry entry = change_at(1);
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        check_append(rig->check, rig->now, member, &entry);
        rig_durable(rig, member, 1, 1, 2);
    }
    check_commit(rig->check, rig->now, 1, 1);
}

Test(check_configuration, one_more_voter_overlaps)
{
    struct rig rig;
    begin(&rig);
    struct raft_conf_state four = voters(1, 4);
    apply(&rig, 1, 1, &four);
    apply(&rig, 2, 1, &four);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_configuration, two_more_voters_need_not_overlap)
{
    struct rig rig;
    begin(&rig);
    struct raft_conf_state five = voters(2, 6);
    apply(&rig, 1, 1, &five);
    EXPECT(CHECK_CONFIGURATION);
    rig_release(&rig);
}

Test(check_configuration, a_joint_one_overlaps_with_both)
{
    struct rig rig;
    begin(&rig);
    struct raft_conf_state joint = voters(3, 7);
    joint.voters_outgoing = voters(1, 3).voters;
    apply(&rig, 1, 1, &joint);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_configuration, the_same_everywhere)
{
    struct rig rig;
    begin(&rig);
    struct raft_conf_state four = voters(1, 4);
    struct raft_conf_state two = voters(1, 2);
    apply(&rig, 1, 1, &four);
    apply(&rig, 2, 1, &two);
    EXPECT(CHECK_CONFIGURATION);
    rig_release(&rig);
}

Test(check_configuration, one_change_at_a_time)
{
    struct rig rig;
    begin(&rig);
    struct raft_entry second = change_at(2);
    check_append(rig.check, rig.now, 1, &second); /* The first one is not applied here. */
    EXPECT(CHECK_CONFIGURATION);
    rig_release(&rig);
}

Test(check_configuration, nobody_stands_without_knowing_who_votes)
{
    struct rig rig;
    begin(&rig);
    check_commit(rig.check, rig.now, 2, 1);
    check_role(rig.check, rig.now, 2, RAFT_PRE_CANDIDATE, 2, RAFT_NONE);
    EXPECT(CHECK_CONFIGURATION);
    rig_release(&rig);
}

Test(check_configuration, who_has_applied_may_stand)
{
    struct rig rig;
    begin(&rig);
    check_commit(rig.check, rig.now, 2, 1);
    struct raft_conf_state four = voters(1, 4);
    apply(&rig, 2, 1, &four);
    check_role(rig.check, rig.now, 2, RAFT_PRE_CANDIDATE, 2, RAFT_NONE);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}
