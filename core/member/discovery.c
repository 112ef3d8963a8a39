/* How members that do not know each other yet find out: a registry that all of them
 * reach, where each enters itself under a token until there are as many as the
 * token is for (etcd-behaviour §4.4; etcd: v3discovery).
 *
 *   size ──▶ look ──(full, and not with us)──▶ stops: the token is used up
 *              └──▶ register ──▶ look again … ──(complete)──▶ bootstrap.c
 *
 * The registry is a store of keys: TOKEN/_config/size, and TOKEN/members/ID whose
 * values are "name=url", the first ones by creation being the cluster's. Whatever
 * fails is tried again after 1 s, 2 s, 4 s … 256 s. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#define REGISTRY "/_etcd/registry/"

enum { RETRY_SHIFT_MAX = 8 };

static void refuse(struct member *member, const char *why)
{
    struct wal_text text = {0};
    wal_text_put(&text, "discovery: ");
    wal_text_put(&text, why);
    wal_text_put(&text, " (token ");
    wal_text_put(&text, member->config.discovery);
    wal_text_put(&text, "): generate a new token to bootstrap a cluster");
    member_stop(member, "bootstrap", text.bytes);
}

static raft_id own_id(const struct member *member)
{
    return member_id_of(base_bytes_of(member->config.url), base_bytes_of(member->config.discovery), 0);
}

/* A key under the token. Lives until the call is over. */
static struct base_bytes key_of(struct member *member, const char *place, raft_id id)
{
    struct wal_text text = {0};
    wal_text_put(&text, REGISTRY);
    wal_text_put(&text, member->config.discovery);
    wal_text_put(&text, place);
    if (id != RAFT_NONE) {
        wal_text_put_hex(&text, id);
    }
    return base_arena_copy(&member->arena,
                           (struct base_bytes){.data = (const uint8_t *)text.bytes, .size = text.size});
}

static void ask(struct member *member, const struct kv_op *op)
{
    struct member_boot *boot = &member->boot;
    const struct wire_message message = {
        .kind = WIRE_REQUEST,
        .request = {.id = ++boot->call, .kind = WIRE_KV, .op = *op},
    };
    boot->state = MEMBER_BOOT_DISCOVER;
    boot->is_asking = true;
    boot->due_ns = member->now_ns + MEMBER_DISCOVERY_NS;
    member->host->ask(member->host->context, base_bytes_of(member->config.discovery_url), boot->call,
                      &message);
}

static void ask_size(struct member *member)
{
    const struct kv_op op = {.kind = KV_RANGE, .key = key_of(member, "/_config/size", RAFT_NONE)};
    ask(member, &op);
}

/* All who are registered, the earliest first. */
static void look(struct member *member)
{
    const struct kv_op op = {
        .kind = KV_RANGE,
        .key = key_of(member, "/members/", RAFT_NONE),
        .range_end = key_of(member, "/members0", RAFT_NONE), /* '0' follows '/'. */
        .sort_target = KV_SORT_CREATE,
        .sort_order = KV_SORT_ASCEND,
    };
    ask(member, &op);
}

static void enter(struct member *member)
{
    struct wal_text value = {0};
    wal_text_put(&value, member->config.name);
    wal_text_put(&value, "=");
    wal_text_put(&value, member->config.url);
    const struct kv_op op = {
        .kind = KV_PUT,
        .key = key_of(member, "/members/", own_id(member)),
        .value = {.data = (const uint8_t *)value.bytes, .size = value.size},
    };
    ask(member, &op);
}

static void ask_again(struct member *member)
{
    switch (member->boot.discovery) {
    case MEMBER_DISCOVERY_SIZE:
        ask_size(member);
        break;
    case MEMBER_DISCOVERY_LOOK:
    case MEMBER_DISCOVERY_WAIT:
        look(member);
        break;
    case MEMBER_DISCOVERY_ENTER:
        enter(member);
        break;
    }
}

/* 0: it is no positive number that a cluster can have members of. */
static uint32_t parse_size(struct base_bytes text)
{
    uint32_t size = 0;
    for (size_t at = 0; at < text.size; at++) {
        if (text.data[at] < '0' || text.data[at] > '9' || size > RAFT_MEMBERS_MAX) {
            return 0;
        }
        size = size * 10 + (uint32_t)(text.data[at] - '0');
    }
    return size <= RAFT_MEMBERS_MAX ? size : 0;
}

