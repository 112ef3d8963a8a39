/* The network between machines.
 *
 * Fault model. Each directed link delays what it carries by a draw from its
 * distribution and keeps order: a frame arrives when its own delay is over, and
 * not before the one sent ahead of it, unless a `reorder` draw lets it overtake.
 * Where bandwidth is short, frames leave one after the other, each taking its
 * encoded size; a link has `queue` frames under way at most (those that a paused or
 * busy receiver has not taken are among them), and what is sent beyond is lost. The
 * pieces of a snapshot are not counted: they have a connection of their own, and their
 * sender waits for its window.
 * Raft's own messages are datagrams: they may be lost or come twice. Everything
 * else (forwarded proposals, snapshots, clients) is a stream: in order and once; a
 * loss costs it a retransmission of 200 ms. A cut, one way, loses what is under way
 * and what is sent until it heals, silently. A client's stream is broken by it for
 * good: whoever hears of the other again learns that first. A member is told when
 * `window` bytes are under way to a client, or in pieces of a snapshot to a member, that
 * has not taken them (it is paused, or its link is slow): what can wait then waits. A
 * process that dies resets its connections; a machine without power says nothing. Corruption flips one
 * to three bits of the encoded frame; the receiver's checksum refuses it, which loses
 * a datagram and breaks a stream, as does a full queue. What is kept: nothing is
 * delivered that was not sent, and nothing is altered.
 *
 * Draws come from the sender's stream, two for each frame, whatever the
 * options: switching a fault off moves nothing else. Corruption has a stream of its
 * own and draws while it is on. */
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
        frame->is_datagram = sim_coverage_is_datagram(sim_coverage_message(message));
    }
    return frame;
}

void sim_frame_free(struct sim_world *world, struct sim_frame *frame)
{
    if (frame->is_waiting) {
        sim_link_of(world, frame->from, frame->to)->waiting--;
    }
    if (frame->is_windowed) {
        sim_link_of(world, frame->from, frame->to)->window -= frame->size_bytes;
    }
    sim_pool_give(world->pool, frame);
}

void sim_frame_window(struct sim_world *world, struct sim_frame *frame)
{
    frame->is_windowed = true;
    sim_link_of(world, frame->from, frame->to)->window += frame->size_bytes;
}

