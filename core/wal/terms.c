/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/terms.h"

#include <assert.h>

static void check(const struct wal_terms *terms)
{
    assert(terms->base <= terms->last);
    assert(terms->count <= terms->capacity);
    assert((terms->count == 0) == (terms->base == terms->last));
    assert(terms->count == 0 || terms->runs[0].first == terms->base + 1);
}

void wal_terms_init(struct wal_terms *terms, const struct base_allocator *allocator)
{
    *terms = (struct wal_terms){.allocator = allocator};
}

void wal_terms_release(struct wal_terms *terms)
{
    base_free(terms->allocator, terms->runs, terms->capacity * sizeof terms->runs[0]);
    wal_terms_init(terms, terms->allocator);
}

void wal_terms_reset(struct wal_terms *terms, raft_index base, raft_term base_term)
{
    terms->base = base;
    terms->base_term = base_term;
    terms->last = base;
    terms->count = 0;
    check(terms);
}

static void push_run(struct wal_terms *terms, raft_index first, raft_term term)
{
    if (terms->count == terms->capacity) {
        uint32_t capacity = terms->capacity == 0 ? 8 : terms->capacity * 2;
        terms->runs = base_resize(terms->allocator, terms->runs, terms->capacity * sizeof terms->runs[0],
                                  capacity * sizeof terms->runs[0]);
        terms->capacity = capacity;
    }
    terms->runs[terms->count++] = (struct wal_term_run){.first = first, .term = term};
}

void wal_terms_append(struct wal_terms *terms, raft_index index, raft_term term)
{
    assert(index > terms->base);
    assert(index <= terms->last + 1);
    while (terms->count > 0 && terms->runs[terms->count - 1].first >= index) {
        terms->count--;
    }
    if (terms->count == 0 || terms->runs[terms->count - 1].term != term) {
        push_run(terms, index, term);
    }
    terms->last = index;
    check(terms);
}

raft_term wal_terms_at(const struct wal_terms *terms, raft_index index)
{
    if (index == terms->base) {
        return terms->base_term;
    }
    if (index < terms->base || index > terms->last) {
        return 0;
    }
    uint32_t slot = terms->count;
    while (terms->runs[slot - 1].first > index) {
        slot--;
        assert(slot > 0);
    }
    return terms->runs[slot - 1].term;
}

void wal_terms_drop(struct wal_terms *terms, raft_index base)
{
    assert(base >= terms->base);
    assert(base <= terms->last);
    raft_term base_term = wal_terms_at(terms, base);
    uint32_t gone = 0;
    while (gone < terms->count &&
           (gone + 1 < terms->count ? terms->runs[gone + 1].first - 1 : terms->last) <= base) {
        gone++;
    }
    terms->count -= gone;
    if (terms->count > 0) {
        memmove(terms->runs, terms->runs + gone, terms->count * sizeof terms->runs[0]);
        if (terms->runs[0].first <= base) {
            terms->runs[0].first = base + 1;
        }
    }
    terms->base = base;
    terms->base_term = base_term;
    check(terms);
}
