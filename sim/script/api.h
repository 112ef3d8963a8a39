/* The names a scenario sees, from api.def. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_API_H
#define SIM_SCRIPT_API_H

#include <lauxlib.h>
#include <lua.h>

/* Put all globals and classes into a state. */
void script_api_open(lua_State *lua);
/* The global that may be meant by a name there is not; NULL when none is near. */
const char *script_api_nearest_global(const char *name);

/* Each file of bindings registers what it has. */
void script_globals_open(lua_State *lua);
void script_random_open(lua_State *lua);
void script_cluster_open(lua_State *lua);
void script_member_open(lua_State *lua);
void script_client_open(lua_State *lua);
void script_lease_open(lua_State *lua);
void script_watch_open(lua_State *lua);
void script_load_open(lua_State *lua);
void script_handle_open(lua_State *lua);
void script_backup_open(lua_State *lua);
void script_discovery_open(lua_State *lua);
void script_prelude_open(lua_State *lua);

/* Functions defined elsewhere than in the file that lists them. */
int script_call_scenario(lua_State *lua);
int script_call_experiment(lua_State *lua);
int script_call_expect(lua_State *lua);
int script_call_eventually(lua_State *lua);
int script_call_always(lua_State *lua);
int script_call_random(lua_State *lua);
int script_call_choose(lua_State *lua);
int script_call_shuffle(lua_State *lua);
int script_call_at(lua_State *lua);
int script_call_when(lua_State *lua);

#endif
