/* Connections: one an endpoint, numbered anew at each attempt (state.h draws
 * the states). Who waits for one is told when it is ready, who used one when it
 * is lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

#define REDIAL_MAX_NS (5 * CLIENT_SECOND)

enum { REDIAL_JITTER_PERCENT = 20 };

/* What must hold between two calls. */
static void check(const struct client_connection *connection)
{
    bool is_open = connection->state == CLIENT_DIALING || connection->state == CLIENT_READY;
    assert(is_open == (connection->number != 0));
    assert(!connection->is_pinged || connection->state == CLIENT_READY);
}

static void become(struct client *client, struct client_connection *connection,
                   enum client_connection_state state)
{
    client->idle_count -= connection->state == CLIENT_IDLE;
    client->ready_count -= connection->state == CLIENT_READY;
    connection->state = state;
    client->idle_count += state == CLIENT_IDLE;
    client->ready_count += state == CLIENT_READY;
    connection->is_pinged = false;
}

void client_connection_send(struct client *client, const struct client_connection *connection,
                            const struct wire_message *message)
{
    assert(connection->number != 0);
    client->host.send(client->host.context, connection->endpoint, connection->number, message);
}

static void send_kind(struct client *client, const struct client_connection *connection, enum wire_kind kind)
{
    struct wire_message message;
    memset(&message, 0, sizeof message);
    message.kind = kind;
    client_connection_send(client, connection, &message);
}

static void dial(struct client *client, struct client_connection *connection)
{
    become(client, connection, CLIENT_DIALING);
    connection->number = ++client->connection_count;
    client_timer_set(client, &connection->item, client_after(client->now_ns, client->config.dial_timeout_ns));
    send_kind(client, connection, WIRE_HELLO);
    check(connection);
}

void client_connections_open(struct client *client)
{
    for (uint32_t i = 0; client->idle_count > 0 && i < client->config.endpoint_count; i++) {
        if (client->connections[i].state == CLIENT_IDLE) {
            dial(client, &client->connections[i]);
        }
    }
}

void client_connections_close(struct client *client)
{
    for (uint32_t i = 0; i < client->config.endpoint_count; i++) {
        struct client_connection *connection = &client->connections[i];
        if (connection->number != 0) {
            send_kind(client, connection, WIRE_GOODBYE);
        }
        become(client, connection, CLIENT_IDLE);
        connection->number = 0;
        connection->failures = 0;
        client_timer_set(client, &connection->item, CLIENT_NEVER);
        check(connection);
    }
}

struct client_connection *client_connection_next(struct client *client, uint32_t *turn)
{
    client_connections_open(client);
    for (uint32_t i = 0; client->ready_count > 0 && i < client->config.endpoint_count; i++) {
        struct client_connection *connection = &client->connections[*turn];
        *turn = (*turn + 1) % client->config.endpoint_count;
        if (connection->state == CLIENT_READY) {
            return connection;
        }
    }
    return NULL;
}

struct client_connection *client_connection_pick(struct client *client, uint32_t endpoint)
{
    if (endpoint == CLIENT_ANY) {
        return client_connection_next(client, &client->turn);
    }
    client_connections_open(client);
    struct client_connection *connection = &client->connections[endpoint];
    return connection->state == CLIENT_READY ? connection : NULL;
}

void client_connection_welcomed(struct client *client, struct client_connection *connection)
{
    if (connection->state != CLIENT_DIALING) {
        return;
    }
    become(client, connection, CLIENT_READY);
    connection->failures = 0;
    connection->heard_ns = client->now_ns;
    uint64_t every_ns = client->config.keepalive_every_ns;
    client_timer_set(client, &connection->item,
                     every_ns == 0 ? CLIENT_NEVER : client_after(client->now_ns, every_ns));
    check(connection);
    client_calls_ready(client);
    client_watchers_ready(client);
}

void client_connection_heard(struct client *client, struct client_connection *connection)
{
    connection->heard_ns = client->now_ns;
    if (connection->is_pinged) {
        connection->is_pinged = false;
        client_timer_set(client, &connection->item,
                         client_after(client->now_ns, client->config.keepalive_every_ns));
    }
}

/* The pause after `failures` attempts in a row: doubling, to a limit. */
static uint64_t redial_delay(const struct client *client, uint32_t failures)
{
    uint64_t delay = client->config.redial_ns;
    uint64_t limit = delay > REDIAL_MAX_NS ? delay : REDIAL_MAX_NS;
    for (uint32_t i = 1; i < failures && delay < limit; i++) {
        delay *= 2;
    }
    return delay < limit ? delay : limit;
}

void client_connection_lost(struct client *client, struct client_connection *connection, bool says_goodbye)
{
    uint64_t number = connection->number;
    bool was_ready = connection->state == CLIENT_READY;
    if (says_goodbye) {
        send_kind(client, connection, WIRE_GOODBYE);
    }
    connection->number = 0;
    if (was_ready) {
        dial(client, connection);
        client_calls_reset(client, number);
        client_watchers_reset(client, number);
        return;
    }
    connection->failures++;
    become(client, connection, CLIENT_BACKOFF);
    uint64_t delay =
        client_jittered(client, redial_delay(client, connection->failures), REDIAL_JITTER_PERCENT);
    client_timer_set(client, &connection->item, client_after(client->now_ns, delay));
    check(connection);
}

static void keepalive(struct client *client, struct client_connection *connection)
{
    if (connection->is_pinged) {
        client_connection_lost(client, connection, true);
        return;
    }
    uint64_t ping_ns = client_after(connection->heard_ns, client->config.keepalive_every_ns);
    if (client->now_ns < ping_ns) {
        client_timer_set(client, &connection->item, ping_ns);
        return;
    }
    connection->is_pinged = true;
    client_timer_set(client, &connection->item,
                     client_after(client->now_ns, client->config.keepalive_timeout_ns));
    send_kind(client, connection, WIRE_PING);
}

void client_connection_due(struct client *client, struct client_connection *connection)
{
    switch (connection->state) {
    case CLIENT_DIALING:
        client_connection_lost(client, connection, true);
        break;
    case CLIENT_BACKOFF:
        dial(client, connection);
        break;
    case CLIENT_READY:
        keepalive(client, connection);
        break;
    case CLIENT_IDLE:
        assert(false && "an idle connection has no timer");
    }
}
