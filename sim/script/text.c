/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours from `a` to `b`. */
static size_t edits_between(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_size = least(strlen(a), WORD_MAX);
    size_t b_size = least(strlen(b), WORD_MAX);
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        const size_t *before = rows[(i - 1) % 3];
        const size_t *two_before = rows[(i + 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], two_before[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

const char *script_text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t nearest_edits = strlen(word) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t edits = edits_between(word, names[i]);
        if (edits < nearest_edits) {
            nearest_edits = edits;
            nearest = names[i];
        }
    }
    return nearest;
}

void script_text_number(double number, char out[32])
{
    int size = snprintf(out, 32, "%.12g", number);
    assert(size > 0 && size < 32);
}

double script_round(double number)
{
    char text[32];
    script_text_number(number, text);
    return strtod(text, NULL);
}

void script_text_duration(uint64_t duration_ns, char out[32])
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{UINT64_C(3600000000000), "hour"},
                 {UINT64_C(60000000000), "min"},
                 {UINT64_C(1000000000), "s"},
                 {UINT64_C(1000000), "ms"},
                 {UINT64_C(1000), "us"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        bool is_whole_only = i < 2; /* "90s", not "1.5min" */
        if (duration_ns >= units[i].ns && (!is_whole_only || duration_ns % units[i].ns == 0)) {
            char number[32];
            script_text_number((double)duration_ns / (double)units[i].ns, number);
            int size = snprintf(out, 32, "%.24s%s", number, units[i].name);
            assert(size > 0 && size < 32);
            return;
        }
    }
    int size = snprintf(out, 32, "%uns", (unsigned)duration_ns);
    assert(size > 0 && size < 32);
}
