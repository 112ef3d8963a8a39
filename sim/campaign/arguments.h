/* The command line of one command: what it takes, and what was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_ARGUMENTS_H
#define SIM_CAMPAIGN_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One option. Its value goes to `set`, which answers false for one it cannot read;
 * an option without `takes` is told NULL. */
struct campaign_argument {
    const char *name;  /* "--seeds", "-v" */
    const char *takes; /* What the value looks like: "N or A..B"; NULL: no value. */
    const char *help;
    bool (*set)(void *target, const char *value);
};

struct campaign_arguments {
    const char *command; /* "run" */
    const char *usage;   /* "PATH… [options]" */
    const struct campaign_argument *known;
    uint32_t known_count;
    void *target;       /* For `set`. */
    const char **words; /* What is not an option: room for `argc`. */
    uint32_t word_count;
    bool wants_help; /* --help or -h was given. */
};

/* Read `count` words. false: the complaint was written to `complaints`. */
bool campaign_arguments_read(struct campaign_arguments *arguments, int count, char *const *given,
                             FILE *complaints);
/* The usage line and the options with their help. */
void campaign_arguments_help(const struct campaign_arguments *arguments, FILE *out);

#endif
