/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

/* Everything a call can be that is never sent twice. */
static const struct wire_request writes[] = {
    {.kind = WIRE_KV, .op = {.kind = KV_PUT}},
    {.kind = WIRE_KV, .op = {.kind = KV_DELETE_RANGE}},
    {.kind = WIRE_KV, .op = {.kind = KV_TXN, .txn = &(const struct kv_txn){0}}},
    {.kind = WIRE_COMPACT, .revision = 3},
    {.kind = WIRE_MEMBER_ADD},
    {.kind = WIRE_MEMBER_REMOVE},
    {.kind = WIRE_MEMBER_UPDATE},
    {.kind = WIRE_MEMBER_PROMOTE},
};

/* And that may be. */
static const struct wire_request repeatable[] = {
    {.kind = WIRE_KV, .op = {.kind = KV_RANGE}},
    {.kind = WIRE_LEASE_GRANT},
    {.kind = WIRE_LEASE_REVOKE},
    {.kind = WIRE_LEASE_KEEPALIVE},
    {.kind = WIRE_LEASE_TIME_TO_LIVE},
    {.kind = WIRE_LEASE_LEASES},
    {.kind = WIRE_MEMBER_LIST},
    {.kind = WIRE_MOVE_LEADER},
    {.kind = WIRE_STATUS},
    {.kind = WIRE_ALARM},
    {.kind = WIRE_HASH_KV},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void expect_done(const struct fake_host *host, enum base_status status, bool is_unknown)
{
    cr_assert_eq(host->done_count, 1);
    cr_assert_eq(host->done[0].call, 1);
    cr_assert_eq(host->done[0].status, status, "%s", base_status_text(host->done[0].status));
    cr_assert_eq(host->done[0].is_unknown, is_unknown);
}

static struct fake_host host;

static uint64_t call(struct wire_request request)
{
    return client_call(host.client, host.now_ns, &request);
}

Test(client_call, an_answer_ends_it)
{
    fake_start_ready(&host, 3, NULL);
    cr_assert_eq(call(fake_put()), 1);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    expect_done(&host, BASE_OK, false);
    cr_assert_eq(host.done[0].revision, 100);
    fake_end(&host);
}

Test(client_call, a_request_is_copied)
{
    fake_start(&host, 1, NULL);
    uint8_t key[] = "key";
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_PUT, .key = {.data = key, .size = 3}}};
    (void)call(request);
    memset(key, 0, sizeof key);
    fake_welcome(&host, 0);
    const struct fake_sent *sent = fake_last(&host, WIRE_REQUEST);
    cr_assert(base_bytes_equal(sent->request.op.key, base_bytes_of("key")));
    fake_end(&host);
}

Test(client_call, goes_round_the_ready_endpoints)
{
    fake_start(&host, 4, NULL);
    fake_welcome(&host, 0);
    fake_welcome(&host, 1);
    fake_welcome(&host, 3);
    uint32_t asked[4] = {0};
    for (int i = 0; i < 9; i++) {
        (void)call(fake_get());
        asked[fake_last(&host, WIRE_REQUEST)->endpoint]++;
    }
    cr_assert(asked[0] == 3 && asked[1] == 3 && asked[2] == 0 && asked[3] == 3);
    fake_end(&host);
}

Test(client_call, waits_for_a_ready_connection)
{
    fake_start(&host, 2, NULL);
    (void)call(fake_put());
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 0);
    fake_advance(&host, FAKE_S);
    fake_welcome(&host, 1);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->endpoint, 1);
    fake_end(&host);
}

Test(client_call, at_an_endpoint_goes_there_only)
{
    fake_start(&host, 3, NULL);
    fake_welcome(&host, 0);
    struct wire_request request = {.kind = WIRE_STATUS};
    (void)client_call_at(host.client, 0, 2, &request);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 0);
    fake_welcome(&host, 1);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 0);
    fake_welcome(&host, 2);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->endpoint, 2);
    fake_end(&host);
}

