/* The storage stage: what Raft wants on disk goes into the log at once, the log makes
 * it durable as the disk gets on, and the promises that depend on it are held
 * until then (etcd-behaviour §1.12, asynchronous mode).
 *
 *   append ──▶ written ──(synced)──▶ durable ──▶ responses released
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

static void hold(struct member_storage *storage, const struct base_allocator *allocator, uint64_t ticket,
                 const struct raft_message *message)
{
    assert(message->entry_count == 0 && message->response_count == 0 && message->context.size == 0);
    if (storage->held_count == storage->held_capacity) {
        uint32_t capacity = storage->held_capacity == 0 ? 16 : storage->held_capacity * 2;
        struct member_held *held = base_alloc(allocator, capacity * sizeof *held);
        for (uint32_t i = 0; i < storage->held_count; i++) {
            held[i] = storage->held[(storage->held_first + i) & (storage->held_capacity - 1)];
        }
        base_free(allocator, storage->held, storage->held_capacity * sizeof *held);
        storage->held = held;
        storage->held_capacity = capacity;
        storage->held_first = 0;
    }
    uint32_t slot = (storage->held_first + storage->held_count) & (storage->held_capacity - 1);
    storage->held[slot] = (struct member_held){.ticket = ticket, .message = *message};
    storage->held_count++;
}

static void save(struct member *member, const struct raft_message *append,
                 const struct raft_hard_state *state, bool needs_sync)
{
    struct member_storage *storage = &member->storage;
    uint32_t count = append->entry_count;
    if (count > 0 && append->entries[count - 1].index <= storage->founded_to) {
        return; /* The log was created with them, and with this state. */
    }
    storage->ticket_written = wal_save(storage->wal, append->entries, count, state, needs_sync);
    member->work.entries += count;
}

void member_storage_append(struct member *member, const struct raft_message *append, bool must_sync)
{
    struct member_storage *storage = &member->storage;
    struct raft_hard_state state = {.term = append->term, .vote = append->vote, .commit = append->commit};
    bool has_state = state.term != 0 || state.vote != RAFT_NONE || state.commit != 0;
    bool has_snapshot = append->snapshot && append->snapshot->index != 0;
    bool needs_sync = must_sync || has_snapshot;
    if (has_snapshot) {
        member_snapshot_store(member, append->snapshot); /* What is saved next waits for it. */
    }
    if (append->entry_count > 0 || has_state || has_snapshot) {
        save(member, append, has_state ? &state : NULL, needs_sync);
    }
    if (needs_sync) {
        storage->ticket_needed = storage->ticket_written;
    }
    for (uint32_t i = 0; i < append->response_count; i++) {
        hold(storage, member->allocator, storage->ticket_needed, &append->responses[i]);
    }
}

bool member_storage_release(struct member *member)
{
    struct member_storage *storage = &member->storage;
    uint64_t durable = wal_durable(storage->wal);
    bool has_stepped = false;
    while (storage->held_count > 0 && !member->is_stopped) {
        struct member_held held = storage->held[storage->held_first];
        if (held.ticket > durable) {
            break;
        }
        storage->held_first = (storage->held_first + 1) & (storage->held_capacity - 1);
        storage->held_count--;
        if (held.message.type == RAFT_MSG_STORAGE_APPEND_RESP && held.message.snapshot) {
            member_snapshot_stored(member, &held.message);
            if (member->is_stopped) {
                return false;
            }
        }
        if (held.message.to == member->id) {
            /* Refused when a configuration has left us out since. */
            (void)raft_step(member->raft, &held.message);
            has_stepped = true;
        } else {
            struct wire_message out = {.kind = WIRE_RAFT, .raft = held.message};
            member_send(member, held.message.to, &out);
        }
    }
    return has_stepped;
}

void member_storage_done(struct member *member, uint64_t token, enum disk_status status)
{
    if (wal_done(member->storage.wal, token, status) != WAL_OK) {
        member_stop(member, "disk", wal_error(member->storage.wal));
        return;
    }
    member_snapshot_durable(member);
}

void member_storage_free(struct member *member)
{
    struct member_storage *storage = &member->storage;
    base_free(member->allocator, storage->held, storage->held_capacity * sizeof *storage->held);
    if (storage->wal) {
        wal_free(storage->wal);
    }
}
