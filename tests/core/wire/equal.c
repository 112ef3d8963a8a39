/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wire/messages.h"

static bool ops_equal(const struct kv_op *a, const struct kv_op *b, uint32_t count);

static bool compare_equal(const struct kv_compare *a, const struct kv_compare *b)
{
    return base_bytes_equal(a->key, b->key) && base_bytes_equal(a->range_end, b->range_end) &&
           a->target == b->target && a->relation == b->relation && a->number == b->number &&
           base_bytes_equal(a->value, b->value);
}

static bool txn_equal(const struct kv_txn *a, const struct kv_txn *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (a->compare_count != b->compare_count || a->success_count != b->success_count ||
        a->failure_count != b->failure_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->compare_count; i++) {
        if (!compare_equal(&a->compares[i], &b->compares[i])) {
            return false;
        }
    }
    return ops_equal(a->success, b->success, a->success_count) &&
           ops_equal(a->failure, b->failure, a->failure_count);
}

static bool op_equal(const struct kv_op *a, const struct kv_op *b)
{
    return a->kind == b->kind && a->flags == b->flags && base_bytes_equal(a->key, b->key) &&
           base_bytes_equal(a->range_end, b->range_end) && base_bytes_equal(a->value, b->value) &&
           a->lease == b->lease && a->revision == b->revision && a->limit == b->limit &&
           a->sort_target == b->sort_target && a->sort_order == b->sort_order && txn_equal(a->txn, b->txn);
}

static bool ops_equal(const struct kv_op *a, const struct kv_op *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!op_equal(&a[i], &b[i])) {
            return false;
        }
    }
    return true;
}

static bool member_equal(const struct wire_member *a, const struct wire_member *b)
{
    return a->id == b->id && base_bytes_equal(a->name, b->name) &&
           base_bytes_equal(a->peer_url, b->peer_url) && a->is_learner == b->is_learner;
}

