/* Texts on their way into a document: always valid UTF-8 without control characters,
 * whatever a script put into a name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_TEXT_H
#define REPORTS_TEXT_H

#include "sim/campaign/campaign.h"

#include <stdio.h>

/* A clean copy, for free(): what is not UTF-8, or is a control character other than
 * a tab or a newline, becomes U+FFFD. */
char *report_text_clean(const char *text);
/* The same with & < > " ' as entities, straight to `out`. */
void report_text_escape(FILE *out, const char *text);
/* The command that replays a seed, clean, for free(). */
char *report_text_replay(const struct campaign *campaign, const struct script_scenario *scenario,
                         uint64_t seed);
/* "election: …", or why nothing was judged; clean, for free(). */
char *report_text_failure(const struct campaign_failure *failure);
/* "violated", "shown", "wrong", "not judged", "not deterministic". */
const char *report_text_kind(enum campaign_failure_kind kind);

#endif
