/* Trials of schedules: does one break the same promise as the run that is shrunk? Each
 * is a run in a worker process. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_TRIAL_H
#define SIM_CAMPAIGN_TRIAL_H

#include "sim/campaign/schedule.h"

enum { CAMPAIGN_TRIAL_DEMAND = 400 };

struct campaign_trials {
    enum check_judge judge;
    char demand[CAMPAIGN_TRIAL_DEMAND]; /* CHECK_EXPECT: which; see campaign_trial_demand. */
    uint64_t seed;
    uint64_t slack_ns; /* How long after the script's end the judge may take. */
    uint32_t jobs;
    uint64_t stop_ns; /* Of real time: no trial begins later. */
    uint64_t run_count;
    bool is_late; /* One that was asked for was not made. */
};

/* What a schedule that breaks the promise came to. */
struct campaign_trial {
    uint64_t seed;
    uint64_t time_ns; /* Of the violation. */
    char sentence[512];
    uint32_t *refused; /* Acts that the world refused, in order of the list; for free(). */
    uint32_t refused_count;
};
void campaign_trial_release(struct campaign_trial *trial);

/* Make candidate number `number`, a copy to be released; or no candidate: false. It is
 * called in another process as well, and answers the same there. */
typedef bool (*campaign_trial_make)(void *context, size_t number, struct campaign_schedule *out,
                                    uint64_t *seed);
/* Try candidates 0 … count - 1: the first that breaks the promise; `count`: none does.
 * The same one whatever `jobs` is, unless the time is over. */
size_t campaign_trial_first(struct campaign_trials *trials, size_t count, campaign_trial_make make,
                            void *context, bool is_lenient, struct campaign_trial *out);
/* How many of them do. */
size_t campaign_trial_count(struct campaign_trials *trials, size_t count, campaign_trial_make make,
                            void *context, bool is_lenient);

/* What of a finding of a scenario's own says which demand it is and how it is broken:
 * all but its place, with # for numbers of more than a digit. */
void campaign_trial_demand(const char *sentence, char out[CAMPAIGN_TRIAL_DEMAND]);

#endif
