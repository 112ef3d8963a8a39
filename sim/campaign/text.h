/* Words on a command line: numbers, ranges and durations as SCENARIOS.md writes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_TEXT_H
#define SIM_CAMPAIGN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of `text` as a number; false, `out` untouched, when it is anything else. */
bool campaign_text_u64(const char *text, uint64_t *out);
/* "60s", "1.5s", "10ms", "2min", "1hour"; a bare number is seconds. */
bool campaign_text_duration(const char *text, uint64_t *out_ns);
/* "N" is 1 to N, "A..B" is A to B. */
bool campaign_text_seeds(const char *text, uint64_t *first, uint64_t *last);
/* "I/N", 1 <= I <= N. */
bool campaign_text_shard(const char *text, uint32_t *number, uint32_t *count);
/* Simulated time as people read it: "12.345678901s". `out` has 32 bytes. */
void campaign_text_time(uint64_t time_ns, char out[32]);

#endif
