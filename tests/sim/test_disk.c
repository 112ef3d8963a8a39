/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk_rig.h"

#include <criterion/criterion.h>

enum { SECTOR = 512, BIG = 64 * SECTOR };

static const struct sim_dist millisecond = {.kind = SIM_DIST_CONSTANT, .a_ns = 1000000};

static void behave(struct disk_rig *rig, const struct sim_disk_behaviour *behaviour)
{
    sim_disk_behave(rig->disk, behaviour);
}

/* A named file whose name and `size` bytes of `fill` are durable; open. */
static disk_file durable_file(struct disk_rig *rig, const char *name, size_t size, int fill)
{
    uint8_t bytes[BIG];
    memset(bytes, fill, sizeof bytes);
    disk_file file = disk_rig_create(rig, name);
    disk_rig_write(rig, file, 0, bytes, size, 0);
    disk_rig_sync(rig, file);
    disk_rig_sync_directory(rig, "");
    return file;
}

Test(sim_disk, an_append_and_its_sync_cost_one_event)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    rig.arm_count = 0;
    rig.done_count = 0;
    sim_disk_append(rig.disk, 7, file, base_bytes_of("x"), NULL, 0);
    sim_disk_sync(rig.disk, 8, file);
    disk_rig_run(&rig);
    cr_assert_eq(rig.arm_count, 1);
    cr_assert_eq(rig.done_count, 2);
    cr_assert_eq(rig.done[0].token, 7);
    cr_assert_eq(rig.done[1].token, 8);
    disk_rig_release(&rig);
}

Test(sim_disk, the_device_serves_one_operation_after_another)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    disk_file other = durable_file(&rig, "b", 0, 0);
    uint64_t start = rig.now_ns;
    sim_disk_sync(rig.disk, 1, file);
    sim_disk_sync(rig.disk, 2, other);
    disk_rig_run(&rig);
    cr_assert_eq(rig.now_ns - start, 2 * millisecond.a_ns);
    disk_rig_release(&rig);
}

Test(sim_disk, a_stall_delays_what_is_under_way_and_what_follows)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    uint64_t start = rig.now_ns;
    sim_disk_sync(rig.disk, 1, file);
    sim_disk_settle(rig.disk);
    sim_disk_stall(rig.disk, 50 * millisecond.a_ns);
    sim_disk_stall(rig.disk, 20 * millisecond.a_ns); /* Within the first. */
    disk_rig_run(&rig);
    cr_assert_eq(rig.now_ns - start, 51 * millisecond.a_ns);
    disk_rig_release(&rig);
}

Test(sim_disk, tags_are_durable_when_their_sync_completes_and_not_before)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    disk_rig_write(&rig, file, 0, "1", 1, 1);
    disk_rig_write(&rig, file, 1, "2", 1, 2);
    cr_assert_eq(rig.written_count, 2);
    sim_disk_sync(rig.disk, 1, file);
    struct disk_tag late = {.record = DISK_ENTRY, .last_index = 3};
    sim_disk_append(rig.disk, 2, file, base_bytes_of("3"), &late, 1);
    cr_assert_eq(rig.durable_count, 0);
    disk_rig_run(&rig);
    cr_assert_eq(rig.durable_count, 2);
    cr_assert_eq(rig.durable[0], 1);
    cr_assert_eq(rig.durable[1], 2);
    disk_rig_sync(&rig, file);
    cr_assert_eq(rig.durable_count, 3);
    cr_assert_eq(rig.durable[2], 3);
    disk_rig_release(&rig);
}

Test(sim_disk, a_crash_keeps_the_page_cache_and_drops_answers)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    uint32_t done_count = rig.done_count;
    sim_disk_append(rig.disk, 1, file, base_bytes_of("hello"), NULL, 0);
    sim_disk_sync(rig.disk, 2, file);
    sim_disk_settle(rig.disk);
    sim_disk_crash(rig.disk);
    disk_rig_run(&rig);
    cr_assert_eq(rig.done_count, done_count);
    uint8_t bytes[BIG];
    cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), 5);
    cr_assert_eq(memcmp(bytes, "hello", 5), 0);
    disk_rig_release(&rig);
}

