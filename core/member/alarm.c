/* Alarms: what the whole cluster has to know of one member, so they go through the log
 * and into snapshots (etcd-behaviour §2.8). An alarm stays until somebody clears it.
 *
 * No space: a write that would lift the store above the quota is refused by the member
 * that is asked, which raises the alarm; while it is on, whatever adds to the store is
 * refused at its place in the log, by every member alike.
 * Corrupt: a leader puts the hash of its store at a revision into the log; who holds
 * another at that revision raises the alarm, and no key is served any more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

enum { PUT_COST = 256, GRANT_COST = 64 }; /* etcd: quota.go */

static uint64_t cost_of(const struct kv_op *op)
{
    if (op->kind == KV_PUT) {
        return PUT_COST + op->key.size + op->value.size;
    }
    if (op->kind != KV_TXN) {
        return 0;
    }
    uint64_t success = 0;
    uint64_t failure = 0;
    for (uint32_t i = 0; i < op->txn->success_count; i++) {
        success += cost_of(&op->txn->success[i]);
    }
    for (uint32_t i = 0; i < op->txn->failure_count; i++) {
        failure += cost_of(&op->txn->failure[i]);
    }
    return success > failure ? success : failure;
}

static uint64_t request_cost(const struct wire_request *request)
{
    if (request->kind == WIRE_LEASE_GRANT) {
        return GRANT_COST;
    }
    return request->kind == WIRE_KV ? cost_of(&request->op) : 0;
}

bool member_alarm_is_on(const struct member *member, enum member_alarm_kind kind)
{
    for (uint32_t i = 0; i < member->alarms.count; i++) {
        if (member->alarms.list[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static bool is_raised(const struct member *member, raft_id id, uint64_t kind)
{
    for (uint32_t i = 0; i < member->alarms.count; i++) {
        if (member->alarms.list[i].member == id && member->alarms.list[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static void raise(struct member *member, enum member_alarm_kind kind)
{
    if (is_raised(member, member->id, kind)) {
        return;
    }
    const struct wire_request request = {.kind = WIRE_ALARM, .alarm = kind, .member = {.id = member->id}};
    (void)member_propose(member, 0, &request, false);
}

enum base_status member_alarm_refusal(const struct member *member, const struct wire_request *request)
{
    bool is_stored = request->kind == WIRE_KV || request->kind == WIRE_COMPACT ||
                     request->kind == WIRE_LEASE_GRANT || request->kind == WIRE_LEASE_REVOKE;
    if (is_stored && member_alarm_is_on(member, MEMBER_ALARM_CORRUPT)) {
        return BASE_CORRUPT;
    }
    if (request_cost(request) > 0 && member_alarm_is_on(member, MEMBER_ALARM_NO_SPACE)) {
        return BASE_NO_SPACE;
    }
    return BASE_OK;
}

enum base_status member_quota_refusal(struct member *member, const struct wire_request *request)
{
    uint64_t cost = request_cost(request);
    uint64_t quota = member->config.quota_bytes;
    if (cost == 0 || quota == 0 || kv_size_bytes(member->kv) + cost < quota) {
        return BASE_OK;
    }
    raise(member, MEMBER_ALARM_NO_SPACE);
    return BASE_NO_SPACE;
}

/* Raised by a member, or all cleared. */
enum base_status member_alarm_apply(struct member *member, const struct wire_request *request)
{
    struct member_alarms *alarms = &member->alarms;
    if (request->alarm == MEMBER_ALARM_CLEAR) {
        alarms->count = 0;
        return BASE_OK;
    }
    if (request->alarm != MEMBER_ALARM_NO_SPACE && request->alarm != MEMBER_ALARM_CORRUPT) {
        return BASE_INVALID;
    }
    if (!is_raised(member, request->member.id, request->alarm) && alarms->count < MEMBER_ALARMS_MAX) {
        alarms->list[alarms->count++] =
            (struct member_alarm){.member = request->member.id, .kind = request->alarm};
    }
    return BASE_OK;
}

void member_alarm_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    if (request->alarm != 0) {
        struct wire_request proposed = *request;
        proposed.member.id = request->alarm == MEMBER_ALARM_CLEAR ? RAFT_NONE : member->id;
        (void)member_propose(member, connection, &proposed, false);
        return;
    }
    static const char *const words[] = {
        [MEMBER_ALARM_NO_SPACE] = "no space", [MEMBER_ALARM_CORRUPT] = "corrupt"};
    struct wire_member *members = base_arena_alloc(&member->arena, MEMBER_ALARMS_MAX * sizeof *members);
    struct wire_response response = {.members = members, .member_count = member->alarms.count};
    for (uint32_t i = 0; i < member->alarms.count; i++) {
        const struct member_alarm *alarm = &member->alarms.list[i];
        members[i] = (struct wire_member){.id = alarm->member, .name = base_bytes_of(words[alarm->kind])};
    }
    member_respond(member, connection, request->id, BASE_OK, &response);
}

/* --- is the store what the leader's is? --- */

void member_hash_check_apply(struct member *member, const struct wire_request *request)
{
    uint64_t hash = 0;
    enum base_status status = kv_hash(member->kv, request->revision, &hash);
    /* What is compacted can be compared no more. What the leader had when it asked,
     * everybody has who applied as much: here, or something is missing. */
    bool differs = hash != request->watch && kv_compacted(member->kv) == (int64_t)request->lease;
    if (status == BASE_FUTURE_REVISION || (status == BASE_OK && differs)) {
        raise(member, MEMBER_ALARM_CORRUPT);
    }
}

void member_hash_check_due(struct member *member)
{
    struct member_alarms *alarms = &member->alarms;
    if (member_hash_check_due_ns(member) > member->now_ns) {
        return;
    }
    alarms->check_ns = member->now_ns + member->config.corrupt_check_ns;
    struct wire_request check = {.kind = WIRE_HASH_KV,
                                 .revision = kv_revision(member->kv),
                                 .lease = kv_compacted(member->kv)};
    if (member_is_leader(member) && kv_hash(member->kv, check.revision, &check.watch) == BASE_OK) {
        (void)member_propose(member, 0, &check, false);
    }
}

uint64_t member_hash_check_due_ns(const struct member *member)
{
    return member->config.corrupt_check_ns == 0 ? HOST_NEVER : member->alarms.check_ns;
}

/* --- in a snapshot --- */

void member_alarms_save(const struct member *member, struct base_buffer *out)
{
    base_put_u32(out, member->alarms.count);
    for (uint32_t i = 0; i < member->alarms.count; i++) {
        base_put_u64(out, member->alarms.list[i].member);
        base_put_u64(out, member->alarms.list[i].kind);
    }
}

bool member_alarms_load(struct member_alarms *alarms, struct base_reader *in)
{
    alarms->count = base_get_u32(in);
    for (uint32_t i = 0; i < alarms->count && !in->failed; i++) {
        if (i == MEMBER_ALARMS_MAX) {
            return false;
        }
        struct member_alarm alarm = {.member = base_get_u64(in)};
        alarm.kind = base_get_u64(in);
        if (alarm.kind != MEMBER_ALARM_NO_SPACE && alarm.kind != MEMBER_ALARM_CORRUPT) {
            return false;
        }
        alarms->list[i] = alarm;
    }
    return !in->failed;
}
