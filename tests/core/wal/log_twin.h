/* A log under test beside an obvious twin: the twin keeps what was asked as a
 * list of records, and knows every state that a crash may leave. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_WAL_LOG_TWIN_H
#define TESTS_CORE_WAL_LOG_TWIN_H

#include "core/wal/wal.h"

#include "tests/core/wal/model_disk.h"

enum { TWIN_RECORDS_MAX = 512, TWIN_ENTRIES_MAX = 512, TWIN_SNAPSHOTS_MAX = 64 };

enum twin_kind { TWIN_ENTRY, TWIN_STATE, TWIN_INSTALL };

struct twin_record {
    enum twin_kind kind;
    raft_index index; /* Entry, installation. */
    raft_term term;
    uint32_t size;
    struct raft_hard_state state;
    uint64_t ticket;
};

/* What a log holds: entries in (base, last], the hard state. */
struct twin_image {
    raft_index base;
    raft_term base_term;
    raft_index last;
    raft_term terms[TWIN_ENTRIES_MAX]; /* By index. */
    uint32_t sizes[TWIN_ENTRIES_MAX];
    struct raft_hard_state state;
};

/* A counting allocator. */
struct twin_heap {
    size_t bytes;
    size_t blocks;
    size_t allocations;
};

struct twin {
    struct model_disk *disk;
    struct twin_heap heap;
    struct base_allocator allocator;
    struct wal_options options;
    struct wal *wal;
    enum wal_status status; /* The last one the log answered. */

    struct twin_record records[TWIN_RECORDS_MAX];
    uint32_t record_count;
    struct raft_snapshot snapshots[TWIN_SNAPSHOTS_MAX]; /* Begun at some time. */
    uint32_t snapshot_count;
    struct twin_image now; /* With all records. */

    /* What the last recovery told. */
    struct twin_image found;
    struct wal_metadata metadata;
    uint32_t entry_calls;
    uint64_t state_bytes; /* Of the snapshot's state. */
    bool is_state_wrong;
};

extern const struct wal_metadata twin_metadata;

/* An empty disk, and a log begun on it (not yet durable). */
struct twin *twin_new(uint64_t segment_bytes);
struct twin *twin_new_with(const struct wal_options *options);
/* The same without a log. */
struct twin *twin_new_bare(const struct wal_options *options);
void twin_free(struct twin *twin);
/* Free the log, as a crash would, and check that nothing is left of it. */
void twin_drop_log(struct twin *twin);

/* Begin the log with `count` entries of term 1 in it, and the hard state. */
uint64_t twin_found_log(struct twin *twin, uint32_t count, uint32_t size);
/* Save `count` entries from `index` on, of `size` bytes each, and the hard state
 * (commit UINT64_MAX: none). */
uint64_t twin_save(struct twin *twin, raft_index index, uint32_t count, raft_term term, uint32_t size,
                   raft_index commit, bool sync);
/* A whole snapshot at `index`, its state of `size` bytes. */
void twin_snapshot(struct twin *twin, raft_index index, raft_term term, size_t size);

/* Carry out one operation and tell the log; false when there is none, or the log
 * has failed. */
bool twin_step(struct twin *twin, uint64_t choice);
void twin_finish(struct twin *twin);
/* Start the log over from what is on the disk. */
enum wal_status twin_recover(struct twin *twin);
/* Lose power (all that is not durable) and recover. */
enum wal_status twin_restart(struct twin *twin);

/* Does what was found equal the twin after some of its records, at least those
 * up to `ticket`? Then that becomes the twin's content. */
bool twin_accept(struct twin *twin, uint64_t ticket, raft_index snapshot);

/* A generator of test decisions. */
uint64_t twin_random(uint64_t *state);

#endif
