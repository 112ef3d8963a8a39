/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cluster.h"

#include "core/raft/text.h"
#include "tests/conformance/kinds.h"

#include <stdio.h>
#include <stdlib.h>

void pool_push(struct pool *pool, const struct raft_message *message)
{
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity * 2 + 16;
        pool->items = realloc(pool->items, pool->capacity * sizeof *pool->items);
    }
    pool->items[pool->count++] = *message;
}

void pool_remove(struct pool *pool, size_t place)
{
    pool->count--;
    memmove(&pool->items[place], &pool->items[place + 1], (pool->count - place) * sizeof *pool->items);
}

static uint64_t draw(void *context)
{
    struct conformance_cluster *cluster = context;
    cluster->random = cluster->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return cluster->random ^ cluster->random >> 29;
}

struct conformance_cluster *conformance_cluster_new(void)
{
    struct conformance_cluster *cluster = calloc(1, sizeof *cluster);
    const char *seed = getenv("RAFT_CONFORMANCE_SEED");
    cluster->random = seed ? strtoull(seed, NULL, 10) : 1;
    base_arena_init(&cluster->arena, &conformance_allocator);
    return cluster;
}

void conformance_cluster_free(struct conformance_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        raft_free(cluster->nodes[i].raft);
        store_release(&cluster->nodes[i].store);
        free(cluster->nodes[i].append_work.items);
        free(cluster->nodes[i].apply_work.items);
    }
    free(cluster->messages.items);
    base_arena_release(&cluster->arena);
    free(cluster);
}

const char *cluster_add(struct conformance_cluster *cluster, const struct raft_config *config,
                        const struct raft_snapshot *snapshot)
{
    if (cluster->node_count == CLUSTER_NODES_MAX) {
        return "too many nodes";
    }
    struct node *node = &cluster->nodes[cluster->node_count];
    *node = (struct node){.config = *config, .state = *snapshot, .store = {.arena = &cluster->arena}};
    node->config.id = cluster->node_count + 1;
    node->config.random = draw;
    node->config.random_context = cluster;
    if (raft_new(&node->config, &conformance_allocator, &node->raft) != RAFT_OK) {
        return "invalid options";
    }
    if ((snapshot->index != 0 && raft_restore_snapshot(node->raft, snapshot) != RAFT_OK) ||
        raft_start(node->raft, snapshot->index) != RAFT_OK) {
        raft_free(node->raft);
        return "invalid snapshot";
    }
    store_restart(&node->store, snapshot->index);
    if (snapshot->index != 0) {
        raft_offer_snapshot(node->raft, snapshot);
    }
    cluster->node_count++;
    return NULL;
}

static const char *persist(struct node *node, const struct raft_entry *entries, uint32_t entry_count,
                           const struct raft_snapshot *snapshot)
{
    if (!snapshot) {
        store_append(&node->store, entries, entry_count);
        return NULL;
    }
    if (entry_count > 0) {
        return "can't apply snapshot and entries at the same time";
    }
    store_restart(&node->store, snapshot->index);
    return NULL;
}

/* The state machine: what is applied is appended to what was there. */
static void apply_update(struct conformance_cluster *cluster, struct node *node,
                         const struct raft_entry *entry, struct base_bytes update)
{
    size_t size = node->state.data.size + update.size;
    uint8_t *data = base_arena_alloc(&cluster->arena, size + 1);
    memcpy(data, node->state.data.data ? node->state.data.data : data, node->state.data.size);
    memcpy(data + node->state.data.size, update.data ? update.data : data, update.size);
    node->state.data = (struct base_bytes){.data = data, .size = size};
    node->state.index = entry->index;
    node->state.term = entry->term;
    raft_offer_snapshot(node->raft, &node->state);
}

static const char *apply(struct conformance_cluster *cluster, struct node *node,
                         const struct raft_entry *entries, uint32_t entry_count)
{
    for (uint32_t i = 0; i < entry_count; i++) {
        struct base_bytes update = {.data = entries[i].data, .size = entries[i].size};
        if (entries[i].type != RAFT_ENTRY_NORMAL) {
            struct raft_conf_change change;
            if (raft_conf_change_decode(entries[i].type, update, &change) != RAFT_OK) {
                return "malformed configuration change";
            }
            update = change.context;
            if (raft_apply_conf_change(node->raft, &change, &node->state.configuration) != RAFT_OK) {
                return "configuration change does not fit";
            }
        }
        apply_update(cluster, node, &entries[i], update);
    }
    return NULL;
}

