/* The stream: a header; the kept changes that have left the ring, in key order;
 * the ring's changes in revision order; and the end. Every record is a u32 length
 * with so many bytes after it, the first of them its kind:
 *
 *   HEADER  version, revision, compacted, visited (places from the ring's begin)
 *   KEPT    change            at most one for each key, rising keys
 *   CHANGE  change            rising (main, sub)
 *   END     sum of the header's and the changes' hashes, kinds included
 *
 *   reading: START --HEADER--> KEPT --CHANGE--> RING --END--> ENDED
 *                                \-------------------END--/          */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/hash.h"
#include "core/kv/store.h"

#include <assert.h>

enum { STREAM_VERSION = 1, LENGTH_BYTES = 4, KEY_VISIT_BYTES = 16 };

enum record_kind { RECORD_HEADER = 1, RECORD_KEPT, RECORD_CHANGE, RECORD_END };

/* Both what is written next and what may be read next. */
enum phase { PHASE_START, PHASE_KEPT, PHASE_RING, PHASE_ENDED };

struct kv_snapshot {
    struct kv *kv;
    enum phase phase;
    int64_t revision;
    int64_t compacted;
    uint64_t ring_begin; /* Cannot move while the snapshot is open. */
    uint64_t ring_end;
    uint64_t ring_next;
    const struct kv_key *key; /* The last one visited: keys do not go either. */
    uint64_t sum;
};

struct kv_restore {
    enum phase phase;
    enum base_status status;
    struct base_buffer rest; /* The beginning of a record. */
    uint64_t visited;
    uint64_t sum;
    const struct kv_change *last; /* Last entered. */
};

struct kv_snapshot *kv_snapshot_begin(struct kv *kv)
{
    assert(!kv->restore);
    struct kv_snapshot *snapshot = base_alloc(kv->allocator, sizeof *snapshot);
    *snapshot = (struct kv_snapshot){
        .kv = kv,
        .phase = PHASE_START,
        .revision = kv->revision,
        .compacted = kv->compacted,
        .ring_begin = kv->ring.begin,
        .ring_end = kv->ring.end,
        .ring_next = kv->ring.begin,
    };
    kv->snapshot_count++;
    return snapshot;
}

void kv_snapshot_end(struct kv_snapshot *snapshot)
{
    struct kv *kv = snapshot->kv;
    assert(kv->snapshot_count > 0);
    kv->snapshot_count--;
    base_free(kv->allocator, snapshot, sizeof *snapshot);
}

/* The sum begins with the header's fields, so that it guards them too. */
static uint64_t header_hash(int64_t revision, int64_t compacted, uint64_t visited)
{
    return base_hash_u64(base_hash_i64(base_hash_i64(STREAM_VERSION, revision), compacted), visited);
}

/* Open a record; its length is filled in when it is closed. */
static size_t record_open(struct base_buffer *out, enum record_kind kind)
{
    base_put_u32(out, 0);
    size_t begin = out->size;
    base_put_u8(out, (uint8_t)kind);
    return begin;
}

static void record_close(struct base_buffer *out, size_t begin)
{
    base_store_u32(out->data + begin - LENGTH_BYTES, (uint32_t)(out->size - begin));
}

static void write_header(struct kv_snapshot *snapshot, struct base_buffer *out)
{
    uint64_t visited = snapshot->kv->visited - snapshot->ring_begin;
    size_t begin = record_open(out, RECORD_HEADER);
    base_put_u32(out, STREAM_VERSION);
    base_put_i64(out, snapshot->revision);
    base_put_i64(out, snapshot->compacted);
    base_put_u64(out, visited);
    record_close(out, begin);
    snapshot->sum = header_hash(snapshot->revision, snapshot->compacted, visited);
}

