/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/svg.h"

#include "reports/text.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 30, BIN_WIDTH = 6, BAR_HEIGHT = 28 };
enum { LANES_MAX = 24, LANE_HEIGHT = 26, LANE_TOP = 8, LANE_LEFT = 64, LANE_WIDTH = 820, AXIS_HEIGHT = 24 };

void report_svg_distribution(const struct campaign_metric *metric, FILE *out)
{
    assert(metric->count > 0);
    size_t bins[BINS] = {0};
    double low = metric->values[0];
    double span = metric->values[metric->count - 1] - low;
    for (size_t i = 0; i < metric->count; i++) {
        double part = span > 0 ? (metric->values[i] - low) / span : 0.5;
        size_t bin = (size_t)(part * BINS);
        bins[bin >= BINS ? BINS - 1 : bin]++;
    }
    size_t most = 1;
    for (size_t i = 0; i < BINS; i++) {
        most = bins[i] > most ? bins[i] : most;
    }
    struct campaign_quantiles all;
    campaign_metric_quantiles(metric, &all);
    double middle = span > 0 ? (all.median - low) / span : 0.5;
    int width = BINS * BIN_WIDTH;
    fprintf(out, "<svg class=\"dist\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">", width,
            BAR_HEIGHT + 2, width, BAR_HEIGHT + 2);
    fprintf(out, "<title>%zu values from %.6g to %.6g, median %.6g</title>", metric->count, all.min, all.max,
            all.median);
    for (size_t i = 0; i < BINS; i++) {
        if (bins[i] > 0) {
            double height = (double)bins[i] * BAR_HEIGHT / (double)most;
            height = height < 1 ? 1 : height;
            fprintf(out, "<rect x=\"%zu\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>", i * BIN_WIDTH,
                    BAR_HEIGHT - height, BIN_WIDTH - 1, height);
        }
    }
    fprintf(out, "<path class=\"base\" d=\"M0 %d.5H%d\"/><path class=\"median\" d=\"M%.1f 0V%d\"/></svg>",
            BAR_HEIGHT, width, middle * width, BAR_HEIGHT + 2);
}

/* The lanes' names in order of machines. Answers how many. */
static size_t lanes_of(const struct campaign_failure *failure, uint32_t lanes[LANES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < failure->event_count; i++) {
        uint32_t machine = failure->events[i].machine;
        size_t place = 0;
        while (place < count && lanes[place] < machine) {
            place++;
        }
        if ((place < count && lanes[place] == machine) || count == LANES_MAX) {
            continue;
        }
        memmove(lanes + place + 1, lanes + place, (count - place) * sizeof lanes[0]);
        lanes[place] = machine;
        count++;
    }
    return count;
}

static const char *name_of(const struct campaign_failure *failure, uint32_t machine)
{
    const char *name = "";
    for (size_t i = 0; i < failure->event_count; i++) {
        if (failure->events[i].machine == machine) {
            name = failure->events[i].member;
        }
    }
    return name;
}

/* How loud a mark is: faults stand out, all else is plain. */
static const char *class_of(const char *text)
{
    static const char *const faults[] = {"crash", "power off", "pause", "wipe",  "cut",  "disk lost",
                                         "fault", "stopped",   "clock", "reset", "lose", "link"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strncmp(text, faults[i], strlen(faults[i])) == 0) {
            return "fault";
        }
    }
    return strncmp(text, "role leader", 11) == 0 ? "leader" : "mark";
}

static void draw_axis(const struct campaign_failure *failure, uint64_t first_ns, uint64_t span_ns, int y,
                      FILE *out)
{
    for (uint64_t i = 0; i <= 4; i++) {
        char when[32];
        campaign_text_time(first_ns + span_ns / 4 * i, when);
        char *point = strchr(when, '.');
        assert(point);
        (void)memcpy(point + 4, "s", 2); /* Milliseconds are enough for an axis. */
        const char *anchor = i == 0 ? "start" : i == 4 ? "end" : "middle";
        fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                LANE_LEFT + (int)(LANE_WIDTH / 4 * i), y, anchor, when);
    }
    double end = span_ns == 0 ? 0 : (double)(failure->time_ns - first_ns) / (double)span_ns * LANE_WIDTH;
    fprintf(out, "<path class=\"broken\" d=\"M%.1f %dV%d\"><title>", LANE_LEFT + end, LANE_TOP - 4,
            y - AXIS_HEIGHT + 8);
    report_text_escape(out, failure->sentence);
    fprintf(out, "</title></path>");
}

void report_svg_timeline(const struct campaign_failure *failure, FILE *out)
{
    assert(failure->event_count > 0);
    uint32_t lanes[LANES_MAX];
    size_t lane_count = lanes_of(failure, lanes);
    int height = LANE_TOP + (int)lane_count * LANE_HEIGHT + AXIS_HEIGHT;
    uint64_t first_ns = failure->events[0].time_ns;
    uint64_t span_ns = failure->time_ns > first_ns ? failure->time_ns - first_ns : 0;
    fprintf(out, "<svg class=\"lanes\" viewBox=\"0 0 %d %d\" role=\"img\">", LANE_LEFT + LANE_WIDTH + 12,
            height);
    for (size_t i = 0; i < lane_count; i++) {
        int y = LANE_TOP + (int)i * LANE_HEIGHT + LANE_HEIGHT / 2;
        fprintf(out, "<text x=\"0\" y=\"%d\">", y + 4);
        report_text_escape(out, name_of(failure, lanes[i]));
        fprintf(out, "</text><path class=\"lane\" d=\"M%d %dH%d\"/>", LANE_LEFT, y, LANE_LEFT + LANE_WIDTH);
    }
    for (size_t i = 0; i < failure->event_count; i++) {
        const struct campaign_event *event = &failure->events[i];
        size_t lane = 0;
        while (lane < lane_count && lanes[lane] != event->machine) {
            lane++;
        }
        if (lane == lane_count) {
            continue;
        }
        double part = span_ns == 0 ? 0 : (double)(event->time_ns - first_ns) / (double)span_ns;
        const char *kind = class_of(event->text);
        char when[32];
        campaign_text_time(event->time_ns, when);
        fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"%s\"><title>%s ", kind,
                LANE_LEFT + part * LANE_WIDTH, LANE_TOP + (int)lane * LANE_HEIGHT + LANE_HEIGHT / 2,
                strcmp(kind, "mark") == 0 ? "3.5" : "5", when);
        report_text_escape(out, event->member);
        fputc(' ', out);
        report_text_escape(out, event->text);
        fprintf(out, "</title></circle>");
    }
    draw_axis(failure, first_ns, span_ns, height - 6, out);
    fprintf(out, "</svg>");
}
