/* A client among endpoints that do as they please: answer, err, fall silent,
 * reset, answer twice and late. Whatever happens, each call ends once and by its
 * deadline, a write is sent once at most, and only what was sent is unknown. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/client.h"

#include <criterion/criterion.h>

#include <stdlib.h>

enum { SEEDS = 300, STEPS = 400, ENDPOINTS = 3, CALLS_MAX = STEPS + 1, HEARD_MAX = 4096 };

#define TIMEOUT_NS UINT64_C(5000000000)

struct heard {
    uint32_t endpoint;
    uint64_t connection;
    struct wire_request request;
};

struct call {
    bool is_write;
    bool is_done;
    uint32_t sent_count; /* Told by the revision, which the test sets to the call's number. */
    uint64_t deadline_ns;
};

struct world {
    struct client *client;
    size_t bytes_out;
    uint64_t random;
    uint64_t now_ns;
    uint64_t due_ns;
    uint64_t connections[ENDPOINTS]; /* The newest of each. */
    uint64_t newest_connection;
    uint32_t heard_count;
    uint32_t call_count;
    struct heard heard[HEARD_MAX];
    struct call calls[CALLS_MAX];
};

static uint64_t draw(void *context)
{
    struct world *world = context;
    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return world->random >> 20;
}

static uint32_t below(struct world *world, uint32_t limit)
{
    return (uint32_t)(draw(world) % limit);
}

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct world *world = context;
    world->bytes_out = world->bytes_out - size_old + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size_new);
}

static void on_send(void *context, uint32_t endpoint, uint64_t connection, const struct wire_message *message)
{
    struct world *world = context;
    if (message->kind == WIRE_HELLO) {
        cr_assert_eq(connection, ++world->newest_connection);
        world->connections[endpoint] = connection;
    }
    cr_assert_eq(connection, world->connections[endpoint], "speaks over a connection that is not open");
    if (message->kind == WIRE_GOODBYE) {
        world->connections[endpoint] = 0;
    }
    if (message->kind != WIRE_REQUEST) {
        return;
    }
    if (message->request.kind == WIRE_KV) {
        struct call *call = &world->calls[message->request.op.revision];
        cr_assert(!call->is_done);
        call->sent_count++;
        cr_assert(!call->is_write || call->sent_count == 1);
    }
    world->heard[world->heard_count++ % HEARD_MAX] =
        (struct heard){.endpoint = endpoint, .connection = connection, .request = message->request};
}

static void on_due(void *context, uint64_t due_ns)
{
    struct world *world = context;
    cr_assert(due_ns < world->due_ns);
    world->due_ns = due_ns;
}

static void on_done(void *context, uint64_t number, const struct wire_response *response, bool is_unknown)
{
    struct world *world = context;
    cr_assert(number >= 1 && number <= world->call_count + 1);
    struct call *call = &world->calls[number];
    cr_assert(!call->is_done);
    call->is_done = true;
    cr_assert(world->now_ns <= call->deadline_ns);
    cr_assert(!is_unknown || (call->is_write && call->sent_count == 1 && response->status != BASE_OK));
    bool is_local_or_vague = response->status == BASE_TIMEOUT || response->status == BASE_UNAVAILABLE;
    cr_assert(is_unknown || !call->is_write || call->sent_count == 0 || !is_local_or_vague);
}

static void on_watched(void *context, uint64_t watch, const struct wire_watch *batch)
{
    (void)context;
    cr_assert(watch >= 1 && watch <= 3 && !batch->fragment);
}

static void pass(struct world *world, uint64_t delay_ns)
{
    uint64_t limit_ns = world->now_ns + delay_ns;
    while (world->due_ns <= limit_ns) {
        world->now_ns = world->due_ns > world->now_ns ? world->due_ns : world->now_ns;
        world->due_ns = CLIENT_NEVER;
        client_due(world->client, world->now_ns);
    }
    world->now_ns = limit_ns;
}

static void begin(struct world *world)
{
    uint32_t number = world->call_count + 1;
    bool is_write = below(world, 2) == 0;
    world->calls[number] = (struct call){.is_write = is_write, .deadline_ns = world->now_ns + TIMEOUT_NS};
    struct wire_request request = {.kind = WIRE_KV,
                                   .op = {.kind = is_write ? KV_PUT : KV_RANGE, .revision = number}};
    request.op.key = base_bytes_of("key");
    uint64_t given = below(world, 4) == 0
                         ? client_call_at(world->client, world->now_ns, below(world, 3), &request)
                         : client_call(world->client, world->now_ns, &request);
    cr_assert_eq(given, number);
    world->call_count++;
}

