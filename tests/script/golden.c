/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tests/script/golden.h"

#include "sim/script/script.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20 };

static const char case_mark[] = "=== ";
static const char answer_mark[] = "---\n";

struct text {
    char *data;
    size_t size;
};

static void add(struct text *text, const char *data, size_t size)
{
    cr_assert(text->size + size < TEXT_MAX);
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void add_text(struct text *text, const char *data)
{
    add(text, data, strlen(data));
}

static void read_golden(const char *name, struct text *out)
{
    char path[1200];
    snprintf(path, sizeof path, GOLDEN_FOLDER "/%s", name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s can be read", path);
    out->size = fread(out->data, 1, TEXT_MAX - 1, file);
    out->data[out->size] = '\0';
    fclose(file);
}

/* Notes of the script itself. */
static void on_event(void *context, const struct sim_event *event)
{
    struct text *out = context;
    if (event->kind == SIM_EVENT_NOTE) {
        add_text(out, "note: ");
        add(out, (const char *)event->text.data, event->text.size);
        add_text(out, "\n");
    }
}

static void run_scenario(const struct script_file *file, uint32_t number, uint32_t point, struct text *out)
{
    static const char *const verdicts[] = {"held", "violated", "wrong", "unjudged"};
    struct sim_sink sink = {.context = out, .event = on_event};
    const struct script_run_options options = {.seed = 1, .point = point, .sink = &sink};
    struct script_worlds *worlds = NULL;
    struct script_outcome outcome;
    script_run(file, number, &options, &worlds, &outcome);
    add_text(out, verdicts[outcome.verdict]);
    if (outcome.verdict == SCRIPT_VIOLATED) {
        add_text(out, ": ");
        add_text(out, check_info(outcome.violation.judge)->name);
        add_text(out, ": ");
        add_text(out, outcome.violation.sentence);
    } else if (outcome.verdict != SCRIPT_HELD) {
        add_text(out, ": ");
        add_text(out, outcome.error);
    }
    add_text(out, "\n");
    script_outcome_release(&outcome);
    script_worlds_free(worlds);
}

static void run_case(const char *script, size_t size, struct text *out)
{
    char error[SCRIPT_TEXT_MAX];
    FILE *file = fopen("case.lua", "wb");
    cr_assert(file);
    cr_assert_eq(fwrite(script, 1, size, file), size);
    fclose(file);
    struct script_file *opened = script_open("case.lua", NULL, 0, error);
    if (!opened) {
        add_text(out, "does not load: ");
        add_text(out, error);
        add_text(out, "\n");
        return;
    }
    for (uint32_t i = 0; i < script_count(opened); i++) {
        for (uint32_t point = 0; point < script_get(opened, i)->point_count; point++) {
            run_scenario(opened, i, point, out);
        }
    }
    script_close(opened);
}

static void write_golden(const char *name, const struct text *text)
{
    char path[1200];
    snprintf(path, sizeof path, GOLDEN_FOLDER "/%s", name);
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    cr_assert_eq(fwrite(text->data, 1, text->size, file), text->size);
    fclose(file);
}

void golden_check(const char *name)
{
    struct text golden = {.data = calloc(1, TEXT_MAX)};
    struct text found = {.data = calloc(1, TEXT_MAX)};
    char folder[] = "/tmp/faultline-script-XXXXXX";
    bool is_rewritten = getenv("REWRITE") != NULL;
    read_golden(name, &golden);
    cr_assert(mkdtemp(folder) && chdir(folder) == 0);
    for (const char *at = golden.data; *at;) {
        size_t start = found.size;
        const char *end_name = strchr(at, '\n');
        cr_assert(strncmp(at, case_mark, 4) == 0 && end_name, "a case begins with ===: %.40s", at);
        const char *script = end_name + 1;
        const char *answer = strstr(script, answer_mark);
        cr_assert(answer, "a case has an answer");
        const char *next = strstr(answer, "\n=== ");
        next = next ? next + 1 : answer + strlen(answer);
        add(&found, at, (size_t)(answer - at) + 4);
        run_case(script, (size_t)(answer - script), &found);
        size_t size = (size_t)(next - at);
        bool is_same = found.size - start == size && memcmp(found.data + start, at, size) == 0;
        cr_expect(is_same || is_rewritten, "%s: found\n%s", name, found.data + start);
        at = next;
    }
    unlink("case.lua");
    cr_assert(chdir("/") == 0 && rmdir(folder) == 0);
    if (is_rewritten) {
        write_golden(name, &found);
    }
    free(golden.data);
    free(found.data);
}
