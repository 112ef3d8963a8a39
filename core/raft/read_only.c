/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/read_only.h"

#include <assert.h>

enum { CAPACITY_FIRST = 8 };

static struct raft_read_request *at(const struct raft_read_queue *queue, uint32_t place)
{
    return &queue->ring[(queue->first + place) & (queue->capacity - 1)];
}

static void queue_clear(struct raft_read_queue *queue)
{
    while (queue->count > 0) {
        struct raft_read_request request = raft_read_queue_pop(queue);
        raft_read_request_release(&request, queue->allocator);
    }
}

static void queue_release(struct raft_read_queue *queue)
{
    queue_clear(queue);
    base_free(queue->allocator, queue->ring, queue->capacity * sizeof *queue->ring);
    *queue = (struct raft_read_queue){.allocator = queue->allocator};
}

static void grow(struct raft_read_queue *queue)
{
    uint32_t capacity = queue->capacity == 0 ? CAPACITY_FIRST : queue->capacity * 2;
    struct raft_read_request *ring = base_alloc(queue->allocator, capacity * sizeof *ring);
    for (uint32_t i = 0; i < queue->count; i++) {
        ring[i] = *at(queue, i);
    }
    base_free(queue->allocator, queue->ring, queue->capacity * sizeof *ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

void raft_read_only_init(struct raft_read_only *reads, const struct base_allocator *allocator)
{
    *reads =
        (struct raft_read_only){.unconfirmed = {.allocator = allocator}, .early = {.allocator = allocator}};
}

void raft_read_only_release(struct raft_read_only *reads)
{
    queue_release(&reads->unconfirmed);
    queue_release(&reads->early);
}

void raft_read_only_reset(struct raft_read_only *reads)
{
    queue_clear(&reads->unconfirmed);
    reads->confirmed = 0;
}

uint64_t raft_read_only_position(const struct raft_read_only *reads)
{
    return reads->confirmed + reads->unconfirmed.count;
}

void raft_read_queue_push(struct raft_read_queue *queue, raft_id from, raft_index index,
                          struct base_bytes context)
{
    assert(context.size <= UINT32_MAX);
    if (queue->count == queue->capacity) {
        grow(queue);
    }
    struct raft_read_request *request = at(queue, queue->count);
    *request = (struct raft_read_request){.from = from, .index = index, .size = (uint32_t)context.size};
    uint8_t *bytes = request->bytes;
    if (context.size > RAFT_READ_CONTEXT_INLINE) {
        request->heap = base_alloc(queue->allocator, context.size);
        bytes = request->heap;
    }
    if (context.size > 0) {
        memcpy(bytes, context.data, context.size);
    }
    queue->count++;
}

struct raft_read_request raft_read_queue_pop(struct raft_read_queue *queue)
{
    assert(queue->count > 0);
    struct raft_read_request request = *at(queue, 0);
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    return request;
}

struct base_bytes raft_read_request_context(const struct raft_read_request *request)
{
    return (struct base_bytes){.data = request->heap ? request->heap : request->bytes, .size = request->size};
}

void raft_read_request_release(struct raft_read_request *request, const struct base_allocator *allocator)
{
    base_free(allocator, request->heap, request->size);
    request->heap = NULL;
}
