/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct wal_metadata twin_metadata = {.member_id = 0x1122334455667788, .cluster_id = 0x99aabbccddeeff00};

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct twin_heap *heap = context;
    heap->bytes += size_new - size_old;
    heap->blocks += (size_new > 0) - (size_t)(block != NULL);
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    heap->allocations++;
    void *moved = malloc(size_new);
    if (block) {
        memcpy(moved, block, size_old < size_new ? size_old : size_new);
        free(block);
    }
    return moved;
}

uint64_t twin_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = (*state ^ *state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* The byte at `at` of what entry or snapshot (index, term) holds; zeros among them. */
static uint8_t byte_of(raft_index index, raft_term term, size_t at)
{
    uint64_t state = index * 1000003 + term * 10007 + at / 8;
    return (uint8_t)(twin_random(&state) >> (at % 8 * 8));
}

static uint8_t *bytes_of(raft_index index, raft_term term, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t at = 0; at < size; at++) {
        bytes[at] = byte_of(index, term, at);
    }
    return bytes;
}

struct twin *twin_new(uint64_t segment_bytes)
{
    return twin_new_with(&(struct wal_options){.segment_bytes = segment_bytes});
}

struct twin *twin_new_bare(const struct wal_options *options)
{
    struct twin *twin = calloc(1, sizeof *twin);
    twin->disk = model_disk_new();
    twin->allocator = (struct base_allocator){.resize = resize, .context = &twin->heap};
    twin->options = *options;
    twin->wal = wal_new(&twin->options, &twin->allocator, &twin->disk->disk);
    return twin;
}

struct twin *twin_new_with(const struct wal_options *options)
{
    struct twin *twin = twin_new_bare(options);
    (void)wal_create(twin->wal, &twin_metadata);
    return twin;
}

void twin_drop_log(struct twin *twin)
{
    wal_free(twin->wal);
    twin->wal = NULL;
    if (twin->heap.bytes != 0 || twin->heap.blocks != 0) {
        abort();
    }
}

void twin_free(struct twin *twin)
{
    twin_drop_log(twin);
    model_disk_free(twin->disk);
    free(twin);
}

static void apply(struct twin_image *image, const struct twin_record *record)
{
    switch (record->kind) {
    case TWIN_ENTRY:
        image->terms[record->index] = record->term;
        image->sizes[record->index] = record->size;
        image->last = record->index;
        break;
    case TWIN_STATE:
        image->state = record->state;
        break;
    case TWIN_INSTALL:
        image->base = record->index;
        image->base_term = record->term;
        image->last = record->index;
        break;
    }
}

static void add_record(struct twin *twin, const struct twin_record *record)
{
    assert(twin->record_count < TWIN_RECORDS_MAX);
    twin->records[twin->record_count++] = *record;
    apply(&twin->now, record);
}

/* Entries of `size` bytes each, which the twin has from now on; freed by free_entries. */
static struct raft_entry *make_entries(struct twin *twin, raft_index index, uint32_t count, raft_term term,
                                       uint32_t size)
{
    struct raft_entry *entries = calloc(count + 1, sizeof *entries);
    for (uint32_t slot = 0; slot < count; slot++) {
        entries[slot] = (struct raft_entry){.index = index + slot,
                                            .term = term,
                                            .size = size,
                                            .type = (enum raft_entry_type)((index + slot) % 3),
                                            .data = bytes_of(index + slot, term, size)};
        add_record(twin, &(struct twin_record){
                             .kind = TWIN_ENTRY, .index = index + slot, .term = term, .size = size});
    }
    return entries;
}

static void free_entries(struct raft_entry *entries, uint32_t count)
{
    for (uint32_t slot = 0; slot < count; slot++) {
        free((void *)(uintptr_t)entries[slot].data);
    }
    free(entries);
}

static struct raft_hard_state add_state(struct twin *twin, raft_term term, raft_index commit)
{
    struct raft_hard_state state = {.term = term, .vote = term % 3, .commit = commit};
    add_record(twin, &(struct twin_record){.kind = TWIN_STATE, .state = state});
    return state;
}

static void set_tickets(struct twin *twin, uint32_t first_record, uint64_t ticket)
{
    for (uint32_t slot = first_record; slot < twin->record_count; slot++) {
        twin->records[slot].ticket = ticket;
    }
}

