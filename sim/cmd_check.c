/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/check/file.h"
#include "sim/cmd.h"

#include <stdio.h>
#include <stdlib.h>

struct target {
    const char *model;
    bool is_json;
};

static bool set_model(void *target, const char *value)
{
    struct target *own = target;
    own->model = value;
    return true;
}

static bool set_json(void *target, const char *value)
{
    (void)value;
    struct target *own = target;
    own->is_json = true;
    return true;
}

static const struct campaign_argument known[] = {
    {"--model", "kv, cas-register or etcd", "what the history is one of", set_model},
    {"--json", NULL, "the verdict as one object", set_json},
};

int cmd_check(int argc, char **argv)
{
    struct target target = {0};
    struct campaign_arguments arguments = {.command = "check",
                                           .usage = "FILE --model kv|cas-register|etcd",
                                           .known = known,
                                           .known_count = sizeof known / sizeof known[0],
                                           .target = &target};
    arguments.words = campaign_alloc((size_t)argc * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        status = CMD_HELD;
    } else if (arguments.word_count != 1 || !target.model) {
        fprintf(stderr, "faultline check: found something else, expected %s\n", arguments.usage);
    } else {
        status = check_file(arguments.words[0], target.model, target.is_json);
    }
    free(arguments.words);
    return status;
}
