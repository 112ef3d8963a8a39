/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    (void)context;
    (void)size_old;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    return campaign_resize(block, size_new);
}

const struct base_allocator campaign_memory = {.resize = resize};

void *campaign_alloc(size_t size)
{
    void *block = calloc(1, size == 0 ? 1 : size);
    if (!block) {
        abort();
    }
    return block;
}

void *campaign_resize(void *block, size_t size)
{
    void *moved = realloc(block, size == 0 ? 1 : size);
    if (!moved) {
        abort();
    }
    return moved;
}

char *campaign_text_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = campaign_alloc(size);
    memcpy(copy, text, size);
    return copy;
}

void *campaign_grow(void *array, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0;
    return is_full ? campaign_resize(array, (count == 0 ? 1 : count * 2) * size) : array;
}

uint64_t campaign_memory_resident(void)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) {
        (void)close(file);
    }
    if (size <= 0) {
        return 0;
    }
    text[size] = '\0';
    const char *resident = strchr(text, ' ');
    return resident ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
