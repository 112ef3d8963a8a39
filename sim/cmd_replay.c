/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/page.h"
#include "reports/perfetto.h"
#include "reports/report.h"
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/print.h"
#include "sim/campaign/relevant.h"
#include "sim/campaign/ring.h"
#include "sim/campaign/text.h"
#include "sim/cmd.h"
#include "sim/cmd_plan.h"
#include "sim/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, TEXT_MAX = 512 };

struct replay {
    struct cmd_plan plan; /* First: shared setters take it. */
    uint64_t until_ns;
    const char *trace; /* Files to write; NULL: not asked for. */
    const char *perfetto;
    const char *html;
    const char *disks; /* The folder to leave the members' directories in. */
    bool is_loud;
    struct campaign_printer printer;
    struct script_worlds *worlds;
};

/* Every event on a line of its own, as it happens. */
struct loud {
    struct sim_sink sink;
    struct campaign_names names;
    FILE *out;
};

static bool set_until(void *target, const char *value)
{
    struct replay *replay = target;
    return campaign_text_duration(value, &replay->until_ns) && replay->until_ns > 0;
}

static bool set_disks(void *target, const char *value)
{
    struct replay *replay = target;
    replay->disks = value;
    return true;
}

static bool set_trace(void *target, const char *value)
{
    struct replay *replay = target;
    replay->trace = value;
    return value[0] != '\0';
}

static bool set_perfetto(void *target, const char *value)
{
    struct replay *replay = target;
    replay->perfetto = value;
    return value[0] != '\0';
}

static bool set_html(void *target, const char *value)
{
    struct replay *replay = target;
    replay->html = value;
    return value[0] != '\0';
}

static bool set_loud(void *target, const char *value)
{
    (void)value;
    struct replay *replay = target;
    replay->is_loud = true;
    return true;
}

static const struct campaign_argument known[] = {
    {"--seed", "a number", "the seed", cmd_plan_set_seed},
    {"--scenario", "NAME", "the scenario of this name; all of PATH unless said", cmd_plan_set_scenario},
    {"--param", "name=value", "override a param() of the scripts", cmd_plan_set_param},
    {"--until", "a duration such as 12.5s", "stop at this simulated time", set_until},
    {"--disks", "a folder", "leave the members' directories there, for faultline wal", set_disks},
    {"--trace", "a file's name", "write every event to a trace file", set_trace},
    {"--perfetto", "a file's name", "write the run as a trace for ui.perfetto.dev", set_perfetto},
    {"--html", "a file's name", "draw the run as a page", set_html},
    {"-v", NULL, "every event", set_loud},
};

static void print_event(void *context, const struct sim_event *event)
{
    struct loud *loud = context;
    char member[CAMPAIGN_NAME_MAX];
    char text[TEXT_MAX];
    campaign_names_learn(&loud->names, event);
    campaign_names_machine(event->machine, member);
    campaign_names_text(&loud->names, event, text, sizeof text);
    fprintf(loud->out, "  %5" PRIu64 ".%09" PRIu64 "s  %-7s  %s\n", event->time_ns / 1000000000,
            event->time_ns % 1000000000, member, text);
}

static void run(struct replay *replay, const struct campaign_unit *unit, struct sim_sink *sink,
                struct script_outcome *outcome)
{
    const struct campaign_plan_options *plan = &replay->plan.options;
    struct script_run_options options = {.seed = plan->seed_first,
                                         .point = unit->scenario->point,
                                         .params = plan->params,
                                         .param_count = plan->param_count,
                                         .sink = sink,
                                         .until_ns = replay->until_ns,
                                         .disks = replay->disks};
    *outcome = (struct script_outcome){0};
    script_run(unit->file, unit->scenario->number, &options, &replay->worlds, outcome);
}

static void print_head(const struct replay *replay, const struct campaign_unit *unit)
{
    fprintf(replay->printer.out, "scenario \"%s\", seed %" PRIu64 "\n", unit->scenario->name,
            replay->plan.options.seed_first);
}

static void print_all_events(struct replay *replay, const struct campaign_unit *unit)
{
    struct loud loud = {.out = replay->printer.out};
    loud.sink = (struct sim_sink){.context = &loud, .event = print_event};
    struct script_outcome outcome;
    print_head(replay, unit);
    fprintf(loud.out, "  %16s  %-7s  %s\n", "time", "member", "what");
    run(replay, unit, &loud.sink, &outcome);
    script_outcome_release(&outcome);
    campaign_names_release(&loud.names);
}

