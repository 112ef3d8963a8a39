/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk_state.h"

#include <assert.h>
#include <stdlib.h>

/* Buffers up to here are kept from seed to seed. */
#define KEPT_BYTES_MAX (UINT64_C(1) << 20)

static void check(const struct disk_inode *inode)
{
    assert(inode->reference_count > 0);
    assert(inode->size <= inode->capacity);
    assert(inode->change_count > 0 || inode->saved_size == 0);
    assert(inode->change_count > 0 || inode->tag_count == 0);
}

void *sim_disk_grow(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    if (count <= *capacity) {
        return array;
    }
    uint32_t more = *capacity == 0 ? 8 : *capacity * 2;
    while (more < count) {
        more *= 2;
    }
    array = realloc(array, more * size);
    if (!array) {
        abort();
    }
    *capacity = more;
    return array;
}

static uint8_t *grow_bytes(uint8_t *bytes, uint64_t *capacity, uint64_t size)
{
    if (size <= *capacity) {
        return bytes;
    }
    uint64_t more = *capacity == 0 ? 4096 : *capacity * 2;
    while (more < size) {
        more *= 2;
    }
    bytes = realloc(bytes, more);
    if (!bytes) {
        abort();
    }
    *capacity = more;
    return bytes;
}

/* --- inodes --- */

static void forget_changes(struct disk_inode *inode)
{
    inode->change_first += inode->change_count;
    inode->change_count = 0;
    inode->saved_size = 0;
    inode->tag_count = 0;
}

uint32_t sim_disk_inode_new(struct sim_disk *disk)
{
    uint32_t slot = 0;
    while (slot < disk->inode_count && disk->inodes[slot].reference_count > 0) {
        slot++;
    }
    if (slot == disk->inode_count) {
        uint32_t capacity = disk->inode_capacity;
        disk->inodes = sim_disk_grow(disk->inodes, &disk->inode_capacity, slot + 1, sizeof disk->inodes[0]);
        memset(disk->inodes + capacity, 0, (disk->inode_capacity - capacity) * sizeof disk->inodes[0]);
        disk->inode_count++;
    }
    struct disk_inode *inode = &disk->inodes[slot];
    forget_changes(inode);
    inode->change_first = 0;
    inode->reference_count = 1;
    inode->open_count = 0;
    inode->has_failed = false;
    inode->size = 0;
    inode->allocated = 0;
    return slot;
}

void sim_disk_inode_keep(struct sim_disk *disk, uint32_t slot)
{
    assert(slot < disk->inode_count);
    assert(disk->inodes[slot].reference_count > 0);
    disk->inodes[slot].reference_count++;
}

void sim_disk_inode_drop(struct sim_disk *disk, uint32_t slot)
{
    assert(slot < disk->inode_count);
    struct disk_inode *inode = &disk->inodes[slot];
    check(inode);
    inode->reference_count--;
    if (inode->reference_count > 0) {
        return;
    }
    assert(inode->open_count == 0);
    disk->used_bytes -= sim_disk_file_used_bytes(inode);
    inode->size = 0;
    inode->allocated = 0;
    forget_changes(inode);
    if (inode->capacity > KEPT_BYTES_MAX) {
        free(inode->data);
        inode->data = NULL;
        inode->capacity = 0;
    }
}

struct disk_inode *sim_disk_inode_of(struct sim_disk *disk, disk_file file)
{
    assert(file > 0);
    assert(file <= disk->inode_count);
    struct disk_inode *inode = &disk->inodes[file - 1];
    assert(inode->open_count > 0);
    check(inode);
    return inode;
}

/* --- changes --- */

uint64_t sim_disk_file_used_bytes(const struct disk_inode *inode)
{
    return inode->size > inode->allocated ? inode->size : inode->allocated;
}

static void set_space(struct sim_disk *disk, struct disk_inode *inode, uint64_t size, uint64_t allocated)
{
    assert(disk->used_bytes >= sim_disk_file_used_bytes(inode));
    disk->used_bytes -= sim_disk_file_used_bytes(inode);
    inode->size = size;
    inode->allocated = allocated;
    disk->used_bytes += sim_disk_file_used_bytes(inode);
}

