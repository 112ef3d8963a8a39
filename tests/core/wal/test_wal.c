/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <criterion/criterion.h>

Test(wal, a_new_disk_has_no_log)
{
    struct twin *twin = twin_new(0);
    twin_drop_log(twin);
    model_disk_kill(twin->disk);
    cr_assert(twin_recover(twin) == WAL_NONE);
    twin_free(twin);
}

Test(wal, what_was_saved_comes_back)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 3, 1, 10, 0, true);
    uint64_t ticket = twin_save(twin, 4, 2, 2, 700, 3, true);
    cr_assert(wal_is_busy(twin->wal));
    twin_finish(twin);
    cr_assert(!wal_is_busy(twin->wal));
    cr_assert(wal_durable(twin->wal) == ticket);
    cr_assert(twin_restart(twin) == WAL_OK, "%s", wal_error(twin->wal));
    cr_assert(twin->found.last == 5);
    cr_assert(twin->found.state.commit == 3);
    cr_assert(twin->found.state.term == 2);
    cr_assert(twin_accept(twin, ticket, 0));
    twin_free(twin);
}

Test(wal, a_new_log_tells_zero_hard_state)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.last == 0 && twin->found.state.term == 0);
    cr_assert(twin->metadata.member_id == twin_metadata.member_id);
    cr_assert(twin->metadata.cluster_id == twin_metadata.cluster_id);
    twin_free(twin);
}

Test(wal, nothing_is_durable_before_its_sync)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    uint64_t ticket = twin_save(twin, 1, 1, 1, 10, 0, true);
    cr_assert(wal_durable(twin->wal) == ticket - 1);
    cr_assert(twin_step(twin, 0)); /* The append. */
    cr_assert(wal_durable(twin->wal) == ticket - 1);
    cr_assert(twin_step(twin, 0)); /* The sync. */
    cr_assert(wal_durable(twin->wal) == ticket);
    twin_free(twin);
}

Test(wal, a_save_without_sync_waits_for_a_later_sync)
{
    struct twin *twin = twin_new(0);
    uint64_t lazy = twin_save(twin, 1, 1, 1, 10, 0, false);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) < lazy);
    uint64_t eager = twin_save(twin, 2, 1, 1, 10, 0, true);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) == eager);
    twin_free(twin);
}

/* Ten saves while one sync is under way need one more sync, not ten. */
Test(wal, saves_during_a_sync_share_the_next)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    uint64_t syncs = twin->disk->syncs;
    uint64_t appends = twin->disk->appends;
    for (raft_index index = 1; index <= 11; index++) {
        (void)twin_save(twin, index, 1, 1, 10, index - 1, true);
    }
    twin_finish(twin);
    cr_assert(twin->disk->syncs == syncs + 2);
    cr_assert(twin->disk->appends == appends + 11);
    twin_free(twin);
}

Test(wal, a_save_is_one_append_with_a_tag_for_each_group)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    (void)twin_save(twin, 1, 5, 2, 10, 4, true);
    cr_assert(twin->disk->tag_count == 2);
    const struct disk_tag *tags = twin->disk->tags;
    cr_assert(tags[0].record == DISK_ENTRY && tags[0].first_index == 1 && tags[0].last_index == 5);
    cr_assert(tags[0].term == 2);
    cr_assert(tags[1].record == DISK_HARD_STATE && tags[1].term == 2 && tags[1].vote == 2 &&
              tags[1].commit == 4);
    twin_free(twin);
}

Test(wal, saving_allocates_nothing_once_warm)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 20, 1, 100, 0, true);
    twin_finish(twin);
    size_t allocations = twin->heap.allocations;
    for (raft_index index = 21; index < 221; index += 20) {
        (void)twin_save(twin, index, 20, 1, 100, index - 1, true);
        twin_finish(twin);
    }
    cr_assert(twin->heap.allocations == allocations);
    twin_free(twin);
}

/* A full disk must be found before a record is half written, so whatever is appended
 * has its room by then; but not by asking for it each time. */
Test(wal, room_is_held_before_it_is_written)
{
    struct twin *twin = twin_new_with(&(struct wal_options){.segment_bytes = 6000, .allocate_bytes = 1500});
    for (raft_index index = 1; index < 200; index++) {
        (void)twin_save(twin, index, 1, 1, 40 + (uint32_t)(index * 37 % 300), index - 1, true);
        twin_finish(twin);
        if (index % 50 == 0) {
            cr_assert(twin_recover(twin) == WAL_OK);
        }
    }
    cr_assert(twin->disk->beyond_room == 0);
    cr_assert(twin->disk->allocations > 5); /* Several segments, */
    cr_assert(twin->disk->allocations < twin->disk->appends / 4);
    twin_free(twin);
}

Test(wal, an_entry_overwrites_the_tail)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 6, 1, 20, 2, true);
    uint64_t ticket = twin_save(twin, 4, 1, 3, 30, 3, true);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.last == 4);
    cr_assert(twin->found.terms[3] == 1 && twin->found.terms[4] == 3);
    cr_assert(twin_accept(twin, ticket, 0));
    twin_free(twin);
}

/* The page cache may be all there is of what a recovery reads. */
Test(wal, what_recovery_told_is_durable_with_ticket_one)
{
    struct twin *twin = twin_new(0);
    twin_finish(twin);
    (void)twin_save(twin, 1, 3, 1, 20, 0, true);
    cr_assert(twin_step(twin, 0)); /* Appended, not synced: the process dies. */
    cr_assert(twin_recover(twin) == WAL_OK);
    cr_assert(twin->found.last == 3);
    cr_assert(wal_durable(twin->wal) == 0);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) == 1);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.last == 3);
    twin_free(twin);
}

/* A lost hard state leaves entries of a term that it does not know. */
Test(wal, hard_state_is_never_behind_the_last_entry)
{
    struct twin *twin = twin_new(0);
    (void)twin_save(twin, 1, 1, 1, 20, 0, true);
    (void)twin_save(twin, 2, 1, 5, 20, UINT64_MAX, true);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin->found.state.term == 5);
    cr_assert(twin->found.state.vote == RAFT_NONE);
    twin_free(twin);
}

Test(wal, saving_goes_on_after_a_recovery)
{
    struct twin *twin = twin_new(600);
    for (raft_index index = 1; index < 40; index++) {
        uint64_t ticket = twin_save(twin, index, 1, 1 + index / 9, 30, index - 1, true);
        twin_finish(twin);
        cr_assert(wal_durable(twin->wal) == ticket);
        cr_assert(twin_restart(twin) == WAL_OK, "%s", wal_error(twin->wal));
        cr_assert(twin_accept(twin, ticket, 0));
        cr_assert(twin->found.last == index);
        twin_finish(twin);
    }
    cr_assert(model_disk_name(twin->disk, "wal", 4));
    twin_free(twin);
}
