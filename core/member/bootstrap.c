/* Who a member is when it starts (etcd-behaviour §4.1, §4.2; etcd: bootstrap.go).
 *
 *   a log on disk ──▶ restart.c, whatever the configuration says of a cluster
 *   no log ──▶ configuration ──(at fault)──▶ stops, and says what is wrong
 *                 ├─ backup ──▶ restore.c
 *                 ├─ "existing" ──▶ join.c
 *                 ├─ discovery token ──▶ discovery.c ──▶ the initial cluster
 *                 ▼
 *              probe: peer after peer is asked who the members are
 *                 │        └─(one lists us, and we have served)──▶ stops
 *                 ▼
 *              found: ids, a log that holds the first configuration, Raft
 *
 * A peer that is not there refuses at once; one that listens and does not answer
 * (as we do not, while we are here) costs its second. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

void member_boot_step(const struct member *member, const char *word)
{
    if (member->observer.step) {
        member->observer.step(member->observer.context, word);
    }
}

void member_identify(const struct member *member)
{
    if (member->observer.identity) {
        member->observer.identity(member->observer.context, member->cluster_id, member->id);
    }
}

bool member_raft_make(struct member *member, raft_id id)
{
    const struct member_config *config = &member->config;
    struct raft_config raft_config = {
        .id = id,
        .election_ticks = config->election_ticks,
        .heartbeat_ticks = config->heartbeat_ticks,
        .election_spread_ticks = config->election_spread_ticks,
        .message_bytes_max = config->message_bytes_max,
        .inflight_count_max = config->inflight_count_max,
        .read_mode = config->read_lease ? RAFT_READ_LEASE : RAFT_READ_SAFE,
        .pre_vote = config->pre_vote,
        .check_quorum = config->check_quorum,
        .async_storage_writes = true,
        .random = member->host->random,
        .random_context = member->host->context,
        .observer = &member->observer.raft,
    };
    if (raft_new(&raft_config, member->allocator, &member->raft) != RAFT_OK) {
        member_stop(member, "options", "election, heartbeat or read options contradict each other");
        return false;
    }
    return true;
}

/* --- is the configuration at fault? --- */

static bool check_timing(struct member *member)
{
    const struct member_config *config = &member->config;
    uint64_t election_ms = config->election_ticks * config->tick_ns / 1000000;
    uint64_t heartbeat_ms = config->heartbeat_ticks * config->tick_ns / 1000000;
    struct wal_text text = {0};
    if (config->election_ticks < 5 * config->heartbeat_ticks) {
        wal_text_put(&text, "election-timeout[");
        wal_text_put_decimal(&text, election_ms);
        wal_text_put(&text, "ms] should be at least as 5 times as heartbeat-interval[");
        wal_text_put_decimal(&text, heartbeat_ms);
        wal_text_put(&text, "ms]");
    } else if (election_ms > MEMBER_ELECTION_MS_MAX) {
        wal_text_put(&text, "election-timeout[");
        wal_text_put_decimal(&text, election_ms);
        wal_text_put(&text, "ms] is too long, and should be set less than ");
        wal_text_put_decimal(&text, MEMBER_ELECTION_MS_MAX);
        wal_text_put(&text, "ms");
    } else {
        return true;
    }
    member_stop(member, "bootstrap", text.bytes);
    return false;
}

/* The next of the addresses in a list "a,b,c"; `rest` goes on behind it. */
static bool next_url(struct base_bytes *rest, struct base_bytes *url)
{
    if (rest->size == 0) {
        return false;
    }
    size_t size = 0;
    while (size < rest->size && rest->data[size] != ',') {
        size++;
    }
    *url = (struct base_bytes){.data = rest->data, .size = size};
    size_t used = size < rest->size ? size + 1 : size;
    rest->data += used;
    rest->size -= used;
    return true;
}

/* The first address of list `a` that is not in list `b`. */
static bool find_missing(struct base_bytes a, struct base_bytes b, struct base_bytes *missing)
{
    struct base_bytes url;
    while (next_url(&a, &url)) {
        struct base_bytes others = b;
        struct base_bytes other;
        bool is_there = false;
        while (next_url(&others, &other)) {
            is_there |= base_bytes_equal(url, other);
        }
        if (!is_there) {
            *missing = url;
            return true;
        }
    }
    return false;
}

/* The first address that lists `a` and `b` share. */
static bool find_shared(struct base_bytes a, struct base_bytes b, struct base_bytes *shared)
{
    struct base_bytes url;
    while (next_url(&a, &url)) {
        struct base_bytes missing;
        if (!find_missing(url, b, &missing)) {
            *shared = url;
            return true;
        }
    }
    return false;
}

