/* SPDX-License-Identifier: Apache-2.0 */
/* The log against a naive twin: a plain array of entries and five numbers. */
#include "core/raft/entry.h"
#include "core/raft/log.h"
#include "tests/core/raft/random_cluster.h"

#include <criterion/criterion.h>
#include <string.h>

enum { TWIN_MAX = 20000 };

struct twin {
    raft_term terms[TWIN_MAX];
    uint8_t bytes[TWIN_MAX]; /* Every payload is this byte, over and over. */
    uint32_t sizes[TWIN_MAX];
    raft_index first;
    raft_index last;
    raft_index stable;
    raft_index committed;
    raft_index applied;
};

struct pair {
    struct raft_log log;
    struct base_arena arena;
    struct twin twin;
    uint64_t random;
};

static uint64_t draw(struct pair *pair, uint64_t bound)
{
    pair->random = pair->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (pair->random >> 33) % bound;
}

static void append(struct pair *pair)
{
    static uint8_t payload[40000];
    struct twin *twin = &pair->twin;
    raft_index index = twin->last + 1;
    if (index >= TWIN_MAX) {
        return;
    }
    twin->terms[index] = twin->terms[index - 1] + (draw(pair, 10) == 0);
    twin->terms[index] += twin->terms[index] == 0;
    twin->sizes[index] = (uint32_t)draw(pair, draw(pair, 50) == 0 ? sizeof payload : 200);
    twin->bytes[index] = (uint8_t)draw(pair, 256);
    twin->last = index;
    memset(payload, twin->bytes[index], twin->sizes[index]);
    struct raft_entry entry = {.term = twin->terms[index],
                               .index = index,
                               .data = payload,
                               .size = twin->sizes[index]};
    raft_log_append(&pair->log, &entry);
}

static void check_entry(const struct pair *pair, const struct raft_entry *entry)
{
    cr_assert_eq(entry->term, pair->twin.terms[entry->index]);
    cr_assert_eq(entry->size, pair->twin.sizes[entry->index]);
    for (uint32_t i = 0; i < entry->size; i++) {
        cr_assert_eq(entry->data[i], pair->twin.bytes[entry->index]);
    }
}

static void check_slice(const struct pair *pair, struct raft_slice slice, raft_index first)
{
    for (uint32_t i = 0; i < slice.count; i++) {
        cr_assert_eq(slice.entries[i].index, first + i);
        check_entry(pair, &slice.entries[i]);
    }
}

static void check(const struct pair *pair)
{
    const struct raft_log *log = &pair->log;
    const struct twin *twin = &pair->twin;
    cr_assert_eq(log->first, twin->first);
    cr_assert_eq(log->last, twin->last);
    cr_assert_eq(log->stable, twin->stable);
    cr_assert_eq(log->last_term, twin->terms[twin->last]);
    raft_term term = 0;
    cr_assert_eq(raft_log_term(log, twin->last + 1, &term), RAFT_UNAVAILABLE);
    cr_assert_eq(raft_log_term(log, twin->first - 1, &term), RAFT_OK);
    cr_assert_eq(term, twin->terms[twin->first - 1]);
    if (twin->first > 1) {
        cr_assert_eq(raft_log_term(log, twin->first - 2, &term), RAFT_COMPACTED);
    }
}

static void cut(struct pair *pair)
{
    struct twin *twin = &pair->twin;
    if (twin->last == twin->committed) {
        return;
    }
    raft_index index = twin->committed + 1 + draw(pair, twin->last - twin->committed);
    raft_log_cut(&pair->log, index);
    twin->last = index - 1;
    twin->stable = twin->stable < twin->last ? twin->stable : twin->last;
}

static void drop(struct pair *pair)
{
    struct twin *twin = &pair->twin;
    raft_index most = twin->applied < twin->stable ? twin->applied : twin->stable;
    if (most >= twin->first) {
        raft_index index = twin->first + draw(pair, most - twin->first + 1);
        raft_log_drop(&pair->log, index);
        twin->first = index + 1;
    }
}

static void look(struct pair *pair)
{
    struct twin *twin = &pair->twin;
    if (twin->first > twin->last) {
        return;
    }
    raft_index index = twin->first + draw(pair, twin->last - twin->first + 1);
    uint64_t limit = draw(pair, 1000);
    struct raft_slice slice = raft_log_slice(&pair->log, &pair->arena, index, twin->last, limit);
    cr_assert_geq(slice.count, 1);
    check_slice(pair, slice, index);
    raft_term asked = twin->terms[index] - draw(pair, 2);
    raft_index expected = index;
    while (expected >= twin->first - 1 && expected > 0 && twin->terms[expected] > asked) {
        expected--;
    }
    raft_term unused = 0;
    cr_assert_eq(raft_log_find_by_term(&pair->log, index, asked, &unused), expected);
}

