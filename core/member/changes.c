/* Changes of the membership: asked of anybody, decided by the leader, in force once
 * they are applied (etcd-behaviour §2.6, §2.9, §4.3; etcd: server.go, cluster.go).
 *
 *   asked ──(we lead)──▶ checked ──▶ proposed ──▶ applied ──(not joint)──▶ answered
 *     └─(another leads)─▶ passed on ──▶ its answer               └─(left)─▶ answered
 *
 * What is asked once is proposed once: whoever passed a change on to a leader that
 * is gone does not know what became of it, and says so when the time is over. A
 * change that meets an unapplied one at the leader becomes an empty entry there
 * (raft/leader.c), and its proposer hears nothing, as with etcd.
 *
 * Names and addresses come from the requests; who votes and who is a member at all
 * is what Raft's configuration says, so that the two cannot part. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

bool member_is_change(enum wire_request_kind kind)
{
    return kind == WIRE_MEMBER_ADD || kind == WIRE_MEMBER_REMOVE || kind == WIRE_MEMBER_UPDATE ||
           kind == WIRE_MEMBER_PROMOTE || kind == WIRE_MEMBER_CHANGE;
}

/* A request's changes; one that is about one member is written to `single`. */
static struct member_change_list changes_of(const struct wire_request *request, struct wire_change *single)
{
    if (request->kind == WIRE_MEMBER_CHANGE) {
        return (struct member_change_list){.items = request->changes, .count = request->change_count};
    }
    static const enum wire_change_kind kinds[WIRE_REQUEST_KIND_COUNT] = {
        [WIRE_MEMBER_ADD] = WIRE_CHANGE_ADD,
        [WIRE_MEMBER_REMOVE] = WIRE_CHANGE_REMOVE,
        [WIRE_MEMBER_UPDATE] = WIRE_CHANGE_UPDATE,
        [WIRE_MEMBER_PROMOTE] = WIRE_CHANGE_PROMOTE,
    };
    assert(member_is_change(request->kind));
    *single = (struct wire_change){.kind = kinds[request->kind], .member = request->member};
    return (struct member_change_list){.items = single, .count = 1};
}

static enum raft_conf_change_type raft_type(const struct wire_change *change)
{
    switch (change->kind) {
    case WIRE_CHANGE_ADD:
        return change->member.is_learner ? RAFT_ADD_LEARNER_NODE : RAFT_ADD_NODE;
    case WIRE_CHANGE_REMOVE:
        return RAFT_REMOVE_NODE;
    case WIRE_CHANGE_PROMOTE:
        return RAFT_ADD_NODE;
    case WIRE_CHANGE_DEMOTE:
        return RAFT_ADD_LEARNER_NODE;
    case WIRE_CHANGE_UPDATE:
    case WIRE_CHANGE_KIND_COUNT:
        break;
    }
    return RAFT_UPDATE_NODE;
}

bool member_propose_conf_change(struct member *member, struct base_bytes payload)
{
    struct wire_proposal proposal;
    struct wire_change single;
    enum base_status status = wire_proposal_decode(payload, &member->arena, &proposal);
    assert(status == BASE_OK); /* We have just written it. */
    struct member_change_list list = changes_of(&proposal.request, &single);
    bool is_joint = proposal.request.kind == WIRE_MEMBER_CHANGE;
    struct raft_conf_change change = {
        .is_v1 = !is_joint,
        .transition = is_joint ? RAFT_TRANSITION_JOINT_IMPLICIT : RAFT_TRANSITION_AUTO,
        .change_count = list.count,
        .context = payload,
    };
    for (uint32_t i = 0; i < list.count; i++) {
        change.changes[i] = (struct raft_conf_change_single){.type = raft_type(&list.items[i]),
                                                             .id = list.items[i].member.id};
    }
    return raft_propose_conf_change(member->raft, &change) == RAFT_OK;
}

/* --- who is connected --- */

