/* Recovery reads the log twice. The first pass checks every record, finds where
 * the log ends and which snapshots it knows; the second tells the visitor, from
 * the newest usable snapshot on. Nothing is told, changed or removed before the
 * first pass has found the whole log sound. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/state.h"

#include <assert.h>

/* A place in the log where it was cut back to before `index`. */
struct cut {
    raft_index index; /* 0: an installation, all before it is gone. */
    uint32_t slot;
    uint64_t offset;
};

struct recovery {
    struct wal *wal;
    const struct wal_visitor *visitor;
    struct base_buffer snapshots; /* struct wal_snapshot_id of each snapshot that the log may go on from. */
    struct base_buffer cuts;      /* struct cut, ascending in index and place. */
    struct base_buffer asides;    /* Names of temporary files, each terminated. */
    const char *directory;        /* Being listed. */
    struct base_buffer segment;   /* The bytes of segment `slot`. */
    uint32_t slot;
    bool is_loaded;

    struct wal_cursor begin; /* Of the record in hand. */
    bool has_head;           /* The segment's head was read whole. */
    bool has_metadata;
    bool base_floats;   /* The first segment kept is not the first there was. */
    uint32_t walk_slot; /* Where the pass begins. */
    bool is_torn;
    struct wal_cursor end;         /* Of the log. */
    struct wal_snapshot_id chosen; /* Index 0: none, the log is whole. */
    struct cut live;               /* Before it no entry above `chosen` counts. */
};

/* What to do with a record; the cursor stands behind it, recovery.begin before it. */
typedef enum wal_status (*handle_record)(struct recovery *recovery, const struct wal_record *record);

static void put_place(struct recovery *recovery, uint64_t offset)
{
    const struct wal_segment *segment = &recovery->wal->segments[recovery->slot];
    struct wal_text *error = &recovery->wal->error;
    wal_text_reset(error);
    wal_text_put_segment(error, segment->sequence, segment->first, false);
    wal_text_put(error, " at ");
    wal_text_put_decimal(error, offset);
    wal_text_put(error, ": found ");
}

static enum wal_status refuse(struct recovery *recovery, const char *found, const char *expected)
{
    put_place(recovery, recovery->begin.offset);
    wal_text_put(&recovery->wal->error, found);
    wal_text_put(&recovery->wal->error, ", expected ");
    wal_text_put(&recovery->wal->error, expected);
    return WAL_CORRUPT;
}

/* "found WHAT NUMBER, expected WHAT_ELSE OTHER". */
static enum wal_status refuse_number(struct recovery *recovery, const char *found, uint64_t number,
                                     const char *expected, uint64_t other)
{
    put_place(recovery, recovery->begin.offset);
    wal_text_put(&recovery->wal->error, found);
    wal_text_put_decimal(&recovery->wal->error, number);
    wal_text_put(&recovery->wal->error, ", expected ");
    wal_text_put(&recovery->wal->error, expected);
    wal_text_put_decimal(&recovery->wal->error, other);
    return WAL_CORRUPT;
}

static enum wal_status disk_failed(struct recovery *recovery, const char *found, const char *expected)
{
    (void)refuse(recovery, found, expected);
    return WAL_FAILED;
}

/* Listing. */

static void visit_name(void *context, const char *name)
{
    struct recovery *recovery = context;
    uint64_t first = 0;
    uint64_t second = 0;
    bool is_log = recovery->directory[0] == 'w';
    if (wal_text_is_aside(name)) {
        struct wal_text path;
        wal_text_reset(&path);
        wal_text_put(&path, recovery->directory);
        wal_text_put(&path, "/");
        wal_text_put(&path, name);
        memcpy(base_buffer_extend(&recovery->asides, path.size + 1), path.bytes, path.size + 1);
    } else if (is_log && wal_text_is_segment(name, &first, &second)) {
        wal_segment_add(recovery->wal, (struct wal_segment){.sequence = first, .first = second});
    } else if (!is_log && wal_text_is_snapshot(name, &first, &second)) {
        wal_snapshot_add_file(recovery->wal, (struct wal_snapshot_id){.term = first, .index = second});
    }
}

