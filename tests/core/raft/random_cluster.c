/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/random_cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t draw_bits(void *context)
{
    struct cluster *cluster = context;
    cluster->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t bits = cluster->random;
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

uint64_t cluster_draw(struct cluster *cluster, uint64_t bound)
{
    return draw_bits(cluster) % bound;
}

static struct raft_config draw_config(struct cluster *cluster)
{
    struct raft_config config = {.election_ticks = 10,
                                 .heartbeat_ticks = 1 + (uint32_t)cluster_draw(cluster, 3)};
    uint64_t small = cluster_draw(cluster, 3);
    config.message_bytes_max = small == 0 ? 0 : small == 1 ? 100 : UINT64_MAX;
    config.committed_bytes_max = cluster_draw(cluster, 2) == 0 ? 80 : UINT64_MAX;
    config.uncommitted_bytes_max = cluster_draw(cluster, 2) == 0 ? 200 : 0;
    config.inflight_count_max = 1 + (uint32_t)cluster_draw(cluster, 8);
    config.inflight_bytes_max = config.message_bytes_max != UINT64_MAX && cluster_draw(cluster, 2) == 0
                                    ? config.message_bytes_max + 50
                                    : 0;
    config.pre_vote = cluster->pre_vote;
    config.check_quorum = cluster->check_quorum;
    config.async_storage_writes = cluster_draw(cluster, 2) == 0;
    config.step_down_on_removal = cluster_draw(cluster, 2) == 0;
    config.random = draw_bits;
    config.random_context = cluster;
    return config;
}

struct cluster *cluster_new(uint64_t seed)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    cluster->random = seed;
    cluster->is_safe_read = true;
    cluster->committed = calloc(CLUSTER_LOG_MAX, sizeof *cluster->committed);
    cluster->pre_vote = cluster_draw(cluster, 2) == 0;
    cluster->check_quorum = cluster_draw(cluster, 2) == 0;
    uint32_t voters = 1 + (uint32_t)cluster_draw(cluster, 5);
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        struct cluster_node *node = &cluster->nodes[i];
        node->cluster = cluster;
        node->id = i + 1;
        node->disk.log = calloc(CLUSTER_LOG_MAX, sizeof *node->disk.log);
        struct raft_config config = draw_config(cluster);
        cluster_start(node, &config, true, voters);
        /* A new member's first entries are on its disk before it does anything. */
        while (raft_has_ready(node->raft)) {
            cluster_settle(node, false);
            cluster_run_append(node);
            cluster_run_apply(node);
        }
    }
    return cluster;
}

void cluster_free(struct cluster *cluster)
{
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        cluster_crash(&cluster->nodes[i]);
        free(cluster->nodes[i].disk.log);
    }
    for (uint32_t i = 0; i < cluster->flight_count; i++) {
        flight_release(&cluster->flights[i]);
    }
    free(cluster->committed);
    free(cluster);
}

static void deliver(struct cluster *cluster, uint32_t place, bool keep)
{
    struct flight flight = cluster->flights[place];
    if (keep) {
        flight_load(&flight, &cluster->flights[place].message);
        flight.snapshot = cluster->flights[place].snapshot;
    } else {
        cluster->flights[place] = cluster->flights[--cluster->flight_count];
    }
    struct cluster_node *node = &cluster->nodes[flight.message.to - 1];
    if (node->raft) {
        if (flight.snapshot.index != 0) {
            flight.message.snapshot = &flight.snapshot;
        }
        enum raft_status status = raft_step(node->raft, &flight.message);
        /* A commit beyond the log would mean that a disk forgot. */
        assert(status == RAFT_OK || status == RAFT_DROPPED || status == RAFT_PEER_NOT_FOUND);
        flight.message.snapshot = NULL;
    }
    flight_release(&flight);
}

static void drop(struct cluster *cluster, uint32_t place)
{
    flight_release(&cluster->flights[place]);
    cluster->flights[place] = cluster->flights[--cluster->flight_count];
}

static void propose(struct cluster *cluster, struct cluster_node *node)
{
    uint8_t data[32] = {0};
    base_store_u64(data, ++cluster->proposal_count);
    (void)!raft_propose(node->raft, (struct base_bytes){.data = data, .size = 8 + cluster_draw(cluster, 24)});
}

static void propose_change(struct cluster *cluster, struct cluster_node *node)
{
    struct raft_conf_change change = {.is_v1 = cluster_draw(cluster, 2) == 0, .change_count = 1};
    if (!change.is_v1) {
        change.change_count = (uint32_t)cluster_draw(cluster, 4);
        change.transition = (enum raft_transition)cluster_draw(cluster, 3);
    }
    for (uint32_t i = 0; i < change.change_count; i++) {
        change.changes[i].type = (enum raft_conf_change_type)cluster_draw(cluster, 4);
        change.changes[i].id = 1 + cluster_draw(cluster, CLUSTER_NODES);
    }
    (void)!raft_propose_conf_change(node->raft, &change);
}

static void read_index(struct cluster *cluster, struct cluster_node *node)
{
    if (cluster->read_count == CLUSTER_READS_MAX) {
        return;
    }
    uint8_t context[8];
    base_store_u64(context, cluster->read_count);
    cluster->reads[cluster->read_count++] = cluster->commit_max;
    (void)!raft_read_index(node->raft, (struct base_bytes){.data = context, .size = sizeof context});
}

