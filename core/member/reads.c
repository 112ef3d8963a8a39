/* The reads stage: whoever needs to know that there is no newer leader joins the next
 * round; a round asks Raft for a read index and, confirmed, waits until as much
 * is applied (etcd-behaviour §2.7; etcd: linearizableReadLoop).
 *
 *   next ──open──▶ round ──read state──▶ confirmed ──applied >= index──▶ served
 *     ▲              └── leader changed ──▶ LEADER_CHANGED, or back to `next`
 *
 * A renewal and the finding that a lease has expired go the same way: they count
 * only if this member led in one term from before the question to its answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

static void read_free(struct member *member, struct member_read *read)
{
    base_free(member->allocator, read->request, read->request_bytes);
    read->request = NULL;
}

static void list_push(struct member *member, struct member_read_list *list, const struct member_read *read)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        list->reads = base_resize(member->allocator, list->reads, list->capacity * sizeof *list->reads,
                                  capacity * sizeof *list->reads);
        list->capacity = capacity;
    }
    list->reads[list->count++] = *read;
}

static void swap(struct member_read_list *a, struct member_read_list *b)
{
    struct member_read_list held = *a;
    *a = *b;
    *b = held;
}

static void wake(struct member *member)
{
    if (!member->reads.is_woken) {
        member->reads.is_woken = true;
        member->host->wake(member->host->context, HOST_READS);
    }
}

void member_read_add(struct member *member, enum member_read_kind kind, uint64_t connection,
                     bool is_forwarded, const struct wire_request *request, int64_t lease)
{
    struct member_read read = {
        .kind = kind,
        .connection = connection,
        .is_forwarded = is_forwarded,
        .deadline_ns = member->now_ns + member_request_timeout(member),
        .lease = lease,
    };
    if (request) {
        struct wire_message message = {.kind = WIRE_REQUEST, .request = *request};
        read.request_bytes = wire_flat_size(&message);
        read.request = wire_flatten(&message, base_alloc(member->allocator, read.request_bytes));
    }
    list_push(member, &member->reads.next, &read);
    wake(member);
}

/* Answer that it will not be served. */
static void refuse(struct member *member, struct member_read *read, enum base_status status)
{
    switch (read->kind) {
    case MEMBER_READ_RANGE:
        member_respond(member, read->connection, read->request->request.id, status, NULL);
        break;
    case MEMBER_READ_RENEW:
    case MEMBER_READ_TTL:
        /* Somebody else may be primary now: the lessor's way of asking again. Nobody has
         * confirmed us, whatever we believe. */
        read->term = 0;
        member_lease_confirmed(member, read);
        break;
    case MEMBER_READ_EXPIRE:
        break; /* Found again after the retry interval, if still ours to find. */
    }
    read_free(member, read);
}

static void ask(struct member *member)
{
    struct member_reads *reads = &member->reads;
    uint8_t context[8];
    base_store_u64(context, ++reads->number);
    reads->retry_ns = member->now_ns + MEMBER_READ_RETRY_NS;
    /* Without a leader it is dropped; the retry or the change of leader follows. */
    (void)raft_read_index(member->raft, (struct base_bytes){.data = context, .size = sizeof context});
}

static void open_round(struct member *member)
{
    struct member_reads *reads = &member->reads;
    if (reads->is_round_open || reads->confirmed.count > 0 || reads->next.count == 0) {
        return;
    }
    assert(reads->round.count == 0);
    swap(&reads->round, &reads->next);
    reads->is_round_open = true;
    reads->round_term = member->term;
    reads->round_number = reads->number + 1;
    for (uint32_t i = 0; i < reads->round.count; i++) {
        reads->round.reads[i].term = member_is_leader(member) ? member->term : 0;
    }
    ask(member);
}

void member_reads_state(struct member *member, const struct raft_read_state *state)
{
    struct member_reads *reads = &member->reads;
    if (!reads->is_round_open || state->context.size != 8) {
        return;
    }
    uint64_t number = base_load_u64(state->context.data);
    if (number < reads->round_number || number > reads->number) {
        return; /* Of an earlier round: it proves nothing about this one. */
    }
    assert(reads->confirmed.count == 0);
    swap(&reads->confirmed, &reads->round);
    reads->is_round_open = false;
    reads->index = state->index;
    wake(member);
}

