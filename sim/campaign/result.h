/* What one run came to, as bytes between a worker and its parent. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_RESULT_H
#define SIM_CAMPAIGN_RESULT_H

#include "sim/script/script.h"

/* Names within point into the bytes it was read from; the arrays are its own. */
struct campaign_result {
    struct script_outcome outcome;
    char digest_again[33]; /* Of a second run; "" when there was none. */
};

void campaign_result_put(struct base_buffer *buffer, const struct script_outcome *outcome,
                         const char *digest_again);
/* The bytes are our own worker's: anything but a whole result is a bug. */
void campaign_result_get(struct campaign_result *result, struct base_bytes bytes);
void campaign_result_release(struct campaign_result *result);

#endif
