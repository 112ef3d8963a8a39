/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include <assert.h>

static bool is_wanted(const struct kv_filter *filter, const struct kv_change *change)
{
    if ((filter->no_put && !kv_is_deletion(change)) || (filter->no_delete && kv_is_deletion(change))) {
        return false;
    }
    return kv_in_range(kv_key_bytes(change->key), filter->begin, filter->end);
}

/* A place in the history: in the ring, or in the changes of the only key. Both
 * are in revision order. */
struct place {
    const struct kv *kv;
    const struct kv_key *key; /* NULL: the ring. */
    uint64_t at;
    uint64_t end;
};

static struct place place_find(const struct kv *kv, int64_t from, const struct kv_filter *filter)
{
    struct place place = {.kv = kv, .at = kv_ring_find(&kv->ring, from), .end = kv->ring.end};
    if (filter->end.size > 0 || place.end - place.at <= KV_HISTORY_WALK) {
        return place;
    }
    /* One key, and the ring has a long way to go: ask the key itself. */
    const struct kv_key *key = base_map_get(&kv->keys, filter->begin);
    place.key = key;
    place.at = key ? kv_key_slot_after(key, from - 1) : 0;
    place.end = key ? key->end : 0;
    return place;
}

static const struct kv_change *place_change(const struct place *place, uint64_t at)
{
    return place->key ? kv_key_change(place->key, (uint32_t)at) : kv_ring_at(&place->kv->ring, at);
}

/* How far whole revisions up to `to` with at most `max` wanted changes go, the
 * first with any in every case. */
static uint64_t stretch_end(const struct place *place, int64_t to, uint32_t max,
                            const struct kv_filter *filter, uint32_t *count)
{
    uint64_t end = place->at;
    uint32_t wanted = 0;
    *count = 0;
    for (uint64_t at = place->at; at < place->end; at++) {
        const struct kv_change *change = place_change(place, at);
        if (change->main > to) {
            break;
        }
        wanted += is_wanted(filter, change);
        bool is_last_of_main = at + 1 == place->end || place_change(place, at + 1)->main != change->main;
        if (!is_last_of_main) {
            continue;
        }
        if (*count > 0 && wanted > max) {
            break;
        }
        end = at + 1;
        *count = wanted;
        if (wanted >= max && wanted > 0) {
            break;
        }
    }
    return end;
}

enum base_status kv_history_of(const struct kv *kv, int64_t from, int64_t to, uint32_t max,
                               const struct kv_filter *filter, struct base_arena *arena,
                               const struct kv_event **events, uint32_t *event_count, int64_t *next)
{
    if (from < kv->compacted) {
        return BASE_COMPACTED;
    }
    to = to < kv->revision ? to : kv->revision;
    struct place place = place_find(kv, from, filter);
    uint32_t count;
    uint64_t end = stretch_end(&place, to, max, filter, &count);
    bool is_all = end == place.end || place_change(&place, end)->main > to;
    *next = is_all ? to + 1 : place_change(&place, end)->main;
    *next = *next < from ? from : *next;
    *event_count = count;
    *events = NULL;
    if (count == 0) {
        return BASE_OK;
    }
    struct kv_event *out = base_arena_alloc(arena, count * sizeof *out);
    uint32_t filled = 0;
    for (uint64_t at = place.at; at < end; at++) {
        const struct kv_change *change = place_change(&place, at);
        if (is_wanted(filter, change)) {
            out[filled++] = kv_change_event(kv, change, filter->previous);
        }
    }
    assert(filled == count);
    *events = out;
    return BASE_OK;
}

enum base_status kv_history(const struct kv *kv, int64_t from, int64_t to, uint32_t max, bool previous,
                            struct base_arena *arena, const struct kv_event **events, uint32_t *event_count,
                            int64_t *next)
{
    static const uint8_t zero[1] = {0};
    struct base_bytes open_end = {.data = zero, .size = 1};
    const struct kv_filter everything = {.begin = open_end, .end = open_end, .previous = previous};
    return kv_history_of(kv, from, to, max, &everything, arena, events, event_count, next);
}
