/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "reports/page.h"
#include "tests/reports/page_read.h"
#include "tests/reports/tiny.h"

#include <criterion/criterion.h>
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>

static char *tiny_page(uint64_t events_max, uint64_t outline_max)
{
    struct tiny tiny;
    struct report_survey survey;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    tiny_init(&tiny);
    report_survey_init(&survey);
    survey.events_max = events_max;
    survey.outline_max = outline_max;
    tiny_tell(&survey.sink);
    struct report_page *page = report_page_new(&tiny.run, &survey, out);
    tiny_tell(report_page_sink(page));
    report_page_end(page);
    cr_assert(fclose(out) == 0);
    return text;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        count++;
    }
    return count;
}

Test(page, stands_on_its_own_and_trusts_no_name)
{
    char *text = tiny_page(1000, 1000);
    cr_assert_not(strstr(text, "http:"), "a page asks nobody for anything");
    cr_assert_not(strstr(text, "https:"));
    cr_assert_not(strstr(text, "src="));
    cr_assert_not(strstr(text, "<small>"));
    cr_assert_eq(count_of(text, "<script"), 3);
    cr_assert_eq(count_of(text, "</script"), 3, "no sentence ends a script");
    htmlDocPtr page = htmlReadMemory(text, (int)strlen(text), NULL, "UTF-8",
                                     HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    cr_assert(page);
    xmlFreeDoc(page);
    free(text);
}

Test(page, says_how_the_run_ended_and_how_to_repeat_it)
{
    char *text = tiny_page(1000, 1000);
    struct page_read read;
    cr_assert(page_read(&read, text));
    const json_t *failure = json_object_get(read.about, "failure");
    cr_assert_str_eq(json_string_value(json_object_get(failure, "lead")), "election");
    cr_assert_str_eq(json_string_value(json_object_get(failure, "sentence")),
                     "m1 leads term 1, \"and\" so does m2 </script>");
    cr_assert_eq(json_integer_value(json_object_get(failure, "time")), 5000000123);
    cr_assert_eq(json_integer_value(json_object_get(failure, "machine")), 2);
    cr_assert_str_eq(json_string_value(json_object_get(read.about, "replay")),
                     "faultline replay tiny.lua --seed 7 --scenario 'tiny & <small>'");
    const json_t *drawn = json_array_get(json_object_get(read.about, "drawn"), 0);
    cr_assert_str_eq(json_string_value(json_array_get(drawn, 0)), "members");
    cr_assert_str_eq(json_string_value(json_array_get(drawn, 1)), "2");
    page_read_release(&read);
    free(text);
}

Test(page, has_every_event_of_a_short_run)
{
    char *text = tiny_page(TINY_EVENTS, 0);
    struct page_read read;
    cr_assert(page_read(&read, text));
    cr_assert_eq(json_integer_value(json_object_get(read.about, "left_out")), 0);
    cr_assert_eq(read.count, TINY_EVENTS);
    const struct page_event *vote = &read.events[8];
    cr_assert_eq(vote->kind, SIM_EVENT_VOTE);
    cr_assert_eq(vote->fields[1], 1, "a member's id is its number");
    cr_assert_eq(read.events[10].sent_ago, 1, "MsgVote came");
    cr_assert_eq(read.events[12].sent_ago, 1, "its answer was lost");
    cr_assert_eq(read.events[4].fields[1], 0xa2, "what is known as hex stays");
    const struct page_event *last = &read.events[TINY_EVENTS - 1];
    cr_assert_eq(last->time_ns, 5000000123);
    cr_assert_eq(last->number, TINY_EVENTS);
    page_read_release(&read);
    free(text);
}

/* Of 27 events the last ten are whole. 17 outline the run: seven of those ten, and of
 * the ones before as many as make twelve. */
Test(page, keeps_the_end_of_a_long_run_and_the_outline_before)
{
    char *text = tiny_page(10, 12);
    struct page_read read;
    cr_assert(page_read(&read, text));
    cr_assert_eq(json_integer_value(json_object_get(read.about, "left_out")), 17);
    size_t first = 0;
    while (read.events[first].number <= 17) {
        uint64_t kind = read.events[first].kind;
        cr_assert(kind == SIM_EVENT_ROLE || kind == SIM_EVENT_VOTE, "event %zu", first);
        first++;
    }
    cr_assert_eq(read.count - first, 10);
    for (size_t i = first; i < read.count; i++) {
        cr_assert_eq(read.events[i].number, 18 + i - first);
    }
    cr_assert_eq(first, 5);
    page_read_release(&read);
    free(text);
}
