/* Watchers of a store: each gets every change of its range from a revision on,
 * in order, once, whole revisions at a time (etcd-behaviour §6 "Watch"; etcd:
 * storage/mvcc/watchable_store.go). History comes from the store itself, so a
 * watcher costs no queue of its own: it is a place in the history.
 *
 *   level ──(kv_watch_poll, its taker is not ready)──▶ behind
 *     ▲                                                   │
 *     └──────(kv_watch_catch_up, nothing is left)─────────┘
 *
 * One that is behind (etcd: a victim, then unsynced) holds up nobody: it catches up
 * from history whenever its owner asks, and may find it compacted. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_KV_WATCH_H
#define CORE_KV_WATCH_H

#include "core/kv/kv.h"

struct kv_watchers;

struct kv_watch_batch {
    uint64_t watch;           /* The id given at kv_watch_add. */
    int64_t revision;         /* The store's when the batch was made. */
    int64_t compact_revision; /* Not 0: the watch is over, its next revision was compacted. */
    uint32_t event_count;     /* 0 without compact_revision: a progress notice. */
    const struct kv_event *events;
};

/* Whom batches are for: can the receiver of this watch take one now? */
struct kv_watch_taker {
    void *context;
    bool (*is_ready)(void *context, uint64_t watch);
};

struct kv_watchers *kv_watchers_new(const struct base_allocator *allocator, struct kv *kv);
void kv_watchers_free(struct kv_watchers *watchers);
/* Go on in another store, one that a snapshot was restored into: no watcher falls
 * back to what it has seen, and one whose next revision is gone is told so. */
void kv_watchers_move(struct kv_watchers *watchers, struct kv *kv);
/* Watch [key, range_end) from `revision` (0: what comes next; beyond the store's:
 * nothing before it is told). BASE_INVALID for a negative revision, BASE_EMPTY_KEY,
 * BASE_EMPTY_RANGE; the key is copied; the ids are the caller's and must be new. */
enum base_status kv_watch_add(struct kv_watchers *watchers, uint64_t watch, struct base_bytes key,
                              struct base_bytes range_end, int64_t revision, uint32_t flags);
bool kv_watch_cancel(struct kv_watchers *watchers, uint64_t watch);
/* Is there anything to deliver? Cheap; true after a change until polled empty. */
bool kv_watchers_pending(const struct kv_watchers *watchers);
/* The next batch for any watcher that is not behind, by watcher id in turn; false when
 * all of them are level with the store. One with a batch that `taker` cannot take falls
 * behind; a NULL taker takes all. Events live in `arena` or the store until its next
 * change. At most `events_max` events, but whole revisions. A batch that ends its
 * watch has removed it. */
bool kv_watch_poll(struct kv_watchers *watchers, const struct kv_watch_taker *taker, uint32_t events_max,
                   struct base_arena *arena, struct kv_watch_batch *out);
/* Move `watch` on to the first id not below it of a watcher that is behind. false:
 * there is none. */
bool kv_watch_behind(const struct kv_watchers *watchers, uint64_t *watch);
/* The next batch of one that is behind, as above; after the last it is behind no
 * longer. false: there was nothing for it any more. */
bool kv_watch_catch_up(struct kv_watchers *watchers, uint64_t watch, uint32_t events_max,
                       struct base_arena *arena, struct kv_watch_batch *out);
/* Has this watcher seen everything up to the store's revision? */
bool kv_watch_is_synced(const struct kv_watchers *watchers, uint64_t watch);
/* A progress notice: every event of this watch up to its `revision` was delivered.
 * False when that is not so, or the watch begins later. */
bool kv_watch_progress(const struct kv_watchers *watchers, uint64_t watch, struct kv_watch_batch *out);

#endif
