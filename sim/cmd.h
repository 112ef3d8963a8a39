/* The commands of the program: one file each, one table of all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CMD_H
#define SIM_CMD_H

/* Exit statuses: verdicts. */
enum cmd_status {
    CMD_HELD = 0,
    CMD_VIOLATED = 1,
    CMD_WRONG = 2,   /* The command line, a file or a script. */
    CMD_UNJUDGED = 3 /* The testbed failed, or gave up. */
};

struct cmd {
    const char *name;
    const char *summary;
    /* `argv[0]` is the command's own name. */
    int (*run)(int argc, char **argv);
};

/* All commands, in the order of help. */
extern const struct cmd cmd_all[];
extern const unsigned cmd_count;

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_shrink(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_wal(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
