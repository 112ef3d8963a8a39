/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/state.h"

#include <assert.h>

void wal_snapshot_add_file(struct wal *wal, struct wal_snapshot_id id)
{
    if (wal->file_count == wal->file_capacity) {
        uint32_t capacity = wal->file_capacity == 0 ? 4 : wal->file_capacity * 2;
        wal->files = base_resize(&wal->allocator, wal->files, wal->file_capacity * sizeof wal->files[0],
                                 capacity * sizeof wal->files[0]);
        wal->file_capacity = capacity;
    }
    wal->files[wal->file_count++] = id;
}

void wal_snapshot_keep(struct wal_snapshot_id kept[WAL_SNAPSHOTS_KEPT], struct wal_snapshot_id id)
{
    assert(id.index >= kept[0].index);
    if (id.index > kept[0].index) {
        memmove(kept + 1, kept, (WAL_SNAPSHOTS_KEPT - 1) * sizeof kept[0]);
        kept[0] = id;
    }
}

static void close_reader(struct wal *wal)
{
    if (wal->reader) {
        wal_snapshot_reader_close(wal->reader);
        base_free(&wal->allocator, wal->reader, sizeof *wal->reader);
        wal->reader = NULL;
    }
}

/* Files older than the newest two durable ones. Files that are newer without a
 * record (a crash came between the two) go when they are older than those. */
void wal_snapshot_clean(struct wal *wal)
{
    raft_index oldest = wal->durable[WAL_SNAPSHOTS_KEPT - 1].index;
    uint32_t kept_count = 0;
    for (uint32_t slot = 0; slot < wal->file_count; slot++) {
        struct wal_snapshot_id id = wal->files[slot];
        if (id.index >= oldest) {
            wal->files[kept_count++] = id;
            continue;
        }
        if (wal->reader && wal->reader->id.index == id.index) {
            close_reader(wal);
        }
        struct wal_text name;
        wal_text_reset(&name);
        wal_text_put_snapshot(&name, id.term, id.index);
        wal->disk->remove(wal->disk->context, wal_token(wal, WAL_OPERATION_REMOVE, 0), name.bytes);
    }
    wal->file_count = kept_count;
}

static struct wal_job *find_job(const struct wal *wal, uint64_t number)
{
    struct wal_job *job = wal->jobs;
    while (job && job->number != number) {
        job = job->next;
    }
    return job;
}

static struct wal_job *find_building(const struct wal *wal)
{
    struct wal_job *job = wal->jobs;
    while (job && job->state != WAL_JOB_BUILDING) {
        job = job->next;
    }
    return job;
}

/* Take the job out of the list and give it back. */
static void free_job(struct wal *wal, struct wal_job *job)
{
    struct wal_job **link = &wal->jobs;
    while (*link != job) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = job->next;
    base_free(&wal->allocator, job, sizeof *job);
}

/* Give up a job whose file has no name yet. What is still under way for it
 * completes to nobody; its file is closed when the removal after all that is. */
static void drop_job(struct wal *wal, struct wal_job *job)
{
    assert(job->state == WAL_JOB_BUILDING || job->state == WAL_JOB_SYNCING);
    struct wal_text aside;
    wal_text_reset(&aside);
    wal_text_put_snapshot_aside(&aside, job->number);
    wal->disk->remove(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_DROPPED, job->file), aside.bytes);
    free_job(wal, job);
}

static void write_blocks(struct wal *wal, struct wal_job *job, const struct disk_tag *tag)
{
    struct base_bytes blocks = wal_snapshot_writer_view(&wal->writer);
    if (blocks.size > 0) {
        wal->disk->append(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_WRITE, job->number), job->file,
                          blocks, tag, tag ? 1 : 0);
        wal_snapshot_writer_take(&wal->writer);
    }
}

void wal_snapshot_begin(struct wal *wal, const struct raft_snapshot *snapshot)
{
    assert(wal->segment_count > 0);
    assert(!find_building(wal));
    assert(snapshot->data.size == 0);
    if (wal->has_failed) {
        return;
    }
    struct wal_job *job = base_zalloc(&wal->allocator, sizeof *job);
    job->number = wal->job_next++;
    job->id = (struct wal_snapshot_id){.index = snapshot->index, .term = snapshot->term};
    job->state = WAL_JOB_BUILDING;
    struct wal_text aside;
    wal_text_reset(&aside);
    wal_text_put_snapshot_aside(&aside, job->number);
    job->file = wal->disk->create(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_WRITE, job->number),
                                  aside.bytes);
    struct wal_job **link = &wal->jobs;
    while (*link) {
        link = &(*link)->next;
    }
    *link = job;
    wal_snapshot_writer_begin(&wal->writer, snapshot);
}

