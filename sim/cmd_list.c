/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/arguments.h"
#include "sim/campaign/claims.h"
#include "sim/campaign/memory.h"
#include "sim/cmd.h"
#include "sim/cmd_plan.h"
#include "sim/point.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct list {
    struct cmd_plan plan; /* First: shared setters take it. */
    bool wants_checks;
    bool wants_claims;
    bool wants_points;
};

static bool set_checks(void *target, const char *value)
{
    (void)value;
    struct list *list = target;
    list->wants_checks = true;
    return true;
}

static bool set_claims(void *target, const char *value)
{
    (void)value;
    struct list *list = target;
    list->wants_claims = true;
    return true;
}

static bool set_points(void *target, const char *value)
{
    (void)value;
    struct list *list = target;
    list->wants_points = true;
    return true;
}

static const struct campaign_argument known[] = {
    {"--filter", "TEXT", "scenarios whose name contains it", cmd_plan_set_filter},
    {"--tag", "TAG", "scenarios with this tag", cmd_plan_set_tag},
    {"--claim", "ID", "scenarios that carry this claim", cmd_plan_set_claim},
    {"--param", "name=value", "override a param() of the scripts", cmd_plan_set_param},
    {"--checks", NULL, "the judges, and what each of them promises", set_checks},
    {"--claims", NULL, "the promises of the documentation, and what each falls without", set_claims},
    {"--points", NULL, "the points at which a scenario may act", set_points},
};

static void print_checks(void)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        const struct check_info *info = check_info((enum check_judge)i);
        printf("%-14s %s\n", info->name, info->promise);
    }
}

static void print_claims(void)
{
    const struct campaign_promise *promise;
    for (size_t i = 0; (promise = campaign_promise(i)) != NULL; i++) {
        printf("%-24s %s\n", promise->id, promise->promise);
        if (promise->without[0] != '\0') {
            printf("%-24s   falls without: %s\n", "", promise->without);
        }
    }
}

static void print_points(void)
{
    char text[512];
    const char *line;
    for (uint32_t i = 0; (line = sim_point_line(i, text, sizeof text)) != NULL; i++) {
        printf("%s\n", line);
    }
}

static void print_words(const char *what, const char *const *words)
{
    if (!words || !words[0]) {
        return;
    }
    printf("      %s:", what);
    for (; *words; words++) {
        printf(" %s", *words);
    }
    printf("\n");
}

static void print_scenario(const struct script_scenario *scenario)
{
    printf("  %s  (%s%" PRIu64 " seeds, line %" PRIu32 ")\n", scenario->name,
           scenario->is_experiment ? "experiment, " : "", scenario->seeds, scenario->line);
    print_words("claims", scenario->claims);
    print_words("tags", scenario->tags);
    print_words("shows", scenario->shows);
}

static int list_scenarios(struct list *list)
{
    struct campaign_plan plan;
    char error[SCRIPT_TEXT_MAX];
    list->plan.options.kind = CAMPAIGN_LIST;
    if (!campaign_plan_init(&plan, &list->plan.options, error)) {
        fprintf(stderr, "faultline list: %s\n", error);
        return CMD_WRONG;
    }
    const struct script_file *file = NULL;
    for (size_t i = 0; i < plan.unit_count; i++) {
        if (plan.units[i].file != file) {
            file = plan.units[i].file;
            printf("%s\n", plan.units[i].scenario->file);
        }
        print_scenario(plan.units[i].scenario);
    }
    campaign_plan_release(&plan);
    return CMD_HELD;
}

int cmd_list(int argc, char **argv)
{
    struct list *list = campaign_alloc(sizeof *list);
    struct campaign_arguments arguments = {.command = "list",
                                           .usage = "[PATH…] [options]",
                                           .known = known,
                                           .known_count = sizeof known / sizeof known[0],
                                           .target = list};
    arguments.words = campaign_alloc(((size_t)argc + 1) * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        status = CMD_HELD;
    } else if (list->wants_checks) {
        print_checks();
        status = CMD_HELD;
    } else if (list->wants_claims) {
        print_claims();
        status = CMD_HELD;
    } else if (list->wants_points) {
        print_points();
        status = CMD_HELD;
    } else {
        if (arguments.word_count == 0) {
            arguments.words[arguments.word_count++] = "scenarios";
        }
        list->plan.options.paths = arguments.words;
        list->plan.options.path_count = arguments.word_count;
        status = list_scenarios(list);
    }
    free(arguments.words);
    free(list);
    return status;
}
