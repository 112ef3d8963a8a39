/* The options that run, replay and list have in common: which scenarios, which
 * parameters. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CMD_PLAN_H
#define SIM_CMD_PLAN_H

#include "sim/campaign/plan.h"

enum { CMD_PARAMS_MAX = 64, CMD_FOLDER_MAX = 1024 };

/* Zero-initialise. A target of options begins with it. */
struct cmd_plan {
    struct campaign_plan_options options;
    struct script_param params[CMD_PARAMS_MAX];
    char names[CMD_PARAMS_MAX][64]; /* The names cut out of name=value. */
};

/* The folder of scenarios of this name: under scenarios/ here, or beside the program
 * (in a build's folder of the tree); where there is none, the first, for the message. */
void cmd_find_scenarios(const char *name, char out[CMD_FOLDER_MAX]);

/* Setters for struct campaign_argument; the target is a struct cmd_plan. */
bool cmd_plan_set_filter(void *target, const char *value);
bool cmd_plan_set_tag(void *target, const char *value);
bool cmd_plan_set_claim(void *target, const char *value);
bool cmd_plan_set_scenario(void *target, const char *value);
bool cmd_plan_set_param(void *target, const char *value);
bool cmd_plan_set_seed(void *target, const char *value);
bool cmd_plan_set_seeds(void *target, const char *value);
bool cmd_plan_set_shard(void *target, const char *value);

#endif