static bool is_thread(raft_id id)
{
    return id >= RAFT_APPLY_THREAD;
}

const char *cluster_ready(struct conformance_cluster *cluster, struct node *node, struct base_buffer *out)
{
    struct raft_ready ready;
    raft_ready(node->raft, &ready);
    raft_text_ready(out, &ready);
    const char *error = NULL;
    if (!node->config.async_storage_writes) {
        error = persist(node, ready.entries, ready.entry_count, ready.snapshot);
        if (!error) {
            error = apply(cluster, node, ready.committed, ready.committed_count);
        }
    }
    for (uint32_t i = 0; i < ready.message_count; i++) {
        struct raft_message message = copy_message(&cluster->arena, &ready.messages[i]);
        if (message.to == RAFT_APPEND_THREAD) {
            pool_push(&node->append_work, &message);
        } else if (message.to == RAFT_APPLY_THREAD) {
            pool_push(&node->apply_work, &message);
        } else {
            pool_push(&cluster->messages, &message);
        }
    }
    if (!node->config.async_storage_writes) {
        raft_advance(node->raft);
    }
    return error;
}

/* Print a thread's next piece of work and take it out. */
static struct raft_message begin_work(struct pool *work, struct base_buffer *out)
{
    struct raft_message message = work->items[0];
    pool_remove(work, 0);
    struct raft_message shown = message;
    shown.responses = NULL;
    shown.response_count = 0;
    raft_text_string(out, "Processing:\n");
    raft_text_message(out, &shown);
    raft_text_string(out, "\n");
    return message;
}

static void end_work(struct conformance_cluster *cluster, const struct raft_message *message,
                     struct base_buffer *out)
{
    raft_text_string(out, "Responses:\n");
    for (uint32_t i = 0; i < message->response_count; i++) {
        raft_text_message(out, &message->responses[i]);
        raft_text_string(out, "\n");
        pool_push(&cluster->messages, &message->responses[i]);
    }
}

const char *cluster_append_thread(struct conformance_cluster *cluster, struct node *node,
                                  struct base_buffer *out)
{
    if (node->append_work.count == 0) {
        raft_text_string(out, "no append work to perform");
        return NULL;
    }
    struct raft_message message = begin_work(&node->append_work, out);
    const char *error = persist(node, message.entries, message.entry_count, message.snapshot);
    if (!error) {
        end_work(cluster, &message, out);
    }
    return error;
}

const char *cluster_apply_thread(struct conformance_cluster *cluster, struct node *node,
                                 struct base_buffer *out)
{
    if (node->apply_work.count == 0) {
        raft_text_string(out, "no apply work to perform");
        return NULL;
    }
    struct raft_message message = begin_work(&node->apply_work, out);
    const char *error = apply(cluster, node, message.entries, message.entry_count);
    if (!error) {
        end_work(cluster, &message, out);
    }
    return error;
}

/* What a node tells its own stages is never lost. */
static bool is_local(const struct raft_message *message)
{
    return message->from == message->to || is_thread(message->from) || is_thread(message->to);
}

static bool is_wanted(const struct raft_message *message, raft_id to, enum raft_message_type type, bool drop)
{
    return message->to == to && !(drop && is_local(message)) &&
           (type == RAFT_MSG_COUNT || message->type == type);
}

bool cluster_has_messages(const struct conformance_cluster *cluster, raft_id to)
{
    for (size_t i = 0; i < cluster->messages.count; i++) {
        if (is_wanted(&cluster->messages.items[i], to, RAFT_MSG_COUNT, false)) {
            return true;
        }
    }
    return false;
}

static void deliver_one(struct conformance_cluster *cluster, const struct raft_message *message,
                        struct base_buffer *out)
{
    enum raft_status status = RAFT_PEER_NOT_FOUND;
    if (message->to <= cluster->node_count) {
        status = raft_step(cluster->nodes[message->to - 1].raft, message);
    }
    if (status != RAFT_OK) {
        raft_text_string(out, raft_text_status(status));
        raft_text_string(out, "\n");
    }
}