bool sim_stream_is_full(const struct sim_world *world, uint32_t from, uint32_t to)
{
    const struct sim_link *link = sim_link_of(world, from, to);
    return link->window >= options_of(world, link)->window_bytes;
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

static void befall(struct sim_world *world, enum sim_frame_fault fault, const struct sim_frame *frame)
{
    if (frame->message) {
        world->coverage.frames[fault][sim_coverage_message(frame->message)]++;
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

static bool is_counted(const struct sim_frame *frame)
{
    return frame->message && frame->message->kind != WIRE_SNAPSHOT_CHUNK;
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
    if (is_counted(frame)) {
        frame->is_waiting = true;
        link->waiting++;
    }
    sim_push(world, arrival_ns, SIM_ITEM_FRAME, frame->to, frame, 0);
}

/* A message as a socket would carry it; the caller releases it. */
static struct base_buffer encoded(struct sim_world *world, const struct wire_message *message)
{
    struct base_buffer bytes = {0};
    base_buffer_init(&bytes, sim_heap_allocator(world->client_heap));
    wire_encode(message, &bytes);
    return bytes;
}

/* Flip one to three bits, each another one. */
static void flip(struct sim_random *random, struct base_buffer *bytes)
{
    uint64_t flipped[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint64_t count = sim_random_between(random, 1, 3);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bit = sim_random_below(random, bytes->size * 8);
        while (bit == flipped[0] || bit == flipped[1]) {
            bit = (bit + 1) % (bytes->size * 8);
        }
        flipped[i] = bit;
        bytes->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The frame with some of its bits flipped, as its receiver's decoder will find it. */
static struct sim_frame *corrupted(struct sim_world *world, struct sim_frame *frame)
{
    struct base_buffer bytes = encoded(world, frame->message);
    struct base_arena arena = {0};
    struct wire_message altered;
    base_arena_init(&arena, sim_heap_allocator(world->client_heap));
    flip(&world->machines[frame->from]->random_corrupt, &bytes);
    if (wire_decode(base_buffer_view(&bytes), &arena, &altered) != BASE_OK) {
        frame->is_corrupt = true;
    } else { /* A checksum that sees nothing lets another message through. */
        struct sim_frame *other = sim_frame_new(world, frame->from, frame->to, frame->connection, &altered);
        other->cuts = frame->cuts;
        if (frame->is_windowed) {
            sim_frame_window(world, other);
        }
        sim_frame_free(world, frame);
        frame = other;
    }
    base_arena_release(&arena);
    base_buffer_release(&bytes);
    return frame;
}

/* When the last byte of the frame has left, where bandwidth is short. */
static uint64_t leave(struct sim_world *world, struct sim_link *link, const struct sim_frame *frame,
                      uint64_t bandwidth_bytes)
{
    if (bandwidth_bytes == 0 || !frame->message) {
        return world->now_ns;
    }
    uint64_t size = wire_encoded_size(frame->message);
    uint64_t from_ns = link->free_ns > world->now_ns ? link->free_ns : world->now_ns;
    link->free_ns =
        from_ns + size / bandwidth_bytes * 1000000000 + size % bandwidth_bytes * 1000000000 / bandwidth_bytes;
    return link->free_ns;
}

/* How often either direction between a client and a member has been cut. */
static uint32_t stream_cuts(const struct sim_world *world, uint32_t client, uint32_t member)
{
    return sim_link_of(world, client, member)->cuts + sim_link_of(world, member, client)->cuts;
}

/* Both ends of the stream that a frame belongs to learn that it is broken. */
static void break_stream(struct sim_world *world, const struct sim_frame *frame)
{
    sim_network_reset(world, frame->from, frame->to, frame->connection);
    sim_network_reset(world, frame->to, frame->from, frame->connection);
}

/* The link has as much under way as it can. */
static void overflow(struct sim_world *world, struct sim_frame *frame)
{
    if (!frame->is_datagram) {
        break_stream(world, frame);
    }
    befall(world, SIM_FRAME_OVERFLOW, frame);
    lose(world, frame);
}

/* On its way, once or twice. */
static void travel(struct sim_world *world, struct sim_link *link, struct sim_frame *frame,
                   uint64_t latency_ns, uint64_t draw)
{
    const struct sim_link_options *options = options_of(world, link);
    uint64_t arrival_ns = leave(world, link, frame, options->bandwidth_bytes) + latency_ns;
    bool is_lost = ppm_of(draw, 0, options->loss_ppm);
    bool is_doubled = frame->is_datagram && ppm_of(draw, 20, options->duplicate_ppm);
    bool overtakes = frame->is_datagram && ppm_of(draw, 40, options->reorder_ppm);
    if (is_lost) {
        befall(world, SIM_FRAME_LOSE, frame);
    }
    if (overtakes && arrival_ns < link->last_arrival_ns) {
        befall(world, SIM_FRAME_OVERTAKE, frame);
    }
    if (is_lost && frame->is_datagram) {
        lose(world, frame);
        return;
    }
    if (is_lost) {
        arrival_ns += RETRANSMIT_NS;
    }
    struct sim_frame *twin = NULL;
    if (is_doubled) {
        befall(world, SIM_FRAME_DOUBLE, frame);
        twin = sim_frame_new(world, frame->from, frame->to, frame->connection, frame->message);
        twin->cuts = frame->cuts;
    }
    if (options->corrupt_ppm > 0 && frame->message &&
        sim_random_ppm(&world->machines[frame->from]->random_corrupt, options->corrupt_ppm)) {
        befall(world, SIM_FRAME_CORRUPT, frame);
        frame = corrupted(world, frame);
    }
    push(world, link, frame, arrival_ns, overtakes);
    if (twin) {
        push(world, link, twin, arrival_ns + latency_ns, true);
    }
}

void sim_network_send(struct sim_world *world, struct sim_frame *frame)
{
    struct sim_machine *sender = world->machines[frame->from];
    struct sim_link *link = sim_link_of(world, frame->from, frame->to);
    const struct sim_link_options *options = options_of(world, link);
    uint64_t latency_ns = sim_dist_draw(&options->latency, &sender->random_network);
    uint64_t draw = sim_random_u64(&sender->random_network);
    world->cost.messages++;
    if (frame->message) {
        world->cost.bytes += wire_encoded_size(frame->message);
        emit_send(world, frame);
        if (!sender->is_client) {
            check_send(world->check, world->now_ns, frame->from, frame->to, frame->message);
        }
    }
    frame->cuts = link->cuts;
    if (frame->message && frame->message->kind == WIRE_HELLO) {
        link->stream = frame->connection;
        link->stream_cuts = stream_cuts(world, frame->from, frame->to);
    }
    if (link->is_cut) {
        befall(world, SIM_FRAME_SEVER, frame);
        lose(world, frame);
    } else if (link->waiting >= options->queue_frames && is_counted(frame)) {
        overflow(world, frame);
    } else {
        travel(world, link, frame, latency_ns, draw);
    }
}

void sim_network_reset(struct sim_world *world, uint32_t from, uint32_t to, uint64_t connection)
{
    sim_network_send(world, sim_frame_new(world, from, to, connection, NULL));
}

/* Was a client's stream cut since it was opened, or is it none of its any more? */
static bool is_broken(const struct sim_world *world, const struct sim_frame *frame)
{
    if (frame->connection == 0) {
        return false;
    }
    bool is_from_client = world->machines[frame->from]->is_client;
    uint32_t client = is_from_client ? frame->from : frame->to;
    uint32_t member = is_from_client ? frame->to : frame->from;
    const struct sim_link *link = sim_link_of(world, client, member);
    return link->stream == frame->connection && link->stream_cuts != stream_cuts(world, client, member);
}

bool sim_stream_arrive(struct sim_world *world, struct sim_frame *frame)
{
    if (frame->is_reset) {
        return true;
    }
    if (frame->is_corrupt) {
        sim_emit(world, SIM_EVENT_REFUSE, frame->to, (uint64_t[]){frame->from, frame->message->kind});
        if (frame->is_datagram) {
            return false;
        }
    } else if (!is_broken(world, frame)) {
        return true;
    }
    /* The other end learns by a message, this one now. */
    sim_network_reset(world, frame->to, frame->from, frame->connection);
    frame->message = NULL;
    frame->is_reset = true;
    return true;
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
        link->last_arrival_ns = 0; /* What was under way is lost: nothing waits for it. */
        sim_emit(world, SIM_EVENT_CUT, 0, (uint64_t[]){a, b});
        sim_cover(world->machines[a], SIM_FAULT_CUT);
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

uint64_t sim_network_backlog_ns(const struct sim_world *world)
{
    uint64_t latest_ns = 0;
    for (uint32_t a = 1; a <= world->member_count; a++) {
        for (uint32_t b = 1; b <= world->member_count; b++) {
            if (a != b && sim_link_of(world, a, b)->last_arrival_ns > latest_ns) {
                latest_ns = sim_link_of(world, a, b)->last_arrival_ns;
            }
        }
    }
    return latest_ns;
}

void sim_network_heal(struct sim_world *world)
{
    each_link(world, heal_one);
}

void sim_heal(struct sim_world *world)
{
    sim_network_heal(world);
}

void sim_cut(struct sim_world *world, sim_machine_number a, sim_machine_number b)
{
    cut_one(world, a, b);
}

void sim_isolate(struct sim_world *world, sim_machine_number member)
{
    for (uint32_t other = 1; other <= world->member_count; other++) {
        if (other != member) {
            cut_one(world, member, other);
            cut_one(world, other, member);
        }
    }
}

void sim_partition(struct sim_world *world, const uint32_t *groups, uint32_t machine_count)
{
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
