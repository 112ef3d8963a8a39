/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))
#define LEASE INT64_C(7)
#define TTL_S INT64_C(10)

static const struct wire_request grant = {.kind = WIRE_LEASE_GRANT, .lease = LEASE, .ttl_s = TTL_S};
static const struct wire_request revoke = {.kind = WIRE_LEASE_REVOKE, .lease = LEASE};
static const struct wire_request keepalive = {.kind = WIRE_LEASE_KEEPALIVE, .lease = LEASE};

static void answer(struct rig *rig, uint64_t call, const struct wire_request *request, int64_t ttl_s,
                   enum base_status status)
{
    struct wire_response response = {.status = status,
                                     .cluster_id = RIG_CLUSTER,
                                     .member_id = rig_id(1),
                                     .revision = 1,
                                     .lease = LEASE,
                                     .ttl_s = ttl_s};
    check_return(rig->check, rig->now, 11, call, request, &response, false);
}

/* A new leader's first entry is applied. */
static void promote(struct rig *rig, uint32_t member, raft_term term)
{
    static const struct wire_request nothing = {.kind = WIRE_MEMBER_PUBLISH};
    rig_effect(rig, &nothing);
    check_promote(rig->check, rig->now, member, term, 1);
}

/* Member 1 is primary since 1 s; the lease was granted by a call of 2 s. */
static void begin_with(struct rig *rig, const struct check_options *options)
{
    rig_init_with(rig, options);
    rig_lead(rig, 1, 5);
    promote(rig, 1, 5);
    rig_wait(rig, RIG_SECOND);
    uint64_t call = rig_invoke(rig, 11, &grant);
    rig_wait(rig, RIG_SECOND / 2);
    rig_effect(rig, &grant);
    answer(rig, call, &grant, TTL_S, BASE_OK);
}

static void begin(struct rig *rig)
{
    struct check_options options = rig_options();
    begin_with(rig, &options);
}

static void renew(struct rig *rig)
{
    uint64_t call = rig_invoke(rig, 11, &keepalive);
    check_renew(rig->check, rig->now, 1, LEASE, TTL_S);
    answer(rig, call, &keepalive, TTL_S, BASE_OK);
}

Test(check_lease, gone_too_soon)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 9 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

Test(check_lease, gone_in_time)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 10 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    cr_assert_eq(check_lease_margin(rig.check), (int64_t)(RIG_SECOND / 2));
    rig_release(&rig);
}

Test(check_lease, gone_because_a_client_asked)
{
    struct rig rig;
    begin(&rig);
    (void)rig_invoke(&rig, 12, &revoke);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    cr_assert_eq(check_lease_margin(rig.check), INT64_MAX);
    rig_release(&rig);
}

