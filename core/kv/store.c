/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include <assert.h>

enum { CHANGES_MIN = 4, RING_MIN = 16 };

static size_t change_size(const struct kv_change *change)
{
    return sizeof *change + change->value_size;
}

static size_t key_size(const struct kv_key *key)
{
    return sizeof *key + key->size;
}

uint32_t kv_key_slot_after(const struct kv_key *key, int64_t revision)
{
    assert(key->first < key->end);
    if (kv_key_change(key, key->end - 1)->main <= revision) {
        return key->end;
    }
    uint32_t low = key->first;
    uint32_t high = key->end - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (kv_key_change(key, middle)->main <= revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct kv_change *kv_key_at(const struct kv_key *key, int64_t revision)
{
    uint32_t after = kv_key_slot_after(key, revision);
    if (after == key->first) {
        return NULL;
    }
    const struct kv_change *change = kv_key_change(key, after - 1);
    return kv_is_deletion(change) ? NULL : change;
}

uint32_t kv_change_slot(const struct kv_change *change)
{
    uint32_t slot = kv_key_slot_after(change->key, change->main) - 1;
    assert(kv_key_change(change->key, slot) == change);
    return slot;
}

const struct kv_change *kv_change_before(const struct kv_change *change)
{
    uint32_t slot = kv_change_slot(change);
    return slot == change->key->first ? NULL : kv_key_change(change->key, slot - 1);
}

struct kv_record kv_change_record(const struct kv_change *change)
{
    return (struct kv_record){
        .key = kv_key_bytes(change->key),
        .value = kv_change_value(change),
        .create_revision = change->create,
        .mod_revision = change->main,
        .version = change->version,
        .lease = change->lease,
    };
}

struct kv_event kv_change_event(const struct kv *kv, const struct kv_change *change, bool previous)
{
    struct kv_event event = {.is_delete = kv_is_deletion(change), .record = kv_change_record(change)};
    if (!previous || change->main <= kv->compacted) {
        return event;
    }
    const struct kv_change *before = kv_change_before(change);
    if (before && !kv_is_deletion(before)) {
        event.has_previous = true;
        event.previous = kv_change_record(before);
    }
    return event;
}

static struct kv_key *key_new(struct kv *kv, struct base_bytes bytes)
{
    assert(bytes.size > 0 && bytes.size <= UINT32_MAX);
    struct kv_key *key = base_alloc(kv->allocator, sizeof *key + bytes.size);
    *key = (struct kv_key){.size = (uint32_t)bytes.size};
    memcpy(key->data, bytes.data, bytes.size);
    base_map_insert(&kv->keys, kv_key_bytes(key), key);
    return key;
}

static void key_free(struct kv *kv, struct kv_key *key)
{
    if (key->capacity > 0) {
        base_free(kv->allocator, key->changes.many, key->capacity * sizeof(struct kv_change *));
    }
    base_free(kv->allocator, key, key_size(key));
}

/* Make room for one more change at the end. */
static void key_grow(struct kv *kv, struct kv_key *key)
{
    uint32_t count = key->end - key->first;
    if (key->capacity == 0 && count == 0) {
        return;
    }
    if (key->capacity == 0) {
        struct kv_change *only = key->changes.only;
        key->changes.many = base_alloc(kv->allocator, CHANGES_MIN * sizeof(struct kv_change *));
        key->changes.many[0] = only;
        key->capacity = CHANGES_MIN;
        return;
    }
    if (key->end < key->capacity) {
        return;
    }
    if (key->first < key->capacity / 2) {
        assert(key->capacity <= UINT32_MAX / 2);
        size_t size = key->capacity * sizeof(struct kv_change *);
        key->changes.many = base_resize(kv->allocator, key->changes.many, size, 2 * size);
        key->capacity *= 2;
        return;
    }
    memmove(key->changes.many, key->changes.many + key->first, count * sizeof(struct kv_change *));
    key->first = 0;
    key->end = count;
}

static void key_push(struct kv *kv, struct kv_key *key, struct kv_change *change)
{
    key_grow(kv, key);
    if (key->capacity == 0) {
        key->changes.only = change;
    } else {
        key->changes.many[key->end] = change;
    }
    key->end++;
}

/* Give the room of dropped changes back once most of it is unused. */
static void key_shrink(struct kv *kv, struct kv_key *key)
{
    uint32_t count = key->end - key->first;
    if (key->capacity == 0 || count > key->capacity / 4) {
        return;
    }
    struct kv_change **old = key->changes.many;
    size_t old_size = key->capacity * sizeof(struct kv_change *);
    if (count == 1) {
        key->changes.only = old[key->first];
        key->capacity = 0;
    } else {
        uint32_t capacity = key->capacity / 2;
        key->changes.many = base_alloc(kv->allocator, capacity * sizeof(struct kv_change *));
        memcpy(key->changes.many, old + key->first, count * sizeof(struct kv_change *));
        key->capacity = capacity;
    }
    key->first = 0;
    key->end = count;
    base_free(kv->allocator, old, old_size);
}

static void ring_resize(struct kv *kv, uint64_t capacity)
{
    struct kv_record_ring *ring = &kv->ring;
    assert(capacity >= ring->end - ring->begin && (capacity & (capacity - 1)) == 0);
    struct kv_change **slots = base_alloc(kv->allocator, capacity * sizeof(struct kv_change *));
    for (uint64_t place = ring->begin; place < ring->end; place++) {
        slots[place & (capacity - 1)] = kv_ring_at(ring, place);
    }
    base_free(kv->allocator, ring->slots, ring->capacity * sizeof(struct kv_change *));
    ring->slots = slots;
    ring->capacity = capacity;
}

static void ring_push(struct kv *kv, struct kv_change *change)
{
    struct kv_record_ring *ring = &kv->ring;
    if (ring->end - ring->begin == ring->capacity) {
        ring_resize(kv, ring->capacity == 0 ? RING_MIN : ring->capacity * 2);
    }
    ring->slots[ring->end & (ring->capacity - 1)] = change;
    ring->end++;
}

void kv_ring_pop(struct kv *kv)
{
    struct kv_record_ring *ring = &kv->ring;
    assert(ring->begin < ring->end);
    ring->begin++;
    if (kv->visited < ring->begin) {
        kv->visited = ring->begin;
    }
    if (ring->capacity > RING_MIN && ring->end - ring->begin < ring->capacity / 4) {
        ring_resize(kv, ring->capacity / 2);
    }
}

uint64_t kv_ring_find(const struct kv_record_ring *ring, int64_t revision)
{
    uint64_t low = ring->begin;
    uint64_t high = ring->end;
    /* Most who ask are nearly level: double the steps back from the end. */
    for (uint64_t back = 1; back <= ring->end - ring->begin; back *= 2) {
        if (kv_ring_at(ring, ring->end - back)->main < revision) {
            low = ring->end - back + 1;
            break;
        }
        high = ring->end - back;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (kv_ring_at(ring, middle)->main < revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct kv_change *kv_store_append(struct kv *kv, struct kv_key *key, struct base_bytes key_bytes,
                                  const struct kv_change *fields, struct base_bytes value, bool in_ring)
{
    assert(value.size <= UINT32_MAX);
    if (!key) {
        key = key_new(kv, key_bytes);
    }
    bool was_live = key->first < key->end && !kv_is_deletion(kv_key_change(key, key->end - 1));
    struct kv_change *change = base_alloc(kv->allocator, sizeof *change + value.size);
    *change = *fields;
    change->key = key;
    change->value_size = (uint32_t)value.size;
    if (value.size > 0) {
        memcpy(change->value, value.data, value.size);
    }
    key_push(kv, key, change);
    if (in_ring) {
        ring_push(kv, change);
    }
    bool is_live = !kv_is_deletion(change);
    assert(was_live || is_live || kv->restore); /* Only what lives is deleted. */
    kv->key_count += (uint64_t)is_live;
    kv->key_count -= (uint64_t)was_live;
    kv->size_bytes += change_size(change) + key->size;
    return change;
}

void kv_store_drop(struct kv *kv, struct kv_key *key, uint32_t end)
{
    assert(end <= key->end);
    for (; key->first < end; key->first++) {
        struct kv_change *change = kv_key_change(key, key->first);
        kv->size_bytes -= change_size(change) + key->size;
        base_free(kv->allocator, change, change_size(change));
    }
    if (key->first < key->end) {
        key_shrink(kv, key);
        return;
    }
    void *removed = base_map_remove(&kv->keys, kv_key_bytes(key));
    assert(removed == key);
    key_free(kv, key);
}

bool kv_is_open_ended(struct base_bytes range_end)
{
    return range_end.size == 1 && range_end.data[0] == 0;
}

bool kv_in_range(struct base_bytes key, struct base_bytes range_begin, struct base_bytes range_end)
{
    if (range_end.size == 0) {
        return base_bytes_equal(key, range_begin);
    }
    return base_bytes_compare(key, range_begin) >= 0 &&
           (kv_is_open_ended(range_end) || base_bytes_compare(key, range_end) < 0);
}

struct kv_walk kv_walk_begin(const struct kv *kv, struct base_bytes key, struct base_bytes range_end)
{
    struct kv_walk walk = {0};
    if (range_end.size == 0) {
        walk.single = base_map_get(&kv->keys, key);
        return walk;
    }
    walk.cursor = base_map_seek(&kv->keys, key);
    walk.end = range_end;
    walk.is_open_ended = kv_is_open_ended(range_end);
    return walk;
}

struct kv_key *kv_walk_next(struct kv_walk *walk)
{
    if (walk->end.size == 0) {
        struct kv_key *single = walk->single;
        walk->single = NULL;
        return single;
    }
    struct kv_key *key = base_map_next(&walk->cursor);
    if (key && !walk->is_open_ended && base_bytes_compare(kv_key_bytes(key), walk->end) >= 0) {
        walk->cursor.leaf = NULL;
        return NULL;
    }
    return key;
}

/* Give every key and change back; the map's nodes go with kv_free. */
static void keys_free(struct kv *kv)
{
    struct base_map_cursor cursor = base_map_seek(&kv->keys, (struct base_bytes){0});
    for (struct kv_key *key = base_map_next(&cursor); key; key = base_map_next(&cursor)) {
        for (uint32_t slot = key->first; slot < key->end; slot++) {
            struct kv_change *change = kv_key_change(key, slot);
            base_free(kv->allocator, change, change_size(change));
        }
        key_free(kv, key);
    }
}

static bool lease_never(void *context, int64_t lease)
{
    (void)context;
    (void)lease;
    return false;
}

static void lease_ignored(void *context, int64_t lease, struct base_bytes key)
{
    (void)context;
    (void)lease;
    (void)key;
}

struct kv *kv_new(const struct base_allocator *allocator, const struct kv_lease_hooks *leases,
                  const struct kv_observer *observer)
{
    struct kv *kv = base_zalloc(allocator, sizeof *kv);
    kv->allocator = allocator;
    kv->leases =
        (struct kv_lease_hooks){.exists = lease_never, .attach = lease_ignored, .detach = lease_ignored};
    if (leases) {
        kv->leases = *leases;
    }
    if (observer) {
        kv->observer = *observer;
    }
    base_map_init(&kv->keys, allocator);
    kv->revision = 1;
    return kv;
}

void kv_free(struct kv *kv)
{
    assert(kv->snapshot_count == 0);
    kv_restore_drop(kv);
    keys_free(kv);
    base_map_release(&kv->keys);
    base_free(kv->allocator, kv->ring.slots, kv->ring.capacity * sizeof(struct kv_change *));
    base_free(kv->allocator, kv, sizeof *kv);
}

int64_t kv_revision(const struct kv *kv)
{
    return kv->revision;
}

int64_t kv_compacted(const struct kv *kv)
{
    return kv->compacted;
}

size_t kv_size_bytes(const struct kv *kv)
{
    return kv->size_bytes;
}

uint64_t kv_key_count(const struct kv *kv)
{
    return kv->key_count;
}
