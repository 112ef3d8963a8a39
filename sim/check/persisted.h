/* What each disk holds for sure, and what members promise on the strength of it:
 * votes, acknowledgements, commits (§5.2, §5.3). The disk is believed, never the
 * member's own word. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_PERSISTED_H
#define SIM_CHECK_PERSISTED_H

#include "core/disk.h"
#include "sim/check/lineage.h"

struct check;
struct check_identity;
struct check_member;

void check_persisted_durable(struct check *check, struct check_member *member, const struct disk_tag *tag);
/* A promise leaves `member`. */
void check_persisted_sent(struct check *check, uint64_t now, struct check_member *member,
                          const struct raft_message *message);
/* `member` leads its term: it counted its own vote. */
void check_persisted_won(struct check *check, uint64_t now, struct check_member *member);
/* A leader counts its log up to `match` as durable on `peer`. */
void check_persisted_match(struct check *check, uint64_t now, struct check_member *member,
                           const struct check_identity *peer, raft_index match);
/* A leader is the first to commit up to `tip`. */
void check_persisted_quorum(struct check *check, uint64_t now, struct check_member *member,
                            struct check_tip tip);

#endif
