/* A disk: fault model, and the device.
 *
 * The device serves one operation after another: each is done its latency after
 * the one before it. What it does to the page cache it does at once, so a process
 * reads what it wrote; a process that dies loses nothing but the answers.
 *
 * A sync puts what was changed before it was asked on the medium at the instant it
 * completes, and not before. A power loss leaves of all else any part:
 *  - of a file's unsynced writes any set of 512-byte sectors, each as it was after
 *    one of the writes to it; a sector is never torn. The size is that after some
 *    number of the changes; where the size survives and the bytes do not, there
 *    are zeros. Synced bytes are never harmed;
 *  - of the unsynced changes of names any part that makes sense alone: a lost
 *    creation loses the file with all that was synced of it, a lost rename leaves
 *    both names as they were, a lost removal brings the file back.
 * A write that fails may have written a prefix; then the file takes no more until
 * it is opened again. A failed sync loses what a power loss might, or nothing, and
 * shows it: the page cache has what the medium has. A full disk takes what fits
 * and refuses the rest; room that was allocated is there even then, and only a
 * power loss takes it back. A read that fails harms nothing. A lying disk answers
 * syncs and does nothing; the first honest sync makes good. Rot flips bits of what
 * is durable; a misdirected write puts a synced sector on another durable one.
 * Neither is ever reported: checksums must find them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk.h"

#include "sim/disk_state.h"

#include <assert.h>
#include <stdlib.h>

enum { PPM_ALL = 1000000 };

static void check(const struct sim_disk *disk)
{
    assert(disk->operation_count <= disk->operation_capacity);
    assert((disk->operation_capacity & (disk->operation_capacity - 1)) == 0);
}

static uint64_t now_ns(const struct sim_disk *disk)
{
    return disk->host->now(disk->host->context);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Two chances from one draw, each of 32 bits. */
static bool upper_chance(uint64_t draw, uint32_t ppm)
{
    return (draw >> 32) * PPM_ALL >> 32 < ppm;
}

static bool lower_chance(uint64_t draw, uint32_t ppm)
{
    return (draw & UINT32_MAX) * PPM_ALL >> 32 < ppm;
}

/* --- operations under way --- */

static struct disk_operation *operation_at(const struct sim_disk *disk, uint32_t place)
{
    assert(place < disk->operation_count);
    return &disk->operations[(disk->operation_head + place) & (disk->operation_capacity - 1)];
}

static void grow_operations(struct sim_disk *disk)
{
    uint32_t capacity = disk->operation_capacity == 0 ? 16 : disk->operation_capacity * 2;
    struct disk_operation *operations = calloc(capacity, sizeof operations[0]);
    if (!operations) {
        abort();
    }
    for (uint32_t i = 0; i < disk->operation_count; i++) {
        operations[i] = *operation_at(disk, i);
    }
    free(disk->operations);
    disk->operations = operations;
    disk->operation_capacity = capacity;
    disk->operation_head = 0;
}

static struct disk_operation *ask(struct sim_disk *disk, uint64_t token, uint64_t latency_ns,
                                  enum disk_status status)
{
    if (disk->operation_count == disk->operation_capacity) {
        grow_operations(disk);
    }
    uint64_t start = later(later(now_ns(disk), disk->free_ns), disk->stalled_ns);
    disk->free_ns = start + latency_ns;
    disk->operation_count++;
    struct disk_operation *operation = operation_at(disk, disk->operation_count - 1);
    *operation = (struct disk_operation){
        .token = token,
        .due_ns = disk->free_ns,
        .status = status,
        .inode = DISK_NO_SLOT,
        .directory = DISK_NO_SLOT,
        .takes_time = latency_ns > 0,
    };
    check(disk);
    return operation;
}

static void ask_write(struct sim_disk *disk, uint64_t token, enum disk_status status)
{
    uint64_t latency = sim_dist_draw(&disk->behaviour.write, disk->random);
    (void)ask(disk, token, latency, status);
}

static struct disk_operation pop_operation(struct sim_disk *disk)
{
    struct disk_operation operation = *operation_at(disk, 0);
    disk->operation_head = (disk->operation_head + 1) & (disk->operation_capacity - 1);
    disk->operation_count--;
    return operation;
}

