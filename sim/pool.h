/* Memory for messages in flight: blocks of size classes from free lists, kept
 * from seed to seed. Two makings of one face: pool.c, and pool_malloc.c for builds
 * with sanitizers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include <stddef.h>
#include <stdint.h>

struct sim_pool;

struct sim_pool *sim_pool_new(void);
/* Blocks still in use die with it. */
void sim_pool_free(struct sim_pool *pool);
/* Take every block back at once; the memory of classes stays. */
void sim_pool_reset(struct sim_pool *pool);
/* `size` bytes with unspecified content, aligned to 16. Classes are the powers of
 * two from 64 B to 64 KiB; what is larger comes from malloc. */
void *sim_pool_take(struct sim_pool *pool, size_t size);
/* NULL is fine. */
void sim_pool_give(struct sim_pool *pool, void *block);
uint64_t sim_pool_blocks(const struct sim_pool *pool);     /* In use. */
uint64_t sim_pool_kept_bytes(const struct sim_pool *pool); /* Taken from the system. */

#endif