static void set_size(struct sim_disk *disk, struct disk_inode *inode, uint64_t size)
{
    set_space(disk, inode, size, inode->allocated);
}

void sim_disk_file_allocate(struct sim_disk *disk, struct disk_inode *inode, uint64_t allocated)
{
    check(inode);
    set_space(disk, inode, inode->size, allocated);
}

static struct disk_change *add_change(struct disk_inode *inode, uint64_t saved_from)
{
    inode->changes = sim_disk_grow(inode->changes, &inode->change_capacity, inode->change_count + 1,
                                   sizeof inode->changes[0]);
    struct disk_change *change = &inode->changes[inode->change_count++];
    *change = (struct disk_change){
        .offset = saved_from,
        .saved_at = inode->saved_size,
        .size_before = inode->size,
        .tag_end = inode->tag_count,
    };
    return change;
}

static void save(struct disk_inode *inode, struct disk_change *change, uint64_t size)
{
    assert(size <= UINT32_MAX);
    if (size == 0) {
        return;
    }
    inode->saved = grow_bytes(inode->saved, &inode->saved_capacity, inode->saved_size + size);
    memcpy(inode->saved + inode->saved_size, inode->data + change->offset, size);
    inode->saved_size += size;
    change->saved_size = (uint32_t)size;
}

/* Bytes at `offset`, with zeros up to there where the file was shorter. */
static void put(struct sim_disk *disk, struct disk_inode *inode, uint64_t offset, const uint8_t *bytes,
                uint64_t size)
{
    uint64_t end = offset + size;
    if (end > inode->size) {
        inode->data = grow_bytes(inode->data, &inode->capacity, end);
        if (offset > inode->size) {
            memset(inode->data + inode->size, 0, offset - inode->size);
        }
        set_size(disk, inode, end);
    }
    if (size > 0) {
        memcpy(inode->data + offset, bytes, size);
    }
}

static void cut(struct sim_disk *disk, struct disk_inode *inode, uint64_t size)
{
    if (size > inode->size) {
        inode->data = grow_bytes(inode->data, &inode->capacity, size);
        memset(inode->data + inode->size, 0, size - inode->size);
    }
    set_size(disk, inode, size);
}

void sim_disk_file_write(struct sim_disk *disk, struct disk_inode *inode, uint64_t offset,
                         struct base_bytes bytes, uint64_t misdirect)
{
    check(inode);
    struct disk_change *change = add_change(inode, offset);
    change->kind = DISK_CHANGE_WRITE;
    change->size = bytes.size;
    change->misdirect = misdirect;
    if (offset < inode->size) {
        uint64_t left = inode->size - offset;
        save(inode, change, left < bytes.size ? left : bytes.size);
    }
    put(disk, inode, offset, bytes.data, bytes.size);
}

void sim_disk_file_truncate(struct sim_disk *disk, struct disk_inode *inode, uint64_t size)
{
    check(inode);
    struct disk_change *change = add_change(inode, size);
    change->kind = DISK_CHANGE_TRUNCATE;
    if (size < inode->size) {
        save(inode, change, inode->size - size);
    }
    cut(disk, inode, size);
}

void sim_disk_file_tag(struct disk_inode *inode, const struct disk_tag *tags, uint32_t tag_count)
{
    assert(inode->change_count > 0);
    if (tag_count == 0) {
        return;
    }
    inode->tags =
        sim_disk_grow(inode->tags, &inode->tag_capacity, inode->tag_count + tag_count, sizeof inode->tags[0]);
    memcpy(inode->tags + inode->tag_count, tags, tag_count * sizeof tags[0]);
    inode->tag_count += tag_count;
    inode->changes[inode->change_count - 1].tag_end = inode->tag_count;
}

