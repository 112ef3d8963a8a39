/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *check_resize(void *block, size_t count, size_t size)
{
    assert(size > 0 && count <= SIZE_MAX / size);
    void *resized = realloc(block, count * size);
    if (!resized && count > 0) {
        abort();
    }
    return resized;
}

uint32_t check_grown(uint32_t capacity, uint32_t count)
{
    uint32_t grown = capacity ? capacity : 16;
    while (grown < count) {
        assert(grown <= UINT32_MAX / 2);
        grown *= 2;
    }
    return grown;
}

static uint32_t home(const struct check_table *table, uint64_t key)
{
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (table->capacity - 1);
}

void check_table_release(struct check_table *table)
{
    free(table->cells);
    *table = (struct check_table){0};
}

void check_table_reset(struct check_table *table)
{
    if (table->count > 0) {
        memset(table->cells, 0, table->capacity * sizeof table->cells[0]);
        table->count = 0;
    }
}

uint32_t check_table_find(const struct check_table *table, uint64_t key)
{
    if (table->count == 0) {
        return CHECK_TABLE_NONE;
    }
    uint32_t mask = table->capacity - 1;
    for (uint32_t at = home(table, key); table->cells[at].is_used; at = (at + 1) & mask) {
        if (table->cells[at].key == key) {
            return table->cells[at].slot;
        }
    }
    return CHECK_TABLE_NONE;
}

static void place(struct check_table *table, uint64_t key, uint32_t slot)
{
    uint32_t mask = table->capacity - 1;
    uint32_t at = home(table, key);
    while (table->cells[at].is_used) {
        at = (at + 1) & mask;
    }
    table->cells[at] = (struct check_table_cell){.key = key, .slot = slot, .is_used = 1};
}

static void rehash(struct check_table *table, uint32_t capacity)
{
    struct check_table_cell *old = table->cells;
    uint32_t old_capacity = table->capacity;
    table->cells = check_resize(NULL, capacity, sizeof table->cells[0]);
    memset(table->cells, 0, capacity * sizeof table->cells[0]);
    table->capacity = capacity;
    for (uint32_t at = 0; at < old_capacity; at++) {
        if (old[at].is_used) {
            place(table, old[at].key, old[at].slot);
        }
    }
    free(old);
}

void check_table_add(struct check_table *table, uint64_t key, uint32_t slot)
{
    assert(check_table_find(table, key) == CHECK_TABLE_NONE);
    if (table->count + 1 > table->capacity / 4 * 3) {
        rehash(table, table->capacity ? table->capacity * 2 : 64);
    }
    place(table, key, slot);
    table->count++;
}

void check_table_remove(struct check_table *table, uint64_t key)
{
    assert(table->count > 0);
    uint32_t mask = table->capacity - 1;
    uint32_t hole = home(table, key);
    while (table->cells[hole].key != key || !table->cells[hole].is_used) {
        assert(table->cells[hole].is_used);
        hole = (hole + 1) & mask;
    }
    /* Whoever was pushed past the hole moves back into it. */
    for (uint32_t at = (hole + 1) & mask; table->cells[at].is_used; at = (at + 1) & mask) {
        uint32_t wanted = home(table, table->cells[at].key);
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            table->cells[hole] = table->cells[at];
            hole = at;
        }
    }
    table->cells[hole] = (struct check_table_cell){0};
    table->count--;
}
