/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/lease.h"

#include "sim/check/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)
#define MILLION UINT64_C(1000000)
#define TTL_MAX_S INT64_C(1000000000) /* What is longer never ends within a run. */

enum {
    SWEEP_S = 2,
    SCAN_MS = 500, /* The lessor looks this often, */
    REVOKED_A_SECOND = 750,
    SLACK_S = 2,          /* and needs so long to get a revocation through, */
    LOST_ATTEMPTS_S = 21, /* three times lost included. */
};

void check_lease_release(struct check_lease *lease)
{
    check_table_release(&lease->table);
    free(lease->records);
    *lease = (struct check_lease){0};
}

void check_lease_reset(struct check_lease *lease)
{
    check_table_reset(&lease->table);
    lease->count = 0;
    lease->promoted_term = 0;
    lease->promoted_ns = 0;
    lease->primary = 0;
    lease->work_ns = 0;
    lease->applied_ns = 0;
    lease->applied_term = 0;
    lease->sweep_ns = 0;
    lease->margin_ns = INT64_MAX;
}

static struct check_lease_record *find(const struct check_lease *lease, int64_t id)
{
    uint32_t slot = check_table_find(&lease->table, (uint64_t)id);
    return slot == CHECK_TABLE_NONE ? NULL : &lease->records[slot];
}

static struct check_lease_record *make(struct check_lease *lease, int64_t id)
{
    struct check_lease_record *record = find(lease, id);
    if (record) {
        return record;
    }
    if (lease->count == lease->capacity) {
        lease->capacity = check_grown(lease->capacity, lease->count + 1);
        lease->records = check_resize(lease->records, lease->capacity, sizeof lease->records[0]);
    }
    check_table_add(&lease->table, (uint64_t)id, lease->count);
    record = &lease->records[lease->count++];
    *record = (struct check_lease_record){.id = id, .late_work_ns = UINT64_MAX};
    return record;
}

static uint64_t ttl_ns(int64_t ttl_s)
{
    return (uint64_t)(ttl_s < TTL_MAX_S ? ttl_s : TTL_MAX_S) * SECOND_NS;
}

/* The least true time in which a member's clock can advance by `local_ns`. */
static uint64_t soonest(const struct check *check, uint64_t local_ns)
{
    uint64_t rate = MILLION + check->options.drift_ppm;
    return local_ns / rate * MILLION + local_ns % rate * MILLION / rate;
}

/* The most. */
static uint64_t latest(const struct check *check, uint64_t local_ns)
{
    uint64_t drift = check->options.drift_ppm < MILLION / 2 ? check->options.drift_ppm : MILLION / 2;
    uint64_t rate = MILLION - drift;
    return local_ns / rate * MILLION + local_ns % rate * MILLION / rate + 1;
}

/* The instant before which what was promised must not go. A clock may have been set
 * to run faster since the promise was made. */
static uint64_t end_of(const struct check *check, struct check_promise promise)
{
    return promise.ttl_ns == 0 ? 0 : promise.from_ns + soonest(check, promise.ttl_ns);
}

static struct check_promise promise_of(const struct check_lease_record *record)
{
    return (struct check_promise){record->promised_ns, record->promised_ttl_ns};
}

/* etcd's own lessor may fall short by a heartbeat and a tick (etcd-behaviour §3.5). */
static uint64_t allowance(const struct check *check)
{
    return check->options.is_lease_unfenced ? check->options.heartbeat_ns + check->options.tick_ns : 0;
}

/* Before which instant the lease must not go, by the last renewal that a client
 * knows of and by the newest primary's promotion, unless renewed since. */
static uint64_t lower_bound(const struct check *check, const struct check_lease *lease,
                            const struct check_lease_record *record)
{
    uint64_t bound = end_of(check, promise_of(record));
    if (record->is_extended && record->ttl_s > 0) {
        int64_t ttl_s = record->extended_s > 0 ? record->extended_s : record->ttl_s;
        uint64_t extended = lease->promoted_ns + soonest(check, check->options.election_ns + ttl_ns(ttl_s));
        bound = bound < extended ? extended : bound;
    }
    return bound;
}

/* The least TTL there is: etcd's, one and a half elections in whole seconds. */
static int64_t ttl_least_s(const struct check *check)
{
    uint64_t ticks = check->options.tick_ns ? check->options.election_ns / check->options.tick_ns : 0;
    uint64_t least_ns = ticks * 3 / 2 * check->options.tick_ns;
    return (int64_t)((least_ns + SECOND_NS - 1) / SECOND_NS);
}

