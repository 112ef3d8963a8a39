/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/status.h"
#include "core/raft/types.h"
#include "core/wire/wire.h"
#include "sim/event_text.h"
#include "sim/record.h"

#include <criterion/criterion.h>

static const uint64_t none[SIM_FIELDS_MAX] = {0};

/* The digest after one event that differs from a plain one in what is given. */
static uint64_t digest_of(uint64_t time_ns, enum sim_event_kind kind, uint32_t machine,
                          const uint64_t *fields, const char *text)
{
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 1);
    sim_record(&recorder, time_ns, kind, machine, fields, base_bytes_of(text));
    return recorder.digest[0] ^ recorder.digest[1];
}

Test(sim_record, every_field_counts)
{
    uint64_t plain = digest_of(0, SIM_EVENT_SEND, 0, none, "");
    for (uint32_t bit = 0; bit < 64; bit++) {
        cr_assert_neq(plain, digest_of(UINT64_C(1) << bit, SIM_EVENT_SEND, 0, none, ""));
        for (uint32_t i = 0; i < SIM_FIELDS_MAX; i++) {
            uint64_t fields[SIM_FIELDS_MAX] = {0};
            fields[i] = UINT64_C(1) << bit;
            cr_assert_neq(plain, digest_of(0, SIM_EVENT_SEND, 0, fields, ""));
        }
    }
    cr_assert_neq(plain, digest_of(0, SIM_EVENT_RECEIVE, 0, none, ""));
    cr_assert_neq(plain, digest_of(0, SIM_EVENT_SEND, 1, none, ""));
    cr_assert_neq(plain, digest_of(0, SIM_EVENT_SEND, 0, none, "x"));
}

Test(sim_record, the_place_of_a_value_counts)
{
    for (uint32_t a = 0; a < SIM_FIELDS_MAX; a++) {
        for (uint32_t b = a + 1; b < SIM_FIELDS_MAX; b++) {
            uint64_t left[SIM_FIELDS_MAX] = {0};
            uint64_t right[SIM_FIELDS_MAX] = {0};
            left[a] = 77;
            right[b] = 77;
            cr_assert_neq(digest_of(0, SIM_EVENT_SEND, 0, left, ""),
                          digest_of(0, SIM_EVENT_SEND, 0, right, ""));
        }
    }
}

Test(sim_record, every_byte_of_a_text_counts)
{
    const char *texts[] = {"a",   "b", "ab", "ba", "abcdefgh", "abcdefghi", "abcdefgi", "abcdefghabcdefgh",
                           "\x01"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t k = 0; k < i; k++) {
            cr_assert_neq(digest_of(0, SIM_EVENT_NOTE, 0, none, texts[i]),
                          digest_of(0, SIM_EVENT_NOTE, 0, none, texts[k]));
        }
    }
}

Test(sim_record, order_and_seed_count)
{
    uint64_t one[] = {1};
    uint64_t two[] = {2};
    struct sim_recorder a;
    struct sim_recorder b;
    struct sim_recorder other;
    sim_recorder_init(&a, 1);
    sim_recorder_init(&b, 1);
    sim_recorder_init(&other, 2);
    sim_record(&a, 0, SIM_EVENT_COMMIT, 1, one, (struct base_bytes){0});
    sim_record(&a, 0, SIM_EVENT_COMMIT, 1, two, (struct base_bytes){0});
    sim_record(&b, 0, SIM_EVENT_COMMIT, 1, two, (struct base_bytes){0});
    sim_record(&b, 0, SIM_EVENT_COMMIT, 1, one, (struct base_bytes){0});
    sim_record(&other, 0, SIM_EVENT_COMMIT, 1, one, (struct base_bytes){0});
    sim_record(&other, 0, SIM_EVENT_COMMIT, 1, two, (struct base_bytes){0});
    char text[3][33];
    sim_recorder_digest(&a, text[0]);
    sim_recorder_digest(&b, text[1]);
    sim_recorder_digest(&other, text[2]);
    cr_assert_eq(strlen(text[0]), 32);
    cr_assert_str_neq(text[0], text[1]);
    cr_assert_str_neq(text[0], text[2]);
}

/* The digest is part of what a seed means: it may not change unnoticed. */
Test(sim_record, the_digest_is_the_same_on_every_machine)
{
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 42);
    uint64_t fields[] = {1, 2, 3, 4, 5};
    for (uint32_t kind = 0; kind < 4; kind++) {
        sim_record(&recorder, kind * 1000, (enum sim_event_kind)kind, kind, fields,
                   base_bytes_of("text of it"));
    }
    char text[33];
    sim_recorder_digest(&recorder, text);
    cr_assert_str_eq(text, "8e26a42f03f98fb86e7f6415dd2cf316");
}

