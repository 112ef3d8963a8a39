/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: one node of three, stepped with whatever the bytes say, in between
 * ticks, proposals and Ready. No message may reach an assert. */
#include "core/raft/raft.h"
#include "tests/core/raft/random_cluster.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 4 };

/* What a message points to, for the length of one step. */
struct parts {
    struct raft_entry entries[ENTRIES_MAX];
    struct raft_snapshot snapshot;
};

static uint64_t draw(void *context)
{
    uint64_t *state = context;
    *state = *state * UINT64_C(6364136223846793005) + 1;
    return *state;
}

/* Mostly small numbers: near the log's end, where it is interesting. */
static uint64_t number(struct base_reader *reader)
{
    uint8_t byte = base_get_u8(reader);
    return byte == 255 ? base_get_u64(reader) : byte % 32;
}

static raft_id member(struct base_reader *reader)
{
    uint8_t byte = base_get_u8(reader);
    return byte == 255 ? RAFT_APPEND_THREAD : byte == 254 ? RAFT_APPLY_THREAD : byte % 5;
}

static void read_set(struct base_reader *reader, struct raft_id_set *set)
{
    set->count = base_get_u8(reader) % 4;
    for (uint32_t i = 0; i < set->count; i++) {
        set->ids[i] = member(reader);
    }
}

static void read_snapshot(struct base_reader *reader, struct raft_snapshot *snapshot)
{
    snapshot->index = number(reader);
    snapshot->term = number(reader);
    read_set(reader, &snapshot->configuration.voters);
    read_set(reader, &snapshot->configuration.learners);
    read_set(reader, &snapshot->configuration.voters_outgoing);
    read_set(reader, &snapshot->configuration.learners_next);
    snapshot->configuration.auto_leave = base_get_u8(reader) % 2 != 0;
}

static struct raft_message read_message(struct base_reader *reader, struct parts *parts)
{
    struct raft_message message = {.type =
                                       (enum raft_message_type)(base_get_u8(reader) % (RAFT_MSG_COUNT + 1))};
    uint8_t shape = base_get_u8(reader);
    message.to = shape & 1 ? 1 : member(reader);
    message.from = member(reader);
    message.term = number(reader);
    message.log_term = number(reader);
    message.index = number(reader);
    message.commit = number(reader);
    message.reject = (shape & 2) != 0;
    message.reject_hint = number(reader);
    message.entry_count = (shape >> 2) % (ENTRIES_MAX + 1);
    for (uint32_t i = 0; i < message.entry_count; i++) {
        struct raft_entry *entry = &parts->entries[i];
        *entry = (struct raft_entry){.index = shape & 128 ? number(reader) : message.index + i + 1,
                                     .term = number(reader),
                                     .type = (enum raft_entry_type)(base_get_u8(reader) % 4)};
        struct base_bytes payload = base_get_bytes(reader);
        entry->data = payload.data;
        entry->size = (uint32_t)payload.size;
    }
    message.entries = message.entry_count > 0 || shape & 64 ? parts->entries : NULL;
    if (shape & 32) {
        parts->snapshot = (struct raft_snapshot){0};
        read_snapshot(reader, &parts->snapshot);
        message.snapshot = &parts->snapshot;
    }
    message.context = base_get_bytes(reader);
    return message;
}

static void settle(struct raft *raft, bool is_async)
{
    struct raft_ready ready;
    raft_ready(raft, &ready);
    for (uint32_t i = 0; i < ready.committed_count; i++) {
        const struct raft_entry *entry = &ready.committed[i];
        struct raft_conf_change change;
        struct raft_conf_state state;
        struct base_bytes data = {.data = entry->data, .size = entry->size};
        if (raft_conf_change_decode(entry->type, data, &change) == RAFT_OK) {
            (void)!raft_apply_conf_change(raft, &change, &state);
        }
    }
    if (!is_async) {
        raft_advance(raft);
        return;
    }
    for (uint32_t i = 0; i < ready.message_count; i++) {
        for (uint32_t r = 0; r < ready.messages[i].response_count; r++) {
            if (ready.messages[i].responses[r].to == 1) {
                (void)!raft_step(raft, &ready.messages[i].responses[r]);
            }
        }
    }
}

static void ask(struct raft *raft, struct base_reader *reader)
{
    struct base_bytes bytes = base_get_bytes(reader);
    struct raft_conf_change change;
    switch (base_get_u8(reader) % 8) {
    case 0:
        (void)!raft_propose(raft, bytes);
        break;
    case 1:
        if (raft_conf_change_decode(RAFT_ENTRY_CONF_CHANGE_V2, bytes, &change) == RAFT_OK) {
            (void)!raft_propose_conf_change(raft, &change);
        }
        break;
    case 2:
        (void)!raft_read_index(raft, bytes);
        break;
    case 3:
        raft_transfer_leader(raft, member(reader));
        break;
    case 4:
        raft_campaign(raft);
        break;
    case 5:
        raft_report_snapshot(raft, member(reader), base_get_u8(reader) % 2 != 0);
        break;
    case 6:
        raft_report_unreachable(raft, member(reader));
        break;
    default:
        (void)!raft_compact(raft, number(reader));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_reader reader;
    base_reader_init(&reader, (struct base_bytes){.data = data, .size = size});
    uint8_t options = base_get_u8(&reader);
    uint64_t random = options;
    struct raft_config config = {.id = 1,
                                 .election_ticks = 5,
                                 .heartbeat_ticks = 1,
                                 .message_bytes_max = options & 1 ? 0 : UINT64_MAX,
                                 .inflight_count_max = options & 2 ? 1 : 8,
                                 .pre_vote = (options & 4) != 0,
                                 .check_quorum = (options & 8) != 0,
                                 .async_storage_writes = (options & 16) != 0,
                                 .step_down_on_removal = (options & 32) != 0,
                                 .uncommitted_bytes_max = options & 64 ? 10 : 0,
                                 .random = draw,
                                 .random_context = &random};
    const raft_id peers[] = {1, 2, 3};
    struct raft *raft = NULL;
    if (raft_new(&config, &cluster_allocator, &raft) != RAFT_OK ||
        raft_bootstrap(raft, peers, NULL, NULL, options & 128 ? 1 : 3) != RAFT_OK ||
        raft_start(raft, 0) != RAFT_OK) {
        abort();
    }
    while (base_reader_left(&reader) > 0) {
        struct parts parts;
        uint8_t what = base_get_u8(&reader);
        if (what < 128) {
            struct raft_message message = read_message(&reader, &parts);
            (void)!raft_step(raft, &message);
        } else if (what < 160) {
            raft_tick(raft, what % 16);
        } else if (what < 200) {
            ask(raft, &reader);
        } else {
            settle(raft, config.async_storage_writes);
        }
    }
    raft_free(raft);
    return 0;
}
