/* One record of the log as bytes, and what damage to it means.
 *
 *   0  size      u32  bytes of payload, without padding
 *   4  type      u8   enum wal_record_type
 *   5  subtype   u8   an entry's raft_entry_type, else 0
 *   6  zero      u16
 *   8  durable   u64  how far this segment was synced when the record was made
 *  16  chain     u32  CRC32C of all payloads and headers so far, this one's first
 *                     16 bytes and padding included, from segment to segment
 *  20  check     u32  CRC32C of the segment's sequence, the record's offset and
 *                     the 20 bytes before
 *  24  payload, zeros up to a multiple of 8
 *
 * Numbers are little-endian. `check` makes `size` trustworthy and ties a header
 * to its place, so that neither a copy of a record inside an entry nor a block
 * written elsewhere by mistake passes for one.
 *
 * Power loss leaves any subset of the 512-byte sectors that were not synced; a
 * lost one is zero from where the sync before had ended, or missing. So records
 * that are whole may follow one that is not, and "nothing valid after it" would
 * refuse what is merely torn. `durable` decides instead: damage at an offset
 * that a later record says was synced is corruption; without such a witness,
 * damage that shows a missing or zero sector is a torn write, all other
 * corruption. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_RECORD_H
#define CORE_WAL_RECORD_H

#include "core/base/bytes.h"

enum wal_record_type {
    WAL_RECORD_CHAIN = 1,  /* u32: the chain before; opens every segment. */
    WAL_RECORD_METADATA,   /* u64 member id, u64 cluster id. */
    WAL_RECORD_HARD_STATE, /* u64 term, u64 vote, u64 commit; the first ends a segment's head. */
    WAL_RECORD_ENTRY,      /* u64 index, u64 term, data. */
    WAL_RECORD_SNAPSHOT,   /* u64 index, u64 term. */
};

enum { WAL_HEADER_SIZE = 24, WAL_SECTOR_SIZE = 512 };
#define WAL_PAYLOAD_MAX (UINT32_C(1) << 30)

/* A place between two records. */
struct wal_cursor {
    uint64_t sequence; /* The segment's. */
    uint64_t offset;   /* In it; a multiple of 8. */
    uint64_t durable;  /* durable <= offset. */
    uint32_t chain;
};

struct wal_record {
    enum wal_record_type type;
    uint8_t subtype;
    struct base_bytes payload; /* Borrowed from the segment's bytes. */
};

/* Begin a record at the buffer's end and answer where; append its payload, then
 * end it: pads it, fills in its header, and moves the cursor behind it. */
size_t wal_record_begin(struct base_buffer *buffer);
void wal_record_end(struct base_buffer *buffer, size_t begin, struct wal_cursor *cursor,
                    enum wal_record_type type, uint8_t subtype);

enum wal_reading { WAL_READ_RECORD, WAL_READ_END, WAL_READ_DAMAGE };

/* Damage: where the record's bytes reach as far as can be told, and what is wrong. */
struct wal_damage {
    uint64_t end;
    const char *found;
    const char *expected;
};

/* Read the record at the cursor and move behind it. On damage the cursor stays. */
enum wal_reading wal_record_read(struct wal_cursor *cursor, struct base_bytes segment,
                                 struct wal_record *record, struct wal_damage *damage);
/* Is the damage at the cursor what a power loss leaves of a record that was
 * never synced? If not, `*witness` is the offset of a later record that says it
 * was, or 0. */
bool wal_record_is_torn(const struct wal_cursor *cursor, struct base_bytes segment,
                        const struct wal_damage *damage, uint64_t *witness);

#endif
