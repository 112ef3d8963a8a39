/* When leases end. Only a primary has instants; a promise to a client counts
 * from the primary's clock at grant or renewal, and every other rule here may
 * only move an expiry later. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease/lessor.h"

#include <assert.h>

#define SECOND_NS UINT64_C(1000000000)
#define CHECKPOINT_INTERVAL_NS (300 * SECOND_NS)

uint64_t lease_add_ns(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns > LEASE_FOREVER - b_ns ? LEASE_FOREVER : a_ns + b_ns;
}

uint64_t lease_seconds_ns(int64_t seconds)
{
    assert(seconds >= 0);
    return (uint64_t)seconds > LEASE_FOREVER / SECOND_NS ? LEASE_FOREVER : (uint64_t)seconds * SECOND_NS;
}

void lease_expire_at(struct lease_lessor *lessor, struct lease *lease, uint64_t now_ns, uint64_t expiry_ns)
{
    assert(lessor->is_primary);
    lease->expiry_ns = expiry_ns;
    lease_queue_set(lessor, LEASE_EXPIRY, lease, expiry_ns);
    uint64_t checkpoint_ns = lease_add_ns(now_ns, CHECKPOINT_INTERVAL_NS);
    if (!lessor->options.checkpoints || expiry_ns == LEASE_FOREVER || expiry_ns <= checkpoint_ns) {
        checkpoint_ns = LEASE_FOREVER;
    }
    lease_queue_set(lessor, LEASE_CHECKPOINT, lease, checkpoint_ns);
}

enum base_status lease_renew(struct lease_lessor *lessor, int64_t id, uint64_t now_ns, int64_t *ttl_s)
{
    if (!lessor->is_primary) {
        return BASE_NOT_PRIMARY;
    }
    struct lease *lease = lease_find(lessor, id);
    if (!lease) {
        return BASE_LEASE_NOT_FOUND;
    }
    if (lease->is_expiring || lease->expiry_ns <= now_ns) {
        return BASE_UNAVAILABLE;
    }
    if (lease->remaining_s > 0 || lease->has_checkpoint_out) {
        /* No other checkpoint may come between the caller's and this renewal. */
        lease_queue_set(lessor, LEASE_CHECKPOINT, lease, LEASE_FOREVER);
        return BASE_UNAVAILABLE;
    }
    /* After a promotion the expiry may be later than a whole TTL from now; what
     * the old primary promised meanwhile must still hold. */
    uint64_t expiry_ns = lease_add_ns(now_ns, lease_seconds_ns(lease->ttl_s));
    if (expiry_ns < lease->expiry_ns) {
        expiry_ns = lease->expiry_ns;
    }
    lease_expire_at(lessor, lease, now_ns, expiry_ns);
    *ttl_s = lease->ttl_s;
    return BASE_OK;
}

bool lease_is_primary(const struct lease_lessor *lessor)
{
    return lessor->is_primary;
}

static uint64_t rest_ns(const struct lease *lease)
{
    return lease_seconds_ns(lease->remaining_s > 0 ? lease->remaining_s : lease->ttl_s);
}

/* Leases that would fall within one second beyond three quarters of the revoke
 * rate are delayed one by one, so that renewals and client revocations still find
 * room. A window opens at the rest of its first lease and stretches as its leases
 * are delayed; the first lease beyond it opens the next. */
static void spread(struct lease_lessor *lessor, struct lease **leases, size_t count, uint64_t now_ns,
                   uint64_t base_ns)
{
    uint64_t rate = (uint64_t)lessor->options.revoke_rate * 3 / 4;
    rate = rate == 0 ? 1 : rate;
    uint64_t window_begin = rest_ns(leases[0]);
    uint64_t window_end = lease_add_ns(window_begin, SECOND_NS);
    uint64_t in_window = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t rest = rest_ns(leases[i]);
        if (rest > window_end) {
            window_begin = rest;
            window_end = lease_add_ns(rest, SECOND_NS);
            in_window = 1;
            continue;
        }
        in_window++;
        if (in_window <= rate) {
            continue;
        }
        uint64_t due = in_window * SECOND_NS / rate;
        uint64_t ahead = rest - window_begin;
        assert(due >= ahead); /* rest <= window_end, which grew by less than 1 s / rate a lease. */
        uint64_t delay = due - ahead;
        window_end = lease_add_ns(window_begin, delay);
        lease_expire_at(lessor, leases[i], now_ns, lease_add_ns(lease_add_ns(base_ns, delay), rest));
    }
}

/* Spread all leases; those that never come are in no queue and stay so. */
static void spread_all(struct lease_lessor *lessor, uint64_t now_ns, uint64_t base_ns)
{
    size_t count = lessor->queues[LEASE_EXPIRY].count;
    if (count == 0) {
        return;
    }
    struct lease **leases = base_alloc(lessor->allocator, count * sizeof(struct lease *));
    for (size_t i = 0; i < count; i++) {
        leases[i] = lease_queue_first(lessor, LEASE_EXPIRY);
        lease_queue_set(lessor, LEASE_EXPIRY, leases[i], LEASE_FOREVER);
    }
    for (size_t i = 0; i < count; i++) {
        lease_queue_set(lessor, LEASE_EXPIRY, leases[i], leases[i]->expiry_ns);
    }
    spread(lessor, leases, count, now_ns, base_ns);
    base_free(lessor->allocator, leases, count * sizeof(struct lease *));
}

/* The first scan at or after `at_ns`. The clock sets their pace, not the promotion: a
 * lease that is up waits for the next one, up to a whole interval. */
