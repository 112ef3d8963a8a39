/* Calls: copied, sent, retried by the table, ended by an answer or a deadline. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

enum { BACKOFF_JITTER_PERCENT = 10 };

static void check(const struct client_call *call)
{
    assert(call->number != 0);
    assert((call->state == CLIENT_CALL_SENT) == (call->connection != 0));
    assert(call->attempts <= CLIENT_ATTEMPTS_MAX);
    assert(call->state != CLIENT_CALL_SENT || call->attempts > 0);
}

static const struct wire_request *request_of(const struct client_call *call)
{
    return &call->request.message->request;
}

static struct client_call *take_free(struct client *client)
{
    struct client_call *call = client->free_calls;
    if (!call) {
        call = base_zalloc(&client->allocator, sizeof *call);
    } else {
        client->free_calls = call->older;
    }
    struct client_copy request = call->request;
    *call = (struct client_call){.item.kind = CLIENT_CALL, .request = request};
    return call;
}

static void link_newest(struct client *client, struct client_call *call)
{
    call->older = client->newest;
    if (client->newest) {
        client->newest->newer = call;
    } else {
        client->oldest = call;
    }
    client->newest = call;
}

static void unlink_call(struct client *client, struct client_call *call)
{
    if (call->older) {
        call->older->newer = call->newer;
    } else {
        client->oldest = call->newer;
    }
    if (call->newer) {
        call->newer->older = call->older;
    } else {
        client->newest = call->older;
    }
}

static void become(struct client *client, struct client_call *call, enum client_call_state state,
                   uint64_t connection)
{
    client->waiting_calls -= call->state == CLIENT_CALL_WAITING;
    client->waiting_calls += state == CLIENT_CALL_WAITING;
    call->state = state;
    call->connection = connection;
    check(call);
}

/* The call is over: its slot is free before its caller hears of it. */
static void finish(struct client *client, struct client_call *call, const struct wire_response *response,
                   bool is_unknown)
{
    uint64_t number = call->number;
    client->waiting_calls -= call->state == CLIENT_CALL_WAITING;
    unlink_call(client, call);
    client_item_leave(client, &call->item);
    if (call->request.capacity > CLIENT_COPY_KEEP_MAX) {
        client_copy_release(client, &call->request);
    }
    struct client_lock *lock = call->lock;
    call->older = client->free_calls;
    client->free_calls = call;
    client->host.done(client->host.context, number, response, is_unknown);
    if (lock) {
        client_lock_answered(client, lock, response, is_unknown);
    }
}

/* Over without an answer. */
static void finish_locally(struct client *client, struct client_call *call, enum base_status status)
{
    struct wire_response response = {.status = status};
    finish(client, call, &response, call->is_unknown);
}

/* Send it, or let it wait for a ready connection. */
static void attempt(struct client *client, struct client_call *call)
{
    struct client_connection *connection = client_connection_pick(client, call->endpoint);
    if (!connection) {
        become(client, call, CLIENT_CALL_WAITING, 0);
        return;
    }
    call->attempts++;
    become(client, call, CLIENT_CALL_SENT, connection->number);
    call->item.id_min = client_item_request(client, &call->item);
    call->request.message->request.id = call->item.id_min;
    client_connection_send(client, connection, call->request.message);
}

/* Go on with the next attempt: at once, but after each round of a quorum's
 * worth of attempts with a rest. */
static void retry(struct client *client, struct client_call *call)
{
    uint32_t quorum = call->endpoint == CLIENT_ANY ? client->config.endpoint_count / 2 + 1 : 1;
    if (call->attempts % quorum != 0) {
        attempt(client, call);
        return;
    }
    become(client, call, CLIENT_CALL_RESTING, 0);
    uint64_t delay = client_jittered(client, client->config.backoff_ns, BACKOFF_JITTER_PERCENT);
    call->retry_ns = client_after(client->now_ns, delay);
    uint64_t due_ns = call->retry_ns < call->deadline_ns ? call->retry_ns : call->deadline_ns;
    client_timer_set(client, &call->item, due_ns);
}

static bool may_retry(const struct client *client, const struct client_call *call)
{
    return !client->config.retry_disabled && call->attempts < CLIENT_ATTEMPTS_MAX &&
           client_is_repeatable(request_of(call));
}

