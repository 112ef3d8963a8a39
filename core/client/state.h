/* The inside of a client, shared by its own files. Whatever can fall due or be
 * answered is an item: a connection, a call, the keeper of a lease, a watcher. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLIENT_STATE_H
#define CORE_CLIENT_STATE_H

#include "core/client/client.h"

enum {
    CLIENT_ATTEMPTS_MAX = 100,   /* Of one call. */
    CLIENT_ASKED_MAX = 8,        /* Renewals under way that are remembered. */
    CLIENT_COPY_KEEP_MAX = 4096, /* A free call holds on to no more bytes than this. */
    CLIENT_SLOT_BITS = 24        /* Of a request's id; the rest counts requests. */
};

#define CLIENT_ANY UINT32_MAX /* No endpoint in particular. */
#define CLIENT_MS UINT64_C(1000000)
#define CLIENT_SECOND UINT64_C(1000000000)

enum client_item_kind { CLIENT_CONNECTION, CLIENT_CALL, CLIENT_KEEPER, CLIENT_WATCHER, CLIENT_LOCK };

/* Watches of the client's own (for locks) have numbers from here on. */
#define CLIENT_OWN_WATCHES (UINT64_C(1) << 63)

/* First member of everything that has a timer. */
struct client_item {
    enum client_item_kind kind;
    uint32_t slot;     /* In the table of items; not for connections. */
    uint32_t place;    /* In the heap of timers, from 1; 0: no timer is set. */
    uint64_t due_ns;   /* Where the timer is set. */
    uint64_t sequence; /* Timers of one instant go in the order they were set. */
    uint64_t id_min;   /* Answers to requests before this one come too late. */
};

/*
 *            open                 WELCOME
 *   IDLE ───────────▶ DIALING ─────────────▶ READY
 *    ▲                 ▲   │ reset, timeout    │ reset, no pong: dials at once
 *    │      redial due │   ▼                   │
 *    └──────────────── BACKOFF    DIALING ◀────┘
 *  disconnect (from any)
 */
enum client_connection_state { CLIENT_IDLE, CLIENT_DIALING, CLIENT_BACKOFF, CLIENT_READY };

/* To one endpoint. */
struct client_connection {
    struct client_item item;
    enum client_connection_state state;
    uint32_t endpoint;
    uint32_t failures; /* Attempts in a row that did not lead to READY. */
    bool is_pinged;    /* READY: nothing was heard since the ping. */
    uint64_t number;   /* DIALING, READY: of the connection; else 0. */
    uint64_t heard_ns; /* READY: when the last frame came. */
};

/* A request that outlives its caller's. */
struct client_copy {
    struct wire_message *message; /* NULL: none. */
    size_t capacity;
};

/* WAITING: for a ready connection. SENT: for the answer. RESTING: until the next
 * attempt. Leaves by client_host.done. */
enum client_call_state { CLIENT_CALL_WAITING, CLIENT_CALL_SENT, CLIENT_CALL_RESTING };

struct client_call {
    struct client_item item;
    struct client_call *older; /* Among the open calls; of a free one: the next free. */
    struct client_call *newer;
    struct client_copy request;
    struct client_lock *lock; /* On whose behalf; NULL: the caller's. */
    uint64_t number;
    uint64_t deadline_ns;
    uint64_t retry_ns;   /* RESTING: when it goes on. */
    uint64_t connection; /* SENT: over this one. */
    uint32_t endpoint;   /* The only one it may use, or CLIENT_ANY. */
    uint32_t attempts;   /* Times it was sent. */
    enum client_call_state state;
    bool is_unknown; /* An attempt that was sent may yet take effect. */
};

/* When a renewal was asked for: its answer promises a TTL from then on at most. */
struct client_asked {
    uint64_t id;
    uint64_t sent_ns;
};

struct client_keeper {
    struct client_item item;
    int64_t lease;
    uint64_t deadline_ns;
    uint32_t turn;                               /* The endpoint to be asked next. */
    struct client_asked asked[CLIENT_ASKED_MAX]; /* A ring of the newest. */
    uint32_t asked_count;
};

/* WAITING: for a ready connection. CREATING: for the answer. LIVE: batches come.
 * RESTING: until the next attempt. Leaves when it is cancelled or over. */
