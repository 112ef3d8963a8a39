/* One member's memory: a heap of its own, destroyed whole when its process ends,
 * so that nothing leaks across a crash and it can be measured. Two makings of one
 * face: heap_mimalloc.c, and heap_malloc.c for builds with sanitizers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include "core/base/alloc.h"

struct sim_heap;

struct sim_heap *sim_heap_new(void);
/* Every block of it dies. NULL is fine. */
void sim_heap_free(struct sim_heap *heap);
/* Every block of it dies; an empty heap again. */
void sim_heap_reset(struct sim_heap *heap);
/* Valid as long as the heap, resets included. */
const struct base_allocator *sim_heap_allocator(struct sim_heap *heap);
/* Bytes asked for and not given back. */
uint64_t sim_heap_used_bytes(const struct sim_heap *heap);
/* Give what no heap uses any more back to the system. */
void sim_heap_trim(void);

#endif