/* A learner serves next to nothing: some other endpoint may be a voter, and nothing has
 * happened yet (etcd: isSafeRetry). */
static bool is_worth_another(const struct client *client, const struct client_call *call,
                             enum base_status status)
{
    if (status == BASE_NOT_SUPPORTED_FOR_LEARNER) {
        return call->endpoint == CLIENT_ANY && client->config.endpoint_count > 1 &&
               call->attempts < CLIENT_ATTEMPTS_MAX;
    }
    return client_is_unavailable(status) && may_retry(client, call);
}

static struct client_call *begin(struct client *client, uint32_t endpoint, const struct wire_request *request)
{
    (void)client_is_repeatable(request); /* Asserts that it is a client's. */
    assert(endpoint == CLIENT_ANY || endpoint < client->config.endpoint_count);
    struct client_call *call = take_free(client);
    client_copy_set(client, &call->request, request);
    call->number = ++client->call_count;
    call->endpoint = endpoint;
    call->deadline_ns = client_after(client->now_ns, client->config.timeout_ns);
    client_item_enter(client, &call->item);
    link_newest(client, call);
    client->waiting_calls++;
    client_timer_set(client, &call->item, call->deadline_ns);
    return call;
}

uint64_t client_call_begin(struct client *client, uint32_t endpoint, const struct wire_request *request)
{
    struct client_call *call = begin(client, endpoint, request);
    uint64_t number = call->number;
    attempt(client, call);
    return number;
}

struct client_call *client_call_begin_for(struct client *client, struct client_lock *lock,
                                          const struct wire_request *request)
{
    struct client_call *call = begin(client, CLIENT_ANY, request);
    call->lock = lock;
    client->host.asked(client->host.context, call->number, request);
    attempt(client, call);
    return call;
}

void client_call_answered(struct client *client, struct client_call *call,
                          const struct wire_response *response)
{
    if (call->state != CLIENT_CALL_SENT) {
        return;
    }
    if (response->status == BASE_OK) {
        finish(client, call, response, false);
        return;
    }
    if (client_has_effect(request_of(call)) && client_is_outcome_unknown(response->status)) {
        call->is_unknown = true;
    }
    if (is_worth_another(client, call, response->status)) {
        retry(client, call);
    } else {
        finish(client, call, response, call->is_unknown);
    }
}

void client_call_due(struct client *client, struct client_call *call)
{
    if (client->now_ns < call->deadline_ns) {
        assert(call->state == CLIENT_CALL_RESTING);
        client_timer_set(client, &call->item, call->deadline_ns);
        attempt(client, call);
        return;
    }
    if (call->state == CLIENT_CALL_SENT && client_has_effect(request_of(call))) {
        call->is_unknown = true;
    }
    finish_locally(client, call, BASE_TIMEOUT);
}

void client_calls_ready(struct client *client)
{
    struct client_call *newer = NULL;
    for (struct client_call *call = client->oldest; call && client->waiting_calls > 0; call = newer) {
        newer = call->newer;
        if (call->state == CLIENT_CALL_WAITING) {
            attempt(client, call);
        }
    }
}

static void call_reset(struct client *client, struct client_call *call)
{
    if (client_has_effect(request_of(call))) {
        call->is_unknown = true;
    }
    if (may_retry(client, call)) {
        retry(client, call);
    } else {
        finish_locally(client, call, BASE_UNAVAILABLE);
    }
}

void client_calls_reset(struct client *client, uint64_t connection)
{
    struct client_call *newer = NULL;
    for (struct client_call *call = client->oldest; call; call = newer) {
        newer = call->newer;
        if (call->state == CLIENT_CALL_SENT && (connection == 0 || call->connection == connection)) {
            call_reset(client, call);
        }
    }
}

void client_calls_release(struct client *client)
{
    while (client->oldest) {
        struct client_call *call = client->oldest;
        unlink_call(client, call);
        call->older = client->free_calls;
        client->free_calls = call;
    }
    while (client->free_calls) {
        struct client_call *call = client->free_calls;
        client->free_calls = call->older;
        client_copy_release(client, &call->request);
        base_free(&client->allocator, call, sizeof *call);
    }
}
