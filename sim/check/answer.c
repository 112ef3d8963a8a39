/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/answer.h"

#include "core/base/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_SHOWN = 48 };

static bool fail(struct check_trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct check_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(trial->reason, sizeof trial->reason, format, arguments);
    va_end(arguments);
    return false;
}

static int shown(struct base_bytes name)
{
    return (int)(name.size < NAME_SHOWN ? name.size : NAME_SHOWN);
}

bool check_op_writes(const struct kv_op *op)
{
    switch (op->kind) {
    case KV_RANGE:
        return false;
    case KV_PUT:
    case KV_DELETE_RANGE:
        return true;
    case KV_TXN:
        break;
    }
    for (uint32_t slot = 0; slot < op->txn->success_count; slot++) {
        if (check_op_writes(&op->txn->success[slot])) {
            return true;
        }
    }
    for (uint32_t slot = 0; slot < op->txn->failure_count; slot++) {
        if (check_op_writes(&op->txn->failure[slot])) {
            return true;
        }
    }
    return false;
}

static uint64_t digest_op(uint64_t hash, const struct kv_op *op);

static uint64_t digest_txn(uint64_t hash, const struct kv_txn *txn)
{
    hash = base_hash_u64(hash, txn->compare_count);
    for (uint32_t slot = 0; slot < txn->compare_count; slot++) {
        const struct kv_compare *compare = &txn->compares[slot];
        hash = base_hash_bytes(hash, compare->key);
        hash = base_hash_bytes(hash, compare->range_end);
        hash = base_hash_u64(hash, (uint64_t)compare->target << 8 | (uint64_t)compare->relation);
        hash = base_hash_i64(hash, compare->number);
        hash = base_hash_bytes(hash, compare->value);
    }
    hash = base_hash_u64(hash, txn->success_count);
    for (uint32_t slot = 0; slot < txn->success_count; slot++) {
        hash = digest_op(hash, &txn->success[slot]);
    }
    for (uint32_t slot = 0; slot < txn->failure_count; slot++) {
        hash = digest_op(hash, &txn->failure[slot]);
    }
    return hash;
}

static uint64_t digest_op(uint64_t hash, const struct kv_op *op)
{
    hash = base_hash_u64(hash, (uint64_t)op->kind << 32 | op->flags);
    if (op->kind == KV_TXN) {
        return digest_txn(hash, op->txn);
    }
    hash = base_hash_bytes(hash, op->key);
    hash = base_hash_bytes(hash, op->range_end);
    hash = base_hash_bytes(hash, op->value);
    hash = base_hash_i64(hash, op->lease);
    return base_hash_i64(hash, op->revision);
}

uint64_t check_op_digest(const struct kv_op *op)
{
    return digest_op(0, op);
}

/* What the operation sees of one key. */
static const struct check_change *seen(const struct check_trial *trial, const struct check_key *key)
{
    return check_store_version(trial->store, key, trial->revision, trial->is_writer ? trial->sub : INT64_MAX);
}

static const struct check_change *seen_name(struct check_trial *trial, struct base_bytes name)
{
    const struct check_key *key = check_store_key(trial->store, name);
    if (!key) {
        trial->is_open |= trial->store->is_partial;
        return NULL;
    }
    const struct check_change *version = seen(trial, key);
    trial->is_open |= !version && trial->store->is_partial && !key->has_base;
    return version;
}

static bool same_record(struct check_trial *trial, const struct kv_record *record,
                        const struct check_change *version, bool keys_only)
{
    if (!base_bytes_equal(record->key, version->key->name)) {
        return fail(trial, "found key \"%.*s\" where \"%.*s\" stands", shown(record->key),
                    (const char *)record->key.data, shown(version->key->name),
                    (const char *)version->key->name.data);
    }
    if (record->mod_revision != version->revision || record->version != version->version ||
        record->create_revision != version->create_revision || record->lease != version->lease) {
        return fail(trial,
                    "found \"%.*s\" of revision %" PRId64 " (version %" PRId64 ", lease %" PRIx64
                    "), expected revision %" PRId64 " (version %" PRId64 ", lease %" PRIx64 ")",
                    shown(record->key), (const char *)record->key.data, record->mod_revision, record->version,
                    (uint64_t)record->lease, version->revision, version->version, (uint64_t)version->lease);
    }
    if (!keys_only && check_value_digest(record->value) != version->value) {
        return fail(trial, "found the value \"%.*s\" of \"%.*s\", which was not put at revision %" PRId64,
                    shown(record->value), (const char *)record->value.data, shown(record->key),
                    (const char *)record->key.data, version->revision);
    }
    return true;
}

/* Is the key-ordered walk at its end, for this operation? */
static bool is_past(const struct kv_op *op, const struct check_key *key)
{
    return !key || !check_range_has(op->key, op->range_end, key->name);
}

