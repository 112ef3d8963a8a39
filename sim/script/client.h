/* A client of the cluster: one function for each method of cli, and what its calls
 * are made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_CLIENT_H
#define SIM_SCRIPT_CLIENT_H

#include "sim/script/member.h"
#include "sim/script/object.h"

#define CLIENT(name, written, text) int script_client_##name(lua_State *lua);
#include "sim/script/api.def"

struct script_client {
    struct script_numbered head; /* Its machine. */
};

/* The client of a method that was called with a colon. */
sim_machine_number script_client_self(lua_State *lua, const char *method);
/* `false, err` unless the call went well: then 0. */
int script_client_failed(lua_State *lua, const struct script_wait *wait);
/* A lease object, or its number, at `index`. */
int64_t script_check_lease(lua_State *lua, int index, const char *call);
/* Push a new lease object of the client at 1. */
void script_push_lease(lua_State *lua, sim_machine_number client, int64_t lease, int64_t ttl_s,
                       uint64_t deadline_ns);
/* Up to when, on its client's clock, a lease object may be believed in. */
uint64_t script_lease_deadline(struct sim_world *world, const void *lease);
/* Endpoints: a list of members, or one, at `index` of the stack. */
void script_client_endpoints(lua_State *lua, int index, const char *call, struct sim_client_options *out);

/* Records, as the store answers them. */
void script_push_record(lua_State *lua, const struct kv_record *record);
void script_push_range(lua_State *lua, const struct kv_result *result, int64_t revision);

/* txn{…}: the table at `index` as a transaction; its memory is the state's. */
const struct kv_txn *script_txn_read(lua_State *lua, int index);
/* Push what it answered; the table that asked is at `index`. */
void script_txn_push(lua_State *lua, int index, const struct kv_result *result, int64_t revision);
/* Options of put, range and delete, the table at `index`. */
void script_op_put(lua_State *lua, int index, const struct script_path *path, struct kv_op *op);
void script_op_range(lua_State *lua, int index, const struct script_path *path, struct kv_op *op);
void script_op_delete(lua_State *lua, int index, const struct script_path *path, struct kv_op *op);

#endif
