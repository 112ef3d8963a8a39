/* The disk table a member is given: its disk, with the scenario's points around each
 * operation. `before` is when the member asks, `after` when it is told; what a
 * point kills drops that operation and all that follow in the step. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/inside.h"

#include <string.h>

/* The kinds of what was appended since the file's last sync wait for it here. */
static uint64_t *pending_of(struct sim_machine *machine, disk_file file)
{
    return &machine->unsynced[file % SIM_UNSYNCED_FILES];
}

static uint64_t kinds_of(const char *name, const struct disk_tag *tags, uint32_t tag_count)
{
    uint64_t kinds = sim_point_record(DISK_OTHER, name);
    for (uint32_t i = 0; i < tag_count; i++) {
        kinds |= sim_point_record(tags[i].record, name);
    }
    return kinds;
}

/* Pass a point; false when the process is over by now. */
static bool pass(struct sim_machine *machine, enum sim_point_when when, enum sim_point_verb verb,
                 uint64_t kinds, const struct disk_tag *tag)
{
    if (machine->doom != SIM_DOOM_NONE) {
        return false;
    }
    if (machine->world->reach) {
        const struct sim_point point = {
            .when = when,
            .verb = verb,
            .kinds = kinds,
            .machine = machine->number,
            .term = tag ? tag->term : 0,
            .index = tag ? tag->last_index : 0,
        };
        machine->world->reach(machine->world->reach_context, &point);
    }
    return machine->doom == SIM_DOOM_NONE;
}

/* Remember what the answer to `token` will be about. */
static void expect_done(struct sim_machine *machine, uint64_t token, enum sim_point_verb verb, uint64_t kinds)
{
    if (machine->world->reach) {
        struct sim_asked *asked = &machine->asked[machine->asked_next++ % SIM_ASKED_MAX];
        *asked = (struct sim_asked){.token = token, .verb = verb, .kinds = kinds, .is_open = true};
    }
}

void sim_platter_done(struct sim_machine *machine, uint64_t token)
{
    for (uint32_t i = 0; machine->world->reach && i < SIM_ASKED_MAX; i++) {
        struct sim_asked *asked = &machine->asked[i];
        if (asked->is_open && asked->token == token) {
            asked->is_open = false;
            (void)pass(machine, SIM_POINT_AFTER, asked->verb, asked->kinds, NULL);
            return;
        }
    }
}

static enum disk_status platter_list(void *context, const char *directory,
                                     void (*visit)(void *visitor, const char *name), void *visitor)
{
    struct sim_machine *machine = context;
    return sim_disk_list(machine->disk, directory, visit, visitor);
}

static enum disk_status platter_open(void *context, const char *name, disk_file *file, uint64_t *size_bytes)
{
    struct sim_machine *machine = context;
    return sim_disk_open(machine->disk, name, file, size_bytes);
}

static enum disk_status platter_read(void *context, disk_file file, uint64_t offset, void *bytes, size_t size,
                                     size_t *got)
{
    struct sim_machine *machine = context;
    uint64_t kinds = sim_point_record(DISK_OTHER, sim_disk_name(machine->disk, file));
    (void)pass(machine, SIM_POINT_BEFORE, SIM_VERB_READ, kinds, NULL);
    enum disk_status status = sim_disk_read(machine->disk, file, offset, bytes, size, got);
    (void)pass(machine, SIM_POINT_AFTER, SIM_VERB_READ, kinds, NULL);
    return status;
}

static void platter_close(void *context, disk_file file)
{
    struct sim_machine *machine = context;
    sim_disk_close(machine->disk, file);
}

static disk_file platter_create(void *context, uint64_t token, const char *name)
{
    struct sim_machine *machine = context;
    disk_file file = sim_disk_reserve(machine->disk);
    if (machine->doom == SIM_DOOM_NONE) {
        sim_disk_create(machine->disk, token, file, name);
        *pending_of(machine, file) = sim_point_record(DISK_OTHER, name);
    }
    return file;
}

