/* One world: machines, what connects them, and the queue of everything that is
 * still to happen. A run is a pure function of (build, options, script, seed).
 *
 * This is the face a script, a nemesis or a test drives it by. Machines are
 * numbers: members 1 to N (those that join later go on from there), clients from
 * SIM_MEMBERS_MAX + 1 on in the order of their making. Calls that refuse answer a sentence
 * saying why (static, or valid until the next call), NULL when done. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "core/raft/raft.h"
#include "core/wire/wire.h"
#include "sim/check/check.h"
#include "sim/coverage.h"
#include "sim/disk.h"
#include "sim/options.h"
#include "sim/point.h"
#include "sim/record.h"

struct sim_world;
typedef uint32_t sim_machine_number;

/* `options` is copied. Nobody is started yet; see sim_world_boot. */
struct sim_world *sim_world_new(const struct sim_options *options, uint64_t seed);
void sim_world_free(struct sim_world *world);
/* Make the world anew in the same memory: what a worker does between seeds. */
void sim_world_reset(struct sim_world *world, const struct sim_options *options, uint64_t seed);

uint64_t sim_world_now(const struct sim_world *world);
struct sim_recorder *sim_world_recorder(struct sim_world *world);
struct check *sim_world_check(struct sim_world *world);
/* An assertion of the core broke, or a signal came, in the step of whoever was in one
 * (sim/trap.h): the judges hear of it. false: nobody was; of an assertion they hear all the
 * same. The world can only be looked at, reset or freed from here on. */
bool sim_world_broken(struct sim_world *world, const char *what, bool is_assertion);
const struct sim_options *sim_world_options(const struct sim_world *world);
/* Let the next event happen. false: nothing is left to happen. */
bool sim_world_step(struct sim_world *world);
/* Did a field a predicate may ask for change since the last call? (Role, term,
 * leader, commit, applied, liveness, a watch or call; for native waits.) */
bool sim_world_take_changed(struct sim_world *world);
/* Call `fire` at a true instant (>= now). Answers a number for cancelling. */
uint64_t sim_world_at(struct sim_world *world, uint64_t time_ns, void (*fire)(void *context), void *context);
void sim_world_cancel(struct sim_world *world, uint64_t timer);
/* A line of the script's own in the trace. */
void sim_world_note(struct sim_world *world, const char *text);
/* Be told of every point that a member passes (NULL: no more). Called in the middle of
 * the member's step: look at anything, do anything to machines and the network but
 * call a client; a member that is killed there does nothing more. */
typedef void (*sim_point_reached)(void *context, const struct sim_point *point);
void sim_world_points(struct sim_world *world, sim_point_reached reach, void *context);
/* What a run has spent so far. */
struct sim_cost {
    uint64_t time_ns;
    uint64_t operator_actions; /* Commands of an operator: start, stop, wipe, change members, backup,
                                  restore … Faults are nobody's work. */
    uint64_t messages;         /* Sent, by members and clients, lost ones too. */
    uint64_t bytes;            /* Of them. */
    uint64_t entries;          /* Appended, on each member. */
    uint64_t syncs;            /* Asked of the disks. */
};
void sim_world_cost(const struct sim_world *world, struct sim_cost *out);
uint64_t sim_world_events(const struct sim_world *world);
const struct sim_coverage *sim_world_coverage(const struct sim_world *world);

/* --- members --- */

struct sim_member_view {
    sim_machine_number number;
    uint64_t member_id;
    uint64_t cluster_id;
    const char *name;
    const char *role; /* "leader" … "down" */
    const char *exit; /* "" while it lives or never lived. */
    bool alive;       /* The process runs (paused or not). */
    bool paused;
    bool started; /* It ran at least once. */
    bool ready;   /* It has published itself: it serves. */
    bool is_learner;
    uint64_t term;
    uint64_t vote; /* A number, 0 none. */
    uint64_t commit;
    uint64_t applied;
    uint64_t last_index;
    uint64_t last_term;
    sim_machine_number leader; /* Whom it follows, 0 none. */
    int64_t revision;
    uint64_t store_hash;
    uint64_t state_hash; /* With the membership; 0 while it is down. */
    uint64_t disk_used_bytes;
    uint64_t memory_bytes;
    uint64_t requests_served;
    uint32_t connections;
    uint64_t local_ns; /* Its own clock. */
    int64_t wall_ns;   /* Its wall clock. */
};

uint32_t sim_member_count(const struct sim_world *world);
/* A machine for a member that is to come, with the next number; 0: there are as many as
 * there can be. And the id that the cluster has given to it. */
sim_machine_number sim_member_new(struct sim_world *world);
void sim_member_assign(struct sim_world *world, sim_machine_number member, uint64_t member_id);
/* Voters by the newest configuration that any live member has, bit 0 for member 1; before
 * there is one, those of the options. */
uint64_t sim_voters(struct sim_world *world);
/* The fields of a member that is down keep their last values. Hashes cost
 * a walk of the store: they are filled only when `with_hash`. */
