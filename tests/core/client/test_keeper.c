/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

static struct fake_host host;

static void keep(int64_t lease, int64_t ttl_s)
{
    client_lease_keep(host.client, host.now_ns, lease, ttl_s, host.now_ns + (uint64_t)ttl_s * FAKE_S);
}

static void renewed(int64_t ttl_s)
{
    fake_respond(&host, fake_last(&host, WIRE_REQUEST),
                 (struct wire_response){.status = BASE_OK, .ttl_s = ttl_s});
}

Test(client_keeper, renews_every_third_of_the_ttl)
{
    fake_start_ready(&host, 3, NULL);
    keep(7, 9);
    for (uint32_t i = 1; i <= 5; i++) {
        cr_assert_eq(fake_count(&host, WIRE_REQUEST), i);
        const struct fake_sent *sent = fake_last(&host, WIRE_REQUEST);
        cr_assert(sent->request.kind == WIRE_LEASE_KEEPALIVE && sent->request.lease == 7);
        renewed(9);
        cr_assert_eq(client_lease_deadline(host.client, 7), host.now_ns + 9 * FAKE_S);
        fake_advance(&host, 3 * FAKE_S);
    }
    fake_end(&host);
}

Test(client_keeper, asks_again_twice_a_second)
{
    fake_start_ready(&host, 3, NULL);
    keep(7, 9);
    uint32_t first = fake_last(&host, WIRE_REQUEST)->endpoint;
    fake_advance(&host, 500 * FAKE_MS);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 2);
    cr_assert_neq(fake_last(&host, WIRE_REQUEST)->endpoint, first);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_NO_LEADER);
    fake_advance(&host, 500 * FAKE_MS);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 3);
    fake_end(&host);
}

/* Two calls between any two of its questions would lead it round to the same endpoint. */
Test(client_keeper, goes_round_whatever_else_is_asked)
{
    fake_start_ready(&host, 3, NULL);
    keep(7, 9);
    bool is_asked[3] = {false};
    for (uint32_t i = 0; i < 3; i++) {
        is_asked[fake_last(&host, WIRE_REQUEST)->endpoint] = true;
        struct wire_request get = fake_get();
        (void)client_call(host.client, host.now_ns, &get);
        (void)client_call(host.client, host.now_ns, &get);
        fake_advance(&host, 500 * FAKE_MS);
    }
    cr_assert(is_asked[0] && is_asked[1] && is_asked[2]);
    fake_end(&host);
}

Test(client_keeper, believes_a_late_answer)
{
    fake_start_ready(&host, 1, NULL);
    keep(7, 9);
    struct fake_sent first = *fake_last(&host, WIRE_REQUEST);
    fake_advance(&host, 2 * FAKE_S);
    cr_assert_gt(fake_count(&host, WIRE_REQUEST), 1);
    fake_respond(&host, &first, (struct wire_response){.status = BASE_OK, .ttl_s = 9});
    cr_assert_eq(client_lease_deadline(host.client, 7), 9 * FAKE_S); /* Counted from when it was asked for. */
    fake_end(&host);
}

Test(client_keeper, gives_up_at_the_deadline)
{
    fake_start_ready(&host, 1, NULL);
    keep(7, 9);
    fake_advance(&host, 9 * FAKE_S - 1);
    cr_assert_eq(client_lease_deadline(host.client, 7), 9 * FAKE_S);
    fake_advance(&host, 1);
    cr_assert_eq(client_lease_deadline(host.client, 7), 0);
    uint32_t sent = host.sent_count;
    fake_advance(&host, 60 * FAKE_S);
    cr_assert_eq(host.sent_count, sent);
    fake_end(&host);
}

Test(client_keeper, a_lease_that_is_gone_is_let_go)
{
    fake_start_ready(&host, 1, NULL);
    keep(7, 9);
    renewed(0);
    cr_assert_eq(client_lease_deadline(host.client, 7), 0);
    keep(8, 9);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_LEASE_NOT_FOUND);
    cr_assert_eq(client_lease_deadline(host.client, 8), 0);
    fake_end(&host);
}

Test(client_keeper, outlives_a_time_without_connections)
{
    fake_start_ready(&host, 1, NULL);
    keep(7, 9);
    renewed(9);
    fake_reset(&host, 0);
    fake_advance(&host, 4 * FAKE_S);
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 1);
    while (fake_last(&host, WIRE_HELLO)->connection < 3) {
        fake_await(&host);
    }
    fake_welcome(&host, 0);
    fake_advance(&host, 500 * FAKE_MS);
    cr_assert_gt(fake_count(&host, WIRE_REQUEST), 1);
    renewed(9);
    cr_assert_eq(client_lease_deadline(host.client, 7), host.now_ns + 9 * FAKE_S);
    fake_end(&host);
}

Test(client_keeper, keeps_many_and_forgets_one)
{
    fake_start_ready(&host, 3, NULL);
    for (int64_t lease = 100; lease > 0; lease--) {
        keep(lease, 10 + lease);
    }
    client_lease_forget(host.client, 50);
    client_lease_forget(host.client, 5000);
    for (int64_t lease = 1; lease <= 100; lease++) {
        uint64_t expected = lease == 50 ? 0 : (uint64_t)(10 + lease) * FAKE_S;
        cr_assert_eq(client_lease_deadline(host.client, lease), expected);
    }
    fake_end(&host);
}
