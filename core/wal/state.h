/* What the parts of the log share: its state, and what each part does for the
 * others. Nothing outside core/wal includes this.
 *
 * Order of durability. Every sync, and the naming of a segment, is a barrier;
 * barriers are kept in the order in which they were asked for, and a ticket is
 * durable once its barrier and all before it are done. While something must
 * become durable before the log may go on (an installed snapshot's file, the
 * repair of a torn tail) the log is held: saves gather in the batch. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_STATE_H
#define CORE_WAL_STATE_H

#include "core/wal/record.h"
#include "core/wal/snapshot_file.h"
#include "core/wal/terms.h"
#include "core/wal/text.h"
#include "core/wal/wal.h"

enum { WAL_BARRIERS_MAX = 16, WAL_SNAPSHOTS_KEPT = 2 };

/* What an operation was, in its token: bits 56 to 62. */
enum wal_operation {
    WAL_OPERATION_CREATE,         /* Number: the segment's sequence. */
    WAL_OPERATION_ALLOCATE,       /* The same. */
    WAL_OPERATION_APPEND,         /* The same. */
    WAL_OPERATION_TRUNCATE,       /* The same. */
    WAL_OPERATION_SYNC,           /* The barrier's number. */
    WAL_OPERATION_RENAME,         /* The segment's sequence. */
    WAL_OPERATION_NAMED,          /* The barrier's number: a directory's sync. */
    WAL_OPERATION_REMOVE,         /* 0. */
    WAL_OPERATION_REMOVE_SEGMENT, /* The segment's sequence. */
    WAL_OPERATION_RELEASED,       /* 0: the directory's sync after it. */
    WAL_OPERATION_JOB_WRITE,      /* The snapshot job's number. */
    WAL_OPERATION_JOB_SYNC,       /* The same. */
    WAL_OPERATION_JOB_RENAME,     /* The same. */
    WAL_OPERATION_JOB_NAMED,      /* The same. */
    WAL_OPERATION_JOB_DROPPED,    /* The file, to be closed. */
    WAL_OPERATION_COUNT,
};

struct wal_barrier {
    uint64_t ticket;   /* Durable with it; 0 for none. */
    uint64_t sequence; /* The segment that is synced. */
    uint64_t offset;   /* How far. */
    bool is_done;
    bool is_gate; /* The segment under way is named only after it. */
};

struct wal_segment {
    uint64_t sequence;
    raft_index first; /* One above the last index when it was begun. */
};

/* A snapshot on its way to the disk:
 *
 *   BUILDING --wal_snapshot_end--> SYNCING --synced, and ticket 1 durable-->
 *   NAMING --directory synced--> RECORDING --its ticket is durable--> gone
 *
 * Ticket 1 is the log itself: a snapshot without a log is a log that was lost. */
enum wal_job_state { WAL_JOB_BUILDING, WAL_JOB_SYNCING, WAL_JOB_NAMING, WAL_JOB_RECORDING };

struct wal_job {
    struct wal_job *next; /* Newer. */
    uint64_t number;
    struct wal_snapshot_id id;
    enum wal_job_state state;
    disk_file file;
    bool is_synced;
    bool is_install;
    uint64_t ticket; /* Of its record; installations have it from SYNCING on. */
};

struct wal {
    struct wal_options options;
    struct base_allocator allocator;
    const struct disk *disk;
    struct wal_metadata metadata;
    struct raft_hard_state hard_state; /* The last one saved. */
    struct wal_terms terms;            /* Of the log as it was last saved. */
    raft_index floor;                  /* The newest snapshot record's index. */

    struct wal_segment *segments; /* Those that exist, oldest first; owned. */
    uint32_t segment_count;
    uint32_t segment_capacity;
    disk_file file;           /* The last one's. */
    uint64_t allocated;       /* Room asked for it in this life. */
    struct wal_cursor cursor; /* Its end, with what waits in the batch. */

    struct base_buffer batch; /* Records not yet handed to the disk. */
    struct disk_tag *tags;    /* What it holds; owned. */
    uint32_t tag_count;
    uint32_t tag_capacity;
    uint32_t hold_count;
    bool is_repairing; /* Holds until ticket 1 is durable. */

