/* Every point between two operations of the disk, every subset of what was not
 * yet durable (all of them while they are few, else a sample): recovery finds
 * all that a ticket had promised, what it finds beyond is a beginning of what
 * was asked, it never finds corruption, and the log goes on from there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/log_twin.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_EXHAUSTIVE_MAX = 9, ANSWERS_SAMPLED = 200, ANSWER_WORDS = 8 };

struct step {
    enum { END, SAVE, LAZY_SAVE, SNAPSHOT, RELEASE, RUN } kind;
    raft_index index;
    raft_term term;
    uint32_t count; /* Entries, or operations to carry out. */
    uint32_t size;
    raft_index commit;
};

struct plan {
    const char *name;
    const struct step *steps;
    uint64_t segment_bytes;
    uint32_t gap;     /* Operations carried out after each step. */
    bool is_reversed; /* The newest operation first, where order is open. */
};

/* A twin of its own for one way in which the crash may have gone. */
static struct twin *fork_twin(const struct twin *twin)
{
    struct twin *fork = malloc(sizeof *fork);
    *fork = *twin;
    fork->disk = model_disk_copy(twin->disk);
    fork->heap = (struct twin_heap){0};
    fork->allocator.context = &fork->heap;
    fork->wal = NULL;
    return fork;
}

static void check_recovery(struct twin *fork, uint64_t ticket, raft_index snapshot, const char *where)
{
    enum wal_status status = twin_recover(fork);
    if (status == WAL_NONE) {
        cr_assert(ticket == 0, "%s: a durable log is gone", where);
        return;
    }
    cr_assert(status == WAL_OK, "%s: %s", where, wal_error(fork->wal));
    cr_assert(twin_accept(fork, ticket, snapshot), "%s: recovered up to %llu, state of %llu, ticket %llu",
              where, (unsigned long long)fork->found.last, (unsigned long long)fork->found.base,
              (unsigned long long)ticket);
}

/* What was recovered and then saved is all there after another loss of power. */
static void check_life_after(struct twin *fork, const char *where)
{
    raft_index last = fork->now.last;
    raft_term term = fork->now.state.term + 1;
    uint64_t ticket = twin_save(fork, last + 1, 2, term, 300, last, true);
    twin_finish(fork);
    cr_assert(fork->status == WAL_OK, "%s", wal_error(fork->wal));
    cr_assert(wal_durable(fork->wal) == ticket);
    cr_assert(twin_restart(fork) == WAL_OK, "%s, and again: %s", where, wal_error(fork->wal));
    cr_assert(twin_accept(fork, ticket, 0), "%s: and again", where);
    cr_assert(fork->found.last == last + 2);
}

static void draw_answers(uint64_t *random, uint64_t answers[ANSWER_WORDS])
{
    for (int i = 0; i < ANSWER_WORDS; i++) {
        answers[i] = twin_random(random);
    }
}

/* Of what a recovery found in the page cache, only what was durable before is
 * promised until ticket 1 is; of what was saved since, nothing. */
static void promise_as_before(struct twin *fork, const struct twin *twin, uint32_t found_count)
{
    for (uint32_t slot = 0; slot < fork->record_count; slot++) {
        fork->records[slot].ticket = slot < found_count ? twin->records[slot].ticket : UINT64_MAX;
    }
}

/* The process dies, or the power goes, the log starts over and is used at once,
 * and a few operations later the power goes. */
