/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk_rig.h"

#include <assert.h>

static uint64_t now(void *context)
{
    return ((struct disk_rig *)context)->now_ns;
}

static void arm(void *context, uint64_t time_ns)
{
    struct disk_rig *rig = context;
    assert(time_ns >= rig->now_ns);
    rig->arm_count++;
    rig->armed_ns = time_ns < rig->armed_ns ? time_ns : rig->armed_ns;
}

static void written(void *context, const struct disk_tag *tag)
{
    (void)tag;
    ((struct disk_rig *)context)->written_count++;
}

static void durable(void *context, const struct disk_tag *tag)
{
    struct disk_rig *rig = context;
    if (rig->durable_count < RIG_NOTES_MAX) {
        rig->durable[rig->durable_count] = tag->last_index;
    }
    rig->durable_count++;
}

static void lost(void *context, disk_file file, uint64_t offset, uint64_t size_bytes)
{
    (void)file;
    (void)offset;
    (void)size_bytes;
    ((struct disk_rig *)context)->lost_count++;
}

void disk_rig_init(struct disk_rig *rig, uint64_t seed)
{
    *rig = (struct disk_rig){.armed_ns = UINT64_MAX};
    rig->host = (struct sim_disk_host){.context = rig,
                                       .now = now,
                                       .arm = arm,
                                       .written = written,
                                       .durable = durable,
                                       .survived = durable,
                                       .lost = lost};
    sim_random_init(&rig->random, seed, 1, 0, SIM_FOR_DISK);
    sim_random_init(&rig->power, seed, 1, 0, SIM_FOR_POWER);
    rig->disk = sim_disk_new(&rig->host, &rig->random);
}

void disk_rig_release(struct disk_rig *rig)
{
    sim_disk_free(rig->disk);
}

enum disk_status disk_rig_run(struct disk_rig *rig)
{
    enum disk_status status = DISK_OK;
    sim_disk_settle(rig->disk);
    while (rig->armed_ns != UINT64_MAX) {
        rig->now_ns = rig->armed_ns;
        rig->armed_ns = UINT64_MAX;
        struct sim_disk_done done;
        while (sim_disk_take(rig->disk, &done)) {
            if (rig->done_count < RIG_NOTES_MAX) {
                rig->done[rig->done_count] = done;
            }
            rig->done_count++;
            status = done.status;
        }
        sim_disk_settle(rig->disk);
    }
    assert(!sim_disk_is_busy(rig->disk));
    return status;
}

disk_file disk_rig_create(struct disk_rig *rig, const char *name)
{
    disk_file file = sim_disk_reserve(rig->disk);
    sim_disk_create(rig->disk, ++rig->token, file, name);
    disk_rig_run(rig);
    return file;
}

disk_file disk_rig_open(struct disk_rig *rig, const char *name)
{
    disk_file file = 0;
    uint64_t size = 0;
    return sim_disk_open(rig->disk, name, &file, &size) == DISK_OK ? file : 0;
}

enum disk_status disk_rig_write(struct disk_rig *rig, disk_file file, uint64_t offset, const void *bytes,
                                size_t size, uint64_t tag)
{
    struct disk_tag told = {.record = DISK_ENTRY, .last_index = tag};
    sim_disk_write(rig->disk, ++rig->token, file, offset, (struct base_bytes){bytes, size}, &told, tag > 0);
    return disk_rig_run(rig);
}

enum disk_status disk_rig_sync(struct disk_rig *rig, disk_file file)
{
    sim_disk_sync(rig->disk, ++rig->token, file);
    return disk_rig_run(rig);
}

enum disk_status disk_rig_sync_directory(struct disk_rig *rig, const char *directory)
{
    sim_disk_sync_directory(rig->disk, ++rig->token, directory);
    return disk_rig_run(rig);
}

uint64_t disk_rig_content(struct disk_rig *rig, const char *name, uint8_t *bytes, size_t size)
{
    disk_file file = 0;
    uint64_t file_size = 0;
    if (sim_disk_open(rig->disk, name, &file, &file_size) != DISK_OK) {
        return UINT64_MAX;
    }
    assert(file_size <= size);
    size_t got = 0;
    enum disk_status status = sim_disk_read(rig->disk, file, 0, bytes, size, &got);
    assert(status == DISK_OK);
    assert(got == file_size);
    sim_disk_close(rig->disk, file);
    return file_size;
}