/* A real server sees its connections; we see messages, and are told of resets. Only a
 * leader hears of everybody all the time, so for others silence means nothing: a peer
 * counts as connected since we began, or it joined, or was last known to be away. */
static bool has_been_silent(const struct member *member, const struct member_contact *contact)
{
    uint64_t silence_ns = member->config.election_ticks * member->config.tick_ns;
    uint64_t from_ns = member->changes.lead_since_ns;
    from_ns = contact->last_ns > from_ns ? contact->last_ns : from_ns;
    return member_is_leader(member) && from_ns + silence_ns < member->now_ns;
}

static struct member_contact *contact_of(struct member *member, raft_id peer)
{
    struct member_contact *contacts = member->changes.contacts;
    struct member_contact *oldest = contacts;
    for (uint32_t i = 0; i < RAFT_MEMBERS_MAX; i++) {
        if (contacts[i].id == peer) {
            return &contacts[i];
        }
        oldest = contacts[i].last_ns < oldest->last_ns ? &contacts[i] : oldest;
    }
    *oldest = (struct member_contact){.id = peer, .since_ns = member->changes.began_ns};
    return oldest;
}

void member_heard(struct member *member, raft_id peer, uint64_t connection)
{
    struct member_contact *contact = contact_of(member, peer);
    if (contact->since_ns == MEMBER_AWAY || has_been_silent(member, contact)) {
        contact->since_ns = member->now_ns;
    }
    contact->last_ns = member->now_ns;
    contact->connection = connection;
    member->changes.heard_ns = member->now_ns;
}

uint64_t member_way_back(const struct member *member, raft_id peer)
{
    if (member_cluster_find(&member->cluster, peer)) {
        return 0;
    }
    for (uint32_t i = 0; i < RAFT_MEMBERS_MAX; i++) {
        if (member->changes.contacts[i].id == peer) {
            return member->changes.contacts[i].connection;
        }
    }
    return 0;
}

void member_unheard(struct member *member, raft_id peer)
{
    struct member_contact *contact = contact_of(member, peer);
    contact->since_ns = MEMBER_AWAY;
    contact->last_ns = 0;
    contact->connection = 0;
}

bool member_is_connected(const struct member *member, raft_id id, uint64_t for_ns)
{
    uint64_t silence_ns = member->config.election_ticks * member->config.tick_ns;
    if (id == member->id) {
        return true;
    }
    for (uint32_t i = 0; i < RAFT_MEMBERS_MAX; i++) {
        const struct member_contact *contact = &member->changes.contacts[i];
        if (contact->id == id) {
            return contact->last_ns + silence_ns >= member->now_ns && contact->since_ns != MEMBER_AWAY &&
                   contact->since_ns + for_ns <= member->now_ns;
        }
    }
    return false;
}

/* --- may it be proposed? --- */

/* What the voters are after a change, as far as strict checking asks. */
struct outlook {
    uint32_t voters_before;
    uint32_t voters;
    uint32_t started;
    uint32_t connected_before;
    uint32_t connected; /* Of those who stay, for long enough. */
    bool adds;
    bool adds_voter;
    bool has_fewer;        /* A voter goes, */
    bool has_fewer_active; /* and it is one that works. */
};

static const struct wire_change *change_about(const struct member_change_list *list, raft_id id)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].member.id == id) {
            return &list->items[i];
        }
    }
    return NULL;
}

static struct outlook outlook_of(const struct member *member, const struct member_change_list *list)
{
    struct outlook out = {0};
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        const struct wire_member *peer = &member->cluster.members[i];
        const struct wire_change *change = change_about(list, peer->id);
        bool goes = change && (change->kind == WIRE_CHANGE_REMOVE || change->kind == WIRE_CHANGE_DEMOTE);
        bool comes = change && change->kind == WIRE_CHANGE_PROMOTE;
        bool is_healthy = member_is_connected(member, peer->id, MEMBER_HEALTH_NS);
        out.adds_voter |= comes;
        if (peer->is_learner && !comes) {
            continue;
        }
        out.voters_before += !comes;
        out.connected_before += is_healthy && !comes;
        out.has_fewer |= goes;
        out.has_fewer_active |= goes && member_is_connected(member, peer->id, 0);
        out.voters += !goes;
        out.started += !goes && (comes || peer->name.size > 0);
        out.connected += !goes && (comes || is_healthy);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        bool is_new = list->items[i].kind == WIRE_CHANGE_ADD;
        out.adds |= is_new;
        out.adds_voter |= is_new && !list->items[i].member.is_learner;
        out.voters += is_new && !list->items[i].member.is_learner;
    }
    return out;
}

