/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/log.h"

#include "core/raft/entry.h"

#include <assert.h>

static raft_index least(raft_index a, raft_index b)
{
    return a < b ? a : b;
}

static raft_index greatest(raft_index a, raft_index b)
{
    return a > b ? a : b;
}

static void check(const struct raft_log *log)
{
    assert(log->first <= log->last + 1);
    assert(log->first - 1 <= log->stable);
    assert(log->stable <= log->in_progress);
    assert(log->in_progress <= log->last);
    assert(log->applied <= log->applying);
    assert(log->applying <= log->committed);
    assert(log->committed <= log->last);
    assert(log->has_snapshot || log->first - 1 <= log->applied);
}

void raft_log_init(struct raft_log *log, const struct base_allocator *allocator, uint64_t applying_bytes_max)
{
    *log = (struct raft_log){.first = 1, .applying_bytes_max = applying_bytes_max};
    raft_blocks_init(&log->blocks, allocator);
    check(log);
}

static void release_snapshot(struct raft_log *log)
{
    base_free(log->blocks.allocator, log->snapshot_data, log->snapshot.data.size);
    log->snapshot_data = NULL;
    log->snapshot.data = (struct base_bytes){0};
    log->has_snapshot = false;
    log->is_snapshot_in_progress = false;
}

void raft_log_release(struct raft_log *log)
{
    release_snapshot(log);
    raft_blocks_release(&log->blocks);
}

enum raft_status raft_log_term(const struct raft_log *log, raft_index index, raft_term *out)
{
    if (index == log->last) {
        *out = log->last_term;
    } else if (index > log->last) {
        return RAFT_UNAVAILABLE;
    } else if (index >= log->first) {
        *out = raft_blocks_term(&log->blocks, index);
    } else if (index == log->first - 1) {
        *out = log->term_before;
    } else {
        return RAFT_COMPACTED;
    }
    return RAFT_OK;
}

bool raft_log_is_up_to_date(const struct raft_log *log, raft_index last, raft_term last_term)
{
    return last_term > log->last_term || (last_term == log->last_term && last >= log->last);
}

raft_index raft_log_find_by_term(const struct raft_log *log, raft_index index, raft_term term,
                                 raft_term *term_out)
{
    *term_out = 0;
    if (index > log->last || index < log->first - 1) {
        return index;
    }
    if (log->term_before > term) {
        assert(log->first > 1); /* The term before index 1 is 0. */
        return log->first - 2;
    }
    /* Terms never go down along a log: search by halves. */
    raft_index low = log->first - 1;
    raft_index high = index;
    while (low < high) {
        raft_index middle = low + (high - low + 1) / 2;
        raft_term ours = 0;
        enum raft_status status = raft_log_term(log, middle, &ours);
        assert(status == RAFT_OK);
        if (ours <= term) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    enum raft_status status = raft_log_term(log, low, term_out);
    assert(status == RAFT_OK);
    return low;
}

void raft_log_append(struct raft_log *log, const struct raft_entry *entry)
{
    assert(entry->index == log->last + 1);
    assert(entry->term >= log->last_term); /* Terms never go down along a log. */
    raft_blocks_append(&log->blocks, entry);
    log->last = entry->index;
    log->last_term = entry->term;
}

void raft_log_cut(struct raft_log *log, raft_index index)
{
    check(log);
    assert(index > log->committed); /* §5.4: what is committed stays. */
    assert(index >= log->first && index <= log->last);
    raft_blocks_cut(&log->blocks, index);
    log->last = index - 1;
    log->last_term = log->last < log->first ? log->term_before : raft_blocks_term(&log->blocks, log->last);
    /* What the disk has from here on is not ours any more, and what is on its
     * way there will have to be overwritten. */
    log->stable = least(log->stable, log->last);
    log->in_progress = least(log->in_progress, log->last);
    log->recent.count = 0;
    check(log);
}

void raft_log_restore(struct raft_log *log, const struct raft_snapshot *snapshot)
{
    check(log);
    assert(snapshot->index > log->committed);
    if (log->first <= log->last) {
        raft_blocks_drop(&log->blocks, log->last);
    }
    log->first = snapshot->index + 1;
    log->last = snapshot->index;
    log->term_before = snapshot->term;
    log->last_term = snapshot->term;
    log->stable = snapshot->index;
    log->in_progress = snapshot->index;
    log->committed = snapshot->index;
    log->applying_bytes = 0;
    log->is_applying_paused = false;
    log->recent.count = 0;
    release_snapshot(log);
    log->snapshot = *snapshot;
    log->snapshot.data = (struct base_bytes){0};
    if (snapshot->data.size > 0) {
        log->snapshot_data = base_alloc(log->blocks.allocator, snapshot->data.size);
        memcpy(log->snapshot_data, snapshot->data.data, snapshot->data.size);
        log->snapshot.data = (struct base_bytes){.data = log->snapshot_data, .size = snapshot->data.size};
    }
    log->has_snapshot = true;
    check(log);
}

void raft_log_drop(struct raft_log *log, raft_index index)
{
    check(log);
    assert(index >= log->first && index <= log->applied);
    raft_term term = raft_blocks_term(&log->blocks, index);
    raft_blocks_drop(&log->blocks, index);
    log->first = index + 1;
    log->term_before = term;
    log->recent.count = 0;
    check(log);
}

bool raft_log_commit(struct raft_log *log, raft_index index)
{
    if (index <= log->committed) {
        return false;
    }
    assert(index <= log->last);
    log->committed = index;
    return true;
}

void raft_log_stable_to(struct raft_log *log, raft_index index, raft_term term)
{
    if (index <= log->stable || index > log->in_progress || !raft_log_has(log, index, term)) {
        return; /* Of a tail that has been replaced since. */
    }
    log->stable = index;
    check(log);
}

uint64_t raft_log_applying_payload(const struct raft_log *log, raft_index index)
{
    raft_index last = least(index, log->applying);
    uint64_t payload = 0;
    for (raft_index each = greatest(log->applied + 1, log->first); each <= last; each++) {
        payload += raft_blocks_at(&log->blocks, each).size;
    }
    return payload;
}

/* The bytes of (applied, index], which leave applying_bytes. */
static uint64_t applied_bytes(const struct raft_log *log, raft_index index)
{
    uint64_t bytes = 0;
    for (raft_index each = greatest(log->applied + 1, log->first); each <= index; each++) {
        struct raft_entry entry = raft_blocks_at(&log->blocks, each);
        bytes += raft_entry_bytes(entry.term, entry.index, entry.size);
    }
    return bytes;
}

void raft_log_applied_to(struct raft_log *log, raft_index index)
{
    assert(index <= log->committed);
    /* Mostly it is all that was handed out. */
    uint64_t bytes = index >= log->applying ? log->applying_bytes : applied_bytes(log, index);
    log->applying_bytes -= bytes < log->applying_bytes ? bytes : log->applying_bytes;
    log->applied = greatest(log->applied, index);
    log->applying = greatest(log->applying, index);
    log->is_applying_paused = log->applying_bytes >= log->applying_bytes_max;
    check(log);
}

void raft_log_snapshot_done(struct raft_log *log, raft_index index)
{
    if (log->has_snapshot && log->snapshot.index == index) {
        log->applied = index; /* It was above committed when it came. */
        log->applying = index;
        release_snapshot(log);
        check(log);
    }
}

/* How many of the `available` entries from `index` on are within `bytes_max`; the
 * first one always is. */
static uint32_t count_within(const struct raft_log *log, raft_index index, uint64_t available,
                             uint64_t bytes_max)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    while (count < available) {
        struct raft_entry entry = raft_blocks_at(&log->blocks, index + count);
        bytes += raft_entry_bytes(entry.term, entry.index, entry.size);
        if (count > 0 && bytes > bytes_max) {
            break;
        }
        count++;
    }
    return count;
}

