/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is to happen within the next 64 bucket widths goes into the ring, where an
 * item lies in the bucket of its time; what is later into the heap, where it stays
 * until it comes out. A bucket is put in order when it is first looked at, so most
 * items are sorted once, among few. Only 16-byte keys are moved about. */
enum {
    BUCKET_COUNT = 64,
    SLOT_BITS = 24, /* 16 million items pending, and 2^40 pushes a run. */
    SLOT_COUNT_MAX = 1 << SLOT_BITS,
    INSERTION_MAX = 24, /* Sorted by insertion up to here, beyond by merging. */
    HEAP_ARITY = 4,
    KEYS_FIRST = 4 /* A cache line. */
};

/* An item's place in the order; the sequence is unique, so the slot below it
 * never decides. */
struct key {
    uint64_t time_ns;
    uint64_t tail; /* sequence << SLOT_BITS | slot */
};

/* What an item is beside its key; a free one leads to the next. */
struct body {
    uint32_t kind;
    uint32_t machine;
    void *data;
    uint64_t value;
};

struct keys {
    struct key *at;
    uint32_t capacity;
};

struct bucket {
    struct keys keys;
    uint32_t head;  /* First not yet popped, */
    uint32_t count; /* end of what is here; head < count unless both are 0. */
    bool is_sorted; /* Else head is 0. */
};

struct sim_queue {
    struct bucket buckets[BUCKET_COUNT];
    uint64_t full; /* Bit i: bucket i is not empty. */
    uint32_t width_bits;
    uint64_t popped_ns; /* Time of the last item popped; nothing pending is before. */
    uint64_t sequence;  /* Of the last push. */
    uint32_t count;
    struct keys heap;
    uint32_t heap_count;
    uint64_t far_ns;     /* Time of the heap's first; UINT64_MAX when it is empty. */
    struct keys scratch; /* Of the merge sort. */
    struct body *bodies;
    uint32_t body_capacity;
    uint32_t body_count; /* Slots ever used since the reset. */
    uint32_t body_free;  /* First free slot below body_count, or SLOT_COUNT_MAX. */
};

static void check(const struct sim_queue *queue)
{
    assert(queue->heap_count <= queue->count);
    assert(queue->count <= queue->body_count);
}

/* One comparison of 128 bits: no branch to guess. */
static bool is_before(const struct key *a, const struct key *b)
{
    __extension__ typedef unsigned __int128 wide;
    return ((wide)a->time_ns << 64 | a->tail) < ((wide)b->time_ns << 64 | b->tail);
}

/* Room for one more than `count`, which may have been the last. */
static __attribute__((noinline)) void grow(struct keys *keys, uint32_t count)
{
    uint32_t capacity = keys->capacity == 0 ? KEYS_FIRST : keys->capacity * 2;
    assert(count < capacity);
    keys->at = realloc(keys->at, capacity * sizeof keys->at[0]);
    if (!keys->at) {
        abort();
    }
    keys->capacity = capacity;
}

static void reserve(struct keys *keys, uint32_t count)
{
    while (count > keys->capacity) {
        grow(keys, keys->capacity);
    }
}

/* --- bodies --- */

static void grow_bodies(struct sim_queue *queue)
{
    uint32_t capacity = queue->body_capacity == 0 ? 256 : queue->body_capacity * 2;
    assert(capacity <= SLOT_COUNT_MAX);
    queue->bodies = realloc(queue->bodies, capacity * sizeof queue->bodies[0]);
    if (!queue->bodies) {
        abort();
    }
    queue->body_capacity = capacity;
}

static uint32_t take_slot(struct sim_queue *queue)
{
    uint32_t slot = queue->body_free;
    if (slot != SLOT_COUNT_MAX) {
        queue->body_free = queue->bodies[slot].kind;
        return slot;
    }
    if (queue->body_count == queue->body_capacity) {
        grow_bodies(queue);
    }
    return queue->body_count++;
}

static void give_slot(struct sim_queue *queue, uint32_t slot)
{
    queue->bodies[slot].kind = queue->body_free;
    queue->body_free = slot;
}

/* --- the heap of what is far --- */

static __attribute__((noinline)) void heap_push(struct sim_queue *queue, struct key key)
{
    reserve(&queue->heap, queue->heap_count + 1);
    struct key *heap = queue->heap.at;
    size_t place = queue->heap_count++;
    while (place > 0) {
        size_t parent = (place - 1) / HEAP_ARITY;
        if (!is_before(&key, &heap[parent])) {
            break;
        }
        heap[place] = heap[parent];
        place = parent;
    }
    heap[place] = key;
    queue->far_ns = heap[0].time_ns;
}

