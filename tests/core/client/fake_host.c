/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static void *resize(void *context, void *block, size_t size_old, size_t size_new)
{
    struct fake_host *host = context;
    host->bytes_out = host->bytes_out - size_old + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    host->allocations++;
    void *moved = realloc(block, size_new);
    cr_assert(moved);
    return moved;
}

static uint64_t draw(void *context)
{
    struct fake_host *host = context;
    host->random = host->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return host->random >> 11;
}

static void record_send(void *context, uint32_t endpoint, uint64_t connection,
                        const struct wire_message *message)
{
    struct fake_host *host = context;
    cr_assert_lt(host->sent_count, FAKE_SENT_MAX);
    struct fake_sent *sent = &host->sent[host->sent_count++];
    *sent = (struct fake_sent){.endpoint = endpoint, .connection = connection, .kind = message->kind};
    if (message->kind == WIRE_REQUEST) {
        sent->request = message->request;
        sent->key_size = message->request.op.key.size;
        size_t kept = sent->key_size < sizeof sent->key ? sent->key_size : sizeof sent->key;
        if (kept > 0) {
            memcpy(sent->key, message->request.op.key.data, kept);
        }
    }
}

static void record_due(void *context, uint64_t due_ns)
{
    struct fake_host *host = context;
    cr_assert_neq(due_ns, host->due_ns, "set_due only when it changes");
    host->due_ns = due_ns;
    host->due_count++;
}

static void record_done(void *context, uint64_t call, const struct wire_response *response, bool is_unknown)
{
    struct fake_host *host = context;
    cr_assert_lt(host->done_count, FAKE_DONE_MAX);
    host->done[host->done_count++] = (struct fake_done){.call = call,
                                                        .status = response->status,
                                                        .revision = response->revision,
                                                        .is_unknown = is_unknown};
}

static void record_asked(void *context, uint64_t call, const struct wire_request *request)
{
    struct fake_host *host = context;
    (void)request;
    cr_assert_neq(call, 0);
    cr_assert_not_null(host);
}

static void record_locked(void *context, uint64_t lock, enum base_status status, int64_t revision,
                          bool is_unknown)
{
    struct fake_host *host = context;
    (void)lock;
    (void)is_unknown;
    host->lock_count++;
    host->lock_status = status;
    host->lock_revision = revision;
}

static void record_batch(void *context, uint64_t watch, const struct wire_watch *batch)
{
    struct fake_host *host = context;
    cr_assert_lt(host->batch_count, FAKE_BATCH_MAX);
    struct fake_batch *record = &host->batches[host->batch_count++];
    *record = (struct fake_batch){.watch = watch,
                                  .revision = batch->revision,
                                  .compact_revision = batch->compact_revision,
                                  .event_count = batch->event_count};
    for (uint32_t i = 0; i < batch->event_count && i < 8; i++) {
        record->mod_revisions[i] = batch->events[i].record.mod_revision;
        record->value_size += batch->events[i].record.value.size;
    }
}

void fake_start(struct fake_host *host, uint32_t endpoint_count, const struct client_config *config)
{
    *host = (struct fake_host){.due_ns = CLIENT_NEVER, .random = 7};
    struct client_config used = {.timeout_ns = 10 * FAKE_S};
    if (config) {
        used = *config;
    }
    used.endpoint_count = endpoint_count;
    struct base_allocator allocator = {.resize = resize, .context = host};
    struct client_host table = {.context = host,
                                .random = draw,
                                .send = record_send,
                                .set_due = record_due,
                                .done = record_done,
                                .watched = record_batch,
                                .asked = record_asked,
                                .locked = record_locked};
    host->client = client_new(&used, &allocator, &table);
    client_start(host->client, 0);
    cr_assert_eq(host->sent_count, endpoint_count);
}

void fake_start_ready(struct fake_host *host, uint32_t endpoint_count, const struct client_config *config)
{
    fake_start(host, endpoint_count, config);
    for (uint32_t i = 0; i < endpoint_count; i++) {
        fake_welcome(host, i);
    }
}

