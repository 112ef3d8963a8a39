/* Watches of clients: which connection follows which range, and what it is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

static uint32_t slot_of(const struct member_watches *watches, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = watches->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (watches->list[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void drop(struct member_watches *watches, uint32_t slot)
{
    (void)kv_watch_cancel(watches->watchers, watches->list[slot].number);
    watches->count--;
    memmove(&watches->list[slot], &watches->list[slot + 1], (watches->count - slot) * sizeof *watches->list);
}

static void create(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_watches *watches = &member->watches;
    uint64_t number = ++watches->number;
    enum base_status status = kv_watch_add(watches->watchers, number, request->op.key, request->op.range_end,
                                           request->revision, request->op.flags);
    if (status == BASE_OK) {
        if (watches->count == watches->capacity) {
            uint32_t capacity = watches->capacity == 0 ? 8 : watches->capacity * 2;
            watches->list =
                base_resize(member->allocator, watches->list, watches->capacity * sizeof *watches->list,
                            capacity * sizeof *watches->list);
            watches->capacity = capacity;
        }
        watches->list[watches->count++] =
            (struct member_watch){.number = number, .connection = connection, .watch = request->watch};
    }
    member_respond(member, connection, request->id, status, NULL);
}

static void cancel(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_watches *watches = &member->watches;
    for (uint32_t slot = 0; slot < watches->count; slot++) {
        if (watches->list[slot].connection == connection && watches->list[slot].watch == request->watch) {
            drop(watches, slot);
            break;
        }
    }
    member_respond(member, connection, request->id, BASE_OK, NULL);
}

/* Only a watch that has seen everything may be told so (bookmarkable). */
static void progress(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_watches *watches = &member->watches;
    for (uint32_t slot = 0; slot < watches->count; slot++) {
        const struct member_watch *watch = &watches->list[slot];
        if (watch->connection == connection && watch->watch == request->watch &&
            kv_watch_is_synced(watches->watchers, watch->number)) {
            struct wire_message out = {
                .kind = WIRE_WATCH,
                .watch = {.watch = watch->watch, .revision = kv_revision(member->kv)},
            };
            member->host->reply(member->host->context, connection, &out);
        }
    }
    member_respond(member, connection, request->id, BASE_OK, NULL);
}

void member_watch_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    if (request->kind == WIRE_WATCH_CREATE) {
        create(member, connection, request);
    } else if (request->kind == WIRE_WATCH_CANCEL) {
        cancel(member, connection, request);
    } else {
        assert(request->kind == WIRE_WATCH_PROGRESS);
        progress(member, connection, request);
    }
    member_watches_pump(member);
}

void member_watches_pump(struct member *member)
{
    struct member_watches *watches = &member->watches;
    struct kv_watch_batch batch;
    while (kv_watchers_pending(watches->watchers) &&
           kv_watch_poll(watches->watchers, MEMBER_WATCH_EVENTS_MAX, &member->arena, &batch)) {
        uint32_t slot = slot_of(watches, batch.watch);
        if (slot == watches->count || watches->list[slot].number != batch.watch) {
            continue;
        }
        struct wire_message out = {
            .kind = WIRE_WATCH,
            .cluster_id = member->cluster_id,
            .from = member->id,
            .watch = {.watch = watches->list[slot].watch,
                      .revision = batch.revision,
                      .compact_revision = batch.compact_revision,
                      .event_count = batch.event_count,
                      .events = batch.events},
        };
        member->host->reply(member->host->context, watches->list[slot].connection, &out);
        if (batch.compact_revision != 0) {
            drop(watches, slot);
        }
    }
}

void member_watches_closed(struct member *member, uint64_t connection)
{
    for (uint32_t slot = member->watches.count; slot > 0; slot--) {
        if (member->watches.list[slot - 1].connection == connection) {
            drop(&member->watches, slot - 1);
        }
    }
}

void member_watches_release(struct member *member)
{
    struct member_watches *watches = &member->watches;
    base_free(member->allocator, watches->list, watches->capacity * sizeof *watches->list);
    if (watches->watchers) {
        kv_watchers_free(watches->watchers);
    }
}
