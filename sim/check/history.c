/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/history.h"

#include "sim/check/answer.h"
#include "sim/check/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

void check_calls_release(struct check_calls *calls)
{
    check_table_release(&calls->table);
    check_table_release(&calls->ask_table);
    free(calls->calls);
    free(calls->asks);
    *calls = (struct check_calls){0};
}

void check_calls_reset(struct check_calls *calls)
{
    check_table_reset(&calls->table);
    check_table_reset(&calls->ask_table);
    calls->count = 0;
    calls->ask_count = 0;
    calls->is_used = false;
}

static struct check_ask *ask_of(struct check_calls *calls, uint64_t digest, bool is_made)
{
    uint32_t slot = check_table_find(&calls->ask_table, digest);
    if (slot != CHECK_TABLE_NONE) {
        return &calls->asks[slot];
    }
    if (!is_made) {
        return NULL;
    }
    if (calls->ask_count == calls->ask_capacity) {
        calls->ask_capacity = check_grown(calls->ask_capacity, calls->ask_count + 1);
        calls->asks = check_resize(calls->asks, calls->ask_capacity, sizeof calls->asks[0]);
    }
    slot = calls->ask_count++;
    calls->asks[slot] = (struct check_ask){.digest = digest};
    check_table_add(&calls->ask_table, digest, slot);
    return &calls->asks[slot];
}

static void forget_ask(struct check_calls *calls, struct check_ask *ask)
{
    if (ask->asked > 0) {
        return;
    }
    uint32_t slot = (uint32_t)(ask - calls->asks);
    check_table_remove(&calls->ask_table, ask->digest);
    uint32_t last = --calls->ask_count;
    if (slot != last) {
        check_table_remove(&calls->ask_table, calls->asks[last].digest);
        calls->asks[slot] = calls->asks[last];
        check_table_add(&calls->ask_table, calls->asks[slot].digest, slot);
    }
}

/* The cluster that clients were last answered by. */
static struct check_cluster *serving(const struct check *check)
{
    struct check_cluster *best = NULL;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        struct check_cluster *cluster = check->clusters[slot];
        if (!best || cluster->history.serial_ns > best->history.serial_ns) {
            best = cluster;
        }
    }
    return best;
}

void check_history_invoke(struct check *check, uint64_t now, uint64_t call,
                          const struct wire_request *request)
{
    struct check_calls *calls = &check->calls;
    struct check_cluster *cluster = serving(check);
    calls->is_used = true;
    struct check_call begun = {.number = call, .invoke_ns = now, .cluster = UINT32_MAX};
    if (cluster) {
        begun.cluster = cluster->slot;
        begun.floor = cluster->history.floor;
        begun.newest = cluster->store.revision;
        begun.lease = check_lease_promise(cluster, request);
    }
    if (request->kind == WIRE_KV && check_op_writes(&request->op)) {
        begun.is_write = true;
        begun.digest = check_op_digest(&request->op);
        ask_of(calls, begun.digest, true)->asked++;
    }
    if (calls->count == calls->capacity) {
        calls->capacity = check_grown(calls->capacity, calls->count + 1);
        calls->calls = check_resize(calls->calls, calls->capacity, sizeof calls->calls[0]);
    }
    check_table_add(&calls->table, call, calls->count);
    calls->calls[calls->count++] = begun;
}

/* Take the call out; false when it was never begun. */
static bool take_call(struct check_calls *calls, uint64_t number, struct check_call *out)
{
    uint32_t slot = check_table_find(&calls->table, number);
    if (slot == CHECK_TABLE_NONE) {
        return false;
    }
    *out = calls->calls[slot];
    check_table_remove(&calls->table, number);
    uint32_t last = --calls->count;
    if (slot != last) {
        check_table_remove(&calls->table, calls->calls[last].number);
        calls->calls[slot] = calls->calls[last];
        check_table_add(&calls->table, calls->calls[slot].number, slot);
    }
    return true;
}

