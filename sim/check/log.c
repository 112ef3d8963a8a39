/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/log.h"

#include "sim/check/persisted.h"
#include "sim/check/state.h"

#include <inttypes.h>

/* `tip` loses its entries from `index` on. */
static struct check_tip cut(struct check_member *member, struct check_tip tip, raft_index index)
{
    raft_index last = index > 0 ? index - 1 : 0;
    if (last >= tip.index) {
        return tip;
    }
    raft_term term = check_lineage_term(&member->cluster->lineage, tip, last);
    return (struct check_tip){.index = last, .term = term};
}

/* Entries from `index` on leave the log: none of them may be committed. */
static void drop(struct check *check, uint64_t now, struct check_member *member, raft_index index)
{
    struct check_cluster *cluster = member->cluster;
    raft_index last =
        member->log.index < cluster->committed.index ? member->log.index : cluster->committed.index;
    if (index > last || index == 0) {
        return;
    }
    raft_term held = check_lineage_term(&cluster->lineage, member->log, index);
    raft_term committed = check_lineage_term(&cluster->lineage, cluster->committed, index);
    if (held != 0 && held == committed) {
        check_found(check, cluster, CHECK_COMMIT, now, member->number,
                    "m%" PRIu32 " drops entry %" PRIu64 " of term %" PRIu64 ", but it is committed",
                    member->number, index, held);
    }
}

void check_log_append(struct check *check, uint64_t now, struct check_member *member,
                      const struct raft_entry *entry)
{
    struct check_cluster *cluster = member->cluster;
    if (entry->index <= member->log.index && member->is_log_known) {
        if (member->role == RAFT_LEADER) {
            check_found(check, cluster, CHECK_APPEND_ONLY, now, member->number,
                        "m%" PRIu32 " leads term %" PRIu64 " and writes entry %" PRIu64
                        " again, its log ended at %" PRIu64,
                        member->number, member->term, entry->index, member->log.index);
        }
        drop(check, now, member, entry->index);
        member->log = cut(member, member->log, entry->index);
    }
    if (member->role == RAFT_LEADER) {
        check_arm(check, CHECK_APPEND_ONLY);
    }
    bool is_next = entry->index == member->log.index + 1 && (member->is_log_known || entry->index == 1);
    if (!is_next && member->is_log_known) {
        check_found(check, cluster, CHECK_LOG_MATCHING, now, member->number,
                    "m%" PRIu32 " appended entry %" PRIu64 ", but its log ends at %" PRIu64, member->number,
                    entry->index, member->log.index);
    }
    bool is_before_known = is_next && (member->log.term != 0 || member->log.index == 0);
    uint64_t digest = check_entry_digest(entry);
    enum check_added added =
        check_lineage_add(&cluster->lineage, member->log, is_before_known, entry, digest);
    if (added == CHECK_ADDED_SAME) {
        check_arm(check, CHECK_LOG_MATCHING);
    } else if (added == CHECK_ADDED_CONTENT) {
        check_found(check, cluster, CHECK_LOG_MATCHING, now, member->number,
                    "m%" PRIu32 " appended an entry %" PRIu64 " of term %" PRIu64
                    " that differs from the one of that index and term seen before",
                    member->number, entry->index, entry->term);
    } else if (added == CHECK_ADDED_BEFORE) {
        check_found(check, cluster, CHECK_LOG_MATCHING, now, member->number,
                    "m%" PRIu32 " appended entry %" PRIu64 " of term %" PRIu64 " after one of term %" PRIu64
                    ", but elsewhere that entry follows another",
                    member->number, entry->index, entry->term, member->log.term);
    }
    member->log = (struct check_tip){.index = entry->index, .term = entry->term};
    member->is_log_known = true;
}

void check_log_truncate(struct check *check, uint64_t now, struct check_member *member, raft_index index)
{
    if (!member->is_log_known || index > member->log.index) {
        return;
    }
    if (member->role == RAFT_LEADER) {
        check_found(check, member->cluster, CHECK_APPEND_ONLY, now, member->number,
                    "m%" PRIu32 " leads term %" PRIu64 " and cuts its log from entry %" PRIu64 " on",
                    member->number, member->term, index);
    } else if (index <= member->commit) {
        check_found(check, member->cluster, CHECK_COMMIT, now, member->number,
                    "m%" PRIu32 " cuts its log from entry %" PRIu64 " on, but has committed up to %" PRIu64,
                    member->number, index, member->commit);
    }
    drop(check, now, member, index);
    member->log = cut(member, member->log, index);
}

