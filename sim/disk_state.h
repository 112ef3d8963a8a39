/* The inside of a disk, shared by its files: disk.c is the device, disk_file.c the
 * bytes, disk_name.c the names, disk_fault.c what happens to all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_DISK_STATE_H
#define SIM_DISK_STATE_H

#include "sim/disk.h"

enum {
    DISK_SECTOR_BYTES = 512, /* Written whole or not at all. */
    DISK_NAME_MAX = 96       /* With its terminator. */
};

enum disk_change_kind { DISK_CHANGE_WRITE, DISK_CHANGE_TRUNCATE };

/* What was done to a file since its last sync, with what it takes to undo it. */
struct disk_change {
    enum disk_change_kind kind;
    uint32_t saved_size;  /* Old bytes from `offset` on, in the file's `saved`: */
    uint64_t saved_at;    /* overwritten or cut off. */
    uint64_t offset;      /* A truncation's new size. */
    uint64_t size;        /* Bytes written; 0 of a truncation. */
    uint64_t size_before; /* The file's. */
    uint64_t misdirect;   /* Not 0: a sector of it goes astray, by this seed. */
    uint32_t tag_end;     /* Tags of this and all changes before it. */
};

/* A file, named or not. `data` is the page cache: the medium's bytes are had by
 * undoing all changes. */
struct disk_inode {
    uint32_t reference_count; /* Names, name changes, opens, operations; 0 is free. */
    uint32_t open_count;
    bool has_failed; /* A write did, half done; all later ones will. */
    uint8_t *data;
    uint64_t size;
    uint64_t allocated; /* Room held for it, written or not. */
    uint64_t capacity;
    struct disk_change *changes;
    uint32_t change_count;
    uint32_t change_capacity;
    uint64_t change_first; /* How many came before changes[0]. */
    uint8_t *saved;
    uint64_t saved_size;
    uint64_t saved_capacity;
    struct disk_tag *tags;
    uint32_t tag_count;
    uint32_t tag_capacity;
};

struct disk_name {
    char text[DISK_NAME_MAX];
    uint32_t inode;
};

enum disk_name_change_kind { DISK_NAME_CREATE, DISK_NAME_RENAME, DISK_NAME_REMOVE };

/* A change of names since its directory's last sync. Slots are UINT32_MAX for none. */
struct disk_name_change {
    enum disk_name_change_kind kind;
    uint64_t number; /* In the order of all name changes. */
    char name[DISK_NAME_MAX];
    char to[DISK_NAME_MAX]; /* DISK_NAME_RENAME */
    uint32_t inode;
    uint32_t replaced; /* DISK_NAME_RENAME: what `to` was before. */
};

struct disk_directory {
    char text[DISK_NAME_MAX];
    bool is_durable;
};

enum disk_operation_kind { DISK_OPERATION_OTHER, DISK_OPERATION_SYNC, DISK_OPERATION_SYNC_DIRECTORY };

/* Asked and not yet answered. */
struct disk_operation {
    uint64_t token;
    uint64_t due_ns;
    enum disk_operation_kind kind;
    enum disk_status status;
    uint32_t inode;     /* Referenced; UINT32_MAX for none. */
    uint32_t directory; /* Its slot; directories keep theirs. */
    uint64_t upto;      /* Changes of the file, or of names, before this number. */
    uint64_t chance;    /* The draw that decides what a failure does. */
    bool takes_time;
    bool is_lie;
};

struct sim_disk {
    const struct sim_disk_host *host;
    struct sim_random *random;
    struct sim_disk_behaviour behaviour;
    struct disk table;

    struct disk_inode *inodes;
    uint32_t inode_count;
    uint32_t inode_capacity;
    uint64_t used_bytes; /* Sum over files of their size or the room held for them. */

    struct disk_name *names; /* Ascending. */
    uint32_t name_count;
    uint32_t name_capacity;
    struct disk_name_change *name_changes;
    uint32_t name_change_count;
    uint32_t name_change_capacity;
    uint64_t name_change_next;
    struct disk_directory *directories; /* In the order they came. */
    uint32_t directory_count;
    uint32_t directory_capacity;

    struct disk_operation *operations; /* A ring of a power of two. */
    uint32_t operation_capacity;
    uint32_t operation_head;
    uint32_t operation_count;
    uint64_t free_ns;    /* When the device is done with everything asked. */
    uint64_t stalled_ns; /* It answers nothing before. */
    uint64_t armed_ns;   /* The next event; UINT64_MAX for none. */
    uint64_t syncs;
};

#define DISK_NO_SLOT UINT32_MAX

/* `array` of `capacity` items of `size` bytes, made to hold `count`. */
void *sim_disk_grow(void *array, uint32_t *capacity, uint32_t count, size_t size);

/* --- disk_file.c --- */

uint32_t sim_disk_inode_new(struct sim_disk *disk); /* Referenced once. */
void sim_disk_inode_keep(struct sim_disk *disk, uint32_t slot);
void sim_disk_inode_drop(struct sim_disk *disk, uint32_t slot);
/* The inode of an open file. */
struct disk_inode *sim_disk_inode_of(struct sim_disk *disk, disk_file file);
/* Do it in the page cache and remember how to undo it. */
void sim_disk_file_write(struct sim_disk *disk, struct disk_inode *inode, uint64_t offset,
                         struct base_bytes bytes, uint64_t misdirect);
void sim_disk_file_truncate(struct sim_disk *disk, struct disk_inode *inode, uint64_t size);
/* The disk's space that a file takes; hold room for `allocated` bytes of it. */
uint64_t sim_disk_file_used_bytes(const struct disk_inode *inode);
void sim_disk_file_allocate(struct sim_disk *disk, struct disk_inode *inode, uint64_t allocated);
/* The newest change also carries these tags. */
void sim_disk_file_tag(struct disk_inode *inode, const struct disk_tag *tags, uint32_t tag_count);
/* What was changed before number `upto` is on the medium. */
void sim_disk_file_synced(struct sim_disk *disk, struct disk_inode *inode, uint64_t upto);
/* Changes before number `upto` get on the medium in part; later ones stay as they
 * are. Draws from `random`. */
void sim_disk_file_lose(struct sim_disk *disk, uint32_t slot, uint64_t upto, struct sim_random *random);
/* Bytes from the start that no unsynced change has touched. */
uint64_t sim_disk_file_durable_bytes(const struct disk_inode *inode);

/* --- disk_name.c --- */

/* The inode of a name, or DISK_NO_SLOT. */
uint32_t sim_disk_name_find(const struct sim_disk *disk, const char *name);
void sim_disk_name_create(struct sim_disk *disk, const char *name, uint32_t inode);
void sim_disk_name_rename(struct sim_disk *disk, const char *from, const char *to);
void sim_disk_name_remove(struct sim_disk *disk, const char *name);
/* The slot of a directory, or DISK_NO_SLOT. "" is the root. */
uint32_t sim_disk_directory_find(const struct sim_disk *disk, const char *directory);
void sim_disk_names_synced(struct sim_disk *disk, uint32_t directory, uint64_t upto);
/* Any of the unsynced changes may be undone. */
void sim_disk_names_lose(struct sim_disk *disk, struct sim_random *random);
/* A name that is durable at once: for a restored copy. */
void sim_disk_name_put(struct sim_disk *disk, const char *name, uint32_t inode);
/* All names, changes and directories go. */
void sim_disk_names_clear(struct sim_disk *disk);

#endif
