/* A log that comes into being with contents: all of them or none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum { ANSWERS_MAX = 12, ENTRIES = 4 };

static const struct wal_options plain = {.segment_bytes = 0};
static const struct wal_options ahead = {.segment_bytes = 600, .allocate_bytes = 4096};

/* Everything it was begun with is there, and nothing else. */
static void check_contents(struct twin *twin, const char *where)
{
    cr_assert(twin->status == WAL_OK, "%s: %s", where, wal_error(twin->wal));
    cr_assert_eq(twin->found.last, ENTRIES, "%s", where);
    cr_assert_eq(twin->entry_calls, ENTRIES, "%s", where);
    cr_assert_eq(twin->found.base, 0, "%s", where);
    cr_assert(twin_accept(twin, 1, 0), "%s", where);
}

static void carry_out(struct twin *twin, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)twin_step(twin, 0);
    }
}

/* Whoever finds nothing begins anew, over whatever the first attempt left behind. */
static void check_second_attempt(struct twin *twin, const char *where)
{
    twin->record_count = 0;
    twin->now = (struct twin_image){0};
    uint64_t ticket = twin_found_log(twin, ENTRIES, 100);
    twin_finish(twin);
    cr_assert(wal_durable(twin->wal) >= ticket, "%s, and anew: %s", where, wal_error(twin->wal));
    (void)twin_restart(twin);
    check_contents(twin, where);
}

/* The power goes after `count` operations, and of what is not durable that survives
 * which `answers` says. Answers how many questions there were. */
static uint32_t lose_power_after(const struct wal_options *options, uint32_t size, uint64_t count,
                                 uint64_t answers, bool *is_over)
{
    char where[96];
    struct twin *twin = twin_new_bare(options);
    uint64_t ticket = twin_found_log(twin, ENTRIES, size);
    carry_out(twin, count);
    *is_over = !wal_is_busy(twin->wal);
    bool was_durable = wal_durable(twin->wal) >= ticket;
    cr_assert(was_durable || !*is_over);
    uint32_t questions = model_disk_questions(twin->disk);
    uint64_t words[8] = {answers};
    (void)snprintf(where, sizeof where, "size %u, %d operations, answers %llx", (unsigned)size, (int)count,
                   (unsigned long long)answers);
    twin_drop_log(twin);
    model_disk_lose_power(twin->disk, words);
    if (twin_recover(twin) == WAL_NONE) {
        cr_assert(!was_durable, "%s: a durable log is gone", where);
        check_second_attempt(twin, where);
    } else {
        check_contents(twin, where);
    }
    twin_free(twin);
    return questions;
}

static void lose_power_everywhere(const struct wal_options *options, uint32_t size)
{
    bool is_over = false;
    for (uint64_t count = 0; !is_over; count++) {
        uint32_t questions = lose_power_after(options, size, count, 0, &is_over);
        cr_assert(questions <= ANSWERS_MAX, "%u questions", (unsigned)questions);
        for (uint64_t answers = 1; answers < UINT64_C(1) << questions; answers++) {
            (void)lose_power_after(options, size, count, answers, &is_over);
        }
    }
}

Test(wal_create, contents_are_recovered)
{
    struct twin *twin = twin_new_bare(&plain);
    uint64_t ticket = twin_found_log(twin, ENTRIES, 700);
    cr_assert(wal_durable(twin->wal) < ticket);
    twin_finish(twin);
    cr_assert_eq(wal_durable(twin->wal), ticket);
    (void)twin_restart(twin);
    check_contents(twin, "after a restart");
    cr_assert_eq(twin->found.state.commit, ENTRIES);
    cr_assert_eq(twin->found.state.term, 1);
    twin_free(twin);
}

Test(wal_create, it_goes_on_behind_its_contents)
{
    struct twin *twin = twin_new_bare(&ahead);
    (void)twin_found_log(twin, ENTRIES, 300);
    uint64_t ticket = twin_save(twin, ENTRIES + 1, 3, 2, 300, ENTRIES, true);
    twin_finish(twin);
    cr_assert(twin_restart(twin) == WAL_OK);
    cr_assert(twin_accept(twin, ticket, 0));
    cr_assert_eq(twin->found.last, ENTRIES + 3);
    twin_free(twin);
}

Test(wal_create, a_power_loss_at_each_step_leaves_nothing_or_all, .timeout = 60)
{
    lose_power_everywhere(&plain, 30);
    lose_power_everywhere(&plain, 700);
    lose_power_everywhere(&ahead, 300);
}

Test(wal_create, a_dead_process_leaves_nothing_or_all)
{
    bool is_over = false;
    for (uint64_t count = 0; !is_over; count++) {
        struct twin *twin = twin_new_bare(&plain);
        (void)twin_found_log(twin, ENTRIES, 700);
        carry_out(twin, count);
        is_over = !wal_is_busy(twin->wal);
        if (twin_recover(twin) == WAL_NONE) {
            cr_assert(!is_over);
            check_second_attempt(twin, "after a crash");
        } else {
            check_contents(twin, "after a crash");
        }
        twin_free(twin);
    }
}

Test(wal_create, a_failure_at_each_step_is_told_and_leaves_nothing_or_all)
{
    for (uint64_t number = 1;; number++) {
        struct twin *twin = twin_new_bare(&plain);
        twin->disk->fail_at = number;
        twin->disk->fail_with = DISK_IO_ERROR;
        (void)twin_found_log(twin, ENTRIES, 700);
        twin_finish(twin);
        if (twin->disk->carried_out < number) {
            twin_free(twin);
            break;
        }
        cr_assert(twin->status == WAL_FAILED, "operation %d", (int)number);
        cr_assert(strstr(wal_error(twin->wal), "an I/O error"), "%s", wal_error(twin->wal));
        cr_assert_eq(wal_durable(twin->wal), 0);
        twin->disk->fail_at = 0;
        if (twin_restart(twin) == WAL_NONE) {
            check_second_attempt(twin, "after a failure");
        } else {
            check_contents(twin, "after a failure");
        }
        twin_free(twin);
    }
}
