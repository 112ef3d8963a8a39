/* A map from 64-bit numbers to 32-bit slots, open and linear: the judges' index.
 * It is never walked, so its order decides nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_TABLE_H
#define SIM_CHECK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define CHECK_TABLE_NONE UINT32_MAX

struct check_table_cell {
    uint64_t key;
    uint32_t slot;
    uint32_t is_used;
};

/* Zero is an empty table; count < capacity * 3/4, always. */
struct check_table {
    struct check_table_cell *cells;
    uint32_t capacity; /* 0 or a power of two. */
    uint32_t count;
};

/* `block` resized to `count` items of `size` bytes; never NULL for a count above 0. */
void *check_resize(void *block, size_t count, size_t size);
/* The capacity that an array of `capacity` needs to hold `count`: doubled. */
uint32_t check_grown(uint32_t capacity, uint32_t count);

void check_table_release(struct check_table *table);
/* Forget everything; memory that a busy run needed is kept. */
void check_table_reset(struct check_table *table);
/* The slot of `key`, or CHECK_TABLE_NONE. */
uint32_t check_table_find(const struct check_table *table, uint64_t key);
/* Enter a key that is not in. */
void check_table_add(struct check_table *table, uint64_t key, uint32_t slot);
/* Take a key out that is in. */
void check_table_remove(struct check_table *table, uint64_t key);

#endif
