/* A hand-made history for the judges: what a cluster of three would tell them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHECK_RIG_H
#define TESTS_CHECK_RIG_H

#include "sim/check/check.h"

#define RIG_CLUSTER UINT64_C(0xc1)
#define RIG_SECOND UINT64_C(1000000000)

enum { RIG_MEMBERS = 3 };

struct rig {
    struct check *check;
    uint64_t now;
    uint64_t call;
    raft_term term;   /* Of the leader, machine 1. */
    raft_index index; /* Newest entry. */
    int64_t revision;
};

/* Members 1 to 3 run; nobody leads. */
void rig_init(struct rig *rig);
void rig_init_with(struct rig *rig, const struct check_options *options);
struct check_options rig_options(void);
void rig_release(struct rig *rig);

raft_id rig_id(uint32_t member);
/* Let time pass. */
void rig_wait(struct rig *rig, uint64_t duration_ns);

void rig_hard_state(struct rig *rig, uint32_t member, raft_term term, uint32_t vote);
/* Vote for oneself, durably, and lead. */
void rig_lead(struct rig *rig, uint32_t member, raft_term term);
void rig_append(struct rig *rig, uint32_t member, raft_index index, raft_term term, const char *data);
void rig_durable(struct rig *rig, uint32_t member, raft_index first, raft_index last, raft_term term);
void rig_send(struct rig *rig, uint32_t member, uint32_t to, const struct raft_message *message);
void rig_restart(struct rig *rig, uint32_t member, bool power, const struct raft_status_report *report);
void rig_apply(struct rig *rig, uint32_t member, raft_index index, raft_term term, const char *data,
               const struct wire_request *request, enum base_status status, int64_t revision);
void rig_change(struct rig *rig, uint32_t member, const char *key, const char *value, int64_t revision,
                int64_t create, int64_t version, int64_t lease);
/* An entry everywhere: appended, durable, committed; not applied. Its index. */
raft_index rig_commit(struct rig *rig, const char *data);
/* The same and applied everywhere, by which `request` takes effect without a change
 * of the store. */
void rig_effect(struct rig *rig, const struct wire_request *request);
/* A put takes effect everywhere at the next revision, as `version` of its key. */
void rig_put(struct rig *rig, const char *key, const char *value, int64_t create, int64_t version);

struct wire_request rig_put_request(const char *key, const char *value);
struct wire_request rig_get_request(const char *key);
uint64_t rig_invoke(struct rig *rig, uint32_t client, const struct wire_request *request);
/* The answer to a put, or to a get of `value` (NULL: absent) made at `mod`. */
void rig_return_put(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request,
                    int64_t revision);
void rig_return_get(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request,
                    int64_t revision, const char *value, int64_t mod, int64_t version);
void rig_return_unknown(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request);

/* The judge that spoke, or CHECK_COUNT when none did. */
enum check_judge rig_verdict(const struct rig *rig);
const char *rig_sentence(const struct rig *rig);

#endif
