/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk_rig.h"

#include <criterion/criterion.h>

/* A slow, obvious twin: of each file what a process reads, what is durable, and
 * which sectors are neither for sure. */
enum { FILES = 3, SIZE = 6000, SECTOR = 512, SECTORS = SIZE / SECTOR + 1 };

static const char *const names[FILES] = {"a", "b", "c"};

struct twin_file {
    disk_file number;
    uint64_t size;
    uint8_t bytes[SIZE];
    uint8_t is_dirty[SECTORS];
    bool has_new_size; /* Since the last sync. */
    uint64_t synced_size;
};

struct twin {
    struct disk_rig rig;
    struct sim_random random;
    struct twin_file files[FILES];
};

static void dirty(struct twin_file *file, uint64_t from, uint64_t end)
{
    for (uint64_t sector = from / SECTOR; from < end && sector <= (end - 1) / SECTOR; sector++) {
        file->is_dirty[sector] = 1;
    }
}

static void twin_write(struct twin *twin, struct twin_file *file)
{
    uint8_t bytes[1500];
    uint64_t offset = sim_random_below(&twin->random, file->size + 300);
    uint64_t size = sim_random_below(&twin->random, sizeof bytes);
    uint64_t fill = sim_random_below(&twin->random, 256);
    if (offset + size > SIZE) {
        return;
    }
    memset(bytes, (int)fill, sizeof bytes);
    disk_rig_write(&twin->rig, file->number, offset, bytes, size, 1);
    if (offset + size > file->size) {
        if (offset > file->size) {
            memset(file->bytes + file->size, 0, offset - file->size);
        }
        dirty(file, file->size, offset + size);
        file->size = offset + size;
        file->has_new_size = true;
    }
    memcpy(file->bytes + offset, bytes, size);
    dirty(file, offset, offset + size);
}

static void twin_truncate(struct twin *twin, struct twin_file *file)
{
    uint64_t size = sim_random_below(&twin->random, file->size + 1);
    sim_disk_truncate(twin->rig.disk, 1, file->number, size);
    disk_rig_run(&twin->rig);
    dirty(file, size, file->size);
    file->size = size;
    file->has_new_size = true;
}

static void twin_sync(struct twin *twin, struct twin_file *file)
{
    disk_rig_sync(&twin->rig, file->number);
    memset(file->is_dirty, 0, sizeof file->is_dirty);
    file->has_new_size = false;
}

/* What no unsynced change has touched is as it was; the rest is taken over. */
static void twin_power_loss(struct twin *twin)
{
    sim_disk_power_loss(twin->rig.disk, &twin->rig.power);
    for (uint32_t i = 0; i < FILES; i++) {
        struct twin_file *file = &twin->files[i];
        uint8_t bytes[SIZE];
        uint64_t size = disk_rig_content(&twin->rig, names[i], bytes, sizeof bytes);
        cr_assert_leq(size, SIZE);
        cr_assert(file->has_new_size || size == file->size);
        for (uint64_t at = 0; at < size && at < file->size; at++) {
            cr_assert(file->is_dirty[at / SECTOR] || bytes[at] == file->bytes[at]);
        }
        memcpy(file->bytes, bytes, size);
        file->size = size;
        memset(file->is_dirty, 0, sizeof file->is_dirty);
        file->has_new_size = false;
        file->number = disk_rig_open(&twin->rig, names[i]);
    }
}

static void compare(struct twin *twin)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < FILES; i++) {
        uint8_t bytes[SIZE];
        uint64_t size = disk_rig_content(&twin->rig, names[i], bytes, sizeof bytes);
        cr_assert_eq(size, twin->files[i].size);
        cr_assert_eq(memcmp(bytes, twin->files[i].bytes, size), 0);
        used += size;
    }
    cr_assert_eq(sim_disk_used_bytes(twin->rig.disk), used);
}

static void step(struct twin *twin)
{
    struct twin_file *file = &twin->files[sim_random_below(&twin->random, FILES)];
    uint64_t what = sim_random_below(&twin->random, 20);
    if (what < 12) {
        twin_write(twin, file);
    } else if (what < 14) {
        twin_truncate(twin, file);
    } else if (what < 18) {
        twin_sync(twin, file);
    } else if (what == 18) {
        sim_disk_crash(twin->rig.disk);
        for (uint32_t i = 0; i < FILES; i++) {
            twin->files[i].number = disk_rig_open(&twin->rig, names[i]);
        }
    } else {
        twin_power_loss(twin);
    }
    compare(twin);
}

Test(sim_disk_random, reads_like_its_twin_and_keeps_what_was_synced)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct twin twin = {0};
        disk_rig_init(&twin.rig, seed);
        sim_random_init(&twin.random, seed, 0, 0, SIM_FOR_WORLD);
        for (uint32_t i = 0; i < FILES; i++) {
            twin.files[i].number = disk_rig_create(&twin.rig, names[i]);
        }
        disk_rig_sync_directory(&twin.rig, "");
        for (uint32_t i = 0; i < 200; i++) {
            step(&twin);
        }
        disk_rig_release(&twin.rig);
    }
}

/* Everything that can be drawn, drawn twice: the same answers to the bit. */
static uint64_t chaos(uint64_t seed)
{
    struct disk_rig rig;
    disk_rig_init(&rig, seed);
    struct sim_random random;
    sim_random_init(&random, seed, 0, 0, SIM_FOR_WORLD);
    uint64_t sum = 0;
    for (uint32_t round = 0; round < 10; round++) {
        sim_disk_behave(rig.disk, &(struct sim_disk_behaviour){
                                      .sync = {.kind = SIM_DIST_UNIFORM, .a_ns = 10, .b = 1000},
                                      .write_error_ppm = 50000,
                                      .sync_error_ppm = 200000,
                                      .misdirect_ppm = 300000,
                                      .full_bytes = 20000,
                                      .is_lying = round == 5,
                                  });
        for (uint32_t i = 0; i < 40; i++) {
            const char *name = names[sim_random_below(&random, FILES)];
            disk_file file = disk_rig_open(&rig, name);
            file = file ? file : disk_rig_create(&rig, name);
            uint8_t bytes[700];
            memset(bytes, (int)i, sizeof bytes);
            sim_disk_append(rig.disk, i, file, (struct base_bytes){bytes, sizeof bytes}, NULL, 0);
            sim_disk_sync(rig.disk, i, file);
            sum = sum * 31 + (uint64_t)disk_rig_run(&rig);
            if (sim_random_below(&random, 10) == 0) {
                sim_disk_rename(rig.disk, i, name, names[0]);
                sim_disk_remove(rig.disk, i, names[1]);
                sim_disk_sync_directory(rig.disk, i, "");
                sum = sum * 31 + (uint64_t)disk_rig_run(&rig);
            }
        }
        sum = sum * 31 + sim_disk_rot(rig.disk, &rig.power, 2);
        sim_disk_power_loss(rig.disk, &rig.power);
        for (uint32_t i = 0; i < FILES; i++) {
            static uint8_t content[40000];
            uint64_t size = disk_rig_content(&rig, names[i], content, sizeof content);
            for (uint64_t at = 0; size != UINT64_MAX && at < size; at++) {
                sum = sum * 31 + content[at];
            }
        }
    }
    disk_rig_release(&rig);
    return sum;
}

Test(sim_disk_random, the_same_seed_gives_the_same_disk)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t first = chaos(seed);
        cr_assert_eq(first, chaos(seed));
        cr_assert_neq(first, chaos(seed + 1000));
    }
}
