/* The recording side of a tape (tape.h): what a run tells it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_TAPING_H
#define SIM_SCRIPT_TAPING_H

#include "sim/script/state.h"
#include "sim/script/tape.h"

/* From now on the state's calls are taken down. */
void script_tape_open(struct script_state *state, struct script_tape *tape);
/* The scenario's table of this name stands on top of the stack, and stays there. */
void script_tape_option(lua_State *lua, const char *name);
/* The script is over, or (else) the run. */
void script_tape_end(struct script_tape *tape, uint64_t now_ns, bool is_over);

#endif
