/* Keepers of leases: each renews its lease every third of its TTL; unanswered, it asks
 * again twice a second (clientv3/lease.go), the next endpoint in its own turn: in one
 * that is shared, keepers that ask at one pace find the same endpoint each time, and one
 * that is silent costs some of them their leases. etcd's asks again over the one stream
 * of all its leases, and loses them when that is to a member that hangs, unless pings
 * break it in time. A keeper believes in the lease for a TTL from when the renewal was
 * asked for: etcd's counts from the answer, which may have been long under way, or wait
 * for a client that was paused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

#define AGAIN_NS (500 * CLIENT_MS)

static uint64_t ttl_ns(int64_t ttl_s)
{
    uint64_t seconds = (uint64_t)ttl_s;
    return seconds > CLIENT_NEVER / CLIENT_SECOND ? CLIENT_NEVER : seconds * CLIENT_SECOND;
}

static void drop(struct client *client, struct client_keeper *keeper)
{
    (void)client_index_remove(&client->keepers, (uint64_t)keeper->lease);
    client_item_leave(client, &keeper->item);
    base_free(&client->allocator, keeper, sizeof *keeper);
}

/* Its timer: `delay_ns` from now, but not later than its end. */
static void rest(struct client *client, struct client_keeper *keeper, uint64_t delay_ns)
{
    uint64_t due_ns = client_after(client->now_ns, delay_ns);
    client_timer_set(client, &keeper->item, due_ns < keeper->deadline_ns ? due_ns : keeper->deadline_ns);
}

void client_keeper_due(struct client *client, struct client_keeper *keeper)
{
    if (client->now_ns >= keeper->deadline_ns) {
        drop(client, keeper);
        return;
    }
    const struct client_connection *connection = client_connection_next(client, &keeper->turn);
    if (connection) {
        struct wire_message message;
        memset(&message, 0, sizeof message);
        message.kind = WIRE_REQUEST;
        message.request.kind = WIRE_LEASE_KEEPALIVE;
        message.request.require_leader = true;
        message.request.lease = keeper->lease;
        message.request.id = client_item_request(client, &keeper->item);
        if (keeper->item.id_min == CLIENT_NEVER) {
            keeper->item.id_min = message.request.id; /* Late answers to all since then are good news too. */
        }
        keeper->asked[keeper->asked_count++ % CLIENT_ASKED_MAX] =
            (struct client_asked){.id = message.request.id, .sent_ns = client->now_ns};
        client_connection_send(client, connection, &message);
    }
    rest(client, keeper, AGAIN_NS);
}

/* The answer to a question that is not remembered any more promises nothing new. */
static uint64_t promised_until(const struct client_keeper *keeper, uint64_t id, uint64_t ttl)
{
    for (uint32_t i = 0; i < CLIENT_ASKED_MAX; i++) {
        if (keeper->asked[i].id == id) {
            uint64_t until_ns = client_after(keeper->asked[i].sent_ns, ttl);
            return until_ns > keeper->deadline_ns ? until_ns : keeper->deadline_ns;
        }
    }
    return keeper->deadline_ns;
}

void client_keeper_answered(struct client *client, struct client_keeper *keeper,
                            const struct wire_response *response)
{
    bool is_renewed = response->status == BASE_OK && response->ttl_s > 0;
    if (is_renewed) {
        uint64_t ttl = ttl_ns(response->ttl_s);
        keeper->deadline_ns = promised_until(keeper, response->id, ttl);
        rest(client, keeper, ttl / 3);
    } else if (response->status == BASE_OK || response->status == BASE_LEASE_NOT_FOUND) {
        drop(client, keeper);
    } else {
        rest(client, keeper, AGAIN_NS);
    }
}

void client_keep(struct client *client, int64_t lease, int64_t ttl_s, uint64_t until_ns)
{
    assert(lease != 0);
    assert(ttl_s > 0);
    client_forget(client, lease);
    if (until_ns <= client->now_ns) {
        return; /* Too late: nobody believes in it. */
    }
    struct client_keeper *keeper = base_zalloc(&client->allocator, sizeof *keeper);
    keeper->item.kind = CLIENT_KEEPER;
    keeper->lease = lease;
    keeper->deadline_ns = until_ns;
    keeper->turn = client->turn; /* Keepers begin their rounds at different endpoints. */
    client->turn = (client->turn + 1) % client->config.endpoint_count;
    client_item_enter(client, &keeper->item);
    client_index_insert(client, &client->keepers, (uint64_t)lease, keeper);
    client_keeper_due(client, keeper);
}

void client_forget(struct client *client, int64_t lease)
{
    struct client_keeper *keeper = client_index_get(&client->keepers, (uint64_t)lease);
    if (keeper) {
        drop(client, keeper);
    }
}

void client_keepers_release(struct client *client)
{
    for (uint32_t i = 0; i < client->keepers.count; i++) {
        base_free(&client->allocator, client->keepers.values[i], sizeof(struct client_keeper));
    }
    client_index_release(client, &client->keepers);
}
