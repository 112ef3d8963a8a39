/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/files.h"

#include "sim/campaign/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_path(const struct campaign_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->paths[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct campaign_files *files, const char *path, bool is_named)
{
    if (has_path(files, path)) {
        return;
    }
    files->paths = campaign_grow(files->paths, files->count, sizeof files->paths[0]);
    files->is_named = campaign_grow(files->is_named, files->count, sizeof files->is_named[0]);
    files->paths[files->count] = campaign_text_copy(path);
    files->is_named[files->count] = is_named;
    files->count++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder but those with a leading dot, sorted by bytes. */
static char **names_in(const char *folder, size_t *count)
{
    char **names = NULL;
    *count = 0;
    DIR *handle = opendir(folder);
    struct dirent *entry;
    while (handle && (entry = readdir(handle)) != NULL) {
        if (entry->d_name[0] != '.') {
            names = campaign_grow(names, *count, sizeof names[0]);
            names[(*count)++] = campaign_text_copy(entry->d_name);
        }
    }
    if (handle) {
        (void)closedir(handle);
    }
    if (*count > 0) {
        qsort(names, *count, sizeof names[0], compare_names); /* Names in one folder differ. */
    }
    return names;
}

static bool is_script(const char *name)
{
    size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".lua") == 0;
}

static void add_folder(struct campaign_files *files, const char *folder)
{
    size_t count = 0;
    char **names = names_in(folder, &count);
    size_t folder_size = strlen(folder);
    while (folder_size > 1 && folder[folder_size - 1] == '/') {
        folder_size--;
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = folder_size + strlen(names[i]) + 2;
        char *path = campaign_alloc(size);
        (void)snprintf(path, size, "%.*s/%s", (int)folder_size, folder, names[i]);
        struct stat facts;
        if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
            add_folder(files, path);
        } else if (is_script(names[i])) {
            add(files, path, false);
        }
        free(path);
        free(names[i]);
    }
    free(names);
}

const char *campaign_files_init(struct campaign_files *files, const char *const *paths, uint32_t path_count)
{
    *files = (struct campaign_files){0};
    for (uint32_t i = 0; i < path_count; i++) {
        struct stat facts;
        if (stat(paths[i], &facts) != 0) {
            campaign_files_release(files);
            return paths[i];
        }
        if (S_ISDIR(facts.st_mode)) {
            add_folder(files, paths[i]);
        } else {
            add(files, paths[i], true);
        }
    }
    return NULL;
}

void campaign_files_release(struct campaign_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
    free(files->is_named);
    *files = (struct campaign_files){0};
}