uint64_t sim_disk_file_durable_bytes(const struct disk_inode *inode)
{
    uint64_t durable = inode->size;
    for (uint32_t i = 0; i < inode->change_count; i++) {
        const struct disk_change *change = &inode->changes[i];
        durable = change->offset < durable ? change->offset : durable;
        durable = change->size_before < durable ? change->size_before : durable;
    }
    return durable;
}

/* --- on to the medium --- */

static void tell_durable(const struct sim_disk *disk, const struct disk_inode *inode, uint32_t tag_count)
{
    for (uint32_t i = 0; disk->host->durable && i < tag_count; i++) {
        disk->host->durable(disk->host->context, &inode->tags[i]);
    }
}

/* The first `count` changes need no undoing any more. */
static void drop_changes(struct disk_inode *inode, uint32_t count)
{
    if (count == inode->change_count) {
        forget_changes(inode);
        return;
    }
    uint32_t tag_base = inode->changes[count - 1].tag_end;
    uint64_t saved_base = inode->changes[count].saved_at;
    inode->change_first += count;
    inode->change_count -= count;
    memmove(inode->changes, inode->changes + count, inode->change_count * sizeof inode->changes[0]);
    for (uint32_t i = 0; i < inode->change_count; i++) {
        inode->changes[i].saved_at -= saved_base;
        inode->changes[i].tag_end -= tag_base;
    }
    inode->saved_size -= saved_base;
    if (inode->saved_size > 0) {
        memmove(inode->saved, inode->saved + saved_base, inode->saved_size);
    }
    inode->tag_count -= tag_base;
    if (inode->tag_count > 0) {
        memmove(inode->tags, inode->tags + tag_base, inode->tag_count * sizeof inode->tags[0]);
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One sector of a change lands on another one of the disk, and what it should have
 * replaced is still there. The page cache is dropped: it shows what the medium has. */
static void misdirect(struct sim_disk *disk, struct disk_inode *inode, const struct disk_change *change)
{
    struct sim_random random;
    sim_random_init(&random, change->misdirect, 0, 0, SIM_FOR_DISK);
    uint64_t sector = sim_random_between(&random, change->offset / DISK_SECTOR_BYTES,
                                         (change->offset + change->size - 1) / DISK_SECTOR_BYTES);
    uint64_t slot = sim_random_below(&random, disk->inode_count);
    struct disk_inode *victim = &disk->inodes[slot];
    uint64_t durable = sim_disk_file_durable_bytes(victim);
    uint64_t place = sim_random_below(&random, durable / DISK_SECTOR_BYTES + 1) * DISK_SECTOR_BYTES;

    uint64_t from = sector * DISK_SECTOR_BYTES < change->offset ? change->offset : sector * DISK_SECTOR_BYTES;
    uint64_t end = least(least((sector + 1) * DISK_SECTOR_BYTES, change->offset + change->size), inode->size);
    if (from >= end) {
        return; /* Truncated since. */
    }
    uint8_t bytes[DISK_SECTOR_BYTES];
    memcpy(bytes, inode->data + from, end - from);
    for (uint64_t at = from; at < end; at++) {
        uint64_t back = at - change->offset;
        inode->data[at] = back < change->saved_size ? inode->saved[change->saved_at + back] : 0;
    }
    if (place < durable) {
        memcpy(victim->data + place, bytes, least(end - from, durable - place));
    }
}

void sim_disk_file_synced(struct sim_disk *disk, struct disk_inode *inode, uint64_t upto)
{
    check(inode);
    if (upto <= inode->change_first) {
        return;
    }
    uint32_t count = (uint32_t)(upto - inode->change_first);
    assert(count <= inode->change_count);
    for (uint32_t i = 0; i < count; i++) {
        if (inode->changes[i].misdirect != 0 && inode->changes[i].size > 0) {
            misdirect(disk, inode, &inode->changes[i]);
        }
    }
    tell_durable(disk, inode, inode->changes[count - 1].tag_end);
    drop_changes(inode, count);
    check(inode);
}

/* --- loss --- */

/* How much of one change gets through. */
enum survival { SURVIVES, IS_LOST, SURVIVES_TO, SURVIVES_BY_SECTOR, SURVIVAL_COUNT };

/* One file while its changes are undone and partly done again. */
struct loss {
    struct sim_disk *disk;
    struct disk_inode *inode;
    struct sim_random *random;
    uint8_t *again;     /* The bytes of all changes, in order. */
    uint64_t *again_at; /* Where each one's begin. */
    uint8_t *is_dead;   /* By sector from first_sector: an older state stays. */
    uint64_t first_sector;
    uint32_t size_count; /* So many changes have their size on the medium. */
};

static void *allocate(uint64_t size)
{
    void *memory = calloc(1, size + 1);
    if (!memory) {
        abort();
    }
    return memory;
}

/* Undo all changes, newest first, keeping what they had written. */
static void undo_all(struct loss *loss)
{
    struct disk_inode *inode = loss->inode;
    for (uint32_t i = inode->change_count; i-- > 0;) {
        const struct disk_change *change = &inode->changes[i];
        if (change->size > 0) {
            memcpy(loss->again + loss->again_at[i], inode->data + change->offset, change->size);
        }
        cut(loss->disk, inode, change->size_before);
        if (change->saved_size > 0) {
            memcpy(inode->data + change->offset, inode->saved + change->saved_at, change->saved_size);
        }
    }
}

/* Does the sector get what change `i` wrote? Once it did not, it stays behind: a
 * sector on the medium shows the file as it was at one instant. */
static bool sector_survives(struct loss *loss, uint64_t sector, enum survival survival, uint64_t sector_cut)
{
    uint8_t *is_dead = &loss->is_dead[sector - loss->first_sector];
    bool survives = survival == SURVIVES || (survival == SURVIVES_TO && sector < sector_cut);
    if (survival == SURVIVES_BY_SECTOR) {
        survives = sim_random_below(loss->random, 2) == 0;
    }
    if (!survives) {
        *is_dead = 1;
    }
    return *is_dead == 0;
}

/* Do one change again as far as it survives; true when all of it does. The file
 * may be longer meanwhile than its size on the medium says: see settle_size. */
static bool redo_part(struct loss *loss, uint32_t i, enum survival survival)
{
    const struct disk_change *change = &loss->inode->changes[i];
    if (change->kind == DISK_CHANGE_TRUNCATE) {
        if (i < loss->size_count) {
            cut(loss->disk, loss->inode, change->offset);
        }
        return i < loss->size_count;
    }
    bool all = i < loss->size_count || change->offset + change->size <= change->size_before;
    if (change->size == 0) {
        return all;
    }
    uint64_t first = change->offset / DISK_SECTOR_BYTES;
    uint64_t last = (change->offset + change->size - 1) / DISK_SECTOR_BYTES;
    uint64_t sector_cut = sim_random_between(loss->random, first, last + 1);
    for (uint64_t sector = first; sector <= last; sector++) {
        if (!sector_survives(loss, sector, survival, sector_cut)) {
            all = false;
            continue;
        }
        uint64_t from = sector == first ? change->offset : sector * DISK_SECTOR_BYTES;
        uint64_t end = least((sector + 1) * DISK_SECTOR_BYTES, change->offset + change->size);
        put(loss->disk, loss->inode, from, loss->again + loss->again_at[i] + (from - change->offset),
            end - from);
    }
    return all;
}

/* The size after the first size_count of `count` changes. */
static uint64_t size_on_medium(const struct loss *loss, uint64_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < loss->size_count; i++) {
        const struct disk_change *change = &loss->inode->changes[i];
        uint64_t end = change->offset + change->size;
        size = change->kind == DISK_CHANGE_TRUNCATE || end > size ? end : size;
    }
    return size;
}

/* Which changes survive is drawn for the file first (none, all, or each for
 * itself), then for each change. Answers how many of the first survive whole. */
static uint32_t redo_some(struct loss *loss, uint32_t slot, uint32_t count)
{
    uint64_t of_file = sim_random_below(loss->random, 8);
    uint64_t size_count = sim_random_below(loss->random, (uint64_t)count + 1);
    loss->size_count = of_file < 2 ? 0 : of_file == 2 ? count : (uint32_t)size_count;
    uint64_t size = size_on_medium(loss, loss->inode->size, count);
    uint32_t whole = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t of_change = sim_random_below(loss->random, SURVIVAL_COUNT);
        enum survival survival = of_file < 2 ? IS_LOST : of_file == 2 ? SURVIVES : (enum survival)of_change;
        bool all = redo_part(loss, i, survival);
        if (all && whole == i) {
            whole++;
        }
        const struct disk_change *change = &loss->inode->changes[i];
        if (!all && loss->disk->host->lost) {
            loss->disk->host->lost(loss->disk->host->context, slot + 1, change->offset, change->size);
        }
    }
    cut(loss->disk, loss->inode, size);
    return whole;
}

