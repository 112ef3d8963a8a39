/* Snapshots of a member: made in slices while entries go on being applied, sent
 * to whoever lacks what the log no longer holds, and taken in whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_SNAPSHOT_H
#define CORE_MEMBER_SNAPSHOT_H

#include "core/kv/kv.h"
#include "core/raft/types.h"

enum {
    MEMBER_SENDINGS_MAX = 16,        /* etcd: maxInFlightMsgSnap */
    MEMBER_SLICE_BYTES = 64 * 1024,  /* Of a snapshot's state, at a time. */
    MEMBER_STATE_BYTES_MAX = 1 << 30 /* Of what a peer may send us. */
};

#define MEMBER_SENDING_NS UINT64_C(5000000000) /* etcd: rafthttp's connection timeout */
#define MEMBER_ROOM_NS UINT64_C(5000000)       /* From one look for room on the way to a peer to the next. */

/* One snapshot on its way to one peer. */
struct member_sending {
    raft_id to;
    raft_index index;
    raft_term term;
    uint64_t offset;
    uint64_t deadline_ns; /* Without news from the peer by then it has failed. */
    bool is_sent;
};

struct member_snapshots {
    /* Being made: the store's stream is open. */
    struct kv_snapshot *stream;
    struct raft_snapshot making;
    raft_index ended;            /* The one that is ended and not yet durable; 0 none. */
    raft_index offered;          /* The newest that Raft knows of. */
    struct raft_snapshot newest; /* Its place and configuration. */
    bool is_wanted;              /* By somebody whom the newest does not name. */
    bool is_woken;
    /* Being sent. */
    uint64_t room_ns; /* When to look again for room on a way that was full; 0: none was. */
    uint32_t sending_count;
    struct member_sending sendings[MEMBER_SENDINGS_MAX];
    uint32_t refused_count; /* Peers for whom there was no room: told to Raft next. */
    raft_id refused[MEMBER_SENDINGS_MAX];
    /* Being received: the message waits until its state is complete. */
    bool is_receiving;
    uint64_t receiving_deadline_ns; /* Unless the next chunk has come. */
    struct raft_message message;
    struct raft_snapshot incoming;
    struct base_buffer state;
    bool is_torn; /* It names a lease that it does not have. */
    /* Being installed: in Raft already, not yet durable. */
    bool is_installing;
};

#endif
