/* The scenario files that a list of paths stands for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_FILES_H
#define SIM_CAMPAIGN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owns its paths. */
struct campaign_files {
    char **paths;
    bool *is_named; /* Given as such, not found in a folder. */
    size_t count;
};

/* A file stands for itself, a folder for all *.lua below it in order of their
 * bytes. A path given twice counts once. Answers NULL, or the path that is neither. */
const char *campaign_files_init(struct campaign_files *files, const char *const *paths, uint32_t path_count);
void campaign_files_release(struct campaign_files *files);

#endif
