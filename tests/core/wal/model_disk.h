/* A disk in memory for testing the log: operations wait in a queue and are
 * carried out one by one, so that a test can stop between any two.
 *
 * A written sector (512 bytes) is durable when its file is synced, a name when
 * its directory is. Power loss keeps an arbitrary subset of the sectors and of
 * the changes of names that are not: lost sectors have the content of the sync
 * before, or zeros. A process's crash keeps all that was carried out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_WAL_MODEL_DISK_H
#define TESTS_CORE_WAL_MODEL_DISK_H

#include "core/disk.h"

enum { MODEL_FILES_MAX = 64, MODEL_QUEUE_MAX = 64, MODEL_NAME_SIZE = 64, MODEL_SECTOR = 512 };

struct model_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

struct model_file {
    struct model_bytes cache;   /* What a read sees. */
    struct model_bytes durable; /* What is left when all else is lost. */
    struct model_bytes dirty;   /* A byte a sector: written since. */
    size_t room;                /* Held for it. */
    bool has_failed;
};

struct model_name {
    char text[MODEL_NAME_SIZE];
    uint32_t file; /* 0: nothing. */
};

enum model_kind {
    MODEL_CREATE,
    MODEL_APPEND,
    MODEL_WRITE,
    MODEL_TRUNCATE,
    MODEL_ALLOCATE,
    MODEL_SYNC,
    MODEL_RENAME,
    MODEL_REMOVE,
    MODEL_SYNC_DIRECTORY
};

struct model_operation {
    enum model_kind kind;
    uint64_t token;
    uint32_t file;
    uint64_t offset;
    struct model_bytes bytes;
    char name[MODEL_NAME_SIZE]; /* The file's or the directory's. */
    char to[MODEL_NAME_SIZE];
};

/* A change of names that no sync of its directory has covered yet. */
struct model_change {
    char from[MODEL_NAME_SIZE]; /* Goes; empty for none. */
    char to[MODEL_NAME_SIZE];   /* Comes; empty for none. */
    uint32_t file;
};

struct model_disk {
    struct model_file files[MODEL_FILES_MAX]; /* From 1. */
    uint32_t file_count;
    struct model_name names[MODEL_FILES_MAX];
    struct model_name durable_names[MODEL_FILES_MAX];
    struct model_change changes[MODEL_FILES_MAX];
    uint32_t change_count;
    struct model_operation queue[MODEL_QUEUE_MAX];
    uint32_t queue_count;
    struct disk disk;

    uint64_t carried_out; /* Operations so far. */
    uint64_t fail_at;     /* That one fails (from 1); 0 is none. */
    enum disk_status fail_with;
    uint64_t reads;
    uint64_t fail_read_at;
    uint64_t appends;
    uint64_t allocations;
    uint64_t beyond_room; /* Appends to a file that did not fit into the room held for it. */
    uint64_t syncs;
    struct disk_tag tags[16]; /* Of the last append. */
    uint32_t tag_count;
};

/* A new disk, empty; or a copy, with what waits. Freed by model_disk_free. */
struct model_disk *model_disk_new(void);
struct model_disk *model_disk_copy(const struct model_disk *model);
void model_disk_free(struct model_disk *model);

/* Carry out the oldest operation that waits, or, given a `choice`, one of those
 * whose order the contract leaves open. Answers false when none waits. */
bool model_disk_step(struct model_disk *model, uint64_t choice, uint64_t *token, enum disk_status *status);
/* The process dies: what waits is gone, what was carried out stays. */
void model_disk_kill(struct model_disk *model);
/* How many yes-or-no questions a power loss asks now. */
uint32_t model_disk_questions(const struct model_disk *model);
/* The power goes: question i is answered by bit i % 64 of answers[i / 64]. */
void model_disk_lose_power(struct model_disk *model, const uint64_t *answers);
/* One unsynced sector, by choice, reaches the platter by itself. */
void model_disk_write_back(struct model_disk *model, uint64_t choice);

/* Direct access, for damaging files. NULL when there is no such file. */
struct model_file *model_disk_find(struct model_disk *model, const char *name);
/* The name at `place` of those in `directory`, in byte order, or NULL. */
const char *model_disk_name(const struct model_disk *model, const char *directory, uint32_t place);
/* The newest segment's name, or NULL. */
const char *model_disk_last(const struct model_disk *model, const char *directory);

#endif
