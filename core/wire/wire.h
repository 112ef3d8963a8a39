/* What members and clients say to each other. A message is a struct; it can be
 * flattened into one block (how the simulator carries it) or encoded into a
 * checksummed frame (how a socket would), and either way means the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WIRE_WIRE_H
#define CORE_WIRE_WIRE_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/kv/types.h"
#include "core/raft/types.h"

/* How deep transactions may stand in transactions, and Raft's messages in each
 * other's responses. To send deeper ones is a mistake; to receive them, corrupt. */
enum { WIRE_DEPTH_MAX = 8 };

enum wire_kind {
    /* Among members. */
    WIRE_RAFT,           /* raft */
    WIRE_SNAPSHOT_CHUNK, /* chunk: a piece of the state behind a MsgSnap */
    WIRE_REFUSAL,        /* refusal: the receiver will not take this sender's messages */
    WIRE_LEASE_FORWARD,  /* request: LEASE_KEEPALIVE or LEASE_TIME_TO_LIVE for the leader */
    WIRE_LEASE_ANSWER,   /* response */
    WIRE_PEER_QUERY,     /* request, MEMBER_LIST: asked of peers at the start */
    WIRE_PEER_ANSWER,    /* response, with members */
    /* From clients, and back. */
    WIRE_HELLO,   /* opens a connection */
    WIRE_WELCOME, /* it is open */
    WIRE_PING,    /* keepalive */
    WIRE_PONG,
    WIRE_REQUEST,  /* request */
    WIRE_RESPONSE, /* response */
    WIRE_WATCH,    /* watch: a batch of events of one watch */
    WIRE_GOODBYE,  /* the sender closes the connection */
    /* Among members again. */
    WIRE_CHANGE_FORWARD, /* request: a change of the membership, for the leader */
    WIRE_CHANGE_ANSWER,  /* response */
    WIRE_KIND_COUNT
};

enum wire_request_kind {
    WIRE_KV, /* op: put, range, delete or transaction */
    WIRE_COMPACT,
    WIRE_LEASE_GRANT,
    WIRE_LEASE_REVOKE,
    WIRE_LEASE_KEEPALIVE,
    WIRE_LEASE_TIME_TO_LIVE,
    WIRE_LEASE_LEASES,
    WIRE_LEASE_CHECKPOINT, /* proposals only */
    WIRE_WATCH_CREATE,
    WIRE_WATCH_CANCEL,
    WIRE_WATCH_PROGRESS,
    WIRE_MEMBER_LIST,
    WIRE_MEMBER_ADD,
    WIRE_MEMBER_REMOVE,
    WIRE_MEMBER_UPDATE,
    WIRE_MEMBER_PROMOTE,
    WIRE_MEMBER_PUBLISH, /* proposals only: a member's own name */
    WIRE_MOVE_LEADER,
    WIRE_STATUS,
    WIRE_ALARM,
    WIRE_HASH_KV,
    WIRE_MEMBER_CHANGE, /* changes: several at once, through a joint configuration */
    WIRE_BACKUP,        /* watch: 0 begins one, else the number of one begun; revision: its next byte */
    WIRE_REQUEST_KIND_COUNT
};

/* One member of the cluster as everybody sees it. */
struct wire_member {
    raft_id id;
    struct base_bytes name; /* Empty until it has published it. */
    struct base_bytes peer_url;
    bool is_learner;
};

enum wire_change_kind {
    WIRE_CHANGE_ADD,     /* as voter or learner, at peer_url */
    WIRE_CHANGE_REMOVE,  /* id */
    WIRE_CHANGE_PROMOTE, /* id: a learner becomes a voter */
    WIRE_CHANGE_DEMOTE,  /* id: a voter becomes a learner */
    WIRE_CHANGE_UPDATE,  /* id: it lives at peer_url now */
    WIRE_CHANGE_KIND_COUNT
};

/* What becomes of one member. */
struct wire_change {
    enum wire_change_kind kind;
    struct wire_member member;
};

