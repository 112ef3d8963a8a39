/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/db.h"
#include "tests/campaign/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char mixed[] = "all is well|20|expect 90\n"
                            "one breaks|20|violate 9\n"
                            "shows a hazard|20|shows violate 4\n"
                            "never|20|rare 50\n"
                            "dies|5|crash 3\n";

static void on_run(void *context, const struct campaign_unit *unit, uint64_t seed,
                   const struct campaign_result *result)
{
    report_db_put_run(context, unit->scenario, seed, result);
}

static void on_scenario(void *context, const struct campaign *campaign, const struct campaign_tally *tally)
{
    (void)campaign;
    report_db_put_events(context, tally);
}

/* Run a fixture with its runs put into a results file beside its scenarios. */
static void run_into(struct fixture *fixture, const char *path)
{
    char error[REPORT_TEXT_MAX];
    struct report_db *db = report_db_new(path, error);
    cr_assert(db, "%s", error);
    static const struct script_param params[] = {{"alpha", "1"}, {"beta", "two words"}};
    report_db_put_param(db, &params[0]);
    report_db_put_param(db, &params[1]);
    fixture->options.plan.params = params;
    fixture->options.plan.param_count = 2;
    fixture->options.with_events = true;
    fixture->options.context = db;
    fixture->options.run_done = on_run;
    fixture->options.scenario_done = on_scenario;
    fixture_run(fixture);
    cr_assert(report_db_end(db));
}

static char *json_of(struct fixture *fixture, const char *path)
{
    char error[REPORT_TEXT_MAX];
    struct report_loaded *loaded = report_db_load(path, error);
    cr_assert(loaded, "%s", error);
    struct campaign own = fixture->campaign;
    fixture->campaign = *report_loaded_campaign(loaded);
    char *text = fixture_report(fixture, report_json);
    fixture->campaign = own;
    report_loaded_free(loaded);
    return text;
}

Test(reports_db, a_report_of_the_file_is_the_report_of_the_run)
{
    struct fixture fixture;
    char path[256];
    fixture_init(&fixture, mixed);
    (void)snprintf(path, sizeof path, "%s.db", fixture.folder);
    run_into(&fixture, path);
    char *direct = fixture_report(&fixture, report_json);
    char *loaded = json_of(&fixture, path);
    cr_assert_str_eq(loaded, direct);
    free(direct);
    free(loaded);
    (void)unlink(path);
    fixture_release(&fixture);
}

/* All shards read one file of scenarios, as all machines would. */
Test(reports_db, shards_merged_are_the_whole)
{
    struct fixture whole;
    char path[256];
    char merged[256];
    char error[REPORT_TEXT_MAX] = "";
    fixture_init(&whole, mixed);
    (void)snprintf(path, sizeof path, "%s.db", whole.folder);
    (void)snprintf(merged, sizeof merged, "%s-merged.db", whole.folder);
    struct report_db *db = report_db_new(merged, error);
    cr_assert(db, "%s", error);
    for (uint32_t shard = 3; shard >= 1; shard--) {
        struct fixture part = whole;
        part.paths[0] = whole.path;
        part.options.plan.paths = part.paths;
        part.options.plan.shard = shard;
        part.options.plan.shard_count = 3;
        run_into(&part, path);
        cr_assert(report_db_merge(db, path, error), "%s", error);
        cr_assert(report_db_merge(db, path, error), "what is there already is left alone");
        campaign_release(&part.campaign);
        (void)unlink(path);
    }
    cr_assert(report_db_end(db));
    run_into(&whole, path);
    char *direct = json_of(&whole, path);
    char *together = json_of(&whole, merged);
    cr_assert_str_eq(together, direct);
    free(direct);
    free(together);
    (void)unlink(path);
    (void)unlink(merged);
    fixture_release(&whole);
}

Test(reports_db, a_file_of_something_else_is_refused)
{
    struct fixture fixture;
    char error[REPORT_TEXT_MAX] = "";
    fixture_init(&fixture, mixed);
    cr_assert_null(report_db_load(fixture.path, error));
    cr_assert(strstr(error, "expected a results file"));
    cr_assert_null(report_db_load("/nowhere/at/all.db", error));
    (void)unlink(fixture.path);
    (void)rmdir(fixture.folder);
}