struct raft_slice raft_log_build_slice(struct raft_log *log, struct base_arena *arena, raft_index index,
                                       raft_index last_index, uint64_t bytes_max)
{
    assert(index <= last_index);
    assert(index >= log->first && last_index <= log->last);
    uint64_t available = last_index - index + 1;
    uint32_t count = available == 1 || bytes_max == UINT64_MAX
                         ? (uint32_t)least(available, UINT32_MAX)
                         : count_within(log, index, available, bytes_max);
    struct raft_entry *entries = base_arena_alloc(arena, count * sizeof *entries);
    raft_blocks_lend(&log->blocks, index, count, entries);
    if (count == available) {
        log->recent.entries = entries;
        log->recent.first = index;
        log->recent.count = count;
        log->recent.bytes_max = count == 1 ? 0 : bytes_max;
    }
    return (struct raft_slice){.entries = entries, .count = count};
}

struct raft_slice raft_log_take_unstable(struct raft_log *log, struct base_arena *arena)
{
    struct raft_slice slice = raft_log_slice(log, arena, log->in_progress + 1, log->last, UINT64_MAX);
    log->in_progress = log->last;
    return slice;
}

/* The last entry that may be handed out to apply. */
static raft_index appliable(const struct raft_log *log, bool allow_unstable)
{
    return allow_unstable ? log->committed : least(log->committed, log->stable);
}

bool raft_log_has_committed(const struct raft_log *log, bool allow_unstable)
{
    return !log->is_applying_paused && !log->has_snapshot && log->applying < appliable(log, allow_unstable);
}

struct raft_slice raft_log_take_committed(struct raft_log *log, struct base_arena *arena, bool allow_unstable)
{
    if (!raft_log_has_committed(log, allow_unstable)) {
        return (struct raft_slice){0};
    }
    assert(log->applying_bytes < log->applying_bytes_max);
    raft_index last = appliable(log, allow_unstable);
    uint64_t room = log->applying_bytes_max - log->applying_bytes;
    struct raft_slice slice = raft_log_slice(log, arena, log->applying + 1, last, room);
    for (uint32_t i = 0; i < slice.count; i++) {
        const struct raft_entry *entry = &slice.entries[i];
        log->applying_bytes += raft_entry_bytes(entry->term, entry->index, entry->size);
    }
    log->applying += slice.count;
    /* A page that was cut by its size was not too small: let it be applied first. */
    log->is_applying_paused = log->applying_bytes >= log->applying_bytes_max || log->applying < last;
    return slice;
}

uint64_t raft_log_next_lending(struct raft_log *log)
{
    log->recent.count = 0;
    return log->blocks.lending++;
}