/* The least of the children from `first` on; there is at least one. */
static size_t least_child(const struct key *heap, size_t first, size_t count)
{
    size_t end = first + HEAP_ARITY < count ? first + HEAP_ARITY : count;
    size_t least = first;
    for (size_t child = first + 1; child < end; child++) {
        least = is_before(&heap[child], &heap[least]) ? child : least;
    }
    return least;
}

static __attribute__((noinline)) void heap_pop(struct sim_queue *queue)
{
    assert(queue->heap_count > 0);
    struct key *heap = queue->heap.at;
    uint32_t count = --queue->heap_count;
    struct key last = heap[count];
    size_t place = 0;
    for (;;) {
        size_t first = place * HEAP_ARITY + 1;
        if (first >= count) {
            break;
        }
        size_t child = least_child(heap, first, count);
        if (!is_before(&heap[child], &last)) {
            break;
        }
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = last;
    queue->far_ns = count == 0 ? UINT64_MAX : heap[0].time_ns;
}

/* --- the ring of what is near --- */

static void sort_by_insertion(struct key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct key key = keys[i];
        size_t place = i;
        for (; place > 0 && is_before(&key, &keys[place - 1]); place--) {
            keys[place] = keys[place - 1];
        }
        keys[place] = key;
    }
}

static void merge(const struct key *from, size_t middle, size_t end, struct key *to)
{
    size_t left = 0;
    size_t right = middle;
    for (size_t i = 0; i < end; i++) {
        if (right == end || (left < middle && is_before(&from[left], &from[right]))) {
            to[i] = from[left++];
        } else {
            to[i] = from[right++];
        }
    }
}

/* Runs of INSERTION_MAX, then twice as long ones from one array into the other. */
static void sort_by_merging(struct sim_queue *queue, struct key *keys, uint32_t count)
{
    reserve(&queue->scratch, count);
    for (size_t start = 0; start < count; start += INSERTION_MAX) {
        sort_by_insertion(keys + start, count - start < INSERTION_MAX ? count - start : INSERTION_MAX);
    }
    struct key *from = keys;
    struct key *to = queue->scratch.at;
    for (size_t run = INSERTION_MAX; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            size_t left = count - start;
            merge(from + start, left < run ? left : run, left < 2 * run ? left : 2 * run, to + start);
        }
        struct key *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys) {
        memcpy(keys, from, count * sizeof keys[0]);
    }
}

static __attribute__((noinline)) void sort_bucket(struct sim_queue *queue, struct bucket *bucket)
{
    if (bucket->count <= INSERTION_MAX) {
        sort_by_insertion(bucket->keys.at, bucket->count);
    } else {
        sort_by_merging(queue, bucket->keys.at, bucket->count);
    }
    bucket->is_sorted = true;
}

