/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/file.h"

#include "sim/check/import.h"
#include "sim/check/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HELD = 0, VIOLATED = 1, UNREADABLE = 2, NOT_JUDGED = 3 };

static bool read_file(const char *path, struct check_text *text)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    size_t capacity = 1 << 16;
    char *bytes = check_resize(NULL, capacity, 1);
    size_t size = 0;
    for (size_t got = 1; got > 0; size += got) {
        if (size == capacity) {
            capacity *= 2;
            bytes = check_resize(bytes, capacity, 1);
        }
        got = fread(bytes + size, 1, capacity - size, file);
    }
    bool is_whole = !ferror(file);
    (void)fclose(file);
    *text = (struct check_text){.bytes = bytes, .size = size};
    if (!is_whole) {
        free(bytes);
    }
    return is_whole;
}

static int compare_lines(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void print_json_text(const char *bytes, size_t size)
{
    (void)putchar('"');
    const unsigned char *text = (const unsigned char *)bytes;
    size_t step = 1;
    for (size_t at = 0; at < size; at += step) {
        size_t sequence = check_utf8_size(text + at, size - at);
        unsigned char c = text[at];
        step = sequence > 0 ? sequence : 1;
        if (c == '"' || c == '\\') {
            (void)putchar('\\');
            (void)putchar(c);
        } else if (c < ' ') {
            (void)printf("\\u%04x", (unsigned)c);
        } else if (sequence == 0) {
            (void)fputs(CHECK_UTF8_REPLACEMENT, stdout);
        } else {
            (void)fwrite(text + at, 1, sequence, stdout);
        }
    }
    (void)putchar('"');
}

/* The lines of the file with these numbers, which are in order. */
static void print_lines(const struct check_text *text, const uint32_t *lines, uint32_t count, bool json)
{
    uint32_t line = 1;
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (; line < lines[i] && at < text->size; at++) {
            line += text->bytes[at] == '\n';
        }
        size_t end = at;
        while (end < text->size && text->bytes[end] != '\n' && text->bytes[end] != '\r') {
            end++;
        }
        if (json) {
            (void)printf("%s{\"line\":%" PRIu32 ",\"text\":", i ? "," : "", lines[i]);
            print_json_text(text->bytes + at, end - at);
            (void)putchar('}');
        } else {
            (void)printf("%8" PRIu32 "  %.*s\n", lines[i], (int)(end - at), text->bytes + at);
        }
    }
}

struct verdict {
    int status;
    const char *word;
    const char *why;
    uint32_t operations;
    uint32_t *lines; /* What shows it; owned. */
    uint32_t line_count;
};

static void show(struct verdict *verdict, uint32_t line)
{
    if (line != 0) {
        verdict->lines = check_resize(verdict->lines, verdict->line_count + 1, sizeof verdict->lines[0]);
        verdict->lines[verdict->line_count++] = line;
    }
}

/* Lines in order, each once. */
static void sort_lines(struct verdict *verdict)
{
    if (verdict->line_count == 0) {
        return;
    }
    qsort(verdict->lines, verdict->line_count, sizeof verdict->lines[0], compare_lines);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < verdict->line_count; i++) {
        if (verdict->lines[i] != verdict->lines[kept - 1]) {
            verdict->lines[kept++] = verdict->lines[i];
        }
    }
    verdict->line_count = kept;
}

static struct verdict judge_recording(struct check_recording *recording)
{
    struct check_linear_result result = check_linear(recording);
    struct verdict verdict = {HELD, "linearizable", "", recording->count, NULL, 0};
    if (result.verdict == CHECK_NOT_JUDGED) {
        verdict.status = NOT_JUDGED;
        verdict.word = "not judged";
        verdict.why = "too much was under way at once";
    } else if (result.verdict == CHECK_NOT_LINEARIZABLE) {
        const struct check_operation *culprit = &recording->operations[result.culprit];
        verdict.status = VIOLATED;
        verdict.word = "not linearizable";
        verdict.why = "the last of these answers cannot be explained";
        for (uint32_t i = 0; i < recording->count; i++) {
            const struct check_operation *operation = &recording->operations[i];
            if (operation->key != culprit->key || operation->invoked > culprit->returned ||
                operation->returned < result.window) {
                continue;
            }
            show(&verdict, operation->line);
            show(&verdict, operation->returned <= culprit->returned ? operation->return_line : 0);
        }
    }
    return verdict;
}

static struct verdict judge_revisions(const struct check_revisions *revised)
{
    static const char *const reasons[] = {
        [CHECK_REVISED_FINE] = "",
        [CHECK_REVISED_TWICE] = "two writes made one revision",
        [CHECK_REVISED_OLD] = "a later revision had been told before this began",
        [CHECK_REVISED_CONTENT] = "a read saw what was not there at its revision",
    };
    struct check_revised_result result = check_revisions_judge(revised);
    struct verdict verdict = {HELD, "linearizable", reasons[result.fault], revised->count, NULL, 0};
    if (result.fault != CHECK_REVISED_FINE) {
        verdict.status = VIOLATED;
        verdict.word = "not linearizable";
        show(&verdict, revised->calls[result.culprit].line);
        show(&verdict, revised->calls[result.culprit].return_line);
        show(&verdict, revised->calls[result.witness].line);
        show(&verdict, revised->calls[result.witness].return_line);
    }
    return verdict;
}

static void print_verdict(const struct check_text *text, const struct verdict *verdict, uint32_t keys,
                          bool json)
{
    if (json) {
        (void)printf("{\"verdict\":\"%s\",\"why\":\"%s\",\"operations\":%" PRIu32 ",\"keys\":%" PRIu32
                     ",\"window\":[",
                     verdict->word, verdict->why, verdict->operations, keys);
        print_lines(text, verdict->lines, verdict->line_count, true);
        (void)printf("]}\n");
        return;
    }
    (void)printf("%s: %" PRIu32 " operations on %" PRIu32 " keys%s%s\n", verdict->word, verdict->operations,
                 keys, verdict->why[0] ? "; " : "", verdict->why);
    print_lines(text, verdict->lines, verdict->line_count, false);
}

int check_file(const char *path, const char *model_name, bool json)
{
    static const char *const names[] = {"kv", "cas-register", "etcd"};
    uint32_t model = 0;
    while (model < 3 && !base_bytes_equal(base_bytes_of(names[model]), base_bytes_of(model_name))) {
        model++;
    }
    if (model == 3) {
        (void)fprintf(stderr, "--model: found %s, expected kv, cas-register or etcd\n", model_name);
        return UNREADABLE;
    }
    struct check_text text;
    if (!read_file(path, &text)) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return UNREADABLE;
    }
    struct check_recording recording;
    struct check_revisions revised = {0};
    struct verdict verdict = {.status = UNREADABLE};
    check_recording_init(&recording);
    if (check_import(&text, (enum check_model)model, &recording, &revised)) {
        verdict = model == CHECK_MODEL_ETCD ? judge_revisions(&revised) : judge_recording(&recording);
        sort_lines(&verdict);
        print_verdict(&text, &verdict, recording.key_count, json);
    } else {
        (void)fprintf(stderr, "%s:%" PRIu32 ": %s\n", path, text.line, text.error);
    }
    free(verdict.lines);
    check_recording_release(&recording);
    check_revisions_release(&revised);
    free((void *)(uintptr_t)text.bytes);
    return verdict.status;
}