static enum wal_status list(struct recovery *recovery, const char *directory)
{
    const struct disk *disk = recovery->wal->disk;
    recovery->directory = directory;
    enum disk_status status = disk->list(disk->context, directory, visit_name, recovery);
    if (status == DISK_OK || status == DISK_NOT_FOUND) {
        return WAL_OK;
    }
    wal_text_reset(&recovery->wal->error);
    wal_text_put(&recovery->wal->error, directory);
    wal_text_put(&recovery->wal->error, ": found a directory that cannot be listed, expected its files");
    return WAL_FAILED;
}

static enum wal_status list_all(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    enum wal_status status = list(recovery, "wal");
    if (status == WAL_OK) {
        status = list(recovery, "snap");
    }
    if (status != WAL_OK) {
        return status;
    }
    if (wal->segment_count == 0 && wal->file_count > 0) {
        wal_text_reset(&wal->error);
        wal_text_put_snapshot(&wal->error, wal->files[0].term, wal->files[0].index);
        wal_text_put(&wal->error, ": found a snapshot without a log, expected segments in wal");
        return WAL_CORRUPT;
    }
    for (uint32_t slot = 1; slot < wal->segment_count; slot++) {
        if (wal->segments[slot].sequence != wal->segments[slot - 1].sequence + 1) {
            recovery->slot = slot;
            return refuse_number(recovery, "segment ", wal->segments[slot].sequence, "segment ",
                                 wal->segments[slot - 1].sequence + 1);
        }
    }
    return wal->segment_count == 0 ? WAL_NONE : WAL_OK;
}

/* Reading. */

static enum wal_status load_segment(struct recovery *recovery, uint32_t slot)
{
    recovery->begin = (struct wal_cursor){0};
    if (recovery->is_loaded && recovery->slot == slot) {
        return WAL_OK;
    }
    recovery->slot = slot;
    recovery->is_loaded = false;
    const struct disk *disk = recovery->wal->disk;
    const struct wal_segment *segment = &recovery->wal->segments[slot];
    struct wal_text name;
    wal_text_reset(&name);
    wal_text_put_segment(&name, segment->sequence, segment->first, false);
    disk_file file = 0;
    uint64_t size = 0;
    if (disk->open(disk->context, name.bytes, &file, &size) != DISK_OK) {
        return disk_failed(recovery, "a file that cannot be opened", "a segment");
    }
    base_buffer_reset(&recovery->segment);
    size_t got = 0;
    enum disk_status status = DISK_OK;
    if (size > 0) {
        status = disk->read(disk->context, file, 0, base_buffer_extend(&recovery->segment, size), size, &got);
    }
    disk->close(disk->context, file);
    if (status != DISK_OK || got != size) {
        return disk_failed(recovery, "a read error", "the whole segment");
    }
    recovery->is_loaded = true;
    return WAL_OK;
}

/* A segment opens with the chain before it; where nothing was read before, it is
 * believed (its own record's checksum is over it). */
static uint32_t chain_at_opening(const struct recovery *recovery)
{
    const struct base_buffer *segment = &recovery->segment;
    return segment->size >= WAL_HEADER_SIZE + 4 ? base_load_u32(segment->data + WAL_HEADER_SIZE) : 0;
}