Test(check_lease, gone_too_soon_after_a_renewal)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 5 * RIG_SECOND);
    renew(&rig);
    rig_wait(&rig, 9 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

/* A new leader extends each by an election: gone since, but not by its reckoning. */
Test(check_lease, gone_too_soon_after_a_promotion)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 9 * RIG_SECOND);
    promote(&rig, 2, 6);
    rig_wait(&rig, 10 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

Test(check_lease, gone_in_time_after_a_promotion)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 9 * RIG_SECOND);
    promote(&rig, 2, 6);
    rig_wait(&rig, 11 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A renewal after a promotion sets a term of its own, which may end sooner. */
Test(check_lease, renewed_since_the_promotion)
{
    struct rig rig;
    begin(&rig);
    promote(&rig, 1, 6);
    rig_wait(&rig, RIG_SECOND / 10);
    renew(&rig);
    rig_wait(&rig, 10 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* Granted by a later entry than the one it was promoted by, but applied sooner by
 * somebody else: it was never extended. */
Test(check_lease, granted_while_the_leader_lags)
{
    struct rig rig;
    begin(&rig);
    raft_index index = rig_commit(&rig, "other");
    struct wire_request other = {.kind = WIRE_LEASE_GRANT, .lease = 8, .ttl_s = TTL_S};
    rig_apply(&rig, 2, index, 5, "other", &other, BASE_OK, 1);
    rig_wait(&rig, RIG_SECOND / 10);
    check_promote(rig.check, rig.now, 1, 6, 1);
    rig_apply(&rig, 1, index, 5, "other", &other, BASE_OK, 1);
    rig_apply(&rig, 3, index, 5, "other", &other, BASE_OK, 1);
    rig_wait(&rig, 10 * RIG_SECOND);
    rig_effect(&rig, &(struct wire_request){.kind = WIRE_LEASE_REVOKE, .lease = 8});
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A tenth fast, ten of its seconds pass in nine and a bit. */
Test(check_lease, drift_is_allowed_for)
{
    struct rig rig;
    struct check_options options = rig_options();
    options.drift_ppm = 100000;
    begin_with(&rig, &options);
    rig_wait(&rig, 9 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_lease, renewed_after_it_was_gone)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 20 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    rig_wait(&rig, RIG_SECOND);
    renew(&rig);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

Test(check_lease, denied_while_it_is_promised)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, RIG_SECOND);
    uint64_t call = rig_invoke(&rig, 11, &keepalive);
    answer(&rig, call, &keepalive, 0, BASE_LEASE_NOT_FOUND);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

/* What clients renew without a call is overheard. */
Test(check_lease, overheard_renewal_counts)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 5 * RIG_SECOND);
    struct wire_message ask = {.kind = WIRE_REQUEST, .request = keepalive};
    ask.request.id = 99;
    check_receive(rig.check, rig.now, 2, 11, &ask);
    struct wire_message reply = {.kind = WIRE_RESPONSE,
                                 .cluster_id = RIG_CLUSTER,
                                 .response = {.id = 99, .lease = LEASE, .ttl_s = TTL_S}};
    check_send(rig.check, rig.now, 2, 11, &reply);
    rig_wait(&rig, 9 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

/* Revision 2: a key with the lease. */
static void attach(struct rig *rig)
{
    struct wire_request put = rig_put_request("k", "v");
    put.op.lease = LEASE;
    (void)rig_invoke(rig, 11, &put);
    raft_index index = rig_commit(rig, "put");
    rig->revision++;
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_change(rig, member, "k", "v", 2, 2, 1, LEASE);
        rig_apply(rig, member, index, rig->term, "put", &put, BASE_OK, 2);
    }
}

Test(check_lease, goes_with_its_keys)
{
    struct rig rig;
    begin(&rig);
    attach(&rig);
    rig_wait(&rig, 12 * RIG_SECOND);
    raft_index index = rig_commit(&rig, "revoke");
    rig_change(&rig, 1, "k", NULL, 3, 0, 0, 0);
    rig_apply(&rig, 1, index, rig.term, "revoke", &revoke, BASE_OK, 3);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_lease, goes_without_its_keys)
{
    struct rig rig;
    begin(&rig);
    attach(&rig);
    rig_wait(&rig, 12 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

Test(check_lease, key_with_a_lease_that_is_gone)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 12 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    attach(&rig);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

static void work(struct rig *rig, uint32_t seconds)
{
    struct wire_request other = {.kind = WIRE_MEMBER_PUBLISH};
    for (uint32_t half = 0; half < 2 * seconds; half++) {
        rig_wait(rig, RIG_SECOND / 2);
        rig_effect(rig, &other);
    }
}

Test(check_lease, never_goes_though_the_leader_works)
{
    struct rig rig;
    begin(&rig);
    work(&rig, 60);
    EXPECT(CHECK_LEASE);
    rig_release(&rig);
}

Test(check_lease, cannot_go_while_nobody_leads)
{
    struct rig rig;
    begin(&rig);
    rig_wait(&rig, 3600 * RIG_SECOND);
    rig_effect(&rig, &revoke);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_lease, stays_while_it_is_renewed)
{
    struct rig rig;
    begin(&rig);
    for (uint32_t round = 0; round < 20; round++) {
        work(&rig, 5);
        renew(&rig);
    }
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_lock, two_holders)
{
    struct rig rig;
    rig_init(&rig);
    check_lock_acquired(rig.check, rig.now, 11, base_bytes_of("door"), 0);
    check_lock_acquired(rig.check, rig.now, 12, base_bytes_of("door"), 0);
    EXPECT(CHECK_LOCK);
    rig_release(&rig);
}

Test(check_lock, one_after_the_other)
{
    struct rig rig;
    rig_init(&rig);
    check_lock_acquired(rig.check, rig.now, 11, base_bytes_of("door"), 0);
    check_lock_acquired(rig.check, rig.now, 12, base_bytes_of("window"), 0);
    check_lock_released(rig.check, rig.now, 11, base_bytes_of("door"));
    check_lock_acquired(rig.check, rig.now, 12, base_bytes_of("door"), 0);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

/* A token that is not above the last one lets an old holder through. */
Test(check_lock, tokens_rise)
{
    struct rig rig;
    rig_init(&rig);
    check_lock_acquired(rig.check, rig.now, 11, base_bytes_of("door"), 9);
    check_lock_released(rig.check, rig.now, 11, base_bytes_of("door"));
    check_lock_acquired(rig.check, rig.now, 12, base_bytes_of("door"), 9);
    EXPECT(CHECK_LOCK);
    rig_release(&rig);
}
