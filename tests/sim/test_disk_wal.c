/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/wal.h"
#include "sim/heap.h"
#include "tests/sim/disk_rig.h"

#include <criterion/criterion.h>

/* The log of a member on a disk that loses power again and again: what was durable
 * comes back, and what comes back was written. An entry's payload says which
 * version of its index it is. */
enum { INDEX_MAX = 400, LIVES = 12, STEPS = 25 };

struct life {
    struct disk_rig rig;
    struct sim_random random;
    struct sim_heap *heap;
    struct wal *wal;
    uint64_t version;
    uint64_t last_index;
    uint64_t versions[INDEX_MAX + 1]; /* Of the entry at an index, as written last. */
    uint64_t oldest[INDEX_MAX + 1];   /* The version known to be durable; none older may come back. */
    uint64_t durable_index;
    uint64_t saved[INDEX_MAX]; /* Last index by ticket modulo this, */
    uint64_t first[INDEX_MAX]; /* and first. */
    uint64_t last_ticket;
    uint64_t told_index; /* By recovery. */
    uint64_t term;
    bool has_failed; /* The log said that its disk did. */
};

static void tell_metadata(void *context, const struct wal_metadata *metadata)
{
    (void)context;
    cr_assert_eq(metadata->member_id, 7);
}

static void tell_entry(void *context, const struct raft_entry *entry)
{
    struct life *life = context;
    cr_assert_eq(entry->size, sizeof(uint64_t) * 30);
    cr_assert_leq(entry->index, life->told_index + 1);
    uint64_t version = base_load_u64(entry->data);
    cr_assert_leq(version, life->version);
    life->told_index = entry->index;
    life->versions[entry->index] = version;
}

static void tell_hard_state(void *context, const struct raft_hard_state *state)
{
    struct life *life = context;
    life->term = state->term > life->term ? state->term : life->term;
}

/* Let time pass until `count` answers have come or nothing is under way. */
static void run(struct life *life, uint32_t count)
{
    sim_disk_settle(life->rig.disk);
    while (life->rig.armed_ns != UINT64_MAX && count > 0) {
        life->rig.now_ns = life->rig.armed_ns;
        life->rig.armed_ns = UINT64_MAX;
        struct sim_disk_done done;
        while (sim_disk_take(life->rig.disk, &done)) {
            enum wal_status status = wal_done(life->wal, done.token, done.status);
            cr_assert(status == WAL_OK || done.status != DISK_OK || life->has_failed);
            life->has_failed = life->has_failed || status != WAL_OK;
        }
        sim_disk_settle(life->rig.disk);
        count--;
    }
}

static void note_durable(struct life *life)
{
    uint64_t ticket = wal_durable(life->wal);
    life->durable_index = life->saved[ticket % INDEX_MAX];
    for (uint64_t later = ticket + 1; later <= life->last_ticket; later++) {
        uint64_t before = life->first[later % INDEX_MAX] - 1; /* The rest may be replaced by now. */
        life->durable_index = before < life->durable_index ? before : life->durable_index;
    }
    for (uint64_t index = 1; index <= life->durable_index; index++) {
        life->oldest[index] = life->versions[index];
    }
}

static void begin(struct life *life)
{
    sim_heap_reset(life->heap);
    struct wal_options options = {.segment_bytes = 3000};
    life->wal = wal_new(&options, sim_heap_allocator(life->heap), sim_disk_table(life->rig.disk));
    struct wal_visitor visitor = {.context = life,
                                  .metadata = tell_metadata,
                                  .entry = tell_entry,
                                  .hard_state = tell_hard_state};
    life->told_index = 0;
    enum wal_status status = wal_recover(life->wal, &visitor);
    if (status == WAL_NONE) {
        cr_assert_eq(life->durable_index, 0);
        struct wal_metadata metadata = {.member_id = 7, .cluster_id = 8};
        (void)wal_create(life->wal, &metadata);
    } else {
        cr_assert_eq(status, WAL_OK, "%s", wal_error(life->wal));
    }
    cr_assert_geq(life->told_index, life->durable_index);
    for (uint64_t index = 1; index <= life->durable_index; index++) {
        cr_assert_geq(life->versions[index], life->oldest[index]);
    }
    life->last_index = life->told_index;
    life->has_failed = false;
    run(life, 100); /* What was told may be acted upon when it is durable. */
    if (wal_durable(life->wal) == 0) {
        cr_assert(life->has_failed);
        return;
    }
    life->last_ticket = wal_durable(life->wal);
    life->saved[life->last_ticket % INDEX_MAX] = life->last_index;
    note_durable(life);
}