/* What a sync does to the medium, now that it completes. */
static void finish(struct sim_disk *disk, const struct disk_operation *operation)
{
    if (operation->kind == DISK_OPERATION_OTHER) {
        return;
    }
    disk->syncs++;
    bool is_effective = operation->status == DISK_OK && !operation->is_lie;
    if (operation->kind == DISK_OPERATION_SYNC_DIRECTORY) {
        if (is_effective) {
            sim_disk_names_synced(disk, operation->directory, operation->upto);
        }
        return;
    }
    if (is_effective) {
        sim_disk_file_synced(disk, &disk->inodes[operation->inode], operation->upto);
    } else if (operation->status == DISK_IO_ERROR && (operation->chance & 1) == 1) {
        struct sim_random random;
        sim_random_init(&random, operation->chance, 0, 0, SIM_FOR_DISK);
        sim_disk_file_lose(disk, operation->inode, operation->upto, &random);
    }
}

bool sim_disk_take(struct sim_disk *disk, struct sim_disk_done *out)
{
    uint64_t now = now_ns(disk);
    if (now >= disk->armed_ns) {
        disk->armed_ns = UINT64_MAX;
    }
    if (disk->operation_count == 0 || operation_at(disk, 0)->due_ns > now) {
        return false;
    }
    struct disk_operation operation = pop_operation(disk);
    finish(disk, &operation);
    if (operation.inode != DISK_NO_SLOT) {
        sim_disk_inode_drop(disk, operation.inode);
    }
    *out = (struct sim_disk_done){.token = operation.token, .status = operation.status};
    return true;
}

/* The first operation that takes time answers for those before it; if none does,
 * the last one. */
void sim_disk_settle(struct sim_disk *disk)
{
    if (disk->operation_count == 0) {
        return;
    }
    uint32_t place = 0;
    while (place + 1 < disk->operation_count && !operation_at(disk, place)->takes_time) {
        place++;
    }
    uint64_t due = later(operation_at(disk, place)->due_ns, now_ns(disk));
    if (due < disk->armed_ns) {
        disk->armed_ns = due;
        disk->host->arm(disk->host->context, due);
    }
}

void sim_disk_unstall(struct sim_disk *disk)
{
    uint64_t now = now_ns(disk);
    if (disk->stalled_ns <= now) {
        return;
    }
    uint64_t left = disk->stalled_ns - now;
    disk->stalled_ns = now;
    for (uint32_t i = 0; i < disk->operation_count; i++) {
        struct disk_operation *operation = operation_at(disk, i);
        operation->due_ns -= left; /* All of them wait for the stall's end at least. */
    }
    disk->free_ns -= left;
    sim_disk_settle(disk);
}

void sim_disk_stall(struct sim_disk *disk, uint64_t duration_ns)
{
    uint64_t now = now_ns(disk);
    uint64_t from = later(now, disk->stalled_ns);
    uint64_t until = now + duration_ns;
    if (until <= from) {
        return;
    }
    disk->stalled_ns = until;
    for (uint32_t i = 0; i < disk->operation_count; i++) {
        struct disk_operation *operation = operation_at(disk, i);
        operation->due_ns = later(operation->due_ns, from) + (until - from);
    }
    disk->free_ns = later(disk->free_ns, from) + (until - from);
}

/* --- bytes --- */

enum disk_status sim_disk_open(struct sim_disk *disk, const char *name, disk_file *file, uint64_t *size_bytes)
{
    uint32_t slot = sim_disk_name_find(disk, name);
    if (slot == DISK_NO_SLOT) {
        return DISK_NOT_FOUND;
    }
    sim_disk_inode_keep(disk, slot);
    disk->inodes[slot].open_count++;
    disk->inodes[slot].has_failed = false;
    *file = slot + 1;
    *size_bytes = disk->inodes[slot].size;
    return DISK_OK;
}

