/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/state.h"

#include <assert.h>

void wal_segment_add(struct wal *wal, struct wal_segment segment)
{
    if (wal->segment_count == wal->segment_capacity) {
        uint32_t capacity = wal->segment_capacity == 0 ? 4 : wal->segment_capacity * 2;
        wal->segments =
            base_resize(&wal->allocator, wal->segments, wal->segment_capacity * sizeof wal->segments[0],
                        capacity * sizeof wal->segments[0]);
        wal->segment_capacity = capacity;
    }
    wal->segments[wal->segment_count++] = segment;
}

void wal_segment_begin(struct wal *wal, uint64_t sequence)
{
    assert(!wal->is_naming);
    assert(wal->hold_count == 0);
    struct wal_segment segment = {.sequence = sequence, .first = wal->terms.last + 1};
    wal_segment_add(wal, segment);
    wal->cursor = (struct wal_cursor){.sequence = sequence, .chain = wal->cursor.chain};
    wal->is_naming = true;
    wal->naming_barrier = wal_batch_add_barrier(wal, &(struct wal_barrier){0});
    struct wal_text name;
    wal_text_reset(&name);
    wal_text_put_segment(&name, segment.sequence, segment.first, true);
    wal->file =
        wal->disk->create(wal->disk->context, wal_token(wal, WAL_OPERATION_CREATE, sequence), name.bytes);
    wal->allocated = 0;
    wal_batch_put_head(wal);
    struct disk_tag tag = {.record = DISK_SEGMENT,
                           .last_index = wal->terms.last,
                           .first_index = segment.first};
    wal_batch_put_tag(wal, &tag);
}

void wal_segment_write(struct wal *wal)
{
    assert(wal->is_naming);
    wal_batch_append(wal);
    wal_batch_sync(wal, true);
}

/* The next segment gets its name only when this one is whole on the disk, so
 * that only the last one can have a torn tail. */
void wal_segment_maybe_cut(struct wal *wal)
{
    if (wal->cursor.offset < wal->options.segment_bytes || wal->is_naming || wal->hold_count > 0) {
        return;
    }
    assert(wal->batch.size == 0);
    if (wal->cursor.durable == wal->cursor.offset && !wal->is_syncing) {
        wal->disk->close(wal->disk->context, wal->file);
    } else {
        wal->file_before = wal->file;
        wal_batch_sync(wal, true);
    }
    wal_segment_begin(wal, wal->cursor.sequence + 1);
    wal_segment_write(wal);
}

void wal_segment_synced(struct wal *wal, const struct wal_barrier *barrier)
{
    if (barrier->sequence == wal->cursor.sequence) {
        wal->is_syncing = false;
    }
    if (!barrier->is_gate) {
        return;
    }
    if (barrier->sequence != wal->cursor.sequence) {
        wal->disk->close(wal->disk->context, wal->file_before);
        wal->file_before = 0;
    }
    assert(wal->gate_count > 0);
    wal->gate_count--;
    if (wal->gate_count > 0) {
        return;
    }
    const struct wal_segment *segment = &wal->segments[wal->segment_count - 1];
    struct wal_text aside;
    struct wal_text name;
    wal_text_reset(&aside);
    wal_text_put_segment(&aside, segment->sequence, segment->first, true);
    wal_text_reset(&name);
    wal_text_put_segment(&name, segment->sequence, segment->first, false);
    wal->disk->rename(wal->disk->context, wal_token(wal, WAL_OPERATION_RENAME, segment->sequence),
                      aside.bytes, name.bytes);
    wal->disk->sync_directory(wal->disk->context, wal_token(wal, WAL_OPERATION_NAMED, wal->naming_barrier),
                              "wal");
}

void wal_segment_named(struct wal *wal)
{
    assert(wal->is_naming);
    assert(wal->gate_count == 0);
    wal->is_naming = false;
    wal_segment_maybe_release(wal);
}

/* How many of the oldest segments hold nothing above `index`. The one under way
 * may yet come to nothing, so the one before it stays. */
static uint32_t count_covered(const struct wal *wal, raft_index index)
{
    uint32_t named_count = wal->segment_count - wal->is_naming;
    uint32_t count = 0;
    while (count + 1 < named_count && wal->segments[count + 1].first - 1 <= index) {
        count++;
    }
    return count;
}

/* One at a time, each removal made durable before the next: a lost removal may
 * bring the oldest back, but never leaves a hole. */
void wal_segment_maybe_release(struct wal *wal)
{
    raft_index durable = wal_snapshot_index(wal);
    raft_index index = wal->release_index < durable ? wal->release_index : durable;
    if (wal->is_releasing || wal->has_failed || count_covered(wal, index) <= wal->options.segments_kept) {
        return;
    }
    wal->is_releasing = true;
    struct wal_text name;
    wal_text_reset(&name);
    wal_text_put_segment(&name, wal->segments[0].sequence, wal->segments[0].first, false);
    wal->disk->remove(wal->disk->context,
                      wal_token(wal, WAL_OPERATION_REMOVE_SEGMENT, wal->segments[0].sequence), name.bytes);
    wal->disk->sync_directory(wal->disk->context, wal_token(wal, WAL_OPERATION_RELEASED, 0), "wal");
}

void wal_segment_released(struct wal *wal)
{
    assert(wal->is_releasing);
    assert(wal->segment_count > 1);
    wal->is_releasing = false;
    wal->segment_count--;
    memmove(wal->segments, wal->segments + 1, wal->segment_count * sizeof wal->segments[0]);
    wal_segment_maybe_release(wal);
}
