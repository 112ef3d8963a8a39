/* What happened, written down: every event goes into the digest; into sinks
 * (trace file, failure table, exports) only while there are any. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIM_FIELDS_MAX = 5 };

enum sim_event_kind {
#define EVENT0(name, ...) SIM_EVENT_##name,
#define EVENT1(name, ...) SIM_EVENT_##name,
#define EVENT2(name, ...) SIM_EVENT_##name,
#define EVENT3(name, ...) SIM_EVENT_##name,
#define EVENT4(name, ...) SIM_EVENT_##name,
#define EVENT5(name, ...) SIM_EVENT_##name,
#include "sim/events.def"
#undef EVENT0
#undef EVENT1
#undef EVENT2
#undef EVENT3
#undef EVENT4
#undef EVENT5
    SIM_EVENT_COUNT
};

enum sim_field_type {
    SIM_FIELD_NUMBER,
    SIM_FIELD_INDEX,
    SIM_FIELD_TERM,
    SIM_FIELD_MEMBER,
    SIM_FIELD_ID,
    SIM_FIELD_ROLE,
    SIM_FIELD_MESSAGE,
    SIM_FIELD_WIRE,
    SIM_FIELD_REQUEST,
    SIM_FIELD_STATUS,
    SIM_FIELD_STEP,
    SIM_FIELD_TIME,
    SIM_FIELD_HEX
};

struct sim_event_info {
    const char *text;
    uint32_t field_count;
    enum sim_field_type types[SIM_FIELDS_MAX];
    const char *fields[SIM_FIELDS_MAX];
};

const struct sim_event_info *sim_event_info(enum sim_event_kind kind);

struct sim_event {
    uint64_t time_ns;
    uint64_t number; /* From 1 within its run. */
    enum sim_event_kind kind;
    uint32_t machine; /* 0: the world. */
    uint64_t fields[SIM_FIELDS_MAX];
    struct base_bytes text; /* Borrowed for the call. */
};

struct sim_recorder;

struct sim_sink {
    void *context;
    void (*event)(void *context, const struct sim_event *event);
    struct sim_sink *next;         /* The recorder's. */
    struct sim_recorder *recorder; /* Whom it was added to. */
};

struct sim_recorder {
    uint64_t digest[2];
    uint64_t count;
    struct sim_sink *sinks;
    /* For SIM_FIELD_ID: a member's number by its id, 0 when unknown. */
    uint32_t (*number_of)(void *context, uint64_t id);
    void *number_context;
};

void sim_recorder_init(struct sim_recorder *recorder, uint64_t seed);
void sim_recorder_add(struct sim_recorder *recorder, struct sim_sink *sink);
/* Put one event into the digest and to the sinks. `fields` has as many as its kind. */
void sim_record(struct sim_recorder *recorder, uint64_t time_ns, enum sim_event_kind kind, uint32_t machine,
                const uint64_t *fields, struct base_bytes text);
/* 32 hex digits and a terminator: the digest of everything so far. */
void sim_recorder_digest(const struct sim_recorder *recorder, char out[33]);

/* One event as a line without its time: "role leader term 3 leader m2". Answers
 * the length it would have; writes at most `size` bytes, terminated. */
size_t sim_event_print(const struct sim_recorder *recorder, const struct sim_event *event, char *out,
                       size_t size);

#endif