void wal_snapshot_piece(struct wal *wal, struct base_bytes piece)
{
    assert(piece.data || piece.size == 0);
    if (wal->has_failed) {
        return;
    }
    struct wal_job *job = find_building(wal);
    assert(job);
    wal_snapshot_writer_put(&wal->writer, piece);
    write_blocks(wal, job, NULL);
}

/* The log goes on behind the snapshot, once its file is durable. Snapshots of
 * the log before it are no longer of use. */
static void install(struct wal *wal, struct wal_job *job)
{
    for (struct wal_job *other = wal->jobs, *next; other != job; other = next) {
        next = other->next;
        if (other->state == WAL_JOB_SYNCING && !other->is_install) {
            drop_job(wal, other);
        }
    }
    job->is_install = true;
    wal_batch_flush(wal);
    wal->hold_count++;
    wal_batch_put_snapshot(wal, job->id);
    struct disk_tag tag = {.record = DISK_SNAPSHOT, .last_index = job->id.index, .term = job->id.term};
    wal_batch_put_tag(wal, &tag);
    wal_terms_reset(&wal->terms, job->id.index, job->id.term);
    wal_snapshot_keep(wal->recorded, job->id);
    wal->floor = job->id.index;
    job->ticket = ++wal->ticket_last;
    wal->ticket_wanted = job->ticket;
}

void wal_snapshot_end(struct wal *wal)
{
    if (wal->has_failed) {
        return;
    }
    struct wal_job *job = find_building(wal);
    assert(job);
    if (job->id.index < wal->recorded[0].index) {
        drop_job(wal, job); /* A newer one was installed meanwhile. */
        return;
    }
    wal_snapshot_writer_end(&wal->writer);
    struct disk_tag tag = {.record = DISK_SNAPSHOT_FILE, .last_index = job->id.index, .term = job->id.term};
    write_blocks(wal, job, &tag);
    job->state = WAL_JOB_SYNCING;
    if (wal_terms_at(&wal->terms, job->id.index) != job->id.term) {
        assert(job->id.index > wal->floor);
        install(wal, job);
    }
    wal->disk->sync(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_SYNC, job->number), job->file);
}

void wal_snapshot_abandon(struct wal *wal)
{
    if (wal->has_failed) {
        return;
    }
    struct wal_job *job = find_building(wal);
    assert(job);
    drop_job(wal, job);
}

raft_index wal_snapshot_index(const struct wal *wal)
{
    return wal->durable[0].index;
}

static void maybe_name_file(struct wal *wal, struct wal_job *job)
{
    if (job->state != WAL_JOB_SYNCING || !job->is_synced || wal->ticket_durable == 0) {
        return;
    }
    job->state = WAL_JOB_NAMING;
    struct wal_text aside;
    struct wal_text name;
    wal_text_reset(&aside);
    wal_text_put_snapshot_aside(&aside, job->number);
    wal_text_reset(&name);
    wal_text_put_snapshot(&name, job->id.term, job->id.index);
    wal->disk->rename(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_RENAME, job->number), aside.bytes,
                      name.bytes);
    wal->disk->sync_directory(wal->disk->context, wal_token(wal, WAL_OPERATION_JOB_NAMED, job->number),
                              "snap");
}

/* The file is durable: its record may follow. */
static void record(struct wal *wal, struct wal_job *job)
{
    assert(job->state == WAL_JOB_NAMING);
    job->state = WAL_JOB_RECORDING;
    wal->disk->close(wal->disk->context, job->file);
    wal_snapshot_add_file(wal, job->id);
    if (job->is_install) {
        assert(wal->hold_count > 0);
        wal->hold_count--;
        wal_batch_flush(wal);
        return;
    }
    if (job->id.index < wal->recorded[0].index) {
        free_job(wal, job); /* A newer one was recorded meanwhile. */
        return;
    }
    wal_batch_put_snapshot(wal, job->id);
    struct disk_tag tag = {.record = DISK_SNAPSHOT, .last_index = job->id.index, .term = job->id.term};
    wal_batch_put_tag(wal, &tag);
    wal_snapshot_keep(wal->recorded, job->id);
    if (job->id.index > wal->floor) {
        wal->floor = job->id.index;
    }
    job->ticket = ++wal->ticket_last;
    wal->ticket_wanted = job->ticket;
    wal_batch_flush(wal);
}

