/* Watchers: each knows the revision it has to see next, so that a watch can be
 * created anew wherever a connection is ready, and nothing is missed or seen
 * twice. Parts of a revision are kept back until the last is there: a watch that
 * broke in between starts at that revision again (clientv3/watch.go). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

#define BACKOFF_MIN_NS (1 * CLIENT_MS)
#define BACKOFF_MAX_NS (100 * CLIENT_MS)

static void check(const struct client_watcher *watcher)
{
    bool is_placed = watcher->state == CLIENT_WATCH_CREATING || watcher->state == CLIENT_WATCH_LIVE;
    assert(is_placed == (watcher->connection != 0));
    assert(!watcher->fragments || watcher->state == CLIENT_WATCH_LIVE);
    assert((watcher->state == CLIENT_WATCH_RESTING) == (watcher->item.place != 0));
}

static void drop_fragments(struct client *client, struct client_watcher *watcher)
{
    while (watcher->fragments) {
        struct client_fragment *fragment = watcher->fragments;
        watcher->fragments = fragment->next;
        base_free(&client->allocator, fragment->message, fragment->size);
        base_free(&client->allocator, fragment, sizeof *fragment);
    }
    watcher->fragments_end = &watcher->fragments;
    watcher->fragment_events = 0;
}

static void become(struct client *client, struct client_watcher *watcher, enum client_watcher_state state,
                   uint64_t connection)
{
    client->waiting_watchers -= watcher->state == CLIENT_WATCH_WAITING;
    client->waiting_watchers += state == CLIENT_WATCH_WAITING;
    watcher->state = state;
    watcher->connection = connection;
    if (state != CLIENT_WATCH_LIVE) {
        drop_fragments(client, watcher);
    }
}

static void free_watcher(struct client *client, struct client_watcher *watcher)
{
    drop_fragments(client, watcher);
    client_copy_release(client, &watcher->create);
    base_free(&client->allocator, watcher, sizeof *watcher);
}

/* Whose watch it is hears of it. */
static void tell(struct client *client, uint64_t watch, const struct wire_watch *batch)
{
    client->host.watched(client->host.context, watch, batch);
    if (watch >= CLIENT_OWN_WATCHES) {
        client_lock_watched(client, watch, batch);
    }
}

static void drop(struct client *client, struct client_watcher *watcher)
{
    client->waiting_watchers -= watcher->state == CLIENT_WATCH_WAITING;
    (void)client_index_remove(&client->watchers, watcher->watch);
    client_item_leave(client, &watcher->item);
    free_watcher(client, watcher);
}

/* The watch is over, and its caller is told why. */
static void end(struct client *client, struct client_watcher *watcher, enum base_status status,
                int64_t revision, int64_t compact_revision)
{
    struct wire_watch last = {.watch = watcher->watch,
                              .revision = revision,
                              .status = status,
                              .compact_revision = compact_revision};
    drop(client, watcher);
    tell(client, last.watch, &last);
}

/* Create it over the next ready connection, or let it wait for one. */
static void attempt(struct client *client, struct client_watcher *watcher)
{
    const struct client_connection *connection = client_connection_pick(client, CLIENT_ANY);
    if (!connection) {
        become(client, watcher, CLIENT_WATCH_WAITING, 0);
        check(watcher);
        return;
    }
    become(client, watcher, CLIENT_WATCH_CREATING, connection->number);
    watcher->endpoint = connection->endpoint;
    watcher->item.id_min = client_item_request(client, &watcher->item);
    struct wire_request *create = &watcher->create.message->request;
    create->id = watcher->item.id_min;
    create->revision = watcher->next_revision;
    check(watcher);
    client_connection_send(client, connection, watcher->create.message);
}

/* An attempt failed: the next after a pause that grows by a quarter each time. */
static void back_off(struct client *client, struct client_watcher *watcher)
{
    uint64_t delay = watcher->backoff_ns == 0 ? BACKOFF_MIN_NS : watcher->backoff_ns;
    uint64_t longer = delay + delay / 4;
    watcher->backoff_ns = longer < BACKOFF_MAX_NS ? longer : BACKOFF_MAX_NS;
    become(client, watcher, CLIENT_WATCH_RESTING, 0);
    client_timer_set(client, &watcher->item, client_after(client->now_ns, delay));
    check(watcher);
}

void client_watcher_begin(struct client *client, uint64_t watch, const struct wire_request *create)
{
    assert(create->kind == WIRE_WATCH_CREATE);
    struct client_watcher *watcher = base_zalloc(&client->allocator, sizeof *watcher);
    watcher->item.kind = CLIENT_WATCHER;
    watcher->watch = watch;
    watcher->next_revision = create->revision;
    watcher->fragments_end = &watcher->fragments;
    client_copy_set(client, &watcher->create, create);
    watcher->create.message->request.watch = watch;
    client_item_enter(client, &watcher->item);
    client_index_insert(client, &client->watchers, watch, watcher);
    client->waiting_watchers++;
    attempt(client, watcher);
}

/* A word about it to whoever has it. */
static void say(struct client *client, struct client_watcher *watcher, enum wire_request_kind kind)
{
    struct wire_message message;
    memset(&message, 0, sizeof message);
    message.kind = WIRE_REQUEST;
    message.request.kind = kind;
    message.request.watch = watcher->watch;
    message.request.id = client_item_request(client, &watcher->item);
    client_connection_send(client, &client->connections[watcher->endpoint], &message);
}

