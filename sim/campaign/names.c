/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/names.h"

#include "sim/campaign/memory.h"

#include <stdio.h>
#include <stdlib.h>

void campaign_names_release(struct campaign_names *names)
{
    free(names->ids);
    *names = (struct campaign_names){0};
}

static uint32_t number_of(void *context, uint64_t id)
{
    const struct campaign_names *names = context;
    for (size_t i = names->id_count; i > 0; i--) {
        if (names->ids[i - 1].id == id) {
            return names->ids[i - 1].machine;
        }
    }
    return 0;
}

static void learn_id(struct campaign_names *names, uint64_t id, uint32_t machine)
{
    if (number_of(names, id) == machine) {
        return;
    }
    names->ids = campaign_grow(names->ids, names->id_count, sizeof names->ids[0]);
    names->ids[names->id_count++] = (struct campaign_known_id){.id = id, .machine = machine};
}

void campaign_names_learn(struct campaign_names *names, const struct sim_event *event)
{
    if (event->kind == SIM_EVENT_IDENTITY) {
        learn_id(names, event->fields[1], event->machine);
    }
}

void campaign_names_machine(uint32_t machine, char out[CAMPAIGN_NAME_MAX])
{
    if (machine == 0) {
        (void)snprintf(out, CAMPAIGN_NAME_MAX, "world");
    } else {
        (void)snprintf(out, CAMPAIGN_NAME_MAX, "%c%u", machine > SIM_MEMBERS_MAX ? 'c' : 'm', machine);
    }
}

void campaign_names_text(const struct campaign_names *names, const struct sim_event *event, char *out,
                         size_t size)
{
    struct sim_recorder recorder = {.number_of = number_of};
    struct campaign_names copy = *names;
    recorder.number_context = &copy;
    (void)sim_event_print(&recorder, event, out, size);
}