/* A torn tail ends the log; all other damage ends the recovery. */
static enum wal_status judge_damage(struct recovery *recovery, const struct wal_damage *damage)
{
    struct base_bytes bytes = base_buffer_view(&recovery->segment);
    uint64_t witness = 0;
    bool is_last = recovery->slot + 1 == recovery->wal->segment_count;
    if (is_last && recovery->has_head && wal_record_is_torn(&recovery->begin, bytes, damage, &witness)) {
        recovery->is_torn = true;
        recovery->end = recovery->begin;
        return WAL_OK;
    }
    (void)refuse(recovery, damage->found, damage->expected);
    if (witness > 0) {
        wal_text_put(&recovery->wal->error, " (the record at ");
        wal_text_put_decimal(&recovery->wal->error, witness);
        wal_text_put(&recovery->wal->error, " says that it was synced)");
    }
    return WAL_CORRUPT;
}

static enum wal_status walk_segment(struct recovery *recovery, uint32_t slot, handle_record handle)
{
    enum wal_status status = load_segment(recovery, slot);
    if (status != WAL_OK) {
        return status;
    }
    struct base_bytes bytes = base_buffer_view(&recovery->segment);
    struct wal_cursor cursor = {.sequence = recovery->wal->segments[slot].sequence,
                                .chain = slot == recovery->walk_slot ? chain_at_opening(recovery)
                                                                     : recovery->end.chain};
    recovery->has_head = false;
    for (;;) {
        struct wal_record record = {0};
        struct wal_damage damage = {0};
        recovery->begin = cursor;
        enum wal_reading reading = wal_record_read(&cursor, bytes, &record, &damage);
        if (reading == WAL_READ_DAMAGE) {
            return judge_damage(recovery, &damage);
        }
        recovery->end = cursor;
        if (reading == WAL_READ_END) {
            return recovery->has_head ? WAL_OK : refuse(recovery, "the end of the file", "a segment's head");
        }
        status = handle(recovery, &record);
        if (status != WAL_OK) {
            return status;
        }
    }
}

/* The first pass. */

static struct wal_snapshot_id *snapshots(const struct recovery *recovery, size_t *count)
{
    *count = recovery->snapshots.size / sizeof(struct wal_snapshot_id);
    return (struct wal_snapshot_id *)(void *)recovery->snapshots.data;
}

static enum wal_status note_chain(struct recovery *recovery, struct base_reader *reader)
{
    uint32_t chain = base_get_u32(reader);
    if (recovery->begin.offset != 0) {
        return refuse(recovery, "a chain record", "one at the segment's beginning only");
    }
    if (chain != recovery->begin.chain) {
        return refuse_number(recovery, "a segment that follows checksum ", chain, "one that follows ",
                             recovery->begin.chain);
    }
    raft_index first = recovery->wal->segments[recovery->slot].first;
    if (recovery->slot > 0 && first != recovery->wal->terms.last + 1) {
        return refuse_number(recovery, "a segment that is named for entry ", first, "entry ",
                             recovery->wal->terms.last + 1);
    }
    return WAL_OK;
}

static enum wal_status note_metadata(struct recovery *recovery, struct base_reader *reader)
{
    struct wal_metadata metadata = {.member_id = base_get_u64(reader)};
    metadata.cluster_id = base_get_u64(reader);
    struct wal_metadata *known = &recovery->wal->metadata;
    if (!recovery->has_metadata) {
        recovery->has_metadata = true;
        *known = metadata;
    }
    if (metadata.member_id != known->member_id) {
        return refuse_number(recovery, "member ", metadata.member_id, "member ", known->member_id);
    }
    if (metadata.cluster_id != known->cluster_id) {
        return refuse_number(recovery, "cluster ", metadata.cluster_id, "cluster ", known->cluster_id);
    }
    return WAL_OK;
}

static enum wal_status note_hard_state(struct recovery *recovery, struct base_reader *reader)
{
    struct raft_hard_state *state = &recovery->wal->hard_state;
    raft_term term = base_get_u64(reader);
    if (term < state->term) {
        return refuse_number(recovery, "term ", term, "at least ", state->term);
    }
    state->term = term;
    state->vote = base_get_u64(reader);
    state->commit = base_get_u64(reader);
    recovery->has_head = true;
    return WAL_OK;
}

