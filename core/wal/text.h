/* Short texts without an allocation: the names of the log's files, read and
 * written, what wal_error says, and why a member stops. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_TEXT_H
#define CORE_WAL_TEXT_H

#include "core/base/bytes.h"

/* Always terminated; what does not fit is dropped. */
struct wal_text {
    size_t size;
    char bytes[248];
};

void wal_text_reset(struct wal_text *text);
void wal_text_put(struct wal_text *text, const char *more);
void wal_text_put_bytes(struct wal_text *text, struct base_bytes more);
void wal_text_put_decimal(struct wal_text *text, uint64_t value);
void wal_text_put_hex(struct wal_text *text, uint64_t value);

/* Append a file's name, with its directory. `aside` is the temporary one. */
void wal_text_put_segment(struct wal_text *text, uint64_t sequence, uint64_t first, bool aside);
void wal_text_put_snapshot(struct wal_text *text, uint64_t term, uint64_t index);
void wal_text_put_snapshot_aside(struct wal_text *text, uint64_t number);

/* Is `name`, without its directory, a segment's, a snapshot's, a temporary one? */
bool wal_text_is_segment(const char *name, uint64_t *sequence, uint64_t *first);
bool wal_text_is_snapshot(const char *name, uint64_t *term, uint64_t *index);
bool wal_text_is_aside(const char *name);

#endif