static void platter_append(void *context, uint64_t token, disk_file file, struct base_bytes bytes,
                           const struct disk_tag *tags, uint32_t tag_count)
{
    struct sim_machine *machine = context;
    uint64_t kinds =
        machine->world->reach ? kinds_of(sim_disk_name(machine->disk, file), tags, tag_count) : 0;
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_APPEND, kinds,
             tag_count > 0 ? &tags[tag_count - 1] : NULL)) {
        *pending_of(machine, file) |= kinds;
        expect_done(machine, token, SIM_VERB_APPEND, kinds);
        sim_disk_append(machine->disk, token, file, bytes, tags, tag_count);
    }
}

static void platter_write(void *context, uint64_t token, disk_file file, uint64_t offset,
                          struct base_bytes bytes, const struct disk_tag *tags, uint32_t tag_count)
{
    struct sim_machine *machine = context;
    uint64_t kinds =
        machine->world->reach ? kinds_of(sim_disk_name(machine->disk, file), tags, tag_count) : 0;
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_WRITE, kinds, tag_count > 0 ? &tags[tag_count - 1] : NULL)) {
        *pending_of(machine, file) |= kinds;
        expect_done(machine, token, SIM_VERB_WRITE, kinds);
        sim_disk_write(machine->disk, token, file, offset, bytes, tags, tag_count);
    }
}

static void platter_truncate(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    struct sim_machine *machine = context;
    if (machine->doom == SIM_DOOM_NONE) {
        sim_disk_truncate(machine->disk, token, file, size_bytes);
    }
}

static void platter_allocate(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    struct sim_machine *machine = context;
    if (machine->doom == SIM_DOOM_NONE) {
        sim_disk_allocate(machine->disk, token, file, size_bytes);
    }
}

static void platter_sync(void *context, uint64_t token, disk_file file)
{
    struct sim_machine *machine = context;
    uint64_t kinds =
        *pending_of(machine, file) | sim_point_record(DISK_OTHER, sim_disk_name(machine->disk, file));
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_SYNC, kinds, NULL)) {
        *pending_of(machine, file) = 0;
        expect_done(machine, token, SIM_VERB_SYNC, kinds);
        sim_disk_sync(machine->disk, token, file);
    }
}

static void platter_rename(void *context, uint64_t token, const char *from, const char *to)
{
    struct sim_machine *machine = context;
    uint64_t kinds = sim_point_record(DISK_OTHER, to);
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_RENAME, kinds, NULL)) {
        expect_done(machine, token, SIM_VERB_RENAME, kinds);
        sim_disk_rename(machine->disk, token, from, to);
    }
}

static void platter_remove(void *context, uint64_t token, const char *name)
{
    struct sim_machine *machine = context;
    uint64_t kinds = sim_point_record(DISK_OTHER, name);
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_REMOVE, kinds, NULL)) {
        expect_done(machine, token, SIM_VERB_REMOVE, kinds);
        sim_disk_remove(machine->disk, token, name);
    }
}

static void platter_sync_directory(void *context, uint64_t token, const char *directory)
{
    struct sim_machine *machine = context;
    if (pass(machine, SIM_POINT_BEFORE, SIM_VERB_SYNCDIR, 0, NULL)) {
        expect_done(machine, token, SIM_VERB_SYNCDIR, 0);
        sim_disk_sync_directory(machine->disk, token, directory);
    }
}

void sim_platter_init(struct sim_machine *machine)
{
    machine->platter = (struct disk){
        .context = machine,
        .list = platter_list,
        .open = platter_open,
        .read = platter_read,
        .close = platter_close,
        .create = platter_create,
        .append = platter_append,
        .write = platter_write,
        .truncate = platter_truncate,
        .allocate = platter_allocate,
        .sync = platter_sync,
        .rename = platter_rename,
        .remove = platter_remove,
        .sync_directory = platter_sync_directory,
    };
    memset(machine->unsynced, 0, sizeof machine->unsynced);
    memset(machine->asked, 0, sizeof machine->asked);
}
