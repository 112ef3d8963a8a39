/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <string.h>

/* The name of the first thing in which two events differ; NULL: they do not. */
static const char *first_difference(const struct sim_trace *trace, const struct sim_event *a,
                                    const struct sim_event *b)
{
    if (a->time_ns != b->time_ns) {
        return "time";
    }
    if (a->kind != b->kind) {
        return "kind";
    }
    if (a->machine != b->machine) {
        return "machine";
    }
    const struct sim_event_info *info = sim_trace_info(trace, (uint32_t)a->kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (a->fields[i] != b->fields[i]) {
            return info->fields[i];
        }
    }
    return base_bytes_equal(a->text, b->text) ? NULL : "text";
}

static void describe(struct sim_trace *trace, const struct sim_event *event, uint32_t side,
                     struct sim_trace_difference *out)
{
    out->time_ns[side] = event->time_ns;
    out->machine[side] = event->machine;
    (void)sim_trace_print(trace, event, out->line[side], SIM_TRACE_LINE);
}

bool sim_trace_diff(struct sim_trace *a, struct sim_trace *b, struct sim_trace_difference *out)
{
    struct sim_event in_a;
    struct sim_event in_b;
    *out = (struct sim_trace_difference){0};
    for (;;) {
        bool has_a = sim_trace_next(a, &in_a);
        bool has_b = sim_trace_next(b, &in_b);
        if (!has_a && !has_b) {
            return false;
        }
        out->number++;
        const char *field = has_a && has_b ? first_difference(a, &in_a, &in_b) : "end";
        if (!field) {
            continue;
        }
        (void)snprintf(out->field, sizeof out->field, "%s", field);
        if (has_a) {
            describe(a, &in_a, 0, out);
        }
        if (has_b) {
            describe(b, &in_b, 1, out);
        }
        return true;
    }
}
