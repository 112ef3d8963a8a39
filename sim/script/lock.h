/* Who holds which lock, for the judge of locks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_LOCK_H
#define SIM_SCRIPT_LOCK_H

#include "sim/script/client.h"

/* For prelude.lua: wait(client, name, lease) answers the fencing token; hold(client,
 * name, lease, token) whether the lease has time left; release(client, name). */
int script_lock_wait(lua_State *lua);
int script_lock_hold(lua_State *lua);
int script_lock_release(lua_State *lua);

#endif
