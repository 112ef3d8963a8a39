/* The apply stage: committed entries take effect in the store, the lessor and the
 * membership, a batch at a time, in log order, on every member alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

/* What one entry came to. */
struct outcome {
    enum base_status status;
    struct wire_response response;
};

void member_apply_wake(struct member *member)
{
    if (!member->apply.is_woken) {
        member->apply.is_woken = true;
        member->host->wake(member->host->context, HOST_APPLY);
    }
}

void member_apply_handed(struct member *member, const struct raft_message *apply)
{
    if (apply->entry_count > 0) {
        raft_index last = apply->entries[apply->entry_count - 1].index;
        assert(last > member->apply.handed_to);
        member->apply.handed_to = last;
        member_apply_wake(member);
    }
}

static void apply_revoke(struct member *member, const struct wire_proposal *proposal,
                         const struct raft_entry *entry, struct outcome *outcome)
{
    struct lease_lessor *lessor = member->lessor.lessor;
    int64_t lease = proposal->request.lease;
    if (proposal->is_fenced && proposal->term != entry->term) {
        outcome->status = BASE_LEASE_FENCED; /* Whoever found it expired leads no more. */
        return;
    }
    if (!lease_exists(lessor, lease)) {
        outcome->status = BASE_LEASE_NOT_FOUND;
        return;
    }
    const struct base_bytes *keys = NULL;
    uint32_t count = lease_keys(lessor, lease, &keys);
    (void)kv_delete_keys(member->kv, keys, count);
    outcome->status = lease_revoke(lessor, lease);
    outcome->response.lease = lease;
}

static void apply_checkpoint(struct member *member, const struct wire_proposal *proposal,
                             const struct raft_entry *entry, struct outcome *outcome)
{
    const struct wire_request *request = &proposal->request;
    if (proposal->is_fenced && proposal->term != entry->term) {
        outcome->status = BASE_LEASE_FENCED; /* Renewed since, perhaps, by another primary. */
        return;
    }
    for (uint32_t i = 0; i < request->checkpoint_count; i++) {
        (void)lease_checkpoint(member->lessor.lessor, request->checkpoint_leases[i],
                               request->checkpoint_remaining_s[i]);
    }
    outcome->status = BASE_OK;
}

static void apply_publish(struct member *member, const struct wire_request *request, struct outcome *outcome)
{
    outcome->status = member_cluster_update(&member->cluster, &request->member);
    if (request->member.id == member->id && outcome->status == BASE_OK) {
        member->is_published = true;
    }
}

static void apply_proposal(struct member *member, const struct raft_entry *entry,
                           const struct wire_proposal *proposal, struct outcome *outcome)
{
    const struct wire_request *request = &proposal->request;
    outcome->status = member_alarm_refusal(member, request);
    if (outcome->status != BASE_OK) {
        return;
    }
    switch (request->kind) {
    case WIRE_KV:
        outcome->status = kv_apply(member->kv, &request->op, &member->arena, &outcome->response.result);
        return;
    case WIRE_COMPACT:
        outcome->status = kv_compact(member->kv, request->revision);
        return;
    case WIRE_LEASE_GRANT:
        outcome->response.lease = request->lease;
        outcome->status = lease_grant(member->lessor.lessor, request->lease, request->ttl_s, member->now_ns,
                                      &outcome->response.ttl_s);
        outcome->response.granted_s = outcome->response.ttl_s;
        return;
    case WIRE_LEASE_REVOKE:
        apply_revoke(member, proposal, entry, outcome);
        return;
    case WIRE_LEASE_CHECKPOINT:
        apply_checkpoint(member, proposal, entry, outcome);
        return;
    case WIRE_ALARM:
        outcome->status = member_alarm_apply(member, request);
        return;
    case WIRE_HASH_KV:
        member_hash_check_apply(member, request);
        return;
    case WIRE_MEMBER_PUBLISH:
        apply_publish(member, request, outcome);
        return;
    case WIRE_LEASE_KEEPALIVE:
    case WIRE_LEASE_TIME_TO_LIVE:
    case WIRE_LEASE_LEASES:
    case WIRE_WATCH_CREATE:
    case WIRE_WATCH_CANCEL:
    case WIRE_WATCH_PROGRESS:
    case WIRE_MEMBER_LIST:
    case WIRE_MEMBER_ADD:
    case WIRE_MEMBER_REMOVE:
    case WIRE_MEMBER_UPDATE:
    case WIRE_MEMBER_PROMOTE:
    case WIRE_MEMBER_CHANGE:
    case WIRE_MOVE_LEADER:
    case WIRE_STATUS:
    case WIRE_BACKUP:
    case WIRE_REQUEST_KIND_COUNT:
        break;
    }
    outcome->status = BASE_INVALID; /* None that a member of this version proposes. */
}

