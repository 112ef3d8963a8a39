/* What damage recovery refuses, and what it takes for a torn write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include "core/wal/record.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define FIRST_SEGMENT "wal/0000000000000000-0000000000000001.wal"

/* The head of a first segment: chain, metadata, hard state. */
enum { HEAD_SIZE = 3 * WAL_HEADER_SIZE + 8 + 16 + 24, ENTRY_SIZE = 240 };

/* A log of five saves, each durable before the next was made. */
static struct twin *saved(uint64_t segment_bytes)
{
    struct twin *twin = twin_new(segment_bytes);
    twin_finish(twin);
    for (raft_index index = 1; index <= 5; index++) {
        (void)twin_save(twin, index, 1, index, ENTRY_SIZE, index - 1, true);
        twin_finish(twin);
    }
    twin_drop_log(twin);
    return twin;
}

/* How far the last record says that its segment was synced. */
static size_t witnessed_size(const struct model_file *file)
{
    size_t hard_state_size = WAL_HEADER_SIZE + 24;
    return base_load_u64(file->cache.data + file->cache.size - hard_state_size + 8);
}

static void expect_refusal(struct twin *twin, const char *file_name, size_t offset)
{
    enum wal_status status = twin_recover(twin);
    cr_assert(status == WAL_CORRUPT, "damage at %zu of %s: %d", offset, file_name, (int)status);
    cr_assert(strstr(wal_error(twin->wal), "found ") && strstr(wal_error(twin->wal), ", expected "));
    cr_assert(strncmp(wal_error(twin->wal), "wal/", 4) == 0);
}

/* Turn each bit of [begin, end) and expect a refusal every time. */
static void expect_flips_refused(struct twin *twin, const char *file_name, size_t begin, size_t end)
{
    char name[MODEL_NAME_SIZE];
    memset(name, 0, sizeof name);
    memcpy(name, file_name, strlen(file_name));
    struct model_file *file = model_disk_find(twin->disk, name);
    cr_assert(begin < end && end <= file->cache.size);
    for (size_t bit = begin * 8; bit < end * 8; bit++) {
        file->cache.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_refusal(twin, name, bit / 8);
        file->cache.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(twin_recover(twin) == WAL_OK);
}

Test(wal_damage, a_flipped_bit_before_the_last_save_is_refused)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    cr_assert(file);
    cr_assert(witnessed_size(file) > 4 * 200);
    expect_flips_refused(twin, FIRST_SEGMENT, 0, witnessed_size(file));
    twin_free(twin);
}

/* No later record speaks for the last save, but nothing in it is missing either. */
Test(wal_damage, a_flipped_bit_in_the_last_save_is_refused)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    expect_flips_refused(twin, FIRST_SEGMENT, witnessed_size(file), file->cache.size);
    twin_free(twin);
}

Test(wal_damage, a_flipped_bit_in_an_earlier_segment_is_refused)
{
    struct twin *twin = saved(300);
    const char *name = model_disk_name(twin->disk, "wal", 1);
    cr_assert(model_disk_name(twin->disk, "wal", 2));
    expect_flips_refused(twin, name, 0, model_disk_find(twin->disk, name)->cache.size);
    twin_free(twin);
}

Test(wal_damage, a_zeroed_sector_before_the_last_save_is_refused)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    size_t end = witnessed_size(file);
    for (size_t begin = 0; begin < end; begin += 8) {
        uint8_t before[WAL_SECTOR_SIZE];
        size_t size = end - begin < WAL_SECTOR_SIZE ? end - begin : WAL_SECTOR_SIZE;
        memcpy(before, file->cache.data + begin, size);
        memset(file->cache.data + begin, 0, size);
        expect_refusal(twin, FIRST_SEGMENT, begin);
        if (begin > HEAD_SIZE) {
            cr_assert(strstr(wal_error(twin->wal), "says that it was synced"), "%s", wal_error(twin->wal));
        }
        memcpy(file->cache.data + begin, before, size);
    }
    twin_free(twin);
}

/* Nothing can tell a shorter log from one that was never longer; its head,
 * though, was durable before it had a name. */
Test(wal_damage, a_cut_tail_is_torn_and_a_cut_head_refused)
{
    struct twin *whole = saved(0);
    size_t size = model_disk_find(whole->disk, FIRST_SEGMENT)->cache.size;
    for (size_t left = 0; left < size; left++) {
        struct twin *twin = saved(0);
        model_disk_find(twin->disk, FIRST_SEGMENT)->cache.size = left;
        enum wal_status status = twin_recover(twin);
        cr_assert(status == (left < HEAD_SIZE ? WAL_CORRUPT : WAL_OK), "cut at %zu", left);
        cr_assert(left < HEAD_SIZE || twin_accept(twin, 1, 0), "cut at %zu", left);
        if (status == WAL_OK) {
            twin_finish(twin);
            cr_assert(model_disk_find(twin->disk, FIRST_SEGMENT)->cache.size <= left);
        }
        twin_free(twin);
    }
    twin_free(whole);
}

/* The last save, of which nothing says that it was synced, from any sector on. */
Test(wal_damage, a_zeroed_tail_is_torn)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    size_t size = file->cache.size;
    size_t begin = witnessed_size(file);
    cr_assert(begin / WAL_SECTOR_SIZE < size / WAL_SECTOR_SIZE);
    while (begin < size) {
        struct twin *torn = saved(0);
        memset(model_disk_find(torn->disk, FIRST_SEGMENT)->cache.data + begin, 0, size - begin);
        cr_assert(twin_recover(torn) == WAL_OK, "from %zu: %s", begin, wal_error(torn->wal));
        cr_assert(twin_accept(torn, 5, 0));
        cr_assert(torn->found.last == 4);
        twin_free(torn);
        begin = (begin / WAL_SECTOR_SIZE + 1) * WAL_SECTOR_SIZE;
    }
    twin_free(twin);
}

