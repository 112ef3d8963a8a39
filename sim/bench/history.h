/* How fast recorded histories of plain registers are judged. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BENCH_HISTORY_H
#define SIM_BENCH_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

struct bench_history_options {
    uint32_t operations;
    uint32_t keys;
    uint32_t clients;
    bool is_impossible; /* One read in the middle saw what it cannot have seen. */
};

/* Make a history of calls that overlap, and judge it: processor time for the latter.
 * false: the verdict is wrong. */
bool bench_history(const struct bench_history_options *options, uint64_t *cpu_ns);

#endif
