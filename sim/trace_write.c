/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include "sim/trace_format.h"

#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1 };

struct sim_trace_writer {
    struct sim_trace_output output;
    struct sim_sink sink;
    bool has_begun; /* An event came. */
    ZSTD_CCtx *zstd;
    struct sim_trace_bytes raw; /* Records of the open block, */
    uint32_t count;             /* so many, */
    uint64_t base_time_ns;      /* after this time */
    uint64_t base_number;       /* and event. */
    uint64_t time_ns;           /* Of the last record. */
    uint64_t digest[2];         /* After the last record. */
    struct sim_trace_bytes packed;
};

static void reserve(struct sim_trace_bytes *bytes, size_t more)
{
    size_t size = bytes->size + more;
    if (size <= bytes->capacity) {
        return;
    }
    size_t capacity = bytes->capacity == 0 ? 4096 : bytes->capacity * 2;
    while (capacity < size) {
        capacity *= 2;
    }
    bytes->data = realloc(bytes->data, capacity);
    if (!bytes->data) {
        abort();
    }
    bytes->capacity = capacity;
}

void sim_trace_put_file(void *context, struct base_bytes bytes)
{
    (void)fwrite(bytes.data, 1, bytes.size, context);
}

void sim_trace_put_memory(void *context, struct base_bytes bytes)
{
    struct sim_trace_bytes *memory = context;
    if (bytes.size == 0) {
        return;
    }
    reserve(memory, bytes.size);
    memcpy(memory->data + memory->size, bytes.data, bytes.size);
    memory->size += bytes.size;
}

void sim_trace_bytes_release(struct sim_trace_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct sim_trace_bytes){0};
}

static void put_u8(struct sim_trace_bytes *bytes, uint8_t value)
{
    reserve(bytes, 1);
    bytes->data[bytes->size++] = value;
}

static void put_u32(struct sim_trace_bytes *bytes, uint32_t value)
{
    reserve(bytes, 4);
    base_store_u32(bytes->data + bytes->size, value);
    bytes->size += 4;
}

static void put_u64(struct sim_trace_bytes *bytes, uint64_t value)
{
    reserve(bytes, 8);
    base_store_u64(bytes->data + bytes->size, value);
    bytes->size += 8;
}

static void put_text(struct sim_trace_bytes *bytes, const char *text)
{
    struct base_bytes view = base_bytes_of(text ? text : "");
    put_u32(bytes, (uint32_t)view.size);
    sim_trace_put_memory(bytes, view);
}

