/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/store.h"

#include <assert.h>
#include <stdlib.h>

void store_release(struct store *store)
{
    free(store->entries);
    store->entries = NULL;
}

void store_restart(struct store *store, raft_index index)
{
    store->before = index;
    store->count = 0;
}

void store_append(struct store *store, const struct raft_entry *entries, uint32_t entry_count)
{
    for (uint32_t i = 0; i < entry_count; i++) {
        if (entries[i].index <= store->before) {
            continue;
        }
        size_t place = entries[i].index - store->before - 1;
        assert(place <= store->count);
        store->count = place + 1;
        if (store->count > store->capacity) {
            store->capacity = store->count * 2;
            store->entries = realloc(store->entries, store->capacity * sizeof *store->entries);
        }
        store->entries[place] = copy_entry(store->arena, &entries[i]);
    }
}

bool store_compact(struct store *store, raft_index index)
{
    if (index <= store->before || index > store->before + store->count) {
        return false;
    }
    size_t dropped = index - store->before;
    store->count -= dropped;
    memmove(store->entries, store->entries + dropped, store->count * sizeof *store->entries);
    store->before = index;
    return true;
}

struct raft_entry copy_entry(struct base_arena *arena, const struct raft_entry *entry)
{
    struct raft_entry copy = *entry;
    copy.data = base_arena_copy(arena, (struct base_bytes){.data = entry->data, .size = entry->size}).data;
    return copy;
}

struct raft_snapshot *copy_snapshot(struct base_arena *arena, const struct raft_snapshot *snapshot)
{
    struct raft_snapshot *copy = base_arena_alloc(arena, sizeof *copy);
    *copy = *snapshot;
    copy->data = base_arena_copy(arena, snapshot->data);
    return copy;
}

struct raft_message copy_message(struct base_arena *arena, const struct raft_message *message)
{
    struct raft_message copy = *message;
    if (message->entry_count > 0) {
        struct raft_entry *entries = base_arena_alloc(arena, message->entry_count * sizeof *entries);
        for (uint32_t i = 0; i < message->entry_count; i++) {
            entries[i] = copy_entry(arena, &message->entries[i]);
        }
        copy.entries = entries;
    }
    if (message->response_count > 0) {
        struct raft_message *responses = base_arena_alloc(arena, message->response_count * sizeof *responses);
        for (uint32_t i = 0; i < message->response_count; i++) {
            responses[i] = copy_message(arena, &message->responses[i]);
        }
        copy.responses = responses;
    }
    if (message->snapshot) {
        copy.snapshot = copy_snapshot(arena, message->snapshot);
    }
    copy.context = base_arena_copy(arena, message->context);
    return copy;
}
