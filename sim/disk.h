/* One machine's disk: names and bytes in a page cache above a medium that keeps
 * what was synced, served by one device in the order it was asked.
 *
 * How the world uses it: functions below take effect at once in the page cache
 * and are answered later. After the operations of a member's step sim_disk_settle
 * asks for at most one event through `arm`; when it comes, sim_disk_take hands out
 * what is complete, in order, then sim_disk_settle again. A write that takes no
 * time is answered with the operation behind it if there is one, so an append and
 * its sync cost one event. An armed instant may turn out too early (a stall, a
 * crash): then nothing is handed out. What can go wrong: the head of disk.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "core/disk.h"
#include "sim/dist.h"

#include <stdbool.h>

struct sim_disk;
struct sim_disk_image;

/* What a disk asks of its world. `written`, `durable`, `survived` and `lost` change nothing
 * in the run; each may be NULL. */
struct sim_disk_host {
    void *context;
    uint64_t (*now)(void *context); /* True time. */
    /* Let an event happen at `time_ns`, now or later. */
    void (*arm)(void *context, uint64_t time_ns);
    /* In the page cache; then safe from power loss. In the order of a file's writes. */
    void (*written)(void *context, const struct disk_tag *tag);
    void (*durable)(void *context, const struct disk_tag *tag);
    /* Never synced, and yet whole on the medium after a power loss or a failed sync:
     * recovery may find it, or may have to discard it with what is gone before it. */
    void (*survived)(void *context, const struct disk_tag *tag);
    /* A power loss or a failed sync took back some or all of these unsynced bytes. */
    void (*lost)(void *context, disk_file file, uint64_t offset, uint64_t size_bytes);
};

/* What it is like, and what it does to those who trust it. Faults are off at 0. */
struct sim_disk_behaviour {
    struct sim_dist write; /* Appends, writes, truncations, names. */
    struct sim_dist sync;
    uint32_t read_error_ppm;
    uint32_t write_error_ppm; /* A prefix of it may be there. */
    uint32_t sync_error_ppm;  /* What was unsynced may be gone. */
    uint32_t misdirect_ppm;   /* Of a synced write: one sector lands elsewhere. */
    uint64_t full_bytes;      /* No room beyond; 0 is no limit. */
    bool is_lying;            /* A sync says done, and nothing is. */
};

/* `host` and its context, `random` (SIM_FOR_DISK) are borrowed and outlive it. */
struct sim_disk *sim_disk_new(const struct sim_disk_host *host, struct sim_random *random);
void sim_disk_free(struct sim_disk *disk);
/* An empty disk that behaves well and answers at once, in the same memory. */
void sim_disk_reset(struct sim_disk *disk);
/* Copied; holds for what is asked from now on. */
void sim_disk_behave(struct sim_disk *disk, const struct sim_disk_behaviour *behaviour);
const struct sim_disk_behaviour *sim_disk_behaviour(const struct sim_disk *disk);

/* The disk as core/disk.h's table, for whoever wants no outbox between. */
const struct disk *sim_disk_table(struct sim_disk *disk);

/* --- answered at once --- */

enum disk_status sim_disk_list(struct sim_disk *disk, const char *directory,
                               void (*visit)(void *visitor, const char *name), void *visitor);
enum disk_status sim_disk_open(struct sim_disk *disk, const char *name, disk_file *file,
                               uint64_t *size_bytes);
enum disk_status sim_disk_read(struct sim_disk *disk, disk_file file, uint64_t offset, void *bytes,
                               size_t size, size_t *got);
void sim_disk_close(struct sim_disk *disk, disk_file file);
/* A number for a file whose creation is asked later (the outbox): open, empty and
 * nameless until sim_disk_create; gone when the process ends before. */
disk_file sim_disk_reserve(struct sim_disk *disk);

/* --- taking effect at once, answered by sim_disk_take --- */

/* `file` comes from sim_disk_reserve. */
void sim_disk_create(struct sim_disk *disk, uint64_t token, disk_file file, const char *name);
void sim_disk_append(struct sim_disk *disk, uint64_t token, disk_file file, struct base_bytes bytes,
                     const struct disk_tag *tags, uint32_t tag_count);
void sim_disk_write(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t offset,
                    struct base_bytes bytes, const struct disk_tag *tags, uint32_t tag_count);
void sim_disk_truncate(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t size_bytes);
void sim_disk_allocate(struct sim_disk *disk, uint64_t token, disk_file file, uint64_t size_bytes);
void sim_disk_sync(struct sim_disk *disk, uint64_t token, disk_file file);
void sim_disk_rename(struct sim_disk *disk, uint64_t token, const char *from, const char *to);
void sim_disk_remove(struct sim_disk *disk, uint64_t token, const char *name);
void sim_disk_sync_directory(struct sim_disk *disk, uint64_t token, const char *directory);

struct sim_disk_done {
    uint64_t token;
    enum disk_status status;
};

/* The next operation that is complete by now; false: none. A sync's effect on the
 * medium is now. */
bool sim_disk_take(struct sim_disk *disk, struct sim_disk_done *out);
/* Arm for what is under way; call after operations were asked or taken. */
void sim_disk_settle(struct sim_disk *disk);
/* Answer nothing before so much time has passed; what is under way waits too. */
void sim_disk_stall(struct sim_disk *disk, uint64_t duration_ns);
/* Whatever is left of that is over. */
void sim_disk_unstall(struct sim_disk *disk);

/* --- what happens to a machine --- */

/* The process ends: files are closed, answers under way are dropped, the page
 * cache stays. */
void sim_disk_crash(struct sim_disk *disk);
/* The machine loses power, after sim_disk_crash's work: of what was unsynced any
 * part may be gone. `random` is the power stream (SIM_FOR_POWER). */
void sim_disk_power_loss(struct sim_disk *disk, struct sim_random *random);
/* Delete everything. The process must not run. */
void sim_disk_wipe(struct sim_disk *disk);
/* Flip so many bits of what is durable. Answers how many: none of an empty disk. */
uint32_t sim_disk_rot(struct sim_disk *disk, struct sim_random *random, uint32_t bit_count);
/* A copy of the names and bytes as the process sees them; yours. */
struct sim_disk_image *sim_disk_image(const struct sim_disk *disk);
void sim_disk_image_free(struct sim_disk_image *image);
/* Put a copy in place of everything; all of it is durable. The process must not run. */
void sim_disk_restore(struct sim_disk *disk, const struct sim_disk_image *image);

/* --- numbers --- */

uint64_t sim_disk_used_bytes(const struct sim_disk *disk);
uint64_t sim_disk_unsynced_bytes(const struct sim_disk *disk);
uint64_t sim_disk_syncs(const struct sim_disk *disk); /* Completed since the reset. */
bool sim_disk_is_busy(const struct sim_disk *disk);   /* Something is under way. */
/* The name of a file, for texts; "" when it has none. */
const char *sim_disk_name(const struct sim_disk *disk, disk_file file);

#endif
