/* Sizes of entries: what the limits of messages and Ready count. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_ENTRY_H
#define CORE_RAFT_ENTRY_H

#include "core/raft/types.h"

enum { RAFT_ENTRY_SIZE_MAX = (1 << 30) - 1 }; /* Payload of one entry. */

static inline uint64_t raft_varint_bytes(uint64_t value)
{
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* The entry's size in etcd's encoding (protobuf), so that size limits cut where
 * etcd's do: type, term and index always, the payload when there is one. */
static inline uint64_t raft_entry_bytes(raft_term term, raft_index index, uint32_t size)
{
    uint64_t bytes = 2 + 1 + raft_varint_bytes(term) + 1 + raft_varint_bytes(index);
    return size == 0 ? bytes : bytes + 1 + raft_varint_bytes(size) + size;
}

#endif
