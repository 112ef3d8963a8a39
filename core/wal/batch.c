/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/state.h"

#include <assert.h>

static void check(const struct wal *wal)
{
    assert(wal->ticket_durable <= wal->ticket_covered);
    assert(wal->ticket_covered <= wal->ticket_appended);
    assert(wal->ticket_appended <= wal->ticket_last);
    assert(wal->ticket_wanted <= wal->ticket_last);
    assert(wal->cursor.durable <= wal->cursor.offset);
}

void wal_batch_put_tag(struct wal *wal, const struct disk_tag *tag)
{
    if (wal->tag_count == wal->tag_capacity) {
        uint32_t capacity = wal->tag_capacity == 0 ? 4 : wal->tag_capacity * 2;
        wal->tags = base_resize(&wal->allocator, wal->tags, wal->tag_capacity * sizeof wal->tags[0],
                                capacity * sizeof wal->tags[0]);
        wal->tag_capacity = capacity;
    }
    wal->tags[wal->tag_count++] = *tag;
}

void wal_batch_put_entry(struct wal *wal, const struct raft_entry *entry)
{
    assert(entry->data || entry->size == 0);
    size_t begin = wal_record_begin(&wal->batch);
    uint8_t *payload = base_buffer_extend(&wal->batch, 16 + (size_t)entry->size);
    base_store_u64(payload, entry->index);
    base_store_u64(payload + 8, entry->term);
    if (entry->size > 0) {
        memcpy(payload + 16, entry->data, entry->size);
    }
    wal_record_end(&wal->batch, begin, &wal->cursor, WAL_RECORD_ENTRY, (uint8_t)entry->type);
}

void wal_batch_put_hard_state(struct wal *wal, const struct raft_hard_state *state)
{
    size_t begin = wal_record_begin(&wal->batch);
    uint8_t *payload = base_buffer_extend(&wal->batch, 24);
    base_store_u64(payload, state->term);
    base_store_u64(payload + 8, state->vote);
    base_store_u64(payload + 16, state->commit);
    wal_record_end(&wal->batch, begin, &wal->cursor, WAL_RECORD_HARD_STATE, 0);
}

void wal_batch_put_snapshot(struct wal *wal, struct wal_snapshot_id id)
{
    assert(id.index > 0);
    assert(id.term > 0);
    size_t begin = wal_record_begin(&wal->batch);
    base_put_u64(&wal->batch, id.index);
    base_put_u64(&wal->batch, id.term);
    wal_record_end(&wal->batch, begin, &wal->cursor, WAL_RECORD_SNAPSHOT, 0);
}

/* All that a segment needs for being the first one kept. */
void wal_batch_put_head(struct wal *wal)
{
    assert(wal->batch.size == 0);
    size_t begin = wal_record_begin(&wal->batch);
    base_put_u32(&wal->batch, wal->cursor.chain);
    wal_record_end(&wal->batch, begin, &wal->cursor, WAL_RECORD_CHAIN, 0);
    begin = wal_record_begin(&wal->batch);
    base_put_u64(&wal->batch, wal->metadata.member_id);
    base_put_u64(&wal->batch, wal->metadata.cluster_id);
    wal_record_end(&wal->batch, begin, &wal->cursor, WAL_RECORD_METADATA, 0);
    for (int slot = WAL_SNAPSHOTS_KEPT; slot-- > 0;) {
        if (wal->recorded[slot].index > 0) {
            wal_batch_put_snapshot(wal, wal->recorded[slot]);
        }
    }
    wal_batch_put_hard_state(wal, &wal->hard_state);
}

uint64_t wal_batch_add_barrier(struct wal *wal, const struct wal_barrier *barrier)
{
    assert(wal->barrier_next - wal->barrier_first < WAL_BARRIERS_MAX);
    wal->barriers[wal->barrier_next % WAL_BARRIERS_MAX] = *barrier;
    return wal->barrier_next++;
}

void wal_batch_sync(struct wal *wal, bool is_gate)
{
    assert(wal->hold_count == 0 || wal->is_repairing);
    struct wal_barrier barrier = {
        .ticket = wal->ticket_appended,
        .sequence = wal->cursor.sequence,
        .offset = wal->cursor.offset,
        .is_gate = is_gate,
    };
    uint64_t number = wal_batch_add_barrier(wal, &barrier);
    wal->gate_count += is_gate;
    wal->ticket_covered = wal->ticket_appended;
    wal->is_syncing = true;
    wal->disk->sync(wal->disk->context, wal_token(wal, WAL_OPERATION_SYNC, number), wal->file);
}

/* One sync at a time on a file: what is saved during one is covered by the next. */
static void maybe_sync(struct wal *wal)
{
    if (wal->hold_count == 0 && !wal->is_syncing && wal->ticket_wanted > wal->ticket_covered) {
        wal_batch_sync(wal, false);
    }
    check(wal);
}

/* Room is held in steps, so that a full disk is found between records and not in
 * one; never beyond the segment's size, so that a finished one gives nothing back. */
static void hold_room(struct wal *wal)
{
    uint64_t end = wal->cursor.offset;
    uint64_t step = wal->options.allocate_bytes;
    if (step == 0 || end <= wal->allocated) {
        return;
    }
    uint64_t room = (end + step - 1) / step * step;
    if (room > wal->options.segment_bytes) {
        room = end > wal->options.segment_bytes ? end : wal->options.segment_bytes;
    }
    wal->allocated = room;
    wal->disk->allocate(wal->disk->context, wal_token(wal, WAL_OPERATION_ALLOCATE, wal->cursor.sequence),
                        wal->file, room);
}

void wal_batch_append(struct wal *wal)
{
    assert(wal->batch.size > 0);
    hold_room(wal);
    wal->disk->append(wal->disk->context, wal_token(wal, WAL_OPERATION_APPEND, wal->cursor.sequence),
                      wal->file, base_buffer_view(&wal->batch), wal->tags, wal->tag_count);
    base_buffer_reset(&wal->batch);
    wal->tag_count = 0;
}

void wal_batch_flush(struct wal *wal)
{
    check(wal);
    if (wal->hold_count > 0 || wal->has_failed) {
        return;
    }
    if (wal->batch.size > 0) {
        wal_batch_append(wal);
    }
    wal->ticket_appended = wal->ticket_last;
    maybe_sync(wal);
}

static void pop_barriers(struct wal *wal)
{
    while (wal->barrier_first < wal->barrier_next) {
        const struct wal_barrier *barrier = &wal->barriers[wal->barrier_first % WAL_BARRIERS_MAX];
        if (!barrier->is_done) {
            break;
        }
        if (barrier->ticket > wal->ticket_durable) {
            wal->ticket_durable = barrier->ticket;
        }
        if (barrier->sequence == wal->cursor.sequence && barrier->offset > wal->cursor.durable) {
            wal->cursor.durable = barrier->offset;
        }
        wal->barrier_first++;
    }
}

void wal_batch_barrier_done(struct wal *wal, uint64_t number)
{
    assert(number >= wal->barrier_first);
    assert(number < wal->barrier_next);
    wal->barriers[number % WAL_BARRIERS_MAX].is_done = true;
    pop_barriers(wal);
    if (wal->is_repairing && wal->ticket_durable >= 1) {
        wal->is_repairing = false;
        wal->hold_count--;
        wal_batch_flush(wal);
    }
    wal_snapshot_settle(wal);
    maybe_sync(wal);
}