/* Room for it must have been reserved. */
static void put_varint(struct sim_trace_bytes *bytes, uint64_t value)
{
    while (value >= 0x80) {
        bytes->data[bytes->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes->data[bytes->size++] = (uint8_t)value;
}

static void send(const struct sim_trace_writer *writer, const struct sim_trace_bytes *bytes)
{
    writer->output.put(writer->output.context, (struct base_bytes){bytes->data, bytes->size});
}

static void put_table(struct sim_trace_bytes *bytes)
{
    put_u32(bytes, SIM_EVENT_COUNT);
    for (uint32_t kind = 0; kind < SIM_EVENT_COUNT; kind++) {
        const struct sim_event_info *info = sim_event_info((enum sim_event_kind)kind);
        put_text(bytes, info->text);
        put_u8(bytes, (uint8_t)info->field_count);
        for (uint32_t i = 0; i < info->field_count; i++) {
            put_u8(bytes, (uint8_t)info->types[i]);
            put_text(bytes, info->fields[i]);
        }
    }
}

static void put_header(struct sim_trace_writer *writer, const struct sim_trace_header *header)
{
    struct sim_trace_bytes bytes = {0};
    sim_trace_put_memory(&bytes, (struct base_bytes){(const uint8_t *)trace_magic, TRACE_MAGIC_BYTES});
    put_u32(&bytes, 0);
    size_t start = bytes.size;
    put_text(&bytes, header->version);
    put_text(&bytes, header->build);
    put_text(&bytes, header->scenario);
    put_text(&bytes, header->parameters);
    put_u64(&bytes, header->seed);
    put_table(&bytes);
    base_store_u32(bytes.data + start - 4, (uint32_t)(bytes.size - start));
    send(writer, &bytes);
    sim_trace_bytes_release(&bytes);
}

/* Compress what has come together; an empty block is the end mark. */
static void close_block(struct sim_trace_writer *writer)
{
    struct sim_trace_bytes *packed = &writer->packed;
    packed->size = 0;
    size_t bound = ZSTD_compressBound(writer->raw.size);
    reserve(packed, TRACE_BLOCK_HEAD_BYTES + bound);
    size_t size = 0;
    if (writer->count > 0) {
        size = ZSTD_compressCCtx(writer->zstd, packed->data + TRACE_BLOCK_HEAD_BYTES, bound, writer->raw.data,
                                 writer->raw.size, ZSTD_LEVEL);
        assert(!ZSTD_isError(size)); /* There is room. */
    }
    put_u32(packed, (uint32_t)size);
    put_u32(packed, (uint32_t)writer->raw.size);
    put_u32(packed, writer->count);
    put_u64(packed, writer->base_time_ns);
    put_u64(packed, writer->base_number);
    put_u64(packed, writer->digest[0]);
    put_u64(packed, writer->digest[1]);
    assert(packed->size == TRACE_BLOCK_HEAD_BYTES);
    packed->size += size;
    send(writer, packed);
    writer->base_time_ns = writer->time_ns;
    writer->base_number += writer->count;
    writer->count = 0;
    writer->raw.size = 0;
}

static void put_event(void *context, const struct sim_event *event)
{
    struct sim_trace_writer *writer = context;
    struct sim_trace_bytes *raw = &writer->raw;
    if (!writer->has_begun) {
        writer->base_number = event->number - 1;
        writer->has_begun = true;
    }
    assert(event->time_ns >= writer->time_ns);
    assert(event->number == writer->base_number + writer->count + 1);
    uint32_t field_count = sim_event_info(event->kind)->field_count;
    reserve(raw, (4 + SIM_FIELDS_MAX) * TRACE_VARINT_MAX + event->text.size);
    put_varint(raw, event->time_ns - writer->time_ns);
    put_varint(raw, (uint64_t)event->kind * 2 + (event->text.size > 0));
    put_varint(raw, event->machine);
    for (uint32_t i = 0; i < field_count; i++) {
        put_varint(raw, event->fields[i]);
    }
    if (event->text.size > 0) {
        put_varint(raw, event->text.size);
        sim_trace_put_memory(raw, event->text);
    }
    writer->count++;
    writer->time_ns = event->time_ns;
    writer->digest[0] = writer->sink.recorder->digest[0];
    writer->digest[1] = writer->sink.recorder->digest[1];
    if (raw->size >= TRACE_BLOCK_RAW_BYTES) {
        close_block(writer);
    }
}

struct sim_trace_writer *sim_trace_writer_new(const struct sim_trace_header *header,
                                              const struct sim_trace_output *output)
{
    struct sim_trace_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        abort();
    }
    writer->zstd = ZSTD_createCCtx();
    if (!writer->zstd) {
        abort();
    }
    writer->output = *output;
    put_header(writer, header);
    return writer;
}

struct sim_sink *sim_trace_writer_sink(struct sim_trace_writer *writer)
{
    assert(!writer->sink.event);
    writer->sink = (struct sim_sink){.context = writer, .event = put_event};
    return &writer->sink;
}

void sim_trace_writer_end(struct sim_trace_writer *writer)
{
    if (writer->count > 0) {
        close_block(writer);
    }
    close_block(writer);
    ZSTD_freeCCtx(writer->zstd);
    sim_trace_bytes_release(&writer->raw);
    sim_trace_bytes_release(&writer->packed);
    free(writer);
}
