/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cmd_plan.h"

#include "sim/campaign/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void cmd_find_scenarios(const char *name, char out[CMD_FOLDER_MAX])
{
    char program[CMD_FOLDER_MAX - 64];
    (void)snprintf(out, CMD_FOLDER_MAX, "scenarios/%.40s", name);
    ssize_t size = access(out, R_OK) == 0 ? 0 : readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) {
        return;
    }
    program[size] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) {
        *slash = '\0';
    }
    char beside[CMD_FOLDER_MAX];
    (void)snprintf(beside, sizeof beside, "%s/../scenarios/%.40s", program, name);
    if (access(beside, R_OK) == 0) {
        memcpy(out, beside, sizeof beside);
    }
}

bool cmd_plan_set_filter(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    plan->options.filter = value;
    return true;
}

bool cmd_plan_set_tag(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    plan->options.tag = value;
    return true;
}

bool cmd_plan_set_claim(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    plan->options.claim = value;
    return true;
}

bool cmd_plan_set_scenario(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    plan->options.scenario = value;
    return true;
}

bool cmd_plan_set_param(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    uint32_t slot = plan->options.param_count;
    const char *equals = strchr(value, '=');
    size_t size = equals ? (size_t)(equals - value) : 0;
    if (size == 0 || size >= sizeof plan->names[0] || slot == CMD_PARAMS_MAX) {
        return false;
    }
    memcpy(plan->names[slot], value, size);
    plan->names[slot][size] = '\0';
    plan->params[slot] = (struct script_param){.name = plan->names[slot], .value = equals + 1};
    plan->options.params = plan->params;
    plan->options.param_count = slot + 1;
    return true;
}

bool cmd_plan_set_seed(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    if (!campaign_text_u64(value, &plan->options.seed_first)) {
        return false;
    }
    plan->options.seed_last = plan->options.seed_first;
    plan->options.has_seeds = true;
    return true;
}

bool cmd_plan_set_seeds(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    if (!campaign_text_seeds(value, &plan->options.seed_first, &plan->options.seed_last)) {
        return false;
    }
    plan->options.has_seeds = true;
    return true;
}

bool cmd_plan_set_shard(void *target, const char *value)
{
    struct cmd_plan *plan = target;
    return campaign_text_shard(value, &plan->options.shard, &plan->options.shard_count);
}