/* Any request of the past is answered, perhaps not for the first time. */
static void answer(struct world *world)
{
    static const enum base_status statuses[] = {BASE_OK,        BASE_OK,
                                                BASE_TIMEOUT,   BASE_NO_LEADER,
                                                BASE_NO_SPACE,  BASE_STOPPED,
                                                BASE_COMPACTED, BASE_LEASE_NOT_FOUND};
    uint32_t kept = world->heard_count < 8 ? world->heard_count : 8;
    if (kept == 0) {
        return;
    }
    const struct heard *heard = &world->heard[(world->heard_count - 1 - below(world, kept)) % HEARD_MAX];
    struct wire_message message = {.kind = WIRE_RESPONSE, .response = {.id = heard->request.id}};
    message.response.status = statuses[below(world, 8)];
    message.response.ttl_s = (int64_t)below(world, 10);
    message.response.revision = 50;
    client_receive(world->client, world->now_ns, heard->endpoint, heard->connection, &message);
}

static void notify(struct world *world)
{
    struct kv_event events[2] = {{.record.mod_revision = 60}, {.record.mod_revision = 61}};
    struct wire_message message = {.kind = WIRE_WATCH,
                                   .watch = {.watch = 1 + below(world, 3), .revision = 70}};
    message.watch.fragment = below(world, 3) == 0;
    message.watch.event_count = below(world, 3);
    message.watch.events = events;
    message.watch.compact_revision = below(world, 20) == 0 ? 65 : 0;
    uint32_t endpoint = below(world, ENDPOINTS);
    client_receive(world->client, world->now_ns, endpoint, world->connections[endpoint], &message);
}

/* Watch anew, or stop watching. */
static void rewatch(struct world *world)
{
    uint64_t watch = 1 + below(world, 3);
    client_watch_cancel(world->client, world->now_ns, watch);
    if (below(world, 3) > 0) {
        struct wire_request create = {.kind = WIRE_WATCH_CREATE, .revision = (int64_t)below(world, 2)};
        client_watch(world->client, world->now_ns, watch, &create);
    }
}

static void say(struct world *world, enum wire_kind kind)
{
    struct wire_message message = {.kind = kind};
    uint32_t endpoint = below(world, ENDPOINTS);
    uint64_t connection = world->connections[endpoint];
    if (connection > 0 && kind == WIRE_GOODBYE && below(world, 2) == 0) {
        client_reset(world->client, world->now_ns, endpoint, connection);
    } else {
        client_receive(world->client, world->now_ns, endpoint, connection, &message);
    }
}

static void keep(struct world *world)
{
    int64_t lease = 1 + below(world, 4);
    int64_t ttl_s = 1 + below(world, 9);
    client_lease_keep(world->client, world->now_ns, lease, ttl_s,
                      world->now_ns + (uint64_t)ttl_s * UINT64_C(1000000000));
}

static void act(struct world *world)
{
    switch (below(world, 16)) {
    case 0:
    case 1:
    case 2:
        begin(world);
        break;
    case 3:
    case 4:
    case 5:
        say(world, WIRE_WELCOME);
        break;
    case 6:
        say(world, below(world, 2) == 0 ? WIRE_GOODBYE : WIRE_PONG);
        break;
    case 7:
        keep(world);
        break;
    case 8:
        client_lease_forget(world->client, 1 + below(world, 4));
        break;
    case 9:
        rewatch(world);
        break;
    case 10:
        notify(world);
        break;
    case 11:
        if (below(world, 10) == 0) {
            client_disconnect(world->client, world->now_ns);
        }
        break;
    case 12:
        pass(world, below(world, 2000) * UINT64_C(1000000));
        break;
    default:
        answer(world);
    }
}

static void run(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->random = seed;
    world->due_ns = CLIENT_NEVER;
    struct client_config config = {.endpoint_count = ENDPOINTS, .timeout_ns = TIMEOUT_NS};
    config.keepalive_every_ns = seed % 2 == 0 ? 0 : 700000000;
    config.keepalive_timeout_ns = 300000000;
    struct base_allocator allocator = {.resize = resize, .context = world};
    struct client_host table = {.context = world,
                                .random = draw,
                                .send = on_send,
                                .set_due = on_due,
                                .done = on_done,
                                .watched = on_watched};
    world->client = client_new(&config, &allocator, &table);
    client_start(world->client, 0);
    for (int i = 0; i < STEPS; i++) {
        act(world);
    }
    pass(world, TIMEOUT_NS);
    for (uint32_t i = 1; i <= world->call_count; i++) {
        cr_assert(world->calls[i].is_done, "seed %u, call %u", (unsigned)seed, i);
    }
    client_free(world->client);
    cr_assert_eq(world->bytes_out, 0);
}

Test(client_random, whatever_happens_every_call_ends_once)
{
    struct world *world = malloc(sizeof *world);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(world, seed);
    }
    free(world);
}
