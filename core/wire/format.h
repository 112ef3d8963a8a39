/* The encoded form, as wire_encode writes it and wire_decode demands it. Numbers
 * are base-128, low digits first, in as few bytes as they need; signed ones
 * interleave (0, -1, 1, -2 …); bytes follow their length. A flag of a byte says
 * which groups of fields follow; a group that is all zero is never written. So
 * every message has one encoding, and the decoder refuses any other. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WIRE_FORMAT_H
#define CORE_WIRE_FORMAT_H

#include "core/wire/wire.h"

enum {
    WIRE_FRAME_HEAD = 8, /* u32 length of the body, u32 CRC32C of the body. */
    WIRE_NUMBER_MAX = 10 /* Bytes of the longest number. */
};

enum wire_op_shape {
    WIRE_OP_KIND = 3, /* The two low bits. */
    WIRE_OP_RANGE_END = 4,
    WIRE_OP_VALUE = 8,
    WIRE_OP_LEASE = 16,
    WIRE_OP_READ = 32, /* revision, limit, target | order << 4 */
    WIRE_OP_FLAGS = 64,
    WIRE_OP_ALL = 127
};

enum wire_request_flag {
    WIRE_REQUEST_REQUIRE_LEADER = 1,
    WIRE_REQUEST_KEYS = 2,
    WIRE_REQUEST_PHYSICAL = 4,
    WIRE_REQUEST_OP = 8,
    WIRE_REQUEST_LEASE = 16, /* lease, ttl */
    WIRE_REQUEST_WATCH = 32, /* revision, watch, alarm */
    WIRE_REQUEST_MEMBER = 64,
    WIRE_REQUEST_CHECKPOINTS = 128
};

enum wire_response_flag {
    WIRE_RESPONSE_RESULT = 1,
    WIRE_RESPONSE_LEASE = 2, /* lease, ttl, granted */
    WIRE_RESPONSE_COMPACT = 4,
    WIRE_RESPONSE_HASH = 8,
    WIRE_RESPONSE_LEASES = 16,
    WIRE_RESPONSE_KEYS = 32,
    WIRE_RESPONSE_MEMBERS = 64,
    WIRE_RESPONSE_DATA = 128,
    WIRE_RESPONSE_ALL = 255
};

enum wire_result_shape {
    WIRE_RESULT_KIND = 3, /* The two low bits. */
    WIRE_RESULT_SUCCEEDED = 4,
    WIRE_RESULT_MORE = 8,
    WIRE_RESULT_RECORDS = 16,
    WIRE_RESULT_RESULTS = 32,
    WIRE_RESULT_ALL = 63
};

enum wire_event_flag { WIRE_EVENT_DELETE = 1, WIRE_EVENT_PREVIOUS = 2, WIRE_EVENT_ALL = 3 };

enum wire_raft_flag {
    WIRE_RAFT_REJECT = 1,
    WIRE_RAFT_ENTRIES = 2,
    WIRE_RAFT_RESPONSES = 4,
    WIRE_RAFT_SNAPSHOT = 8,
    WIRE_RAFT_CONTEXT = 16,
    WIRE_RAFT_ALL = 31
};

/* The fewest bytes one item can take: a count that claims more items than could
 * stand in what is left is refused before anything is allocated. */
enum {
    WIRE_OP_SIZE_MIN = 2,
    WIRE_COMPARE_SIZE_MIN = 5,
    WIRE_MEMBER_SIZE_MIN = 4,
    WIRE_CHECKPOINT_SIZE_MIN = 2,
    WIRE_CHANGE_SIZE_MIN = 5,
    WIRE_RECORD_SIZE_MIN = 6,
    WIRE_RESULT_SIZE_MIN = 2,
    WIRE_EVENT_SIZE_MIN = 7,
    WIRE_ENTRY_SIZE_MIN = 4,
    WIRE_RAFT_SIZE_MIN = 10
};

/* Is every field of it zero, so that its group is left out? */
bool wire_op_is_zero(const struct kv_op *op);
bool wire_member_is_zero(const struct wire_member *member);
bool wire_result_is_zero(const struct kv_result *result);

#endif
