/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/record.h"

#include <assert.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 wide;

static const uint8_t field_counts[SIM_EVENT_COUNT] = {
#define EVENT0(...) 0,
#define EVENT1(...) 1,
#define EVENT2(...) 2,
#define EVENT3(...) 3,
#define EVENT4(...) 4,
#define EVENT5(...) 5,
#include "sim/events.def"
#undef EVENT0
#undef EVENT1
#undef EVENT2
#undef EVENT3
#undef EVENT4
#undef EVENT5
};

/* Odd, half of their bits set, and otherwise without meaning. */
static const uint64_t field_keys[SIM_FIELDS_MAX + 1] = {
    UINT64_C(0xa0761d6478bd642f), UINT64_C(0xe7037ed1a0b428db), UINT64_C(0x8ebc6af09c88c6e3),
    UINT64_C(0x589965cc75374cc3), UINT64_C(0x1d8e4e27c47d124f), UINT64_C(0xeb44accab455d165),
};
static const uint64_t time_key = UINT64_C(0x9ddfea08eb382d69);
static const uint64_t kind_key = UINT64_C(0xc2b2ae3d27d4eb4f);
static const uint64_t chain_keys[2] = {UINT64_C(0x9e3779b185ebca87), UINT64_C(0xd6e8feb86659fd93)};

static uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static wide product(uint64_t a, uint32_t key_a, uint64_t b, uint32_t key_b)
{
    return (wide)(a ^ field_keys[key_a]) * (b ^ field_keys[key_b]);
}

/* Fields are multiplied in pairs, each with a key of its place, so that these
 * products do not wait for each other; only their sum is chained to what went
 * before: its low half in one lane, its high half in the other. */
static wide sum_of_fields(const uint64_t *fields, uint32_t count)
{
    switch (count) {
    case 0:
        return 0;
    case 1:
        return product(fields[0], 0, 0, 1);
    case 2:
        return product(fields[0], 0, fields[1], 1);
    case 3:
        return product(fields[0], 0, fields[1], 1) + product(fields[2], 2, 0, 3);
    case 4:
        return product(fields[0], 0, fields[1], 1) + product(fields[2], 2, fields[3], 3);
    default:
        assert(count == SIM_FIELDS_MAX);
        return product(fields[0], 0, fields[1], 1) + product(fields[2], 2, fields[3], 3) +
               product(fields[4], 4, 0, 5);
    }
}

static void chain(uint64_t digest[2], wide sum)
{
    digest[0] = fold(digest[0] ^ (uint64_t)sum, chain_keys[0]);
    digest[1] = fold(digest[1] ^ (uint64_t)(sum >> 64), chain_keys[1]) + digest[0];
}

__attribute__((noinline)) static void chain_text(uint64_t digest[2], struct base_bytes text)
{
    size_t at = 0;
    for (; text.size - at > 8; at += 8) {
        chain(digest, (wide)(base_load_u64(text.data + at) ^ field_keys[0]) * time_key);
    }
    uint8_t tail[8] = {0};
    memcpy(tail, text.data + at, text.size - at);
    chain(digest, (wide)(base_load_u64(tail) ^ field_keys[0]) * (text.size ^ kind_key));
}

void sim_recorder_init(struct sim_recorder *recorder, uint64_t seed)
{
    *recorder = (struct sim_recorder){0};
    recorder->digest[0] = fold(seed ^ field_keys[0], field_keys[1]);
    recorder->digest[1] = fold(seed ^ field_keys[2], field_keys[3]);
}

void sim_recorder_add(struct sim_recorder *recorder, struct sim_sink *sink)
{
    assert(sink->event);
    struct sim_sink **last = &recorder->sinks;
    while (*last) {
        assert(*last != sink);
        last = &(*last)->next;
    }
    sink->next = NULL;
    sink->recorder = recorder;
    *last = sink;
}

__attribute__((noinline)) static void tell_sinks(const struct sim_recorder *recorder, uint64_t time_ns,
                                                 enum sim_event_kind kind, uint32_t machine,
                                                 const uint64_t *fields, struct base_bytes text)
{
    struct sim_event event = {
        .time_ns = time_ns, .number = recorder->count, .kind = kind, .machine = machine, .text = text};
    for (uint32_t i = 0; i < field_counts[kind]; i++) {
        event.fields[i] = fields[i];
    }
    for (const struct sim_sink *sink = recorder->sinks; sink; sink = sink->next) {
        sink->event(sink->context, &event);
    }
}

void sim_record(struct sim_recorder *recorder, uint64_t time_ns, enum sim_event_kind kind, uint32_t machine,
                const uint64_t *fields, struct base_bytes text)
{
    assert(kind < SIM_EVENT_COUNT);
    wide sum = (wide)(time_ns ^ time_key) * (((uint64_t)machine << 32 | (uint32_t)kind) ^ kind_key);
    sum += sum_of_fields(fields, field_counts[kind]);
    chain(recorder->digest, sum);
    if (text.size > 0) {
        chain_text(recorder->digest, text);
    }
    recorder->count++;
    if (recorder->sinks) {
        tell_sinks(recorder, time_ns, kind, machine, fields, text);
    }
}

void sim_recorder_digest(const struct sim_recorder *recorder, char out[33])
{
    uint64_t high = fold(recorder->digest[0] ^ recorder->count, time_key);
    uint64_t low = fold(recorder->digest[1] ^ recorder->count, kind_key);
    (void)snprintf(out, 33, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
}
