/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/lock.h"

#include "core/base/hash.h"
#include "sim/check/state.h"

#include <inttypes.h>
#include <stdlib.h>

void check_lock_release(struct check_lock *lock)
{
    free(lock->holds);
    free(lock->tokens);
    *lock = (struct check_lock){0};
}

void check_lock_reset(struct check_lock *lock)
{
    lock->count = 0;
    lock->token_count = 0;
}

static int shown(struct base_bytes name)
{
    return (int)(name.size < 64 ? name.size : 64);
}

/* Tokens rise from holder to holder; the same client may be given its lock again. */
static void judge_token(struct check *check, uint64_t now, uint32_t client, struct base_bytes name,
                        uint64_t digest, int64_t revision)
{
    struct check_lock *lock = &check->lock;
    uint32_t slot = 0;
    while (slot < lock->token_count && lock->tokens[slot].name != digest) {
        slot++;
    }
    if (slot == lock->token_count) {
        if (lock->token_count == lock->token_capacity) {
            lock->token_capacity = check_grown(lock->token_capacity, lock->token_count + 1);
            lock->tokens = check_resize(lock->tokens, lock->token_capacity, sizeof lock->tokens[0]);
        }
        lock->tokens[lock->token_count++] = (struct check_token){.name = digest};
    }
    struct check_token *token = &lock->tokens[slot];
    if (!check->options.is_lossy &&
        (revision < token->revision || (revision == token->revision && client != token->client))) {
        check_found(check, NULL, CHECK_LOCK, now, client,
                    "client %" PRIu32 " was given the lock \"%.*s\" with the fencing token %" PRId64
                    ", but client %" PRIu32 " had been given it with %" PRId64,
                    client, shown(name), (const char *)name.data, revision, token->client, token->revision);
    }
    token->revision = revision;
    token->client = client;
}

void check_lock_take(struct check *check, uint64_t now, uint32_t client, struct base_bytes name,
                     int64_t revision)
{
    struct check_lock *lock = &check->lock;
    uint64_t digest = base_hash_bytes(0, name);
    check_arm(check, CHECK_LOCK);
    if (revision > 0) {
        judge_token(check, now, client, name, digest, revision);
    }
    for (uint32_t slot = 0; slot < lock->count; slot++) {
        const struct check_hold *hold = &lock->holds[slot];
        if (hold->name == digest && hold->client != client) {
            check_found(check, NULL, CHECK_LOCK, now, client,
                        "client %" PRIu32 " holds the lock \"%.*s\", but client %" PRIu32
                        " has held it since %s",
                        client, shown(name), (const char *)name.data, hold->client,
                        check_seconds(check, hold->since_ns));
        } else if (hold->name == digest) {
            return; /* Taken twice by the same client: it holds it once. */
        }
    }
    if (lock->count == lock->capacity) {
        lock->capacity = check_grown(lock->capacity, lock->count + 1);
        lock->holds = check_resize(lock->holds, lock->capacity, sizeof lock->holds[0]);
    }
    lock->holds[lock->count++] = (struct check_hold){.name = digest, .client = client, .since_ns = now};
}

void check_lock_leave(struct check *check, uint64_t now, uint32_t client, struct base_bytes name)
{
    (void)now;
    struct check_lock *lock = &check->lock;
    uint64_t digest = base_hash_bytes(0, name);
    for (uint32_t slot = 0; slot < lock->count; slot++) {
        if (lock->holds[slot].name == digest && lock->holds[slot].client == client) {
            lock->holds[slot] = lock->holds[--lock->count];
            return;
        }
    }
}
