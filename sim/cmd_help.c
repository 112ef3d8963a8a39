/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "sim/cmd.h"
#include "sim/script/define.h"
#include "sim/script/script.h"

#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("faultline %s\n", report_version());
    return CMD_HELD;
}

static void print_overview(void)
{
    printf("faultline: break a cluster a thousand times, and replay any of them from one number\n\n");
    printf("usage: faultline COMMAND …\n");
    for (unsigned i = 0; i < cmd_count; i++) {
        printf("  %-9s %s\n", cmd_all[i].name, cmd_all[i].summary);
    }
    printf("\nfaultline COMMAND --help says what a command takes; faultline help api what a scenario can "
           "say,\nfaultline help lua the same for the Lua language server of an editor.\n");
    printf("Exit status: 0 all held, 1 something was violated, 2 the command line, a file or a script\n");
    printf("is wrong, 3 not judged: the testbed failed, or gave up.\n");
}

/* Everything a scenario can say, grouped by what it belongs to. */
static void print_api(void)
{
    uint32_t count = 0;
    const struct script_api_line *lines = script_api(&count);
    const char *of = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!of || strcmp(of, lines[i].of) != 0) {
            of = lines[i].of;
            printf("%s%s\n", i == 0 ? "" : "\n", of[0] == '\0' ? "everywhere" : of);
        }
        printf("  %-44s %s\n", lines[i].written, lines[i].text);
    }
}

static void print_api_options(void)
{
    uint32_t count = 0;
    const struct script_api_line *lines = script_api_options(&count);
    const char *of = "";
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(of, lines[i].of) != 0) {
            of = lines[i].of;
            printf("\noptions of %s\n", of);
        }
        printf("  %-44s %s\n", lines[i].written, lines[i].text);
    }
}

int cmd_help(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview();
        return CMD_HELD;
    }
    if (strcmp(argv[1], "api") == 0) {
        print_api();
        print_api_options();
        return CMD_HELD;
    }
    if (strcmp(argv[1], "lua") == 0) {
        script_define(stdout);
        return CMD_HELD;
    }
    for (unsigned i = 0; i < cmd_count; i++) {
        if (strcmp(cmd_all[i].name, argv[1]) == 0 && cmd_all[i].run != cmd_help) {
            char help[] = "--help";
            char *words[] = {argv[1], help, NULL};
            return cmd_all[i].run(2, words);
        }
    }
    fprintf(stderr, "faultline help: found %s, expected a command, api or lua\n", argv[1]);
    return CMD_WRONG;
}
