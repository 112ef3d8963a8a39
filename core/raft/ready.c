/* SPDX-License-Identifier: Apache-2.0 */
/* Ready: what the node wants persisted, sent and applied, and the news that it is.
 *
 * Answers that promise something durable (an append, a vote) wait aside. With
 * Ready and advance they come after everything else, and the host sends only
 * once it has persisted; our own ones are stepped by advance. With asynchronous
 * storage writes they ride on the message to the storage stage. */
#include "core/raft/state.h"

#include <assert.h>

enum { MESSAGES_FIRST = 8 };

/* Zero a struct in two halves: compilers do a whole one of more than 64 bytes by a slow
 * string instruction, and this is done for every message. */
static inline void clear(void *at, size_t size)
{
    memset(at, 0, size / 2);
    memset((uint8_t *)at + size / 2, 0, size - size / 2);
}

static struct raft_batch *other_batch(struct raft *raft)
{
    return &raft->batches[raft->batch ^ 1];
}

/* Twice the room; answers the last message, which may have moved. */
static __attribute__((noinline)) struct raft_message *grow(const struct base_allocator *allocator,
                                                           struct raft_message_list *list)
{
    uint32_t capacity = list->capacity == 0 ? MESSAGES_FIRST : list->capacity * 2;
    list->items = base_resize(allocator, list->items, list->capacity * sizeof *list->items,
                              capacity * sizeof *list->items);
    list->capacity = capacity;
    return list->count == 0 ? NULL : &list->items[list->count - 1];
}

/* Add a message, whatever is in it. There always is room for one more: growing
 * comes last, and so costs nothing when there is no need. */
static inline struct raft_message *push(const struct raft *raft, struct raft_message_list *list)
{
    assert(list->count < list->capacity);
    struct raft_message *message = &list->items[list->count++];
    return list->count < list->capacity ? message : grow(raft->allocator, list);
}

static uint32_t bit(enum raft_message_type type)
{
    return UINT32_C(1) << type;
}

static bool is_promise(enum raft_message_type type)
{
    uint32_t promises = bit(RAFT_MSG_APP_RESP) | bit(RAFT_MSG_VOTE_RESP) | bit(RAFT_MSG_PRE_VOTE_RESP);
    return (promises & bit(type)) != 0;
}

/* Those two may be passed on from term to term. */
static bool has_term(enum raft_message_type type)
{
    return ((bit(RAFT_MSG_PROP) | bit(RAFT_MSG_READ_INDEX)) & bit(type)) == 0;
}

struct raft_message *raft_send(struct raft *raft, enum raft_message_type type, raft_id to)
{
    struct raft_batch *batch = raft_batch(raft);
    bool promises = is_promise(type);
    struct raft_message_list *list = promises ? &batch->after_append : &batch->messages;
    assert(to != RAFT_NONE);
    assert(promises || to != raft->config.id);
    assert(list->count < list->capacity);
    struct raft_message *message = &list->items[list->count++];
    clear(message, sizeof *message);
    message->type = type;
    message->to = to;
    message->from = raft->config.id;
    message->term = has_term(type) ? raft->term : 0;
    return list->count < list->capacity ? message : grow(raft->allocator, list);
}

const struct raft_entry *raft_copy_entries(struct raft *raft, const struct raft_entry *entries,
                                           uint32_t count)
{
    if (count == 0) {
        return NULL;
    }
    struct base_arena *arena = &raft_batch(raft)->arena;
    struct raft_entry *copies = base_arena_alloc(arena, count * sizeof *copies);
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = entries[i];
        struct base_bytes data = {.data = entries[i].data, .size = entries[i].size};
        copies[i].data = base_arena_copy(arena, data).data;
    }
    return copies;
}

const struct raft_snapshot *raft_copy_snapshot(struct raft *raft, const struct raft_snapshot *snapshot)
{
    struct base_arena *arena = &raft_batch(raft)->arena;
    struct raft_snapshot *copy = base_arena_alloc(arena, sizeof *copy);
    *copy = *snapshot;
    copy->data = base_arena_copy(arena, snapshot->data);
    return copy;
}

void raft_batches_init(struct raft *raft)
{
    for (uint32_t i = 0; i < 2; i++) {
        base_arena_init(&raft->batches[i].arena, raft->allocator);
        (void)grow(raft->allocator, &raft->batches[i].messages);
        (void)grow(raft->allocator, &raft->batches[i].after_append);
    }
}

void raft_batches_release(struct raft *raft)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct raft_batch *batch = &raft->batches[i];
        base_arena_release(&batch->arena);
        base_free(raft->allocator, batch->messages.items,
                  batch->messages.capacity * sizeof *batch->messages.items);
        base_free(raft->allocator, batch->after_append.items,
                  batch->after_append.capacity * sizeof *batch->after_append.items);
        base_free(raft->allocator, batch->read_states,
                  batch->read_state_capacity * sizeof *batch->read_states);
    }
}

