/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/wire.h"
#include "reports/flight.h"

#include <criterion/criterion.h>

static uint64_t match(struct report_flight *flight, uint64_t number, enum sim_event_kind kind,
                      uint32_t machine, uint64_t other, uint64_t message)
{
    struct sim_event event = {.time_ns = number * 9000000,
                              .number = number,
                              .kind = kind,
                              .machine = machine,
                              .fields = {other, message, 1}};
    return report_flight_match(flight, &event);
}

Test(flight, alike_messages_arrive_in_order)
{
    struct report_flight *flight = report_flight_new();
    match(flight, 1, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    match(flight, 2, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    cr_assert_eq(match(flight, 3, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_APP), 0);
    cr_assert_eq(match(flight, 4, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 1);
    cr_assert_eq(match(flight, 5, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 2);
    cr_assert_eq(match(flight, 6, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 0, "its twin");
    report_flight_free(flight);
}

Test(flight, lost_is_what_was_just_sent_or_the_oldest_of_its_kind)
{
    struct report_flight *flight = report_flight_new();
    match(flight, 1, SIM_EVENT_SEND, 1, 2, RAFT_MSG_APP);
    match(flight, 2, SIM_EVENT_SEND_STREAM, 1, 2, WIRE_SNAPSHOT_CHUNK);
    match(flight, 3, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    cr_assert_eq(match(flight, 4, SIM_EVENT_LOSE, 1, 2, WIRE_RAFT), 3);
    cr_assert_eq(match(flight, 9, SIM_EVENT_LOSE, 1, 2, WIRE_SNAPSHOT_CHUNK), 2);
    cr_assert_eq(match(flight, 10, SIM_EVENT_REFUSE, 2, 1, WIRE_RAFT), 1);
    report_flight_free(flight);
}

Test(flight, nothing_said_before_a_cut_or_a_start_arrives)
{
    struct report_flight *flight = report_flight_new();
    match(flight, 1, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    match(flight, 2, SIM_EVENT_SEND, 3, 2, RAFT_MSG_HEARTBEAT);
    match(flight, 3, SIM_EVENT_CUT, 0, 1, 2);
    cr_assert_eq(match(flight, 4, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 0);
    match(flight, 5, SIM_EVENT_RESTART, 2, 2, 0);
    cr_assert_eq(match(flight, 6, SIM_EVENT_RECEIVE, 2, 3, RAFT_MSG_HEARTBEAT), 0);
    report_flight_free(flight);
}

Test(flight, what_waits_at_a_paused_machine_outlives_a_cut)
{
    struct report_flight *flight = report_flight_new();
    match(flight, 1, SIM_EVENT_PAUSE, 2, 0, 0);
    match(flight, 2, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    match(flight, 3, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    match(flight, 4, SIM_EVENT_CUT, 0, 1, 2);
    match(flight, 5, SIM_EVENT_RESUME, 2, 0, 0);
    cr_assert_eq(match(flight, 6, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 2);
    match(flight, 7, SIM_EVENT_HEAL, 0, 1, 2);
    cr_assert_eq(match(flight, 8, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 0, "the cut took it");
    report_flight_free(flight);
}

Test(flight, old_messages_are_forgotten)
{
    struct report_flight *flight = report_flight_new();
    for (uint64_t i = 1; i <= REPORT_FLIGHT_MAX + 2; i++) {
        match(flight, i, SIM_EVENT_SEND, 1, 2, RAFT_MSG_HEARTBEAT);
    }
    cr_assert_eq(match(flight, 9000, SIM_EVENT_RECEIVE, 2, 1, RAFT_MSG_HEARTBEAT), 3);
    report_flight_free(flight);
}
