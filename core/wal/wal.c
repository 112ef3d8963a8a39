/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/state.h"

#include <assert.h>

enum { OPERATION_SHIFT = 56 };
#define SEGMENT_BYTES_DEFAULT (UINT64_C(64) << 20)
#define NUMBER_MASK ((UINT64_C(1) << OPERATION_SHIFT) - 1)

static_assert(WAL_OPERATION_COUNT <= 1 << (63 - OPERATION_SHIFT), "an operation fits its token");

struct wal *wal_new(const struct wal_options *options, const struct base_allocator *allocator,
                    const struct disk *disk)
{
    struct wal *wal = base_zalloc(allocator, sizeof *wal);
    wal->options = *options;
    if (wal->options.segment_bytes == 0) {
        wal->options.segment_bytes = SEGMENT_BYTES_DEFAULT;
    }
    wal->allocator = *allocator;
    wal->disk = disk;
    wal->job_next = 1;
    wal_terms_init(&wal->terms, &wal->allocator);
    base_buffer_init(&wal->batch, &wal->allocator);
    wal_snapshot_writer_init(&wal->writer, &wal->allocator);
    return wal;
}

void wal_free(struct wal *wal)
{
    if (!wal) {
        return;
    }
    wal_snapshot_release_all(wal);
    if (wal->operation_count == 0 && wal->file != 0) {
        wal->disk->close(wal->disk->context, wal->file);
    }
    base_free(&wal->allocator, wal->segments, wal->segment_capacity * sizeof wal->segments[0]);
    base_free(&wal->allocator, wal->tags, wal->tag_capacity * sizeof wal->tags[0]);
    base_buffer_release(&wal->batch);
    wal_terms_release(&wal->terms);
    struct base_allocator allocator = wal->allocator;
    base_free(&allocator, wal, sizeof *wal);
}

uint64_t wal_token(struct wal *wal, enum wal_operation operation, uint64_t number)
{
    assert(!wal->has_failed);
    assert(number <= NUMBER_MASK);
    wal->operation_count++;
    return WAL_TOKEN | (uint64_t)operation << OPERATION_SHIFT | number;
}

/* A tag for each stretch of entries whose indexes follow one another. */
static void put_entries(struct wal *wal, const struct raft_entry *entries, uint32_t count)
{
    struct disk_tag tag = {.record = DISK_ENTRY, .first_index = entries[0].index};
    for (uint32_t slot = 0; slot < count; slot++) {
        const struct raft_entry *entry = &entries[slot];
        assert(entry->term > 0);
        assert(entry->index > wal->floor);
        assert(entry->index <= wal->terms.last + 1);
        assert(slot == 0 || entry->index == entries[slot - 1].index + 1);
        wal_terms_append(&wal->terms, entry->index, entry->term);
        wal_batch_put_entry(wal, entry);
        tag.last_index = entry->index;
        tag.term = entry->term;
    }
    wal_batch_put_tag(wal, &tag);
}

static void put_hard_state(struct wal *wal, const struct raft_hard_state *state)
{
    assert(state->commit <= wal->terms.last);
    wal->hard_state = *state;
    wal_batch_put_hard_state(wal, state);
    struct disk_tag tag = {.record = DISK_HARD_STATE,
                           .term = state->term,
                           .vote = state->vote,
                           .commit = state->commit};
    wal_batch_put_tag(wal, &tag);
}

uint64_t wal_create(struct wal *wal, const struct wal_metadata *metadata)
{
    return wal_create_with(wal, metadata, NULL, 0, NULL);
}

uint64_t wal_create_with(struct wal *wal, const struct wal_metadata *metadata,
                         const struct raft_entry *entries, uint32_t entry_count,
                         const struct raft_hard_state *state)
{
    assert(wal->segment_count == 0);
    assert(wal->ticket_last == 0);
    assert(!wal->has_failed);
    wal->metadata = *metadata;
    wal->ticket_last = 1;
    wal->ticket_wanted = 1;
    wal->ticket_appended = 1;
    wal_segment_begin(wal, 0);
    if (entry_count > 0) {
        put_entries(wal, entries, entry_count);
    }
    if (state) {
        put_hard_state(wal, state);
    }
    wal_segment_write(wal);
    return wal->ticket_last;
}

