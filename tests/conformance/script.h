/* Data-driven test scripts: cases of a command, its input and the output that is
 * expected (the format of cockroachdb/datadriven). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFORMANCE_SCRIPT_H
#define TESTS_CONFORMANCE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

enum { SCRIPT_ARGUMENTS_MAX = 32, SCRIPT_VALUES_MAX = 32 };

/* key, key=value or key=(value,value). */
struct script_argument {
    char *key;
    size_t value_count;
    char *values[SCRIPT_VALUES_MAX];
};

struct script_case {
    size_t line;        /* Of the command, from 1. */
    size_t output_line; /* Of the first line of the expected output. */
    char *text;         /* Owned: the command line, cut up. */
    char *command;
    size_t argument_count;
    struct script_argument arguments[SCRIPT_ARGUMENTS_MAX];
    char *input;    /* Lines, each with its newline; "" for none. */
    char *expected; /* Likewise. */
};

struct script {
    char *text; /* Owned; keys and values point into copies of lines. */
    struct script_case *cases;
    size_t case_count;
};

/* false: the file cannot be read or is malformed, and stderr says why. */
bool script_read(const char *path, struct script *out);
void script_release(struct script *script);
/* Split a command line; false when it has none. `line` must outlive the case
 * and is changed. */
bool script_parse_line(char *line, struct script_case *out);
/* The argument named `key`, or NULL. */
const struct script_argument *script_argument(const struct script_case *item, const char *key);
const char *script_value(const struct script_case *item, const char *key);

#endif
