/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/session.h"

#include "core/client/client.h"
#include "sim/hold.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASES_MAX = 3,
    WATCHES_MAX = 4,
    NAME_BYTES = 32,
    KEY_BYTES = 64,
    BEHIND_MAX = 100, /* Revisions that a watch may begin in the past, */
    AHEAD_MAX = 20,   /* or in the future. */
};

#define SECOND_NS UINT64_C(1000000000)

/* Outcome of a call for the step that made it. */
static enum sim_outcome outcome_of(const struct wire_response *response, bool is_unknown)
{
    if (response->status == BASE_OK) {
        return SIM_OUTCOME_OK;
    }
    return is_unknown ? SIM_OUTCOME_UNKNOWN : SIM_OUTCOME_FAILED;
}

struct own_lease {
    int64_t id; /* 0: none. */
    int64_t ttl_s;
    bool is_kept;
};

/* A step under way. */
struct step {
    struct step *next; /* Free list. */
    struct step *all;
    struct sim_session *session;
    sim_step_done done;
    void *context;
    uint32_t slot; /* Of the lease or watch it is about. */
    uint64_t watch;
    uint64_t timer;
    int64_t lease;
    int64_t ttl_s;
    uint64_t asked_ns; /* On the client's clock. */
    struct session_lock *lock;
};

enum lock_state { LOCK_GRANT, LOCK_WAIT, LOCK_HELD, LOCK_OVER };

/* One time of waiting for a lock and holding it. */
struct session_lock {
    struct session_lock *all;
    struct sim_session *session;
    enum lock_state state;
    int64_t lease;
    int64_t ttl_s;
    uint64_t asked_ns;
    bool is_kept;
    uint64_t until_ns; /* Unless kept: the end of the belief. */
    int64_t revision;
    char name[NAME_BYTES];
    uint8_t key[KEY_BYTES];
    size_t key_size;
    struct sim_hold hold;
};

struct sim_session {
    struct sim_world *world;
    sim_machine_number client;
    struct sim_random random;
    int64_t revision; /* The newest it was told of. */
    struct own_lease leases[LEASES_MAX];
    struct step *watches[WATCHES_MAX]; /* Each the step that opened it. */
    uint32_t watch_turn;
    struct session_lock *lock; /* NULL: neither waited for nor held. */
    struct session_lock *all_locks;
    struct step *free_steps;
    struct step *all_steps;
};

static void *alloc_or_die(size_t size)
{
    void *block = calloc(1, size);
    if (!block) {
        abort();
    }
    return block;
}

struct sim_session *sim_session_new(struct sim_world *world, sim_machine_number client, uint64_t seed)
{
    struct sim_session *session = alloc_or_die(sizeof *session);
    session->world = world;
    session->client = client;
    sim_random_init(&session->random, seed, client, 0, SIM_FOR_LOAD);
    return session;
}

void sim_session_free(struct sim_session *session)
{
    while (session->all_steps) {
        struct step *step = session->all_steps;
        session->all_steps = step->all;
        free(step);
    }
    while (session->all_locks) {
        struct session_lock *lock = session->all_locks;
        session->all_locks = lock->all;
        free(lock);
    }
    free(session);
}

static struct step *step_take(struct sim_session *session, sim_step_done done, void *context)
{
    struct step *step = session->free_steps;
    if (step) {
        session->free_steps = step->next;
    } else {
        step = alloc_or_die(sizeof *step);
        step->all = session->all_steps;
        session->all_steps = step;
    }
    struct step *all = step->all;
    *step = (struct step){.all = all, .session = session, .done = done, .context = context};
    return step;
}

static void step_give(struct step *step)
{
    step->next = step->session->free_steps;
    step->session->free_steps = step;
}

/* Over, with nothing more to remember. */
static void step_end(struct step *step, enum sim_outcome outcome, bool is_call)
{
    sim_step_done done = step->done;
    void *context = step->context;
    step_give(step);
    done(context, outcome, is_call);
}

static void note(struct sim_session *session, const struct wire_response *response)
{
    if (response->status == BASE_OK && response->revision > session->revision) {
        session->revision = response->revision;
    }
}

