/* The lessor against a slow obvious twin: lease_random SEEDS STEPS. The twin is a
 * table of leases in which every question is answered by a walk; the scan is the
 * walk that etcd's loop makes every half second. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease/lease.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

enum { IDS = 24, KEYS = 30, TTL_MIN_S = 2, RATE = 8, SCAN_MAX = RATE / 2, FIRST_NS = 1000 };

static const uint64_t scan_interval_ns = SECOND_NS / 2;
static const uint64_t retry_interval_ns = 3 * SECOND_NS;
static const uint64_t checkpoint_interval_ns = 300 * SECOND_NS;

struct twin_lease {
    bool is_there;
    int64_t ttl_s;
    int64_t remaining_s;
    uint64_t expiry_ns;
    uint64_t found_again_ns; /* The instant it may be found, or found again. */
    uint64_t promise_ns;     /* Nobody may find it before. */
    bool is_expiring;
    bool has_checkpoint_out;
    uint64_t checkpoint_ns;
};

struct world {
    size_t bytes;
    struct base_allocator allocator;
    struct lease_lessor *lessor;
    uint64_t random;
    uint64_t now_ns;
    bool is_primary;
    uint64_t promoted_ns;
    uint64_t scan_ns; /* The next that the loop makes. */
    struct twin_lease leases[IDS + 1];
    int64_t of_key[KEYS];
};

static void *counting_resize(void *context, void *block, size_t size_old, size_t size_new)
{
    size_t *bytes = context;
    *bytes = *bytes - (block ? size_old : 0) + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    return moved ? moved : (abort(), NULL);
}

/* SplitMix64. */
static uint64_t below(struct world *world, uint64_t bound)
{
    world->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = world->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (mixed ^ (mixed >> 31)) % bound;
}

static struct base_bytes key_of(uint32_t number)
{
    static uint8_t keys[KEYS][2];
    keys[number][0] = (uint8_t)('a' + number / 10);
    keys[number][1] = (uint8_t)('0' + number % 10);
    return (struct base_bytes){.data = keys[number], .size = 2};
}

static const struct lease_options options = {.ttl_min_s = TTL_MIN_S,
                                             .revoke_rate = RATE,
                                             .retry_interval_ns = 3 * SECOND_NS,
                                             .checkpoints = true};

static uint64_t seconds(int64_t count)
{
    return (uint64_t)count * SECOND_NS;
}

static void set_expiry(struct world *world, struct twin_lease *lease, uint64_t expiry_ns)
{
    lease->expiry_ns = expiry_ns;
    lease->found_again_ns = expiry_ns;
    lease->checkpoint_ns = expiry_ns > world->now_ns + checkpoint_interval_ns
                               ? world->now_ns + checkpoint_interval_ns
                               : LEASE_FOREVER;
}

static int64_t random_ttl(struct world *world)
{
    return below(world, 8) == 0 ? (int64_t)below(world, 2000) : (int64_t)below(world, 8);
}

static void step_grant(struct world *world)
{
    int64_t id = (int64_t)below(world, IDS + 1);
    int64_t ttl_s = below(world, 30) == 0 ? LEASE_TTL_MAX_S + 1 : random_ttl(world);
    int64_t granted_s = -1;
    enum base_status status = lease_grant(world->lessor, id, ttl_s, world->now_ns, &granted_s);
    struct twin_lease *lease = &world->leases[id];
    enum base_status expected = id == 0                      ? BASE_INVALID
                                : ttl_s > LEASE_TTL_MAX_S    ? BASE_LEASE_TTL_TOO_LARGE
                                : world->leases[id].is_there ? BASE_LEASE_EXISTS
                                                             : BASE_OK;
    assert(status == expected);
    if (status != BASE_OK) {
        assert(granted_s == -1);
        return;
    }
    int64_t ttl_expected_s = ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s;
    assert(granted_s == ttl_expected_s);
    *lease = (struct twin_lease){.is_there = true,
                                 .ttl_s = granted_s,
                                 .expiry_ns = LEASE_FOREVER,
                                 .checkpoint_ns = LEASE_FOREVER,
                                 .promise_ns = world->now_ns + seconds(granted_s)};
    if (world->is_primary) {
        set_expiry(world, lease, world->now_ns + seconds(granted_s));
    }
}