enum client_watcher_state {
    CLIENT_WATCH_WAITING,
    CLIENT_WATCH_CREATING,
    CLIENT_WATCH_LIVE,
    CLIENT_WATCH_RESTING
};

/* A part of a revision, kept until the last part is there. */
struct client_fragment {
    struct client_fragment *next;
    size_t size; /* Of the block that follows. */
    struct wire_message *message;
};

struct client_watcher {
    struct client_item item;
    struct client_copy create;
    uint64_t watch;        /* The caller's id. */
    uint64_t connection;   /* CREATING, LIVE: over this one. */
    uint64_t backoff_ns;   /* Before the next attempt but one; 0 after a success. */
    int64_t next_revision; /* What to ask for when it is created anew; 0: what comes. */
    uint32_t endpoint;     /* CREATING, LIVE */
    uint32_t fragment_events;
    enum client_watcher_state state;
    struct client_fragment *fragments; /* Oldest first. */
    struct client_fragment **fragments_end;
};

/* What a lock does next, or waits for. Leaves by client_host.locked. */
enum client_lock_state {
    CLIENT_LOCK_QUEUE,
    CLIENT_LOCK_LOOK,
    CLIENT_LOCK_WATCH,
    CLIENT_LOCK_LEAVE,
    CLIENT_LOCK_END
};

struct client_lock {
    struct client_item item;
    uint64_t number;
    int64_t lease;
    uint64_t deadline_ns; /* CLIENT_NEVER: it waits as long as it takes. */
    enum client_lock_state state;
    struct client_call *call; /* Under way; NULL none. */
    uint64_t watch;           /* Under way; 0 none. */
    struct base_buffer key;   /* Its own: what stands before its last '/' is the name. */
    size_t name_size;
    struct base_buffer before; /* The key before its own, */
    int64_t seen_revision;     /* as it was then. */
    enum base_status status;   /* LEAVE, END: how. */
    int64_t revision;
    bool is_unknown;
};

/* Pointers by number, in the order of the numbers. */
struct client_index {
    uint64_t *keys;
    void **values;
    uint32_t count;
    uint32_t capacity;
};

struct client {
    struct client_config config; /* Defaults filled in. */
    struct base_allocator allocator;
    struct client_host host;
    uint64_t now_ns;
    bool is_busy;    /* A call on the client runs: nothing may re-enter. */
    uint64_t set_ns; /* What host.set_due was last told and has not happened. */

    struct client_connection *connections; /* One an endpoint. */
    uint64_t connection_count;             /* Numbers given so far. */
    uint32_t idle_count;
    uint32_t ready_count;
    uint32_t turn; /* The endpoint to be tried next. */

    struct client_item **timers; /* Binary heap by (due, sequence). */
    uint32_t timer_count;
    uint32_t timer_capacity;
    uint64_t timer_sequence;

    struct client_item **items; /* By slot; NULL where free. */
    uint32_t item_count;
    uint32_t item_capacity;
    uint32_t *free_slots;
    uint32_t free_slot_count;
    uint64_t request_count; /* Ids given so far. */

    struct client_call *oldest;
    struct client_call *newest;
    struct client_call *free_calls;
    uint64_t call_count; /* Numbers given so far. */
    uint32_t waiting_calls;

    struct client_index keepers;
    struct client_index watchers;
    uint32_t waiting_watchers;
    struct client_index locks;
    uint64_t lock_count;  /* Numbers given so far, */
    uint64_t watch_count; /* and to watches of locks: each is another one. */
};

/* item.c */

/* Saturates: a sum that would overflow never comes. */
static inline uint64_t client_after(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > CLIENT_NEVER - now_ns ? CLIENT_NEVER : now_ns + delay_ns;
}

/* `base_ns` plus or minus up to `percent` of it. */
uint64_t client_jittered(struct client *client, uint64_t base_ns, uint64_t percent);
/* Set, move or (CLIENT_NEVER) clear the item's timer. */
void client_timer_set(struct client *client, struct client_item *item, uint64_t due_ns);
/* Take the first item out that is due; NULL when none is. */
struct client_item *client_timer_pop(struct client *client);
/* Enter the item in the table of those that answers can find. */
void client_item_enter(struct client *client, struct client_item *item);
void client_item_leave(struct client *client, struct client_item *item);
/* The id of a new request on behalf of the item. */
uint64_t client_item_request(struct client *client, const struct client_item *item);
/* Whose answer it is; NULL when nobody waits for it any more. */
struct client_item *client_item_find(const struct client *client, uint64_t request_id);
void client_copy_set(struct client *client, struct client_copy *copy, const struct wire_request *request);
void client_copy_release(struct client *client, struct client_copy *copy);
void *client_index_get(const struct client_index *index, uint64_t key);
/* `key` must be new. */
void client_index_insert(struct client *client, struct client_index *index, uint64_t key, void *value);
void *client_index_remove(struct client_index *index, uint64_t key);
void client_index_release(struct client *client, struct client_index *index);

