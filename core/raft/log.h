/* One node's log: every entry from `first` to `last` in memory, and how far each
 * of the things that happen to an entry has come.
 *
 *   first - 1 ≤ stable ≤ in_progress ≤ last   on disk · handed out for the disk
 *   applied ≤ applying ≤ committed ≤ last     taken effect · handed out for that
 *
 * `stable` goes back when a conflict cuts below it (§5.3), committed never does.
 * While a snapshot from the leader waits to be installed the log begins after
 * it, nothing is handed out to apply, and applied may be below first - 1. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_LOG_H
#define CORE_RAFT_LOG_H

#include "core/base/arena.h"
#include "core/raft/blocks.h"
#include "core/raft/raft.h"

struct raft_log {
    struct raft_blocks blocks;
    raft_index first;
    raft_index last;
    raft_term term_before; /* Of first - 1. */
    raft_term last_term;
    raft_index stable;
    raft_index in_progress;
    raft_index committed;
    raft_index applying;
    raft_index applied;
    uint64_t applying_bytes;     /* Of the entries in (applied, applying]. */
    uint64_t applying_bytes_max; /* Then the next page waits. */
    bool is_applying_paused;
    bool has_snapshot;            /* One waits to be installed, */
    bool is_snapshot_in_progress; /* and was handed out for that. */
    struct raft_snapshot snapshot;
    uint8_t *snapshot_data;     /* Owned: what snapshot.data views. */
    raft_index snapshot_handed; /* The highest index of one handed out. */
    /* The headers handed out last, and the limit they are within: sending one entry
     * to many builds them once. */
    struct {
        const struct raft_entry *entries;
        raft_index first;
        uint32_t count;
        uint64_t bytes_max;
    } recent;
};

/* Entries handed out. */
struct raft_slice {
    const struct raft_entry *entries;
    uint32_t count;
};

void raft_log_init(struct raft_log *log, const struct base_allocator *allocator, uint64_t applying_bytes_max);
void raft_log_release(struct raft_log *log);

/* RAFT_COMPACTED, RAFT_UNAVAILABLE; the term of first - 1 is known. */
enum raft_status raft_log_term(const struct raft_log *log, raft_index index, raft_term *out);
/* Is there an entry (or a snapshot's end) with this index and term? */
static inline bool raft_log_has(const struct raft_log *log, raft_index index, raft_term term)
{
    if (index == log->last) {
        return term == log->last_term; /* What nearly everybody asks for. */
    }
    raft_term ours = 0;
    return raft_log_term(log, index, &ours) == RAFT_OK && ours == term;
}
/* §5.4.1: is a log that ends like this at least as up to date as ours? */
bool raft_log_is_up_to_date(const struct raft_log *log, raft_index last, raft_term last_term);
/* The highest index up to `index` whose term is not above `term`: the best guess
 * where two logs part. Below the log the guess is right there, its term 0. */
raft_index raft_log_find_by_term(const struct raft_log *log, raft_index index, raft_term term,
                                 raft_term *term_out);

/* Append a copy after `last`, not stable yet. */
void raft_log_append(struct raft_log *log, const struct raft_entry *entry);
/* Remove the entries from `index` on, which is above committed. */
void raft_log_cut(struct raft_log *log, raft_index index);
/* Replace the log by `snapshot`, which is copied and waits to be installed. */
void raft_log_restore(struct raft_log *log, const struct raft_snapshot *snapshot);
/* Drop entries up to `index`, which is in and applied. */
void raft_log_drop(struct raft_log *log, raft_index index);
/* false: not above committed. `index` is at most last. */
bool raft_log_commit(struct raft_log *log, raft_index index);
/* The disk holds everything up to this entry, if it still is our entry. */
void raft_log_stable_to(struct raft_log *log, raft_index index, raft_term term);
/* The snapshot that ends at `index` is installed; another one stays. */
void raft_log_snapshot_done(struct raft_log *log, raft_index index);
/* The payload bytes of the entries up to `index` that are handed out to apply. */
uint64_t raft_log_applying_payload(const struct raft_log *log, raft_index index);
/* Everything up to `index` has taken effect. */
void raft_log_applied_to(struct raft_log *log, raft_index index);

/* As raft_log_slice, of one entry at least, built anew. */
struct raft_slice raft_log_build_slice(struct raft_log *log, struct base_arena *arena, raft_index index,
                                       raft_index last_index, uint64_t bytes_max);
/* Entries from `index` up to `last_index`, cut after `bytes_max` but never to
 * none; headers are in `arena`, payloads lent. Empty when index > last_index. */
static inline struct raft_slice raft_log_slice(struct raft_log *log, struct base_arena *arena,
                                               raft_index index, raft_index last_index, uint64_t bytes_max)
{
    if (index > last_index) {
        return (struct raft_slice){0};
    }
    if (log->recent.first == index && log->recent.count == last_index - index + 1 &&
        log->recent.bytes_max <= bytes_max) {
        return (struct raft_slice){.entries = log->recent.entries, .count = log->recent.count};
    }
    return raft_log_build_slice(log, arena, index, last_index, bytes_max);
}
/* Not handed out yet. */
static inline bool raft_log_has_unstable(const struct raft_log *log)
{
    return log->in_progress < log->last;
}
struct raft_slice raft_log_take_unstable(struct raft_log *log, struct base_arena *arena);
bool raft_log_has_committed(const struct raft_log *log, bool allow_unstable);
struct raft_slice raft_log_take_committed(struct raft_log *log, struct base_arena *arena,
                                          bool allow_unstable);
/* A new lending begins (a Ready was handed out); answers the number of the old. */
uint64_t raft_log_next_lending(struct raft_log *log);

#endif
