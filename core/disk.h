/* The disk as a member sees it: a table its host fills in.
 *
 * Reads and listings serve start-up and answer at once. Everything else is
 * recorded, returns at once, and completes later by the host calling the member
 * back with the operation's token. Contract:
 *  - operations on one file take effect and complete in the order they were asked;
 *    different files are independent, so completions of two files may come in
 *    either order; create, rename, remove and sync_directory of one directory
 *    are ordered among themselves and after what was asked of the files they name;
 *  - written data survives the process but not the machine until a sync of the
 *    file that was asked after it has completed; a created, renamed or removed
 *    name likewise until a sync of its directory has completed;
 *  - a failed operation completes with an error; after a failed sync what was
 *    written before it may be gone for good, synced again or not. Once an
 *    append, write or truncate of a file has failed, perhaps half done, so does
 *    every later one of that file, until it is opened again;
 *  - bytes, names and tags are borrowed for the length of the call. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DISK_H
#define CORE_DISK_H

#include "core/raft/types.h"

enum disk_status { DISK_OK, DISK_NOT_FOUND, DISK_EXISTS, DISK_FULL, DISK_IO_ERROR };

/* An open file. Numbers are the host's; 0 is none. */
typedef uint32_t disk_file;

enum disk_record {
    DISK_OTHER,
    DISK_METADATA,
    DISK_HARD_STATE,
    DISK_ENTRY,
    DISK_SNAPSHOT,
    DISK_SEGMENT,
    DISK_SNAPSHOT_FILE
};

/* What an append or write is about, in the words of Raft: for whoever watches
 * the disk (judges know from it what is durable), never for the disk. */
struct disk_tag {
    enum disk_record record;
    raft_index last_index;  /* DISK_ENTRY: the last entry's; DISK_SNAPSHOT…: its index. */
    raft_index first_index; /* DISK_ENTRY: the first entry's; what lies at or above it is replaced. */
    raft_term term;         /* DISK_ENTRY: the last entry's; DISK_HARD_STATE: the term. */
    raft_id vote;           /* DISK_HARD_STATE. */
    raft_index commit;      /* DISK_HARD_STATE. */
};

struct disk {
    void *context;

    /* At start-up, answered at once. */

    /* Call `visit` for each name in `directory` (bare, without the directory),
     * in byte order. DISK_NOT_FOUND. */
    enum disk_status (*list)(void *context, const char *directory,
                             void (*visit)(void *visitor, const char *name), void *visitor);
    /* Open an existing file. DISK_NOT_FOUND. */
    enum disk_status (*open)(void *context, const char *name, disk_file *file, uint64_t *size_bytes);
    /* Read up to `size` bytes at `offset`; `*got` is less only at the file's end. */
    enum disk_status (*read)(void *context, disk_file file, uint64_t offset, void *bytes, size_t size,
                             size_t *got);
    /* Opened or created, with nothing of it under way. */
    void (*close)(void *context, disk_file file);

    /* Recorded; each completes with its token. */

    /* Create an empty file, DISK_EXISTS if it is there; usable at once. The
     * directories of a name come into being with it, and are durable when it is. */
    disk_file (*create)(void *context, uint64_t token, const char *name);
    /* `tags` tell what `bytes` hold, in their order; none for what nobody need know. */
    void (*append)(void *context, uint64_t token, disk_file file, struct base_bytes bytes,
                   const struct disk_tag *tags, uint32_t tag_count);
    void (*write)(void *context, uint64_t token, disk_file file, uint64_t offset, struct base_bytes bytes,
                  const struct disk_tag *tags, uint32_t tag_count);
    void (*truncate)(void *context, uint64_t token, disk_file file, uint64_t size_bytes);
    /* Hold room for the file's first so many bytes, no more and no less: writes
     * within it do not find the disk full. The file's size stays as it is. Room is
     * kept until it is asked for anew, the file is gone or the machine loses power.
     * DISK_FULL leaves what was held. */
    void (*allocate)(void *context, uint64_t token, disk_file file, uint64_t size_bytes);
    void (*sync)(void *context, uint64_t token, disk_file file);
    /* Replaces `to` if it is there. */
    void (*rename)(void *context, uint64_t token, const char *from, const char *to);
    void (*remove)(void *context, uint64_t token, const char *name);
    void (*sync_directory)(void *context, uint64_t token, const char *directory);
};

#endif