/* A later cut at or below an earlier one makes that one superfluous. */
static void note_cut(struct recovery *recovery, raft_index index)
{
    struct cut cut = {.index = index, .slot = recovery->slot, .offset = recovery->begin.offset};
    struct cut *cuts = (struct cut *)(void *)recovery->cuts.data;
    size_t count = recovery->cuts.size / sizeof cut;
    while (count > 0 && cuts[count - 1].index >= index) {
        count--;
    }
    recovery->cuts.size = count * sizeof cut;
    memcpy(base_buffer_extend(&recovery->cuts, sizeof cut), &cut, sizeof cut);
}

static enum wal_status note_entry(struct recovery *recovery, struct base_reader *reader, uint8_t type)
{
    struct wal *wal = recovery->wal;
    raft_index index = base_get_u64(reader);
    raft_term term = base_get_u64(reader);
    if (type > RAFT_ENTRY_CONF_CHANGE_V2) {
        return refuse_number(recovery, "an entry of type ", type, "at most ", RAFT_ENTRY_CONF_CHANGE_V2);
    }
    if (term == 0) {
        return refuse_number(recovery, "an entry of term ", term, "at least ", 1);
    }
    if (index > wal->terms.last + 1) {
        return refuse_number(recovery, "entry ", index, "at most entry ", wal->terms.last + 1);
    }
    if (index <= wal->floor || (index <= wal->terms.base && !recovery->base_floats)) {
        return refuse_number(recovery, "entry ", index, "one above the snapshot at ", wal->floor);
    }
    if (index <= wal->terms.last) {
        note_cut(recovery, index);
    }
    if (index <= wal->terms.base) {
        wal_terms_reset(&wal->terms, index - 1, 0);
    }
    wal_terms_append(&wal->terms, index, term);
    return WAL_OK;
}

static void add_snapshot(struct recovery *recovery, struct wal_snapshot_id id)
{
    size_t count = 0;
    struct wal_snapshot_id *known = snapshots(recovery, &count);
    for (size_t slot = 0; slot < count; slot++) {
        if (known[slot].index == id.index && known[slot].term == id.term) {
            return;
        }
    }
    struct wal_snapshot_id *added =
        (struct wal_snapshot_id *)(void *)base_buffer_extend(&recovery->snapshots, sizeof id);
    *added = id;
}

/* A snapshot of what the log holds changes nothing; any other was installed, and
 * the log begins anew after it. */
static enum wal_status note_snapshot(struct recovery *recovery, struct base_reader *reader)
{
    struct wal_terms *terms = &recovery->wal->terms;
    struct wal_snapshot_id id = {.index = base_get_u64(reader)};
    id.term = base_get_u64(reader);
    if (id.index == 0 || id.term == 0) {
        return refuse(recovery, "a snapshot without index or term", "both");
    }
    if (id.index > recovery->wal->floor) {
        recovery->wal->floor = id.index;
    }
    add_snapshot(recovery, id);
    if (id.index < terms->base) {
        return WAL_OK; /* Repeated from before the first segment kept. */
    }
    raft_term term = wal_terms_at(terms, id.index);
    if (id.index == terms->base && term == 0) {
        terms->base_term = id.term;
    } else if (term != id.term) {
        wal_terms_reset(terms, id.index, id.term);
        recovery->base_floats = false;
        note_cut(recovery, 0);
    }
    return WAL_OK;
}

