/* What of a text is UTF-8: foreign bytes must not get into a document. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_UTF8_H
#define SIM_CHECK_UTF8_H

#include <stddef.h>

#define CHECK_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what is none. */

/* How many bytes the sequence at `at` has, of `left` at most; 0 when it is none. */
size_t check_utf8_size(const unsigned char *at, size_t left);

#endif
