/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include <assert.h>

enum base_status kv_compact(struct kv *kv, int64_t revision)
{
    assert(!kv->restore);
    if (revision <= kv->compacted) {
        return BASE_COMPACTED;
    }
    if (revision > kv->revision) {
        return BASE_FUTURE_REVISION;
    }
    kv->compacted = revision;
    return BASE_OK;
}

bool kv_is_compacting(const struct kv *kv)
{
    const struct kv_record_ring *ring = &kv->ring;
    if (ring->begin < ring->end && kv_ring_at(ring, ring->begin)->main < kv->compacted) {
        return true;
    }
    return kv->visited < ring->end && kv_ring_at(ring, kv->visited)->main <= kv->compacted;
}

bool kv_compact_step(struct kv *kv, uint32_t keys)
{
    if (kv->snapshot_count > 0) {
        return kv_is_compacting(kv);
    }
    for (uint32_t i = 0; i < keys && kv_is_compacting(kv); i++) {
        bool is_passed = kv_ring_at(&kv->ring, kv->ring.begin)->main < kv->compacted;
        uint64_t place = is_passed ? kv->ring.begin : kv->visited;
        struct kv_change *change = kv_ring_at(&kv->ring, place);
        uint32_t end = kv_change_slot(change);
        if (is_passed) {
            kv_ring_pop(kv);
        } else {
            kv->visited++;
        }
        /* A deletion at the very revision stays: a watch may begin there. */
        bool is_kept = !kv_is_deletion(change) || change->main == kv->compacted;
        kv_store_drop(kv, change->key, is_kept ? end : end + 1);
    }
    return kv_is_compacting(kv);
}
