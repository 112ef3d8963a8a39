/* The points of an experiment's grid. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/script.h"

#include <assert.h>
#include <string.h>

const struct script_value *script_point_value(const struct script_scenario *scenario, uint32_t point,
                                              uint32_t axis)
{
    assert(axis < scenario->axis_count && point < scenario->point_count);
    for (uint32_t i = scenario->axis_count; i-- > axis + 1;) {
        point /= scenario->axes[i].value_count;
    }
    return &scenario->axes[axis].values[point % scenario->axes[axis].value_count];
}

bool script_value_equal(const struct script_value *a, const struct script_value *b)
{
    bool is_number = a->number == a->number && b->number == b->number;
    return is_number ? a->number == b->number : strcmp(a->text, b->text) == 0;
}
