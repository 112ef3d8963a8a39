/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from a network and cannot be is refused, and changes nothing. */
#include "tests/core/raft/network.h"

#include <criterion/criterion.h>

static struct network *led_by_1(void)
{
    struct raft_config config = network_config();
    struct network *network = network_new(3, &config);
    network_elect(network, 1);
    return network;
}

static void check_refused(raft_id to, struct raft_message message, enum raft_status expected)
{
    struct network *network = led_by_1();
    struct raft_status_report before = network_status(network, to);
    message.to = to;
    cr_assert_eq(raft_step(network->nodes[to], &message), expected);
    struct raft_status_report after = network_status(network, to);
    cr_assert_eq(before.role, after.role);
    cr_assert_eq(before.hard_state.term, after.hard_state.term);
    cr_assert_eq(before.hard_state.commit, after.hard_state.commit);
    cr_assert_eq(before.last_index, after.last_index);
    cr_assert_not(raft_has_ready(network->nodes[to]));
    network_free(network);
}

Test(raft_check, local_types_do_not_come_from_the_network)
{
    enum raft_message_type types[] = {RAFT_MSG_HUP,
                                      RAFT_MSG_BEAT,
                                      RAFT_MSG_UNREACHABLE,
                                      RAFT_MSG_SNAP_STATUS,
                                      RAFT_MSG_CHECK_QUORUM,
                                      RAFT_MSG_FORGET_LEADER,
                                      RAFT_MSG_STORAGE_APPEND_RESP,
                                      RAFT_MSG_STORAGE_APPLY_RESP};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        check_refused(2, (struct raft_message){.type = types[i], .from = 1, .term = 2}, RAFT_LOCAL_MESSAGE);
    }
}

Test(raft_check, commit_beyond_the_log_is_told)
{
    check_refused(2, (struct raft_message){.type = RAFT_MSG_HEARTBEAT, .from = 1, .term = 2, .commit = 99},
                  RAFT_BEYOND_LOG);
}

Test(raft_check, answer_from_a_stranger)
{
    check_refused(1, (struct raft_message){.type = RAFT_MSG_APP_RESP, .from = 9, .term = 2},
                  RAFT_PEER_NOT_FOUND);
}

Test(raft_check, conflict_with_what_is_committed)
{
    struct raft_entry entry = {.term = 2, .index = 2};
    check_refused(2,
                  (struct raft_message){.type = RAFT_MSG_APP,
                                        .from = 3,
                                        .term = 7,
                                        .index = 1,
                                        .log_term = 1,
                                        .entries = &entry,
                                        .entry_count = 1},
                  RAFT_INVALID);
}

Test(raft_check, two_leaders_of_one_term)
{
    check_refused(1, (struct raft_message){.type = RAFT_MSG_HEARTBEAT, .from = 2, .term = 2}, RAFT_INVALID);
    check_refused(1, (struct raft_message){.type = RAFT_MSG_APP, .from = 2, .term = 2}, RAFT_INVALID);
}

Test(raft_check, acknowledgement_of_what_was_never_sent)
{
    check_refused(1, (struct raft_message){.type = RAFT_MSG_APP_RESP, .from = 2, .term = 2, .index = 50},
                  RAFT_INVALID);
}

/* Found by raft_fuzz. */
Test(raft_check, nobody_refuses_itself)
{
    check_refused(
        1, (struct raft_message){.type = RAFT_MSG_APP_RESP, .from = 1, .term = 2, .index = 3, .reject = true},
        RAFT_INVALID);
}

Test(raft_check, malformed_shapes)
{
    struct raft_entry gap = {.term = 2, .index = 9};
    struct raft_entry change = {.type = RAFT_ENTRY_CONF_CHANGE, .data = (const uint8_t *)"?", .size = 1};
    const struct raft_message malformed[] = {
        {.type = (enum raft_message_type)99, .from = 1, .term = 2},
        {.type = RAFT_MSG_APP, .from = 1, .term = 0},
        {.type = RAFT_MSG_APP, .from = 2, .term = 2},
        {.type = RAFT_MSG_APP, .from = 1, .term = UINT64_MAX},
        {.type = RAFT_MSG_APP, .from = 1, .term = 2, .index = 4},
        {.type = RAFT_MSG_APP,
         .from = 1,
         .term = 2,
         .index = 4,
         .log_term = 2,
         .entries = &gap,
         .entry_count = 1},
        {.type = RAFT_MSG_APP, .from = 1, .term = 2, .entry_count = 3},
        {.type = RAFT_MSG_SNAP, .from = 1, .term = 2},
        {.type = RAFT_MSG_VOTE, .from = 3, .term = 3, .index = 4, .log_term = 9},
        {.type = RAFT_MSG_PROP, .from = 3},
        {.type = RAFT_MSG_PROP, .from = 3, .entries = &change, .entry_count = 1},
        {.type = RAFT_MSG_READ_INDEX, .from = 3},
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        check_refused(2, malformed[i], RAFT_INVALID);
    }
}

Test(raft_check, options_that_contradict_each_other)
{
    struct raft *raft = NULL;
    struct raft_config config = network_config();
    cr_assert_eq(raft_new(&config, &cluster_allocator, &raft), RAFT_INVALID); /* No id, no generator. */
    cr_assert_null(raft);
}

static uint64_t no_draw(void *context)
{
    (void)context;
    return 0;
}

Test(raft_check, restoring_a_gap)
{
    struct raft_config config = network_config();
    config.id = 1;
    config.random = no_draw;
    struct raft *raft = NULL;
    cr_assert_eq(raft_new(&config, &cluster_allocator, &raft), RAFT_OK);
    struct raft_entry entry = {.term = 1, .index = 1};
    cr_assert_eq(raft_restore_entry(raft, &entry), RAFT_OK);
    entry.index = 3;
    cr_assert_eq(raft_restore_entry(raft, &entry), RAFT_INVALID);
    cr_assert_eq(raft_restore_hard_state(raft, &(struct raft_hard_state){.term = 1, .commit = 2}),
                 RAFT_INVALID);
    entry = (struct raft_entry){.term = 2, .index = 1}; /* Overwrites, as a WAL does. */
    cr_assert_eq(raft_restore_entry(raft, &entry), RAFT_OK);
    cr_assert_eq(raft_restore_hard_state(raft, &(struct raft_hard_state){.term = 2, .commit = 1}), RAFT_OK);
    cr_assert_eq(raft_start(raft, 1), RAFT_OK);
    cr_assert_not(raft_has_ready(raft));
    raft_free(raft);
}
