/* The inside of a member, shared by the files that are its stages. Nobody outside
 * core/member includes this. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_STATE_H
#define CORE_MEMBER_STATE_H

#include "core/kv/watch.h"
#include "core/lease/lease.h"
#include "core/member/backup.h"
#include "core/member/cluster.h"
#include "core/member/member.h"
#include "core/member/snapshot.h"
#include "core/wal/text.h"
#include "core/wal/wal.h"

enum {
    MEMBER_REQUEST_BYTES_MAX = 1536 * 1024, /* etcd: DefaultMaxRequestBytes */
    MEMBER_OPS_MAX = 128,                   /* etcd: DefaultMaxTxnOps */
    MEMBER_WAITING_MAX = 4096,              /* Proposals that wait for a leader. */
    MEMBER_APPLY_GAP_MAX = 5000,            /* etcd: maxGapBetweenApplyAndCommitIndex */
    MEMBER_EXPIRED_MAX = 500,               /* Found by one scan; etcd: half the revoke rate. */
    MEMBER_HELLOS_MAX = 1024,               /* Connections that wait for us to be ready. */
    MEMBER_WATCH_EVENTS_MAX = 1000,         /* etcd: watchBatchMaxRevs */
    MEMBER_WATCH_PASS = 512,                /* Watches of one pass; etcd: maxWatchersPerSync */
    MEMBER_COMPACT_KEYS = 1000,             /* Of one turn; etcd: CompactionBatchLimit */
    MEMBER_CHECKPOINTS_MAX = 500,           /* In one entry. */
    MEMBER_ASKED_MAX = 64,                  /* Membership changes, and moves, under way. */
    MEMBER_BATCH_DEFAULT = 64
};

#define MEMBER_READ_RETRY_NS UINT64_C(500000000)    /* etcd: readIndexRetryTime */
#define MEMBER_WATCH_PASS_NS UINT64_C(100000000)    /* etcd: watchResyncPeriod */
#define MEMBER_NOTICE_NS UINT64_C(600000000000)     /* etcd: progressReportInterval */
#define MEMBER_RENEW_RETRY_NS UINT64_C(50000000)    /* etcd: LeaseRenew's pause */
#define MEMBER_REQUEST_BASE_NS UINT64_C(5000000000) /* ReqTimeout is this + 2 E. */
#define MEMBER_ELECTION_MS_MAX UINT64_C(50000)      /* etcd: maxElectionMs */
#define MEMBER_PROBE_NS UINT64_C(1000000000)        /* etcd: isMemberBootstrapped's timeout */
#define MEMBER_GREETING_NS UINT64_C(5000000000)     /* etcd: rafthttp.ConnReadTimeout */
#define MEMBER_DISCOVERY_NS UINT64_C(5000000000)    /* etcd: discovery-request-timeout */
#define MEMBER_DISCOVERY_WAIT_NS UINT64_C(1000000000)
#define MEMBER_JOIN_NS UINT64_C(10000000000) /* etcd: GetClusterFromRemotePeers' timeout */
#define MEMBER_JOIN_PAUSE_NS UINT64_C(500000000)
#define MEMBER_HEALTH_NS UINT64_C(5000000000)  /* etcd: HealthInterval */
#define MEMBER_AWAY UINT64_MAX                 /* A contact that is known to be gone. */
#define MEMBER_REMOVED_NS UINT64_C(1000000000) /* From our own removal to our end. */

/* --- the storage stage: what waits for the disk --- */

/* A message that is a promise, held back until `ticket` is durable. */
struct member_held {
    uint64_t ticket;
    struct raft_message message;
};

struct member_storage {
    struct wal *wal;
    struct member_held *held; /* A ring. */
    uint32_t held_capacity;
    uint32_t held_first;
    uint32_t held_count;
    uint64_t ticket_needed;  /* The newest ticket a promise may depend on. */
    uint64_t ticket_written; /* The newest ticket written, synced or not. */
    uint64_t ticket_created; /* The new log is there after a crash; 0: it was there before. */
    raft_index founded_to;   /* The log was created with the entries up to here. */
};

/* --- the apply stage --- */

