/* The C face of the PCG library's generator pcg64: 128 bits of state, 2^127
 * streams, 64 bits a draw. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PCG_H
#define SIM_PCG_H

#include <stdint.h>

/* `state` is 32 bytes aligned to 16; two streams never meet, whatever the state
 * they start from. */
void sim_pcg_seed(void *state, const uint64_t start[2], const uint64_t stream[2]);
uint64_t sim_pcg_next(void *state);

#endif
