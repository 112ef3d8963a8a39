/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/store.h"

#include "core/base/hash.h"
#include "sim/check/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    CHANGES_MAX = 1 << 16,
    EFFECTS_MAX = 1 << 16,
    CAPACITY_MIN = 1 << 8,
};

static void *resize_block(void *context, void *block, size_t size_old, size_t size_new)
{
    (void)context;
    (void)size_old;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    return check_resize(block, 1, size_new);
}

static const struct base_allocator allocator = {.resize = resize_block};

uint64_t check_value_digest(struct base_bytes value)
{
    return base_hash_bytes(UINT64_C(0x5851f42d4c957f2d), value);
}

bool check_range_has(struct base_bytes from, struct base_bytes range_end, struct base_bytes key)
{
    if (range_end.size == 0) {
        return base_bytes_equal(from, key);
    }
    if (base_bytes_compare(key, from) < 0) {
        return false;
    }
    bool is_open = range_end.size == 1 && range_end.data[0] == 0;
    return is_open || base_bytes_compare(key, range_end) < 0;
}

static void drop_keys(struct check_store *store)
{
    for (uint32_t slot = 0; slot < store->key_count; slot++) {
        free(store->keys[slot]);
    }
    store->key_count = 0;
    base_map_release(&store->map);
}

void check_store_release(struct check_store *store)
{
    drop_keys(store);
    check_table_release(&store->table);
    free(store->keys);
    free(store->changes);
    free(store->effects);
    *store = (struct check_store){0};
}

void check_store_reset(struct check_store *store)
{
    drop_keys(store);
    check_table_reset(&store->table);
    base_map_init(&store->map, &allocator);
    store->kept = 1;
    store->next = 1;
    store->revision = 1;
    store->known_from = 1;
    store->compacted = 0;
    store->is_partial = false;
    store->effect_count = 0;
    store->applied = 0;
    store->print_count = 0;
}

struct check_key *check_store_key(const struct check_store *store, struct base_bytes name)
{
    uint64_t hash = check_value_digest(name);
    for (;; hash++) {
        uint32_t slot = check_table_find(&store->table, hash);
        if (slot == CHECK_TABLE_NONE) {
            return NULL;
        }
        if (base_bytes_equal(store->keys[slot]->name, name)) {
            return store->keys[slot];
        }
    }
}

static struct check_key *make_key(struct check_store *store, struct base_bytes name)
{
    struct check_key *key = check_store_key(store, name);
    if (key) {
        return key;
    }
    key = check_resize(NULL, 1, sizeof *key + name.size);
    *key = (struct check_key){.hash = check_value_digest(name), .slot = store->key_count};
    if (name.size > 0) {
        memcpy(key->bytes, name.data, name.size);
    }
    key->name = (struct base_bytes){.data = key->bytes, .size = name.size};
    while (check_table_find(&store->table, key->hash) != CHECK_TABLE_NONE) {
        key->hash++;
    }
    if (store->key_count == store->key_capacity) {
        store->key_capacity = check_grown(store->key_capacity, store->key_count + 1);
        store->keys = check_resize(store->keys, store->key_capacity, sizeof store->keys[0]);
    }
    store->keys[store->key_count++] = key;
    check_table_add(&store->table, key->hash, key->slot);
    base_map_insert(&store->map, key->name, key);
    return key;
}

void check_store_adopt(struct check_store *store, const struct check_store *parent,
                       const struct check_restored *restored)
{
    int64_t revision = restored->revision;
    if (parent->is_partial || parent->known_from > revision || revision > parent->revision) {
        return; /* Not known well enough. */
    }
    for (uint32_t slot = 0; slot < parent->key_count; slot++) {
        const struct check_key *key = parent->keys[slot];
        const struct check_change *version = check_store_version(parent, key, revision + 1, 0);
        if (version) {
            struct check_key *copy = make_key(store, key->name);
            copy->base = *version;
            copy->base.key = copy;
            copy->base.before = 0;
            copy->has_base = true;
        }
    }
    store->revision = revision + restored->bump;
    store->known_from = store->revision;
    store->compacted = restored->is_compacted ? store->revision : parent->compacted;
}

const struct check_change *check_store_get(const struct check_store *store, uint64_t sequence)
{
    assert(sequence >= store->kept && sequence < store->next);
    return &store->changes[sequence & (store->capacity - 1)];
}