static void size_answered(struct member *member, const struct kv_result *result)
{
    if (result->record_count == 0) {
        refuse(member, "size key not found");
        return;
    }
    member->boot.size = parse_size(result->records[0].value);
    if (member->boot.size == 0) {
        refuse(member, "size key is bad");
        return;
    }
    member->boot.discovery = MEMBER_DISCOVERY_LOOK;
    member_boot_step(member, "size");
    look(member);
}

/* Are we among the first `count` of them? */
static bool is_among(struct member *member, const struct kv_result *result, uint32_t count)
{
    struct base_bytes own = key_of(member, "/members/", own_id(member));
    for (uint32_t i = 0; i < result->record_count && i < count; i++) {
        if (base_bytes_equal(result->records[i].key, own)) {
            return true;
        }
    }
    return false;
}

static char *text_of(struct member *member, struct base_bytes bytes)
{
    char *text = base_arena_alloc(&member->texts, bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    text[bytes.size] = '\0';
    return text;
}

/* The registered ones are the initial cluster, and the token is its token. */
static void complete(struct member *member, const struct kv_result *result)
{
    struct member_boot *boot = &member->boot;
    struct member_peer *peers = base_arena_alloc(&member->texts, boot->size * sizeof *peers);
    for (uint32_t i = 0; i < boot->size; i++) {
        struct base_bytes value = result->records[i].value;
        size_t name_size = 0;
        while (name_size < value.size && value.data[name_size] != '=') {
            name_size++;
        }
        size_t used = name_size < value.size ? name_size + 1 : name_size;
        peers[i].is_learner = false;
        peers[i].name = text_of(member, (struct base_bytes){.data = value.data, .size = name_size});
        peers[i].url =
            text_of(member, (struct base_bytes){.data = value.data + used, .size = value.size - used});
    }
    boot->peers = peers;
    boot->peer_count = boot->size;
    boot->token = member->config.discovery;
    boot->state = MEMBER_BOOT_IDLE;
    member_boot_step(member, "complete");
    /* A registry cannot tell one that starts again from one that lost its disk
     * after it had served: the others can. */
    member_boot_peers(member);
}

static void looked(struct member *member, const struct kv_result *result)
{
    struct member_boot *boot = &member->boot;
    bool is_full = result->record_count >= boot->size;
    if (is_full && !is_among(member, result, boot->size)) {
        refuse(member, "cluster is full");
    } else if (boot->discovery == MEMBER_DISCOVERY_LOOK) {
        boot->discovery = MEMBER_DISCOVERY_ENTER;
        enter(member);
    } else if (is_full) {
        complete(member, result);
    } else {
        boot->is_asking = false;
        boot->due_ns = member->now_ns + MEMBER_DISCOVERY_WAIT_NS;
    }
}

void member_discover(struct member *member)
{
    member->boot.discovery = MEMBER_DISCOVERY_SIZE;
    member->boot.retries = 0;
    ask_size(member);
}

void member_discover_answered(struct member *member, const struct wire_response *response)
{
    struct member_boot *boot = &member->boot;
    if (!boot->is_asking) {
        return; /* Too late: it is asked again soon. */
    }
    if (response->status != BASE_OK) {
        member_discover_failed(member);
        return;
    }
    boot->retries = 0;
    switch (boot->discovery) {
    case MEMBER_DISCOVERY_SIZE:
        size_answered(member, &response->result);
        break;
    case MEMBER_DISCOVERY_LOOK:
    case MEMBER_DISCOVERY_WAIT:
        looked(member, &response->result);
        break;
    case MEMBER_DISCOVERY_ENTER:
        boot->discovery = MEMBER_DISCOVERY_WAIT;
        member_boot_step(member, "registered");
        look(member);
        break;
    }
}

void member_discover_failed(struct member *member)
{
    struct member_boot *boot = &member->boot;
    if (!boot->is_asking) {
        return;
    }
    boot->is_asking = false;
    boot->due_ns = member->now_ns + (MEMBER_DISCOVERY_WAIT_NS << boot->retries);
    boot->retries += boot->retries < RETRY_SHIFT_MAX;
}

void member_discover_due(struct member *member)
{
    if (member->boot.is_asking) {
        member_discover_failed(member);
    } else {
        ask_again(member);
    }
}
