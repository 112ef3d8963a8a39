/* The multi-version store: every change makes a revision, old revisions stay
 * readable until compaction. Pure memory, applied in log order, equal on every
 * member at equal applied index (etcd-behaviour §6; etcd: storage/mvcc). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_KV_KV_H
#define CORE_KV_KV_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/kv/types.h"

struct kv;

/* How the store asks about leases and tells of their keys. Lease 0 is never
 * asked about. Called in the middle of an operation. */
struct kv_lease_hooks {
    void *context;
    bool (*exists)(void *context, int64_t lease);
    void (*attach)(void *context, int64_t lease, struct base_bytes key);
    void (*detach)(void *context, int64_t lease, struct base_bytes key);
};

/* Told of every change after the operation that made it is complete, in order
 * of (main, sub) revision. `event` is borrowed for the call. */
struct kv_observer {
    void *context;
    void (*change)(void *context, const struct kv_event *event, int64_t sub);
};

struct kv *kv_new(const struct base_allocator *allocator, const struct kv_lease_hooks *leases,
                  const struct kv_observer *observer);
void kv_free(struct kv *kv);

int64_t kv_revision(const struct kv *kv);   /* Starts at 1. */
int64_t kv_compacted(const struct kv *kv);  /* 0 (never) or the last compaction's revision. */
size_t kv_size_bytes(const struct kv *kv);  /* What a quota is held against. */
uint64_t kv_key_count(const struct kv *kv); /* Live keys. */

/* What can be refused before an operation goes into the log: empty key, value
 * given with IGNORE_VALUE, too many operations (`ops_max`), a key put twice in
 * a branch … (etcd: v3rpc/key.go check*). */
enum base_status kv_check(const struct kv_op *op, uint32_t ops_max);
/* Does the operation change nothing whatever the store holds? */
bool kv_is_read_only(const struct kv_op *op);

/* Apply one operation that came through the log. The result's memory is in
 * `arena` or borrowed from the store until the next change. A refusal changes
 * nothing. */
enum base_status kv_apply(struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                          struct kv_result *result);
/* Read at the newest or a named revision: KV_RANGE, or a read-only KV_TXN. */
enum base_status kv_read(const struct kv *kv, const struct kv_op *op, struct base_arena *arena,
                         struct kv_result *result);
/* Delete the keys of a lease that goes: one main revision if any exists, subs
 * in key order. Answers the number deleted. Does not call detach. */
uint32_t kv_delete_keys(struct kv *kv, const struct base_bytes *keys, uint32_t key_count);

/* Jump to a later revision without changes (a backup restored as a new cluster
 * must not repeat revisions that clients of the old one have seen). */
void kv_skip_revisions(struct kv *kv, uint64_t count);

/* Begin a compaction at `revision`. BASE_COMPACTED, BASE_FUTURE_REVISION. Reads
 * below are refused at once; memory comes back by kv_compact_step. */
enum base_status kv_compact(struct kv *kv, int64_t revision);
bool kv_is_compacting(const struct kv *kv);
/* Visit at most `keys` keys of the compaction under way; true while more is left.
 * Nothing is done while a snapshot is open. */
bool kv_compact_step(struct kv *kv, uint32_t keys);

/* Hash of the content at `revision` (<= 0: newest): equal for equal (compacted,
 * revision, records). BASE_COMPACTED, BASE_FUTURE_REVISION. */
enum base_status kv_hash(const struct kv *kv, int64_t revision, uint64_t *hash);

/* Stream the changes of [from, to] in revision order, at most `max` of them but
 * never part of a main revision (one with more comes whole); events live in
 * `arena` or the store. `*next` is the main revision to go on from: at the end
 * the one after `to` or after the store's, whichever is less. BASE_COMPACTED when
 * from < compacted: the changes at the compacted revision are still there, but
 * what was before them is not told. */
enum base_status kv_history(const struct kv *kv, int64_t from, int64_t to, uint32_t max, bool previous,
                            struct base_arena *arena, const struct kv_event **events, uint32_t *event_count,
                            int64_t *next);

/* A snapshot is the stream of revisions <= the one at kv_snapshot_begin, in
 * slices; changes may go on between slices and are not part of it. One at a
 * time for each handle; compaction's memory waits while any is open. */
struct kv_snapshot;
struct kv_snapshot *kv_snapshot_begin(struct kv *kv);
/* Append about `bytes` of the stream; false when this was the last slice. */
bool kv_snapshot_slice(struct kv_snapshot *snapshot, size_t bytes, struct base_buffer *out);
void kv_snapshot_end(struct kv_snapshot *snapshot);

/* Fill an empty store from a whole stream, fed in order in any pieces. Damaged
 * input answers BASE_CORRUPT, and the store is then only good for kv_free. Calls
 * leases->attach for the newest live version of each key with a lease. */
enum base_status kv_restore(struct kv *kv, struct base_bytes piece);
/* The stream is at its end: BASE_CORRUPT when something is missing. */
enum base_status kv_restore_end(struct kv *kv);

#endif
