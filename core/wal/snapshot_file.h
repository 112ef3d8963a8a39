/* A snapshot file as bytes: a head that says what it is of, then its state in
 * blocks, each with its own checksum, so that any piece can be read and trusted
 * alone.
 *
 * Every block is 4096 bytes, the last may be shorter: data, then u32 size of the
 * data with the top bit set in the last block, then u32 CRC32C of index, term,
 * the block's number, data and size. Block 0 is the head: magic, index, term and
 * configuration, zeros behind. A state always has a last block, if an empty one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_SNAPSHOT_FILE_H
#define CORE_WAL_SNAPSHOT_FILE_H

#include "core/disk.h"
#include "core/wal/text.h"
#include "core/wal/wal.h"

enum {
    WAL_BLOCK_SIZE = 4096,
    WAL_BLOCK_TRAILER_SIZE = 8,
    WAL_BLOCK_DATA_MAX = WAL_BLOCK_SIZE - WAL_BLOCK_TRAILER_SIZE
};

/* Which state it is the state after. */
struct wal_snapshot_id {
    raft_index index;
    raft_term term;
};

/* Builds the blocks: what is before `block_begin` in `bytes` is whole. */
struct wal_snapshot_writer {
    struct wal_snapshot_id id;
    uint64_t number;    /* The current block's. */
    size_t block_begin; /* In bytes. */
    struct base_buffer bytes;
};

void wal_snapshot_writer_init(struct wal_snapshot_writer *writer, const struct base_allocator *allocator);
void wal_snapshot_writer_release(struct wal_snapshot_writer *writer);
/* Start a file over: its head. */
void wal_snapshot_writer_begin(struct wal_snapshot_writer *writer, const struct raft_snapshot *snapshot);
void wal_snapshot_writer_put(struct wal_snapshot_writer *writer, struct base_bytes piece);
/* The whole blocks so far, to be written now; wal_snapshot_writer_take drops them. */
struct base_bytes wal_snapshot_writer_view(const struct wal_snapshot_writer *writer);
void wal_snapshot_writer_take(struct wal_snapshot_writer *writer);
/* Seal the last block. */
void wal_snapshot_writer_end(struct wal_snapshot_writer *writer);

/* Reads a file; everything it reports went through a checksum. */
struct wal_snapshot_reader {
    struct wal_snapshot_id id;
    const struct disk *disk;
    disk_file file;
    uint64_t file_size;
    uint64_t block_count; /* With the head. */
    uint8_t block[WAL_BLOCK_SIZE];
};

/* Open the file of `id` and read its head into `snapshot` (which may be NULL).
 * WAL_CORRUPT, also when it is not there, WAL_FAILED: nothing is open, and
 * `error` says why. */
enum wal_status wal_snapshot_reader_open(struct wal_snapshot_reader *reader, const struct disk *disk,
                                         struct wal_snapshot_id id, struct raft_snapshot *snapshot,
                                         struct wal_text *error);
void wal_snapshot_reader_close(struct wal_snapshot_reader *reader);
/* A block's data, borrowed until the next read; `number` in [1, block_count). */
enum wal_status wal_snapshot_reader_block(struct wal_snapshot_reader *reader, uint64_t number,
                                          struct base_bytes *data, struct wal_text *error);

#endif
