/* Byte strings: borrowed views, growing buffers, and the little-endian encoder
 * and decoder that every frame, record and entry of the core goes through. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_BYTES_H
#define CORE_BASE_BYTES_H

#include "core/base/alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of somebody else's bytes; never owns. `data` may be NULL when empty. */
struct base_bytes {
    const uint8_t *data;
    size_t size;
};

/* The bytes of a C string without its terminator. */
struct base_bytes base_bytes_of(const char *text);
bool base_bytes_equal(struct base_bytes a, struct base_bytes b);
/* memcmp's order, then the shorter first: <0, 0, >0. */
int base_bytes_compare(struct base_bytes a, struct base_bytes b);

/* A growing byte buffer; owns `data`. Zero-initialise, then init. */
struct base_buffer {
    const struct base_allocator *allocator;
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void base_buffer_init(struct base_buffer *buffer, const struct base_allocator *allocator);
void base_buffer_release(struct base_buffer *buffer);
/* Forget the content, keep the memory. */
void base_buffer_reset(struct base_buffer *buffer);
/* Make room for `more` bytes and return where they go; `size` grows by `more`. */
uint8_t *base_buffer_extend(struct base_buffer *buffer, size_t more);
struct base_bytes base_buffer_view(const struct base_buffer *buffer);

/* The encoder: appends to a buffer. put_bytes writes a u32 length first. */
void base_put_u8(struct base_buffer *buffer, uint8_t value);
void base_put_u16(struct base_buffer *buffer, uint16_t value);
void base_put_u32(struct base_buffer *buffer, uint32_t value);
void base_put_u64(struct base_buffer *buffer, uint64_t value);
void base_put_i64(struct base_buffer *buffer, int64_t value);
void base_put_bytes(struct base_buffer *buffer, struct base_bytes value);

/* The decoder: total over any input. Once it runs out of bytes `failed` stays
 * set, every further get answers zero, and nothing is read beyond the end. */
struct base_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool failed;
};

void base_reader_init(struct base_reader *reader, struct base_bytes bytes);
size_t base_reader_left(const struct base_reader *reader);
uint8_t base_get_u8(struct base_reader *reader);
uint16_t base_get_u16(struct base_reader *reader);
uint32_t base_get_u32(struct base_reader *reader);
uint64_t base_get_u64(struct base_reader *reader);
int64_t base_get_i64(struct base_reader *reader);
/* A borrowed view into the reader's input. */
struct base_bytes base_get_bytes(struct base_reader *reader);

/* Load and store of little-endian words at any address. */
static inline uint64_t base_load_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static inline void base_store_u64(uint8_t *at, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(at, &value, sizeof value);
}

static inline uint32_t base_load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static inline void base_store_u32(uint8_t *at, uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(at, &value, sizeof value);
}

#endif