static void on_answer(void *context, const struct wire_response *response, bool is_unknown)
{
    struct step *step = context;
    note(step->session, response);
    step_end(step, outcome_of(response, is_unknown), true);
}

static void call(struct step *step, const struct wire_request *request, sim_call_done done)
{
    (void)sim_client_call(step->session->world, step->session->client, request, done, step);
}

static uint64_t local_ns(const struct sim_session *session)
{
    return sim_machine_local(session->world, session->client);
}

/* --- leases --- */

static void lease_forget(struct sim_session *session, struct own_lease *lease)
{
    if (lease->is_kept) {
        sim_client_lease_forget(session->world, session->client, lease->id);
    }
    *lease = (struct own_lease){0};
}

static void on_granted(void *context, const struct wire_response *response, bool is_unknown)
{
    struct step *step = context;
    struct sim_session *session = step->session;
    uint64_t draw = sim_random_u64(&session->random);
    if (response->status == BASE_OK) {
        struct own_lease *lease = &session->leases[step->slot];
        lease_forget(session, lease);
        *lease =
            (struct own_lease){.id = response->lease, .ttl_s = response->ttl_s, .is_kept = draw % 4 == 0};
        if (lease->is_kept) {
            sim_client_lease_keep(session->world, session->client, lease->id, lease->ttl_s,
                                  step->asked_ns + (uint64_t)lease->ttl_s * SECOND_NS);
        }
    }
    on_answer(step, response, is_unknown);
}

static void on_lease_used(void *context, const struct wire_response *response, bool is_unknown)
{
    struct step *step = context;
    struct own_lease *lease = &step->session->leases[step->slot];
    bool is_gone =
        response->status == BASE_LEASE_NOT_FOUND || (response->status == BASE_OK && response->ttl_s < 0);
    if (is_gone && lease->id == step->lease) {
        lease_forget(step->session, lease);
    }
    on_answer(step, response, is_unknown);
}

static void lease_use(struct step *step, uint32_t what, struct base_bytes key, struct base_bytes value)
{
    struct own_lease *lease = &step->session->leases[step->slot];
    struct wire_request request = {.kind = WIRE_LEASE_KEEPALIVE, .lease = lease->id};
    step->lease = lease->id;
    if (what < 8) {
        request =
            (struct wire_request){.kind = WIRE_KV,
                                  .op = {.kind = KV_PUT, .key = key, .value = value, .lease = lease->id}};
    } else if (what < 10) {
        request.kind = WIRE_LEASE_TIME_TO_LIVE;
    } else if (what < 12) {
        request.kind = WIRE_LEASE_REVOKE;
        lease_forget(step->session, lease);
    } else if (what < 14) {
        lease_forget(step->session, lease); /* It goes when its time comes: one last look. */
        request.kind = WIRE_LEASE_TIME_TO_LIVE;
    }
    call(step, &request, on_lease_used);
}

void sim_session_lease(struct sim_session *session, struct base_bytes key, struct base_bytes value,
                       sim_step_done done, void *context)
{
    uint64_t slot = sim_random_below(&session->random, LEASES_MAX);
    uint64_t what = sim_random_below(&session->random, 20);
    uint64_t ttl_s = sim_random_between(&session->random, 1, 8);
    struct step *step = step_take(session, done, context);
    step->slot = (uint32_t)slot;
    if (session->leases[slot].id != 0) {
        lease_use(step, (uint32_t)what, key, value);
        return;
    }
    const struct wire_request request = {.kind = WIRE_LEASE_GRANT, .ttl_s = (int64_t)ttl_s};
    step->asked_ns = local_ns(session);
    call(step, &request, on_granted);
}

/* --- watches --- */

static void watch_over(struct step *step, enum sim_outcome outcome)
{
    sim_step_done done = step->done;
    if (step->timer != 0) {
        sim_world_cancel(step->session->world, step->timer);
        step->timer = 0;
    }
    step->done = NULL;
    if (done) {
        done(step->context, outcome, false);
    }
}

static void watch_close(struct sim_session *session, uint32_t slot)
{
    struct step *step = session->watches[slot];
    session->watches[slot] = NULL;
    if (step->watch != 0) {
        sim_client_watch_cancel(session->world, session->client, step->watch);
    }
    watch_over(step, SIM_OUTCOME_OK);
    step_give(step);
}

