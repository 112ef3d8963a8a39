/* The door of a client: every call enters, does its work in the other files, and
 * leaves by telling the host when it is next due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value == 0 ? fallback : value;
}

static void enter(struct client *client, uint64_t now_ns)
{
    assert(!client->is_busy); /* Nothing re-enters. */
    assert(now_ns >= client->now_ns);
    client->is_busy = true;
    client->now_ns = now_ns;
}

/* The due time only ever moves nearer: a timer that was cleared leaves it where
 * it is, and the host calls once for nothing rather than being told each time. */
static void leave(struct client *client)
{
    uint64_t due_ns = client->timer_count == 0 ? CLIENT_NEVER : client->timers[0]->due_ns;
    if (due_ns < client->set_ns) {
        client->set_ns = due_ns;
        client->host.set_due(client->host.context, due_ns);
    }
    client->is_busy = false;
}

struct client *client_new(const struct client_config *config, const struct base_allocator *allocator,
                          const struct client_host *host)
{
    assert(config->endpoint_count > 0);
    struct client *client = base_zalloc(allocator, sizeof *client);
    client->config = *config;
    client->allocator = *allocator;
    client->host = *host;
    client->config.dial_timeout_ns = or_default(config->dial_timeout_ns, 2 * CLIENT_SECOND);
    client->config.backoff_ns = or_default(config->backoff_ns, 25 * CLIENT_MS);
    client->config.redial_ns = or_default(config->redial_ns, CLIENT_SECOND);
    client->config.keepalive_timeout_ns = or_default(config->keepalive_timeout_ns, 20 * CLIENT_SECOND);
    client->set_ns = CLIENT_NEVER;
    client->idle_count = config->endpoint_count;
    client->connections = base_zalloc(allocator, config->endpoint_count * sizeof *client->connections);
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        client->connections[i] =
            (struct client_connection){.item.kind = CLIENT_CONNECTION, .state = CLIENT_IDLE, .endpoint = i};
    }
    return client;
}

void client_free(struct client *client)
{
    if (!client) {
        return;
    }
    struct base_allocator allocator = client->allocator;
    client_calls_release(client);
    client_locks_release(client);
    client_keepers_release(client);
    client_watchers_release(client);
    base_free(&allocator, client->timers, client->timer_capacity * sizeof *client->timers);
    base_free(&allocator, client->items, client->item_capacity * sizeof *client->items);
    base_free(&allocator, client->free_slots, client->item_capacity * sizeof *client->free_slots);
    base_free(&allocator, client->connections, client->config.endpoint_count * sizeof *client->connections);
    base_free(&allocator, client, sizeof *client);
}

void client_start(struct client *client, uint64_t now_ns)
{
    enter(client, now_ns);
    /* Clients begin their rounds at different endpoints. */
    uint64_t word = client->host.random(client->host.context);
    client->turn = (uint32_t)(word % client->config.endpoint_count);
    client_connections_open(client);
    leave(client);
}

uint64_t client_call(struct client *client, uint64_t now_ns, const struct wire_request *request)
{
    enter(client, now_ns);
    uint64_t call = client_call_begin(client, CLIENT_ANY, request);
    leave(client);
    return call;
}

uint64_t client_call_at(struct client *client, uint64_t now_ns, uint32_t endpoint,
                        const struct wire_request *request)
{
    enter(client, now_ns);
    uint64_t call = client_call_begin(client, endpoint, request);
    leave(client);
    return call;
}

void client_watch(struct client *client, uint64_t now_ns, uint64_t watch, const struct wire_request *create)
{
    enter(client, now_ns);
    client_watcher_begin(client, watch, create);
    leave(client);
}

void client_watch_cancel(struct client *client, uint64_t now_ns, uint64_t watch)
{
    enter(client, now_ns);
    client_watcher_cancel(client, watch);
    leave(client);
}

void client_watch_progress(struct client *client, uint64_t now_ns, uint64_t watch)
{
    enter(client, now_ns);
    client_watcher_progress(client, watch);
    leave(client);
}

void client_lease_keep(struct client *client, uint64_t now_ns, int64_t lease, int64_t ttl_s,
                       uint64_t until_ns)
{
    enter(client, now_ns);
    client_keep(client, lease, ttl_s, until_ns);
    leave(client);
}