static bool numbers_equal(const int64_t *a, const int64_t *b, uint32_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool changes_equal(const struct wire_request *a, const struct wire_request *b)
{
    if (a->change_count != b->change_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->change_count; i++) {
        if (a->changes[i].kind != b->changes[i].kind ||
            !member_equal(&a->changes[i].member, &b->changes[i].member)) {
            return false;
        }
    }
    return true;
}

bool test_request_equal(const struct wire_request *a, const struct wire_request *b)
{
    return a->id == b->id && a->kind == b->kind && a->require_leader == b->require_leader &&
           a->keys == b->keys && a->physical == b->physical && op_equal(&a->op, &b->op) &&
           a->lease == b->lease && a->ttl_s == b->ttl_s && a->revision == b->revision &&
           a->watch == b->watch && a->alarm == b->alarm && member_equal(&a->member, &b->member) &&
           a->checkpoint_count == b->checkpoint_count &&
           numbers_equal(a->checkpoint_leases, b->checkpoint_leases, a->checkpoint_count) &&
           numbers_equal(a->checkpoint_remaining_s, b->checkpoint_remaining_s, a->checkpoint_count) &&
           changes_equal(a, b);
}

bool test_proposal_equal(const struct wire_proposal *a, const struct wire_proposal *b)
{
    return a->id == b->id && a->proposer == b->proposer && a->term == b->term &&
           a->is_fenced == b->is_fenced && test_request_equal(&a->request, &b->request);
}

static bool record_equal(const struct kv_record *a, const struct kv_record *b)
{
    return base_bytes_equal(a->key, b->key) && base_bytes_equal(a->value, b->value) &&
           a->create_revision == b->create_revision && a->mod_revision == b->mod_revision &&
           a->version == b->version && a->lease == b->lease;
}

static bool result_equal(const struct kv_result *a, const struct kv_result *b)
{
    if (a->kind != b->kind || a->succeeded != b->succeeded || a->more != b->more || a->count != b->count ||
        a->record_count != b->record_count || a->result_count != b->result_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->record_count; i++) {
        if (!record_equal(&a->records[i], &b->records[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->result_count; i++) {
        if (!result_equal(&a->results[i], &b->results[i])) {
            return false;
        }
    }
    return true;
}

static bool response_equal(const struct wire_response *a, const struct wire_response *b)
{
    if (a->id != b->id || a->status != b->status || a->cluster_id != b->cluster_id ||
        a->member_id != b->member_id || a->revision != b->revision || a->term != b->term ||
        a->applied != b->applied || a->leader != b->leader || a->lease != b->lease || a->ttl_s != b->ttl_s ||
        a->granted_s != b->granted_s || a->compact_revision != b->compact_revision || a->hash != b->hash ||
        a->lease_count != b->lease_count || a->key_count != b->key_count ||
        a->member_count != b->member_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->key_count; i++) {
        if (!base_bytes_equal(a->keys[i], b->keys[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->member_count; i++) {
        if (!member_equal(&a->members[i], &b->members[i])) {
            return false;
        }
    }
    return base_bytes_equal(a->data, b->data) && result_equal(&a->result, &b->result) &&
           numbers_equal(a->leases, b->leases, a->lease_count);
}

static bool watch_equal(const struct wire_watch *a, const struct wire_watch *b)
{
    if (a->watch != b->watch || a->revision != b->revision || a->compact_revision != b->compact_revision ||
        a->fragment != b->fragment || a->event_count != b->event_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->event_count; i++) {
        const struct kv_event *x = &a->events[i];
        const struct kv_event *y = &b->events[i];
        if (x->is_delete != y->is_delete || x->has_previous != y->has_previous ||
            !record_equal(&x->record, &y->record)) {
            return false;
        }
        if (x->has_previous && !record_equal(&x->previous, &y->previous)) {
            return false;
        }
    }
    return true;
}

static bool set_equal(const struct raft_id_set *a, const struct raft_id_set *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof a->ids[0]) == 0;
}

static bool snapshot_equal(const struct raft_snapshot *a, const struct raft_snapshot *b)
{
    if (!a || !b) {
        return a == b;
    }
    const struct raft_conf_state *x = &a->configuration;
    const struct raft_conf_state *y = &b->configuration;
    return a->index == b->index && a->term == b->term && a->handle == b->handle &&
           base_bytes_equal(a->data, b->data) && set_equal(&x->voters, &y->voters) &&
           set_equal(&x->learners, &y->learners) && set_equal(&x->voters_outgoing, &y->voters_outgoing) &&
           set_equal(&x->learners_next, &y->learners_next) && x->auto_leave == y->auto_leave;
}

static bool raft_equal(const struct raft_message *a, const struct raft_message *b)
{
    if (a->type != b->type || a->reject != b->reject || a->to != b->to || a->from != b->from ||
        a->term != b->term || a->log_term != b->log_term || a->index != b->index || a->commit != b->commit ||
        a->reject_hint != b->reject_hint || a->vote != b->vote || a->entry_count != b->entry_count ||
        a->response_count != b->response_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->entry_count; i++) {
        const struct raft_entry *x = &a->entries[i];
        const struct raft_entry *y = &b->entries[i];
        if (x->term != y->term || x->index != y->index || x->type != y->type || x->size != y->size ||
            (x->size != 0 && memcmp(x->data, y->data, x->size) != 0)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->response_count; i++) {
        if (!raft_equal(&a->responses[i], &b->responses[i])) {
            return false;
        }
    }
    return snapshot_equal(a->snapshot, b->snapshot) && base_bytes_equal(a->context, b->context);
}

bool test_message_equal(const struct wire_message *a, const struct wire_message *b)
{
    if (a->kind != b->kind || a->cluster_id != b->cluster_id || a->from != b->from || a->to != b->to) {
        return false;
    }
    switch (a->kind) {
    case WIRE_RAFT:
        return raft_equal(&a->raft, &b->raft);
    case WIRE_SNAPSHOT_CHUNK:
        return a->chunk.index == b->chunk.index && a->chunk.term == b->chunk.term &&
               a->chunk.offset == b->chunk.offset && a->chunk.last == b->chunk.last &&
               base_bytes_equal(a->chunk.data, b->chunk.data);
    case WIRE_REFUSAL:
        return a->refusal.status == b->refusal.status && a->refusal.refused == b->refusal.refused &&
               a->refusal.intended == b->refusal.intended;
    case WIRE_LEASE_FORWARD:
    case WIRE_PEER_QUERY:
    case WIRE_CHANGE_FORWARD:
    case WIRE_REQUEST:
        return test_request_equal(&a->request, &b->request);
    case WIRE_LEASE_ANSWER:
    case WIRE_CHANGE_ANSWER:
    case WIRE_PEER_ANSWER:
    case WIRE_RESPONSE:
        return response_equal(&a->response, &b->response);
    case WIRE_WATCH:
        return watch_equal(&a->watch, &b->watch);
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_GOODBYE:
    case WIRE_KIND_COUNT:
        break;
    }
    return true;
}