/* The entry must be part of what is committed, as far as that is known. */
static void require_committed(struct check *check, uint64_t now, struct check_member *member,
                              struct check_tip entry, const char *what)
{
    struct check_cluster *cluster = member->cluster;
    if (entry.index > cluster->committed.index || entry.term == 0) {
        return;
    }
    if (check_lineage_holds(&cluster->lineage, cluster->committed, entry) == CHECK_HOLDS_NO) {
        check_found(check, cluster, CHECK_STATE_MACHINE, now, member->number,
                    "m%" PRIu32 " %s entry %" PRIu64 " of term %" PRIu64
                    ", but the one committed there is of term %" PRIu64,
                    member->number, what, entry.index, entry.term,
                    check_lineage_term(&cluster->lineage, cluster->committed, entry.index));
    }
}

void check_log_restore(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                       raft_term term)
{
    struct check_cluster *cluster = member->cluster;
    struct check_tip tip = {.index = index, .term = term};
    if (member->is_log_known && member->log.index > index) {
        drop(check, now, member, index + 1);
    }
    if (member->is_log_known && index < member->commit) {
        check_found(check, cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " went back to a snapshot at %" PRIu64 ", but has committed up to %" PRIu64,
                    member->number, index, member->commit);
    }
    require_committed(check, now, member, tip, "restored a snapshot up to");
    if (index > cluster->committed.index && cluster->committed.index == 0) {
        cluster->committed = tip; /* A cluster that begins with a snapshot. */
    }
    member->log = tip;
    member->is_log_known = true;
    if (member->commit < index) {
        member->commit = index;
    }
}

void check_log_restarted(struct check *check, uint64_t now, struct check_member *member,
                         const struct raft_status_report *status)
{
    struct check_cluster *cluster = member->cluster;
    struct check_tip tip = {.index = status->last_index, .term = status->last_term};
    struct check_tip disk = member->disk;
    check_arm(check, CHECK_PERSISTED);
    /* What was written later may stand in place of what was durable, if a later
     * leader wrote it: never less, and never of an older term. */
    if (check->has_disk && (tip.term < disk.term || (tip.term == disk.term && tip.index < disk.index))) {
        check_found(check, cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " begins with a log up to entry %" PRIu64 " of term %" PRIu64
                    ", but entry %" PRIu64 " of term %" PRIu64 " was durable on its disk",
                    member->number, tip.index, tip.term, disk.index, disk.term);
    }
    member->log = tip;
    member->is_log_known = true;
    if (member->is_power_lost) {
        member->disk = tip; /* Whatever is there after that is on the medium. */
    }
    member->commit = status->hard_state.commit;
    member->applied = status->applied;
    member->is_applied_known = true;
    struct check_tip commit = {.index = member->commit,
                               .term = check_lineage_term(&cluster->lineage, tip, member->commit)};
    if (cluster->committed.index == 0) {
        cluster->committed = commit;
    } else {
        require_committed(check, now, member, commit, "begins with a commit of");
    }
}

void check_log_complete(struct check *check, uint64_t now, struct check_member *member)
{
    struct check_cluster *cluster = member->cluster;
    if (!member->is_log_known) {
        return;
    }
    uint32_t slot = cluster->boundary_count;
    while (slot > 0 && cluster->boundaries[slot - 1].term >= member->term) {
        slot--; /* §5.4: only what was committed in earlier terms. */
    }
    raft_index index = slot > 0 ? cluster->boundaries[slot - 1].index : 0;
    if (index == 0) {
        return;
    }
    check_arm(check, CHECK_COMPLETENESS);
    struct check_tip wanted = {.index = index,
                               .term = check_lineage_term(&cluster->lineage, cluster->committed, index)};
    if (wanted.term != 0 && check_lineage_holds(&cluster->lineage, member->log, wanted) == CHECK_HOLDS_NO) {
        check_found(check, cluster, CHECK_COMPLETENESS, now, member->number,
                    "m%" PRIu32 " became leader of term %" PRIu64 " with a log up to entry %" PRIu64
                    " of term %" PRIu64 ", which lacks entry %" PRIu64 " of term %" PRIu64
                    " committed in term %" PRIu64,
                    member->number, member->term, member->log.index, member->log.term, index, wanted.term,
                    cluster->boundaries[slot - 1].term);
    }
}

