/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease/lease.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)

struct fixture {
    size_t bytes;
    struct base_allocator allocator;
    struct lease_lessor *lessor;
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

static void fixture_init(struct fixture *fixture, struct lease_options options)
{
    *fixture = (struct fixture){0};
    fixture->allocator = (struct base_allocator){.resize = counting_resize, .context = &fixture->bytes};
    fixture->lessor = lease_new(&fixture->allocator, &options);
}

static size_t fixture_release(struct fixture *fixture)
{
    lease_free(fixture->lessor);
    return fixture->bytes;
}

static int64_t grant(struct fixture *fixture, int64_t id, int64_t ttl_s, uint64_t now_ns)
{
    int64_t granted_s = 0;
    cr_assert_eq(lease_grant(fixture->lessor, id, ttl_s, now_ns, &granted_s), BASE_OK);
    return granted_s;
}

static uint64_t expiry_of(struct fixture *fixture, int64_t id)
{
    struct lease_info info;
    cr_assert_eq(lease_info(fixture->lessor, id, &info), BASE_OK);
    return info.expiry_ns;
}

static uint32_t expired(struct fixture *fixture, uint64_t now_ns)
{
    int64_t ids[2000];
    return lease_expired(fixture->lessor, now_ns, ids, 2000);
}

Test(lease_grant, short_ttls_are_raised)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.ttl_min_s = 2});
    cr_assert_eq(grant(&fixture, 1, 1, 0), 2);
    cr_assert_eq(grant(&fixture, 2, -5, 0), 2);
    cr_assert_eq(grant(&fixture, 3, 3, 0), 3);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_grant, bad_ids_and_ttls_are_refused)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    int64_t granted_s = 77;
    cr_assert_eq(lease_grant(fixture.lessor, 0, 5, 0, &granted_s), BASE_INVALID);
    cr_assert_eq(lease_grant(fixture.lessor, -1, 5, 0, &granted_s), BASE_INVALID);
    cr_assert_eq(lease_grant(fixture.lessor, 1, LEASE_TTL_MAX_S + 1, 0, &granted_s),
                 BASE_LEASE_TTL_TOO_LARGE);
    cr_assert_eq(granted_s, 77);
    grant(&fixture, 1, LEASE_TTL_MAX_S, 0);
    cr_assert_eq(lease_grant(fixture.lessor, 1, 5, 0, &granted_s), BASE_LEASE_EXISTS);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_keys, attaching_moves_a_key)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    grant(&fixture, 1, 5, 0);
    grant(&fixture, 2, 5, 0);
    lease_attach(fixture.lessor, 1, base_bytes_of("b"));
    lease_attach(fixture.lessor, 1, base_bytes_of("a"));
    lease_attach(fixture.lessor, 2, base_bytes_of("b"));
    lease_detach(fixture.lessor, 1, base_bytes_of("b")); /* Not its key any more. */
    const struct base_bytes *keys;
    cr_assert_eq(lease_keys(fixture.lessor, 1, &keys), 1);
    cr_assert(base_bytes_equal(keys[0], base_bytes_of("a")));
    cr_assert_eq(lease_keys(fixture.lessor, 2, &keys), 1);
    cr_assert_eq(lease_revoke(fixture.lessor, 2), BASE_OK);
    cr_assert_eq(lease_keys(fixture.lessor, 2, &keys), 0);
    cr_assert_eq(lease_revoke(fixture.lessor, 2), BASE_LEASE_NOT_FOUND);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_expiry, forever_unless_primary)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    grant(&fixture, 1, 5, 0);
    cr_assert_eq(expiry_of(&fixture, 1), LEASE_FOREVER);
    cr_assert_eq(lease_due_ns(fixture.lessor), LEASE_FOREVER);
    int64_t ttl_s;
    cr_assert_eq(lease_renew(fixture.lessor, 1, 0, &ttl_s), BASE_NOT_PRIMARY);
    lease_promote(fixture.lessor, 7 * SECOND_NS, SECOND_NS);
    cr_assert_eq(expiry_of(&fixture, 1), 13 * SECOND_NS);
    lease_demote(fixture.lessor);
    cr_assert_eq(expiry_of(&fixture, 1), LEASE_FOREVER);
    cr_assert_eq(expired(&fixture, 1000 * SECOND_NS), 0);
    cr_assert_eq(fixture_release(&fixture), 0);
}

