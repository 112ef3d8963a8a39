/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sha1.h"

#include <assert.h>

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8 };

struct sha1 {
    uint32_t state[5];
    uint8_t block[BLOCK_SIZE];
    uint64_t size; /* Bytes so far; size % BLOCK_SIZE of them wait in `block`. */
};

static uint32_t rotate_left(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t load_big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* FIPS 180-4 §6.1.2: one round's function and constant, by its number. */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) {
        return ((b & c) ^ (~b & d)) + 0x5a827999u;
    }
    if (round < 40) {
        return (b ^ c ^ d) + 0x6ed9eba1u;
    }
    if (round < 60) {
        return ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdcu;
    }
    return (b ^ c ^ d) + 0xca62c1d6u;
}

static void absorb_block(struct sha1 *sha1)
{
    uint32_t schedule[80];
    for (unsigned i = 0; i < 16; i++) {
        schedule[i] = load_big_endian(sha1->block + 4 * i);
    }
    for (unsigned i = 16; i < 80; i++) {
        schedule[i] = rotate_left(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
    }
    uint32_t a = sha1->state[0], b = sha1->state[1], c = sha1->state[2], d = sha1->state[3],
             e = sha1->state[4];
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next = rotate_left(a, 5) + mix(i, b, c, d) + e + schedule[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    sha1->state[0] += a;
    sha1->state[1] += b;
    sha1->state[2] += c;
    sha1->state[3] += d;
    sha1->state[4] += e;
}

static void absorb_byte(struct sha1 *sha1, uint8_t byte)
{
    sha1->block[sha1->size % BLOCK_SIZE] = byte;
    sha1->size++;
    if (sha1->size % BLOCK_SIZE == 0) {
        absorb_block(sha1);
    }
}

void base_sha1(const struct base_bytes *parts, uint32_t part_count, uint8_t digest[BASE_SHA1_SIZE])
{
    assert(parts || part_count == 0);
    struct sha1 sha1 = {.state = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u}};
    for (uint32_t part = 0; part < part_count; part++) {
        for (size_t i = 0; i < parts[part].size; i++) {
            absorb_byte(&sha1, parts[part].data[i]);
        }
    }
    uint64_t size_bits = sha1.size * 8;
    absorb_byte(&sha1, 0x80);
    while (sha1.size % BLOCK_SIZE != BLOCK_SIZE - LENGTH_SIZE) {
        absorb_byte(&sha1, 0);
    }
    for (unsigned i = 0; i < LENGTH_SIZE; i++) {
        absorb_byte(&sha1, (uint8_t)(size_bits >> (56 - 8 * i)));
    }
    assert(sha1.size % BLOCK_SIZE == 0);
    for (unsigned i = 0; i < BASE_SHA1_SIZE; i++) {
        digest[i] = (uint8_t)(sha1.state[i / 4] >> (24 - 8 * (i % 4)));
    }
}
