/* One server of the cluster: Raft, log, store, leases and membership behind one
 * door. Everything comes in through the calls below, each told the machine's
 * monotonic time; everything goes out through host.h and disk.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_MEMBER_H
#define CORE_MEMBER_MEMBER_H

#include "core/disk.h"
#include "core/host.h"

struct member;

struct member_peer {
    const char *name;
    const char *url; /* Where it lives; one place or several, "a,b". */
    bool is_learner; /* Of a new cluster. */
};

/* Options, as etcd's (etcd-behaviour §2.1). Strings are copied. */
struct member_config {
    const char *name;
    const char *url;                 /* Where it says it lives; NULL: nowhere in particular. */
    const char *state;               /* Of the cluster: NULL or "new", or "existing". */
    const char *token;               /* Of the initial cluster. */
    const struct member_peer *peers; /* The initial cluster, this member among them; */
    uint32_t peer_count;
    const char *discovery;     /* or a token under which it is to be found, NULL: none, */
    const char *discovery_url; /* in the registry that lives here. */
    bool strict_timing;        /* etcd's bounds on the two timeouts. */
    uint64_t tick_ns;
    uint32_t heartbeat_ticks;
    uint32_t election_ticks;
    uint32_t election_spread_ticks; /* 0: election_ticks. */
    bool pre_vote;
    bool check_quorum;
    bool read_lease; /* Reads by the leader's lease: etcd's, unsafe under drift. */
    uint64_t snapshot_entries;
    uint64_t catchup_entries;
    uint32_t inflight_count_max;
    uint64_t message_bytes_max;
    uint64_t request_bytes_max; /* 0: 1.5 MiB */
    uint64_t segment_bytes;     /* 0: 64 MiB */
    uint64_t allocate_bytes;    /* Room the log holds ahead on the disk, in such steps; 0: none */
    bool lease_fencing;         /* Revocations, renewals and expiry by confirmed leaders only. */
    bool lease_checkpoint;
    bool strict_reconfig;
    uint32_t learners_max;
    uint64_t quota_bytes;        /* 0: none. */
    uint64_t progress_notify_ns; /* Between notices to idle watches; 0: 10 min. */
    uint64_t corrupt_check_ns;   /* Between comparisons of stores; 0: never, etcd's default. */
    uint32_t batch_entries;      /* Entries one run of the apply stage takes; 0 is 64. */
    /* This start only. A backup to begin from, where there is no log yet: borrowed
     * until member_start returns. */
    struct base_bytes backup;
    uint64_t bump_revision;
    bool mark_compacted;
    bool force_new_cluster; /* Go on alone from the log there is (etcd-behaviour §4.5). */
};

/* A member on a machine; nothing happens before member_start. The tables and
 * the allocator outlive it. `observer` may be NULL. */
struct member *member_new(const struct member_config *config, const struct base_allocator *allocator,
                          const struct host *host, const struct disk *disk,
                          const struct host_observer *observer);
/* A host may also drop the whole heap instead. */
void member_free(struct member *member);
/* Read the data directory and begin: a new cluster, a restart, or a join. A restart
 * is over when this returns; what has to ask others first takes a while. */
void member_start(struct member *member, uint64_t now_ns);
/* Leave gracefully: hand leadership over if it is here, then host.stop. */
void member_leave(struct member *member, uint64_t now_ns);

/* Ticks before Raft is there are nobody's. */
void member_tick(struct member *member, uint64_t now_ns, uint64_t ticks);
/* `connection` is where a reply goes: the host's number of it, never 0. */
void member_receive(struct member *member, uint64_t now_ns, uint64_t connection,
                    const struct wire_message *message);
/* A client's connection is gone: its watches end, its answers go nowhere. */
void member_disconnected(struct member *member, uint64_t connection);
/* Whoever was asked with this number cannot be reached: it refused, or died over it. */
void member_unanswered(struct member *member, uint64_t now_ns, uint64_t number);
/* What was sent to a peer may not have arrived. */
void member_unreachable(struct member *member, uint64_t now_ns, raft_id peer);
void member_disk_done(struct member *member, uint64_t now_ns, uint64_t token, enum disk_status status);
void member_due(struct member *member, uint64_t now_ns);
/* One turn of a stage that was woken. */
void member_run(struct member *member, uint64_t now_ns, enum host_stage stage);

/* What the calls so far cost, for a host that meters its processor. */
struct member_work {
    uint64_t messages;
    uint64_t entries;
    uint64_t requests;
};

struct member_status {
    struct raft_status_report raft;
    uint64_t cluster_id;
    raft_id member_id;
    raft_index applied;
    int64_t revision;
    uint64_t leases;
    bool is_lease_primary;
    bool is_learner;
    bool is_ready; /* It has published itself: it serves. */
    struct member_work work;
};

/* Borrowed: counts up as the member works. */
const struct member_work *member_get_work(const struct member *member);
void member_get_status(const struct member *member, struct member_status *out);
/* The configuration in force; NULL while there is none. Borrowed until the next call. */
const struct raft_conf_state *member_configuration(const struct member *member);
/* Hash of store and leases at the applied index. */
uint64_t member_store_hash(const struct member *member);
/* Of all that entries decide: the membership as well. */
uint64_t member_state_hash(const struct member *member);
enum raft_status member_term_at(const struct member *member, raft_index index, raft_term *out);

#endif
