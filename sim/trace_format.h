/* A trace's bytes, little-endian throughout.
 *
 *   file    magic, header, block…, end mark
 *   header  u32 size of what follows in it; four texts; u64 seed; u32 count of
 *           kinds, each a text, u8 count of fields, each u8 type and a text
 *   text    u32 length, bytes
 *   block   u32 compressed size (0: end mark), u32 raw size, u32 count of events,
 *           u64 time before the first event, u64 number before it,
 *           two u64 digest after the last, zstd frame
 *   record  varints: time since the one before, kind * 2 + has a text, machine,
 *           fields; if it has a text, its length, then its bytes
 *   varint  seven bits a byte, low ones first, the eighth says that more follow */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TRACE_FORMAT_H
#define SIM_TRACE_FORMAT_H

enum {
    TRACE_MAGIC_BYTES = 8,
    TRACE_BLOCK_HEAD_BYTES = 3 * 4 + 4 * 8,
    TRACE_BLOCK_RAW_BYTES = 1 << 16, /* A block is closed beyond this. */
    TRACE_VARINT_MAX = 10,
    TRACE_RAW_MAX = 1 << 26 /* A larger block is damage. */
};

static const char trace_magic[TRACE_MAGIC_BYTES + 1] = "FAULTTR1";

#endif