static void check_two_crashes(const struct twin *twin, uint64_t ticket, raft_index snapshot, uint64_t *random,
                              const char *where)
{
    for (uint32_t round = 0; round < 16; round++) {
        struct twin *fork = fork_twin(twin);
        uint64_t answers[ANSWER_WORDS];
        bool loses_power = round % 2 == 0;
        draw_answers(random, answers);
        if (loses_power) {
            model_disk_lose_power(fork->disk, answers);
        }
        check_recovery(fork, ticket, snapshot, where);
        uint32_t found_count = fork->record_count - 1;
        if (fork->status == WAL_OK) {
            (void)twin_save(fork, fork->now.last + 1, 3, fork->now.state.term + 1, 400, UINT64_MAX, true);
        }
        for (uint32_t i = 0; i < round / 2 && fork->status == WAL_OK; i++) {
            (void)twin_step(fork, twin_random(random));
        }
        uint64_t promised = fork->status == WAL_OK ? wal_durable(fork->wal) : 0;
        if (fork->status == WAL_OK && loses_power && promised == 0) {
            promised = 1;
        } else if (fork->status == WAL_OK && promised == 0) {
            promise_as_before(fork, twin, found_count);
            promised = ticket;
        }
        draw_answers(random, answers);
        twin_drop_log(fork);
        model_disk_lose_power(fork->disk, answers);
        check_recovery(fork, promised, snapshot, where);
        twin_free(fork);
    }
}

static void check_power_loss(const struct twin *twin, uint64_t ticket, raft_index snapshot, uint64_t *random,
                             const char *where)
{
    uint32_t questions = model_disk_questions(twin->disk);
    cr_assert(questions < ANSWER_WORDS * 64);
    bool is_exhaustive = questions <= ANSWERS_EXHAUSTIVE_MAX;
    uint64_t count = is_exhaustive ? UINT64_C(1) << questions : ANSWERS_SAMPLED;
    for (uint64_t number = 0; number < count; number++) {
        uint64_t answers[ANSWER_WORDS];
        for (int i = 0; i < ANSWER_WORDS; i++) {
            answers[i] = is_exhaustive || number < 2 ? (is_exhaustive ? number : number * UINT64_MAX)
                                                     : twin_random(random);
        }
        struct twin *fork = fork_twin(twin);
        model_disk_lose_power(fork->disk, answers);
        check_recovery(fork, ticket, snapshot, where);
        if (fork->status == WAL_OK) {
            check_life_after(fork, where);
        }
        twin_free(fork);
    }
}

static bool run_operations(struct twin *twin, const struct plan *plan, uint32_t count, uint64_t stop)
{
    for (uint32_t i = 0; i < count && twin->disk->queue_count > 0; i++) {
        if (twin->disk->carried_out == stop) {
            return false;
        }
        cr_assert(twin_step(twin, plan->is_reversed ? UINT64_MAX - 1 - twin->disk->carried_out * 7 : 0));
    }
    return true;
}

/* Follow the plan until `stop` operations were carried out; false: there were more. */
static bool follow(struct twin *twin, const struct plan *plan, uint64_t stop)
{
    for (const struct step *step = plan->steps; step->kind != END; step++) {
        switch (step->kind) {
        case SAVE:
        case LAZY_SAVE:
            (void)twin_save(twin, step->index, step->count, step->term, step->size, step->commit,
                            step->kind == SAVE);
            break;
        case SNAPSHOT:
            twin_snapshot(twin, step->index, step->term, step->size);
            break;
        case RELEASE:
            wal_release(twin->wal, step->index);
            break;
        case RUN:
        case END:
            break;
        }
        if (!run_operations(twin, plan, step->kind == RUN ? step->count : plan->gap, stop)) {
            return false;
        }
    }
    return run_operations(twin, plan, UINT32_MAX, stop);
}

static void crash_everywhere(const struct plan *plan)
{
    uint64_t random = 42;
    bool is_over = false;
    for (uint64_t stop = 0; !is_over; stop++) {
        struct twin *twin = twin_new(plan->segment_bytes);
        is_over = follow(twin, plan, stop);
        uint64_t ticket = wal_durable(twin->wal);
        raft_index snapshot = wal_snapshot_index(twin->wal);
        char where[96];
        (void)snprintf(where, sizeof where, "%s, gap %u%s, after %llu operations", plan->name, plan->gap,
                       plan->is_reversed ? ", reversed" : "", (unsigned long long)stop);
        cr_assert(!is_over || ticket > 0);
        check_power_loss(twin, ticket, snapshot, &random, where);
        check_two_crashes(twin, ticket, snapshot, &random, where);
        twin_free(twin);
    }
}

