/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease/lessor.h"

#include "core/base/hash.h"

#include <assert.h>

enum { REVOKE_RATE_DEFAULT = 1000, SAVED_LEASE_BYTES = 24 };
#define SCAN_INTERVAL_DEFAULT_NS UINT64_C(500000000)
#define RETRY_INTERVAL_DEFAULT_NS UINT64_C(3000000000)

static void id_encode(int64_t id, uint8_t bytes[LEASE_ID_BYTES])
{
    for (int i = 0; i < LEASE_ID_BYTES; i++) {
        bytes[i] = (uint8_t)((uint64_t)id >> (8 * (LEASE_ID_BYTES - 1 - i)));
    }
}

static struct base_bytes id_key(const uint8_t bytes[LEASE_ID_BYTES])
{
    return (struct base_bytes){.data = bytes, .size = LEASE_ID_BYTES};
}

static struct base_bytes item_key(const struct lease_item *item)
{
    return (struct base_bytes){.data = item->data, .size = item->size};
}

struct lease *lease_find(const struct lease_lessor *lessor, int64_t id)
{
    uint8_t bytes[LEASE_ID_BYTES];
    id_encode(id, bytes);
    return base_map_get(&lessor->leases, id_key(bytes));
}

struct lease_lessor *lease_new(const struct base_allocator *allocator, const struct lease_options *options)
{
    struct lease_lessor *lessor = base_zalloc(allocator, sizeof *lessor);
    lessor->allocator = allocator;
    lessor->options = *options;
    if (lessor->options.ttl_min_s < 1) {
        lessor->options.ttl_min_s = 1;
    }
    if (lessor->options.ttl_min_s > LEASE_TTL_MAX_S) {
        lessor->options.ttl_min_s = LEASE_TTL_MAX_S;
    }
    if (lessor->options.revoke_rate == 0) {
        lessor->options.revoke_rate = REVOKE_RATE_DEFAULT;
    }
    if (lessor->options.scan_interval_ns == 0) {
        lessor->options.scan_interval_ns = SCAN_INTERVAL_DEFAULT_NS;
    }
    if (lessor->options.retry_interval_ns == 0) {
        lessor->options.retry_interval_ns = RETRY_INTERVAL_DEFAULT_NS;
    }
    base_map_init(&lessor->leases, allocator);
    base_map_init(&lessor->items, allocator);
    return lessor;
}

/* Give the lease back with its items; the lessor's maps are the caller's. */
static void lease_destroy(struct lease_lessor *lessor, struct lease *lease)
{
    struct base_map_cursor cursor = base_map_seek(&lease->items, (struct base_bytes){0});
    for (struct lease_item *item = base_map_next(&cursor); item; item = base_map_next(&cursor)) {
        base_free(lessor->allocator, item, sizeof *item + item->size);
    }
    base_map_release(&lease->items);
    base_free(lessor->allocator, lease, sizeof *lease);
}

void lease_free(struct lease_lessor *lessor)
{
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, (struct base_bytes){0});
    for (struct lease *lease = base_map_next(&cursor); lease; lease = base_map_next(&cursor)) {
        lease_destroy(lessor, lease);
    }
    base_map_release(&lessor->leases);
    base_map_release(&lessor->items);
    lease_queue_release(lessor, LEASE_EXPIRY);
    lease_queue_release(lessor, LEASE_CHECKPOINT);
    base_free(lessor->allocator, lessor->keys, lessor->keys_capacity * sizeof *lessor->keys);
    base_free(lessor->allocator, lessor, sizeof *lessor);
}

