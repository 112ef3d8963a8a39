/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tests/conformance/script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Walks over a text line by line. */
struct lines {
    const char *at;
    size_t number; /* Of the next line, from 1. */
};

/* The next line without its newline, allocated; NULL at the end. */
static char *next_line(struct lines *lines)
{
    if (*lines->at == '\0') {
        return NULL;
    }
    size_t length = strcspn(lines->at, "\n");
    char *line = strndup(lines->at, length);
    lines->at += length + (lines->at[length] == '\n');
    lines->number++;
    return line;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0';
}

/* Append `line` and a newline to the string at `*text`. */
static void append_line(char **text, const char *line)
{
    size_t before = strlen(*text);
    size_t more = strlen(line);
    *text = realloc(*text, before + more + 2);
    memcpy(*text + before, line, more);
    memcpy(*text + before + more, "\n", 2);
}

static char *skip_spaces(char *at)
{
    return at + strspn(at, " \t");
}

/* The values after "key=": one word, or several in parentheses. Answers what follows. */
static char *parse_values(char *at, struct script_argument *argument)
{
    bool is_list = *at == '(';
    char *end = is_list ? strchr(at, ')') : at + strcspn(at, " \t");
    if (!end) {
        return NULL;
    }
    char *after = *end == '\0' ? end : end + 1;
    *end = '\0';
    at += is_list;
    while (argument->value_count < SCRIPT_VALUES_MAX) {
        at = is_list ? at + strspn(at, " ,") : at;
        if (is_list && *at == '\0') {
            break;
        }
        size_t length = is_list ? strcspn(at, " ,") : strlen(at);
        argument->values[argument->value_count++] = at;
        if (at[length] == '\0') {
            break;
        }
        at[length] = '\0';
        at += length + 1;
    }
    return after;
}

/* End the word at `at` after `length` bytes. Answers where to go on. */
static char *end_word(char *at, size_t length)
{
    char *end = at + length;
    char *after = *end == '\0' ? end : end + 1;
    *end = '\0';
    return after;
}

bool script_parse_line(char *line, struct script_case *out)
{
    char *at = skip_spaces(line);
    size_t length = strcspn(at, " \t");
    if (length == 0) {
        return false;
    }
    out->command = at;
    at = end_word(at, length);
    while (*(at = skip_spaces(at)) != '\0') {
        if (out->argument_count == SCRIPT_ARGUMENTS_MAX) {
            return false;
        }
        struct script_argument *argument = &out->arguments[out->argument_count++];
        *argument = (struct script_argument){.key = at};
        length = strcspn(at, "= \t");
        bool has_value = at[length] == '=';
        at = end_word(at, length);
        if (has_value && !(at = parse_values(at, argument))) {
            return false;
        }
    }
    return true;
}

/* The expected output: up to a blank line, or between doubled separators. */
static void read_expected(struct lines *lines, struct script_case *item)
{
    item->expected = strdup("");
    struct lines first = *lines;
    char *line = next_line(&first);
    bool is_doubled = line && strcmp(line, "----") == 0;
    free(line);
    if (is_doubled) {
        *lines = first;
    }
    item->output_line = lines->number;
    while ((line = next_line(lines))) {
        if (is_doubled && strcmp(line, "----") == 0) {
            struct lines ahead = *lines;
            char *second = next_line(&ahead);
            bool ends = second && strcmp(second, "----") == 0;
            free(second);
            if (ends) {
                *lines = ahead;
                free(line);
                break;
            }
        } else if (!is_doubled && is_blank(line)) {
            free(line);
            break;
        }
        append_line(&item->expected, line);
        free(line);
    }
}

/* A command may go on in the next line after a backslash. */
static char *join_continued(struct lines *lines, char *line)
{
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == '\\') {
        line[length - 1] = ' ';
        char *more = next_line(lines);
        if (!more) {
            break;
        }
        line = realloc(line, length + strlen(more) + 1);
        memcpy(line + length, more, strlen(more) + 1);
        free(more);
        length = strlen(line);
    }
    return line;
}

static bool read_case(struct lines *lines, char *line, const char *path, struct script_case *item)
{
    *item = (struct script_case){.line = lines->number - 1, .input = strdup("")};
    line = join_continued(lines, line);
    if (!script_parse_line(line, item)) {
        fprintf(stderr, "%s:%zu: found a malformed line, expected command arg key=value key=(value,value)\n",
                path, item->line);
        free(line);
        free(item->input);
        return false;
    }
    item->text = line;
    char *more;
    while ((more = next_line(lines)) && strcmp(more, "----") != 0) {
        append_line(&item->input, more);
        free(more);
    }
    free(more);
    read_expected(lines, item);
    return true;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return NULL;
    }
    size_t size = 0;
    size_t capacity = 65536;
    char *text = malloc(capacity + 1);
    for (size_t got; (got = fread(text + size, 1, capacity - size, file)) > 0;) {
        size += got;
        if (size == capacity) {
            capacity *= 2;
            text = realloc(text, capacity + 1);
        }
    }
    text[size] = '\0';
    fclose(file);
    return text;
}

bool script_read(const char *path, struct script *out)
{
    *out = (struct script){.text = read_file(path)};
    if (!out->text) {
        return false;
    }
    struct lines lines = {.at = out->text, .number = 1};
    char *line;
    while ((line = next_line(&lines))) {
        if (is_blank(line) || line[0] == '#') {
            free(line);
            continue;
        }
        out->cases = realloc(out->cases, (out->case_count + 1) * sizeof *out->cases);
        if (!read_case(&lines, line, path, &out->cases[out->case_count])) {
            script_release(out);
            return false;
        }
        out->case_count++;
    }
    return true;
}

void script_release(struct script *script)
{
    for (size_t i = 0; i < script->case_count; i++) {
        free(script->cases[i].text);
        free(script->cases[i].input);
        free(script->cases[i].expected);
    }
    free(script->cases);
    free(script->text);
    *script = (struct script){0};
}

const struct script_argument *script_argument(const struct script_case *item, const char *key)
{
    for (size_t i = 0; i < item->argument_count; i++) {
        if (strcmp(item->arguments[i].key, key) == 0) {
            return &item->arguments[i];
        }
    }
    return NULL;
}

const char *script_value(const struct script_case *item, const char *key)
{
    const struct script_argument *argument = script_argument(item, key);
    return argument && argument->value_count > 0 ? argument->values[0] : NULL;
}
