/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bench/raft.h"

#include "core/base/hash.h"
#include "core/raft/raft.h"
#include "sim/bench/judged.h"
#include "sim/campaign/pool.h"
#include "sim/queue.h"
#include "sim/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKET_NS = 32768, /* 64 of them span a link's delay. */
    DELAY_MIN_NS = 500 * 1000,
    DELAY_MAX_NS = 2000 * 1000,
    PAYLOAD_SIZE = 64,
    FLIGHT_ENTRIES = 4, /* More than these travel in a block of their own. */
    CLOCK_EVENTS = 4096 /* Look at the clock so often. */
};

static const uint64_t tick_ns = 100 * 1000 * 1000;
static const uint64_t second_ns = 1000 * 1000 * 1000;

enum event { EVENT_MESSAGE, EVENT_TIMER, EVENT_PROPOSAL };

/* A message under way with all it points to; a free one leads to the next. */
struct flight {
    struct flight *next_free;
    struct raft_message message;
    struct raft_entry entries[FLIGHT_ENTRIES];
    uint8_t bytes[FLIGHT_ENTRIES * PAYLOAD_SIZE];
    uint8_t *block; /* Owned: entries and bytes when they are more. */
};

struct node {
    struct raft *raft;
    struct sim_random random;
    uint64_t ticks;                         /* Told so far. */
    uint64_t tick_ns;                       /* When the next tick comes. */
    uint64_t timer_ns;                      /* The earliest timer event pending; UINT64_MAX is none. */
    raft_index first;                       /* Of its log. */
    uint64_t link_ns[BENCH_RAFT_NODES_MAX]; /* When the last message on each link arrives. */
};

struct bench {
    const struct bench_raft_options *options;
    struct sim_queue *queue;
    struct sim_random network;
    struct node *nodes;
    struct bench_judged *judged; /* By node; NULL: nobody judges. */
    struct check *check;
    struct node *leader;
    struct flight *free;
    struct base_allocator allocator;
    size_t memory;
    uint64_t now_ns;
    struct bench_raft_result result;
};

/* A heap that knows how much was taken from it. */
static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct bench *bench = context;
    bench->memory += size_new;
    bench->memory -= block ? size_old : 0;
    if (bench->memory > bench->result.memory_peak) {
        bench->result.memory_peak = bench->memory;
    }
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

static uint64_t draw(void *context)
{
    return sim_random_u64(context);
}

static struct flight *take_flight(struct bench *bench)
{
    struct flight *flight = bench->free;
    if (!flight) {
        flight = calloc(1, sizeof *flight);
        assert(flight);
        return flight;
    }
    bench->free = flight->next_free;
    return flight;
}

static void land(struct bench *bench, struct flight *flight)
{
    if (flight->block) {
        free(flight->block);
        flight->block = NULL;
    }
    flight->next_free = bench->free;
    bench->free = flight;
}

/* Copy what `message` points to into the flight. */
static void load(struct flight *flight, const struct raft_message *message)
{
    /* In two halves: copied whole, it is done by a slow string instruction. */
    enum { HALF = 64 };
    memcpy(&flight->message, message, HALF);
    memcpy((uint8_t *)&flight->message + HALF, (const uint8_t *)message + HALF, sizeof *message - HALF);
    assert(!message->snapshot && message->context.size == 0);
    if (message->entry_count == 0) {
        return;
    }
    size_t bytes = 0;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        bytes += message->entries[i].size;
    }
    struct raft_entry *entries = flight->entries;
    uint8_t *at = flight->bytes;
    if (message->entry_count > FLIGHT_ENTRIES || bytes > sizeof flight->bytes) {
        flight->block = malloc(message->entry_count * sizeof *entries + bytes);
        assert(flight->block);
        entries = (struct raft_entry *)(void *)flight->block;
        at = flight->block + message->entry_count * sizeof *entries;
    }
    for (uint32_t i = 0; i < message->entry_count; i++) {
        entries[i] = message->entries[i];
        entries[i].data = at;
        if (entries[i].size > 0) {
            memcpy(at, message->entries[i].data, entries[i].size);
            at += entries[i].size;
        }
    }
    flight->message.entries = entries;
}

static void send(struct bench *bench, struct node *from, const struct raft_message *message)
{
    uint32_t to = (uint32_t)message->to - 1;
    uint64_t at_ns = bench->now_ns + sim_random_between(&bench->network, DELAY_MIN_NS, DELAY_MAX_NS);
    if (at_ns < from->link_ns[to]) {
        at_ns = from->link_ns[to];
    }
    from->link_ns[to] = at_ns;
    struct flight *flight = take_flight(bench);
    load(flight, message);
    sim_queue_push(bench->queue, &(struct sim_item){
                                     .time_ns = at_ns, .kind = EVENT_MESSAGE, .machine = to, .data = flight});
    bench->result.messages++;
}

