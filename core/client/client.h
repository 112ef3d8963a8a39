/* A client of the cluster: endpoints, connections, calls with deadlines, what
 * may be retried and what never (etcd-behaviour §5). Sans-I/O like a member:
 * frames and time come in, frames and answers go out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLIENT_CLIENT_H
#define CORE_CLIENT_CLIENT_H

#include "core/wire/wire.h"

struct client;

#define CLIENT_NEVER UINT64_MAX

/* What a client asks of its machine. Calls record and return; nothing re-enters. */
struct client_host {
    void *context;
    uint64_t (*random)(void *context);
    /* Send to an endpoint over its connection number `connection`: the first frame
     * of a new number (HELLO) opens it; it is closed by GOODBYE or a reset. */
    void (*send)(void *context, uint32_t endpoint, uint64_t connection, const struct wire_message *message);
    /* Call client_due at this instant of the client's clock; replaces what was set.
     * It only moves nearer until it has come, which may then be for nothing. */
    void (*set_due)(void *context, uint64_t due_ns);
    /* A call is over. Not `response->status == BASE_OK`: with `is_unknown` the
     * request was sent and may yet take effect. Borrowed for the call. */
    void (*done)(void *context, uint64_t call, const struct wire_response *response, bool is_unknown);
    /* The client makes a call of its own (for a lock): `done` will tell its end. */
    void (*asked)(void *context, uint64_t call, const struct wire_request *request);
    /* A lock is held (BASE_OK; `revision` is its fencing token: later holders have a
     * greater one), or is not going to be. */
    void (*locked)(void *context, uint64_t lock, enum base_status status, int64_t revision, bool is_unknown);
    /* Events of a watch, whole revisions; none: a progress notice. With
     * compact_revision the watch is over: compacted up to there, or -1: refused, by
     * `status`. */
    void (*watched)(void *context, uint64_t watch, const struct wire_watch *batch);
};

struct client_config {
    uint32_t endpoint_count;
    uint64_t timeout_ns;           /* Of a call; CLIENT_NEVER is none. */
    uint64_t dial_timeout_ns;      /* Of one attempt to connect; 0 is 2 s. */
    uint64_t keepalive_every_ns;   /* 0: no pings, as etcd's default. */
    uint64_t keepalive_timeout_ns; /* From a ping to the close; 0 is 20 s. */
    uint64_t backoff_ns;           /* Between rounds of retries; 0 is 25 ms ± 10 %. */
    uint64_t redial_ns;            /* Between attempts to connect; 0 is 1 s (doubling to 5 s). */
    bool retry_disabled;           /* Every error reaches the caller. */
};

struct client *client_new(const struct client_config *config, const struct base_allocator *allocator,
                          const struct client_host *host);
void client_free(struct client *client);
/* Open connections to all endpoints. */
void client_start(struct client *client, uint64_t now_ns);

/* Begin a call; `request` is copied, its id is set by the client. Answers the call's
 * number. It waits for a ready connection until its deadline, goes round robin,
 * and is retried by the table: reads and lease calls on UNAVAILABLE-class
 * errors (TIMEOUT*, LEADER_CHANGED, NO_LEADER, STOPPED, UNAVAILABLE, resets),
 * writes only while they provably never left. Without an answer it ends as
 * TIMEOUT, or as UNAVAILABLE when its connection was reset. */
uint64_t client_call(struct client *client, uint64_t now_ns, const struct wire_request *request);
/* The same over one endpoint only. */
uint64_t client_call_at(struct client *client, uint64_t now_ns, uint32_t endpoint,
                        const struct wire_request *request);

/* Watches are kept alive: after a reset they are created anew elsewhere from the
 * next revision. `watch` is the caller's id, not in use by another watch. */
void client_watch(struct client *client, uint64_t now_ns, uint64_t watch, const struct wire_request *create);
void client_watch_cancel(struct client *client, uint64_t now_ns, uint64_t watch);
/* Ask how far it has seen everything: a notice comes, unless it lags behind just then. */
void client_watch_progress(struct client *client, uint64_t now_ns, uint64_t watch);

/* Keep a lease alive that is believed in up to `until_ns`: a renewal every third of
 * its TTL, over each endpoint in turn, until it is gone or client_lease_forget. The
 * instant on the client's own clock up to which it may believe in the lease is
 * client_lease_deadline. */
void client_lease_keep(struct client *client, uint64_t now_ns, int64_t lease, int64_t ttl_s,
                       uint64_t until_ns);
void client_lease_forget(struct client *client, int64_t lease);
/* 0: not kept (any more). */
uint64_t client_lease_deadline(const struct client *client, int64_t lease);

/* Wait for the lock `name` with a key that is bound to `lease` (lock.c says how).
 * Answers the lock's number; host.locked tells how it ended, once. Who holds it
 * gives it back by deleting its key, and has lost it when the lease is gone. A wait
 * longer than `within_ns` by the client's clock ends with BASE_TIMEOUT and leaves no
 * key behind, if that can be had (CLIENT_NEVER: as long as it takes). */
uint64_t client_lock(struct client *client, uint64_t now_ns, struct base_bytes name, int64_t lease,
                     uint64_t within_ns);
/* Wait no more; host.locked is not called. Its key stays as long as its lease. */
void client_lock_abandon(struct client *client, uint64_t now_ns, uint64_t lock);
/* The key of a lock: "name/" and the lease in hex. Appends it to `out`. */
void client_lock_key(struct base_bytes name, int64_t lease, struct base_buffer *out);

void client_receive(struct client *client, uint64_t now_ns, uint32_t endpoint, uint64_t connection,
                    const struct wire_message *message);
/* The connection was reset: refused, or the other end is gone. */
void client_reset(struct client *client, uint64_t now_ns, uint32_t endpoint, uint64_t connection);
void client_due(struct client *client, uint64_t now_ns);
/* Close every connection (they are opened anew when next needed). */
void client_disconnect(struct client *client, uint64_t now_ns);

#endif
