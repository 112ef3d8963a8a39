/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/state.h"
#include "core/raft/text.h"
#include "tests/core/raft/network.h"

#include <criterion/criterion.h>

/* What a node is and says, as text. */
static void describe(struct raft *raft, struct base_buffer *out)
{
    struct raft_status_report status;
    raft_get_status(raft, &status);
    raft_text_string(out, raft_text_role(status.role));
    raft_text_hard_state(out, &status.hard_state);
    raft_text_decimal(out, raft->election_elapsed);
    raft_text_string(out, "/");
    raft_text_decimal(out, raft->heartbeat_elapsed);
    struct raft_ready ready;
    raft_ready(raft, &ready);
    raft_text_ready(out, &ready);
    raft_advance(raft);
}

/* Two equal networks whose node 1 is a leader, or not. */
static void check_same(bool is_leader, bool check_quorum, uint64_t before, uint64_t ticks)
{
    struct raft_config config = network_config();
    config.heartbeat_ticks = 3;
    config.check_quorum = check_quorum;
    config.pre_vote = ticks % 2 == 0;
    struct network *pair[2];
    struct base_buffer text[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = network_new(3, &config);
        if (is_leader) {
            network_elect(pair[i], 1);
        }
        raft_tick(pair[i]->nodes[1], before);
        base_buffer_init(&text[i], &cluster_allocator);
    }
    raft_tick(pair[0]->nodes[1], ticks);
    for (uint64_t i = 0; i < ticks; i++) {
        raft_tick(pair[1]->nodes[1], 1);
    }
    for (int i = 0; i < 2; i++) {
        describe(pair[i]->nodes[1], &text[i]);
    }
    cr_assert(base_bytes_equal(base_buffer_view(&text[0]), base_buffer_view(&text[1])), "%d %d %d %d",
              is_leader, check_quorum, (int)before, (int)ticks);
    for (int i = 0; i < 2; i++) {
        base_buffer_release(&text[i]);
        network_free(pair[i]);
    }
}

Test(raft_tick, many_at_once_equal_as_many_single_ones)
{
    for (uint64_t before = 0; before < 12; before += 5) {
        for (uint64_t ticks = 1; ticks < 60; ticks += 7) {
            check_same(false, false, before, ticks);
            check_same(true, false, before, ticks);
            check_same(true, true, before, ticks);
        }
    }
}

/* Until it is due nothing comes up; when it is, something does. */
static void check_due(struct network *network, raft_id id)
{
    struct raft *raft = network->nodes[id];
    uint64_t due = raft_due_ticks(raft);
    cr_assert_neq(due, 0);
    if (due > 1 && due != UINT64_MAX) {
        raft_tick(raft, due - 1);
        cr_assert_not(raft_has_ready(raft));
        cr_assert_eq(raft_due_ticks(raft), 1);
        raft_tick(raft, 1);
    } else {
        raft_tick(raft, 1);
    }
}

Test(raft_tick, due_is_neither_late_nor_early)
{
    struct raft_config config = network_config();
    config.heartbeat_ticks = 4;
    struct network *network = network_new(3, &config);
    check_due(network, 2);
    cr_assert(raft_has_ready(network->nodes[2])); /* It stands. */
    network_settle(network);
    cr_assert_eq(network_status(network, 2).role, RAFT_LEADER);
    cr_assert_eq(raft_due_ticks(network->nodes[2]), 4);
    check_due(network, 2);
    cr_assert(raft_has_ready(network->nodes[2])); /* A heartbeat. */
    network_free(network);
}

Test(raft_tick, who_cannot_stand_is_never_due)
{
    struct raft_config config = network_config();
    struct network *network = network_new(1, &config);
    struct raft_config other = config;
    other.id = 9;
    other.random = network->nodes[1]->config.random;
    other.random_context = network;
    struct raft *raft = NULL;
    cr_assert_eq(raft_new(&other, &cluster_allocator, &raft), RAFT_OK);
    cr_assert_eq(raft_start(raft, 0), RAFT_OK);
    cr_assert_eq(raft_due_ticks(raft), UINT64_MAX);
    raft_tick(raft, UINT64_MAX);
    cr_assert_not(raft_has_ready(raft));
    raft_free(raft);
    network_free(network);
}

/* §5.2: timeouts are spread, so that elections rarely tie. */
Test(raft_tick, timeouts_are_spread)
{
    struct raft_config config = network_config();
    struct network *network = network_new(3, &config);
    uint32_t seen[20] = {0};
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t timeout = network->nodes[1]->election_timeout;
        cr_assert(timeout >= 10 && timeout < 20);
        seen[timeout]++;
        raft_become_follower(network->nodes[1], network->nodes[1]->term, RAFT_NONE);
    }
    for (uint32_t timeout = 10; timeout < 20; timeout++) {
        cr_assert_gt(seen[timeout], 15);
    }
    network_free(network);
}
