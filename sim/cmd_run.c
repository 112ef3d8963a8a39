/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/db.h"
#include "reports/figures.h"
#include "reports/report.h"
#include "sim/campaign/arguments.h"
#include "sim/campaign/campaign.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/print.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/text.h"
#include "sim/cmd.h"
#include "sim/cmd_plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What run, fuzz and sweep differ in. */
struct command {
    const char *name;
    const char *usage;
    const struct campaign_argument *known;
    uint32_t known_count;
    enum campaign_plan_kind kind;
    const char *folder; /* Of scenarios/, when no path is given; NULL: one has to be. */
    bool says_speed;
};

struct run {
    struct cmd_plan plan; /* First: shared setters take it. */
    struct campaign_options campaign;
    struct campaign_printer printer;
    struct campaign_progress progress;
    struct report_files files;
    const char *db_path;
    struct report_db *db;           /* NULL: not asked for. */
    const char *figures_path;       /* The folder for what an experiment found. */
    struct report_figures *figures; /* NULL: not asked for. */
    const struct command *command;
};

static bool set_jobs(void *target, const char *value)
{
    struct run *run = target;
    uint64_t jobs = 0;
    if (!campaign_text_u64(value, &jobs) || jobs == 0 || jobs > CAMPAIGN_WORKERS_MAX) {
        return false;
    }
    run->campaign.jobs = (uint32_t)jobs;
    return true;
}

static bool set_time(void *target, const char *value)
{
    struct run *run = target;
    return campaign_text_duration(value, &run->campaign.time_ns) && run->campaign.time_ns > 0;
}

static bool set_verify(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->campaign.verify = true;
    return true;
}

static bool set_fail_fast(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->campaign.fail_fast = true;
    return true;
}

static bool set_claims(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->printer.with_claims = true;
    return true;
}

static bool set_quiet(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->printer.volume = CAMPAIGN_QUIET;
    return true;
}

static bool set_loud(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->printer.volume = CAMPAIGN_LOUD;
    return true;
}

static bool set_json(void *target, const char *value)
{
    struct run *run = target;
    run->files.json = value;
    return value[0] != '\0';
}

static bool set_html(void *target, const char *value)
{
    struct run *run = target;
    run->files.html = value;
    return value[0] != '\0';
}

static bool set_junit(void *target, const char *value)
{
    struct run *run = target;
    run->files.junit = value;
    return value[0] != '\0';
}

static bool set_db(void *target, const char *value)
{
    struct run *run = target;
    run->db_path = value;
    return value[0] != '\0';
}

static bool set_tap(void *target, const char *value)
{
    (void)value;
    struct run *run = target;
    run->files.tap = true;
    return true;
}

static bool set_figures(void *target, const char *value)
{
    struct run *run = target;
    run->figures_path = value;
    return value[0] != '\0';
}

static bool set_trials(void *target, const char *value)
{
    struct run *run = target;
    struct campaign_plan_options *plan = &run->plan.options;
    plan->has_seeds = true;
    plan->seed_first = 1;
    return campaign_text_u64(value, &plan->seed_last) && plan->seed_last > 0;
}

static const struct campaign_argument known[] = {
    {"--seeds", "N from 1 on, or A..B upwards", "seeds 1 to N, or A to B, of each scenario",
     cmd_plan_set_seeds},
    {"--seed", "N", "this seed only", cmd_plan_set_seed},
    {"--jobs", "a number from 1 to 1024", "worker processes; as many as processors unless said", set_jobs},
    {"--time", "a duration such as 60s", "begin no seed after so much real time", set_time},
    {"--filter", "TEXT", "scenarios whose name contains it", cmd_plan_set_filter},
    {"--tag", "TAG", "scenarios with this tag", cmd_plan_set_tag},
    {"--claim", "ID", "scenarios that carry this claim", cmd_plan_set_claim},
    {"--scenario", "NAME", "the scenario of this name", cmd_plan_set_scenario},
    {"--param", "name=value", "override a param() of the scripts", cmd_plan_set_param},
    {"--shard", "I/N", "the I-th of N parts of the work", cmd_plan_set_shard},
    {"--verify", NULL, "run each seed twice; name the first event where two runs part", set_verify},
    {"--claims", NULL, "say for each claim whether it held, with the figures that matter", set_claims},
    {"--fail-fast", NULL, "stop at the first run that does not hold", set_fail_fast},
    {"--json", "a file's name", "write a report for programs", set_json},
    {"--db", "a file's name", "put every run into an SQLite file", set_db},
    {"--html", "a file's name", "write a report for people, one page", set_html},
    {"--junit", "a file's name", "write a report as JUnit's XML", set_junit},
    {"--tap", NULL, "write TAP to standard output, and nothing else", set_tap},
    {"-q", NULL, "only what failed", set_quiet},
    {"-v", NULL, "all figures, all failures", set_loud},
};

