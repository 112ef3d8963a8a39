/* Who holds which lock, for the judge of locks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_LOCK_H
#define SIM_SCRIPT_LOCK_H

#include "sim/script/client.h"

/* For prelude.lua: hold(client, name, lease) and release(client, name). */
int script_lock_hold(lua_State *lua);
int script_lock_release(lua_State *lua);

#endif
