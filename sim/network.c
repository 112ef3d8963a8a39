/* The network between machines.
 *
 * Fault model. Each directed link delays what it carries by a draw from its
 * distribution and keeps order: a frame arrives when its own delay is over, and
 * not before the one sent ahead of it, unless a `reorder` draw lets it overtake.
 * Raft's own messages are datagrams: they may be lost or come twice. Everything
 * else (forwarded proposals, clients) is a stream: in order and once; a loss
 * costs it a retransmission of 200 ms. A cut, one way, loses what is under way
 * and what is sent until it heals, silently. A process that dies resets its
 * connections; a machine without power says nothing. What is kept: nothing is
 * delivered that was not sent, and nothing is altered.
 *
 * Draws come from the sender's stream, two for each frame, whatever the
 * options: switching a fault off moves nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <assert.h>

enum { RETRANSMIT_NS = 200000000 };

struct sim_link *sim_link_of(const struct sim_world *world, uint32_t from, uint32_t to)
{
    if (to <= world->member_count) {
        return &world->machines[from]->out[to];
    }
    assert(from <= world->member_count);
    return &world->machines[to]->in[from];
}

static const struct sim_link_options *options_of(const struct sim_world *world, const struct sim_link *link)
{
    return link->options == 0 ? &world->options.network : &world->links[link->options - 1];
}

struct sim_frame *sim_frame_new(struct sim_world *world, uint32_t from, uint32_t to, uint64_t connection,
                                const struct wire_message *message)
{
    size_t head = (sizeof(struct sim_frame) + 15) & ~(size_t)15;
    size_t size = head + (message ? wire_flat_size(message) : 0);
    struct sim_frame *frame = sim_pool_take(world->pool, size);
    *frame = (struct sim_frame){
        .size_bytes = (uint32_t)size,
        .from = from,
        .to = to,
        .connection = connection,
        .is_reset = !message,
    };
    if (message) {
        frame->message = wire_flatten(message, (unsigned char *)frame + head);
        frame->is_datagram = message->kind == WIRE_RAFT && message->raft.type != RAFT_MSG_PROP &&
                             message->raft.type != RAFT_MSG_SNAP;
    }
    return frame;
}

void sim_frame_free(struct sim_world *world, struct sim_frame *frame)
{
    sim_pool_give(world->pool, frame);
}

static void emit_send(struct sim_world *world, const struct sim_frame *frame)
{
    const struct wire_message *message = frame->message;
    if (message->kind == WIRE_RAFT) {
        const struct raft_message *raft = &message->raft;
        sim_emit(world, SIM_EVENT_SEND, frame->from,
                 (uint64_t[]){frame->to, raft->type, raft->term, raft->index, raft->commit});
    } else {
        sim_emit(world, SIM_EVENT_SEND_STREAM, frame->from, (uint64_t[]){frame->to, message->kind});
    }
}

static void lose(struct sim_world *world, struct sim_frame *frame)
{
    sim_emit(world, SIM_EVENT_LOSE, frame->from,
             (uint64_t[]){frame->to, frame->message ? (uint64_t)frame->message->kind : WIRE_KIND_COUNT});
    sim_frame_free(world, frame);
}

static bool ppm_of(uint64_t draw, uint32_t shift, uint32_t ppm)
{
    uint64_t part = (draw >> shift) & 0xfffff; /* 20 bits */
    return part * 1000000 < (uint64_t)ppm << 20;
}

static void push(struct sim_world *world, struct sim_link *link, struct sim_frame *frame, uint64_t arrival_ns,
                 bool overtakes)
{
    if (!overtakes) {
        if (arrival_ns < link->last_arrival_ns) {
            arrival_ns = link->last_arrival_ns;
        }
        link->last_arrival_ns = arrival_ns;
    }
    sim_push(world, arrival_ns, SIM_ITEM_FRAME, frame->to, frame, 0);
}

void sim_network_send(struct sim_world *world, struct sim_frame *frame)
{
    struct sim_machine *sender = world->machines[frame->from];
    struct sim_link *link = sim_link_of(world, frame->from, frame->to);
    const struct sim_link_options *options = options_of(world, link);
    uint64_t latency_ns = sim_dist_draw(&options->latency, &sender->random_network);
    uint64_t draw = sim_random_u64(&sender->random_network);
    world->cost.messages++;
    world->cost.bytes += frame->size_bytes;
    if (frame->message) {
        emit_send(world, frame);
        if (!sender->is_client) {
            check_send(world->check, world->now_ns, frame->from, frame->to, frame->message);
        }
    }
    frame->cuts = link->cuts;
    if (link->is_cut) {
        lose(world, frame);
        return;
    }
    uint64_t arrival_ns = world->now_ns + latency_ns;
    bool is_lost = ppm_of(draw, 0, options->loss_ppm);
    bool is_doubled = frame->is_datagram && ppm_of(draw, 20, options->duplicate_ppm);
    bool overtakes = frame->is_datagram && ppm_of(draw, 40, options->reorder_ppm);
    if (is_lost && frame->is_datagram) {
        lose(world, frame);
        return;
    }
    if (is_lost) {
        arrival_ns += RETRANSMIT_NS;
    }
    if (is_doubled) {
        struct sim_frame *twin =
            sim_frame_new(world, frame->from, frame->to, frame->connection, frame->message);
        twin->cuts = frame->cuts;
        push(world, link, frame, arrival_ns, overtakes);
        push(world, link, twin, arrival_ns + latency_ns, true);
        return;
    }
    push(world, link, frame, arrival_ns, overtakes);
}

