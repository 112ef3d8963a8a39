/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/cluster.h"

#include "core/base/sha1.h"

#include <assert.h>

static struct base_bytes text_copy(const struct member_cluster *cluster, struct base_bytes text)
{
    if (text.size == 0) {
        return (struct base_bytes){0};
    }
    uint8_t *data = base_alloc(cluster->allocator, text.size);
    memcpy(data, text.data, text.size);
    return (struct base_bytes){.data = data, .size = text.size};
}

static void text_free(const struct member_cluster *cluster, struct base_bytes *text)
{
    base_free(cluster->allocator, (void *)(uintptr_t)text->data, text->size);
    *text = (struct base_bytes){0};
}

/* The slot of `id`, or of the first member above it. */
static uint32_t slot_of(const struct member_cluster *cluster, raft_id id)
{
    uint32_t slot = 0;
    while (slot < cluster->count && cluster->members[slot].id < id) {
        slot++;
    }
    return slot;
}

static struct wire_member *find(struct member_cluster *cluster, raft_id id)
{
    uint32_t slot = slot_of(cluster, id);
    bool is_there = slot < cluster->count && cluster->members[slot].id == id;
    return is_there ? &cluster->members[slot] : NULL;
}

void member_cluster_init(struct member_cluster *cluster, const struct base_allocator *allocator)
{
    *cluster = (struct member_cluster){.allocator = allocator};
}

void member_cluster_release(struct member_cluster *cluster)
{
    for (uint32_t slot = 0; slot < cluster->count; slot++) {
        text_free(cluster, &cluster->members[slot].name);
        text_free(cluster, &cluster->members[slot].peer_url);
    }
    base_free(cluster->allocator, cluster->removed, cluster->removed_capacity * sizeof *cluster->removed);
    member_cluster_init(cluster, cluster->allocator);
}

const struct wire_member *member_cluster_find(const struct member_cluster *cluster, raft_id id)
{
    uint32_t slot = slot_of(cluster, id);
    bool is_there = slot < cluster->count && cluster->members[slot].id == id;
    return is_there ? &cluster->members[slot] : NULL;
}

bool member_cluster_is_removed(const struct member_cluster *cluster, raft_id id)
{
    for (uint32_t slot = 0; slot < cluster->removed_count; slot++) {
        if (cluster->removed[slot] == id) {
            return true;
        }
    }
    return false;
}

enum base_status member_cluster_add(struct member_cluster *cluster, const struct wire_member *member)
{
    if (member->id == RAFT_NONE) {
        return BASE_INVALID;
    }
    if (member_cluster_is_removed(cluster, member->id)) {
        return BASE_MEMBER_REMOVED;
    }
    uint32_t slot = slot_of(cluster, member->id);
    if (slot < cluster->count && cluster->members[slot].id == member->id) {
        return BASE_MEMBER_EXISTS;
    }
    for (uint32_t other = 0; other < cluster->count; other++) {
        if (base_bytes_equal(cluster->members[other].peer_url, member->peer_url)) {
            return BASE_PEER_URL_EXISTS;
        }
    }
    if (cluster->count == RAFT_MEMBERS_MAX) {
        return BASE_INVALID;
    }
    memmove(&cluster->members[slot + 1], &cluster->members[slot],
            (cluster->count - slot) * sizeof cluster->members[0]);
    cluster->members[slot] = (struct wire_member){
        .id = member->id,
        .name = text_copy(cluster, member->name),
        .peer_url = text_copy(cluster, member->peer_url),
        .is_learner = member->is_learner,
    };
    cluster->count++;
    return BASE_OK;
}

void member_cluster_bury(struct member_cluster *cluster, raft_id id)
{
    if (cluster->removed_count == cluster->removed_capacity) {
        uint32_t capacity = cluster->removed_capacity == 0 ? 8 : cluster->removed_capacity * 2;
        cluster->removed = base_resize(cluster->allocator, cluster->removed,
                                       cluster->removed_capacity * sizeof *cluster->removed,
                                       capacity * sizeof *cluster->removed);
        cluster->removed_capacity = capacity;
    }
    cluster->removed[cluster->removed_count++] = id;
}