/* What others are told to reach us at must be what they are told in the list. */
static bool check_advertised(struct member *member, struct base_bytes listed)
{
    struct base_bytes advertised = base_bytes_of(member->config.url);
    struct base_bytes missing;
    struct wal_text text = {0};
    if (advertised.size == 0) {
        return true;
    }
    if (find_missing(listed, advertised, &missing)) {
        wal_text_put(&text, "initial-cluster has ");
        wal_text_put_bytes(&text, missing);
        wal_text_put(&text, " but missing from initial-advertise-peer-urls=");
        wal_text_put_bytes(&text, advertised);
    } else if (find_missing(advertised, listed, &missing)) {
        wal_text_put(&text, "initial-advertise-peer-urls has ");
        wal_text_put_bytes(&text, missing);
        wal_text_put(&text, " but missing from initial-cluster=");
        wal_text_put_bytes(&text, listed);
    } else {
        return true;
    }
    member_stop(member, "bootstrap", text.bytes);
    return false;
}

static bool check_unique(struct member *member)
{
    const struct member_peer *peers = member->boot.peers;
    for (uint32_t i = 0; i < member->boot.peer_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            struct base_bytes shared;
            if (!find_shared(base_bytes_of(peers[i].url), base_bytes_of(peers[j].url), &shared)) {
                continue;
            }
            struct wal_text text = {0};
            wal_text_put(&text, "initial cluster ");
            wal_text_put(&text, peers[j].name);
            wal_text_put(&text, "=");
            wal_text_put(&text, peers[j].url);
            wal_text_put(&text, ",");
            wal_text_put(&text, peers[i].name);
            wal_text_put(&text, "=");
            wal_text_put(&text, peers[i].url);
            wal_text_put(&text, " has duplicate url ");
            wal_text_put_bytes(&text, shared);
            member_stop(member, "bootstrap", text.bytes);
            return false;
        }
    }
    return true;
}

/* Members by ascending id, which is also how their first entries stand in the log. */
bool member_boot_ids(struct member *member, struct wire_member *members)
{
    const struct member_boot *boot = &member->boot;
    struct base_bytes own = base_bytes_of(member->config.name);
    struct base_bytes token = base_bytes_of(boot->token);
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        struct wire_member peer = {.peer_url = base_bytes_of(boot->peers[i].url),
                                   .is_learner = boot->peers[i].is_learner};
        peer.id = member_id_of(peer.peer_url, token, 0);
        uint32_t slot = i;
        for (; slot > 0 && members[slot - 1].id > peer.id; slot--) {
            members[slot] = members[slot - 1];
        }
        members[slot] = peer;
        if (slot > 0 && members[slot - 1].id == peer.id) {
            struct wal_text text = {0};
            wal_text_put(&text, "member exists with identical ID ");
            wal_text_put_hex(&text, peer.id);
            member_stop(member, "bootstrap", text.bytes);
            return false;
        }
        if (base_bytes_equal(base_bytes_of(boot->peers[i].name), own)) {
            member->id = peer.id;
        }
    }
    return true;
}

bool member_boot_check_list(struct member *member)
{
    const struct member_boot *boot = &member->boot;
    struct base_bytes own = base_bytes_of(member->config.name);
    const struct member_peer *self = NULL;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (base_bytes_equal(base_bytes_of(boot->peers[i].name), own)) {
            self = &boot->peers[i];
        }
    }
    if (boot->peer_count > RAFT_MEMBERS_MAX) {
        member_stop(member, "bootstrap", "initial cluster has too many members");
        return false;
    }
    if (!self) {
        struct wal_text text = {0};
        wal_text_put(&text, "couldn't find local name \"");
        wal_text_put(&text, member->config.name);
        wal_text_put(&text, "\" in the initial cluster configuration");
        member_stop(member, "bootstrap", text.bytes);
        return false;
    }
    return check_advertised(member, base_bytes_of(self->url)) && check_unique(member);
}

static bool check_sources(struct member *member)
{
    const struct member_config *config = &member->config;
    bool has_discovery = config->discovery[0] != '\0';
    struct base_bytes state = base_bytes_of(config->state);
    if (state.size > 0 && !base_bytes_equal(state, base_bytes_of("new")) &&
        !base_bytes_equal(state, base_bytes_of("existing"))) {
        struct wal_text text = {0};
        wal_text_put(&text, "unknown initial-cluster-state \"");
        wal_text_put(&text, config->state);
        wal_text_put(&text, "\", expected \"new\" or \"existing\"");
        member_stop(member, "bootstrap", text.bytes);
        return false;
    }
    if (has_discovery && base_bytes_equal(state, base_bytes_of("existing"))) {
        member_stop(member, "bootstrap", "discovery should not be set when joining existing initial cluster");
        return false;
    }
    if (config->peer_count > 0 && has_discovery) {
        member_stop(member, "bootstrap",
                    "multiple discovery or bootstrap flags are set: choose one of initial-cluster and "
                    "discovery");
        return false;
    }
    if (config->peer_count == 0 && !has_discovery) {
        member_stop(member, "bootstrap", "initial cluster unset and no discovery endpoints found");
        return false;
    }
    return true;
}

