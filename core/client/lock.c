/* Locks (clientv3/concurrency/mutex.go): every candidate puts a key of its own under
 * the lock's name, bound to its lease. Who was first, by create revision, holds the
 * lock; each of the others waits for the key right before its own to go, so that one
 * of them wakes when a holder leaves and not all.
 *
 *   QUEUE ──(its key stands)──▶ LOOK ──(no key before it)──▶ END: held
 *                               ▲  └──(one is)──▶ WATCH
 *                               └──(that one is gone)──┘
 *   any ──(its own key is gone)──▶ END: not held
 *   any ──(no answer, or not in time)──▶ LEAVE ──(its key deleted, if that can be had)──▶ END: not held
 *
 * Whoever was woken looks again: its own lease may have gone while it waited, and
 * the key before may have gone without ever having held the lock. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

void client_lock_key(struct base_bytes name, int64_t lease, struct base_buffer *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *at = base_buffer_extend(out, name.size + 1);
    if (name.size > 0) {
        memcpy(at, name.data, name.size);
    }
    at[name.size] = '/';
    uint32_t places = 1;
    while (places < 16 && (uint64_t)lease >> (4 * places) != 0) {
        places++;
    }
    uint8_t *number = base_buffer_extend(out, places);
    for (uint32_t i = 0; i < places; i++) {
        number[i] = (uint8_t)digits[(uint64_t)lease >> (4 * (places - 1 - i)) & 15];
    }
}

/* What is next is done when the call under way is over: nothing re-enters. */
static void soon(struct client *client, struct client_lock *lock, enum client_lock_state state)
{
    lock->state = state;
    client_timer_set(client, &lock->item, client->now_ns);
}

static void end(struct client *client, struct client_lock *lock, enum base_status status, bool is_unknown)
{
    lock->status = status;
    lock->is_unknown = is_unknown;
    soon(client, lock, CLIENT_LOCK_END);
}

/* It failed, but its key may stand in the way of others. */
static void fail(struct client *client, struct client_lock *lock, const struct wire_response *response,
                 bool is_unknown)
{
    end(client, lock, response->status, is_unknown);
    if (response->status != BASE_LEASE_NOT_FOUND) {
        soon(client, lock, CLIENT_LOCK_LEAVE);
    }
}

static void stop_watch(struct client *client, struct client_lock *lock)
{
    if (lock->watch != 0) {
        uint64_t watch = lock->watch;
        lock->watch = 0;
        client_watcher_cancel(client, watch);
    }
}

static void drop(struct client *client, struct client_lock *lock)
{
    stop_watch(client, lock);
    if (lock->call) {
        lock->call->lock = NULL;
    }
    (void)client_index_remove(&client->locks, lock->number);
    client_item_leave(client, &lock->item);
    base_buffer_release(&lock->key);
    base_buffer_release(&lock->before);
    base_free(&client->allocator, lock, sizeof *lock);
}

static void call(struct client *client, struct client_lock *lock, const struct kv_op *op)
{
    struct wire_request request;
    memset(&request, 0, sizeof request);
    request.kind = WIRE_KV;
    request.op = *op;
    lock->call = client_call_begin_for(client, lock, &request);
}

/* Put the key if it is not there: it is when an earlier try of this lease put it. */
static void queue(struct client *client, struct client_lock *lock)
{
    struct base_bytes key = base_buffer_view(&lock->key);
    const struct kv_compare compare = {.key = key, .target = KV_COMPARE_CREATE, .relation = KV_EQUAL};
    const struct kv_op put = {.kind = KV_PUT, .key = key, .lease = lock->lease};
    const struct kv_txn txn = {.compare_count = 1, .success_count = 1, .compares = &compare, .success = &put};
    const struct kv_op op = {.kind = KV_TXN, .txn = &txn};
    call(client, lock, &op);
}

/* Read everybody's keys, oldest first. The byte after '/' ends the range. */
static void look(struct client *client, struct client_lock *lock)
{
    struct base_buffer end_key;
    base_buffer_init(&end_key, &client->allocator);
    uint8_t *bytes = base_buffer_extend(&end_key, lock->name_size + 1);
    memcpy(bytes, lock->key.data, lock->name_size);
    bytes[lock->name_size] = '/' + 1;
    const struct kv_op op = {
        .kind = KV_RANGE,
        .key = {.data = lock->key.data, .size = lock->name_size + 1},
        .range_end = base_buffer_view(&end_key),
        .sort_target = KV_SORT_CREATE,
        .sort_order = KV_SORT_ASCEND,
    };
    call(client, lock, &op);
    base_buffer_release(&end_key);
}

static void wait_for(struct client *client, struct client_lock *lock)
{
    struct wire_request create;
    memset(&create, 0, sizeof create);
    create.kind = WIRE_WATCH_CREATE;
    create.op.key = base_buffer_view(&lock->before);
    create.op.flags = KV_WATCH_NO_PUT;
    create.revision = lock->seen_revision + 1;
    lock->watch = CLIENT_OWN_WATCHES + client->watch_count++;
    client_watcher_begin(client, lock->watch, &create);
    client_timer_set(client, &lock->item, lock->deadline_ns);
}

