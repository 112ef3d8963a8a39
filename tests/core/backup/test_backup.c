/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/backup.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { STATE_SIZE = 300, FILE_MAX = 512 };

struct file {
    uint8_t bytes[FILE_MAX];
    size_t size;
};

static void put(struct file *file, const void *bytes, size_t size)
{
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
}

static void put_number(struct file *file, uint64_t value, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        file->bytes[file->size++] = (uint8_t)(value >> (8 * at));
    }
}

/* A whole one, as backup.h draws it. */
static struct file make(uint32_t version)
{
    struct file file = {.size = 0};
    uint8_t state[STATE_SIZE];
    struct base_sha256 sha;
    memset(state, 0x5a, sizeof state);
    put(&file, "FLbackup", 8);
    put_number(&file, version, 4);
    put_number(&file, 77, 8);   /* Cluster. */
    put_number(&file, 12, 8);   /* Index. */
    put_number(&file, 3, 8);    /* Term. */
    put_number(&file, 9, 8);    /* Revision. */
    put_number(&file, 4711, 8); /* Hash. */
    put(&file, state, sizeof state);
    base_sha256_init(&sha);
    base_sha256_put(&sha, (struct base_bytes){.data = file.bytes, .size = file.size});
    base_sha256_end(&sha, file.bytes + file.size);
    file.size += BASE_SHA256_SIZE;
    return file;
}

static enum base_status read(const struct file *file, size_t size, struct member_backup_info *info)
{
    return member_backup_read((struct base_bytes){.data = file->bytes, .size = size}, info);
}

Test(member_backup, a_whole_one_says_what_it_is)
{
    struct member_backup_info info;
    struct file file = make(1);
    cr_assert_eq(read(&file, file.size, &info), BASE_OK);
    cr_assert_eq(info.cluster_id, 77);
    cr_assert_eq(info.index, 12);
    cr_assert_eq(info.term, 3);
    cr_assert_eq(info.revision, 9);
    cr_assert_eq(info.store_hash, 4711);
    cr_assert_eq(info.state.size, STATE_SIZE);
}

Test(member_backup, any_flipped_bit_is_found)
{
    struct member_backup_info info = {.index = 1};
    for (size_t bit = 0; bit < make(1).size * 8; bit++) {
        struct file file = make(1);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(read(&file, file.size, &info), BASE_OK, "bit %zu", bit);
    }
    cr_assert_eq(info.index, 1); /* Untouched. */
}

Test(member_backup, any_missing_end_is_found)
{
    struct member_backup_info info;
    struct file file = make(1);
    for (size_t size = 0; size < file.size; size++) {
        enum base_status status = read(&file, size, &info);
        cr_assert_eq(status, size < 8 ? BASE_BACKUP_FOREIGN : BASE_BACKUP_DAMAGED, "%zu bytes", size);
    }
}

Test(member_backup, another_format_is_foreign)
{
    struct member_backup_info info;
    struct file file = make(2);
    cr_assert_eq(read(&file, file.size, &info), BASE_BACKUP_FOREIGN);
    file = make(1);
    file.bytes[0] = 'f';
    cr_assert_eq(read(&file, file.size, &info), BASE_BACKUP_FOREIGN);
}