/* Enter a lease that expires nowhere yet. */
static struct lease *lease_enter(struct lease_lessor *lessor, int64_t id, int64_t ttl_s)
{
    assert(id > 0 && ttl_s <= LEASE_TTL_MAX_S);
    struct lease *lease = base_alloc(lessor->allocator, sizeof *lease);
    *lease = (struct lease){
        .id = id,
        .ttl_s = ttl_s < lessor->options.ttl_min_s ? lessor->options.ttl_min_s : ttl_s,
        .expiry_ns = LEASE_FOREVER,
        .queue_ns = {LEASE_FOREVER, LEASE_FOREVER},
        .queue_slot = {LEASE_NOT_QUEUED, LEASE_NOT_QUEUED},
    };
    id_encode(id, lease->id_bytes);
    base_map_init(&lease->items, lessor->allocator);
    base_map_insert(&lessor->leases, id_key(lease->id_bytes), lease);
    return lease;
}

enum base_status lease_grant(struct lease_lessor *lessor, int64_t id, int64_t ttl_s, uint64_t now_ns,
                             int64_t *granted_s)
{
    if (id <= 0) {
        return BASE_INVALID;
    }
    if (ttl_s > LEASE_TTL_MAX_S) {
        return BASE_LEASE_TTL_TOO_LARGE;
    }
    if (lease_find(lessor, id)) {
        return BASE_LEASE_EXISTS;
    }
    struct lease *lease = lease_enter(lessor, id, ttl_s);
    if (lessor->is_primary) {
        lease_expire_at(lessor, lease, now_ns, lease_add_ns(now_ns, lease_seconds_ns(lease->ttl_s)));
    }
    *granted_s = lease->ttl_s;
    return BASE_OK;
}

enum base_status lease_revoke(struct lease_lessor *lessor, int64_t id)
{
    struct lease *lease = lease_find(lessor, id);
    if (!lease) {
        return BASE_LEASE_NOT_FOUND;
    }
    lease_queue_set(lessor, LEASE_EXPIRY, lease, LEASE_FOREVER);
    lease_queue_set(lessor, LEASE_CHECKPOINT, lease, LEASE_FOREVER);
    struct base_map_cursor cursor = base_map_seek(&lease->items, (struct base_bytes){0});
    for (struct lease_item *item = base_map_next(&cursor); item; item = base_map_next(&cursor)) {
        void *removed = base_map_remove(&lessor->items, item_key(item));
        assert(removed == item);
    }
    void *removed = base_map_remove(&lessor->leases, id_key(lease->id_bytes));
    assert(removed == lease);
    lease_destroy(lessor, lease);
    return BASE_OK;
}

bool lease_exists(const struct lease_lessor *lessor, int64_t id)
{
    return lease_find(lessor, id) != NULL;
}

uint64_t lease_count(const struct lease_lessor *lessor)
{
    return lessor->leases.count;
}

static void item_remove(struct lease_lessor *lessor, struct lease_item *item)
{
    void *of_lessor = base_map_remove(&lessor->items, item_key(item));
    void *of_lease = base_map_remove(&item->lease->items, item_key(item));
    assert(of_lessor == item && of_lease == item);
    base_free(lessor->allocator, item, sizeof *item + item->size);
}

void lease_attach(struct lease_lessor *lessor, int64_t id, struct base_bytes key)
{
    struct lease *lease = lease_find(lessor, id);
    assert(lease && key.size > 0 && key.size <= UINT32_MAX);
    struct lease_item *item = base_map_get(&lessor->items, key);
    if (item && item->lease == lease) {
        return;
    }
    if (item) {
        void *removed = base_map_remove(&item->lease->items, item_key(item));
        assert(removed == item);
    } else {
        item = base_alloc(lessor->allocator, sizeof *item + key.size);
        item->size = (uint32_t)key.size;
        memcpy(item->data, key.data, key.size);
        base_map_insert(&lessor->items, item_key(item), item);
    }
    item->lease = lease;
    base_map_insert(&lease->items, item_key(item), item);
}

void lease_detach(struct lease_lessor *lessor, int64_t id, struct base_bytes key)
{
    struct lease_item *item = base_map_get(&lessor->items, key);
    if (item && item->lease->id == id) {
        item_remove(lessor, item);
    }
}