static void on_batch(void *context, const struct wire_watch *batch)
{
    struct step *step = context;
    struct sim_session *session = step->session;
    if (batch->revision > session->revision) {
        session->revision = batch->revision;
    }
    if (batch->compact_revision != 0) {
        sim_client_watch_cancel(session->world, session->client, step->watch);
        step->watch = 0; /* Closed by the cluster; its place is taken by the next. */
        watch_over(step, SIM_OUTCOME_FAILED);
    } else if (batch->event_count > 0) {
        watch_over(step, SIM_OUTCOME_OK);
    }
}

static void on_quiet(void *context)
{
    struct step *step = context;
    step->timer = 0;
    watch_over(step, SIM_OUTCOME_OK);
}

static int64_t watch_from(const struct sim_session *session, uint64_t where, uint64_t far)
{
    if (where < 5 || session->revision == 0) {
        return 0; /* What comes next. */
    }
    if (where < 9) {
        int64_t from = session->revision - (int64_t)(far % BEHIND_MAX);
        return from < 1 ? 1 : from;
    }
    return session->revision + 1 + (int64_t)(far % AHEAD_MAX);
}

void sim_session_watch(struct sim_session *session, struct base_bytes key, sim_step_done done, void *context)
{
    uint64_t where = sim_random_below(&session->random, 10);
    uint64_t far = sim_random_u64(&session->random);
    uint64_t shape = sim_random_u64(&session->random);
    uint32_t slot = session->watch_turn++ % WATCHES_MAX;
    if (session->watches[slot]) {
        watch_close(session, slot);
    }
    struct step *step = step_take(session, done, context);
    session->watches[slot] = step;
    step->timer = sim_world_at(session->world, sim_world_now(session->world) + SECOND_NS, on_quiet, step);
    struct wire_request create = {
        .kind = WIRE_WATCH_CREATE,
        .revision = watch_from(session, where, far),
        .op = {.kind = KV_RANGE, .key = key},
    };
    if ((shape & 1) != 0) {
        create.op.key = base_bytes_of("k");
        create.op.range_end = base_bytes_of("l");
    }
    if ((shape & 6) == 0) {
        create.op.flags = KV_WATCH_PREV_KV;
    } else if ((shape & 56) == 8) {
        create.op.flags = KV_WATCH_NO_PUT;
    } else if ((shape & 56) == 16) {
        create.op.flags = KV_WATCH_NO_DELETE;
    }
    step->watch = sim_client_watch(session->world, session->client, &create, on_batch, step);
}

/* --- locks --- */

static uint64_t hold_deadline(struct sim_world *world, void *context)
{
    const struct session_lock *lock = context;
    return lock->is_kept ? sim_client_lease_deadline(world, lock->session->client, lock->lease)
                         : lock->until_ns;
}

/* The lock is nothing of this session's any more. */
static void lock_leave(struct session_lock *lock)
{
    struct sim_session *session = lock->session;
    if (lock->is_kept) {
        lock->until_ns = hold_deadline(session->world, lock);
        lock->is_kept = false;
        sim_client_lease_forget(session->world, session->client, lock->lease);
    }
    lock->state = LOCK_OVER;
    session->lock = NULL;
}

static void on_locked(void *context, enum base_status status, int64_t revision, bool is_unknown)
{
    struct step *step = context;
    struct session_lock *lock = step->lock;
    enum sim_outcome outcome = SIM_OUTCOME_OK;
    lock->revision = revision;
    lock->state = LOCK_HELD;
    lock->hold = (struct sim_hold){.world = lock->session->world,
                                   .client = lock->session->client,
                                   .name = base_bytes_of(lock->name),
                                   .deadline_ns = hold_deadline,
                                   .context = lock};
    lock->hold.is_over = true;
    if (status != BASE_OK) {
        outcome = is_unknown ? SIM_OUTCOME_UNKNOWN : SIM_OUTCOME_FAILED;
    } else if (!sim_hold_begin(&lock->hold, revision)) {
        outcome = SIM_OUTCOME_FAILED; /* Its lease ran out while it waited for the answer. */
    }
    if (outcome != SIM_OUTCOME_OK) {
        lock_leave(lock);
    }
    step_end(step, outcome, false);
}

