/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/watch.h"

#include "core/kv/store.h"

#include <assert.h>

enum { WATCHERS_MIN = 4 };

struct watcher {
    uint64_t id;
    int64_t next; /* Everything before this main revision was delivered or is not wanted. */
    bool is_behind;
    struct kv_filter filter;
    size_t key_size;
    uint8_t *keys; /* Both ends of the filter; owned. */
};

struct kv_watchers {
    const struct base_allocator *allocator;
    struct kv *kv;
    struct watcher *watchers; /* By id. */
    size_t count;
    size_t capacity;
    uint64_t turn;    /* The poll goes on at the first id >= turn. */
    int64_t level_at; /* All but those behind are level with the store here; 0: not known. */
    size_t behind_count;
};

struct kv_watchers *kv_watchers_new(const struct base_allocator *allocator, struct kv *kv)
{
    struct kv_watchers *watchers = base_zalloc(allocator, sizeof *watchers);
    watchers->allocator = allocator;
    watchers->kv = kv;
    watchers->level_at = kv->revision;
    return watchers;
}

static void watcher_release(struct kv_watchers *watchers, struct watcher *watcher)
{
    base_free(watchers->allocator, watcher->keys, watcher->key_size);
}

void kv_watchers_free(struct kv_watchers *watchers)
{
    for (size_t slot = 0; slot < watchers->count; slot++) {
        watcher_release(watchers, &watchers->watchers[slot]);
    }
    base_free(watchers->allocator, watchers->watchers, watchers->capacity * sizeof(struct watcher));
    base_free(watchers->allocator, watchers, sizeof *watchers);
}

void kv_watchers_move(struct kv_watchers *watchers, struct kv *kv)
{
    watchers->kv = kv;
    watchers->level_at = 0;
}

