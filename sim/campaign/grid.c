/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/grid.h"

#include "sim/campaign/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *campaign_grid_text(const struct script_scenario *experiment, uint32_t point)
{
    size_t size = 1;
    for (uint32_t axis = 0; axis < experiment->axis_count; axis++) {
        const struct script_value *value = script_point_value(experiment, point, axis);
        size += strlen(value->name) + strlen(value->text) + 2;
    }
    char *text = campaign_alloc(size);
    size_t used = 0;
    for (uint32_t axis = 0; axis < experiment->axis_count; axis++) {
        const struct script_value *value = script_point_value(experiment, point, axis);
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s", axis == 0 ? "" : " ", value->name,
                                 value->text);
    }
    return text;
}

uint32_t campaign_grid_axis(const struct script_scenario *experiment, const char *name)
{
    uint32_t axis = 0;
    while (axis < experiment->axis_count && strcmp(experiment->axes[axis].name, name) != 0) {
        axis++;
    }
    return axis;
}

/* Is the row about this point? */
static bool is_about(const struct script_expect *expect, const struct script_scenario *experiment,
                     uint32_t point)
{
    for (uint32_t i = 0; i < expect->where_count; i++) {
        const struct script_value *wanted = &expect->where[i];
        uint32_t axis = campaign_grid_axis(experiment, wanted->name);
        if (!script_value_equal(script_point_value(experiment, point, axis), wanted)) {
            return false;
        }
    }
    return true;
}

static char *name_of_point(const struct script_scenario *experiment, uint32_t point)
{
    if (experiment->axis_count == 0) {
        return campaign_text_copy(experiment->name);
    }
    char *values = campaign_grid_text(experiment, point);
    size_t size = strlen(experiment->name) + strlen(values) + 4;
    char *name = campaign_alloc(size);
    (void)snprintf(name, size, "%s [%s]", experiment->name, values);
    free(values);
    return name;
}

struct script_scenario *campaign_grid_scenario(const struct script_scenario *experiment, uint32_t point)
{
    struct script_scenario *scenario = campaign_alloc(sizeof *scenario);
    struct script_expect *expects = campaign_alloc((experiment->expect_count + 1) * sizeof *expects);
    *scenario = *experiment;
    scenario->name = name_of_point(experiment, point);
    scenario->point = point;
    scenario->expects = expects;
    scenario->expect_count = 0;
    for (uint32_t i = 0; i < experiment->expect_count; i++) {
        if (is_about(&experiment->expects[i], experiment, point)) {
            expects[scenario->expect_count++] = experiment->expects[i];
        }
    }
    return scenario;
}

void campaign_grid_free(struct script_scenario *scenario)
{
    free((void *)(uintptr_t)scenario->name);
    free((void *)(uintptr_t)scenario->expects);
    free(scenario);
}
