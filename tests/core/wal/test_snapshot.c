/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten durable entries of term 1, all committed. */
static struct twin *ten_entries(uint64_t segment_bytes)
{
    struct twin *twin = twin_new(segment_bytes);
    for (raft_index index = 1; index <= 10; index++) {
        (void)twin_save(twin, index, 1, 1, 100, index, true);
        twin_finish(twin);
    }
    return twin;
}

static void run_until_renamed(struct twin *twin)
{
    while (!model_disk_name(twin->disk, "snap", 0) ||
           strstr(model_disk_name(twin->disk, "snap", 0), ".tmp")) {
        cr_assert(twin_step(twin, 0));
    }
}

Test(wal_snapshot, recovery_begins_at_the_newest)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 4, 1, 20000);
    twin_finish(twin);
    twin_snapshot(twin, 7, 1, 5);
    cr_assert(wal_snapshot_index(twin->wal) == 4);
    twin_finish(twin);
    cr_assert(wal_snapshot_index(twin->wal) == 7);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 7 && twin->state_bytes == 5);
    cr_assert(twin->entry_calls == 3);
    cr_assert(twin_accept(twin, 11, 7));
    cr_assert(wal_snapshot_index(twin->wal) == 0);
    twin_finish(twin);
    cr_assert(wal_snapshot_index(twin->wal) == 7);
    twin_free(twin);
}

/* Syncing a large file must not hold up what the cluster waits for. */
Test(wal_snapshot, of_the_log_delays_no_save)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 9, 1, 100);
    uint64_t ticket = twin_save(twin, 11, 1, 1, 10, 10, true);
    for (;;) {
        if (wal_durable(twin->wal) >= ticket) {
            break;
        }
        cr_assert(twin_step(twin, UINT64_MAX)); /* The log's operations first. */
    }
    cr_assert(wal_snapshot_index(twin->wal) == 0);
    twin_finish(twin);
    cr_assert(wal_snapshot_index(twin->wal) == 9);
    twin_free(twin);
}

Test(wal_snapshot, installed_comes_before_later_saves)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 50, 3, 100);
    uint64_t ticket = twin_save(twin, 51, 2, 3, 10, 50, true);
    run_until_renamed(twin);
    cr_assert(wal_durable(twin->wal) < ticket);
    cr_assert(wal_snapshot_index(twin->wal) == 0);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) == ticket);
    cr_assert(wal_snapshot_index(twin->wal) == 50);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 50 && twin->found.last == 52);
    twin_free(twin);
}

/* Entries above it were of another history, also those beyond its index. */
Test(wal_snapshot, installed_over_another_term_empties_the_log)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 10, 1, 100, 2, true);
    twin_snapshot(twin, 5, 2, 100);
    (void)twin_save(twin, 0, 0, 2, 0, 5, true);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 5 && twin->found.last == 5);
    cr_assert(twin->entry_calls == 0);
    twin_free(twin);
}

Test(wal_snapshot, installed_alone_commits_its_index)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 50, 3, 100);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 50);
    cr_assert(twin->found.state.commit == 50 && twin->found.state.term == 3);
    twin_free(twin);
}

Test(wal_snapshot, two_installed_at_once)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 9, 1, 100);
    twin_snapshot(twin, 50, 3, 100);
    (void)twin_save(twin, 51, 1, 3, 10, 50, true);
    twin_snapshot(twin, 60, 3, 100);
    uint64_t ticket = twin_save(twin, 61, 1, 3, 10, 60, true);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) == ticket);
    cr_assert(wal_snapshot_index(twin->wal) == 60);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 60 && twin->found.last == 61);
    twin_free(twin);
}

Test(wal_snapshot, abandoned_leaves_nothing)
{
    struct twin *twin = ten_entries(0);
    struct raft_snapshot snapshot = {.index = 5, .term = 1};
    uint8_t bytes[10000] = {1};
    wal_snapshot_begin(twin->wal, &snapshot);
    wal_snapshot_piece(twin->wal, (struct base_bytes){.data = bytes, .size = sizeof bytes});
    wal_snapshot_abandon(twin->wal);
    twin_finish(twin);
    cr_assert(!model_disk_name(twin->disk, "snap", 0));
    twin_snapshot(twin, 6, 1, 10);
    twin_finish(twin);
    cr_assert(wal_snapshot_index(twin->wal) == 6);
    twin_free(twin);
}

