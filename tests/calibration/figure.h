/* A picture of two distributions over one another. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CALIBRATION_FIGURE_H
#define TESTS_CALIBRATION_FIGURE_H

#include "tests/calibration/samples.h"

/* Write an SVG file that shows which part of the samples is at most so long, measured
 * and simulated. false: the file cannot be written. */
bool figure_write(const char *path, const char *title, const struct samples *measured,
                  const struct samples *simulated);

#endif
