/* Who a member is when it starts (etcd-behaviour §4.1, §4.2; etcd: bootstrap.go).
 *
 *   a log on disk ──▶ restart: ids, entries and hard state come from it
 *   no log        ──▶ new cluster: ids from the peer list and the token
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

/* What recovery has found so far. */
struct recovery {
    struct member *member;
    struct raft_hard_state hard_state;
    bool has_hard_state;
    enum raft_status status;
};

static void recover_metadata(void *context, const struct wal_metadata *metadata)
{
    struct recovery *recovery = context;
    recovery->member->id = metadata->member_id;
    recovery->member->cluster_id = metadata->cluster_id;
}

static void recover_entry(void *context, const struct raft_entry *entry)
{
    struct recovery *recovery = context;
    if (!recovery->member->raft) {
        recovery->status = RAFT_INVALID;
        return;
    }
    enum raft_status status = raft_restore_entry(recovery->member->raft, entry);
    if (status != RAFT_OK) {
        recovery->status = status;
    }
}

static void recover_hard_state(void *context, const struct raft_hard_state *state)
{
    struct recovery *recovery = context;
    recovery->hard_state = *state;
    recovery->has_hard_state = true;
}

static void recover_snapshot(void *context, const struct raft_snapshot *snapshot)
{
    struct recovery *recovery = context;
    member_snapshot_recovering(recovery->member, snapshot);
    if (!recovery->member->raft || raft_restore_snapshot(recovery->member->raft, snapshot) != RAFT_OK) {
        recovery->status = RAFT_INVALID;
    }
}

static void recover_piece(void *context, struct base_bytes piece)
{
    struct recovery *recovery = context;
    member_snapshot_recovering_piece(recovery->member, piece);
}

static bool raft_make(struct member *member, raft_id id)
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

static void recover_metadata_and_raft(void *context, const struct wal_metadata *metadata)
{
    struct recovery *recovery = context;
    recover_metadata(context, metadata);
    if (!recovery->member->raft && !raft_make(recovery->member, metadata->member_id)) {
        recovery->status = RAFT_INVALID;
    }
}

static void step(const struct member *member, const char *word)
{
    if (member->observer.step) {
        member->observer.step(member->observer.context, word);
    }
}

static void identify(const struct member *member)
{
    if (member->observer.identity) {
        member->observer.identity(member->observer.context, member->cluster_id, member->id);
    }
}

/* The members of a new cluster by ascending id; false when the configuration is
 * at fault, and then the member has stopped with the reason. */
static bool peers_of(struct member *member, struct wire_member *peers)
{
    const struct member_config *config = &member->config;
    struct base_bytes token = base_bytes_of(config->token);
    struct base_bytes own = base_bytes_of(config->name);
    bool has_self = false;
    if (config->peer_count == 0) {
        member_stop(member, "bootstrap", "initial cluster unset and no discovery endpoints found");
        return false;
    }
    for (uint32_t i = 0; i < config->peer_count; i++) {
        struct wire_member peer = {
            .name = base_bytes_of(config->peers[i].name),
            .peer_url = base_bytes_of(config->peers[i].url),
        };
        peer.id = member_id_of(peer.peer_url, token, 0);
        uint32_t slot = i;
        for (; slot > 0 && peers[slot - 1].id > peer.id; slot--) {
            peers[slot] = peers[slot - 1];
        }
        if (slot > 0 && peers[slot - 1].id == peer.id) {
            member_stop(member, "bootstrap", "initial cluster has duplicate url");
            return false;
        }
        peers[slot] = peer;
        if (base_bytes_equal(peer.name, own)) {
            member->id = peer.id;
            has_self = true;
        }
    }
    if (!has_self) {
        member_stop(member, "bootstrap", "couldn't find local name in the initial cluster configuration");
    }
    return has_self;
}

/* The payload of the entry that brings a founding member in. */
static struct base_bytes founding_context(struct member *member, const struct wire_member *peer)
{
    struct wire_proposal proposal = {
        .proposer = member->id,
        .request = {.kind = WIRE_MEMBER_ADD, .member = *peer},
    };
    /* Every member writes the same first entries: nothing of ourselves in them. */
    proposal.proposer = RAFT_NONE;
    base_buffer_reset(&member->scratch);
    wire_proposal_encode(&proposal, &member->scratch);
    return base_arena_copy(&member->arena, base_buffer_view(&member->scratch));
}

static bool found_cluster(struct member *member)
{
    struct wire_member peers[RAFT_MEMBERS_MAX];
    raft_id ids[RAFT_MEMBERS_MAX];
    struct base_bytes contexts[RAFT_MEMBERS_MAX];
    uint32_t count = member->config.peer_count;
    if (count > RAFT_MEMBERS_MAX) {
        member_stop(member, "bootstrap", "initial cluster has too many members");
        return false;
    }
    if (!peers_of(member, peers)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = peers[i].id;
        contexts[i] = founding_context(member, &peers[i]);
    }
    member->cluster_id = member_cluster_id_of(ids, count);
    member->is_new = true;
    identify(member);
    step(member, "ids");
    if (!raft_make(member, member->id)) {
        return false;
    }
    struct wal_metadata metadata = {.member_id = member->id, .cluster_id = member->cluster_id};
    member->storage.ticket_written = wal_create(member->storage.wal, &metadata);
    member->storage.ticket_needed = member->storage.ticket_written;
    step(member, "log");
    enum raft_status status = raft_bootstrap(member->raft, ids, contexts, count);
    assert(status == RAFT_OK); /* Sorted, unique, and the node is empty. */
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] != member->id) {
            member->host->add_peer(member->host->context, ids[i], peers[i].peer_url);
        }
    }
    return true;
}

static bool restart(struct member *member, const struct recovery *recovery)
{
    if (recovery->status != RAFT_OK || !member->raft) {
        member_stop(member, "disk", "the log does not hold together: its entries leave a gap");
        return false;
    }
    identify(member);
    if (recovery->has_hard_state && raft_restore_hard_state(member->raft, &recovery->hard_state) != RAFT_OK) {
        member_stop(member, "disk", "the hard state's commit is out of the log's range");
        return false;
    }
    if (!member_snapshot_recovered(member)) {
        member_stop(member, "disk", "the snapshot's state cannot be read");
        return false;
    }
    /* Until it is durable, nothing that was found may be acted upon towards others. */
    member->storage.ticket_written = 1;
    member->storage.ticket_needed = 1;
    step(member, "recovered");
    return true;
}

bool member_bootstrap(struct member *member)
{
    struct recovery recovery = {.member = member, .status = RAFT_OK};
    const struct wal_visitor visitor = {
        .context = &recovery,
        .metadata = recover_metadata_and_raft,
        .snapshot = recover_snapshot,
        .snapshot_piece = recover_piece,
        .entry = recover_entry,
        .hard_state = recover_hard_state,
    };
    switch (wal_recover(member->storage.wal, &visitor)) {
    case WAL_OK:
        if (!restart(member, &recovery)) {
            return false;
        }
        break;
    case WAL_NONE:
        if (!found_cluster(member)) {
            return false;
        }
        break;
    case WAL_CORRUPT:
    case WAL_FAILED:
        member_stop(member, "disk", wal_error(member->storage.wal));
        return false;
    }
    if (raft_start(member->raft, member->apply.applied) != RAFT_OK) {
        member_stop(member, "disk", "the log's terms do not fit its hard state");
        return false;
    }
    step(member, "raft");
    return true;
}
