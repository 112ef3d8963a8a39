/* Two kinds of figures. A "cdf" has a curve for each point of the grid: the values of
 * one metric, as a distribution. A "line" has the values of one list of the grid along
 * x, a statistic of a metric along y ("p99 of latency"; the median unless it says), and
 * a curve for each combination of the other lists. What was published lies over both. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/plot.h"

#include "sim/campaign/demand.h"
#include "sim/campaign/grid.h"
#include "sim/campaign/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 1000, NAME_MAX_BYTES = 256 };

/* Told apart by people who see fewer colours, too (Okabe and Ito, 2008). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#7f7f7f", "#000000"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

struct plot {
    const struct report_experiment *experiment;
    const struct script_figure *figure;
    FILE *out;
    size_t curves;   /* Data blocks $c0, $c1 … of ours, */
    size_t overlays; /* and $p0 … of what was published. */
    char **labels;
    size_t *colours_of; /* Which curve an overlay is about. */
};

/* As gnuplot reads it back: a quote is said twice, and it ends with the line. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("''", out);
        } else {
            fputc(*text == '\n' ? ' ' : *text, out);
        }
    }
    fputc('\'', out);
}

/* Begin a curve of ours, or of others about our newest. */
static void begin_curve(struct plot *plot, char *label)
{
    fprintf(plot->out, "$c%zu << EOD\n", plot->curves);
    plot->labels = campaign_grow(plot->labels, plot->curves, sizeof plot->labels[0]);
    plot->labels[plot->curves++] = label;
}

static void begin_overlay(struct plot *plot)
{
    fprintf(plot->out, "$p%zu << EOD\n", plot->overlays);
    plot->colours_of = campaign_grow(plot->colours_of, plot->overlays, sizeof plot->colours_of[0]);
    plot->colours_of[plot->overlays++] = plot->curves - 1;
}

static void end_block(struct plot *plot)
{
    fprintf(plot->out, "EOD\n");
}

/* What tells a point apart: the values of the lists that have several, `by` first, and
 * none of `except`. For free(). */
static char *label_of(const struct plot *plot, const struct script_scenario *point, const char *except)
{
    char text[NAME_MAX_BYTES] = "";
    size_t used = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t axis = 0; axis < point->axis_count && used < sizeof text - 1; axis++) {
            const struct script_axis *list = &point->axes[axis];
            bool is_by = plot->figure->by && strcmp(list->name, plot->figure->by) == 0;
            bool is_left_out = except && strcmp(list->name, except) == 0;
            if (is_by != (turn == 0) || is_left_out || (list->value_count < 2 && !is_by)) {
                continue;
            }
            int more = snprintf(text + used, sizeof text - used, "%s%s=%s", used == 0 ? "" : " ", list->name,
                                script_point_value(point, point->point, axis)->text);
            used = more > 0 ? used + (size_t)more : used;
        }
    }
    return campaign_text_copy(text[0] != '\0' ? text : "ours");
}

/* --- cdf --- */