Test(sim_disk, a_new_process_is_answered_though_the_old_one_s_event_never_came)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.sync = millisecond});
    disk_file file = durable_file(&rig, "a", 0, 0);
    sim_disk_sync(rig.disk, 1, file);
    sim_disk_settle(rig.disk);
    sim_disk_crash(rig.disk);
    rig.armed_ns = UINT64_MAX; /* The world dropped it with the process. */
    cr_assert_eq(disk_rig_sync(&rig, disk_rig_open(&rig, "a")), DISK_OK);
    cr_assert_eq(rig.done[rig.done_count - 1].token, rig.token);
    disk_rig_release(&rig);
}

Test(sim_disk, power_loss_spares_what_is_synced)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = durable_file(&rig, "a", 700, 'o');
        uint8_t more[3 * SECTOR];
        memset(more, 'n', sizeof more);
        disk_rig_write(&rig, file, 700, more, sizeof more, 0);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        uint64_t size = disk_rig_content(&rig, "a", bytes, sizeof bytes);
        cr_assert(size == 700 || size == 700 + sizeof more);
        for (size_t i = 0; i < 700; i++) {
            cr_assert_eq(bytes[i], 'o');
        }
        disk_rig_release(&rig);
    }
}

/* What became of two sectors overwritten without a sync: a bit for each outcome. */
static uint32_t outcome_of_overwrite(uint64_t seed)
{
    struct disk_rig rig;
    disk_rig_init(&rig, seed);
    disk_file file = durable_file(&rig, "a", 4 * SECTOR, 'o');
    uint8_t new[2 * SECTOR];
    memset(new, 'n', sizeof new);
    disk_rig_write(&rig, file, SECTOR, new, sizeof new, 0);
    sim_disk_power_loss(rig.disk, &rig.power);
    uint8_t bytes[BIG];
    cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), 4 * SECTOR);
    uint32_t outcome = 0;
    for (uint32_t sector = 0; sector < 4; sector++) {
        const uint8_t *at = bytes + sector * SECTOR;
        cr_assert(*at == 'o' || *at == 'n');
        cr_assert_eq(memcmp(at, at + 1, SECTOR - 1), 0); /* No sector is torn. */
        outcome |= (uint32_t)(*at == 'n') << sector;
    }
    disk_rig_release(&rig);
    cr_assert_eq(outcome & 9, 0);
    return outcome >> 1;
}

Test(sim_disk, power_loss_leaves_any_set_of_unsynced_sectors)
{
    uint32_t count[4] = {0};
    for (uint64_t seed = 1; seed <= 400; seed++) {
        count[outcome_of_overwrite(seed)]++;
    }
    for (uint32_t outcome = 0; outcome < 4; outcome++) {
        cr_assert_gt(count[outcome], 5);
    }
}

Test(sim_disk, power_loss_may_leave_zeros_where_an_append_was)
{
    uint32_t zeros = 0;
    uint32_t shorter = 0;
    uint32_t whole = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = durable_file(&rig, "a", SECTOR, 'o');
        uint8_t new[SECTOR];
        memset(new, 'n', sizeof new);
        disk_rig_write(&rig, file, SECTOR, new, sizeof new, 5);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        uint64_t size = disk_rig_content(&rig, "a", bytes, sizeof bytes);
        shorter += size == SECTOR;
        zeros += size == 2 * SECTOR && bytes[SECTOR] == 0;
        whole += size == 2 * SECTOR && bytes[SECTOR] == 'n';
        cr_assert_eq(rig.durable_count, size == 2 * SECTOR && bytes[SECTOR] == 'n');
        cr_assert_eq(rig.lost_count, rig.durable_count == 0);
        disk_rig_release(&rig);
    }
    cr_assert_eq(zeros + shorter + whole, 400);
    cr_assert(zeros > 20 && shorter > 20 && whole > 20);
}

Test(sim_disk, a_sector_shows_the_file_as_it_was_at_one_instant)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = durable_file(&rig, "a", SECTOR, 'o');
        disk_rig_write(&rig, file, 10, "n", 1, 0);
        disk_rig_write(&rig, file, 20, "n", 1, 0);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), SECTOR);
        cr_assert(bytes[20] == 'o' || bytes[10] == 'n');
        disk_rig_release(&rig);
    }
}

