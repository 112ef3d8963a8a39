/* Scenarios in, what they say out, as text: each case of a golden file is a script,
 * a line of dashes, and what came of it. REWRITE=1 writes the files anew. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SCRIPT_GOLDEN_H
#define TESTS_SCRIPT_GOLDEN_H

/* Run every case of the file and compare; fails the test with the first that differs. */
void golden_check(const char *name);

#endif
