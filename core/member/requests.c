/* Requests of clients, and the proposals they become (etcd-behaviour §2.7).
 *
 *   waiting ──(a leader is known)──▶ proposed ──(applied here)──▶ answered
 *      └──────────────(request timeout)──────────────────────────▶ TIMEOUT…
 *
 * A proposal that was made is never made again: nobody knows whether the first
 * one is still under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

static struct member_pending *pending_at(struct member_proposals *proposals, uint64_t number)
{
    return &proposals->ring[number & (proposals->capacity - 1)];
}

static void pending_clear(struct member *member, struct member_pending *pending)
{
    if (pending->state == MEMBER_PENDING_WAITING) {
        member->proposals.waiting_count--;
        base_free(member->allocator, (void *)(uintptr_t)pending->payload.data, pending->payload.size);
    }
    *pending = (struct member_pending){.state = MEMBER_PENDING_DONE};
}

/* Forget answered proposals at the front. */
static void trim(struct member_proposals *proposals)
{
    while (proposals->count > 0 && pending_at(proposals, proposals->first)->state == MEMBER_PENDING_DONE) {
        proposals->first++;
        proposals->count--;
    }
}

static struct member_pending *pending_new(struct member *member, uint64_t *number)
{
    struct member_proposals *proposals = &member->proposals;
    if (proposals->count == proposals->capacity) {
        uint32_t capacity = proposals->capacity == 0 ? 16 : proposals->capacity * 2;
        struct member_pending *ring = base_zalloc(member->allocator, capacity * sizeof *ring);
        for (uint32_t i = 0; i < proposals->count; i++) {
            uint64_t old = proposals->first + i;
            ring[old & (capacity - 1)] = *pending_at(proposals, old);
        }
        base_free(member->allocator, proposals->ring, proposals->capacity * sizeof *ring);
        proposals->ring = ring;
        proposals->capacity = capacity;
    }
    *number = proposals->first + proposals->count;
    proposals->count++;
    return pending_at(proposals, *number);
}

void member_respond(struct member *member, uint64_t connection, uint64_t request_id, enum base_status status,
                    struct wire_response *response)
{
    if (connection == 0) {
        return;
    }
    struct wire_message out = {.kind = WIRE_RESPONSE, .cluster_id = member->cluster_id, .from = member->id};
    if (response) {
        out.response = *response;
    }
    out.response.id = request_id;
    out.response.status = status;
    out.response.cluster_id = member->cluster_id;
    out.response.member_id = member->id;
    out.response.revision = kv_revision(member->kv);
    out.response.term = member->term;
    out.response.applied = member->apply.applied;
    out.response.leader = member->leader;
    if (member->observer.response) {
        member->observer.response(member->observer.context, connection, &out.response);
    }
    member->host->reply(member->host->context, connection, &out);
}

/* Hand a payload to Raft. false: it was dropped on the spot. */
static bool propose_now(struct member *member, enum wire_request_kind kind, struct base_bytes payload)
{
    return member_is_change(kind) ? member_propose_conf_change(member, payload)
                                  : raft_propose(member->raft, payload) == RAFT_OK;
}

static void answer(struct member *member, const struct member_pending *pending, enum base_status status,
                   struct wire_response *response)
{
    if (pending->is_forwarded) {
        member_change_answer(member, pending->connection, true, pending->request_id, status);
    } else {
        member_respond(member, pending->connection, pending->request_id, status, response);
    }
}

static bool propose(struct member *member, const struct member_pending *asker,
                    const struct wire_request *request, bool is_fenced)
{
    struct member_proposals *proposals = &member->proposals;
    bool has_leader = member->leader != RAFT_NONE;
    if (!has_leader && proposals->waiting_count == MEMBER_WAITING_MAX) {
        answer(member, asker, BASE_TOO_MANY_REQUESTS, NULL);
        return false;
    }
    struct wire_proposal proposal = {
        .id = proposals->first + proposals->count,
        .proposer = member->id,
        .term = member->term,
        .is_fenced = is_fenced,
        .request = *request,
    };
    proposal.request.id = 0; /* The caller's number is nobody else's business. */
    if (request->kind == WIRE_LEASE_GRANT && request->lease == 0) {
        int64_t chosen = (int64_t)(proposal.id & INT64_MAX);
        proposal.request.lease = chosen == 0 ? 1 : chosen;
    }
    base_buffer_reset(&member->scratch);
    wire_proposal_encode(&proposal, &member->scratch);
    struct base_bytes payload = base_buffer_view(&member->scratch);
    if (payload.size > member->config.request_bytes_max) {
        answer(member, asker, BASE_REQUEST_TOO_LARGE, NULL);
        return false;
    }
    if (has_leader && !propose_now(member, request->kind, payload)) {
        answer(member, asker, BASE_UNAVAILABLE, NULL);
        return false;
    }
    uint64_t number;
    struct member_pending *pending = pending_new(member, &number);
    assert(number == proposal.id);
    *pending = *asker;
    pending->state = has_leader ? MEMBER_PENDING_PROPOSED : MEMBER_PENDING_WAITING;
    pending->kind = request->kind;
    pending->began_ns = member->now_ns;
    pending->deadline_ns = member->now_ns + member_request_timeout(member);
    if (!has_leader) {
        uint8_t *copy = base_alloc(member->allocator, payload.size);
        memcpy(copy, payload.data, payload.size);
        pending->payload = (struct base_bytes){.data = copy, .size = payload.size};
        proposals->waiting_count++;
    }
    return true;
}