/* The slot of the first watcher with an id not below `id`. */
static size_t slot_of(const struct kv_watchers *watchers, uint64_t id)
{
    size_t low = 0;
    size_t high = watchers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (watchers->watchers[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct watcher *find(const struct kv_watchers *watchers, uint64_t id)
{
    size_t slot = slot_of(watchers, id);
    bool is_there = slot < watchers->count && watchers->watchers[slot].id == id;
    return is_there ? &watchers->watchers[slot] : NULL;
}

/* Keep both ends of the range in one block. */
static void watcher_keep_range(struct kv_watchers *watchers, struct watcher *watcher, struct base_bytes key,
                               struct base_bytes range_end)
{
    watcher->key_size = key.size + range_end.size;
    watcher->keys = base_alloc(watchers->allocator, watcher->key_size);
    memcpy(watcher->keys, key.data, key.size);
    if (range_end.size > 0) {
        memcpy(watcher->keys + key.size, range_end.data, range_end.size);
    }
    watcher->filter.begin = (struct base_bytes){.data = watcher->keys, .size = key.size};
    watcher->filter.end = (struct base_bytes){.data = watcher->keys + key.size, .size = range_end.size};
}

enum base_status kv_watch_add(struct kv_watchers *watchers, uint64_t watch, struct base_bytes key,
                              struct base_bytes range_end, int64_t revision, uint32_t flags)
{
    if (revision < 0) {
        return BASE_INVALID;
    }
    if (key.size == 0) {
        return BASE_EMPTY_KEY;
    }
    bool is_open = range_end.size == 1 && range_end.data[0] == 0;
    if (range_end.size > 0 && !is_open && base_bytes_compare(key, range_end) >= 0) {
        return BASE_EMPTY_RANGE;
    }
    assert(!find(watchers, watch));
    if (watchers->count == watchers->capacity) {
        size_t capacity = watchers->capacity == 0 ? WATCHERS_MIN : 2 * watchers->capacity;
        watchers->watchers =
            base_resize(watchers->allocator, watchers->watchers, watchers->capacity * sizeof(struct watcher),
                        capacity * sizeof(struct watcher));
        watchers->capacity = capacity;
    }
    struct watcher watcher = {
        .id = watch,
        .next = revision == 0 ? watchers->kv->revision + 1 : revision,
        .filter.no_put = (flags & KV_WATCH_NO_PUT) != 0,
        .filter.no_delete = (flags & KV_WATCH_NO_DELETE) != 0,
        .filter.previous = (flags & KV_WATCH_PREV_KV) != 0,
    };
    watcher_keep_range(watchers, &watcher, key, range_end);
    size_t slot = slot_of(watchers, watch);
    memmove(&watchers->watchers[slot + 1], &watchers->watchers[slot],
            (watchers->count - slot) * sizeof(struct watcher));
    watchers->watchers[slot] = watcher;
    watchers->count++;
    if (watcher.next <= watchers->kv->revision) {
        watchers->level_at = 0;
    }
    return BASE_OK;
}

bool kv_watch_cancel(struct kv_watchers *watchers, uint64_t watch)
{
    struct watcher *watcher = find(watchers, watch);
    if (!watcher) {
        return false;
    }
    watchers->behind_count -= watcher->is_behind;
    watcher_release(watchers, watcher);
    size_t slot = (size_t)(watcher - watchers->watchers);
    watchers->count--;
    memmove(watcher, watcher + 1, (watchers->count - slot) * sizeof(struct watcher));
    return true;
}

bool kv_watchers_pending(const struct kv_watchers *watchers)
{
    return watchers->count > 0 && watchers->level_at != watchers->kv->revision;
}

/* What this watcher is due, and up to where it will then have been told; false:
 * nothing, and it is as good as told. */
static bool watcher_look(const struct kv_watchers *watchers, const struct watcher *watcher,
                         uint32_t events_max, struct base_arena *arena, struct kv_watch_batch *out,
                         int64_t *next)
{
    const struct kv *kv = watchers->kv;
    *out = (struct kv_watch_batch){.watch = watcher->id, .revision = kv->revision};
    *next = watcher->next;
    if (watcher->next > kv->revision) {
        return false;
    }
    if (watcher->next < kv->compacted) {
        out->compact_revision = kv->compacted;
        return true;
    }
    enum base_status status = kv_history_of(kv, watcher->next, kv->revision, events_max, &watcher->filter,
                                            arena, &out->events, &out->event_count, next);
    assert(status == BASE_OK && *next > watcher->next);
    assert(out->event_count > 0 || *next > kv->revision);
    return out->event_count > 0;
}

static void watcher_told(struct kv_watchers *watchers, struct watcher *watcher,
                         const struct kv_watch_batch *batch, int64_t next)
{
    watcher->next = next;
    if (batch->compact_revision != 0) {
        bool was_there = kv_watch_cancel(watchers, batch->watch);
        assert(was_there);
    }
}

static void set_behind(struct kv_watchers *watchers, struct watcher *watcher, bool is_behind)
{
    watchers->behind_count -= watcher->is_behind;
    watchers->behind_count += is_behind;
    watcher->is_behind = is_behind;
}

bool kv_watch_poll(struct kv_watchers *watchers, const struct kv_watch_taker *taker, uint32_t events_max,
                   struct base_arena *arena, struct kv_watch_batch *out)
{
    if (!kv_watchers_pending(watchers)) {
        return false;
    }
    size_t slot = slot_of(watchers, watchers->turn);
    for (size_t left = watchers->count; left > 0; left--, slot++) {
        if (slot >= watchers->count) {
            slot = 0;
        }
        struct watcher *watcher = &watchers->watchers[slot];
        int64_t next;
        if (watcher->is_behind) {
            continue;
        }
        bool is_due = watcher_look(watchers, watcher, events_max, arena, out, &next);
        if (is_due && taker && !taker->is_ready(taker->context, watcher->id)) {
            set_behind(watchers, watcher, true);
            continue;
        }
        watcher_told(watchers, watcher, out, next);
        if (is_due) {
            watchers->turn = out->watch == UINT64_MAX ? 0 : out->watch + 1;
            return true;
        }
    }
    watchers->level_at = watchers->kv->revision;
    return false;
}

bool kv_watch_behind(const struct kv_watchers *watchers, uint64_t *watch)
{
    if (watchers->behind_count == 0) {
        return false;
    }
    for (size_t slot = slot_of(watchers, *watch); slot < watchers->count; slot++) {
        if (watchers->watchers[slot].is_behind) {
            *watch = watchers->watchers[slot].id;
            return true;
        }
    }
    return false;
}

bool kv_watch_catch_up(struct kv_watchers *watchers, uint64_t watch, uint32_t events_max,
                       struct base_arena *arena, struct kv_watch_batch *out)
{
    struct watcher *watcher = find(watchers, watch);
    assert(watcher && watcher->is_behind);
    int64_t next;
    bool is_due = watcher_look(watchers, watcher, events_max, arena, out, &next);
    set_behind(watchers, watcher, next <= watchers->kv->revision);
    watcher_told(watchers, watcher, out, next);
    return is_due;
}

bool kv_watch_is_synced(const struct kv_watchers *watchers, uint64_t watch)
{
    const struct watcher *watcher = find(watchers, watch);
    return watcher && watcher->next > watchers->kv->revision;
}

bool kv_watch_progress(const struct kv_watchers *watchers, uint64_t watch, struct kv_watch_batch *out)
{
    const struct watcher *watcher = find(watchers, watch);
    /* One that waits for a later revision has not been told of this one. */
    if (!watcher || watcher->next != watchers->kv->revision + 1) {
        return false;
    }
    *out = (struct kv_watch_batch){.watch = watch, .revision = watchers->kv->revision};
    return true;
}