Test(wal_snapshot, temporary_files_go_at_recovery)
{
    struct twin *twin = ten_entries(0);
    struct raft_snapshot snapshot = {.index = 5, .term = 1};
    wal_snapshot_begin(twin->wal, &snapshot);
    twin_finish(twin);
    cr_assert(model_disk_name(twin->disk, "snap", 0));
    cr_assert(twin_recover(twin) == WAL_OK);
    twin_finish(twin);
    cr_assert(!model_disk_name(twin->disk, "snap", 0));
    twin_free(twin);
}

Test(wal_snapshot, is_read_by_pieces_while_it_is_one_of_the_newest_two)
{
    struct twin *twin = ten_entries(0);
    size_t size = 9000;
    twin_snapshot(twin, 4, 1, size);
    twin_finish(twin);
    uint8_t whole[9000];
    size_t got = 0;
    cr_assert(wal_snapshot_read(twin->wal, 4, 0, whole, size, &got) == WAL_OK && got == size);
    for (raft_index next = 5; next <= 6; next++) {
        for (size_t at = 0; at < size; at += 777) {
            uint8_t piece[777];
            size_t expected = size - at < sizeof piece ? size - at : sizeof piece;
            cr_assert(wal_snapshot_read(twin->wal, 4, at, piece, sizeof piece, &got) == WAL_OK);
            cr_assert(got == expected && memcmp(piece, whole + at, got) == 0);
        }
        cr_assert(wal_snapshot_read(twin->wal, 4, size, whole, 1, &got) == WAL_OK && got == 0);
        cr_assert(wal_snapshot_read(twin->wal, 4, 10 * size, whole, 1, &got) == WAL_OK && got == 0);
        if (next == 5) {
            twin_snapshot(twin, next, 1, 10);
            twin_finish(twin);
        }
    }
    twin_snapshot(twin, 6, 1, 10);
    twin_finish(twin);
    cr_assert(wal_snapshot_read(twin->wal, 4, 0, whole, 1, &got) == WAL_NONE);
    cr_assert(wal_snapshot_read(twin->wal, 5, 0, whole, 1, &got) == WAL_OK && got == 1);
    cr_assert(!model_disk_name(twin->disk, "snap", 2));
    twin_free(twin);
}

Test(wal_snapshot, a_damaged_one_is_not_sent)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 4, 1, 9000);
    twin_finish(twin);
    model_disk_find(twin->disk, model_disk_last(twin->disk, "snap"))->cache.data[9000] ^= 4;
    uint8_t piece[100];
    size_t got = 0;
    cr_assert(wal_snapshot_read(twin->wal, 4, 0, piece, sizeof piece, &got) == WAL_OK);
    cr_assert(wal_snapshot_read(twin->wal, 4, 5000, piece, sizeof piece, &got) == WAL_CORRUPT);
    cr_assert(strstr(wal_error(twin->wal), "at 8192: found a block that fails its checksum"));
    twin_free(twin);
}

/* Each bit of the newest file: the older one and the log after it serve. */
Test(wal_snapshot, recovery_falls_back_to_the_older)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 4, 1, 100);
    twin_finish(twin);
    twin_snapshot(twin, 8, 1, 30);
    twin_finish(twin);
    struct model_bytes *bytes = &model_disk_find(twin->disk, model_disk_last(twin->disk, "snap"))->cache;
    for (size_t bit = 0; bit < bytes->size * 8; bit += bit < 600 || bit > 32000 ? 1 : 111) {
        bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(twin_recover(twin) == WAL_OK);
        cr_assert(twin->found.base == 4 && twin->found.last == 10 && !twin->is_state_wrong, "bit %zu", bit);
        cr_assert(twin->found.state.commit == 10);
        twin_finish(twin);
        cr_assert(wal_snapshot_index(twin->wal) == 4);
        bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(twin_recover(twin) == WAL_OK);
    cr_assert(twin->found.base == 8);
    twin_free(twin);
}

