/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

#include <criterion/criterion.h>

#define EXPECT(judge) cr_assert_eq(rig_verdict(&rig), judge, "said: %s", rig_sentence(&rig))

enum { CLIENT = 11, WATCH = 1 };

/* An attempt to create it, and its answer; `known` is the member's revision. */
static void attempt(struct rig *rig, uint64_t id, const char *key, const char *end, int64_t revision,
                    int64_t known)
{
    struct wire_message ask = {.kind = WIRE_REQUEST,
                               .request = {.id = id,
                                           .kind = WIRE_WATCH_CREATE,
                                           .watch = WATCH,
                                           .revision = revision,
                                           .op = {.key = base_bytes_of(key),
                                                  .range_end = base_bytes_of(end)}}};
    struct wire_message reply = {.kind = WIRE_RESPONSE,
                                 .cluster_id = RIG_CLUSTER,
                                 .response = {.id = id, .revision = known}};
    check_receive(rig->check, rig->now, 1, CLIENT, &ask);
    check_send(rig->check, rig->now, 1, CLIENT, &reply);
}

static void create(struct rig *rig, const char *key, const char *end, int64_t revision)
{
    attempt(rig, 50, key, end, revision, rig->revision);
}

/* Puts k at 2 and 4, m at 3. */
static void begin(struct rig *rig)
{
    rig_init(rig);
    rig_lead(rig, 1, 5);
    rig_put(rig, "k", "v1", 0, 1);
    rig_put(rig, "m", "x", 0, 1);
    rig_put(rig, "k", "v2", 2, 2);
}

static struct kv_event event(const char *key, const char *value, int64_t mod, int64_t create_revision,
                             int64_t version)
{
    return (struct kv_event){.record = {.key = base_bytes_of(key),
                                        .value = base_bytes_of(value),
                                        .mod_revision = mod,
                                        .create_revision = create_revision,
                                        .version = version}};
}

static void deliver(struct rig *rig, const struct kv_event *events, uint32_t count, int64_t revision,
                    bool fragment)
{
    struct wire_watch batch = {
        .watch = WATCH, .revision = revision, .fragment = fragment, .event_count = count, .events = events};
    check_watched(rig->check, rig->now, CLIENT, WATCH, &batch);
}

Test(check_watch, all_of_its_range_in_order)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "l", 1);
    struct kv_event events[] = {event("k", "v1", 2, 2, 1), event("k", "v2", 4, 2, 2)};
    deliver(&rig, events, 2, 4, false);
    deliver(&rig, NULL, 0, 4, false);
    EXPECT(CHECK_COUNT);
    cr_assert_gt(check_armed(rig.check, CHECK_WATCH), 0);
    rig_release(&rig);
}

/* Tried again at a member that lags behind, while the first attempt is still answered. */
Test(check_watch, an_attempt_that_was_given_up_says_nothing)
{
    struct rig rig;
    begin(&rig);
    attempt(&rig, 51, "k", "", 0, 1);
    attempt(&rig, 50, "k", "", 0, rig.revision);
    struct kv_event events[] = {event("k", "v1", 2, 2, 1), event("k", "v2", 4, 2, 2)};
    deliver(&rig, events, 2, 4, false);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_watch, leaves_out_a_change)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event second = event("k", "v2", 4, 2, 2);
    deliver(&rig, &second, 1, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

Test(check_watch, begins_with_what_comes_next)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 0);
    rig_put(&rig, "k", "v3", 2, 3);
    struct kv_event third = event("k", "v3", 5, 2, 3);
    deliver(&rig, &third, 1, 5, false);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_watch, gets_an_old_change_again)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 0);
    struct kv_event second = event("k", "v2", 4, 2, 2);
    deliver(&rig, &second, 1, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

Test(check_watch, gets_a_change_twice)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event first = event("k", "v1", 2, 2, 1);
    deliver(&rig, &first, 1, 4, false);
    deliver(&rig, &first, 1, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

Test(check_watch, gets_what_was_never_put)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event first = event("k", "other", 2, 2, 1);
    deliver(&rig, &first, 1, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

Test(check_watch, progress_past_a_change_it_never_got)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event first = event("k", "v1", 2, 2, 1);
    deliver(&rig, &first, 1, 4, false);
    deliver(&rig, NULL, 0, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

/* Also when the notice is all it ever got; and where it may go on from then. */
Test(check_watch, a_notice_comes_first)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "n", "", 1);
    deliver(&rig, NULL, 0, 4, false);
    attempt(&rig, 51, "n", "", 5, rig.revision);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
    begin(&rig);
    create(&rig, "k", "", 1);
    deliver(&rig, NULL, 0, 4, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

static void put_two(struct rig *rig)
{
    struct kv_event pair[] = {event("k1", "v", 2, 2, 1), event("k2", "v", 2, 2, 1)};
    rig_init(rig);
    rig_lead(rig, 1, 5);
    raft_index index = rig_commit(rig, "pair");
    check_change(rig->check, rig->now, 1, &pair[0], 0);
    check_change(rig->check, rig->now, 1, &pair[1], 1);
    rig_apply(rig, 1, index, 5, "pair", NULL, BASE_OK, 2);
    create(rig, "k", "l", 1);
}

Test(check_watch, part_of_a_revision)
{
    struct rig rig;
    put_two(&rig);
    struct kv_event first = event("k1", "v", 2, 2, 1);
    deliver(&rig, &first, 1, 2, false);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

Test(check_watch, part_of_a_revision_as_a_fragment)
{
    struct rig rig;
    put_two(&rig);
    struct kv_event pair[] = {event("k1", "v", 2, 2, 1), event("k2", "v", 2, 2, 1)};
    deliver(&rig, &pair[0], 1, 2, true);
    deliver(&rig, &pair[1], 1, 2, false);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_watch, goes_on_where_it_was)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event first = event("k", "v1", 2, 2, 1);
    deliver(&rig, &first, 1, 2, false);
    create(&rig, "k", "", 3);
    struct kv_event second = event("k", "v2", 4, 2, 2);
    deliver(&rig, &second, 1, 4, false);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_watch, goes_on_beyond_where_it_was)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 1);
    struct kv_event first = event("k", "v1", 2, 2, 1);
    deliver(&rig, &first, 1, 2, false);
    create(&rig, "k", "", 5);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}

static void end(struct rig *rig, int64_t compact_revision)
{
    struct wire_watch batch = {.watch = WATCH,
                               .revision = rig->revision,
                               .compact_revision = compact_revision};
    check_watched(rig->check, rig->now, CLIENT, WATCH, &batch);
}

Test(check_watch, ended_by_a_compaction_past_it)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 2);
    rig_effect(&rig, &(struct wire_request){.kind = WIRE_COMPACT, .revision = 3});
    end(&rig, 3);
    EXPECT(CHECK_COUNT);
    rig_release(&rig);
}

Test(check_watch, ended_by_a_compaction_before_it)
{
    struct rig rig;
    begin(&rig);
    create(&rig, "k", "", 4);
    rig_effect(&rig, &(struct wire_request){.kind = WIRE_COMPACT, .revision = 3});
    end(&rig, 3);
    EXPECT(CHECK_WATCH);
    rig_release(&rig);
}
