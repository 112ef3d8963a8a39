/* What a scenario can do with its cluster: one function for each method of c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_CLUSTER_H
#define SIM_SCRIPT_CLUSTER_H

#include "sim/script/member.h"

#define CLUSTER(name, written, text) int script_cluster_##name(lua_State *lua);
#include "sim/script/api.def"

/* The world, for a method that was called with a colon. */
struct script_run *script_cluster_self(lua_State *lua, const char *method);
/* The machine of the client that operators use, made when it is first needed; its
 * endpoints are all members. */
sim_machine_number script_cluster_admin(lua_State *lua, struct script_run *run);
/* Members whose processes run and are not paused, as bits. */
uint64_t script_cluster_live(struct sim_world *world);
/* "m1 leader in term 2, m2 down (crashed)": for messages. */
void script_cluster_print(struct sim_world *world, char out[320]);
/* What is left of `within` unless said: 30 election timeouts. */
uint64_t script_cluster_within(const struct script_run *run);

#endif
