/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/random_cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct cluster_entry stored(const struct raft_entry *entry)
{
    struct cluster_entry copy = {.term = entry->term, .type = entry->type, .size = entry->size};
    assert(entry->size <= sizeof copy.data);
    if (entry->size > 0) {
        memcpy(copy.data, entry->data, entry->size);
    }
    return copy;
}

static bool is_same(const struct cluster_entry *a, const struct cluster_entry *b)
{
    return a->term == b->term && a->type == b->type && a->size == b->size &&
           memcmp(a->data, b->data, a->size) == 0;
}

/* --- the laws, as they are seen from outside --- */

static void saw_role(void *context, enum raft_role role, raft_term term, raft_id leader)
{
    struct cluster_node *node = context;
    struct cluster *cluster = node->cluster;
    (void)leader;
    if (role != RAFT_LEADER) {
        return;
    }
    assert(term < CLUSTER_TERMS_MAX);
    /* §5.2: at most one leader a term. */
    assert(cluster->leaders[term] == RAFT_NONE || cluster->leaders[term] == node->id);
    if (cluster->leaders[term] == RAFT_NONE) {
        cluster->leaders[term] = node->id;
        cluster->elections++;
    }
    /* §5.4: leader completeness. */
    struct raft_status_report status;
    raft_get_status(node->raft, &status);
    assert(status.last_index >= cluster->committed_last);
    for (raft_index index = status.first_index; index <= cluster->committed_last; index++) {
        raft_term ours = 0;
        enum raft_status found = raft_term_at(node->raft, index, &ours);
        assert(found == RAFT_OK && ours == cluster->committed[index].term);
    }
}

static void saw_commit(void *context, raft_index index)
{
    struct cluster_node *node = context;
    assert(index > node->commit);
    node->commit = index;
    if (index > node->cluster->commit_max) {
        node->cluster->commit_max = index;
    }
}

static void saw_match(void *context, raft_id peer, raft_index match)
{
    const struct cluster_node *node = context;
    const struct cluster_node *other = &node->cluster->nodes[peer - 1];
    assert(other->disk.last >= match);
}

static void saw_restore(void *context, const struct raft_snapshot *snapshot)
{
    struct cluster_node *node = context;
    node->commit = snapshot->index;
    node->cluster->snapshots++;
}

/* A promise is out: it must be on the disk. */
static void check_promise(struct cluster_node *node, const struct raft_message *message)
{
    if (message->from != node->id || message->reject) {
        return;
    }
    if (message->type == RAFT_MSG_APP_RESP) {
        /* An answer that waited while its term passed says nothing any more: who
         * it is for has been outvoted, or will ignore it. */
        assert(node->disk.last >= message->index || node->disk.state.term > message->term);
    } else if (message->type == RAFT_MSG_VOTE_RESP) {
        assert(node->disk.state.term >= message->term);
        assert(message->term < CLUSTER_TERMS_MAX);
        raft_id *voted = &node->voted[message->term];
        assert(*voted == RAFT_NONE || *voted == message->to); /* §5.2: one vote a term. */
        *voted = message->to;
    }
}

/* --- the disk --- */

static void persist(struct cluster_node *node, const struct raft_snapshot *snapshot,
                    const struct raft_entry *entries, uint32_t entry_count,
                    const struct raft_hard_state *state)
{
    struct cluster_disk *disk = &node->disk;
    if (snapshot && snapshot->index > disk->snapshot.index) {
        disk->snapshot = *snapshot;
        disk->last = snapshot->index;
    }
    for (uint32_t i = 0; i < entry_count; i++) {
        assert(entries[i].index <= disk->last + 1 && entries[i].index < CLUSTER_LOG_MAX);
        disk->log[entries[i].index] = stored(&entries[i]);
        disk->last = entries[i].index;
    }
    if (state && state->term > 0) {
        assert(state->term >= disk->state.term); /* §5.1 */
        assert(state->term > disk->state.term || disk->state.vote == RAFT_NONE ||
               state->vote == disk->state.vote);
        disk->state = *state;
    }
}

/* --- applying --- */