struct member_apply {
    raft_index applied;   /* Taken effect in the store. */
    raft_index handed_to; /* Raft has handed out entries up to here. */
    bool is_woken;
};

/* --- proposals that somebody waits for --- */

enum member_pending_state { MEMBER_PENDING_DONE, MEMBER_PENDING_WAITING, MEMBER_PENDING_PROPOSED };

struct member_pending {
    enum member_pending_state state;
    enum wire_request_kind kind;
    uint64_t connection; /* 0: the member itself asked. */
    bool is_forwarded;   /* From a peer: answered as WIRE_CHANGE_ANSWER. */
    uint64_t request_id;
    uint64_t began_ns;
    uint64_t deadline_ns;
    struct base_bytes payload; /* MEMBER_PENDING_WAITING: owned. */
};

/* Numbers grow by one for each proposal, so the table is a ring by number. */
struct member_proposals {
    struct member_pending *ring;
    uint32_t capacity; /* A power of two. */
    uint32_t count;
    uint64_t first; /* The number of the oldest. */
    uint32_t waiting_count;
};

/* --- the reads stage: whoever needs a confirmed leader --- */

enum member_read_kind { MEMBER_READ_RANGE, MEMBER_READ_RENEW, MEMBER_READ_TTL, MEMBER_READ_EXPIRE };

struct member_read {
    enum member_read_kind kind;
    uint64_t connection;
    bool is_forwarded; /* From a peer: answered as WIRE_LEASE_ANSWER. */
    uint64_t deadline_ns;
    raft_term term;               /* Ours when its round began. */
    struct wire_message *request; /* Owned, flat; NULL for MEMBER_READ_EXPIRE. */
    size_t request_bytes;
    int64_t lease;
};

struct member_read_list {
    struct member_read *reads;
    uint32_t count;
    uint32_t capacity;
};

struct member_reads {
    struct member_read_list next;      /* Join the next round. */
    struct member_read_list round;     /* Wait for this round's confirmation. */
    struct member_read_list confirmed; /* Wait for applied >= index. */
    raft_index index;                  /* What `confirmed` waits for. */
    bool is_round_open;
    uint64_t number;       /* Of the last read index asked for, */
    uint64_t round_number; /* and of the first one of this round: any of them will do. */
    raft_term round_term;
    uint64_t retry_ns; /* Ask again at this instant. */
    bool is_woken;
};

/* --- requests passed on to the leader --- */

struct member_forward {
    uint64_t number; /* Ours, for the leader's answer. */
    uint64_t connection;
    uint64_t request_id;
    uint64_t deadline_ns;
    uint64_t retry_ns;
    raft_id to;                  /* RAFT_NONE: waits for a leader. */
    struct wire_request request; /* Lease calls only: no pointers in it. */
};

struct member_lessor {
    struct lease_lessor *lessor;
    raft_term promoted_term; /* The last it was promoted in: once in each. */
    struct member_forward *forwards;
    uint32_t forward_count;
    uint32_t forward_capacity;
    uint64_t forward_number;
    bool is_scan_due;
};

/* --- alarms --- */

/* By number as in struct wire_request. */
enum member_alarm_kind { MEMBER_ALARM_NO_SPACE = 1, MEMBER_ALARM_CORRUPT = 2, MEMBER_ALARM_CLEAR = 3 };

struct member_alarm {
    raft_id member; /* Who raised it. */
    uint64_t kind;
};

enum { MEMBER_ALARMS_MAX = 32 };

struct member_alarms {
    struct member_alarm list[MEMBER_ALARMS_MAX]; /* In the order they were raised. */
    uint32_t count;
    uint64_t check_ns; /* When to compare stores next. */
};

/* --- watches --- */

struct member_watch {
    uint64_t number; /* Ours, growing; the list is sorted by it. */
    uint64_t connection;
    uint64_t watch; /* The client's. */
    bool is_fragmented;
    bool is_noticed; /* It wants notices of progress. */
    bool is_idle;    /* It was told nothing since the last were due. */
};

struct member_watches {
    struct kv_watchers *watchers;
    struct member_watch *list;
    uint32_t count;
    uint32_t capacity;
    uint64_t number;
    uint64_t pass_ns;   /* When those behind are looked at next; 0: none is. */
    uint64_t notice_ns; /* When notices are due next; 0: nobody wants any. */
    uint64_t pass_from; /* The first of them that the last pass did not come to. */
};

