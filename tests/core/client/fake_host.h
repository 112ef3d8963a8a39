/* A machine for one client: it remembers what the client said, and says what the
 * test wants it to hear. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_CLIENT_FAKE_HOST_H
#define TESTS_CORE_CLIENT_FAKE_HOST_H

#include "core/client/client.h"

enum { FAKE_SENT_MAX = 512, FAKE_DONE_MAX = 64, FAKE_BATCH_MAX = 16 };

#define FAKE_MS UINT64_C(1000000)
#define FAKE_S UINT64_C(1000000000)

struct fake_sent {
    uint32_t endpoint;
    uint64_t connection;
    enum wire_kind kind;
    struct wire_request request; /* Bytes are gone; kinds and numbers stay, */
    uint8_t key[16];             /* and the beginning of its key. */
    size_t key_size;
};

struct fake_done {
    uint64_t call;
    enum base_status status;
    int64_t revision;
    bool is_unknown;
};

struct fake_batch {
    uint64_t watch;
    int64_t revision;
    int64_t compact_revision;
    uint32_t event_count;
    int64_t mod_revisions[8];
    size_t value_size; /* Of all its records. */
};

struct fake_host {
    struct client *client;
    size_t bytes_out;
    size_t allocations;
    uint64_t now_ns;
    uint64_t due_ns;
    uint32_t due_count; /* Times set_due was called. */
    uint64_t random;
    uint32_t sent_count;
    uint32_t done_count;
    uint32_t batch_count;
    uint32_t lock_count; /* Locks that ended, and how the last one did. */
    enum base_status lock_status;
    int64_t lock_revision;
    struct fake_sent sent[FAKE_SENT_MAX];
    struct fake_done done[FAKE_DONE_MAX];
    struct fake_batch batches[FAKE_BATCH_MAX];
};

/* A client of `endpoint_count` endpoints, started at 0, its HELLOs sent; other
 * settings from `config` unless NULL (then calls end after 10 s). */
void fake_start(struct fake_host *host, uint32_t endpoint_count, const struct client_config *config);
/* The same, and every endpoint has said WELCOME. */
void fake_start_ready(struct fake_host *host, uint32_t endpoint_count, const struct client_config *config);
/* Free the client; everything it took must be back. */
void fake_end(struct fake_host *host);

/* Let time pass, and the client be told when it asked to. */
void fake_advance(struct fake_host *host, uint64_t delay_ns);
/* The same until the client has sent or finished something more. */
void fake_await(struct fake_host *host);

/* The newest frame of this kind; fails the test when there is none. */
const struct fake_sent *fake_last(const struct fake_host *host, enum wire_kind kind);
const struct fake_sent *fake_last_at(const struct fake_host *host, uint32_t endpoint, enum wire_kind kind);
uint32_t fake_count(const struct fake_host *host, enum wire_kind kind);

/* From the endpoint over its newest connection. */
void fake_welcome(struct fake_host *host, uint32_t endpoint);
void fake_say(struct fake_host *host, uint32_t endpoint, enum wire_kind kind);
void fake_reset(struct fake_host *host, uint32_t endpoint);
/* Answer a request, over the connection that it came by. */
void fake_answer(struct fake_host *host, const struct fake_sent *request, enum base_status status);
void fake_respond(struct fake_host *host, const struct fake_sent *request, struct wire_response response);
void fake_watch(struct fake_host *host, const struct fake_sent *create, struct wire_watch batch);

struct wire_request fake_put(void);
struct wire_request fake_get(void);

#endif