void check_log_voted(struct check *check, uint64_t now, struct check_member *member, raft_id vote)
{
    const struct check_identity *identity = check_identity_of(member->cluster, vote);
    const struct check_member *candidate = identity->machine ? check_member(check, identity->machine) : NULL;
    bool stands = candidate && candidate->cluster == member->cluster && candidate->role == RAFT_CANDIDATE &&
                  candidate->term == member->term;
    if (!stands || candidate == member || !candidate->is_log_known || !member->is_log_known) {
        return; /* Whoever has won by now may have filled the voter's log. */
    }
    check_arm(check, CHECK_COMPLETENESS);
    /* The vote waited for the disk: somebody else may have won and sent entries meanwhile. */
    bool was_now =
        member->voted_term == member->term && member->voted == vote && member->voted_log.index != UINT64_MAX;
    const struct check_tip *theirs = &candidate->log;
    const struct check_tip *own = was_now ? &member->voted_log : &member->log;
    if (theirs->term < own->term || (theirs->term == own->term && theirs->index < own->index)) {
        check_found(check, member->cluster, CHECK_COMPLETENESS, now, member->number,
                    "m%" PRIu32 " votes for m%" PRIu32 " in term %" PRIu64
                    ", whose log ends with entry %" PRIu64 " of term %" PRIu64 ", but has entry %" PRIu64
                    " of term %" PRIu64 " itself",
                    member->number, candidate->number, member->term, theirs->index, theirs->term, own->index,
                    own->term);
    }
}

/* A leader of `term` committed up to `index`. */
static void note_boundary(struct check_cluster *cluster, raft_term term, raft_index index)
{
    if (cluster->boundary_count > 0) {
        struct check_boundary *last = &cluster->boundaries[cluster->boundary_count - 1];
        if (last->term >= term) {
            last->index = index;
            return;
        }
    }
    if (cluster->boundary_count == cluster->boundary_capacity) {
        cluster->boundary_capacity = check_grown(cluster->boundary_capacity, cluster->boundary_count + 1);
        cluster->boundaries =
            check_resize(cluster->boundaries, cluster->boundary_capacity, sizeof cluster->boundaries[0]);
    }
    cluster->boundaries[cluster->boundary_count++] = (struct check_boundary){.term = term, .index = index};
}

/* `member` is the first to commit `tip`. */
static void extend_committed(struct check *check, uint64_t now, struct check_member *member,
                             struct check_tip tip)
{
    struct check_cluster *cluster = member->cluster;
    if (tip.term == 0) {
        return;
    }
    if (check_lineage_holds(&cluster->lineage, tip, cluster->committed) == CHECK_HOLDS_NO) {
        check_found(check, cluster, CHECK_STATE_MACHINE, now, member->number,
                    "m%" PRIu32 " committed entry %" PRIu64 " of term %" PRIu64
                    " in a log that lacks entry %" PRIu64 " of term %" PRIu64 ", which is committed",
                    member->number, tip.index, tip.term, cluster->committed.index, cluster->committed.term);
        return;
    }
    if (member->role == RAFT_LEADER) {
        if (tip.term != member->term) {
            check_found(check, cluster, CHECK_COMMIT, now, member->number,
                        "m%" PRIu32 " leads term %" PRIu64 " and committed entry %" PRIu64 " of term %" PRIu64
                        ", but with none of its own term after it (§5.4.2)",
                        member->number, member->term, tip.index, tip.term);
        }
        check_persisted_quorum(check, now, member, tip);
        note_boundary(cluster, member->term, tip.index);
    } else if (cluster->boundary_count > 0) {
        check_found(check, cluster, CHECK_COMMIT, now, member->number,
                    "m%" PRIu32 " follows and committed entry %" PRIu64 " of term %" PRIu64
                    ", but leaders have committed no further than %" PRIu64,
                    member->number, tip.index, tip.term, cluster->committed.index);
    }
    cluster->committed = tip;
}

void check_log_commit(struct check *check, uint64_t now, struct check_member *member, raft_index index)
{
    struct check_cluster *cluster = member->cluster;
    check_arm(check, CHECK_MONOTONE);
    if (index < member->commit) {
        check_found(check, cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " committed up to %" PRIu64 ", but had committed up to %" PRIu64,
                    member->number, index, member->commit);
    }
    member->commit = index;
    if (!member->is_log_known) {
        return;
    }
    if (index > member->log.index) {
        check_found(check, cluster, CHECK_COMMIT, now, member->number,
                    "m%" PRIu32 " committed up to %" PRIu64 ", but its log ends at %" PRIu64, member->number,
                    index, member->log.index);
        return;
    }
    struct check_tip tip = {.index = index,
                            .term = check_lineage_term(&cluster->lineage, member->log, index)};
    if (index > cluster->committed.index) {
        extend_committed(check, now, member, tip);
    } else {
        require_committed(check, now, member, tip, "committed");
    }
}

