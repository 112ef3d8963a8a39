/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/lineage.h"

#include "sim/check/table.h"

#include <assert.h>
#include <stdlib.h>

enum {
    GAP_MAX = 1 << 20,  /* A hole between the seen entries of a term is at most so wide. */
    PRUNE_COUNT = 4096, /* Lines shorter than this are not worth pruning. */
};

uint64_t check_entry_digest(const struct raft_entry *entry)
{
    uint64_t hash = entry->term * UINT64_C(0x9e3779b97f4a7c15) ^ entry->index;
    hash = (hash ^ ((uint64_t)entry->size << 8 | (uint64_t)entry->type)) * UINT64_C(0xbf58476d1ce4e5b9);
    uint32_t at = 0;
    for (; entry->size - at >= 8; at += 8) {
        hash = (hash ^ hash >> 32 ^ base_load_u64(entry->data + at)) * UINT64_C(0x9e3779b97f4a7c15);
    }
    if (at < entry->size) {
        uint8_t tail[8] = {0};
        memcpy(tail, entry->data + at, entry->size - at);
        hash = (hash ^ hash >> 32 ^ base_load_u64(tail)) * UINT64_C(0x9e3779b97f4a7c15);
    }
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

void check_lineage_release(struct check_lineage *lineage)
{
    for (uint32_t slot = 0; slot < lineage->capacity; slot++) {
        free(lineage->lines[slot].digests);
    }
    free(lineage->lines);
    *lineage = (struct check_lineage){0};
}

void check_lineage_reset(struct check_lineage *lineage)
{
    lineage->count = 0;
    lineage->recent = 0;
}

/* The slot of the first line whose term is not below `term`. */
static uint32_t slot_of(const struct check_lineage *lineage, raft_term term)
{
    uint32_t low = 0;
    uint32_t high = lineage->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lineage->lines[middle].term < term) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct check_line *find(struct check_lineage *lineage, raft_term term)
{
    if (lineage->recent < lineage->count && lineage->lines[lineage->recent].term == term) {
        return &lineage->lines[lineage->recent];
    }
    uint32_t slot = slot_of(lineage, term);
    if (slot == lineage->count || lineage->lines[slot].term != term) {
        return NULL;
    }
    lineage->recent = slot;
    return &lineage->lines[slot];
}

static struct check_line *insert(struct check_lineage *lineage, raft_term term, raft_index first)
{
    if (lineage->count == lineage->capacity) {
        uint32_t capacity = check_grown(lineage->capacity, lineage->count + 1);
        lineage->lines = check_resize(lineage->lines, capacity, sizeof lineage->lines[0]);
        memset(&lineage->lines[lineage->capacity], 0,
               (capacity - lineage->capacity) * sizeof lineage->lines[0]);
        lineage->capacity = capacity;
    }
    uint32_t slot = slot_of(lineage, term);
    struct check_line spare = lineage->lines[lineage->count];
    memmove(&lineage->lines[slot + 1], &lineage->lines[slot], (lineage->count - slot) * sizeof spare);
    lineage->lines[slot] = (struct check_line){
        .term = term, .first = first, .base = first, .digests = spare.digests, .capacity = spare.capacity};
    lineage->count++;
    lineage->recent = slot;
    return &lineage->lines[slot];
}

static void push(struct check_line *line, uint64_t digest)
{
    if (line->count == line->capacity) {
        line->capacity = check_grown(line->capacity, line->count + 1);
        line->digests = check_resize(line->digests, line->capacity, sizeof line->digests[0]);
    }
    line->digests[line->count++] = digest;
}

/* The entry is beyond the seen ones of its term. */
static enum check_added extend(struct check_line *line, struct check_tip before, bool is_known,
                               raft_index index, uint64_t digest)
{
    if (line->count > 0 && is_known && before.term != line->term) {
        return CHECK_ADDED_BEFORE; /* Its term has entries below: its predecessor is one of them. */
    }
    if (index - (line->base + line->count) > GAP_MAX) {
        return CHECK_ADDED_NEW;
    }
    while (line->base + line->count < index) {
        push(line, 0);
    }
    push(line, digest);
    return CHECK_ADDED_NEW;
}

enum check_added check_lineage_add(struct check_lineage *lineage, struct check_tip before, bool is_known,
                                   const struct raft_entry *entry, uint64_t digest)
{
    struct check_line *line = find(lineage, entry->term);
    if (!line) {
        line = insert(lineage, entry->term, entry->index);
    }
    if (entry->index == line->first && is_known) {
        if (!line->is_before_known) {
            line->before = before.term;
            line->is_before_known = true;
        } else if (line->before != before.term) {
            return CHECK_ADDED_BEFORE;
        }
    }
    if (entry->index >= line->base + line->count) {
        return extend(line, before, is_known, entry->index, digest);
    }
    if (entry->index < line->first) {
        return line->is_before_known ? CHECK_ADDED_BEFORE : CHECK_ADDED_NEW;
    }
    if (entry->index > line->first && is_known && before.term != entry->term) {
        return CHECK_ADDED_BEFORE;
    }
    if (entry->index < line->base) {
        return CHECK_ADDED_SAME; /* Pruned: nothing left to compare with. */
    }
    uint64_t *known = &line->digests[entry->index - line->base];
    if (*known == 0) {
        *known = digest;
        return CHECK_ADDED_NEW;
    }
    return *known == digest ? CHECK_ADDED_SAME : CHECK_ADDED_CONTENT;
}

raft_term check_lineage_term(struct check_lineage *lineage, struct check_tip tip, raft_index index)
{
    if (index == tip.index) {
        return tip.term;
    }
    if (index > tip.index || index == 0) {
        return 0;
    }
    raft_term term = tip.term;
    for (;;) {
        const struct check_line *line = find(lineage, term);
        if (!line) {
            return 0;
        }
        if (index >= line->first) {
            return term;
        }
        if (!line->is_before_known || line->before >= term) {
            return 0;
        }
        term = line->before;
        if (index == line->first - 1) {
            return term;
        }
    }
}

enum check_holds check_lineage_holds(struct check_lineage *lineage, struct check_tip tip,
                                     struct check_tip wanted)
{
    if (wanted.index == 0) {
        return CHECK_HOLDS_YES;
    }
    if (wanted.index > tip.index) {
        return CHECK_HOLDS_NO;
    }
    if (tip.term == wanted.term) {
        return CHECK_HOLDS_YES;
    }
    if (tip.term < wanted.term) {
        return CHECK_HOLDS_NO; /* Terms never fall along a log. */
    }
    raft_term term = check_lineage_term(lineage, tip, wanted.index);
    if (term == 0) {
        return CHECK_HOLDS_UNKNOWN;
    }
    return term == wanted.term ? CHECK_HOLDS_YES : CHECK_HOLDS_NO;
}

uint64_t check_lineage_digest(struct check_lineage *lineage, struct check_tip entry)
{
    const struct check_line *line = find(lineage, entry.term);
    if (!line || entry.index < line->base || entry.index >= line->base + line->count) {
        return 0;
    }
    return line->digests[entry.index - line->base];
}

void check_lineage_prune(struct check_lineage *lineage, raft_index index)
{
    for (uint32_t slot = 0; slot < lineage->count; slot++) {
        struct check_line *line = &lineage->lines[slot];
        if (line->count < PRUNE_COUNT || index < line->base) {
            continue;
        }
        uint64_t gone = index - line->base + 1;
        if (gone > line->count / 2) {
            uint32_t dropped = gone < line->count ? (uint32_t)gone : line->count;
            memmove(line->digests, line->digests + dropped,
                    (line->count - dropped) * sizeof line->digests[0]);
            line->base += dropped;
            line->count -= dropped;
        }
    }
}
