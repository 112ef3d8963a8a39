/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/progress.h"

#include "sim/campaign/pool.h"

#include <inttypes.h>
#include <unistd.h>

void campaign_progress_init(struct campaign_progress *progress, FILE *out)
{
    *progress = (struct campaign_progress){.out = out, .is_shown = isatty(fileno(out)) != 0};
}

/* Real seconds left: by the limit when there is one, else by the pace so far. */
static uint64_t seconds_left(const struct campaign *campaign, uint64_t took_ns)
{
    uint64_t limit_ns = campaign->options->time_ns;
    uint64_t total = campaign->plan.task_count;
    uint64_t by_limit = limit_ns > took_ns ? limit_ns - took_ns : 0;
    if (total == UINT64_MAX || campaign->finished == 0) {
        return by_limit / 1000000000;
    }
    double pace_ns = (double)took_ns / (double)campaign->finished;
    double by_pace = pace_ns * (double)(total - campaign->finished);
    if (limit_ns > 0 && (double)by_limit < by_pace) {
        return by_limit / 1000000000;
    }
    return (uint64_t)(by_pace / 1e9);
}

void campaign_progress_show(struct campaign_progress *progress, const struct campaign *campaign)
{
    if (!progress->is_shown) {
        return;
    }
    uint64_t took_ns = campaign_real_ns() - campaign->began_ns + 1;
    double seconds = (double)took_ns / 1e9;
    uint64_t left = seconds_left(campaign, took_ns);
    fprintf(progress->out, "\r\033[K%" PRIu64, campaign->finished);
    if (campaign->plan.task_count != UINT64_MAX) {
        fprintf(progress->out, "/%" PRIu64, campaign->plan.task_count);
    }
    fprintf(progress->out,
            "  %.0f seeds/s  %.0f simulated s/s  %" PRIu64 " violations  %" PRIu64 ":%02" PRIu64 " left",
            (double)campaign->finished / seconds, (double)campaign->time_ns / (double)took_ns,
            campaign->failures, left / 60, left % 60);
    (void)fflush(progress->out);
    progress->is_there = true;
}

void campaign_progress_clear(struct campaign_progress *progress)
{
    if (progress->is_there) {
        fprintf(progress->out, "\r\033[K");
        (void)fflush(progress->out);
        progress->is_there = false;
    }
}