void sim_network_reset(struct sim_world *world, uint32_t from, uint32_t to, uint64_t connection)
{
    sim_network_send(world, sim_frame_new(world, from, to, connection, NULL));
}

bool sim_frame_is_lost(const struct sim_world *world, const struct sim_frame *frame)
{
    const struct sim_link *link = sim_link_of(world, frame->from, frame->to);
    return link->is_cut || link->cuts != frame->cuts;
}

static void cut_one(struct sim_world *world, uint32_t a, uint32_t b)
{
    struct sim_link *link = sim_link_of(world, a, b);
    if (!link->is_cut) {
        link->is_cut = true;
        link->cuts++;
        sim_emit(world, SIM_EVENT_CUT, 0, (uint64_t[]){a, b});
    }
}

static void heal_one(struct sim_world *world, uint32_t a, uint32_t b)
{
    struct sim_link *link = sim_link_of(world, a, b);
    if (link->is_cut) {
        link->is_cut = false;
        sim_emit(world, SIM_EVENT_HEAL, 0, (uint64_t[]){a, b});
    }
}

/* Call `visit` for every directed link there is. */
static void each_link(struct sim_world *world, void (*visit)(struct sim_world *world, uint32_t a, uint32_t b))
{
    for (uint32_t a = 1; a <= world->machine_count; a++) {
        for (uint32_t b = 1; b <= world->machine_count; b++) {
            bool is_link = a <= world->member_count || b <= world->member_count;
            if (a != b && is_link && world->machines[a] && world->machines[b]) {
                visit(world, a, b);
            }
        }
    }
}

void sim_network_heal(struct sim_world *world)
{
    each_link(world, heal_one);
}

void sim_heal(struct sim_world *world)
{
    world->cost.operator_actions++;
    sim_network_heal(world);
}

void sim_cut(struct sim_world *world, sim_machine_number a, sim_machine_number b)
{
    world->cost.operator_actions++;
    cut_one(world, a, b);
}

void sim_isolate(struct sim_world *world, sim_machine_number member)
{
    world->cost.operator_actions++;
    for (uint32_t other = 1; other <= world->member_count; other++) {
        if (other != member) {
            cut_one(world, member, other);
            cut_one(world, other, member);
        }
    }
}

void sim_partition(struct sim_world *world, const uint32_t *groups, uint32_t machine_count)
{
    world->cost.operator_actions++;
    for (uint32_t a = 1; a <= world->machine_count; a++) {
        for (uint32_t b = 1; b <= world->machine_count; b++) {
            bool is_link = a <= world->member_count || b <= world->member_count;
            if (a == b || !is_link || !world->machines[a] || !world->machines[b]) {
                continue;
            }
            uint32_t group_a = a < machine_count ? groups[a] : 0;
            uint32_t group_b = b < machine_count ? groups[b] : 0;
            if (group_a != 0 && group_b != 0 && group_a != group_b) {
                cut_one(world, a, b);
            } else {
                heal_one(world, a, b);
            }
        }
    }
}

bool sim_is_cut(const struct sim_world *world, sim_machine_number a, sim_machine_number b)
{
    return sim_link_of(world, a, b)->is_cut;
}

void sim_link(struct sim_world *world, sim_machine_number a, sim_machine_number b,
              const struct sim_link_options *options)
{
    struct sim_link *link = sim_link_of(world, a, b);
    if (link->options == 0) {
        if (world->link_count == sizeof world->links / sizeof world->links[0]) {
            return; /* More single links than a world of this size has. */
        }
        link->options = (uint8_t)++world->link_count;
    }
    world->links[link->options - 1] = *options;
    sim_emit(world, SIM_EVENT_LINK, 0, (uint64_t[]){a, b});
}

void sim_network(struct sim_world *world, const struct sim_link_options *options)
{
    world->options.network = *options;
    sim_emit(world, SIM_EVENT_LINK, 0, (uint64_t[]){0, 0});
}

void sim_link_options(struct sim_world *world, sim_machine_number a, sim_machine_number b,
                      struct sim_link_options *out)
{
    *out = a == 0 || b == 0 ? world->options.network : *options_of(world, sim_link_of(world, a, b));
}