Test(sim_disk, names_need_a_sync_of_their_directory)
{
    uint32_t created = 0;
    uint32_t renamed = 0;
    uint32_t removed = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        durable_file(&rig, "old", 3, 'o');
        durable_file(&rig, "gone", 3, 'g');
        disk_file file = disk_rig_create(&rig, "new");
        disk_rig_write(&rig, file, 0, "n", 1, 0);
        disk_rig_sync(&rig, file);
        sim_disk_rename(rig.disk, 1, "old", "moved");
        sim_disk_remove(rig.disk, 2, "gone");
        disk_rig_run(&rig);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        uint64_t new_size = disk_rig_content(&rig, "new", bytes, sizeof bytes);
        cr_assert(new_size == UINT64_MAX || new_size == 1); /* Synced, if it is there at all. */
        created += new_size == 1;
        bool has_old = disk_rig_content(&rig, "old", bytes, sizeof bytes) == 3;
        bool has_moved = disk_rig_content(&rig, "moved", bytes, sizeof bytes) == 3;
        cr_assert_neq(has_old, has_moved);
        renamed += has_moved;
        removed += disk_rig_content(&rig, "gone", bytes, sizeof bytes) == UINT64_MAX;
        disk_rig_release(&rig);
    }
    cr_assert(created > 50 && created < 350);
    cr_assert(renamed > 50 && renamed < 350);
    cr_assert(removed > 50 && removed < 350);
}

Test(sim_disk, synced_names_survive)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_rig_create(&rig, "wal/a.tmp");
        durable_file(&rig, "wal/b", 3, 'b');
        sim_disk_rename(rig.disk, 1, "wal/a.tmp", "wal/a");
        sim_disk_remove(rig.disk, 2, "wal/b");
        cr_assert_eq(disk_rig_sync_directory(&rig, "wal"), DISK_OK);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        cr_assert_eq(disk_rig_content(&rig, "wal/a", bytes, sizeof bytes), 0);
        cr_assert_eq(disk_rig_content(&rig, "wal/a.tmp", bytes, sizeof bytes), UINT64_MAX);
        cr_assert_eq(disk_rig_content(&rig, "wal/b", bytes, sizeof bytes), UINT64_MAX);
        disk_rig_release(&rig);
    }
}

static void join(void *visitor, const char *name)
{
    strcat(visitor, name);
    strcat(visitor, " ");
}

Test(sim_disk, a_listing_is_bare_and_in_order)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    char text[100] = "";
    cr_assert_eq(sim_disk_list(rig.disk, "wal", join, text), DISK_NOT_FOUND);
    disk_rig_create(&rig, "wal/b");
    disk_rig_create(&rig, "wal/a");
    disk_rig_create(&rig, "wal/deep/c");
    disk_rig_create(&rig, "walk");
    cr_assert_eq(sim_disk_list(rig.disk, "wal", join, text), DISK_OK);
    cr_assert_str_eq(text, "a b ");
    text[0] = '\0';
    cr_assert_eq(sim_disk_list(rig.disk, "", join, text), DISK_OK);
    cr_assert_str_eq(text, "walk ");
    disk_rig_release(&rig);
}

Test(sim_disk, a_name_is_created_once)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_rig_create(&rig, "a");
    disk_file file = sim_disk_reserve(rig.disk);
    sim_disk_create(rig.disk, 9, file, "a");
    cr_assert_eq(disk_rig_run(&rig), DISK_EXISTS);
    cr_assert_eq(disk_rig_write(&rig, file, 0, "x", 1, 0), DISK_IO_ERROR);
    disk_rig_release(&rig);
}

Test(sim_disk, a_full_disk_takes_what_fits)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.full_bytes = 10});
    disk_file file = disk_rig_create(&rig, "a");
    cr_assert_eq(disk_rig_write(&rig, file, 0, "12345678", 8, 1), DISK_OK);
    cr_assert_eq(disk_rig_write(&rig, file, 8, "90ab", 4, 2), DISK_FULL);
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 10);
    cr_assert_eq(rig.written_count, 1);
    cr_assert_neq(disk_rig_write(&rig, file, 0, "x", 1, 3), DISK_OK); /* Until it is opened again. */
    file = disk_rig_open(&rig, "a");
    cr_assert_eq(disk_rig_write(&rig, file, 0, "x", 1, 4), DISK_OK);
    disk_rig_release(&rig);
}

static enum disk_status allocate(struct disk_rig *rig, disk_file file, uint64_t size)
{
    sim_disk_allocate(rig->disk, 1, file, size);
    return disk_rig_run(rig);
}

