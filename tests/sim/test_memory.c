/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/heap.h"
#include "sim/pool.h"
#include "sim/random.h"

#include <criterion/criterion.h>

enum { BLOCKS = 200 };

Test(sim_pool, blocks_are_apart_and_keep_their_content)
{
    struct sim_pool *pool = sim_pool_new();
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    uint8_t *blocks[BLOCKS] = {0};
    size_t sizes[BLOCKS] = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        uint64_t slot = sim_random_below(&random, BLOCKS);
        uint64_t bits = sim_random_below(&random, 18);
        uint64_t size = sim_random_below(&random, (UINT64_C(1) << bits) + 1);
        if (blocks[slot]) {
            for (size_t k = 0; k < sizes[slot]; k += 61) {
                cr_assert_eq(blocks[slot][k], (uint8_t)slot);
            }
            sim_pool_give(pool, blocks[slot]);
        }
        blocks[slot] = sim_pool_take(pool, size);
        sizes[slot] = size;
        cr_assert_eq((uintptr_t)blocks[slot] % 16, 0);
        memset(blocks[slot], (int)slot, size);
    }
    sim_pool_free(pool);
}

Test(sim_pool, what_is_given_back_is_taken_again)
{
    struct sim_pool *pool = sim_pool_new();
    sim_pool_give(pool, sim_pool_take(pool, 100));
    uint64_t kept = sim_pool_kept_bytes(pool);
    for (uint32_t i = 0; i < 100000; i++) {
        void *block = sim_pool_take(pool, 100);
        cr_assert_eq(sim_pool_blocks(pool), 1);
        sim_pool_give(pool, block);
    }
    cr_assert_eq(sim_pool_kept_bytes(pool), kept);
    sim_pool_give(pool, NULL);
    sim_pool_free(pool);
}

Test(sim_pool, a_reset_takes_all_back_and_keeps_the_memory)
{
    struct sim_pool *pool = sim_pool_new();
    uint64_t kept = 0;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            memset(sim_pool_take(pool, 1000), 1, 1000);
        }
        (void)sim_pool_take(pool, 1 << 20);
        cr_assert_eq(sim_pool_blocks(pool), 1001);
        cr_assert(round == 0 || sim_pool_kept_bytes(pool) == kept);
        kept = sim_pool_kept_bytes(pool);
        sim_pool_reset(pool);
        cr_assert_eq(sim_pool_blocks(pool), 0);
    }
    sim_pool_free(pool);
}

Test(sim_heap, resizing_keeps_what_fits)
{
    struct sim_heap *heap = sim_heap_new();
    const struct base_allocator *allocator = sim_heap_allocator(heap);
    uint8_t *block = base_alloc(allocator, 10);
    memcpy(block, "0123456789", 10);
    block = base_resize(allocator, block, 10, 100000);
    cr_assert_eq(memcmp(block, "0123456789", 10), 0);
    cr_assert_eq(sim_heap_used_bytes(heap), 100000);
    block = base_resize(allocator, block, 100000, 4);
    cr_assert_eq(memcmp(block, "0123", 4), 0);
    base_free(allocator, block, 4);
    cr_assert_eq(sim_heap_used_bytes(heap), 0);
    sim_heap_free(heap);
}

Test(sim_heap, a_reset_frees_every_block)
{
    struct sim_heap *heap = sim_heap_new();
    const struct base_allocator *allocator = sim_heap_allocator(heap);
    for (uint32_t round = 0; round < 10; round++) {
        for (size_t i = 1; i < 1000; i++) {
            memset(base_alloc(allocator, i), 1, i);
        }
        cr_assert_eq(sim_heap_used_bytes(heap), 999 * 1000 / 2);
        sim_heap_reset(heap);
        cr_assert_eq(sim_heap_used_bytes(heap), 0);
    }
    (void)base_alloc(allocator, 10);
    sim_heap_free(heap);
}