static void apply_one(struct cluster_node *node, const struct raft_entry *entry)
{
    struct cluster *cluster = node->cluster;
    struct cluster_entry copy = stored(entry);
    if (entry->index <= node->applied) {
        return; /* Of before a snapshot that came in between. */
    }
    assert(entry->index == node->applied + 1);
    if (entry->index > cluster->committed_last) {
        assert(entry->index == cluster->committed_last + 1);
        cluster->committed[entry->index] = copy;
        cluster->committed_last = entry->index;
    }
    assert(is_same(&cluster->committed[entry->index], &copy)); /* §5.4.3: state machine safety. */
    node->applied = entry->index;
    if (entry->type != RAFT_ENTRY_NORMAL) {
        struct raft_conf_change change;
        struct base_bytes data = {.data = entry->data, .size = entry->size};
        enum raft_status status = raft_conf_change_decode(entry->type, data, &change);
        assert(status == RAFT_OK);
        if (raft_apply_conf_change(node->raft, &change, &node->configuration) == RAFT_OK) {
            cluster->changes++;
        }
    }
}

static void note_read(struct cluster *cluster, const struct raft_read_state *state)
{
    assert(state->context.size == 8);
    uint64_t number = base_load_u64(state->context.data);
    assert(number < cluster->read_count);
    /* §8: nothing that was committed before the question is missed. */
    assert(!cluster->is_safe_read || state->index >= cluster->reads[number]);
    cluster->reads_done++;
}

void cluster_send(struct cluster *cluster, const struct raft_message *message)
{
    if (cluster->flight_count == CLUSTER_FLIGHTS_MAX || message->to > CLUSTER_NODES) {
        return; /* Lost. */
    }
    flight_load(&cluster->flights[cluster->flight_count++], message);
}

/* --- the threads of asynchronous storage --- */

/* Step what a thread answers to its own node; send the rest. */
static void answer(struct cluster_node *node, struct flight *work)
{
    for (uint32_t i = 0; i < work->message.response_count; i++) {
        struct flight *response = &work->responses[i];
        if (response->snapshot.index != 0) {
            response->message.snapshot = &response->snapshot;
        }
        check_promise(node, &response->message);
        if (response->message.to == node->id) {
            enum raft_status status = raft_step(node->raft, &response->message);
            /* A leader that is removed does not know itself any more. */
            assert(status == RAFT_OK || status == RAFT_PEER_NOT_FOUND);
        } else {
            cluster_send(node->cluster, &response->message);
        }
    }
}

static struct flight take_first(struct flight *works, uint32_t *count)
{
    struct flight work = works[0];
    (*count)--;
    memmove(&works[0], &works[1], *count * sizeof works[0]);
    return work;
}

void cluster_run_append(struct cluster_node *node)
{
    if (node->append_count == 0) {
        return;
    }
    struct flight work = take_first(node->appends, &node->append_count);
    const struct raft_message *message = &work.message;
    struct raft_hard_state state = {.term = message->term, .vote = message->vote, .commit = message->commit};
    const struct raft_snapshot *snapshot = work.snapshot.index != 0 ? &work.snapshot : NULL;
    persist(node, snapshot, message->entries, message->entry_count, &state);
    if (snapshot && snapshot->index > node->applied) {
        node->applied = snapshot->index;
        node->configuration = snapshot->configuration;
    }
    answer(node, &work);
    flight_release(&work);
}

void cluster_run_apply(struct cluster_node *node)
{
    if (node->apply_count == 0) {
        return;
    }
    struct flight work = take_first(node->applies, &node->apply_count);
    for (uint32_t i = 0; i < work.message.entry_count; i++) {
        apply_one(node, &work.message.entries[i]);
    }
    answer(node, &work);
    flight_release(&work);
}

/* --- Ready --- */

static void ready_async(struct cluster_node *node, const struct raft_ready *ready)
{
    for (uint32_t i = 0; i < ready->message_count; i++) {
        const struct raft_message *message = &ready->messages[i];
        if (message->to == RAFT_APPEND_THREAD) {
            assert(node->append_count < CLUSTER_WORKS_MAX);
            flight_load(&node->appends[node->append_count++], message);
        } else if (message->to == RAFT_APPLY_THREAD) {
            assert(node->apply_count < CLUSTER_WORKS_MAX);
            flight_load(&node->applies[node->apply_count++], message);
        } else {
            cluster_send(node->cluster, message);
        }
    }
}