/* --- backups under way --- */

struct member_backup {
    uint64_t number;
    uint64_t connection;
    struct kv_snapshot *stream;
    struct base_sha256 sha; /* Of what was handed out. */
    uint64_t offset;
    uint64_t deadline_ns; /* Its taker must have come by then. */
};

struct member_backups {
    uint64_t number; /* Of the newest. */
    uint32_t count;
    struct member_backup list[MEMBER_BACKUPS_MAX];
};

/* --- before there is Raft: what bootstrap knows (bootstrap.c, discovery.c) --- */

enum member_boot_state { MEMBER_BOOT_IDLE, MEMBER_BOOT_PROBE, MEMBER_BOOT_DISCOVER, MEMBER_BOOT_JOIN };

/* Of a member that joins (join.c). */
struct member_join {
    uint64_t deadline_ns;
    uint32_t answers;         /* Of this round, none of which fitted. */
    uint32_t misses;          /* Peers of this round that did not answer. */
    bool is_pausing;          /* Before the next round. */
    struct wal_text mismatch; /* What did not fit, last. */
};

enum member_discovery {
    MEMBER_DISCOVERY_SIZE,
    MEMBER_DISCOVERY_LOOK,  /* Is there room? */
    MEMBER_DISCOVERY_ENTER, /* There is: register. */
    MEMBER_DISCOVERY_WAIT   /* For the others. */
};

struct member_boot {
    bool is_over; /* Raft runs. */
    enum member_boot_state state;
    const struct member_peer *peers; /* The initial cluster: listed, or discovered. */
    uint32_t peer_count;
    const char *token;
    uint64_t call;           /* The number of the last question, */
    uint64_t due_ns;         /* and when its answer is late, or the next one is due. */
    struct base_bytes asked; /* MEMBER_BOOT_PROBE: the address of the peer asked. */
    enum member_discovery discovery;
    bool is_asking; /* MEMBER_BOOT_DISCOVER: else it waits before asking again. */
    uint32_t size;
    uint32_t retries;
    struct member_join join;
};

/* --- the first seconds: whoever finds its peers there need not wait long --- */

struct member_greeting {
    raft_index until; /* Committed when it began: once applied, peers are known. */
    bool is_over;
    uint64_t deadline_ns;
    uint32_t peer_count;
    raft_id peers[RAFT_MEMBERS_MAX]; /* Heard of. */
};

enum member_found { MEMBER_FOUND_LOG, MEMBER_FOUND_NOTHING, MEMBER_FOUND_DAMAGE };
/* --- changes of the membership --- */

/* A change that a client asked us for, until the leader has answered. */
struct member_asked {
    uint64_t number; /* Ours, for the leader's answer. */
    uint64_t connection;
    uint64_t request_id;
    uint64_t began_ns;
    uint64_t deadline_ns;
    raft_id to;                   /* RAFT_NONE: waits for a leader. */
    struct wire_message *request; /* Owned, flat. */
    size_t request_bytes;
};

/* A client waits until `to` leads. */
struct member_move {
    uint64_t connection;
    uint64_t request_id;
    uint64_t deadline_ns;
    raft_id to;
};

/* Since when a peer has been heard of without a pause, and when it was last. */
struct member_contact {
    raft_id id; /* RAFT_NONE: nobody yet. */
    uint64_t since_ns;
    uint64_t last_ns;
    uint64_t connection; /* Where its last message came from. */
};

struct member_changes {
    struct member_asked asked[MEMBER_ASKED_MAX];
    struct member_move moves[MEMBER_ASKED_MAX];
    uint32_t asked_count;
    uint32_t move_count;
    uint64_t asked_number;
    struct member_contact contacts[RAFT_MEMBERS_MAX];
    uint64_t began_ns;       /* This process. */
    uint64_t lead_since_ns;  /* Its last reign. */
    uint64_t joint_proposal; /* Ours, in force but joint; 0: none. */
    uint64_t removed_ns;     /* We are out, and stop at this instant; 0: not. */
    uint64_t yield_ns;       /* We lead and vote no more: hand over at this instant; 0: no. */
    uint64_t heard_ns;       /* When any peer was heard of last. */
    uint64_t dialled_ns;     /* When we asked the peers, for want of a word. */
};