enum disk_status sim_disk_read(struct sim_disk *disk, disk_file file, uint64_t offset, void *bytes,
                               size_t size, size_t *got)
{
    const struct disk_inode *inode = sim_disk_inode_of(disk, file);
    bool fails = sim_random_ppm(disk->random, disk->behaviour.read_error_ppm);
    if (fails) {
        return DISK_IO_ERROR;
    }
    uint64_t left = offset < inode->size ? inode->size - offset : 0;
    *got = left < size ? (size_t)left : size;
    if (*got > 0) {
        memcpy(bytes, inode->data + offset, *got);
    }
    return DISK_OK;
}

void sim_disk_close(struct sim_disk *disk, disk_file file)
{
    sim_disk_inode_of(disk, file)->open_count--;
    sim_disk_inode_drop(disk, file - 1);
}

disk_file sim_disk_reserve(struct sim_disk *disk)
{
    uint32_t slot = sim_disk_inode_new(disk);
    disk->inodes[slot].open_count = 1;
    return slot + 1;
}

/* How far a failing write of `size` bytes gets. */
static size_t partial(uint64_t draw, size_t size)
{
    struct sim_random random;
    sim_random_init(&random, draw, 0, 0, SIM_FOR_DISK);
    return (size_t)sim_random_below(&random, (uint64_t)size + 1);
}

void sim_disk_write(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t offset,
                    struct base_bytes bytes, const struct disk_tag *tags, uint32_t tag_count)
{
    struct disk_inode *inode = sim_disk_inode_of(disk, file);
    const struct sim_disk_behaviour *behaviour = &disk->behaviour;
    uint64_t draw = sim_random_u64(disk->random);
    bool fails = upper_chance(draw, behaviour->write_error_ppm) || inode->has_failed;
    bool goes_astray = lower_chance(draw, behaviour->misdirect_ppm);
    uint64_t end = offset + bytes.size;
    uint64_t held = sim_disk_file_used_bytes(inode);
    uint64_t more = end > held ? end - held : 0;
    bool is_full = behaviour->full_bytes > 0 && more > 0 && disk->used_bytes + more > behaviour->full_bytes;
    if (!fails && !is_full) {
        sim_disk_file_write(disk, inode, offset, bytes, goes_astray ? draw : 0);
        sim_disk_file_tag(inode, tags, tag_count);
        for (uint32_t i = 0; disk->host->written && i < tag_count; i++) {
            disk->host->written(disk->host->context, &tags[i]);
        }
        ask_write(disk, token, DISK_OK);
        return;
    }
    if (!inode->has_failed) {
        uint64_t lacking = is_full ? disk->used_bytes + more - behaviour->full_bytes : 0;
        size_t fitting = lacking < bytes.size ? bytes.size - (size_t)lacking : 0;
        size_t size = fails ? partial(draw, fitting) : fitting;
        if (size > 0) {
            sim_disk_file_write(disk, inode, offset, (struct base_bytes){bytes.data, size}, 0);
        }
    }
    ask_write(disk, token, fails ? DISK_IO_ERROR : DISK_FULL);
    inode->has_failed = true;
}

void sim_disk_append(struct sim_disk *disk, uint64_t token, disk_file file, struct base_bytes bytes,
                     const struct disk_tag *tags, uint32_t tag_count)
{
    sim_disk_write(disk, token, file, sim_disk_inode_of(disk, file)->size, bytes, tags, tag_count);
}

void sim_disk_truncate(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t size_bytes)
{
    struct disk_inode *inode = sim_disk_inode_of(disk, file);
    uint64_t draw = sim_random_u64(disk->random);
    bool fails = upper_chance(draw, disk->behaviour.write_error_ppm) || inode->has_failed;
    if (fails) {
        inode->has_failed = true;
    } else {
        sim_disk_file_truncate(disk, inode, size_bytes);
    }
    ask_write(disk, token, fails ? DISK_IO_ERROR : DISK_OK);
}

