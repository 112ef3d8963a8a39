/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
/* raft_conformance PATH…: run etcd's Raft scripts, files or whole folders, and
 * say of each whether the nodes did and printed what it expects. */
#include "tests/conformance/kinds.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    (void)context;
    (void)size_old;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

const struct base_allocator conformance_allocator = {.resize = resize};

enum kind { KIND_INTERACTION, KIND_QUORUM, KIND_CHANGER };

static bool is_one_of(const char *command, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(command, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The kind shows in the commands: no two kinds share one. */
static enum kind kind_of(const struct script *script)
{
    static const char *const quorum[] = {"committed", "vote"};
    static const char *const changer[] = {"simple", "enter-joint", "leave-joint"};
    for (size_t i = 0; i < script->case_count; i++) {
        if (is_one_of(script->cases[i].command, quorum, 2)) {
            return KIND_QUORUM;
        }
        if (is_one_of(script->cases[i].command, changer, 3)) {
            return KIND_CHANGER;
        }
    }
    return KIND_INTERACTION;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

/* Print the lines of `text` from `first` up to before `last`, each after `mark`. */
static void print_lines(const char *text, size_t first, size_t last, char mark)
{
    for (size_t line = 0; line < last && *text != '\0'; line++) {
        size_t length = strcspn(text, "\n");
        if (line >= first) {
            printf("%c%.*s\n", mark, (int)length, text);
        }
        text += length + (text[length] == '\n');
    }
}

static bool is_same_line(const char *a, const char *b)
{
    size_t length = strcspn(a, "\n");
    return length == strcspn(b, "\n") && memcmp(a, b, length) == 0;
}

static const char *line_at(const char *text, size_t number)
{
    for (; number > 0; number--) {
        text += strcspn(text, "\n") + 1;
    }
    return text;
}

/* One hunk: what both share at either end is context, three lines of it. */
static void print_hunk(const struct script_case *item, const char *actual)
{
    size_t old_count = count_lines(item->expected);
    size_t new_count = count_lines(actual);
    size_t least = old_count < new_count ? old_count : new_count;
    size_t head = 0;
    while (head < least && is_same_line(line_at(item->expected, head), line_at(actual, head))) {
        head++;
    }
    size_t tail = 0;
    while (tail < least - head && is_same_line(line_at(item->expected, old_count - tail - 1),
                                               line_at(actual, new_count - tail - 1))) {
        tail++;
    }
    size_t before = head > 3 ? 3 : head;
    size_t after = tail > 3 ? 3 : tail;
    size_t start = head - before;
    printf("@@ -%zu,%zu +%zu,%zu @@ line %zu: %s\n", item->output_line + start,
           old_count - tail + after - start, item->output_line + start, new_count - tail + after - start,
           item->line, item->command);
    print_lines(item->expected, start, head, ' ');
    print_lines(item->expected, head, old_count - tail, '-');
    print_lines(actual, head, new_count - tail, '+');
    print_lines(item->expected, old_count - tail, old_count - tail + after, ' ');
}

/* Line by line, where nothing and "ok" are the same. */
static bool is_as_expected(const char *expected, const char *actual)
{
    expected = strcmp(expected, "ok\n") == 0 ? "" : expected;
    actual = strcmp(actual, "ok\n") == 0 ? "" : actual;
    return strcmp(expected, actual) == 0;
}

/* Run the cases in order. true: all as expected. */
static bool run_script(const char *path, const struct script *script)
{
    enum kind kind = kind_of(script);
    struct conformance_cluster *cluster = conformance_cluster_new();
    struct conformance_changer *changer = conformance_changer_new();
    struct base_buffer out;
    base_buffer_init(&out, &conformance_allocator);
    bool passed = true;
    for (size_t i = 0; i < script->case_count; i++) {
        const struct script_case *item = &script->cases[i];
        base_buffer_reset(&out);
        if (kind == KIND_QUORUM) {
            conformance_quorum(item, &out);
        } else if (kind == KIND_CHANGER) {
            conformance_change(changer, item, &out);
        } else {
            conformance_interact(cluster, item, &out);
        }
        if (out.size > 0 && out.data[out.size - 1] != '\n') {
            base_put_u8(&out, '\n');
        }
        base_put_u8(&out, '\0');
        if (!is_as_expected(item->expected, (const char *)out.data)) {
            if (passed) {
                printf("FAIL %s\n--- %s\n+++ %s (as run)\n", path, path, path);
            }
            passed = false;
            print_hunk(item, (const char *)out.data);
        }
    }
    if (passed) {
        printf("ok %s\n", path);
    }
    base_buffer_release(&out);
    conformance_changer_free(changer);
    conformance_cluster_free(cluster);
    return passed;
}

struct totals {
    size_t passed;
    size_t failed;
};

static void run_file(const char *path, struct totals *totals)
{
    struct script script;
    if (!script_read(path, &script)) {
        printf("FAIL %s\n", path);
        totals->failed++;
        return;
    }
    if (script.case_count > 0) {
        *(run_script(path, &script) ? &totals->passed : &totals->failed) += 1;
    }
    script_release(&script);
}

static void run_path(const char *path, bool is_named, struct totals *totals);

static void run_folder(const char *path, struct totals *totals)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            size_t size = strlen(path) + strlen(names[i]->d_name) + 2;
            char *inner = malloc(size);
            snprintf(inner, size, "%s/%s", path, names[i]->d_name);
            run_path(inner, false, totals);
            free(inner);
        }
        free(names[i]);
    }
    free(names);
}

/* In folders only .txt files are scripts. */
static void run_path(const char *path, bool is_named, struct totals *totals)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        fprintf(stderr, "raft_conformance: %s: not there\n", path);
        return;
    }
    size_t length = strlen(path);
    if (S_ISDIR(about.st_mode)) {
        run_folder(path, totals);
    } else if (is_named || (length > 4 && strcmp(path + length - 4, ".txt") == 0)) {
        run_file(path, totals);
    }
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    for (int i = 1; i < argc; i++) {
        run_path(argv[i], true, &totals);
    }
    if (totals.passed + totals.failed == 0) {
        fprintf(stderr, "raft_conformance: NO SCRIPTS FOUND, nothing was tested\n"
                        "usage: raft_conformance FILE-OR-FOLDER…\n");
        printf("0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    return totals.failed > 0;
}