/* What was never sent has certainly not happened. */
Test(client_call, a_deadline_before_sending_is_a_definite_timeout)
{
    fake_start(&host, 2, NULL);
    (void)call(fake_put());
    fake_advance(&host, 10 * FAKE_S - 1);
    cr_assert_eq(host.done_count, 0);
    fake_advance(&host, 1);
    expect_done(&host, BASE_TIMEOUT, false);
    fake_end(&host);
}

Test(client_call, a_write_is_unknown_after_a_deadline)
{
    for (size_t i = 0; i < COUNT(writes); i++) {
        fake_start_ready(&host, 3, NULL);
        (void)call(writes[i]);
        fake_advance(&host, 10 * FAKE_S);
        expect_done(&host, BASE_TIMEOUT, true);
        cr_assert_eq(fake_count(&host, WIRE_REQUEST), 1);
        fake_end(&host);
    }
}

Test(client_call, a_write_is_unknown_after_a_reset_and_never_sent_again)
{
    for (size_t i = 0; i < COUNT(writes); i++) {
        fake_start_ready(&host, 3, NULL);
        (void)call(writes[i]);
        fake_reset(&host, fake_last(&host, WIRE_REQUEST)->endpoint);
        expect_done(&host, BASE_UNAVAILABLE, true);
        fake_advance(&host, 20 * FAKE_S);
        cr_assert_eq(fake_count(&host, WIRE_REQUEST), 1);
        fake_end(&host);
    }
}

Test(client_call, a_write_survives_the_reset_of_another_connection)
{
    fake_start_ready(&host, 3, NULL);
    (void)call(fake_put());
    fake_reset(&host, (fake_last(&host, WIRE_REQUEST)->endpoint + 1) % 3);
    cr_assert_eq(host.done_count, 0);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    expect_done(&host, BASE_OK, false);
    fake_end(&host);
}

Test(client_call, a_write_is_unknown_when_the_server_does_not_know)
{
    static const enum base_status statuses[] = {BASE_TIMEOUT,
                                                BASE_TIMEOUT_LEADER_FAIL,
                                                BASE_TIMEOUT_CONNECTION_LOST,
                                                BASE_LEADER_CHANGED,
                                                BASE_STOPPED,
                                                BASE_UNAVAILABLE,
                                                BASE_CANCELED};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        fake_start_ready(&host, 3, NULL);
        (void)call(fake_put());
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), statuses[i]);
        expect_done(&host, statuses[i], true);
        fake_end(&host);
    }
}

Test(client_call, a_refused_write_is_not_unknown)
{
    static const enum base_status statuses[] = {BASE_NO_SPACE,  BASE_LEASE_NOT_FOUND, BASE_TOO_MANY_REQUESTS,
                                                BASE_NO_LEADER, BASE_UNHEALTHY,       BASE_REQUEST_TOO_LARGE,
                                                BASE_COMPACTED};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        fake_start_ready(&host, 3, NULL);
        (void)call(fake_put());
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), statuses[i]);
        expect_done(&host, statuses[i], false);
        fake_end(&host);
    }
}

Test(client_call, what_is_repeatable_is_repeated_elsewhere)
{
    for (size_t i = 0; i < COUNT(repeatable); i++) {
        fake_start_ready(&host, 3, NULL);
        (void)call(repeatable[i]);
        uint32_t first = fake_last(&host, WIRE_REQUEST)->endpoint;
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
        cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
        uint32_t second = fake_last(&host, WIRE_REQUEST)->endpoint;
        cr_assert_neq(first, second);
        fake_reset(&host, second);
        cr_assert_eq(host.done_count, 0);
        fake_advance(&host, 30 * FAKE_MS);
        cr_assert_eq(fake_count(&host, WIRE_REQUEST), 3);
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
        expect_done(&host, BASE_OK, false);
        fake_end(&host);
    }
}

/* A grant that timed out once may have made a lease, whatever came later. */
Test(client_call, an_unknown_attempt_is_not_forgotten)
{
    fake_start_ready(&host, 3, NULL);
    (void)call((struct wire_request){.kind = WIRE_LEASE_GRANT, .ttl_s = 5});
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_TIMEOUT);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_SPACE);
    expect_done(&host, BASE_NO_SPACE, true);
    fake_end(&host);
}

