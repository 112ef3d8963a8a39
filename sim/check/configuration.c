/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/configuration.h"

#include "sim/check/state.h"

#include <inttypes.h>
#include <stdlib.h>

void check_epochs_release(struct check_epochs *epochs)
{
    free(epochs->list);
    *epochs = (struct check_epochs){0};
}

void check_epochs_reset(struct check_epochs *epochs)
{
    epochs->count = 0;
}

void check_configuration_state(struct check_member *member, const struct raft_conf_state *state)
{
    struct check_standing *standing = &member->standing;
    standing->before = standing->state;
    standing->state = *state;
    standing->has_state = true;
}

static bool is_same_set(const struct raft_id_set *a, const struct raft_id_set *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t slot = 0; slot < a->count; slot++) {
        if (!check_is_listed(b, a->ids[slot])) {
            return false;
        }
    }
    return true;
}

static bool is_same(const struct raft_conf_state *a, const struct raft_conf_state *b)
{
    return is_same_set(&a->voters, &b->voters) && is_same_set(&a->learners, &b->learners) &&
           is_same_set(&a->voters_outgoing, &b->voters_outgoing) &&
           is_same_set(&a->learners_next, &b->learners_next);
}

static bool has(const struct raft_conf_state *state, raft_id id)
{
    return check_is_listed(&state->voters, id) || check_is_listed(&state->voters_outgoing, id) ||
           check_is_listed(&state->learners, id);
}

/* Does every majority of one meet every majority of the other? */
static bool do_majorities_meet(const struct raft_id_set *a, const struct raft_id_set *b)
{
    uint32_t all = a->count;
    for (uint32_t slot = 0; slot < b->count; slot++) {
        all += !check_is_listed(a, b->ids[slot]);
    }
    return a->count > 0 && b->count > 0 && a->count / 2 + 1 + b->count / 2 + 1 > all;
}

/* A decision needs both halves of a joint configuration: one pair of halves that meets
 * is enough. */
static bool do_overlap(const struct raft_conf_state *a, const struct raft_conf_state *b)
{
    return do_majorities_meet(&a->voters, &b->voters) ||
           do_majorities_meet(&a->voters, &b->voters_outgoing) ||
           do_majorities_meet(&a->voters_outgoing, &b->voters) ||
           do_majorities_meet(&a->voters_outgoing, &b->voters_outgoing);
}

/* The slot of the last epoch at or before `index`, plus one; 0: there is none. */
static uint32_t slot_after(const struct check_epochs *epochs, raft_index index)
{
    uint32_t slot = epochs->count;
    while (slot > 0 && epochs->list[slot - 1].index > index) {
        slot--;
    }
    return slot;
}

static void insert(struct check_epochs *epochs, uint32_t slot, const struct check_epoch *epoch)
{
    if (epochs->count == epochs->capacity) {
        epochs->capacity = check_grown(epochs->capacity, epochs->count + 1);
        epochs->list = check_resize(epochs->list, epochs->capacity, sizeof epochs->list[0]);
    }
    memmove(&epochs->list[slot + 1], &epochs->list[slot], (epochs->count - slot) * sizeof epochs->list[0]);
    epochs->list[slot] = *epoch;
    epochs->count++;
}

static void differ(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                   const struct check_epoch *known)
{
    const struct raft_conf_state *own = &member->standing.state;
    check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                "m%" PRIu32 " has a configuration of %" PRIu32 " voters (%" PRIu32 " outgoing) and %" PRIu32
                " learners after entry %" PRIu64 ", but on m%" PRIu32 " another one of %" PRIu32
                " voters (%" PRIu32 " outgoing) and %" PRIu32
                " learners is in force there since entry %" PRIu64,
                member->number, own->voters.count, own->voters_outgoing.count, own->learners.count, index,
                known->machine, known->state.voters.count, known->state.voters_outgoing.count,
                known->state.learners.count, known->index);
}

