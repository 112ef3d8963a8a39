/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/print.h"
#include "sim/campaign/shrink.h"
#include "sim/campaign/text.h"
#include "sim/cmd.h"
#include "sim/cmd_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shrinking {
    struct cmd_plan plan; /* First: shared setters take it. */
    const char *output;   /* NULL: standard output. */
    uint64_t limit_ns;
    uint32_t jobs;
};

static bool set_output(void *target, const char *value)
{
    struct shrinking *shrinking = target;
    shrinking->output = value;
    return value[0] != '\0';
}

static bool set_time(void *target, const char *value)
{
    struct shrinking *shrinking = target;
    return campaign_text_duration(value, &shrinking->limit_ns) && shrinking->limit_ns > 0;
}

static bool set_jobs(void *target, const char *value)
{
    struct shrinking *shrinking = target;
    uint64_t jobs = 0;
    if (!campaign_text_u64(value, &jobs) || jobs == 0 || jobs > CAMPAIGN_WORKERS_MAX) {
        return false;
    }
    shrinking->jobs = (uint32_t)jobs;
    return true;
}

static const struct campaign_argument known[] = {
    {"--seed", "a number", "the seed that breaks a promise", cmd_plan_set_seed},
    {"-o", "a file's name", "where the small scenario goes; standard output unless said", set_output},
    {"--scenario", "NAME", "the scenario of this name, when PATH has several", cmd_plan_set_scenario},
    {"--param", "name=value", "override a param() of the scripts", cmd_plan_set_param},
    {"--time", "a duration such as 60s", "real time after which it is small enough; 60s unless said",
     set_time},
    {"--jobs", "1 to 1024", "processes; as many as there are processors unless said", set_jobs},
};

static void print_figures(const struct campaign_shrink *shrink, uint64_t real_ns, FILE *out)
{
    const struct campaign_shrink_figures *before = &shrink->before;
    const struct campaign_shrink_figures *after = &shrink->after;
    fprintf(out, "%zu %s → %zu, %u %s → %u, %.1f s → %.1f s", before->acts,
            before->acts == 1 ? "action" : "actions", after->acts, before->members,
            before->members == 1 ? "member" : "members", after->members, (double)before->time_ns / 1e9,
            (double)after->time_ns / 1e9);
    if (real_ns > 0) {
        fprintf(out, "; %" PRIu64 " runs in %.1f s%s", shrink->run_count, (double)real_ns / 1e9,
                shrink->is_late ? ", stopped by --time" : "");
    }
}

/* A sentence as lines of a comment. */
static void print_comment(const char *text, FILE *out)
{
    enum { WIDTH = 92 };
    while (*text) {
        size_t size = strlen(text);
        size_t end = size;
        if (size > WIDTH) {
            for (end = WIDTH; end > WIDTH / 2 && text[end] != ' ';) {
                end--;
            }
        }
        fprintf(out, "-- %.*s\n", (int)end, text);
        text += end + (text[end] == ' ');
    }
}

static void print_scenario(const struct shrinking *shrinking, const struct script_scenario *scenario,
                           const struct campaign_shrink *shrink, FILE *out)
{
    const struct check_info *judge = check_info(shrink->violation.judge);
    char text[1024];
    (void)snprintf(text, sizeof text, "Breaks \"%s\": %s.", judge->name, judge->promise);
    print_comment(text, out);
    const char *place = shrink->violation.judge == CHECK_EXPECT ? strstr(shrink->sentence, ": ") : NULL;
    print_comment(place ? place + 2 : shrink->sentence, out);
    fprintf(out, "--\n");
    (void)snprintf(text, sizeof text, "Shrunk from %.300s, \"%.300s\", seed %" PRIu64 ":", scenario->file,
                   scenario->name, shrinking->plan.options.seed_first);
    print_comment(text, out);
    fprintf(out, "-- ");
    print_figures(shrink, 0, out);
    fprintf(out, ".\n-- %zu of %zu other seeds break it, too.\n", shrink->seeds_breaking,
            shrink->seeds_tried);
    fprintf(out, "--\n--   faultline run %s --seed %" PRIu64 "\n\n",
            shrinking->output ? shrinking->output : "FILE", shrinking->plan.options.seed_first);
    (void)snprintf(text, sizeof text, "shrunk: %.900s", scenario->name);
    struct base_buffer lua = {0};
    base_buffer_init(&lua, &campaign_memory);
    campaign_schedule_print(&shrink->schedule, text, shrink->is_lenient, &lua);
    fwrite(lua.data, 1, lua.size, out);
    base_buffer_release(&lua);
}

static bool write_scenario(const struct shrinking *shrinking, const struct script_scenario *scenario,
                           const struct campaign_shrink *shrink)
{
    FILE *out = shrinking->output ? fopen(shrinking->output, "wb") : stdout;
    bool is_good = out != NULL;
    if (out) {
        print_scenario(shrinking, scenario, shrink, out);
        is_good = ferror(out) == 0;
        is_good = (out == stdout ? fflush(out) : fclose(out)) == 0 && is_good;
    }
    if (!is_good) {
        fprintf(stderr, "faultline shrink: %s: cannot be written\n",
                shrinking->output ? shrinking->output : "standard output");
    }
    return is_good;
}

