/* What an operator does after a disaster: new directories from a backup, or a new
 * cluster from the log that one survivor has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/backup.h"
#include "sim/inside.h"

#include <assert.h>
#include <stdio.h>

sim_machine_number sim_member_vacant(struct sim_world *world, uint64_t taken)
{
    for (uint32_t number = 1; number <= world->member_count; number++) {
        if ((taken >> (number - 1) & 1) == 0 && !world->machines[number]->is_alive) {
            return number;
        }
    }
    if (world->member_count == SIM_MEMBERS_MAX) {
        return 0;
    }
    return sim_machine_add(world, false)->number;
}

const char *sim_member_restore(struct sim_world *world, sim_machine_number member,
                               const struct sim_boot *boot, const struct sim_restore *restore)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    uint64_t actions = world->cost.operator_actions;
    const char *refusal = machine->has_started ? sim_member_wipe(world, member) : NULL;
    if (!refusal) {
        machine->restore = restore;
        refusal = sim_member_start(world, member, boot);
        machine->restore = NULL;
        world->cost.operator_actions = actions + 2; /* The tool is run, then the member. */
    }
    return refusal;
}

const char *sim_member_force(struct sim_world *world, sim_machine_number member)
{
    struct sim_machine *machine = sim_machine_at(world, member);
    machine->is_forced = true;
    const char *refusal = sim_member_start(world, member, NULL);
    machine->is_forced = false;
    return refusal;
}

void sim_disaster_configure(const struct sim_machine *machine, struct member_config *config)
{
    config->force_new_cluster = machine->is_forced;
    if (machine->restore) {
        config->backup = machine->restore->file;
        config->bump_revision = machine->restore->bump_revision;
        config->mark_compacted = machine->restore->mark_compacted;
    }
}

void sim_disaster_started(const struct sim_machine *machine)
{
    struct member_backup_info info;
    struct sim_world *world = machine->world;
    if (!machine->restore) {
        return;
    }
    enum base_status status = member_backup_read(machine->restore->file, &info);
    struct check_restored restored = {.bump = (int64_t)machine->restore->bump_revision,
                                      .is_compacted = machine->restore->mark_compacted};
    if (status == BASE_OK) {
        restored.cluster_id = info.cluster_id;
        restored.index = info.index;
        restored.revision = info.revision;
    }
    check_restored(world->check, world->now_ns, machine->number, &restored);
}

int64_t sim_lost(const struct sim_world *world)
{
    return check_lost(world->check);
}