static void prepare(struct loss *loss)
{
    struct disk_inode *inode = loss->inode;
    uint64_t bytes = 0;
    uint64_t end = 0;
    uint64_t start = UINT64_MAX;
    loss->again_at = allocate(inode->change_count * sizeof loss->again_at[0]);
    for (uint32_t i = 0; i < inode->change_count; i++) {
        const struct disk_change *change = &inode->changes[i];
        loss->again_at[i] = bytes;
        bytes += change->size;
        start = least(start, change->offset);
        end = change->offset + change->size > end ? change->offset + change->size : end;
    }
    loss->again = allocate(bytes);
    loss->first_sector = start / DISK_SECTOR_BYTES;
    loss->is_dead = allocate(end / DISK_SECTOR_BYTES - loss->first_sector + 1);
}

/* Changes that were asked after the failed sync happen again on what is left. */
static void redo_later(struct loss *loss, uint32_t first)
{
    struct disk_inode *inode = loss->inode;
    uint32_t count = inode->change_count - first;
    struct disk_change *changes = allocate(count * sizeof changes[0]);
    memcpy(changes, inode->changes + first, count * sizeof changes[0]);
    uint32_t tag_base = first > 0 ? inode->changes[first - 1].tag_end : 0;
    uint32_t tag_count = inode->tag_count - tag_base;
    struct disk_tag *tags = allocate(tag_count * sizeof tags[0]);
    memcpy(tags, inode->tags + tag_base, tag_count * sizeof tags[0]);
    forget_changes(inode);
    inode->change_first -= count;
    uint32_t tag_at = tag_base;
    for (uint32_t i = 0; i < count; i++) {
        if (changes[i].kind == DISK_CHANGE_TRUNCATE) {
            sim_disk_file_truncate(loss->disk, inode, changes[i].offset);
        } else {
            struct base_bytes bytes = {loss->again + loss->again_at[first + i], changes[i].size};
            sim_disk_file_write(loss->disk, inode, changes[i].offset, bytes, changes[i].misdirect);
        }
        sim_disk_file_tag(inode, tags + (tag_at - tag_base), changes[i].tag_end - tag_at);
        tag_at = changes[i].tag_end;
    }
    free(tags);
    free(changes);
}

void sim_disk_file_lose(struct sim_disk *disk, uint32_t slot, uint64_t upto, struct sim_random *random)
{
    struct disk_inode *inode = &disk->inodes[slot];
    check(inode);
    if (upto <= inode->change_first) {
        return;
    }
    uint32_t count = (uint32_t)(upto - inode->change_first);
    assert(count <= inode->change_count);
    struct loss loss = {.disk = disk, .inode = inode, .random = random};
    prepare(&loss);
    undo_all(&loss);
    uint32_t whole = redo_some(&loss, slot, count);
    uint32_t survivors = whole > 0 ? inode->changes[whole - 1].tag_end : 0;
    for (uint32_t i = 0; disk->host->survived && i < survivors; i++) {
        disk->host->survived(disk->host->context, &inode->tags[i]);
    }
    if (count < inode->change_count) {
        redo_later(&loss, count);
    } else {
        forget_changes(inode);
    }
    free(loss.again);
    free(loss.again_at);
    free(loss.is_dead);
    check(inode);
}
