/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/snapshot_file.h"

#include "core/base/crc32c.h"

#include <assert.h>

#define MAGIC UINT64_C(0x31706e736c746c66) /* "fltlsnp1" */
#define LAST_BLOCK (UINT32_C(1) << 31)

static_assert(3 * 8 + 4 * (4 + 8 * RAFT_MEMBERS_MAX) + 1 <= WAL_BLOCK_DATA_MAX,
              "a configuration fits the head");

static uint32_t checksum(struct wal_snapshot_id id, uint64_t number, const uint8_t *data, size_t size)
{
    uint8_t place[24];
    base_store_u64(place, id.index);
    base_store_u64(place + 8, id.term);
    base_store_u64(place + 16, number);
    return base_crc32c(base_crc32c(0, place, sizeof place), data, size);
}

void wal_snapshot_writer_init(struct wal_snapshot_writer *writer, const struct base_allocator *allocator)
{
    *writer = (struct wal_snapshot_writer){0};
    base_buffer_init(&writer->bytes, allocator);
}

void wal_snapshot_writer_release(struct wal_snapshot_writer *writer)
{
    base_buffer_release(&writer->bytes);
}

static void seal_block(struct wal_snapshot_writer *writer, uint32_t flags)
{
    size_t size = writer->bytes.size - writer->block_begin;
    assert(size <= WAL_BLOCK_DATA_MAX);
    base_put_u32(&writer->bytes, (uint32_t)size | flags);
    base_put_u32(&writer->bytes,
                 checksum(writer->id, writer->number, writer->bytes.data + writer->block_begin, size + 4));
    writer->block_begin = writer->bytes.size;
    writer->number++;
}

static void put_ids(struct base_buffer *buffer, const struct raft_id_set *set)
{
    assert(set->count <= RAFT_MEMBERS_MAX);
    base_put_u32(buffer, set->count);
    for (uint32_t slot = 0; slot < set->count; slot++) {
        base_put_u64(buffer, set->ids[slot]);
    }
}

void wal_snapshot_writer_begin(struct wal_snapshot_writer *writer, const struct raft_snapshot *snapshot)
{
    assert(snapshot->index > 0);
    assert(snapshot->term > 0);
    writer->id = (struct wal_snapshot_id){.index = snapshot->index, .term = snapshot->term};
    writer->number = 0;
    writer->block_begin = 0;
    base_buffer_reset(&writer->bytes);
    base_put_u64(&writer->bytes, MAGIC);
    base_put_u64(&writer->bytes, snapshot->index);
    base_put_u64(&writer->bytes, snapshot->term);
    put_ids(&writer->bytes, &snapshot->configuration.voters);
    put_ids(&writer->bytes, &snapshot->configuration.learners);
    put_ids(&writer->bytes, &snapshot->configuration.voters_outgoing);
    put_ids(&writer->bytes, &snapshot->configuration.learners_next);
    base_put_u8(&writer->bytes, snapshot->configuration.auto_leave);
    size_t rest = WAL_BLOCK_DATA_MAX - writer->bytes.size;
    memset(base_buffer_extend(&writer->bytes, rest), 0, rest);
    seal_block(writer, 0);
}

void wal_snapshot_writer_put(struct wal_snapshot_writer *writer, struct base_bytes piece)
{
    while (piece.size > 0) {
        size_t room = WAL_BLOCK_DATA_MAX - (writer->bytes.size - writer->block_begin);
        if (room == 0) {
            seal_block(writer, 0);
            continue;
        }
        size_t size = piece.size < room ? piece.size : room;
        memcpy(base_buffer_extend(&writer->bytes, size), piece.data, size);
        piece.data += size;
        piece.size -= size;
    }
}

struct base_bytes wal_snapshot_writer_view(const struct wal_snapshot_writer *writer)
{
    return (struct base_bytes){.data = writer->bytes.data, .size = writer->block_begin};
}

void wal_snapshot_writer_take(struct wal_snapshot_writer *writer)
{
    size_t rest = writer->bytes.size - writer->block_begin;
    if (writer->block_begin > 0 && rest > 0) {
        memmove(writer->bytes.data, writer->bytes.data + writer->block_begin, rest);
    }
    writer->bytes.size = rest;
    writer->block_begin = 0;
}

void wal_snapshot_writer_end(struct wal_snapshot_writer *writer)
{
    assert(writer->number > 0);
    seal_block(writer, LAST_BLOCK);
}

/* `error` becomes "FILE: block NUMBER: found FOUND, expected EXPECTED". */
static enum wal_status refuse(const struct wal_snapshot_reader *reader, uint64_t number, const char *found,
                              const char *expected, enum wal_status status, struct wal_text *error)
{
    wal_text_reset(error);
    wal_text_put_snapshot(error, reader->id.term, reader->id.index);
    wal_text_put(error, " at ");
    wal_text_put_decimal(error, number * WAL_BLOCK_SIZE);
    wal_text_put(error, ": found ");
    wal_text_put(error, found);
    wal_text_put(error, ", expected ");
    wal_text_put(error, expected);
    return status;
}