Test(sim_disk, allocated_room_is_there_on_a_full_disk)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    behave(&rig, &(struct sim_disk_behaviour){.full_bytes = 10});
    disk_file file = disk_rig_create(&rig, "a");
    disk_file other = disk_rig_create(&rig, "b");
    cr_assert_eq(allocate(&rig, file, 8), DISK_OK);
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 8);
    cr_assert_eq(allocate(&rig, other, 3), DISK_FULL);
    cr_assert_eq(disk_rig_write(&rig, other, 0, "12", 2, 1), DISK_OK);
    cr_assert_eq(disk_rig_write(&rig, file, 0, "12345678", 8, 2), DISK_OK);
    cr_assert_eq(disk_rig_write(&rig, file, 8, "9", 1, 3), DISK_FULL);
    disk_rig_release(&rig);
}

Test(sim_disk, a_power_loss_takes_room_that_was_not_written)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_file file = disk_rig_create(&rig, "a");
    cr_assert_eq(allocate(&rig, file, 100), DISK_OK);
    cr_assert_eq(disk_rig_write(&rig, file, 0, "1234", 4, 1), DISK_OK);
    disk_rig_sync(&rig, file);
    cr_assert_eq(allocate(&rig, file, 50), DISK_OK); /* Asked anew: less. */
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 50);
    sim_disk_crash(rig.disk);
    sim_disk_sync_directory(rig.disk, 2, "");
    disk_rig_run(&rig);
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 50);
    sim_disk_power_loss(rig.disk, &rig.power);
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 4);
    disk_rig_release(&rig);
}

Test(sim_disk, a_failed_write_leaves_a_prefix)
{
    uint32_t lengths[5] = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = disk_rig_create(&rig, "a");
        behave(&rig, &(struct sim_disk_behaviour){.write_error_ppm = 1000000});
        cr_assert_eq(disk_rig_write(&rig, file, 0, "1234", 4, 1), DISK_IO_ERROR);
        cr_assert_eq(rig.written_count, 0);
        uint8_t bytes[BIG];
        uint64_t size = disk_rig_content(&rig, "a", bytes, sizeof bytes);
        cr_assert_leq(size, 4);
        cr_assert_eq(memcmp(bytes, "1234", size), 0);
        lengths[size]++;
        disk_rig_release(&rig);
    }
    for (uint32_t i = 0; i < 5; i++) {
        cr_assert_gt(lengths[i], 10);
    }
}

Test(sim_disk, a_failed_sync_may_lose_what_it_was_for_and_nothing_else)
{
    uint32_t lost = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = durable_file(&rig, "a", SECTOR, 'o');
        disk_rig_write(&rig, file, 10, "n", 1, 1);
        behave(&rig, &(struct sim_disk_behaviour){.sync_error_ppm = 1000000});
        sim_disk_sync(rig.disk, 1, file);
        struct disk_tag tag = {.record = DISK_ENTRY, .last_index = 2};
        sim_disk_write(rig.disk, 2, file, 20, base_bytes_of("m"), &tag, 1);
        disk_rig_run(&rig);
        cr_assert_eq(rig.done[rig.done_count - 2].status, DISK_IO_ERROR);
        uint8_t bytes[BIG];
        cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), SECTOR);
        cr_assert_eq(bytes[20], 'm');
        cr_assert(bytes[10] == 'n' || bytes[10] == 'o');
        lost += bytes[10] == 'o';
        behave(&rig, &(struct sim_disk_behaviour){0});
        uint32_t before = rig.durable_count;
        disk_rig_sync(&rig, file);
        cr_assert_gt(rig.durable_count, before);
        cr_assert_eq(rig.durable[rig.durable_count - 1], 2);
        disk_rig_release(&rig);
    }
    cr_assert(lost > 50 && lost < 350);
}

Test(sim_disk, a_lying_sync_does_nothing)
{
    uint32_t lost = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        disk_file file = durable_file(&rig, "a", SECTOR, 'o');
        behave(&rig, &(struct sim_disk_behaviour){.is_lying = true});
        disk_rig_write(&rig, file, 10, "n", 1, 1);
        cr_assert_eq(disk_rig_sync(&rig, file), DISK_OK);
        cr_assert_eq(rig.durable_count, 0);
        sim_disk_power_loss(rig.disk, &rig.power);
        uint8_t bytes[BIG];
        disk_rig_content(&rig, "a", bytes, sizeof bytes);
        lost += bytes[10] == 'o';
        disk_rig_release(&rig);
    }
    cr_assert_gt(lost, 20);
}

