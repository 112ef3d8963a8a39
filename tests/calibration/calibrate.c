/* Does the simulation behave as a real etcd did?
 *
 *     calibrate DATA [-o FOLDER] [--seeds N]
 *
 * Runs live.lua and compares what it records with the measurements in the folder DATA:
 * whole distributions where there are twenty of a kind (Kolmogorov and Smirnov, 1 %),
 * else whether what was measured lies among what is simulated. -o leaves a picture of
 * each pair. The measurements are not ours to keep: without them nothing is compared,
 * and it says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/campaign.h"
#include "tests/calibration/figure.h"
#include "tests/calibration/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind {
    DISTRIBUTION, /* The same, but for one chance in a hundred. */
    /* No measured value lies outside of what is simulated, nor their median outside of
     * its middle nine tenths, give or take `slack`. */
    AMONG,
    SHARE /* The same fraction of trials. */
};

struct comparison {
    const char *scenario;
    const char *metric;
    enum kind kind;
    const char *file;
    const char *column;
    const char *where;  /* NULL: all rows; else those whose column `where` … */
    const char *prefix; /* … begins with this. */
    double slack;       /* What processes, polling and a busy machine added there, s. */
};

#define KILL "kill_to_any_survivor_reports_new_leader_ms"
#define DELETED "grant_to_watch_delete_ms"
#define BOOT_TWO "boot, n=3, 2 started"
#define BOOT_FIVE "boot, n=5, 5 started"
#define MAJORITY "majority, two followers killed for 20 s"
#define STOPPED "leader stopped for 5 s, n=5"

static const struct comparison comparisons[] = {
    {"election, n=3", "kill_to_leader", DISTRIBUTION, "election_n3_zap.csv", "log_kill_to_became_leader_ms",
     NULL, NULL, 0},
    {"election, n=3", "kill_to_write", DISTRIBUTION, "election_n3_zap.csv", "kill_to_first_write_ok_ms", NULL,
     NULL, 0},
    {"election, n=3", "terms", DISTRIBUTION, "election_n3_zap.csv", "terms_used", NULL, NULL, 0},
    {"election, n=3", "put_at_kill", AMONG, "election_n3_zap.csv", "put_at_kill_latency_ms", NULL, NULL,
     0.02},
    {"election, n=5", "kill_to_leader", DISTRIBUTION, "election_n5.csv", KILL, NULL, NULL, 0},
    {"election, n=5", "kill_to_write", DISTRIBUTION, "election_n5.csv", "kill_to_first_write_ok_ms", NULL,
     NULL, 0},
    {"election, n=5", "terms", DISTRIBUTION, "election_n5.csv", "terms_used", NULL, NULL, 0},
    {"election, n=5", "put_at_kill", AMONG, "election_n5.csv", "put_at_kill_latency_ms", NULL, NULL, 0.15},
    {"election, n=5, pre-vote", "kill_to_leader", AMONG, "election_n5_prevote.csv", KILL, NULL, NULL, 0.02},
    {"election, n=5, pre-vote", "kill_to_write", AMONG, "election_n5_prevote.csv",
     "kill_to_first_write_ok_ms", NULL, NULL, 0.02},
    {"lease, none killed", "grant_to_delete", AMONG, "lease_n3_nokill.csv", DELETED, NULL, NULL, 0.02},
    {"lease, follower killed", "grant_to_delete", AMONG, "lease_n3_killfollower_3s.csv", DELETED, NULL, NULL,
     0.02},
    {"lease, leader killed", "grant_to_delete", AMONG, "lease_n3_killleader_3s.csv", DELETED, NULL, NULL,
     0.02},
    {"lease, leader killed", "leader_to_delete", AMONG, "lease_n3_killleader_3s.csv",
     "newleader_to_delete_ms", NULL, NULL, 0.02},
    {BOOT_TWO, "start_to_leader", AMONG, "boot_n3_start2.csv", "start_to_leader_visible_ms", NULL, NULL, 0.1},
    {BOOT_TWO, "start_to_write", AMONG, "boot_n3_start2.csv", "start_to_first_write_ms", NULL, NULL, 0.1},
    {BOOT_FIVE, "start_to_leader", AMONG, "boot_n5_start5.csv", "start_to_leader_visible_ms", NULL, NULL,
     0.1},
    {BOOT_FIVE, "start_to_write", AMONG, "boot_n5_start5.csv", "start_to_first_write_ms", NULL, NULL, 0.1},
    {MAJORITY, "put_error_after", AMONG, "majority_n3_kill2followers.csv", "latency_ms", "event", "put@",
     0.02},
    {MAJORITY, "grant_error_after", AMONG, "majority_n3_kill2followers.csv", "latency_ms", "event", "grant@",
     0.02},
    {MAJORITY, "no_leader_after", AMONG, "majority_n3_kill2followers.csv", "t_ms_since_kill", "event",
     "survivor_reports_no_leader", 0.02},
    {MAJORITY, "serializable_after", AMONG, "majority_n3_kill2followers.csv", "latency_ms", "event",
     "ser_get@", 0.05},
    {MAJORITY, "write_to_lease_gone", AMONG, "majority_n3_kill2followers.csv", "latency_ms", "event",
     "lease5_key_gone", 0.02},
    {STOPPED, "stop_to_leader", AMONG, "sigstop_n5_5s.csv", "stop_to_new_leader_ms", NULL, NULL, 0.02},
    {STOPPED, "cont_to_new_leader", AMONG, "sigstop_n5_5s.csv", "cont_to_old_sees_new_leader_ms", NULL, NULL,
     0.15},
    {STOPPED, "serializable_stale", SHARE, "sigstop_n5_5s.csv", "ser_get_on_old_at_cont", NULL, "before", 0},
    {STOPPED, "linearizable_stale", SHARE, "sigstop_n5_5s.csv", "lin_get_on_old_at_cont_result", NULL,
     "before", 0},
    {STOPPED, "terms_by_rejoin", SHARE, "sigstop_n5_5s.csv", "leader_changed_by_rejoin", NULL, "true", 0},
};

