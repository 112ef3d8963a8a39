/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk_state.h"

#include <assert.h>
#include <stdlib.h>

static void copy_name(char to[DISK_NAME_MAX], const char *from)
{
    size_t length = strlen(from);
    assert(length > 0);
    assert(length < DISK_NAME_MAX);
    memset(to, 0, DISK_NAME_MAX);
    memcpy(to, from, length);
}

/* --- the table of names --- */

/* The first slot whose name is not before `name`. */
static uint32_t slot_of(const struct sim_disk *disk, const char *name)
{
    uint32_t low = 0;
    uint32_t high = disk->name_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(disk->names[middle].text, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct sim_disk *disk, uint32_t slot, const char *name)
{
    return slot < disk->name_count && strcmp(disk->names[slot].text, name) == 0;
}

uint32_t sim_disk_name_find(const struct sim_disk *disk, const char *name)
{
    uint32_t slot = slot_of(disk, name);
    return is_at(disk, slot, name) ? disk->names[slot].inode : DISK_NO_SLOT;
}

/* Let `name` be `inode`, or nothing when that is DISK_NO_SLOT; answers what it was,
 * whose reference becomes the caller's. */
static uint32_t exchange(struct sim_disk *disk, const char *name, uint32_t inode)
{
    uint32_t slot = slot_of(disk, name);
    if (is_at(disk, slot, name)) {
        uint32_t before = disk->names[slot].inode;
        disk->names[slot].inode = inode;
        if (inode == DISK_NO_SLOT) {
            disk->name_count--;
            memmove(disk->names + slot, disk->names + slot + 1,
                    (disk->name_count - slot) * sizeof disk->names[0]);
        }
        return before;
    }
    if (inode != DISK_NO_SLOT) {
        disk->names =
            sim_disk_grow(disk->names, &disk->name_capacity, disk->name_count + 1, sizeof disk->names[0]);
        memmove(disk->names + slot + 1, disk->names + slot,
                (disk->name_count - slot) * sizeof disk->names[0]);
        disk->name_count++;
        copy_name(disk->names[slot].text, name);
        disk->names[slot].inode = inode;
    }
    return DISK_NO_SLOT;
}

static void drop(struct sim_disk *disk, uint32_t inode)
{
    if (inode != DISK_NO_SLOT) {
        sim_disk_inode_drop(disk, inode);
    }
}

static void keep(struct sim_disk *disk, uint32_t inode)
{
    if (inode != DISK_NO_SLOT) {
        sim_disk_inode_keep(disk, inode);
    }
}

/* Set a name and see to the references on either side. */
static void assign(struct sim_disk *disk, const char *name, uint32_t inode)
{
    keep(disk, inode);
    drop(disk, exchange(disk, name, inode));
}

/* --- directories --- */

uint32_t sim_disk_directory_find(const struct sim_disk *disk, const char *directory)
{
    for (uint32_t slot = 0; slot < disk->directory_count; slot++) {
        if (strcmp(disk->directories[slot].text, directory) == 0) {
            return slot;
        }
    }
    return DISK_NO_SLOT;
}

static void add_directory(struct sim_disk *disk, const char *text, bool is_durable)
{
    uint32_t slot = sim_disk_directory_find(disk, text);
    if (slot == DISK_NO_SLOT) {
        slot = disk->directory_count;
        disk->directories = sim_disk_grow(disk->directories, &disk->directory_capacity, slot + 1,
                                          sizeof disk->directories[0]);
        disk->directory_count++;
        disk->directories[slot] = (struct disk_directory){0};
        memcpy(disk->directories[slot].text, text, strlen(text));
    }
    disk->directories[slot].is_durable = disk->directories[slot].is_durable || is_durable;
}

/* All directories above a name come into being; durable ones stay so. */
static void add_directories(struct sim_disk *disk, const char *name, bool is_durable)
{
    char text[DISK_NAME_MAX] = {0};
    copy_name(text, name);
    for (size_t i = strlen(text); i > 0; i--) {
        if (text[i] == '/') {
            text[i] = '\0';
            add_directory(disk, text, is_durable);
        }
    }
    add_directory(disk, "", is_durable);
}

/* Is the name directly in the directory? */
static bool is_in(const char *name, const char *directory)
{
    const char *slash = strrchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : 0;
    return strlen(directory) == length && memcmp(name, directory, length) == 0;
}

/* --- changes --- */

static struct disk_name_change *add_change(struct sim_disk *disk, enum disk_name_change_kind kind,
                                           const char *name, uint32_t inode)
{
    disk->name_changes = sim_disk_grow(disk->name_changes, &disk->name_change_capacity,
                                       disk->name_change_count + 1, sizeof disk->name_changes[0]);
    struct disk_name_change *change = &disk->name_changes[disk->name_change_count++];
    *change = (struct disk_name_change){.kind = kind,
                                        .number = disk->name_change_next++,
                                        .inode = inode,
                                        .replaced = DISK_NO_SLOT};
    copy_name(change->name, name);
    keep(disk, inode);
    return change;
}

void sim_disk_name_create(struct sim_disk *disk, const char *name, uint32_t inode)
{
    assert(sim_disk_name_find(disk, name) == DISK_NO_SLOT);
    add_change(disk, DISK_NAME_CREATE, name, inode);
    assign(disk, name, inode);
    add_directories(disk, name, false);
}

void sim_disk_name_rename(struct sim_disk *disk, const char *from, const char *to)
{
    uint32_t inode = sim_disk_name_find(disk, from);
    assert(inode != DISK_NO_SLOT);
    struct disk_name_change *change = add_change(disk, DISK_NAME_RENAME, from, inode);
    copy_name(change->to, to);
    change->replaced = sim_disk_name_find(disk, to);
    keep(disk, change->replaced);
    if (strcmp(from, to) != 0) {
        assign(disk, to, inode);
        assign(disk, from, DISK_NO_SLOT);
        add_directories(disk, to, false);
    }
}

void sim_disk_name_remove(struct sim_disk *disk, const char *name)
{
    uint32_t inode = sim_disk_name_find(disk, name);
    assert(inode != DISK_NO_SLOT);
    add_change(disk, DISK_NAME_REMOVE, name, inode);
    assign(disk, name, DISK_NO_SLOT);
}

void sim_disk_name_put(struct sim_disk *disk, const char *name, uint32_t inode)
{
    assign(disk, name, inode);
    add_directories(disk, name, true);
}

static void release_change(struct sim_disk *disk, const struct disk_name_change *change)
{
    drop(disk, change->inode);
    drop(disk, change->replaced);
}

/* A rename from one directory into another is durable when the latter is. */
void sim_disk_names_synced(struct sim_disk *disk, uint32_t directory, uint64_t upto)
{
    const char *text = disk->directories[directory].text;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->name_change_count; i++) {
        struct disk_name_change *change = &disk->name_changes[i];
        const char *name = change->kind == DISK_NAME_RENAME ? change->to : change->name;
        if (change->number < upto && is_in(name, text)) {
            add_directories(disk, name, true);
            text = disk->directories[directory].text;
            release_change(disk, change);
            continue;
        }
        disk->name_changes[kept++] = *change;
    }
    disk->name_change_count = kept;
}

