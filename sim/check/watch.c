/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/watch.h"

#include "core/base/hash.h"
#include "core/kv/watch.h"
#include "sim/check/state.h"

#include <inttypes.h>
#include <stdlib.h>

void check_watch_reset(struct check_watch *watch)
{
    for (uint32_t slot = 0; slot < watch->count; slot++) {
        free(watch->watchers[slot].range);
    }
    watch->count = 0;
    check_table_reset(&watch->table);
}

void check_watch_release(struct check_watch *watch)
{
    check_watch_reset(watch);
    check_table_release(&watch->table);
    free(watch->watchers);
    *watch = (struct check_watch){0};
}

static struct check_watcher *watcher_of(struct check_watch *watch, uint32_t client, uint64_t number)
{
    uint64_t key = base_hash_u64(base_hash_u64(0, client), number);
    uint32_t slot = check_table_find(&watch->table, key);
    if (slot != CHECK_TABLE_NONE) {
        return &watch->watchers[slot];
    }
    if (watch->count == watch->capacity) {
        watch->capacity = check_grown(watch->capacity, watch->count + 1);
        watch->watchers = check_resize(watch->watchers, watch->capacity, sizeof watch->watchers[0]);
    }
    check_table_add(&watch->table, key, watch->count);
    struct check_watcher *watcher = &watch->watchers[watch->count++];
    *watcher = (struct check_watcher){.client = client, .watch = number, .cluster = UINT32_MAX};
    return watcher;
}

static struct base_bytes key_of(const struct check_watcher *watcher)
{
    return (struct base_bytes){.data = watcher->range, .size = watcher->key_size};
}

static struct base_bytes end_of(const struct check_watcher *watcher)
{
    return (struct base_bytes){.data = watcher->range + watcher->key_size, .size = watcher->end_size};
}

static void set_range(struct check_watcher *watcher, const struct kv_op *op)
{
    static const uint8_t zero[1] = {0};
    /* Without a key: from the smallest there can be. */
    struct base_bytes key = op->key.size > 0 ? op->key : (struct base_bytes){zero, 1};
    watcher->key_size = (uint32_t)key.size;
    watcher->end_size = (uint32_t)op->range_end.size;
    watcher->range = check_resize(NULL, 1, key.size + op->range_end.size);
    memcpy(watcher->range, key.data, key.size);
    if (op->range_end.size > 0) {
        memcpy(watcher->range + key.size, op->range_end.data, op->range_end.size);
    }
    watcher->flags = op->flags;
    watcher->is_range_known = true;
}

void check_watch_create(struct check *check, uint64_t now, uint32_t client,
                        const struct wire_request *request)
{
    struct check_watcher *watcher = watcher_of(&check->watch, client, request->watch);
    if (!watcher->is_range_known) {
        set_range(watcher, &request->op);
    }
    /* A client that tries again elsewhere has given up its earlier attempts, which may
     * arrive and be answered all the same. */
    if (request->id < watcher->attempt) {
        return;
    }
    watcher->attempt = request->id;
    if (!watcher->is_begun) {
        watcher->next = request->revision > 0 ? request->revision : 0;
    } else if (request->revision > watcher->next && watcher->next > 0 && !watcher->is_over) {
        check_found(check, NULL, CHECK_WATCH, now, client,
                    "client %" PRIu32 "'s watch %" PRIu64 " goes on from revision %" PRId64
                    ", but was delivered up to %" PRId64,
                    client, request->watch, request->revision, watcher->next - 1);
    }
}

void check_watch_created(struct check *check, uint32_t client, const struct wire_request *request,
                         const struct wire_response *response, const struct check_cluster *cluster)
{
    struct check_watcher *watcher = watcher_of(&check->watch, client, request->watch);
    if (response->id != watcher->attempt) {
        return;
    }
    watcher->cluster = cluster->slot;
    if (watcher->next == 0 && !watcher->is_begun && response->revision > 0) {
        watcher->next = response->revision + 1; /* What comes next. */
    }
}