/* etcd: mayAddMember, mayRemoveMember, mayPromoteMember. */
static enum base_status check_strictly(const struct member *member, const struct member_change_list *list)
{
    struct outlook out = outlook_of(member, list);
    uint32_t quorum = out.voters / 2 + 1;
    /* One member alone may always be given a second one; that is how a restored one grows. */
    bool is_second = out.voters_before == 1 && out.voters == 2 && out.started == 1;
    if ((out.adds_voter || out.has_fewer) && (out.voters == 0 || (out.started < quorum && !is_second))) {
        return BASE_NOT_ENOUGH_STARTED_MEMBERS;
    }
    if (out.adds && out.connected_before < quorum && !is_second) {
        return BASE_UNHEALTHY;
    }
    /* Who is down is no part of the quorum that works: it may go. */
    return out.has_fewer_active && out.connected < quorum ? BASE_UNHEALTHY : BASE_OK;
}

/* etcd: isLearnerReady. */
static bool is_caught_up(const struct member *member, raft_id id)
{
    struct raft_progress_status learner;
    struct raft_progress_status self;
    return raft_get_progress(member->raft, id, &learner) &&
           raft_get_progress(member->raft, member->id, &self) &&
           learner.match >= self.match - self.match / 10;
}

static enum base_status check_learners(const struct member *member, const struct member_change_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        count += member->cluster.members[i].is_learner;
    }
    bool grows = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct wire_change *change = &list->items[i];
        const struct wire_member *known = member_cluster_find(&member->cluster, change->member.id);
        if (change->kind == WIRE_CHANGE_PROMOTE && !is_caught_up(member, change->member.id)) {
            return BASE_LEARNER_NOT_READY;
        }
        bool is_more = (change->kind == WIRE_CHANGE_ADD && change->member.is_learner) ||
                       change->kind == WIRE_CHANGE_DEMOTE;
        bool is_less = change->kind == WIRE_CHANGE_PROMOTE ||
                       (change->kind == WIRE_CHANGE_REMOVE && known && known->is_learner);
        grows |= is_more;
        count += is_more;
        count -= is_less;
    }
    return grows && count > member->config.learners_max ? BASE_TOO_MANY_LEARNERS : BASE_OK;
}

static enum base_status check_proposal(const struct member *member, const struct wire_request *request)
{
    struct raft_status_report report;
    struct wire_change single;
    struct member_change_list list = changes_of(request, &single);
    if (list.count == 0 || list.count > RAFT_CHANGES_MAX) {
        return BASE_INVALID;
    }
    raft_get_status(member->raft, &report);
    if (report.hard_state.commit > member->apply.applied) {
        return BASE_OK; /* What is known here is behind what counts: it is checked when applied. */
    }
    enum base_status status = member_cluster_check(&member->cluster, &list);
    if (status == BASE_OK) {
        status = check_learners(member, &list);
    }
    if (status == BASE_OK && member->config.strict_reconfig) {
        status = check_strictly(member, &list);
    }
    return status;
}

/* --- asking --- */

/* An id that nobody has and nobody ever had: of the address and a number that is
 * never the same twice, as time would be. */
static raft_id new_id(const struct member *member, struct base_bytes peer_url)
{
    uint64_t number = member->proposals.first + member->proposals.count;
    raft_id id = RAFT_NONE;
    while (id == RAFT_NONE || id >= RAFT_APPLY_THREAD || member_cluster_find(&member->cluster, id) ||
           member_cluster_is_removed(&member->cluster, id)) {
        id = member_id_of(peer_url, base_bytes_of(""), number++);
    }
    return id;
}

