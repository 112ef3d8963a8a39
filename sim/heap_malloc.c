/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/heap.h"

#include <assert.h>
#include <stdlib.h>

/* Before every block: its place in the heap's ring, and its size, against which
 * the caller's word is held. */
struct link {
    struct link *previous;
    struct link *next;
    size_t size;
    size_t unused; /* Keeps blocks aligned to 16. */
};
static_assert(sizeof(struct link) % 16 == 0, "keeps blocks aligned");

struct sim_heap {
    struct link ring; /* Of all blocks, itself between the last and the first. */
    uint64_t used_bytes;
    struct base_allocator allocator;
};

static void unlink_block(struct link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

static void *allocate(struct sim_heap *heap, size_t size)
{
    struct link *link = malloc(sizeof *link + size);
    if (!link) {
        abort();
    }
    *link = (struct link){.previous = &heap->ring, .next = heap->ring.next, .size = size};
    link->previous->next = link;
    link->next->previous = link;
    heap->used_bytes += size;
    return link + 1;
}

static void release(struct sim_heap *heap, void *block, size_t size)
{
    struct link *link = (struct link *)block - 1;
    assert(link->size == size);
    unlink_block(link);
    heap->used_bytes -= size;
    free(link);
}

/* Always moves, so that a pointer kept across a resize is found. */
static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct sim_heap *heap = context;
    assert(block || size_old == 0);
    void *moved = size_new == 0 ? NULL : allocate(heap, size_new);
    if (moved && block) {
        memcpy(moved, block, size_old < size_new ? size_old : size_new);
    }
    if (block) {
        release(heap, block, size_old);
    }
    return moved;
}

struct sim_heap *sim_heap_new(void)
{
    struct sim_heap *heap = calloc(1, sizeof *heap);
    if (!heap) {
        abort();
    }
    heap->ring.previous = &heap->ring;
    heap->ring.next = &heap->ring;
    heap->allocator = (struct base_allocator){.resize = resize, .context = heap};
    return heap;
}

void sim_heap_free(struct sim_heap *heap)
{
    if (!heap) {
        return;
    }
    sim_heap_reset(heap);
    free(heap);
}

void sim_heap_reset(struct sim_heap *heap)
{
    while (heap->ring.next != &heap->ring) {
        struct link *link = heap->ring.next;
        unlink_block(link);
        free(link);
    }
    heap->used_bytes = 0;
}

const struct base_allocator *sim_heap_allocator(struct sim_heap *heap)
{
    return &heap->allocator;
}

uint64_t sim_heap_used_bytes(const struct sim_heap *heap)
{
    return heap->used_bytes;
}

void sim_heap_trim(void)
{
    /* malloc does so by itself. */
}
