/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/campaign/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char mixed[] = "all is well|60|rare 3\n"
                            "one breaks|50|violate 21\n"
                            "dies|30|crash 13\n"
                            "shows a hazard|30|shows violate 10\n";

static char *json_with_jobs(const char *lines, uint32_t jobs, bool fail_fast)
{
    struct fixture fixture;
    fixture_init(&fixture, lines);
    fixture.options.jobs = jobs;
    fixture.options.fail_fast = fail_fast;
    fixture.options.with_events = true;
    fixture_run(&fixture);
    char *text = fixture_report(&fixture, report_json);
    fixture_release(&fixture);
    return text;
}

Test(campaign, findings_do_not_depend_on_workers)
{
    char *one = json_with_jobs(mixed, 1, false);
    char *five = json_with_jobs(mixed, 5, false);
    cr_assert_str_eq(one, five);
    free(one);
    free(five);
}

Test(campaign, the_first_failure_ends_it_wherever_it_runs)
{
    char *one = json_with_jobs(mixed, 1, true);
    char *five = json_with_jobs(mixed, 5, true);
    cr_assert_str_eq(one, five);
    cr_assert(strstr(one, "\"seed\": 21"));
    cr_assert_not(strstr(one, "\"seed\": 42"));
    free(one);
    free(five);
}

static struct campaign_tally run_one(struct fixture *fixture, const char *line)
{
    fixture_init(fixture, line);
    fixture->options.jobs = 2;
    fixture_run(fixture);
    return fixture->campaign.tallies[0];
}

Test(campaign, exit_status_is_the_gravest_verdict)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"held|9| \n", 0},
        {"broken|9|violate 4\n", 1},
        {"script|9|wrong 4\n", 2},
        {"died|9|crash 4\n", 3},
        {"both|9|violate 4 wrong 3\n", 1},
        {"hazard|9|shows violate 4\n", 0},
        {"hazard that hides|9|shows\n", 1},
        {"never|9|rare 50\n", 1},
        {"bound|9|expect 3\n", 1},
        {"bound|9|expect 30\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        (void)run_one(&fixture, cases[i].line);
        cr_assert_eq(campaign_exit_status(&fixture.campaign), cases[i].status, "%s", cases[i].line);
        fixture_release(&fixture);
    }
}

Test(campaign, metrics_are_nearest_ranks)
{
    struct fixture fixture;
    struct campaign_tally tally = run_one(&fixture, "held|200| \n");
    struct campaign_quantiles all;
    campaign_metric_quantiles(&tally.metrics[0], &all);
    cr_assert_eq(tally.metrics[0].count, 200);
    cr_assert_eq(all.min, 1.5);
    cr_assert_eq(all.median, 150);
    cr_assert_eq(all.p90, 270);
    cr_assert_eq(all.p99, 297);
    cr_assert_eq(all.max, 300);
    fixture_release(&fixture);
}

Test(campaign, sometimes_is_judged_by_enough_seeds_only)
{
    struct fixture fixture;
    fixture_init(&fixture, "never|20|rare 50\n");
    fixture.options.plan.has_seeds = true;
    fixture.options.plan.seed_first = 1;
    fixture.options.plan.seed_last = 19;
    fixture_run(&fixture);
    struct campaign_demand demand;
    campaign_demand_get(&fixture.campaign.tallies[0], 0, &demand);
    cr_assert_eq(demand.state, CAMPAIGN_OPEN);
    cr_assert_str_eq(demand.sentence, "sometimes \"often\": true in 0 of 19 seeds");
    fixture_release(&fixture);
}

Test(campaign, shards_are_the_whole_in_parts)
{
    uint64_t runs = 0;
    uint64_t violated = 0;
    for (uint32_t shard = 1; shard <= 3; shard++) {
        struct fixture fixture;
        fixture_init(&fixture, mixed);
        fixture.options.plan.shard = shard;
        fixture.options.plan.shard_count = 3;
        fixture_run(&fixture);
        runs += fixture.campaign.tallied;
        violated += fixture.campaign.tallies[1].violated;
        fixture_release(&fixture);
    }
    cr_assert_eq(runs, 60 + 50 + 30 + 30);
    cr_assert_eq(violated, 2);
}

Test(campaign, a_time_limit_ends_it_and_goes_round_by_seeds)
{
    struct fixture fixture;
    fixture_init(&fixture, "first|5| \nsecond|5| \n");
    fixture.options.time_ns = 50000000;
    fixture.options.plan.is_endless = true;
    fixture_run(&fixture);
    uint64_t first = fixture.campaign.tallies[0].runs;
    uint64_t second = fixture.campaign.tallies[1].runs;
    cr_assert_gt(first, 5);
    cr_assert(first == second || first == second + 1);
    fixture_release(&fixture);
}

Test(campaign, two_runs_that_part_are_named_with_the_event)
{
    struct fixture fixture;
    fixture_init(&fixture, "parts|8|part 8\n");
    fixture.options.verify = true;
    fixture.options.with_events = true;
    fixture_run(&fixture);
    const struct campaign_tally *tally = &fixture.campaign.tallies[0];
    cr_assert_eq(tally->parted, 1);
    cr_assert_eq(tally->failures[0].seed, 8);
    cr_assert_str_eq(tally->failures[0].sentence,
                     "two runs part at event 7 in its term: one has 7.000000000s m2 role candidate term 8 "
                     "leader none, the other has 7.000000000s m2 role candidate term 9 leader none");
    cr_assert_eq(campaign_exit_status(&fixture.campaign), 3);
    fixture_release(&fixture);
}

Test(campaign, a_failure_says_all_that_is_known)
{
    struct fixture fixture;
    fixture_init(&fixture, "it's broken|5|violate 4\n");
    fixture.options.with_events = true;
    fixture_run(&fixture);
    char *text = fixture_print(&fixture, 0);
    cr_assert_str_eq(strstr(text, "scenario "),
                     "scenario \"it's broken\", seed 4\n"
                     "election: m1 and m2 both lead term 4 <&\"'>\n"
                     "at 7.500000000s of simulated time\n"
                     "              time  member   what\n"
                     "      1.000000000s  m2       role candidate term 1 leader none\n"
                     "      2.000000000s  m3       role leader term 2 leader none\n"
                     "      3.000000000s  m1       role follower term 3 leader none\n"
                     "      4.000000000s  m2       crash incarnation 1\n"
                     "      5.000000000s  m3       role leader term 5 leader none\n"
                     "      6.000000000s  m1       role follower term 6 leader none\n"
                     "      7.000000000s  m2       role candidate term 7 leader none\n"
                     "replay it with\n"
                     "  faultline replay FILE --seed 4 --scenario 'it'\\''s broken'\n\n");
    free(text);
    fixture_release(&fixture);
}
