/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/linear.h"

#include <assert.h>
#include <stdlib.h>

#define PRIME ((UINT64_C(1) << 61) - 1)
#define BASE UINT64_C(1000003)

static uint64_t reduce(uint64_t value)
{
    value = (value & PRIME) + (value >> 61);
    return value >= PRIME ? value - PRIME : value;
}

/* a * b modulo 2^61 - 1, by halves. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t a_high = a >> 31;
    uint64_t a_low = a & 0x7fffffff;
    uint64_t b_high = b >> 31;
    uint64_t b_low = b & 0x7fffffff;
    uint64_t middle = reduce(a_low * b_high) + reduce(a_high * b_low);
    uint64_t sum = reduce(a_high * b_high * 2) + (middle >> 30) + ((middle & 0x3fffffff) << 31) % PRIME;
    return reduce(reduce(sum) + reduce(a_low * b_low));
}

static uint32_t intern(struct check_values *values, struct check_value value)
{
    uint64_t key = value.hash ^ value.shift << 1;
    uint32_t slot = check_table_find(&values->table, key);
    if (slot != CHECK_TABLE_NONE) {
        return slot;
    }
    if (values->count == values->capacity) {
        values->capacity = check_grown(values->capacity, values->count + 1);
        values->values = check_resize(values->values, values->capacity, sizeof values->values[0]);
    }
    check_table_add(&values->table, key, values->count);
    values->values[values->count] = value;
    return values->count++;
}

void check_values_init(struct check_values *values)
{
    *values = (struct check_values){0};
    uint32_t none = intern(values, (struct check_value){.hash = UINT64_MAX, .shift = 0});
    uint32_t empty = intern(values, (struct check_value){.hash = 0, .shift = 1});
    uint32_t any = intern(values, (struct check_value){.hash = UINT64_MAX - 1, .shift = 0});
    assert(none == CHECK_VALUE_NONE && empty == CHECK_VALUE_EMPTY && any == CHECK_VALUE_ANY);
}

void check_values_release(struct check_values *values)
{
    check_table_release(&values->table);
    free(values->values);
    *values = (struct check_values){0};
}

uint32_t check_values_enter(struct check_values *values, struct base_bytes text)
{
    struct check_value value = {.hash = 0, .shift = 1};
    for (size_t at = 0; at < text.size; at++) {
        value.hash = reduce(multiply(value.hash, BASE) + text.data[at] + 1);
        value.shift = multiply(value.shift, BASE);
    }
    return intern(values, value);
}

uint32_t check_values_append(struct check_values *values, uint32_t value, uint32_t suffix)
{
    if (value == CHECK_VALUE_ANY) {
        return CHECK_VALUE_ANY;
    }
    struct check_value head = values->values[value == CHECK_VALUE_NONE ? CHECK_VALUE_EMPTY : value];
    struct check_value tail = values->values[suffix];
    return intern(values, (struct check_value){.hash = reduce(multiply(head.hash, tail.shift) + tail.hash),
                                               .shift = multiply(head.shift, tail.shift)});
}

void check_recording_init(struct check_recording *recording)
{
    *recording = (struct check_recording){.initial = CHECK_VALUE_NONE};
    check_values_init(&recording->values);
}

void check_recording_release(struct check_recording *recording)
{
    check_values_release(&recording->values);
    free(recording->operations);
    *recording = (struct check_recording){0};
}

struct check_operation *check_recording_add(struct check_recording *recording)
{
    if (recording->count == recording->capacity) {
        recording->capacity = check_grown(recording->capacity, recording->count + 1);
        recording->operations =
            check_resize(recording->operations, recording->capacity, sizeof recording->operations[0]);
    }
    struct check_operation *operation = &recording->operations[recording->count++];
    *operation = (struct check_operation){.returned = CHECK_NEVER};
    return operation;
}
