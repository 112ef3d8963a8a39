/* Where a broken assertion of the core, or a signal that ends processes, goes while a run
 * is under way.
 *
 * The core asserts what must be true of itself. When one of these does not hold, or a
 * member's step reaches for memory that is not its own, the process it stands for has a
 * bug, and that is a finding about the run like any other: with a seed that replays it.
 * Assertions of the testbed's own are none of this: they abort, and the run is not judged;
 * so do signals in nobody's step. A sanitizer keeps its signals. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TRAP_H
#define SIM_TRAP_H

#include <setjmp.h>

struct sim_trap {
    jmp_buf place; /* Set by whoever arms it: back there with 1. */
    const char *assertion;
    const char *file;
    unsigned line;
    int signal; /* 0: an assertion. */
};

/* From now on an assertion that breaks under core/, or a signal, fills the trap in and
 * jumps to its place. What lay between is left as it stood: the world may be reset or freed, not run
 * on. NULL: nobody waits any more. */
void sim_trap_arm(struct sim_trap *trap);
/* Die of the signal after all: it was not the core's. */
_Noreturn void sim_trap_die(int signal);

#endif
