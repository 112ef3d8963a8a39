/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t draw(void *context)
{
    struct network *network = context;
    network->random = network->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return network->random;
}

struct raft_config network_config(void)
{
    return (struct raft_config){.election_ticks = 10,
                                .heartbeat_ticks = 1,
                                .message_bytes_max = UINT64_MAX,
                                .inflight_count_max = 256};
}

struct network *network_new(uint32_t count, const struct raft_config *config)
{
    struct network *network = calloc(1, sizeof *network);
    raft_id peers[NETWORK_NODES_MAX] = {1, 2, 3, 4, 5};
    network->count = count;
    network->random = 7;
    for (raft_id id = 1; id <= count; id++) {
        struct raft_config own = *config;
        own.id = id;
        own.random = draw;
        own.random_context = network;
        enum raft_status status = raft_new(&own, &cluster_allocator, &network->nodes[id]);
        assert(status == RAFT_OK);
        status = raft_bootstrap(network->nodes[id], peers, NULL, NULL, count);
        assert(status == RAFT_OK);
        status = raft_start(network->nodes[id], 0);
        assert(status == RAFT_OK);
    }
    network_settle(network);
    network_forget(network);
    return network;
}

void network_free(struct network *network)
{
    for (raft_id id = 1; id <= network->count; id++) {
        raft_free(network->nodes[id]);
    }
    for (uint32_t i = 0; i < network->flight_count; i++) {
        flight_release(&network->flights[i]);
    }
    free(network);
}

static void apply(struct network *network, raft_id id, const struct raft_entry *entry)
{
    network->applied[id] = entry->index;
    if (entry->type == RAFT_ENTRY_NORMAL) {
        network->payloads[id] += entry->size > 0;
        return;
    }
    struct raft_conf_change change;
    struct raft_conf_state state;
    struct base_bytes data = {.data = entry->data, .size = entry->size};
    enum raft_status status = raft_conf_change_decode(entry->type, data, &change);
    assert(status == RAFT_OK);
    (void)!raft_apply_conf_change(network->nodes[id], &change, &state);
}

void network_ready(struct network *network, raft_id id)
{
    struct raft_ready ready;
    raft_ready(network->nodes[id], &ready);
    for (uint32_t i = 0; i < ready.message_count; i++) {
        assert(network->flight_count < NETWORK_FLIGHTS_MAX);
        flight_load(&network->flights[network->flight_count++], &ready.messages[i]);
        if (network->seen_count < NETWORK_SEEN_MAX) {
            network->seen[network->seen_count++] = ready.messages[i];
        }
    }
    for (uint32_t i = 0; i < ready.committed_count; i++) {
        apply(network, id, &ready.committed[i]);
    }
    if (ready.read_state_count > 0) {
        network->read = ready.read_states[ready.read_state_count - 1];
        network->read_count += ready.read_state_count;
    }
    raft_advance(network->nodes[id]);
}

static void deliver(struct network *network)
{
    struct flight flight = network->flights[0];
    network->flight_count--;
    memmove(&network->flights[0], &network->flights[1], network->flight_count * sizeof flight);
    raft_id to = flight.message.to;
    if (to <= network->count && !network->is_cut[to] && !network->is_cut[flight.message.from]) {
        if (flight.snapshot.index != 0) {
            flight.message.snapshot = &flight.snapshot;
        }
        (void)!raft_step(network->nodes[to], &flight.message);
    }
    flight_release(&flight);
}

void network_settle(struct network *network)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (raft_id id = 1; id <= network->count; id++) {
            while (raft_has_ready(network->nodes[id])) {
                network_ready(network, id);
                moved = true;
            }
        }
        while (network->flight_count > 0) {
            deliver(network);
            moved = true;
        }
    }
}

void network_elect(struct network *network, raft_id id)
{
    raft_campaign(network->nodes[id]);
    network_settle(network);
}

enum raft_status network_propose(struct network *network, raft_id id, const char *text)
{
    return raft_propose(network->nodes[id], base_bytes_of(text));
}

struct raft_status_report network_status(const struct network *network, raft_id id)
{
    struct raft_status_report status;
    raft_get_status(network->nodes[id], &status);
    return status;
}

const struct raft_message *network_last(const struct network *network, enum raft_message_type type)
{
    for (uint32_t i = network->seen_count; i > 0; i--) {
        if (network->seen[i - 1].type == type) {
            return &network->seen[i - 1];
        }
    }
    return NULL;
}

uint32_t network_count(const struct network *network, enum raft_message_type type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < network->seen_count; i++) {
        count += network->seen[i].type == type;
    }
    return count;
}

void network_forget(struct network *network)
{
    network->seen_count = 0;
}