static int64_t sort_number(const struct kv_record *record, enum kv_sort_target target)
{
    switch (target) {
    case KV_SORT_VERSION:
        return record->version;
    case KV_SORT_CREATE:
        return record->create_revision;
    case KV_SORT_MOD:
        return record->mod_revision;
    case KV_SORT_KEY:
    case KV_SORT_VALUE:
        break;
    }
    return 0;
}

/* Records asked for in another order than the keys': each is right, and they rise
 * or fall as asked; equal ones may stand in any order. */
static bool sorted_is_right(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    for (uint32_t slot = 0; slot < result->record_count; slot++) {
        const struct kv_record *record = &result->records[slot];
        const struct check_change *version = seen_name(trial, record->key);
        if (trial->is_open) {
            return true;
        }
        if (!version || !check_range_has(op->key, op->range_end, record->key)) {
            return fail(trial, "found \"%.*s\", which is not there", shown(record->key),
                        (const char *)record->key.data);
        }
        if (!same_record(trial, record, version, (op->flags & KV_KEYS_ONLY) != 0)) {
            return false;
        }
        if (slot == 0) {
            continue;
        }
        const struct kv_record *before = &result->records[slot - 1];
        int64_t order = sort_number(record, op->sort_target) - sort_number(before, op->sort_target);
        if (op->sort_target == KV_SORT_KEY) {
            order = base_bytes_compare(record->key, before->key);
        } else if (op->sort_target == KV_SORT_VALUE) {
            order = base_bytes_compare(record->value, before->value);
        }
        if (op->sort_order == KV_SORT_DESCEND ? order > 0 : order < 0) {
            return fail(trial, "found \"%.*s\" out of the order asked for", shown(record->key),
                        (const char *)record->key.data);
        }
    }
    return true;
}

static bool range_is_right(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    bool is_plain = op->sort_order == KV_SORT_NONE ||
                    (op->sort_target == KV_SORT_KEY && op->sort_order == KV_SORT_ASCEND);
    int64_t limit = op->flags & KV_COUNT_ONLY ? 0 : op->limit > 0 ? op->limit : INT64_MAX;
    int64_t count = 0;
    struct base_map_cursor cursor = base_map_seek(&trial->store->map, op->key);
    for (;;) {
        const struct check_key *key = base_map_next(&cursor);
        if (is_past(op, key)) {
            break;
        }
        const struct check_change *version = seen(trial, key);
        if (!version) {
            continue;
        }
        if (is_plain && count < limit) {
            if (count >= result->record_count) {
                return fail(trial, "did not find \"%.*s\" of revision %" PRId64, shown(key->name),
                            (const char *)key->name.data, version->revision);
            }
            if (!same_record(trial, &result->records[count], version, (op->flags & KV_KEYS_ONLY) != 0)) {
                return false;
            }
        }
        count++;
    }
    int64_t expected = op->flags & KV_COUNT_ONLY ? 0 : count < limit ? count : limit;
    if (result->record_count != expected || result->count != count) {
        return fail(trial, "found %" PRIu32 " records of %" PRId64 ", expected %" PRId64 " of %" PRId64,
                    result->record_count, result->count, expected, count);
    }
    if (op->limit > 0 && !(op->flags & KV_COUNT_ONLY) && result->more != (count > op->limit)) {
        return fail(trial, "says that there %s more", result->more ? "is" : "is no");
    }
    return is_plain || sorted_is_right(trial, op, result);
}

/* A range at its own revision, or at the trial's. In a partial store only what
 * was put since its beginning can be judged. */
static bool try_range(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    struct check_trial at = *trial;
    if (op->revision > 0 && op->revision != trial->revision) {
        at.revision = op->revision;
        at.is_writer = false;
    }
    if (at.revision < at.store->known_from || at.revision > at.store->revision) {
        trial->is_open = true;
        return true;
    }
    if (at.store->is_partial) {
        const struct check_change *version = op->range_end.size == 0 ? seen_name(&at, op->key) : NULL;
        if (op->range_end.size > 0 || !version || at.is_open) {
            trial->is_open = true;
            return true;
        }
    }
    bool is_right = range_is_right(&at, op, result);
    memcpy(trial->reason, at.reason, sizeof trial->reason);
    trial->is_open |= at.is_open;
    return is_right;
}

/* The previous version that a put or deletion was asked to tell. */
static bool previous_is_right(struct check_trial *trial, const struct kv_op *op,
                              const struct kv_result *result, uint32_t slot,
                              const struct check_change *version)
{
    if (!(op->flags & KV_PREV_KV)) {
        return true;
    }
    if (slot >= result->record_count) {
        return fail(trial, "did not tell what \"%.*s\" was before", shown(version->key->name),
                    (const char *)version->key->name.data);
    }
    return same_record(trial, &result->records[slot], version, false);
}