/* The request with ids for those who come. */
static struct wire_request with_ids(struct member *member, const struct wire_request *request)
{
    struct wire_request out = *request;
    if (request->kind == WIRE_MEMBER_ADD) {
        out.member.id = new_id(member, request->member.peer_url);
        out.member.name = (struct base_bytes){0};
    }
    if (request->change_count > 0) {
        size_t size = request->change_count * sizeof *request->changes;
        struct wire_change *changes = base_arena_alloc(&member->arena, size);
        memcpy(changes, request->changes, size);
        for (uint32_t i = 0; i < request->change_count; i++) {
            if (changes[i].kind == WIRE_CHANGE_ADD) {
                changes[i].member.id = new_id(member, changes[i].member.peer_url);
                changes[i].member.name = (struct base_bytes){0};
            }
        }
        out.changes = changes;
    }
    return out;
}

void member_change_answer(struct member *member, uint64_t connection, bool is_forwarded, uint64_t request_id,
                          enum base_status status)
{
    struct wire_response response = {.member_count = member->cluster.count,
                                     .members = member->cluster.members};
    if (!is_forwarded) {
        member_respond(member, connection, request_id, status, &response);
        return;
    }
    response.id = request_id;
    response.status = status;
    struct wire_message out = {.kind = WIRE_CHANGE_ANSWER,
                               .cluster_id = member->cluster_id,
                               .from = member->id,
                               .response = response};
    member->host->reply(member->host->context, connection, &out);
}

static void decide(struct member *member, uint64_t connection, bool is_forwarded,
                   const struct wire_request *request)
{
    struct wire_request complete = with_ids(member, request);
    enum base_status status = check_proposal(member, &complete);
    if (status == BASE_OK) {
        (void)member_propose_change(member, connection, is_forwarded, &complete);
    } else {
        member_change_answer(member, connection, is_forwarded, request->id, status);
    }
}

static void asked_free(struct member *member, uint32_t slot)
{
    struct member_changes *changes = &member->changes;
    base_free(member->allocator, changes->asked[slot].request, changes->asked[slot].request_bytes);
    changes->asked_count--;
    memmove(&changes->asked[slot], &changes->asked[slot + 1],
            (changes->asked_count - slot) * sizeof changes->asked[0]);
}

/* Hand what has not been handed to anybody to the leader, if there is one. */
static void pass_on(struct member *member)
{
    struct member_changes *changes = &member->changes;
    for (uint32_t slot = 0; slot < changes->asked_count && member->leader != RAFT_NONE;) {
        struct member_asked *asked = &changes->asked[slot];
        if (asked->to != RAFT_NONE) {
            slot++;
            continue;
        }
        if (member_is_leader(member)) {
            struct wire_request request = asked->request->request;
            request.id = asked->request_id;
            decide(member, asked->connection, false, &request);
            asked_free(member, slot);
            continue;
        }
        asked->to = member->leader;
        struct wire_message out = {.kind = WIRE_CHANGE_FORWARD, .request = asked->request->request};
        out.request.id = asked->number;
        member_send(member, asked->to, &out);
        slot++;
    }
}

void member_change_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_changes *changes = &member->changes;
    if (member_is_leader(member)) {
        decide(member, connection, false, request);
        return;
    }
    if (changes->asked_count == MEMBER_ASKED_MAX) {
        member_respond(member, connection, request->id, BASE_TOO_MANY_REQUESTS, NULL);
        return;
    }
    struct wire_message message = {.kind = WIRE_CHANGE_FORWARD, .request = *request};
    size_t size = wire_flat_size(&message);
    changes->asked[changes->asked_count++] = (struct member_asked){
        .number = ++changes->asked_number,
        .connection = connection,
        .request_id = request->id,
        .began_ns = member->now_ns,
        .deadline_ns = member->now_ns + member_request_timeout(member),
        .request = wire_flatten(&message, base_alloc(member->allocator, size)),
        .request_bytes = size,
    };
    pass_on(member);
}

