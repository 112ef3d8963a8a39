/* `faultline check FILE --model kv|cas-register|etcd [--json]`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_FILE_H
#define SIM_CHECK_FILE_H

#include <stdbool.h>

/* Judge a recorded client history and print the verdict. 0 linearizable; 1 not,
 * with the smallest window that shows it; 2 a model that is not known, or a file
 * that cannot be read, with its line; 3 not judged within bounds. */
int check_file(const char *path, const char *model, bool json);

#endif