/* The reference's next change of the revision that the operation is said to have
 * made; NULL when there is none. */
static const struct check_change *next_change(struct check_trial *trial)
{
    uint64_t first = 0;
    uint32_t count = check_store_at(trial->store, trial->revision, &first);
    if (trial->sub >= count) {
        return NULL;
    }
    return check_store_get(trial->store, first + (uint64_t)trial->sub);
}

static bool try_put(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    if (!trial->is_writer) {
        return fail(trial, "put \"%.*s\" without a change", shown(op->key), (const char *)op->key.data);
    }
    const struct check_change *before = seen_name(trial, op->key);
    const struct check_change *change = next_change(trial);
    if (!change || change->is_delete || !base_bytes_equal(change->key->name, op->key)) {
        return fail(trial, "put \"%.*s\", but revision %" PRId64 " is another change", shown(op->key),
                    (const char *)op->key.data, trial->revision);
    }
    uint64_t value = op->flags & KV_IGNORE_VALUE && before ? before->value : check_value_digest(op->value);
    int64_t lease = op->flags & KV_IGNORE_LEASE && before ? before->lease : op->lease;
    bool is_inherited = op->flags & (KV_IGNORE_VALUE | KV_IGNORE_LEASE) && !before;
    if (!is_inherited && (change->value != value || change->lease != lease)) {
        return fail(trial, "put \"%.*s\", but another value or lease stands at revision %" PRId64,
                    shown(op->key), (const char *)op->key.data, trial->revision);
    }
    if (before && !trial->is_open && !previous_is_right(trial, op, result, 0, before)) {
        return false;
    }
    if (!before && !trial->is_open && op->flags & KV_PREV_KV && result->record_count > 0) {
        return fail(trial, "told of a \"%.*s\" before it existed", shown(op->key),
                    (const char *)op->key.data);
    }
    trial->sub++;
    return true;
}

static bool try_delete(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    struct base_map_cursor cursor = base_map_seek(&trial->store->map, op->key);
    uint32_t count = 0;
    int64_t sub = trial->sub;
    for (;;) {
        const struct check_key *key = base_map_next(&cursor);
        if (is_past(op, key)) {
            break;
        }
        /* What this very operation deleted is gone one key at a time. */
        const struct check_change *version =
            check_store_version(trial->store, key, trial->revision, trial->is_writer ? sub : INT64_MAX);
        if (!version) {
            continue;
        }
        if (!trial->is_writer) {
            return fail(trial, "left \"%.*s\" of revision %" PRId64, shown(key->name),
                        (const char *)key->name.data, version->revision);
        }
        const struct check_change *change = next_change(trial);
        if (!change || !change->is_delete || change->key != key) {
            return fail(trial, "deleted \"%.*s\", but revision %" PRId64 " is another change",
                        shown(key->name), (const char *)key->name.data, trial->revision);
        }
        if (!previous_is_right(trial, op, result, count, version)) {
            return false;
        }
        trial->sub++;
        count++;
    }
    if (trial->store->is_partial && result->count >= count) {
        trial->is_open = true; /* The others may be among what nobody told of. */
        return true;
    }
    if (result->count != count) {
        return fail(trial, "deleted %" PRId64 " keys, expected %" PRIu32, result->count, count);
    }
    return true;
}

enum guard { GUARD_FALSE, GUARD_TRUE, GUARD_OPEN };

static enum guard relate(int64_t order, enum kv_relation relation)
{
    switch (relation) {
    case KV_EQUAL:
        return order == 0 ? GUARD_TRUE : GUARD_FALSE;
    case KV_NOT_EQUAL:
        return order != 0 ? GUARD_TRUE : GUARD_FALSE;
    case KV_LESS:
        return order < 0 ? GUARD_TRUE : GUARD_FALSE;
    case KV_GREATER:
        return order > 0 ? GUARD_TRUE : GUARD_FALSE;
    }
    return GUARD_OPEN;
}

static int64_t order_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static enum guard compare_one(const struct kv_compare *compare, const struct check_change *version)
{
    switch (compare->target) {
    case KV_COMPARE_VERSION:
        return relate(order_of(version ? version->version : 0, compare->number), compare->relation);
    case KV_COMPARE_CREATE:
        return relate(order_of(version ? version->create_revision : 0, compare->number), compare->relation);
    case KV_COMPARE_MOD:
        return relate(order_of(version ? version->revision : 0, compare->number), compare->relation);
    case KV_COMPARE_LEASE:
        return relate(order_of(version ? version->lease : 0, compare->number), compare->relation);
    case KV_COMPARE_VALUE:
        break;
    }
    if (!version) {
        return GUARD_FALSE;
    }
    bool is_equal = version->value == check_value_digest(compare->value);
    if (!is_equal && (compare->relation == KV_LESS || compare->relation == KV_GREATER)) {
        return GUARD_OPEN; /* Digests have no order. */
    }
    return relate(is_equal ? 0 : 1, compare->relation);
}

