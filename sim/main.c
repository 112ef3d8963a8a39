/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/text.h"
#include "sim/cmd.h"
#include "sim/nearest.h"

#include <stdio.h>
#include <string.h>

const struct cmd cmd_all[] = {
    {"run", "run scenarios on many seeds and judge them", cmd_run},
    {"fuzz", "break random worlds at random, and judge them", cmd_fuzz},
    {"sweep", "run experiments over their grids, and draw their figures", cmd_sweep},
    {"replay", "run one seed again and show what happened", cmd_replay},
    {"shrink", "make a failing run small, as a scenario of its own", cmd_shrink},
    {"list", "list scenarios, or the judges", cmd_list},
    {"bench", "measure how fast the testbed is", cmd_bench},
    {"report", "write a report of a results file", cmd_report},
    {"merge", "put results files of several machines together", cmd_merge},
    {"check", "judge a recorded client history", cmd_check},
    {"wal", "print and verify a segment of a member's log", cmd_wal},
    {"help", "say this, or what a command or a topic is about", cmd_help},
    {"version", "say which version this is", cmd_version},
};
const unsigned cmd_count = sizeof cmd_all / sizeof cmd_all[0];

static int complain_unknown(const char *name)
{
    const char *names[sizeof cmd_all / sizeof cmd_all[0]];
    for (unsigned i = 0; i < cmd_count; i++) {
        names[i] = cmd_all[i].name;
    }
    const char *nearest = sim_nearest(name, names, cmd_count);
    if (nearest) {
        fprintf(stderr, "faultline: found the command %s, expected %s?\n", name, nearest);
    } else {
        fprintf(stderr, "faultline: found the command %s, expected one of those that faultline help lists\n",
                name);
    }
    return CMD_WRONG;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        char help[] = "help";
        char *words[] = {help, NULL};
        (void)cmd_help(1, words);
        return CMD_WRONG;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return cmd_help(1, argv + 1);
    }
    if (strcmp(name, "--version") == 0) {
        return cmd_version(1, argv + 1);
    }
    for (unsigned i = 0; i < cmd_count; i++) {
        if (strcmp(cmd_all[i].name, name) == 0) {
            return cmd_all[i].run(argc - 1, argv + 1);
        }
    }
    return complain_unknown(name);
}
