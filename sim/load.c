/* Load: what many clients would do, from one stream of draws. An open load offers
 * request i at start + i / rate, whatever became of those before it; a closed one
 * has each client ask again as soon as it was answered. What goes on over more than
 * one request (leases, watches, locks) is the client's session. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"
#include "sim/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 load_wide;

enum { KEY_BYTES = 24, VALUE_BYTES_MAX = 1 << 20, LATENCY_STEPS = 64, LATENCY_PARTS = 16 };
enum { ZIPF_RANKS = 65536, ZIPF_ROWS = ZIPF_RANKS + 16, LOCKS_MAX = 4, KEYS_A_LOCK = 25 };

/* Latencies by size: 16 parts of each power of two, so a quantile is right to 6 %. */
struct load_histogram {
    uint64_t count;
    uint32_t buckets[LATENCY_STEPS * LATENCY_PARTS];
};

/* A request under way. */
struct load_call {
    struct load_call *next; /* Free list, or all of them. */
    struct load_call *all;
    struct sim_load *load;
    uint64_t began_ns;
    uint32_t slot; /* Of the client. */
};

struct sim_load {
    struct sim_load *next;
    struct sim_world *world;
    struct sim_load_options options;
    struct sim_random random;
    struct sim_load_counts counts;
    struct load_histogram latency;
    uint32_t *clients;
    struct sim_session **sessions; /* By client; NULL where none was needed. */
    uint64_t *zipf;                /* Sums of weights up to each row; NULL unless asked for. */
    uint32_t zipf_rows;
    uint32_t weight_sum;
    uint64_t began_ns;
    uint64_t next_number; /* Of the next request, from 0. */
    uint64_t timer;
    uint32_t under_way;
    bool is_stopped;
    uint64_t value_number;
    struct load_call *free_calls;
    struct load_call *all_calls;
    uint8_t *value;
};

static void *alloc_or_die(size_t size)
{
    void *block = calloc(1, size);
    if (!block) {
        abort();
    }
    return block;
}

static uint32_t bucket_of(uint64_t latency_ns)
{
    if (latency_ns < LATENCY_PARTS) {
        return (uint32_t)latency_ns;
    }
    uint32_t power = 63 - (uint32_t)__builtin_clzll(latency_ns);
    uint32_t part = (uint32_t)(latency_ns >> (power - 4)) & (LATENCY_PARTS - 1);
    return (power - 3) * LATENCY_PARTS + part;
}

static uint64_t bucket_ns(uint32_t bucket)
{
    if (bucket < LATENCY_PARTS) {
        return bucket;
    }
    uint32_t power = bucket / LATENCY_PARTS + 3;
    return (uint64_t)(LATENCY_PARTS + bucket % LATENCY_PARTS) << (power - 4);
}

static struct load_call *call_take(struct sim_load *load)
{
    struct load_call *call = load->free_calls;
    if (call) {
        load->free_calls = call->next;
        return call;
    }
    call = alloc_or_die(sizeof *call);
    call->load = load;
    call->all = load->all_calls;
    load->all_calls = call;
    return call;
}

/* The first rank (from 0) of a row: one each, then blocks of doubling size. */
static uint32_t zipf_first(uint32_t row)
{
    return row < ZIPF_RANKS ? row : UINT32_C(65536) << (row - ZIPF_RANKS);
}

/* Rank r, from 1, has the weight 2^32 / r. */
static void zipf_make(struct sim_load *load)
{
    uint32_t keys = load->options.keys;
    uint64_t sum = 0;
    load->zipf = alloc_or_die((keys < ZIPF_RANKS ? keys : ZIPF_ROWS) * sizeof *load->zipf);
    for (uint32_t row = 0; row < ZIPF_ROWS && zipf_first(row) < keys; row++) {
        uint32_t end = zipf_first(row + 1) < keys ? zipf_first(row + 1) : keys;
        for (uint32_t rank = zipf_first(row); rank < end; rank++) {
            sum += (UINT64_C(1) << 32) / (rank + 1);
        }
        load->zipf[load->zipf_rows++] = sum;
    }
}