/* The state is replayed from the older one: the next snapshot may be of an index
 * between the two. */
Test(wal_snapshot, may_follow_a_damaged_newer_one)
{
    struct twin *twin = ten_entries(0);
    twin_snapshot(twin, 4, 1, 100);
    twin_finish(twin);
    twin_snapshot(twin, 8, 1, 30);
    twin_finish(twin);
    model_disk_find(twin->disk, model_disk_last(twin->disk, "snap"))->cache.data[3] ^= 1;
    cr_assert(twin_recover(twin) == WAL_OK);
    for (raft_index index = 6; index <= 8; index += 2) {
        twin_snapshot(twin, index, 1, 30);
        twin_finish(twin);
        cr_assert(wal_snapshot_index(twin->wal) == index);
    }
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.base == 8 && twin->found.last == 10);
    twin_free(twin);
}

/* A snapshot record that only the page cache holds covers nothing yet. */
Test(wal_release, waits_until_a_recovered_snapshot_is_durable)
{
    struct twin *twin = ten_entries(200);
    twin_snapshot(twin, 8, 1, 30);
    run_until_renamed(twin);
    while (twin->disk->queue_count > 0 && twin->disk->queue[0].kind != MODEL_SYNC) {
        cr_assert(twin_step(twin, 0)); /* Up to the record's append. */
    }
    cr_assert(twin_recover(twin) == WAL_OK && twin->found.base == 8);
    wal_release(twin->wal, 8);
    for (int slot = 0; slot < 3; slot++) {
        (void)twin_step(twin, 0); /* All but the log's sync may happen first. */
        cr_assert(wal_durable(twin->wal) > 0 || wal_snapshot_index(twin->wal) == 0);
        cr_assert(wal_durable(twin->wal) > 0 ||
                  strstr(model_disk_name(twin->disk, "wal", 0), "wal/0000000000000000-"));
    }
    cr_assert(twin_restart(twin) == WAL_OK, "%s", wal_error(twin->wal));
    cr_assert(twin->found.last == 10);
    twin_free(twin);
}

Test(wal_snapshot, no_usable_one_and_no_whole_log_is_refused)
{
    struct twin *twin = ten_entries(200);
    twin_snapshot(twin, 8, 1, 30);
    twin_finish(twin);
    wal_release(twin->wal, 8);
    twin_finish(twin);
    model_disk_find(twin->disk, model_disk_last(twin->disk, "snap"))->cache.data[3] ^= 1;
    cr_assert(twin_recover(twin) == WAL_CORRUPT);
    cr_assert(strstr(wal_error(twin->wal), ".snap at 0: found a block that fails its checksum"), "%s",
              wal_error(twin->wal));
    twin_free(twin);
}

Test(wal_release, removes_only_covered_segments)
{
    struct twin *twin = ten_entries(200);
    wal_release(twin->wal, 9);
    twin_finish(twin);
    cr_assert(strstr(model_disk_name(twin->disk, "wal", 0), "wal/0000000000000000-"));
    twin_snapshot(twin, 6, 1, 30);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK, "%s", wal_error(twin->wal));
    cr_assert(twin->found.base == 6 && twin->found.last == 10);
    uint64_t sequence = 0;
    raft_index first = 0;
    cr_assert(sscanf(model_disk_name(twin->disk, "wal", 0), "wal/%lx-%lx", &sequence, &first) == 2);
    cr_assert(sequence > 0 && first <= 7);
    twin_free(twin);
}

Test(wal_release, keeps_as_many_as_asked)
{
    struct twin *twin = ten_entries(200);
    twin->options.segments_kept = 2;
    cr_assert(twin_restart(twin) == WAL_OK);
    twin_finish(twin);
    twin_snapshot(twin, 10, 1, 30);
    wal_release(twin->wal, 10);
    twin_finish(twin);
    cr_assert(model_disk_name(twin->disk, "wal", 2));
    cr_assert(!model_disk_name(twin->disk, "wal", 3));
    twin_free(twin);
}