static void step_revoke(struct world *world)
{
    int64_t id = 1 + (int64_t)below(world, IDS);
    const struct base_bytes *keys = NULL;
    uint32_t count = lease_keys(world->lessor, id, &keys);
    uint32_t found = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        if (world->of_key[key] == id) {
            assert(found < count && base_bytes_equal(keys[found], key_of(key)));
            found++;
            world->of_key[key] = 0;
        }
    }
    assert(found == count);
    enum base_status status = lease_revoke(world->lessor, id);
    assert(status == (world->leases[id].is_there ? BASE_OK : BASE_LEASE_NOT_FOUND));
    world->leases[id].is_there = false;
}

static void step_renew(struct world *world)
{
    int64_t id = 1 + (int64_t)below(world, IDS);
    struct twin_lease *lease = &world->leases[id];
    bool is_over = lease->is_expiring || lease->expiry_ns <= world->now_ns;
    bool needs_checkpoint = lease->remaining_s > 0 || lease->has_checkpoint_out;
    enum base_status expected = !world->is_primary            ? BASE_NOT_PRIMARY
                                : !lease->is_there            ? BASE_LEASE_NOT_FOUND
                                : is_over || needs_checkpoint ? BASE_UNAVAILABLE
                                                              : BASE_OK;
    int64_t ttl_s = -1;
    enum base_status status = lease_renew(world->lessor, id, world->now_ns, &ttl_s);
    assert(status == expected);
    if (status == BASE_UNAVAILABLE && !is_over) {
        lease->checkpoint_ns = LEASE_FOREVER;
    }
    if (status != BASE_OK) {
        return;
    }
    assert(ttl_s == lease->ttl_s);
    lease->promise_ns = world->now_ns + seconds(ttl_s);
    set_expiry(world, lease, lease->promise_ns > lease->expiry_ns ? lease->promise_ns : lease->expiry_ns);
}

static void step_checkpoint(struct world *world)
{
    int64_t id = 1 + (int64_t)below(world, IDS);
    struct twin_lease *lease = &world->leases[id];
    int64_t remaining_s = (int64_t)below(world, 3) - 1;
    enum base_status expected = !lease->is_there                                ? BASE_LEASE_NOT_FOUND
                                : remaining_s < 0 || remaining_s > lease->ttl_s ? BASE_INVALID
                                                                                : BASE_OK;
    enum base_status status = lease_checkpoint(world->lessor, id, remaining_s);
    assert(status == expected);
    if (status == BASE_OK) {
        lease->remaining_s = remaining_s;
        lease->has_checkpoint_out = remaining_s > 0 && lease->has_checkpoint_out;
        lease->promise_ns = remaining_s > 0 ? 0 : lease->promise_ns; /* What a checkpoint says counts. */
    }
}

static uint64_t rest_ns(const struct twin_lease *lease)
{
    return seconds(lease->remaining_s > 0 ? lease->remaining_s : lease->ttl_s);
}

/* The leases by what is left of them, then by id. */
static uint32_t by_rest(struct world *world, struct twin_lease *order[IDS])
{
    uint32_t count = 0;
    for (int64_t id = 1; id <= IDS; id++) {
        if (world->leases[id].is_there) {
            order[count++] = &world->leases[id];
        }
    }
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t j = i; j > 0 && rest_ns(order[j - 1]) > rest_ns(order[j]); j--) {
            struct twin_lease *swap = order[j];
            order[j] = order[j - 1];
            order[j - 1] = swap;
        }
    }
    return count;
}

static void step_promote(struct world *world)
{
    uint64_t extend_ns = below(world, 3) * SECOND_NS;
    lease_promote(world->lessor, world->now_ns, extend_ns);
    world->is_primary = true;
    world->promoted_ns = world->now_ns;
    while (world->scan_ns < world->now_ns) {
        world->scan_ns += scan_interval_ns;
    }
    struct twin_lease *order[IDS];
    uint32_t count = by_rest(world, order);
    uint64_t base = count > 0 ? rest_ns(order[0]) : 0;
    uint64_t window = base + SECOND_NS;
    uint64_t met = 0;
    uint64_t whole = RATE * 3 / 4;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t rest = rest_ns(order[i]);
        uint64_t delay = 0;
        met++;
        if (rest > window) {
            base = rest;
            window = rest + SECOND_NS;
            met = 1;
        } else if (met > whole && count >= RATE) {
            delay = SECOND_NS * met / whole - (rest - base);
            window = base + delay;
        }
        order[i]->is_expiring = false;
        order[i]->has_checkpoint_out = false;
        set_expiry(world, order[i], world->now_ns + extend_ns + delay + rest);
        assert(order[i]->expiry_ns >= world->now_ns + extend_ns + rest);
    }
}