/* "name=value" lines of what was given, for free(). */
static char *parameters(const struct campaign_plan_options *plan)
{
    size_t size = 1;
    for (uint32_t i = 0; i < plan->param_count; i++) {
        size += strlen(plan->params[i].name) + strlen(plan->params[i].value) + 2;
    }
    char *text = campaign_alloc(size);
    size_t used = 0;
    for (uint32_t i = 0; i < plan->param_count; i++) {
        int more = snprintf(text + used, size - used, "%s=%s\n", plan->params[i].name, plan->params[i].value);
        used += (size_t)more;
    }
    return text;
}

/* false: the file cannot be written. */
static bool write_trace(struct replay *replay, const struct campaign_unit *unit)
{
    FILE *file = fopen(replay->trace, "wb");
    if (!file) {
        return false;
    }
    char *given = parameters(&replay->plan.options);
    struct sim_trace_header header = {.version = report_version(),
                                      .build = report_build(),
                                      .scenario = unit->scenario->name,
                                      .parameters = given,
                                      .seed = replay->plan.options.seed_first};
    struct sim_trace_output output = {.context = file, .put = sim_trace_put_file};
    struct sim_trace_writer *writer = sim_trace_writer_new(&header, &output);
    struct script_outcome outcome;
    run(replay, unit, sim_trace_writer_sink(writer), &outcome);
    script_outcome_release(&outcome);
    sim_trace_writer_end(writer);
    free(given);
    bool is_good = ferror(file) == 0;
    return fclose(file) == 0 && is_good;
}

static bool write_perfetto(struct replay *replay, const struct campaign_unit *unit,
                           const struct report_run *about)
{
    FILE *file = fopen(replay->perfetto, "w");
    if (!file) {
        return false;
    }
    struct report_perfetto *perfetto = report_perfetto_new(about, file);
    struct script_outcome outcome;
    run(replay, unit, report_perfetto_sink(perfetto), &outcome);
    script_outcome_release(&outcome);
    report_perfetto_end(perfetto);
    bool is_good = ferror(file) == 0;
    return fclose(file) == 0 && is_good;
}

static bool write_page(struct replay *replay, const struct campaign_unit *unit,
                       const struct report_run *about, const struct report_survey *survey)
{
    FILE *file = fopen(replay->html, "w");
    if (!file) {
        return false;
    }
    struct report_page *page = report_page_new(about, survey, file);
    struct script_outcome outcome;
    run(replay, unit, report_page_sink(page), &outcome);
    script_outcome_release(&outcome);
    report_page_end(page);
    bool is_good = ferror(file) == 0;
    return fclose(file) == 0 && is_good;
}

/* What shows a run to people begins with how it ended, so it is run before. NULL, or
 * the file that cannot be written. */
static const char *write_views(struct replay *replay, const struct campaign_unit *unit)
{
    struct script_outcome outcome;
    struct campaign_tally tally;
    const char *failed = NULL;
    struct report_survey survey;
    campaign_tally_init(&tally, unit);
    report_survey_init(&survey);
    run(replay, unit, &survey.sink, &outcome);
    (void)campaign_tally_add(&tally, replay->plan.options.seed_first,
                             &(struct campaign_result){.outcome = outcome});
    struct report_run about = {.plan = &replay->plan.options,
                               .scenario = unit->scenario,
                               .outcome = &outcome,
                               .failure = tally.failure_count > 0 ? &tally.failures[0] : NULL,
                               .seed = replay->plan.options.seed_first};
    if (replay->perfetto && !write_perfetto(replay, unit, &about)) {
        failed = replay->perfetto;
    } else if (replay->html && !write_page(replay, unit, &about, &survey)) {
        failed = replay->html;
    }
    script_outcome_release(&outcome);
    campaign_tally_release(&tally);
    return failed;
}

/* All files that were asked for; false after a complaint. */
static bool write_files(struct replay *replay, const struct campaign_plan *plan)
{
    bool wants_views = replay->perfetto || replay->html;
    if (!wants_views && !replay->trace) {
        return true;
    }
    if (plan->unit_count != 1) {
        fprintf(stderr,
                "faultline replay: --%s: found %zu scenarios, expected one: say which with --scenario\n",
                replay->trace      ? "trace"
                : replay->perfetto ? "perfetto"
                                   : "html",
                plan->unit_count);
        return false;
    }
    const char *failed = NULL;
    if (replay->trace && !write_trace(replay, &plan->units[0])) {
        failed = replay->trace;
    } else if (wants_views) {
        failed = write_views(replay, &plan->units[0]);
    }
    if (failed) {
        fprintf(stderr, "faultline replay: %s: cannot be written\n", failed);
    }
    return !failed;
}

