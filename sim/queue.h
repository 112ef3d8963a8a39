/* The one queue of the world, ordered by (time, sequence): what was put in first
 * comes out first among equals. A ring of time buckets for what is near and a
 * 4-ary heap for what is far. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_item {
    uint64_t time_ns;
    uint64_t sequence; /* Set by push. */
    uint32_t kind;
    uint32_t machine;
    void *data;
    uint64_t value;
};

struct sim_queue;

/* `bucket_ns`: the ring's 64 buckets should span the usual delay; rounded up to a
 * power of two. Order never depends on it. */
struct sim_queue *sim_queue_new(uint64_t bucket_ns);
void sim_queue_free(struct sim_queue *queue);
/* Forget everything, keep the memory, set the width anew. */
void sim_queue_reset(struct sim_queue *queue, uint64_t bucket_ns);
/* `time_ns` must not be before the last item popped. */
void sim_queue_push(struct sim_queue *queue, const struct sim_item *item);
bool sim_queue_pop(struct sim_queue *queue, struct sim_item *out);
/* The time of the next item; UINT64_MAX when empty. */
uint64_t sim_queue_next_ns(struct sim_queue *queue);
size_t sim_queue_count(const struct sim_queue *queue);

#endif
