/* Words and numbers as a scenario's reader sees them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_TEXT_H
#define SIM_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number's 12 significant digits, the same in every locale: "3", "0.25", "1e+30".
 * `out` has 32 bytes. */
void script_text_number(double number, char out[32]);
/* A number rounded to 12 significant digits. */
double script_round(double number);
/* A duration in the largest unit that leaves few digits: "150ms", "2.5s". */
void script_text_duration(uint64_t duration_ns, char out[32]);

#endif