/* Everybody who is up has applied what lies far below: contents can go. */
static void prune(struct check *check, struct check_cluster *cluster)
{
    enum { STEP = 4096, KEPT = 65536 };
    if (cluster->committed.index < cluster->pruned + STEP) {
        return;
    }
    cluster->pruned = cluster->committed.index;
    raft_index floor = cluster->committed.index;
    for (uint32_t slot = 0; slot < cluster->identity_count; slot++) {
        uint32_t machine = cluster->identities[slot]->machine;
        if (machine != 0 && check_member(check, machine)->applied < floor) {
            floor = check_member(check, machine)->applied;
        }
    }
    if (cluster->committed.index > KEPT && floor < cluster->committed.index - KEPT) {
        floor = cluster->committed.index - KEPT;
    }
    check_lineage_prune(&cluster->lineage, floor);
}

void check_log_apply(struct check *check, uint64_t now, struct check_member *member,
                     const struct raft_entry *entry)
{
    struct check_cluster *cluster = member->cluster;
    struct check_tip tip = {.index = entry->index, .term = entry->term};
    if (member->is_applied_known && entry->index <= member->applied) {
        check_found(check, cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " applied entry %" PRIu64 ", but had applied up to %" PRIu64, member->number,
                    entry->index, member->applied);
    } else if (member->is_applied_known && entry->index > member->applied + 1) {
        check_found(check, cluster, CHECK_STATE_MACHINE, now, member->number,
                    "m%" PRIu32 " applied entry %" PRIu64 " after entry %" PRIu64 ": it left some out",
                    member->number, entry->index, member->applied);
    }
    member->applied = entry->index;
    member->is_applied_known = true;
    if (entry->index > cluster->committed.index) {
        extend_committed(check, now, member, tip);
    } else {
        require_committed(check, now, member, tip, "applied");
    }
    uint64_t known = check_lineage_digest(&cluster->lineage, tip);
    if (known != 0) {
        check_arm(check, CHECK_STATE_MACHINE);
        if (known != check_entry_digest(entry)) {
            check_found(check, cluster, CHECK_STATE_MACHINE, now, member->number,
                        "m%" PRIu32 " applied an entry %" PRIu64 " of term %" PRIu64
                        " that differs from the one committed there",
                        member->number, entry->index, entry->term);
        }
    }
    prune(check, cluster);
}

void check_log_installed(struct check *check, uint64_t now, struct check_member *member, struct check_tip tip)
{
    require_committed(check, now, member, tip, "installed a snapshot up to");
    if (member->is_applied_known && tip.index < member->applied) {
        check_found(check, member->cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " installed a snapshot up to %" PRIu64 ", but had applied up to %" PRIu64,
                    member->number, tip.index, member->applied);
    }
    member->applied = tip.index;
    member->is_applied_known = true;
}

void check_log_match(struct check *check, uint64_t now, struct check_member *member, raft_id peer,
                     raft_index match)
{
    struct check_identity *identity = check_identity_of(member->cluster, peer);
    if (identity->match_term > member->term) {
        return; /* An older leader beside a newer one: only the newer is followed. */
    }
    if (identity->match_term < member->term) {
        identity->match_term = member->term;
        identity->match = 0;
    }
    check_arm(check, CHECK_MONOTONE);
    if (match < identity->match) {
        check_found(check, member->cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " leads term %" PRIu64 " and takes %s to hold its log up to %" PRIu64
                    ", but knew of %" PRIu64,
                    member->number, member->term, check_name(check, identity), match, identity->match);
    }
    identity->match = match;
    if (member->is_log_known && match > member->log.index) {
        check_found(check, member->cluster, CHECK_MONOTONE, now, member->number,
                    "m%" PRIu32 " leads term %" PRIu64 " and takes %s to hold its log up to %" PRIu64
                    ", but it ends at %" PRIu64,
                    member->number, member->term, check_name(check, identity), match, member->log.index);
        return;
    }
    check_persisted_match(check, now, member, identity, match);
}
