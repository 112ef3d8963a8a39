/* A disk with a world around it that only keeps time and notes what it is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_DISK_RIG_H
#define TESTS_SIM_DISK_RIG_H

#include "sim/disk.h"

enum { RIG_NOTES_MAX = 4096 };

struct disk_rig {
    struct sim_disk_host host;
    struct sim_disk *disk;
    struct sim_random random;
    struct sim_random power;
    uint64_t now_ns;
    uint64_t armed_ns; /* UINT64_MAX for none. */
    uint32_t arm_count;
    uint32_t done_count;
    struct sim_disk_done done[RIG_NOTES_MAX]; /* The first ones. */
    uint32_t written_count;
    uint32_t durable_count;
    uint64_t durable[RIG_NOTES_MAX]; /* last_index of the first ones. */
    uint32_t lost_count;
    uint64_t token; /* Of the last operation. */
};

void disk_rig_init(struct disk_rig *rig, uint64_t seed);
void disk_rig_release(struct disk_rig *rig);
/* Let everything under way complete; answers the status of the last. */
enum disk_status disk_rig_run(struct disk_rig *rig);
/* Shorthands: one operation, carried to its end. */
disk_file disk_rig_create(struct disk_rig *rig, const char *name);
disk_file disk_rig_open(struct disk_rig *rig, const char *name);
enum disk_status disk_rig_write(struct disk_rig *rig, disk_file file, uint64_t offset, const void *bytes,
                                size_t size, uint64_t tag);
enum disk_status disk_rig_sync(struct disk_rig *rig, disk_file file);
enum disk_status disk_rig_sync_directory(struct disk_rig *rig, const char *directory);
/* All of a file into `bytes`; answers its size, or UINT64_MAX when it is not there.
 * Opens and closes it. */
uint64_t disk_rig_content(struct disk_rig *rig, const char *name, uint8_t *bytes, size_t size);

#endif