static const char *verb(const struct wire_request *request)
{
    if (request->kind != WIRE_KV) {
        return "call";
    }
    switch (request->op.kind) {
    case KV_RANGE:
        return request->op.flags & KV_SERIALIZABLE ? "serializable read" : "read";
    case KV_PUT:
        return "put";
    case KV_DELETE_RANGE:
        return "deletion";
    case KV_TXN:
        return "transaction";
    }
    return "call";
}

void check_history_apply(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                         const struct wire_proposal *proposal, enum base_status status)
{
    struct check_store *store = &member->cluster->store;
    if (proposal->request.kind == WIRE_COMPACT && status == BASE_OK &&
        proposal->request.revision > store->compacted) {
        store->compacted = proposal->request.revision;
    }
    if (proposal->request.kind != WIRE_KV || status != BASE_OK || !check->calls.is_used ||
        !check_op_writes(&proposal->request.op)) {
        return;
    }
    struct check_ask *ask = ask_of(&check->calls, check_op_digest(&proposal->request.op), false);
    check_arm(check, CHECK_HISTORY);
    if (!ask || ask->applied == ask->asked) {
        struct base_bytes key = proposal->request.op.key;
        check_found(check, member->cluster, CHECK_HISTORY, now, member->number,
                    "entry %" PRIu64 " is a %s of \"%.*s\" that took effect %s", index,
                    verb(&proposal->request), (int)(key.size < 64 ? key.size : 64), (const char *)key.data,
                    ask ? "more often than it was called for" : "though no client has called for it");
        return;
    }
    ask->applied++;
}

/* A write's outcome is known: settle what was asked with what was done. */
static void settle_write(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                         const struct wire_request *request, struct check_cluster *cluster, bool is_ok)
{
    struct check_ask *ask = ask_of(&check->calls, call->digest, false);
    if (!ask || ask->asked == 0) {
        return;
    }
    ask->asked--;
    struct base_bytes key = request->op.key;
    if (is_ok && ask->applied == 0) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s of \"%.*s\" was acknowledged, but no member has applied it",
                    client, verb(request), (int)(key.size < 64 ? key.size : 64), (const char *)key.data);
    } else if (is_ok) {
        ask->applied--;
    } else if (ask->applied > ask->asked) {
        ask->applied = ask->asked;
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s of \"%.*s\" was refused, but has taken effect", client,
                    verb(request), (int)(key.size < 64 ? key.size : 64), (const char *)key.data);
    }
    forget_ask(&check->calls, ask);
}

/* A serializable read may be old, but one member never goes back. */
static void judge_serial(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                         struct check_cluster *cluster, const struct wire_response *response)
{
    struct check_identity *identity = check_identity_of(cluster, response->member_id);
    uint32_t life = identity->machine ? check_member(check, identity->machine)->incarnation : 0;
    if (identity->serialized_incarnation != life || identity->serialized_revision < response->revision) {
        identity->serialized_incarnation = life;
        identity->serialized_revision = response->revision;
        identity->serialized_ns = now;
        return;
    }
    if (response->revision < identity->serialized_revision && identity->serialized_ns < call->invoke_ns) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "%s answered a serializable read at revision %" PRId64
                    ", but had answered one at %" PRId64 " before it was asked",
                    check_name(check, identity), response->revision, identity->serialized_revision);
    }
}

/* Bounds of an answer's revision by what happened before its call and until now. */
static bool bounds_hold(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                        const struct wire_request *request, const struct wire_response *response,
                        struct check_cluster *cluster)
{
    int64_t revision = response->revision;
    bool is_serial =
        request->kind == WIRE_KV && request->op.kind == KV_RANGE && request->op.flags & KV_SERIALIZABLE;
    if (revision > cluster->store.revision) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s was answered at revision %" PRId64
                    ", but there are only %" PRId64,
                    client, verb(request), revision, cluster->store.revision);
        return false;
    }
    if (is_serial) {
        judge_serial(check, now, client, call, cluster, response);
        return true;
    }
    bool is_ordered = request->kind == WIRE_KV || request->kind == WIRE_COMPACT;
    if (is_ordered && call->cluster == cluster->slot && revision < call->floor) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s was answered at revision %" PRId64 ", but revision %" PRId64
                    " had been seen before it was called",
                    client, verb(request), revision, call->floor);
        return false;
    }
    return true;
}

