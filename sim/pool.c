/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/pool.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CLASS_BITS_MIN = 6, /* 64 B with its header */
    CLASS_BITS_MAX = 16,
    CLASS_COUNT = CLASS_BITS_MAX - CLASS_BITS_MIN + 1,
    CLASS_LARGE = CLASS_COUNT,
    SLAB_BYTES = 1 << 18,
    HEADER_BYTES = 16,
    STATE_USED = 0x75534544, /* Tells a block in use from one given back. */
    STATE_FREE = 0x66524545
};

/* Before every block. Of a free one `next` is the free list's; a large one in use
 * hangs in a list, so that a reset finds it. */
struct header {
    struct header *next;
    uint32_t class;
    uint32_t state;
};
static_assert(sizeof(struct header) == HEADER_BYTES, "keeps blocks aligned");

struct large {
    struct large *previous;
    struct large *next;
    size_t size;
    uint64_t unused; /* Keeps the header aligned to 16. */
    struct header header;
};
static_assert(sizeof(struct large) == 48, "keeps blocks aligned");

/* Cut from its start; slabs are never given back. */
struct slab {
    struct slab *next;
    size_t used;
    _Alignas(16) unsigned char bytes[SLAB_BYTES];
};

struct sim_pool {
    struct header *free[CLASS_COUNT];
    struct slab *slabs;   /* All of them; */
    struct slab *current; /* those up to this one are cut. */
    struct large *large;
    uint64_t blocks;
    uint64_t kept_bytes;
};

static void *allocate(size_t size)
{
    void *memory = aligned_alloc(16, (size + 15) / 16 * 16);
    if (!memory) {
        abort();
    }
    return memory;
}

static uint32_t class_of(size_t size)
{
    size_t whole = size + HEADER_BYTES;
    if (whole <= (size_t)1 << CLASS_BITS_MIN) {
        return 0;
    }
    return 64 - (uint32_t)__builtin_clzll(whole - 1) - CLASS_BITS_MIN;
}

static void free_large(struct sim_pool *pool)
{
    for (struct large *large = pool->large; large;) {
        struct large *next = large->next;
        free(large);
        large = next;
    }
    pool->large = NULL;
}

struct sim_pool *sim_pool_new(void)
{
    struct sim_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        abort();
    }
    return pool;
}

void sim_pool_free(struct sim_pool *pool)
{
    if (!pool) {
        return;
    }
    free_large(pool);
    for (struct slab *slab = pool->slabs; slab;) {
        struct slab *next = slab->next;
        free(slab);
        slab = next;
    }
    free(pool);
}

void sim_pool_reset(struct sim_pool *pool)
{
    free_large(pool);
    for (struct slab *slab = pool->slabs; slab; slab = slab->next) {
        slab->used = 0;
    }
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        pool->free[i] = NULL;
    }
    pool->current = pool->slabs;
    pool->blocks = 0;
}

/* Move on to the next slab of an earlier seed, or to a new one. */
static void advance_slab(struct sim_pool *pool)
{
    if (pool->current && pool->current->next) {
        pool->current = pool->current->next;
        return;
    }
    struct slab *slab = allocate(sizeof *slab);
    slab->next = NULL;
    slab->used = 0;
    if (pool->current) {
        pool->current->next = slab;
    } else {
        pool->slabs = slab;
    }
    pool->current = slab;
    pool->kept_bytes += sizeof *slab;
}

static struct header *cut(struct sim_pool *pool, uint32_t class)
{
    size_t size = (size_t)1 << (class + CLASS_BITS_MIN);
    if (!pool->current || pool->current->used + size > SLAB_BYTES) {
        advance_slab(pool);
    }
    struct slab *slab = pool->current;
    assert(slab->used + size <= SLAB_BYTES);
    struct header *header = (struct header *)(void *)(slab->bytes + slab->used);
    slab->used += size;
    header->class = class;
    return header;
}

static void *take_large(struct sim_pool *pool, size_t size)
{
    struct large *large = allocate(sizeof *large + size);
    *large = (struct large){.next = pool->large, .size = size};
    large->header = (struct header){.class = CLASS_LARGE, .state = STATE_USED};
    if (pool->large) {
        pool->large->previous = large;
    }
    pool->large = large;
    pool->blocks++;
    return &large->header + 1;
}

static void give_large(struct sim_pool *pool, struct header *header)
{
    struct large *large = (struct large *)(void *)((unsigned char *)header - offsetof(struct large, header));
    if (large->previous) {
        large->previous->next = large->next;
    } else {
        assert(pool->large == large);
        pool->large = large->next;
    }
    if (large->next) {
        large->next->previous = large->previous;
    }
    free(large);
}

void *sim_pool_take(struct sim_pool *pool, size_t size)
{
    uint32_t class = class_of(size);
    if (class >= CLASS_COUNT) {
        return take_large(pool, size);
    }
    struct header *header = pool->free[class];
    if (header) {
        pool->free[class] = header->next;
    } else {
        header = cut(pool, class);
    }
    assert(header->class == class);
    header->state = STATE_USED;
    pool->blocks++;
    return header + 1;
}

void sim_pool_give(struct sim_pool *pool, void *block)
{
    if (!block) {
        return;
    }
    struct header *header = (struct header *)block - 1;
    assert(header->state == STATE_USED); /* Given once. */
    assert(pool->blocks > 0);
    pool->blocks--;
    if (header->class == CLASS_LARGE) {
        give_large(pool, header);
        return;
    }
    assert(header->class < CLASS_COUNT);
    header->state = STATE_FREE;
    header->next = pool->free[header->class];
    pool->free[header->class] = header;
}

uint64_t sim_pool_blocks(const struct sim_pool *pool)
{
    return pool->blocks;
}

uint64_t sim_pool_kept_bytes(const struct sim_pool *pool)
{
    return pool->kept_bytes;
}
