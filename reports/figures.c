/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/figures.h"

#include "reports/plot.h"
#include "sim/campaign/demand.h"
#include "sim/campaign/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 4096, SLUG_MAX = 80 };

struct report_figures {
    char folder[PATH_MAX_BYTES / 2];
    char db[PATH_MAX_BYTES];
    const struct script_scenario *writing; /* Whose values are being written; NULL: nobody's. */
    FILE *values;
    char (*slugs)[SLUG_MAX]; /* Given so far, in order. */
    size_t slug_count;
    char failed[PATH_MAX_BYTES]; /* The first file that could not be written; "" none. */
};

/* The experiment that a point is of. */
static const struct script_scenario *whole_of(const struct script_file *file,
                                              const struct script_scenario *point)
{
    return script_get(file, point->number);
}

/* --- files --- */

/* "Time without a leader" → "time-without-a-leader", another one than those before. */
static const char *new_slug(struct report_figures *figures, const char *name)
{
    char slug[SLUG_MAX - 8] = "";
    size_t used = 0;
    for (const char *at = name; *at != '\0' && used < sizeof slug - 1; at++) {
        bool is_word = isalnum((unsigned char)*at) != 0;
        if (is_word || (used > 0 && slug[used - 1] != '-')) {
            slug[used++] = is_word ? (char)tolower((unsigned char)*at) : '-';
        }
    }
    while (used > 0 && slug[used - 1] == '-') {
        used--;
    }
    slug[used] = '\0';
    unsigned copies = 0;
    for (size_t i = 0; i < figures->slug_count; i++) {
        size_t size = strlen(slug);
        const char *rest = strncmp(figures->slugs[i], slug, size) == 0 ? figures->slugs[i] + size : "?";
        copies += rest[0] == '\0' || (rest[0] == '-' && strspn(rest + 1, "0123456789") == strlen(rest + 1));
    }
    figures->slugs = campaign_grow(figures->slugs, figures->slug_count, sizeof figures->slugs[0]);
    char *out = figures->slugs[figures->slug_count++];
    if (copies > 0 || used == 0) {
        (void)snprintf(out, SLUG_MAX, "%s-%u", used == 0 ? "experiment" : slug, copies + 1);
    } else {
        (void)snprintf(out, SLUG_MAX, "%s", slug);
    }
    return out;
}

static void fail(struct report_figures *figures, const char *path)
{
    if (figures->failed[0] == '\0') {
        (void)snprintf(figures->failed, sizeof figures->failed, "%s", path);
    }
}

/* NULL, after a complaint, when it cannot be. */
static FILE *open_file(struct report_figures *figures, const char *slug, const char *ending)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.%s", figures->folder, slug, ending);
    FILE *file = fopen(path, "wb");
    if (!file) {
        fail(figures, path);
    }
    return file;
}

static void close_file(struct report_figures *figures, FILE *file, const char *slug)
{
    if (file && (ferror(file) != 0 || fclose(file) != 0)) {
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", figures->folder, slug);
        fail(figures, path);
    }
}

/* Make the folder and those above it. */
static bool make_folder(const char *folder)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s", folder);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, 0777);
            *at = '/';
        }
    }
    struct stat found;
    return mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode));
}

struct report_figures *report_figures_new(const char *folder, char error[REPORT_TEXT_MAX])
{
    struct report_figures *figures = campaign_alloc(sizeof *figures);
    if (strlen(folder) >= sizeof figures->folder || !make_folder(folder)) {
        (void)snprintf(error, REPORT_TEXT_MAX, "%.300s: cannot be made, expected a folder", folder);
        free(figures);
        return NULL;
    }
    (void)snprintf(figures->folder, sizeof figures->folder, "%s", folder);
    (void)snprintf(figures->db, sizeof figures->db, "%s/results.db", folder);
    return figures;
}

const char *report_figures_db(const struct report_figures *figures)
{
    return figures->db;
}

/* --- tables --- */

/* A cell of a CSV file (RFC 4180), and what stands behind it. */
static void put_text(FILE *out, const char *text, char after)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fprintf(out, "%s%c", text, after);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    }
    fprintf(out, "\"%c", after);
}

/* NAN is an empty cell. */
static void put_number(FILE *out, double number, char after)
{
    if (number == number) {
        fprintf(out, "%.12g", number);
    }
    fputc(after, out);
}

static void put_axes(FILE *out, const struct script_scenario *whole)
{
    for (uint32_t axis = 0; axis < whole->axis_count; axis++) {
        put_text(out, whole->axes[axis].name, ',');
    }
}

static void put_point(FILE *out, const struct script_scenario *point)
{
    for (uint32_t axis = 0; axis < point->axis_count; axis++) {
        put_text(out, script_point_value(point, point->point, axis)->text, ',');
    }
}

