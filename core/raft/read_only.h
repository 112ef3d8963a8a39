/* Linearizable reads without a log entry (thesis §6.4): the requests a leader
 * has taken, and the rounds of heartbeats that confirm them.
 *
 * A request's position is its number, counted from 1 in one leadership. Heartbeats
 * carry the newest position; whoever echoes p confirms that we led when request p
 * had come, and with it every request before. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_READ_ONLY_H
#define CORE_RAFT_READ_ONLY_H

#include "core/raft/types.h"

enum { RAFT_READ_CONTEXT_INLINE = 16, RAFT_READ_POSITION_SIZE = 8 };

struct raft_read_request {
    raft_id from;     /* RAFT_NONE or ourselves: a local read. */
    raft_index index; /* Committed when the request came; 0 before that is known. */
    uint32_t size;
    uint8_t *heap; /* Owned; for contexts that do not fit inline. */
    uint8_t bytes[RAFT_READ_CONTEXT_INLINE];
};

/* A queue of requests; owns their contexts. */
struct raft_read_queue {
    const struct base_allocator *allocator;
    struct raft_read_request *ring;
    uint32_t capacity; /* A power of two, or 0. */
    uint32_t first;
    uint32_t count;
};

struct raft_read_only {
    struct raft_read_queue unconfirmed;
    uint64_t confirmed;           /* The last position confirmed. */
    struct raft_read_queue early; /* Came before we committed in our own term; survives roles. */
};

void raft_read_only_init(struct raft_read_only *reads, const struct base_allocator *allocator);
void raft_read_only_release(struct raft_read_only *reads);
/* A new leadership: requests under way are forgotten, silently. */
void raft_read_only_reset(struct raft_read_only *reads);
/* The newest position; what heartbeats carry while anything is unconfirmed. */
uint64_t raft_read_only_position(const struct raft_read_only *reads);

void raft_read_queue_push(struct raft_read_queue *queue, raft_id from, raft_index index,
                          struct base_bytes context);
/* Take the oldest request; raft_read_request_release when done with it. */
struct raft_read_request raft_read_queue_pop(struct raft_read_queue *queue);
/* Valid as long as `request` stays where it is. */
struct base_bytes raft_read_request_context(const struct raft_read_request *request);
void raft_read_request_release(struct raft_read_request *request, const struct base_allocator *allocator);

#endif
