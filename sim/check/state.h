/* What the judges know in common: who is who, and what each member's log, disk and
 * role are. Each judge's own knowledge is a part of this with its own header. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_STATE_H
#define SIM_CHECK_STATE_H

#include "sim/check/bootstrap.h"
#include "sim/check/check.h"
#include "sim/check/configuration.h"
#include "sim/check/election.h"
#include "sim/check/history.h"
#include "sim/check/lease.h"
#include "sim/check/lineage.h"
#include "sim/check/lock.h"
#include "sim/check/overheard.h"
#include "sim/check/store.h"
#include "sim/check/table.h"
#include "sim/check/watch.h"

enum {
    CHECK_VOTES_KEPT = 16, /* Promised votes remembered for each member id. */
    CHECK_TEXTS = 4,       /* Names under way in one sentence. */
};

struct check_vote_record {
    raft_term term;
    raft_id vote;
};

/* A member id within a cluster: what was promised under it holds for ever, on
 * whichever machine and disk it comes back. */
struct check_identity {
    raft_id id;
    uint32_t machine;                                 /* Who is it now; 0 nobody (yet, or any more). */
    uint32_t was_machine;                             /* Who was it last; 0 nobody ever. */
    bool is_wiped;                                    /* Its directory was deleted: nobody is it any more. */
    raft_term promised_term;                          /* Highest in which it voted or acknowledged. */
    struct check_vote_record votes[CHECK_VOTES_KEPT]; /* Promised, by term modulo the size. */
    raft_term match_term;                             /* The leader's that match is about. */
    raft_index match;
    int64_t serialized_revision;     /* Newest that it answered a serializable read with, */
    uint64_t serialized_ns;          /* then, */
    uint32_t serialized_incarnation; /* in this life. */
};

/* One half of a configuration, resolved. */
struct check_electorate {
    uint32_t count;
    struct check_identity *voters[RAFT_MEMBERS_MAX];
};

/* How far a leader of `term` committed. */
struct check_boundary {
    raft_term term;
    raft_index index;
};

struct check_cluster {
    uint64_t id;
    uint32_t slot;
    uint32_t settled_count;             /* Members whose end was told. */
    bool is_damaged;                    /* Something synced was lost: in a lossy world anything may follow. */
    struct check_identity **identities; /* By id. */
    uint32_t identity_count;
    uint32_t identity_capacity;
    struct check_lineage lineage;
    struct check_tip committed;        /* The longest log known to be committed. */
    struct check_boundary *boundaries; /* By term and index. */
    uint32_t boundary_count;
    uint32_t boundary_capacity;
    raft_index pruned; /* Contents of entries are dropped up to here. */
    struct check_election election;
    struct check_store store;
    struct check_history history;
    struct check_lease lease;
    struct check_bootstrap bootstrap;
    struct check_electorate founders; /* The voters it began with. */
    /* Made from another: by a backup, or by a survivor that was told to go on. */
    struct check_cluster *parent; /* NULL: it was founded. */
    uint64_t begun_ns;            /* A forced one: since then. */
    bool is_inheriting;           /* Its first member has not told yet what it begins with. */
    raft_index inherited;         /* Entries up to here took effect in the parent. */
    int64_t begun_revision;       /* Of the parent's revisions it has those up to here. */
    struct check_epochs epochs;
};

/* A machine that runs a member. */
struct check_member {
    uint32_t number;
    bool is_up;
    uint32_t incarnation;
    struct check_cluster *cluster; /* NULL until it is told. */
    struct check_identity *identity;
    /* Its Raft, in memory. */
    enum raft_role role;
    raft_term term;
    raft_term voted_term;
    raft_id voted;              /* In voted_term; RAFT_NONE nobody. */
    struct check_tip voted_log; /* The end of its log as it did so; index UINT64_MAX: not known. */
    struct check_tip log;
    bool is_log_known;
    raft_index commit;
    raft_index applied;
    bool is_applied_known;
    struct check_electorate halves[2]; /* Incoming, outgoing. */
    struct check_standing standing;
    /* Its disk: what the disk itself called durable. */
    struct check_tip disk;
    raft_term disk_term;
    raft_id disk_vote;
    bool is_power_lost; /* Since its last start. */
    /* Its store. */
    struct check_stream stream;
    /* The last message of a cluster not its own. */
    raft_id foreign_from;
    uint64_t foreign_cluster;
    uint64_t foreign_ns;
};

struct check {
    struct check_options options;
    struct check_violation violation;
    bool is_violated;
    uint64_t frozen_ns; /* How long, all in all, clocks stood still. */
    bool has_disk;      /* Somebody's disk was told of: durability is judged. */
    bool has_votes;     /* Somebody voted for another: majorities are judged. */
    uint64_t armed[CHECK_COUNT];
    struct check_member **members; /* By number. */
    uint32_t member_capacity;
    struct check_cluster **clusters; /* In order of appearance; spares beyond the count. */
    uint32_t cluster_count;
    uint32_t cluster_capacity;
    struct check_calls calls;
    struct check_overheard overheard;
    struct check_lock lock;
    struct check_watch watch;
    char texts[CHECK_TEXTS][32];
    uint32_t text;
};

/* The member on machine `number`, made known. */
struct check_member *check_member_make(struct check *check, uint32_t number);
/* The same, with a cluster: a member that never said which is in cluster 0 and
 * goes by its number. */
struct check_member *check_member_join(struct check *check, uint32_t number);

static inline struct check_member *check_member(struct check *check, uint32_t number)
{
    if (number < check->member_capacity && check->members[number]) {
        return check->members[number];
    }
    return check_member_make(check, number);
}

static inline struct check_member *check_member_known(struct check *check, uint32_t number)
{
    struct check_member *member = check_member(check, number);
    return member->cluster ? member : check_member_join(check, number);
}

/* The machine is `id` of the cluster from now on. */
void check_identify(struct check_member *member, struct check_cluster *cluster, raft_id id);
void check_cluster_free(struct check_cluster *cluster);
struct check_cluster *check_cluster(struct check *check, uint64_t id);
/* A new one, even if another has this id. */
struct check_cluster *check_cluster_make(struct check *check, uint64_t id);
/* The cluster, or NULL when it was never heard of. */
struct check_cluster *check_cluster_find(const struct check *check, uint64_t id);
struct check_identity *check_identity_of(struct check_cluster *cluster, raft_id id);
/* The judges' own: they ask the core for nothing that they judge it by. */
bool check_is_listed(const struct raft_id_set *ids, raft_id id);

static inline void check_arm(struct check *check, enum check_judge judge)
{
    check->armed[judge]++;
}

/* A broken promise of `cluster` (NULL: of none in particular). */
void check_found(struct check *check, struct check_cluster *cluster, enum check_judge judge, uint64_t now,
                 uint32_t machine, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* "m3", or the hexadecimal id of who has no machine; good for one sentence. */
const char *check_name(struct check *check, const struct check_identity *identity);
const char *check_name_of(struct check *check, struct check_cluster *cluster, raft_id id);
/* "1.204 s" */
const char *check_seconds(struct check *check, uint64_t time_ns);

#endif