/* Does the watch want this change? */
static bool is_wanted(const struct check_watcher *watcher, const struct check_change *change)
{
    if (change->is_delete ? watcher->flags & KV_WATCH_NO_DELETE : watcher->flags & KV_WATCH_NO_PUT) {
        return false;
    }
    return check_range_has(key_of(watcher), end_of(watcher), change->key->name);
}

static bool is_event(const struct check_change *change, const struct kv_event *event)
{
    const struct kv_record *record = &event->record;
    if (change->revision != record->mod_revision || change->is_delete != event->is_delete ||
        !base_bytes_equal(change->key->name, record->key)) {
        return false;
    }
    return event->is_delete ||
           (change->value == check_value_digest(record->value) && change->version == record->version &&
            change->create_revision == record->create_revision && change->lease == record->lease);
}

static bool is_previous(const struct check_store *store, const struct check_change *change,
                        const struct kv_record *previous)
{
    const struct check_change *before =
        check_store_version(store, change->key, change->revision, (int64_t)change->sub);
    if (!before) {
        return store->is_partial;
    }
    return before->revision == previous->mod_revision && before->version == previous->version &&
           before->value == check_value_digest(previous->value) && before->lease == previous->lease;
}

struct batch_run {
    struct check *check;
    uint64_t now;
    struct check_cluster *cluster;
    struct check_watcher *watcher;
    uint64_t at; /* The next change to be delivered. */
};

static void found(const struct batch_run *run, const char *what, int64_t revision, int64_t other)
{
    check_found(run->check, run->cluster, CHECK_WATCH, run->now, run->watcher->client,
                "client %" PRIu32 "'s watch %" PRIu64 " of \"%.*s\" %s (revision %" PRId64 ", %" PRId64 ")",
                run->watcher->client, run->watcher->watch, (int)run->watcher->key_size,
                run->watcher->range ? (const char *)run->watcher->range : "", what, revision, other);
}

/* Step over what the watch does not want; NULL at the end of what is known. */
static const struct check_change *next_wanted(struct batch_run *run, int64_t revision)
{
    const struct check_store *store = &run->cluster->store;
    for (; run->at < store->next; run->at++) {
        const struct check_change *change = check_store_get(store, run->at);
        if (change->revision > revision) {
            return NULL;
        }
        if (is_wanted(run->watcher, change)) {
            return change;
        }
    }
    return NULL;
}

/* One event; `is_first` of its batch. false: it is wrong, the rest is not judged. */
static bool take_event(struct batch_run *run, const struct kv_event *event, bool is_first)
{
    struct check_watcher *watcher = run->watcher;
    int64_t revision = event->record.mod_revision;
    bool may_equal = !is_first || watcher->is_torn;
    if (revision < watcher->last || (revision == watcher->last && !may_equal)) {
        found(run, "went back, or over a revision twice", revision, watcher->last);
        return false;
    }
    if (revision < watcher->next && !(revision == watcher->last && may_equal)) {
        found(run, "got an event from before it begins", revision, watcher->next);
        return false;
    }
    const struct check_change *change = next_wanted(run, revision);
    if (!change) {
        found(run, "got an event that no member made", revision, run->cluster->store.revision);
        return false;
    }
    if (change->revision < revision) {
        found(run, "left out a change", change->revision, revision);
        return false;
    }
    if (!is_event(change, event)) {
        found(run, "got another event than was made, or left one out", revision, (int64_t)change->sub);
        return false;
    }
    if (event->has_previous && revision > run->cluster->store.known_from &&
        !is_previous(&run->cluster->store, change, &event->previous)) {
        found(run, "got another previous version than there was", revision, event->previous.mod_revision);
        return false;
    }
    watcher->last = revision;
    run->at++;
    return true;
}

/* Are the changes from `revision` on among those that are kept? */
static bool is_kept(const struct check_store *store, int64_t revision)
{
    return revision > store->known_from || store->known_from <= 1;
}

