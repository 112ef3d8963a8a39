/* Memory for what outlives a run: plans, results, reports. Out of memory is an abort. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_MEMORY_H
#define SIM_CAMPAIGN_MEMORY_H

#include "core/base/alloc.h"

/* malloc's heap behind the core's face. */
extern const struct base_allocator campaign_memory;

/* A zeroed block, and a block of another size; free() gives both back. */
void *campaign_alloc(size_t size);
void *campaign_resize(void *block, size_t size);
/* A copy of a text, for free(). */
char *campaign_text_copy(const char *text);
/* Bytes of this process that are in memory; 0 where nobody can tell. */
uint64_t campaign_memory_resident(void);
/* Room for one more of `size` bytes each in an array of `count`: the array, moved
 * when `count` has reached a power of two. */
void *campaign_grow(void *array, size_t count, size_t size);

#endif
