/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/record.h"

#include "core/base/crc32c.h"

#include <assert.h>

enum { AT_TYPE = 4, AT_SUBTYPE = 5, AT_ZERO = 6, AT_DURABLE = 8, AT_CHAIN = 16, AT_CHECK = 20 };

static_assert(AT_CHECK + 4 == WAL_HEADER_SIZE, "the check ends the header");
static_assert(WAL_HEADER_SIZE % 8 == 0, "records stay aligned");

static uint64_t padded(uint64_t size)
{
    return (size + 7) & ~UINT64_C(7);
}

static uint32_t check_of(const uint8_t *header, uint64_t sequence, uint64_t offset)
{
    uint8_t place[16];
    base_store_u64(place, sequence);
    base_store_u64(place + 8, offset);
    return base_crc32c(base_crc32c(0, place, sizeof place), header, AT_CHECK);
}

/* The chain after a record: all of it but the two checksums. */
static uint32_t chain_of(uint32_t chain, const uint8_t *header, uint64_t payload_size)
{
    chain = base_crc32c(chain, header, AT_CHAIN);
    return base_crc32c(chain, header + WAL_HEADER_SIZE, payload_size);
}

size_t wal_record_begin(struct base_buffer *buffer)
{
    size_t begin = buffer->size;
    assert(begin % 8 == 0);
    (void)base_buffer_extend(buffer, WAL_HEADER_SIZE);
    return begin;
}

void wal_record_end(struct base_buffer *buffer, size_t begin, struct wal_cursor *cursor,
                    enum wal_record_type type, uint8_t subtype)
{
    assert(buffer->size >= begin + WAL_HEADER_SIZE);
    assert(cursor->offset % 8 == 0);
    assert(cursor->durable <= cursor->offset);
    uint64_t size = buffer->size - begin - WAL_HEADER_SIZE;
    assert(size <= WAL_PAYLOAD_MAX);
    size_t padding = padded(size) - size;
    if (padding > 0) {
        memset(base_buffer_extend(buffer, padding), 0, padding);
    }
    uint8_t *header = buffer->data + begin;
    base_store_u32(header, (uint32_t)size);
    header[AT_TYPE] = (uint8_t)type;
    header[AT_SUBTYPE] = subtype;
    header[AT_ZERO] = 0;
    header[AT_ZERO + 1] = 0;
    base_store_u64(header + AT_DURABLE, cursor->durable);
    cursor->chain = chain_of(cursor->chain, header, padded(size));
    base_store_u32(header + AT_CHAIN, cursor->chain);
    base_store_u32(header + AT_CHECK, check_of(header, cursor->sequence, cursor->offset));
    cursor->offset += buffer->size - begin;
}

/* Is there a header of ours at `offset`? Asks the cheap questions first. */
static bool is_header(struct base_bytes segment, uint64_t sequence, uint64_t offset)
{
    assert(offset + WAL_HEADER_SIZE <= segment.size);
    const uint8_t *header = segment.data + offset;
    if (header[AT_TYPE] < WAL_RECORD_CHAIN || header[AT_TYPE] > WAL_RECORD_SNAPSHOT || header[AT_ZERO] != 0 ||
        header[AT_ZERO + 1] != 0) {
        return false;
    }
    if (base_load_u32(header) > WAL_PAYLOAD_MAX || base_load_u64(header + AT_DURABLE) > offset) {
        return false;
    }
    return base_load_u32(header + AT_CHECK) == check_of(header, sequence, offset);
}

enum wal_reading wal_record_read(struct wal_cursor *cursor, struct base_bytes segment,
                                 struct wal_record *record, struct wal_damage *damage)
{
    assert(cursor->offset % 8 == 0);
    assert(cursor->offset <= segment.size);
    uint64_t left = segment.size - cursor->offset;
    if (left == 0) {
        return WAL_READ_END;
    }
    *damage = (struct wal_damage){.end = cursor->offset + WAL_HEADER_SIZE, .expected = "a whole record"};
    if (left < WAL_HEADER_SIZE) {
        damage->found = "the end of the file within a record's header";
        return WAL_READ_DAMAGE;
    }
    if (!is_header(segment, cursor->sequence, cursor->offset)) {
        damage->found = "a record's header that fails its checksum";
        return WAL_READ_DAMAGE;
    }
    const uint8_t *header = segment.data + cursor->offset;
    uint32_t size = base_load_u32(header);
    damage->end += padded(size);
    if (damage->end > segment.size) {
        damage->found = "the end of the file within a record";
        return WAL_READ_DAMAGE;
    }
    uint32_t chain = chain_of(cursor->chain, header, padded(size));
    if (base_load_u32(header + AT_CHAIN) != chain) {
        damage->found = "a record that fails its checksum";
        return WAL_READ_DAMAGE;
    }
    record->type = (enum wal_record_type)header[AT_TYPE];
    record->subtype = header[AT_SUBTYPE];
    record->payload = (struct base_bytes){.data = header + WAL_HEADER_SIZE, .size = size};
    cursor->chain = chain;
    cursor->offset = damage->end;
    return WAL_READ_RECORD;
}

static bool is_zero(const uint8_t *at, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Does a sector's share of [begin, end) consist of zeros, or lie past the end? */
static bool has_lost_sector(struct base_bytes segment, uint64_t begin, uint64_t end)
{
    if (end > segment.size) {
        return true;
    }
    while (begin < end) {
        uint64_t next = (begin / WAL_SECTOR_SIZE + 1) * WAL_SECTOR_SIZE;
        next = next < end ? next : end;
        if (is_zero(segment.data + begin, next - begin)) {
            return true;
        }
        begin = next;
    }
    return false;
}

bool wal_record_is_torn(const struct wal_cursor *cursor, struct base_bytes segment,
                        const struct wal_damage *damage, uint64_t *witness)
{
    *witness = 0;
    for (uint64_t at = cursor->offset + 8; at + WAL_HEADER_SIZE <= segment.size; at += 8) {
        if (is_header(segment, cursor->sequence, at) &&
            base_load_u64(segment.data + at + AT_DURABLE) > cursor->offset) {
            *witness = at;
            return false;
        }
    }
    return has_lost_sector(segment, cursor->offset, damage->end);
}
