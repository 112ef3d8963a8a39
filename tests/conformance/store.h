/* What a scripted node has on its disk: a log with a place where it begins. And
 * deep copies, since what a node hands out it only lends. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFORMANCE_STORE_H
#define TESTS_CONFORMANCE_STORE_H

#include "core/base/arena.h"
#include "core/raft/raft.h"

/* Entries live in the arena, which is the cluster's and outlives this. */
struct store {
    struct base_arena *arena;
    raft_index before; /* The index before the first entry. */
    size_t count;
    struct raft_entry *entries;
    size_t capacity;
};

void store_release(struct store *store);
/* The log begins after `index` now, without entries. */
void store_restart(struct store *store, raft_index index);
/* Overwrites what was there from the first entry on. */
void store_append(struct store *store, const struct raft_entry *entries, uint32_t entry_count);
/* false: there are none up to `index`. */
bool store_compact(struct store *store, raft_index index);

struct raft_entry copy_entry(struct base_arena *arena, const struct raft_entry *entry);
struct raft_snapshot *copy_snapshot(struct base_arena *arena, const struct raft_snapshot *snapshot);
struct raft_message copy_message(struct base_arena *arena, const struct raft_message *message);

#endif