/* It has waited long enough. */
static void give_up(struct client *client, struct client_lock *lock)
{
    const struct wire_response late = {.status = BASE_TIMEOUT};
    stop_watch(client, lock);
    fail(client, lock, &late, false);
}

/* Where does it stand among those who wait? */
static void looked(struct client *client, struct client_lock *lock, const struct wire_response *response)
{
    const struct kv_record *before = NULL;
    for (uint32_t i = 0; i < response->result.record_count; i++) {
        const struct kv_record *record = &response->result.records[i];
        if (!base_bytes_equal(record->key, base_buffer_view(&lock->key))) {
            before = record;
            continue;
        }
        lock->revision = record->create_revision;
        if (!before) {
            end(client, lock, BASE_OK, false);
            return;
        }
        base_buffer_reset(&lock->before);
        memcpy(base_buffer_extend(&lock->before, before->key.size), before->key.data, before->key.size);
        lock->seen_revision = response->revision;
        soon(client, lock, CLIENT_LOCK_WATCH);
        return;
    }
    end(client, lock, BASE_LEASE_NOT_FOUND, false); /* Its own key is gone, with its lease. */
}

void client_lock_answered(struct client *client, struct client_lock *lock,
                          const struct wire_response *response, bool is_unknown)
{
    lock->call = NULL;
    if (lock->state == CLIENT_LOCK_LEAVE) {
        soon(client, lock, CLIENT_LOCK_END);
    } else if (response->status != BASE_OK) {
        fail(client, lock, response, is_unknown);
    } else if (lock->state == CLIENT_LOCK_QUEUE) {
        soon(client, lock, CLIENT_LOCK_LOOK);
    } else {
        assert(lock->state == CLIENT_LOCK_LOOK);
        looked(client, lock, response);
    }
}

void client_lock_watched(struct client *client, uint64_t watch, const struct wire_watch *batch)
{
    struct client_lock *lock = NULL;
    for (uint32_t i = 0; i < client->locks.count && !lock; i++) {
        struct client_lock *other = client->locks.values[i];
        lock = other->watch == watch ? other : NULL;
    }
    if (!lock) {
        return;
    }
    if (batch->compact_revision != 0) {
        lock->watch = 0; /* Over: whether the key is still there can only be read. */
        soon(client, lock, CLIENT_LOCK_LOOK);
    } else if (batch->event_count > 0) {
        soon(client, lock, CLIENT_LOCK_LOOK);
    }
}

void client_lock_due(struct client *client, struct client_lock *lock)
{
    switch (lock->state) {
    case CLIENT_LOCK_QUEUE:
        queue(client, lock);
        break;
    case CLIENT_LOCK_LOOK:
        stop_watch(client, lock);
        look(client, lock);
        break;
    case CLIENT_LOCK_WATCH:
        if (client->now_ns >= lock->deadline_ns) {
            give_up(client, lock);
        } else {
            wait_for(client, lock);
        }
        break;
    case CLIENT_LOCK_LEAVE: {
        const struct kv_op op = {.kind = KV_DELETE_RANGE, .key = base_buffer_view(&lock->key)};
        call(client, lock, &op);
        break;
    }
    case CLIENT_LOCK_END: {
        uint64_t number = lock->number;
        enum base_status status = lock->status;
        int64_t revision = lock->revision;
        bool is_unknown = lock->is_unknown;
        drop(client, lock);
        client->host.locked(client->host.context, number, status, revision, is_unknown);
        break;
    }
    }
}

uint64_t client_lock_begin(struct client *client, struct base_bytes name, int64_t lease, uint64_t within_ns)
{
    assert(lease != 0);
    struct client_lock *lock = base_zalloc(&client->allocator, sizeof *lock);
    lock->item.kind = CLIENT_LOCK;
    lock->number = ++client->lock_count;
    lock->lease = lease;
    lock->deadline_ns = client_after(client->now_ns, within_ns);
    lock->name_size = name.size;
    base_buffer_init(&lock->key, &client->allocator);
    base_buffer_init(&lock->before, &client->allocator);
    client_lock_key(name, lease, &lock->key);
    client_item_enter(client, &lock->item);
    client_index_insert(client, &client->locks, lock->number, lock);
    queue(client, lock);
    return lock->number;
}

void client_lock_drop(struct client *client, uint64_t number)
{
    struct client_lock *lock = client_index_get(&client->locks, number);
    if (lock) {
        drop(client, lock);
    }
}

void client_locks_release(struct client *client)
{
    while (client->locks.count > 0) {
        struct client_lock *lock = client->locks.values[client->locks.count - 1];
        lock->watch = 0; /* Watches are released after this, calls were before. */
        lock->call = NULL;
        drop(client, lock);
    }
    client_index_release(client, &client->locks);
}
