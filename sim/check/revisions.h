/* A recorded history of a store that tells revisions (etcd's): every write has its
 * place in the order, so the answer needs a sort and one walk. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_REVISIONS_H
#define SIM_CHECK_REVISIONS_H

#include "sim/check/linear.h"

/* One call. `revision` is the store's after it (its answer's header); a write made
 * it, a read saw its key as it was then. */
struct check_revised {
    uint32_t key;
    bool is_write;
    bool is_delete;
    uint32_t value; /* Written or read; CHECK_VALUE_NONE is an absent key. */
    int64_t revision;
    int64_t modified; /* A read's: the revision its value was put at; 0 not told. */
    uint32_t invoked;
    uint32_t returned; /* CHECK_NEVER: the outcome and revision are not known. */
    uint32_t line;
    uint32_t return_line;
};

struct check_revisions {
    struct check_revised *calls; /* In order of their beginning. */
    uint32_t count;
    uint32_t capacity;
};

enum check_revised_fault {
    CHECK_REVISED_FINE,
    CHECK_REVISED_TWICE,   /* Two writes made one revision. */
    CHECK_REVISED_OLD,     /* Its revision had been passed before it began. */
    CHECK_REVISED_CONTENT, /* A read saw what was not there at its revision. */
};

struct check_revised_result {
    enum check_revised_fault fault;
    uint32_t culprit; /* The call that cannot be, */
    uint32_t witness; /* and the one that it contradicts; the same when there is none. */
};

struct check_revised *check_revisions_add(struct check_revisions *revisions);
void check_revisions_release(struct check_revisions *revisions);
struct check_revised_result check_revisions_judge(const struct check_revisions *revisions);

#endif
