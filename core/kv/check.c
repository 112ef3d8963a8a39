/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/store.h"

#include <assert.h>

static bool is_sane_size(struct base_bytes bytes)
{
    return bytes.size <= KV_BYTES_MAX;
}

static enum base_status check_key(const struct kv_op *op)
{
    if (op->key.size == 0) {
        return BASE_EMPTY_KEY;
    }
    if (!is_sane_size(op->key) || !is_sane_size(op->range_end) || !is_sane_size(op->value)) {
        return BASE_REQUEST_TOO_LARGE;
    }
    return BASE_OK;
}

static enum base_status check_range(const struct kv_op *op)
{
    if (op->sort_target < KV_SORT_KEY || op->sort_target > KV_SORT_VALUE || op->sort_order < KV_SORT_NONE ||
        op->sort_order > KV_SORT_DESCEND) {
        return BASE_INVALID;
    }
    return check_key(op);
}

static enum base_status check_put(const struct kv_op *op)
{
    if ((op->flags & KV_IGNORE_VALUE) && op->value.size > 0) {
        return BASE_VALUE_PROVIDED;
    }
    if ((op->flags & KV_IGNORE_LEASE) && op->lease != 0) {
        return BASE_LEASE_PROVIDED;
    }
    return check_key(op);
}

static enum base_status check_compare(const struct kv_compare *compare)
{
    if (compare->target < KV_COMPARE_VERSION || compare->target > KV_COMPARE_LEASE ||
        compare->relation < KV_EQUAL || compare->relation > KV_GREATER) {
        return BASE_INVALID;
    }
    return compare->key.size == 0 ? BASE_EMPTY_KEY : BASE_OK;
}

static bool ops_conflict(const struct kv_op *a, const struct kv_op *b);

static bool branch_conflicts(const struct kv_op *ops, uint32_t count, const struct kv_op *other)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ops_conflict(&ops[i], other)) {
            return true;
        }
    }
    return false;
}

/* Would both, done in one transaction, touch a key of which one is a put? */
static bool ops_conflict(const struct kv_op *a, const struct kv_op *b)
{
    if (a->kind != KV_TXN && b->kind == KV_TXN) {
        return ops_conflict(b, a);
    }
    if (a->kind == KV_TXN) {
        return branch_conflicts(a->txn->success, a->txn->success_count, b) ||
               branch_conflicts(a->txn->failure, a->txn->failure_count, b);
    }
    if (a->kind == KV_PUT && b->kind == KV_PUT) {
        return base_bytes_equal(a->key, b->key);
    }
    if (a->kind == KV_PUT && b->kind == KV_DELETE_RANGE) {
        return kv_in_range(a->key, b->key, b->range_end);
    }
    if (a->kind == KV_DELETE_RANGE && b->kind == KV_PUT) {
        return kv_in_range(b->key, a->key, a->range_end);
    }
    return false;
}

/* Two operations can both happen when they stand in one branch, or below two
 * operations of one; the opposite branches of a transaction exclude each other.
 * Puts alone in rising order need no second look. */
static bool branch_has_conflict(const struct kv_op *ops, uint32_t count)
{
    const struct kv_op *highest = NULL;
    bool is_rising = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct kv_op *op = &ops[i];
        if (op->kind == KV_RANGE) {
            continue;
        }
        if (op->kind == KV_PUT && is_rising && (!highest || base_bytes_compare(highest->key, op->key) < 0)) {
            highest = op;
            continue;
        }
        is_rising = false;
        if (branch_conflicts(ops, i, op)) {
            return true;
        }
        if (op->kind == KV_TXN && (branch_has_conflict(op->txn->success, op->txn->success_count) ||
                                   branch_has_conflict(op->txn->failure, op->txn->failure_count))) {
            return true;
        }
    }
    return false;
}

static enum base_status check_op(const struct kv_op *op, uint32_t ops_max, uint32_t depth);

static enum base_status check_branch(const struct kv_op *ops, uint32_t count, uint32_t ops_max,
                                     uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        enum base_status status = check_op(&ops[i], ops_max, depth + 1);
        if (status != BASE_OK) {
            return status;
        }
    }
    return BASE_OK;
}

/* What a transaction uses up of `ops_max` is gone for those inside it. */
static enum base_status check_txn(const struct kv_txn *txn, uint32_t ops_max, uint32_t depth)
{
    if (!txn) {
        return BASE_INVALID;
    }
    uint32_t used = txn->compare_count;
    used = used < txn->success_count ? txn->success_count : used;
    used = used < txn->failure_count ? txn->failure_count : used;
    if (used > ops_max || depth >= KV_DEPTH_MAX) {
        return BASE_TOO_MANY_OPERATIONS;
    }
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        enum base_status status = check_compare(&txn->compares[i]);
        if (status != BASE_OK) {
            return status;
        }
    }
    enum base_status status = check_branch(txn->success, txn->success_count, ops_max - used, depth);
    return status != BASE_OK ? status : check_branch(txn->failure, txn->failure_count, ops_max - used, depth);
}

static enum base_status check_op(const struct kv_op *op, uint32_t ops_max, uint32_t depth)
{
    switch (op->kind) {
    case KV_RANGE:
        return check_range(op);
    case KV_PUT:
        return check_put(op);
    case KV_DELETE_RANGE:
        return check_key(op);
    case KV_TXN:
        return check_txn(op->txn, ops_max, depth);
    }
    return BASE_INVALID;
}

enum base_status kv_check(const struct kv_op *op, uint32_t ops_max)
{
    enum base_status status = check_op(op, ops_max, 0);
    if (status != BASE_OK || op->kind != KV_TXN) {
        return status;
    }
    if (branch_has_conflict(op->txn->success, op->txn->success_count) ||
        branch_has_conflict(op->txn->failure, op->txn->failure_count)) {
        return BASE_DUPLICATE_KEY;
    }
    return BASE_OK;
}

static bool read_only(const struct kv_op *op, uint32_t depth)
{
    if (op->kind != KV_TXN) {
        return op->kind == KV_RANGE;
    }
    if (!op->txn || depth >= KV_DEPTH_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < op->txn->success_count; i++) {
        if (!read_only(&op->txn->success[i], depth + 1)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < op->txn->failure_count; i++) {
        if (!read_only(&op->txn->failure[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

bool kv_is_read_only(const struct kv_op *op)
{
    return read_only(op, 0);
}