/* The first place in a sorted bucket whose key is after `key`. */
static uint32_t place_of(const struct bucket *bucket, const struct key *key)
{
    uint32_t low = bucket->head;
    uint32_t high = bucket->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(&bucket->keys.at[middle], key)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What is pushed while its bucket is being emptied is mostly soon: the few keys
 * before it move down into the room that popped ones left. */
static __attribute__((noinline)) void insert_sorted(struct bucket *bucket, struct key key)
{
    struct key *keys = bucket->keys.at;
    uint32_t place = place_of(bucket, &key);
    if (bucket->head > 0 && place - bucket->head <= bucket->count - place) {
        memmove(keys + bucket->head - 1, keys + bucket->head, (place - bucket->head) * sizeof keys[0]);
        bucket->head--;
        keys[place - 1] = key;
        return;
    }
    reserve(&bucket->keys, bucket->count + 1);
    keys = bucket->keys.at;
    memmove(keys + place + 1, keys + place, (bucket->count - place) * sizeof keys[0]);
    keys[place] = key;
    bucket->count++;
}

static void ring_push(struct sim_queue *queue, uint64_t number, struct key key)
{
    uint32_t which = (uint32_t)(number % BUCKET_COUNT);
    struct bucket *bucket = &queue->buckets[which];
    queue->full |= UINT64_C(1) << which;
    if (bucket->is_sorted) {
        insert_sorted(bucket, key);
        return;
    }
    if (bucket->count == bucket->keys.capacity) {
        grow(&bucket->keys, bucket->count);
    }
    bucket->keys.at[bucket->count++] = key;
}

/* The bucket with the ring's first key, in order; the ring is not empty. */
static struct bucket *first_bucket(struct sim_queue *queue)
{
    assert(queue->full != 0);
    uint32_t now = (uint32_t)(queue->popped_ns >> queue->width_bits) % BUCKET_COUNT;
    uint64_t turned = queue->full >> now | queue->full << ((BUCKET_COUNT - now) % BUCKET_COUNT);
    uint32_t which = (now + (uint32_t)__builtin_ctzll(turned)) % BUCKET_COUNT;
    struct bucket *bucket = &queue->buckets[which];
    if (!bucket->is_sorted && bucket->count > 1) {
        sort_bucket(queue, bucket);
    }
    return bucket;
}

static void bucket_pop(struct sim_queue *queue, struct bucket *bucket)
{
    bucket->head++;
    if (bucket->head == bucket->count) {
        bucket->head = 0;
        bucket->count = 0;
        bucket->is_sorted = false;
        queue->full &= ~(UINT64_C(1) << (uint32_t)(bucket - queue->buckets));
    }
}

/* --- the whole --- */

static uint32_t width_bits_for(uint64_t bucket_ns)
{
    uint32_t bits = 0;
    while (bits < 48 && UINT64_C(1) << bits < bucket_ns) {
        bits++;
    }
    return bits;
}

struct sim_queue *sim_queue_new(uint64_t bucket_ns)
{
    struct sim_queue *queue = calloc(1, sizeof *queue);
    if (!queue) {
        abort();
    }
    sim_queue_reset(queue, bucket_ns);
    return queue;
}

void sim_queue_free(struct sim_queue *queue)
{
    if (!queue) {
        return;
    }
    for (uint32_t i = 0; i < BUCKET_COUNT; i++) {
        free(queue->buckets[i].keys.at);
    }
    free(queue->heap.at);
    free(queue->scratch.at);
    free(queue->bodies);
    free(queue);
}

void sim_queue_reset(struct sim_queue *queue, uint64_t bucket_ns)
{
    for (uint32_t i = 0; i < BUCKET_COUNT; i++) {
        queue->buckets[i].head = 0;
        queue->buckets[i].count = 0;
        queue->buckets[i].is_sorted = false;
    }
    queue->full = 0;
    queue->width_bits = width_bits_for(bucket_ns);
    queue->popped_ns = 0;
    queue->sequence = 0;
    queue->count = 0;
    queue->heap_count = 0;
    queue->far_ns = UINT64_MAX;
    queue->body_count = 0;
    queue->body_free = SLOT_COUNT_MAX;
    check(queue);
}

void sim_queue_push(struct sim_queue *queue, const struct sim_item *item)
{
    assert(item->time_ns >= queue->popped_ns); /* Time does not go back. */
    uint32_t slot = take_slot(queue);
    struct body *body = &queue->bodies[slot];
    body->kind = item->kind;
    body->machine = item->machine;
    body->data = item->data;
    body->value = item->value;
    queue->count++;
    queue->sequence++;
    assert(queue->sequence < UINT64_C(1) << (64 - SLOT_BITS));
    struct key key = {.time_ns = item->time_ns, .tail = queue->sequence << SLOT_BITS | slot};
    uint64_t number = item->time_ns >> queue->width_bits;
    if (number - (queue->popped_ns >> queue->width_bits) < BUCKET_COUNT) {
        ring_push(queue, number, key);
    } else {
        heap_push(queue, key);
    }
}

/* The next key, out of the ring or the heap; there is one. */
static inline struct key take_key(struct sim_queue *queue)
{
    struct key key;
    if (queue->full != 0) {
        struct bucket *bucket = first_bucket(queue);
        key = bucket->keys.at[bucket->head];
        if (key.time_ns < queue->far_ns || queue->heap_count == 0 || is_before(&key, &queue->heap.at[0])) {
            bucket_pop(queue, bucket);
            return key;
        }
    }
    assert(queue->heap_count > 0);
    key = queue->heap.at[0];
    heap_pop(queue);
    return key;
}

bool sim_queue_pop(struct sim_queue *queue, struct sim_item *out)
{
    check(queue);
    if (queue->count == 0) {
        return false;
    }
    struct key key = take_key(queue);
    uint32_t slot = (uint32_t)(key.tail % SLOT_COUNT_MAX);
    const struct body *body = &queue->bodies[slot];
    out->time_ns = key.time_ns;
    out->sequence = key.tail >> SLOT_BITS;
    out->kind = body->kind;
    out->machine = body->machine;
    out->data = body->data;
    out->value = body->value;
    give_slot(queue, slot);
    queue->count--;
    assert(key.time_ns >= queue->popped_ns);
    queue->popped_ns = key.time_ns;
    return true;
}

uint64_t sim_queue_next_ns(struct sim_queue *queue)
{
    if (queue->full == 0) {
        return queue->far_ns;
    }
    const struct bucket *bucket = first_bucket(queue);
    uint64_t near_ns = bucket->keys.at[bucket->head].time_ns;
    return near_ns < queue->far_ns ? near_ns : queue->far_ns;
}

size_t sim_queue_count(const struct sim_queue *queue)
{
    return queue->count;
}
