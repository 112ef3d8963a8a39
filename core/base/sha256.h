/* SHA-256, for telling a damaged file from a whole one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_SHA256_H
#define CORE_BASE_SHA256_H

#include "core/base/bytes.h"

enum { BASE_SHA256_SIZE = 32, BASE_SHA256_BLOCK = 64 };

struct base_sha256 {
    uint32_t state[8];
    uint64_t size; /* Bytes so far. */
    uint8_t block[BASE_SHA256_BLOCK];
};

void base_sha256_init(struct base_sha256 *sha);
void base_sha256_put(struct base_sha256 *sha, struct base_bytes bytes);
/* The digest of everything put; then it is only good for another init. */
void base_sha256_end(struct base_sha256 *sha, uint8_t digest[BASE_SHA256_SIZE]);

#endif
