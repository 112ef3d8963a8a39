/* What a run has seen: which faults befell members of which role, which befell
 * messages of which kind, and between which roles each kind of message passed. Plain
 * counts, so that runs can be added up; nothing in the world depends on them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include "core/wire/wire.h"

enum sim_fault {
#define FAULT(name, text) SIM_FAULT_##name,
#include "sim/coverage.def"
    SIM_FAULT_COUNT
};

enum sim_frame_fault {
#define FRAME(name, text) SIM_FRAME_##name,
#include "sim/coverage.def"
    SIM_FRAME_COUNT
};

/* What a machine is to the others. */
enum sim_station {
    SIM_LEADER,
    SIM_FOLLOWER,
    SIM_CANDIDATE,
    SIM_PRE_CANDIDATE,
    SIM_LEARNER,
    SIM_DOWN,
    SIM_CLIENT,
    SIM_STATION_COUNT
};

/* Raft's messages first, then the other kinds. */
enum { SIM_MESSAGE_COUNT = RAFT_MSG_COUNT + WIRE_KIND_COUNT };

struct sim_coverage {
    uint32_t faults[SIM_FAULT_COUNT][SIM_STATION_COUNT];
    uint32_t frames[SIM_FRAME_COUNT][SIM_MESSAGE_COUNT];
    uint32_t passed[SIM_MESSAGE_COUNT][SIM_STATION_COUNT][SIM_STATION_COUNT]; /* From, to. */
};

/* The place of a message in the tables. */
uint32_t sim_coverage_message(const struct wire_message *message);
const char *sim_coverage_message_text(uint32_t message);
/* One of Raft's own, which may be doubled and overtaken; all else comes in streams. */
bool sim_coverage_is_datagram(uint32_t message);
/* Can the fault find a member in that role, and befall a message of that kind? A wipe
 * finds who is down; what else finds them there is not asked for. */
bool sim_fault_can_find(enum sim_fault fault, enum sim_station station);
bool sim_frame_fault_can_befall(enum sim_frame_fault fault, uint32_t message);
const char *sim_fault_text(enum sim_fault fault);
const char *sim_frame_fault_text(enum sim_frame_fault fault);
const char *sim_station_text(enum sim_station station);
/* Every fault's name, those of frames behind the others; NULL beyond the last. */
const char *sim_coverage_name(uint32_t number);
/* How often the fault of that number happened to anybody. */
uint64_t sim_coverage_total(const struct sim_coverage *coverage, uint32_t number);

#endif
