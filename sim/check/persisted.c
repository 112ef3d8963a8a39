/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/persisted.h"

#include "sim/check/election.h"
#include "sim/check/log.h"
#include "sim/check/state.h"

#include <inttypes.h>

/* A snapshot is durable. One of what the log holds changes nothing; one that the
 * log does not hold stands in its place. */
static void install(struct check_member *member, const struct disk_tag *tag)
{
    struct check_tip tip = {.index = tag->last_index, .term = tag->term};
    if (check_lineage_holds(&member->cluster->lineage, member->disk, tip) == CHECK_HOLDS_NO) {
        member->disk = tip;
    }
}

void check_persisted_durable(struct check *check, struct check_member *member, const struct disk_tag *tag)
{
    check->has_disk = true;
    switch (tag->record) {
    case DISK_HARD_STATE:
        member->disk_term = tag->term;
        member->disk_vote = tag->vote;
        break;
    case DISK_ENTRY:
        member->disk = (struct check_tip){.index = tag->last_index, .term = tag->term};
        break;
    case DISK_SNAPSHOT:
        install(member, tag);
        break;
    case DISK_OTHER:
    case DISK_METADATA:
    case DISK_SEGMENT:
    case DISK_SNAPSHOT_FILE:
        break;
    }
}

/* The highest term that a restart from this disk would begin with at least. */
static raft_term durable_term(const struct check_member *member)
{
    return member->disk_term > member->disk.term ? member->disk_term : member->disk.term;
}

/* Would a restart from `member`'s disk know of the entry? */
static bool is_durable(const struct check_member *member, struct check_tip entry)
{
    if (member->disk.index < entry.index) {
        return false;
    }
    if (member->disk.term == entry.term) {
        return true;
    }
    return check_lineage_holds(&member->cluster->lineage, member->disk, entry) != CHECK_HOLDS_NO;
}

static void grant(struct check *check, uint64_t now, struct check_member *member,
                  const struct raft_message *message)
{
    check_vote_promised(check, now, member, message->term, message->to);
    if (message->term == member->term) {
        check_log_voted(check, now, member, message->to);
    }
    if (!check->has_disk) {
        return;
    }
    check_arm(check, CHECK_PERSISTED);
    /* A later durable term keeps it from voting in this one as well. */
    if (durable_term(member) < message->term ||
        (member->disk_term == message->term && member->disk_vote != message->to)) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " sent %s its vote of term %" PRIu64 ", but its disk knows of term %" PRIu64
                    " and a vote for %s",
                    member->number, check_name_of(check, member->cluster, message->to), message->term,
                    member->disk_term, check_name_of(check, member->cluster, member->disk_vote));
    }
}

static void acknowledge(struct check *check, uint64_t now, struct check_member *member,
                        const struct raft_message *message)
{
    if (message->index == 0) {
        return; /* Only tells its term. */
    }
    if (member->identity->promised_term < message->term) {
        member->identity->promised_term = message->term;
    }
    if (!check->has_disk) {
        return;
    }
    check_arm(check, CHECK_PERSISTED);
    if (durable_term(member) < message->term) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " acknowledged entry %" PRIu64 " in term %" PRIu64
                    ", but its disk knows of term %" PRIu64,
                    member->number, message->index, message->term, durable_term(member));
    }
    if (member->disk.term > message->term) {
        return; /* A later leader's log has overwritten it: whoever led this term cannot commit it any more. */
    }
    if (member->disk.index < message->index) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " acknowledged entry %" PRIu64
                    " to %s, but its disk holds entries up to %" PRIu64,
                    member->number, message->index, check_name_of(check, member->cluster, message->to),
                    member->disk.index);
        return;
    }
    if (member->term != message->term) {
        return; /* Of an earlier leader's log: the log in memory is another by now. */
    }
    struct check_tip held = {.index = message->index,
                             .term =
                                 check_lineage_term(&member->cluster->lineage, member->log, message->index)};
    if (held.term != 0 && !is_durable(member, held)) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " acknowledged entry %" PRIu64 " of term %" PRIu64
                    ", but its disk holds one of term %" PRIu64,
                    member->number, held.index, held.term,
                    check_lineage_term(&member->cluster->lineage, member->disk, held.index));
    }
}