static void granted(struct check *check, uint64_t now, struct check_lease *lease, raft_index index,
                    int64_t id, int64_t ttl_s)
{
    struct check_lease_record *record = make(lease, id);
    int64_t least_s = ttl_least_s(check);
    *record = (struct check_lease_record){
        .id = id,
        .is_present = true,
        .renewed_ns = now,
        .granted = index,
        .is_extended = index<lease->promoted, .ttl_s = ttl_s, .ttl_long_s = ttl_s> least_s ? ttl_s : least_s,
        .late_work_ns = UINT64_MAX};
}

/* The keys of a lease go with it, in the same entry. */
static void require_no_keys(struct check *check, uint64_t now, struct check_member *member, int64_t id)
{
    const struct check_store *store = &member->cluster->store;
    for (uint32_t slot = 0; slot < store->key_count; slot++) {
        const struct check_key *key = store->keys[slot];
        const struct check_change *version = check_store_version(store, key, store->revision, INT64_MAX);
        if (version && version->lease == id) {
            check_found(check, member->cluster, CHECK_LEASE, now, member->number,
                        "lease %" PRIx64 " was revoked, but its key \"%.*s\" of revision %" PRId64 " is left",
                        (uint64_t)id, (int)(key->name.size < 64 ? key->name.size : 64),
                        (const char *)key->name.data, version->revision);
            return;
        }
    }
}

void check_lease_attached(struct check *check, uint64_t now, struct check_member *member, int64_t id,
                          struct base_bytes key)
{
    const struct check_lease_record *record = find(&member->cluster->lease, id);
    if (member->cluster->store.is_partial || (record && record->is_present)) {
        return;
    }
    check_found(check, member->cluster, CHECK_LEASE, now, member->number,
                "m%" PRIu32 " put key \"%.*s\" with lease %" PRIx64 ", but there is no such lease",
                member->number, (int)(key.size < 64 ? key.size : 64), (const char *)key.data, (uint64_t)id);
}

static void revoked(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                    int64_t id)
{
    struct check_cluster *cluster = member->cluster;
    struct check_lease *lease = &cluster->lease;
    struct check_lease_record *record = make(lease, id);
    record->is_present = false;
    record->revoked = index;
    record->gone_ns = now;
    require_no_keys(check, now, member, id);
    uint64_t bound = lower_bound(check, lease, record);
    if (record->is_free || bound == 0) {
        return;
    }
    check_arm(check, CHECK_LEASE);
    int64_t margin = (int64_t)(now - bound);
    if (margin < lease->margin_ns) {
        lease->margin_ns = margin;
    }
    if (now + allowance(check) < bound) {
        check_found(check, cluster, CHECK_LEASE, now, member->number,
                    "lease %" PRIx64
                    " was revoked at %s, but was promised until %s (renewed at %s, TTL %" PRId64 " s)",
                    (uint64_t)id, check_seconds(check, now), check_seconds(check, bound),
                    check_seconds(check, record->renewed_ns), record->ttl_s);
    }
}

/* By when a lease that nobody renews any more is gone, with a working leader. */
static uint64_t upper_bound(const struct check *check, const struct check_lease *lease,
                            const struct check_lease_record *record, uint32_t pending)
{
    uint64_t from = record->renewed_ns;
    if (from < lease->promoted_ns + check->options.election_ns) {
        from = lease->promoted_ns + check->options.election_ns;
    }
    /* A promotion that has counted from a checkpoint gives the rest alone. */
    bool is_rest = record->is_extended && record->extended_s > 0;
    uint64_t rest = ttl_ns(is_rest ? record->extended_s : record->ttl_long_s) + SCAN_MS * MILLION +
                    pending * SECOND_NS / REVOKED_A_SECOND + SLACK_S * SECOND_NS;
    return from + latest(check, rest) + check->frozen_ns;
}

/* A leader that goes on committing for long after a lease was due must revoke it. */
static void sweep(struct check *check, uint64_t now, struct check_member *member)
{
    struct check_lease *lease = &member->cluster->lease;
    uint32_t pending = 0;
    for (uint32_t slot = 0; slot < lease->count; slot++) {
        pending += lease->records[slot].is_present;
    }
    for (uint32_t slot = 0; slot < lease->count; slot++) {
        struct check_lease_record *record = &lease->records[slot];
        if (!record->is_present) {
            continue;
        }
        uint64_t due = upper_bound(check, lease, record, pending);
        if (now <= due) {
            record->late_work_ns = UINT64_MAX;
        } else if (record->late_work_ns == UINT64_MAX) {
            record->late_work_ns = lease->work_ns;
        } else if (lease->work_ns - record->late_work_ns > LOST_ATTEMPTS_S * SECOND_NS) {
            check_found(check, member->cluster, CHECK_LEASE, now, lease->primary,
                        "lease %" PRIx64
                        " is still there at %s, but was due by %s (renewed at %s, TTL %" PRId64 " s)",
                        (uint64_t)record->id, check_seconds(check, now), check_seconds(check, due),
                        check_seconds(check, record->renewed_ns), record->ttl_long_s);
        }
    }
}