struct member {
    struct member_config config; /* Strings live in `texts`. */
    struct base_arena texts;     /* The configuration's strings. */
    const struct base_allocator *allocator;
    const struct host *host;
    const struct disk *disk;
    struct host_observer observer; /* All NULL when nobody watches. */
    struct base_arena arena;       /* Of the call under way. */
    struct base_buffer scratch;    /* Encodings of the call under way. */

    uint64_t cluster_id;
    raft_id id;
    struct raft *raft;
    struct kv *kv;
    struct member_cluster cluster;
    struct member_storage storage;
    struct member_apply apply;
    struct member_proposals proposals;
    struct member_reads reads;
    struct member_lessor lessor;
    struct member_watches watches;
    struct member_alarms alarms;
    struct member_snapshots snapshots;
    struct member_backups backups;
    struct member_boot boot;
    struct member_greeting greeting;
    struct member_changes changes;
    struct member_work work;

    uint64_t now_ns; /* Of the call under way. */
    enum raft_role role;
    raft_id leader;
    raft_term term;
    uint64_t leader_lost_ns;  /* When the last leader was lost, */
    uint64_t leader_found_ns; /* and the present one found: for timeouts' wording. */
    uint64_t due_ns;          /* What the host was told. */
    bool is_published;
    uint64_t *hellos; /* Connections that were opened before we were ready. */
    uint32_t hello_count;
    uint64_t publish_ns; /* Propose our name again at this instant. */
    bool is_leaving;
    uint64_t leave_ns;
    bool is_stopped;
};

/* member.c */
/* Raft is there, with all that was found or begun: let it run. */
void member_boot_done(struct member *member);
uint64_t member_request_timeout(const struct member *member);
/* After anything that stepped Raft: carry out its Ready, set the timers. */
void member_settle(struct member *member);
void member_stop(struct member *member, const char *reason, const char *detail);
/* A message of ours to a peer, identity filled in. */
void member_send(struct member *member, raft_id to, struct wire_message *message);
bool member_is_leader(const struct member *member);
/* On a leader: the voter that has most of the log; RAFT_NONE: nobody is there. */
raft_id member_heir(const struct member *member);
/* Empty ones, for a start or for a snapshot to be loaded into. */
struct kv *member_new_kv(struct member *member);
struct lease_lessor *member_new_lessor(struct member *member);

/* storage.c */
void member_storage_append(struct member *member, const struct raft_message *append, bool must_sync);
/* Let go of the promises that are durable. true: one of them stepped Raft. */
bool member_storage_release(struct member *member);
void member_storage_done(struct member *member, uint64_t token, enum disk_status status);
void member_storage_free(struct member *member);

/* apply.c */
void member_apply_handed(struct member *member, const struct raft_message *apply);
void member_apply_run(struct member *member);
void member_apply_wake(struct member *member);

/* requests.c */
void member_request(struct member *member, uint64_t connection, const struct wire_request *request);
/* Answer a request with a status alone, or with what `response` holds besides. */
void member_respond(struct member *member, uint64_t connection, uint64_t request_id, enum base_status status,
                    struct wire_response *response);
/* Put a request into the log, at once or when there is a leader. `connection` 0:
 * nobody waits. false: refused, and said so. */
bool member_propose(struct member *member, uint64_t connection, const struct wire_request *request,
                    bool is_fenced);
/* The same for a change of the membership; its id stands in it already. */
bool member_propose_change(struct member *member, uint64_t connection, bool is_forwarded,
                           const struct wire_request *request);
/* What is said of a proposal that was not applied in time. */
enum base_status member_timeout_status(const struct member *member, uint64_t began_ns);
/* A proposal of ours took effect. */
void member_pending_done(struct member *member, uint64_t proposal_id, enum base_status status,
                         struct wire_response *response);
void member_proposals_leader(struct member *member); /* A leader is known: propose what waits. */
void member_proposals_due(struct member *member);
uint64_t member_proposals_due_ns(const struct member *member);
void member_proposals_release(struct member *member);