Test(client_call, a_read_is_never_unknown)
{
    fake_start_ready(&host, 1, NULL);
    (void)call(fake_get());
    fake_advance(&host, 10 * FAKE_S);
    expect_done(&host, BASE_TIMEOUT, false);
    fake_end(&host);
}

Test(client_call, rests_once_per_quorum_of_attempts)
{
    fake_start_ready(&host, 3, NULL);
    (void)call(fake_get());
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
    fake_await(&host);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 3);
    cr_assert_geq(host.now_ns, 22500 * FAKE_MS / 1000);
    cr_assert_leq(host.now_ns, 27500 * FAKE_MS / 1000);
    fake_end(&host);
}

Test(client_call, gives_up_after_a_hundred_attempts)
{
    fake_start_ready(&host, 3, NULL);
    (void)call(fake_get());
    while (host.done_count == 0) {
        uint32_t sent = fake_count(&host, WIRE_REQUEST);
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
        if (host.done_count == 0 && fake_count(&host, WIRE_REQUEST) == sent) {
            fake_await(&host);
        }
    }
    expect_done(&host, BASE_NO_LEADER, false);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 100);
    fake_end(&host);
}

Test(client_call, a_deadline_ends_a_rest)
{
    struct client_config config = {.timeout_ns = 10 * FAKE_MS};
    fake_start_ready(&host, 1, &config);
    (void)call(fake_get());
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
    fake_advance(&host, 10 * FAKE_MS);
    expect_done(&host, BASE_TIMEOUT, false);
    fake_end(&host);
}

Test(client_call, without_retries_every_error_reaches_the_caller)
{
    struct client_config config = {.timeout_ns = FAKE_S, .retry_disabled = true};
    fake_start_ready(&host, 3, &config);
    (void)call(fake_get());
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
    expect_done(&host, BASE_NO_LEADER, false);
    fake_end(&host);
}

Test(client_call, a_late_answer_is_nobodys)
{
    fake_start_ready(&host, 1, NULL);
    (void)call(fake_put());
    struct fake_sent late = *fake_last(&host, WIRE_REQUEST);
    fake_advance(&host, 10 * FAKE_S);
    cr_assert_eq(host.done_count, 1);
    cr_assert_eq(call(fake_put()), 2); /* In the same slot. */
    fake_answer(&host, &late, BASE_OK);
    cr_assert_eq(host.done_count, 1);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_SPACE);
    cr_assert_eq(host.done_count, 2);
    cr_assert_eq(host.done[1].status, BASE_NO_SPACE);
    fake_end(&host);
}

Test(client_call, a_steady_state_allocates_nothing_and_sets_no_timers)
{
    fake_start_ready(&host, 3, NULL);
    size_t allocations = 0;
    uint32_t due_count = 0;
    for (int i = 0; i < 40; i++) {
        (void)call(fake_put());
        fake_advance(&host, FAKE_MS);
        fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
        if (i == 0) {
            allocations = host.allocations;
            due_count = host.due_count;
        }
    }
    cr_assert_eq(host.allocations, allocations);
    cr_assert_eq(host.due_count, due_count);
    cr_assert_leq(host.bytes_out, 4096);
    fake_end(&host);
}

/* Nothing has happened there, and another endpoint may be a voter: even a write goes on. */
Test(client_call, a_learner_sends_everything_elsewhere)
{
    fake_start_ready(&host, 3, NULL);
    (void)call(fake_put());
    uint64_t before = fake_last(&host, WIRE_REQUEST)->connection;
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NOT_SUPPORTED_FOR_LEARNER);
    cr_assert_neq(fake_last(&host, WIRE_REQUEST)->connection, before);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    expect_done(&host, BASE_OK, false);
    fake_end(&host);
}

Test(client_call, with_one_endpoint_a_learner_has_the_last_word)
{
    fake_start_ready(&host, 1, NULL);
    (void)call(fake_put());
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NOT_SUPPORTED_FOR_LEARNER);
    expect_done(&host, BASE_NOT_SUPPORTED_FOR_LEARNER, false);
    fake_end(&host);
}
