/* The language as the Lua language server reads it: classes and functions with what
 * they do, from the same table as the bindings and `faultline help api`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/define.h"

#include "sim/script/script.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

/* "the cluster c" → "cluster": the last word but for single letters. */
static void class_of(const char *of, char out[NAME_MAX_BYTES])
{
    const char *word = strchr(of, ' ');
    size_t size = word ? strcspn(word + 1, " ") : 0;
    (void)snprintf(out, NAME_MAX_BYTES, "faultline.%.*s", (int)size, word ? word + 1 : "");
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *field_type(const char *name)
{
    static const char *const texts[] = {"name", "member_id",  "cluster_id", "role",
                                        "exit", "store_hash", NULL};
    static const char *const flags[] = {"alive", "paused", "done", NULL};
    static const char *const times[] = {"now", "wall", NULL};
    static const char *const members[] = {"leader", "vote", NULL};
    static const char *const anything[] = {"value", "err", NULL};
    return is_one_of(name, texts)      ? "string?"
           : is_one_of(name, flags)    ? "boolean"
           : is_one_of(name, times)    ? "number"
           : is_one_of(name, members)  ? "faultline.member?"
           : is_one_of(name, anything) ? "any"
                                       : "integer";
}

/* What a call answers, where an editor can go on from it. */
static const char *return_type(const char *name)
{
    static const struct {
        const char *name;
        const char *type;
    } known[] = {
        {"members", "faultline.member[]"},
        {"followers", "faultline.member[]"},
        {"minority", "faultline.member[]"},
        {"majority", "faultline.member[]"},
        {"leader", "faultline.member?"},
        {"await_leader", "faultline.member"},
        {"add_member", "faultline.member|false, table?"},
        {"client", "faultline.client"},
        {"load", "faultline.load"},
        {"grant", "faultline.lease|false, table?"},
        {"watch", "faultline.watch"},
        {"async", "faultline.handle"},
        {"now", "number"},
        {"record", NULL},
        {"sleep", NULL},
        {"note", NULL},
        {"expect", NULL},
        {"scenario", "fun(options: faultline.scenario_options)"},
        {"experiment", "fun(options: table)"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].type;
        }
    }
    return "any";
}

static bool is_keyword(const char *name)
{
    static const char *const keywords[] = {"end", "function", "repeat", "until", "in",
                                           "or",  "and",      "not",    NULL};
    return is_one_of(name, keywords);
}

/* One argument as it is written, as a name that Lua takes: "{a=, b=}" is options. */
static void print_argument(const char *at, size_t size, unsigned number, FILE *out)
{
    char name[NAME_MAX_BYTES];
    size_t used = 0;
    while (size > 0 && (*at == ' ' || *at == '[' || *at == '"')) {
        at++;
        size--;
    }
    if (size > 0 && *at == '{') {
        fprintf(out, "%soptions", number > 0 ? ", " : "");
        return;
    }
    if (size >= 3 && strncmp(at, "…", 3) == 0) {
        fprintf(out, "%s...", number > 0 ? ", " : "");
        return;
    }
    while (used < size && used + 1 < sizeof name && (isalnum((unsigned char)at[used]) || at[used] == '_')) {
        name[used] = at[used];
        used++;
    }
    name[used] = '\0';
    fprintf(out, "%s%s%s", number > 0 ? ", " : "", used > 0 ? name : "value", is_keyword(name) ? "_" : "");
}

/* The arguments between the first brackets of how a call is written. */
static void print_arguments(const char *written, FILE *out)
{
    const char *open = strpbrk(written, "({\"");
    if (!open || strstr(written, "), ")) { /* Written in more than one way. */
        fprintf(out, "(...)");
        return;
    }
    if (*open != '(') {
        fprintf(out, "(%s)", *open == '"' ? "name" : "options");
        return;
    }
    unsigned number = 0;
    int depth = 0;
    const char *start = open + 1;
    fprintf(out, "(");
    for (const char *at = start; *at; at++) {
        bool is_last = *at == ')' && depth == 0;
        if ((*at == ',' && depth == 0) || is_last) {
            if (at > start) {
                print_argument(start, (size_t)(at - start), number++, out);
            }
            start = at + 1;
        }
        depth += *at == '{' || *at == '(' ? 1 : 0;
        depth -= (*at == '}' || *at == ')') ? 1 : 0;
        if (is_last) {
            break;
        }
    }
    fprintf(out, ")");
}

