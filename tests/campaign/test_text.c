/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/text.h"
#include "sim/nearest.h"

#include <criterion/criterion.h>

static const char *const names[] = {"--seed", "--seeds", "--shard", "--verify", "-v"};

static const char *nearest(const char *word)
{
    return sim_nearest(word, names, sizeof names / sizeof names[0]);
}

Test(campaign_text, nearest_is_by_fewest_edits)
{
    cr_assert_str_eq(nearest("--sedes"), "--seeds");
    cr_assert_str_eq(nearest("--veryfy"), "--verify");
    cr_assert_str_eq(nearest("--shards"), "--shard");
}

Test(campaign_text, nothing_is_near_to_something_else)
{
    cr_assert_null(nearest("--colour"));
    cr_assert_null(nearest("scenarios/failures/leader.lua"));
}

Test(campaign_text, numbers_are_whole_and_fit)
{
    uint64_t value = 7;
    cr_assert(campaign_text_u64("18446744073709551615", &value));
    cr_assert_eq(value, UINT64_MAX);
    value = 7;
    cr_assert_not(campaign_text_u64("18446744073709551616", &value));
    cr_assert_not(campaign_text_u64("", &value));
    cr_assert_not(campaign_text_u64("-1", &value));
    cr_assert_not(campaign_text_u64("1x", &value));
    cr_assert_eq(value, 7, "what was refused leaves the value alone");
}

Test(campaign_text, durations_have_units)
{
    uint64_t ns = 0;
    cr_assert(campaign_text_duration("60s", &ns));
    cr_assert_eq(ns, 60000000000);
    cr_assert(campaign_text_duration("1.5s", &ns));
    cr_assert_eq(ns, 1500000000);
    cr_assert(campaign_text_duration("2min", &ns));
    cr_assert_eq(ns, 120000000000);
    cr_assert(campaign_text_duration("0.25ms", &ns));
    cr_assert_eq(ns, 250000);
    cr_assert(campaign_text_duration("3", &ns));
    cr_assert_eq(ns, 3000000000);
}

Test(campaign_text, durations_are_nothing_else)
{
    uint64_t ns = 0;
    cr_assert_not(campaign_text_duration("s", &ns));
    cr_assert_not(campaign_text_duration("1.s", &ns));
    cr_assert_not(campaign_text_duration("5 s", &ns));
    cr_assert_not(campaign_text_duration("5 parsecs", &ns));
    cr_assert_not(campaign_text_duration("99999999999999hour", &ns));
}

Test(campaign_text, seeds_are_a_number_or_a_range)
{
    uint64_t first = 0;
    uint64_t last = 0;
    cr_assert(campaign_text_seeds("200", &first, &last));
    cr_assert(first == 1 && last == 200);
    cr_assert(campaign_text_seeds("17..42", &first, &last));
    cr_assert(first == 17 && last == 42);
    cr_assert(campaign_text_seeds("18446744073709551615..18446744073709551615", &first, &last));
    cr_assert(first == UINT64_MAX && last == UINT64_MAX);
    cr_assert_not(campaign_text_seeds("1..18446744073709551615", &first, &last));
    cr_assert_not(campaign_text_seeds("0", &first, &last));
    cr_assert_not(campaign_text_seeds("5..4", &first, &last));
    cr_assert_not(campaign_text_seeds("5..", &first, &last));
    cr_assert_not(campaign_text_seeds("5...7", &first, &last));
}

Test(campaign_text, shards_count_from_one)
{
    uint32_t number = 0;
    uint32_t count = 0;
    cr_assert(campaign_text_shard("2/3", &number, &count));
    cr_assert(number == 2 && count == 3);
    cr_assert_not(campaign_text_shard("0/3", &number, &count));
    cr_assert_not(campaign_text_shard("4/3", &number, &count));
    cr_assert_not(campaign_text_shard("2", &number, &count));
}
