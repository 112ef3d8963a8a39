/* Where the log's entries lie in memory: a deque of blocks, each with headers
 * growing from its front and payloads from its back. Appending, cutting the tail
 * and dropping the head give whole blocks back.
 *
 * Payloads are lent, and a loan has a number (a "lending", one for each Ready).
 * What is cut or dropped while somebody may still read it is kept aside until
 * its lending is over. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_BLOCKS_H
#define CORE_RAFT_BLOCKS_H

#include "core/raft/types.h"

struct raft_block;

/* Indexes are consecutive; owns its blocks. */
struct raft_blocks {
    const struct base_allocator *allocator;
    struct raft_block **ring; /* By index; the first block at `first`. */
    uint32_t capacity;        /* A power of two, or 0. */
    uint32_t first;
    uint32_t count;
    struct raft_block *retired; /* Cut or dropped while lent. */
    uint64_t lending;           /* Runs now, */
    uint64_t lent;              /* the last one in which something was lent, */
    uint64_t returned;          /* and the last one that is over. */
};

void raft_blocks_init(struct raft_blocks *blocks, const struct base_allocator *allocator);
void raft_blocks_release(struct raft_blocks *blocks);
/* Append a copy of `entry`; its index follows the last one's, unless empty. */
void raft_blocks_append(struct raft_blocks *blocks, const struct raft_entry *entry);
/* The entry at `index`, which is in. Its payload is not yet lent. */
struct raft_entry raft_blocks_at(const struct raft_blocks *blocks, raft_index index);
raft_term raft_blocks_term(const struct raft_blocks *blocks, raft_index index);
/* Copy the headers of `count` entries from `index` on, and lend the payloads. */
void raft_blocks_lend(struct raft_blocks *blocks, raft_index index, uint32_t count, struct raft_entry *out);
/* Remove the entries from `index` on. */
void raft_blocks_cut(struct raft_blocks *blocks, raft_index index);
/* Give back the blocks that lie wholly at or below `index`. */
void raft_blocks_drop(struct raft_blocks *blocks, raft_index index);
/* The loans of lending `number` and earlier are over. */
void raft_blocks_return(struct raft_blocks *blocks, uint64_t number);

#endif
