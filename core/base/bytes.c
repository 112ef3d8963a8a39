/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/bytes.h"

#include <assert.h>

static size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

struct base_bytes base_bytes_of(const char *text)
{
    return (struct base_bytes){.data = (const uint8_t *)text, .size = text_length(text)};
}

bool base_bytes_equal(struct base_bytes a, struct base_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int base_bytes_compare(struct base_bytes a, struct base_bytes b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

void base_buffer_init(struct base_buffer *buffer, const struct base_allocator *allocator)
{
    *buffer = (struct base_buffer){.allocator = allocator};
}

void base_buffer_release(struct base_buffer *buffer)
{
    base_free(buffer->allocator, buffer->data, buffer->capacity);
    *buffer = (struct base_buffer){.allocator = buffer->allocator};
}

void base_buffer_reset(struct base_buffer *buffer)
{
    buffer->size = 0;
}

uint8_t *base_buffer_extend(struct base_buffer *buffer, size_t more)
{
    assert(buffer->size <= buffer->capacity);
    if (!buffer->data || more > buffer->capacity - buffer->size) {
        size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
        if (capacity < buffer->size + more) {
            capacity = buffer->size + more;
        }
        buffer->data = base_resize(buffer->allocator, buffer->data, buffer->capacity, capacity);
        buffer->capacity = capacity;
    }
    uint8_t *at = buffer->data + buffer->size;
    buffer->size += more;
    return at;
}

struct base_bytes base_buffer_view(const struct base_buffer *buffer)
{
    return (struct base_bytes){.data = buffer->data, .size = buffer->size};
}

void base_put_u8(struct base_buffer *buffer, uint8_t value)
{
    *base_buffer_extend(buffer, 1) = value;
}

void base_put_u16(struct base_buffer *buffer, uint16_t value)
{
    uint8_t *at = base_buffer_extend(buffer, 2);
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

void base_put_u32(struct base_buffer *buffer, uint32_t value)
{
    base_store_u32(base_buffer_extend(buffer, 4), value);
}

void base_put_u64(struct base_buffer *buffer, uint64_t value)
{
    base_store_u64(base_buffer_extend(buffer, 8), value);
}

void base_put_i64(struct base_buffer *buffer, int64_t value)
{
    base_put_u64(buffer, (uint64_t)value);
}

void base_put_bytes(struct base_buffer *buffer, struct base_bytes value)
{
    assert(value.size <= UINT32_MAX);
    base_put_u32(buffer, (uint32_t)value.size);
    uint8_t *at = base_buffer_extend(buffer, value.size);
    if (value.size > 0) {
        memcpy(at, value.data, value.size);
    }
}

void base_reader_init(struct base_reader *reader, struct base_bytes bytes)
{
    *reader = (struct base_reader){.data = bytes.data, .size = bytes.size};
}

size_t base_reader_left(const struct base_reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->at;
}

/* The next `size` bytes, or NULL (and failed) when there are fewer. */
static const uint8_t *take(struct base_reader *reader, size_t size)
{
    assert(reader->at <= reader->size);
    if (reader->failed || size > reader->size - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->data + reader->at;
    reader->at += size;
    return at;
}

uint8_t base_get_u8(struct base_reader *reader)
{
    const uint8_t *at = take(reader, 1);
    return at ? at[0] : 0;
}

uint16_t base_get_u16(struct base_reader *reader)
{
    const uint8_t *at = take(reader, 2);
    return at ? (uint16_t)((uint32_t)at[0] | (uint32_t)at[1] << 8) : 0;
}

uint32_t base_get_u32(struct base_reader *reader)
{
    const uint8_t *at = take(reader, 4);
    return at ? base_load_u32(at) : 0;
}

uint64_t base_get_u64(struct base_reader *reader)
{
    const uint8_t *at = take(reader, 8);
    return at ? base_load_u64(at) : 0;
}

int64_t base_get_i64(struct base_reader *reader)
{
    return (int64_t)base_get_u64(reader);
}

struct base_bytes base_get_bytes(struct base_reader *reader)
{
    uint32_t size = base_get_u32(reader);
    const uint8_t *at = take(reader, size);
    return at ? (struct base_bytes){.data = at, .size = size} : (struct base_bytes){0};
}
