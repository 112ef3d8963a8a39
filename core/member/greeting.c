/* The first seconds of a member: an election timeout is there to notice that a leader
 * is gone, and who has just begun knows of none. So once more than one peer is
 * heard of, most of the first timeout is taken as passed; what is left is enough for
 * a leader's heartbeat, if there is a leader (etcd: adjustTicks). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

/* Nobody to wait for: stand in the next tick. */
static void begin_alone(struct member *member)
{
    member->greeting.is_over = true;
    raft_tick(member->raft, member->config.election_ticks - 1);
}

void member_greet(struct member *member)
{
    struct member_greeting *greeting = &member->greeting;
    bool has_begun = greeting->deadline_ns != 0;
    if (greeting->is_over || has_begun || member->apply.applied < greeting->until ||
        !member_cluster_find(&member->cluster, member->id)) {
        return;
    }
    greeting->deadline_ns = member->now_ns + MEMBER_GREETING_NS;
    if (member->cluster.count == 1) {
        begin_alone(member);
        return;
    }
    for (uint32_t i = 0; i < member->cluster.count; i++) {
        const struct wire_member *peer = &member->cluster.members[i];
        if (peer->id == member->id) {
            continue;
        }
        struct wire_message query = {
            .kind = WIRE_PEER_QUERY,
            .cluster_id = member->cluster_id,
            .from = member->id,
            .to = peer->id,
            .request = {.id = ++member->boot.call, .kind = WIRE_MEMBER_LIST},
        };
        member->host->ask(member->host->context, peer->peer_url, member->boot.call, &query);
    }
}

void member_greeted(struct member *member, raft_id peer)
{
    struct member_greeting *greeting = &member->greeting;
    if (greeting->is_over) {
        return;
    }
    for (uint32_t i = 0; i < greeting->peer_count; i++) {
        if (greeting->peers[i] == peer) {
            return;
        }
    }
    if (peer == RAFT_NONE || peer == member->id || greeting->peer_count == RAFT_MEMBERS_MAX) {
        return;
    }
    greeting->peers[greeting->peer_count++] = peer;
    if (greeting->peer_count < 2) {
        return;
    }
    greeting->is_over = true;
    bool is_in_time = greeting->deadline_ns == 0 || member->now_ns <= greeting->deadline_ns;
    uint32_t kept = 2 * member->config.heartbeat_ticks;
    if (is_in_time && member->leader == RAFT_NONE && member->config.election_ticks > kept) {
        raft_tick(member->raft, member->config.election_ticks - kept);
    }
}