/* connection.c */

/* A connection is needed: dial where nothing is under way. */
void client_connections_open(struct client *client);
void client_connections_close(struct client *client);
/* The first ready connection from the endpoint `*turn` on, which moves behind it. When
 * there is none, they are being opened, and NULL. */
struct client_connection *client_connection_next(struct client *client, uint32_t *turn);
/* The same in the client's own turn, or the endpoint's own if it is ready. */
struct client_connection *client_connection_pick(struct client *client, uint32_t endpoint);
void client_connection_send(struct client *client, const struct client_connection *connection,
                            const struct wire_message *message);
void client_connection_welcomed(struct client *client, struct client_connection *connection);
void client_connection_heard(struct client *client, struct client_connection *connection);
/* The connection is no more; `says_goodbye` when the other end may not know. */
void client_connection_lost(struct client *client, struct client_connection *connection, bool says_goodbye);
void client_connection_due(struct client *client, struct client_connection *connection);

/* retry.c: etcd's table (clientv3/retry.go). */

/* May the request be sent again although an earlier attempt may have worked? */
bool client_is_repeatable(const struct wire_request *request);
/* Does it change anything? */
bool client_has_effect(const struct wire_request *request);
/* Is it worth another attempt, there or elsewhere? */
bool client_is_unavailable(enum base_status status);
/* Can a request that was answered so take effect nevertheless? */
bool client_is_outcome_unknown(enum base_status status);

/* call.c */

uint64_t client_call_begin(struct client *client, uint32_t endpoint, const struct wire_request *request);
/* The same for a lock, which must be told of the end. */
struct client_call *client_call_begin_for(struct client *client, struct client_lock *lock,
                                          const struct wire_request *request);
void client_call_answered(struct client *client, struct client_call *call,
                          const struct wire_response *response);
void client_call_due(struct client *client, struct client_call *call);
/* A connection is ready: those who waited go. */
void client_calls_ready(struct client *client);
/* A connection is gone; 0: all are. */
void client_calls_reset(struct client *client, uint64_t connection);
void client_calls_release(struct client *client);

/* keeper.c */

void client_keeper_answered(struct client *client, struct client_keeper *keeper,
                            const struct wire_response *response);
void client_keeper_due(struct client *client, struct client_keeper *keeper);
void client_keep(struct client *client, int64_t lease, int64_t ttl_s, uint64_t until_ns);
void client_forget(struct client *client, int64_t lease);
void client_keepers_release(struct client *client);

/* watcher.c */

void client_watcher_begin(struct client *client, uint64_t watch, const struct wire_request *create);
void client_watcher_cancel(struct client *client, uint64_t watch);
void client_watcher_progress(struct client *client, uint64_t watch);
void client_watcher_answered(struct client *client, struct client_watcher *watcher,
                             const struct wire_response *response);
void client_watcher_batch(struct client *client, uint64_t connection, const struct wire_message *message);
void client_watcher_due(struct client *client, struct client_watcher *watcher);
void client_watchers_ready(struct client *client);
void client_watchers_reset(struct client *client, uint64_t connection);
void client_watchers_release(struct client *client);

/* lock.c */

uint64_t client_lock_begin(struct client *client, struct base_bytes name, int64_t lease, uint64_t within_ns);
void client_lock_drop(struct client *client, uint64_t number);
void client_lock_answered(struct client *client, struct client_lock *lock,
                          const struct wire_response *response, bool is_unknown);
/* A batch of the watch that waits for the key before. */
void client_lock_watched(struct client *client, uint64_t watch, const struct wire_watch *batch);
void client_lock_due(struct client *client, struct client_lock *lock);
void client_locks_release(struct client *client);

#endif