/* What was handed out is dead from here on. */
static void end_ready(struct raft *raft)
{
    struct raft_batch *batch = other_batch(raft);
    if (batch->arena.used > 0) {
        base_arena_reset(&batch->arena);
    }
    batch->messages.count = 0;
    batch->after_append.count = 0;
    batch->read_state_count = 0;
    if (raft->log.blocks.lent >= raft->ready_lending || raft->log.blocks.retired) {
        raft_blocks_return(&raft->log.blocks, raft->ready_lending);
    }
    raft->is_ready_out = false;
}

static bool has_new_hard_state(const struct raft *raft)
{
    const struct raft_hard_state *told = &raft->told_hard_state;
    return ((raft->term ^ told->term) | (raft->vote ^ told->vote) | (raft->log.committed ^ told->commit)) !=
           0;
}

static bool has_new_soft_state(const struct raft *raft)
{
    return raft->role != raft->told_role || raft->leader != raft->told_leader;
}

static bool has_new_snapshot(const struct raft *raft)
{
    return raft->log.has_snapshot && !raft->log.is_snapshot_in_progress;
}

/* Is there anything but messages and read states? */
static inline bool has_news(const struct raft *raft)
{
    return has_new_hard_state(raft) || has_new_soft_state(raft) || raft_log_has_unstable(&raft->log) ||
           raft_log_has_committed(&raft->log, !raft->config.async_storage_writes) || has_new_snapshot(raft);
}

bool raft_has_ready(const struct raft *raft)
{
    const struct raft_batch *batch = &raft->batches[raft->batch];
    return (batch->messages.count | batch->after_append.count | batch->read_state_count) != 0 ||
           has_news(raft);
}

static void take_state(struct raft *raft, struct raft_ready *out)
{
    out->has_soft_state = has_new_soft_state(raft);
    if (out->has_soft_state) {
        out->role = raft->role;
        out->leader = raft->leader;
        raft->told_role = raft->role;
        raft->told_leader = raft->leader;
    }
    struct raft_hard_state state = {.term = raft->term, .vote = raft->vote, .commit = raft->log.committed};
    /* A commit index alone can be found out again: no sync for it. */
    out->must_sync = raft_log_has_unstable(&raft->log) || state.term != raft->told_hard_state.term ||
                     state.vote != raft->told_hard_state.vote;
    out->has_hard_state = has_new_hard_state(raft);
    if (out->has_hard_state) {
        out->hard_state = state;
        raft->told_hard_state = state;
    }
    if (has_new_snapshot(raft)) {
        out->snapshot = raft_copy_snapshot(raft, &raft->log.snapshot);
        raft->log.is_snapshot_in_progress = true;
        raft->log.snapshot_handed = raft->log.snapshot.index;
    }
}

static struct raft_written written_by(const struct raft *raft, const struct raft_ready *ready)
{
    bool has_unstable = raft->log.stable < raft->log.last;
    return (struct raft_written){
        .term = raft->term,
        .index = has_unstable ? raft->log.last : 0,
        .log_term = has_unstable ? raft->log.last_term : 0,
        .snapshot = ready->snapshot ? ready->snapshot->index : 0,
    };
}

static void add_storage_append(struct raft *raft, const struct raft_ready *ready)
{
    struct raft_batch *batch = raft_batch(raft);
    if (ready->entry_count == 0 && !ready->has_hard_state && !ready->snapshot &&
        batch->after_append.count == 0) {
        return;
    }
    struct raft_written written = written_by(raft, ready);
    if (written.index != 0 || written.snapshot != 0) {
        *push(raft, &batch->after_append) = (struct raft_message){.type = RAFT_MSG_STORAGE_APPEND_RESP,
                                                                  .to = raft->config.id,
                                                                  .from = RAFT_APPEND_THREAD,
                                                                  .term = written.term,
                                                                  .index = written.index,
                                                                  .log_term = written.log_term,
                                                                  .snapshot = ready->snapshot};
    }
    *push(raft, &batch->messages) = (struct raft_message){
        .type = RAFT_MSG_STORAGE_APPEND,
        .to = RAFT_APPEND_THREAD,
        .from = raft->config.id,
        .term = ready->hard_state.term,
        .vote = ready->hard_state.vote,
        .commit = ready->hard_state.commit,
        .entries = ready->entries,
        .entry_count = ready->entry_count,
        .snapshot = ready->snapshot,
        .responses = batch->after_append.items,
        .response_count = batch->after_append.count,
    };
}

static void add_storage_apply(struct raft *raft, const struct raft_ready *ready)
{
    struct raft_batch *batch = raft_batch(raft);
    if (ready->committed_count == 0) {
        return;
    }
    struct raft_message *response = base_arena_alloc(&batch->arena, sizeof *response);
    *response = (struct raft_message){
        .type = RAFT_MSG_STORAGE_APPLY_RESP,
        .to = raft->config.id,
        .from = RAFT_APPLY_THREAD,
        .entries = ready->committed,
        .entry_count = ready->committed_count,
    };
    *push(raft, &batch->messages) = (struct raft_message){
        .type = RAFT_MSG_STORAGE_APPLY,
        .to = RAFT_APPLY_THREAD,
        .from = raft->config.id,
        .entries = ready->committed,
        .entry_count = ready->committed_count,
        .responses = response,
        .response_count = 1,
    };
}

