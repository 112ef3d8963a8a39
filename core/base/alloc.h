/* The one way the core gets memory: an allocator that its host hands in. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_ALLOC_H
#define CORE_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `resize` works like Lua's: `block` NULL allocates, `size_new` 0 frees and
 * returns NULL, anything else moves what fits. It is told the old size, and it
 * never returns NULL for a `size_new` above 0: out of memory is its to abort. */
struct base_allocator {
    void *(*resize)(void *context, void *block, size_t size_old, size_t size_new);
    void *context;
};

/* A block of `size` bytes with unspecified content. */
static inline void *base_alloc(const struct base_allocator *allocator, size_t size)
{
    return allocator->resize(allocator->context, NULL, 0, size);
}

/* A block of `size` zero bytes. */
static inline void *base_zalloc(const struct base_allocator *allocator, size_t size)
{
    return memset(base_alloc(allocator, size), 0, size);
}

static inline void *base_resize(const struct base_allocator *allocator, void *block, size_t size_old,
                                size_t size_new)
{
    return allocator->resize(allocator->context, block, size_old, size_new);
}

/* Give `block` of `size` bytes back; NULL is fine. */
static inline void base_free(const struct base_allocator *allocator, void *block, size_t size)
{
    if (block) {
        (void)allocator->resize(allocator->context, block, size, 0);
    }
}

#endif
