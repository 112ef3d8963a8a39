/* The write-ahead log and the snapshot files beside it: what a member knows
 * after a crash (etcd-behaviour §2.2, §2.3). Sans-I/O: it asks the disk for
 * operations and is told of their completions; tokens with WAL_TOKEN set are
 * its own. Names: wal/SEQUENCE-INDEX.wal, snap/TERM-INDEX.snap, all %016x. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_WAL_H
#define CORE_WAL_WAL_H

#include "core/disk.h"
#include "core/raft/types.h"

struct wal;

#define WAL_TOKEN (UINT64_C(1) << 63)

enum wal_status {
    WAL_OK,
    WAL_NONE,    /* Recovery: there is no log here (a new member). */
    WAL_CORRUPT, /* Damage that is not a torn tail; see wal_error. */
    WAL_FAILED   /* The disk refused or failed; see wal_error. */
};

struct wal_metadata {
    uint64_t member_id;
    uint64_t cluster_id;
};

struct wal_options {
    uint64_t segment_bytes;  /* A new segment is cut beyond this; 0 is 64 MiB. */
    uint64_t allocate_bytes; /* Room is held on the disk ahead, in steps of so much; 0: none. */
    uint32_t segments_kept;  /* Covered segments that are kept all the same; 0 is none. */
};

/* Told of what recovery finds, in log order. Entries may overwrite a tail that
 * was told before. What is told is borrowed for the call. All functions must be
 * there, but those for snapshots where there can be none. */
struct wal_visitor {
    void *context;
    void (*metadata)(void *context, const struct wal_metadata *metadata);
    /* The newest usable snapshot, told before all entries. Its state is in the
     * snapshot file, told by pieces, also in order. */
    void (*snapshot)(void *context, const struct raft_snapshot *snapshot);
    void (*snapshot_piece)(void *context, struct base_bytes piece);
    void (*entry)(void *context, const struct raft_entry *entry);
    /* Once, last. Never behind what was told: its term is at least the last
     * entry's (raised without a vote if need be), its commit the snapshot's index. */
    void (*hard_state)(void *context, const struct raft_hard_state *state);
};

struct wal *wal_new(const struct wal_options *options, const struct base_allocator *allocator,
                    const struct disk *disk);
void wal_free(struct wal *wal);

/* Read everything back and make the log ready for appending, at once. What was
 * told may be in the page cache alone, and a torn tail is still to be cut: both
 * are settled by ticket 1. Until wal_durable() reaches it nothing that was told
 * may be acted upon towards others. WAL_NONE, WAL_CORRUPT, WAL_FAILED. */
enum wal_status wal_recover(struct wal *wal, const struct wal_visitor *visitor);
/* Begin a new log; usable at once, durable when the ticket is. Built aside,
 * synced, renamed, its directory synced: it exists wholly or not at all. */
uint64_t wal_create(struct wal *wal, const struct wal_metadata *metadata);
/* The same, with entries (from index 1) and a hard state in it from the beginning. */
uint64_t wal_create_with(struct wal *wal, const struct wal_metadata *metadata,
                         const struct raft_entry *entries, uint32_t entry_count,
                         const struct raft_hard_state *state);

/* Write entries, then the hard state (either may be missing: count 0, NULL),
 * and with `sync` make all of it durable. Answers a ticket: tickets grow, and
 * everything up to wal_durable() is done; without `sync` that is when a later
 * sync has covered it. An entry at or below the last index replaces the tail
 * from there; one at or below the newest snapshot's index is a bug. */
uint64_t wal_save(struct wal *wal, const struct raft_entry *entries, uint32_t entry_count,
                  const struct raft_hard_state *state, bool sync);

/* A snapshot file: begun, given its state in pieces (written aside as they
 * come), ended: synced, renamed, its directory synced, then a snapshot record in
 * the log, synced; then it is durable and wal_snapshot_index() says so. Begun
 * one at a time; an ended one may still be under way when the next begins.
 * A snapshot of what the log holds delays no save. One that the log does not
 * hold (beyond its end, or of another term) is an installation: the log is
 * empty after it, and the tickets of later saves wait for it. Its configuration
 * is kept; its handle and data are not. */
void wal_snapshot_begin(struct wal *wal, const struct raft_snapshot *snapshot);
void wal_snapshot_piece(struct wal *wal, struct base_bytes piece);
void wal_snapshot_end(struct wal *wal);
/* Give up the snapshot that is begun and not ended. */
void wal_snapshot_abandon(struct wal *wal);
/* The newest durable snapshot's index; 0 is none. A recovered one is durable with
 * ticket 1. */
raft_index wal_snapshot_index(const struct wal *wal);
/* Segments wholly at or below `index` and older snapshot files than the newest
 * two may go, once a durable snapshot covers them. */
void wal_release(struct wal *wal, raft_index index);
/* Read a piece of the state in the snapshot at `index`, one of the newest two,
 * for sending it: checked against its checksums. `*got` 0 is the end. WAL_NONE:
 * it is gone. WAL_CORRUPT, WAL_FAILED. */
enum wal_status wal_snapshot_read(struct wal *wal, raft_index index, uint64_t offset, void *bytes,
                                  size_t size, size_t *got);

/* The host's completion of one of our tokens. WAL_FAILED: the member must stop. */
enum wal_status wal_done(struct wal *wal, uint64_t token, enum disk_status status);
uint64_t wal_durable(const struct wal *wal);
/* Is anything asked of the disk and not yet complete? */
bool wal_is_busy(const struct wal *wal);
/* Why the last call answered WAL_CORRUPT or WAL_FAILED: file, offset, what was
 * found, what was expected. Valid until the next call. */
const char *wal_error(const struct wal *wal);

#endif