static void take_committed(struct bench *bench, struct node *node, const struct raft_ready *ready)
{
    raft_index last = ready->committed[ready->committed_count - 1].index;
    if (last > bench->result.committed) {
        bench->result.committed = last;
    }
    for (uint32_t i = 0; i < ready->committed_count; i++) {
        struct raft_conf_change change;
        struct raft_conf_state state;
        const struct raft_entry *entry = &ready->committed[i];
        if (bench->judged) {
            bench_judged_applied(&bench->judged[node - bench->nodes], entry);
        }
        if (entry->type != RAFT_ENTRY_NORMAL &&
            raft_conf_change_decode(entry->type,
                                    (struct base_bytes){.data = entry->data, .size = entry->size},
                                    &change) == RAFT_OK) {
            (void)raft_apply_conf_change(node->raft, &change, &state);
        }
    }
}

/* Persisting and applying take no time here. */
static void settle(struct bench *bench, struct node *node)
{
    while (raft_has_ready(node->raft)) {
        struct raft_ready ready;
        raft_ready(node->raft, &ready);
        if (ready.has_soft_state && ready.role == RAFT_LEADER) {
            bench->leader = node;
        }
        for (uint32_t i = 0; i < ready.message_count; i++) {
            send(bench, node, &ready.messages[i]);
        }
        raft_index applied = 0;
        if (ready.committed_count > 0) {
            applied = ready.committed[ready.committed_count - 1].index;
            take_committed(bench, node, &ready);
        }
        raft_advance(node->raft);
        if (bench->options->kept > 0 && applied >= node->first + bench->options->kept) {
            node->first = raft_compact(node->raft, applied) == RAFT_OK ? applied + 1 : node->first;
        }
    }
}

/* Each node's ticks begin at another time. */
static uint64_t phase_ns(const struct bench *bench, const struct node *node)
{
    return (uint64_t)(node - bench->nodes) * 1000 * 1000;
}

/* Tell the node the ticks up to now. */
static void tell_ticks(struct bench *bench, struct node *node)
{
    if (bench->now_ns < node->tick_ns) {
        return;
    }
    uint64_t ticks = (bench->now_ns + phase_ns(bench, node)) / tick_ns;
    assert(ticks > node->ticks);
    raft_tick(node->raft, ticks - node->ticks);
    node->ticks = ticks;
    node->tick_ns = (ticks + 1) * tick_ns - phase_ns(bench, node);
}

/* One timer event per node is enough: the earliest. A later one finds out for
 * itself that it is not due yet. */
static void set_timer(struct bench *bench, struct node *node)
{
    if (node->timer_ns <= node->tick_ns) {
        return; /* No tick comes before that. */
    }
    uint64_t due = raft_due_ticks(node->raft);
    if (due == UINT64_MAX) {
        return;
    }
    uint64_t at_ns = node->tick_ns + (due - 1) * tick_ns;
    if (at_ns < node->timer_ns) {
        node->timer_ns = at_ns;
        sim_queue_push(bench->queue, &(struct sim_item){.time_ns = at_ns,
                                                        .kind = EVENT_TIMER,
                                                        .machine = (uint32_t)(node - bench->nodes)});
    }
}

static void propose(struct bench *bench)
{
    static const uint8_t payload[PAYLOAD_SIZE] = {1};
    sim_queue_push(bench->queue,
                   &(struct sim_item){.time_ns = bench->now_ns + second_ns / bench->options->proposals,
                                      .kind = EVENT_PROPOSAL});
    if (bench->leader) {
        tell_ticks(bench, bench->leader);
        enum raft_status status =
            raft_propose(bench->leader->raft, (struct base_bytes){.data = payload, .size = sizeof payload});
        assert(status == RAFT_OK || status == RAFT_DROPPED);
        settle(bench, bench->leader);
        set_timer(bench, bench->leader);
    }
}

static void happen(struct bench *bench, const struct sim_item *item)
{
    bench->now_ns = item->time_ns;
    bench->result.events++;
    bench->result.digest = base_hash_u64(bench->result.digest, item->time_ns ^ (uint64_t)item->kind << 56 ^
                                                                   (uint64_t)item->machine << 48);
    if (item->kind == EVENT_PROPOSAL) {
        propose(bench);
        return;
    }
    struct node *node = &bench->nodes[item->machine];
    tell_ticks(bench, node);
    if (item->kind == EVENT_MESSAGE) {
        struct flight *flight = item->data;
        enum raft_status status = raft_step(node->raft, &flight->message);
        assert(status == RAFT_OK);
        land(bench, flight);
    } else if (node->timer_ns == item->time_ns) {
        node->timer_ns = UINT64_MAX;
    }
    settle(bench, node);
    set_timer(bench, node);
}