struct told {
    uint32_t count;
    struct sim_event last;
};

static void tell(void *context, const struct sim_event *event)
{
    struct told *told = context;
    told->count++;
    told->last = *event;
}

Test(sim_record, every_sink_is_told)
{
    struct told told[2] = {{0}};
    struct sim_sink sinks[2] = {{.context = &told[0], .event = tell}, {.context = &told[1], .event = tell}};
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 1);
    uint64_t fields[] = {9};
    sim_record(&recorder, 5, SIM_EVENT_COMMIT, 3, fields, (struct base_bytes){0});
    sim_recorder_add(&recorder, &sinks[0]);
    sim_recorder_add(&recorder, &sinks[1]);
    sim_record(&recorder, 6, SIM_EVENT_COMMIT, 4, fields, (struct base_bytes){0});
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert_eq(told[i].count, 1);
        cr_assert_eq(told[i].last.number, 2);
        cr_assert_eq(told[i].last.time_ns, 6);
        cr_assert_eq(told[i].last.machine, 4);
        cr_assert_eq(told[i].last.fields[0], 9);
    }
}

static uint32_t number_of(void *context, uint64_t id)
{
    (void)context;
    return id == 0xabc ? 2 : 0;
}

static void assert_prints(enum sim_event_kind kind, const uint64_t fields[SIM_FIELDS_MAX], const char *text,
                          const char *expected)
{
    struct sim_recorder recorder = {.number_of = number_of};
    struct sim_event event = {.kind = kind, .text = base_bytes_of(text)};
    memcpy(event.fields, fields, sizeof event.fields);
    char line[200];
    size_t length = sim_event_print(&recorder, &event, line, sizeof line);
    cr_assert_str_eq(line, expected);
    cr_assert_eq(length, strlen(expected));
}

Test(sim_event_text, a_line_says_it_in_words)
{
    assert_prints(SIM_EVENT_ROLE, (uint64_t[5]){RAFT_LEADER, 3, 0xabc}, "", "role leader term 3 leader m2");
    assert_prints(SIM_EVENT_ROLE, (uint64_t[5]){RAFT_PRE_CANDIDATE, 3, 0}, "",
                  "role pre-candidate term 3 leader none");
    assert_prints(SIM_EVENT_VOTE, (uint64_t[5]){3, 0xdef}, "", "vote term 3 vote def");
    assert_prints(SIM_EVENT_SEND, (uint64_t[5]){2, RAFT_MSG_APP, 3, 7, 6}, "",
                  "send to m2 MsgApp term 3 index 7 commit 6");
    assert_prints(SIM_EVENT_APPLY, (uint64_t[5]){7, 3, BASE_LEASE_NOT_FOUND, 9}, "",
                  "apply index 7 term 3 lease not found revision 9");
    assert_prints(SIM_EVENT_NOTE, none, "hello\n", "note: hello\\x0a");
    assert_prints(SIM_EVENT_SEND, (uint64_t[5]){0, 99, 0, 0, 0}, "",
                  "send to none ?99 term 0 index 0 commit 0");
}

Test(sim_event_text, every_kind_can_be_printed)
{
    struct sim_recorder recorder = {0};
    for (uint32_t kind = 0; kind < SIM_EVENT_COUNT; kind++) {
        struct sim_event event = {.kind = (enum sim_event_kind)kind, .fields = {1, 1, 1, 1, 1}};
        char line[200];
        cr_assert_lt(sim_event_print(&recorder, &event, line, sizeof line), sizeof line);
        cr_assert_null(strchr(line, '?'));
    }
    for (uint32_t type = 0; type < RAFT_MSG_COUNT; type++) {
        cr_assert_eq(strncmp(sim_message_text((enum raft_message_type)type), "Msg", 3), 0);
    }
    cr_assert_str_eq(sim_message_text(RAFT_MSG_FORGET_LEADER), "MsgForgetLeader");
    cr_assert_str_eq(sim_message_text(RAFT_MSG_PRE_VOTE), "MsgPreVote");
    cr_assert_str_eq(sim_role_text(RAFT_CANDIDATE), "candidate");
}

Test(sim_event_text, a_short_buffer_is_not_overrun)
{
    struct sim_recorder recorder = {0};
    struct sim_event event = {.kind = SIM_EVENT_COMMIT, .fields = {123}};
    char line[10] = "zzzzzzzzz";
    cr_assert_eq(sim_event_print(&recorder, &event, line, 7), strlen("commit index 123"));
    cr_assert_str_eq(line, "commit");
    cr_assert_eq(line[7], 'z');
    cr_assert_eq(sim_event_print(&recorder, &event, NULL, 0), strlen("commit index 123"));
}
