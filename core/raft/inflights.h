/* The MsgApps under way to one peer: a queue of last indexes and sizes, limited
 * by count and by bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_INFLIGHTS_H
#define CORE_RAFT_INFLIGHTS_H

#include "core/raft/types.h"

struct raft_inflight {
    raft_index index; /* Of the message's last entry. */
    uint64_t bytes;
};

struct raft_inflight_limits {
    uint32_t count_max;
    uint64_t bytes_max; /* 0 is none. */
};

/* A ring that grows as it is used; owns `ring`. All zero is empty. */
struct raft_inflights {
    struct raft_inflight *ring;
    uint64_t bytes;
    uint32_t capacity; /* A power of two, or 0. */
    uint32_t first;
    uint32_t count;
};

void raft_inflights_release(struct raft_inflights *inflights, const struct base_allocator *allocator);
/* Forget what is under way, keep the memory. */
void raft_inflights_reset(struct raft_inflights *inflights);
/* The byte limit may be overshot by one message; then nothing more goes out. */
bool raft_inflights_is_full(const struct raft_inflights *inflights,
                            const struct raft_inflight_limits *limits);
/* Not when full. Indexes grow. */
void raft_inflights_add(struct raft_inflights *inflights, const struct base_allocator *allocator,
                        raft_index index, uint64_t bytes);
/* Messages up to `index` have arrived. */
void raft_inflights_free_to(struct raft_inflights *inflights, raft_index index);

#endif
