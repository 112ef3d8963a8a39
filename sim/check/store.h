/* The reference: one store that holds what the log did, entered by whichever
 * member applies an entry first, and held against every other member and every
 * answer. Values are digests; the newest changes are kept, and the newest version
 * of every key. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_STORE_H
#define SIM_CHECK_STORE_H

#include "core/base/map.h"
#include "core/base/status.h"
#include "core/kv/types.h"
#include "core/raft/types.h"
#include "sim/check/table.h"

struct check;
struct check_key;
struct check_member;

/* One change of one key. */
struct check_change {
    int64_t revision;
    uint32_t sub; /* Its place within the revision, from 0. */
    bool is_delete;
    bool is_claimed; /* (sub 0) A client was told that this revision is its own. */
    struct check_key *key;
    uint64_t value; /* Digest. */
    int64_t create_revision;
    int64_t version;
    int64_t lease;
    uint64_t before; /* The key's change before this one; 0 none. */
};

struct check_key {
    struct base_bytes name;
    uint64_t hash;   /* Its place in the table. */
    uint64_t newest; /* Sequence number of its newest change; 0: only `base`. */
    bool has_base;
    struct check_change base; /* The newest version that is no longer kept as a change. */
    uint32_t slot;            /* In the store's list. */
    uint8_t bytes[];
};

/* What an entry did, the same for everybody. */
struct check_effect {
    int64_t revision;
    enum base_status status;
};

struct check_print {
    raft_index index;
    int64_t revision;
    uint64_t hash;
    uint32_t machine;
};

enum { CHECK_PRINTS = 64 };

struct check_store {
    /* Changes by sequence number, from 1, kept modulo the capacity: [kept, next). */
    struct check_change *changes;
    uint32_t capacity;
    uint64_t kept;
    uint64_t next;
    int64_t revision;   /* Newest; 1 is the empty store's. */
    int64_t known_from; /* The content at this revision and later is known. */
    int64_t compacted;
    bool is_partial; /* It began with a content nobody told of. */
    /* Effects by index, kept modulo their capacity: (applied - effect_count, applied]. */
    struct check_effect *effects;
    uint32_t effect_capacity;
    uint32_t effect_count;
    raft_index applied;
    /* Keys, by name. */
    struct check_table table;
    struct base_map map;
    struct check_key **keys;
    uint32_t key_count;
    uint32_t key_capacity;
    /* Hashes of whole stores, the newest ones. */
    struct check_print prints[CHECK_PRINTS];
    uint32_t print_count;
};

/* How far a member's own store was heard of. */
struct check_stream {
    bool is_known; /* revision and sub are those of its last change. */
    int64_t revision;
    int64_t sub;
    uint64_t next; /* The sequence number its next change should have. */
    bool is_applied_known;
    int64_t applied_revision; /* After its last apply. */
};

uint64_t check_value_digest(struct base_bytes value);
/* Is `key` in the range that (key, range_end) names in an operation or watch? */
bool check_range_has(struct base_bytes from, struct base_bytes range_end, struct base_bytes key);

void check_store_release(struct check_store *store);
void check_store_reset(struct check_store *store);
/* Begin with what `parent` held at the backup's revision. */
struct check_restored;
void check_store_adopt(struct check_store *store, const struct check_store *parent,
                       const struct check_restored *restored);
/* true: nobody had applied this entry before. */
bool check_store_apply(struct check *check, uint64_t now, struct check_member *member,
                       const struct raft_entry *entry, enum base_status status, int64_t revision);
void check_store_change(struct check *check, uint64_t now, struct check_member *member,
                        const struct kv_event *event, int64_t sub);
/* The hash of a whole store at `index`; `revision` < 0 is not known. */
void check_store_hash(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                      int64_t revision, uint64_t hash);

/* The changes of `revision`: the first one's sequence number and their count; 0:
 * there are none, or they are not kept. */
uint32_t check_store_at(const struct check_store *store, int64_t revision, uint64_t *first);
/* The first change kept whose revision is not below `revision`. */
uint64_t check_store_sequence(const struct check_store *store, int64_t revision);
/* A client is told that it made `revision`: true when another was told so before. */
bool check_store_claim(struct check_store *store, int64_t revision);
const struct check_change *check_store_get(const struct check_store *store, uint64_t sequence);
struct check_key *check_store_key(const struct check_store *store, struct base_bytes name);
/* The key's version before (revision, sub): NULL when it did not exist or was
 * deleted. Only for revisions from known_from on. */
const struct check_change *check_store_version(const struct check_store *store, const struct check_key *key,
                                               int64_t revision, int64_t sub);

#endif