/* The first row whose sum is above the draw's share of all; within a block, evenly. */
static uint32_t zipf_pick(const struct sim_load *load, uint64_t draw, uint64_t other)
{
    uint64_t share = (uint64_t)(((load_wide)draw * load->zipf[load->zipf_rows - 1]) >> 64);
    uint32_t low = 0;
    uint32_t high = load->zipf_rows - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (load->zipf[middle] <= share) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t first = zipf_first(low);
    uint32_t end = zipf_first(low + 1) < load->options.keys ? zipf_first(low + 1) : load->options.keys;
    return first + (uint32_t)(((load_wide)other * (end - first)) >> 64);
}

/* Which key: uniform; nine requests in ten go to one key in ten (hot); or by the
 * harmonic law (zipf). */
static uint32_t pick_key(struct sim_load *load)
{
    uint32_t keys = load->options.keys;
    uint64_t draw = sim_random_u64(&load->random);
    uint64_t other = sim_random_u64(&load->random);
    uint32_t uniform = (uint32_t)(((load_wide)draw * keys) >> 64);
    switch (load->options.pick) {
    case SIM_PICK_UNIFORM:
        break;
    case SIM_PICK_HOT: {
        uint32_t hot = keys / 10 == 0 ? 1 : keys / 10;
        bool is_hot = (other & 0xffff) < 58982; /* 90 % of 65,536 */
        return is_hot ? (uint32_t)(((load_wide)draw * hot) >> 64) : uniform;
    }
    case SIM_PICK_ZIPF:
        return zipf_pick(load, draw, other);
    }
    return uniform;
}

static enum sim_load_kind pick_kind(struct sim_load *load)
{
    uint64_t draw = sim_random_below(&load->random, load->weight_sum);
    uint32_t kind = 0;
    while (draw >= load->options.mix[kind]) {
        draw -= load->options.mix[kind];
        kind++;
    }
    return (enum sim_load_kind)kind;
}

/* Every value is unlike every other: a judge can tell whose it reads. */
static struct base_bytes next_value(struct sim_load *load)
{
    uint32_t size = load->options.value_bytes;
    char number[24];
    int digits = snprintf(number, sizeof number, "%llu", (unsigned long long)++load->value_number);
    memset(load->value, '.', size);
    memcpy(load->value, number, (uint32_t)digits < size ? (uint32_t)digits : size);
    return (struct base_bytes){.data = load->value, .size = size};
}

static void issue(struct sim_load *load, uint32_t slot);

static void on_step(void *context, enum sim_outcome outcome, bool is_call)
{
    struct load_call *call = context;
    struct sim_load *load = call->load;
    uint64_t latency_ns = load->world->now_ns - call->began_ns;
    load->under_way--;
    call->next = load->free_calls;
    load->free_calls = call;
    switch (outcome) {
    case SIM_OUTCOME_OK:
        load->counts.ok++;
        if (is_call) {
            load->latency.count++;
            load->latency.buckets[bucket_of(latency_ns)]++;
        }
        break;
    case SIM_OUTCOME_UNKNOWN:
        load->counts.unknown++;
        break;
    case SIM_OUTCOME_FAILED:
        load->counts.failed++;
        break;
    }
    if (load->options.rate_millihertz == 0 && !load->is_stopped) {
        issue(load, call->slot);
    }
}

static void on_done(void *context, const struct wire_response *response, bool is_unknown)
{
    enum sim_outcome outcome = SIM_OUTCOME_OK;
    if (response->status != BASE_OK) {
        outcome = is_unknown ? SIM_OUTCOME_UNKNOWN : SIM_OUTCOME_FAILED;
    }
    on_step(context, outcome, true);
}

