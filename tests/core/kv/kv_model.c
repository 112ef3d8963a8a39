/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/kv/kv_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const key_names[MODEL_KEYS] = {"a",  "a\x01", "aa", "ab", "abc", "b",
                                                  "ba", "c",     "ca", "cc", "d",   "\xff\xff"};

/* SplitMix64. */
void model_random_init(struct model_random *random, uint64_t seed)
{
    random->state = seed;
}

uint64_t model_random_below(struct model_random *random, uint64_t bound)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (mixed ^ (mixed >> 31)) % bound;
}

void model_init(struct model *model)
{
    *model = (struct model){.revision = 1};
}

void model_release(struct model *model)
{
    free(model->changes);
    *model = (struct model){0};
}

struct base_bytes model_key(uint32_t number)
{
    assert(number < MODEL_KEYS);
    return base_bytes_of(key_names[number]);
}

uint32_t model_key_number(struct base_bytes key)
{
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        if (base_bytes_equal(model_key(number), key)) {
            return number;
        }
    }
    assert(false);
    return 0;
}

struct base_bytes model_range_end(uint32_t end)
{
    static const uint8_t zero[1] = {0};
    if (end == MODEL_END_NONE) {
        return (struct base_bytes){0};
    }
    return end == MODEL_END_OPEN ? (struct base_bytes){.data = zero, .size = 1} : model_key(end);
}

/* Keys stand in order, so a range is one of numbers. */
static bool is_in(uint32_t key, struct base_bytes begin, struct base_bytes end)
{
    uint32_t first = model_key_number(begin);
    if (end.size == 0) {
        return key == first;
    }
    if (end.size == 1 && end.data[0] == 0) {
        return key >= first;
    }
    return key >= first && key < model_key_number(end);
}

const struct model_change *model_at(const struct model *model, uint32_t key, int64_t revision)
{
    const struct model_change *found = NULL;
    for (size_t i = 0; i < model->count; i++) {
        if (model->changes[i].key == key && model->changes[i].main <= revision) {
            found = &model->changes[i];
        }
    }
    return found && found->version > 0 ? found : NULL;
}

enum base_status model_read_status(const struct model *model, int64_t revision)
{
    if (revision > model->revision) {
        return BASE_FUTURE_REVISION;
    }
    return revision < model->compacted ? BASE_COMPACTED : BASE_OK;
}

uint32_t model_changes_at(const struct model *model, int64_t main)
{
    uint32_t count = 0;
    for (size_t i = 0; i < model->count; i++) {
        count += model->changes[i].main == main;
    }
    return count;
}

static struct model_change *push(struct model *model, uint32_t key)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 64 : 2 * model->capacity;
        model->changes = realloc(model->changes, model->capacity * sizeof *model->changes);
        assert(model->changes);
    }
    int64_t main = model->revision + 1;
    struct model_change *change = &model->changes[model->count];
    *change = (struct model_change){.key = key, .main = main, .sub = model_changes_at(model, main)};
    model->count++;
    return change;
}

static void commit(struct model *model)
{
    if (model_changes_at(model, model->revision + 1) > 0) {
        model->revision++;
    }
}

/* One execution's puts and deletions. */
struct touched {
    bool is_put[MODEL_KEYS];
    uint32_t deletion_count;
    const struct kv_op *deletions[256];
    bool is_conflict;
};

static void touch(const struct kv_op *ops, uint32_t count, uint32_t choices, uint32_t *txn_number,
                  struct touched *touched)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct kv_op *op = &ops[i];
        if (op->kind == KV_PUT) {
            bool *is_put = &touched->is_put[model_key_number(op->key)];
            touched->is_conflict |= *is_put;
            *is_put = true;
        } else if (op->kind == KV_DELETE_RANGE) {
            touched->deletions[touched->deletion_count++] = op;
        } else if (op->kind == KV_TXN) {
            bool success = (choices >> (*txn_number)++ & 1) != 0;
            touch(success ? op->txn->success : op->txn->failure,
                  success ? op->txn->success_count : op->txn->failure_count, choices, txn_number, touched);
        }
    }
}

/* Is there a way through the transaction that puts a key twice, or puts one that
 * it deletes? All ways are tried: one bit for each transaction met on the way. */
