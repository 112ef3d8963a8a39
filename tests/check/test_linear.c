/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/linear.h"

#include <criterion/criterion.h>

/* An operation on key 0 over the events [invoked, returned]. */
static struct check_operation *add(struct check_recording *recording, enum check_action action,
                                   uint32_t value, uint32_t invoked, uint32_t returned)
{
    struct check_operation *operation = check_recording_add(recording);
    operation->action = action;
    operation->value = value;
    operation->invoked = invoked;
    operation->returned = returned;
    recording->key_count = 1;
    uint32_t end = returned == CHECK_NEVER ? invoked + 1 : returned + 1;
    recording->event_count = recording->event_count > end ? recording->event_count : end;
    return operation;
}

static enum check_linear_verdict verdict(struct check_recording *recording)
{
    enum check_linear_verdict found = check_linear(recording).verdict;
    check_recording_release(recording);
    return found;
}

static uint32_t value(struct check_recording *recording, const char *text)
{
    return check_values_enter(&recording->values, base_bytes_of(text));
}

Test(check_linear, read_after_write)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 0, 1);
    add(&recording, CHECK_READ, value(&recording, "a"), 2, 3);
    cr_assert_eq(verdict(&recording), CHECK_LINEARIZABLE);
}

Test(check_linear, stale_read)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 0, 1);
    add(&recording, CHECK_WRITE, value(&recording, "b"), 2, 3);
    add(&recording, CHECK_READ, value(&recording, "a"), 4, 5);
    cr_assert_eq(verdict(&recording), CHECK_NOT_LINEARIZABLE);
}

Test(check_linear, concurrent_read_may_be_either)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 0, 1);
    add(&recording, CHECK_WRITE, value(&recording, "b"), 2, 5);
    add(&recording, CHECK_READ, value(&recording, "a"), 3, 4);
    add(&recording, CHECK_READ, value(&recording, "b"), 6, 7);
    cr_assert_eq(verdict(&recording), CHECK_LINEARIZABLE);
}

Test(check_linear, reads_do_not_go_back)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 0, 1);
    add(&recording, CHECK_WRITE, value(&recording, "b"), 2, 7);
    add(&recording, CHECK_READ, value(&recording, "b"), 3, 4);
    add(&recording, CHECK_READ, value(&recording, "a"), 5, 6);
    cr_assert_eq(verdict(&recording), CHECK_NOT_LINEARIZABLE);
}

Test(check_linear, open_write_may_appear_later_or_never)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 0, 1);
    add(&recording, CHECK_WRITE, value(&recording, "b"), 2, CHECK_NEVER);
    add(&recording, CHECK_READ, value(&recording, "a"), 3, 4);
    add(&recording, CHECK_READ, value(&recording, "b"), 5, 6);
    cr_assert_eq(verdict(&recording), CHECK_LINEARIZABLE);
}

Test(check_linear, open_write_never_appears_twice)
{
    struct check_recording recording;
    check_recording_init(&recording);
    add(&recording, CHECK_WRITE, value(&recording, "b"), 0, CHECK_NEVER);
    add(&recording, CHECK_READ, value(&recording, "b"), 1, 2);
    add(&recording, CHECK_WRITE, value(&recording, "a"), 3, 4);
    add(&recording, CHECK_READ, value(&recording, "b"), 5, 6);
    cr_assert_eq(verdict(&recording), CHECK_NOT_LINEARIZABLE);
}

Test(check_linear, appends_make_the_whole)
{
    struct check_recording recording;
    check_recording_init(&recording);
    recording.initial = CHECK_VALUE_EMPTY;
    add(&recording, CHECK_APPEND, value(&recording, "x"), 0, 2);
    add(&recording, CHECK_APPEND, value(&recording, "yz"), 1, 3);
    add(&recording, CHECK_READ, value(&recording, "yzx"), 4, 5);
    cr_assert_eq(verdict(&recording), CHECK_LINEARIZABLE);
}

