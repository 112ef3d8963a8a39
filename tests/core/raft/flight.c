/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/random_cluster.h"

#include <stdlib.h>
#include <string.h>

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    (void)context;
    (void)size_old;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    if (!moved) {
        abort();
    }
    return moved;
}

const struct base_allocator cluster_allocator = {.resize = resize};

static void load_entries(struct flight *flight, const struct raft_message *message)
{
    size_t size = 1;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        size += message->entries[i].size;
    }
    flight->entries = calloc(message->entry_count, sizeof *flight->entries);
    flight->bytes = malloc(size);
    uint8_t *at = flight->bytes;
    for (uint32_t i = 0; i < message->entry_count; i++) {
        flight->entries[i] = message->entries[i];
        flight->entries[i].data = at;
        if (message->entries[i].size > 0) {
            memcpy(at, message->entries[i].data, message->entries[i].size);
        }
        at += message->entries[i].size;
    }
    flight->message.entries = flight->entries;
}

void flight_load(struct flight *flight, const struct raft_message *message)
{
    *flight = (struct flight){.message = *message};
    if (message->entry_count > 0) {
        load_entries(flight, message);
    } else if (message->context.size > 0) {
        flight->bytes = malloc(message->context.size);
        memcpy(flight->bytes, message->context.data, message->context.size);
        flight->message.context.data = flight->bytes;
    }
    if (message->snapshot) {
        flight->snapshot = *message->snapshot; /* Carries no data here. */
        flight->message.snapshot = NULL;       /* Set when it is used: flights move. */
    }
    if (message->response_count > 0) {
        flight->responses = calloc(message->response_count, sizeof *flight->responses);
        for (uint32_t i = 0; i < message->response_count; i++) {
            flight_load(&flight->responses[i], &message->responses[i]);
        }
    }
}

void flight_release(struct flight *flight)
{
    for (uint32_t i = 0; flight->responses && i < flight->message.response_count; i++) {
        flight_release(&flight->responses[i]);
    }
    free(flight->responses);
    free(flight->entries);
    free(flight->bytes);
    *flight = (struct flight){0};
}