bool member_propose(struct member *member, uint64_t connection, const struct wire_request *request,
                    bool is_fenced)
{
    const struct member_pending asker = {.connection = connection, .request_id = request->id};
    return propose(member, &asker, request, is_fenced);
}

bool member_propose_change(struct member *member, uint64_t connection, bool is_forwarded,
                           const struct wire_request *request)
{
    const struct member_pending asker = {.connection = connection,
                                         .request_id = request->id,
                                         .is_forwarded = is_forwarded};
    return propose(member, &asker, request, false);
}

void member_proposals_leader(struct member *member)
{
    struct member_proposals *proposals = &member->proposals;
    for (uint32_t i = 0; i < proposals->count && proposals->waiting_count > 0; i++) {
        struct member_pending *pending = pending_at(proposals, proposals->first + i);
        if (pending->state != MEMBER_PENDING_WAITING) {
            continue;
        }
        if (!propose_now(member, pending->kind, pending->payload)) {
            return; /* The leader is gone again, or hands over: wait on. */
        }
        base_free(member->allocator, (void *)(uintptr_t)pending->payload.data, pending->payload.size);
        pending->payload = (struct base_bytes){0};
        pending->state = MEMBER_PENDING_PROPOSED;
        proposals->waiting_count--;
    }
}

void member_pending_done(struct member *member, uint64_t proposal_id, enum base_status status,
                         struct wire_response *response)
{
    struct member_proposals *proposals = &member->proposals;
    if (proposal_id - proposals->first >= proposals->count) {
        return; /* Timed out long ago, or of an earlier life. */
    }
    struct member_pending *pending = pending_at(proposals, proposal_id);
    if (pending->state == MEMBER_PENDING_DONE) {
        return;
    }
    const struct member_pending asker = *pending;
    pending_clear(member, pending);
    trim(proposals);
    answer(member, &asker, status, response);
}

/* etcd: parseProposeCtxErr. */
enum base_status member_timeout_status(const struct member *member, uint64_t began_ns)
{
    uint64_t election_ns = member->config.election_ticks * member->config.tick_ns;
    if (member->leader_found_ns != 0 && began_ns < member->leader_found_ns &&
        began_ns + 2 * election_ns > member->leader_found_ns) {
        return BASE_TIMEOUT_LEADER_FAIL;
    }
    return member->leader == RAFT_NONE ? BASE_TIMEOUT_CONNECTION_LOST : BASE_TIMEOUT;
}

void member_proposals_due(struct member *member)
{
    struct member_proposals *proposals = &member->proposals;
    trim(proposals);
    while (proposals->count > 0) {
        struct member_pending *pending = pending_at(proposals, proposals->first);
        if (pending->state != MEMBER_PENDING_DONE) {
            if (pending->deadline_ns > member->now_ns) {
                return;
            }
            const struct member_pending asker = *pending;
            pending_clear(member, pending);
            answer(member, &asker, member_timeout_status(member, asker.began_ns), NULL);
        }
        proposals->first++;
        proposals->count--;
    }
}

uint64_t member_proposals_due_ns(const struct member *member)
{
    const struct member_proposals *proposals = &member->proposals;
    for (uint32_t i = 0; i < proposals->count; i++) {
        const struct member_pending *pending =
            &proposals->ring[(proposals->first + i) & (proposals->capacity - 1)];
        if (pending->state != MEMBER_PENDING_DONE) {
            return pending->deadline_ns;
        }
    }
    return HOST_NEVER;
}

void member_proposals_release(struct member *member)
{
    struct member_proposals *proposals = &member->proposals;
    for (uint32_t i = 0; i < proposals->count; i++) {
        pending_clear(member, pending_at(proposals, proposals->first + i));
    }
    base_free(member->allocator, proposals->ring, proposals->capacity * sizeof *proposals->ring);
}

static void serve_status(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct wire_response response = {
        .member_count = member->cluster.count,
        .members = member->cluster.members,
        .hash = request->kind == WIRE_HASH_KV ? member_store_hash(member) : 0,
    };
    member_respond(member, connection, request->id, BASE_OK, &response);
}

static void serve_leases(struct member *member, uint64_t connection, const struct wire_request *request)
{
    uint64_t count = lease_count(member->lessor.lessor);
    int64_t *ids = base_arena_alloc(&member->arena, (size_t)(count + 1) * sizeof *ids);
    struct wire_response response = {.leases = ids};
    struct lease_info info = {0};
    while (lease_next(member->lessor.lessor, info.id, &info)) {
        ids[response.lease_count++] = info.id;
    }
    member_respond(member, connection, request->id, BASE_OK, &response);
}

