/* One member on a machine of a test's: its disk is the log tests' model, whom it asks
 * is the test, and time passes when the test says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_MEMBER_BOOT_RIG_H
#define TESTS_CORE_MEMBER_BOOT_RIG_H

#include "core/member/member.h"
#include "tests/core/wal/model_disk.h"

enum { RIG_TEXT = 320, RIG_PEERS = 8 };

#define RIG_SECOND UINT64_C(1000000000)

/* The last question it asked. */
struct rig_question {
    uint64_t number; /* 0: none. */
    char url[64];
    enum wire_kind kind;
    enum kv_op_kind op;
    char key[96];
    char value[96];
};

struct boot_rig {
    struct base_allocator allocator;
    struct model_disk *disk;
    struct host host;
    struct host_observer observer;
    struct member_peer peers[RIG_PEERS];
    struct member_config config; /* Of the next start. */
    struct member *member;
    uint64_t now_ns;
    uint64_t due_ns;
    uint32_t woken; /* Bits of stages. */
    struct rig_question asked;
    uint32_t question_count;
    uint32_t sent_count;
    uint32_t peer_count; /* That it was told to the host. */
    uint64_t cluster_id;
    raft_id member_id;
    char steps[RIG_TEXT];   /* "configured probed ids …" */
    char stopped[RIG_TEXT]; /* Empty while it goes on. */
};

/* A machine with an empty disk, and a configuration for m1 of `count` members
 * m1 … at http://m1:2380 …; every field may be changed before the start. */
void rig_init(struct boot_rig *rig, uint32_t count);
void rig_release(struct boot_rig *rig);
/* Start the member anew on the disk as it is. */
void rig_start(struct boot_rig *rig);
/* The process is gone; what was asked of the disk and not done is, too. */
void rig_kill(struct boot_rig *rig);
/* So much time passes. */
void rig_advance(struct boot_rig *rig, uint64_t ns);
/* Carry out all that is asked of the disk, and let its stages run. */
void rig_settle(struct boot_rig *rig);
/* Whoever was asked refuses the connection. */
void rig_refuse(struct boot_rig *rig);
/* A peer answers: these are the members of the cluster `cluster_id`. */
void rig_answer_members(struct boot_rig *rig, uint64_t cluster_id, const struct wire_member *members,
                        uint32_t count);
/* The registry answers, with records in the order of their creation. */
void rig_answer_records(struct boot_rig *rig, const struct kv_record *records, uint32_t count);

#endif
