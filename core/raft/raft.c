/* SPDX-License-Identifier: Apache-2.0 */
/* A node's life from options to start, and what its host asks of it. */
#include "core/raft/raft.h"

#include "core/raft/entry.h"
#include "core/raft/id_set.h"
#include "core/raft/state.h"

#include <assert.h>

static bool is_reserved(raft_id id)
{
    return id == RAFT_NONE || id >= RAFT_APPLY_THREAD;
}

static bool is_config_valid(const struct raft_config *config)
{
    return !is_reserved(config->id) && config->heartbeat_ticks > 0 &&
           config->election_ticks > config->heartbeat_ticks && config->inflight_count_max > 0 &&
           (config->inflight_bytes_max == 0 || config->inflight_bytes_max >= config->message_bytes_max) &&
           (config->read_mode == RAFT_READ_SAFE || config->read_mode == RAFT_READ_LEASE) &&
           (config->read_mode != RAFT_READ_LEASE || config->check_quorum) && config->random;
}

enum raft_status raft_new(const struct raft_config *config, const struct base_allocator *allocator,
                          struct raft **out)
{
    if (!is_config_valid(config)) {
        return RAFT_INVALID;
    }
    struct raft *raft = base_zalloc(allocator, sizeof *raft);
    raft->config = *config;
    raft->allocator = allocator;
    if (config->observer) {
        raft->observer = *config->observer;
    }
    if (config->election_spread_ticks == 0) {
        raft->config.election_spread_ticks = config->election_ticks;
    }
    if (config->committed_bytes_max == 0) {
        raft->config.committed_bytes_max = config->message_bytes_max > 0 ? config->message_bytes_max : 1;
    }
    raft->self_slot = RAFT_NO_SLOT;
    raft_log_init(&raft->log, allocator, raft->config.committed_bytes_max);
    raft_tracker_init(&raft->tracker, allocator,
                      (struct raft_inflight_limits){.count_max = config->inflight_count_max,
                                                    .bytes_max = config->inflight_bytes_max});
    raft_read_only_init(&raft->reads, allocator);
    raft_batches_init(raft);
    *out = raft;
    return RAFT_OK;
}

void raft_free(struct raft *raft)
{
    if (!raft) {
        return;
    }
    raft_batches_release(raft);
    raft_read_only_release(&raft->reads);
    raft_tracker_release(&raft->tracker);
    raft_log_release(&raft->log);
    base_free(raft->allocator, raft->offer_data, raft->offer.data.size);
    base_free(raft->allocator, raft, sizeof *raft);
}

enum raft_status raft_restore_snapshot(struct raft *raft, const struct raft_snapshot *snapshot)
{
    assert(!raft->is_started);
    struct raft_log *log = &raft->log;
    if (log->last != 0 || snapshot->index == 0 || snapshot->term == 0 || snapshot->index > RAFT_NUMBER_MAX ||
        snapshot->term > RAFT_NUMBER_MAX || snapshot->configuration.voters.count == 0 ||
        !raft_conf_is_valid(&snapshot->configuration)) {
        return RAFT_INVALID;
    }
    log->first = snapshot->index + 1;
    log->last = log->stable = log->in_progress = snapshot->index;
    log->committed = log->applying = log->applied = snapshot->index;
    log->term_before = log->last_term = snapshot->term;
    struct raft_conf_plan plan = raft_conf_plan_of(&snapshot->configuration);
    raft_switch_configuration(raft, &plan);
    return RAFT_OK;
}

enum raft_status raft_restore_entry(struct raft *raft, const struct raft_entry *entry)
{
    assert(!raft->is_started);
    struct raft_log *log = &raft->log;
    if (entry->index <= log->committed || entry->index > log->last + 1 || entry->index > RAFT_NUMBER_MAX ||
        entry->term > RAFT_NUMBER_MAX || entry->size > RAFT_ENTRY_SIZE_MAX ||
        (uint32_t)entry->type > RAFT_ENTRY_CONF_CHANGE_V2) {
        return RAFT_INVALID;
    }
    raft_term term_before = 0;
    enum raft_status status = raft_log_term(log, entry->index - 1, &term_before);
    if (status != RAFT_OK || entry->term < term_before || entry->term == 0) {
        return RAFT_INVALID;
    }
    if (entry->index <= log->last) {
        raft_log_cut(log, entry->index);
    }
    raft_log_append(log, entry);
    log->stable = log->in_progress = log->last;
    return RAFT_OK;
}