/* The run once more, with the last events of some groups kept. */
static struct campaign_event *look(struct replay *replay, const struct campaign_unit *unit, uint32_t groups,
                                   uint64_t until_ns, size_t *count)
{
    struct campaign_ring ring;
    struct script_outcome outcome;
    campaign_ring_init(&ring, ROWS, groups, until_ns);
    run(replay, unit, &ring.sink, &outcome);
    struct campaign_event *events = campaign_ring_take_events(&ring, count);
    script_outcome_release(&outcome);
    campaign_ring_release(&ring);
    return events;
}

static void print_held(struct replay *replay, const struct campaign_unit *unit,
                       const struct script_outcome *outcome)
{
    FILE *out = replay->printer.out;
    if (!replay->is_loud) {
        size_t count = 0;
        struct campaign_event *events = look(replay, unit, campaign_overview(), UINT64_MAX, &count);
        print_head(replay, unit);
        campaign_events_print(events, count, ROWS, out);
        campaign_events_free(events, count);
    }
    char time[32];
    campaign_text_time(outcome->time_ns, time);
    fprintf(out, "held: %s of simulated time, %" PRIu64 " events, digest %s\n", time, outcome->events,
            outcome->digest);
}

static int replay_unit(struct replay *replay, const struct campaign_unit *unit)
{
    struct script_outcome outcome;
    struct campaign_tally tally;
    campaign_tally_init(&tally, unit);
    if (replay->is_loud) {
        print_all_events(replay, unit);
    }
    run(replay, unit, NULL, &outcome);
    (void)campaign_tally_add(&tally, replay->plan.options.seed_first,
                             &(struct campaign_result){.outcome = outcome});
    if (tally.failure_count == 0) {
        print_held(replay, unit, &outcome);
    } else {
        struct campaign_failure *failure = &tally.failures[0];
        if (outcome.verdict == SCRIPT_VIOLATED) {
            uint32_t groups = campaign_relevant(failure->judge);
            failure->events = look(replay, unit, groups, failure->time_ns, &failure->event_count);
        }
        campaign_print_failure(&replay->printer, &replay->plan.options, &tally, failure);
    }
    bool is_shown = tally.shown > 0;
    enum script_verdict verdict = outcome.verdict;
    script_outcome_release(&outcome);
    campaign_tally_release(&tally);
    switch (verdict) {
    case SCRIPT_HELD:
        return CMD_HELD;
    case SCRIPT_VIOLATED:
        return is_shown ? CMD_HELD : CMD_VIOLATED;
    case SCRIPT_WRONG:
        return CMD_WRONG;
    case SCRIPT_UNJUDGED:
        break;
    }
    return CMD_UNJUDGED;
}

/* The graver of two verdicts. */
static int graver(int a, int b)
{
    static const int gravity[] = {[CMD_HELD] = 0, [CMD_VIOLATED] = 3, [CMD_WRONG] = 2, [CMD_UNJUDGED] = 1};
    return gravity[a] >= gravity[b] ? a : b;
}

static int replay_all(struct replay *replay)
{
    struct campaign_plan plan;
    char error[SCRIPT_TEXT_MAX];
    if (!campaign_plan_init(&plan, &replay->plan.options, error)) {
        fprintf(stderr, "faultline replay: %s\n", error);
        return CMD_WRONG;
    }
    int status = write_files(replay, &plan) ? CMD_HELD : CMD_WRONG;
    for (size_t i = 0; status != CMD_WRONG && i < plan.unit_count; i++) {
        status = graver(status, replay_unit(replay, &plan.units[i]));
    }
    script_worlds_free(replay->worlds);
    campaign_plan_release(&plan);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    struct replay *replay = campaign_alloc(sizeof *replay);
    struct campaign_arguments arguments = {.command = "replay",
                                           .usage = "PATH --seed N [options]",
                                           .known = known,
                                           .known_count = sizeof known / sizeof known[0],
                                           .target = replay};
    arguments.words = campaign_alloc((size_t)argc * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        status = CMD_HELD;
    } else if (arguments.word_count == 0) {
        fprintf(stderr, "faultline replay: found no PATH, expected a scenario file\n");
    } else if (!replay->plan.options.has_seeds) {
        fprintf(stderr, "faultline replay: found no --seed, expected the seed to replay\n");
    } else {
        replay->plan.options.paths = arguments.words;
        replay->plan.options.path_count = arguments.word_count;
        replay->plan.options.kind = CAMPAIGN_BOTH;
        replay->printer =
            (struct campaign_printer){.out = stdout, .has_colour = campaign_wants_colour(stdout)};
        status = replay_all(replay);
    }
    free(arguments.words);
    free(replay);
    return status;
}