static bool has_conflict(const struct kv_op *op)
{
    uint32_t met_max = 0;
    for (uint32_t choices = 0; choices < (UINT32_C(1) << met_max) || choices == 0; choices++) {
        struct touched touched = {0};
        uint32_t met = 0;
        touch(op, 1, choices, &met, &touched);
        met_max = met_max < met ? met : met_max;
        assert(met_max < 20);
        for (uint32_t i = 0; i < touched.deletion_count; i++) {
            for (uint32_t key = 0; key < MODEL_KEYS; key++) {
                touched.is_conflict |= touched.is_put[key] &&
                                       is_in(key, touched.deletions[i]->key, touched.deletions[i]->range_end);
            }
        }
        if (touched.is_conflict) {
            return true;
        }
    }
    return false;
}

static enum base_status check(const struct kv_op *op)
{
    if (op->kind == KV_TXN) {
        for (uint32_t i = 0; i < op->txn->success_count; i++) {
            enum base_status status = check(&op->txn->success[i]);
            if (status != BASE_OK) {
                return status;
            }
        }
        for (uint32_t i = 0; i < op->txn->failure_count; i++) {
            enum base_status status = check(&op->txn->failure[i]);
            if (status != BASE_OK) {
                return status;
            }
        }
        return BASE_OK;
    }
    if (op->kind == KV_PUT && (op->flags & KV_IGNORE_VALUE) && op->value.size > 0) {
        return BASE_VALUE_PROVIDED;
    }
    if (op->kind == KV_PUT && (op->flags & KV_IGNORE_LEASE) && op->lease != 0) {
        return BASE_LEASE_PROVIDED;
    }
    return op->key.size == 0 ? BASE_EMPTY_KEY : BASE_OK;
}

static bool holds(enum kv_relation relation, int64_t difference)
{
    return relation == KV_EQUAL       ? difference == 0
           : relation == KV_NOT_EQUAL ? difference != 0
           : relation == KV_LESS      ? difference < 0
                                      : difference > 0;
}

static bool compare_holds_for(const struct kv_compare *compare, const struct model_change *change)
{
    static const struct model_change nothing = {0};
    const struct model_change *held = change ? change : &nothing;
    if (compare->target == KV_COMPARE_VALUE) {
        struct base_bytes value = {.data = held->value, .size = held->value_size};
        return change && holds(compare->relation, base_bytes_compare(value, compare->value));
    }
    int64_t number = compare->target == KV_COMPARE_VERSION  ? held->version
                     : compare->target == KV_COMPARE_CREATE ? held->create
                     : compare->target == KV_COMPARE_MOD    ? held->main
                                                            : held->lease;
    return holds(compare->relation, number - compare->number);
}

static bool compares_hold(const struct model *model, const struct kv_txn *txn)
{
    for (uint32_t i = 0; i < txn->compare_count; i++) {
        bool is_empty = true;
        for (uint32_t key = 0; key < MODEL_KEYS; key++) {
            const struct model_change *change = model_at(model, key, model->revision);
            if (change && is_in(key, txn->compares[i].key, txn->compares[i].range_end)) {
                is_empty = false;
                if (!compare_holds_for(&txn->compares[i], change)) {
                    return false;
                }
            }
        }
        if (is_empty && !compare_holds_for(&txn->compares[i], NULL)) {
            return false;
        }
    }
    return true;
}

/* Would executing the operation on the state as it is be refused? */
static enum base_status refusal(const struct model *model, const struct kv_op *op, const bool *leases)
{
    if (op->kind == KV_RANGE) {
        return op->revision <= 0 ? BASE_OK : model_read_status(model, op->revision);
    }
    if (op->kind == KV_PUT) {
        const struct model_change *before = model_at(model, model_key_number(op->key), model->revision);
        if ((op->flags & (KV_IGNORE_VALUE | KV_IGNORE_LEASE)) && !before) {
            return BASE_KEY_NOT_FOUND;
        }
        int64_t lease = (op->flags & KV_IGNORE_LEASE) ? before->lease : op->lease;
        return lease != 0 && !leases[lease] ? BASE_LEASE_NOT_FOUND : BASE_OK;
    }
    if (op->kind == KV_TXN) {
        bool success = compares_hold(model, op->txn);
        uint32_t count = success ? op->txn->success_count : op->txn->failure_count;
        for (uint32_t i = 0; i < count; i++) {
            enum base_status status =
                refusal(model, success ? &op->txn->success[i] : &op->txn->failure[i], leases);
            if (status != BASE_OK) {
                return status;
            }
        }
    }
    return BASE_OK;
}

