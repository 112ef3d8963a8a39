/* The lessor stage and the way of lease calls to the primary (etcd-behaviour §3.4,
 * §3.7). With fencing, a renewal or an expiry counts only after this leader was
 * confirmed in one term, and a revocation carries that term; without, it is etcd's:
 * whoever believes itself primary acts.
 *
 *   call ──▶ leader here? ── yes ──▶ confirm ──▶ renew ──▶ answer
 *     ▲          └── no ──▶ forward to the leader ──▶ its answer
 *     └──── again after a pause: not primary (any more), no leader, no answer
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

/* Put a call aside, to be tried again. */
static struct member_forward *put_aside(struct member *member, uint64_t connection,
                                        const struct wire_request *request, uint64_t deadline_ns)
{
    struct member_lessor *lessor = &member->lessor;
    if (lessor->forward_count == lessor->forward_capacity) {
        uint32_t capacity = lessor->forward_capacity == 0 ? 4 : lessor->forward_capacity * 2;
        lessor->forwards = base_resize(member->allocator, lessor->forwards,
                                       lessor->forward_capacity * sizeof *lessor->forwards,
                                       capacity * sizeof *lessor->forwards);
        lessor->forward_capacity = capacity;
    }
    struct member_forward *forward = &lessor->forwards[lessor->forward_count++];
    *forward = (struct member_forward){
        .number = ++lessor->forward_number,
        .connection = connection,
        .request_id = request->id,
        .deadline_ns = deadline_ns,
        .retry_ns = member->now_ns + MEMBER_RENEW_RETRY_NS,
        .request = {.kind = request->kind, .lease = request->lease, .keys = request->keys},
    };
    return forward;
}

static void take_out(struct member_lessor *lessor, uint32_t slot)
{
    lessor->forward_count--;
    memmove(&lessor->forwards[slot], &lessor->forwards[slot + 1],
            (lessor->forward_count - slot) * sizeof *lessor->forwards);
}

static void propose_checkpoints(struct member *member, const int64_t *leases, const int64_t *remaining_s,
                                uint32_t count)
{
    struct wire_request checkpoint = {
        .kind = WIRE_LEASE_CHECKPOINT,
        .checkpoint_count = count,
        .checkpoint_leases = leases,
        .checkpoint_remaining_s = remaining_s,
    };
    (void)member_propose(member, 0, &checkpoint, member->config.lease_fencing);
}

/* What the primary answers. false: not primary, or the lease is just being
 * revoked: ask again later. */
static bool answer(struct member *member, const struct wire_request *request, enum base_status *status,
                   struct wire_response *response)
{
    struct lease_lessor *lessor = member->lessor.lessor;
    struct lease_info info;
    response->lease = request->lease;
    if (!lease_is_primary(lessor)) {
        *status = BASE_NOT_PRIMARY;
        return false;
    }
    if (request->kind == WIRE_LEASE_KEEPALIVE) {
        *status = lease_renew(lessor, request->lease, member->now_ns, &response->ttl_s);
        if (*status == BASE_OK && member->observer.renew) {
            member->observer.renew(member->observer.context, request->lease, response->ttl_s);
        }
        if (*status == BASE_UNAVAILABLE && lease_info(lessor, request->lease, &info) == BASE_OK &&
            info.checkpoint_first) {
            const int64_t nothing = 0; /* The rest that is in the log must not outlive a renewal. */
            propose_checkpoints(member, &request->lease, &nothing, 1);
        }
        return *status != BASE_UNAVAILABLE && *status != BASE_NOT_PRIMARY;
    }
    *status = BASE_OK;
    if (lease_info(lessor, request->lease, &info) != BASE_OK) {
        response->ttl_s = -1;
        return true;
    }
    uint64_t left = info.expiry_ns > member->now_ns ? info.expiry_ns - member->now_ns : 0;
    response->ttl_s = (int64_t)(left / UINT64_C(1000000000));
    response->granted_s = info.granted_s;
    if (request->keys) {
        response->key_count = lease_keys(lessor, request->lease, &response->keys);
    }
    return true;
}

