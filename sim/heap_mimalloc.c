/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/heap.h"

#include <mimalloc.h>

#include <assert.h>
#include <stdlib.h>

struct sim_heap {
    mi_heap_t *heap; /* NULL until something is asked for. */
    uint64_t used_bytes;
    struct base_allocator allocator;
};

/* Making a heap costs as much as a few dozen blocks: a machine that never starts
 * needs none. */
static mi_heap_t *made(struct sim_heap *heap)
{
    if (!heap->heap) {
        heap->heap = mi_heap_new();
        if (!heap->heap) {
            abort();
        }
    }
    return heap->heap;
}

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct sim_heap *heap = context;
    assert(block || size_old == 0);
    assert(heap->used_bytes >= size_old);
    heap->used_bytes += size_new - size_old;
    if (size_new == 0) {
        mi_free(block);
        return NULL;
    }
    void *memory =
        block ? mi_heap_realloc(made(heap), block, size_new) : mi_heap_malloc(made(heap), size_new);
    if (!memory) {
        abort();
    }
    return memory;
}

struct sim_heap *sim_heap_new(void)
{
    struct sim_heap *heap = calloc(1, sizeof *heap);
    if (!heap) {
        abort();
    }
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
    if (heap->heap) {
        mi_heap_destroy(heap->heap);
        heap->heap = NULL;
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
    mi_collect(true);
}