Test(sim_disk, reads_fail_as_often_as_told)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_file file = durable_file(&rig, "a", SECTOR, 'o');
    behave(&rig, &(struct sim_disk_behaviour){.read_error_ppm = 500000});
    uint32_t failed = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t byte = 0;
        size_t got = 0;
        failed += sim_disk_read(rig.disk, file, 0, &byte, 1, &got) == DISK_IO_ERROR;
    }
    cr_assert(failed > 400 && failed < 600);
    disk_rig_release(&rig);
}

Test(sim_disk, rot_flips_so_many_bits_of_what_is_durable)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_file file = durable_file(&rig, "a", 10 * SECTOR, 0);
    uint8_t zeros[SECTOR] = {0};
    disk_rig_write(&rig, file, 10 * SECTOR, zeros, sizeof zeros, 0);
    cr_assert_eq(sim_disk_rot(rig.disk, &rig.random, 5), 5);
    uint8_t bytes[BIG];
    uint64_t size = disk_rig_content(&rig, "a", bytes, sizeof bytes);
    int flipped = 0;
    for (uint64_t i = 0; i < size; i++) {
        flipped += __builtin_popcount(bytes[i]);
        cr_assert(i < 10 * SECTOR || bytes[i] == 0);
    }
    cr_assert_eq(flipped, 5);
    disk_rig_release(&rig);
}

Test(sim_disk, a_misdirected_write_harms_one_other_sector)
{
    uint32_t harmed = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct disk_rig rig;
        disk_rig_init(&rig, seed);
        durable_file(&rig, "b", 8 * SECTOR, 'b');
        disk_file file = durable_file(&rig, "a", SECTOR, 'o');
        behave(&rig, &(struct sim_disk_behaviour){.misdirect_ppm = 1000000});
        uint8_t new[SECTOR];
        memset(new, 'n', sizeof new);
        disk_rig_write(&rig, file, 0, new, sizeof new, 0);
        cr_assert_eq(disk_rig_sync(&rig, file), DISK_OK);
        uint8_t bytes[BIG];
        disk_rig_content(&rig, "b", bytes, sizeof bytes);
        uint32_t sectors = 0;
        for (uint32_t i = 0; i < 8; i++) {
            sectors += bytes[i * SECTOR] == 'n';
        }
        cr_assert_leq(sectors, 1);
        harmed += sectors;
        disk_rig_content(&rig, "a", bytes, sizeof bytes);
        cr_assert_eq(bytes[0], sectors == 1 ? 'o' : bytes[0]);
        disk_rig_release(&rig);
    }
    cr_assert_gt(harmed, 20);
}

Test(sim_disk, an_image_brings_back_an_old_directory)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_file file = durable_file(&rig, "wal/a", 10, 'o');
    struct sim_disk_image *image = sim_disk_image(rig.disk);
    disk_rig_write(&rig, file, 0, "n", 1, 0);
    disk_rig_create(&rig, "b");
    sim_disk_crash(rig.disk);
    sim_disk_restore(rig.disk, image);
    sim_disk_image_free(image);
    sim_disk_power_loss(rig.disk, &rig.power);
    uint8_t bytes[BIG];
    cr_assert_eq(disk_rig_content(&rig, "wal/a", bytes, sizeof bytes), 10);
    cr_assert_eq(bytes[0], 'o');
    cr_assert_eq(disk_rig_content(&rig, "b", bytes, sizeof bytes), UINT64_MAX);
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 10);
    disk_rig_release(&rig);
}

Test(sim_disk, a_reset_disk_is_empty)
{
    struct disk_rig rig;
    disk_rig_init(&rig, 1);
    disk_file file = durable_file(&rig, "a", 10, 'o');
    sim_disk_sync(rig.disk, 1, file);
    sim_disk_reset(rig.disk);
    rig.armed_ns = UINT64_MAX;
    cr_assert_eq(sim_disk_used_bytes(rig.disk), 0);
    cr_assert(!sim_disk_is_busy(rig.disk));
    uint8_t bytes[BIG];
    cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), UINT64_MAX);
    cr_assert_eq(durable_file(&rig, "a", 20, 'n'), file);
    cr_assert_eq(disk_rig_content(&rig, "a", bytes, sizeof bytes), 20);
    disk_rig_release(&rig);
}