void client_lease_forget(struct client *client, int64_t lease)
{
    client_forget(client, lease);
}

uint64_t client_lease_deadline(const struct client *client, int64_t lease)
{
    const struct client_keeper *keeper = client_index_get(&client->keepers, (uint64_t)lease);
    return keeper ? keeper->deadline_ns : 0;
}

uint64_t client_lock(struct client *client, uint64_t now_ns, struct base_bytes name, int64_t lease,
                     uint64_t within_ns)
{
    enter(client, now_ns);
    uint64_t lock = client_lock_begin(client, name, lease, within_ns);
    leave(client);
    return lock;
}

void client_lock_abandon(struct client *client, uint64_t now_ns, uint64_t lock)
{
    enter(client, now_ns);
    client_lock_drop(client, lock);
    leave(client);
}

static void answered(struct client *client, const struct wire_response *response)
{
    struct client_item *item = client_item_find(client, response->id);
    if (!item) {
        return; /* Whoever asked has given up. */
    }
    switch (item->kind) {
    case CLIENT_CALL:
        client_call_answered(client, (struct client_call *)item, response);
        break;
    case CLIENT_KEEPER:
        client_keeper_answered(client, (struct client_keeper *)item, response);
        break;
    case CLIENT_WATCHER:
        client_watcher_answered(client, (struct client_watcher *)item, response);
        break;
    case CLIENT_CONNECTION:
    case CLIENT_LOCK:
        assert(false && "they ask through calls, or nothing");
    }
}

/* A frame of the connection that stands. */
static void received(struct client *client, struct client_connection *connection,
                     const struct wire_message *message)
{
    if (message->kind == WIRE_WELCOME) {
        client_connection_welcomed(client, connection);
    } else if (message->kind == WIRE_GOODBYE) {
        client_connection_lost(client, connection, false);
    } else if (connection->state == CLIENT_READY) {
        client_connection_heard(client, connection);
        if (message->kind == WIRE_RESPONSE) {
            answered(client, &message->response);
        } else if (message->kind == WIRE_WATCH) {
            client_watcher_batch(client, connection->number, message);
        }
    }
}

/* The endpoint's connection, if `number` is its present one. */
static struct client_connection *find(struct client *client, uint32_t endpoint, uint64_t number)
{
    assert(endpoint < client->config.endpoint_count);
    struct client_connection *connection = &client->connections[endpoint];
    return number != 0 && connection->number == number ? connection : NULL;
}

void client_receive(struct client *client, uint64_t now_ns, uint32_t endpoint, uint64_t connection,
                    const struct wire_message *message)
{
    enter(client, now_ns);
    struct client_connection *found = find(client, endpoint, connection);
    if (found) {
        received(client, found, message);
    }
    leave(client);
}

void client_reset(struct client *client, uint64_t now_ns, uint32_t endpoint, uint64_t connection)
{
    enter(client, now_ns);
    struct client_connection *found = find(client, endpoint, connection);
    if (found) {
        client_connection_lost(client, found, false);
    }
    leave(client);
}

void client_due(struct client *client, uint64_t now_ns)
{
    enter(client, now_ns);
    client->set_ns = CLIENT_NEVER; /* What was set has happened. */
    for (struct client_item *item = client_timer_pop(client); item; item = client_timer_pop(client)) {
        switch (item->kind) {
        case CLIENT_CONNECTION:
            client_connection_due(client, (struct client_connection *)item);
            break;
        case CLIENT_CALL:
            client_call_due(client, (struct client_call *)item);
            break;
        case CLIENT_KEEPER:
            client_keeper_due(client, (struct client_keeper *)item);
            break;
        case CLIENT_WATCHER:
            client_watcher_due(client, (struct client_watcher *)item);
            break;
        case CLIENT_LOCK:
            client_lock_due(client, (struct client_lock *)item);
            break;
        }
    }
    leave(client);
}

void client_disconnect(struct client *client, uint64_t now_ns)
{
    enter(client, now_ns);
    client_connections_close(client);
    client_calls_reset(client, 0);
    client_watchers_reset(client, 0);
    if (client->waiting_calls > 0 || client->waiting_watchers > 0) {
        client_connections_open(client);
    }
    leave(client);
}