static enum wal_status note_record(struct recovery *recovery, const struct wal_record *record)
{
    struct base_reader reader;
    base_reader_init(&reader, record->payload);
    bool opens = recovery->begin.offset == 0;
    if (opens != (record->type == WAL_RECORD_CHAIN) ||
        (!recovery->has_head && record->type == WAL_RECORD_ENTRY)) {
        return refuse_number(recovery, "a record of type ", record->type, "a segment's head, of type ",
                             opens ? WAL_RECORD_CHAIN : WAL_RECORD_METADATA);
    }
    enum wal_status status = WAL_OK;
    switch (record->type) {
    case WAL_RECORD_CHAIN:
        status = note_chain(recovery, &reader);
        break;
    case WAL_RECORD_METADATA:
        status = note_metadata(recovery, &reader);
        break;
    case WAL_RECORD_HARD_STATE:
        status = note_hard_state(recovery, &reader);
        break;
    case WAL_RECORD_ENTRY:
        status = note_entry(recovery, &reader, record->subtype);
        break;
    case WAL_RECORD_SNAPSHOT:
        status = note_snapshot(recovery, &reader);
        break;
    }
    bool has_rest = record->type != WAL_RECORD_ENTRY && base_reader_left(&reader) > 0;
    if (status == WAL_OK && (reader.failed || has_rest)) {
        return refuse_number(recovery, "a payload of another size, ", record->payload.size, "that of type ",
                             record->type);
    }
    return status;
}

/* Choosing the snapshot. */

/* Read the whole file, telling `visitor` unless that is NULL. */
static enum wal_status read_snapshot(struct recovery *recovery, struct wal_snapshot_id id,
                                     const struct wal_visitor *visitor)
{
    struct wal *wal = recovery->wal;
    struct raft_snapshot snapshot;
    struct wal_snapshot_reader *reader = base_alloc(&wal->allocator, sizeof *reader);
    enum wal_status status = wal_snapshot_reader_open(reader, wal->disk, id, &snapshot, &wal->error);
    if (status == WAL_OK) {
        if (visitor) {
            assert(visitor->snapshot);
            assert(visitor->snapshot_piece);
            visitor->snapshot(visitor->context, &snapshot);
        }
        for (uint64_t number = 1; status == WAL_OK && number < reader->block_count; number++) {
            struct base_bytes piece;
            status = wal_snapshot_reader_block(reader, number, &piece, &wal->error);
            if (status == WAL_OK && visitor && piece.size > 0) {
                visitor->snapshot_piece(visitor->context, piece);
            }
        }
        wal_snapshot_reader_close(reader);
    }
    base_free(&wal->allocator, reader, sizeof *reader);
    return status;
}

/* Can the log go on from `id`: does it hold everything after it? */
static bool is_followed(const struct recovery *recovery, struct wal_snapshot_id id)
{
    const struct wal_terms *terms = &recovery->wal->terms;
    return id.index >= terms->base && id.index <= terms->last && wal_terms_at(terms, id.index) == id.term;
}

/* The newest followed snapshot below `limit`; index 0 when there is none. */
static struct wal_snapshot_id newest_below(const struct recovery *recovery, raft_index limit)
{
    struct wal_snapshot_id newest = {0};
    size_t count = 0;
    const struct wal_snapshot_id *known = snapshots(recovery, &count);
    for (size_t slot = 0; slot < count; slot++) {
        if (known[slot].index < limit && known[slot].index > newest.index &&
            is_followed(recovery, known[slot])) {
            newest = known[slot];
        }
    }
    return newest;
}

static enum wal_status choose_snapshot(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    wal_text_reset(&wal->error);
    for (raft_index limit = UINT64_MAX;;) {
        struct wal_snapshot_id id = newest_below(recovery, limit);
        if (id.index == 0) {
            break;
        }
        enum wal_status status = read_snapshot(recovery, id, NULL);
        if (status == WAL_OK) {
            recovery->chosen = id;
            return WAL_OK;
        }
        if (status == WAL_FAILED) {
            return WAL_FAILED;
        }
        limit = id.index;
    }
    if (wal->terms.base == 0) {
        return WAL_OK; /* The whole log is there. */
    }
    if (wal->error.size > 0) {
        return WAL_CORRUPT; /* The last file that was tried says why. */
    }
    recovery->slot = 0;
    recovery->begin.offset = 0;
    return refuse_number(recovery, "a log that begins after ", wal->terms.base, "a snapshot at or above ",
                         wal->terms.base);
}