/* Take a snapshot of what is applied, durably, offer it and perhaps drop the log. */
static void snapshot(struct cluster *cluster, struct cluster_node *node)
{
    if (node->applied <= node->disk.snapshot.index || node->applied > node->disk.last) {
        return;
    }
    raft_term term = 0;
    if (raft_term_at(node->raft, node->applied, &term) != RAFT_OK) {
        return;
    }
    struct raft_snapshot snapshot = {.index = node->applied,
                                     .term = term,
                                     .configuration = node->configuration};
    if (snapshot.configuration.voters.count == 0 || node->disk.log[node->applied].term != term) {
        return;
    }
    node->disk.snapshot = snapshot;
    raft_offer_snapshot(node->raft, &snapshot);
    raft_index keep = cluster_draw(cluster, 4);
    if (snapshot.index > keep) {
        (void)!raft_compact(node->raft, snapshot.index - keep);
    }
}

static void restart(struct cluster *cluster, struct cluster_node *node)
{
    if (node->raft) {
        cluster_crash(node);
    } else {
        struct raft_config config = draw_config(cluster);
        cluster_start(node, &config, false, 0);
        cluster->restarts++;
    }
}

/* Something rare, to a node that is up. */
static void act(struct cluster *cluster, struct cluster_node *node)
{
    raft_id other = 1 + cluster_draw(cluster, CLUSTER_NODES);
    switch (cluster_draw(cluster, 9)) {
    case 0:
        raft_campaign(node->raft);
        break;
    case 1:
        raft_transfer_leader(node->raft, other);
        break;
    case 2:
        raft_forget_leader(node->raft);
        break;
    case 3:
        raft_report_unreachable(node->raft, other);
        break;
    case 4:
        raft_report_snapshot(node->raft, other, cluster_draw(cluster, 2) == 0);
        break;
    case 5:
        read_index(cluster, node);
        break;
    case 6:
        propose_change(cluster, node);
        break;
    default:
        snapshot(cluster, node);
        break;
    }
}

void cluster_step(struct cluster *cluster)
{
    struct cluster_node *node = &cluster->nodes[cluster_draw(cluster, CLUSTER_NODES)];
    uint64_t what = cluster_draw(cluster, 1000);
    uint32_t place = cluster->flight_count > 0 ? (uint32_t)cluster_draw(cluster, cluster->flight_count) : 0;
    if (cluster->flight_count > 0 && what < 600) {
        node = &cluster->nodes[cluster->flights[place].message.to - 1];
        deliver(cluster, place, what < 30);
    } else if (cluster->flight_count > 0 && what < 640) {
        drop(cluster, place);
    } else if (what > 995 || (!node->raft && what > 900)) {
        restart(cluster, node);
    } else if (!node->raft) {
        return;
    } else if (what < 800) {
        raft_tick(node->raft, 1 + cluster_draw(cluster, 3));
    } else if (what < 880) {
        cluster_run_append(node);
    } else if (what < 930) {
        cluster_run_apply(node);
    } else if (what < 970) {
        propose(cluster, node);
    } else {
        act(cluster, node);
    }
    cluster_settle(node, true);
}

/* One round in which everything works. */
static void round_of(struct cluster *cluster)
{
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        struct cluster_node *node = &cluster->nodes[i];
        raft_tick(node->raft, 1);
        cluster_settle(node, false);
    }
    for (uint32_t left = 4 * CLUSTER_FLIGHTS_MAX; left > 0 && cluster->flight_count > 0; left--) {
        struct cluster_node *node = &cluster->nodes[cluster->flights[0].message.to - 1];
        deliver(cluster, 0, false);
        cluster_settle(node, false);
        cluster_run_append(node);
        cluster_run_apply(node);
        cluster_settle(node, false);
    }
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        struct cluster_node *node = &cluster->nodes[i];
        while (node->append_count > 0 || node->apply_count > 0) {
            cluster_run_append(node);
            cluster_run_apply(node);
            cluster_settle(node, false);
        }
    }
}

/* A transport knows which of its snapshots arrived; in doubt it says: failed. */
static void report_snapshots(struct cluster_node *node)
{
    for (raft_id peer = 1; peer <= CLUSTER_NODES; peer++) {
        raft_report_snapshot(node->raft, peer, true);
    }
}

static bool has_converged(const struct cluster *cluster, raft_index target)
{
    if (cluster->committed_last <= target) {
        return false;
    }
    const struct cluster_node *leader = NULL;
    raft_term newest = 0;
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        struct raft_status_report status;
        raft_get_status(cluster->nodes[i].raft, &status);
        if (status.role == RAFT_LEADER && status.hard_state.term >= newest) {
            newest = status.hard_state.term;
            leader = &cluster->nodes[i];
        }
    }
    if (!leader) {
        return false;
    }
    const struct raft_conf_state *conf = raft_configuration(leader->raft);
    for (uint32_t i = 0; i < conf->voters.count; i++) {
        if (cluster->nodes[conf->voters.ids[i] - 1].applied <= target) {
            return false;
        }
    }
    return true;
}

bool cluster_heal(struct cluster *cluster)
{
    for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
        if (!cluster->nodes[i].raft) {
            restart(cluster, &cluster->nodes[i]);
        }
        cluster_settle(&cluster->nodes[i], false);
    }
    raft_index target = cluster->commit_max;
    for (uint32_t rounds = 0; rounds < 2000; rounds++) {
        round_of(cluster);
        for (uint32_t i = 0; i < CLUSTER_NODES; i++) {
            struct cluster_node *node = &cluster->nodes[i];
            if (rounds % 20 == 0) {
                propose(cluster, node);
            }
            if (rounds % 50 == 0) {
                snapshot(cluster, node);
                report_snapshots(node);
            }
        }
        if (has_converged(cluster, target)) {
            return true;
        }
    }
    return false;
}