/* Scans stand at n * 0.5 s, whenever the promotion was; one finds what is over by then. */
Test(lease_expiry, found_by_the_first_scan_after_its_end_and_never_before)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.ttl_min_s = 2});
    lease_promote(fixture.lessor, 100, 0);
    grant(&fixture, 1, 2, 200);
    uint64_t scan_ns = 5 * SECOND_NS / 2;
    cr_assert_eq(lease_due_ns(fixture.lessor), scan_ns);
    cr_assert_eq(expired(&fixture, 200 + 2 * SECOND_NS - 1), 0);
    cr_assert_eq(lease_due_ns(fixture.lessor), scan_ns);
    cr_assert_eq(expired(&fixture, scan_ns), 1);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_expiry, found_again_after_the_retry_interval)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.retry_interval_ns = 3 * SECOND_NS});
    lease_promote(fixture.lessor, 0, 0);
    grant(&fixture, 1, 1, 0);
    cr_assert_eq(expired(&fixture, SECOND_NS), 1);
    cr_assert_eq(lease_due_ns(fixture.lessor), 4 * SECOND_NS);
    cr_assert_eq(expired(&fixture, 4 * SECOND_NS - 1), 0);
    cr_assert_eq(expired(&fixture, 4 * SECOND_NS), 1);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_expiry, half_the_rate_a_scan)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.revoke_rate = 10});
    lease_promote(fixture.lessor, 0, 0);
    for (int64_t id = 1; id <= 12; id++) {
        grant(&fixture, id, 1, 0);
    }
    cr_assert_eq(expired(&fixture, SECOND_NS), 5);
    cr_assert_eq(expired(&fixture, SECOND_NS + 1), 0);
    cr_assert_eq(lease_due_ns(fixture.lessor), 3 * SECOND_NS / 2);
    cr_assert_eq(expired(&fixture, 3 * SECOND_NS / 2), 5);
    cr_assert_eq(expired(&fixture, 9 * SECOND_NS / 4), 2);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_expiry, instants_that_overflow_never_come)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.checkpoints = true});
    uint64_t late_ns = UINT64_MAX - SECOND_NS;
    lease_promote(fixture.lessor, late_ns, 0);
    grant(&fixture, 1, LEASE_TTL_MAX_S, late_ns);
    cr_assert_eq(expiry_of(&fixture, 1), LEASE_FOREVER);
    cr_assert_eq(lease_due_ns(fixture.lessor), LEASE_FOREVER);
    cr_assert_eq(expired(&fixture, UINT64_MAX - 1), 0);
    int64_t ttl_s;
    cr_assert_eq(lease_renew(fixture.lessor, 1, UINT64_MAX - 1, &ttl_s), BASE_OK);
    lease_promote(fixture.lessor, 5, UINT64_MAX - 10);
    cr_assert_eq(lease_due_ns(fixture.lessor), LEASE_FOREVER);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_renew, counts_from_now_and_never_shortens)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    grant(&fixture, 1, 10, 0);
    lease_promote(fixture.lessor, 0, 5 * SECOND_NS);
    int64_t ttl_s;
    cr_assert_eq(lease_renew(fixture.lessor, 1, SECOND_NS, &ttl_s), BASE_OK);
    cr_assert_eq(ttl_s, 10);
    cr_assert_eq(expiry_of(&fixture, 1), 15 * SECOND_NS);
    cr_assert_eq(lease_renew(fixture.lessor, 1, 7 * SECOND_NS, &ttl_s), BASE_OK);
    cr_assert_eq(expiry_of(&fixture, 1), 17 * SECOND_NS);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_renew, what_is_over_stays_over)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    lease_promote(fixture.lessor, 0, 0);
    grant(&fixture, 1, 1, 0);
    int64_t ttl_s;
    cr_assert_eq(lease_renew(fixture.lessor, 1, SECOND_NS, &ttl_s), BASE_UNAVAILABLE);
    cr_assert_eq(expired(&fixture, SECOND_NS), 1);
    struct lease_info info;
    cr_assert_eq(lease_info(fixture.lessor, 1, &info), BASE_OK);
    cr_assert(info.is_expiring);
    cr_assert_eq(lease_renew(fixture.lessor, 1, SECOND_NS, &ttl_s), BASE_UNAVAILABLE);
    cr_assert_eq(lease_revoke(fixture.lessor, 1), BASE_OK);
    cr_assert_eq(lease_renew(fixture.lessor, 1, SECOND_NS, &ttl_s), BASE_LEASE_NOT_FOUND);
    cr_assert_eq(fixture_release(&fixture), 0);
}