/* reads.c */
void member_read_add(struct member *member, enum member_read_kind kind, uint64_t connection,
                     bool is_forwarded, const struct wire_request *request, int64_t lease);
void member_reads_state(struct member *member, const struct raft_read_state *state);
void member_reads_leader_changed(struct member *member);
void member_reads_first_commit(struct member *member);
void member_reads_applied(struct member *member);
void member_reads_run(struct member *member);
void member_reads_due(struct member *member);
uint64_t member_reads_due_ns(const struct member *member);
void member_reads_release(struct member *member);

/* lessor.c */
void member_lease_request(struct member *member, uint64_t connection, const struct wire_request *request);
void member_lease_forwarded(struct member *member, uint64_t connection, const struct wire_request *request);
void member_lease_answered(struct member *member, const struct wire_response *response);
/* A confirmed leader serves a renewal or a question, or revokes what expired. */
void member_lease_confirmed(struct member *member, const struct member_read *read);
/* Calls that were passed on are tried again with the new leader. */
void member_lessor_leader_changed(struct member *member);
void member_lessor_run(struct member *member);
void member_lessor_due(struct member *member);
uint64_t member_lessor_due_ns(const struct member *member);
void member_lessor_release(struct member *member);

/* alarm.c */
bool member_alarm_is_on(const struct member *member, enum member_alarm_kind kind);
/* Must the request be refused, at its place in the log, for an alarm? */
enum base_status member_alarm_refusal(const struct member *member, const struct wire_request *request);
/* Or before it goes there, for the quota? Then the alarm is raised. */
enum base_status member_quota_refusal(struct member *member, const struct wire_request *request);
enum base_status member_alarm_apply(struct member *member, const struct wire_request *request);
void member_alarm_request(struct member *member, uint64_t connection, const struct wire_request *request);
/* The leader's hash of a revision: `revision`, `watch` the hash, `lease` compacted to. */
void member_hash_check_apply(struct member *member, const struct wire_request *request);
void member_hash_check_due(struct member *member);
uint64_t member_hash_check_due_ns(const struct member *member);
void member_alarms_save(const struct member *member, struct base_buffer *out);
bool member_alarms_load(struct member_alarms *alarms, struct base_reader *in);

/* watches.c */
void member_watch_request(struct member *member, uint64_t connection, const struct wire_request *request);
void member_watches_pump(struct member *member);
void member_watches_due(struct member *member);
uint64_t member_watches_due_ns(const struct member *member);
void member_watches_closed(struct member *member, uint64_t connection);
void member_watches_release(struct member *member);

/* changes.c */
bool member_is_change(enum wire_request_kind kind);
/* Hand an encoded wire_proposal of a change to Raft. false: it was dropped on the spot. */
bool member_propose_conf_change(struct member *member, struct base_bytes payload);
void member_apply_conf_change(struct member *member, const struct raft_entry *entry);
void member_change_request(struct member *member, uint64_t connection, const struct wire_request *request);
void member_change_forwarded(struct member *member, uint64_t connection, const struct wire_request *request);
void member_change_answered(struct member *member, const struct wire_response *response);
/* Answer a client, or the peer that passed its request on. */
void member_change_answer(struct member *member, uint64_t connection, bool is_forwarded, uint64_t request_id,
                          enum base_status status);
void member_move_request(struct member *member, uint64_t connection, const struct wire_request *request);
/* Another leader, or none. */
void member_changes_leader(struct member *member);
/* A peer of ours said something over a connection; it is gone. */
void member_heard(struct member *member, raft_id peer, uint64_t connection);
/* Is a peer connected now, and has it been for `for_ns`? */
bool member_is_connected(const struct member *member, raft_id id, uint64_t for_ns);
/* Where to answer a peer whose address we have not learnt yet; 0: nowhere. */
uint64_t member_way_back(const struct member *member, raft_id peer);
void member_unheard(struct member *member, raft_id peer);
/* Has the membership that came into force left us out? */
void member_maybe_removed(struct member *member);
void member_changes_due(struct member *member);
uint64_t member_changes_due_ns(const struct member *member);
void member_changes_release(struct member *member);