uint64_t twin_found_log(struct twin *twin, uint32_t count, uint32_t size)
{
    struct raft_entry *entries = make_entries(twin, 1, count, 1, size);
    struct raft_hard_state state = add_state(twin, 1, count);
    uint64_t ticket = wal_create_with(twin->wal, &twin_metadata, entries, count, &state);
    set_tickets(twin, 0, ticket);
    free_entries(entries, count);
    return ticket;
}

uint64_t twin_save(struct twin *twin, raft_index index, uint32_t count, raft_term term, uint32_t size,
                   raft_index commit, bool sync)
{
    uint32_t first_record = twin->record_count;
    struct raft_entry *entries = make_entries(twin, index, count, term, size);
    struct raft_hard_state state = {0};
    bool has_state = commit != UINT64_MAX;
    if (has_state) {
        state = add_state(twin, term, commit);
    }
    uint64_t ticket = wal_save(twin->wal, entries, count, has_state ? &state : NULL, sync);
    set_tickets(twin, first_record, ticket);
    free_entries(entries, count);
    return ticket;
}

static struct raft_snapshot snapshot_of(raft_index index, raft_term term, size_t size)
{
    struct raft_snapshot snapshot = {.index = index, .term = term, .handle = size};
    snapshot.configuration.voters = (struct raft_id_set){.count = 3, .ids = {1, 2, index + 3}};
    snapshot.configuration.learners = (struct raft_id_set){.count = 1, .ids = {term}};
    snapshot.configuration.auto_leave = index % 2;
    return snapshot;
}

void twin_snapshot(struct twin *twin, raft_index index, raft_term term, size_t size)
{
    assert(twin->snapshot_count < TWIN_SNAPSHOTS_MAX);
    struct raft_snapshot snapshot = snapshot_of(index, term, size);
    twin->snapshots[twin->snapshot_count++] = snapshot;
    raft_term known = index == twin->now.base                             ? twin->now.base_term
                      : index > twin->now.base && index <= twin->now.last ? twin->now.terms[index]
                                                                          : 0;
    uint8_t *bytes = bytes_of(index, term, size);
    wal_snapshot_begin(twin->wal, &snapshot);
    for (size_t at = 0; at < size;) {
        size_t part = 1 + at % 3000 < size - at ? 1 + at % 3000 : size - at;
        wal_snapshot_piece(twin->wal, (struct base_bytes){.data = bytes + at, .size = part});
        at += part;
    }
    wal_snapshot_end(twin->wal);
    free(bytes);
    if (known != term) {
        add_record(twin, &(struct twin_record){
                             .kind = TWIN_INSTALL, .index = index, .term = term, .ticket = UINT64_MAX});
    }
}

bool twin_step(struct twin *twin, uint64_t choice)
{
    uint64_t token = 0;
    enum disk_status status = DISK_OK;
    if (!model_disk_step(twin->disk, choice, &token, &status)) {
        return false;
    }
    twin->status = wal_done(twin->wal, token, status);
    return twin->status == WAL_OK;
}

void twin_finish(struct twin *twin)
{
    while (twin_step(twin, 0)) {
    }
}

/* The visitor. */

static void visit_metadata(void *context, const struct wal_metadata *metadata)
{
    struct twin *twin = context;
    twin->metadata = *metadata;
}

static void visit_snapshot(void *context, const struct raft_snapshot *snapshot)
{
    struct twin *twin = context;
    struct raft_snapshot expected = snapshot_of(snapshot->index, snapshot->term, 0);
    twin->found.base = snapshot->index;
    twin->found.base_term = snapshot->term;
    twin->found.last = snapshot->index;
    twin->is_state_wrong |= memcmp(&snapshot->configuration.voters, &expected.configuration.voters,
                                   sizeof expected.configuration.voters) != 0;
    twin->is_state_wrong |= memcmp(&snapshot->configuration.learners, &expected.configuration.learners,
                                   sizeof expected.configuration.learners) != 0;
    twin->is_state_wrong |= snapshot->configuration.auto_leave != expected.configuration.auto_leave;
}

static void visit_piece(void *context, struct base_bytes piece)
{
    struct twin *twin = context;
    for (size_t at = 0; at < piece.size; at++) {
        twin->is_state_wrong |=
            piece.data[at] != byte_of(twin->found.base, twin->found.base_term, twin->state_bytes + at);
    }
    twin->state_bytes += piece.size;
}