void sim_member_view(struct sim_world *world, sim_machine_number member, bool with_hash,
                     struct sim_member_view *out);
/* The term of one log entry on a member; false when it has not got it. */
bool sim_member_term_at(struct sim_world *world, sim_machine_number member, uint64_t index, uint64_t *term);
/* The live, unpaused leader whose term no live member exceeds; 0 none. Where there
 * are several clusters, of the one that was last to have its first leader. */
sim_machine_number sim_leader(struct sim_world *world);
/* Is it not of a cluster that led before that one did? */
bool sim_member_is_current(const struct sim_world *world, sim_machine_number member);

/* Start every member (start = "bootstrap"). */
const char *sim_world_boot(struct sim_world *world);
/* What one member is told at its first start, where it differs. */
/* Strings live as long as the run. */
struct sim_boot {
    const char *token;     /* NULL: the cluster's. */
    const char *name;      /* NULL: its own. */
    const char *url;       /* Where it says it lives; NULL: where it does. */
    const char *state;     /* NULL: "new". */
    const char *discovery; /* A token; NULL: none. */
    bool has_peers;        /* Else all voters and learners of the options, or whom it discovers. */
    uint32_t peer_count;
    const char *peer_names[SIM_MEMBERS_MAX];
    const char *peer_urls[SIM_MEMBERS_MAX];
};
/* Start a member that never ran, was wiped, or is down; `boot` may be NULL. */
const char *sim_member_start(struct sim_world *world, sim_machine_number member, const struct sim_boot *boot);
const char *sim_member_crash(struct sim_world *world, sim_machine_number member);
const char *sim_member_power_off(struct sim_world *world, sim_machine_number member);
const char *sim_member_restart(struct sim_world *world, sim_machine_number member);
const char *sim_member_stop(struct sim_world *world, sim_machine_number member);
const char *sim_member_pause(struct sim_world *world, sim_machine_number member);
const char *sim_member_resume(struct sim_world *world, sim_machine_number member);
const char *sim_member_wipe(struct sim_world *world, sim_machine_number member);
/* Ticks stop for so long, the clock runs. */
const char *sim_member_stall_timer(struct sim_world *world, sim_machine_number member, uint64_t duration_ns);
/* The disk answers nothing for so long. */
const char *sim_member_stall_disk(struct sim_world *world, sim_machine_number member, uint64_t duration_ns);
/* How a machine's disk behaves, and that it shall behave so from now on. */
const struct sim_disk_behaviour *sim_member_disk(const struct sim_world *world, sim_machine_number member);
void sim_member_set_disk(struct sim_world *world, sim_machine_number member,
                         const struct sim_disk_behaviour *behaviour);
/* Flip so many bits of what is durable on it. Answers how many there were to flip. */
uint32_t sim_member_rot(struct sim_world *world, sim_machine_number member, uint32_t bit_count);
/* A copy of the data directory, numbered from 1, kept until the run ends; and a
 * restart from one. */
uint32_t sim_member_image(struct sim_world *world, sim_machine_number member);
const char *sim_member_restart_from(struct sim_world *world, sim_machine_number member, uint32_t image);
/* Multiply the processor's costs, in thousandths; stage HOST_STAGE_COUNT is all. */
const char *sim_member_slow(struct sim_world *world, sim_machine_number member, uint32_t thousandths,
                            uint32_t stage);
const char *sim_machine_drift(struct sim_world *world, sim_machine_number machine, int64_t drift_ppm);
const char *sim_machine_freeze(struct sim_world *world, sim_machine_number machine, uint64_t duration_ns);
/* The wall clock is off by so much from now on; a jump adds to what it is off by. */
const char *sim_machine_skew(struct sim_world *world, sim_machine_number machine, int64_t skew_ns);
const char *sim_machine_jump(struct sim_world *world, sim_machine_number machine, int64_t jump_ns);
uint64_t sim_machine_local(struct sim_world *world, sim_machine_number machine);

/* --- disasters --- */

struct sim_restore {
    struct base_bytes file; /* A backup. */
    uint64_t bump_revision;
    bool mark_compacted;
};

/* A machine for a new directory: one whose process is down and that is not among the
 * `taken` ones (bits), else a new one. 0: there is no more room. */
sim_machine_number sim_member_vacant(struct sim_world *world, uint64_t taken);
/* Put a backup in place of the member's directory, and start it from there. */
const char *sim_member_restore(struct sim_world *world, sim_machine_number member,
                               const struct sim_boot *boot, const struct sim_restore *restore);
/* Start it as the only member there is, from the log it has. */
const char *sim_member_force(struct sim_world *world, sim_machine_number member);
/* Acknowledged revisions that the clusters made by these do not have. */
int64_t sim_lost(const struct sim_world *world);
/* The operator did something that no call here is about. */
void sim_operator_acted(struct sim_world *world);

/* --- discovery --- */

/* The discovery service, made when it is first asked for. With `size`, the token is
 * for so many members, unless it is for a number already. */
