/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/result.h"

#include "sim/campaign/memory.h"

#include <assert.h>
#include <stdlib.h>

/* Texts travel with their terminator, so that they can be used where they lie. */
static void put_text(struct base_buffer *buffer, const char *text)
{
    struct base_bytes bytes = base_bytes_of(text);
    bytes.size++;
    base_put_bytes(buffer, bytes);
}

static const char *get_text(struct base_reader *reader)
{
    struct base_bytes bytes = base_get_bytes(reader);
    assert(bytes.size > 0 && bytes.data[bytes.size - 1] == '\0');
    return (const char *)bytes.data;
}

static void get_text_into(struct base_reader *reader, char *out, size_t size)
{
    const char *text = get_text(reader);
    assert(strlen(text) < size);
    memcpy(out, text, strlen(text) + 1);
}

static void put_double(struct base_buffer *buffer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    base_put_u64(buffer, bits);
}

static double get_double(struct base_reader *reader)
{
    uint64_t bits = base_get_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put_cost(struct base_buffer *buffer, const struct sim_cost *cost)
{
    base_put_u64(buffer, cost->time_ns);
    base_put_u64(buffer, cost->operator_actions);
    base_put_u64(buffer, cost->messages);
    base_put_u64(buffer, cost->bytes);
    base_put_u64(buffer, cost->entries);
    base_put_u64(buffer, cost->syncs);
}

static void get_cost(struct base_reader *reader, struct sim_cost *cost)
{
    cost->time_ns = base_get_u64(reader);
    cost->operator_actions = base_get_u64(reader);
    cost->messages = base_get_u64(reader);
    cost->bytes = base_get_u64(reader);
    cost->entries = base_get_u64(reader);
    cost->syncs = base_get_u64(reader);
}

static void put_violation(struct base_buffer *buffer, const struct check_violation *violation)
{
    base_put_u8(buffer, (uint8_t)violation->judge);
    base_put_u64(buffer, violation->time_ns);
    base_put_u32(buffer, violation->machine);
    put_text(buffer, violation->sentence);
}

static void get_violation(struct base_reader *reader, struct check_violation *violation)
{
    violation->judge = (enum check_judge)base_get_u8(reader);
    assert((unsigned)violation->judge < CHECK_COUNT);
    violation->time_ns = base_get_u64(reader);
    violation->machine = base_get_u32(reader);
    get_text_into(reader, violation->sentence, sizeof violation->sentence);
}

/* Counts that are not zero, by place; the tables are mostly empty. */
static void put_coverage(struct base_buffer *buffer, const struct sim_coverage *coverage)
{
    uint32_t counts[sizeof *coverage / sizeof(uint32_t)];
    uint32_t count = 0;
    size_t at = buffer->size;
    base_put_u32(buffer, 0);
    if (!coverage) {
        return;
    }
    memcpy(counts, coverage, sizeof counts);
    for (uint32_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i] > 0) {
            base_put_u16(buffer, (uint16_t)i);
            base_put_u32(buffer, counts[i]);
            count++;
        }
    }
    base_store_u32(buffer->data + at, count);
}

static void get_coverage(struct base_reader *reader, struct script_outcome *outcome)
{
    uint32_t counts[sizeof *outcome->coverage / sizeof(uint32_t)] = {0};
    uint32_t count = base_get_u32(reader);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t place = base_get_u16(reader);
        assert(place < sizeof counts / sizeof counts[0]);
        counts[place] = base_get_u32(reader);
    }
    if (count > 0) {
        outcome->coverage = campaign_alloc(sizeof *outcome->coverage);
        memcpy(outcome->coverage, counts, sizeof counts);
    }
}

void campaign_result_put(struct base_buffer *buffer, const struct script_outcome *outcome,
                         const char *digest_again)
{
    base_put_u8(buffer, (uint8_t)outcome->verdict);
    if (outcome->verdict == SCRIPT_VIOLATED) {
        put_violation(buffer, &outcome->violation);
    }
    put_text(buffer, outcome->error);
    put_text(buffer, outcome->digest);
    put_text(buffer, digest_again);
    base_put_u64(buffer, outcome->events);
    base_put_u64(buffer, outcome->time_ns);
    put_cost(buffer, &outcome->cost);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        base_put_u64(buffer, outcome->armed[i]);
    }
    base_put_i64(buffer, outcome->lease_margin_ns);
    base_put_u32(buffer, outcome->metric_count);
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        put_text(buffer, outcome->metrics[i].name);
        put_double(buffer, outcome->metrics[i].value);
    }
    base_put_u32(buffer, outcome->sometimes_count);
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        put_text(buffer, outcome->sometimes[i].name);
        base_put_u8(buffer, outcome->sometimes[i].was_true);
    }
    base_put_u32(buffer, outcome->drawn_count);
    for (uint32_t i = 0; i < outcome->drawn_count; i++) {
        put_text(buffer, outcome->drawn[i].name);
        put_text(buffer, outcome->drawn[i].value);
    }
    put_coverage(buffer, outcome->coverage);
}

static void get_lists(struct base_reader *reader, struct script_outcome *outcome)
{
    outcome->metric_count = base_get_u32(reader);
    outcome->metrics = campaign_alloc(outcome->metric_count * sizeof outcome->metrics[0]);
    for (uint32_t i = 0; i < outcome->metric_count; i++) {
        outcome->metrics[i].name = get_text(reader);
        outcome->metrics[i].value = get_double(reader);
    }
    outcome->sometimes_count = base_get_u32(reader);
    outcome->sometimes = campaign_alloc(outcome->sometimes_count * sizeof outcome->sometimes[0]);
    for (uint32_t i = 0; i < outcome->sometimes_count; i++) {
        outcome->sometimes[i].name = get_text(reader);
        outcome->sometimes[i].was_true = base_get_u8(reader) != 0;
    }
    outcome->drawn_count = base_get_u32(reader);
    outcome->drawn = campaign_alloc(outcome->drawn_count * sizeof outcome->drawn[0]);
    for (uint32_t i = 0; i < outcome->drawn_count; i++) {
        outcome->drawn[i].name = get_text(reader);
        outcome->drawn[i].value = get_text(reader);
    }
    get_coverage(reader, outcome);
}

void campaign_result_get(struct campaign_result *result, struct base_bytes bytes)
{
    *result = (struct campaign_result){0};
    struct script_outcome *outcome = &result->outcome;
    struct base_reader reader;
    base_reader_init(&reader, bytes);
    outcome->verdict = (enum script_verdict)base_get_u8(&reader);
    if (outcome->verdict == SCRIPT_VIOLATED) {
        get_violation(&reader, &outcome->violation);
    }
    get_text_into(&reader, outcome->error, sizeof outcome->error);
    get_text_into(&reader, outcome->digest, sizeof outcome->digest);
    get_text_into(&reader, result->digest_again, sizeof result->digest_again);
    outcome->events = base_get_u64(&reader);
    outcome->time_ns = base_get_u64(&reader);
    get_cost(&reader, &outcome->cost);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        outcome->armed[i] = base_get_u64(&reader);
    }
    outcome->lease_margin_ns = base_get_i64(&reader);
    get_lists(&reader, outcome);
    assert(!reader.failed);
    assert(base_reader_left(&reader) == 0);
}

void campaign_result_release(struct campaign_result *result)
{
    free(result->outcome.metrics);
    free(result->outcome.sometimes);
    free(result->outcome.drawn);
    free(result->outcome.coverage);
    *result = (struct campaign_result){0};
}