static void crash_in_every_order(const char *name, const struct step *steps, uint64_t segment_bytes)
{
    static const uint32_t gaps[] = {0, 1, 3, 1000};
    for (int reversed = 0; reversed < 2; reversed++) {
        for (size_t slot = 0; slot < sizeof gaps / sizeof gaps[0]; slot++) {
            struct plan plan = {.name = name,
                                .steps = steps,
                                .segment_bytes = segment_bytes,
                                .gap = gaps[slot],
                                .is_reversed = reversed};
            crash_everywhere(&plan);
        }
    }
}

Test(wal_crash, saves, .timeout = 60)
{
    static const struct step steps[] = {
        {.kind = SAVE, .index = 1, .count = 1, .term = 1, .size = 30, .commit = 0},
        {.kind = SAVE, .index = 2, .count = 2, .term = 1, .size = 600, .commit = 1},
        {.kind = LAZY_SAVE, .count = 0, .term = 1, .commit = 3},
        {.kind = SAVE, .index = 4, .count = 3, .term = 2, .size = 0, .commit = UINT64_MAX},
        {.kind = SAVE, .index = 7, .count = 1, .term = 2, .size = 440, .commit = 4},
        {.kind = END},
    };
    crash_in_every_order("saves", steps, 0);
}

Test(wal_crash, overwritten_tails, .timeout = 60)
{
    static const struct step steps[] = {
        {.kind = SAVE, .index = 1, .count = 4, .term = 1, .size = 100, .commit = 1},
        {.kind = SAVE, .index = 3, .count = 1, .term = 2, .size = 500, .commit = 1},
        {.kind = SAVE, .index = 3, .count = 3, .term = 3, .size = 200, .commit = 2},
        {.kind = SAVE, .index = 5, .count = 2, .term = 4, .size = 9, .commit = 4},
        {.kind = END},
    };
    crash_in_every_order("overwritten tails", steps, 0);
}

Test(wal_crash, segments, .timeout = 60)
{
    static const struct step steps[] = {
        {.kind = SAVE, .index = 1, .count = 2, .term = 1, .size = 200, .commit = 1},
        {.kind = SAVE, .index = 3, .count = 2, .term = 1, .size = 200, .commit = 2},
        {.kind = SAVE, .index = 5, .count = 1, .term = 1, .size = 300, .commit = 3},
        {.kind = SAVE, .index = 4, .count = 3, .term = 2, .size = 200, .commit = 3},
        {.kind = SAVE, .index = 7, .count = 1, .term = 2, .size = 300, .commit = 6},
        {.kind = END},
    };
    crash_in_every_order("segments", steps, 500);
}

Test(wal_crash, snapshots_of_the_log_and_release, .timeout = 60)
{
    static const struct step steps[] = {
        {.kind = SAVE, .index = 1, .count = 3, .term = 1, .size = 200, .commit = 2},
        {.kind = SNAPSHOT, .index = 2, .term = 1, .size = 100},
        {.kind = SAVE, .index = 4, .count = 2, .term = 1, .size = 200, .commit = 4},
        {.kind = SAVE, .index = 6, .count = 1, .term = 2, .size = 20, .commit = 5},
        {.kind = RELEASE, .index = 2},
        {.kind = SNAPSHOT, .index = 5, .term = 1, .size = 5000},
        {.kind = SAVE, .index = 7, .count = 1, .term = 2, .size = 20, .commit = 6},
        {.kind = RUN, .count = 8},
        {.kind = RELEASE, .index = 5},
        {.kind = SAVE, .index = 8, .count = 1, .term = 2, .size = 300, .commit = 7},
        {.kind = SNAPSHOT, .index = 7, .term = 2, .size = 0},
        {.kind = SAVE, .index = 9, .count = 1, .term = 2, .size = 300, .commit = 8},
        {.kind = RELEASE, .index = 7},
        {.kind = END},
    };
    crash_in_every_order("snapshots", steps, 600);
}