static void write_change(struct kv_snapshot *snapshot, enum record_kind kind, const struct kv_change *change,
                         struct base_buffer *out)
{
    size_t begin = record_open(out, kind);
    base_put_i64(out, change->main);
    base_put_u32(out, change->sub);
    base_put_i64(out, change->create);
    base_put_i64(out, change->version);
    base_put_i64(out, change->lease);
    base_put_bytes(out, kv_key_bytes(change->key));
    base_put_bytes(out, kv_change_value(change));
    record_close(out, begin);
    snapshot->sum += base_hash_u64(kv_change_hash(change), kind);
}

/* Is the change older than all that the ring held at the beginning? With an empty
 * ring every change of then is. */
static bool has_left_ring(const struct kv_snapshot *snapshot, const struct kv_change *change)
{
    if (snapshot->ring_begin == snapshot->ring_end) {
        return change->main <= snapshot->revision;
    }
    const struct kv_change *oldest = kv_ring_at(&snapshot->kv->ring, snapshot->ring_begin);
    return change->main < oldest->main || (change->main == oldest->main && change->sub < oldest->sub);
}

/* Write kept changes, about `bytes` of them; a key without one costs
 * something too, so that a slice stays short. */
static void write_kept(struct kv_snapshot *snapshot, size_t bytes, struct base_buffer *out)
{
    struct base_bytes from = snapshot->key ? kv_key_bytes(snapshot->key) : (struct base_bytes){0};
    struct base_map_cursor cursor = base_map_seek(&snapshot->kv->keys, from);
    if (snapshot->key) {
        const struct kv_key *again = base_map_next(&cursor);
        assert(again == snapshot->key);
    }
    size_t size_begin = out->size;
    size_t visits = 0;
    while (out->size - size_begin + visits * KEY_VISIT_BYTES < bytes) {
        const struct kv_key *key = base_map_next(&cursor);
        if (!key) {
            snapshot->phase = PHASE_RING;
            return;
        }
        snapshot->key = key;
        visits++;
        const struct kv_change *oldest = kv_key_change(key, key->first);
        if (has_left_ring(snapshot, oldest)) {
            write_change(snapshot, RECORD_KEPT, oldest, out);
        }
    }
}

bool kv_snapshot_slice(struct kv_snapshot *snapshot, size_t bytes, struct base_buffer *out)
{
    size_t size_begin = out->size;
    bytes = bytes == 0 ? 1 : bytes;
    if (snapshot->phase == PHASE_START) {
        write_header(snapshot, out);
        snapshot->phase = PHASE_KEPT;
    }
    if (snapshot->phase == PHASE_KEPT && out->size - size_begin < bytes) {
        write_kept(snapshot, bytes - (out->size - size_begin), out);
    }
    if (snapshot->phase == PHASE_RING) {
        while (snapshot->ring_next < snapshot->ring_end && out->size - size_begin < bytes) {
            write_change(snapshot, RECORD_CHANGE, kv_ring_at(&snapshot->kv->ring, snapshot->ring_next), out);
            snapshot->ring_next++;
        }
        if (snapshot->ring_next == snapshot->ring_end) {
            size_t begin = record_open(out, RECORD_END);
            base_put_u64(out, snapshot->sum);
            record_close(out, begin);
            snapshot->phase = PHASE_ENDED;
        }
    }
    return snapshot->phase != PHASE_ENDED;
}

void kv_restore_drop(struct kv *kv)
{
    if (kv->restore) {
        base_buffer_release(&kv->restore->rest);
        base_free(kv->allocator, kv->restore, sizeof *kv->restore);
        kv->restore = NULL;
    }
}

static enum base_status read_header(struct kv *kv, struct base_reader *in)
{
    struct kv_restore *restore = kv->restore;
    uint32_t version = base_get_u32(in);
    int64_t revision = base_get_i64(in);
    int64_t compacted = base_get_i64(in);
    restore->visited = base_get_u64(in);
    if (restore->phase != PHASE_START || in->failed || version != STREAM_VERSION || revision < 1 ||
        compacted < 0 || compacted > revision) {
        return BASE_CORRUPT;
    }
    kv->revision = revision;
    kv->compacted = compacted;
    restore->sum = header_hash(revision, compacted, restore->visited);
    restore->phase = PHASE_KEPT;
    return BASE_OK;
}

