/* The steps of a reconfiguration, as prelude.lua takes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_RECONFIGURE_H
#define SIM_SCRIPT_RECONFIGURE_H

#include <lua.h>

int script_reconfigure_check_add(lua_State *lua);
int script_reconfigure_check_replace(lua_State *lua);
int script_reconfigure_check_many(lua_State *lua);
int script_reconfigure_machine(lua_State *lua);
int script_reconfigure_change(lua_State *lua);
int script_reconfigure_listed(lua_State *lua);
int script_reconfigure_start(lua_State *lua);
int script_reconfigure_arrived(lua_State *lua);

#endif
