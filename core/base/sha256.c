/* FIPS 180-4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sha256.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

static uint32_t load_word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void schedule(const uint8_t *block, uint32_t words[64])
{
    for (int i = 0; i < 16; i++) {
        words[i] = load_word(block + 4 * i);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = words[i - 15];
        uint32_t b = words[i - 2];
        uint32_t small0 = turned(a, 7) ^ turned(a, 18) ^ a >> 3;
        uint32_t small1 = turned(b, 17) ^ turned(b, 19) ^ b >> 10;
        words[i] = words[i - 16] + small0 + words[i - 7] + small1;
    }
}

static void compress(struct base_sha256 *sha, const uint8_t *block)
{
    uint32_t words[64];
    uint32_t s[8];
    schedule(block, words);
    memcpy(s, sha->state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t big1 = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t first = s[7] + big1 + choice + constants[i] + words[i];
        uint32_t big0 = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += first;
        s[0] = first + big0 + majority;
    }
    for (int i = 0; i < 8; i++) {
        sha->state[i] += s[i];
    }
}

void base_sha256_init(struct base_sha256 *sha)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *sha = (struct base_sha256){0};
    memcpy(sha->state, first, sizeof first);
}

void base_sha256_put(struct base_sha256 *sha, struct base_bytes bytes)
{
    for (size_t at = 0; at < bytes.size;) {
        size_t used = (size_t)(sha->size % BASE_SHA256_BLOCK);
        size_t part = BASE_SHA256_BLOCK - used < bytes.size - at ? BASE_SHA256_BLOCK - used : bytes.size - at;
        memcpy(sha->block + used, bytes.data + at, part);
        sha->size += part;
        at += part;
        if (used + part == BASE_SHA256_BLOCK) {
            compress(sha, sha->block);
        }
    }
}

void base_sha256_end(struct base_sha256 *sha, uint8_t digest[BASE_SHA256_SIZE])
{
    static const uint8_t padding[BASE_SHA256_BLOCK] = {0x80};
    uint64_t bits = sha->size * 8;
    size_t used = (size_t)(sha->size % BASE_SHA256_BLOCK);
    size_t pad = used < 56 ? 56 - used : 120 - used;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    base_sha256_put(sha, (struct base_bytes){.data = padding, .size = pad});
    base_sha256_put(sha, (struct base_bytes){.data = length, .size = sizeof length});
    for (int i = 0; i < 32; i++) {
        digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}