static void fill(struct sim_load *load, enum sim_load_kind kind, const char *key, struct kv_txn *txn,
                 struct kv_op branch[2], struct kv_compare *compare, struct wire_request *request)
{
    struct kv_op *op = &request->op;
    request->kind = WIRE_KV;
    op->key = base_bytes_of(key);
    switch (kind) {
    case SIM_LOAD_PUT:
        op->kind = KV_PUT;
        op->value = next_value(load);
        break;
    case SIM_LOAD_GET:
        op->kind = KV_RANGE;
        op->flags = load->options.is_serializable ? KV_SERIALIZABLE : 0;
        break;
    case SIM_LOAD_RANGE:
        op->kind = KV_RANGE;
        op->flags = load->options.is_serializable ? KV_SERIALIZABLE : 0;
        op->range_end = base_bytes_of("l");
        op->limit = 10;
        break;
    case SIM_LOAD_DELETE:
        op->kind = KV_DELETE_RANGE;
        break;
    case SIM_LOAD_TXN:
        /* Put where the key is there, read where it is not. */
        *compare = (struct kv_compare){.key = op->key,
                                       .target = KV_COMPARE_VERSION,
                                       .relation = KV_GREATER,
                                       .number = 0};
        branch[0] = (struct kv_op){.kind = KV_PUT, .key = op->key, .value = next_value(load)};
        branch[1] = (struct kv_op){.kind = KV_RANGE, .key = op->key};
        *txn = (struct kv_txn){.compare_count = 1,
                               .success_count = 1,
                               .failure_count = 1,
                               .compares = compare,
                               .success = &branch[0],
                               .failure = &branch[1]};
        op->kind = KV_TXN;
        op->txn = txn;
        op->key = (struct base_bytes){0};
        break;
    case SIM_LOAD_WATCH:
    case SIM_LOAD_LEASE:
    case SIM_LOAD_LOCK:
    case SIM_LOAD_KINDS:
        assert(false && "a request of its own");
    }
}

static void request(struct sim_load *load, uint32_t slot, enum sim_load_kind kind, const char *key,
                    struct load_call *call)
{
    struct kv_txn txn;
    struct kv_op branch[2];
    struct kv_compare compare;
    struct wire_request request = {0};
    fill(load, kind, key, &txn, branch, &compare, &request);
    (void)sim_client_call(load->world, load->clients[slot], &request, on_done, call);
}

static struct sim_session *session_of(struct sim_load *load, uint32_t slot)
{
    if (!load->sessions[slot]) {
        load->sessions[slot] = sim_session_new(load->world, load->clients[slot], load->world->seed);
    }
    return load->sessions[slot];
}

/* One lock for so many keys, and few enough that clients meet. */
static uint32_t lock_count(const struct sim_load *load)
{
    uint32_t count = load->options.keys / KEYS_A_LOCK;
    return count == 0 ? 1 : count < LOCKS_MAX ? count : LOCKS_MAX;
}

static void issue(struct sim_load *load, uint32_t slot)
{
    char key[KEY_BYTES];
    enum sim_load_kind kind = pick_kind(load);
    uint32_t number = pick_key(load);
    struct load_call *call = call_take(load);
    call->began_ns = load->world->now_ns;
    call->slot = slot;
    load->counts.offered++;
    load->under_way++;
    snprintf(key, sizeof key, "k%u", number);
    switch (kind) {
    case SIM_LOAD_WATCH:
        sim_session_watch(session_of(load, slot), base_bytes_of(key), on_step, call);
        break;
    case SIM_LOAD_LEASE:
        sim_session_lease(session_of(load, slot), base_bytes_of(key), next_value(load), on_step, call);
        break;
    case SIM_LOAD_LOCK:
        snprintf(key, sizeof key, "lock%u", number % lock_count(load));
        sim_session_lock(session_of(load, slot), base_bytes_of(key), next_value(load), on_step, call);
        break;
    case SIM_LOAD_PUT:
    case SIM_LOAD_GET:
    case SIM_LOAD_RANGE:
    case SIM_LOAD_DELETE:
    case SIM_LOAD_TXN:
    case SIM_LOAD_KINDS:
        request(load, slot, kind, key, call);
        break;
    }
}

/* Request i is offered at start + i / rate, rounded down to the ns. */
static uint64_t instant_of(const struct sim_load *load, uint64_t number)
{
    load_wide since = (load_wide)number * UINT64_C(1000000000000) / load->options.rate_millihertz;
    return load->began_ns + (uint64_t)since;
}

static void on_timer(void *context)
{
    struct sim_load *load = context;
    if (load->is_stopped) {
        return;
    }
    uint32_t slot = (uint32_t)(load->next_number % load->options.clients);
    load->next_number++;
    load->timer = sim_world_at(load->world, instant_of(load, load->next_number), on_timer, load);
    issue(load, slot);
}

