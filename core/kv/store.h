/* Inside of the store, shared by the files of core/kv only: keys with their
 * changes, and the record of changes in revision order. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_KV_STORE_H
#define CORE_KV_STORE_H

#include "core/base/map.h"
#include "core/kv/kv.h"

/* One version of one key: what a put or a deletion left. Never altered. */
struct kv_change {
    struct kv_key *key;
    int64_t main;
    int64_t create;  /* Main revision of the put that began this generation; 0 in a deletion. */
    int64_t version; /* 0: a deletion. */
    int64_t lease;
    uint32_t sub;
    uint32_t value_size;
    uint8_t value[];
};

/* A key as long as any change of it is kept. Its changes are in revision order, at
 * most one in a main revision (kv_check), changes[first] the oldest; first < end
 * once it is in the map. */
struct kv_key {
    uint32_t size;
    uint32_t first;
    uint32_t end;
    uint32_t capacity; /* 0: the one change stands in `only`. */
    union {
        struct kv_change *only;
        struct kv_change **many;
    } changes;
    uint8_t data[];
};

/* Changes in order of (main, sub), as a ring; a change's place is a number that
 * stays: begin <= place < end. */
struct kv_record_ring {
    struct kv_change **slots;
    uint64_t capacity; /* 0 or a power of two. */
    uint64_t begin;
    uint64_t end;
};

/* Where compaction stands is told by the ring alone:
 * - a change leaves the ring once compaction has passed it, so every change in
 *   the ring has main >= compacted when none is under way;
 * - a kept change that has left the ring is the only such one of its key and is
 *   no deletion;
 * - `visited` is the first place whose key may still have older changes to drop. */
struct kv {
    const struct base_allocator *allocator;
    struct kv_lease_hooks leases;
    struct kv_observer observer;
    struct base_map keys; /* To struct kv_key. */
    struct kv_record_ring ring;
    uint64_t visited;
    int64_t revision;
    int64_t compacted;
    size_t size_bytes;
    uint64_t key_count;
    uint32_t snapshot_count;
    struct kv_restore *restore; /* NULL unless a stream is being read. */
};

#define KV_NEWEST INT64_MAX

static inline struct base_bytes kv_key_bytes(const struct kv_key *key)
{
    return (struct base_bytes){.data = key->data, .size = key->size};
}

static inline struct kv_change *kv_key_change(const struct kv_key *key, uint32_t slot)
{
    return key->capacity == 0 ? key->changes.only : key->changes.many[slot];
}

static inline struct base_bytes kv_change_value(const struct kv_change *change)
{
    return (struct base_bytes){.data = change->value, .size = change->value_size};
}

static inline bool kv_is_deletion(const struct kv_change *change)
{
    return change->version == 0;
}

static inline struct kv_change *kv_ring_at(const struct kv_record_ring *ring, uint64_t place)
{
    return ring->slots[place & (ring->capacity - 1)];
}

/* The slot after the last change of the key with main <= revision. */
uint32_t kv_key_slot_after(const struct kv_key *key, int64_t revision);
/* What the key held at a main revision: NULL when it was not there or deleted. */
const struct kv_change *kv_key_at(const struct kv_key *key, int64_t revision);
/* Where the change stands among those of its key. */
uint32_t kv_change_slot(const struct kv_change *change);
/* The change of the same key before this one; NULL when none is kept. */
const struct kv_change *kv_change_before(const struct kv_change *change);
/* Everything but keys_only's missing value; a deletion has its key and mod_revision. */
struct kv_record kv_change_record(const struct kv_change *change);
/* The change as an event. The one before it counts only if the reader of
 * main - 1 would not be refused. */
struct kv_event kv_change_event(const struct kv *kv, const struct kv_change *change, bool previous);

/* Of all fields; sums of these compare sets of changes. */
uint64_t kv_change_hash(const struct kv_change *change);

/* Enter a change after all others; the key is made if it is new. `fields` has
 * main, sub, create, version and lease. Its place in the ring is optional: a
 * restored change may have left it. */
struct kv_change *kv_store_append(struct kv *kv, struct kv_key *key, struct base_bytes key_bytes,
                                  const struct kv_change *fields, struct base_bytes value, bool in_ring);
/* Drop the changes of a key in front of `end`; the key goes with its last one. */
void kv_store_drop(struct kv *kv, struct kv_key *key, uint32_t end);
void kv_ring_pop(struct kv *kv);
/* The first place whose change has main >= revision. */
uint64_t kv_ring_find(const struct kv_record_ring *ring, int64_t revision);

/* The keys of [key, range_end), by the rules of struct kv_op, in order. The map
 * must not change meanwhile. */
struct kv_walk {
    struct base_map_cursor cursor;
    struct base_bytes end;
    bool is_open_ended;
    struct kv_key *single; /* The one key, once. */
};

bool kv_is_open_ended(struct base_bytes range_end);
bool kv_in_range(struct base_bytes key, struct base_bytes range_begin, struct base_bytes range_end);
struct kv_walk kv_walk_begin(const struct kv *kv, struct base_bytes key, struct base_bytes range_end);
struct kv_key *kv_walk_next(struct kv_walk *walk);

/* A range of the store into `result`; the revision was checked before. */
void kv_range(const struct kv *kv, const struct kv_op *op, struct base_arena *arena,
              struct kv_result *result);
/* Does the store, as it is, meet all compares of a transaction? */
bool kv_compares_hold(const struct kv *kv, const struct kv_txn *txn);

/* What of the history somebody wants to see. */
struct kv_filter {
    struct base_bytes begin;
    struct base_bytes end; /* As in struct kv_op. */
    bool no_put;
    bool no_delete;
    bool previous;
};

/* A filter for one key walks so many changes before it looks the key up. */
enum { KV_HISTORY_WALK = 4 };

/* kv_history, filtered; `max` counts what passes. */
enum base_status kv_history_of(const struct kv *kv, int64_t from, int64_t to, uint32_t max,
                               const struct kv_filter *filter, struct base_arena *arena,
                               const struct kv_event **events, uint32_t *event_count, int64_t *next);

/* Forget a stream that was being read. */
void kv_restore_drop(struct kv *kv);

#endif
