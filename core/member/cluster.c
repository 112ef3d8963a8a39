/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/cluster.h"

#include "core/base/hash.h"
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

static bool is_listed(const struct raft_id_set *ids, raft_id id)
{
    uint32_t slot = 0;
    while (slot < ids->count && ids->ids[slot] != id) {
        slot++;
    }
    return slot < ids->count;
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

/* Out, and remembered. */
static void remove_at(struct member_cluster *cluster, uint32_t slot)
{
    struct wire_member *member = &cluster->members[slot];
    raft_id id = member->id;
    text_free(cluster, &member->name);
    text_free(cluster, &member->peer_url);
    cluster->count--;
    memmove(member, member + 1, (cluster->count - slot) * sizeof *member);
    member_cluster_bury(cluster, id);
}

uint32_t member_cluster_follow(struct member_cluster *cluster, const struct raft_conf_state *state,
                               raft_id gone[RAFT_MEMBERS_MAX])
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < cluster->count;) {
        struct wire_member *member = &cluster->members[slot];
        bool is_learner = is_listed(&state->learners, member->id);
        if (!is_learner && !is_listed(&state->voters, member->id) &&
            !is_listed(&state->voters_outgoing, member->id)) {
            gone[count++] = member->id;
            remove_at(cluster, slot);
            continue;
        }
        member->is_learner = is_learner;
        slot++;
    }
    return count;
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

/* Does another member, or one that an earlier change brings, live at this address? */
static bool is_taken(const struct member_cluster *cluster, const struct member_change_list *list,
                     uint32_t number)
{
    const struct wire_member *subject = &list->items[number].member;
    for (uint32_t i = 0; i < cluster->count; i++) {
        if (cluster->members[i].id != subject->id &&
            base_bytes_equal(cluster->members[i].peer_url, subject->peer_url)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < number; i++) {
        if (base_bytes_equal(list->items[i].member.peer_url, subject->peer_url)) {
            return true;
        }
    }
    return false;
}

/* etcd: ValidateConfigurationChange. */
static enum base_status check_one(const struct member_cluster *cluster, const struct member_change_list *list,
                                  uint32_t number)
{
    const struct wire_change *change = &list->items[number];
    const struct wire_member *known = member_cluster_find(cluster, change->member.id);
    if (change->member.id == RAFT_NONE || change->member.id >= RAFT_APPLY_THREAD) {
        return BASE_INVALID;
    }
    if (member_cluster_is_removed(cluster, change->member.id)) {
        return BASE_MEMBER_REMOVED;
    }
    for (uint32_t i = 0; i < number; i++) {
        if (list->items[i].member.id == change->member.id) {
            return BASE_INVALID;
        }
    }
    if (change->kind == WIRE_CHANGE_ADD && known) {
        return BASE_MEMBER_EXISTS;
    }
    if (change->kind != WIRE_CHANGE_ADD && !known) {
        return BASE_MEMBER_NOT_FOUND;
    }
    switch (change->kind) {
    case WIRE_CHANGE_ADD:
    case WIRE_CHANGE_UPDATE:
        if (change->member.peer_url.size == 0) {
            return BASE_INVALID;
        }
        return is_taken(cluster, list, number) ? BASE_PEER_URL_EXISTS : BASE_OK;
    case WIRE_CHANGE_PROMOTE:
        return known->is_learner ? BASE_OK : BASE_MEMBER_NOT_LEARNER;
    case WIRE_CHANGE_DEMOTE:
        return known->is_learner ? BASE_INVALID : BASE_OK;
    case WIRE_CHANGE_REMOVE:
    case WIRE_CHANGE_KIND_COUNT:
        break;
    }
    return BASE_OK;
}

enum base_status member_cluster_check(const struct member_cluster *cluster,
                                      const struct member_change_list *list)
{
    enum base_status status = BASE_OK;
    uint32_t count = cluster->count;
    for (uint32_t i = 0; i < list->count && status == BASE_OK; i++) {
        status = check_one(cluster, list, i);
        count += list->items[i].kind == WIRE_CHANGE_ADD;
    }
    return status == BASE_OK && count > RAFT_MEMBERS_MAX ? BASE_INVALID : status;
}

uint64_t member_cluster_hash(const struct member_cluster *cluster)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < cluster->count; i++) {
        hash = base_hash_u64(hash, cluster->members[i].id);
        hash = base_hash_u64(hash, cluster->members[i].is_learner);
        hash = base_hash_bytes(hash, cluster->members[i].name);
        hash = base_hash_bytes(hash, cluster->members[i].peer_url);
    }
    for (uint32_t i = 0; i < cluster->removed_count; i++) {
        hash = base_hash_u64(hash, cluster->removed[i]);
    }
    return hash;
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
