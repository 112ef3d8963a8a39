/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/nearest.h"

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

const char *sim_nearest(const char *word, const char *const *names, size_t count)
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