/* Which fields mean something depends on the kind; the others are zero. */
struct wire_request {
    uint64_t id; /* The sender's, unique on its connection; the answer repeats it. */
    enum wire_request_kind kind;
    bool require_leader; /* Refuse with NO_LEADER rather than wait for one. */
    bool keys;           /* LEASE_TIME_TO_LIVE: with keys. */
    bool physical;       /* COMPACT: answer when it is done. */
    struct kv_op op;     /* WIRE_KV; MEMBER_LIST: flags; WATCH_CREATE: key, range_end, flags of core/kv/watch.h. */
    int64_t lease;
    int64_t ttl_s;
    int64_t revision;          /* COMPACT, HASH_KV, WATCH_CREATE */
    uint64_t watch;            /* WATCH_*: the client's id of it. HASH_KV, proposed: the hash. */
    uint64_t alarm;            /* ALARM: 0 list, 1 raise no-space, 2 raise corrupt, 3 clear. */
    struct wire_member member; /* MEMBER_*, MOVE_LEADER (id). */
    uint32_t checkpoint_count; /* LEASE_CHECKPOINT */
    const int64_t *checkpoint_leases;
    const int64_t *checkpoint_remaining_s;
    uint32_t change_count; /* MEMBER_CHANGE */
    const struct wire_change *changes;
};

/* What an entry of the log holds: a request and who asked for it to be there. */
struct wire_proposal {
    uint64_t id; /* Unique in the cluster. */
    raft_id proposer;
    raft_term term; /* The proposer's when it proposed; fences revocations. */
    bool is_fenced; /* The term counts. */
    struct wire_request request;
};

struct wire_response {
    uint64_t id;
    enum base_status status;
    uint64_t cluster_id; /* The header. */
    raft_id member_id;
    int64_t revision;
    raft_term term;
    raft_index applied;
    raft_id leader;
    struct kv_result result; /* WIRE_KV */
    int64_t lease;
    int64_t ttl_s; /* -1: no such lease. */
    int64_t granted_s;
    int64_t compact_revision;
    uint64_t hash;
    uint32_t lease_count; /* LEASE_LEASES */
    uint32_t key_count;   /* LEASE_TIME_TO_LIVE */
    uint32_t member_count;
    const int64_t *leases;
    const struct base_bytes *keys;
    const struct wire_member *members;
    struct base_bytes data; /* BACKUP: a piece; lease is its number, result.more: it goes on. */
};

struct wire_watch {
    uint64_t watch;
    int64_t revision;
    int64_t compact_revision; /* Not 0: the watch is over. */
    bool fragment;            /* More of the same batch follows. */
    enum base_status status;  /* Of one that was refused, as its client tells it; not sent. */
    uint32_t event_count;
    const struct kv_event *events;
};

struct wire_chunk {
    raft_index index; /* Of the snapshot. */
    raft_term term;
    uint64_t offset;
    bool last;
    struct base_bytes data;
};

struct wire_refusal {
    enum base_status status; /* CLUSTER_ID_MISMATCH, MEMBER_REMOVED, MEMBER_NOT_FOUND */
    raft_id refused;         /* Whose message it was. */
    raft_id intended;        /* To whom it was addressed. */
};

struct wire_message {
    enum wire_kind kind;
    uint64_t cluster_id; /* The sender's; 0 from clients. */
    raft_id from;        /* Members only. */
    raft_id to;
    union {
        struct raft_message raft;
        struct wire_request request;
        struct wire_response response;
        struct wire_watch watch;
        struct wire_chunk chunk;
        struct wire_refusal refusal;
    };
};

const char *wire_kind_text(enum wire_kind kind);
const char *wire_request_text(enum wire_request_kind kind);

/* The bytes wire_flatten needs. */
size_t wire_flat_size(const struct wire_message *message);
/* A deep copy in one block of wire_flat_size bytes aligned to 16. Answers `memory`
 * as the copy: free it whole, move it never. In the copy, empty bytes are NULL
 * and what the kind has no use for is zero. */
struct wire_message *wire_flatten(const struct wire_message *message, void *memory);

/* A frame: length, CRC32C, encoded message. */
void wire_encode(const struct wire_message *message, struct base_buffer *out);
/* The bytes wire_encode would append, without writing them. */
size_t wire_encoded_size(const struct wire_message *message);
/* The message in a whole frame; BASE_CORRUPT for anything wire_encode could not
 * have written, with `out` untouched: what decodes encodes to the same bytes
 * again. Enums are in range, id sets ascend; arrays live in `arena`, bytes in `frame`. */
enum base_status wire_decode(struct base_bytes frame, struct base_arena *arena, struct wire_message *out);

/* An entry's payload. Same contract, without length and checksum. */
void wire_proposal_encode(const struct wire_proposal *proposal, struct base_buffer *out);
enum base_status wire_proposal_decode(struct base_bytes data, struct base_arena *arena,
                                      struct wire_proposal *out);

#endif
