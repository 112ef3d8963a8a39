/* The machine as a member sees it: a table its host fills in. Together with
 * disk.h this is all a member knows of the world. A call records and returns:
 * nothing re-enters the member, and what crosses the table is borrowed for the
 * length of the call. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include "core/raft/raft.h"
#include "core/wire/wire.h"

/* The five stages of a member; each runs on its own, as its host sees fit. */
enum host_stage { HOST_RAFT, HOST_STORAGE, HOST_APPLY, HOST_LESSOR, HOST_READS, HOST_STAGE_COUNT };

#define HOST_NEVER UINT64_MAX

struct host {
    void *context;
    /* 64 uniform bits. */
    uint64_t (*random)(void *context);
    /* From now on `id` lives at `url`; and no longer. */
    void (*add_peer)(void *context, raft_id id, struct base_bytes url);
    void (*remove_peer)(void *context, raft_id id);
    /* To a peer; may be lost, doubled or overtaken when it is Raft's own, else it
     * comes in order or the peer is reported unreachable. */
    void (*send)(void *context, raft_id to, const struct wire_message *message);
    /* Ask whoever lives at `url`, a peer or not: over a connection of its own, so in
     * order or not at all. The answer is received like any other message; that
     * nobody is there is told as member_unanswered(number). */
    void (*ask)(void *context, struct base_bytes url, uint64_t number, const struct wire_message *message);
    /* Back over a connection: to the client, or to the peer that sent. */
    void (*reply)(void *context, uint64_t connection, const struct wire_message *message);
    /* Has the way back over this connection as much under way as it takes? A reply is
     * taken all the same: whoever sends much and often asks first. */
    bool (*is_full)(void *context, uint64_t connection);
    /* The same of the way to a peer. */
    bool (*is_way_full)(void *context, raft_id to);
    /* Call member_tick when so many ticks have passed; replaces what was set. */
    void (*set_tick)(void *context, uint64_t ticks);
    /* Call member_due at this instant of the monotonic clock; replaces what was set. */
    void (*set_due)(void *context, uint64_t due_ns);
    /* `stage` has work: call member_run for it, once for each wake at least. */
    void (*wake)(void *context, enum host_stage stage);
    /* The member cannot go on and must never be called again but to be freed. */
    void (*stop)(void *context, struct base_bytes reason);
};

/* What a server logs, counts and traces. All optional; nothing here gets a way
 * back into the member. */
struct host_observer {
    void *context;
    struct raft_observer raft; /* Its own context is set by the host. */
    /* Ids are known, from here on the member speaks. */
    void (*identity)(void *context, uint64_t cluster_id, raft_id member_id);
    /* Its log is read or begun and Raft is about to run, from this state. */
    void (*started)(void *context, const struct raft_status_report *status);
    /* A step of bootstrap or start-up is over: a short word each. */
    void (*step)(void *context, const char *step);
    /* An entry is about to take effect; `proposal` is NULL for Raft's own entries. */
    void (*applying)(void *context, const struct raft_entry *entry, const struct wire_proposal *proposal);
    /* It took effect: `status` is
     * what its proposer is told, `revision` the store's afterwards. */
    void (*apply)(void *context, const struct raft_entry *entry, const struct wire_proposal *proposal,
                  enum base_status status, int64_t revision);
    /* A key changed; the apply that did it is told next. */
    void (*change)(void *context, const struct kv_event *event, int64_t sub);
    /* The lessor here became primary or ceased to be. */
    void (*promote)(void *context, raft_term term, uint64_t lease_count);
    void (*demote)(void *context, raft_term term);
    /* A lease was renewed on this primary. */
    void (*renew)(void *context, int64_t lease, int64_t ttl_s);
    /* A lease was found expired on this primary. */
    void (*expire)(void *context, int64_t lease);
    /* The store's state up to `index` was put into a snapshot, or replaced by one. */
    void (*snapshot)(void *context, raft_index index, raft_term term, uint64_t hash, bool installed);
    /* A client's request came in, and was answered. */
    void (*request)(void *context, uint64_t connection, const struct wire_request *request);
    void (*response)(void *context, uint64_t connection, const struct wire_response *response);
};

#endif