Test(wal_damage, zeros_behind_the_log_are_cut)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    size_t size = file->cache.size;
    file->cache.data = realloc(file->cache.data, size + 5000);
    file->cache.capacity = size + 5000;
    memset(file->cache.data + size, 0, 5000);
    file->cache.size = size + 5000;
    cr_assert(twin_recover(twin) == WAL_OK);
    cr_assert(twin->found.last == 5);
    twin_finish(twin);
    cr_assert(file->cache.size == size);
    twin_free(twin);
}

/* A block that was written in another's place. */
Test(wal_damage, a_record_in_the_wrong_place_is_refused)
{
    struct twin *twin = saved(0);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    size_t size = 2 * WAL_HEADER_SIZE + 16 + ENTRY_SIZE + 24;
    uint8_t *second = file->cache.data + HEAD_SIZE + size;
    memcpy(second, file->cache.data + HEAD_SIZE, size);
    expect_refusal(twin, FIRST_SEGMENT, HEAD_SIZE + size);
    twin_free(twin);
}

/* An entry may hold the bytes of another, longer log; they bear no witness. */
Test(wal_damage, records_inside_an_entry_are_no_witnesses)
{
    struct twin *other = twin_new(0);
    for (raft_index index = 1; index <= 20; index++) {
        (void)twin_save(other, index, 1, 1, ENTRY_SIZE, index - 1, true);
        twin_finish(other);
    }
    const struct model_bytes *bytes = &model_disk_find(other->disk, FIRST_SEGMENT)->cache;
    struct twin *twin = saved(0);
    cr_assert(twin_recover(twin) == WAL_OK);
    twin_finish(twin);
    struct model_file *file = model_disk_find(twin->disk, FIRST_SEGMENT);
    size_t torn = file->cache.size;
    cr_assert(witnessed_size(model_disk_find(other->disk, FIRST_SEGMENT)) > 2 * torn);
    struct raft_entry entries[2] = {
        {.term = 9, .index = 6, .data = bytes->data, .size = 1000},
        {.term = 9, .index = 7, .data = bytes->data, .size = (uint32_t)bytes->size}};
    (void)wal_save(twin->wal, entries, 2, NULL, true);
    cr_assert(twin_step(twin, 0));
    file = model_disk_find(twin->disk, FIRST_SEGMENT);
    memset(file->cache.data + torn, 0, WAL_SECTOR_SIZE - torn % WAL_SECTOR_SIZE);
    cr_assert(twin_recover(twin) == WAL_OK, "%s", wal_error(twin->wal));
    cr_assert(twin->found.last == 5);
    twin_free(twin);
    twin_free(other);
}

Test(wal_damage, a_missing_segment_is_refused)
{
    struct twin *twin = saved(300);
    const char *name = model_disk_name(twin->disk, "wal", 1);
    for (int slot = 0; slot < MODEL_FILES_MAX; slot++) {
        if (twin->disk->names[slot].text == name) {
            twin->disk->names[slot].file = 0;
        }
    }
    expect_refusal(twin, "wal", 0);
    cr_assert(strstr(wal_error(twin->wal), "found segment 2, expected segment 1"), "%s",
              wal_error(twin->wal));
    twin_free(twin);
}

Test(wal_damage, snapshots_without_a_log_are_refused)
{
    struct twin *twin = saved(0);
    cr_assert(twin_recover(twin) == WAL_OK);
    twin_snapshot(twin, 3, 3, 100);
    twin_finish(twin);
    twin_drop_log(twin);
    for (int slot = 0; slot < MODEL_FILES_MAX; slot++) {
        if (twin->disk->names[slot].text[0] == 'w') {
            twin->disk->names[slot].file = 0;
        }
    }
    cr_assert(twin_recover(twin) == WAL_CORRUPT);
    cr_assert(strstr(wal_error(twin->wal), "without a log"));
    twin_free(twin);
}

Test(wal_damage, a_read_error_fails_the_recovery_wherever_it_comes)
{
    struct twin *twin = saved(300);
    cr_assert(twin_recover(twin) == WAL_OK);
    twin_snapshot(twin, 3, 3, 9000);
    twin_finish(twin);
    cr_assert(twin_recover(twin) == WAL_OK);
    uint64_t count = 0;
    do {
        twin->disk->reads = 0;
        twin->disk->fail_read_at = ++count;
        enum wal_status status = twin_recover(twin);
        cr_assert(status == (twin->disk->reads < count ? WAL_OK : WAL_FAILED));
    } while (twin->status != WAL_OK);
    cr_assert(count > 5);
    cr_assert(twin->found.base == 3);
    twin_free(twin);
}

/* Whatever a disk may hold: recovery answers, and asserts nothing. */
Test(wal_damage, random_bytes_are_survived)
{
    uint64_t random = 7;
    for (int round = 0; round < 3000; round++) {
        struct twin *twin = saved(round % 2 ? 0 : 300);
        const char *name = model_disk_name(twin->disk, "wal", twin_random(&random) % 3 == 0);
        struct model_bytes *bytes = &model_disk_find(twin->disk, name ? name : FIRST_SEGMENT)->cache;
        for (uint64_t count = 1 + twin_random(&random) % 4; count > 0; count--) {
            size_t at = twin_random(&random) % bytes->size;
            size_t size = 1 + twin_random(&random) % 64;
            for (size_t i = at; i < at + size && i < bytes->size; i++) {
                bytes->data[i] = (uint8_t)(twin_random(&random) % 3 == 0 ? 0 : twin_random(&random));
            }
        }
        (void)twin_recover(twin);
        twin_free(twin);
    }
}
