/* Is an answer the right one for a state of the reference store? */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_ANSWER_H
#define SIM_CHECK_ANSWER_H

#include "core/kv/types.h"
#include "sim/check/store.h"

enum check_verdict { CHECK_RIGHT, CHECK_WRONG, CHECK_OPEN };

/* One operation held against one revision. */
struct check_trial {
    const struct check_store *store;
    int64_t revision;
    /* The operation made this revision: it saw what was before, and what it
     * changed itself. Else it changed nothing and saw all of the revision. */
    bool is_writer;
    int64_t sub;      /* Changes of the revision so far, as a writer. */
    bool is_open;     /* Something it depends on is not known. */
    char reason[256]; /* Why the answer is wrong. */
};

/* Does the operation change anything, whatever the store holds? */
bool check_op_writes(const struct kv_op *op);
/* A digest of all that the operation asks for. */
uint64_t check_op_digest(const struct kv_op *op);
/* The answer to `op` with this header revision; the reason is in `trial`. */
enum check_verdict check_answer(struct check_trial *trial, const struct check_store *store,
                                const struct kv_op *op, const struct kv_result *result, int64_t revision);

#endif
