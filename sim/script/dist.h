/* Distributions as a script writes them: a duration, a range, or one of uniform,
 * normal, lognormal, exponential, pareto, constant and empirical. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_DIST_H
#define SIM_SCRIPT_DIST_H

#include "sim/dist.h"

#include <lua.h>

/* What stands at `index`; false when it is none. What `points` point to belongs to
 * the state. */
bool script_dist_read(lua_State *lua, int index, struct sim_dist *out);
/* The globals that make distributions. */
int script_dist_make(lua_State *lua, enum sim_dist_kind kind);
/* Push the distribution at `index` as a scenario writes it: "pareto(0.005, 3)". Answers
 * how many values that are, 0 when it is something else. */
int script_dist_write(lua_State *lua, int index);

#endif