enum raft_status raft_restore_hard_state(struct raft *raft, const struct raft_hard_state *state)
{
    assert(!raft->is_started);
    if (state->commit < raft->log.committed || state->commit > raft->log.last ||
        state->term > RAFT_NUMBER_MAX || state->vote >= RAFT_APPLY_THREAD) {
        return RAFT_INVALID;
    }
    raft->log.committed = state->commit;
    raft->term = state->term;
    raft->vote = state->vote;
    return RAFT_OK;
}

static bool are_peers_valid(const raft_id *peers, uint32_t peer_count)
{
    struct raft_id_set seen = {0};
    for (uint32_t i = 0; i < peer_count; i++) {
        if (is_reserved(peers[i]) || raft_id_set_has(&seen, peers[i]) || !raft_id_set_add(&seen, peers[i])) {
            return false;
        }
    }
    return peer_count > 0;
}

enum raft_status raft_bootstrap(struct raft *raft, const raft_id *peers, const struct base_bytes *contexts,
                                const bool *learners, uint32_t peer_count)
{
    assert(!raft->is_started);
    if (raft->log.last != 0 || raft->term != 0 || !are_peers_valid(peers, peer_count)) {
        return RAFT_INVALID;
    }
    raft_set_vote(raft, 1, RAFT_NONE);
    struct base_buffer buffer;
    base_buffer_init(&buffer, raft->allocator);
    struct raft_conf_plan plan = {0};
    for (uint32_t i = 0; i < peer_count; i++) {
        struct raft_conf_change change = {.is_v1 = true, .change_count = 1};
        bool is_learner = learners && learners[i];
        change.changes[0] =
            (struct raft_conf_change_single){.type = is_learner ? RAFT_ADD_LEARNER_NODE : RAFT_ADD_NODE,
                                             .id = peers[i]};
        change.context = contexts ? contexts[i] : (struct base_bytes){0};
        base_buffer_reset(&buffer);
        raft_conf_change_encode(&change, &buffer);
        struct raft_entry entry = {.term = 1,
                                   .index = i + 1,
                                   .data = buffer.data,
                                   .size = (uint32_t)buffer.size,
                                   .type = RAFT_ENTRY_CONF_CHANGE};
        raft_append_entry(raft, &entry);
        struct raft_id_set *set = is_learner ? &plan.state.learners : &plan.state.voters;
        bool added = raft_id_set_add(set, peers[i]) && raft_id_set_add(&plan.created, peers[i]);
        assert(added);
    }
    base_buffer_release(&buffer);
    raft_commit_to(raft, peer_count);
    raft->is_new = true;
    /* In force at once, so that the node can stand; the entries come out all
     * the same and are applied once more, to no effect. */
    raft_switch_configuration(raft, &plan);
    return RAFT_OK;
}

enum raft_status raft_start(struct raft *raft, raft_index applied)
{
    assert(!raft->is_started);
    /* A log may end in a term we have not heard of only as far as a snapshot
     * that came without a hard state explains it. */
    if (applied > raft->log.committed || raft->log.last_term > raft->term + 1) {
        return RAFT_INVALID;
    }
    raft_become_follower(raft, raft->term, RAFT_NONE);
    raft->told_role = RAFT_FOLLOWER;
    if (!raft->is_new) {
        raft->told_hard_state =
            (struct raft_hard_state){.term = raft->term, .vote = raft->vote, .commit = raft->log.committed};
    }
    raft->is_started = true;
    if (applied > raft->log.applied) {
        raft_log_applied_to(&raft->log, applied);
    }
    return RAFT_OK;
}

enum raft_status raft_propose(struct raft *raft, struct base_bytes data)
{
    assert(raft->is_started);
    if (data.size > RAFT_ENTRY_SIZE_MAX) {
        return RAFT_INVALID;
    }
    struct raft_entry entry = {.data = data.data, .size = (uint32_t)data.size};
    return raft_step_checked(raft, &(struct raft_message){.type = RAFT_MSG_PROP,
                                                          .from = raft->config.id,
                                                          .entries = &entry,
                                                          .entry_count = 1});
}