enum { COMPARISONS = sizeof comparisons / sizeof comparisons[0], ENOUGH = 20 };

/* A metric of the campaign as samples that borrow its values. */
static bool find_simulated(const struct campaign *campaign, const struct comparison *comparison,
                           struct samples *out)
{
    for (size_t i = 0; i < campaign->tally_count; i++) {
        const struct campaign_tally *tally = &campaign->tallies[i];
        if (strcmp(tally->scenario->name, comparison->scenario) != 0) {
            continue;
        }
        for (size_t j = 0; j < tally->metric_count; j++) {
            if (strcmp(tally->metrics[j].name, comparison->metric) == 0) {
                *out = (struct samples){tally->metrics[j].values, tally->metrics[j].count};
                return true;
            }
        }
    }
    return false;
}

static double mean_of(const struct samples *samples)
{
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++) {
        sum += samples->values[i];
    }
    return sum / (double)samples->count;
}

static bool agrees(const struct comparison *comparison, const struct samples *measured,
                   const struct samples *simulated, char *why, size_t size)
{
    if (comparison->kind == DISTRIBUTION) {
        double distance = samples_distance(measured, simulated);
        double critical = samples_distance_critical(measured->count, simulated->count);
        (void)snprintf(why, size, "%zu trials, distance %.3f, at most %.3f; medians %.4g and %.4g",
                       measured->count, distance, critical, samples_quantile(measured, 0.5),
                       samples_quantile(simulated, 0.5));
        return measured->count >= ENOUGH && distance <= critical;
    }
    double low = fmax(simulated->values[0] - comparison->slack, 0);
    double high = simulated->values[simulated->count - 1] + comparison->slack;
    double middle = samples_quantile(measured, 0.5);
    double middle_low = fmax(samples_quantile(simulated, 0.05) - comparison->slack, 0);
    double middle_high = samples_quantile(simulated, 0.95) + comparison->slack;
    (void)snprintf(why, size, "%zu trials, %.4g to %.4g among %.4g to %.4g, median %.4g among %.4g to %.4g",
                   measured->count, measured->values[0], measured->values[measured->count - 1], low, high,
                   middle, middle_low, middle_high);
    return measured->values[0] >= low && measured->values[measured->count - 1] <= high &&
           middle >= middle_low && middle <= middle_high;
}