static const struct campaign_argument known_to_sweep[] = {
    {"-o", "a folder", "leave tables (CSV, SQLite) and figures (SVG) there", set_figures},
    {"--trials", "a number", "runs of each point, seeds 1 to it; fewer than its own judge nothing",
     set_trials},
    {"--jobs", "a number from 1 to 1024", "worker processes; as many as processors unless said", set_jobs},
    {"--filter", "TEXT", "points whose name (\"NAME [spread=5]\") contains it", cmd_plan_set_filter},
    {"--tag", "TAG", "experiments with this tag", cmd_plan_set_tag},
    {"--scenario", "NAME", "the experiment, or the point, of this name", cmd_plan_set_scenario},
    {"--param", "name=value", "override a param() of the scripts", cmd_plan_set_param},
    {"--shard", "I/N", "the I-th of N parts of the work", cmd_plan_set_shard},
    {"--fail-fast", NULL, "stop at the first run that does not hold", set_fail_fast},
    {"--json", "a file's name", "write a report for programs", set_json},
    {"--db", "a file's name", "put every run into an SQLite file", set_db},
    {"--html", "a file's name", "write a report for people, one page", set_html},
    {"--junit", "a file's name", "write a report as JUnit's XML", set_junit},
    {"-q", NULL, "only what failed", set_quiet},
    {"-v", NULL, "all figures, all failures", set_loud},
};

static void on_scenario(void *context, const struct campaign *campaign, const struct campaign_tally *tally)
{
    struct run *run = context;
    campaign_progress_clear(&run->progress);
    if (run->db) {
        report_db_put_events(run->db, tally);
    }
    if (!run->files.tap) {
        campaign_print_scenario(&run->printer, campaign, tally);
    }
}

static void on_run(void *context, const struct campaign_unit *unit, uint64_t seed,
                   const struct campaign_result *result)
{
    struct run *run = context;
    if (run->db) {
        report_db_put_run(run->db, unit->scenario, seed, result);
    }
    if (run->figures) {
        report_figures_put_run(run->figures, unit, seed, result);
    }
}

static void on_progress(void *context, const struct campaign *campaign)
{
    struct run *run = context;
    campaign_progress_show(&run->progress, campaign);
}