static bool has_options(const char *of)
{
    uint32_t count = 0;
    const struct script_api_line *options = script_api_options(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(options[i].of, of) == 0) {
            return true;
        }
    }
    return false;
}

/* The class of the options that a call takes, where they are listed: its own, or those
 * of its name; a member's clock is not a scenario's. */
static void print_options_type(const struct script_api_line *line, const char *class, FILE *out)
{
    char of[2 * NAME_MAX_BYTES];
    const char *local = strchr(class, '.');
    bool is_machine = strcmp(class, "faultline.client") == 0; /* Its clock is as a member's. */
    snprintf(of, sizeof of, "%s_%s", local && !is_machine ? local + 1 : "member", line->name);
    const char *found = has_options(of) ? of : has_options(line->name) ? line->name : NULL;
    const char *open = strpbrk(line->written, "({\"");
    if (found && open && *open != '"' && strchr(open, '{')) {
        fprintf(out, "---@param options? faultline.%s_options\n", found);
    }
}

static void print_function(const struct script_api_line *line, const char *class, FILE *out)
{
    const char *type = return_type(line->name);
    fprintf(out, "\n---`%s`: %s\n", line->written, line->text);
    print_options_type(line, class, out);
    if (type) {
        fprintf(out, "---@return %s\n", type);
    }
    if (class[0] != '\0') {
        const char *local = strchr(class, '.') + 1;
        fprintf(out, "function %s:%s", local, line->name);
    } else {
        fprintf(out, "function %s", line->name);
    }
    print_arguments(line->written, out);
    fprintf(out, " end\n");
}

static bool is_field(const struct script_api_line *line)
{
    return strpbrk(line->written, "({") == NULL;
}

/* A class begins with its fields; its methods follow. */
static void print_class(const struct script_api_line *lines, uint32_t count, const char *of, FILE *out)
{
    char class[NAME_MAX_BYTES];
    class_of(of, class);
    fprintf(out, "\n---@class %s\n", class);
    if (strcmp(class, "faultline.cluster") == 0) {
        fprintf(out, "---@field [integer] faultline.member\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(lines[i].of, of) == 0 && is_field(&lines[i])) {
            fprintf(out, "---@field %s %s %s\n", lines[i].name, field_type(lines[i].name), lines[i].text);
        }
    }
    fprintf(out, "local %s = {}\n", strchr(class, '.') + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(lines[i].of, of) == 0 && !is_field(&lines[i])) {
            print_function(&lines[i], class, out);
        }
    }
}

static void print_globals(const struct script_api_line *lines, uint32_t count, FILE *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].of[0] != '\0') {
            continue;
        }
        if (is_field(&lines[i]) && strcmp(lines[i].name, "scenario") != 0) {
            fprintf(out, "\n---%s\n---@type number\n%s = 0\n", lines[i].text, lines[i].name);
        } else {
            print_function(&lines[i], "", out);
        }
    }
}

static const char *option_type(const char *written)
{
    const char *value = strstr(written, "= ");
    return !value                                                          ? "any"
           : value[2] == '{'                                               ? "table"
           : value[2] == '"'                                               ? "string"
           : strcmp(value, "= true") == 0 || strcmp(value, "= false") == 0 ? "boolean"
           : strncmp(value, "= function", 10) == 0 ? "fun(c: faultline.cluster, p: table?)"
                                                   : "any";
}

static void print_options(FILE *out)
{
    uint32_t count = 0;
    const struct script_api_line *options = script_api_options(&count);
    const char *of = "";
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(options[i].of, of) != 0) {
            of = options[i].of;
            fprintf(out, "\n---@class faultline.%s_options\n", of);
        }
        fprintf(out, "---@field %s? %s `%s`: %s\n", options[i].name, option_type(options[i].written),
                options[i].written, options[i].text);
    }
}

void script_define(FILE *out)
{
    uint32_t count = 0;
    const struct script_api_line *lines = script_api(&count);
    fprintf(out, "---@meta\n-- Written by `faultline help lua`; for the Lua language server.\n"
                 "-- luacheck: ignore\n");
    print_options(out);
    const char *of = "";
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(lines[i].of, of) != 0) {
            of = lines[i].of;
            print_class(lines, count, of, out);
        }
    }
    print_globals(lines, count, out);
}