static void note_work(struct check *check, uint64_t now, struct check_member *member, raft_term term)
{
    struct check_lease *lease = &member->cluster->lease;
    if (term == lease->applied_term) {
        uint64_t gap = now - lease->applied_ns;
        lease->work_ns += gap < SECOND_NS ? gap : SECOND_NS;
    }
    lease->applied_term = term;
    lease->applied_ns = now;
    if (now >= lease->sweep_ns) {
        lease->sweep_ns = now + SWEEP_S * SECOND_NS;
        sweep(check, now, member);
    }
}

void check_lease_adopt(struct check_lease *lease, const struct check_lease *parent, raft_index index,
                       uint64_t now)
{
    for (uint32_t slot = 0; slot < parent->count; slot++) {
        const struct check_lease_record *before = &parent->records[slot];
        bool was_there = before->granted <= index && (before->is_present || before->revoked > index);
        if (!was_there) {
            continue;
        }
        struct check_lease_record *record = make(lease, before->id);
        bool is_shorter = before->remaining_s > 0 && before->remaining_s < before->ttl_s;
        record->is_present = true;
        record->is_free |= before->is_free;
        record->renewed_ns = now;
        record->ttl_s = is_shorter ? before->remaining_s : before->ttl_s;
        record->ttl_long_s = before->ttl_long_s;
    }
}

void check_lease_apply(struct check *check, uint64_t now, struct check_member *member,
                       const struct raft_entry *entry, const struct wire_proposal *proposal,
                       enum base_status status)
{
    struct check_lease *lease = &member->cluster->lease;
    note_work(check, now, member, entry->term);
    if (!proposal || status != BASE_OK) {
        return;
    }
    const struct wire_request *request = &proposal->request;
    if (request->kind == WIRE_LEASE_GRANT) {
        granted(check, now, lease, entry->index, request->lease, request->ttl_s);
    } else if (request->kind == WIRE_LEASE_REVOKE) {
        revoked(check, now, member, entry->index, request->lease);
    } else if (request->kind == WIRE_LEASE_CHECKPOINT) {
        for (uint32_t slot = 0; slot < request->checkpoint_count; slot++) {
            struct check_lease_record *record = find(lease, request->checkpoint_leases[slot]);
            if (record) {
                record->remaining_s = request->checkpoint_remaining_s[slot];
            }
        }
    }
}

void check_lease_promoted(struct check *check, uint64_t now, struct check_member *member, raft_term term)
{
    (void)check;
    struct check_lease *lease = &member->cluster->lease;
    if (term < lease->promoted_term) {
        return; /* An old leader's belated promotion. */
    }
    lease->promoted_term = term;
    lease->promoted_ns = now;
    lease->promoted = member->applied;
    lease->primary = member->number;
    for (uint32_t slot = 0; slot < lease->count; slot++) {
        struct check_lease_record *record = &lease->records[slot];
        record->late_work_ns = UINT64_MAX;
        record->is_extended = record->granted < lease->promoted;
        record->extended_s = record->remaining_s;
    }
}

void check_lease_renewed(struct check *check, uint64_t now, struct check_member *member, int64_t id,
                         int64_t ttl_s)
{
    (void)check;
    struct check_lease *lease = &member->cluster->lease;
    struct check_lease_record *record = find(lease, id);
    if (!record || lease->primary != member->number) {
        return;
    }
    record->renewed_ns = now;
    record->is_extended = false;
    record->remaining_s = 0;
    record->late_work_ns = UINT64_MAX;
    if (record->ttl_long_s < ttl_s) {
        record->ttl_long_s = ttl_s;
    }
}

static int64_t named(const struct wire_request *request)
{
    return request->kind == WIRE_KV ? request->op.lease : request->lease;
}

void check_lease_invoke(struct check *check, const struct wire_request *request)
{
    if (request->kind != WIRE_LEASE_REVOKE) {
        return;
    }
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        make(&check->clusters[slot]->lease, request->lease)->is_free = true;
    }
}

