/* The logs in memory: leader append-only (§5.3), log matching (§5.3), leader
 * completeness (§5.4), and what is committed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_LOG_H
#define SIM_CHECK_LOG_H

#include "core/raft/raft.h"
#include "sim/check/lineage.h"

struct check;
struct check_member;

void check_log_append(struct check *check, uint64_t now, struct check_member *member,
                      const struct raft_entry *entry);
void check_log_truncate(struct check *check, uint64_t now, struct check_member *member, raft_index index);
/* A snapshot stands in the log's place. */
void check_log_restore(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                       raft_term term);
void check_log_restarted(struct check *check, uint64_t now, struct check_member *member,
                         const struct raft_status_report *status);
/* A new leader must hold what leaders of earlier terms committed. */
void check_log_complete(struct check *check, uint64_t now, struct check_member *member);
/* §5.4.1: who stands for election must have a log that is as up to date as its voter's. */
void check_log_voted(struct check *check, uint64_t now, struct check_member *member, raft_id vote);
void check_log_commit(struct check *check, uint64_t now, struct check_member *member, raft_index index);
/* `entry` takes effect on `member`. */
void check_log_apply(struct check *check, uint64_t now, struct check_member *member,
                     const struct raft_entry *entry);
/* The store was replaced by the state after `tip`. */
void check_log_installed(struct check *check, uint64_t now, struct check_member *member,
                         struct check_tip tip);
/* The leader learnt that `peer` holds its log up to `match`. */
void check_log_match(struct check *check, uint64_t now, struct check_member *member, raft_id peer,
                     raft_index match);

#endif
