/* A column of a CSV file as numbers, in seconds: what was measured on a real etcd. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CALIBRATION_SAMPLES_H
#define TESTS_CALIBRATION_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

struct samples {
    double *values; /* Ascending. */
    size_t count;
};

/* Read the column `column` of those rows whose column `where` begins with `prefix`
 * (NULL: of all rows), times `scale`. A field that is no number is left out. false: the
 * file or one of the columns is not there. */
bool samples_read(struct samples *samples, const char *path, const char *column, const char *where,
                  const char *prefix, double scale);
/* The fraction of rows whose column begins with `prefix`; false as above, or no rows. */
bool samples_share(double *share, const char *path, const char *column, const char *prefix);
void samples_release(struct samples *samples);
/* The smallest value that a fraction `part` of all are not above; count > 0. */
double samples_quantile(const struct samples *samples, double part);

/* The largest distance of two distributions, and how far apart at most those of one
 * source are in 99 of 100 cases (Kolmogorov and Smirnov, two samples). */
double samples_distance(const struct samples *a, const struct samples *b);
double samples_distance_critical(size_t a_count, size_t b_count);

#endif