Test(check_linear, window_is_the_smallest)
{
    struct check_recording recording;
    check_recording_init(&recording);
    for (uint32_t i = 0; i < 50; i++) {
        add(&recording, CHECK_WRITE, value(&recording, "a"), 2 * i, 2 * i + 1);
    }
    add(&recording, CHECK_READ, value(&recording, "b"), 100, 101);
    struct check_linear_result result = check_linear(&recording);
    cr_assert_eq(result.verdict, CHECK_NOT_LINEARIZABLE);
    cr_assert_eq(result.culprit, 50);
    cr_assert_geq(result.window, 97);
    check_recording_release(&recording);
}

Test(check_linear, too_much_at_once_is_not_a_pass)
{
    struct check_recording recording;
    check_recording_init(&recording);
    for (uint32_t i = 0; i < 300; i++) {
        add(&recording, CHECK_WRITE, value(&recording, "a"), i, 300 + i);
    }
    cr_assert_eq(verdict(&recording), CHECK_NOT_JUDGED);
}

/* The slow obvious twin: every order that real time allows. */
static bool try_orders(const struct check_recording *recording, uint32_t done, uint32_t state)
{
    uint32_t earliest = CHECK_NEVER;
    bool is_over = true;
    for (uint32_t i = 0; i < recording->count; i++) {
        if (!(done >> i & 1)) {
            is_over &= recording->operations[i].returned == CHECK_NEVER;
            earliest =
                recording->operations[i].returned < earliest ? recording->operations[i].returned : earliest;
        }
    }
    if (is_over) {
        return true;
    }
    for (uint32_t i = 0; i < recording->count; i++) {
        const struct check_operation *operation = &recording->operations[i];
        if (done >> i & 1 || operation->invoked > earliest) {
            continue;
        }
        bool fits =
            operation->action == CHECK_WRITE ||
            (operation->action == CHECK_READ ? state == operation->value || operation->returned == CHECK_NEVER
                                             : operation->is_refused != (state == operation->from));
        bool changes =
            operation->action == CHECK_WRITE || (operation->action == CHECK_CAS && !operation->is_refused);
        if (fits && try_orders(recording, done | 1u << i, changes ? operation->value : state)) {
            return true;
        }
    }
    return false;
}

static uint64_t below(uint64_t *stream, uint64_t bound)
{
    *stream ^= *stream << 13;
    *stream ^= *stream >> 7;
    *stream ^= *stream << 17;
    return *stream % bound;
}

Test(check_linear, agrees_with_trying_every_order)
{
    uint64_t stream = 42;
    uint32_t refused = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        struct check_recording recording;
        check_recording_init(&recording);
        uint32_t values[] = {value(&recording, "a"), value(&recording, "b"), CHECK_VALUE_NONE};
        uint32_t open[3] = {CHECK_NEVER, CHECK_NEVER, CHECK_NEVER};
        recording.key_count = 1;
        while (recording.count < 7 || recording.event_count < 12) {
            uint32_t client = (uint32_t)below(&stream, 3);
            if (open[client] != CHECK_NEVER) {
                if (below(&stream, 8) > 0) {
                    recording.operations[open[client]].returned = recording.event_count++;
                }
                open[client] = CHECK_NEVER;
            } else {
                open[client] = recording.count;
                struct check_operation *operation = check_recording_add(&recording);
                operation->action = (enum check_action)below(&stream, 3);
                operation->value = values[below(&stream, operation->action == CHECK_READ ? 3 : 2)];
                operation->from = values[below(&stream, 3)];
                operation->is_refused = operation->action == CHECK_CAS && below(&stream, 2);
                operation->invoked = recording.event_count++;
            }
        }
        for (uint32_t i = 0; i < recording.count; i++) {
            /* A refusal is an answer; an open call was not refused. */
            struct check_operation *operation = &recording.operations[i];
            operation->is_refused = operation->is_refused && operation->returned != CHECK_NEVER;
        }
        bool expected = try_orders(&recording, 0, CHECK_VALUE_NONE);
        bool found = check_linear(&recording).verdict == CHECK_LINEARIZABLE;
        cr_assert_eq(found, expected, "round %u", round);
        refused += !expected;
        check_recording_release(&recording);
    }
    cr_assert(refused > 1000 && refused < 19000);
}
