/* Backups: a member's whole state at one instant, as a file that stands on its own.
 *
 *   "FLbackup", u32 version, u64 cluster, u64 index, u64 term, i64 revision,
 *   u64 hash of store and leases, the state as a snapshot has it, SHA-256 of all that
 *
 * Whoever reads one believes nothing in it before the digest at its end fits. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_BACKUP_H
#define CORE_MEMBER_BACKUP_H

#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/raft/types.h"

enum { MEMBER_BACKUPS_MAX = 4 }; /* Taken from one member at a time. */

#define MEMBER_BACKUP_NS UINT64_C(10000000000) /* Nobody came for the next piece: given up. */

/* What a backup says of itself. */
struct member_backup_info {
    uint64_t cluster_id;
    raft_index index;
    raft_term term;
    int64_t revision;
    uint64_t store_hash;     /* As member_store_hash there and then. */
    struct base_bytes state; /* Borrowed from the file. */
};

/* BASE_BACKUP_FOREIGN: it is none, or of another version; BASE_BACKUP_DAMAGED:
 * something of it is missing or altered. `out` is then untouched. */
enum base_status member_backup_read(struct base_bytes file, struct member_backup_info *out);

#endif