void fake_end(struct fake_host *host)
{
    client_free(host->client);
    cr_assert_eq(host->bytes_out, 0);
}

/* One step to the due time, if it is not after `limit_ns`. */
static bool step(struct fake_host *host, uint64_t limit_ns)
{
    if (host->due_ns > limit_ns) {
        return false;
    }
    host->now_ns = host->due_ns > host->now_ns ? host->due_ns : host->now_ns;
    host->due_ns = CLIENT_NEVER;
    client_due(host->client, host->now_ns);
    return true;
}

void fake_advance(struct fake_host *host, uint64_t delay_ns)
{
    uint64_t limit_ns = host->now_ns + delay_ns;
    while (step(host, limit_ns)) {
    }
    host->now_ns = limit_ns;
}

void fake_await(struct fake_host *host)
{
    uint32_t seen = host->sent_count + host->done_count;
    while (host->sent_count + host->done_count == seen) {
        cr_assert(step(host, CLIENT_NEVER - 1), "nothing is due");
    }
}

const struct fake_sent *fake_last(const struct fake_host *host, enum wire_kind kind)
{
    for (uint32_t i = host->sent_count; i > 0; i--) {
        if (host->sent[i - 1].kind == kind) {
            return &host->sent[i - 1];
        }
    }
    cr_assert_fail("no %s was sent", wire_kind_text(kind));
    return NULL;
}

const struct fake_sent *fake_last_at(const struct fake_host *host, uint32_t endpoint, enum wire_kind kind)
{
    for (uint32_t i = host->sent_count; i > 0; i--) {
        if (host->sent[i - 1].kind == kind && host->sent[i - 1].endpoint == endpoint) {
            return &host->sent[i - 1];
        }
    }
    cr_assert_fail("no %s was sent to %u", wire_kind_text(kind), endpoint);
    return NULL;
}

uint32_t fake_count(const struct fake_host *host, enum wire_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < host->sent_count; i++) {
        count += host->sent[i].kind == kind;
    }
    return count;
}

void fake_say(struct fake_host *host, uint32_t endpoint, enum wire_kind kind)
{
    uint64_t connection = fake_last_at(host, endpoint, WIRE_HELLO)->connection;
    struct wire_message message = {.kind = kind};
    client_receive(host->client, host->now_ns, endpoint, connection, &message);
}

void fake_welcome(struct fake_host *host, uint32_t endpoint)
{
    fake_say(host, endpoint, WIRE_WELCOME);
}

void fake_reset(struct fake_host *host, uint32_t endpoint)
{
    client_reset(host->client, host->now_ns, endpoint, fake_last_at(host, endpoint, WIRE_HELLO)->connection);
}

void fake_respond(struct fake_host *host, const struct fake_sent *request, struct wire_response response)
{
    response.id = request->request.id;
    struct wire_message message = {.kind = WIRE_RESPONSE, .response = response};
    client_receive(host->client, host->now_ns, request->endpoint, request->connection, &message);
}

void fake_answer(struct fake_host *host, const struct fake_sent *request, enum base_status status)
{
    fake_respond(host, request, (struct wire_response){.status = status, .revision = 100});
}

void fake_watch(struct fake_host *host, const struct fake_sent *create, struct wire_watch batch)
{
    batch.watch = create->request.watch;
    struct wire_message message = {.kind = WIRE_WATCH, .watch = batch};
    client_receive(host->client, host->now_ns, create->endpoint, create->connection, &message);
}

struct wire_request fake_put(void)
{
    return (struct wire_request){.kind = WIRE_KV,
                                 .op = {.kind = KV_PUT,
                                        .key = base_bytes_of("key"),
                                        .value = base_bytes_of("value")}};
}

struct wire_request fake_get(void)
{
    return (struct wire_request){.kind = WIRE_KV, .op = {.kind = KV_RANGE, .key = base_bytes_of("key")}};
}