/* Whoever comes in must not have been in, and out, before. */
static void judge_return(struct check *check, uint64_t now, struct check_member *member, uint32_t slot)
{
    const struct check_epochs *epochs = &member->cluster->epochs;
    const struct check_epoch *new = &epochs->list[slot];
    const struct raft_id_set *const sets[] = {&new->state.voters, &new->state.learners};
    for (uint32_t set = 0; set < 2 && slot > 0; set++) {
        for (uint32_t i = 0; i < sets[set]->count; i++) {
            raft_id id = sets[set]->ids[i];
            if (has(&member->standing.before, id)) {
                continue;
            }
            for (uint32_t earlier = 0; earlier < slot; earlier++) {
                if (has(&epochs->list[earlier].state, id)) {
                    check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                                "member %" PRIx64 " is added again by entry %" PRIu64
                                ", but an id that was removed must never return",
                                id, new->index);
                    return;
                }
            }
        }
    }
}

void check_configuration_applied(struct check *check, uint64_t now, struct check_member *member,
                                 const struct raft_entry *entry)
{
    struct check_epochs *epochs = &member->cluster->epochs;
    const struct check_standing *standing = &member->standing;
    /* The founding entries are in force all at once where they are written, and one by
     * one where they are read again. */
    if (!standing->has_state || entry->term <= 1) {
        return;
    }
    check_arm(check, CHECK_CONFIGURATION);
    uint32_t slot = slot_after(epochs, entry->index);
    if (slot > 0 && epochs->list[slot - 1].index == entry->index) {
        if (!is_same(&epochs->list[slot - 1].state, &standing->state)) {
            differ(check, now, member, entry->index, &epochs->list[slot - 1]);
        }
        return;
    }
    if (epochs->count == 0) {
        /* What it follows on counts for all that come after. */
        const struct check_epoch founding = {.machine = member->number, .state = standing->before};
        insert(epochs, 0, &founding);
        slot = 1;
    }
    const struct check_epoch epoch = {.index = entry->index,
                                      .machine = member->number,
                                      .state = standing->state};
    insert(epochs, slot, &epoch);
    if (standing->before.voters.count > 0 && !do_overlap(&standing->before, &standing->state)) {
        check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                    "entry %" PRIu64 " turns a configuration of %" PRIu32 " voters into one of %" PRIu32
                    ", and a majority of one need not meet a majority of the other",
                    entry->index, standing->before.voters.count, standing->state.voters.count);
    }
    judge_return(check, now, member, slot);
}

void check_configuration_snapshot(struct check *check, uint64_t now, struct check_member *member,
                                  raft_index index)
{
    struct check_epochs *epochs = &member->cluster->epochs;
    uint32_t slot = slot_after(epochs, index);
    if (!member->standing.has_state || slot == 0) {
        return;
    }
    check_arm(check, CHECK_CONFIGURATION);
    if (!is_same(&epochs->list[slot - 1].state, &member->standing.state)) {
        differ(check, now, member, index, &epochs->list[slot - 1]);
    }
}

void check_configuration_append(struct check *check, uint64_t now, struct check_member *member,
                                const struct raft_entry *entry)
{
    struct check_standing *standing = &member->standing;
    if (entry->index <= standing->appended) {
        standing->appended = 0;
    }
    if (entry->type == RAFT_ENTRY_NORMAL) {
        return;
    }
    if (member->role == RAFT_LEADER) {
        check_arm(check, CHECK_CONFIGURATION);
        if (standing->appended > member->applied) {
            check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                        "m%" PRIu32 " leads term %" PRIu64 " and appends a configuration change at %" PRIu64
                        ", but has not applied the one at %" PRIu64 " yet",
                        member->number, member->term, entry->index, standing->appended);
        }
    }
    standing->appended = entry->index;
}

void check_configuration_truncate(struct check_member *member, raft_index index)
{
    if (index <= member->standing.appended) {
        member->standing.appended = 0;
    }
}

void check_configuration_stands(struct check *check, uint64_t now, struct check_member *member)
{
    const struct check_standing *standing = &member->standing;
    check_arm(check, CHECK_CONFIGURATION);
    if (standing->appended > member->applied && standing->appended <= member->commit) {
        check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                    "m%" PRIu32 " stands for election after term %" PRIu64
                    ", but has yet to apply the committed configuration change at %" PRIu64,
                    member->number, member->term, standing->appended);
    } else if (standing->restored > member->applied) {
        check_found(check, member->cluster, CHECK_CONFIGURATION, now, member->number,
                    "m%" PRIu32 " stands for election after term %" PRIu64
                    ", but has yet to install the snapshot at %" PRIu64,
                    member->number, member->term, standing->restored);
    }
}