static void save(struct life *life)
{
    uint64_t back = sim_random_below(&life->random, 10);
    uint64_t count = sim_random_between(&life->random, 1, 4);
    uint64_t first = life->last_index + 1;
    if (back == 0 && first > 3) {
        first -= 2; /* A follower's conflict. */
    }
    if (first + count > INDEX_MAX) {
        return;
    }
    uint8_t payloads[4][sizeof(uint64_t) * 30] = {{0}};
    struct raft_entry entries[4];
    for (uint64_t i = 0; i < count; i++) {
        life->version++;
        base_store_u64(payloads[i], life->version);
        life->versions[first + i] = life->version;
        entries[i] = (struct raft_entry){.term = life->term,
                                         .index = first + i,
                                         .data = payloads[i],
                                         .size = sizeof payloads[i]};
    }
    life->last_index = first + count - 1;
    struct raft_hard_state state = {.term = life->term};
    life->last_ticket = wal_save(life->wal, entries, (uint32_t)count, &state, true);
    life->saved[life->last_ticket % INDEX_MAX] = life->last_index;
    life->first[life->last_ticket % INDEX_MAX] = first;
}

static void end(struct life *life, bool is_power)
{
    if (wal_durable(life->wal) > 0) {
        note_durable(life);
    }
    sim_disk_crash(life->rig.disk);
    if (is_power) {
        sim_disk_power_loss(life->rig.disk, &life->rig.power);
    }
    life->rig.armed_ns = UINT64_MAX;
}

static void live(uint64_t seed, const struct sim_disk_behaviour *behaviour)
{
    struct life life = {.term = 1};
    disk_rig_init(&life.rig, seed);
    sim_random_init(&life.random, seed, 0, 0, SIM_FOR_WORLD);
    sim_disk_behave(life.rig.disk, behaviour);
    life.heap = sim_heap_new();
    for (uint32_t i = 0; i < LIVES; i++) {
        begin(&life);
        uint64_t steps = sim_random_below(&life.random, STEPS);
        for (uint64_t step = 0; step < steps && !life.has_failed; step++) {
            save(&life);
            uint64_t answers = sim_random_below(&life.random, 3);
            run(&life, (uint32_t)answers);
        }
        uint64_t is_power = sim_random_below(&life.random, 4);
        end(&life, is_power > 0);
    }
    sim_heap_free(life.heap);
    disk_rig_release(&life.rig);
}

Test(sim_disk_wal, what_was_durable_survives_every_power_loss)
{
    struct sim_disk_behaviour behaviour = {.sync = {.kind = SIM_DIST_UNIFORM, .a_ns = 500000, .b = 3000000}};
    for (uint64_t seed = 1; seed <= 150; seed++) {
        live(seed, &behaviour);
    }
}

Test(sim_disk_wal, what_was_durable_survives_failing_operations)
{
    struct sim_disk_behaviour behaviour = {.sync = {.kind = SIM_DIST_UNIFORM, .a_ns = 500000, .b = 3000000},
                                           .write_error_ppm = 20000,
                                           .sync_error_ppm = 50000};
    for (uint64_t seed = 1; seed <= 150; seed++) {
        live(seed, &behaviour);
    }
}
