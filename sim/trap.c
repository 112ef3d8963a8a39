/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_trap *armed;

void sim_trap_arm(struct sim_trap *trap)
{
    armed = trap;
}

/* Paths are as the compiler was given them, from the root or from elsewhere. */
static bool is_of_core(const char *file)
{
    return strncmp(file, "core/", 5) == 0 || strstr(file, "/core/");
}

/* The C library calls this for a broken assert(); a program's own comes before the
 * library's. The name and its shape are glibc's. */
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    if (armed && is_of_core(file)) {
        struct sim_trap *trap = armed;
        armed = NULL;
        trap->assertion = assertion;
        trap->file = file;
        trap->line = line;
        longjmp(trap->place, 1);
    }
    (void)fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, assertion);
    abort();
}