void sim_disk_allocate(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t size_bytes)
{
    struct disk_inode *inode = sim_disk_inode_of(disk, file);
    uint64_t draw = sim_random_u64(disk->random);
    bool fails = upper_chance(draw, disk->behaviour.write_error_ppm) || inode->has_failed;
    uint64_t held = sim_disk_file_used_bytes(inode);
    uint64_t more = size_bytes > held ? size_bytes - held : 0;
    uint64_t full = disk->behaviour.full_bytes;
    bool is_full = full > 0 && more > 0 && disk->used_bytes + more > full;
    if (!fails && !is_full) {
        sim_disk_file_allocate(disk, inode, size_bytes);
    }
    ask_write(disk, token, fails ? DISK_IO_ERROR : is_full ? DISK_FULL : DISK_OK);
}

/* A sync of whatever kind; the caller fills in of what. */
static struct disk_operation *ask_sync(struct sim_disk *disk, uint64_t token)
{
    uint64_t chance = sim_random_u64(disk->random);
    uint64_t latency = sim_dist_draw(&disk->behaviour.sync, disk->random);
    bool fails = upper_chance(chance, disk->behaviour.sync_error_ppm);
    struct disk_operation *operation = ask(disk, token, latency, fails ? DISK_IO_ERROR : DISK_OK);
    operation->chance = chance;
    operation->is_lie = disk->behaviour.is_lying;
    return operation;
}

void sim_disk_sync(struct sim_disk *disk, uint64_t token, disk_file file)
{
    const struct disk_inode *inode = sim_disk_inode_of(disk, file);
    struct disk_operation *operation = ask_sync(disk, token);
    operation->kind = DISK_OPERATION_SYNC;
    operation->inode = file - 1;
    operation->upto = inode->change_first + inode->change_count;
    sim_disk_inode_keep(disk, file - 1);
}

/* --- names --- */

enum disk_status sim_disk_list(struct sim_disk *disk, const char *directory,
                               void (*visit)(void *visitor, const char *name), void *visitor)
{
    size_t length = strlen(directory);
    if (length > 0 && sim_disk_directory_find(disk, directory) == DISK_NO_SLOT) {
        return DISK_NOT_FOUND;
    }
    for (uint32_t i = 0; i < disk->name_count; i++) {
        const char *bare = disk->names[i].text;
        if (length > 0) {
            if (strncmp(bare, directory, length) != 0 || bare[length] != '/') {
                continue;
            }
            bare += length + 1;
        }
        if (!strchr(bare, '/')) {
            visit(visitor, bare);
        }
    }
    return DISK_OK;
}

/* Creation, renaming and removal all fail like writes, and then do nothing. */
static bool name_fails(struct sim_disk *disk)
{
    uint64_t draw = sim_random_u64(disk->random);
    return upper_chance(draw, disk->behaviour.write_error_ppm);
}

void sim_disk_create(struct sim_disk *disk, uint64_t token, disk_file file, const char *name)
{
    struct disk_inode *inode = sim_disk_inode_of(disk, file);
    enum disk_status status = DISK_OK;
    bool fails = name_fails(disk);
    if (fails) {
        status = DISK_IO_ERROR;
    } else if (sim_disk_name_find(disk, name) != DISK_NO_SLOT) {
        status = DISK_EXISTS;
    } else {
        sim_disk_name_create(disk, name, file - 1);
    }
    inode->has_failed = inode->has_failed || status != DISK_OK;
    ask_write(disk, token, status);
}

void sim_disk_rename(struct sim_disk *disk, uint64_t token, const char *from, const char *to)
{
    bool fails = name_fails(disk);
    bool is_there = sim_disk_name_find(disk, from) != DISK_NO_SLOT;
    if (is_there && !fails) {
        sim_disk_name_rename(disk, from, to);
    }
    ask_write(disk, token, fails ? DISK_IO_ERROR : is_there ? DISK_OK : DISK_NOT_FOUND);
}

void sim_disk_remove(struct sim_disk *disk, uint64_t token, const char *name)
{
    bool fails = name_fails(disk);
    bool is_there = sim_disk_name_find(disk, name) != DISK_NO_SLOT;
    if (is_there && !fails) {
        sim_disk_name_remove(disk, name);
    }
    ask_write(disk, token, fails ? DISK_IO_ERROR : is_there ? DISK_OK : DISK_NOT_FOUND);
}