static __attribute__((noinline)) void add_storage_messages(struct raft *raft, const struct raft_ready *ready)
{
    add_storage_append(raft, ready);
    add_storage_apply(raft, ready);
}

/* Without storage messages: promises to others go out last, those to ourselves
 * and the news from the disk wait for raft_advance. */
static void add_promises(struct raft *raft, const struct raft_ready *ready)
{
    struct raft_batch *batch = raft_batch(raft);
    uint32_t own_count = 0;
    for (uint32_t i = 0; i < batch->after_append.count; i++) {
        own_count += batch->after_append.items[i].to == raft->config.id;
    }
    if (own_count == 0 && batch->messages.count == 0) {
        struct raft_message_list promises = batch->after_append;
        batch->after_append = batch->messages;
        batch->messages = promises;
    }
    for (uint32_t i = 0; own_count < batch->after_append.count && i < batch->after_append.count; i++) {
        if (batch->after_append.items[i].to != raft->config.id) {
            *push(raft, &batch->messages) = batch->after_append.items[i];
        }
    }
    raft->ready_written = written_by(raft, ready);
    raft->ready_applied =
        ready->committed_count == 0 ? 0 : ready->committed[ready->committed_count - 1].index;
}

static void take_entries(struct raft *raft, struct raft_ready *out)
{
    struct base_arena *arena = &raft_batch(raft)->arena;
    bool allow_unstable = !raft->config.async_storage_writes;
    if (raft_log_has_unstable(&raft->log)) {
        struct raft_slice entries = raft_log_take_unstable(&raft->log, arena);
        out->entries = entries.entries;
        out->entry_count = entries.count;
    }
    if (raft_log_has_committed(&raft->log, allow_unstable)) {
        struct raft_slice committed = raft_log_take_committed(&raft->log, arena, allow_unstable);
        out->committed = committed.entries;
        out->committed_count = committed.count;
    }
}

void raft_ready(struct raft *raft, struct raft_ready *out)
{
    assert(raft->is_started);
    bool is_async = raft->config.async_storage_writes;
    assert(is_async || !raft->is_ready_out); /* raft_advance comes first. */
    if (raft->is_ready_out) {
        end_ready(raft);
    }
    struct raft_batch *batch = raft_batch(raft);
    clear(out, sizeof *out);
    if (has_news(raft)) {
        take_state(raft, out);
        take_entries(raft, out);
    }
    if (is_async) {
        add_storage_messages(raft, out);
    } else {
        add_promises(raft, out);
    }
    out->messages = batch->messages.items;
    out->message_count = batch->messages.count;
    out->read_states = batch->read_states;
    out->read_state_count = batch->read_state_count;
    raft->ready_lending = raft_log_next_lending(&raft->log);
    raft->batch ^= 1;
    raft->is_ready_out = true;
}

void raft_advance(struct raft *raft)
{
    assert(!raft->config.async_storage_writes);
    assert(raft->is_ready_out);
    struct raft_batch *handed = other_batch(raft);
    for (uint32_t i = 0; i < handed->after_append.count; i++) {
        if (handed->after_append.items[i].to == raft->config.id) {
            (void)raft_step_checked(raft, &handed->after_append.items[i]);
        }
    }
    if ((raft->ready_written.index | raft->ready_written.snapshot) != 0) {
        raft_written_to(raft, &raft->ready_written);
    }
    if (raft->ready_applied != 0) {
        raft_applied_to(raft, raft->ready_applied);
    }
    end_ready(raft);
}

void raft_applied_to(struct raft *raft, raft_index index)
{
    /* Only a leader counts, and only what was proposed to it. */
    uint64_t payload = raft->uncommitted_bytes == 0 ? 0 : raft_log_applying_payload(&raft->log, index);
    raft_log_applied_to(&raft->log, index);
    if (raft->role == RAFT_LEADER && raft->tracker.conf.auto_leave &&
        raft->log.applied >= raft->pending_conf_index) {
        /* Should it be dropped (a transfer is under way), the next apply tries again. */
        struct raft_entry leave = {.type = RAFT_ENTRY_CONF_CHANGE_V2};
        struct raft_message proposal = {.type = RAFT_MSG_PROP,
                                        .from = raft->config.id,
                                        .entries = &leave,
                                        .entry_count = 1};
        (void)raft_step_checked(raft, &proposal);
    }
    raft->uncommitted_bytes -= payload < raft->uncommitted_bytes ? payload : raft->uncommitted_bytes;
}

void raft_written_to(struct raft *raft, const struct raft_written *written)
{
    if (written->index != 0 && written->term == raft->term) {
        raft_log_stable_to(&raft->log, written->index, written->log_term);
    }
    if (written->snapshot != 0) {
        raft_snapshot_installed(raft, written->snapshot);
    }
}

void raft_snapshot_installed(struct raft *raft, raft_index index)
{
    raft_log_snapshot_done(&raft->log, index);
}
