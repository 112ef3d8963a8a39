/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include "core/base/hash.h"

uint64_t kv_change_hash(const struct kv_change *change)
{
    uint64_t hash = base_hash_bytes(1, kv_key_bytes(change->key));
    hash = base_hash_i64(hash, change->main);
    hash = base_hash_u64(hash, change->sub);
    hash = base_hash_i64(hash, change->create);
    hash = base_hash_i64(hash, change->version);
    hash = base_hash_i64(hash, change->lease);
    return base_hash_bytes(hash, kv_change_value(change));
}

/* What compaction keeps of a key, whether or not it has got there: from the
 * newest change at or below `compacted` on, and that one not if it is an older
 * deletion. */
static uint32_t first_kept(const struct kv *kv, const struct kv_key *key)
{
    uint32_t after = kv_key_slot_after(key, kv->compacted);
    if (after == key->first) {
        return after;
    }
    const struct kv_change *change = kv_key_change(key, after - 1);
    return kv_is_deletion(change) && change->main < kv->compacted ? after : after - 1;
}

enum base_status kv_hash(const struct kv *kv, int64_t revision, uint64_t *hash)
{
    if (revision <= 0) {
        revision = kv->revision;
    }
    if (revision > kv->revision) {
        return BASE_FUTURE_REVISION;
    }
    if (revision < kv->compacted) {
        return BASE_COMPACTED;
    }
    uint64_t sum = 0;
    struct base_map_cursor cursor = base_map_seek(&kv->keys, (struct base_bytes){0});
    for (const struct kv_key *key = base_map_next(&cursor); key; key = base_map_next(&cursor)) {
        uint32_t after = kv_key_slot_after(key, revision);
        for (uint32_t slot = first_kept(kv, key); slot < after; slot++) {
            sum += kv_change_hash(kv_key_change(key, slot));
        }
    }
    *hash = base_hash_u64(base_hash_i64(base_hash_i64(2, kv->compacted), revision), sum);
    return BASE_OK;
}
