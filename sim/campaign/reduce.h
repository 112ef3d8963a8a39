/* A piece of Lua made simpler, one small step at a time: an element of a table left
 * out, a number with fewer digits. No step makes a piece longer, and none can be taken
 * back by another. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_REDUCE_H
#define SIM_CAMPAIGN_REDUCE_H

#include "core/base/arena.h"

#include <stdbool.h>

/* The piece after step `number` (from 0); NULL: there are not so many. The text is the
 * arena's. */
const char *campaign_reduce(const char *text, size_t number, struct base_arena *texts);
size_t campaign_reduce_count(const char *text);

/* The piece without a member, those behind it moved up: out of lists it is left out.
 * NULL: it is about that member. */
const char *campaign_reduce_member(const char *text, unsigned member, struct base_arena *texts);
/* The piece with a name in place of another. */
const char *campaign_reduce_name(const char *text, const char *before, const char *after,
                                 struct base_arena *texts);
/* A table's `key = number` with another number, which is added when there is none.
 * Answers the number that it was, or `otherwise`. */
uint64_t campaign_reduce_key(const char *text, const char *key, uint64_t otherwise);
const char *campaign_reduce_set_key(const char *text, const char *key, uint64_t number,
                                    struct base_arena *texts);

#endif