/* Does the change follow `before`, the newest kept one of its key (or NULL)? At
 * and below the compacted revision the one before may be gone. */
static bool continues_key(const struct kv *kv, const struct kv_change *fields, const struct kv_change *before)
{
    if (before && before->main >= fields->main) {
        return false;
    }
    bool is_live = before && !kv_is_deletion(before);
    if (kv_is_deletion(fields)) {
        return fields->create == 0 && fields->lease == 0 &&
               (is_live || (!before && fields->main <= kv->compacted));
    }
    if (is_live) {
        return fields->create == before->create && fields->version == before->version + 1;
    }
    if (!before && fields->main <= kv->compacted) {
        return fields->create >= 1 && fields->create <= fields->main && fields->version >= 1;
    }
    return fields->create == fields->main && fields->version == 1;
}

static bool continues_stream(const struct kv *kv, enum record_kind kind, const struct kv_change *fields,
                             struct base_bytes key)
{
    const struct kv_restore *restore = kv->restore;
    const struct kv_change *last = restore->last;
    if (kind == RECORD_KEPT) {
        /* What has left the ring lives and is older than the compacted revision. */
        return restore->phase == PHASE_KEPT && !kv_is_deletion(fields) && fields->main < kv->compacted &&
               (!last || base_bytes_compare(kv_key_bytes(last->key), key) < 0);
    }
    if (restore->phase == PHASE_KEPT) {
        return true;
    }
    assert(last);
    return restore->phase == PHASE_RING &&
           (fields->main > last->main || (fields->main == last->main && fields->sub > last->sub));
}

static enum base_status read_change(struct kv *kv, enum record_kind kind, struct base_reader *in)
{
    struct kv_restore *restore = kv->restore;
    struct kv_change fields = {.main = base_get_i64(in)};
    fields.sub = base_get_u32(in);
    fields.create = base_get_i64(in);
    fields.version = base_get_i64(in);
    fields.lease = base_get_i64(in);
    struct base_bytes key = base_get_bytes(in);
    struct base_bytes value = base_get_bytes(in);
    if (in->failed || key.size == 0 || key.size > KV_BYTES_MAX || value.size > KV_BYTES_MAX ||
        fields.main < 2 || fields.main > kv->revision || fields.version < 0 ||
        !continues_stream(kv, kind, &fields, key)) {
        return BASE_CORRUPT;
    }
    struct kv_key *entry = base_map_get(&kv->keys, key);
    const struct kv_change *before = entry ? kv_key_change(entry, entry->end - 1) : NULL;
    if (!continues_key(kv, &fields, before) || (kv_is_deletion(&fields) && value.size > 0)) {
        return BASE_CORRUPT;
    }
    bool is_visited = kind == RECORD_CHANGE && kv->ring.end < restore->visited;
    if (is_visited && (before || fields.main > kv->compacted)) {
        return BASE_CORRUPT;
    }
    restore->last = kv_store_append(kv, entry, key, &fields, value, kind == RECORD_CHANGE);
    restore->sum += base_hash_u64(kv_change_hash(restore->last), kind);
    restore->phase = kind == RECORD_CHANGE ? PHASE_RING : PHASE_KEPT;
    return BASE_OK;
}

static enum base_status read_end(struct kv *kv, struct base_reader *in)
{
    struct kv_restore *restore = kv->restore;
    uint64_t sum = base_get_u64(in);
    bool has_header = restore->phase == PHASE_KEPT || restore->phase == PHASE_RING;
    if (!has_header || in->failed || sum != restore->sum || restore->visited > kv->ring.end) {
        return BASE_CORRUPT;
    }
    kv->visited = restore->visited;
    restore->phase = PHASE_ENDED;
    return BASE_OK;
}