/* false: crashed on the way. */
static bool ready_sync(struct cluster_node *node, const struct raft_ready *ready, bool may_crash)
{
    struct cluster *cluster = node->cluster;
    if (may_crash && cluster_draw(cluster, 200) == 0) {
        return false; /* Before anything is on the disk. */
    }
    persist(node, ready->snapshot, ready->entries, ready->entry_count,
            ready->has_hard_state ? &ready->hard_state : NULL);
    if (may_crash && cluster_draw(cluster, 200) == 0) {
        return false; /* Persisted, nothing sent. */
    }
    for (uint32_t i = 0; i < ready->message_count; i++) {
        check_promise(node, &ready->messages[i]);
        cluster_send(cluster, &ready->messages[i]);
    }
    if (ready->snapshot) {
        node->applied = ready->snapshot->index;
        node->configuration = ready->snapshot->configuration;
    }
    for (uint32_t i = 0; i < ready->committed_count; i++) {
        apply_one(node, &ready->committed[i]);
    }
    raft_advance(node->raft);
    return true;
}

void cluster_settle(struct cluster_node *node, bool may_crash)
{
    while (node->raft && raft_has_ready(node->raft)) {
        if (node->is_async &&
            (node->append_count == CLUSTER_WORKS_MAX || node->apply_count == CLUSTER_WORKS_MAX)) {
            return; /* The stages are busy. */
        }
        struct raft_ready ready;
        raft_ready(node->raft, &ready);
        for (uint32_t i = 0; i < ready.read_state_count; i++) {
            note_read(node->cluster, &ready.read_states[i]);
        }
        if (node->is_async) {
            ready_async(node, &ready);
        } else if (!ready_sync(node, &ready, may_crash)) {
            cluster_crash(node);
        }
    }
}

/* --- life and death --- */

void cluster_crash(struct cluster_node *node)
{
    raft_free(node->raft);
    node->raft = NULL;
    for (uint32_t i = 0; i < node->append_count; i++) {
        flight_release(&node->appends[i]);
    }
    for (uint32_t i = 0; i < node->apply_count; i++) {
        flight_release(&node->applies[i]);
    }
    node->append_count = 0;
    node->apply_count = 0;
}

static void restore(struct cluster_node *node)
{
    const struct cluster_disk *disk = &node->disk;
    enum raft_status status = RAFT_OK;
    if (disk->snapshot.index > 0) {
        status = raft_restore_snapshot(node->raft, &disk->snapshot);
        assert(status == RAFT_OK);
    }
    for (raft_index index = disk->snapshot.index + 1; index <= disk->last; index++) {
        struct raft_entry entry = {.term = disk->log[index].term,
                                   .index = index,
                                   .data = disk->log[index].data,
                                   .size = disk->log[index].size,
                                   .type = disk->log[index].type};
        status = raft_restore_entry(node->raft, &entry);
        assert(status == RAFT_OK);
    }
    if (disk->state.term > 0) {
        struct raft_hard_state state = disk->state;
        if (state.commit < disk->snapshot.index) {
            state.commit = disk->snapshot.index;
        }
        status = raft_restore_hard_state(node->raft, &state);
        assert(status == RAFT_OK);
    }
    node->applied = disk->snapshot.index;
    node->configuration = disk->snapshot.configuration;
}

void cluster_start(struct cluster_node *node, const struct raft_config *config, bool is_new, uint32_t voters)
{
    node->observer = (struct raft_observer){
        .context = node, .role = saw_role, .commit = saw_commit, .match = saw_match, .restore = saw_restore};
    struct raft_config own = *config;
    own.id = node->id;
    own.observer = &node->observer;
    node->is_async = own.async_storage_writes;
    node->commit = 0;
    enum raft_status status = raft_new(&own, &cluster_allocator, &node->raft);
    assert(status == RAFT_OK);
    if (is_new && node->id <= voters) {
        raft_id peers[CLUSTER_NODES] = {1, 2, 3, 4, 5, 6};
        status = raft_bootstrap(node->raft, peers, NULL, NULL, voters);
        assert(status == RAFT_OK);
        node->configuration = *raft_configuration(node->raft);
    } else {
        restore(node);
    }
    status = raft_start(node->raft, 0);
    assert(status == RAFT_OK);
    struct raft_status_report report;
    raft_get_status(node->raft, &report);
    node->commit = report.hard_state.commit;
    if (node->applied > 0) {
        raft_offer_snapshot(node->raft, &node->disk.snapshot);
    }
}