void member_change_forwarded(struct member *member, uint64_t connection, const struct wire_request *request)
{
    if (!member_is_change(request->kind)) {
        return;
    }
    if (member_is_leader(member)) {
        decide(member, connection, true, request);
    } else {
        member_change_answer(member, connection, true, request->id, BASE_NOT_LEADER);
    }
}

void member_change_answered(struct member *member, const struct wire_response *response)
{
    struct member_changes *changes = &member->changes;
    for (uint32_t slot = 0; slot < changes->asked_count; slot++) {
        struct member_asked *asked = &changes->asked[slot];
        if (asked->number != response->id) {
            continue;
        }
        if (response->status == BASE_NOT_LEADER) {
            asked->to = RAFT_NONE; /* Nothing has happened: the next leader is asked. */
            return;
        }
        struct wire_response out = *response;
        uint64_t connection = asked->connection;
        uint64_t request_id = asked->request_id;
        asked_free(member, slot);
        member_respond(member, connection, request_id, response->status, &out);
        return;
    }
}

/* --- handing leadership over --- */

void member_move_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_changes *changes = &member->changes;
    const struct wire_member *target = member_cluster_find(&member->cluster, request->member.id);
    enum base_status status = BASE_OK;
    if (!member_is_leader(member)) {
        status = BASE_NOT_LEADER;
    } else if (!target || target->is_learner) {
        status = BASE_BAD_LEADER_TRANSFEREE;
    } else if (changes->move_count == MEMBER_ASKED_MAX) {
        status = BASE_TOO_MANY_REQUESTS;
    }
    if (status != BASE_OK || target->id == member->id) {
        member_respond(member, connection, request->id, status, NULL);
        return;
    }
    changes->moves[changes->move_count++] = (struct member_move){
        .connection = connection,
        .request_id = request->id,
        .to = target->id,
        .deadline_ns = member->now_ns + member_request_timeout(member),
    };
    raft_transfer_leader(member->raft, target->id);
}

static void end_move(struct member *member, uint32_t slot, enum base_status status)
{
    struct member_changes *changes = &member->changes;
    struct member_move move = changes->moves[slot];
    changes->move_count--;
    memmove(&changes->moves[slot], &changes->moves[slot + 1],
            (changes->move_count - slot) * sizeof changes->moves[0]);
    member_respond(member, move.connection, move.request_id, status, NULL);
}

void member_changes_leader(struct member *member)
{
    struct member_changes *changes = &member->changes;
    for (uint32_t slot = 0; slot < changes->move_count;) {
        if (changes->moves[slot].to == member->leader) {
            end_move(member, slot, BASE_OK);
        } else {
            slot++;
        }
    }
    pass_on(member);
}

/* --- out of touch --- */

/* Who does not stand for election would wait for ever for a leader that has forgotten
 * it: it asks, and whoever knows of its removal says so (etcd: streams are dialled
 * again and again). */
static uint64_t dial_ns(const struct member *member)
{
    const struct member_changes *changes = &member->changes;
    const struct raft_conf_state *state = raft_configuration(member->raft);
    for (uint32_t i = 0; i < state->voters.count; i++) {
        if (state->voters.ids[i] == member->id) {
            return HOST_NEVER;
        }
    }
    uint64_t patience_ns = 2 * member->config.election_ticks * member->config.tick_ns;
    uint64_t from_ns = changes->heard_ns > changes->began_ns ? changes->heard_ns : changes->began_ns;
    return (changes->dialled_ns > from_ns ? changes->dialled_ns : from_ns) + patience_ns;
}

static void dial_one(struct member *member, struct base_bytes url)
{
    const struct wire_message query = {
        .kind = WIRE_PEER_QUERY,
        .cluster_id = member->cluster_id,
        .from = member->id,
        .request = {.id = ++member->boot.call, .kind = WIRE_MEMBER_LIST},
    };
    member->host->ask(member->host->context, url, member->boot.call, &query);
}

