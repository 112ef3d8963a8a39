/* The slow obvious twin of the store: a list of all changes ever made, over a few
 * keys known by number. Nothing is ever removed from it; what compaction would
 * have taken is left out when looking. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_KV_KV_MODEL_H
#define TESTS_CORE_KV_KV_MODEL_H

#include "core/kv/kv.h"

enum { MODEL_KEYS = 12, MODEL_LEASES = 8, MODEL_END_NONE = MODEL_KEYS, MODEL_END_OPEN = MODEL_KEYS + 1 };

struct model_random {
    uint64_t state;
};

void model_random_init(struct model_random *random, uint64_t seed);
uint64_t model_random_below(struct model_random *random, uint64_t bound);

struct model_leases {
    bool exists[MODEL_LEASES];
    int64_t of_key[MODEL_KEYS];
};

struct model_change {
    uint32_t key;
    int64_t main;
    int64_t sub;
    int64_t create;
    int64_t version; /* 0: a deletion. */
    int64_t lease;
    size_t value_size;
    uint8_t value[4];
};

struct model {
    struct model_change *changes; /* In order. */
    size_t count;
    size_t capacity;
    int64_t revision;
    int64_t compacted;
};

void model_init(struct model *model);
void model_release(struct model *model);

/* The keys in order, by number. */
struct base_bytes model_key(uint32_t number);
uint32_t model_key_number(struct base_bytes key);
struct base_bytes model_range_end(uint32_t end);

/* The live version of a key at a main revision. */
const struct model_change *model_at(const struct model *model, uint32_t key, int64_t revision);
/* Could somebody read at this revision? */
enum base_status model_read_status(const struct model *model, int64_t revision);
uint32_t model_changes_at(const struct model *model, int64_t main);

/* What an operation must answer. */
struct model_answer {
    enum base_status status;
    enum kv_op_kind kind;
    bool succeeded;
    bool more;
    int64_t count;
    uint32_t flags;
    uint32_t record_count;
    struct model_change records[MODEL_KEYS];
    uint32_t result_count;
    struct model_answer *results;
};

struct model_answer *model_apply(struct model *model, const struct kv_op *op, const bool *leases);
void model_answer_free(struct model_answer *answer);
uint32_t model_revoke(struct model *model, int64_t lease);
enum base_status model_compact(struct model *model, int64_t revision);

/* These assert that the store's answer is the twin's. */
void model_expect_result(const struct model_answer *expected, const struct kv_result *result);
/* `is_new`: the store says it as it happens, whatever was compacted since. */
void model_expect_event(const struct model *model, const struct kv_event *event, int64_t sub, bool is_new);

struct model_filter {
    uint32_t key;
    uint32_t end; /* A key's number, or one of MODEL_END_. */
    bool no_put;
    bool no_delete;
};

/* Are the events all those of [from, to] that pass, in order? */
void model_expect_events(const struct model *model, const struct model_filter *filter, int64_t from,
                         int64_t to, const struct kv_event *events, uint32_t count, bool previous);

#endif
