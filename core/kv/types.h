/* What is asked of the store and what it answers, as plain data: the fields
 * and their meaning are etcd's (etcd-behaviour §6). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_KV_TYPES_H
#define CORE_KV_TYPES_H

#include "core/base/bytes.h"

/* A key with one of its values. */
struct kv_record {
    struct base_bytes key;
    struct base_bytes value;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version; /* From 1 at each creation; 0 in a deletion. */
    int64_t lease;   /* 0 is none. */
};

enum kv_op_kind { KV_RANGE, KV_PUT, KV_DELETE_RANGE, KV_TXN };

enum kv_sort_target { KV_SORT_KEY, KV_SORT_VERSION, KV_SORT_CREATE, KV_SORT_MOD, KV_SORT_VALUE };
enum kv_sort_order { KV_SORT_NONE, KV_SORT_ASCEND, KV_SORT_DESCEND };

enum kv_op_flag {
    KV_PREV_KV = 1,
    KV_IGNORE_VALUE = 2,
    KV_IGNORE_LEASE = 4,
    KV_KEYS_ONLY = 8,
    KV_COUNT_ONLY = 16,
    KV_SERIALIZABLE = 32
};

/* Keys and values are shorter than this, and transactions nest less deep. */
#define KV_BYTES_MAX UINT32_C(0x3fffffff)
#define KV_DEPTH_MAX 128

struct kv_txn;

/* One operation. `range_end` empty: the one key; one zero byte: every key from
 * `key` on; else the keys in [key, range_end). */
struct kv_op {
    enum kv_op_kind kind;
    uint32_t flags; /* enum kv_op_flag */
    struct base_bytes key;
    struct base_bytes range_end;
    struct base_bytes value;
    int64_t lease;
    int64_t revision; /* Range: at this revision; <= 0 is the newest. */
    int64_t limit;    /* Range: at most this many records; 0 is all. */
    enum kv_sort_target sort_target;
    enum kv_sort_order sort_order;
    const struct kv_txn *txn; /* KV_TXN only. */
};

enum kv_compare_target {
    KV_COMPARE_VERSION,
    KV_COMPARE_CREATE,
    KV_COMPARE_MOD,
    KV_COMPARE_VALUE,
    KV_COMPARE_LEASE
};
enum kv_relation { KV_EQUAL, KV_NOT_EQUAL, KV_LESS, KV_GREATER };

struct kv_compare {
    struct base_bytes key;
    struct base_bytes range_end;
    enum kv_compare_target target;
    enum kv_relation relation;
    int64_t number;          /* What the target is held against, */
    struct base_bytes value; /* or this, for KV_COMPARE_VALUE. */
};

struct kv_txn {
    uint32_t compare_count;
    uint32_t success_count;
    uint32_t failure_count;
    const struct kv_compare *compares;
    const struct kv_op *success;
    const struct kv_op *failure;
};

/* The answer to one operation. Records and their bytes are borrowed from where
 * the answer was made (store or decoder). */
struct kv_result {
    enum kv_op_kind kind;
    bool succeeded; /* KV_TXN */
    bool more;      /* KV_RANGE */
    int64_t count;  /* KV_RANGE: keys in the whole range; KV_DELETE_RANGE: deleted. */
    uint32_t record_count;
    uint32_t result_count;
    const struct kv_record *records; /* KV_RANGE: found; KV_PUT, KV_DELETE_RANGE with KV_PREV_KV: before. */
    const struct kv_result *results; /* KV_TXN: of the branch taken. */
};

enum kv_watch_flag {
    KV_WATCH_PREV_KV = 1,
    KV_WATCH_NO_PUT = 2,
    KV_WATCH_NO_DELETE = 4,
    KV_WATCH_FRAGMENT = 8, /* What is too large for one message may come in parts. */
    KV_WATCH_PROGRESS = 16 /* Notices of progress while there is nothing else. */
};

/* One change of one key, as a watcher sees it. */
struct kv_event {
    bool is_delete;
    struct kv_record record; /* For a deletion: key and mod_revision only. */
    bool has_previous;
    struct kv_record previous;
};

#endif