    /* ticket_durable <= ticket_covered <= ticket_appended <= ticket_last */
    uint64_t ticket_last;
    uint64_t ticket_wanted;   /* The newest that asked for a sync. */
    uint64_t ticket_appended; /* Handed to the disk up to here. */
    uint64_t ticket_covered;  /* A sync was asked for up to here. */
    uint64_t ticket_durable;
    struct wal_barrier barriers[WAL_BARRIERS_MAX]; /* At number % WAL_BARRIERS_MAX. */
    uint64_t barrier_first;                        /* Oldest one's number. */
    uint64_t barrier_next;
    bool is_syncing; /* The last segment's file. */

    bool is_naming; /* The last segment still has its temporary name. */
    uint32_t gate_count;
    uint64_t naming_barrier;
    disk_file file_before; /* The segment before; open until its gate is done. */

    raft_index release_index;
    bool is_releasing;

    struct wal_job *jobs; /* Oldest first; at most the last is BUILDING. */
    uint64_t job_next;
    struct wal_snapshot_writer writer;
    struct wal_snapshot_id recorded[WAL_SNAPSHOTS_KEPT];  /* With a record in the log, newest first. */
    struct wal_snapshot_id durable[WAL_SNAPSHOTS_KEPT];   /* Whose record is durable, newest first. */
    struct wal_snapshot_id recovered[WAL_SNAPSHOTS_KEPT]; /* Are so with ticket 1. */
    struct wal_snapshot_id *files;                        /* Snapshot files there may be; owned. */
    uint32_t file_count;
    uint32_t file_capacity;
    struct wal_snapshot_reader *reader; /* For wal_snapshot_read; owned, NULL when closed. */

    uint64_t operation_count; /* Asked and not completed. */
    bool has_failed;
    struct wal_text error;
};

/* wal.c */
/* Count an operation and make its token. */
uint64_t wal_token(struct wal *wal, enum wal_operation operation, uint64_t number);

/* batch.c: records into the batch, the batch to the disk, syncs and barriers. */
void wal_batch_put_entry(struct wal *wal, const struct raft_entry *entry);
void wal_batch_put_hard_state(struct wal *wal, const struct raft_hard_state *state);
void wal_batch_put_snapshot(struct wal *wal, struct wal_snapshot_id id);
void wal_batch_put_head(struct wal *wal);
void wal_batch_put_tag(struct wal *wal, const struct disk_tag *tag);
/* Hand the batch to the last segment, as one append behind the room for it. */
void wal_batch_append(struct wal *wal);
/* Hand the batch to the disk, unless held, and ask for the sync that is wanted. */
void wal_batch_flush(struct wal *wal);
/* Ask for a sync of the last segment's file. */
void wal_batch_sync(struct wal *wal, bool is_gate);
uint64_t wal_batch_add_barrier(struct wal *wal, const struct wal_barrier *barrier);
/* A barrier is done: tickets become durable. */
void wal_batch_barrier_done(struct wal *wal, uint64_t number);

/* segment.c: beginning, naming and releasing segments. */
void wal_segment_add(struct wal *wal, struct wal_segment segment);
/* Begin the first segment of a new log, or the next one: its head is in the batch,
 * for wal_segment_write with whatever else is to be in it from the beginning. */
void wal_segment_begin(struct wal *wal, uint64_t sequence);
void wal_segment_write(struct wal *wal);
void wal_segment_maybe_cut(struct wal *wal);
void wal_segment_synced(struct wal *wal, const struct wal_barrier *barrier);
void wal_segment_named(struct wal *wal);
void wal_segment_released(struct wal *wal);
/* Ask for the removal of the next segment that may go. */
void wal_segment_maybe_release(struct wal *wal);

/* snapshot.c: snapshot jobs and files. */
void wal_snapshot_add_file(struct wal *wal, struct wal_snapshot_id id);
/* Put `id` before what `kept` holds. */
void wal_snapshot_keep(struct wal_snapshot_id kept[WAL_SNAPSHOTS_KEPT], struct wal_snapshot_id id);
/* Remove the files that no longer count. */
void wal_snapshot_clean(struct wal *wal);
void wal_snapshot_job_done(struct wal *wal, enum wal_operation operation, uint64_t number);
/* Tickets became durable. */
void wal_snapshot_settle(struct wal *wal);
void wal_snapshot_release_all(struct wal *wal);

#endif