enum wal_status wal_snapshot_reader_block(struct wal_snapshot_reader *reader, uint64_t number,
                                          struct base_bytes *data, struct wal_text *error)
{
    assert(number < reader->block_count);
    uint64_t offset = number * WAL_BLOCK_SIZE;
    bool is_last = number + 1 == reader->block_count;
    size_t size = is_last ? (size_t)(reader->file_size - offset) : WAL_BLOCK_SIZE;
    size_t got = 0;
    enum disk_status status =
        reader->disk->read(reader->disk->context, reader->file, offset, reader->block, size, &got);
    if (status != DISK_OK) {
        return refuse(reader, number, "a read error", "a block", WAL_FAILED, error);
    }
    if (got != size || size < WAL_BLOCK_TRAILER_SIZE) {
        return refuse(reader, number, "the end of the file", "a whole block", WAL_CORRUPT, error);
    }
    size_t data_size = size - WAL_BLOCK_TRAILER_SIZE;
    uint32_t stored_size = base_load_u32(reader->block + data_size);
    uint32_t stored_checksum = base_load_u32(reader->block + data_size + 4);
    if (checksum(reader->id, number, reader->block, data_size + 4) != stored_checksum) {
        return refuse(reader, number, "a block that fails its checksum", "a whole block", WAL_CORRUPT, error);
    }
    if (stored_size != ((uint32_t)data_size | (is_last ? LAST_BLOCK : 0))) {
        return refuse(reader, number, "a block of another size", "the state's last block at the end",
                      WAL_CORRUPT, error);
    }
    *data = (struct base_bytes){.data = reader->block, .size = data_size};
    return WAL_OK;
}

static bool get_ids(struct base_reader *reader, struct raft_id_set *set)
{
    *set = (struct raft_id_set){.count = base_get_u32(reader)};
    if (set->count > RAFT_MEMBERS_MAX) {
        return false;
    }
    for (uint32_t slot = 0; slot < set->count; slot++) {
        set->ids[slot] = base_get_u64(reader);
        if (slot > 0 && set->ids[slot] <= set->ids[slot - 1]) {
            return false;
        }
    }
    return !reader->failed;
}

static bool get_head(struct base_bytes head, struct raft_snapshot *snapshot)
{
    struct base_reader reader;
    base_reader_init(&reader, head);
    if (base_get_u64(&reader) != MAGIC) {
        return false;
    }
    *snapshot = (struct raft_snapshot){0};
    snapshot->index = base_get_u64(&reader);
    snapshot->term = base_get_u64(&reader);
    struct raft_conf_state *configuration = &snapshot->configuration;
    if (!get_ids(&reader, &configuration->voters) || !get_ids(&reader, &configuration->learners) ||
        !get_ids(&reader, &configuration->voters_outgoing) ||
        !get_ids(&reader, &configuration->learners_next)) {
        return false;
    }
    uint8_t auto_leave = base_get_u8(&reader);
    configuration->auto_leave = auto_leave == 1;
    return auto_leave <= 1 && !reader.failed;
}

static enum wal_status read_head(struct wal_snapshot_reader *reader, struct raft_snapshot *snapshot,
                                 struct wal_text *error)
{
    if (reader->file_size < WAL_BLOCK_SIZE + WAL_BLOCK_TRAILER_SIZE) {
        return refuse(reader, 0, "a file too short", "a head and a state", WAL_CORRUPT, error);
    }
    struct base_bytes head;
    enum wal_status status = wal_snapshot_reader_block(reader, 0, &head, error);
    if (status != WAL_OK) {
        return status;
    }
    struct raft_snapshot found;
    if (!get_head(head, &found) || found.index != reader->id.index || found.term != reader->id.term) {
        return refuse(reader, 0, "another head", "the head that its name promises", WAL_CORRUPT, error);
    }
    if (snapshot) {
        *snapshot = found;
    }
    return WAL_OK;
}

enum wal_status wal_snapshot_reader_open(struct wal_snapshot_reader *reader, const struct disk *disk,
                                         struct wal_snapshot_id id, struct raft_snapshot *snapshot,
                                         struct wal_text *error)
{
    reader->id = id;
    reader->disk = disk;
    struct wal_text name;
    wal_text_reset(&name);
    wal_text_put_snapshot(&name, id.term, id.index);
    enum disk_status opened = disk->open(disk->context, name.bytes, &reader->file, &reader->file_size);
    if (opened == DISK_NOT_FOUND) {
        return refuse(reader, 0, "no such file", "a snapshot", WAL_CORRUPT, error);
    }
    if (opened != DISK_OK) {
        return refuse(reader, 0, "a file that cannot be opened", "a snapshot", WAL_FAILED, error);
    }
    reader->block_count = reader->file_size / WAL_BLOCK_SIZE + (reader->file_size % WAL_BLOCK_SIZE != 0);
    enum wal_status status = read_head(reader, snapshot, error);
    if (status != WAL_OK) {
        wal_snapshot_reader_close(reader);
    }
    return status;
}

void wal_snapshot_reader_close(struct wal_snapshot_reader *reader)
{
    reader->disk->close(reader->disk->context, reader->file);
    reader->file = 0;
}
