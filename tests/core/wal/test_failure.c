/* A disk that fails or is full: the log says so, and says nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <criterion/criterion.h>

#include <string.h>

static void use_the_log(struct twin *twin)
{
    for (raft_index index = 1; index <= 6; index++) {
        (void)twin_save(twin, index, 1, 1, 300, index - 1, true);
        (void)(twin_step(twin, 0) && twin_step(twin, 0));
        if (index == 4) {
            twin_snapshot(twin, 3, 1, 5000);
            wal_release(twin->wal, 3);
        }
    }
    twin_snapshot(twin, 20, 2, 5000);
    (void)twin_save(twin, 21, 1, 2, 300, 20, true);
    twin_finish(twin);
}

/* Does the disk fail at that operation? Then nothing is promised after it. */
static bool fails_at(uint64_t number, enum disk_status status, const char *text)
{
    struct twin *twin = twin_new_with(&(struct wal_options){.segment_bytes = 500, .allocate_bytes = 200});
    twin->disk->fail_at = number;
    twin->disk->fail_with = status;
    use_the_log(twin);
    bool has_failed = twin->disk->carried_out >= number;
    cr_assert(twin->status == (has_failed ? WAL_FAILED : WAL_OK));
    if (has_failed) {
        cr_assert(strstr(wal_error(twin->wal), text), "operation %d: %s", (int)number, wal_error(twin->wal));
        uint64_t durable = wal_durable(twin->wal);
        raft_index snapshot = wal_snapshot_index(twin->wal);
        cr_assert(twin_save(twin, 22, 1, 2, 10, 21, true) > durable);
        uint64_t token = 0;
        enum disk_status ignored = DISK_OK;
        while (model_disk_step(twin->disk, 0, &token, &ignored)) {
            cr_assert(wal_done(twin->wal, token, ignored) == WAL_FAILED);
        }
        cr_assert(wal_durable(twin->wal) == durable);
        cr_assert(!wal_is_busy(twin->wal));
        twin->disk->fail_at = 0;
        enum wal_status recovered = twin_restart(twin);
        cr_assert(recovered == WAL_OK || (recovered == WAL_NONE && durable == 0), "operation %d: %s",
                  (int)number, wal_error(twin->wal));
        cr_assert(recovered == WAL_NONE || twin_accept(twin, durable, snapshot), "operation %d", (int)number);
    }
    twin_free(twin);
    return has_failed;
}

Test(wal_failure, an_error_anywhere_stops_the_log)
{
    uint64_t number = 1;
    while (fails_at(number, DISK_IO_ERROR, "an I/O error")) {
        number++;
    }
    cr_assert(number > 30);
}

Test(wal_failure, a_full_disk_stops_the_log)
{
    uint64_t number = 1;
    while (fails_at(number, DISK_FULL, "the disk is full")) {
        number++;
    }
    cr_assert(number > 30);
}

Test(wal_failure, the_error_names_the_file_and_the_operation)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    twin->disk->fail_at = twin->disk->carried_out + 2;
    twin->disk->fail_with = DISK_IO_ERROR;
    (void)twin_save(twin, 1, 1, 1, 10, 0, true);
    twin_finish(twin);
    cr_assert_str_eq(wal_error(twin->wal),
                     "wal/0000000000000000-0000000000000001.wal: sync: found an I/O error, "
                     "expected success");
    twin_free(twin);
}

/* Behind a torn tail that may come back nothing must stand. */
Test(wal_failure, a_repair_that_fails_lets_nothing_be_appended)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 4, 1, 600, 0, true);
    twin_finish(twin);
    struct model_file *file = model_disk_find(twin->disk, model_disk_last(twin->disk, "wal"));
    file->cache.size -= 700;
    cr_assert(twin_recover(twin) == WAL_OK && twin->found.last == 2);
    (void)twin_save(twin, 3, 1, 2, 600, 0, true);
    uint64_t appends = twin->disk->appends;
    twin->disk->fail_at = twin->disk->carried_out + 3; /* Truncate, the directory, the file. */
    twin->disk->fail_with = DISK_IO_ERROR;
    twin_finish(twin);
    uint64_t token = 0;
    enum disk_status ignored = DISK_OK;
    while (model_disk_step(twin->disk, 0, &token, &ignored)) {
        cr_assert(wal_done(twin->wal, token, ignored) == WAL_FAILED);
    }
    cr_assert(strstr(wal_error(twin->wal), ": sync: found an I/O error"), "%s", wal_error(twin->wal));
    cr_assert(twin->disk->appends == appends);
    twin_free(twin);
}
