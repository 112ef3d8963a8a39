/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/db.h"
#include "reports/report.h"
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct target {
    const char *output;
};

static bool set_output(void *target, const char *value)
{
    struct target *own = target;
    own->output = value;
    return value[0] != '\0';
}

static const struct campaign_argument known[] = {
    {"-o", "a file's name", "where to write", set_output},
};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* What the name says it is: a page unless .json or .xml. */
static int write_report(const char *db, const char *output)
{
    char error[REPORT_TEXT_MAX];
    struct report_loaded *loaded = report_db_load(db, error);
    if (!loaded) {
        fprintf(stderr, "faultline report: %s\n", error);
        return CMD_WRONG;
    }
    bool is_json = ends_with(output, ".json");
    bool is_junit = ends_with(output, ".xml");
    struct report_files files = {.json = is_json ? output : NULL,
                                 .junit = is_junit ? output : NULL,
                                 .html = is_json || is_junit ? NULL : output};
    const char *failed = report_write(&files, report_loaded_campaign(loaded));
    report_loaded_free(loaded);
    if (failed) {
        fprintf(stderr, "faultline report: %s: cannot be written\n", failed);
        return CMD_WRONG;
    }
    return CMD_HELD;
}

static int merge(const char *const *paths, uint32_t count, const char *output)
{
    char error[REPORT_TEXT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(paths[i], output) == 0) {
            fprintf(stderr, "faultline merge: %s: found it on both sides, expected another name behind -o\n",
                    output);
            return CMD_WRONG;
        }
    }
    struct report_db *db = report_db_new(output, error);
    bool is_good = db != NULL;
    for (uint32_t i = 0; is_good && i < count; i++) {
        is_good = report_db_merge(db, paths[i], error);
    }
    if (!is_good) {
        fprintf(stderr, "faultline merge: %s\n", error);
    }
    if (db && !report_db_end(db) && is_good) {
        fprintf(stderr, "faultline merge: %s: cannot be written\n", output);
        is_good = false;
    }
    if (db && !is_good) {
        (void)remove(output); /* Half a merge is none. */
    }
    return is_good ? CMD_HELD : CMD_WRONG;
}

static int run(struct campaign_arguments *arguments, int argc, char **argv, uint32_t words_max)
{
    struct target target = {0};
    arguments->known = known;
    arguments->known_count = sizeof known / sizeof known[0];
    arguments->target = &target;
    arguments->words = campaign_alloc((size_t)argc * sizeof arguments->words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments->wants_help) {
        campaign_arguments_help(arguments, stdout);
        status = CMD_HELD;
    } else if (arguments->word_count == 0 || arguments->word_count > words_max || !target.output) {
        bool is_output = target.output != NULL;
        fprintf(stderr, "faultline %s: found %" PRIu32 " file%s and %s, expected %s\n", arguments->command,
                arguments->word_count, arguments->word_count == 1 ? "" : "s", is_output ? "-o" : "no -o",
                arguments->usage);
    } else if (words_max == 1) {
        status = write_report(arguments->words[0], target.output);
    } else {
        status = merge(arguments->words, arguments->word_count, target.output);
    }
    free(arguments->words);
    return status;
}

int cmd_report(int argc, char **argv)
{
    struct campaign_arguments arguments = {.command = "report", .usage = "DB -o F.html"};
    return run(&arguments, argc, argv, 1);
}

int cmd_merge(int argc, char **argv)
{
    struct campaign_arguments arguments = {.command = "merge", .usage = "DB… -o DB"};
    return run(&arguments, argc, argv, UINT32_MAX);
}