void report_figures_put_run(struct report_figures *figures, const struct campaign_unit *unit, uint64_t seed,
                            const struct campaign_result *result)
{
    const struct script_scenario *whole = whole_of(unit->file, unit->scenario);
    if (figures->writing != whole) {
        close_file(figures, figures->values, "values");
        figures->writing = whole;
        figures->values = open_file(figures, new_slug(figures, whole->name), "csv");
        if (figures->values) {
            put_axes(figures->values, whole);
            fprintf(figures->values, "seed,metric,value\n");
        }
    }
    for (uint32_t i = 0; figures->values && i < result->outcome.metric_count; i++) {
        const struct script_metric *metric = &result->outcome.metrics[i];
        put_point(figures->values, unit->scenario);
        fprintf(figures->values, "%" PRIu64 ",", seed);
        put_text(figures->values, metric->name, ',');
        put_number(figures->values, metric->value, '\n');
    }
}

/* A row for each metric at each point. */
static void put_points(const struct report_experiment *experiment, FILE *out)
{
    put_axes(out, experiment->whole);
    fprintf(out, "metric,count,min,median,mean,p90,p99,max\n");
    for (size_t i = 0; i < experiment->count; i++) {
        const struct campaign_tally *tally = &experiment->tallies[i];
        for (size_t j = 0; j < tally->metric_count; j++) {
            struct campaign_quantiles all;
            campaign_metric_quantiles(&tally->metrics[j], &all);
            put_point(out, tally->scenario);
            put_text(out, tally->metrics[j].name, ',');
            fprintf(out, "%zu,%.12g,%.12g,%.12g,%.12g,%.12g,%.12g\n", tally->metrics[j].count, all.min,
                    all.median, all.mean, all.p90, all.p99, all.max);
        }
    }
}

/* A row for each `expect` at each point it is about. */
static void put_verdicts(const struct report_experiment *experiment, FILE *out)
{
    put_axes(out, experiment->whole);
    fprintf(out, "stat,metric,found,near,within,min,max,published,verdict,parts\n");
    for (size_t i = 0; i < experiment->count; i++) {
        const struct campaign_tally *tally = &experiment->tallies[i];
        for (uint32_t j = 0; j < tally->scenario->expect_count; j++) {
            const struct script_expect *expect = &tally->scenario->expects[j];
            put_point(out, tally->scenario);
            put_text(out, expect->stat, ',');
            put_text(out, expect->of, ',');
            put_number(out, campaign_expect_found(tally, expect), ',');
            put_number(out, expect->near, ',');
            put_number(out, expect->within, ',');
            put_number(out, expect->min, ',');
            put_number(out, expect->max, ',');
            fprintf(out, "%s,%s,", expect->is_published ? "yes" : "no",
                    campaign_demand_word(campaign_expect_state(tally, expect)));
            put_text(out, expect->parts ? expect->parts : "", '\n');
        }
    }
}

/* --- figures --- */

/* Let gnuplot draw what SLUG.gp says, in the folder. */
static bool draw(const struct report_figures *figures, const char *slug)
{
    char script[SLUG_MAX + 8];
    (void)snprintf(script, sizeof script, "%s.gp", slug);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (chdir(figures->folder) == 0) {
            (void)execlp("gnuplot", "gnuplot", script, (char *)NULL);
        }
        _exit(127);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* false: it was not drawn. */
static bool finish_experiment(struct report_figures *figures, const struct report_experiment *experiment)
{
    FILE *points = open_file(figures, experiment->slug, "points.csv");
    if (points) {
        put_points(experiment, points);
        close_file(figures, points, experiment->slug);
    }
    FILE *verdicts = open_file(figures, experiment->slug, "expect.csv");
    if (verdicts) {
        put_verdicts(experiment, verdicts);
        close_file(figures, verdicts, experiment->slug);
    }
    FILE *script = experiment->whole->figure ? open_file(figures, experiment->slug, "gp") : NULL;
    if (!script) {
        return true;
    }
    bool has_curves = report_plot(experiment, script);
    close_file(figures, script, experiment->slug);
    return !has_curves || figures->failed[0] != '\0' || draw(figures, experiment->slug);
}

enum report_figures_status report_figures_end(struct report_figures *figures, const struct campaign *campaign,
                                              char error[REPORT_TEXT_MAX])
{
    enum report_figures_status status = REPORT_FIGURES_DRAWN;
    close_file(figures, figures->values, "values");
    size_t number = 0;
    for (size_t first = 0; first < campaign->tally_count && number < figures->slug_count;) {
        const struct campaign_tally *tally = &campaign->tallies[first];
        struct report_experiment experiment = {.whole = whole_of(tally->file, tally->scenario),
                                               .tallies = tally,
                                               .slug = figures->slugs[number++]};
        while (first < campaign->tally_count &&
               whole_of(campaign->tallies[first].file, campaign->tallies[first].scenario) ==
                   experiment.whole) {
            experiment.count++;
            first++;
        }
        if (!finish_experiment(figures, &experiment) && status == REPORT_FIGURES_DRAWN) {
            status = REPORT_FIGURES_UNDRAWN;
            (void)snprintf(error, REPORT_TEXT_MAX,
                           "%.300s/%s.gp: was not drawn, expected gnuplot (Debian's gnuplot-nox)",
                           figures->folder, experiment.slug);
        }
    }
    if (figures->failed[0] != '\0') {
        status = REPORT_FIGURES_UNWRITTEN;
        (void)snprintf(error, REPORT_TEXT_MAX, "%.400s: cannot be written", figures->failed);
    }
    free(figures->slugs);
    free(figures);
    return status;
}
