/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration changes as the payload of an entry:
 *   v1: type u8, id u64, context bytes
 *   v2: transition u8, count u32, count × (type u8, id u64), context bytes
 * and nothing at all for the v2 change that leaves a joint configuration. */
#include "core/raft/raft.h"

#include <assert.h>

void raft_conf_change_encode(const struct raft_conf_change *change, struct base_buffer *out)
{
    assert(change->change_count <= RAFT_CHANGES_MAX);
    assert(!change->is_v1 || change->change_count == 1);
    assert(!change->is_v1 || change->transition == RAFT_TRANSITION_AUTO);
    if (!change->is_v1) {
        base_put_u8(out, (uint8_t)change->transition);
        base_put_u32(out, change->change_count);
    }
    for (uint32_t i = 0; i < change->change_count; i++) {
        base_put_u8(out, (uint8_t)change->changes[i].type);
        base_put_u64(out, change->changes[i].id);
    }
    base_put_bytes(out, change->context);
}

enum raft_status raft_conf_change_decode(enum raft_entry_type type, struct base_bytes data,
                                         struct raft_conf_change *out)
{
    if (type == RAFT_ENTRY_NORMAL) {
        return RAFT_INVALID;
    }
    struct raft_conf_change change = {.is_v1 = type == RAFT_ENTRY_CONF_CHANGE, .change_count = 1};
    if (data.size == 0 && !change.is_v1) {
        *out = (struct raft_conf_change){0};
        return RAFT_OK;
    }
    struct base_reader reader;
    base_reader_init(&reader, data);
    if (!change.is_v1) {
        uint8_t transition = base_get_u8(&reader);
        if (transition > RAFT_TRANSITION_JOINT_EXPLICIT) {
            return RAFT_INVALID;
        }
        change.transition = (enum raft_transition)transition;
        change.change_count = base_get_u32(&reader);
        if (change.change_count > RAFT_CHANGES_MAX) {
            return RAFT_INVALID;
        }
    }
    for (uint32_t i = 0; i < change.change_count; i++) {
        uint8_t kind = base_get_u8(&reader);
        if (kind > RAFT_ADD_LEARNER_NODE) {
            return RAFT_INVALID;
        }
        change.changes[i].type = (enum raft_conf_change_type)kind;
        change.changes[i].id = base_get_u64(&reader);
    }
    change.context = base_get_bytes(&reader);
    if (reader.failed || base_reader_left(&reader) != 0) {
        return RAFT_INVALID;
    }
    *out = change;
    return RAFT_OK;
}
