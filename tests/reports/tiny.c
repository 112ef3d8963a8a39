/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/reports/tiny.h"

#include "core/wire/wire.h"

#include <assert.h>

static char sentence[] = "m1 leads term 1, \"and\" so does m2 </script>";
static char drawn_text[] = "members=2";

void tiny_init(struct tiny *tiny)
{
    *tiny = (struct tiny){
        .scenario = {.file = "tiny.lua", .line = 1, .name = "tiny & <small>"},
        .outcome = {.verdict = SCRIPT_VIOLATED,
                    .violation = {.judge = CHECK_ELECTION, .time_ns = 5000000123, .machine = 2},
                    .time_ns = 5000000123},
        .drawn = {{"members", "2"}},
        .failure = {.kind = CAMPAIGN_VIOLATED,
                    .seed = 7,
                    .judge = CHECK_ELECTION,
                    .time_ns = 5000000123,
                    .sentence = sentence,
                    .drawn = drawn_text},
    };
    tiny->outcome.drawn = tiny->drawn;
    tiny->outcome.drawn_count = 1;
    tiny->run = (struct report_run){.plan = &tiny->plan,
                                    .scenario = &tiny->scenario,
                                    .outcome = &tiny->outcome,
                                    .failure = &tiny->failure,
                                    .seed = 7};
}

static const struct told {
    uint64_t time_ns;
    enum sim_event_kind kind;
    uint32_t machine;
    uint64_t fields[SIM_FIELDS_MAX];
    const char *text;
} tale[] = {
    {0, SIM_EVENT_WORLD, 0, {2, 7}, ""},
    {0, SIM_EVENT_START, 1, {0}, ""},
    {0, SIM_EVENT_START, 2, {0}, ""},
    {1000, SIM_EVENT_IDENTITY, 1, {0xc1, 0xfedcba9876543210}, ""},
    {1000, SIM_EVENT_IDENTITY, 2, {0xc1, 0xa2}, ""},
    {1001, SIM_EVENT_ROLE, 1, {RAFT_FOLLOWER, 0, 0}, ""},
    {1002, SIM_EVENT_ROLE, 2, {RAFT_FOLLOWER, 0, 0}, ""},
    {1000000000, SIM_EVENT_ROLE, 1, {RAFT_CANDIDATE, 1, 0}, ""},
    {1000000000, SIM_EVENT_VOTE, 1, {1, 0xfedcba9876543210}, ""},
    {1000000000, SIM_EVENT_SEND, 1, {2, RAFT_MSG_VOTE, 1, 0, 0}, ""},
    {1000500000, SIM_EVENT_RECEIVE, 2, {1, RAFT_MSG_VOTE, 1, 0, 0}, ""},
    {1000500000, SIM_EVENT_SEND, 2, {1, RAFT_MSG_VOTE_RESP, 1, 0, 0}, ""},
    {1000500000, SIM_EVENT_LOSE, 2, {1, WIRE_RAFT}, ""},
    {1001000000, SIM_EVENT_ROLE, 1, {RAFT_LEADER, 1, 0xfedcba9876543210}, ""},
    {2000000000, SIM_EVENT_INVOKE, 65, {1, WIRE_KV, 0xbeef, 2000000001}, ""},
    {2000000000, SIM_EVENT_SEND_STREAM, 65, {1, WIRE_REQUEST}, ""},
    {2000700000, SIM_EVENT_RECEIVE_STREAM, 1, {65, WIRE_REQUEST}, ""},
    {2001000000, SIM_EVENT_INVOKE, 65, {2, WIRE_LEASE_GRANT, 0, 2001000001}, ""},
    {2002000000, SIM_EVENT_RETURN, 65, {1, BASE_OK, 0, 2, 2002000001}, ""},
    {3000000000, SIM_EVENT_NOTE, 0, {0}, "a \"word\" with \x01 and \xff in it"},
    {3000000000, SIM_EVENT_CUT, 0, {1, 2}, ""},
    {3000000000, SIM_EVENT_PAUSE, 2, {0}, ""},
    {3500000000, SIM_EVENT_COMMIT, 1, {1}, ""},
    {3600000000, SIM_EVENT_RESUME, 2, {0}, ""},
    {4000000000, SIM_EVENT_CRASH, 1, {1}, ""},
    {4500000000, SIM_EVENT_HEAL, 0, {1, 2}, ""},
    {5000000123, SIM_EVENT_ROLE, 2, {RAFT_LEADER, 1, 0xa2}, ""},
};

void tiny_tell(struct sim_sink *sink)
{
    static_assert(sizeof tale / sizeof tale[0] == TINY_EVENTS, "all of them are counted");
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 7);
    sim_recorder_add(&recorder, sink);
    for (size_t i = 0; i < TINY_EVENTS; i++) {
        sim_record(&recorder, tale[i].time_ns, tale[i].kind, tale[i].machine, tale[i].fields,
                   base_bytes_of(tale[i].text));
    }
}