static bool is_change_valid(const struct raft_conf_change *change)
{
    if (change->change_count > RAFT_CHANGES_MAX ||
        (uint32_t)change->transition > RAFT_TRANSITION_JOINT_EXPLICIT ||
        change->context.size > RAFT_ENTRY_SIZE_MAX / 2) {
        return false;
    }
    for (uint32_t i = 0; i < change->change_count; i++) {
        if ((uint32_t)change->changes[i].type > RAFT_ADD_LEARNER_NODE) {
            return false;
        }
    }
    return !change->is_v1 || (change->change_count == 1 && change->transition == RAFT_TRANSITION_AUTO);
}

enum raft_status raft_propose_conf_change(struct raft *raft, const struct raft_conf_change *change)
{
    assert(raft->is_started);
    if (!is_change_valid(change)) {
        return RAFT_INVALID;
    }
    struct base_buffer buffer;
    base_buffer_init(&buffer, raft->allocator);
    raft_conf_change_encode(change, &buffer);
    struct raft_entry entry = {
        .data = buffer.data,
        .size = (uint32_t)buffer.size,
        .type = change->is_v1 ? RAFT_ENTRY_CONF_CHANGE : RAFT_ENTRY_CONF_CHANGE_V2,
    };
    struct raft_message proposal = {.type = RAFT_MSG_PROP,
                                    .from = raft->config.id,
                                    .entries = &entry,
                                    .entry_count = 1};
    enum raft_status status = raft_step_checked(raft, &proposal);
    base_buffer_release(&buffer);
    return status;
}

void raft_campaign(struct raft *raft)
{
    assert(raft->is_started);
    raft_hup(raft, raft->config.pre_vote ? RAFT_CAMPAIGN_PRE_ELECTION : RAFT_CAMPAIGN_ELECTION);
}

enum raft_status raft_read_index(struct raft *raft, struct base_bytes context)
{
    assert(raft->is_started);
    if (context.size > RAFT_ENTRY_SIZE_MAX) {
        return RAFT_INVALID;
    }
    struct raft_entry entry = {.data = context.data, .size = (uint32_t)context.size};
    return raft_step_checked(raft, &(struct raft_message){.type = RAFT_MSG_READ_INDEX,
                                                          .entries = &entry,
                                                          .entry_count = 1});
}

/* Step a message of the host's own about `from`. */
static void step_local(struct raft *raft, enum raft_message_type type, raft_id from, bool reject)
{
    assert(raft->is_started);
    (void)raft_step_checked(raft, &(struct raft_message){.type = type, .from = from, .reject = reject});
}

void raft_transfer_leader(struct raft *raft, raft_id transferee)
{
    if (transferee != RAFT_NONE) {
        step_local(raft, RAFT_MSG_TRANSFER_LEADER, transferee, false);
    }
}

void raft_forget_leader(struct raft *raft)
{
    step_local(raft, RAFT_MSG_FORGET_LEADER, RAFT_NONE, false);
}

void raft_report_unreachable(struct raft *raft, raft_id peer)
{
    step_local(raft, RAFT_MSG_UNREACHABLE, peer, false);
}

void raft_report_snapshot(struct raft *raft, raft_id peer, bool failed)
{
    step_local(raft, RAFT_MSG_SNAP_STATUS, peer, failed);
}

void raft_offer_snapshot(struct raft *raft, const struct raft_snapshot *snapshot)
{
    assert(snapshot->index > 0 && snapshot->index <= raft->log.committed);
    assert(raft_conf_is_valid(&snapshot->configuration));
    if (snapshot->index < raft->offer.index) {
        return; /* We have a newer one. */
    }
    base_free(raft->allocator, raft->offer_data, raft->offer.data.size);
    raft->offer = *snapshot;
    raft->offer.data = (struct base_bytes){0};
    raft->offer_data = NULL;
    if (snapshot->data.size > 0) {
        raft->offer_data = base_alloc(raft->allocator, snapshot->data.size);
        memcpy(raft->offer_data, snapshot->data.data, snapshot->data.size);
        raft->offer.data = (struct base_bytes){.data = raft->offer_data, .size = snapshot->data.size};
    }
}

enum raft_status raft_compact(struct raft *raft, raft_index index)
{
    if (index < raft->log.first) {
        return RAFT_COMPACTED;
    }
    if (index > raft->log.applied || index > raft->log.stable) {
        return RAFT_UNAVAILABLE;
    }
    raft_log_drop(&raft->log, index);
    return RAFT_OK;
}
