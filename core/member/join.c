/* A member that joins a cluster which exists (etcd-behaviour §4.3; etcd:
 * bootstrapExistingClusterNoWAL). It was added before, so the others know its address;
 * it asks them, one after another, who the members are, and is the one that lives where
 * it lives. Its log is empty: who votes it learns with the entries a leader sends.
 *
 *   asking ──(an answer fits)──▶ ids, an empty log, Raft
 *     │ ▲ └──(all have answered, none fits)──▶ stops, and says what did not
 *     └─┘ next peer; after 10 s stops: nobody could be asked
 *
 * A peer that lags may not know of us yet: one that fits is enough. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

void member_join(struct member *member)
{
    struct member_boot *boot = &member->boot;
    if (!member_boot_check_list(member)) {
        return;
    }
    boot->state = MEMBER_BOOT_JOIN;
    boot->asked = (struct base_bytes){0};
    boot->join = (struct member_join){.deadline_ns = member->now_ns + MEMBER_JOIN_NS};
    member_join_next(member);
}

static void give_up(struct member *member)
{
    const char *mismatch = member->boot.join.mismatch.bytes;
    member_stop(member, "bootstrap",
                mismatch[0] != '\0' ? mismatch
                                    : "cannot fetch cluster info from peer urls: could not retrieve "
                                      "cluster information from the given URLs");
}

/* Ask the next peer; after the last one, all of them again in a while. */
void member_join_next(struct member *member)
{
    struct member_boot *boot = &member->boot;
    struct member_join *join = &boot->join;
    const struct member_peer *peer = member_boot_next_peer(member, boot->asked);
    bool is_round_over = !peer;
    if (join->deadline_ns <= member->now_ns || (is_round_over && join->answers > 0 && join->misses == 0)) {
        give_up(member);
        return;
    }
    if (is_round_over) {
        boot->asked = (struct base_bytes){0};
        boot->due_ns = member->now_ns + MEMBER_JOIN_PAUSE_NS;
        join->answers = 0;
        join->misses = 0;
        join->is_pausing = true;
        return;
    }
    const struct wire_message query = {
        .kind = WIRE_PEER_QUERY,
        .request = {.id = ++boot->call, .kind = WIRE_MEMBER_LIST},
    };
    boot->asked = base_bytes_of(peer->url);
    boot->due_ns = member->now_ns + MEMBER_PROBE_NS;
    member->host->ask(member->host->context, boot->asked, boot->call, &query);
}

void member_join_unanswered(struct member *member)
{
    member->boot.join.misses += !member->boot.join.is_pausing;
    member->boot.join.is_pausing = false;
    member_join_next(member);
}

static const struct member_peer *listed_at(const struct member *member, struct base_bytes url)
{
    for (uint32_t i = 0; i < member->boot.peer_count; i++) {
        if (base_bytes_equal(base_bytes_of(member->boot.peers[i].url), url)) {
            return &member->boot.peers[i];
        }
    }
    return NULL;
}

/* Do the members that a peer tells of live where our list says? Answers our own id, or
 * RAFT_NONE, having said why not. */
static raft_id fit(struct member *member, const struct wire_response *response)
{
    struct wal_text text = {0};
    raft_id own = RAFT_NONE;
    if (response->member_count != member->boot.peer_count) {
        wal_text_put(&text, "error validating peerURLs: member count is unequal");
        member->boot.join.mismatch = text;
        return RAFT_NONE;
    }
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct wire_member *known = &response->members[i];
        const struct member_peer *peer = listed_at(member, known->peer_url);
        if (!peer) {
            wal_text_put(&text, "error validating peerURLs: PeerURLs: no match found for existing member (");
            wal_text_put_hex(&text, known->id);
            wal_text_put(&text, ", [");
            wal_text_put_bytes(&text, known->peer_url);
            wal_text_put(&text, "])");
            member->boot.join.mismatch = text;
            return RAFT_NONE;
        }
        if (base_bytes_equal(base_bytes_of(peer->name), base_bytes_of(member->config.name))) {
            own = known->id;
        }
    }
    return own;
}

void member_join_answered(struct member *member, const struct wire_response *response)
{
    raft_id own = fit(member, response);
    if (own == RAFT_NONE) {
        member->boot.join.answers++;
        member_join_next(member);
        return;
    }
    member->id = own;
    member->cluster_id = response->cluster_id;
    member->boot.state = MEMBER_BOOT_IDLE;
    member_identify(member);
    member_boot_step(member, "joined");
    if (!member_raft_make(member, own)) {
        return;
    }
    const struct wal_metadata metadata = {.member_id = own, .cluster_id = member->cluster_id};
    member->storage.ticket_written = wal_create(member->storage.wal, &metadata);
    member->storage.ticket_needed = member->storage.ticket_written;
    member->storage.ticket_created = member->storage.ticket_written;
    member_boot_step(member, "log");
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct wire_member *peer = &response->members[i];
        if (peer->id != own) {
            member->host->add_peer(member->host->context, peer->id, peer->peer_url);
        }
    }
    member_boot_done(member);
}