static uint64_t scan_at_or_after(const struct lease_lessor *lessor, uint64_t at_ns)
{
    if (at_ns <= lessor->scan_next_ns) {
        return lessor->scan_next_ns;
    }
    if (at_ns == LEASE_FOREVER) {
        return LEASE_FOREVER;
    }
    uint64_t late = at_ns % lessor->options.scan_interval_ns;
    return late == 0 ? at_ns : lease_add_ns(at_ns, lessor->options.scan_interval_ns - late);
}

void lease_promote(struct lease_lessor *lessor, uint64_t now_ns, uint64_t extend_ns)
{
    lessor->is_primary = true;
    lessor->scan_next_ns = scan_at_or_after(lessor, now_ns);
    uint64_t base_ns = lease_add_ns(now_ns, extend_ns);
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, (struct base_bytes){0});
    for (struct lease *lease = base_map_next(&cursor); lease; lease = base_map_next(&cursor)) {
        lease->is_expiring = false;
        lease->has_checkpoint_out = false;
        lease_expire_at(lessor, lease, now_ns, lease_add_ns(base_ns, rest_ns(lease)));
    }
    if (lessor->leases.count >= lessor->options.revoke_rate) {
        spread_all(lessor, now_ns, base_ns);
    }
}

void lease_demote(struct lease_lessor *lessor)
{
    if (!lessor->is_primary) {
        return;
    }
    lessor->is_primary = false;
    lease_queue_clear(lessor, LEASE_EXPIRY);
    lease_queue_clear(lessor, LEASE_CHECKPOINT);
    struct base_map_cursor cursor = base_map_seek(&lessor->leases, (struct base_bytes){0});
    for (struct lease *lease = base_map_next(&cursor); lease; lease = base_map_next(&cursor)) {
        lease->expiry_ns = LEASE_FOREVER;
        lease->is_expiring = false;
        lease->has_checkpoint_out = false;
    }
}

uint64_t lease_due_ns(const struct lease_lessor *lessor)
{
    const struct lease *expiry = lease_queue_first(lessor, LEASE_EXPIRY);
    const struct lease *checkpoint = lease_queue_first(lessor, LEASE_CHECKPOINT);
    uint64_t expiry_ns = expiry ? scan_at_or_after(lessor, expiry->queue_ns[LEASE_EXPIRY]) : LEASE_FOREVER;
    uint64_t checkpoint_ns = checkpoint ? checkpoint->queue_ns[LEASE_CHECKPOINT] : LEASE_FOREVER;
    return expiry_ns < checkpoint_ns ? expiry_ns : checkpoint_ns;
}

uint32_t lease_expired(struct lease_lessor *lessor, uint64_t now_ns, int64_t *ids, uint32_t max)
{
    if (!lessor->is_primary || now_ns < lessor->scan_next_ns) {
        return 0;
    }
    lessor->scan_next_ns = scan_at_or_after(lessor, lease_add_ns(now_ns, 1));
    uint32_t at_once = lessor->options.revoke_rate / 2;
    at_once = at_once == 0 ? 1 : at_once;
    at_once = at_once < max ? at_once : max;
    uint32_t count = 0;
    while (count < at_once) {
        struct lease *lease = lease_queue_first(lessor, LEASE_EXPIRY);
        if (!lease || lease->queue_ns[LEASE_EXPIRY] > now_ns) {
            break;
        }
        assert(lease->expiry_ns <= now_ns); /* §3: never before its time. */
        lease->is_expiring = true;
        lease_queue_set(lessor, LEASE_CHECKPOINT, lease, LEASE_FOREVER);
        lease_queue_set(lessor, LEASE_EXPIRY, lease, lease_add_ns(now_ns, lessor->options.retry_interval_ns));
        ids[count++] = lease->id;
    }
    return count;
}

uint32_t lease_checkpoints_due(struct lease_lessor *lessor, uint64_t now_ns, int64_t *ids,
                               int64_t *remaining_s, uint32_t max)
{
    uint32_t count = 0;
    while (count < max) {
        struct lease *lease = lease_queue_first(lessor, LEASE_CHECKPOINT);
        if (!lease || lease->queue_ns[LEASE_CHECKPOINT] > now_ns) {
            break;
        }
        uint64_t again_ns = lease_add_ns(now_ns, CHECKPOINT_INTERVAL_NS);
        lease_queue_set(lessor, LEASE_CHECKPOINT, lease,
                        lease->expiry_ns > again_ns ? again_ns : LEASE_FOREVER);
        if (lease->expiry_ns <= now_ns) {
            continue;
        }
        /* Rounded up: a checkpoint must not shorten what is left. */
        uint64_t left_ns = lease->expiry_ns - now_ns;
        uint64_t left_s = left_ns / SECOND_NS + (left_ns % SECOND_NS != 0);
        if (left_s >= (uint64_t)lease->ttl_s) {
            continue;
        }
        lease->has_checkpoint_out = true;
        ids[count] = lease->id;
        remaining_s[count] = (int64_t)left_s;
        count++;
    }
    return count;
}

enum base_status lease_checkpoint(struct lease_lessor *lessor, int64_t id, int64_t remaining_s)
{
    struct lease *lease = lease_find(lessor, id);
    if (!lease) {
        return BASE_LEASE_NOT_FOUND;
    }
    if (remaining_s < 0 || remaining_s > lease->ttl_s) {
        return BASE_INVALID;
    }
    lease->remaining_s = remaining_s;
    if (remaining_s == 0) {
        lease->has_checkpoint_out = false;
    }
    return BASE_OK;
}
