/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/client/fake_host.h"

#include <criterion/criterion.h>

static struct fake_host host;

static uint64_t call(struct wire_request request)
{
    return client_call(host.client, host.now_ns, &request);
}

Test(client_connection, numbers_grow)
{
    fake_start(&host, 3, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(host.sent[i].kind, WIRE_HELLO);
        cr_assert_eq(host.sent[i].endpoint, i);
        cr_assert_eq(host.sent[i].connection, i + 1);
    }
    fake_welcome(&host, 1);
    fake_reset(&host, 1);
    cr_assert_eq(fake_last(&host, WIRE_HELLO)->connection, 4);
    fake_end(&host);
}

Test(client_connection, an_attempt_ends_after_its_timeout)
{
    fake_start(&host, 1, NULL);
    fake_advance(&host, 2 * FAKE_S - 1);
    cr_assert_eq(fake_count(&host, WIRE_GOODBYE), 0);
    fake_advance(&host, 1);
    cr_assert_eq(fake_last(&host, WIRE_GOODBYE)->connection, 1);
    fake_await(&host);
    cr_assert_eq(fake_last(&host, WIRE_HELLO)->connection, 2);
    cr_assert(host.now_ns >= 2800 * FAKE_MS && host.now_ns <= 3200 * FAKE_MS);
    fake_end(&host);
}

Test(client_connection, redials_ever_more_slowly)
{
    static const uint64_t pauses_ms[] = {1000, 2000, 4000, 5000, 5000};
    fake_start(&host, 1, NULL);
    for (int i = 0; i < 5; i++) {
        fake_reset(&host, 0);
        uint64_t before_ns = host.now_ns;
        fake_await(&host);
        uint64_t pause_ns = host.now_ns - before_ns;
        cr_assert_geq(pause_ns, pauses_ms[i] * 8 / 10 * FAKE_MS, "pause %d", i);
        cr_assert_leq(pause_ns, pauses_ms[i] * 12 / 10 * FAKE_MS, "pause %d", i);
    }
    fake_end(&host);
}

Test(client_connection, a_success_makes_redials_quick_again)
{
    fake_start(&host, 1, NULL);
    for (int i = 0; i < 3; i++) {
        fake_reset(&host, 0);
        fake_await(&host);
    }
    fake_welcome(&host, 0);
    fake_reset(&host, 0);
    fake_reset(&host, 0);
    uint64_t before_ns = host.now_ns;
    fake_await(&host);
    cr_assert_leq(host.now_ns - before_ns, 1200 * FAKE_MS);
    fake_end(&host);
}

Test(client_connection, redials_a_lost_one_at_once)
{
    fake_start_ready(&host, 1, NULL);
    fake_say(&host, 0, WIRE_GOODBYE);
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 2);
    fake_end(&host);
}

Test(client_connection, frames_of_an_older_one_count_for_nothing)
{
    fake_start_ready(&host, 1, NULL);
    (void)call(fake_put());
    struct fake_sent old = *fake_last(&host, WIRE_REQUEST);
    fake_reset(&host, 0);
    cr_assert_eq(host.done_count, 1);
    struct wire_message welcome = {.kind = WIRE_WELCOME};
    client_receive(host.client, 0, 0, old.connection, &welcome);
    (void)call(fake_put());
    cr_assert_eq(fake_count(&host, WIRE_REQUEST), 1);
    client_reset(host.client, 0, 0, old.connection);
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 2);
    fake_end(&host);
}

Test(client_connection, silence_is_noticed_by_pings)
{
    struct client_config config = {.timeout_ns = 60 * FAKE_S,
                                   .keepalive_every_ns = 2 * FAKE_S,
                                   .keepalive_timeout_ns = FAKE_S};
    fake_start_ready(&host, 1, &config);
    (void)call(fake_put());
    fake_advance(&host, 2 * FAKE_S);
    cr_assert_eq(fake_count(&host, WIRE_PING), 1);
    fake_say(&host, 0, WIRE_PONG);
    fake_advance(&host, 2 * FAKE_S);
    cr_assert_eq(fake_count(&host, WIRE_PING), 2);
    fake_advance(&host, FAKE_S - 1);
    cr_assert_eq(host.done_count, 0);
    fake_advance(&host, 1);
    cr_assert_eq(fake_count(&host, WIRE_GOODBYE), 1);
    cr_assert_eq(host.done_count, 1);
    cr_assert(host.done[0].status == BASE_UNAVAILABLE && host.done[0].is_unknown);
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 2);
    fake_end(&host);
}

Test(client_connection, what_is_heard_puts_pings_off)
{
    struct client_config config = {.timeout_ns = 60 * FAKE_S,
                                   .keepalive_every_ns = 2 * FAKE_S,
                                   .keepalive_timeout_ns = FAKE_S};
    fake_start_ready(&host, 1, &config);
    fake_advance(&host, FAKE_S);
    (void)call(fake_put());
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    fake_advance(&host, 2 * FAKE_S - 1);
    cr_assert_eq(fake_count(&host, WIRE_PING), 0);
    fake_advance(&host, 1);
    cr_assert_eq(fake_count(&host, WIRE_PING), 1);
    fake_end(&host);
}

Test(client_connection, without_pings_silence_goes_unnoticed)
{
    fake_start_ready(&host, 1, NULL);
    fake_advance(&host, 3600 * FAKE_S);
    cr_assert_eq(host.sent_count, 1);
    fake_end(&host);
}

Test(client_connection, after_a_disconnect_opens_when_needed)
{
    fake_start_ready(&host, 3, NULL);
    client_disconnect(host.client, host.now_ns);
    cr_assert_eq(fake_count(&host, WIRE_GOODBYE), 3);
    fake_advance(&host, 60 * FAKE_S);
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 3);
    (void)call(fake_put());
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 6);
    fake_welcome(&host, 2);
    cr_assert_eq(fake_last(&host, WIRE_REQUEST)->endpoint, 2);
    fake_end(&host);
}

Test(client_connection, a_disconnect_is_a_reset_of_what_is_under_way)
{
    fake_start_ready(&host, 3, NULL);
    (void)call(fake_put());
    (void)call(fake_get());
    client_disconnect(host.client, host.now_ns);
    cr_assert_eq(host.done_count, 1);
    cr_assert(host.done[0].call == 1 && host.done[0].is_unknown);
    cr_assert_eq(fake_count(&host, WIRE_HELLO), 6);
    fake_welcome(&host, 0);
    fake_answer(&host, fake_last(&host, WIRE_REQUEST), BASE_OK);
    cr_assert(host.done[1].call == 2 && host.done[1].status == BASE_OK);
    fake_end(&host);
}

Test(client_connection, a_machine_may_call_too_early)
{
    fake_start(&host, 1, NULL);
    for (int i = 0; i < 5; i++) {
        host.due_ns = CLIENT_NEVER;
        client_due(host.client, FAKE_S);
        cr_assert_eq(host.due_ns, 2 * FAKE_S);
    }
    cr_assert_eq(host.sent_count, 1);
    fake_end(&host);
}
