/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

static struct fake_host host;

static void watch(uint64_t id, int64_t revision)
{
    struct wire_request create = {.kind = WIRE_WATCH_CREATE,
                                  .op.key = base_bytes_of("key"),
                                  .revision = revision};
    client_watch(host.client, host.now_ns, id, &create);
}

static void created(int64_t revision)
{
    fake_respond(&host, fake_last(&host, WIRE_REQUEST), (struct wire_response){.revision = revision});
}

/* One event at each of `count` revisions from `first` on. */
static void batch(int64_t first, uint32_t count, bool fragment)
{
    struct kv_event events[8] = {0};
    for (uint32_t i = 0; i < count; i++) {
        events[i].record = (struct kv_record){.key = base_bytes_of("key"), .value = base_bytes_of("value")};
        events[i].record.mod_revision = first + (int64_t)i;
    }
    struct wire_watch out = {.revision = first + 10,
                             .fragment = fragment,
                             .event_count = count,
                             .events = events};
    fake_watch(&host, fake_last(&host, WIRE_REQUEST), out);
}

/* Lose the connection; what is asked for on the next one? */
static int64_t resumed_from(void)
{
    fake_reset(&host, fake_last(&host, WIRE_REQUEST)->endpoint);
    if (fake_count(&host, WIRE_REQUEST) == 0) {
        return -1;
    }
    const struct fake_sent *sent = fake_last(&host, WIRE_REQUEST);
    cr_assert_eq(sent->request.kind, WIRE_WATCH_CREATE);
    return sent->request.revision;
}

Test(client_watcher, hands_batches_over)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.watch, 5);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.revision, 3);
    created(20);
    batch(4, 2, false);
    cr_assert_eq(host.batch_count, 1);
    cr_assert_eq(host.batches[0].watch, 5);
    cr_assert_eq(host.batches[0].event_count, 2);
    cr_assert_eq(host.batches[0].mod_revisions[1], 5);
    fake_end(&host);
}

Test(client_watcher, resumes_elsewhere_behind_the_last_event)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    batch(4, 3, false);
    uint32_t endpoint = fake_last(&host, WIRE_REQUEST)->endpoint;
    cr_assert_eq(resumed_from(), 7);
    cr_assert_neq(fake_last(&host, WIRE_REQUEST)->endpoint, endpoint);
    fake_end(&host);
}

Test(client_watcher, resumes_behind_the_revision_it_was_created_at)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 0);
    created(20);
    cr_assert_eq(resumed_from(), 21);
    fake_end(&host);
}

Test(client_watcher, resumes_behind_a_progress_notice)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    fake_watch(&host, fake_last(&host, WIRE_REQUEST), (struct wire_watch){.revision = 40});
    cr_assert_eq(host.batch_count, 1);
    cr_assert_eq(resumed_from(), 41);
    fake_end(&host);
}

Test(client_watcher, starts_over_when_it_was_never_created)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 0);
    fake_reset(&host, fake_last(&host, WIRE_REQUEST)->endpoint);
    fake_advance(&host, FAKE_MS);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.revision, 0);
    fake_end(&host);
}

Test(client_watcher, puts_fragments_together)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    batch(4, 1, true);
    batch(4, 2, true);
    cr_assert_eq(host.batch_count, 0);
    batch(5, 1, false);
    cr_assert_eq(host.batch_count, 1);
    cr_assert_eq(host.batches[0].event_count, 4);
    cr_assert_eq(host.batches[0].mod_revisions[0], 4);
    cr_assert_eq(host.batches[0].mod_revisions[3], 5);
    cr_assert_eq(host.batches[0].value_size, 20);
    cr_assert_eq(resumed_from(), 6);
    fake_end(&host);
}

/* Half a revision was never handed over, so nothing comes twice. */
Test(client_watcher, forgets_fragments_when_it_resumes)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    batch(4, 2, true);
    cr_assert_eq(resumed_from(), 3);
    created(20);
    batch(4, 1, false);
    cr_assert_eq(host.batch_count, 1);
    cr_assert_eq(host.batches[0].event_count, 1);
    fake_end(&host);
}

/* The other endpoint still speaks of a watch that moved away from it. */
Test(client_watcher, listens_to_its_own_connection_only)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    struct fake_sent stray = *fake_last(&host, WIRE_REQUEST);
    stray.endpoint = 1 - stray.endpoint;
    stray.connection = fake_last_at(&host, stray.endpoint, WIRE_HELLO)->connection;
    fake_watch(&host, &stray, (struct wire_watch){.revision = 40});
    cr_assert_eq(host.batch_count, 0);
    cr_assert_eq(resumed_from(), 3);
    fake_end(&host);
}

Test(client_watcher, is_over_when_compacted)
{
    fake_start_ready(&host, 2, NULL);
    watch(5, 3);
    created(20);
    fake_watch(&host, fake_last(&host, WIRE_REQUEST),
               (struct wire_watch){.revision = 40, .compact_revision = 30});
    cr_assert_eq(host.batches[0].compact_revision, 30);
    watch(5, 3);
    fake_respond(&host, fake_last(&host, WIRE_REQUEST),
                 (struct wire_response){.status = BASE_COMPACTED, .compact_revision = 35});
    cr_assert_eq(host.batches[1].compact_revision, 35);
    watch(5, -3);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_INVALID);
    cr_assert_eq(host.batches[2].compact_revision, -1);
    uint32_t sent = host.sent_count;
    fake_advance(&host, 60 * FAKE_S);
    cr_assert_eq(host.sent_count, sent);
    fake_end(&host);
}

Test(client_watcher, tries_again_after_pauses_of_up_to_100_ms)
{
    fake_start_ready(&host, 3, NULL);
    watch(5, 3);
    uint64_t pause_ns = 0;
    for (int i = 0; i < 40; i++) {
        uint64_t before_ns = host.now_ns;
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_UNAVAILABLE);
        fake_await(&host);
        cr_assert_geq(host.now_ns - before_ns, pause_ns);
        pause_ns = host.now_ns - before_ns;
        cr_assert(i != 0 || pause_ns == FAKE_MS);
    }
    cr_assert_eq(pause_ns, 100 * FAKE_MS);
    fake_end(&host);
}

Test(client_watcher, waits_for_a_ready_connection)
{
    fake_start(&host, 2, NULL);
    watch(5, 3);
    watch(6, 4);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 0);
    fake_welcome(&host, 1);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
    fake_end(&host);
}

Test(client_watcher, a_cancelled_one_is_heard_of_no_more)
{
    fake_start_ready(&host, 1, NULL);
    watch(5, 3);
    created(20);
    client_watch_cancel(host.client, host.now_ns, 5);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.kind, WIRE_WATCH_CANCEL);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.watch, 5);
    batch(4, 1, false);
    watch(5, 9); /* The same id again: what still comes is the old one's. */
    batch(4, 1, false);
    cr_assert_eq(host.batch_count, 0);
    created(20);
    batch(9, 1, false);
    cr_assert_eq(host.batch_count, 1);
    client_watch_cancel(host.client, host.now_ns, 77);
    fake_end(&host);
}