static int64_t sort_difference(enum kv_sort_target target, const struct model_change *a,
                               const struct model_change *b)
{
    switch (target) {
    case KV_SORT_KEY:
        return (int64_t)a->key - (int64_t)b->key;
    case KV_SORT_VERSION:
        return a->version - b->version;
    case KV_SORT_CREATE:
        return a->create - b->create;
    case KV_SORT_MOD:
        return a->main - b->main;
    case KV_SORT_VALUE:
        break;
    }
    return base_bytes_compare((struct base_bytes){.data = a->value, .size = a->value_size},
                              (struct base_bytes){.data = b->value, .size = b->value_size});
}

/* Insertion sort, equal ones in the order of their keys. */
static void sort_records(const struct kv_op *op, struct model_answer *answer)
{
    for (uint32_t i = 1; i < answer->record_count; i++) {
        for (uint32_t j = i; j > 0; j--) {
            struct model_change *left = &answer->records[j - 1];
            struct model_change *right = &answer->records[j];
            int64_t difference = sort_difference(op->sort_target, left, right);
            difference = op->sort_order == KV_SORT_DESCEND ? -difference : difference;
            if (difference > 0) {
                struct model_change swap = *left;
                *left = *right;
                *right = swap;
            }
        }
    }
}

static void do_range(const struct model *model, const struct kv_op *op, struct model_answer *answer)
{
    for (uint32_t key = 0; key < MODEL_KEYS; key++) {
        const struct model_change *change = model_at(model, key, op->revision > 0 ? op->revision : INT64_MAX);
        if (change && is_in(key, op->key, op->range_end)) {
            answer->records[answer->record_count++] = *change;
        }
    }
    answer->count = answer->record_count;
    sort_records(op, answer);
    if (op->flags & KV_COUNT_ONLY) {
        answer->record_count = 0;
    } else if (op->limit > 0 && op->limit < answer->record_count) {
        answer->record_count = (uint32_t)op->limit;
        answer->more = true;
    }
}

static void do_put(struct model *model, const struct kv_op *op, struct model_answer *answer)
{
    uint32_t key = model_key_number(op->key);
    const struct model_change *found = model_at(model, key, INT64_MAX);
    bool was_there = found != NULL;
    struct model_change before = {0};
    if (was_there) {
        before = *found;
    }
    if (was_there && (op->flags & KV_PREV_KV)) {
        answer->records[answer->record_count++] = before;
    }
    struct model_change *change = push(model, key);
    change->create = was_there ? before.create : change->main;
    change->version = before.version + 1;
    change->lease = (op->flags & KV_IGNORE_LEASE) ? before.lease : op->lease;
    struct base_bytes value = op->value;
    if (op->flags & KV_IGNORE_VALUE) {
        value = (struct base_bytes){.data = before.value, .size = before.value_size};
    }
    change->value_size = value.size;
    memcpy(change->value, value.data, value.size);
}

static void do_delete(struct model *model, const struct kv_op *op, struct model_answer *answer)
{
    for (uint32_t key = 0; key < MODEL_KEYS; key++) {
        const struct model_change *before = model_at(model, key, INT64_MAX);
        if (before && is_in(key, op->key, op->range_end)) {
            answer->count++;
            if (op->flags & KV_PREV_KV) {
                answer->records[answer->record_count++] = *before;
            }
            push(model, key);
        }
    }
}

static void execute(struct model *model, const struct kv_op *op, struct model_answer *answer)
{
    *answer = (struct model_answer){.kind = op->kind, .flags = op->flags};
    switch (op->kind) {
    case KV_RANGE:
        do_range(model, op, answer);
        return;
    case KV_PUT:
        do_put(model, op, answer);
        return;
    case KV_DELETE_RANGE:
        do_delete(model, op, answer);
        return;
    case KV_TXN:
        break;
    }
    /* The revision is still the one before: compares see the state before. */
    answer->succeeded = compares_hold(model, op->txn);
    answer->result_count = answer->succeeded ? op->txn->success_count : op->txn->failure_count;
    answer->results = calloc(answer->result_count + 1, sizeof *answer->results);
    assert(answer->results);
    for (uint32_t i = 0; i < answer->result_count; i++) {
        execute(model, answer->succeeded ? &op->txn->success[i] : &op->txn->failure[i], &answer->results[i]);
    }
}