/* The answer made `revision`: nobody else did, and nobody before the call. */
static void judge_writer(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                         const struct wire_request *request, struct check_cluster *cluster, int64_t revision)
{
    check_arm(check, CHECK_DURABILITY);
    if (cluster->history.acknowledged < revision) {
        cluster->history.acknowledged = revision;
    }
    if (call->cluster == cluster->slot && revision <= call->newest) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s was acknowledged with revision %" PRId64
                    ", but revision %" PRId64 " was there when it was called",
                    client, verb(request), revision, call->newest);
    }
    if (check_store_claim(&cluster->store, revision)) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s was acknowledged with revision %" PRId64
                    ", but another write was acknowledged with it",
                    client, verb(request), revision);
    }
}

static void judge_refusal(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                          const struct wire_request *request, const struct wire_response *response,
                          struct check_cluster *cluster)
{
    int64_t revision = request->kind == WIRE_COMPACT ? request->revision : request->op.revision;
    bool is_linear =
        request->kind == WIRE_COMPACT ||
        (request->kind == WIRE_KV && request->op.kind == KV_RANGE && !(request->op.flags & KV_SERIALIZABLE));
    if (!is_linear || call->cluster != cluster->slot) {
        return;
    }
    if (response->status == BASE_FUTURE_REVISION && revision > 0 && revision <= call->floor) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s of revision %" PRId64
                    " was refused as future, but revision %" PRId64 " had been seen before",
                    client, verb(request), revision, call->floor);
    } else if (response->status == BASE_COMPACTED && revision > cluster->store.compacted) {
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s of revision %" PRId64
                    " was refused as compacted, but compaction got to %" PRId64,
                    client, verb(request), revision, cluster->store.compacted);
    }
}

static void judge_answer(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                         const struct wire_request *request, const struct wire_response *response,
                         struct check_cluster *cluster)
{
    struct check_trial trial;
    check_arm(check, CHECK_HISTORY);
    enum check_verdict verdict =
        check_answer(&trial, &cluster->store, &request->op, &response->result, response->revision);
    if (verdict == CHECK_WRONG) {
        struct base_bytes key = request->op.key;
        check_found(check, cluster, CHECK_HISTORY, now, client,
                    "client %" PRIu32 "'s %s of \"%.*s\" at revision %" PRId64 " %s", client, verb(request),
                    (int)(key.size < 64 ? key.size : 64), (const char *)key.data, response->revision,
                    trial.reason);
    } else if (call->is_write && trial.is_writer && trial.sub > 0) {
        judge_writer(check, now, client, call, request, cluster, response->revision);
    }
}

void check_history_return(struct check *check, uint64_t now, uint32_t client, uint64_t number,
                          const struct wire_request *request, const struct wire_response *response,
                          bool is_unknown)
{
    struct check_call call;
    if (!take_call(&check->calls, number, &call) || is_unknown) {
        return; /* An unknown write stays asked for, for ever. */
    }
    bool is_ok = response->status == BASE_OK;
    struct check_cluster *cluster =
        response->cluster_id || is_ok ? check_cluster(check, response->cluster_id) : serving(check);
    while (cluster && cluster->parent && cluster->parent->id == cluster->id &&
           call.invoke_ns < cluster->begun_ns) {
        cluster = cluster->parent; /* Asked before it was forced: of the cluster there was then. */
    }
    if (call.is_write) {
        settle_write(check, now, client, &call, request, cluster, is_ok);
    }
    if (!cluster) {
        return;
    }
    check_lease_return(check, now, client, &call, request, response, cluster);
    if (!is_ok) {
        judge_refusal(check, now, client, &call, request, response, cluster);
        return;
    }
    if (response->revision <= 0 || !bounds_hold(check, now, client, &call, request, response, cluster)) {
        return;
    }
    if (request->kind == WIRE_KV) {
        judge_answer(check, now, client, &call, request, response, cluster);
        check_bootstrap_served(check, now, client, cluster);
    }
    cluster->history.serial_ns = now;
    if (cluster->history.floor < response->revision) {
        cluster->history.floor = response->revision;
    }
}
