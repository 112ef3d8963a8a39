/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/tape.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void run_with(const char *text, struct script_tape *tape, char digest[33])
{
    char error[SCRIPT_TEXT_MAX];
    struct script_worlds *worlds = NULL;
    struct script_outcome outcome;
    struct script_file *file = script_open_text("tape.lua", base_bytes_of(text), error);
    cr_assert(file, "%s", error);
    script_run(file, 0, &(struct script_run_options){.seed = 1, .tape = tape}, &worlds, &outcome);
    cr_assert_eq(outcome.verdict, SCRIPT_HELD, "%s%s", outcome.error, outcome.violation.sentence);
    memcpy(digest, outcome.digest, sizeof outcome.digest);
    script_outcome_release(&outcome);
    script_worlds_free(worlds);
    script_close(file);
}

static const char everything[] =
    "scenario 'x' {\n"
    "  cluster = { members = 3 }, network = { latency = pareto(1*ms, 3), loss = 0.1*0.1 },\n"
    "  run = function(c)\n"
    "    local cli = c:client { timeout = 3*s }\n"
    "    local old = c:await_leader {}\n"
    "    at('before:sync Entry', { member = old, every = 2 }, function(m) m:stall { timer = 1*ms } end)\n"
    "    local lease = cli:grant(10)\n"
    "    cli:put('a\\n\"', 'b', { lease = lease })\n"
    "    lease:auto(true)\n"
    "    expect(not pcall(function() old:restart() end))\n"
    "    old:crash()\n"
    "    sleep(0.1 + 0.2)\n"
    "    old:restart {}\n"
    "    eventually(function() return cli:get('a') == nil end, { within = 1*min }) end }\n";

/* Calls of a callback, of coroutines, of what is written in Lua itself. */
static const char indirect[] =
    "scenario 'x' { run = function(c)\n"
    "  c:await_leader {} local cli = c:client() local handle = cli:async('put', 'a', 'b')\n"
    "  expect(handle:await()) spawn(function() cli:lock('l') end) c:add_member {}\n"
    "  when(function(m) return m.role == 'leader' end, function(m) m:slow(2) end)\n"
    "  c:nemesis { during = 5*s, every = 1*s } sleep(20*s) end }";

Test(script_tape, a_run_is_the_same_with_and_without)
{
    const char *const texts[] = {everything, indirect};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char with[33];
        char without[33];
        struct script_tape tape;
        script_tape_init(&tape);
        run_with(texts[i], NULL, without);
        run_with(texts[i], &tape, with);
        cr_assert_str_eq(with, without);
        cr_assert_gt(tape.act_count, 5);
        script_tape_release(&tape);
    }
}

static const struct script_act *find_act(const struct script_tape *tape, const char *start)
{
    for (uint32_t i = 0; i < tape->act_count; i++) {
        if (strncmp(tape->acts[i].text, start, strlen(start)) == 0) {
            return &tape->acts[i];
        }
    }
    cr_assert_fail("no act begins with %s", start);
    return NULL;
}

static const char *find_option(const struct script_tape *tape, const char *name)
{
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        if (strcmp(tape->options[i].name, name) == 0) {
            return tape->options[i].text;
        }
    }
    return NULL;
}

Test(script_tape, acts_are_literal)
{
    char digest[33];
    struct script_tape tape;
    script_tape_init(&tape);
    run_with(everything, &tape, digest);
    cr_assert_str_eq(find_option(&tape, "network"), "{ latency = pareto(0.001, 3), loss = 0.01 }");
    cr_assert_null(find_option(&tape, "disk"));
    cr_assert_str_eq(find_act(&tape, "c:client")->text, "c:client { timeout = 3 }");
    cr_assert_str_eq(find_act(&tape, "c:client")->name, "cli1");
    const struct script_act *put = find_act(&tape, "cli1:put");
    cr_assert_str_eq(put->text, "cli1:put(\"a\\n\\\"\", \"b\", { lease = lease1 })");
    cr_assert(put->waits);
    cr_assert(find_act(&tape, "cli1:get")->is_polled);
    script_tape_release(&tape);
}

/* What answers to an event comes a nanosecond after it; what the clock woke does not. */
Test(script_tape, times_come_after_what_they_answer_to)
{
    char digest[33];
    struct script_tape tape;
    script_tape_init(&tape);
    run_with(everything, &tape, digest);
    uint64_t before_ns = 0;
    for (uint32_t i = 0; i < tape.act_count; i++) {
        const struct script_act *act = &tape.acts[i];
        cr_assert(act->point || act->time_ns >= before_ns);
        before_ns = act->point ? before_ns : act->time_ns;
    }
    cr_assert(tape.is_ended);
    cr_assert_geq(tape.end_ns, before_ns);
    cr_assert_lt(tape.delay_ns, 1000);
    script_tape_release(&tape);
}

/* At a point: for the one match that it was; refused: void. */
Test(script_tape, points_and_refusals_are_kept_apart)
{
    char digest[33];
    struct script_tape tape;
    script_tape_init(&tape);
    run_with(everything, &tape, digest);
    uint32_t refused = 0;
    uint32_t stalls = 0;
    for (uint32_t i = 0; i < tape.act_count; i++) {
        const struct script_act *act = &tape.acts[i];
        refused += act->is_void && strstr(act->text, ":restart") != NULL;
        if (act->point) {
            char expected[80];
            stalls++;
            snprintf(expected, sizeof expected, "at(\"before:sync Entry\", { member = m%c, nth = %u }",
                     act->text[1], stalls * 2);
            cr_assert_str_eq(act->point, expected);
        }
    }
    cr_assert_eq(refused, 1);
    cr_assert_gt(stalls, 0);
    script_tape_release(&tape);
}
