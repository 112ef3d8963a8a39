/* A scenario's or experiment's table, but for the world it wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_SCENARIO_H
#define SIM_SCRIPT_SCENARIO_H

#include "core/base/arena.h"
#include "sim/script/value.h"

/* Read the name at 1 and the table at 2; every key is checked. What the scenario
 * points to lives in `arena`. */
void script_scenario_read(lua_State *lua, bool is_experiment, struct base_arena *arena,
                          struct script_scenario *out);

#endif
