/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bench/judged.h"

enum { CLUSTER_ID = 1 };

static void on_role(void *context, enum raft_role role, raft_term term, raft_id leader)
{
    const struct bench_judged *judged = context;
    check_role(judged->check, *judged->now_ns, judged->number, role, term, leader);
}

static void on_vote(void *context, raft_term term, raft_id vote)
{
    const struct bench_judged *judged = context;
    check_vote(judged->check, *judged->now_ns, judged->number, term, vote);
}

static void on_append(void *context, const struct raft_entry *entry)
{
    const struct bench_judged *judged = context;
    check_append(judged->check, *judged->now_ns, judged->number, entry);
}

static void on_truncate(void *context, raft_index index)
{
    const struct bench_judged *judged = context;
    check_truncate(judged->check, *judged->now_ns, judged->number, index);
}

static void on_commit(void *context, raft_index index)
{
    const struct bench_judged *judged = context;
    check_commit(judged->check, *judged->now_ns, judged->number, index);
}

static void on_configuration(void *context, const struct raft_conf_state *configuration)
{
    const struct bench_judged *judged = context;
    check_configuration(judged->check, *judged->now_ns, judged->number, configuration);
}

static void on_match(void *context, raft_id peer, raft_index match)
{
    const struct bench_judged *judged = context;
    check_match(judged->check, *judged->now_ns, judged->number, peer, match);
}

void bench_judged_init(struct bench_judged *judged, struct check *check, const uint64_t *now_ns,
                       uint32_t number)
{
    *judged = (struct bench_judged){.check = check, .now_ns = now_ns, .number = number};
    judged->observer = (struct raft_observer){
        .context = judged,
        .role = on_role,
        .vote = on_vote,
        .append = on_append,
        .truncate = on_truncate,
        .commit = on_commit,
        .configuration = on_configuration,
        .match = on_match,
    };
    check_start(check, *now_ns, number, 1);
    check_identity(check, *now_ns, number, CLUSTER_ID, number);
}

void bench_judged_applied(const struct bench_judged *judged, const struct raft_entry *entry)
{
    check_apply(judged->check, *judged->now_ns, judged->number, entry, NULL, BASE_OK, 1);
}