void sim_disk_sync_directory(struct sim_disk *disk, uint64_t token, const char *directory)
{
    struct disk_operation *operation = ask_sync(disk, token);
    operation->directory = sim_disk_directory_find(disk, directory);
    operation->upto = disk->name_change_next;
    if (operation->directory == DISK_NO_SLOT) {
        operation->status = DISK_NOT_FOUND;
        return;
    }
    operation->kind = DISK_OPERATION_SYNC_DIRECTORY;
}

/* --- the table --- */

static enum disk_status table_list(void *context, const char *directory,
                                   void (*visit)(void *visitor, const char *name), void *visitor)
{
    return sim_disk_list(context, directory, visit, visitor);
}

static enum disk_status table_open(void *context, const char *name, disk_file *file, uint64_t *size_bytes)
{
    return sim_disk_open(context, name, file, size_bytes);
}

static enum disk_status table_read(void *context, disk_file file, uint64_t offset, void *bytes, size_t size,
                                   size_t *got)
{
    return sim_disk_read(context, file, offset, bytes, size, got);
}

static void table_close(void *context, disk_file file)
{
    sim_disk_close(context, file);
}

static disk_file table_create(void *context, uint64_t token, const char *name)
{
    disk_file file = sim_disk_reserve(context);
    sim_disk_create(context, token, file, name);
    return file;
}

static void table_append(void *context, uint64_t token, disk_file file, struct base_bytes bytes,
                         const struct disk_tag *tags, uint32_t tag_count)
{
    sim_disk_append(context, token, file, bytes, tags, tag_count);
}

static void table_write(void *context, uint64_t token, disk_file file, uint64_t offset,
                        struct base_bytes bytes, const struct disk_tag *tags, uint32_t tag_count)
{
    sim_disk_write(context, token, file, offset, bytes, tags, tag_count);
}

static void table_truncate(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    sim_disk_truncate(context, token, file, size_bytes);
}

static void table_allocate(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    sim_disk_allocate(context, token, file, size_bytes);
}

static void table_sync(void *context, uint64_t token, disk_file file)
{
    sim_disk_sync(context, token, file);
}

static void table_rename(void *context, uint64_t token, const char *from, const char *to)
{
    sim_disk_rename(context, token, from, to);
}

static void table_remove(void *context, uint64_t token, const char *name)
{
    sim_disk_remove(context, token, name);
}

static void table_sync_directory(void *context, uint64_t token, const char *directory)
{
    sim_disk_sync_directory(context, token, directory);
}

const struct disk *sim_disk_table(struct sim_disk *disk)
{
    disk->table = (struct disk){
        .context = disk,
        .list = table_list,
        .open = table_open,
        .read = table_read,
        .close = table_close,
        .create = table_create,
        .append = table_append,
        .write = table_write,
        .truncate = table_truncate,
        .allocate = table_allocate,
        .sync = table_sync,
        .rename = table_rename,
        .remove = table_remove,
        .sync_directory = table_sync_directory,
    };
    return &disk->table;
}

/* --- numbers --- */

void sim_disk_behave(struct sim_disk *disk, const struct sim_disk_behaviour *behaviour)
{
    disk->behaviour = *behaviour;
}

const struct sim_disk_behaviour *sim_disk_behaviour(const struct sim_disk *disk)
{
    return &disk->behaviour;
}

uint64_t sim_disk_used_bytes(const struct sim_disk *disk)
{
    return disk->used_bytes;
}

uint64_t sim_disk_unsynced_bytes(const struct sim_disk *disk)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < disk->inode_count; i++) {
        const struct disk_inode *inode = &disk->inodes[i];
        for (uint32_t k = 0; k < inode->change_count; k++) {
            bytes += inode->changes[k].size;
        }
    }
    return bytes;
}

uint64_t sim_disk_syncs(const struct sim_disk *disk)
{
    return disk->syncs;
}

bool sim_disk_is_busy(const struct sim_disk *disk)
{
    return disk->operation_count > 0;
}

const char *sim_disk_name(const struct sim_disk *disk, disk_file file)
{
    for (uint32_t i = 0; i < disk->name_count; i++) {
        if (disk->names[i].inode + 1 == file) {
            return disk->names[i].text;
        }
    }
    return "";
}
