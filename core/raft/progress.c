/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/progress.h"

#include <assert.h>

static raft_index least(raft_index a, raft_index b)
{
    return a < b ? a : b;
}

static raft_index greatest(raft_index a, raft_index b)
{
    return a > b ? a : b;
}

static void check(const struct raft_progress *progress)
{
    assert(progress->match < progress->next);
    assert((progress->state == RAFT_SNAPSHOT) == (progress->pending_snapshot != 0));
}

static void enter(struct raft_progress *progress, enum raft_progress_state state)
{
    progress->state = state;
    progress->is_flow_paused = false;
    progress->pending_snapshot = 0;
    raft_inflights_reset(&progress->inflights);
}

void raft_progress_reset(struct raft_progress *progress, raft_index match, raft_index next)
{
    struct raft_inflights inflights = progress->inflights;
    raft_inflights_reset(&inflights);
    *progress =
        (struct raft_progress){.match = match, .next = next, .state = RAFT_PROBE, .inflights = inflights};
    check(progress);
}

void raft_progress_become_probe(struct raft_progress *progress)
{
    raft_index next = greatest(progress->match, progress->pending_snapshot) + 1;
    enter(progress, RAFT_PROBE);
    progress->next = next;
    /* What was told beyond may have been lost with the messages. */
    progress->sent_commit = least(progress->sent_commit, next - 1);
    check(progress);
}

void raft_progress_become_replicate(struct raft_progress *progress)
{
    enter(progress, RAFT_REPLICATE);
    progress->next = progress->match + 1;
    check(progress);
}

void raft_progress_become_snapshot(struct raft_progress *progress, raft_index index)
{
    assert(index > progress->match);
    enter(progress, RAFT_SNAPSHOT);
    progress->pending_snapshot = index;
    progress->next = index + 1;
    progress->sent_commit = index;
    check(progress);
}

bool raft_progress_is_paused(const struct raft_progress *progress)
{
    return progress->state == RAFT_SNAPSHOT || progress->is_flow_paused;
}

void raft_progress_sent(struct raft_progress *progress, const struct raft_inflight_limits *limits,
                        const struct base_allocator *allocator, uint32_t count, uint64_t bytes)
{
    assert(!raft_progress_is_paused(progress));
    if (progress->state == RAFT_REPLICATE) {
        if (count > 0) {
            progress->next += count;
            raft_inflights_add(&progress->inflights, allocator, progress->next - 1, bytes);
        }
        /* When the window is full, this message is the probe that will tell
         * whether those before it were lost. */
        progress->is_flow_paused = raft_inflights_is_full(&progress->inflights, limits);
    } else if (count > 0) {
        progress->is_flow_paused = true;
    }
    check(progress);
}

bool raft_progress_acked(struct raft_progress *progress, raft_index index)
{
    if (index <= progress->match) {
        return false;
    }
    progress->match = index;
    progress->next = greatest(progress->next, index + 1);
    progress->is_flow_paused = false;
    check(progress);
    return true;
}

bool raft_progress_rejected(struct raft_progress *progress, raft_index rejected, raft_index hint)
{
    if (progress->state == RAFT_REPLICATE) {
        if (rejected <= progress->match) {
            return false;
        }
        progress->next = progress->match + 1;
    } else {
        /* One message was out: an answer about any other is old. */
        if (rejected != progress->next - 1) {
            return false;
        }
        progress->next = greatest(least(rejected, hint + 1), progress->match + 1);
        progress->is_flow_paused = false;
    }
    progress->sent_commit = least(progress->sent_commit, progress->next - 1);
    check(progress);
    return true;
}

bool raft_progress_lacks_commit(const struct raft_progress *progress, raft_index commit)
{
    return commit > progress->sent_commit && progress->sent_commit < progress->next - 1;
}
