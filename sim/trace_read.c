/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include "sim/event_text.h"
#include "sim/trace_format.h"

#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    TEXT_MAX = 1 << 16, /* Longer ones in a header are damage. */
    KINDS_MAX = 4096,
    IDS_MAX = 256,
    ERROR_BYTES = 160
};

/* Which machine said that it was which member. */
struct identity {
    uint64_t id;
    uint32_t number;
};

struct sim_trace {
    struct base_bytes bytes;
    size_t block_first; /* Where blocks begin, */
    size_t block_next;  /* and the next one. */
    struct sim_trace_header header;
    char *texts; /* Of the header and the table, one after another. */
    size_t text_at;
    struct sim_event_info *infos;
    uint32_t info_count;
    uint32_t identity_kind; /* UINT32_MAX: the table has none. */
    uint8_t *raw;           /* Records of the open block. */
    size_t raw_capacity;
    size_t raw_size;
    size_t raw_at;
    uint32_t left; /* Events in it. */
    uint64_t time_ns;
    uint64_t number;
    uint64_t digest[2];
    bool has_ended;
    char error[ERROR_BYTES];
    struct identity identities[IDS_MAX];
    uint32_t identity_count;
    struct sim_recorder names; /* Only for number_of. */
};

static void fail(struct sim_trace *trace, const char *found, const char *expected)
{
    (void)snprintf(trace->error, sizeof trace->error, "at byte %llu: found %s, expected %s",
                   (unsigned long long)trace->block_next, found, expected);
    trace->has_ended = true;
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        abort();
    }
    return memory;
}

/* --- the header --- */

static const char *take_text(struct sim_trace *trace, struct base_reader *reader)
{
    struct base_bytes text = base_get_bytes(reader);
    char *copy = trace->texts + trace->text_at;
    if (text.size > TEXT_MAX) {
        reader->failed = true;
    }
    if (reader->failed) {
        return "";
    }
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    trace->text_at += text.size + 1;
    return copy;
}

static void take_info(struct sim_trace *trace, struct base_reader *reader, struct sim_event_info *info)
{
    info->text = take_text(trace, reader);
    info->field_count = base_get_u8(reader);
    if (info->field_count > SIM_FIELDS_MAX) {
        reader->failed = true;
    }
    for (uint32_t i = 0; i < info->field_count && !reader->failed; i++) {
        uint8_t type = base_get_u8(reader);
        info->types[i] = (enum sim_field_type)type;
        info->fields[i] = take_text(trace, reader);
        reader->failed = reader->failed || type > SIM_FIELD_HEX;
    }
}

static bool take_header(struct sim_trace *trace, struct base_bytes bytes)
{
    struct base_reader reader;
    base_reader_init(&reader, bytes);
    /* Each text has a length of four bytes, more than its terminator. */
    trace->texts = allocate(bytes.size + 1);
    trace->header.version = take_text(trace, &reader);
    trace->header.build = take_text(trace, &reader);
    trace->header.scenario = take_text(trace, &reader);
    trace->header.parameters = take_text(trace, &reader);
    trace->header.seed = base_get_u64(&reader);
    uint32_t count = base_get_u32(&reader);
    if (reader.failed || count > KINDS_MAX) {
        return false;
    }
    trace->infos = allocate((count + 1) * sizeof trace->infos[0]);
    trace->info_count = count;
    trace->identity_kind = UINT32_MAX;
    for (uint32_t kind = 0; kind < count && !reader.failed; kind++) {
        take_info(trace, &reader, &trace->infos[kind]);
        if (strcmp(trace->infos[kind].text, "identity") == 0) {
            trace->identity_kind = kind;
        }
    }
    return !reader.failed && base_reader_left(&reader) == 0;
}

static uint32_t number_of(void *context, uint64_t id)
{
    const struct sim_trace *trace = context;
    for (uint32_t i = trace->identity_count; i-- > 0;) {
        if (trace->identities[i].id == id) {
            return trace->identities[i].number;
        }
    }
    return 0;
}