/* 1,000 equal leases: 750 fall together, the others at 750 a second. */
Test(lease_promote, many_equal_ones_are_spread)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    for (int64_t id = 1; id <= 3000; id++) {
        grant(&fixture, id, 10, 0);
    }
    lease_promote(fixture.lessor, 0, SECOND_NS);
    for (int64_t id = 1; id <= 3000; id++) {
        uint64_t delay_ns = id <= 750 ? 0 : (uint64_t)id * SECOND_NS / 750;
        cr_assert_eq(expiry_of(&fixture, id), 11 * SECOND_NS + delay_ns);
    }
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_promote, fewer_than_the_rate_are_not_spread)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    for (int64_t id = 1; id <= 999; id++) {
        grant(&fixture, id, 10, 0);
    }
    lease_promote(fixture.lessor, 0, 0);
    cr_assert_eq(expiry_of(&fixture, 999), 10 * SECOND_NS);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_promote, counts_from_the_checkpointed_rest)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.checkpoints = true});
    grant(&fixture, 1, 1000, 0);
    cr_assert_eq(lease_checkpoint(fixture.lessor, 1, 400), BASE_OK);
    cr_assert_eq(lease_checkpoint(fixture.lessor, 1, 1001), BASE_INVALID);
    cr_assert_eq(lease_checkpoint(fixture.lessor, 2, 1), BASE_LEASE_NOT_FOUND);
    lease_promote(fixture.lessor, 0, 0);
    cr_assert_eq(expiry_of(&fixture, 1), 400 * SECOND_NS);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_checkpoint, due_after_five_minutes_and_rounded_up)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.checkpoints = true});
    lease_promote(fixture.lessor, 0, 0);
    grant(&fixture, 1, 1000, 0);
    grant(&fixture, 2, 300, 0);
    cr_assert_eq(lease_due_ns(fixture.lessor), 300 * SECOND_NS);
    int64_t ids[4];
    int64_t remaining_s[4];
    cr_assert_eq(lease_checkpoints_due(fixture.lessor, 300 * SECOND_NS + 1, ids, remaining_s, 4), 1);
    cr_assert(ids[0] == 1 && remaining_s[0] == 700);
    cr_assert_eq(fixture_release(&fixture), 0);
}

/* A rest measured before a renewal must not be what the next primary counts from:
 * a checkpoint of 0 goes first, and none is handed out in between. */