struct model_answer *model_apply(struct model *model, const struct kv_op *op, const bool *leases)
{
    struct model_answer *answer = calloc(1, sizeof *answer);
    assert(answer);
    answer->status = check(op);
    if (answer->status == BASE_OK && op->kind == KV_TXN && has_conflict(op)) {
        answer->status = BASE_DUPLICATE_KEY;
    }
    if (answer->status == BASE_OK) {
        answer->status = refusal(model, op, leases);
    }
    if (answer->status == BASE_OK) {
        execute(model, op, answer);
        commit(model);
    }
    return answer;
}

static void results_free(struct model_answer *answer)
{
    for (uint32_t i = 0; i < answer->result_count; i++) {
        results_free(&answer->results[i]);
    }
    free(answer->results);
}

void model_answer_free(struct model_answer *answer)
{
    results_free(answer);
    free(answer);
}

uint32_t model_revoke(struct model *model, int64_t lease)
{
    uint32_t count = 0;
    for (uint32_t key = 0; key < MODEL_KEYS; key++) {
        const struct model_change *change = model_at(model, key, INT64_MAX);
        if (change && change->lease == lease) {
            push(model, key);
            count++;
        }
    }
    commit(model);
    return count;
}

enum base_status model_compact(struct model *model, int64_t revision)
{
    if (revision <= model->compacted) {
        return BASE_COMPACTED;
    }
    if (revision > model->revision) {
        return BASE_FUTURE_REVISION;
    }
    model->compacted = revision;
    return BASE_OK;
}

static void expect_record(const struct model_change *expected, const struct kv_record *record, bool has_value)
{
    assert(model_key_number(record->key) == expected->key);
    assert(record->create_revision == expected->create);
    assert(record->mod_revision == expected->main);
    assert(record->version == expected->version);
    assert(record->lease == expected->lease);
    struct base_bytes value = {.data = expected->value, .size = has_value ? expected->value_size : 0};
    assert(base_bytes_equal(record->value, value));
}

void model_expect_result(const struct model_answer *expected, const struct kv_result *result)
{
    assert(result->kind == expected->kind);
    assert(result->succeeded == expected->succeeded);
    assert(result->more == expected->more);
    assert(result->count == expected->count);
    assert(result->record_count == expected->record_count);
    assert(result->result_count == expected->result_count);
    bool has_values = expected->kind != KV_RANGE || !(expected->flags & KV_KEYS_ONLY);
    for (uint32_t i = 0; i < result->record_count; i++) {
        expect_record(&expected->records[i], &result->records[i], has_values);
    }
    for (uint32_t i = 0; i < result->result_count; i++) {
        model_expect_result(&expected->results[i], &result->results[i]);
    }
}

static void expect_event(const struct model *model, const struct model_change *change,
                         const struct kv_event *event, int64_t compacted, bool previous)
{
    assert(event->is_delete == (change->version == 0));
    expect_record(change, &event->record, true);
    const struct model_change *before = model_at(model, change->key, change->main - 1);
    bool has_previous = previous && before && change->main > compacted;
    assert(event->has_previous == has_previous);
    if (has_previous) {
        expect_record(before, &event->previous, true);
    }
}

void model_expect_event(const struct model *model, const struct kv_event *event, int64_t sub, bool is_new)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->changes[i].main == event->record.mod_revision && model->changes[i].sub == sub) {
            expect_event(model, &model->changes[i], event, is_new ? 0 : model->compacted, true);
            return;
        }
    }
    assert(false);
}

void model_expect_events(const struct model *model, const struct model_filter *filter, int64_t from,
                         int64_t to, const struct kv_event *events, uint32_t count, bool previous)
{
    uint32_t at = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct model_change *change = &model->changes[i];
        bool is_wanted = change->main >= from && change->main <= to &&
                         is_in(change->key, model_key(filter->key), model_range_end(filter->end)) &&
                         !(change->version == 0 ? filter->no_delete : filter->no_put);
        if (is_wanted) {
            assert(at < count);
            expect_event(model, change, &events[at], model->compacted, previous);
            at++;
        }
    }
    assert(at == count);
}