static void on_lock_granted(void *context, const struct wire_response *response, bool is_unknown)
{
    struct step *step = context;
    struct session_lock *lock = step->lock;
    struct sim_session *session = step->session;
    note(session, response);
    if (response->status != BASE_OK) {
        lock_leave(lock);
        step_end(step, outcome_of(response, is_unknown), true);
        return;
    }
    lock->state = LOCK_WAIT;
    lock->lease = response->lease;
    lock->is_kept = true;
    sim_client_lease_keep(session->world, session->client, lock->lease, response->ttl_s,
                          lock->asked_ns + (uint64_t)response->ttl_s * SECOND_NS);
    int size =
        snprintf((char *)lock->key, sizeof lock->key, "%s/%llx", lock->name, (unsigned long long)lock->lease);
    lock->key_size = (size_t)size;
    (void)sim_client_lock(session->world, session->client, base_bytes_of(lock->name), lock->lease,
                          CLIENT_NEVER, on_locked, step);
}

static void lock_begin(struct sim_session *session, struct step *step, struct base_bytes name, uint64_t ttl_s)
{
    struct session_lock *lock = alloc_or_die(sizeof *lock);
    lock->all = session->all_locks;
    session->all_locks = lock;
    lock->session = session;
    lock->asked_ns = local_ns(session);
    assert(name.size < NAME_BYTES);
    memcpy(lock->name, name.data, name.size);
    session->lock = lock;
    step->lock = lock;
    const struct wire_request request = {.kind = WIRE_LEASE_GRANT, .ttl_s = (int64_t)ttl_s};
    call(step, &request, on_lock_granted);
}

/* A write that only the holder of this token can make. */
static void lock_write(struct step *step, const struct session_lock *lock, struct base_bytes value)
{
    char fenced[NAME_BYTES + 8];
    (void)snprintf(fenced, sizeof fenced, "fenced/%s", lock->name);
    const struct kv_compare compare = {.key = {.data = lock->key, .size = lock->key_size},
                                       .target = KV_COMPARE_CREATE,
                                       .relation = KV_EQUAL,
                                       .number = lock->revision};
    const struct kv_op put = {.kind = KV_PUT, .key = base_bytes_of(fenced), .value = value};
    const struct kv_txn txn = {.compare_count = 1, .success_count = 1, .compares = &compare, .success = &put};
    const struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_TXN, .txn = &txn}};
    call(step, &request, on_answer);
}

static void lock_give_back(struct step *step, struct session_lock *lock)
{
    sim_hold_end(&lock->hold);
    lock_leave(lock);
    /* Its lease goes, and with it the key. */
    const struct wire_request request = {.kind = WIRE_LEASE_REVOKE, .lease = lock->lease};
    call(step, &request, on_answer);
}

static void lock_look(struct step *step, const struct session_lock *lock)
{
    char prefix[NAME_BYTES + 2];
    char end[NAME_BYTES + 2];
    (void)snprintf(prefix, sizeof prefix, "%s/", lock->name);
    (void)snprintf(end, sizeof end, "%s0", lock->name); /* The byte after '/'. */
    const struct wire_request request = {.kind = WIRE_KV,
                                         .op = {.kind = KV_RANGE,
                                                .key = base_bytes_of(prefix),
                                                .range_end = base_bytes_of(end)}};
    call(step, &request, on_answer);
}

void sim_session_lock(struct sim_session *session, struct base_bytes name, struct base_bytes value,
                      sim_step_done done, void *context)
{
    uint64_t what = sim_random_below(&session->random, 20);
    uint64_t ttl_s = sim_random_between(&session->random, 2, 6);
    struct step *step = step_take(session, done, context);
    struct session_lock *lock = session->lock;
    if (!lock) {
        lock_begin(session, step, name, ttl_s);
    } else if (lock->state != LOCK_HELD) {
        lock_look(step, lock); /* Still waiting: who stands before it? */
    } else if (what < 6) {
        lock_write(step, lock, value);
    } else if (what < 16) {
        lock_give_back(step, lock);
    } else if (what < 19) {
        lock_look(step, lock);
    } else {
        lock_leave(lock); /* It dies with the lock: its lease must end the hold. */
        lock_look(step, lock);
    }
}
