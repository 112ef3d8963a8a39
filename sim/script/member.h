/* Members as a script names them: an object, a number, or a name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_MEMBER_H
#define SIM_SCRIPT_MEMBER_H

#include "sim/script/run.h"
#include "sim/script/value.h"

/* Push the object of a member (always the same one in a run); nil for 0. */
void script_push_member(lua_State *lua, sim_machine_number member);
/* The member that stands at `index`; an error when there is none. */
sim_machine_number script_check_member(lua_State *lua, int index, const char *call);
/* Members of the list, or the one member, at `index`, as bits by number. */
uint64_t script_check_members(lua_State *lua, int index, const char *call);
/* A member, or a client, of which one can be cut off. */
sim_machine_number script_check_machine(lua_State *lua, int index, const char *call);
/* Push a list of the members whose bits are set. */
void script_push_members(lua_State *lua, uint64_t members);
static inline uint64_t script_member_bit(sim_machine_number member)
{
    return UINT64_C(1) << (member - 1);
}
/* Raise what the world refuses; NULL is no refusal. */
void script_check_done(lua_State *lua, const char *call, const char *refusal);
/* `x:clock{drift=, freeze=, skew=, jump=}`, the table at 2. */
void script_clock(lua_State *lua, sim_machine_number machine, const char *call);
/* `m:disk{…}`, the table at 2. */
void script_disk(lua_State *lua, sim_machine_number member);
/* `m:image()`, and a restart from the image at `index`. */
int script_push_image(lua_State *lua, sim_machine_number member);
bool script_is_image(lua_State *lua, int index);
const char *script_restart_image(lua_State *lua, int index, sim_machine_number member);

#endif
