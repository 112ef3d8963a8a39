/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

static struct fake_host host;

static void begin(void)
{
    fake_start_ready(&host, 1, NULL);
    (void)client_lock(host.client, host.now_ns, base_bytes_of("door"), 0x1f, CLIENT_NEVER);
}

static struct kv_record key(const char *name, int64_t create)
{
    return (struct kv_record){.key = base_bytes_of(name), .create_revision = create, .mod_revision = create};
}

/* Everybody's keys, as the read that the lock waits for finds them. */
static void found(const struct kv_record *records, uint32_t count)
{
    fake_advance(&host, 0);
    const struct fake_sent *sent = fake_last(&host, WIRE_REQUEST);
    cr_assert(sent->request.kind == WIRE_KV && sent->request.op.kind == KV_RANGE);
    fake_respond(
        &host, sent,
        (struct wire_response){.status = BASE_OK,
                               .revision = 50,
                               .result = {.kind = KV_RANGE, .record_count = count, .records = records}});
    fake_advance(&host, 0);
}

static void queued(void)
{
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.op.kind, KV_TXN);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
}

Test(client_lock, who_was_first_holds_it)
{
    begin();
    queued();
    const struct kv_record records[] = {key("door/1f", 7), key("door/20", 8)};
    found(records, 2);
    cr_assert_eq(host.lock_count, 1);
    cr_assert_eq(host.lock_status, BASE_OK);
    cr_assert_eq(host.lock_revision, 7, "the token is the key's create revision");
    fake_end(&host);
}

Test(client_lock, others_wait_for_the_key_right_before_theirs)
{
    begin();
    queued();
    const struct kv_record records[] = {key("door/1", 5), key("door/2", 6), key("door/1f", 7)};
    found(records, 3);
    const struct fake_sent *sent = fake_last(&host, WIRE_REQUEST);
    cr_assert_eq(sent->request.kind, WIRE_WATCH_CREATE);
    cr_assert_eq(sent->request.revision, 51, "nothing between the read and the watch is missed");
    cr_assert_eq(sent->key_size, 6);
    cr_assert_eq(sent->key[5], '2');
    cr_assert_eq(host.lock_count, 0);
    fake_end(&host);
}

static void wait_and_wake(void)
{
    begin();
    queued();
    const struct kv_record records[] = {key("door/1", 5), key("door/1f", 7)};
    found(records, 2);
    struct fake_sent create = *fake_last(&host, WIRE_REQUEST);
    fake_answer(&host, &create, BASE_OK);
    const struct kv_event event = {.is_delete = true,
                                   .record = {.key = base_bytes_of("door/1"), .mod_revision = 60}};
    fake_watch(&host, &create, (struct wire_watch){.revision = 60, .event_count = 1, .events = &event});
}

Test(client_lock, who_is_woken_looks_again)
{
    wait_and_wake();
    cr_assert_eq(host.lock_count, 0);
    const struct kv_record records[] = {key("door/1f", 7)};
    found(records, 1);
    cr_assert_eq(host.lock_status, BASE_OK);
    fake_end(&host);
}

Test(client_lock, whose_own_key_is_gone_does_not_hold_it)
{
    wait_and_wake();
    const struct kv_record records[] = {key("door/20", 8)};
    found(records, 1);
    cr_assert_eq(host.lock_count, 1);
    cr_assert_eq(host.lock_status, BASE_LEASE_NOT_FOUND);
    fake_end(&host);
}

Test(client_lock, a_failure_takes_its_key_back)
{
    begin();
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_TIMEOUT);
    fake_advance(&host, 0);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.op.kind, KV_DELETE_RANGE);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    fake_advance(&host, 0);
    cr_assert_eq(host.lock_status, BASE_TIMEOUT);
    fake_end(&host);
}

Test(client_lock, a_wait_that_takes_too_long_takes_its_key_back)
{
    fake_start_ready(&host, 1, NULL);
    (void)client_lock(host.client, host.now_ns, base_bytes_of("door"), 0x1f, 2 * FAKE_S);
    queued();
    const struct kv_record records[] = {key("door/1", 5), key("door/1f", 7)};
    found(records, 2);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.kind, WIRE_WATCH_CREATE);
    fake_advance(&host, 1 * FAKE_S);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.kind, WIRE_WATCH_CREATE, "it still waits");
    fake_advance(&host, 1 * FAKE_S);
    fake_advance(&host, 0);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->request.op.kind, KV_DELETE_RANGE);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    fake_advance(&host, 0);
    cr_assert_eq(host.lock_count, 1);
    cr_assert_eq(host.lock_status, BASE_TIMEOUT);
    fake_end(&host);
}

Test(client_lock, an_abandoned_wait_says_nothing)
{
    fake_start_ready(&host, 1, NULL);
    uint64_t lock = client_lock(host.client, host.now_ns, base_bytes_of("door"), 0x1f, CLIENT_NEVER);
    client_lock_abandon(host.client, host.now_ns, lock);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    fake_advance(&host, 60 * FAKE_S);
    cr_assert_eq(host.lock_count, 0);
    fake_end(&host);
}