uint64_t wal_save(struct wal *wal, const struct raft_entry *entries, uint32_t entry_count,
                  const struct raft_hard_state *state, bool sync)
{
    assert(wal->segment_count > 0);
    assert(entries || entry_count == 0);
    if (wal->has_failed) {
        return ++wal->ticket_last; /* Never durable. */
    }
    wal_segment_maybe_cut(wal);
    if (entry_count > 0) {
        put_entries(wal, entries, entry_count);
    }
    if (state) {
        put_hard_state(wal, state);
    }
    uint64_t ticket = ++wal->ticket_last;
    if (sync) {
        wal->ticket_wanted = ticket;
    }
    wal_batch_flush(wal);
    return ticket;
}

void wal_release(struct wal *wal, raft_index index)
{
    assert(wal->segment_count > 0);
    if (index > wal->release_index) {
        wal->release_index = index;
    }
    wal_segment_maybe_release(wal);
}

static void put_segment_name(struct wal *wal, uint64_t sequence)
{
    for (uint32_t slot = 0; slot < wal->segment_count; slot++) {
        if (wal->segments[slot].sequence == sequence) {
            wal_text_put_segment(&wal->error, sequence, wal->segments[slot].first, false);
            return;
        }
    }
    wal_text_put(&wal->error, "wal");
}

static void put_job_name(struct wal *wal, uint64_t number)
{
    for (const struct wal_job *job = wal->jobs; job; job = job->next) {
        if (job->number == number) {
            wal_text_put_snapshot(&wal->error, job->id.term, job->id.index);
            return;
        }
    }
    wal_text_put(&wal->error, "snap");
}

/* "FILE: " for what the operation was about. */
static void put_subject(struct wal *wal, enum wal_operation operation, uint64_t number)
{
    switch (operation) {
    case WAL_OPERATION_CREATE:
    case WAL_OPERATION_ALLOCATE:
    case WAL_OPERATION_APPEND:
    case WAL_OPERATION_TRUNCATE:
    case WAL_OPERATION_RENAME:
    case WAL_OPERATION_REMOVE_SEGMENT:
        put_segment_name(wal, number);
        break;
    case WAL_OPERATION_SYNC:
        put_segment_name(wal, wal->barriers[number % WAL_BARRIERS_MAX].sequence);
        break;
    case WAL_OPERATION_NAMED:
    case WAL_OPERATION_RELEASED:
        wal_text_put(&wal->error, "wal");
        break;
    case WAL_OPERATION_JOB_WRITE:
    case WAL_OPERATION_JOB_SYNC:
    case WAL_OPERATION_JOB_RENAME:
        put_job_name(wal, number);
        break;
    case WAL_OPERATION_JOB_NAMED:
    case WAL_OPERATION_JOB_DROPPED:
    case WAL_OPERATION_REMOVE:
    case WAL_OPERATION_COUNT:
        wal_text_put(&wal->error, "snap");
        break;
    }
    wal_text_put(&wal->error, ": ");
}

static const char *text_of_operation(enum wal_operation operation)
{
    static const char *const texts[WAL_OPERATION_COUNT] = {
        [WAL_OPERATION_CREATE] = "create",
        [WAL_OPERATION_ALLOCATE] = "allocate",
        [WAL_OPERATION_APPEND] = "append",
        [WAL_OPERATION_TRUNCATE] = "truncate",
        [WAL_OPERATION_SYNC] = "sync",
        [WAL_OPERATION_RENAME] = "rename",
        [WAL_OPERATION_NAMED] = "sync of the directory",
        [WAL_OPERATION_REMOVE] = "remove",
        [WAL_OPERATION_REMOVE_SEGMENT] = "remove",
        [WAL_OPERATION_RELEASED] = "sync of the directory",
        [WAL_OPERATION_JOB_WRITE] = "write",
        [WAL_OPERATION_JOB_SYNC] = "sync",
        [WAL_OPERATION_JOB_RENAME] = "rename",
        [WAL_OPERATION_JOB_NAMED] = "sync of the directory",
        [WAL_OPERATION_JOB_DROPPED] = "remove",
    };
    return texts[operation];
}

