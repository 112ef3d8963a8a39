/* A 64-bit mixing hash for comparing contents between members: equal fields give
 * equal hashes on every machine. Not a checksum of a medium, not a secret. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include "core/base/bytes.h"

static inline uint64_t base_hash_u64(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ (hash >> 32);
}

static inline uint64_t base_hash_i64(uint64_t hash, int64_t value)
{
    return base_hash_u64(hash, (uint64_t)value);
}

/* The length counts too: "a" then "b" is not "ab". */
static inline uint64_t base_hash_bytes(uint64_t hash, struct base_bytes bytes)
{
    hash = base_hash_u64(hash, bytes.size);
    size_t at = 0;
    for (; bytes.size - at >= 8; at += 8) {
        hash = base_hash_u64(hash, base_load_u64(bytes.data + at));
    }
    if (at < bytes.size) {
        uint8_t tail[8] = {0};
        memcpy(tail, bytes.data + at, bytes.size - at);
        hash = base_hash_u64(hash, base_load_u64(tail));
    }
    return hash;
}

#endif
