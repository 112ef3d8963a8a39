/* Messages under way in a run: which send a receive, a loss or a refusal belongs to.
 *
 * Events carry no number of their frame, so this goes by what they say: on a
 * directed link, the oldest message that is still open and reads the same. A cut
 * loses what is under way, and a machine that starts has heard nothing of what was
 * said well before: both close what is open, or messages that look alike (heartbeats)
 * would be taken for each other from there on. What waits at a paused machine is no
 * longer under way: it stays open until the link heals. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_FLIGHT_H
#define REPORTS_FLIGHT_H

#include "sim/record.h"

/* Open messages of one link that are remembered; the oldest are forgotten. */
enum { REPORT_FLIGHT_MAX = 4096 };

struct report_flight;

struct report_flight *report_flight_new(void);
void report_flight_free(struct report_flight *flight);
/* Take the next event of a run. Answers the number of the send that a RECEIVE,
 * RECEIVE_STREAM, LOSE or REFUSE ends; 0: none is known, or the event is another. */
uint64_t report_flight_match(struct report_flight *flight, const struct sim_event *event);

#endif