struct sim_trace *sim_trace_open(struct base_bytes bytes, char *error, size_t size)
{
    size_t start = TRACE_MAGIC_BYTES + 4;
    if (bytes.size < start || memcmp(bytes.data, trace_magic, TRACE_MAGIC_BYTES) != 0) {
        (void)snprintf(error, size, "found no %s at the beginning, expected a trace", trace_magic);
        return NULL;
    }
    uint32_t header_size = base_load_u32(bytes.data + TRACE_MAGIC_BYTES);
    struct sim_trace *trace = allocate(sizeof *trace);
    trace->bytes = bytes;
    trace->names.number_of = number_of;
    trace->names.number_context = trace;
    if (header_size > bytes.size - start ||
        !take_header(trace, (struct base_bytes){bytes.data + start, header_size})) {
        (void)snprintf(error, size, "found a damaged header, expected a trace's");
        sim_trace_close(trace);
        return NULL;
    }
    trace->block_first = start + header_size;
    trace->block_next = trace->block_first;
    return trace;
}

void sim_trace_close(struct sim_trace *trace)
{
    if (!trace) {
        return;
    }
    free(trace->texts);
    free(trace->infos);
    free(trace->raw);
    free(trace);
}

/* --- blocks --- */

struct block {
    size_t packed_size; /* 0: the end mark. */
    size_t raw_size;
    uint32_t count;
    uint64_t time_ns;
    uint64_t number;
    uint64_t digest[2];
    const uint8_t *packed;
};

/* The block at block_next; false, and an error, when it is not whole. */
static bool look_at_block(struct sim_trace *trace, struct block *block)
{
    size_t left = trace->bytes.size - trace->block_next;
    if (left < TRACE_BLOCK_HEAD_BYTES) {
        fail(trace, "the end of the file", "a block or the end mark");
        return false;
    }
    struct base_reader reader;
    base_reader_init(&reader,
                     (struct base_bytes){trace->bytes.data + trace->block_next, TRACE_BLOCK_HEAD_BYTES});
    block->packed_size = base_get_u32(&reader);
    block->raw_size = base_get_u32(&reader);
    block->count = base_get_u32(&reader);
    block->time_ns = base_get_u64(&reader);
    block->number = base_get_u64(&reader);
    block->digest[0] = base_get_u64(&reader);
    block->digest[1] = base_get_u64(&reader);
    block->packed = trace->bytes.data + trace->block_next + TRACE_BLOCK_HEAD_BYTES;
    if (block->packed_size > left - TRACE_BLOCK_HEAD_BYTES) {
        fail(trace, "the end of the file", "a whole block");
        return false;
    }
    if (block->raw_size > TRACE_RAW_MAX) {
        fail(trace, "a block of impossible size", "less than 64 MiB");
        return false;
    }
    return true;
}

static void reserve_raw(struct sim_trace *trace, size_t size)
{
    if (size <= trace->raw_capacity) {
        return;
    }
    free(trace->raw);
    trace->raw = allocate(size);
    trace->raw_capacity = size;
}

/* Open the next block; false at the end mark and at damage. */
static bool open_block(struct sim_trace *trace)
{
    struct block block;
    if (!look_at_block(trace, &block)) {
        return false;
    }
    trace->digest[0] = block.digest[0];
    trace->digest[1] = block.digest[1];
    if (block.packed_size == 0) {
        trace->has_ended = true;
        return false;
    }
    if (ZSTD_getFrameContentSize(block.packed, block.packed_size) != block.raw_size) {
        fail(trace, "a block that zstd does not know", "its frame");
        return false;
    }
    reserve_raw(trace, block.raw_size);
    size_t size = ZSTD_decompress(trace->raw, trace->raw_capacity, block.packed, block.packed_size);
    if (ZSTD_isError(size) || size != block.raw_size) {
        fail(trace, "a damaged block", "one that zstd can decompress");
        return false;
    }
    trace->raw_size = size;
    trace->raw_at = 0;
    trace->left = block.count;
    trace->time_ns = block.time_ns;
    trace->number = block.number;
    trace->block_next += TRACE_BLOCK_HEAD_BYTES + block.packed_size;
    return true;
}

