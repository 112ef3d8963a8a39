/* Who holds which lock, in true time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_LOCK_H
#define SIM_CHECK_LOCK_H

#include "core/base/bytes.h"

struct check;

struct check_hold {
    uint64_t name; /* Digest of the lock's name. */
    uint32_t client;
    uint64_t since_ns;
};

/* The newest fencing token of a lock: who compares tokens can tell an old holder. */
struct check_token {
    uint64_t name;
    int64_t revision;
    uint32_t client;
};

/* Locks held now, and those that ever were: few, so they are searched one by one. */
struct check_lock {
    struct check_hold *holds;
    uint32_t count;
    uint32_t capacity;
    struct check_token *tokens;
    uint32_t token_count;
    uint32_t token_capacity;
};

void check_lock_release(struct check_lock *lock);
void check_lock_reset(struct check_lock *lock);
void check_lock_take(struct check *check, uint64_t now, uint32_t client, struct base_bytes name,
                     int64_t revision);
void check_lock_leave(struct check *check, uint64_t now, uint32_t client, struct base_bytes name);

#endif