static void take_events(struct batch_run *run, const struct wire_watch *batch)
{
    struct check_watcher *watcher = run->watcher;
    const struct check_store *store = &run->cluster->store;
    int64_t begin = watcher->next > 0 ? watcher->next : batch->events[0].record.mod_revision;
    run->at = check_store_sequence(store, watcher->is_torn ? watcher->last : begin);
    if (watcher->is_torn) {
        run->at += watcher->last_sub + 1;
    }
    check_arm(run->check, CHECK_WATCH);
    if (!is_kept(store, begin)) {
        watcher->next = batch->events[batch->event_count - 1].record.mod_revision + 1;
        watcher->last = watcher->next - 1;
        watcher->is_torn = false;
        return; /* From before what is known: too far behind, or of a backup or a snapshot. */
    }
    for (uint32_t slot = 0; slot < batch->event_count; slot++) {
        if (!take_event(run, &batch->events[slot], slot == 0)) {
            watcher->is_over = true; /* One finding is enough. */
            return;
        }
    }
    const struct check_change *delivered = check_store_get(store, run->at - 1);
    const struct check_change *more = next_wanted(run, watcher->last);
    watcher->last_sub = delivered->sub;
    watcher->is_torn = batch->fragment;
    watcher->next = watcher->last + 1;
    if (more && !batch->fragment) {
        found(run, "got part of a revision", watcher->last, (int64_t)more->sub);
    }
}

/* A notice that everything up to a revision was delivered. */
static void take_progress(struct batch_run *run, const struct wire_watch *batch)
{
    struct check_watcher *watcher = run->watcher;
    const struct check_store *store = &run->cluster->store;
    if (batch->revision > store->revision) {
        found(run, "was told of progress beyond all revisions", batch->revision, store->revision);
        return;
    }
    if (watcher->next > 0 && is_kept(store, watcher->next)) {
        check_arm(run->check, CHECK_WATCH);
        run->at = check_store_sequence(store, watcher->next);
        const struct check_change *missed = next_wanted(run, batch->revision);
        if (missed) {
            found(run, "was told of progress past a change it never got", batch->revision, missed->revision);
            watcher->is_over = true;
            return;
        }
    }
    if (batch->revision >= watcher->next) {
        watcher->next = batch->revision + 1;
    }
}

static void take_end(struct batch_run *run, const struct wire_watch *batch)
{
    const struct check_watcher *watcher = run->watcher;
    if (batch->compact_revision > run->cluster->store.compacted) {
        found(run, "ended by a compaction that nobody made", batch->compact_revision,
              run->cluster->store.compacted);
    } else if (watcher->next > batch->compact_revision) {
        found(run, "ended by a compaction that does not reach it", batch->compact_revision, watcher->next);
    }
    run->watcher->is_over = true;
}

/* The cluster a watch is at: as its creation said, else the last one that served. */
static struct check_cluster *cluster_of(const struct check *check, const struct check_watcher *watcher)
{
    if (watcher->cluster != UINT32_MAX) {
        return check->clusters[watcher->cluster];
    }
    struct check_cluster *best = NULL;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        struct check_cluster *cluster = check->clusters[slot];
        if (!best || cluster->history.serial_ns > best->history.serial_ns) {
            best = cluster;
        }
    }
    return best;
}

void check_watch_batch(struct check *check, uint64_t now, uint32_t client, uint64_t watch,
                       const struct wire_watch *batch)
{
    struct check_watcher *watcher = watcher_of(&check->watch, client, watch);
    struct batch_run run = {
        .check = check, .now = now, .cluster = cluster_of(check, watcher), .watcher = watcher, .at = 0};
    if (!run.cluster || watcher->is_over || !watcher->is_range_known) {
        return;
    }
    if (batch->compact_revision < 0) {
        watcher->is_over = true; /* Refused, or cancelled: nothing was promised. */
    } else if (batch->compact_revision > 0) {
        take_end(&run, batch);
    } else if (batch->event_count > 0) {
        take_events(&run, batch);
    } else {
        take_progress(&run, batch);
    }
    watcher->is_begun = true;
}
