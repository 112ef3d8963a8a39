/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "reports/perfetto.h"
#include "tests/reports/tiny.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *tiny_trace(bool has_held)
{
    struct tiny tiny;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    tiny_init(&tiny);
    if (has_held) {
        tiny.run.failure = NULL;
    }
    struct report_perfetto *perfetto = report_perfetto_new(&tiny.run, out);
    tiny_tell(report_perfetto_sink(perfetto));
    report_perfetto_end(perfetto);
    cr_assert(fclose(out) == 0);
    return text;
}

static char *read_all(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    cr_assert(in && text, "%s", path);
    cr_assert(fread(text, 1, (1 << 16) - 1, in) > 0);
    fclose(in);
    return text;
}

/* All but the version of the program, which stands before the events. */
Test(perfetto, tiny_run_reads_as_in_the_golden_file)
{
    const char *path = GOLDEN_FOLDER "/perfetto.json";
    char *text = tiny_trace(false);
    if (getenv("REWRITE")) {
        FILE *out = fopen(path, "wb");
        cr_assert(out && fputs(text, out) >= 0 && fclose(out) == 0);
    }
    char *golden = read_all(path);
    const char *events = strstr(text, "\"traceEvents\"");
    const char *expected = strstr(golden, "\"traceEvents\"");
    cr_assert(events && expected);
    cr_assert_str_eq(events, expected);
    free(golden);
    free(text);
}

Test(perfetto, file_names_its_run)
{
    char *text = tiny_trace(false);
    json_error_t error;
    json_t *trace = json_loads(text, 0, &error);
    cr_assert(trace, "%s", error.text);
    const json_t *about = json_object_get(trace, "otherData");
    cr_assert_str_eq(json_string_value(json_object_get(about, "scenario")), "tiny & <small>");
    cr_assert_str_eq(json_string_value(json_object_get(about, "replay")),
                     "faultline replay tiny.lua --seed 7 --scenario 'tiny & <small>'");
    json_decref(trace);
    free(text);
}

Test(perfetto, only_a_broken_promise_is_a_global_instant)
{
    char *text = tiny_trace(false);
    char *held = tiny_trace(true);
    cr_assert(strstr(text, "\"name\":\"election\",\"s\":\"g\""));
    cr_assert_not(strstr(held, "\"s\":\"g\""));
    free(held);
    free(text);
}
