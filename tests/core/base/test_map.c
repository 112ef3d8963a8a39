/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/map.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { KEYS = 4096 };

/* Keys of one to four bytes; a key's place among all is its number. */
struct twin {
    size_t bytes;
    struct base_allocator allocator;
    struct base_map map;
    bool is_in[KEYS];
    size_t count;
    uint8_t keys[KEYS][4];
    uint64_t random;
};

static void *counting_resize(void *context, void *block, size_t size_old, size_t size_new)
{
    size_t *bytes = context;
    *bytes = *bytes - (block ? size_old : 0) + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    return moved ? moved : (abort(), NULL);
}

static uint32_t below(struct twin *twin, uint32_t bound)
{
    twin->random = twin->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(twin->random >> 33) % bound;
}

/* Number 0..KEYS as a byte string in the same order: base 8 digits, trailing zero
 * digits left out, so that many keys are the beginning of others. */
static struct base_bytes key_of(struct twin *twin, uint32_t number)
{
    uint8_t *key = twin->keys[number];
    size_t size = 4;
    for (int i = 3; i >= 0; i--) {
        key[i] = (uint8_t)(number >> (3 * (3 - i)) & 7);
    }
    while (size > 1 && key[size - 1] == 0) {
        size--;
    }
    return (struct base_bytes){.data = key, .size = size};
}

static struct twin *twin_new(uint64_t seed)
{
    struct twin *twin = calloc(1, sizeof *twin);
    cr_assert(twin);
    twin->allocator = (struct base_allocator){.resize = counting_resize, .context = &twin->bytes};
    twin->random = seed;
    base_map_init(&twin->map, &twin->allocator);
    return twin;
}

static void twin_free(struct twin *twin)
{
    base_map_release(&twin->map);
    cr_assert_eq(twin->bytes, 0);
    free(twin);
}

static void insert(struct twin *twin, uint32_t number)
{
    if (!twin->is_in[number]) {
        base_map_insert(&twin->map, key_of(twin, number), &twin->is_in[number]);
        twin->is_in[number] = true;
        twin->count++;
    }
}

static void take_out(struct twin *twin, uint32_t number)
{
    struct base_bytes key = key_of(twin, number);
    void *value = base_map_remove(&twin->map, key);
    cr_assert_eq(value, twin->is_in[number] ? &twin->is_in[number] : NULL);
    twin->count -= twin->is_in[number];
    twin->is_in[number] = false;
    memset(twin->keys[number], 0xee, 4); /* Nobody may look at a key that is out. */
}

/* Everything from `number` on, in order. */
static void expect_from(struct twin *twin, uint32_t number)
{
    uint8_t bytes[4];
    struct base_bytes key = key_of(twin, number);
    memcpy(bytes, key.data, key.size);
    struct base_map_cursor cursor =
        base_map_seek(&twin->map, (struct base_bytes){.data = bytes, .size = key.size});
    for (uint32_t i = number; i < KEYS; i++) {
        if (twin->is_in[i]) {
            cr_assert_eq(base_map_next(&cursor), &twin->is_in[i]);
        }
    }
    cr_assert_null(base_map_next(&cursor));
    cr_assert_null(base_map_next(&cursor));
}

static void expect_get(struct twin *twin, uint32_t number)
{
    cr_assert_eq(base_map_get(&twin->map, key_of(twin, number)),
                 twin->is_in[number] ? &twin->is_in[number] : NULL);
    cr_assert_eq(twin->map.count, twin->count);
}

Test(base_map, agrees_with_a_table_over_random_steps)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct twin *twin = twin_new(seed);
        uint32_t keys = seed % 2 == 0 ? KEYS : 100;
        for (uint32_t step = 0; step < 40000; step++) {
            /* It grows and shrinks in turn. */
            bool is_growing = step / 5000 % 2 == 0;
            uint32_t number = below(twin, keys);
            if (below(twin, 10) < (is_growing ? 7 : 3)) {
                insert(twin, number);
            } else {
                take_out(twin, number);
            }
            expect_get(twin, below(twin, keys));
            if (step % 400 == 0) {
                expect_from(twin, below(twin, keys));
            }
        }
        twin_free(twin);
    }
}

Test(base_map, rising_and_falling_runs)
{
    struct twin *twin = twin_new(1);
    for (uint32_t number = 0; number < KEYS; number++) {
        insert(twin, number);
    }
    expect_from(twin, 0);
    for (uint32_t number = 0; number < KEYS; number += 2) {
        take_out(twin, number);
    }
    expect_from(twin, 0);
    for (uint32_t number = KEYS; number-- > 0;) {
        take_out(twin, number);
    }
    cr_assert_eq(twin->bytes, 0);
    for (uint32_t number = KEYS; number-- > 0;) {
        insert(twin, number);
    }
    expect_from(twin, 0);
    twin_free(twin);
}

Test(base_map, empty_has_nothing_and_no_memory)
{
    struct twin *twin = twin_new(1);
    expect_get(twin, 5);
    expect_from(twin, 0);
    take_out(twin, 5);
    cr_assert_eq(twin->bytes, 0);
    twin_free(twin);
}

Test(base_map, memory_stays_near_the_entries)
{
    struct twin *twin = twin_new(1);
    for (uint32_t number = 0; number < KEYS; number++) {
        insert(twin, number);
    }
    size_t full = twin->bytes;
    cr_assert_lt(full, KEYS * 24 * 3);
    for (uint32_t number = 0; number < KEYS; number++) {
        if (number % 16 != 0) {
            take_out(twin, number);
        }
    }
    cr_assert_lt(twin->bytes, full / 3);
    twin_free(twin);
}

Test(base_map, entering_a_key_twice_is_a_bug, .signal = SIGABRT)
{
    struct twin *twin = twin_new(1);
    insert(twin, 1);
    twin->is_in[1] = false;
    insert(twin, 1);
}
