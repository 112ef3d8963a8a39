/* Which entry stands before which, over all logs of a cluster.
 *
 * A term's leader appends its entries one after the other, so the entries of a
 * term are a range of indexes, and the first of them has one predecessor. While
 * log matching (§5.3) holds, a log is therefore given by its last entry alone: a
 * tip. Adding an entry checks the induction step of that very rule, and costs
 * 8 bytes an entry however many members hold it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_LINEAGE_H
#define SIM_CHECK_LINEAGE_H

#include "core/raft/types.h"

/* The last entry of a log; index 0 is the empty log. */
struct check_tip {
    raft_index index;
    raft_term term;
};

/* The entries of one term. */
struct check_line {
    raft_term term;
    raft_index first;     /* Lowest index seen in this term. */
    raft_term before;     /* The term of the entry at first - 1, */
    bool is_before_known; /* if it was seen. */
    raft_index base;      /* The index of digests[0]; >= first. */
    uint64_t *digests;    /* 0: not seen. */
    uint32_t count;
    uint32_t capacity;
};

struct check_lineage {
    struct check_line *lines; /* By term. Those beyond `count` keep their memory. */
    uint32_t count;
    uint32_t capacity;
    uint32_t recent; /* The slot last found. */
};

enum check_holds { CHECK_HOLDS_NO, CHECK_HOLDS_YES, CHECK_HOLDS_UNKNOWN };
enum check_added { CHECK_ADDED_NEW, CHECK_ADDED_SAME, CHECK_ADDED_CONTENT, CHECK_ADDED_BEFORE };

uint64_t check_entry_digest(const struct raft_entry *entry);

void check_lineage_release(struct check_lineage *lineage);
void check_lineage_reset(struct check_lineage *lineage);
/* The entry (index, term) was appended after `before`, whose index is index - 1
 * unless it is not known (`is_known` false). CONTENT: another entry has this
 * index and term. BEFORE: it was seen with another predecessor. */
enum check_added check_lineage_add(struct check_lineage *lineage, struct check_tip before, bool is_known,
                                   const struct raft_entry *entry, uint64_t digest);
/* The term at `index` of the log that ends in `tip`; 0 when not known, or beyond. */
raft_term check_lineage_term(struct check_lineage *lineage, struct check_tip tip, raft_index index);
/* Does the log that ends in `tip` hold the entry `wanted`? */
enum check_holds check_lineage_holds(struct check_lineage *lineage, struct check_tip tip,
                                     struct check_tip wanted);
/* The digest of an entry; 0 when not known (any more). */
uint64_t check_lineage_digest(struct check_lineage *lineage, struct check_tip entry);
/* Contents up to `index` will not be asked for again. */
void check_lineage_prune(struct check_lineage *lineage, raft_index index);

#endif