static void take_unstable(struct pair *pair)
{
    raft_index before = pair->log.in_progress;
    struct raft_slice slice = raft_log_take_unstable(&pair->log, &pair->arena);
    check_slice(pair, slice, before + 1);
}

static void one_thing(struct pair *pair)
{
    struct twin *twin = &pair->twin;
    switch (draw(pair, 12)) {
    case 0:
        cut(pair);
        break;
    case 1:
        drop(pair);
        break;
    case 2:
        take_unstable(pair);
        break;
    case 3: {
        raft_index index = pair->log.in_progress;
        raft_log_stable_to(&pair->log, index, twin->terms[index]);
        twin->stable = index > twin->stable ? index : twin->stable;
        break;
    }
    case 4:
        twin->committed += draw(pair, twin->last - twin->committed + 1);
        (void)raft_log_commit(&pair->log, twin->committed);
        break;
    case 5: {
        raft_index before = pair->log.applying;
        struct raft_slice slice = raft_log_take_committed(&pair->log, &pair->arena, false);
        check_slice(pair, slice, before + 1);
        break;
    }
    case 6:
        twin->applied = pair->log.applying;
        raft_log_applied_to(&pair->log, twin->applied);
        break;
    case 7: /* A Ready goes and comes back. */
        raft_blocks_return(&pair->log.blocks, raft_log_next_lending(&pair->log));
        base_arena_reset(&pair->arena);
        break;
    case 8:
        look(pair);
        break;
    default:
        append(pair);
        break;
    }
}

Test(raft_log, does_what_a_plain_array_does)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pair *pair = calloc(1, sizeof *pair);
        pair->random = seed;
        pair->twin.first = 1;
        base_arena_init(&pair->arena, &cluster_allocator);
        raft_log_init(&pair->log, &cluster_allocator, seed % 2 == 0 ? 500 : UINT64_MAX);
        for (uint32_t i = 0; i < 3000; i++) {
            one_thing(pair);
            check(pair);
        }
        raft_log_release(&pair->log);
        base_arena_release(&pair->arena);
        free(pair);
    }
}

/* What was lent stays readable when the log moves on underneath. */
Test(raft_log, lent_payload_survives_cut_and_append)
{
    struct raft_log log;
    struct base_arena arena;
    base_arena_init(&arena, &cluster_allocator);
    raft_log_init(&log, &cluster_allocator, UINT64_MAX);
    const uint8_t old[] = "old";
    const uint8_t new[] = "new";
    raft_log_append(&log, &(struct raft_entry){.term = 1, .index = 1, .data = old, .size = 3});
    struct raft_slice slice = raft_log_slice(&log, &arena, 1, 1, UINT64_MAX);
    uint64_t number = raft_log_next_lending(&log);
    raft_log_cut(&log, 1);
    raft_log_append(&log, &(struct raft_entry){.term = 2, .index = 1, .data = new, .size = 3});
    cr_assert_eq(memcmp(slice.entries[0].data, "old", 3), 0);
    raft_blocks_return(&log.blocks, number);
    cr_assert_eq(memcmp(raft_blocks_at(&log.blocks, 1).data, "new", 3), 0);
    raft_log_release(&log);
    base_arena_release(&arena);
}

/* An acknowledgement of a tail that was replaced says nothing about the new one. */
Test(raft_log, stable_checks_the_term)
{
    struct raft_log log;
    struct base_arena arena;
    base_arena_init(&arena, &cluster_allocator);
    raft_log_init(&log, &cluster_allocator, UINT64_MAX);
    raft_log_append(&log, &(struct raft_entry){.term = 1, .index = 1});
    (void)raft_log_take_unstable(&log, &arena);
    raft_log_cut(&log, 1);
    raft_log_append(&log, &(struct raft_entry){.term = 2, .index = 1});
    (void)raft_log_take_unstable(&log, &arena);
    raft_log_stable_to(&log, 1, 1);
    cr_assert_eq(log.stable, 0);
    raft_log_stable_to(&log, 1, 2);
    cr_assert_eq(log.stable, 1);
    raft_log_release(&log);
    base_arena_release(&arena);
}

/* §5.4.1: the log with the later last term is more up to date. */
Test(raft_log, later_term_beats_longer_log)
{
    struct raft_log log;
    raft_log_init(&log, &cluster_allocator, UINT64_MAX);
    for (raft_index index = 1; index <= 4; index++) {
        raft_log_append(&log, &(struct raft_entry){.term = 2, .index = index});
    }
    cr_assert(raft_log_is_up_to_date(&log, 1, 3));
    cr_assert(raft_log_is_up_to_date(&log, 4, 2));
    cr_assert_not(raft_log_is_up_to_date(&log, 3, 2));
    cr_assert_not(raft_log_is_up_to_date(&log, 9, 1));
    raft_log_release(&log);
}
