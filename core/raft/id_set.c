/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/id_set.h"

#include <assert.h>

/* The slot of the first id that is not below `id`. */
static uint32_t seek(const struct raft_id_set *set, raft_id id)
{
    assert(set->count <= RAFT_MEMBERS_MAX);
    uint32_t slot = 0;
    while (slot < set->count && set->ids[slot] < id) {
        slot++;
    }
    return slot;
}

bool raft_id_set_has(const struct raft_id_set *set, raft_id id)
{
    uint32_t slot = seek(set, id);
    return slot < set->count && set->ids[slot] == id;
}

bool raft_id_set_add(struct raft_id_set *set, raft_id id)
{
    uint32_t slot = seek(set, id);
    if (slot < set->count && set->ids[slot] == id) {
        return true;
    }
    if (set->count == RAFT_MEMBERS_MAX) {
        return false;
    }
    memmove(&set->ids[slot + 1], &set->ids[slot], (set->count - slot) * sizeof set->ids[0]);
    set->ids[slot] = id;
    set->count++;
    return true;
}

void raft_id_set_remove(struct raft_id_set *set, raft_id id)
{
    uint32_t slot = seek(set, id);
    if (slot < set->count && set->ids[slot] == id) {
        set->count--;
        memmove(&set->ids[slot], &set->ids[slot + 1], (set->count - slot) * sizeof set->ids[0]);
        set->ids[set->count] = RAFT_NONE;
    }
}

bool raft_id_set_equal(const struct raft_id_set *a, const struct raft_id_set *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof a->ids[0]) == 0;
}

bool raft_id_set_is_valid(const struct raft_id_set *set)
{
    if (set->count > RAFT_MEMBERS_MAX) {
        return false;
    }
    raft_id before = RAFT_NONE;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->ids[i] <= before || set->ids[i] >= RAFT_APPLY_THREAD) {
            return false;
        }
        before = set->ids[i];
    }
    return true;
}