static void serve(struct member *member, struct member_read *read)
{
    switch (read->kind) {
    case MEMBER_READ_RANGE: {
        const struct wire_request *request = &read->request->request;
        struct wire_response response = {0};
        enum base_status status = BASE_OK;
        if (request->kind == WIRE_MEMBER_LIST) {
            response.members = member->cluster.members;
            response.member_count = member->cluster.count;
        } else {
            status = kv_read(member->kv, &request->op, &member->arena, &response.result);
        }
        member_respond(member, read->connection, request->id, status, &response);
        break;
    }
    case MEMBER_READ_RENEW:
    case MEMBER_READ_TTL:
    case MEMBER_READ_EXPIRE:
        member_lease_confirmed(member, read);
        break;
    }
    read_free(member, read);
}

void member_reads_applied(struct member *member)
{
    struct member_reads *reads = &member->reads;
    if (reads->confirmed.count > 0 && member->apply.applied >= reads->index) {
        wake(member);
    }
}

void member_reads_run(struct member *member)
{
    struct member_reads *reads = &member->reads;
    reads->is_woken = false;
    if (reads->confirmed.count > 0 && member->apply.applied >= reads->index) {
        struct member_read_list served = reads->confirmed;
        reads->confirmed = (struct member_read_list){0};
        for (uint32_t i = 0; i < served.count && !member->is_stopped; i++) {
            serve(member, &served.reads[i]);
        }
        served.count = 0;
        if (reads->confirmed.capacity == 0) {
            reads->confirmed = served;
        } else {
            base_free(member->allocator, served.reads, served.capacity * sizeof *served.reads);
        }
    }
    open_round(member);
}

void member_reads_first_commit(struct member *member)
{
    if (member->reads.is_round_open) {
        ask(member);
    }
}

void member_reads_leader_changed(struct member *member)
{
    struct member_reads *reads = &member->reads;
    if (!reads->is_round_open) {
        return;
    }
    reads->is_round_open = false;
    struct member_read_list round = reads->round;
    reads->round = (struct member_read_list){0};
    for (uint32_t i = 0; i < round.count; i++) {
        refuse(member, &round.reads[i], BASE_LEADER_CHANGED);
    }
    base_free(member->allocator, round.reads, round.capacity * sizeof *round.reads);
    wake(member);
}

/* Reads leave in the order they came, so their deadlines ascend. */
static void expire(struct member *member, struct member_read_list *list)
{
    uint32_t over = 0;
    while (over < list->count && list->reads[over].deadline_ns <= member->now_ns) {
        refuse(member, &list->reads[over], BASE_TIMEOUT);
        over++;
    }
    if (over > 0) {
        list->count -= over;
        memmove(list->reads, list->reads + over, list->count * sizeof *list->reads);
    }
}

void member_reads_due(struct member *member)
{
    struct member_reads *reads = &member->reads;
    expire(member, &reads->confirmed);
    expire(member, &reads->round);
    expire(member, &reads->next);
    if (reads->is_round_open && reads->round.count == 0) {
        reads->is_round_open = false;
        wake(member);
    }
    if (reads->is_round_open && reads->retry_ns <= member->now_ns) {
        ask(member);
    }
}

uint64_t member_reads_due_ns(const struct member *member)
{
    const struct member_reads *reads = &member->reads;
    uint64_t due = reads->is_round_open ? reads->retry_ns : HOST_NEVER;
    const struct member_read_list *const lists[] = {&reads->confirmed, &reads->round, &reads->next};
    for (uint32_t i = 0; i < 3; i++) {
        if (lists[i]->count > 0 && lists[i]->reads[0].deadline_ns < due) {
            due = lists[i]->reads[0].deadline_ns;
        }
    }
    return due;
}

void member_reads_release(struct member *member)
{
    struct member_read_list *const lists[] = {&member->reads.confirmed, &member->reads.round,
                                              &member->reads.next};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t slot = 0; slot < lists[i]->count; slot++) {
            read_free(member, &lists[i]->reads[slot]);
        }
        base_free(member->allocator, lists[i]->reads, lists[i]->capacity * sizeof *lists[i]->reads);
    }
}
