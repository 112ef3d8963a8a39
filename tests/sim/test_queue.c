/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/queue.h"
#include "sim/random.h"

#include <criterion/criterion.h>
#include <signal.h>

/* The slow twin: items in order, an insertion walks past all that is not later. */
enum { TWIN_MAX = 4000 };

struct twin {
    struct sim_item items[TWIN_MAX];
    size_t count;
    uint64_t sequence;
};

static void twin_push(struct twin *twin, struct sim_item item)
{
    cr_assert_lt(twin->count, TWIN_MAX);
    item.sequence = ++twin->sequence;
    size_t place = twin->count++;
    for (; place > 0 && twin->items[place - 1].time_ns > item.time_ns; place--) {
        twin->items[place] = twin->items[place - 1];
    }
    twin->items[place] = item;
}

static struct sim_item twin_pop(struct twin *twin)
{
    struct sim_item item = twin->items[0];
    twin->count--;
    memmove(twin->items, twin->items + 1, twin->count * sizeof twin->items[0]);
    return item;
}

static void assert_same(const struct sim_item *a, const struct sim_item *b)
{
    cr_assert_eq(a->time_ns, b->time_ns);
    cr_assert_eq(a->sequence, b->sequence);
    cr_assert_eq(a->kind, b->kind);
    cr_assert_eq(a->machine, b->machine);
    cr_assert_eq(a->data, b->data);
    cr_assert_eq(a->value, b->value);
}

struct pair {
    struct sim_queue *queue;
    struct twin twin;
    struct sim_random random;
    uint64_t now_ns;
};

static void push(struct pair *pair, uint64_t delay_ns)
{
    uint64_t value = sim_random_u64(&pair->random);
    struct sim_item item = {.time_ns = pair->now_ns + delay_ns,
                            .kind = (uint32_t)value,
                            .machine = (uint32_t)(value >> 32),
                            .data = &pair->twin.items[value % TWIN_MAX],
                            .value = value};
    sim_queue_push(pair->queue, &item);
    twin_push(&pair->twin, item);
}

static void pop(struct pair *pair)
{
    struct sim_item item;
    cr_assert_eq(sim_queue_count(pair->queue), pair->twin.count);
    if (pair->twin.count == 0) {
        cr_assert(!sim_queue_pop(pair->queue, &item));
        cr_assert_eq(sim_queue_next_ns(pair->queue), UINT64_MAX);
        return;
    }
    cr_assert_eq(sim_queue_next_ns(pair->queue), pair->twin.items[0].time_ns);
    cr_assert(sim_queue_pop(pair->queue, &item));
    struct sim_item expected = twin_pop(&pair->twin);
    assert_same(&item, &expected);
    pair->now_ns = item.time_ns;
}

/* Delays of every size, many of them equal, in bursts. */
static uint64_t delay(struct pair *pair)
{
    uint64_t kind = sim_random_below(&pair->random, 8);
    uint64_t bits = sim_random_below(&pair->random, 40);
    uint64_t draw = sim_random_u64(&pair->random);
    switch (kind) {
    case 0:
        return 0;
    case 1:
        return draw % 4 * 1000;
    case 2:
        return draw >> (63 - bits);
    default:
        return 500000 + draw % 1500000;
    }
}

static void play(struct pair *pair, uint64_t seed, uint32_t steps)
{
    sim_random_init(&pair->random, seed, 0, 0, SIM_FOR_WORLD);
    for (uint32_t i = 0; i < steps; i++) {
        uint64_t what = sim_random_below(&pair->random, 100);
        uint64_t burst = what == 0 ? 60 : 1;
        for (uint64_t k = 0; what < 50 && k < burst; k++) {
            push(pair, delay(pair));
        }
        if (what >= 10) {
            pop(pair);
        }
        if (what >= 98) {
            (void)sim_queue_next_ns(pair->queue); /* Looking moves nothing. */
        }
    }
    while (pair->twin.count > 0) {
        pop(pair);
    }
    pop(pair);
}

Test(sim_queue, comes_out_as_from_a_sorted_list)
{
    static const uint64_t widths[] = {0, 1, 1000, 32768, 40000, 10000000, UINT64_MAX};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        static struct pair all;
        struct pair *pair = &all;
        *pair = (struct pair){0};
        pair->queue = sim_queue_new(widths[i]);
        play(pair, i + 1, 10000);
        sim_queue_free(pair->queue);
    }
}

Test(sim_queue, first_in_is_first_out_among_equals)
{
    struct sim_queue *queue = sim_queue_new(1000);
    for (uint64_t i = 0; i < 1000; i++) {
        struct sim_item item = {.time_ns = 5000, .value = i};
        sim_queue_push(queue, &item);
    }
    struct sim_item item;
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert(sim_queue_pop(queue, &item));
        cr_assert_eq(item.value, i);
    }
    sim_queue_free(queue);
}

/* The ring may have looked ahead at a far bucket when something sooner comes. */
Test(sim_queue, what_comes_later_may_still_be_sooner)
{
    struct sim_queue *queue = sim_queue_new(1000);
    struct sim_item far = {.time_ns = 50000};
    sim_queue_push(queue, &far);
    cr_assert_eq(sim_queue_next_ns(queue), 50000);
    struct sim_item near = {.time_ns = 10};
    sim_queue_push(queue, &near);
    cr_assert_eq(sim_queue_next_ns(queue), 10);
    sim_queue_free(queue);
}

Test(sim_queue, the_last_instant_can_be_reached)
{
    struct sim_queue *queue = sim_queue_new(1000);
    struct sim_item item = {.time_ns = UINT64_MAX};
    sim_queue_push(queue, &item);
    item.time_ns = UINT64_MAX - 1;
    sim_queue_push(queue, &item);
    cr_assert(sim_queue_pop(queue, &item));
    cr_assert_eq(item.time_ns, UINT64_MAX - 1);
    cr_assert(sim_queue_pop(queue, &item));
    cr_assert_eq(item.time_ns, UINT64_MAX);
    sim_queue_free(queue);
}

Test(sim_queue, a_reset_forgets_everything)
{
    static struct pair all;
    struct pair *pair = &all;
    pair->queue = sim_queue_new(1000);
    sim_random_init(&pair->random, 1, 0, 0, SIM_FOR_WORLD);
    for (uint32_t i = 0; i < 500; i++) {
        push(pair, delay(pair));
    }
    for (uint32_t i = 0; i < 100; i++) {
        pop(pair);
    }
    sim_queue_reset(pair->queue, 40000);
    pair->twin.count = 0;
    pair->twin.sequence = 0;
    pair->now_ns = 0;
    cr_assert_eq(sim_queue_count(pair->queue), 0);
    play(pair, 2, 5000);
    sim_queue_free(pair->queue);
}

Test(sim_queue, time_does_not_go_back, .signal = SIGABRT)
{
    struct sim_queue *queue = sim_queue_new(1000);
    struct sim_item item = {.time_ns = 100};
    sim_queue_push(queue, &item);
    cr_assert(sim_queue_pop(queue, &item));
    item.time_ns = 99;
    sim_queue_push(queue, &item);
}
