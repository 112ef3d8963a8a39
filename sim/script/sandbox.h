/* Lua without a way out, and without anything that depends on addresses, time,
 * hash order or the collector (SCENARIOS.md, "Sandbox"). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_SANDBOX_H
#define SIM_SCRIPT_SANDBOX_H

#include <lua.h>

void script_sandbox_open(lua_State *lua);
/* In the registry: all metatables that were ever set and are still there. */
extern const void *const script_metatables_key;

/* Its parts: pairs and next; sort; strings; coroutines; require and load. */
void script_pairs_open(lua_State *lua);
void script_sort_open(lua_State *lua);
void script_string_open(lua_State *lua);
void script_coroutine_open(lua_State *lua);
void script_require_open(lua_State *lua);

/* tostring() without addresses; pushes it. */
void script_push_tostring(lua_State *lua, int index);

#endif