Test(lease_checkpoint, a_renewal_after_one_asks_for_zero_first)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){.checkpoints = true});
    lease_promote(fixture.lessor, 0, 0);
    grant(&fixture, 1, 1000, 0);
    int64_t ids[4];
    int64_t remaining_s[4];
    cr_assert_eq(lease_checkpoints_due(fixture.lessor, 300 * SECOND_NS, ids, remaining_s, 4), 1);
    int64_t ttl_s;
    uint64_t now_ns = 301 * SECOND_NS;
    cr_assert_eq(lease_renew(fixture.lessor, 1, now_ns, &ttl_s), BASE_UNAVAILABLE);
    struct lease_info info;
    cr_assert_eq(lease_info(fixture.lessor, 1, &info), BASE_OK);
    cr_assert(info.checkpoint_first && !info.is_expiring);
    cr_assert_eq(lease_checkpoints_due(fixture.lessor, 700 * SECOND_NS, ids, remaining_s, 4), 0);
    cr_assert_eq(lease_checkpoint(fixture.lessor, 1, 700), BASE_OK);
    cr_assert_eq(lease_checkpoint(fixture.lessor, 1, 0), BASE_OK);
    cr_assert_eq(lease_renew(fixture.lessor, 1, now_ns, &ttl_s), BASE_OK);
    lease_promote(fixture.lessor, now_ns, 0);
    cr_assert_eq(expiry_of(&fixture, 1), now_ns + 1000 * SECOND_NS);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_save, loads_to_the_same_hash_with_ttls_raised)
{
    struct fixture from;
    struct fixture to;
    fixture_init(&from, (struct lease_options){0});
    fixture_init(&to, (struct lease_options){.ttl_min_s = 5});
    grant(&from, 7, 100, 0);
    grant(&from, 3, 50, 0);
    cr_assert_eq(lease_checkpoint(from.lessor, 3, 20), BASE_OK);
    uint64_t hash = lease_hash(from.lessor);
    grant(&from, 9, 1, 0);
    cr_assert_neq(lease_hash(from.lessor), hash);
    struct base_buffer saved;
    base_buffer_init(&saved, &from.allocator);
    lease_save(from.lessor, &saved);
    struct base_reader reader;
    base_reader_init(&reader, base_buffer_view(&saved));
    cr_assert_eq(lease_load(to.lessor, &reader), BASE_OK);
    struct lease_info info;
    cr_assert_eq(lease_info(to.lessor, 9, &info), BASE_OK);
    cr_assert_eq(info.granted_s, 5);
    cr_assert_eq(lease_revoke(to.lessor, 9), BASE_OK);
    cr_assert_eq(lease_hash(to.lessor), hash);
    base_buffer_release(&saved);
    cr_assert_eq(fixture_release(&from), 0);
    cr_assert_eq(fixture_release(&to), 0);
}

Test(lease_save, damage_is_refused)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    grant(&fixture, 1, 100, 0);
    grant(&fixture, 2, 100, 0);
    struct base_buffer saved;
    base_buffer_init(&saved, &fixture.allocator);
    lease_save(fixture.lessor, &saved);
    for (size_t size = 0; size < saved.size; size++) {
        struct lease_lessor *lessor = lease_new(&fixture.allocator, &(struct lease_options){0});
        struct base_reader reader;
        base_reader_init(&reader, (struct base_bytes){.data = saved.data, .size = size});
        cr_assert_eq(lease_load(lessor, &reader), BASE_CORRUPT);
        lease_free(lessor);
    }
    saved.data[8] = 2; /* Two leases of one id. */
    struct lease_lessor *lessor = lease_new(&fixture.allocator, &(struct lease_options){0});
    struct base_reader reader;
    base_reader_init(&reader, base_buffer_view(&saved));
    cr_assert_eq(lease_load(lessor, &reader), BASE_CORRUPT);
    lease_free(lessor);
    base_buffer_release(&saved);
    cr_assert_eq(fixture_release(&fixture), 0);
}

Test(lease_new, idle_lessor_is_small)
{
    struct fixture fixture;
    fixture_init(&fixture, (struct lease_options){0});
    cr_assert_lt(fixture.bytes, 1024);
    cr_assert_eq(fixture_release(&fixture), 0);
}
