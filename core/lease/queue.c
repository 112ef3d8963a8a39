/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease/lessor.h"

#include <assert.h>

enum { QUEUE_MIN = 16 };

static bool is_sooner(enum lease_queue_kind kind, const struct lease *a, const struct lease *b)
{
    if (a->queue_ns[kind] != b->queue_ns[kind]) {
        return a->queue_ns[kind] < b->queue_ns[kind];
    }
    return a->id < b->id;
}

static void place(struct lease_queue *queue, enum lease_queue_kind kind, size_t slot, struct lease *lease)
{
    queue->leases[slot] = lease;
    lease->queue_slot[kind] = slot;
}

static void sift_up(struct lease_queue *queue, enum lease_queue_kind kind, size_t slot)
{
    struct lease *lease = queue->leases[slot];
    while (slot > 0) {
        size_t parent = (slot - 1) / 2;
        if (!is_sooner(kind, lease, queue->leases[parent])) {
            break;
        }
        place(queue, kind, slot, queue->leases[parent]);
        slot = parent;
    }
    place(queue, kind, slot, lease);
}

static void sift_down(struct lease_queue *queue, enum lease_queue_kind kind, size_t slot)
{
    struct lease *lease = queue->leases[slot];
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= queue->count) {
            break;
        }
        if (child + 1 < queue->count && is_sooner(kind, queue->leases[child + 1], queue->leases[child])) {
            child++;
        }
        if (!is_sooner(kind, queue->leases[child], lease)) {
            break;
        }
        place(queue, kind, slot, queue->leases[child]);
        slot = child;
    }
    place(queue, kind, slot, lease);
}

static void queue_grow(struct lease_lessor *lessor, struct lease_queue *queue)
{
    if (queue->count < queue->capacity) {
        return;
    }
    size_t capacity = queue->capacity == 0 ? QUEUE_MIN : queue->capacity * 2;
    queue->leases = base_resize(lessor->allocator, queue->leases, queue->capacity * sizeof(struct lease *),
                                capacity * sizeof(struct lease *));
    queue->capacity = capacity;
}

static void queue_remove(struct lease_queue *queue, enum lease_queue_kind kind, size_t slot)
{
    assert(slot < queue->count);
    queue->leases[slot]->queue_slot[kind] = LEASE_NOT_QUEUED;
    struct lease *last = queue->leases[--queue->count];
    if (slot == queue->count) {
        return;
    }
    place(queue, kind, slot, last);
    sift_up(queue, kind, slot);
    sift_down(queue, kind, last->queue_slot[kind]);
}

void lease_queue_set(struct lease_lessor *lessor, enum lease_queue_kind kind, struct lease *lease,
                     uint64_t at_ns)
{
    struct lease_queue *queue = &lessor->queues[kind];
    size_t slot = lease->queue_slot[kind];
    if (at_ns == LEASE_FOREVER) {
        if (slot != LEASE_NOT_QUEUED) {
            queue_remove(queue, kind, slot);
        }
        lease->queue_ns[kind] = LEASE_FOREVER;
        return;
    }
    lease->queue_ns[kind] = at_ns;
    if (slot == LEASE_NOT_QUEUED) {
        queue_grow(lessor, queue);
        slot = queue->count++;
        place(queue, kind, slot, lease);
    }
    sift_up(queue, kind, slot);
    sift_down(queue, kind, lease->queue_slot[kind]);
}

struct lease *lease_queue_first(const struct lease_lessor *lessor, enum lease_queue_kind kind)
{
    const struct lease_queue *queue = &lessor->queues[kind];
    return queue->count == 0 ? NULL : queue->leases[0];
}

void lease_queue_clear(struct lease_lessor *lessor, enum lease_queue_kind kind)
{
    struct lease_queue *queue = &lessor->queues[kind];
    for (size_t slot = 0; slot < queue->count; slot++) {
        queue->leases[slot]->queue_slot[kind] = LEASE_NOT_QUEUED;
        queue->leases[slot]->queue_ns[kind] = LEASE_FOREVER;
    }
    queue->count = 0;
}

void lease_queue_release(struct lease_lessor *lessor, enum lease_queue_kind kind)
{
    struct lease_queue *queue = &lessor->queues[kind];
    base_free(lessor->allocator, queue->leases, queue->capacity * sizeof(struct lease *));
    *queue = (struct lease_queue){0};
}
