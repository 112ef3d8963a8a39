/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/wire.h"

#include <assert.h>

const char *wire_kind_text(enum wire_kind kind)
{
    static const char *const texts[] = {
        [WIRE_RAFT] = "Raft",
        [WIRE_SNAPSHOT_CHUNK] = "SnapshotChunk",
        [WIRE_REFUSAL] = "Refusal",
        [WIRE_LEASE_FORWARD] = "LeaseForward",
        [WIRE_LEASE_ANSWER] = "LeaseAnswer",
        [WIRE_PEER_QUERY] = "PeerQuery",
        [WIRE_PEER_ANSWER] = "PeerAnswer",
        [WIRE_HELLO] = "Hello",
        [WIRE_WELCOME] = "Welcome",
        [WIRE_PING] = "Ping",
        [WIRE_PONG] = "Pong",
        [WIRE_REQUEST] = "Request",
        [WIRE_RESPONSE] = "Response",
        [WIRE_WATCH] = "Watch",
        [WIRE_GOODBYE] = "Goodbye",
        [WIRE_CHANGE_FORWARD] = "ChangeForward",
        [WIRE_CHANGE_ANSWER] = "ChangeAnswer",
    };
    static_assert(sizeof texts / sizeof texts[0] == WIRE_KIND_COUNT, "every kind has a text");
    assert((unsigned)kind < WIRE_KIND_COUNT);
    return texts[kind];
}

const char *wire_request_text(enum wire_request_kind kind)
{
    static const char *const texts[] = {
        [WIRE_KV] = "Kv",
        [WIRE_COMPACT] = "Compact",
        [WIRE_LEASE_GRANT] = "Grant",
        [WIRE_LEASE_REVOKE] = "Revoke",
        [WIRE_LEASE_KEEPALIVE] = "KeepAlive",
        [WIRE_LEASE_TIME_TO_LIVE] = "TimeToLive",
        [WIRE_LEASE_LEASES] = "Leases",
        [WIRE_LEASE_CHECKPOINT] = "Checkpoint",
        [WIRE_WATCH_CREATE] = "WatchCreate",
        [WIRE_WATCH_CANCEL] = "WatchCancel",
        [WIRE_WATCH_PROGRESS] = "WatchProgress",
        [WIRE_MEMBER_LIST] = "MemberList",
        [WIRE_MEMBER_ADD] = "MemberAdd",
        [WIRE_MEMBER_REMOVE] = "MemberRemove",
        [WIRE_MEMBER_UPDATE] = "MemberUpdate",
        [WIRE_MEMBER_PROMOTE] = "MemberPromote",
        [WIRE_MEMBER_PUBLISH] = "MemberPublish",
        [WIRE_MOVE_LEADER] = "MoveLeader",
        [WIRE_STATUS] = "Status",
        [WIRE_ALARM] = "Alarm",
        [WIRE_HASH_KV] = "HashKv",
        [WIRE_MEMBER_CHANGE] = "MemberChange",
        [WIRE_BACKUP] = "Backup",
    };
    static_assert(sizeof texts / sizeof texts[0] == WIRE_REQUEST_KIND_COUNT, "every kind has a text");
    assert((unsigned)kind < WIRE_REQUEST_KIND_COUNT);
    return texts[kind];
}