static void visit_entry(void *context, const struct raft_entry *entry)
{
    struct twin *twin = context;
    twin->entry_calls++;
    twin->is_state_wrong |= entry->index <= twin->found.base || entry->index > twin->found.last + 1;
    twin->is_state_wrong |= entry->type != (enum raft_entry_type)(entry->index % 3);
    for (size_t at = 0; at < entry->size; at++) {
        twin->is_state_wrong |= entry->data[at] != byte_of(entry->index, entry->term, at);
    }
    if (entry->index < TWIN_ENTRIES_MAX) {
        twin->found.terms[entry->index] = entry->term;
        twin->found.sizes[entry->index] = entry->size;
    }
    twin->found.last = entry->index;
}

static void visit_hard_state(void *context, const struct raft_hard_state *state)
{
    struct twin *twin = context;
    twin->found.state = *state;
}

enum wal_status twin_recover(struct twin *twin)
{
    const struct wal_visitor visitor = {
        .context = twin,
        .metadata = visit_metadata,
        .snapshot = visit_snapshot,
        .snapshot_piece = visit_piece,
        .entry = visit_entry,
        .hard_state = visit_hard_state,
    };
    if (twin->wal) {
        twin_drop_log(twin);
    }
    model_disk_kill(twin->disk);
    twin->found = (struct twin_image){0};
    twin->entry_calls = 0;
    twin->state_bytes = 0;
    twin->is_state_wrong = false;
    twin->wal = wal_new(&twin->options, &twin->allocator, &twin->disk->disk);
    twin->status = wal_recover(twin->wal, &visitor);
    return twin->status;
}

enum wal_status twin_restart(struct twin *twin)
{
    const uint64_t nothing[32] = {0};
    twin_drop_log(twin);
    model_disk_lose_power(twin->disk, nothing);
    return twin_recover(twin);
}

/* Comparing. */

static bool is_begun(const struct twin *twin, raft_index index, raft_term term, uint64_t size)
{
    for (uint32_t slot = 0; slot < twin->snapshot_count; slot++) {
        const struct raft_snapshot *snapshot = &twin->snapshots[slot];
        if (snapshot->index == index && snapshot->term == term && snapshot->handle == size) {
            return true;
        }
    }
    return false;
}

static bool is_commit_possible(const struct twin *twin, raft_index expected, raft_index found)
{
    if (found == expected) {
        return true;
    }
    for (uint32_t slot = 0; slot < twin->snapshot_count; slot++) {
        if (twin->snapshots[slot].index == found && found > expected) {
            return true;
        }
    }
    return false;
}

static bool is_alike(const struct twin *twin, const struct twin_image *image)
{
    const struct twin_image *found = &twin->found;
    if (found->last != image->last || found->base < image->base) {
        return false;
    }
    for (raft_index index = found->base + 1; index <= image->last; index++) {
        if (found->terms[index] != image->terms[index] || found->sizes[index] != image->sizes[index]) {
            return false;
        }
    }
    raft_term last_term = found->last > found->base ? found->terms[found->last] : found->base_term;
    bool is_raised = last_term > image->state.term;
    return found->state.term == (is_raised ? last_term : image->state.term) &&
           found->state.vote == (is_raised ? 0 : image->state.vote) &&
           is_commit_possible(twin, image->state.commit, found->state.commit);
}

bool twin_accept(struct twin *twin, uint64_t ticket, raft_index snapshot)
{
    if (twin->is_state_wrong || twin->found.base < snapshot ||
        memcmp(&twin->metadata, &twin_metadata, sizeof twin_metadata) != 0) {
        return false;
    }
    if (twin->found.base > 0 && !is_begun(twin, twin->found.base, twin->found.base_term, twin->state_bytes)) {
        return false;
    }
    struct twin_image image = {0};
    struct twin_image match = {0};
    uint32_t match_count = UINT32_MAX;
    for (uint32_t count = 0; count <= twin->record_count; count++) {
        bool is_durable = count < twin->record_count && twin->records[count].ticket <= ticket;
        for (uint32_t later = count; !is_durable && later < twin->record_count; later++) {
            is_durable = twin->records[later].ticket <= ticket;
        }
        if (!is_durable && is_alike(twin, &image)) {
            match = image;
            match_count = count;
        }
        if (count < twin->record_count) {
            apply(&image, &twin->records[count]);
        }
    }
    if (match_count == UINT32_MAX) {
        return false;
    }
    for (uint32_t slot = 0; slot < match_count; slot++) {
        twin->records[slot].ticket = 1;
    }
    twin->record_count = match_count;
    twin->now = match;
    twin->now.state = twin->found.state;
    add_record(twin, &(struct twin_record){.kind = TWIN_STATE, .state = twin->found.state, .ticket = 1});
    return true;
}