static void step_demote(struct world *world)
{
    lease_demote(world->lessor);
    world->is_primary = false;
    for (int64_t id = 1; id <= IDS; id++) {
        world->leases[id].expiry_ns = LEASE_FOREVER;
        world->leases[id].checkpoint_ns = LEASE_FOREVER;
        world->leases[id].is_expiring = false;
        world->leases[id].has_checkpoint_out = false;
    }
}

/* The soonest to be found at `now`; 0: none. */
static int64_t next_to_find(const struct world *world)
{
    int64_t found = 0;
    for (int64_t id = 1; id <= IDS; id++) {
        const struct twin_lease *lease = &world->leases[id];
        bool is_due =
            lease->is_there && lease->expiry_ns != LEASE_FOREVER && lease->found_again_ns <= world->now_ns;
        if (is_due && (found == 0 || lease->found_again_ns < world->leases[found].found_again_ns)) {
            found = id;
        }
    }
    return found;
}

static void step_scan(struct world *world)
{
    int64_t ids[RATE];
    uint32_t max = below(world, 4) == 0 ? (uint32_t)below(world, SCAN_MAX) : RATE;
    uint32_t count = lease_expired(world->lessor, world->now_ns, ids, max);
    if (!world->is_primary || world->now_ns < world->scan_ns) {
        assert(count == 0);
        return;
    }
    while (world->scan_ns <= world->now_ns) {
        world->scan_ns += scan_interval_ns;
    }
    uint32_t expected = 0;
    for (int64_t id = next_to_find(world); id != 0 && expected < SCAN_MAX && expected < max;
         id = next_to_find(world)) {
        struct twin_lease *lease = &world->leases[id];
        assert(expected < count && ids[expected] == id);
        assert(lease->promise_ns <= world->now_ns); /* Never before its time. */
        lease->is_expiring = true;
        lease->found_again_ns = world->now_ns + retry_interval_ns;
        lease->checkpoint_ns = LEASE_FOREVER;
        expected++;
    }
    assert(count == expected);
}

static void step_checkpoints_due(struct world *world)
{
    int64_t ids[IDS];
    int64_t remaining_s[IDS];
    uint32_t count = lease_checkpoints_due(world->lessor, world->now_ns, ids, remaining_s, IDS);
    uint32_t expected = 0;
    for (int64_t id = 1; id <= IDS; id++) {
        struct twin_lease *lease = &world->leases[id];
        if (!lease->is_there || lease->checkpoint_ns > world->now_ns) {
            continue;
        }
        uint64_t again_ns = world->now_ns + checkpoint_interval_ns;
        lease->checkpoint_ns = lease->expiry_ns > again_ns ? again_ns : LEASE_FOREVER;
        if (lease->expiry_ns <= world->now_ns) {
            continue;
        }
        int64_t left_s = (int64_t)((lease->expiry_ns - world->now_ns + SECOND_NS - 1) / SECOND_NS);
        if (left_s < lease->ttl_s) {
            expected++;
            lease->has_checkpoint_out = true;
            bool is_told = false;
            for (uint32_t i = 0; i < count; i++) {
                is_told |= ids[i] == id && remaining_s[i] == left_s;
            }
            assert(is_told);
        }
    }
    assert(count == expected);
}

static void step_attach(struct world *world)
{
    uint32_t key = (uint32_t)below(world, KEYS);
    int64_t id = 1 + (int64_t)below(world, IDS);
    if (below(world, 3) == 0) {
        lease_detach(world->lessor, id, key_of(key));
        world->of_key[key] = world->of_key[key] == id ? 0 : world->of_key[key];
    } else if (world->leases[id].is_there) {
        lease_attach(world->lessor, id, key_of(key));
        world->of_key[key] = id;
    }
}

/* Another lessor, from what this one saves; keys come back one by one. */
static void step_reload(struct world *world)
{
    struct base_buffer saved;
    base_buffer_init(&saved, &world->allocator);
    lease_save(world->lessor, &saved);
    struct lease_lessor *loaded = lease_new(&world->allocator, &options);
    struct base_reader reader;
    base_reader_init(&reader, base_buffer_view(&saved));
    enum base_status status = lease_load(loaded, &reader);
    assert(status == BASE_OK && base_reader_left(&reader) == 0 && !reader.failed);
    assert(lease_hash(loaded) == lease_hash(world->lessor));
    for (uint32_t key = 0; key < KEYS; key++) {
        if (world->of_key[key] != 0) {
            lease_attach(loaded, world->of_key[key], key_of(key));
        }
    }
    lease_free(world->lessor);
    world->lessor = loaded;
    step_demote(world);
    base_buffer_release(&saved);
}