void client_watcher_cancel(struct client *client, uint64_t watch)
{
    struct client_watcher *watcher = client_index_get(&client->watchers, watch);
    if (!watcher) {
        return; /* Over already. */
    }
    if (watcher->connection != 0) {
        say(client, watcher, WIRE_WATCH_CANCEL);
    }
    drop(client, watcher);
}

void client_watcher_progress(struct client *client, uint64_t watch)
{
    struct client_watcher *watcher = client_index_get(&client->watchers, watch);
    if (watcher && watcher->state == CLIENT_WATCH_LIVE) {
        say(client, watcher, WIRE_WATCH_PROGRESS);
    }
}

/* The answer to its creation; an error that comes later ends it on that member. */
void client_watcher_answered(struct client *client, struct client_watcher *watcher,
                             const struct wire_response *response)
{
    if (watcher->connection == 0) {
        return;
    }
    if (response->status == BASE_OK) {
        if (watcher->state == CLIENT_WATCH_CREATING && watcher->next_revision == 0) {
            watcher->next_revision = response->revision + 1;
        }
        become(client, watcher, CLIENT_WATCH_LIVE, watcher->connection);
        watcher->backoff_ns = 0;
        check(watcher);
    } else if (response->status == BASE_COMPACTED) {
        end(client, watcher, response->status, response->revision,
            response->compact_revision == 0 ? -1 : response->compact_revision);
    } else if (client_is_unavailable(response->status) || response->status == BASE_CANCELED) {
        back_off(client, watcher);
    } else {
        end(client, watcher, response->status, response->revision, -1);
    }
}

static void keep_fragment(struct client *client, struct client_watcher *watcher,
                          const struct wire_message *message)
{
    struct client_fragment *fragment = base_zalloc(&client->allocator, sizeof *fragment);
    fragment->size = wire_flat_size(message);
    fragment->message = wire_flatten(message, base_alloc(&client->allocator, fragment->size));
    *watcher->fragments_end = fragment;
    watcher->fragments_end = &fragment->next;
    watcher->fragment_events += message->watch.event_count;
}

/* Hand the parts over as one batch, with the last part's head. */
static void deliver_fragments(struct client *client, struct client_watcher *watcher,
                              const struct wire_watch *last)
{
    size_t size = (size_t)watcher->fragment_events * sizeof(struct kv_event);
    struct kv_event *events = base_alloc(&client->allocator, size == 0 ? 1 : size);
    uint32_t count = 0;
    for (const struct client_fragment *fragment = watcher->fragments; fragment; fragment = fragment->next) {
        const struct wire_watch *part = &fragment->message->watch;
        if (part->event_count > 0) {
            memcpy(events + count, part->events, part->event_count * sizeof *events);
            count += part->event_count;
        }
    }
    assert(count == watcher->fragment_events);
    struct wire_watch whole = *last;
    whole.event_count = count;
    whole.events = events;
    tell(client, watcher->watch, &whole);
    base_free(&client->allocator, events, size == 0 ? 1 : size);
    drop_fragments(client, watcher);
}

/* Everything up to here has been seen. */
static void advance(struct client_watcher *watcher, int64_t revision)
{
    if (revision >= watcher->next_revision && revision < INT64_MAX) {
        watcher->next_revision = revision + 1;
    }
}

void client_watcher_batch(struct client *client, uint64_t connection, const struct wire_message *message)
{
    const struct wire_watch *batch = &message->watch;
    struct client_watcher *watcher = client_index_get(&client->watchers, batch->watch);
    if (!watcher || watcher->state != CLIENT_WATCH_LIVE || watcher->connection != connection) {
        return; /* Of a watch that was cancelled, or lived elsewhere before. */
    }
    if (batch->compact_revision != 0) {
        end(client, watcher, BASE_COMPACTED, batch->revision, batch->compact_revision);
        return;
    }
    if (batch->fragment) {
        keep_fragment(client, watcher, message);
        return;
    }
    if (batch->event_count > 0) {
        advance(watcher, batch->events[batch->event_count - 1].record.mod_revision);
    } else if (!watcher->fragments) {
        advance(watcher, batch->revision);
    }
    if (watcher->fragments) {
        keep_fragment(client, watcher, message);
        deliver_fragments(client, watcher, batch);
    } else {
        tell(client, watcher->watch, batch);
    }
    check(watcher);
}

void client_watcher_due(struct client *client, struct client_watcher *watcher)
{
    attempt(client, watcher);
}

void client_watchers_ready(struct client *client)
{
    for (uint32_t i = 0; client->waiting_watchers > 0 && i < client->watchers.count; i++) {
        struct client_watcher *watcher = client->watchers.values[i];
        if (watcher->state == CLIENT_WATCH_WAITING) {
            attempt(client, watcher);
        }
    }
}

void client_watchers_reset(struct client *client, uint64_t connection)
{
    for (uint32_t i = 0; i < client->watchers.count; i++) {
        struct client_watcher *watcher = client->watchers.values[i];
        if (watcher->connection == 0 || (connection != 0 && watcher->connection != connection)) {
            continue;
        }
        if (watcher->state == CLIENT_WATCH_LIVE) {
            attempt(client, watcher);
        } else {
            back_off(client, watcher);
        }
    }
}

void client_watchers_release(struct client *client)
{
    for (uint32_t i = 0; i < client->watchers.count; i++) {
        free_watcher(client, client->watchers.values[i]);
    }
    client_index_release(client, &client->watchers);
}