static void dial(struct member *member)
{
    member->changes.dialled_ns = member->now_ns;
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        if (member->cluster.members[i].id != member->id) {
            dial_one(member, member->cluster.members[i].peer_url);
        }
    }
    for (uint32_t i = 0; member->cluster.count == 0 && i < member->config.peer_count; i++) {
        dial_one(member, base_bytes_of(member->config.peers[i].url));
    }
}

/* --- time --- */

/* A learner does not lead: somebody who votes is to, as soon as one can. */
static void yield(struct member *member)
{
    struct member_changes *changes = &member->changes;
    if (!member_is_leader(member)) {
        changes->yield_ns = 0;
        return;
    }
    raft_transfer_leader(member->raft, member_heir(member));
    changes->yield_ns = member->now_ns + member->config.election_ticks * member->config.tick_ns;
}

void member_changes_due(struct member *member)
{
    struct member_changes *changes = &member->changes;
    for (uint32_t slot = 0; slot < changes->asked_count;) {
        const struct member_asked *asked = &changes->asked[slot];
        if (asked->deadline_ns > member->now_ns) {
            slot++;
            continue;
        }
        enum base_status status =
            asked->to == RAFT_NONE ? BASE_NO_LEADER : member_timeout_status(member, asked->began_ns);
        uint64_t connection = asked->connection;
        uint64_t request_id = asked->request_id;
        asked_free(member, slot);
        member_respond(member, connection, request_id, status, NULL);
    }
    for (uint32_t slot = 0; slot < changes->move_count;) {
        if (changes->moves[slot].deadline_ns <= member->now_ns) {
            end_move(member, slot, BASE_TIMEOUT_LEADER_TRANSFER);
        } else {
            slot++;
        }
    }
    if (changes->yield_ns != 0 && changes->yield_ns <= member->now_ns) {
        yield(member);
    }
    if (dial_ns(member) <= member->now_ns) {
        dial(member);
    }
    if (changes->removed_ns != 0 && changes->removed_ns <= member->now_ns) {
        member_stop(member, "removed", "");
    }
}

uint64_t member_changes_due_ns(const struct member *member)
{
    const struct member_changes *changes = &member->changes;
    uint64_t due = dial_ns(member);
    if (changes->yield_ns != 0 && changes->yield_ns < due) {
        due = changes->yield_ns;
    }
    if (changes->removed_ns != 0 && changes->removed_ns < due) {
        due = changes->removed_ns;
    }
    for (uint32_t slot = 0; slot < changes->asked_count; slot++) {
        due = changes->asked[slot].deadline_ns < due ? changes->asked[slot].deadline_ns : due;
    }
    for (uint32_t slot = 0; slot < changes->move_count; slot++) {
        due = changes->moves[slot].deadline_ns < due ? changes->moves[slot].deadline_ns : due;
    }
    return due;
}

void member_changes_release(struct member *member)
{
    while (member->changes.asked_count > 0) {
        asked_free(member, member->changes.asked_count - 1);
    }
}

/* --- in force --- */

void member_maybe_removed(struct member *member)
{
    /* etcd: those who still need our vote or our word that it is committed get it first. */
    if (member->changes.removed_ns == 0 && member_cluster_is_removed(&member->cluster, member->id)) {
        member->changes.removed_ns = member->now_ns + MEMBER_REMOVED_NS;
    }
}

/* Those who are in no configuration any more are out, and who votes is a voter. */
static void follow_configuration(struct member *member)
{
    const struct raft_conf_state *state = raft_configuration(member->raft);
    raft_id gone[RAFT_MEMBERS_MAX];
    uint32_t count = member_cluster_follow(&member->cluster, state, gone);
    for (uint32_t i = 0; i < count; i++) {
        if (gone[i] != member->id) {
            member->host->remove_peer(member->host->context, gone[i]);
        }
    }
    const struct wire_member *self = member_cluster_find(&member->cluster, member->id);
    if (member_is_leader(member) && self && self->is_learner) {
        /* Not before the others have applied this too: until then they may not stand. */
        member->changes.yield_ns = member->now_ns + member->config.heartbeat_ticks * member->config.tick_ns;
    }
    member_maybe_removed(member);
}

