/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/coverage.h"

#include "core/raft/text.h"

#include <assert.h>

static const char *const fault_texts[] = {
#define FAULT(name, text) text,
#include "sim/coverage.def"
};

static const char *const frame_texts[] = {
#define FRAME(name, text) text,
#include "sim/coverage.def"
};

uint32_t sim_coverage_message(const struct wire_message *message)
{
    return message->kind == WIRE_RAFT ? (uint32_t)message->raft.type
                                      : RAFT_MSG_COUNT + (uint32_t)message->kind;
}

const char *sim_coverage_message_text(uint32_t message)
{
    assert(message < SIM_MESSAGE_COUNT);
    return message < RAFT_MSG_COUNT ? raft_text_message_type((enum raft_message_type)message)
                                    : wire_kind_text((enum wire_kind)(message - RAFT_MSG_COUNT));
}

bool sim_coverage_is_datagram(uint32_t message)
{
    return message < RAFT_MSG_COUNT && message != RAFT_MSG_PROP && message != RAFT_MSG_SNAP;
}

bool sim_fault_can_find(enum sim_fault fault, enum sim_station station)
{
    return fault == SIM_FAULT_WIPE ? station == SIM_DOWN : station < SIM_DOWN;
}

bool sim_frame_fault_can_befall(enum sim_frame_fault fault, uint32_t message)
{
    return (fault != SIM_FRAME_DOUBLE && fault != SIM_FRAME_OVERTAKE) || sim_coverage_is_datagram(message);
}

const char *sim_fault_text(enum sim_fault fault)
{
    return fault_texts[fault];
}

const char *sim_frame_fault_text(enum sim_frame_fault fault)
{
    return frame_texts[fault];
}

const char *sim_station_text(enum sim_station station)
{
    static const char *const texts[] = {
        [SIM_LEADER] = "leader",   [SIM_FOLLOWER] = "follower", [SIM_CANDIDATE] = "candidate",
        [SIM_LEARNER] = "learner", [SIM_DOWN] = "down",         [SIM_PRE_CANDIDATE] = "pre-candidate",
        [SIM_CLIENT] = "client",
    };
    return texts[station];
}

const char *sim_coverage_name(uint32_t number)
{
    return number < SIM_FAULT_COUNT                     ? fault_texts[number]
           : number < SIM_FAULT_COUNT + SIM_FRAME_COUNT ? frame_texts[number - SIM_FAULT_COUNT]
                                                        : NULL;
}

uint64_t sim_coverage_total(const struct sim_coverage *coverage, uint32_t number)
{
    uint64_t total = 0;
    if (number < SIM_FAULT_COUNT) {
        for (uint32_t i = 0; i < SIM_STATION_COUNT; i++) {
            total += coverage->faults[number][i];
        }
    } else {
        assert(number < SIM_FAULT_COUNT + SIM_FRAME_COUNT);
        for (uint32_t i = 0; i < SIM_MESSAGE_COUNT; i++) {
            total += coverage->frames[number - SIM_FAULT_COUNT][i];
        }
    }
    return total;
}