enum base_status member_cluster_remove(struct member_cluster *cluster, raft_id id)
{
    struct wire_member *member = find(cluster, id);
    if (!member) {
        return member_cluster_is_removed(cluster, id) ? BASE_MEMBER_REMOVED : BASE_MEMBER_NOT_FOUND;
    }
    text_free(cluster, &member->name);
    text_free(cluster, &member->peer_url);
    uint32_t slot = (uint32_t)(member - cluster->members);
    cluster->count--;
    memmove(member, member + 1, (cluster->count - slot) * sizeof *member);
    member_cluster_bury(cluster, id);
    return BASE_OK;
}

enum base_status member_cluster_promote(struct member_cluster *cluster, raft_id id)
{
    struct wire_member *member = find(cluster, id);
    if (!member) {
        return BASE_MEMBER_NOT_FOUND;
    }
    if (!member->is_learner) {
        return BASE_MEMBER_NOT_LEARNER;
    }
    member->is_learner = false;
    return BASE_OK;
}

enum base_status member_cluster_update(struct member_cluster *cluster, const struct wire_member *update)
{
    struct wire_member *member = find(cluster, update->id);
    if (!member) {
        return BASE_MEMBER_NOT_FOUND;
    }
    if (update->name.size > 0) {
        text_free(cluster, &member->name);
        member->name = text_copy(cluster, update->name);
    }
    if (update->peer_url.size > 0) {
        text_free(cluster, &member->peer_url);
        member->peer_url = text_copy(cluster, update->peer_url);
    }
    return BASE_OK;
}

static uint64_t first_eight(const uint8_t digest[BASE_SHA1_SIZE])
{
    uint64_t value = 0;
    for (uint32_t at = 0; at < 8; at++) {
        value = value << 8 | digest[at];
    }
    return value;
}

enum { URLS_MAX = 16 };

/* The addresses in "a,b,c", sorted. What is beyond the last that fits is one with it. */
static uint32_t split_urls(struct base_bytes list, struct base_bytes urls[URLS_MAX])
{
    uint32_t count = 0;
    for (size_t begin = 0; begin <= list.size && count < URLS_MAX;) {
        size_t end = begin;
        while (end < list.size && (list.data[end] != ',' || count == URLS_MAX - 1)) {
            end++;
        }
        struct base_bytes url = {.data = list.data + begin, .size = end - begin};
        uint32_t slot = count++;
        for (; slot > 0 && base_bytes_compare(urls[slot - 1], url) > 0; slot--) {
            urls[slot] = urls[slot - 1];
        }
        urls[slot] = url;
        begin = end + 1;
    }
    return count;
}

raft_id member_id_of(struct base_bytes peer_url, struct base_bytes token, uint64_t time_s)
{
    uint8_t decimal[20];
    uint32_t at = sizeof decimal;
    for (uint64_t left = time_s; left > 0; left /= 10) {
        decimal[--at] = (uint8_t)('0' + left % 10);
    }
    struct base_bytes parts[URLS_MAX + 2];
    uint32_t count = split_urls(peer_url, parts);
    parts[count++] = token;
    parts[count++] = (struct base_bytes){.data = decimal + at, .size = sizeof decimal - at};
    uint8_t digest[BASE_SHA1_SIZE];
    base_sha1(parts, count, digest);
    return first_eight(digest);
}

uint64_t member_cluster_id_of(const raft_id *sorted, uint32_t count)
{
    assert(count <= RAFT_MEMBERS_MAX);
    uint8_t bytes[RAFT_MEMBERS_MAX * 8];
    for (uint32_t slot = 0; slot < count; slot++) {
        for (uint32_t at = 0; at < 8; at++) {
            bytes[slot * 8 + at] = (uint8_t)(sorted[slot] >> (56 - 8 * at));
        }
    }
    const struct base_bytes part = {.data = bytes, .size = count * 8};
    uint8_t digest[BASE_SHA1_SIZE];
    base_sha1(&part, 1, digest);
    return first_eight(digest);
}
