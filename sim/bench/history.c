/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bench/history.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/check/linear.h"
#include "sim/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES = 1000 };

/* A store that takes each call at its beginning or at its end, as a coin falls. */
struct maker {
    struct check_recording recording;
    struct sim_random random;
    uint32_t values[VALUES]; /* Their numbers in the recording. */
    uint32_t once;           /* Written once, in the first half, when the history is to be impossible. */
    uint32_t *state;         /* By key. */
    uint32_t *open;          /* By client: its operation, or CHECK_NEVER. */
    bool *is_early;          /* By client. */
};

static void take_effect(struct maker *maker, struct check_operation *operation)
{
    if (operation->action == CHECK_WRITE) {
        maker->state[operation->key] = operation->value;
    } else {
        operation->value = maker->state[operation->key];
    }
}

static void begin(struct maker *maker, const struct bench_history_options *options, uint32_t client)
{
    uint64_t key = sim_random_below(&maker->random, options->keys);
    uint64_t value = sim_random_below(&maker->random, VALUES);
    bool is_write = sim_random_ppm(&maker->random, 500000);
    bool is_early = sim_random_ppm(&maker->random, 500000);
    bool is_once = options->is_impossible && maker->recording.count == options->operations / 4;
    maker->open[client] = maker->recording.count;
    maker->is_early[client] = is_early;
    struct check_operation *operation = check_recording_add(&maker->recording);
    *operation = (struct check_operation){.key = (uint32_t)key,
                                          .action = is_write || is_once ? CHECK_WRITE : CHECK_READ,
                                          .value = is_once ? maker->once : maker->values[value],
                                          .invoked = maker->recording.event_count++,
                                          .returned = CHECK_NEVER};
    if (is_early) {
        take_effect(maker, operation);
    }
}

static void end(struct maker *maker, uint32_t client)
{
    struct check_operation *operation = &maker->recording.operations[maker->open[client]];
    if (!maker->is_early[client]) {
        take_effect(maker, operation);
    }
    operation->returned = maker->recording.event_count++;
    maker->open[client] = CHECK_NEVER;
}

static void make(struct maker *maker, const struct bench_history_options *options)
{
    check_recording_init(&maker->recording);
    sim_random_init(&maker->random, 1, 0, 0, SIM_FOR_WORLD);
    for (uint32_t i = 0; i < VALUES; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        maker->values[i] = check_values_enter(&maker->recording.values, base_bytes_of(text));
    }
    maker->once = check_values_enter(&maker->recording.values, base_bytes_of("once"));
    maker->state = campaign_alloc(options->keys * sizeof maker->state[0]);
    maker->open = campaign_alloc(options->clients * sizeof maker->open[0]);
    maker->is_early = campaign_alloc(options->clients * sizeof maker->is_early[0]);
    for (uint32_t i = 0; i < options->keys; i++) {
        maker->state[i] = maker->recording.initial;
    }
    for (uint32_t i = 0; i < options->clients; i++) {
        maker->open[i] = CHECK_NEVER;
    }
    maker->recording.key_count = options->keys;
    while (maker->recording.count < options->operations) {
        uint32_t client = (uint32_t)sim_random_below(&maker->random, options->clients);
        if (maker->open[client] == CHECK_NEVER) {
            begin(maker, options, client);
        } else {
            end(maker, client);
        }
    }
}

/* A read in the middle of all claims what was overwritten long before. */
static void make_impossible(struct maker *maker)
{
    uint32_t slot = maker->recording.count / 2;
    while (maker->recording.operations[slot].action != CHECK_READ ||
           maker->recording.operations[slot].returned == CHECK_NEVER) {
        slot++;
        assert(slot < maker->recording.count);
    }
    maker->recording.operations[slot].value = maker->once;
}

bool bench_history(const struct bench_history_options *options, uint64_t *cpu_ns)
{
    struct maker maker = {0};
    make(&maker, options);
    if (options->is_impossible) {
        make_impossible(&maker);
    }
    uint64_t began_ns = campaign_cpu_ns();
    struct check_linear_result result = check_linear(&maker.recording);
    *cpu_ns = campaign_cpu_ns() - began_ns;
    check_recording_release(&maker.recording);
    free(maker.state);
    free(maker.open);
    free(maker.is_early);
    return result.verdict == (options->is_impossible ? CHECK_NOT_LINEARIZABLE : CHECK_LINEARIZABLE);
}