/* Nothing was shrunk: why. */
static int explain(const struct shrinking *shrinking, const struct script_scenario *scenario,
                   const struct campaign_shrink *shrink)
{
    switch (shrink->end) {
    case CAMPAIGN_SHRINK_HELD:
        fprintf(stderr, "faultline shrink: \"%s\", seed %" PRIu64 " holds: there is nothing to shrink\n",
                scenario->name, shrinking->plan.options.seed_first);
        return CMD_HELD;
    case CAMPAIGN_SHRINK_WRONG:
        fprintf(stderr, "faultline shrink: %s\n", shrink->why);
        return CMD_WRONG;
    case CAMPAIGN_SHRINK_UNJUDGED:
        fprintf(stderr, "faultline shrink: not judged: %s\n", shrink->why);
        return CMD_UNJUDGED;
    case CAMPAIGN_SHRINK_UNTOLD:
        fprintf(stderr,
                "faultline shrink: \"%s\", seed %" PRIu64
                " breaks \"%s\", but its schedule alone does not: %s\n",
                scenario->name, shrinking->plan.options.seed_first, check_info(shrink->violation.judge)->name,
                shrink->why);
        return CMD_UNJUDGED;
    case CAMPAIGN_SHRUNK:
        break;
    }
    return CMD_VIOLATED;
}

static void show_progress(void *context, const struct campaign_schedule *schedule, uint64_t runs)
{
    (void)context;
    fprintf(stderr, "\r\033[K%zu actions, %u members, %" PRIu64 " runs", schedule->act_count,
            schedule->members, runs);
}

static int shrink_unit(const struct shrinking *shrinking, const struct campaign_unit *unit)
{
    struct campaign_shrink shrink;
    const struct campaign_plan_options *plan = &shrinking->plan.options;
    bool is_watched = isatty(STDERR_FILENO) != 0;
    struct campaign_shrink_options options = {.file = unit->file,
                                              .scenario = unit->scenario,
                                              .params = plan->params,
                                              .param_count = plan->param_count,
                                              .seed = plan->seed_first,
                                              .jobs = shrinking->jobs,
                                              .limit_ns = shrinking->limit_ns,
                                              .progress = is_watched ? show_progress : NULL};
    uint64_t began_ns = campaign_real_ns();
    campaign_shrink_init(&shrink, &options);
    uint64_t real_ns = campaign_real_ns() - began_ns;
    fputs(is_watched ? "\r\033[K" : "", stderr);
    int status = explain(shrinking, unit->scenario, &shrink);
    if (shrink.end == CAMPAIGN_SHRUNK) {
        status = write_scenario(shrinking, unit->scenario, &shrink) ? status : CMD_WRONG;
        print_figures(&shrink, real_ns, stderr);
        fprintf(stderr, "\n");
    }
    campaign_shrink_release(&shrink);
    return status;
}

/* Can it be? A file that is there stays as it is, for nothing may come of all this. */
static bool can_be_written(const char *path)
{
    bool is_there = access(path, F_OK) == 0;
    FILE *file = fopen(path, "ab");
    if (file) {
        (void)fclose(file);
    }
    if (file && !is_there) {
        (void)remove(path);
    }
    return file != NULL;
}

static int shrink(struct shrinking *shrinking)
{
    struct campaign_plan plan;
    char error[SCRIPT_TEXT_MAX];
    if (!campaign_plan_init(&plan, &shrinking->plan.options, error)) {
        fprintf(stderr, "faultline shrink: %s\n", error);
        return CMD_WRONG;
    }
    int status = CMD_WRONG;
    if (plan.unit_count != 1) {
        fprintf(stderr, "faultline shrink: found %zu scenarios, expected one: say which with --scenario\n",
                plan.unit_count);
    } else if (shrinking->output && !can_be_written(shrinking->output)) {
        fprintf(stderr, "faultline shrink: %s: cannot be written\n", shrinking->output);
    } else {
        status = shrink_unit(shrinking, &plan.units[0]);
    }
    campaign_plan_release(&plan);
    return status;
}

int cmd_shrink(int argc, char **argv)
{
    struct shrinking *shrinking = campaign_alloc(sizeof *shrinking);
    struct campaign_arguments arguments = {.command = "shrink",
                                           .usage = "PATH --seed N [-o F.lua] [options]",
                                           .known = known,
                                           .known_count = sizeof known / sizeof known[0],
                                           .target = shrinking};
    arguments.words = campaign_alloc((size_t)argc * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    shrinking->jobs = processors < 1                      ? 1
                      : processors > CAMPAIGN_WORKERS_MAX ? CAMPAIGN_WORKERS_MAX
                                                          : (uint32_t)processors;
    shrinking->limit_ns = UINT64_C(60000000000);
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        printf("The smallest scenario that breaks the same promise goes to -o, figures to standard error.\n"
               "Exit status: 1 it was written, 0 the seed holds, 2 something is wrong, 3 it cannot be told\n"
               "by what the script did.\n");
        status = CMD_HELD;
    } else if (arguments.word_count == 0) {
        fprintf(stderr, "faultline shrink: found no PATH, expected a scenario file\n");
    } else if (!shrinking->plan.options.has_seeds) {
        fprintf(stderr, "faultline shrink: found no --seed, expected the seed that breaks a promise\n");
    } else {
        shrinking->plan.options.paths = arguments.words;
        shrinking->plan.options.path_count = arguments.word_count;
        status = shrink(shrinking);
    }
    free(arguments.words);
    free(shrinking);
    return status;
}