uint64_t check_store_sequence(const struct check_store *store, int64_t revision)
{
    uint64_t low = store->kept;
    uint64_t high = store->next;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (check_store_get(store, middle)->revision < revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t check_store_at(const struct check_store *store, int64_t revision, uint64_t *first)
{
    uint64_t from = check_store_sequence(store, revision);
    uint64_t to = from;
    while (to < store->next && check_store_get(store, to)->revision == revision) {
        to++;
    }
    if (to == from || check_store_get(store, from)->sub != 0) {
        return 0;
    }
    *first = from;
    return (uint32_t)(to - from);
}

bool check_store_claim(struct check_store *store, int64_t revision)
{
    uint64_t first = 0;
    if (check_store_at(store, revision, &first) == 0) {
        return false;
    }
    struct check_change *change = &store->changes[first & (store->capacity - 1)];
    bool was_claimed = change->is_claimed;
    change->is_claimed = true;
    return was_claimed;
}

const struct check_change *check_store_version(const struct check_store *store, const struct check_key *key,
                                               int64_t revision, int64_t sub)
{
    for (uint64_t at = key->newest; at >= store->kept && at != 0;) {
        const struct check_change *change = check_store_get(store, at);
        if (change->revision < revision || (change->revision == revision && (int64_t)change->sub < sub)) {
            return change->is_delete ? NULL : change;
        }
        at = change->before;
    }
    return key->has_base && !key->base.is_delete ? &key->base : NULL;
}

static void forget_key(struct check_store *store, struct check_key *key)
{
    (void)base_map_remove(&store->map, key->name);
    check_table_remove(&store->table, key->hash);
    /* Keys that clashed with this one's hash would not be found past the hole:
     * two of 64 bits do not clash in any run one can wait for. */
    struct check_key *last = store->keys[--store->key_count];
    if (last != key) {
        check_table_remove(&store->table, last->hash);
        store->keys[key->slot] = last;
        last->slot = key->slot;
        check_table_add(&store->table, last->hash, last->slot);
    }
    free(key);
}

/* Drop the oldest change; its key keeps it as its base. */
static void drop_oldest(struct check_store *store)
{
    const struct check_change *change = check_store_get(store, store->kept);
    struct check_key *key = change->key;
    bool is_newest = key->newest == store->kept;
    store->known_from = change->revision;
    store->kept++;
    if (is_newest && change->is_delete) {
        forget_key(store, key);
        return;
    }
    key->base = *change;
    key->has_base = true;
    if (is_newest) {
        key->newest = 0;
    }
}

static void make_room(struct check_store *store)
{
    uint64_t count = store->next - store->kept;
    if (count < store->capacity) {
        return;
    }
    if (store->capacity == CHANGES_MAX) {
        drop_oldest(store);
        return;
    }
    uint32_t capacity = store->capacity ? store->capacity * 2 : CAPACITY_MIN;
    struct check_change *changes = check_resize(NULL, capacity, sizeof *changes);
    for (uint64_t at = store->kept; at < store->next; at++) {
        changes[at & (capacity - 1)] = *check_store_get(store, at);
    }
    free(store->changes);
    store->changes = changes;
    store->capacity = capacity;
}

static struct check_change change_of(const struct kv_event *event, int64_t sub)
{
    const struct kv_record *record = &event->record;
    struct check_change change = {.revision = record->mod_revision,
                                  .sub = (uint32_t)sub,
                                  .is_delete = event->is_delete};
    if (!event->is_delete) {
        change.value = check_value_digest(record->value);
        change.create_revision = record->create_revision;
        change.version = record->version;
        change.lease = record->lease;
    }
    return change;
}

/* A change that nobody made before must follow from the version before it. */
static void follow(struct check *check, uint64_t now, struct check_member *member,
                   const struct check_change *change, const struct check_change *before)
{
    const struct check_store *store = &member->cluster->store;
    if (store->is_partial && !before) {
        return;
    }
    int64_t version = change->is_delete ? 0 : before ? before->version + 1 : 1;
    int64_t created = change->is_delete ? 0 : before ? before->create_revision : change->revision;
    if (change->is_delete && !before) {
        check_found(check, member->cluster, CHECK_STORE, now, member->number,
                    "m%" PRIu32 " deleted key \"%.*s\" at revision %" PRId64 ", but it did not exist",
                    member->number, (int)change->key->name.size, (const char *)change->key->name.data,
                    change->revision);
    } else if (change->version != version || change->create_revision != created) {
        check_found(check, member->cluster, CHECK_STORE, now, member->number,
                    "m%" PRIu32 " made version %" PRId64 " (created at %" PRId64
                    ") of key \"%.*s\" at revision %" PRId64 ", expected version %" PRId64
                    " (created at %" PRId64 ")",
                    member->number, change->version, change->create_revision, (int)change->key->name.size,
                    (const char *)change->key->name.data, change->revision, version, created);
    }
}

/* Enter a change that is beyond what is known. */
static void enter(struct check *check, uint64_t now, struct check_member *member, struct check_change change,
                  struct base_bytes name)
{
    struct check_store *store = &member->cluster->store;
    bool is_begin = change.revision == store->revision + 1 && change.sub == 0;
    bool is_more = change.revision == store->revision && store->next > store->kept &&
                   check_store_get(store, store->next - 1)->revision == change.revision &&
                   check_store_get(store, store->next - 1)->sub + 1 == change.sub;
    if (!is_begin && !is_more) {
        if (store->next == 1 && !store->is_partial && member->applied > 0 && change.revision > 2) {
            store->is_partial = true; /* A cluster made from a backup. */
        } else {
            check_found(check, member->cluster, CHECK_STORE, now, member->number,
                        "m%" PRIu32 " made change %" PRIu32 " of revision %" PRId64
                        ", but the newest revision is %" PRId64,
                        member->number, change.sub, change.revision, store->revision);
        }
        store->known_from = change.revision;
    }
    make_room(store);
    change.key = make_key(store, name);
    follow(check, now, member, &change,
           check_store_version(store, change.key, change.revision, (int64_t)change.sub));
    if (change.lease != 0) {
        check_lease_attached(check, now, member, change.lease, name);
    }
    change.before = change.key->newest;
    change.key->newest = store->next;
    store->changes[store->next & (store->capacity - 1)] = change;
    store->next++;
    store->revision = change.revision;
}

/* The member's change must be the one made there before. */
static void compare(struct check *check, uint64_t now, struct check_member *member,
                    const struct check_change *change, struct base_bytes name, uint64_t sequence)
{
    const struct check_store *store = &member->cluster->store;
    if (sequence < store->kept || sequence >= store->next) {
        return;
    }
    const struct check_change *known = check_store_get(store, sequence);
    check_arm(check, CHECK_STORE);
    if (known->revision == change->revision && known->sub == change->sub &&
        known->is_delete == change->is_delete && known->value == change->value &&
        known->create_revision == change->create_revision && known->version == change->version &&
        known->lease == change->lease && base_bytes_equal(known->key->name, name)) {
        return;
    }
    check_found(check, member->cluster, CHECK_STORE, now, member->number,
                "m%" PRIu32 " %s key \"%.*s\" (version %" PRId64 ", lease %" PRIx64 ") as change %" PRIu32
                " of revision %" PRId64 ", but elsewhere that %s \"%.*s\" (version %" PRId64
                ", lease %" PRIx64 ")",
                member->number, change->is_delete ? "deleted" : "put", (int)(name.size < 64 ? name.size : 64),
                (const char *)name.data, change->version, (uint64_t)change->lease, change->sub,
                change->revision, known->is_delete ? "deleted" : "put",
                (int)(known->key->name.size < 64 ? known->key->name.size : 64),
                (const char *)known->key->name.data, known->version, (uint64_t)known->lease);
}

/* The member is done with a revision: it must have made all its changes. */
static void complete(struct check *check, uint64_t now, struct check_member *member)
{
    const struct check_store *store = &member->cluster->store;
    const struct check_stream *stream = &member->stream;
    uint64_t at = stream->next;
    if (at < store->kept || at >= store->next || check_store_get(store, at)->revision != stream->revision) {
        return;
    }
    check_found(check, member->cluster, CHECK_STORE, now, member->number,
                "m%" PRIu32 " made %" PRId64 " changes at revision %" PRId64 ", but elsewhere there are more",
                member->number, stream->sub + 1, stream->revision);
}

void check_store_change(struct check *check, uint64_t now, struct check_member *member,
                        const struct kv_event *event, int64_t sub)
{
    struct check_store *store = &member->cluster->store;
    struct check_stream *stream = &member->stream;
    struct check_change change = change_of(event, sub);
    if (stream->is_known) {
        bool is_more = change.revision == stream->revision && sub == stream->sub + 1;
        bool is_begin = change.revision == stream->revision + 1 && sub == 0;
        if (is_begin) {
            complete(check, now, member);
        } else if (!is_more) {
            check_found(check, member->cluster, CHECK_STORE, now, member->number,
                        "m%" PRIu32 " made change %" PRId64 " of revision %" PRId64 " after change %" PRId64
                        " of revision %" PRId64,
                        member->number, sub, change.revision, stream->sub, stream->revision);
            stream->is_known = false;
        }
    }
    if (!stream->is_known) {
        stream->next = check_store_sequence(store, change.revision) + (uint64_t)sub;
    }
    bool is_new = change.revision > store->revision || stream->next >= store->next;
    if (is_new) {
        enter(check, now, member, change, event->record.key);
        stream->next = store->next;
    } else {
        compare(check, now, member, &change, event->record.key, stream->next);
        stream->next++;
    }
    stream->is_known = true;
    stream->revision = change.revision;
    stream->sub = sub;
}

static void enter_effect(struct check_store *store, raft_index index, struct check_effect effect)
{
    if (index != store->applied + 1) {
        store->effect_count = 0; /* A hole: what is below is not known. */
    }
    if (store->effect_count == store->effect_capacity && store->effect_capacity < EFFECTS_MAX) {
        uint32_t capacity = store->effect_capacity ? store->effect_capacity * 2 : CAPACITY_MIN;
        struct check_effect *effects = check_resize(NULL, capacity, sizeof *effects);
        for (raft_index at = index - store->effect_count; at < index; at++) {
            effects[at & (capacity - 1)] = store->effects[at & (store->effect_capacity - 1)];
        }
        free(store->effects);
        store->effects = effects;
        store->effect_capacity = capacity;
    }
    store->effects[index & (store->effect_capacity - 1)] = effect;
    store->applied = index;
    if (store->effect_count < store->effect_capacity) {
        store->effect_count++;
    }
}

static void compare_effect(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                           struct check_effect effect)
{
    const struct check_store *store = &member->cluster->store;
    if (index + store->effect_count <= store->applied) {
        return;
    }
    const struct check_effect *known = &store->effects[index & (store->effect_capacity - 1)];
    check_arm(check, CHECK_STORE);
    /* How full a store is may differ with the progress of its compaction. */
    bool is_full = known->status == BASE_NO_SPACE || effect.status == BASE_NO_SPACE;
    if (known->revision != effect.revision || (known->status != effect.status && !is_full)) {
        check_found(check, member->cluster, CHECK_STORE, now, member->number,
                    "m%" PRIu32 " applied entry %" PRIu64 " with \"%s\" at revision %" PRId64
                    ", but elsewhere it gave \"%s\" at revision %" PRId64,
                    member->number, index, base_status_text(effect.status), effect.revision,
                    base_status_text(known->status), known->revision);
    }
}

bool check_store_apply(struct check *check, uint64_t now, struct check_member *member,
                       const struct raft_entry *entry, enum base_status status, int64_t revision)
{
    struct check_store *store = &member->cluster->store;
    struct check_stream *stream = &member->stream;
    struct check_effect effect = {.revision = revision, .status = status};
    if (stream->is_applied_known && revision < stream->applied_revision) {
        check_found(check, member->cluster, CHECK_STORE, now, member->number,
                    "m%" PRIu32 " went back to revision %" PRId64 " from %" PRId64 " at entry %" PRIu64,
                    member->number, revision, stream->applied_revision, entry->index);
    } else if (stream->is_applied_known && revision > stream->applied_revision + 1) {
        check_found(check, member->cluster, CHECK_STORE, now, member->number,
                    "m%" PRIu32 " went on to revision %" PRId64 " from %" PRId64 " by entry %" PRIu64
                    " alone",
                    member->number, revision, stream->applied_revision, entry->index);
    }
    stream->is_applied_known = true;
    stream->applied_revision = revision;
    if (entry->index <= store->applied) {
        compare_effect(check, now, member, entry->index, effect);
        return false;
    }
    if (store->applied == 0 && entry->index > 1 && revision > store->revision + 1) {
        store->is_partial = true;
        store->revision = revision;
        store->known_from = revision;
    }
    enter_effect(store, entry->index, effect);
    return true;
}

void check_store_hash(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                      int64_t revision, uint64_t hash)
{
    struct check_store *store = &member->cluster->store;
    for (uint32_t slot = 0; slot < store->print_count && slot < CHECK_PRINTS; slot++) {
        const struct check_print *print = &store->prints[slot];
        if (print->index != index) {
            continue;
        }
        check_arm(check, CHECK_STORE);
        if (print->hash != hash || (print->revision >= 0 && revision >= 0 && print->revision != revision)) {
            check_found(check, member->cluster, CHECK_STORE, now, member->number,
                        "m%" PRIu32 " has store %016" PRIx64 " at revision %" PRId64 " after entry %" PRIu64
                        ", but m%" PRIu32 " had store %016" PRIx64 " at revision %" PRId64 " there",
                        member->number, hash, revision, index, print->machine, print->hash, print->revision);
        }
        return;
    }
    store->prints[store->print_count++ % CHECK_PRINTS] =
        (struct check_print){.index = index, .revision = revision, .hash = hash, .machine = member->number};
}
