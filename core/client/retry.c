/* Which requests may be repeated, and what an answer says about an attempt. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

bool client_is_repeatable(const struct wire_request *request)
{
    switch (request->kind) {
    case WIRE_KV:
        return request->op.kind == KV_RANGE;
    case WIRE_LEASE_GRANT:
    case WIRE_LEASE_REVOKE:
    case WIRE_LEASE_KEEPALIVE:
    case WIRE_LEASE_TIME_TO_LIVE:
    case WIRE_LEASE_LEASES:
    case WIRE_MEMBER_LIST:
    case WIRE_MOVE_LEADER:
    case WIRE_STATUS:
    case WIRE_ALARM:
    case WIRE_HASH_KV:
        return true;
    case WIRE_COMPACT:
    case WIRE_MEMBER_ADD:
    case WIRE_MEMBER_REMOVE:
    case WIRE_MEMBER_UPDATE:
    case WIRE_MEMBER_PROMOTE:
    case WIRE_MEMBER_CHANGE:
    case WIRE_BACKUP: /* A stream: it is begun anew or not at all. */
        return false;
    case WIRE_LEASE_CHECKPOINT:
    case WIRE_MEMBER_PUBLISH:
    case WIRE_WATCH_CREATE:
    case WIRE_WATCH_CANCEL:
    case WIRE_WATCH_PROGRESS:
    case WIRE_REQUEST_KIND_COUNT:
        break;
    }
    assert(false && "a request that clients call");
    return false;
}

bool client_has_effect(const struct wire_request *request)
{
    switch (request->kind) {
    case WIRE_KV:
        return request->op.kind != KV_RANGE;
    case WIRE_ALARM:
        return request->alarm != 0;
    case WIRE_LEASE_TIME_TO_LIVE:
    case WIRE_LEASE_LEASES:
    case WIRE_MEMBER_LIST:
    case WIRE_STATUS:
    case WIRE_HASH_KV:
    case WIRE_BACKUP:
    case WIRE_WATCH_CREATE:
    case WIRE_WATCH_CANCEL:
    case WIRE_WATCH_PROGRESS:
        return false;
    case WIRE_COMPACT:
    case WIRE_LEASE_GRANT:
    case WIRE_LEASE_REVOKE:
    case WIRE_LEASE_KEEPALIVE:
    case WIRE_LEASE_CHECKPOINT:
    case WIRE_MEMBER_ADD:
    case WIRE_MEMBER_REMOVE:
    case WIRE_MEMBER_UPDATE:
    case WIRE_MEMBER_PROMOTE:
    case WIRE_MEMBER_CHANGE:
    case WIRE_MEMBER_PUBLISH:
    case WIRE_MOVE_LEADER:
        return true;
    case WIRE_REQUEST_KIND_COUNT:
        break;
    }
    assert(false && "a kind of request");
    return false;
}

enum {
    RETRY = 1,  /* gRPC's Unavailable. */
    UNKNOWN = 2 /* It may have been proposed before this was said. */
};

/* What is not named is a definite answer, and final. NO_LEADER and UNHEALTHY
 * are said before anything is proposed. */
static unsigned class_of(enum base_status status)
{
    static const uint8_t classes[BASE_STATUS_COUNT] = {
        [BASE_TIMEOUT] = RETRY | UNKNOWN,
        [BASE_TIMEOUT_LEADER_FAIL] = RETRY | UNKNOWN,
        [BASE_TIMEOUT_CONNECTION_LOST] = RETRY | UNKNOWN,
        [BASE_LEADER_CHANGED] = RETRY | UNKNOWN,
        [BASE_STOPPED] = RETRY | UNKNOWN,
        [BASE_UNAVAILABLE] = RETRY | UNKNOWN,
        [BASE_NO_LEADER] = RETRY,
        [BASE_UNHEALTHY] = RETRY,
        [BASE_NOT_SUPPORTED_FOR_LEARNER] = RETRY,
        [BASE_CANCELED] = UNKNOWN,
        [BASE_TIMEOUT_LEADER_TRANSFER] = UNKNOWN,
    };
    assert((unsigned)status < BASE_STATUS_COUNT);
    return classes[status];
}

bool client_is_unavailable(enum base_status status)
{
    return (class_of(status) & RETRY) != 0;
}

bool client_is_outcome_unknown(enum base_status status)
{
    return (class_of(status) & UNKNOWN) != 0;
}