static void serve_kv(struct member *member, uint64_t connection, const struct wire_request *request)
{
    const struct kv_op *op = &request->op;
    enum base_status status = kv_check(op, MEMBER_OPS_MAX);
    status = status != BASE_OK ? status : member_quota_refusal(member, request);
    if (status == BASE_OK && kv_is_read_only(op) && member_alarm_is_on(member, MEMBER_ALARM_CORRUPT)) {
        status = BASE_CORRUPT;
    }
    if (status != BASE_OK) {
        member_respond(member, connection, request->id, status, NULL);
    } else if (!kv_is_read_only(op)) {
        (void)member_propose(member, connection, request, false);
    } else if (op->flags & KV_SERIALIZABLE) {
        struct wire_response response = {0};
        status = kv_read(member->kv, op, &member->arena, &response.result);
        member_respond(member, connection, request->id, status, &response);
    } else {
        member_read_add(member, MEMBER_READ_RANGE, connection, false, request, 0);
    }
}

static void serve_members(struct member *member, uint64_t connection, const struct wire_request *request)
{
    if (!(request->op.flags & KV_SERIALIZABLE)) {
        member_read_add(member, MEMBER_READ_RANGE, connection, false, request, 0);
        return;
    }
    struct wire_response response = {.members = member->cluster.members,
                                     .member_count = member->cluster.count};
    member_respond(member, connection, request->id, BASE_OK, &response);
}

static bool is_learner(const struct member *member)
{
    const struct wire_member *self = member_cluster_find(&member->cluster, member->id);
    return self && self->is_learner;
}

/* etcd: isRPCSupportedForLearner, and newStreamInterceptor for the backup. */
static bool is_for_learner(const struct wire_request *request)
{
    bool is_serializable = request->kind == WIRE_KV && request->op.kind == KV_RANGE &&
                           (request->op.flags & KV_SERIALIZABLE) != 0;
    return is_serializable || request->kind == WIRE_STATUS || request->kind == WIRE_HASH_KV ||
           request->kind == WIRE_BACKUP;
}

/* The quick refusals that come before everything else (etcd: processInternalRaftRequestOnce). */
static enum base_status refusal(const struct member *member, const struct wire_request *request)
{
    struct raft_status_report report;
    raft_get_status(member->raft, &report);
    if (report.hard_state.commit > member->apply.applied + MEMBER_APPLY_GAP_MAX) {
        return BASE_TOO_MANY_REQUESTS;
    }
    if (request->require_leader && member->leader == RAFT_NONE) {
        return BASE_NO_LEADER;
    }
    return is_learner(member) && !is_for_learner(request) ? BASE_NOT_SUPPORTED_FOR_LEARNER : BASE_OK;
}

static void serve_grant(struct member *member, uint64_t connection, const struct wire_request *request)
{
    enum base_status status = request->lease < 0                 ? BASE_INVALID
                              : request->ttl_s > LEASE_TTL_MAX_S ? BASE_LEASE_TTL_TOO_LARGE
                                                                 : member_quota_refusal(member, request);
    if (status != BASE_OK) {
        member_respond(member, connection, request->id, status, NULL);
        return;
    }
    (void)member_propose(member, connection, request, false);
}

void member_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    member->work.requests++;
    if (member->observer.request) {
        member->observer.request(member->observer.context, connection, request);
    }
    enum base_status status = refusal(member, request);
    if (status != BASE_OK) {
        member_respond(member, connection, request->id, status, NULL);
        return;
    }
    switch (request->kind) {
    case WIRE_KV:
        serve_kv(member, connection, request);
        return;
    case WIRE_COMPACT:
    case WIRE_LEASE_REVOKE:
        (void)member_propose(member, connection, request, false);
        return;
    case WIRE_LEASE_GRANT:
        serve_grant(member, connection, request);
        return;
    case WIRE_ALARM:
        member_alarm_request(member, connection, request);
        return;
    case WIRE_LEASE_KEEPALIVE:
    case WIRE_LEASE_TIME_TO_LIVE:
        member_lease_request(member, connection, request);
        return;
    case WIRE_LEASE_LEASES:
        serve_leases(member, connection, request);
        return;
    case WIRE_WATCH_CREATE:
    case WIRE_WATCH_CANCEL:
    case WIRE_WATCH_PROGRESS:
        member_watch_request(member, connection, request);
        return;
    case WIRE_MEMBER_LIST:
        serve_members(member, connection, request);
        return;
    case WIRE_STATUS:
    case WIRE_HASH_KV:
        serve_status(member, connection, request);
        return;
    case WIRE_BACKUP:
        member_backup_request(member, connection, request);
        return;
    case WIRE_MOVE_LEADER:
        member_move_request(member, connection, request);
        return;
    case WIRE_MEMBER_ADD:
    case WIRE_MEMBER_REMOVE:
    case WIRE_MEMBER_UPDATE:
    case WIRE_MEMBER_PROMOTE:
    case WIRE_MEMBER_CHANGE:
        member_change_request(member, connection, request);
        return;
    case WIRE_LEASE_CHECKPOINT:
    case WIRE_MEMBER_PUBLISH:
    case WIRE_REQUEST_KIND_COUNT:
        break;
    }
    member_respond(member, connection, request->id, BASE_INVALID, NULL);
}