static void clients_make(struct sim_load *load)
{
    struct sim_world *world = load->world;
    load->clients = alloc_or_die(load->options.clients * sizeof *load->clients);
    load->sessions = alloc_or_die(load->options.clients * sizeof(struct sim_session *));
    for (uint32_t i = 0; i < load->options.clients; i++) {
        struct sim_client_options client = load->options.client;
        if (load->options.is_pinned) {
            uint32_t count = client.endpoint_count == 0 ? world->member_count : client.endpoint_count;
            uint32_t pinned = client.endpoint_count == 0 ? i % count + 1 : client.endpoints[i % count];
            client.endpoint_count = 1;
            client.endpoints[0] = pinned;
        }
        load->clients[i] = sim_client_new(world, &client);
    }
}

struct sim_load *sim_load_start(struct sim_world *world, const struct sim_load_options *options)
{
    struct sim_load *load = alloc_or_die(sizeof *load);
    load->world = world;
    load->options = *options;
    assert(options->clients > 0 && options->keys > 0 && options->value_bytes <= VALUE_BYTES_MAX);
    for (uint32_t kind = 0; kind < SIM_LOAD_KINDS; kind++) {
        load->weight_sum += options->mix[kind];
    }
    if (load->weight_sum == 0) {
        load->options.mix[SIM_LOAD_PUT] = 1;
        load->options.mix[SIM_LOAD_GET] = 1;
        load->weight_sum = 2;
    }
    load->value = alloc_or_die(options->value_bytes + 1);
    if (options->pick == SIM_PICK_ZIPF) {
        zipf_make(load);
    }
    uint32_t number = 0;
    for (const struct sim_load *other = world->loads; other; other = other->next) {
        number++;
    }
    sim_random_init(&load->random, world->seed, 0, number, SIM_FOR_LOAD);
    load->next = world->loads;
    world->loads = load;
    clients_make(load);
    load->began_ns = world->now_ns;
    if (options->rate_millihertz > 0) {
        load->timer = sim_world_at(world, world->now_ns, on_timer, load);
        return load;
    }
    for (uint32_t slot = 0; slot < options->clients; slot++) {
        issue(load, slot);
    }
    return load;
}

void sim_load_stop(struct sim_load *load)
{
    if (!load->is_stopped) {
        load->is_stopped = true;
        sim_world_cancel(load->world, load->timer);
    }
}

bool sim_load_is_idle(const struct sim_load *load)
{
    return load->is_stopped && load->under_way == 0;
}

void sim_load_counts(const struct sim_load *load, struct sim_load_counts *out)
{
    *out = load->counts;
}

uint64_t sim_load_latency(struct sim_load *load, uint32_t quantile_ppm)
{
    uint64_t rank = load->latency.count * quantile_ppm / 1000000;
    rank -= rank > 0 && rank == load->latency.count; /* The quantile 1 is the last. */
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket < LATENCY_STEPS * LATENCY_PARTS; bucket++) {
        seen += load->latency.buckets[bucket];
        if (seen > rank) {
            return bucket_ns(bucket);
        }
    }
    return 0;
}

void sim_loads_stop_all(struct sim_world *world)
{
    for (struct sim_load *load = world->loads; load; load = load->next) {
        sim_load_stop(load);
    }
}

bool sim_loads_are_idle(const struct sim_world *world)
{
    for (const struct sim_load *load = world->loads; load; load = load->next) {
        if (!sim_load_is_idle(load)) {
            return false;
        }
    }
    return true;
}

void sim_loads_drop(struct sim_world *world)
{
    while (world->loads) {
        struct sim_load *load = world->loads;
        world->loads = load->next;
        while (load->all_calls) {
            struct load_call *call = load->all_calls;
            load->all_calls = call->all;
            free(call);
        }
        for (uint32_t i = 0; i < load->options.clients; i++) {
            if (load->sessions[i]) {
                sim_session_free(load->sessions[i]);
            }
        }
        free(load->sessions);
        free(load->zipf);
        free(load->clients);
        free(load->value);
        free(load);
    }
}