static bool compare_share(const struct comparison *comparison, const char *path,
                          const struct samples *simulated, char *why, size_t size)
{
    double share = 0;
    if (!samples_share(&share, path, comparison->column, comparison->prefix)) {
        (void)snprintf(why, size, "%s: found no column %s", path, comparison->column);
        return false;
    }
    (void)snprintf(why, size, "share %.3g, simulated %.3g", share, mean_of(simulated));
    return fabs(share - mean_of(simulated)) <= comparison->slack;
}

/* "election, n=3: kill_to_leader" as a file's name. */
static void picture_path(const struct comparison *comparison, const char *folder, char *out, size_t size)
{
    int used = snprintf(out, size, "%s/", folder);
    (void)snprintf(out + used, size - (size_t)used, "%s %s.svg", comparison->scenario, comparison->metric);
    for (char *at = out + used; *at != '\0'; at++) {
        *at = strchr(" ,=", *at) ? '-' : *at;
    }
}

static bool compare(const struct campaign *campaign, const struct comparison *comparison, const char *data,
                    const char *folder)
{
    char path[512];
    char why[1200] = "";
    struct samples simulated;
    struct samples measured = {0};
    (void)snprintf(path, sizeof path, "%s/%s", data, comparison->file);
    bool is_good = find_simulated(campaign, comparison, &simulated);
    if (!is_good) {
        (void)snprintf(why, sizeof why, "found no such metric in live.lua");
    } else if (comparison->kind == SHARE) {
        is_good = compare_share(comparison, path, &simulated, why, sizeof why);
    } else if (!samples_read(&measured, path, comparison->column, comparison->where, comparison->prefix,
                             strstr(comparison->column, "_ms") ? 0.001 : 1) ||
               measured.count == 0) {
        (void)snprintf(why, sizeof why, "%s: found no values of %s", path, comparison->column);
        is_good = false;
    } else {
        is_good = agrees(comparison, &measured, &simulated, why, sizeof why);
        if (folder) {
            char title[160];
            char picture[512];
            (void)snprintf(title, sizeof title, "%s: %s", comparison->scenario, comparison->metric);
            picture_path(comparison, folder, picture, sizeof picture);
            is_good = figure_write(picture, title, &measured, &simulated) && is_good;
        }
    }
    printf("%s %s: %s: %s\n", is_good ? "ok" : "FAIL", comparison->scenario, comparison->metric, why);
    samples_release(&measured);
    return is_good;
}

static int compare_all(const struct campaign *campaign, const char *data, const char *folder)
{
    size_t good = 0;
    for (size_t i = 0; i < COMPARISONS; i++) {
        good += compare(campaign, &comparisons[i], data, folder);
    }
    bool has_held = campaign_exit_status(campaign) == 0;
    if (!has_held) {
        printf("FAIL live.lua: a scenario did not hold; faultline run %s shows it\n", LIVE_SCENARIOS);
    }
    printf("%zu passed, %zu failed\n", good, COMPARISONS - good + !has_held);
    return good == COMPARISONS && has_held ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *const paths[] = {LIVE_SCENARIOS};
    struct campaign_options options = {.plan = {.paths = paths, .path_count = 1}, .jobs = 2};
    const char *folder = NULL;
    char error[SCRIPT_TEXT_MAX];
    struct campaign campaign;
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: calibrate DATA [-o FOLDER] [--seeds N]\n");
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "-o") == 0) {
            folder = argv[i + 1];
        } else if (strcmp(argv[i], "--seeds") == 0) {
            options.plan.has_seeds = true;
            options.plan.seed_first = 1;
            options.plan.seed_last = strtoull(argv[i + 1], NULL, 10);
        } else {
            fprintf(stderr, "calibrate: found %s, expected -o FOLDER or --seeds N\n", argv[i]);
            return 2;
        }
    }
    if (access(argv[1], R_OK) != 0) {
        printf("%s: found no measurements, nothing is compared\n0 passed, 0 failed, 1 skipped\n", argv[1]);
        return 0;
    }
    if (!campaign_run(&campaign, &options, error)) {
        fprintf(stderr, "calibrate: %s\n", error);
        return 2;
    }
    int status = compare_all(&campaign, argv[1], folder);
    campaign_release(&campaign);
    return status;
}