size_t cluster_deliver(struct conformance_cluster *cluster, raft_id to, enum raft_message_type type,
                       bool drop, struct base_buffer *out)
{
    size_t count = 0;
    size_t left = cluster->messages.count; /* Not those that delivering adds. */
    for (size_t place = 0; left > 0; left--) {
        struct raft_message message = cluster->messages.items[place];
        if (!is_wanted(&message, to, type, drop)) {
            place++;
            continue;
        }
        pool_remove(&cluster->messages, place);
        count++;
        raft_text_string(out, drop ? "dropped: " : "");
        raft_text_message(out, &message);
        raft_text_string(out, "\n");
        if (!drop) {
            deliver_one(cluster, &message, out);
        }
    }
    return count;
}

void cluster_indent(struct base_buffer *out, size_t start)
{
    size_t size = out->size - start;
    char *text = malloc(size + 1);
    memcpy(text, size > 0 ? out->data + start : (const uint8_t *)"", size);
    out->size = start;
    for (size_t at = 0; at < size;) {
        size_t length = 0;
        while (at + length < size && text[at + length] != '\n') {
            length++;
        }
        raft_text_string(out, "  ");
        uint8_t *line = base_buffer_extend(out, length + 1);
        memcpy(line, text + at, length);
        line[length] = '\n';
        at += length + 1;
    }
    free(text);
}

static void put_heading(struct base_buffer *out, const struct node *node, const char *what)
{
    raft_text_string(out, "> ");
    raft_text_decimal(out, node->config.id);
    raft_text_string(out, what);
}

/* Run a stage's work until there is none. */
static const char *drain(struct conformance_cluster *cluster, struct node *node, const struct pool *work,
                         const char *(*run)(struct conformance_cluster *, struct node *,
                                            struct base_buffer *),
                         struct base_buffer *out)
{
    const char *error = NULL;
    while (!error && work->count > 0) {
        size_t start = out->size;
        error = run(cluster, node, out);
        cluster_indent(out, start);
    }
    return error;
}

/* One round over all nodes; `*done` stays when there was nothing to do. */
static const char *round_of(struct conformance_cluster *cluster, struct node **nodes, size_t node_count,
                            bool *done, struct base_buffer *out)
{
    const char *error = NULL;
    for (size_t i = 0; !error && i < node_count; i++) {
        if (raft_has_ready(nodes[i]->raft)) {
            put_heading(out, nodes[i], " handling Ready\n");
            size_t start = out->size;
            error = cluster_ready(cluster, nodes[i], out);
            cluster_indent(out, start);
            *done = false;
        }
    }
    for (size_t i = 0; !error && i < node_count; i++) {
        if (cluster_has_messages(cluster, nodes[i]->config.id)) {
            put_heading(out, nodes[i], " receiving messages\n");
            size_t start = out->size;
            (void)cluster_deliver(cluster, nodes[i]->config.id, RAFT_MSG_COUNT, false, out);
            cluster_indent(out, start);
            *done = false;
        }
    }
    for (size_t i = 0; !error && i < node_count; i++) {
        if (nodes[i]->append_work.count > 0) {
            put_heading(out, nodes[i], " processing append thread\n");
            error = drain(cluster, nodes[i], &nodes[i]->append_work, cluster_append_thread, out);
            *done = false;
        }
    }
    for (size_t i = 0; !error && i < node_count; i++) {
        if (nodes[i]->apply_work.count > 0) {
            put_heading(out, nodes[i], " processing apply thread\n");
            error = drain(cluster, nodes[i], &nodes[i]->apply_work, cluster_apply_thread, out);
            *done = false;
        }
    }
    return error;
}

const char *cluster_stabilize(struct conformance_cluster *cluster, struct node **nodes, size_t node_count,
                              struct base_buffer *out)
{
    const char *error = NULL;
    for (bool done = false; !done && !error;) {
        done = true;
        error = round_of(cluster, nodes, node_count, &done, out);
    }
    return error;
}