static bool get_varint(struct sim_trace *trace, uint64_t *value)
{
    *value = 0;
    for (uint32_t shift = 0; shift < 64 && trace->raw_at < trace->raw_size; shift += 7) {
        uint8_t byte = trace->raw[trace->raw_at++];
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* One record; false when it is none. */
static bool get_event(struct sim_trace *trace, struct sim_event *event)
{
    uint64_t delta = 0;
    uint64_t kind = 0;
    uint64_t machine = 0;
    bool fits = get_varint(trace, &delta) && get_varint(trace, &kind) && get_varint(trace, &machine);
    if (!fits || kind / 2 >= trace->info_count || machine > UINT32_MAX) {
        return false;
    }
    *event = (struct sim_event){.kind = (enum sim_event_kind)(kind / 2), .machine = (uint32_t)machine};
    for (uint32_t i = 0; i < trace->infos[kind / 2].field_count; i++) {
        if (!get_varint(trace, &event->fields[i])) {
            return false;
        }
    }
    if (kind % 2 == 1) {
        uint64_t size = 0;
        if (!get_varint(trace, &size) || size > trace->raw_size - trace->raw_at) {
            return false;
        }
        event->text = (struct base_bytes){trace->raw + trace->raw_at, (size_t)size};
        trace->raw_at += (size_t)size;
    }
    trace->time_ns += delta;
    trace->number++;
    event->time_ns = trace->time_ns;
    event->number = trace->number;
    return true;
}

static void note_identity(struct sim_trace *trace, const struct sim_event *event)
{
    const struct sim_event_info *info = &trace->infos[trace->identity_kind];
    if (info->field_count < 2 || number_of(trace, event->fields[1]) == event->machine ||
        trace->identity_count == IDS_MAX) {
        return;
    }
    trace->identities[trace->identity_count++] =
        (struct identity){.id = event->fields[1], .number = event->machine};
}

bool sim_trace_next(struct sim_trace *trace, struct sim_event *event)
{
    while (!trace->has_ended && trace->left == 0) {
        (void)open_block(trace);
    }
    if (trace->has_ended) {
        return false;
    }
    trace->left--;
    if (!get_event(trace, event)) {
        fail(trace, "a damaged record in the block before", "an event");
        return false;
    }
    if ((uint32_t)event->kind == trace->identity_kind) {
        note_identity(trace, event);
    }
    return true;
}

void sim_trace_seek(struct sim_trace *trace, uint64_t time_ns)
{
    size_t start = trace->block_first;
    trace->block_next = start;
    trace->has_ended = false;
    trace->error[0] = '\0';
    trace->left = 0;
    struct block block;
    while (look_at_block(trace, &block) && block.packed_size > 0 && block.time_ns < time_ns) {
        start = trace->block_next;
        trace->block_next += TRACE_BLOCK_HEAD_BYTES + block.packed_size;
    }
    trace->block_next = start;
    trace->has_ended = false;
    trace->error[0] = '\0';
}

/* --- what it says --- */

const struct sim_trace_header *sim_trace_header(const struct sim_trace *trace)
{
    return &trace->header;
}

const char *sim_trace_error(const struct sim_trace *trace)
{
    return trace->error[0] != '\0' ? trace->error : NULL;
}

void sim_trace_digest(const struct sim_trace *trace, uint64_t digest[2])
{
    digest[0] = trace->digest[0];
    digest[1] = trace->digest[1];
}

const struct sim_event_info *sim_trace_info(const struct sim_trace *trace, uint32_t kind)
{
    return kind < trace->info_count ? &trace->infos[kind] : NULL;
}

size_t sim_trace_print(struct sim_trace *trace, const struct sim_event *event, char *out, size_t size)
{
    assert((uint32_t)event->kind < trace->info_count);
    return sim_event_print_as(&trace->names, &trace->infos[event->kind], event, out, size);
}