static enum guard compare_keys(struct check_trial *trial, const struct kv_compare *compare)
{
    if (compare->range_end.size == 0) {
        const struct check_change *version = seen_name(trial, compare->key);
        return trial->is_open ? GUARD_OPEN : compare_one(compare, version);
    }
    if (trial->store->is_partial) {
        return GUARD_OPEN;
    }
    struct base_map_cursor cursor = base_map_seek(&trial->store->map, compare->key);
    bool is_any = false;
    for (;;) {
        const struct check_key *key = base_map_next(&cursor);
        if (!key || !check_range_has(compare->key, compare->range_end, key->name)) {
            break;
        }
        const struct check_change *version = seen(trial, key);
        enum guard guard = version ? compare_one(compare, version) : GUARD_TRUE;
        is_any |= version != NULL;
        if (guard != GUARD_TRUE) {
            return guard;
        }
    }
    return is_any ? GUARD_TRUE : compare_one(compare, NULL);
}

/* Guards see what was before the whole transaction. */
static enum guard compare_all(const struct check_trial *trial, const struct kv_txn *txn)
{
    struct check_trial before = *trial;
    before.sub = 0;
    enum guard all = GUARD_TRUE;
    for (uint32_t slot = 0; slot < txn->compare_count; slot++) {
        enum guard guard = compare_keys(&before, &txn->compares[slot]);
        if (guard == GUARD_FALSE) {
            return GUARD_FALSE;
        }
        if (guard == GUARD_OPEN) {
            all = GUARD_OPEN;
        }
    }
    return all;
}

static bool try_op(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result);

static bool try_txn(struct check_trial *trial, const struct kv_txn *txn, const struct kv_result *result)
{
    enum guard guard = compare_all(trial, txn);
    if (guard != GUARD_OPEN && result->succeeded != (guard == GUARD_TRUE)) {
        return fail(trial, "took the %s branch, expected the other",
                    result->succeeded ? "success" : "failure");
    }
    const struct kv_op *ops = result->succeeded ? txn->success : txn->failure;
    uint32_t count = result->succeeded ? txn->success_count : txn->failure_count;
    if (result->result_count != count) {
        return fail(trial, "gave %" PRIu32 " results, expected %" PRIu32, result->result_count, count);
    }
    for (uint32_t slot = 0; slot < count; slot++) {
        if (!try_op(trial, &ops[slot], &result->results[slot])) {
            return false;
        }
    }
    return true;
}

static bool try_op(struct check_trial *trial, const struct kv_op *op, const struct kv_result *result)
{
    switch (op->kind) {
    case KV_RANGE:
        return try_range(trial, op, result);
    case KV_PUT:
        return try_put(trial, op, result);
    case KV_DELETE_RANGE:
        return try_delete(trial, op, result);
    case KV_TXN:
        return try_txn(trial, op->txn, result);
    }
    return true;
}

static void begin(struct check_trial *trial, const struct check_store *store, int64_t revision,
                  bool is_writer)
{
    *trial = (struct check_trial){.store = store, .revision = revision, .is_writer = is_writer};
}

enum check_verdict check_answer(struct check_trial *trial, const struct check_store *store,
                                const struct kv_op *op, const struct kv_result *result, int64_t revision)
{
    begin(trial, store, revision, false);
    if (revision < store->known_from) {
        return CHECK_OPEN;
    }
    bool is_writer = false;
    if (check_op_writes(op) && revision > store->known_from) {
        begin(trial, store, revision, true);
        uint64_t first = 0;
        is_writer = try_op(trial, op, result) && trial->sub > 0;
        if (is_writer && trial->sub != (int64_t)check_store_at(store, revision, &first)) {
            is_writer = fail(trial, "made %" PRId64 " changes, but revision %" PRId64 " has more", trial->sub,
                             revision);
        }
        if (is_writer) {
            return trial->is_open ? CHECK_OPEN : CHECK_RIGHT;
        }
    }
    struct check_trial reader;
    begin(&reader, store, revision, false);
    if (try_op(&reader, op, result)) {
        *trial = reader;
        return trial->is_open ? CHECK_OPEN : CHECK_RIGHT;
    }
    if (!check_op_writes(op) || op->kind == KV_DELETE_RANGE || trial->reason[0] == '\0') {
        *trial = reader;
    }
    return CHECK_WRONG;
}
