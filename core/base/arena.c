/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <assert.h>

enum { ARENA_BLOCK_MIN = 4096, ARENA_ALIGN = 16 };

struct base_arena_block {
    struct base_arena_block *older;
    size_t capacity; /* Bytes after this header. */
};

static_assert(sizeof(struct base_arena_block) % ARENA_ALIGN == 0, "blocks keep their alignment");

static void block_free(const struct base_arena *arena, struct base_arena_block *block)
{
    base_free(arena->allocator, block, sizeof *block + block->capacity);
}

void base_arena_init(struct base_arena *arena, const struct base_allocator *allocator)
{
    *arena = (struct base_arena){.allocator = allocator};
}

void base_arena_release(struct base_arena *arena)
{
    while (arena->block) {
        struct base_arena_block *older = arena->block->older;
        block_free(arena, arena->block);
        arena->block = older;
    }
    arena->used = 0;
}

void base_arena_reset(struct base_arena *arena)
{
    arena->used = 0;
    if (!arena->block) {
        return;
    }
    /* Blocks only grow, so the newest is the largest. */
    while (arena->block->older) {
        struct base_arena_block *older = arena->block->older;
        arena->block->older = older->older;
        block_free(arena, older);
    }
}

void *base_arena_alloc(struct base_arena *arena, size_t size)
{
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (!arena->block || size > arena->block->capacity - arena->used) {
        size_t capacity = arena->block ? arena->block->capacity * 2 : ARENA_BLOCK_MIN;
        while (capacity < size) {
            capacity *= 2;
        }
        struct base_arena_block *block = base_alloc(arena->allocator, sizeof *block + capacity);
        *block = (struct base_arena_block){.older = arena->block, .capacity = capacity};
        arena->block = block;
        arena->used = 0;
    }
    void *at = (uint8_t *)(arena->block + 1) + arena->used;
    arena->used += size;
    return at;
}

struct base_bytes base_arena_copy(struct base_arena *arena, struct base_bytes bytes)
{
    if (bytes.size == 0) {
        return (struct base_bytes){0};
    }
    uint8_t *data = base_arena_alloc(arena, bytes.size);
    memcpy(data, bytes.data, bytes.size);
    return (struct base_bytes){.data = data, .size = bytes.size};
}