static enum base_status read_record(struct kv *kv, struct base_bytes record)
{
    struct base_reader in;
    base_reader_init(&in, record);
    uint8_t kind = base_get_u8(&in);
    enum base_status status = BASE_CORRUPT;
    if (kind == RECORD_HEADER) {
        status = read_header(kv, &in);
    } else if (kind == RECORD_KEPT || kind == RECORD_CHANGE) {
        status = kv->restore->phase == PHASE_START ? BASE_CORRUPT : read_change(kv, kind, &in);
    } else if (kind == RECORD_END) {
        status = read_end(kv, &in);
    }
    return status == BASE_OK && base_reader_left(&in) > 0 ? BASE_CORRUPT : status;
}

/* Read the whole records at the front of `bytes`; `*used` is how far they go. */
static enum base_status read_records(struct kv *kv, struct base_bytes bytes, size_t *used)
{
    *used = 0;
    while (bytes.size - *used >= LENGTH_BYTES) {
        size_t length = base_load_u32(bytes.data + *used);
        if (bytes.size - *used - LENGTH_BYTES < length) {
            break;
        }
        struct base_bytes record = {.data = bytes.data + *used + LENGTH_BYTES, .size = length};
        enum base_status status = read_record(kv, record);
        if (status != BASE_OK) {
            return status;
        }
        *used += LENGTH_BYTES + length;
    }
    return BASE_OK;
}

enum base_status kv_restore(struct kv *kv, struct base_bytes piece)
{
    if (!kv->restore) {
        assert(kv->revision == 1 && kv->keys.count == 0 && kv->snapshot_count == 0);
        kv->restore = base_zalloc(kv->allocator, sizeof *kv->restore);
        base_buffer_init(&kv->restore->rest, kv->allocator);
    }
    struct kv_restore *restore = kv->restore;
    if (restore->status != BASE_OK || piece.size == 0) {
        return restore->status;
    }
    struct base_bytes bytes = piece;
    bool is_joined = restore->rest.size > 0;
    if (is_joined) {
        memcpy(base_buffer_extend(&restore->rest, piece.size), piece.data, piece.size);
        bytes = base_buffer_view(&restore->rest);
    }
    size_t used;
    restore->status = read_records(kv, bytes, &used);
    if (restore->status != BASE_OK) {
        return restore->status;
    }
    size_t left = bytes.size - used;
    if (!is_joined && left > 0) {
        memcpy(base_buffer_extend(&restore->rest, left), bytes.data + used, left);
    } else if (is_joined) {
        memmove(restore->rest.data, restore->rest.data + used, left);
        restore->rest.size = left;
    }
    return BASE_OK;
}

/* Every key that lives and has a lease goes back to it, in key order. */
static enum base_status attach_leases(struct kv *kv)
{
    struct base_map_cursor cursor = base_map_seek(&kv->keys, (struct base_bytes){0});
    for (const struct kv_key *key = base_map_next(&cursor); key; key = base_map_next(&cursor)) {
        const struct kv_change *change = kv_key_at(key, KV_NEWEST);
        if (change && change->lease != 0) {
            if (!kv->leases.exists(kv->leases.context, change->lease)) {
                return BASE_CORRUPT;
            }
            kv->leases.attach(kv->leases.context, change->lease, kv_key_bytes(key));
        }
    }
    return BASE_OK;
}

enum base_status kv_restore_end(struct kv *kv)
{
    struct kv_restore *restore = kv->restore;
    if (!restore || restore->status != BASE_OK || restore->phase != PHASE_ENDED || restore->rest.size > 0) {
        return BASE_CORRUPT;
    }
    enum base_status status = attach_leases(kv);
    if (status == BASE_OK) {
        kv_restore_drop(kv);
    } else {
        restore->status = status;
    }
    return status;
}
