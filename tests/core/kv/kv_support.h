/* What the tests of the store share: an allocator that counts, short ways to say
 * an operation, and leases that are a table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_KV_KV_SUPPORT_H
#define TESTS_CORE_KV_KV_SUPPORT_H

#include "core/kv/kv.h"

#include <stdlib.h>

/* `context` is the count of bytes out. */
static inline void *support_resize(void *context, void *block, size_t size_old, size_t size_new)
{
    size_t *bytes = context;
    *bytes = *bytes - (block ? size_old : 0) + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

/* A store without leases or observer. */
struct store {
    size_t bytes;
    struct base_allocator allocator;
    struct base_arena arena;
    struct kv *kv;
    struct kv_result result; /* Of the last operation done. */
};

static inline void store_init(struct store *store)
{
    *store = (struct store){0};
    store->allocator = (struct base_allocator){.resize = support_resize, .context = &store->bytes};
    base_arena_init(&store->arena, &store->allocator);
    store->kv = kv_new(&store->allocator, NULL, NULL);
}

/* Answers the bytes that were not given back. */
static inline size_t store_release(struct store *store)
{
    base_arena_release(&store->arena);
    kv_free(store->kv);
    return store->bytes;
}

static inline enum base_status store_do(struct store *store, struct kv_op op)
{
    base_arena_reset(&store->arena);
    return kv_is_read_only(&op) ? kv_read(store->kv, &op, &store->arena, &store->result)
                                : kv_apply(store->kv, &op, &store->arena, &store->result);
}

static inline struct kv_op op_put(const char *key, const char *value)
{
    return (struct kv_op){.kind = KV_PUT, .key = base_bytes_of(key), .value = base_bytes_of(value)};
}

static inline struct kv_op op_get(const char *key)
{
    return (struct kv_op){.kind = KV_RANGE, .key = base_bytes_of(key)};
}

static inline struct kv_op op_range(const char *key, const char *range_end)
{
    return (struct kv_op){.kind = KV_RANGE, .key = base_bytes_of(key), .range_end = base_bytes_of(range_end)};
}

static inline struct kv_op op_delete(const char *key, const char *range_end)
{
    return (struct kv_op){.kind = KV_DELETE_RANGE,
                          .key = base_bytes_of(key),
                          .range_end = base_bytes_of(range_end)};
}

static inline struct kv_op op_txn(const struct kv_txn *txn)
{
    return (struct kv_op){.kind = KV_TXN, .txn = txn};
}

/* From `key` on, to the end of the key space. */
static inline struct base_bytes open_end(void)
{
    static const uint8_t zero[1] = {0};
    return (struct base_bytes){.data = zero, .size = 1};
}

#endif
