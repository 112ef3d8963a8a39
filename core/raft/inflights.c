/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/inflights.h"

#include <assert.h>

enum { CAPACITY_FIRST = 8 };

static struct raft_inflight *at(const struct raft_inflights *inflights, uint32_t place)
{
    return &inflights->ring[(inflights->first + place) & (inflights->capacity - 1)];
}

static void grow(struct raft_inflights *inflights, const struct base_allocator *allocator)
{
    uint32_t capacity = inflights->capacity == 0 ? CAPACITY_FIRST : inflights->capacity * 2;
    struct raft_inflight *ring = base_alloc(allocator, capacity * sizeof *ring);
    for (uint32_t i = 0; i < inflights->count; i++) {
        ring[i] = *at(inflights, i);
    }
    base_free(allocator, inflights->ring, inflights->capacity * sizeof *ring);
    inflights->ring = ring;
    inflights->capacity = capacity;
    inflights->first = 0;
}

void raft_inflights_release(struct raft_inflights *inflights, const struct base_allocator *allocator)
{
    base_free(allocator, inflights->ring, inflights->capacity * sizeof *inflights->ring);
    *inflights = (struct raft_inflights){0};
}

void raft_inflights_reset(struct raft_inflights *inflights)
{
    inflights->first = 0;
    inflights->count = 0;
    inflights->bytes = 0;
}

bool raft_inflights_is_full(const struct raft_inflights *inflights, const struct raft_inflight_limits *limits)
{
    return inflights->count >= limits->count_max ||
           (limits->bytes_max != 0 && inflights->bytes >= limits->bytes_max);
}

void raft_inflights_add(struct raft_inflights *inflights, const struct base_allocator *allocator,
                        raft_index index, uint64_t bytes)
{
    assert(inflights->count <= inflights->capacity);
    if (inflights->count == inflights->capacity) {
        grow(inflights, allocator);
    }
    assert(inflights->count == 0 || at(inflights, inflights->count - 1)->index < index);
    *at(inflights, inflights->count) = (struct raft_inflight){.index = index, .bytes = bytes};
    inflights->count++;
    inflights->bytes += bytes;
}

void raft_inflights_free_to(struct raft_inflights *inflights, raft_index index)
{
    while (inflights->count > 0 && inflights->ring[inflights->first].index <= index) {
        assert(inflights->bytes >= inflights->ring[inflights->first].bytes);
        inflights->bytes -= inflights->ring[inflights->first].bytes;
        inflights->first = (inflights->first + 1) & (inflights->capacity - 1);
        inflights->count--;
    }
    assert(inflights->count > 0 || inflights->bytes == 0);
}
