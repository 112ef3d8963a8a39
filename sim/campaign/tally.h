/* What the runs of one scenario came to, all seeds together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_TALLY_H
#define SIM_CAMPAIGN_TALLY_H

#include "sim/campaign/plan.h"
#include "sim/campaign/result.h"

/* How many failures of a scenario are kept whole; the others are counted. */
enum { CAMPAIGN_FAILURES_MAX = 64, CAMPAIGN_SEEDS_MAX = 1024 };

/* Every value of a metric; `record` may give several in one run. */
struct campaign_metric {
    char *name;
    double *values; /* In order of seeds; sorted once the tally is closed. */
    size_t count;
};

struct campaign_quantiles {
    double min;
    double median;
    double p90;
    double p99;
    double max;
    double mean;
};

struct campaign_sometimes {
    char *name;
    uint64_t runs_true;
};

/* A row of the table a failure is shown with. */
struct campaign_event {
    uint64_t time_ns;
    uint64_t number;
    uint32_t machine;
    char member[16]; /* As people call it: "m3", "c1", "world". */
    char *text;
};

enum campaign_failure_kind {
    CAMPAIGN_VIOLATED, /* A promise was broken. */
    CAMPAIGN_SHOWN,    /* A hazard's finding: it does not count against the run. */
    CAMPAIGN_WRONG,    /* The script is at fault. */
    CAMPAIGN_UNJUDGED, /* The testbed failed, or gave up. */
    CAMPAIGN_PARTED    /* Two runs of the same seed differ. */
};

struct campaign_failure {
    enum campaign_failure_kind kind;
    uint64_t seed;
    enum check_judge judge; /* When violated or shown. */
    uint64_t time_ns;
    char *sentence;
    char *drawn;                   /* "members=5 loss=0.01 …": what the scenario drew; "" nothing. */
    struct campaign_event *events; /* Oldest first; NULL until looked for. */
    size_t event_count;
};

struct campaign_tally {
    const struct script_scenario *scenario;
    const struct script_file *file;
    uint64_t runs;
    uint64_t held;
    uint64_t violated;
    uint64_t shown;
    uint64_t wrong;
    uint64_t unjudged;
    uint64_t parted;
    uint64_t events;
    uint64_t time_ns;
    struct sim_cost cost;
    uint64_t armed[CHECK_COUNT];
    uint64_t faults[SIM_FAULT_COUNT][SIM_STATION_COUNT]; /* As in struct sim_coverage. */
    uint64_t frames[SIM_FRAME_COUNT][SIM_MESSAGE_COUNT];
    uint64_t passed[SIM_MESSAGE_COUNT][SIM_STATION_COUNT][SIM_STATION_COUNT];
    int64_t lease_margin_ns;         /* The smallest. */
    uint64_t digest;                 /* Over all (seed, digest). */
    struct campaign_metric *metrics; /* In order of their first appearance. */
    size_t metric_count;
    struct campaign_sometimes *sometimes;
    size_t sometimes_count;
    struct campaign_failure *failures; /* The first ones, by seed. */
    size_t failure_count;
    uint64_t *failed_seeds; /* Of all that is not held, the first CAMPAIGN_SEEDS_MAX. */
    size_t failed_seed_count;
};

void campaign_tally_init(struct campaign_tally *tally, const struct campaign_unit *unit);
void campaign_tally_release(struct campaign_tally *tally);
/* Add a run; seeds come in ascending order. Answers whether it counts as held. */
bool campaign_tally_add(struct campaign_tally *tally, uint64_t seed, const struct campaign_result *result);
/* Nothing will be added any more: sort the metrics. */
void campaign_tally_close(struct campaign_tally *tally);

/* The tally's metric of this name; NULL: none was recorded. */
const struct campaign_metric *campaign_tally_metric(const struct campaign_tally *tally, const char *name);
/* The nearest-rank quantiles of a closed tally's metric; count > 0. */
void campaign_metric_quantiles(const struct campaign_metric *metric, struct campaign_quantiles *out);

/* Enough seeds for what is asked of all seeds together? */
bool campaign_tally_is_whole(const struct campaign_tally *tally);

#endif