Test(wal_crash, installed_snapshots, .timeout = 60)
{
    static const struct step steps[] = {
        {.kind = SAVE, .index = 1, .count = 3, .term = 1, .size = 200, .commit = 2},
        {.kind = SNAPSHOT, .index = 10, .term = 2, .size = 700},
        {.kind = SAVE, .index = 11, .count = 2, .term = 2, .size = 100, .commit = 10},
        {.kind = SAVE, .index = 13, .count = 1, .term = 2, .size = 20, .commit = 12},
        {.kind = RELEASE, .index = 10},
        {.kind = SNAPSHOT, .index = 12, .term = 2, .size = 10},
        {.kind = SNAPSHOT, .index = 13, .term = 4, .size = 10},
        {.kind = SAVE, .index = 14, .count = 1, .term = 4, .size = 700, .commit = 13},
        {.kind = RELEASE, .index = 13},
        {.kind = SNAPSHOT, .index = 20, .term = 5, .size = 4088},
        {.kind = SNAPSHOT, .index = 22, .term = 5, .size = 10},
        {.kind = SAVE, .term = 5, .commit = 22},
        {.kind = END},
    };
    crash_in_every_order("installations", steps, 400);
}

/* Long random lives with a crash of either kind every now and then. */
Test(wal_crash, random_lives, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        uint64_t random = seed;
        struct wal_options options = {.segment_bytes = 300 + twin_random(&random) % 3000};
        options.allocate_bytes = twin_random(&random) % 1000;
        struct twin *twin = twin_new_with(&options);
        char where[64];
        (void)snprintf(where, sizeof where, "seed %llu", (unsigned long long)seed);
        for (int round = 0; round < 60 && twin->disk->file_count < MODEL_FILES_MAX - 8; round++) {
            raft_index floor =
                twin->now.state.commit > twin->now.base ? twin->now.state.commit : twin->now.base;
            uint64_t choice = twin_random(&random) % 16;
            raft_term term =
                twin->now.state.term + (twin_random(&random) % 4 == 0) + (twin->now.state.term == 0);
            if (choice < 9 && twin->now.last < TWIN_ENTRIES_MAX - 20) {
                raft_index index = floor + 1 + twin_random(&random) % (twin->now.last - floor + 1);
                uint32_t count = (uint32_t)(twin_random(&random) % 5);
                uint32_t size = (uint32_t)(twin_random(&random) % 900);
                raft_index last = count > 0 ? index + count - 1 : twin->now.last;
                raft_index commit = floor + twin_random(&random) % (last - floor + 1);
                (void)twin_save(twin, index, count, term, size, commit, twin_random(&random) % 4 > 0);
            } else if (choice < 10 && floor > 0) {
                raft_term known = floor == twin->now.base ? twin->now.base_term : twin->now.terms[floor];
                twin_snapshot(twin, floor, known, twin_random(&random) % 9000);
            } else if (choice < 11) {
                raft_index index = twin->now.last + 1 + twin_random(&random) % 4;
                twin_snapshot(twin, index, term, twin_random(&random) % 9000);
                (void)twin_save(twin, 0, 0, term, 0, index, true);
            } else if (choice < 12) {
                wal_release(twin->wal, floor);
            }
            for (uint64_t count = twin_random(&random) % 6; count > 0; count--) {
                (void)twin_step(twin, twin_random(&random));
                model_disk_write_back(twin->disk, twin_random(&random));
            }
            cr_assert(twin->status == WAL_OK, "%s: %s", where, wal_error(twin->wal));
            uint64_t end = twin_random(&random) % 12;
            if (end < 2 && wal_durable(twin->wal) > 0) {
                uint64_t ticket = wal_durable(twin->wal);
                raft_index snapshot = wal_snapshot_index(twin->wal);
                uint64_t answers[ANSWER_WORDS];
                draw_answers(&random, answers);
                twin_drop_log(twin);
                if (end == 0) {
                    model_disk_lose_power(twin->disk, answers);
                }
                check_recovery(twin, ticket, snapshot, where);
                twin_finish(twin); /* The twin takes what was found for durable. */
            }
        }
        twin_free(twin);
    }
}
