/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/reduce.h"

#include "sim/campaign/memory.h"

#include <criterion/criterion.h>
#include <string.h>

/* All steps of a piece, one a line. */
static void expect_steps(const char *text, const char *expected)
{
    char found[2000] = "";
    struct base_arena texts;
    base_arena_init(&texts, &campaign_memory);
    size_t count = campaign_reduce_count(text);
    for (size_t i = 0; i < count; i++) {
        const char *step = campaign_reduce(text, i, &texts);
        cr_assert(step && strlen(found) + strlen(step) + 2 < sizeof found);
        strcat(strcat(found, step), "\n");
    }
    cr_assert_null(campaign_reduce(text, count, &texts));
    cr_assert_str_eq(found, expected);
    base_arena_release(&texts);
}

Test(campaign_reduce, tables_lose_their_elements)
{
    expect_steps("cli1:put(\"a\", \"1\", { lease = lease1, prev_kv = true })",
                 "cli1:put(\"a\", \"1\", { prev_kv = true })\n"
                 "cli1:put(\"a\", \"1\", { lease = lease1 })\n");
    expect_steps("c:partition({ m1 }, { m2, m3 })",
                 "c:partition({ m1 }, { m3 })\nc:partition({ m1 }, { m2 })\n");
    expect_steps("m1:restart({})", "m1:restart()\n");
    expect_steps("m1:crash()", "");
}

Test(campaign_reduce, numbers_lose_digits)
{
    expect_steps("m1:clock { jump = -53.1274 }",
                 "m1:clock {}\nm1:clock { jump = -50 }\nm1:clock { jump = -53 }\n"
                 "m1:clock { jump = -53.1 }\nm1:clock { jump = -53.13 }\n");
    expect_steps("cli1:grant(6)", "cli1:grant(1)\ncli1:grant(3)\n");
    expect_steps("cli1:grant(1)", "");
}

/* How many members there are is decided elsewhere; without a rate a load grows. */
Test(campaign_reduce, some_keys_stay)
{
    expect_steps("{ members = 5, pre_vote = false }", "{ members = 5 }\n");
    expect_steps("c:load { rate = 1 }", "");
}

static void expect_member(const char *text, unsigned member, const char *expected)
{
    struct base_arena texts;
    base_arena_init(&texts, &campaign_memory);
    const char *found = campaign_reduce_member(text, member, &texts);
    cr_assert_str_eq(found ? found : "nothing", expected);
    base_arena_release(&texts);
}

Test(campaign_reduce, members_leave_and_others_move_up)
{
    expect_member("c:partition({ m1, m2 }, { m3, m4 })", 2, "c:partition({ m1 }, { m2, m3 })");
    expect_member("m3:crash()", 2, "m2:crash()");
    expect_member("m2:crash()", 2, "nothing");
    expect_member("c:cut(m1, m2)", 2, "nothing");
    expect_member("c:bootstrap { peers = { m2 = \"http://m2:2380\" } }", 2,
                  "c:bootstrap { peers = { m2 = \"http://m2:2380\" } }");
}

Test(campaign_reduce, keys_are_set_or_added)
{
    struct base_arena texts;
    base_arena_init(&texts, &campaign_memory);
    cr_assert_eq(campaign_reduce_key("{ members = 5 }", "members", 3), 5);
    cr_assert_eq(campaign_reduce_key("{ token = \"members = 5\" }", "members", 3), 3);
    cr_assert_str_eq(campaign_reduce_set_key("{ members = 5 }", "members", 4, &texts), "{ members = 4 }");
    cr_assert_str_eq(campaign_reduce_set_key("{}", "members", 2, &texts), "{ members = 2 }");
    cr_assert_str_eq(campaign_reduce_name("cli2:put(\"cli2\", \"\")", "cli2", "cli1", &texts),
                     "cli1:put(\"cli2\", \"\")");
    base_arena_release(&texts);
}