/* --- loss --- */

static void undo(struct sim_disk *disk, const struct disk_name_change *change)
{
    switch (change->kind) {
    case DISK_NAME_CREATE:
        assign(disk, change->name, DISK_NO_SLOT);
        break;
    case DISK_NAME_RENAME:
        assign(disk, change->to, change->replaced);
        assign(disk, change->name, change->inode);
        break;
    case DISK_NAME_REMOVE:
        assign(disk, change->name, change->inode);
        break;
    }
}

/* Do it again if it still makes sense without what was lost before it. */
static void redo(struct sim_disk *disk, const struct disk_name_change *change)
{
    uint32_t now = sim_disk_name_find(disk, change->name);
    switch (change->kind) {
    case DISK_NAME_CREATE:
        if (now == DISK_NO_SLOT) {
            assign(disk, change->name, change->inode);
        }
        break;
    case DISK_NAME_RENAME:
        if (now == change->inode && strcmp(change->name, change->to) != 0) {
            assign(disk, change->to, change->inode);
            assign(disk, change->name, DISK_NO_SLOT);
        }
        break;
    case DISK_NAME_REMOVE:
        if (now == change->inode) {
            assign(disk, change->name, DISK_NO_SLOT);
        }
        break;
    }
}

static bool has_names_below(const struct sim_disk *disk, const char *directory)
{
    size_t length = strlen(directory);
    for (uint32_t i = 0; i < disk->name_count; i++) {
        const char *name = disk->names[i].text;
        if (length == 0 || (strncmp(name, directory, length) == 0 && name[length] == '/')) {
            return true;
        }
    }
    return false;
}

static void lose_directories(struct sim_disk *disk)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->directory_count; i++) {
        struct disk_directory directory = disk->directories[i];
        if (directory.is_durable || has_names_below(disk, directory.text)) {
            directory.is_durable = true;
            disk->directories[kept++] = directory;
        }
    }
    disk->directory_count = kept;
}

/* Half of the time what survives is a beginning, as on a file system that keeps a
 * journal of names; else any part. */
void sim_disk_names_lose(struct sim_disk *disk, struct sim_random *random)
{
    uint64_t is_journal = sim_random_below(random, 2);
    uint64_t journal_count = sim_random_below(random, (uint64_t)disk->name_change_count + 1);
    for (uint32_t i = disk->name_change_count; i-- > 0;) {
        undo(disk, &disk->name_changes[i]);
    }
    for (uint32_t i = 0; i < disk->name_change_count; i++) {
        uint64_t coin = sim_random_below(random, 2);
        if (is_journal == 1 ? i < journal_count : coin == 1) {
            redo(disk, &disk->name_changes[i]);
        }
    }
    for (uint32_t i = 0; i < disk->name_change_count; i++) {
        release_change(disk, &disk->name_changes[i]);
    }
    disk->name_change_count = 0;
    lose_directories(disk);
}

void sim_disk_names_clear(struct sim_disk *disk)
{
    for (uint32_t i = 0; i < disk->name_change_count; i++) {
        release_change(disk, &disk->name_changes[i]);
    }
    disk->name_change_count = 0;
    for (uint32_t i = 0; i < disk->name_count; i++) {
        sim_disk_inode_drop(disk, disk->names[i].inode);
    }
    disk->name_count = 0;
    disk->directory_count = 0;
}
