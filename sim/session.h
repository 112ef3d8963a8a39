/* What a client of a load does over more than one call: leases that it keeps, uses and
 * lets go, watches that it opens and closes, locks that it waits for, holds and gives
 * back. Each step is one thing asked for; what it does next follows from the draw and
 * from what it has. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "sim/random.h"
#include "sim/world.h"

enum sim_outcome { SIM_OUTCOME_OK, SIM_OUTCOME_FAILED, SIM_OUTCOME_UNKNOWN };

/* A step is over. `is_call`: it was one call, so that its time says something. */
typedef void (*sim_step_done)(void *context, enum sim_outcome outcome, bool is_call);

struct sim_session;

struct sim_session *sim_session_new(struct sim_world *world, sim_machine_number client, uint64_t seed);
void sim_session_free(struct sim_session *session);
/* A lease is granted, renewed, asked about, revoked, left to expire, or `key` is put
 * with it. */
void sim_session_lease(struct sim_session *session, struct base_bytes key, struct base_bytes value,
                       sim_step_done done, void *context);
/* A watch of `key`, or of all keys of the load, is opened, an older one closed; over
 * with its first events, or after a second without. */
void sim_session_watch(struct sim_session *session, struct base_bytes key, sim_step_done done, void *context);
/* A lock of this name is waited for; or the one that is held is used, given back, or
 * left to its lease. */
void sim_session_lock(struct sim_session *session, struct base_bytes name, struct base_bytes value,
                      sim_step_done done, void *context);

#endif