/* The share of values that a statistic is the bound of; NAN: it is none of those. */
static double share_of(const char *stat)
{
    static const struct {
        const char *stat;
        double share;
    } shares[] = {{"min", 0}, {"median", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        if (strcmp(shares[i].stat, stat) == 0) {
            return shares[i].share;
        }
    }
    return (double)NAN;
}

static bool is_published(const struct script_expect *expect, const char *metric)
{
    return expect->is_published && expect->near == expect->near && strcmp(expect->of, metric) == 0;
}

static void put_distribution(struct plot *plot, const struct campaign_tally *tally)
{
    const struct campaign_metric *metric = campaign_tally_metric(tally, plot->figure->x);
    if (!metric) {
        return;
    }
    begin_curve(plot, label_of(plot, tally->scenario, NULL));
    size_t steps = metric->count < STEPS_MAX ? metric->count : STEPS_MAX;
    fprintf(plot->out, "%.9g 0\n", metric->values[0]);
    for (size_t i = 1; i <= steps; i++) {
        size_t rank = metric->count * i / steps;
        fprintf(plot->out, "%.9g %.9g\n", metric->values[rank - 1], (double)rank / (double)metric->count);
    }
    end_block(plot);
    bool has_any = false;
    for (uint32_t i = 0; i < tally->scenario->expect_count; i++) {
        const struct script_expect *expect = &tally->scenario->expects[i];
        double share = share_of(expect->stat);
        if (is_published(expect, plot->figure->x) && share == share) {
            if (!has_any) {
                begin_overlay(plot);
                has_any = true;
            }
            fprintf(plot->out, "%.9g %.9g\n", expect->near, share);
        }
    }
    if (has_any) {
        end_block(plot);
    }
}

/* --- line --- */

/* "p99 of latency": its metric, and `stat` is "p99"; a metric alone is its median. */
static const char *split(const char *y, char stat[NAME_MAX_BYTES])
{
    const char *of = strstr(y, " of ");
    (void)snprintf(stat, NAME_MAX_BYTES, "%.*s", of ? (int)(of - y) : 6, of ? y : "median");
    return of ? of + 4 : y;
}

/* The same values in all lists but one. */
static bool is_beside(const struct script_scenario *a, const struct script_scenario *b, uint32_t along)
{
    for (uint32_t axis = 0; axis < a->axis_count; axis++) {
        if (axis != along && !script_value_equal(script_point_value(a, a->point, axis),
                                                 script_point_value(b, b->point, axis))) {
            return false;
        }
    }
    return true;
}

/* Values that are words stand beside each other, in the order of their list. */
static double place_of(const struct script_scenario *point, uint32_t along)
{
    const struct script_value *value = script_point_value(point, point->point, along);
    return value->number == value->number ? value->number : (double)(value - point->axes[along].values);
}

/* Of all points beside the one in slot `from`: ours, or what was published. */
static size_t put_row(struct plot *plot, size_t from, uint32_t along, bool wants_published)
{
    const struct report_experiment *experiment = plot->experiment;
    char stat[NAME_MAX_BYTES];
    const char *of = split(plot->figure->y, stat);
    size_t count = 0;
    for (size_t i = from; i < experiment->count; i++) {
        const struct campaign_tally *tally = &experiment->tallies[i];
        double x = place_of(tally->scenario, along);
        if (!is_beside(tally->scenario, experiment->tallies[from].scenario, along)) {
            continue;
        }
        double y = campaign_expect_found(tally, &(struct script_expect){.stat = stat, .of = of});
        if (!wants_published && y == y) {
            fprintf(plot->out, "%.9g %.9g\n", x, y);
            count++;
        }
        for (uint32_t j = 0; wants_published && j < tally->scenario->expect_count; j++) {
            const struct script_expect *expect = &tally->scenario->expects[j];
            if (is_published(expect, of) && strcmp(expect->stat, stat) == 0) {
                fprintf(plot->out, "%.9g %.9g\n", x, expect->near);
                count++;
            }
        }
    }
    return count;
}

static void put_lines(struct plot *plot)
{
    const struct report_experiment *experiment = plot->experiment;
    uint32_t along = campaign_grid_axis(experiment->whole, plot->figure->x);
    for (size_t i = 0; i < experiment->count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++) {
            is_first = !is_beside(experiment->tallies[i].scenario, experiment->tallies[j].scenario, along);
        }
        if (!is_first) {
            continue;
        }
        begin_curve(plot, label_of(plot, experiment->tallies[i].scenario, plot->figure->x));
        (void)put_row(plot, i, along, false);
        end_block(plot);
        begin_overlay(plot);
        size_t published = put_row(plot, i, along, true);
        end_block(plot);
        plot->overlays -= published == 0; /* gnuplot does not mind a block that nobody names. */
    }
}

/* --- the figure --- */

