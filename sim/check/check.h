/* The judges: told of everything as it happens, in true time; they change nothing.
 * Each keeps what it needs, does work in proportion to what changed, and says at
 * most one thing: the first promise that was broken, and by what. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include "core/disk.h"
#include "core/raft/raft.h"
#include "core/wire/wire.h"

struct check;

/* JUDGE(NAME, "name", "what it promises"): `faultline list --checks`. */
enum check_judge {
#define JUDGE(name, text, promise) CHECK_##name,
#include "sim/check/judges.def"
#undef JUDGE
    CHECK_COUNT
};

struct check_info {
    const char *name;
    const char *promise;
};
const struct check_info *check_info(enum check_judge judge);

struct check_options {
    uint32_t members; /* Machines 1…members are members. */
    uint64_t heartbeat_ns;
    uint64_t election_ns;
    uint64_t tick_ns;
    uint32_t drift_ppm;     /* The fastest drift a clock may have. */
    bool is_exceeded;       /* More fails than is promised: no progress. */
    bool is_lossy;          /* Synced data may be destroyed: loss is a metric. */
    bool is_lease_unfenced; /* etcd's own lease behaviour. */
    uint64_t off;           /* Bits: judges that say nothing. */
};

struct check_violation {
    enum check_judge judge;
    uint64_t time_ns;
    uint32_t machine;   /* Whom it was found on; 0 nobody. */
    char sentence[512]; /* What broke it. */
};

struct check *check_new(void);
void check_free(struct check *check);
/* A new run in the same memory. */
void check_reset(struct check *check, const struct check_options *options);
/* The first violation, or NULL. */
const struct check_violation *check_first(const struct check *check);
/* How often each judge's premise was true. */
uint64_t check_armed(const struct check *check, enum check_judge judge);
/* A finding from outside the judges (the world's progress, a stop for a bug). */
void check_violate(struct check *check, enum check_judge judge, uint64_t time_ns, uint32_t machine,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* --- what they are told; `member` is a machine's number, `now` true time --- */

/* A process starts (incarnations from 1), ends, or its directory is deleted. */
void check_start(struct check *check, uint64_t now, uint32_t member, uint32_t incarnation);
/* `power`: what was not synced may be lost. */
void check_down(struct check *check, uint64_t now, uint32_t member, bool power);
void check_wipe(struct check *check, uint64_t now, uint32_t member);
/* A member's clock runs at another rate from now on, or stands still for a while. */
void check_drift(struct check *check, uint32_t drift_ppm);
void check_freeze(struct check *check, uint64_t duration_ns);
void check_identity(struct check *check, uint64_t now, uint32_t member, uint64_t cluster_id, raft_id id);
/* What it begins with is a backup's, told before check_restarted. */
struct check_restored {
    uint64_t cluster_id; /* Whose backup; 0: not known. */
    raft_index index;    /* The last entry that is in it. */
    int64_t revision;    /* In it, */
    int64_t bump;        /* and how much further the new cluster begins. */
    bool is_compacted;   /* At its first revision. */
};
void check_restored(struct check *check, uint64_t now, uint32_t member,
                    const struct check_restored *restored);
/* It goes on from its log as the only member: another cluster from here on, though the
 * id is the same. Told before check_restarted. */
void check_forced(struct check *check, uint64_t now, uint32_t member);

/* Its Raft (struct raft_observer). */
void check_role(struct check *check, uint64_t now, uint32_t member, enum raft_role role, raft_term term,
                raft_id leader);
void check_vote(struct check *check, uint64_t now, uint32_t member, raft_term term, raft_id vote);
void check_append(struct check *check, uint64_t now, uint32_t member, const struct raft_entry *entry);
void check_truncate(struct check *check, uint64_t now, uint32_t member, raft_index index);
void check_commit(struct check *check, uint64_t now, uint32_t member, raft_index index);
void check_restore(struct check *check, uint64_t now, uint32_t member, const struct raft_snapshot *snapshot);
void check_configuration(struct check *check, uint64_t now, uint32_t member,
                         const struct raft_conf_state *configuration);
void check_match(struct check *check, uint64_t now, uint32_t member, raft_id peer, raft_index match);
/* After a start: what it found on its disk and begins with. */
void check_restarted(struct check *check, uint64_t now, uint32_t member,
                     const struct raft_status_report *status);

/* Its disk: written to the page cache, and durable (one call for each tag). */
void check_written(struct check *check, uint64_t now, uint32_t member, const struct disk_tag *tag);
void check_durable(struct check *check, uint64_t now, uint32_t member, const struct disk_tag *tag);

/* A message leaves a member, or reaches one: a peer's or a client's (`to`, `from` are
 * machines). Renewals that clients make on their own and watches are known from here. */
void check_send(struct check *check, uint64_t now, uint32_t member, uint32_t to,
                const struct wire_message *message);
void check_receive(struct check *check, uint64_t now, uint32_t member, uint32_t from,
                   const struct wire_message *message);

/* Its store and lessor (struct host_observer). The changes of an entry are told
 * first, then that it was applied. */
void check_apply(struct check *check, uint64_t now, uint32_t member, const struct raft_entry *entry,
                 const struct wire_proposal *proposal, enum base_status status, int64_t revision);
void check_change(struct check *check, uint64_t now, uint32_t member, const struct kv_event *event,
                  int64_t sub);
void check_snapshot(struct check *check, uint64_t now, uint32_t member, raft_index index, raft_term term,
                    uint64_t hash, bool installed);
void check_promote(struct check *check, uint64_t now, uint32_t member, raft_term term, uint64_t leases);
void check_demote(struct check *check, uint64_t now, uint32_t member, raft_term term);
void check_renew(struct check *check, uint64_t now, uint32_t member, int64_t lease, int64_t ttl_s);
void check_expire(struct check *check, uint64_t now, uint32_t member, int64_t lease);

/* What clients saw: a call begins, and is answered (or given up: unknown). Calls
 * are numbered by the world, unique in a run. Every write that a client asks for
 * must be told, also those that its recipes (locks) make: what took effect and
 * nobody asked for is a finding. */
void check_invoke(struct check *check, uint64_t now, uint32_t client, uint64_t call,
                  const struct wire_request *request);
void check_return(struct check *check, uint64_t now, uint32_t client, uint64_t call,
                  const struct wire_request *request, const struct wire_response *response, bool is_unknown);
void check_watched(struct check *check, uint64_t now, uint32_t client, uint64_t watch,
                   const struct wire_watch *batch);

/* A client holds a lock from here on, and until there, by its own belief: a hold
 * ends with the unlock, or when its deadline passes on the client's own clock.
 * `revision` is the fencing token; 0 not known. */
void check_lock_acquired(struct check *check, uint64_t now, uint32_t client, struct base_bytes name,
                         int64_t revision);
void check_lock_released(struct check *check, uint64_t now, uint32_t client, struct base_bytes name);

/* The world has healed and settled: whole stores are compared, open ends judged.
 * One call for each live member, then one check_end. */
void check_settled(struct check *check, uint64_t now, uint32_t member, raft_index applied, int64_t revision,
                   uint64_t store_hash);
void check_end(struct check *check, uint64_t now);
/* Progress was demanded: a quorum could talk after everything healed. */
void check_demanded(struct check *check);

/* Acknowledged revisions that clusters made from backups and survivors do not have. */
int64_t check_lost(const struct check *check);

/* Figures for the report: the smallest margin a lease had left, ns; INT64_MAX when
 * none was measured. */
int64_t check_lease_margin(const struct check *check);

#endif
