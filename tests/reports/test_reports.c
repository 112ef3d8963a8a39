/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/text.h"
#include "tests/campaign/fixture.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

static const char mixed[] = "all is well|20| \n"
                            "<b>one</b> & breaks|20|violate 9\n"
                            "never|20|rare 50\n"
                            "dies|5|crash 3\n";

static struct fixture fixture;

static void setup(void)
{
    fixture_init(&fixture, mixed);
    fixture.options.with_events = true;
    fixture_run(&fixture);
}

static void teardown(void)
{
    fixture_release(&fixture);
}

Test(reports, json_says_what_was_found, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_json);
    json_error_t error;
    json_t *report = json_loads(text, 0, &error);
    cr_assert(report, "%s", error.text);
    cr_assert_eq(json_integer_value(json_object_get(report, "status")), 1);
    const json_t *broken = json_array_get(json_object_get(report, "scenarios"), 1);
    cr_assert_str_eq(json_string_value(json_object_get(broken, "verdict")), "violated");
    const json_t *failure = json_array_get(json_object_get(broken, "failures"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(failure, "judge")), "election");
    cr_assert_eq(json_integer_value(json_object_get(failure, "time_ns")), 7500000000);
    cr_assert_eq(json_array_size(json_object_get(failure, "events")), 7);
    cr_assert_str_eq(json_string_value(json_object_get(failure, "replay")),
                     "faultline replay FILE --seed 9 --scenario '<b>one</b> & breaks'");
    json_decref(report);
    free(text);
}

Test(reports, json_has_a_row_for_each_claim, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_json);
    json_error_t error;
    json_t *report = json_loads(text, 0, &error);
    cr_assert(report, "%s", error.text);
    cr_assert_eq(json_array_size(json_object_get(report, "claims")), 1);
    const json_t *claim = json_array_get(json_object_get(report, "claims"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(claim, "promise")),
                     "a failed leader is replaced automatically");
    /* One scenario of those that carry it is enough to break it, and all bring figures. */
    cr_assert_str_eq(json_string_value(json_object_get(claim, "verdict")), "violated");
    cr_assert_eq(json_integer_value(json_object_get(claim, "scenarios")), 4);
    cr_assert_eq(json_array_size(json_object_get(claim, "figures")), 4);
    cr_assert_eq(json_array_size(json_object_get(claim, "notes")), 1, "the same note once");
    json_decref(report);
    free(text);
}

Test(reports, html_has_coverage_where_there_were_faults, .init = setup, .fini = teardown)
{
    struct campaign_tally *tally = &fixture.campaign.tallies[0];
    char *text = fixture_report(&fixture, report_html);
    cr_assert_not(strstr(text, "coverage"));
    free(text);
    tally->faults[SIM_FAULT_WIPE][SIM_DOWN] = 11;
    tally->faults[SIM_FAULT_CRASH][SIM_LEADER] = 22;
    tally->frames[SIM_FRAME_LOSE][RAFT_MSG_APP] = 33;
    tally->passed[RAFT_MSG_APP][SIM_LEADER][SIM_FOLLOWER] = 44;
    text = fixture_report(&fixture, report_html);
    cr_assert(strstr(text,
                     "<summary>coverage: 2 of 56 fault × role, 1 of 6 fault × message, 1 kinds of message "
                     "between 1 pairs of roles</summary>"));
    cr_assert(
        strstr(text,
               "<tr><td>wipe</td><td></td><td></td><td></td><td></td><td></td><td>11</td><td></td></tr>"),
        "who runs cannot be wiped");
    cr_assert(strstr(text, "<tr><td>crash</td><td>22</td><td class=\"bad\">0</td>"),
              "a follower never crashed");
    cr_assert(strstr(text, "<tr><td>MsgApp</td><td>33</td><td class=\"bad\">0</td>"));
    free(text);
}

Test(reports, html_is_a_page_and_trusts_no_name, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_html);
    cr_assert_not(strstr(text, "<b>one</b>"));
    cr_assert(strstr(text, "&lt;b&gt;one&lt;/b&gt; &amp; breaks"));
    cr_assert_not(strstr(text, "http"), "a page asks nobody for anything");
    cr_assert_not(strstr(text, "<script"));
    htmlDocPtr page = htmlReadMemory(text, (int)strlen(text), NULL, "UTF-8",
                                     HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    cr_assert(page);
    xmlFreeDoc(page);
    free(text);
}

/* Every element closes: what is inside <body> is also well-formed XML. */
Test(reports, html_closes_what_it_opens, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_html);
    char *body = strstr(text, "<body>");
    char *end = strstr(text, "</html>");
    cr_assert(body && end);
    *end = '\0';
    xmlDocPtr page = xmlReadMemory(body, (int)strlen(body), NULL, "UTF-8", XML_PARSE_NONET);
    cr_assert(page);
    xmlFreeDoc(page);
    free(text);
}

Test(reports, junit_counts_failures_and_errors, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_junit);
    xmlDocPtr report = xmlReadMemory(text, (int)strlen(text), NULL, "UTF-8", XML_PARSE_NONET);
    cr_assert(report);
    xmlFreeDoc(report);
    cr_assert(strstr(text, "tests=\"4\" failures=\"2\" errors=\"1\" skipped=\"0\""));
    cr_assert(strstr(text, "type=\"election\""));
    cr_assert(strstr(text, "m1 and m2 both lead term 9 &lt;&amp;&quot;"));
    free(text);
}

Test(reports, tap_has_a_line_for_each_scenario, .init = setup, .fini = teardown)
{
    char *text = fixture_report(&fixture, report_tap);
    cr_assert_str_eq(text, "TAP version 14\n"
                           "1..4\n"
                           "ok 1 - FILE: all is well\n"
                           "not ok 2 - FILE: <b>one</b> & breaks\n"
                           "  ---\n"
                           "  message: \"election: m1 and m2 both lead term 9 <&\\\"'>\"\n"
                           "  seed: 9\n"
                           "  replay: \"faultline replay FILE --seed 9 --scenario '<b>one</b> & breaks'\"\n"
                           "  ...\n"
                           "not ok 3 - FILE: never\n"
                           "  ---\n"
                           "  unmet_1: \"sometimes \\\"often\\\": true in 0 of 20 seeds\"\n"
                           "  ...\n"
                           "not ok 4 - FILE: dies\n"
                           "  ---\n"
                           "  message: \"not judged: the worker died of signal 6\"\n"
                           "  seed: 3\n"
                           "  replay: \"faultline replay FILE --seed 3 --scenario dies\"\n"
                           "  ...\n");
    free(text);
}

Test(reports, texts_are_always_utf8)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\x01"
         "b\x7f",
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"line\nand\ttab", "line\nand\ttab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *clean = report_text_clean(cases[i][0]);
        cr_assert_str_eq(clean, cases[i][1], "case %zu", i);
        free(clean);
    }
}