/* `is_founding`: the cluster begins with them. */
static void take_in(struct member *member, const struct member_change_list *list, bool is_founding)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct wire_member *subject = &list->items[i].member;
        enum base_status status = BASE_OK;
        if (list->items[i].kind == WIRE_CHANGE_ADD) {
            status = member_cluster_add(&member->cluster, subject);
        } else if (list->items[i].kind == WIRE_CHANGE_UPDATE) {
            status = member_cluster_update(&member->cluster, subject);
        } else {
            continue;
        }
        assert(status == BASE_OK); /* member_cluster_check has seen to it. */
        if (subject->id != member->id) {
            member->host->add_peer(member->host->context, subject->id, subject->peer_url);
        }
        if (list->items[i].kind == WIRE_CHANGE_ADD && !is_founding) {
            member_unheard(member, subject->id);
        }
    }
}

/* The change takes effect in Raft and here, or in neither. */
static enum base_status take_effect(struct member *member, const struct raft_conf_change *change,
                                    const struct wire_proposal *proposal)
{
    static const struct raft_conf_change nothing = {.is_v1 = true, .change_count = 1};
    struct raft_conf_state configuration;
    struct wire_change single;
    struct member_change_list list = {0};
    enum base_status status = BASE_OK;
    if (proposal) {
        list = changes_of(&proposal->request, &single);
        status = member_cluster_check(&member->cluster, &list);
    }
    if (status == BASE_OK && raft_apply_conf_change(member->raft, change, &configuration) != RAFT_OK) {
        status = BASE_INVALID;
    }
    if (status != BASE_OK) {
        (void)raft_apply_conf_change(member->raft, &nothing, &configuration);
        return status;
    }
    take_in(member, &list, proposal && proposal->proposer == RAFT_NONE);
    follow_configuration(member);
    return BASE_OK;
}

static void done(struct member *member, uint64_t proposal_id, enum base_status status)
{
    struct wire_response response = {.member_count = member->cluster.count,
                                     .members = member->cluster.members};
    member_pending_done(member, proposal_id, status, &response);
}

void member_apply_conf_change(struct member *member, const struct raft_entry *entry)
{
    struct raft_conf_change change;
    struct wire_proposal proposal;
    struct base_bytes data = {.data = entry->data, .size = entry->size};
    bool has_proposal = false;
    bool is_readable = raft_conf_change_decode(entry->type, data, &change) == RAFT_OK;
    if (is_readable && change.context.size > 0) {
        is_readable = wire_proposal_decode(change.context, &member->arena, &proposal) == BASE_OK &&
                      member_is_change(proposal.request.kind);
        has_proposal = true;
    }
    if (!is_readable) {
        member_stop(member, "log", "a committed configuration change cannot be read");
        return;
    }
    if (member->observer.applying) {
        member->observer.applying(member->observer.context, entry, NULL);
    }
    enum base_status status = take_effect(member, &change, has_proposal ? &proposal : NULL);
    if (member->observer.apply) {
        member->observer.apply(member->observer.context, entry, NULL, status, kv_revision(member->kv));
    }
    bool is_joint = raft_configuration(member->raft)->voters_outgoing.count > 0;
    if (has_proposal && proposal.proposer == member->id) {
        if (is_joint && status == BASE_OK) {
            member->changes.joint_proposal = proposal.id; /* Over when both halves are one. */
        } else {
            done(member, proposal.id, status);
        }
    }
    if (!is_joint && member->changes.joint_proposal != 0) {
        done(member, member->changes.joint_proposal, BASE_OK);
        member->changes.joint_proposal = 0;
    }
}