/* Processor time of the workers, ns: of a swarm's speed the wall clock says little. */
static uint64_t workers_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    uint64_t seconds = (uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec;
    uint64_t us = (uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec;
    return seconds * 1000000000 + us * 1000;
}

/* How deep a swarm goes: only where somebody looks, for it is another figure each time. */
static void print_speed(const struct campaign *campaign)
{
    uint64_t took_ns = workers_ns();
    if (took_ns > 0) {
        printf("%.0f seeds per CPU-hour\n", (double)campaign->tallied / ((double)took_ns / 3.6e12));
    }
}

/* Defaults, and what follows from what was said. */
static void prepare(struct run *run, const struct campaign_arguments *arguments)
{
    run->plan.options.paths = arguments->words;
    run->plan.options.path_count = arguments->word_count;
    run->plan.options.is_endless = run->campaign.time_ns > 0;
    run->plan.options.kind = run->command->kind;
    run->campaign.plan = run->plan.options;
    if (run->campaign.jobs == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        run->campaign.jobs = processors < 1 ? 1 : processors > 256 ? 256 : (uint32_t)processors;
    }
    run->printer.out = stdout;
    run->printer.has_colour = campaign_wants_colour(stdout);
    run->printer.with_demands = run->command->kind == CAMPAIGN_EXPERIMENTS;
    campaign_progress_init(&run->progress, stderr);
    run->campaign.with_events = true;
    run->campaign.context = run;
    run->campaign.scenario_done = on_scenario;
    run->campaign.progress = run->progress.is_shown ? on_progress : NULL;
}

static int finish(struct run *run, const struct campaign *campaign)
{
    campaign_progress_clear(&run->progress);
    int status = campaign_exit_status(campaign);
    if (!run->files.tap) {
        if (run->printer.with_claims) {
            campaign_print_claims(&run->printer, campaign);
        }
        campaign_print_sum(&run->printer, campaign);
        if (run->command->says_speed && run->printer.volume != CAMPAIGN_QUIET) {
            print_speed(campaign);
        }
    }
    const char *failed = report_write(&run->files, campaign);
    if (run->db && !report_db_end(run->db)) {
        failed = run->db_path;
    }
    if (failed) {
        fprintf(stderr, "faultline %s: %s: cannot be written\n", run->command->name, failed);
        return status == CMD_VIOLATED ? status : CMD_WRONG;
    }
    if (run->figures) {
        char error[REPORT_TEXT_MAX];
        enum report_figures_status drawn = report_figures_end(run->figures, campaign, error);
        if (drawn != REPORT_FIGURES_DRAWN) {
            fprintf(stderr, "faultline %s: %s\n", run->command->name, error);
            return status == CMD_VIOLATED              ? status
                   : drawn == REPORT_FIGURES_UNWRITTEN ? CMD_WRONG
                                                       : CMD_UNJUDGED;
        }
    }
    return status;
}

/* Open what runs are put into as they end. false: it was complained about. */
static bool open_stores(struct run *run, char error[SCRIPT_TEXT_MAX])
{
    if (run->figures_path) {
        run->figures = report_figures_new(run->figures_path, error);
        if (!run->figures) {
            return false;
        }
        run->db_path = run->db_path ? run->db_path : report_figures_db(run->figures);
    }
    if (run->db_path) {
        run->db = report_db_new(run->db_path, error);
        if (!run->db) {
            return false;
        }
        for (uint32_t i = 0; i < run->plan.options.param_count; i++) {
            report_db_put_param(run->db, &run->plan.options.params[i]);
        }
    }
    run->campaign.run_done = run->db || run->figures ? on_run : NULL;
    return true;
}

static int run_campaign(struct run *run)
{
    struct campaign campaign;
    char error[SCRIPT_TEXT_MAX];
    const char *unwritable = report_check(&run->files);
    if (unwritable) {
        fprintf(stderr, "faultline %s: %s: cannot be written\n", run->command->name, unwritable);
        return CMD_WRONG;
    }
    if (!open_stores(run, error)) {
        fprintf(stderr, "faultline %s: %s\n", run->command->name, error);
        return CMD_WRONG;
    }
    if (!campaign_run(&campaign, &run->campaign, error)) {
        if (run->db) {
            (void)report_db_end(run->db);
        }
        fprintf(stderr, "faultline %s: %s\n", run->command->name, error);
        return CMD_WRONG;
    }
    int status = finish(run, &campaign);
    campaign_release(&campaign);
    return status;
}

static int campaign_command(int argc, char **argv, const struct command *command)
{
    struct run *run = campaign_alloc(sizeof *run);
    run->command = command;
    run->printer.volume = CAMPAIGN_NORMAL;
    struct campaign_arguments arguments = {.command = command->name,
                                           .usage = command->usage,
                                           .known = command->known,
                                           .known_count = command->known_count,
                                           .target = run};
    arguments.words = campaign_alloc(((size_t)argc + 1) * sizeof arguments.words[0]);
    char folder[CMD_FOLDER_MAX];
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        status = CMD_HELD;
    } else if (arguments.word_count == 0 && !command->folder) {
        fprintf(stderr, "faultline %s: found no PATH, expected scenario files or folders\n", command->name);
    } else {
        if (arguments.word_count == 0) {
            cmd_find_scenarios(command->folder, folder);
            arguments.words[arguments.word_count++] = folder;
        }
        prepare(run, &arguments);
        status = run_campaign(run);
    }
    free(arguments.words);
    free(run);
    return status;
}

int cmd_run(int argc, char **argv)
{
    static const struct command run = {.name = "run",
                                       .usage = "PATH… [options]",
                                       .known = known,
                                       .known_count = sizeof known / sizeof known[0],
                                       .kind = CAMPAIGN_SCENARIOS};
    return campaign_command(argc, argv, &run);
}

int cmd_fuzz(int argc, char **argv)
{
    static const struct command fuzz = {.name = "fuzz",
                                        .usage = "[PATH…] [options]",
                                        .known = known,
                                        .known_count = sizeof known / sizeof known[0],
                                        .kind = CAMPAIGN_SCENARIOS,
                                        .folder = "swarm",
                                        .says_speed = true};
    return campaign_command(argc, argv, &fuzz);
}

int cmd_sweep(int argc, char **argv)
{
    static const struct command sweep = {.name = "sweep",
                                         .usage = "PATH… [options]",
                                         .known = known_to_sweep,
                                         .known_count = sizeof known_to_sweep / sizeof known_to_sweep[0],
                                         .kind = CAMPAIGN_EXPERIMENTS};
    return campaign_command(argc, argv, &sweep);
}