/* snapshot.c */
/* Enough was applied since the newest one: make another. */
void member_snapshot_maybe_begin(struct member *member);
/* The disk has got on: perhaps the one being made is durable. */
void member_snapshot_durable(struct member *member);
/* Raft wants to send one: announce it, then its state by chunks. */
void member_snapshot_send(struct member *member, const struct raft_message *message);
void member_snapshot_due(struct member *member);
uint64_t member_snapshot_due_ns(const struct member *member);
void member_snapshot_unreachable(struct member *member, raft_id peer);
/* A leader announces one; then its chunks come, and whole it is stepped. */
void member_snapshot_announced(struct member *member, const struct raft_message *message);
void member_snapshot_chunk(struct member *member, raft_id from, const struct wire_chunk *chunk);
/* Raft has taken it: write it down; and once it is durable, put it in place. */
void member_snapshot_store(struct member *member, const struct raft_snapshot *snapshot);
void member_snapshot_stored(struct member *member, struct raft_message *response);
/* Recovery tells the newest one. false: it cannot be read. */
void member_snapshot_recovering(struct member *member, const struct raft_snapshot *snapshot);
void member_snapshot_recovering_piece(struct member *member, struct base_bytes piece);
bool member_snapshot_recovered(struct member *member);
void member_snapshot_run(struct member *member);
void member_snapshots_release(struct member *member);

/* The part of a state that is not the store's: who belongs to us, and the leases. */
void member_snapshot_head(const struct member *member, struct base_buffer *out);
/* Put a whole state in place of what this member holds; with `members` they belong to
 * the cluster, whoever did. false: it cannot be read, and nothing changed. */
bool member_snapshot_load(struct member *member, struct base_bytes state,
                          const struct raft_snapshot *snapshot, const struct wire_member *members,
                          uint32_t member_count);
/* Tell whoever observes of the state that was loaded. */
void member_snapshot_loaded(const struct member *member, const struct raft_snapshot *snapshot);

/* backup.c */
void member_backup_request(struct member *member, uint64_t connection, const struct wire_request *request);
void member_backups_closed(struct member *member, uint64_t connection);
/* All end: the store they are of is no more. */
void member_backups_drop(struct member *member);
void member_backups_due(struct member *member);
uint64_t member_backups_due_ns(const struct member *member);

/* restore.c */
/* No log, but a backup: begin a new cluster from it. */
void member_restore(struct member *member);

/* bootstrap.c */
/* Find out who we are: from the disk, or from the configuration and from others.
 * It may be over at once, take a while, or end in a stop. */
void member_bootstrap(struct member *member);
/* The initial cluster is known: see that we are new in it, and found it. */
void member_boot_peers(struct member *member);
void member_boot_answered(struct member *member, const struct wire_message *message);
/* Whoever was asked by this number is not there. */
void member_boot_unanswered(struct member *member, uint64_t call);
void member_boot_due(struct member *member);
void member_boot_step(const struct member *member, const char *word);
void member_identify(const struct member *member);
/* The ids of the initial cluster's members, ascending, and our own. false: stopped. */
bool member_boot_ids(struct member *member, struct wire_member *members);
/* false: stopped. */
bool member_raft_make(struct member *member, raft_id id);

/* etcd: VerifyBootstrap, VerifyJoinExisting. false: stopped. */
bool member_boot_check_list(struct member *member);
/* The peer whose address comes next in order after `after`; our own is left out. */
const struct member_peer *member_boot_next_peer(const struct member *member, struct base_bytes after);

/* join.c */
void member_join(struct member *member);
void member_join_next(struct member *member);
void member_join_answered(struct member *member, const struct wire_response *response);
/* The peer that was asked said nothing in time, or the pause is over. */
void member_join_unanswered(struct member *member);

/* discovery.c */
void member_discover(struct member *member);
void member_discover_answered(struct member *member, const struct wire_response *response);
void member_discover_failed(struct member *member);
void member_discover_due(struct member *member);

/* restart.c */
/* Read the log, if there is one, into a new Raft. */
enum member_found member_restart(struct member *member);

/* greeting.c */
/* Raft has begun: ask who is there, once the peers are known. */
void member_greet(struct member *member);
/* A peer of ours was heard of. */
void member_greeted(struct member *member, raft_id peer);

#endif