/* Snapshots are of what is committed, and an entry of a term is proof of the
 * term; neither need have reached the hard state when the power went. */
static enum wal_status settle_hard_state(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    raft_term term = wal_terms_at(&wal->terms, wal->terms.last);
    if (term > wal->hard_state.term) {
        wal->hard_state.term = term;
        wal->hard_state.vote = RAFT_NONE;
    }
    if (wal->hard_state.commit < wal->floor) {
        wal->hard_state.commit = wal->floor;
    }
    if (wal->hard_state.commit > wal->terms.last) {
        recovery->begin = recovery->end;
        return refuse_number(recovery, "a log that ends with entry ", wal->terms.last,
                             "at least the committed ", wal->hard_state.commit);
    }
    return WAL_OK;
}

/* The second pass. */

static enum wal_status tell_record(struct recovery *recovery, const struct wal_record *record)
{
    if (record->type == WAL_RECORD_HARD_STATE) {
        recovery->has_head = true;
    }
    if (record->type != WAL_RECORD_ENTRY ||
        (recovery->slot == recovery->live.slot && recovery->begin.offset < recovery->live.offset)) {
        return WAL_OK;
    }
    struct base_reader reader;
    base_reader_init(&reader, record->payload);
    struct raft_entry entry = {.index = base_get_u64(&reader)};
    entry.term = base_get_u64(&reader);
    entry.type = (enum raft_entry_type)record->subtype;
    entry.size = (uint32_t)base_reader_left(&reader);
    entry.data = record->payload.data + reader.at;
    if (entry.index > recovery->chosen.index) {
        recovery->visitor->entry(recovery->visitor->context, &entry);
    }
    return WAL_OK;
}

/* An entry cut back to at or below the chosen snapshot is not told, nor then may
 * be what stood above it before. */
static void find_live(struct recovery *recovery)
{
    const struct cut *cuts = (const struct cut *)(const void *)recovery->cuts.data;
    size_t count = recovery->cuts.size / sizeof *cuts;
    recovery->live = (struct cut){0};
    for (size_t slot = 0; slot < count && cuts[slot].index <= recovery->chosen.index; slot++) {
        recovery->live = cuts[slot];
    }
}

static enum wal_status tell(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    const struct wal_visitor *visitor = recovery->visitor;
    struct wal_cursor end = recovery->end;
    visitor->metadata(visitor->context, &wal->metadata);
    enum wal_status status = WAL_OK;
    if (recovery->chosen.index > 0) {
        status = read_snapshot(recovery, recovery->chosen, visitor);
    }
    find_live(recovery);
    recovery->walk_slot = recovery->live.slot;
    while (recovery->walk_slot + 1 < wal->segment_count &&
           wal->segments[recovery->walk_slot + 1].first - 1 <= recovery->chosen.index) {
        recovery->walk_slot++;
    }
    for (uint32_t slot = recovery->walk_slot; status == WAL_OK && slot < wal->segment_count; slot++) {
        status = walk_segment(recovery, slot, tell_record);
    }
    if (status != WAL_OK) {
        return status;
    }
    if (recovery->end.offset != end.offset || recovery->end.chain != end.chain) {
        return disk_failed(recovery, "another end of the log than a moment before", "the same");
    }
    visitor->hard_state(visitor->context, &wal->hard_state);
    return WAL_OK;
}

/* Making ready. */

static void remove_asides(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    for (size_t at = 0; at < recovery->asides.size;) {
        const char *name = (const char *)recovery->asides.data + at;
        wal->disk->remove(wal->disk->context, wal_token(wal, WAL_OPERATION_REMOVE, 0), name);
        while (recovery->asides.data[at] != '\0') {
            at++;
        }
        at++;
    }
}