void check_persisted_sent(struct check *check, uint64_t now, struct check_member *member,
                          const struct raft_message *message)
{
    if (message->reject) {
        return;
    }
    if (message->type == RAFT_MSG_VOTE_RESP) {
        grant(check, now, member, message);
    } else if (message->type == RAFT_MSG_APP_RESP) {
        acknowledge(check, now, member, message);
    }
}

/* Do the others' votes alone make `member` the leader of its term? */
static bool won_by_others(const struct check_member *member)
{
    bool has_electorate = false;
    for (uint32_t slot = 0; slot < 2; slot++) {
        const struct check_electorate *half = &member->halves[slot];
        uint32_t count = 0;
        for (uint32_t at = 0; at < half->count; at++) {
            const struct check_vote_record *record =
                &half->voters[at]->votes[member->term % CHECK_VOTES_KEPT];
            count += half->voters[at] != member->identity && record->term == member->term &&
                     record->vote == member->identity->id;
        }
        if (half->count > 0 && count < half->count / 2 + 1) {
            return false;
        }
        has_electorate |= half->count > 0;
    }
    return has_electorate;
}

void check_persisted_won(struct check *check, uint64_t now, struct check_member *member)
{
    if (!check->has_disk) {
        check_vote_promised(check, now, member, member->term, member->identity->id);
        return;
    }
    check_arm(check, CHECK_PERSISTED);
    bool is_own_durable = member->disk_term > member->term ||
                          (member->disk_term == member->term && member->disk_vote == member->identity->id);
    if (is_own_durable) {
        check_vote_promised(check, now, member, member->term, member->identity->id);
    } else if (!won_by_others(member)) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " became leader of term %" PRIu64
                    " by its own vote, but its disk knows of term %" PRIu64 " and a vote for %s",
                    member->number, member->term, member->disk_term,
                    check_name_of(check, member->cluster, member->disk_vote));
    }
}

void check_persisted_match(struct check *check, uint64_t now, struct check_member *member,
                           const struct check_identity *peer, raft_index match)
{
    if (!check->has_disk || peer->machine == 0 || peer == member->identity || match == 0) {
        return; /* A leader's own copy counts when it commits. */
    }
    const struct check_member *holder = check_member(check, peer->machine);
    if (holder->cluster != member->cluster || holder->term > member->term) {
        return; /* It has moved on, and may hold something else by now. */
    }
    struct check_tip held = {.index = match,
                             .term = check_lineage_term(&member->cluster->lineage, member->log, match)};
    check_arm(check, CHECK_PERSISTED);
    if (held.term != 0 && !is_durable(holder, held)) {
        check_found(check, member->cluster, CHECK_PERSISTED, now, member->number,
                    "m%" PRIu32 " leads term %" PRIu64 " and counts entry %" PRIu64 " of term %" PRIu64
                    " as on %s, whose disk holds entries up to %" PRIu64 " of term %" PRIu64,
                    member->number, member->term, held.index, held.term, check_name(check, peer),
                    holder->disk.index, holder->disk.term);
    }
}

static uint32_t count_durable(struct check *check, const struct check_electorate *half,
                              const struct check_cluster *cluster, struct check_tip tip)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < half->count; slot++) {
        const struct check_identity *voter = half->voters[slot];
        const struct check_member *holder = voter->machine ? check_member(check, voter->machine) : NULL;
        if (holder && holder->cluster == cluster && is_durable(holder, tip)) {
            count++;
        }
    }
    return count;
}

void check_persisted_quorum(struct check *check, uint64_t now, struct check_member *member,
                            struct check_tip tip)
{
    if (!check->has_disk) {
        return;
    }
    for (uint32_t slot = 0; slot < 2; slot++) {
        const struct check_electorate *half = &member->halves[slot];
        if (half->count == 0) {
            continue; /* Not joint, or never told. */
        }
        check_arm(check, CHECK_COMMIT);
        uint32_t count = count_durable(check, half, member->cluster, tip);
        if (count < half->count / 2 + 1) {
            check_found(check, member->cluster, CHECK_COMMIT, now, member->number,
                        "m%" PRIu32 " leads term %" PRIu64 " and committed entry %" PRIu64 " of term %" PRIu64
                        ", but it is durable on %" PRIu32 " of %" PRIu32 " voters",
                        member->number, member->term, tip.index, tip.term, count, half->count);
        }
    }
}
