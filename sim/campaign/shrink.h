/* A failing run made small: its schedule is materialised, then made smaller step by
 * step for as long as the same judge speaks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_SHRINK_H
#define SIM_CAMPAIGN_SHRINK_H

#include "sim/campaign/plan.h"
#include "sim/campaign/trial.h"

enum {
    CAMPAIGN_SHRINK_SEEDS = 20,          /* Other seeds that are tried in the end, */
    CAMPAIGN_SHRINK_SEEDS_NS = 500000000 /* or as many as there is time for. */
};

struct campaign_shrink_options {
    const struct script_file *file;
    const struct script_scenario *scenario;
    const struct script_param *params;
    uint32_t param_count;
    uint64_t seed;
    uint32_t jobs;
    uint64_t limit_ns; /* Of real time. */
    /* Told now and then how far it is; NULL: nobody. */
    void (*progress)(void *context, const struct campaign_schedule *schedule, uint64_t runs);
    void *context;
};

enum campaign_shrink_end {
    CAMPAIGN_SHRUNK,
    CAMPAIGN_SHRINK_HELD,     /* The seed breaks nothing. */
    CAMPAIGN_SHRINK_WRONG,    /* The script is at fault: `why`. */
    CAMPAIGN_SHRINK_UNJUDGED, /* The run was not judged: `why`. */
    CAMPAIGN_SHRINK_UNTOLD    /* Its schedule alone does not break the promise: `why`. */
};

struct campaign_shrink_figures {
    size_t acts;
    uint32_t members;
    uint64_t time_ns;
};

struct campaign_shrink {
    enum campaign_shrink_end end;
    char why[SCRIPT_TEXT_MAX];
    struct check_violation violation; /* Of the run as it was. */
    struct campaign_schedule schedule;
    char sentence[512]; /* What breaks the promise in the small one. */
    bool is_lenient;    /* It does so only when what is refused is let pass. */
    bool is_late;       /* The time was over before nothing more could be done. */
    struct campaign_shrink_figures before, after;
    uint64_t run_count;
    size_t seeds_breaking; /* Of so many other ones. */
    size_t seeds_tried;
    struct base_arena texts;
};

void campaign_shrink_init(struct campaign_shrink *shrink, const struct campaign_shrink_options *options);
void campaign_shrink_release(struct campaign_shrink *shrink);

#endif
