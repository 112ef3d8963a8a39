/* What the leader knows about one member, and how it may send to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RAFT_PROGRESS_H
#define CORE_RAFT_PROGRESS_H

#include "core/raft/inflights.h"
#include "core/raft/raft.h"

/*             accepted                      log cut below next
 *   PROBE ───────────────▶ REPLICATE     PROBE, REPLICATE ──▶ SNAPSHOT
 *     ▲ rejected, unreachable │                                  │
 *     ├───────────────────────┘         status, or caught up     │
 *     └──────────────────────────────────────────────────────────┘
 * (raft_progress_become_probe, _become_replicate, _become_snapshot) */
struct raft_progress {
    raft_index match;            /* Highest index known to be on the member. */
    raft_index next;             /* Next index to send; match < next, always. */
    raft_index sent_commit;      /* The highest commit it was told. */
    raft_index pending_snapshot; /* RAFT_SNAPSHOT: the one under way; else 0. */
    uint64_t read_position;      /* The latest read round it has answered. */
    enum raft_progress_state state;
    bool is_flow_paused; /* One message too many is out: wait for an answer. */
    struct raft_inflights inflights;
};

/* A member of whom nothing is known. Keeps the memory of `inflights`. */
void raft_progress_reset(struct raft_progress *progress, raft_index match, raft_index next);
/* Back to one message at a time, from after what is known to match, or from
 * after the snapshot that was under way. */
void raft_progress_become_probe(struct raft_progress *progress);
void raft_progress_become_replicate(struct raft_progress *progress);
void raft_progress_become_snapshot(struct raft_progress *progress, raft_index index);
/* May nothing be sent now? */
bool raft_progress_is_paused(const struct raft_progress *progress);
/* A MsgApp with `count` entries of `bytes` payload goes out. */
void raft_progress_sent(struct raft_progress *progress, const struct raft_inflight_limits *limits,
                        const struct base_allocator *allocator, uint32_t count, uint64_t bytes);
/* The member holds everything up to `index`. false: that was known. */
bool raft_progress_acked(struct raft_progress *progress, raft_index index);
/* The member refused a MsgApp after `rejected`; it may match at `hint`. false:
 * an old answer, nothing changed. */
bool raft_progress_rejected(struct raft_progress *progress, raft_index rejected, raft_index hint);
/* Would telling it `commit` bring it further than what it has been told? */
bool raft_progress_lacks_commit(const struct raft_progress *progress, raft_index commit);

#endif
