/* Which term each index of the log has, as runs: a few words for a long log. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WAL_TERMS_H
#define CORE_WAL_TERMS_H

#include "core/raft/types.h"

struct wal_term_run {
    raft_index first;
    raft_term term;
};

/* Covers (base, last]; base <= last. Neighbouring runs differ in term. */
struct wal_terms {
    const struct base_allocator *allocator;
    raft_index base;
    raft_term base_term; /* 0: not known, or base is 0. */
    raft_index last;
    struct wal_term_run *runs; /* Owned; by `first`, the first one's is base + 1. */
    uint32_t count;
    uint32_t capacity;
};

void wal_terms_init(struct wal_terms *terms, const struct base_allocator *allocator);
void wal_terms_release(struct wal_terms *terms);
/* Forget everything: the log is empty after `base`. */
void wal_terms_reset(struct wal_terms *terms, raft_index base, raft_term base_term);
/* An entry, base < index <= last + 1; it replaces what was at or above it. */
void wal_terms_append(struct wal_terms *terms, raft_index index, raft_term term);
/* 0 outside [base, last] and where it is not known. */
raft_term wal_terms_at(const struct wal_terms *terms, raft_index index);
/* Forget what is below `base`, which must be in [base, last]. */
void wal_terms_drop(struct wal_terms *terms, raft_index base);

#endif
