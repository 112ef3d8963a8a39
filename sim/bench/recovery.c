/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bench/recovery.h"

#include "core/raft/raft.h"
#include "core/wal/wal.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/disk.h"
#include "sim/heap.h"

#include <assert.h>
#include <stdlib.h>

/* One disk and whoever uses it at the time. */
struct machine {
    struct sim_random random;
    struct sim_disk_host host;
    struct sim_disk *disk;
    struct sim_heap *heap;
    uint64_t now_ns;
    struct raft *raft;
    bool has_failed;
};

static uint64_t now(void *context)
{
    return ((struct machine *)context)->now_ns;
}

static void arm(void *context, uint64_t time_ns)
{
    ((struct machine *)context)->now_ns = time_ns;
}

static uint64_t draw(void *context)
{
    return sim_random_u64(&((struct machine *)context)->random);
}

/* Until the disk has nothing more to say. */
static void finish(struct machine *machine, struct wal *wal)
{
    sim_disk_settle(machine->disk);
    struct sim_disk_done done;
    while (sim_disk_take(machine->disk, &done)) {
        machine->has_failed |= wal_done(wal, done.token, done.status) != WAL_OK;
        sim_disk_settle(machine->disk);
    }
}

static void write_log(struct machine *machine, const struct bench_recovery_options *options,
                      const struct wal_options *wal_options)
{
    struct wal *wal = wal_new(wal_options, sim_heap_allocator(machine->heap), sim_disk_table(machine->disk));
    (void)wal_create(wal, &(struct wal_metadata){.member_id = 1, .cluster_id = 1});
    finish(machine, wal);
    struct raft_entry *entries = campaign_alloc(options->entries_per_save * sizeof entries[0]);
    uint8_t *data = campaign_alloc(options->entry_bytes);
    for (uint32_t written = 0; written < options->entries;) {
        uint32_t left = options->entries - written;
        uint32_t count = left < options->entries_per_save ? left : options->entries_per_save;
        for (uint32_t slot = 0; slot < count; slot++) {
            entries[slot] = (struct raft_entry){.index = written + slot + 1,
                                                .term = 1,
                                                .data = data,
                                                .size = options->entry_bytes};
        }
        const struct raft_hard_state state = {.term = 1, .vote = 1, .commit = written};
        (void)wal_save(wal, entries, count, &state, true);
        finish(machine, wal);
        written += count;
    }
    free(entries);
    free(data);
    sim_disk_crash(machine->disk);
    sim_heap_reset(machine->heap);
}

static void on_metadata(void *context, const struct wal_metadata *metadata)
{
    struct machine *machine = context;
    const struct raft_config config = {.id = metadata->member_id,
                                       .election_ticks = 10,
                                       .heartbeat_ticks = 1,
                                       .message_bytes_max = 1 << 20,
                                       .inflight_count_max = 512,
                                       .async_storage_writes = true,
                                       .random = draw,
                                       .random_context = machine};
    enum raft_status status = raft_new(&config, sim_heap_allocator(machine->heap), &machine->raft);
    machine->has_failed |= status != RAFT_OK;
}

static void on_entry(void *context, const struct raft_entry *entry)
{
    struct machine *machine = context;
    enum raft_status status = raft_restore_entry(machine->raft, entry);
    machine->has_failed |= status != RAFT_OK;
}

static void on_hard_state(void *context, const struct raft_hard_state *state)
{
    struct machine *machine = context;
    enum raft_status status = raft_restore_hard_state(machine->raft, state);
    machine->has_failed |= status != RAFT_OK;
}

bool bench_recovery(const struct bench_recovery_options *options, uint64_t *cpu_ns)
{
    struct machine machine = {.heap = sim_heap_new()};
    machine.host = (struct sim_disk_host){.context = &machine, .now = now, .arm = arm};
    sim_random_init(&machine.random, 1, 1, 1, SIM_FOR_DISK);
    machine.disk = sim_disk_new(&machine.host, &machine.random);
    const struct wal_options wal_options = {.segment_bytes = options->segment_bytes};
    write_log(&machine, options, &wal_options);

    const struct wal_visitor visitor = {.context = &machine,
                                        .metadata = on_metadata,
                                        .entry = on_entry,
                                        .hard_state = on_hard_state};
    uint64_t began_ns = campaign_cpu_ns();
    struct wal *wal = wal_new(&wal_options, sim_heap_allocator(machine.heap), sim_disk_table(machine.disk));
    bool is_back =
        wal_recover(wal, &visitor) == WAL_OK && !machine.has_failed && raft_start(machine.raft, 0) == RAFT_OK;
    *cpu_ns = campaign_cpu_ns() - began_ns;

    struct raft_status_report report = {0};
    if (is_back) {
        raft_get_status(machine.raft, &report);
    }
    sim_disk_crash(machine.disk);
    sim_heap_free(machine.heap); /* With the log and the node in it. */
    sim_disk_free(machine.disk);
    return is_back && report.last_index == options->entries;
}