static void judges_begin(struct bench *bench)
{
    const struct check_options options = {
        .members = bench->options->nodes,
        .heartbeat_ns = tick_ns,
        .election_ns = 10 * tick_ns,
        .tick_ns = tick_ns,
    };
    bench->check = check_new();
    check_reset(bench->check, &options);
    bench->judged = calloc(bench->options->nodes, sizeof *bench->judged);
    assert(bench->judged);
    for (uint32_t i = 0; i < bench->options->nodes; i++) {
        bench_judged_init(&bench->judged[i], bench->check, &bench->now_ns, i + 1);
    }
}

static void begin(struct bench *bench)
{
    raft_id peers[BENCH_RAFT_NODES_MAX];
    uint32_t count = bench->options->nodes;
    assert(count > 0 && count <= BENCH_RAFT_NODES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        peers[i] = i + 1;
    }
    bench->nodes = calloc(count, sizeof *bench->nodes);
    assert(bench->nodes);
    if (bench->options->has_checks) {
        judges_begin(bench);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct node *node = &bench->nodes[i];
        *node = (struct node){.tick_ns = tick_ns - phase_ns(bench, node), .timer_ns = UINT64_MAX, .first = 1};
        sim_random_init(&node->random, bench->options->seed, i + 1, 1, SIM_FOR_RAFT);
        struct raft_config config = {
            .id = i + 1,
            .election_ticks = 10,
            .heartbeat_ticks = 1,
            .message_bytes_max = 1024 * 1024,
            .inflight_count_max = 512,
            .pre_vote = true,
            .check_quorum = true,
            .random = draw,
            .random_context = &node->random,
            .observer = bench->judged ? &bench->judged[i].observer : NULL,
        };
        enum raft_status status = raft_new(&config, &bench->allocator, &node->raft);
        assert(status == RAFT_OK);
        status = raft_bootstrap(node->raft, peers, NULL, NULL, count);
        assert(status == RAFT_OK);
        status = raft_start(node->raft, 0);
        assert(status == RAFT_OK);
        settle(bench, node);
        set_timer(bench, node);
    }
    if (bench->options->proposals > 0) {
        sim_queue_push(bench->queue, &(struct sim_item){.kind = EVENT_PROPOSAL});
    }
}

static void end(struct bench *bench)
{
    struct sim_item item;
    while (sim_queue_pop(bench->queue, &item)) {
        if (item.kind == EVENT_MESSAGE) {
            land(bench, item.data);
        }
    }
    while (bench->free) {
        struct flight *next = bench->free->next_free;
        free(bench->free);
        bench->free = next;
    }
    for (uint32_t i = 0; i < bench->options->nodes; i++) {
        raft_free(bench->nodes[i].raft);
    }
    assert(bench->memory == 0);
    if (bench->check) {
        bench->result.is_violated = check_first(bench->check) != NULL;
        check_free(bench->check);
        free(bench->judged);
    }
    free(bench->nodes);
    sim_queue_free(bench->queue);
}

void bench_raft(const struct bench_raft_options *options, struct bench_raft_result *out)
{
    struct bench bench = {.options = options, .queue = sim_queue_new(BUCKET_NS)};
    bench.allocator = (struct base_allocator){.resize = resize, .context = &bench};
    sim_random_init(&bench.network, options->seed, 0, 1, SIM_FOR_NETWORK);
    begin(&bench);
    uint64_t began_ns = campaign_cpu_ns();
    struct sim_item item;
    do {
        for (uint32_t i = 0; i < CLOCK_EVENTS && sim_queue_pop(bench.queue, &item); i++) {
            happen(&bench, &item);
        }
        bench.result.cpu_ns = campaign_cpu_ns() - began_ns;
    } while (bench.result.cpu_ns < options->cpu_ns &&
             (options->entries_max == 0 || bench.result.committed < options->entries_max));
    bench.result.simulated_ns = bench.now_ns;
    end(&bench);
    *out = bench.result;
}

struct bench_raft_options bench_raft_idle(uint64_t cpu_ns)
{
    return (struct bench_raft_options){.nodes = 5, .kept = 10000, .cpu_ns = cpu_ns};
}

struct bench_raft_options bench_raft_load(uint64_t cpu_ns)
{
    return (struct bench_raft_options){.nodes = 5, .proposals = 1000, .kept = 10000, .cpu_ns = cpu_ns};
}

struct bench_raft_options bench_raft_wide(uint64_t cpu_ns)
{
    return (struct bench_raft_options){.nodes = 51, .proposals = 1000, .kept = 10000, .cpu_ns = cpu_ns};
}

struct bench_raft_options bench_raft_kept(uint64_t cpu_ns)
{
    return (
        struct bench_raft_options){.nodes = 3, .proposals = 1000, .entries_max = 1000000, .cpu_ns = cpu_ns};
}
