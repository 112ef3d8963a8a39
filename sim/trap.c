/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* sigaltstack */
#include "sim/trap.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

static struct sim_trap *armed;

_Noreturn void sim_trap_die(int number)
{
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    abort();
}

/* Only ever of the instruction under way: as good as a call. */
static void on_signal(int number)
{
    if (!armed) {
        sim_trap_die(number);
    }
    struct sim_trap *trap = armed;
    armed = NULL;
    trap->signal = number;
    longjmp(trap->place, 1);
}

/* On a stack of its own: the usual one may be what has run out. */
static void catch_signals(void)
{
    enum { STACK_BYTES = 64 << 10 };
    static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    static char stack[STACK_BYTES];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    (void)sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        (void)sigaction(caught[i], &action, NULL);
    }
}

void sim_trap_arm(struct sim_trap *trap)
{
    static bool is_ready;
#ifndef __SANITIZE_ADDRESS__
    if (!is_ready) {
        is_ready = true;
        catch_signals();
    }
#endif
    (void)is_ready;
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
