/* Load: clients that call at a rate or in a closed loop, from a stream of their
 * own. Offered evenly: request i at start + i / rate. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "sim/world.h"

enum sim_load_kind {
    SIM_LOAD_PUT,
    SIM_LOAD_GET,
    SIM_LOAD_RANGE,
    SIM_LOAD_DELETE,
    SIM_LOAD_TXN,
    SIM_LOAD_WATCH,
    SIM_LOAD_LEASE,
    SIM_LOAD_LOCK,
    SIM_LOAD_KINDS
};

enum sim_load_pick { SIM_PICK_UNIFORM, SIM_PICK_ZIPF, SIM_PICK_HOT };

struct sim_load_options {
    uint32_t clients;
    uint64_t rate_millihertz;     /* In all; 0: closed loop. */
    uint32_t mix[SIM_LOAD_KINDS]; /* Weights. */
    uint32_t keys;
    enum sim_load_pick pick;
    uint32_t value_bytes;
    bool is_serializable;             /* Reads. */
    struct sim_client_options client; /* Endpoints. */
    bool is_pinned;                   /* Client i talks to endpoint i mod n only. */
};

struct sim_load_counts {
    uint64_t offered;
    uint64_t ok;
    uint64_t failed;  /* Refused for sure. */
    uint64_t unknown; /* May have happened. */
};

struct sim_load;

/* Belongs to the world and ends with it. */
struct sim_load *sim_load_start(struct sim_world *world, const struct sim_load_options *options);
void sim_load_stop(struct sim_load *load);
bool sim_load_is_idle(const struct sim_load *load); /* Stopped, and nothing under way. */
void sim_load_counts(const struct sim_load *load, struct sim_load_counts *out);
/* The latency at a quantile in millionths, ns; 0 without answers. */
uint64_t sim_load_latency(struct sim_load *load, uint32_t quantile_ppm);
void sim_loads_stop_all(struct sim_world *world);
bool sim_loads_are_idle(const struct sim_world *world);

#endif
