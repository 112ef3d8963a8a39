/* Watches of clients: which connection follows which range, and what it is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/state.h"

#include <assert.h>

static const uint8_t zero[1] = {0};

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
    /* Without a key: from the smallest there can be (etcd: recvLoop). */
    struct base_bytes key = request->op.key.size > 0 ? request->op.key : (struct base_bytes){zero, 1};
    enum base_status status = kv_watch_add(watches->watchers, number, key, request->op.range_end,
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
            (struct member_watch){.number = number,
                                  .connection = connection,
                                  .watch = request->watch,
                                  .is_fragmented = (request->op.flags & KV_WATCH_FRAGMENT) != 0,
                                  .is_noticed = (request->op.flags & KV_WATCH_PROGRESS) != 0,
                                  .is_idle = true};
        if (watches->notice_ns == 0 && watches->list[watches->count - 1].is_noticed) {
            watches->notice_ns = member->now_ns + member->config.progress_notify_ns;
        }
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

static bool is_full(const struct member *member, uint64_t connection)
{
    return member->host->is_full(member->host->context, connection);
}

static size_t event_bytes(const struct kv_event *event)
{
    size_t bytes = sizeof *event + event->record.key.size + event->record.value.size;
    if (event->has_previous) {
        bytes += event->previous.key.size + event->previous.value.size;
    }
    return bytes;
}

/* How many events from `first` on go into one message: as many as a request may be
 * large, one in every case. */
static uint32_t part_of(const struct member *member, const struct kv_watch_batch *batch, uint32_t first)
{
    uint32_t count = 1;
    size_t bytes = event_bytes(&batch->events[first]);
    while (first + count < batch->event_count) {
        bytes += event_bytes(&batch->events[first + count]);
        if (bytes > member->config.request_bytes_max) {
            break;
        }
        count++;
    }
    return count;
}

static void send(struct member *member, struct member_watch *watch, const struct kv_watch_batch *batch,
                 uint32_t first, uint32_t count)
{
    bool is_more = first + count < batch->event_count;
    struct wire_message out = {
        .kind = WIRE_WATCH,
        .cluster_id = member->cluster_id,
        .from = member->id,
        .watch = {.watch = watch->watch,
                  .revision = batch->revision,
                  .compact_revision = batch->compact_revision,
                  .fragment = is_more,
                  .event_count = count,
                  .events = count > 0 ? batch->events + first : NULL},
    };
    watch->is_idle = false;
    member->host->reply(member->host->context, watch->connection, &out);
}

/* That all up to here was told: only of a watch that has seen everything (bookmarkable),
 * and only where there is room: a notice is not worth waiting for. */
static void notice(struct member *member, struct member_watch *watch)
{
    struct kv_watch_batch batch;
    if (kv_watch_progress(member->watches.watchers, watch->number, &batch) &&
        !is_full(member, watch->connection)) {
        send(member, watch, &batch, 0, 0);
    }
}

static void progress(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct member_watches *watches = &member->watches;
    for (uint32_t slot = 0; slot < watches->count; slot++) {
        struct member_watch *watch = &watches->list[slot];
        if (watch->connection == connection && watch->watch == request->watch) {
            notice(member, watch);
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

/* A batch as one message, or in parts where the client asked for it: all but the last
 * say that more follows (etcd: sendFragments). */
static void deliver(struct member *member, uint32_t slot, const struct kv_watch_batch *batch)
{
    struct member_watch *watch = &member->watches.list[slot];
    uint32_t first = 0;
    while (watch->is_fragmented && first < batch->event_count) {
        uint32_t count = part_of(member, batch, first);
        send(member, watch, batch, first, count);
        first += count;
    }
    if (first == 0) {
        send(member, watch, batch, 0, batch->event_count);
    }
    if (batch->compact_revision != 0) {
        drop(&member->watches, slot);
    }
}

/* Can whoever has this watch take a batch now? */
static bool is_ready(void *context, uint64_t number)
{
    struct member *member = context;
    const struct member_watches *watches = &member->watches;
    uint32_t slot = slot_of(watches, number);
    assert(slot < watches->count && watches->list[slot].number == number);
    bool is_ready = !is_full(member, watches->list[slot].connection);
    if (!is_ready && watches->pass_ns == 0) {
        member->watches.pass_ns = member->now_ns + MEMBER_WATCH_PASS_NS;
    }
    return is_ready;
}

void member_watches_pump(struct member *member)
{
    struct member_watches *watches = &member->watches;
    const struct kv_watch_taker taker = {.context = member, .is_ready = is_ready};
    struct kv_watch_batch batch;
    while (kv_watchers_pending(watches->watchers) &&
           kv_watch_poll(watches->watchers, &taker, MEMBER_WATCH_EVENTS_MAX, &member->arena, &batch)) {
        deliver(member, slot_of(watches, batch.watch), &batch);
    }
}

/* Those that were told nothing for a whole interval and want to know. */
static void notices_due(struct member *member)
{
    struct member_watches *watches = &member->watches;
    if (watches->notice_ns == 0 || member->now_ns < watches->notice_ns) {
        return;
    }
    bool is_any = false;
    for (uint32_t slot = 0; slot < watches->count; slot++) {
        struct member_watch *watch = &watches->list[slot];
        if (watch->is_noticed && watch->is_idle) {
            notice(member, watch);
        }
        watch->is_idle = true;
        is_any |= watch->is_noticed;
    }
    watches->notice_ns = is_any ? member->now_ns + member->config.progress_notify_ns : 0;
}

/* One pass over those that are behind: a batch for each whose receiver has room by
 * now (etcd: syncWatchers). */
static void pass_due(struct member *member)
{
    struct member_watches *watches = &member->watches;
    if (watches->pass_ns == 0 || member->now_ns < watches->pass_ns) {
        return;
    }
    uint64_t number = watches->pass_from;
    uint32_t left = MEMBER_WATCH_PASS;
    for (; left > 0 && kv_watch_behind(watches->watchers, &number); left--, number++) {
        uint32_t slot = slot_of(watches, number);
        struct kv_watch_batch batch;
        if (is_ready(member, number) &&
            kv_watch_catch_up(watches->watchers, number, MEMBER_WATCH_EVENTS_MAX, &member->arena, &batch)) {
            deliver(member, slot, &batch);
        }
    }
    watches->pass_from = left > 0 ? 0 : number;
    uint64_t any = 0;
    bool is_any = kv_watch_behind(watches->watchers, &any);
    watches->pass_ns = is_any ? member->now_ns + MEMBER_WATCH_PASS_NS : 0;
}

void member_watches_due(struct member *member)
{
    pass_due(member);
    notices_due(member);
}

uint64_t member_watches_due_ns(const struct member *member)
{
    uint64_t pass_ns = member->watches.pass_ns == 0 ? HOST_NEVER : member->watches.pass_ns;
    uint64_t notice_ns = member->watches.notice_ns == 0 ? HOST_NEVER : member->watches.notice_ns;
    return pass_ns < notice_ns ? pass_ns : notice_ns;
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