void wal_snapshot_job_done(struct wal *wal, enum wal_operation operation, uint64_t number)
{
    struct wal_job *job = find_job(wal, number);
    if (!job) {
        return; /* Dropped. */
    }
    if (operation == WAL_OPERATION_JOB_SYNC) {
        job->is_synced = true;
        maybe_name_file(wal, job);
    } else if (operation == WAL_OPERATION_JOB_NAMED) {
        record(wal, job);
    }
}

void wal_snapshot_settle(struct wal *wal)
{
    bool has_news = false;
    if (wal->recovered[0].index > 0 && wal->ticket_durable > 0) {
        memcpy(wal->durable, wal->recovered, sizeof wal->durable);
        memset(wal->recovered, 0, sizeof wal->recovered);
        has_news = true;
    }
    for (struct wal_job *job = wal->jobs, *next; job; job = next) {
        next = job->next;
        maybe_name_file(wal, job);
        if (job->state == WAL_JOB_RECORDING && job->ticket <= wal->ticket_durable) {
            if (job->id.index >= wal->durable[0].index) {
                wal_snapshot_keep(wal->durable, job->id);
            }
            free_job(wal, job);
            has_news = true;
        }
    }
    if (!has_news) {
        return;
    }
    if (wal->durable[WAL_SNAPSHOTS_KEPT - 1].index > wal->terms.base) {
        wal_terms_drop(&wal->terms, wal->durable[WAL_SNAPSHOTS_KEPT - 1].index);
    }
    wal_snapshot_clean(wal);
    wal_segment_maybe_release(wal);
}

enum wal_status wal_snapshot_read(struct wal *wal, raft_index index, uint64_t offset, void *bytes,
                                  size_t size, size_t *got)
{
    *got = 0;
    struct wal_snapshot_id id = {0};
    for (int slot = 0; slot < WAL_SNAPSHOTS_KEPT; slot++) {
        id = wal->durable[slot].index == index ? wal->durable[slot] : id;
    }
    if (id.index == 0) {
        return WAL_NONE;
    }
    if (wal->reader && wal->reader->id.index != index) {
        close_reader(wal);
    }
    if (!wal->reader) {
        struct wal_snapshot_reader *reader = base_alloc(&wal->allocator, sizeof *reader);
        enum wal_status status = wal_snapshot_reader_open(reader, wal->disk, id, NULL, &wal->error);
        if (status != WAL_OK) {
            base_free(&wal->allocator, reader, sizeof *reader);
            return status;
        }
        wal->reader = reader;
    }
    while (*got < size && offset / WAL_BLOCK_DATA_MAX + 1 < wal->reader->block_count) {
        struct base_bytes data;
        enum wal_status status =
            wal_snapshot_reader_block(wal->reader, offset / WAL_BLOCK_DATA_MAX + 1, &data, &wal->error);
        if (status != WAL_OK) {
            return status;
        }
        size_t skipped = offset % WAL_BLOCK_DATA_MAX;
        if (skipped >= data.size) {
            break;
        }
        size_t part = data.size - skipped < size - *got ? data.size - skipped : size - *got;
        memcpy((uint8_t *)bytes + *got, data.data + skipped, part);
        *got += part;
        offset += part;
    }
    return WAL_OK;
}

void wal_snapshot_release_all(struct wal *wal)
{
    close_reader(wal);
    while (wal->jobs) {
        struct wal_job *job = wal->jobs;
        wal->jobs = job->next;
        if (wal->operation_count == 0) {
            assert(job->state == WAL_JOB_BUILDING || wal->has_failed);
            wal->disk->close(wal->disk->context, job->file);
        }
        base_free(&wal->allocator, job, sizeof *job);
    }
    wal_snapshot_writer_release(&wal->writer);
    base_free(&wal->allocator, wal->files, wal->file_capacity * sizeof wal->files[0]);
}