static void expect_level(struct world *world)
{
    uint64_t count = 0;
    int64_t after = 0;
    uint64_t due_ns = LEASE_FOREVER;
    for (int64_t id = 1; id <= IDS; id++) {
        const struct twin_lease *lease = &world->leases[id];
        struct lease_info info;
        enum base_status status = lease_info(world->lessor, id, &info);
        assert(status == (lease->is_there ? BASE_OK : BASE_LEASE_NOT_FOUND));
        assert(lease_exists(world->lessor, id) == lease->is_there);
        if (!lease->is_there) {
            continue;
        }
        count++;
        uint32_t keys = 0;
        for (uint32_t key = 0; key < KEYS; key++) {
            keys += world->of_key[key] == id;
        }
        assert(info.granted_s == lease->ttl_s && info.remaining_s == lease->remaining_s);
        assert(info.expiry_ns == lease->expiry_ns && info.is_expiring == lease->is_expiring);
        assert(info.key_count == keys);
        assert(info.checkpoint_first == (lease->remaining_s > 0 || lease->has_checkpoint_out));
        bool is_next = lease_next(world->lessor, after, &info);
        assert(is_next && info.id == id);
        after = id;
        if (lease->expiry_ns != LEASE_FOREVER) {
            uint64_t scan_ns = world->scan_ns;
            while (scan_ns < lease->found_again_ns) {
                scan_ns += scan_interval_ns;
            }
            due_ns = scan_ns < due_ns ? scan_ns : due_ns;
        }
        due_ns = lease->checkpoint_ns < due_ns ? lease->checkpoint_ns : due_ns;
    }
    struct lease_info info;
    assert(!lease_next(world->lessor, after, &info));
    assert(lease_count(world->lessor) == count);
    assert(lease_is_primary(world->lessor) == world->is_primary);
    assert(lease_due_ns(world->lessor) == due_ns);
}

static void step_time(struct world *world)
{
    uint64_t due_ns = lease_due_ns(world->lessor);
    uint64_t draw = below(world, 8);
    if (draw == 0) {
        world->now_ns += below(world, 400 * SECOND_NS);
    } else if (draw < 4 && due_ns != LEASE_FOREVER && due_ns > world->now_ns) {
        world->now_ns = due_ns - below(world, 2);
    } else {
        world->now_ns += below(world, SECOND_NS);
    }
}

static void step(struct world *world)
{
    static void (*const steps[])(
        struct world *) = {step_grant, step_grant,  step_revoke, step_renew,           step_renew,
                           step_renew, step_scan,   step_scan,   step_checkpoints_due, step_attach,
                           step_time,  step_attach, step_time,   step_attach,          step_checkpoint,
                           step_attach};
    uint64_t draw = below(world, 100);
    if (draw < 2) {
        step_promote(world);
    } else if (draw < 3) {
        step_demote(world);
    } else if (draw < 4) {
        step_reload(world);
    } else {
        steps[below(world, sizeof steps / sizeof steps[0])](world);
    }
}

static void run(uint64_t seed, uint64_t steps)
{
    struct world world = {.random = seed, .now_ns = FIRST_NS};
    world.allocator = (struct base_allocator){.resize = counting_resize, .context = &world.bytes};
    world.lessor = lease_new(&world.allocator, &options);
    for (int64_t id = 1; id <= IDS; id++) {
        world.leases[id].expiry_ns = LEASE_FOREVER;
        world.leases[id].checkpoint_ns = LEASE_FOREVER;
    }
    for (uint64_t i = 0; i < steps; i++) {
        step(&world);
        expect_level(&world);
    }
    lease_free(world.lessor);
    assert(world.bytes == 0);
}

int main(int count, char **arguments)
{
    uint64_t seeds = count > 1 ? strtoull(arguments[1], NULL, 10) : 50;
    uint64_t steps = count > 2 ? strtoull(arguments[2], NULL, 10) : 2000;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run(seed, steps);
    }
    printf("%llu seeds of %llu steps\n", (unsigned long long)seeds, (unsigned long long)steps);
    return 0;
}