sim_machine_number sim_registry_open(struct sim_world *world, const char *token, const char *size);
/* The service's machine; 0: there is none. */
sim_machine_number sim_registry(const struct sim_world *world);
/* How many have registered under a token. */
uint32_t sim_registry_count(struct sim_world *world, const char *token);
bool sim_registry_is_alive(const struct sim_world *world);
const char *sim_registry_crash(struct sim_world *world);
const char *sim_registry_restart(struct sim_world *world);

/* --- the network --- */

/* Cut everything between two groups named in different lists; machines in no list
 * talk to all; replaces an earlier partition. groups[i] is the group of machine
 * i (0: none); clients in no list reach all. */
void sim_partition(struct sim_world *world, const uint32_t *groups, uint32_t machine_count);
/* Cut a member off all other members. */
void sim_isolate(struct sim_world *world, sim_machine_number member);
/* What a sends no longer reaches b. */
void sim_cut(struct sim_world *world, sim_machine_number a, sim_machine_number b);
/* End cuts and partitions. */
void sim_heal(struct sim_world *world);
void sim_link(struct sim_world *world, sim_machine_number a, sim_machine_number b,
              const struct sim_link_options *options);
void sim_network(struct sim_world *world, const struct sim_link_options *options);
/* The options in force between two machines (0, 0: everybody's). */
void sim_link_options(struct sim_world *world, sim_machine_number a, sim_machine_number b,
                      struct sim_link_options *out);
bool sim_is_cut(const struct sim_world *world, sim_machine_number a, sim_machine_number b);

/* --- clients --- */

struct sim_client_options {
    uint32_t endpoint_count; /* 0: sim_members_open. */
    sim_machine_number endpoints[SIM_MEMBERS_MAX];
    uint64_t timeout_ns; /* 0: 2 * (5 s + 2 E). */
    uint64_t keepalive_every_ns;
    uint64_t keepalive_timeout_ns;
};

/* Whom a client may ask: all there are now, but for those of a cluster that another has
 * replaced and those that were removed. Bit 0 is m1. */
uint64_t sim_members_open(const struct sim_world *world);
/* A client machine of its own. */
sim_machine_number sim_client_new(struct sim_world *world, const struct sim_client_options *options);
/* Call; `done` comes later, once, with the response (borrowed). Every call and
 * answer is part of the history that is judged. */
typedef void (*sim_call_done)(void *context, const struct wire_response *response, bool is_unknown);
uint64_t sim_client_call(struct sim_world *world, sim_machine_number client,
                         const struct wire_request *request, sim_call_done done, void *context);
/* The same over the connection to one member only. */
uint64_t sim_client_call_at(struct sim_world *world, sim_machine_number client, sim_machine_number member,
                            const struct wire_request *request, sim_call_done done, void *context);
/* Events of a watch; `done` is called for each batch until cancelled. */
typedef void (*sim_watch_batch)(void *context, const struct wire_watch *batch);
uint64_t sim_client_watch(struct sim_world *world, sim_machine_number client,
                          const struct wire_request *create, sim_watch_batch batch, void *context);
void sim_client_watch_cancel(struct sim_world *world, sim_machine_number client, uint64_t watch);
void sim_client_watch_progress(struct sim_world *world, sim_machine_number client, uint64_t watch);
/* Keep alive; the deadline is on the client's own clock, 0: gone. */
void sim_client_lease_keep(struct sim_world *world, sim_machine_number client, int64_t lease, int64_t ttl_s,
                           uint64_t until_ns);
void sim_client_lease_forget(struct sim_world *world, sim_machine_number client, int64_t lease);
uint64_t sim_client_lease_deadline(struct sim_world *world, sim_machine_number client, int64_t lease);
const char *sim_client_pause(struct sim_world *world, sim_machine_number client);
const char *sim_client_resume(struct sim_world *world, sim_machine_number client);
void sim_client_disconnect(struct sim_world *world, sim_machine_number client);

/* Wait for a lock; `done` comes once. BASE_OK: the client has it, with `revision` as
 * the fencing token. Answers the lock's number, for abandoning the wait; within_ns as
 * client_lock has it. */
typedef void (*sim_lock_done)(void *context, enum base_status status, int64_t revision, bool is_unknown);
uint64_t sim_client_lock(struct sim_world *world, sim_machine_number client, struct base_bytes name,
                         int64_t lease, uint64_t within_ns, sim_lock_done done, void *context);
void sim_client_lock_abandon(struct sim_world *world, sim_machine_number client, uint64_t lock);

/* --- the end of a run --- */

/* Loads stop; cuts and faults end, paused members resume, crashed ones with whole
 * disks restart; from here on progress is demanded. */
void sim_world_heal_all(struct sim_world *world);
/* The bound 30 E, counted anew while a member still catches up, is checked by the
 * world; true once everybody has converged (or a violation is recorded). */
bool sim_world_is_settled(struct sim_world *world);

#endif
