/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/event_text.h"

#include "core/base/status.h"
#include "core/wire/wire.h"
#include "sim/options.h"

#include <assert.h>
#include <stdio.h>

static const struct sim_event_info infos[SIM_EVENT_COUNT] = {
#define TYPE(type) SIM_FIELD_##type
#define EVENT0(name, text) {text, 0, {0}, {0}},
#define EVENT1(name, text, t0, f0) {text, 1, {TYPE(t0)}, {#f0}},
#define EVENT2(name, text, t0, f0, t1, f1) {text, 2, {TYPE(t0), TYPE(t1)}, {#f0, #f1}},
#define EVENT3(name, text, t0, f0, t1, f1, t2, f2) {text, 3, {TYPE(t0), TYPE(t1), TYPE(t2)}, {#f0, #f1, #f2}},
#define EVENT4(name, text, t0, f0, t1, f1, t2, f2, t3, f3)                                                   \
    {text, 4, {TYPE(t0), TYPE(t1), TYPE(t2), TYPE(t3)}, {#f0, #f1, #f2, #f3}},
#define EVENT5(name, text, t0, f0, t1, f1, t2, f2, t3, f3, t4, f4)                                           \
    {text, 5, {TYPE(t0), TYPE(t1), TYPE(t2), TYPE(t3), TYPE(t4)}, {#f0, #f1, #f2, #f3, #f4}},
#include "sim/events.def"
#undef TYPE
#undef EVENT0
#undef EVENT1
#undef EVENT2
#undef EVENT3
#undef EVENT4
#undef EVENT5
};

static const char *const role_names[] = {"follower", "candidate", "leader", "pre-candidate"};

static const char *const message_names[RAFT_MSG_COUNT] = {
    "MsgHup",
    "MsgBeat",
    "MsgProp",
    "MsgApp",
    "MsgAppResp",
    "MsgVote",
    "MsgVoteResp",
    "MsgSnap",
    "MsgHeartbeat",
    "MsgHeartbeatResp",
    "MsgUnreachable",
    "MsgSnapStatus",
    "MsgCheckQuorum",
    "MsgTransferLeader",
    "MsgTimeoutNow",
    "MsgReadIndex",
    "MsgReadIndexResp",
    "MsgPreVote",
    "MsgPreVoteResp",
    "MsgStorageAppend",
    "MsgStorageAppendResp",
    "MsgStorageApply",
    "MsgStorageApplyResp",
    "MsgForgetLeader",
};

/* What is being written: `length` counts what would be there without a limit. */
struct line {
    char *out;
    size_t size;
    size_t length;
};

const struct sim_event_info *sim_event_info(enum sim_event_kind kind)
{
    assert(kind < SIM_EVENT_COUNT);
    return &infos[kind];
}

const char *sim_role_text(enum raft_role role)
{
    assert((size_t)role < sizeof role_names / sizeof role_names[0]);
    return role_names[role];
}

const char *sim_message_text(enum raft_message_type type)
{
    assert(type < RAFT_MSG_COUNT);
    return message_names[type];
}

static void put_char(struct line *line, char c)
{
    if (line->length + 1 < line->size) {
        line->out[line->length] = c;
    }
    line->length++;
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put_char(line, *text++);
    }
}

static void put_decimal(struct line *line, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_text(line, digits);
}

static void put_hex(struct line *line, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llx", (unsigned long long)value);
    put_text(line, digits);
}

static void put_seconds(struct line *line, uint64_t time_ns)
{
    char digits[40];
    (void)snprintf(digits, sizeof digits, "%llu.%09llus", (unsigned long long)(time_ns / 1000000000),
                   (unsigned long long)(time_ns % 1000000000));
    put_text(line, digits);
}

/* "m3"; beyond the members, "c67". */
static void put_machine(struct line *line, uint64_t number)
{
    if (number == 0) {
        put_text(line, "none");
        return;
    }
    put_char(line, number > SIM_MEMBERS_MAX ? 'c' : 'm');
    put_decimal(line, number);
}

static void put_id(struct line *line, const struct sim_recorder *recorder, uint64_t id)
{
    uint32_t number = recorder->number_of && id != 0 ? recorder->number_of(recorder->number_context, id) : 0;
    if (number == 0 && id != 0) {
        put_hex(line, id);
        return;
    }
    put_machine(line, number);
}

/* A number without a name in its list is shown as it is: a trace may be damaged. */
static void put_named(struct line *line, uint64_t value, uint64_t count, const char *name)
{
    if (value < count) {
        put_text(line, name);
        return;
    }
    put_char(line, '?');
    put_decimal(line, value);
}

static void put_value(struct line *line, const struct sim_recorder *recorder, enum sim_field_type type,
                      uint64_t value)
{
    switch (type) {
    case SIM_FIELD_NUMBER:
    case SIM_FIELD_INDEX:
    case SIM_FIELD_TERM:
    case SIM_FIELD_STEP:
        put_decimal(line, value);
        break;
    case SIM_FIELD_MEMBER:
        put_machine(line, value);
        break;
    case SIM_FIELD_ID:
        put_id(line, recorder, value);
        break;
    case SIM_FIELD_ROLE:
        put_named(line, value, 4, value < 4 ? role_names[value] : "");
        break;
    case SIM_FIELD_MESSAGE:
        put_named(line, value, RAFT_MSG_COUNT, value < RAFT_MSG_COUNT ? message_names[value] : "");
        break;
    case SIM_FIELD_WIRE:
        put_named(line, value, WIRE_KIND_COUNT,
                  value < WIRE_KIND_COUNT ? wire_kind_text((enum wire_kind)value) : "");
        break;
    case SIM_FIELD_REQUEST:
        put_named(line, value, WIRE_REQUEST_KIND_COUNT,
                  value < WIRE_REQUEST_KIND_COUNT ? wire_request_text((enum wire_request_kind)value) : "");
        break;
    case SIM_FIELD_STATUS:
        put_named(line, value, BASE_STATUS_COUNT,
                  value < BASE_STATUS_COUNT ? base_status_text((enum base_status)value) : "");
        break;
    case SIM_FIELD_TIME:
        put_seconds(line, value);
        break;
    case SIM_FIELD_HEX:
        put_hex(line, value);
        break;
    }
}

/* A word that says by itself what it is needs no name before it. */
static bool speaks_for_itself(enum sim_field_type type)
{
    return type == SIM_FIELD_ROLE || type == SIM_FIELD_MESSAGE || type == SIM_FIELD_WIRE ||
           type == SIM_FIELD_REQUEST || type == SIM_FIELD_STATUS;
}

static void put_field_name(struct line *line, const char *name)
{
    for (; *name != '\0'; name++) {
        put_char(line, *name == '_' ? ' ' : *name);
    }
    put_char(line, ' ');
}

static void put_bytes(struct line *line, struct base_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (c >= ' ' && c != 0x7f) {
            put_char(line, (char)c);
            continue;
        }
        put_text(line, "\\x");
        put_char(line, "0123456789abcdef"[c >> 4]);
        put_char(line, "0123456789abcdef"[c & 15]);
    }
}

size_t sim_event_print_as(const struct sim_recorder *recorder, const struct sim_event_info *info,
                          const struct sim_event *event, char *out, size_t size)
{
    assert(info->field_count <= SIM_FIELDS_MAX);
    struct line line = {.out = out, .size = size};
    put_text(&line, info->text);
    for (uint32_t i = 0; i < info->field_count; i++) {
        put_char(&line, ' ');
        if (!speaks_for_itself(info->types[i])) {
            put_field_name(&line, info->fields[i]);
        }
        put_value(&line, recorder, info->types[i], event->fields[i]);
    }
    if (event->text.size > 0) {
        put_text(&line, ": ");
        put_bytes(&line, event->text);
    }
    if (size > 0) {
        out[line.length < size ? line.length : size - 1] = '\0';
    }
    return line.length;
}

size_t sim_event_print(const struct sim_recorder *recorder, const struct sim_event *event, char *out,
                       size_t size)
{
    return sim_event_print_as(recorder, sim_event_info(event->kind), event, out, size);
}