/* Ticket 1: the torn tail is cut, and what was read is durable, the last
 * segment's name included. Nothing is appended to a tail that may come back. */
static enum wal_status make_ready(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    const struct wal_segment *segment = &wal->segments[wal->segment_count - 1];
    struct wal_text name;
    wal_text_reset(&name);
    wal_text_put_segment(&name, segment->sequence, segment->first, false);
    uint64_t size = 0;
    if (wal->disk->open(wal->disk->context, name.bytes, &wal->file, &size) != DISK_OK) {
        return disk_failed(recovery, "a file that cannot be opened", "a segment");
    }
    wal->cursor = recovery->end;
    assert(wal->cursor.sequence == segment->sequence);
    wal->ticket_last = 1;
    wal->ticket_wanted = 1;
    wal->ticket_appended = 1;
    if (recovery->is_torn) {
        wal->is_repairing = true;
        wal->hold_count++;
        wal->disk->truncate(wal->disk->context, wal_token(wal, WAL_OPERATION_TRUNCATE, segment->sequence),
                            wal->file, wal->cursor.offset);
    }
    uint64_t number = wal_batch_add_barrier(wal, &(struct wal_barrier){0});
    wal->disk->sync_directory(wal->disk->context, wal_token(wal, WAL_OPERATION_NAMED, number), "wal");
    wal_batch_sync(wal, false);
    return WAL_OK;
}

static void settle_snapshots(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    if (recovery->chosen.index == 0) {
        return;
    }
    struct wal_snapshot_id older = newest_below(recovery, recovery->chosen.index);
    if (older.index > 0) {
        wal_snapshot_keep(wal->recorded, older);
    }
    wal_snapshot_keep(wal->recorded, recovery->chosen);
    memcpy(wal->recovered, wal->recorded, sizeof wal->recovered);
}

static enum wal_status recover(struct recovery *recovery)
{
    struct wal *wal = recovery->wal;
    enum wal_status status = list_all(recovery);
    if (status == WAL_NONE) {
        remove_asides(recovery);
    }
    if (status != WAL_OK) {
        return status;
    }
    recovery->base_floats = wal->segments[0].sequence > 0;
    if (wal->segments[0].first == 0) {
        return refuse_number(recovery, "a segment that begins with entry ", 0, "at least ", 1);
    }
    wal_terms_reset(&wal->terms, wal->segments[0].first - 1, 0);
    for (uint32_t slot = 0; status == WAL_OK && slot < wal->segment_count; slot++) {
        status = walk_segment(recovery, slot, note_record);
    }
    if (status == WAL_OK) {
        status = settle_hard_state(recovery);
    }
    if (status == WAL_OK) {
        status = choose_snapshot(recovery);
    }
    if (status == WAL_OK) {
        status = tell(recovery);
    }
    if (status == WAL_OK) {
        status = make_ready(recovery);
    }
    if (status == WAL_OK) {
        remove_asides(recovery);
        settle_snapshots(recovery);
    }
    return status;
}

enum wal_status wal_recover(struct wal *wal, const struct wal_visitor *visitor)
{
    assert(wal->segment_count == 0);
    assert(wal->ticket_last == 0);
    struct recovery recovery = {.wal = wal, .visitor = visitor};
    base_buffer_init(&recovery.snapshots, &wal->allocator);
    base_buffer_init(&recovery.cuts, &wal->allocator);
    base_buffer_init(&recovery.asides, &wal->allocator);
    base_buffer_init(&recovery.segment, &wal->allocator);
    enum wal_status status = recover(&recovery);
    base_buffer_release(&recovery.segment);
    base_buffer_release(&recovery.asides);
    base_buffer_release(&recovery.cuts);
    base_buffer_release(&recovery.snapshots);
    if (status == WAL_CORRUPT || status == WAL_FAILED) {
        wal->has_failed = true;
    }
    return status;
}