struct check_promise check_lease_promise(const struct check_cluster *cluster,
                                         const struct wire_request *request)
{
    int64_t id = named(request);
    const struct check_lease_record *record = id != 0 ? find(&cluster->lease, id) : NULL;
    return record && !record->is_free ? promise_of(record) : (struct check_promise){0, 0};
}

/* A client was told that the lease lives, for `ttl_s` more from some instant after its
 * call on. */
static void promised(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                     struct check_cluster *cluster, int64_t id, int64_t ttl_s)
{
    struct check_lease_record *record = make(&cluster->lease, id);
    const struct check_promise promise = {call->invoke_ns, ttl_ns(ttl_s)};
    uint64_t bound = end_of(check, promise);
    if (end_of(check, promise_of(record)) < bound) {
        record->promised_ns = promise.from_ns;
        record->promised_ttl_ns = promise.ttl_ns;
    }
    if (record->is_free || record->gone_ns == 0) {
        return;
    }
    check_arm(check, CHECK_LEASE);
    if (record->gone_ns < call->invoke_ns && !check->options.is_lease_unfenced) {
        check_found(check, cluster, CHECK_LEASE, now, client,
                    "client %" PRIu32 " renewed lease %" PRIx64 " by a call of %s, but it was gone since %s",
                    client, (uint64_t)id, check_seconds(check, call->invoke_ns),
                    check_seconds(check, record->gone_ns));
    } else if (record->gone_ns >= call->invoke_ns && record->gone_ns + allowance(check) < bound) {
        check_found(check, cluster, CHECK_LEASE, now, client,
                    "lease %" PRIx64 " was revoked at %s, but client %" PRIu32 " was promised %s",
                    (uint64_t)id, check_seconds(check, record->gone_ns), client, check_seconds(check, bound));
    }
}

/* A client was told that there is no such lease. */
static void denied(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                   struct check_cluster *cluster, int64_t id)
{
    const struct check_lease_record *record = find(&cluster->lease, id);
    if (!record || record->is_free || call->lease.ttl_ns == 0) {
        return;
    }
    uint64_t bound = end_of(check, call->lease);
    check_arm(check, CHECK_LEASE);
    if (now + allowance(check) < bound) {
        check_found(check, cluster, CHECK_LEASE, now, client,
                    "client %" PRIu32 " was told at %s that there is no lease %" PRIx64
                    ", but it was promised until %s",
                    client, check_seconds(check, now), (uint64_t)id, check_seconds(check, bound));
    }
}

/* Nobody is granted less than was asked for, or than can be renewed across an election. */
static void judge_grant(struct check *check, uint64_t now, uint32_t client,
                        const struct wire_request *request, int64_t granted_s, struct check_cluster *cluster)
{
    int64_t least_s = ttl_least_s(check);
    least_s = least_s < request->ttl_s ? request->ttl_s : least_s;
    if (granted_s < least_s) {
        check_found(check, cluster, CHECK_LEASE, now, client,
                    "client %" PRIu32 " was granted a lease of %" PRId64 " s, but asked for %" PRId64
                    " s and %" PRId64 " s is the least",
                    client, granted_s, request->ttl_s, least_s);
    }
}

void check_lease_return(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                        const struct wire_request *request, const struct wire_response *response,
                        struct check_cluster *cluster)
{
    bool is_ok = response->status == BASE_OK;
    int64_t id = named(request);
    if (id != 0 && response->status == BASE_LEASE_NOT_FOUND) {
        denied(check, now, client, call, cluster, id);
    } else if (request->kind == WIRE_LEASE_GRANT && is_ok) {
        int64_t ttl_s = response->granted_s > 0 ? response->granted_s : response->ttl_s;
        ttl_s = ttl_s > 0 ? ttl_s : request->ttl_s;
        judge_grant(check, now, client, request, ttl_s, cluster);
        promised(check, now, client, call, cluster, response->lease ? response->lease : id, ttl_s);
    } else if (is_ok && response->ttl_s > 0 &&
               (request->kind == WIRE_LEASE_KEEPALIVE ||
                (request->kind == WIRE_LEASE_TIME_TO_LIVE && !check->options.is_lease_unfenced))) {
        /* Without fencing an old leader tells what it believes is left. */
        promised(check, now, client, call, cluster, id, response->ttl_s);
    } else if ((request->kind == WIRE_LEASE_KEEPALIVE || request->kind == WIRE_LEASE_TIME_TO_LIVE) && is_ok &&
               (response->ttl_s < 0 || (response->ttl_s == 0 && request->kind == WIRE_LEASE_KEEPALIVE))) {
        denied(check, now, client, call, cluster, id);
    }
}