/* --- found --- */

/* The payload of the entry that brings a founding member in. Every member writes
 * the same ones: nothing of ourselves is in them, and nobody has a name before it
 * has published it. */
static struct base_bytes founding_context(struct member *member, const struct wire_member *peer)
{
    struct wire_proposal proposal = {
        .proposer = RAFT_NONE,
        .request = {.kind = WIRE_MEMBER_ADD, .member = *peer},
    };
    base_buffer_reset(&member->scratch);
    wire_proposal_encode(&proposal, &member->scratch);
    return base_arena_copy(&member->arena, base_buffer_view(&member->scratch));
}

/* A log that holds the first configuration comes into being whole or not at all. */
static void create_log(struct member *member, uint32_t count)
{
    struct raft_entry *entries = base_arena_alloc(&member->arena, count * sizeof *entries);
    for (uint32_t i = 0; i < count; i++) {
        enum raft_status status = raft_entry_at(member->raft, i + 1, &entries[i]);
        assert(status == RAFT_OK);
    }
    const struct wal_metadata metadata = {.member_id = member->id, .cluster_id = member->cluster_id};
    const struct raft_hard_state state = {.term = 1, .commit = count};
    struct member_storage *storage = &member->storage;
    storage->ticket_written = wal_create_with(storage->wal, &metadata, entries, count, &state);
    storage->ticket_needed = storage->ticket_written;
    storage->ticket_created = storage->ticket_written;
    storage->founded_to = count;
}

/* Learners behind the voters, each by id: whoever applies the changes one by one after
 * a restart has a voter from the first on. */
static void put_voters_first(struct wire_member *members, uint32_t count)
{
    uint32_t voters = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!members[i].is_learner) {
            struct wire_member voter = members[i];
            memmove(&members[voters + 1], &members[voters], (i - voters) * sizeof members[0]);
            members[voters++] = voter;
        }
    }
}

static void found_cluster(struct member *member)
{
    struct wire_member members[RAFT_MEMBERS_MAX];
    raft_id ids[RAFT_MEMBERS_MAX];
    struct base_bytes contexts[RAFT_MEMBERS_MAX];
    bool learners[RAFT_MEMBERS_MAX];
    uint32_t count = member->boot.peer_count;
    if (!member_boot_ids(member, members)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = members[i].id;
    }
    member->cluster_id = member_cluster_id_of(ids, count);
    put_voters_first(members, count);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = members[i].id;
        contexts[i] = founding_context(member, &members[i]);
        learners[i] = members[i].is_learner;
    }
    member_identify(member);
    member_boot_step(member, "ids");
    if (!member_raft_make(member, member->id)) {
        return;
    }
    enum raft_status status = raft_bootstrap(member->raft, ids, contexts, learners, count);
    assert(status == RAFT_OK); /* Unique, and the node is empty. */
    create_log(member, count);
    member_boot_step(member, "log");
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] != member->id) {
            member->host->add_peer(member->host->context, ids[i], members[i].peer_url);
        }
    }
    member_boot_done(member);
}

/* --- probe --- */

const struct member_peer *member_boot_next_peer(const struct member *member, struct base_bytes after)
{
    const struct member_peer *next = NULL;
    struct base_bytes own = base_bytes_of(member->config.name);
    for (uint32_t i = 0; i < member->boot.peer_count; i++) {
        const struct member_peer *peer = &member->boot.peers[i];
        struct base_bytes url = base_bytes_of(peer->url);
        bool is_later = after.size == 0 || base_bytes_compare(url, after) > 0;
        if (!base_bytes_equal(base_bytes_of(peer->name), own) && is_later &&
            (!next || base_bytes_compare(url, base_bytes_of(next->url)) < 0)) {
            next = peer;
        }
    }
    return next;
}