static void put_head(const struct plot *plot, bool is_cdf)
{
    const struct script_figure *figure = plot->figure;
    FILE *out = plot->out;
    fprintf(out, "set encoding utf8\n"
                 "set terminal svg size 900,540 dynamic noenhanced font 'sans-serif,14' background 'white'\n"
                 "set output ");
    char name[NAME_MAX_BYTES];
    (void)snprintf(name, sizeof name, "%s.svg", plot->experiment->slug);
    put_quoted(out, name);
    fprintf(out, "\nset title ");
    put_quoted(out, figure->title ? figure->title : plot->experiment->whole->name);
    fprintf(out, "\nset xlabel ");
    put_quoted(out, figure->x);
    fprintf(out, "\nset ylabel ");
    put_quoted(out, figure->y ? figure->y : "share of runs");
    fprintf(out, "\nset key outside right top Left reverse samplen 2\n"
                 "set border 3 lc rgb '#555555'\nset autoscale xfix\nset tics nomirror\nset grid lc rgb "
                 "'#dddddd' lw 0.5\n");
    if (is_cdf) {
        fprintf(out, "set yrange [0:1]\n");
    }
    fprintf(out, "%s%s", figure->is_log_x ? "set logscale x\n" : "",
            figure->is_log_y ? "set logscale y\n" : "");
    uint32_t along =
        is_cdf ? plot->experiment->whole->axis_count : campaign_grid_axis(plot->experiment->whole, figure->x);
    if (!is_cdf) {
        const struct script_axis *axis = &plot->experiment->whole->axes[along];
        bool has_words = axis->values[0].number != axis->values[0].number;
        for (uint32_t i = 0; has_words && i < axis->value_count; i++) {
            fprintf(out, "%s", i == 0 ? "set xtics (" : ", ");
            put_quoted(out, axis->values[i].text);
            fprintf(out, " %u%s", (unsigned)i, i + 1 == axis->value_count ? ")\n" : "");
        }
        fprintf(out, "%s", has_words ? "set offsets 0.3, 0.3, 0, 0\n" : "");
    }
}

static void put_curves(const struct plot *plot, bool is_cdf)
{
    FILE *out = plot->out;
    const char *how = is_cdf ? "with steps" : "with linespoints pt 7 ps 0.5";
    for (size_t i = 0; i < plot->curves; i++) {
        /* Where the colours begin anew the line is dashed. */
        fprintf(out, "%s$c%zu %s lw 2 dt %zu lc rgb '%s' title ", i == 0 ? "plot " : ", \\\n  ", i, how,
                i / COLOURS + 1, colours[i % COLOURS]);
        put_quoted(out, plot->labels[i]);
    }
    for (size_t i = 0; i < plot->overlays; i++) {
        fprintf(out, ", \\\n  $p%zu with points pt 6 ps 1.1 lw 1.5 lc rgb '%s' notitle", i,
                colours[plot->colours_of[i] % COLOURS]);
    }
    if (plot->overlays > 0) {
        fprintf(out, ", \\\n  NaN with points pt 6 ps 1.1 lw 1.5 lc rgb '#555555' title 'published'");
    }
    fprintf(out, "\n");
}

bool report_plot(const struct report_experiment *experiment, FILE *out)
{
    struct plot plot = {.experiment = experiment, .figure = experiment->whole->figure, .out = out};
    bool is_cdf = strcmp(plot.figure->kind, "cdf") == 0;
    put_head(&plot, is_cdf);
    if (is_cdf) {
        for (size_t i = 0; i < experiment->count; i++) {
            put_distribution(&plot, &experiment->tallies[i]);
        }
    } else {
        put_lines(&plot);
    }
    if (plot.curves > 0) {
        put_curves(&plot, is_cdf);
    }
    for (size_t i = 0; i < plot.curves; i++) {
        free(plot.labels[i]);
    }
    free(plot.labels);
    free(plot.colours_of);
    return plot.curves > 0;
}
