/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/calibration/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096, FIELDS_MAX = 64 };

/* Split a line in place; quotes hold commas together and go. Answers how many fields. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
    size_t count = 0;
    char *out = line;
    bool is_quoted = false;
    fields[count++] = out;
    for (const char *at = line; *at != '\0' && *at != '\n' && *at != '\r'; at++) {
        if (*at == '"') {
            is_quoted = !is_quoted;
        } else if (*at == ',' && !is_quoted && count < FIELDS_MAX) {
            *out++ = '\0';
            fields[count++] = out;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return count;
}

static size_t place_of(char *const fields[FIELDS_MAX], size_t count, const char *name)
{
    size_t place = 0;
    while (place < count && strcmp(fields[place], name) != 0) {
        place++;
    }
    return place;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void add(struct samples *samples, const char *field, double scale)
{
    char *end = NULL;
    double value = strcmp(field, "true") == 0 ? 1 : strcmp(field, "false") == 0 ? 0 : strtod(field, &end);
    if (end && (end == field || *end != '\0')) {
        return;
    }
    samples->values = realloc(samples->values, (samples->count + 1) * sizeof samples->values[0]);
    if (!samples->values) {
        abort();
    }
    samples->values[samples->count++] = value * scale;
}

bool samples_read(struct samples *samples, const char *path, const char *column, const char *where,
                  const char *prefix, double scale)
{
    char line[LINE_MAX_BYTES];
    char *fields[FIELDS_MAX];
    FILE *in = fopen(path, "r");
    *samples = (struct samples){0};
    if (!in || !fgets(line, sizeof line, in)) {
        if (in) {
            (void)fclose(in);
        }
        return false;
    }
    size_t count = split(line, fields);
    size_t value = place_of(fields, count, column);
    size_t key = where ? place_of(fields, count, where) : 0;
    bool is_there = value < count && key < count;
    while (is_there && fgets(line, sizeof line, in)) {
        size_t found = split(line, fields);
        if (found > value && found > key && (!where || strncmp(fields[key], prefix, strlen(prefix)) == 0)) {
            add(samples, fields[value], scale);
        }
    }
    (void)fclose(in);
    if (samples->count > 0) {
        qsort(samples->values, samples->count, sizeof samples->values[0], compare);
    }
    return is_there;
}

bool samples_share(double *share, const char *path, const char *column, const char *prefix)
{
    struct samples all;
    struct samples some;
    /* Every row has a number of its own in the column "trial". */
    bool is_there = samples_read(&all, path, "trial", NULL, NULL, 1);
    is_there = samples_read(&some, path, "trial", column, prefix, 1) && is_there && all.count > 0;
    *share = is_there ? (double)some.count / (double)all.count : 0;
    samples_release(&all);
    samples_release(&some);
    return is_there;
}

void samples_release(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){0};
}

double samples_quantile(const struct samples *samples, double part)
{
    size_t place = (size_t)ceil(part * (double)samples->count);
    return samples->values[place == 0 ? 0 : place - 1];
}

double samples_distance(const struct samples *a, const struct samples *b)
{
    double most = 0;
    size_t i = 0;
    size_t j = 0;
    while (i < a->count && j < b->count) {
        double at = a->values[i] < b->values[j] ? a->values[i] : b->values[j];
        while (i < a->count && a->values[i] <= at) {
            i++;
        }
        while (j < b->count && b->values[j] <= at) {
            j++;
        }
        double apart = fabs((double)i / (double)a->count - (double)j / (double)b->count);
        most = apart > most ? apart : most;
    }
    return most;
}

double samples_distance_critical(size_t a_count, size_t b_count)
{
    double a = (double)a_count;
    double b = (double)b_count;
    return 1.628 * sqrt((a + b) / (a * b));
}