static void probe_next(struct member *member)
{
    struct member_boot *boot = &member->boot;
    const struct member_peer *peer = member_boot_next_peer(member, boot->asked);
    if (!peer) {
        boot->state = MEMBER_BOOT_IDLE;
        member_boot_step(member, "probed");
        found_cluster(member);
        return;
    }
    const struct wire_message query = {
        .kind = WIRE_PEER_QUERY,
        .request = {.id = ++boot->call, .kind = WIRE_MEMBER_LIST},
    };
    boot->state = MEMBER_BOOT_PROBE;
    boot->asked = base_bytes_of(peer->url);
    boot->due_ns = member->now_ns + MEMBER_PROBE_NS;
    member->host->ask(member->host->context, boot->asked, boot->call, &query);
}

/* The first peer that answers is believed. */
static void probe_answered(struct member *member, const struct wire_response *response)
{
    const struct member_boot *boot = &member->boot;
    raft_id own = RAFT_NONE;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (base_bytes_equal(base_bytes_of(boot->peers[i].name), base_bytes_of(member->config.name))) {
            own = member_id_of(base_bytes_of(boot->peers[i].url), base_bytes_of(boot->token), 0);
        }
    }
    for (uint32_t i = 0; i < response->member_count; i++) {
        if (response->members[i].id == own && response->members[i].name.size > 0) {
            struct wal_text text = {0};
            wal_text_put(&text, "member ");
            wal_text_put_hex(&text, own);
            wal_text_put(&text, " has already been bootstrapped");
            member_stop(member, "bootstrap", text.bytes);
            return;
        }
    }
    member->boot.state = MEMBER_BOOT_IDLE;
    member_boot_step(member, "probed");
    found_cluster(member);
}

void member_boot_peers(struct member *member)
{
    struct wire_member members[RAFT_MEMBERS_MAX];
    if (!member_boot_check_list(member) || !member_boot_ids(member, members)) {
        return;
    }
    member->boot.asked = (struct base_bytes){0};
    probe_next(member);
}

/* --- the ways in --- */

void member_bootstrap(struct member *member)
{
    if (member->config.strict_timing && !check_timing(member)) {
        return;
    }
    switch (member_restart(member)) {
    case MEMBER_FOUND_LOG:
        if (member->config.backup.size > 0) {
            member_stop(member, "restore", "the data directory is not empty");
            return;
        }
        member_boot_done(member);
        return;
    case MEMBER_FOUND_DAMAGE:
        return;
    case MEMBER_FOUND_NOTHING:
        break;
    }
    if (member->config.force_new_cluster) {
        member_stop(member, "bootstrap", "no log to force a new cluster from");
        return;
    }
    if (!check_sources(member)) {
        return;
    }
    member->boot.peers = member->config.peers;
    member->boot.peer_count = member->config.peer_count;
    member->boot.token = member->config.token;
    member_boot_step(member, "configured");
    if (member->config.backup.size > 0) {
        if (member_boot_check_list(member)) {
            member_restore(member);
        }
        return;
    }
    if (base_bytes_equal(base_bytes_of(member->config.state), base_bytes_of("existing"))) {
        member_join(member);
    } else if (member->config.discovery[0] != '\0') {
        member_discover(member);
    } else {
        member_boot_peers(member);
    }
}

void member_boot_answered(struct member *member, const struct wire_message *message)
{
    const struct member_boot *boot = &member->boot;
    if (message->response.id != boot->call) {
        return; /* Of a question that was given up. */
    }
    if (boot->state == MEMBER_BOOT_PROBE && message->kind == WIRE_PEER_ANSWER) {
        probe_answered(member, &message->response);
    } else if (boot->state == MEMBER_BOOT_DISCOVER && message->kind == WIRE_RESPONSE) {
        member_discover_answered(member, &message->response);
    } else if (boot->state == MEMBER_BOOT_JOIN && message->kind == WIRE_PEER_ANSWER) {
        member_join_answered(member, &message->response);
    }
}

void member_boot_unanswered(struct member *member, uint64_t call)
{
    if (call != member->boot.call) {
        return;
    }
    if (member->boot.state == MEMBER_BOOT_PROBE) {
        probe_next(member);
    } else if (member->boot.state == MEMBER_BOOT_DISCOVER) {
        member_discover_failed(member);
    } else if (member->boot.state == MEMBER_BOOT_JOIN) {
        member_join_unanswered(member);
    }
}

void member_boot_due(struct member *member)
{
    struct member_boot *boot = &member->boot;
    if (boot->state == MEMBER_BOOT_IDLE || boot->due_ns > member->now_ns) {
        return;
    }
    if (boot->state == MEMBER_BOOT_PROBE) {
        probe_next(member);
    } else if (boot->state == MEMBER_BOOT_JOIN) {
        member_join_unanswered(member);
    } else {
        member_discover_due(member);
    }
}
