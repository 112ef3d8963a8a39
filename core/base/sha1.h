/* SHA-1, for deriving ids from names and addresses; not for security. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_SHA1_H
#define CORE_BASE_SHA1_H

#include "core/base/bytes.h"

enum { BASE_SHA1_SIZE = 20 };

/* The digest of the `part_count` views at `parts`, one after the other. */
void base_sha1(const struct base_bytes *parts, uint32_t part_count, uint8_t digest[BASE_SHA1_SIZE]);

#endif
