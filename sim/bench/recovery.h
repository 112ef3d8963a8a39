/* How fast a log comes back after a crash. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BENCH_RECOVERY_H
#define SIM_BENCH_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

struct bench_recovery_options {
    uint32_t entries;
    uint32_t entry_bytes;
    uint32_t entries_per_save;
    uint64_t segment_bytes;
};

/* Write such a log to a simulated disk, lose the process, and read it back into a
 * Raft node as a member's start does: processor time for the latter. false: not all of
 * it came back. */
bool bench_recovery(const struct bench_recovery_options *options, uint64_t *cpu_ns);

#endif