static void reply_forwarded(struct member *member, uint64_t connection, uint64_t number,
                            enum base_status status, const struct wire_response *response)
{
    struct wire_message out = {
        .kind = WIRE_LEASE_ANSWER,
        .cluster_id = member->cluster_id,
        .from = member->id,
        .response = *response,
    };
    out.response.id = number;
    out.response.status = status;
    out.response.revision = kv_revision(member->kv);
    member->host->reply(member->host->context, connection, &out);
}

/* Serve a call here if we lead, else pass it on. */
static void attempt(struct member *member, struct member_forward *forward)
{
    forward->to = RAFT_NONE;
    if (member->leader == RAFT_NONE) {
        forward->retry_ns = forward->deadline_ns; /* A new leader wakes it. */
        return;
    }
    forward->to = member->leader;
    forward->retry_ns = member->now_ns + MEMBER_READ_RETRY_NS;
    struct wire_message out = {.kind = WIRE_LEASE_FORWARD, .request = forward->request};
    out.request.id = forward->number;
    member_send(member, forward->to, &out);
}

static enum member_read_kind read_kind(const struct wire_request *request)
{
    return request->kind == WIRE_LEASE_KEEPALIVE ? MEMBER_READ_RENEW : MEMBER_READ_TTL;
}

static void serve_here(struct member *member, uint64_t connection, const struct wire_request *request,
                       uint64_t deadline_ns)
{
    enum base_status status;
    struct wire_response response = {0};
    if (member->config.lease_fencing) {
        member_read_add(member, read_kind(request), connection, false, request, request->lease);
    } else if (answer(member, request, &status, &response)) {
        member_respond(member, connection, request->id, status, &response);
    } else {
        (void)put_aside(member, connection, request, deadline_ns);
    }
}

void member_lease_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    uint64_t deadline_ns = member->now_ns + member_request_timeout(member);
    if (member_is_leader(member)) {
        serve_here(member, connection, request, deadline_ns);
    } else {
        attempt(member, put_aside(member, connection, request, deadline_ns));
    }
}

void member_lease_forwarded(struct member *member, uint64_t connection, const struct wire_request *request)
{
    enum base_status status = BASE_NOT_PRIMARY;
    struct wire_response response = {0};
    if (member_is_leader(member) && member->config.lease_fencing) {
        member_read_add(member, read_kind(request), connection, true, request, request->lease);
        return;
    }
    if (member_is_leader(member) || !member->config.lease_fencing) {
        (void)answer(member, request, &status, &response);
    }
    reply_forwarded(member, connection, request->id, status, &response);
}

void member_lease_confirmed(struct member *member, const struct member_read *read)
{
    bool is_confirmed = read->term != 0 && member_is_leader(member) && member->term == read->term;
    if (read->kind == MEMBER_READ_EXPIRE) {
        struct lease_info info;
        if (is_confirmed && lease_info(member->lessor.lessor, read->lease, &info) == BASE_OK &&
            info.is_expiring) {
            struct wire_request revoke = {.kind = WIRE_LEASE_REVOKE, .lease = read->lease};
            (void)member_propose(member, 0, &revoke, true);
        }
        return;
    }
    const struct wire_request *request = &read->request->request;
    enum base_status status = BASE_NOT_PRIMARY;
    struct wire_response response = {0};
    bool is_final = is_confirmed && answer(member, request, &status, &response);
    if (read->is_forwarded) {
        reply_forwarded(member, read->connection, request->id, status, &response);
    } else if (is_final) {
        member_respond(member, read->connection, request->id, status, &response);
    } else if (read->deadline_ns > member->now_ns) {
        (void)put_aside(member, read->connection, request, read->deadline_ns);
    } else {
        member_respond(member, read->connection, request->id, BASE_TIMEOUT, NULL);
    }
}