static const char *text_of_status(enum disk_status status)
{
    static const char *const texts[] = {
        [DISK_OK] = "done",
        [DISK_NOT_FOUND] = "no such file",
        [DISK_EXISTS] = "the file exists",
        [DISK_FULL] = "the disk is full",
        [DISK_IO_ERROR] = "an I/O error",
    };
    return texts[status];
}

/* From here on nothing more is asked of the disk and no ticket becomes durable. */
static void fail(struct wal *wal, enum wal_operation operation, uint64_t number, enum disk_status status)
{
    wal->has_failed = true;
    wal_text_reset(&wal->error);
    put_subject(wal, operation, number);
    wal_text_put(&wal->error, text_of_operation(operation));
    wal_text_put(&wal->error, ": found ");
    wal_text_put(&wal->error, text_of_status(status));
    wal_text_put(&wal->error, ", expected success");
}

static void carry_on(struct wal *wal, enum wal_operation operation, uint64_t number)
{
    switch (operation) {
    case WAL_OPERATION_SYNC: {
        struct wal_barrier barrier = wal->barriers[number % WAL_BARRIERS_MAX];
        wal_segment_synced(wal, &barrier);
        wal_batch_barrier_done(wal, number);
        break;
    }
    case WAL_OPERATION_NAMED:
        if (wal->is_naming && number == wal->naming_barrier) {
            wal_segment_named(wal);
        }
        wal_batch_barrier_done(wal, number);
        break;
    case WAL_OPERATION_RELEASED:
        wal_segment_released(wal);
        break;
    case WAL_OPERATION_JOB_SYNC:
    case WAL_OPERATION_JOB_NAMED:
        wal_snapshot_job_done(wal, operation, number);
        break;
    case WAL_OPERATION_JOB_DROPPED:
        wal->disk->close(wal->disk->context, (disk_file)number);
        break;
    case WAL_OPERATION_CREATE:
    case WAL_OPERATION_ALLOCATE:
    case WAL_OPERATION_APPEND:
    case WAL_OPERATION_TRUNCATE:
    case WAL_OPERATION_RENAME:
    case WAL_OPERATION_REMOVE:
    case WAL_OPERATION_REMOVE_SEGMENT:
    case WAL_OPERATION_JOB_WRITE:
    case WAL_OPERATION_JOB_RENAME:
    case WAL_OPERATION_COUNT:
        break; /* What follows them says the rest. */
    }
}

enum wal_status wal_done(struct wal *wal, uint64_t token, enum disk_status status)
{
    assert(token & WAL_TOKEN);
    assert(wal->operation_count > 0);
    enum wal_operation operation = (enum wal_operation)((token & ~WAL_TOKEN) >> OPERATION_SHIFT);
    uint64_t number = token & NUMBER_MASK;
    assert(operation < WAL_OPERATION_COUNT);
    wal->operation_count--;
    if (wal->has_failed) {
        return WAL_FAILED;
    }
    bool is_gone = status == DISK_NOT_FOUND &&
                   (operation == WAL_OPERATION_REMOVE || operation == WAL_OPERATION_JOB_DROPPED);
    if (status != DISK_OK && !is_gone) {
        fail(wal, operation, number, status);
        return WAL_FAILED;
    }
    carry_on(wal, operation, number);
    return WAL_OK;
}

uint64_t wal_durable(const struct wal *wal)
{
    return wal->ticket_durable;
}

bool wal_is_busy(const struct wal *wal)
{
    return wal->operation_count > 0;
}

const char *wal_error(const struct wal *wal)
{
    return wal->error.bytes;
}
