/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/stage.h"

#include "sim/inside.h"

#include <assert.h>
#include <stdlib.h>

const char *const sim_stage_texts[HOST_STAGE_COUNT + 1] = {
    [HOST_RAFT] = "raft",     [HOST_STORAGE] = "storage", [HOST_APPLY] = "apply",
    [HOST_LESSOR] = "lessor", [HOST_READS] = "reads",     [HOST_STAGE_COUNT] = NULL};

/* What a factor of f adds to work of the length `cost_ns`. */
static uint64_t extra_ns(const struct sim_stage *stage, uint64_t cost_ns)
{
    return stage->slow_thousandths > SIM_USUAL_PACE
               ? cost_ns * (stage->slow_thousandths - SIM_USUAL_PACE) / SIM_USUAL_PACE
               : 0;
}

/* A turn costs as much as a message, even when it finds nothing to do. */
static uint64_t turn_ns(const struct sim_machine *machine)
{
    return machine->world->options.cpu.message_ns;
}

enum host_stage sim_stage_of(const struct sim_machine *machine, const struct sim_work *work)
{
    switch (work->kind) {
    case SIM_WORK_FRAME:
        return work->frame->from <= machine->world->member_count ? HOST_RAFT : HOST_STAGE_COUNT;
    case SIM_WORK_TICK:
        return HOST_RAFT;
    case SIM_WORK_DISK:
        return HOST_STORAGE;
    case SIM_WORK_STAGE:
        return (enum host_stage)work->value;
    case SIM_WORK_DUE:
        break;
    }
    return HOST_STAGE_COUNT;
}

static void push(struct sim_stage *stage, const struct sim_work *work)
{
    if (stage->count == stage->capacity) {
        uint32_t capacity = stage->capacity == 0 ? 16 : stage->capacity * 2;
        struct sim_work *bigger = malloc(capacity * sizeof *bigger);
        if (!bigger) {
            abort();
        }
        for (uint32_t i = 0; i < stage->count; i++) {
            bigger[i] = stage->work[(stage->first + i) & (stage->capacity - 1)];
        }
        free(stage->work);
        stage->work = bigger;
        stage->capacity = capacity;
        stage->first = 0;
    }
    stage->work[(stage->first + stage->count) & (stage->capacity - 1)] = *work;
    stage->count++;
}

static struct sim_work pop(struct sim_stage *stage)
{
    assert(stage->count > 0);
    struct sim_work work = stage->work[stage->first];
    stage->first = (stage->first + 1) & (stage->capacity - 1);
    stage->count--;
    return work;
}

static void look_later(struct sim_machine *machine, const struct sim_stage *stage)
{
    uint64_t now_ns = machine->world->now_ns;
    uint64_t at_ns = stage->until_ns < now_ns ? now_ns : stage->until_ns;
    sim_push(machine->world, at_ns, SIM_ITEM_STAGE, machine->number, NULL, machine->life);
}

void sim_stage_set(struct sim_machine *machine, enum host_stage stage, uint32_t thousandths)
{
    assert(stage < HOST_STAGE_COUNT);
    machine->stages[stage].slow_thousandths = thousandths;
    machine->slow_stages &= ~(1u << stage);
    if (thousandths != 0 && thousandths != SIM_USUAL_PACE) {
        machine->slow_stages |= 1u << stage;
    }
    struct sim_stage *paced = &machine->stages[stage];
    if (paced->count > 0 || paced->until_ns > machine->world->now_ns) {
        paced->until_ns = machine->world->now_ns + extra_ns(paced, turn_ns(machine));
        look_later(machine, paced);
    }
}

bool sim_stage_holds(struct sim_machine *machine, const struct sim_work *work)
{
    if (machine->busy_stages == 0 && machine->slow_stages == 0) {
        return false;
    }
    enum host_stage number = sim_stage_of(machine, work);
    if (number == HOST_STAGE_COUNT || work->is_released) {
        return false;
    }
    struct sim_stage *stage = &machine->stages[number];
    uint64_t now_ns = machine->world->now_ns;
    bool is_idle = stage->count == 0 && !stage->is_released && stage->until_ns <= now_ns;
    if (is_idle) {
        uint64_t delay_ns = extra_ns(stage, turn_ns(machine));
        if (delay_ns == 0) {
            return false;
        }
        stage->until_ns = now_ns + delay_ns;
    }
    push(stage, work);
    machine->busy_stages |= 1u << number;
    if (stage->count == 1 && !stage->is_released) {
        look_later(machine, stage);
    }
    return true;
}

void sim_stage_charge(struct sim_machine *machine, enum host_stage number, uint64_t cost_ns)
{
    if (number == HOST_STAGE_COUNT) {
        return;
    }
    struct sim_stage *stage = &machine->stages[number];
    stage->is_released = false;
    stage->until_ns = machine->world->now_ns + extra_ns(stage, cost_ns);
    if (stage->count > 0) {
        look_later(machine, stage);
    } else if (stage->until_ns <= machine->world->now_ns) {
        machine->busy_stages &= ~(1u << number);
    }
}

void sim_stages_look(struct sim_machine *machine)
{
    for (uint32_t number = 0; number < HOST_STAGE_COUNT; number++) {
        struct sim_stage *stage = &machine->stages[number];
        if (stage->count > 0 && !stage->is_released && stage->until_ns <= machine->world->now_ns) {
            struct sim_work work = pop(stage);
            work.is_released = true;
            stage->is_released = true;
            sim_machine_later(machine, &work);
        } else if (stage->count == 0 && !stage->is_released && stage->until_ns <= machine->world->now_ns) {
            machine->busy_stages &= ~(1u << number);
        }
    }
}

void sim_stages_drop(struct sim_machine *machine)
{
    for (uint32_t number = 0; number < HOST_STAGE_COUNT; number++) {
        struct sim_stage *stage = &machine->stages[number];
        while (stage->count > 0) {
            struct sim_work work = pop(stage);
            if (work.frame) {
                sim_frame_free(machine->world, work.frame);
            }
        }
        stage->is_released = false;
        stage->until_ns = 0;
    }
    machine->busy_stages = 0;
}

void sim_stages_release(struct sim_machine *machine)
{
    for (uint32_t number = 0; number < HOST_STAGE_COUNT; number++) {
        free(machine->stages[number].work);
        machine->stages[number] = (struct sim_stage){0};
    }
    machine->slow_stages = 0;
    machine->busy_stages = 0;
}
