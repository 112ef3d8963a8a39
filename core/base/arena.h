/* A bump allocator for what lives until the end of one step: results, decoded
 * requests, message headers. Nothing in it is freed alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/bytes.h"

struct base_arena_block;

/* Owns its blocks; the largest is kept across resets. */
struct base_arena {
    const struct base_allocator *allocator;
    struct base_arena_block *block; /* Newest; older ones hang behind it. */
    size_t used;                    /* Bytes taken of the newest block. */
};

void base_arena_init(struct base_arena *arena, const struct base_allocator *allocator);
void base_arena_release(struct base_arena *arena);
/* Take everything back; pointers handed out before are dead. */
void base_arena_reset(struct base_arena *arena);
/* `size` bytes with unspecified content, aligned to 16. */
void *base_arena_alloc(struct base_arena *arena, size_t size);
/* A copy of `bytes` that lives as long as the arena's content. */
struct base_bytes base_arena_copy(struct base_arena *arena, struct base_bytes bytes);

#endif
