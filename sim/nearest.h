/* What somebody meant who wrote a name that is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_NEAREST_H
#define SIM_NEAREST_H

#include <stddef.h>

/* The name among `count` that is nearest to `word` by edits; NULL when none is near
 * enough to be meant. */
const char *sim_nearest(const char *word, const char *const *names, size_t count);

#endif
