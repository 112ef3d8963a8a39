/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk_state.h"

#include <assert.h>
#include <stdlib.h>

struct image_file {
    char name[DISK_NAME_MAX];
    uint8_t *data;
    uint64_t size;
};

struct sim_disk_image {
    uint32_t file_count;
    struct image_file *files;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size + 1);
    if (!memory) {
        abort();
    }
    return memory;
}

struct sim_disk *sim_disk_new(const struct sim_disk_host *host, struct sim_random *random)
{
    assert(host->now);
    assert(host->arm);
    struct sim_disk *disk = allocate(sizeof *disk);
    disk->host = host;
    disk->random = random;
    sim_disk_reset(disk);
    return disk;
}

void sim_disk_free(struct sim_disk *disk)
{
    if (!disk) {
        return;
    }
    for (uint32_t i = 0; i < disk->inode_capacity; i++) {
        free(disk->inodes[i].data);
        free(disk->inodes[i].changes);
        free(disk->inodes[i].saved);
        free(disk->inodes[i].tags);
    }
    free(disk->inodes);
    free(disk->names);
    free(disk->name_changes);
    free(disk->directories);
    free(disk->operations);
    free(disk);
}

void sim_disk_reset(struct sim_disk *disk)
{
    sim_disk_crash(disk);
    sim_disk_wipe(disk);
    disk->behaviour = (struct sim_disk_behaviour){0};
    disk->inode_count = 0;
    disk->name_change_next = 0;
    disk->free_ns = 0;
    disk->stalled_ns = 0;
    disk->armed_ns = UINT64_MAX;
    disk->syncs = 0;
}

void sim_disk_crash(struct sim_disk *disk)
{
    for (; disk->operation_count > 0; disk->operation_count--) {
        const struct disk_operation *operation = &disk->operations[disk->operation_head];
        if (operation->inode != DISK_NO_SLOT) {
            sim_disk_inode_drop(disk, operation->inode);
        }
        disk->operation_head = (disk->operation_head + 1) & (disk->operation_capacity - 1);
    }
    disk->armed_ns = UINT64_MAX; /* An event under way may have been meant for the dead. */
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        struct disk_inode *inode = &disk->inodes[slot];
        while (inode->open_count > 0) {
            inode->open_count--;
            sim_disk_inode_drop(disk, slot);
        }
    }
}

/* No process runs: nothing is open and nothing under way. */
static void check_down(const struct sim_disk *disk)
{
    assert(disk->operation_count == 0);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        assert(disk->inodes[slot].open_count == 0);
    }
}

void sim_disk_power_loss(struct sim_disk *disk, struct sim_random *random)
{
    sim_disk_crash(disk);
    sim_disk_names_lose(disk, random);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        struct disk_inode *inode = &disk->inodes[slot];
        if (inode->reference_count > 0) {
            sim_disk_file_allocate(disk, inode, 0);
            sim_disk_file_lose(disk, slot, inode->change_first + inode->change_count, random);
        }
    }
}

void sim_disk_wipe(struct sim_disk *disk)
{
    check_down(disk);
    sim_disk_names_clear(disk);
    assert(disk->used_bytes == 0);
}

uint32_t sim_disk_rot(struct sim_disk *disk, struct sim_random *random, uint32_t bit_count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < disk->name_count; i++) {
        bytes += sim_disk_file_durable_bytes(&disk->inodes[disk->names[i].inode]);
    }
    uint32_t flipped = 0;
    for (; bytes > 0 && flipped < bit_count; flipped++) {
        uint64_t at = sim_random_below(random, bytes);
        uint64_t bit = sim_random_below(random, 8);
        uint32_t name = 0;
        struct disk_inode *inode = &disk->inodes[disk->names[0].inode];
        while (at >= sim_disk_file_durable_bytes(inode)) {
            at -= sim_disk_file_durable_bytes(inode);
            name++;
            inode = &disk->inodes[disk->names[name].inode];
        }
        inode->data[at] = (uint8_t)(inode->data[at] ^ 1u << bit);
    }
    return flipped;
}

struct sim_disk_image *sim_disk_image(const struct sim_disk *disk)
{
    struct sim_disk_image *image = allocate(sizeof *image);
    image->file_count = disk->name_count;
    image->files = allocate(disk->name_count * sizeof image->files[0]);
    for (uint32_t i = 0; i < disk->name_count; i++) {
        const struct disk_inode *inode = &disk->inodes[disk->names[i].inode];
        struct image_file *file = &image->files[i];
        memcpy(file->name, disk->names[i].text, DISK_NAME_MAX);
        file->size = inode->size;
        file->data = allocate(inode->size);
        if (inode->size > 0) {
            memcpy(file->data, inode->data, inode->size);
        }
    }
    return image;
}

void sim_disk_image_free(struct sim_disk_image *image)
{
    if (!image) {
        return;
    }
    for (uint32_t i = 0; i < image->file_count; i++) {
        free(image->files[i].data);
    }
    free(image->files);
    free(image);
}

void sim_disk_restore(struct sim_disk *disk, const struct sim_disk_image *image)
{
    sim_disk_wipe(disk);
    for (uint32_t i = 0; i < image->file_count; i++) {
        const struct image_file *file = &image->files[i];
        uint32_t slot = sim_disk_inode_new(disk);
        struct disk_inode *inode = &disk->inodes[slot];
        sim_disk_file_write(disk, inode, 0, (struct base_bytes){file->data, file->size}, 0);
        sim_disk_file_synced(disk, inode, inode->change_first + inode->change_count);
        sim_disk_name_put(disk, file->name, slot);
        sim_disk_inode_drop(disk, slot);
    }
}