void member_lease_answered(struct member *member, const struct wire_response *response)
{
    struct member_lessor *lessor = &member->lessor;
    for (uint32_t slot = 0; slot < lessor->forward_count; slot++) {
        struct member_forward *forward = &lessor->forwards[slot];
        if (forward->number != response->id) {
            continue;
        }
        if (response->status == BASE_NOT_PRIMARY || response->status == BASE_UNAVAILABLE) {
            forward->retry_ns = member->now_ns + MEMBER_RENEW_RETRY_NS;
            return;
        }
        struct wire_response out = *response;
        uint64_t connection = forward->connection;
        uint64_t request_id = forward->request_id;
        take_out(lessor, slot);
        member_respond(member, connection, request_id, response->status, &out);
        return;
    }
}

static void retry_calls(struct member *member)
{
    struct member_lessor *lessor = &member->lessor;
    for (uint32_t slot = 0; slot < lessor->forward_count;) {
        struct member_forward forward = lessor->forwards[slot];
        if (forward.deadline_ns <= member->now_ns) {
            take_out(lessor, slot);
            enum base_status status = member->leader == RAFT_NONE ? BASE_NO_LEADER : BASE_TIMEOUT;
            member_respond(member, forward.connection, forward.request_id, status, NULL);
        } else if (forward.retry_ns > member->now_ns) {
            slot++;
        } else if (member_is_leader(member)) {
            take_out(lessor, slot);
            forward.request.id = forward.request_id;
            serve_here(member, forward.connection, &forward.request, forward.deadline_ns);
        } else {
            attempt(member, &lessor->forwards[slot]);
            slot++;
        }
    }
}

void member_lessor_leader_changed(struct member *member)
{
    for (uint32_t slot = 0; slot < member->lessor.forward_count; slot++) {
        member->lessor.forwards[slot].retry_ns = member->now_ns;
    }
}

void member_lessor_run(struct member *member)
{
    struct member_lessor *lessor = &member->lessor;
    lessor->is_scan_due = false;
    int64_t ids[MEMBER_EXPIRED_MAX];
    uint32_t count = lease_expired(lessor->lessor, member->now_ns, ids, MEMBER_EXPIRED_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (member->observer.expire) {
            member->observer.expire(member->observer.context, ids[i]);
        }
        if (member->config.lease_fencing) {
            member_read_add(member, MEMBER_READ_EXPIRE, 0, false, NULL, ids[i]);
        } else {
            struct wire_request revoke = {.kind = WIRE_LEASE_REVOKE, .lease = ids[i]};
            (void)member_propose(member, 0, &revoke, false);
        }
    }
    if (member->config.lease_checkpoint) {
        int64_t remaining_s[MEMBER_CHECKPOINTS_MAX];
        count =
            lease_checkpoints_due(lessor->lessor, member->now_ns, ids, remaining_s, MEMBER_CHECKPOINTS_MAX);
        if (count > 0) {
            propose_checkpoints(member, ids, remaining_s, count);
        }
    }
    retry_calls(member);
}

void member_lessor_due(struct member *member)
{
    if (member_lessor_due_ns(member) <= member->now_ns) {
        member->host->wake(member->host->context, HOST_LESSOR);
        member->lessor.is_scan_due = true;
    }
}

uint64_t member_lessor_due_ns(const struct member *member)
{
    if (member->lessor.is_scan_due) {
        return HOST_NEVER; /* Woken already; it looks again when it has run. */
    }
    uint64_t due = lease_due_ns(member->lessor.lessor);
    for (uint32_t slot = 0; slot < member->lessor.forward_count; slot++) {
        const struct member_forward *forward = &member->lessor.forwards[slot];
        due = forward->retry_ns < due ? forward->retry_ns : due;
        due = forward->deadline_ns < due ? forward->deadline_ns : due;
    }
    return due;
}

void member_lessor_release(struct member *member)
{
    struct member_lessor *lessor = &member->lessor;
    base_free(member->allocator, lessor->forwards, lessor->forward_capacity * sizeof *lessor->forwards);
    if (lessor->lessor) {
        lease_free(lessor->lessor);
    }
}