static void applying(const struct member *member, const struct raft_entry *entry,
                     const struct wire_proposal *proposal)
{
    if (member->observer.applying) {
        member->observer.applying(member->observer.context, entry, proposal);
    }
}

static void apply_normal(struct member *member, const struct raft_entry *entry)
{
    struct wire_proposal proposal;
    struct outcome outcome = {.status = BASE_OK};
    struct base_bytes data = {.data = entry->data, .size = entry->size};
    if (wire_proposal_decode(data, &member->arena, &proposal) != BASE_OK) {
        member_stop(member, "log", "a committed entry cannot be read");
        return;
    }
    applying(member, entry, &proposal);
    apply_proposal(member, entry, &proposal, &outcome);
    if (member->observer.apply) {
        member->observer.apply(member->observer.context, entry, &proposal, outcome.status,
                               kv_revision(member->kv));
    }
    if (proposal.proposer == member->id) {
        member_pending_done(member, proposal.id, outcome.status, &outcome.response);
    }
}

/* The empty entry a new leader begins with: once it is applied, so is everything
 * before it, and the leader may serve as one (etcd-behaviour §3.3). Later ones of its term
 * stand where a configuration change was refused: they promise no lease anything. */
static void apply_empty(struct member *member, const struct raft_entry *entry)
{
    applying(member, entry, NULL);
    if (member->observer.apply) {
        member->observer.apply(member->observer.context, entry, NULL, BASE_OK, kv_revision(member->kv));
    }
    if (!member_is_leader(member) || entry->term != member->term ||
        entry->term == member->lessor.promoted_term) {
        return;
    }
    member->lessor.promoted_term = entry->term;
    uint64_t extend_ns = member->config.election_ticks * member->config.tick_ns;
    lease_promote(member->lessor.lessor, member->now_ns, extend_ns);
    if (member->observer.promote) {
        member->observer.promote(member->observer.context, entry->term, lease_count(member->lessor.lessor));
    }
    member_reads_first_commit(member);
}

/* One entry; true when the batch may go on (a configuration change ends it). */
static bool apply_entry(struct member *member, const struct raft_entry *entry)
{
    switch (entry->type) {
    case RAFT_ENTRY_NORMAL:
        if (entry->size == 0) {
            apply_empty(member, entry);
        } else {
            apply_normal(member, entry);
        }
        return true;
    case RAFT_ENTRY_CONF_CHANGE:
    case RAFT_ENTRY_CONF_CHANGE_V2:
        member_apply_conf_change(member, entry);
        return false;
    }
    return true;
}

void member_apply_run(struct member *member)
{
    struct member_apply *apply = &member->apply;
    apply->is_woken = false;
    uint64_t left = apply->handed_to - apply->applied;
    uint32_t batch = member->config.batch_entries;
    uint32_t count = left < batch ? (uint32_t)left : batch;
    struct raft_entry *entries = base_arena_alloc(&member->arena, (count + 1) * sizeof *entries);
    uint32_t done = 0;
    bool goes_on = true;
    while (done < count && goes_on && !member->is_stopped) {
        enum raft_status status = raft_entry_at(member->raft, apply->applied + 1, &entries[done]);
        assert(status == RAFT_OK); /* Handed out, and nothing is compacted before it is applied. */
        apply->applied++;
        goes_on = apply_entry(member, &entries[done]);
        done++;
    }
    member->work.entries += done;
    if (member->is_stopped) {
        return;
    }
    if (done > 0) {
        struct raft_message response = {
            .type = RAFT_MSG_STORAGE_APPLY_RESP,
            .to = member->id,
            .from = RAFT_APPLY_THREAD,
            .entries = entries,
            .entry_count = done,
        };
        enum raft_status status = raft_step(member->raft, &response);
        assert(status == RAFT_OK);
        member_reads_applied(member);
        member_watches_pump(member);
        member_snapshot_maybe_begin(member);
        member_greet(member);
    }
    /* Compaction's memory waits while a snapshot of the store is open. */
    bool is_compacting =
        kv_is_compacting(member->kv) && !member->snapshots.stream && member->backups.count == 0;
    if (is_compacting) {
        is_compacting = kv_compact_step(member->kv, MEMBER_COMPACT_KEYS);
    }
    if (apply->applied < apply->handed_to || is_compacting) {
        member_apply_wake(member);
    }
}
