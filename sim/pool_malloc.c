/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/pool.h"

#include <assert.h>
#include <stdlib.h>

/* The pool for builds with sanitizers: every block is malloc's own, so that a use
 * after it was given back is seen. */
struct link {
    struct link *previous;
    struct link *next;
};
static_assert(sizeof(struct link) % 16 == 0, "keeps blocks aligned");

struct sim_pool {
    struct link ring; /* Of all blocks in use. */
    uint64_t blocks;
};

struct sim_pool *sim_pool_new(void)
{
    struct sim_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        abort();
    }
    pool->ring.previous = &pool->ring;
    pool->ring.next = &pool->ring;
    return pool;
}

void sim_pool_free(struct sim_pool *pool)
{
    if (!pool) {
        return;
    }
    sim_pool_reset(pool);
    free(pool);
}

void sim_pool_reset(struct sim_pool *pool)
{
    while (pool->ring.next != &pool->ring) {
        sim_pool_give(pool, pool->ring.next + 1);
    }
    assert(pool->blocks == 0);
}

void *sim_pool_take(struct sim_pool *pool, size_t size)
{
    struct link *link = malloc(sizeof *link + size);
    if (!link) {
        abort();
    }
    *link = (struct link){.previous = &pool->ring, .next = pool->ring.next};
    link->previous->next = link;
    link->next->previous = link;
    pool->blocks++;
    return link + 1;
}

void sim_pool_give(struct sim_pool *pool, void *block)
{
    if (!block) {
        return;
    }
    struct link *link = (struct link *)block - 1;
    assert(pool->blocks > 0);
    pool->blocks--;
    link->previous->next = link->next;
    link->next->previous = link->previous;
    free(link);
}

uint64_t sim_pool_blocks(const struct sim_pool *pool)
{
    return pool->blocks;
}

uint64_t sim_pool_kept_bytes(const struct sim_pool *pool)
{
    (void)pool;
    return 0;
}