uint32_t lease_keys(struct lease_lessor *lessor, int64_t id, const struct base_bytes **keys)
{
    const struct lease *lease = lease_find(lessor, id);
    if (!lease || lease->items.count == 0) {
        *keys = NULL;
        return 0;
    }
    assert(lease->items.count <= UINT32_MAX);
    if (lease->items.count > lessor->keys_capacity) {
        size_t size_old = lessor->keys_capacity * sizeof *lessor->keys;
        lessor->keys_capacity = lease->items.count;
        lessor->keys = base_resize(lessor->allocator, lessor->keys, size_old,
                                   lessor->keys_capacity * sizeof *lessor->keys);
    }
    uint32_t count = 0;
    struct base_map_cursor cursor = base_map_seek(&lease->items, (struct base_bytes){0});
    for (const struct lease_item *item = base_map_next(&cursor); item; item = base_map_next(&cursor)) {
        lessor->keys[count++] = item_key(item);
    }
    *keys = lessor->keys;
    return count;
}

static struct lease_info info_of(const struct lease *lease)
{
    return (struct lease_info){
        .id = lease->id,
        .granted_s = lease->ttl_s,
        .remaining_s = lease->remaining_s,
        .expiry_ns = lease->expiry_ns,
        .is_expiring = lease->is_expiring,
        .checkpoint_first = lease->remaining_s > 0 || lease->has_checkpoint_out,
        .key_count = (uint32_t)lease->items.count,
    };
}

enum base_status lease_info(const struct lease_lessor *lessor, int64_t id, struct lease_info *out)
{
    const struct lease *lease = lease_find(lessor, id);
    if (!lease) {
        return BASE_LEASE_NOT_FOUND;
    }
    *out = info_of(lease);
    return BASE_OK;
}

bool lease_next(const struct lease_lessor *lessor, int64_t after, struct lease_info *out)
{
    if (after == INT64_MAX) {
        return false;
    }
    uint8_t bytes[LEASE_ID_BYTES];
    id_encode(after < 0 ? 0 : after + 1, bytes);
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, id_key(bytes));
    const struct lease *lease = base_map_next(&cursor);
    if (!lease) {
        return false;
    }
    *out = info_of(lease);
    return true;
}

uint64_t lease_hash(const struct lease_lessor *lessor)
{
    uint64_t hash = lessor->leases.count;
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, (struct base_bytes){0});
    for (const struct lease *lease = base_map_next(&cursor); lease; lease = base_map_next(&cursor)) {
        hash = base_hash_i64(hash, lease->id);
        hash = base_hash_i64(hash, lease->ttl_s);
        hash = base_hash_i64(hash, lease->remaining_s);
    }
    return hash;
}

void lease_save(const struct lease_lessor *lessor, struct base_buffer *out)
{
    base_put_u64(out, lessor->leases.count);
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, (struct base_bytes){0});
    for (const struct lease *lease = base_map_next(&cursor); lease; lease = base_map_next(&cursor)) {
        base_put_i64(out, lease->id);
        base_put_i64(out, lease->ttl_s);
        base_put_i64(out, lease->remaining_s);
    }
}

enum base_status lease_load(struct lease_lessor *lessor, struct base_reader *in)
{
    assert(lessor->leases.count == 0 && !lessor->is_primary);
    uint64_t count = base_get_u64(in);
    if (in->failed || count > base_reader_left(in) / SAVED_LEASE_BYTES) {
        return BASE_CORRUPT;
    }
    int64_t id_before = 0;
    for (uint64_t i = 0; i < count; i++) {
        int64_t id = base_get_i64(in);
        int64_t ttl_s = base_get_i64(in);
        int64_t remaining_s = base_get_i64(in);
        if (id <= id_before || ttl_s < 1 || ttl_s > LEASE_TTL_MAX_S || remaining_s < 0 ||
            remaining_s > ttl_s) {
            return BASE_CORRUPT;
        }
        lease_enter(lessor, id, ttl_s)->remaining_s = remaining_s;
        id_before = id;
    }
    return BASE_OK;
}
