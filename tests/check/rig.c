/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check/rig.h"

raft_id rig_id(uint32_t member)
{
    return 100 + member;
}

struct check_options rig_options(void)
{
    return (struct check_options){.members = RIG_MEMBERS,
                                  .heartbeat_ns = RIG_SECOND / 10,
                                  .election_ns = RIG_SECOND,
                                  .tick_ns = RIG_SECOND / 10};
}

void rig_init_with(struct rig *rig, const struct check_options *options)
{
    *rig = (struct rig){.check = check_new(), .now = RIG_SECOND, .revision = 1};
    check_reset(rig->check, options);
    struct raft_conf_state configuration = {.voters = {.count = RIG_MEMBERS}};
    for (uint32_t i = 0; i < RIG_MEMBERS; i++) {
        configuration.voters.ids[i] = rig_id(i + 1);
    }
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        struct raft_status_report report = {.id = rig_id(member)};
        check_start(rig->check, rig->now, member, 1);
        check_identity(rig->check, rig->now, member, RIG_CLUSTER, rig_id(member));
        check_restarted(rig->check, rig->now, member, &report);
        check_configuration(rig->check, rig->now, member, &configuration);
    }
}

void rig_init(struct rig *rig)
{
    struct check_options options = rig_options();
    rig_init_with(rig, &options);
}

void rig_release(struct rig *rig)
{
    check_free(rig->check);
}

void rig_wait(struct rig *rig, uint64_t duration_ns)
{
    rig->now += duration_ns;
}

void rig_hard_state(struct rig *rig, uint32_t member, raft_term term, uint32_t vote)
{
    raft_id id = vote ? rig_id(vote) : RAFT_NONE;
    struct disk_tag tag = {.record = DISK_HARD_STATE, .term = term, .vote = id};
    check_vote(rig->check, rig->now, member, term, id);
    check_written(rig->check, rig->now, member, &tag);
    check_durable(rig->check, rig->now, member, &tag);
}

void rig_lead(struct rig *rig, uint32_t member, raft_term term)
{
    check_role(rig->check, rig->now, member, RAFT_CANDIDATE, term, RAFT_NONE);
    rig_hard_state(rig, member, term, member);
    check_role(rig->check, rig->now, member, RAFT_LEADER, term, rig_id(member));
    for (uint32_t other = 1; other <= RIG_MEMBERS && member == 1; other++) {
        if (other != member) {
            rig_hard_state(rig, other, term, member);
        }
    }
    rig->term = term;
}

void rig_append(struct rig *rig, uint32_t member, raft_index index, raft_term term, const char *data)
{
    struct base_bytes bytes = base_bytes_of(data);
    struct raft_entry entry = {.term = term, .index = index, .data = bytes.data, .size = (uint32_t)bytes.size};
    check_append(rig->check, rig->now, member, &entry);
}

void rig_durable(struct rig *rig, uint32_t member, raft_index first, raft_index last, raft_term term)
{
    struct disk_tag tag = {.record = DISK_ENTRY, .first_index = first, .last_index = last, .term = term};
    check_written(rig->check, rig->now, member, &tag);
    check_durable(rig->check, rig->now, member, &tag);
}

void rig_send(struct rig *rig, uint32_t member, uint32_t to, const struct raft_message *message)
{
    struct wire_message wire = {
        .kind = WIRE_RAFT, .cluster_id = RIG_CLUSTER, .from = rig_id(member), .to = rig_id(to), .raft = *message};
    wire.raft.from = rig_id(member);
    wire.raft.to = rig_id(to);
    check_send(rig->check, rig->now, member, to, &wire);
}

void rig_restart(struct rig *rig, uint32_t member, bool power, const struct raft_status_report *report)
{
    check_down(rig->check, rig->now, member, power);
    rig_wait(rig, RIG_SECOND);
    check_start(rig->check, rig->now, member, 2);
    check_identity(rig->check, rig->now, member, RIG_CLUSTER, rig_id(member));
    check_restarted(rig->check, rig->now, member, report);
}

void rig_apply(struct rig *rig, uint32_t member, raft_index index, raft_term term, const char *data,
               const struct wire_request *request, enum base_status status, int64_t revision)
{
    struct base_bytes bytes = base_bytes_of(data);
    struct raft_entry entry = {.term = term, .index = index, .data = bytes.data, .size = (uint32_t)bytes.size};
    struct wire_proposal proposal = {.id = index, .proposer = rig_id(1), .term = term};
    if (request) {
        proposal.request = *request;
    }
    check_apply(rig->check, rig->now, member, &entry, request ? &proposal : NULL, status, revision);
}

void rig_change(struct rig *rig, uint32_t member, const char *key, const char *value, int64_t revision,
                int64_t create, int64_t version, int64_t lease)
{
    struct kv_event event = {.is_delete = !value,
                             .record = {.key = base_bytes_of(key),
                                        .value = value ? base_bytes_of(value) : (struct base_bytes){0},
                                        .mod_revision = revision,
                                        .create_revision = create,
                                        .version = version,
                                        .lease = lease}};
    check_change(rig->check, rig->now, member, &event, 0);
}

raft_index rig_commit(struct rig *rig, const char *data)
{
    raft_index index = ++rig->index;
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_append(rig, member, index, rig->term, data);
        rig_durable(rig, member, index, index, rig->term);
    }
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        check_commit(rig->check, rig->now, member, index);
    }
    return index;
}

void rig_effect(struct rig *rig, const struct wire_request *request)
{
    raft_index index = rig_commit(rig, "effect");
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_apply(rig, member, index, rig->term, "effect", request, BASE_OK, rig->revision);
    }
}

void rig_put(struct rig *rig, const char *key, const char *value, int64_t create, int64_t version)
{
    struct wire_request request = rig_put_request(key, value);
    raft_index index = rig_commit(rig, value);
    rig->revision++;
    for (uint32_t member = 1; member <= RIG_MEMBERS; member++) {
        rig_change(rig, member, key, value, rig->revision, create ? create : rig->revision, version, 0);
        rig_apply(rig, member, index, rig->term, value, &request, BASE_OK, rig->revision);
    }
}

struct wire_request rig_put_request(const char *key, const char *value)
{
    return (struct wire_request){
        .kind = WIRE_KV, .op = {.kind = KV_PUT, .key = base_bytes_of(key), .value = base_bytes_of(value)}};
}

struct wire_request rig_get_request(const char *key)
{
    return (struct wire_request){.kind = WIRE_KV, .op = {.kind = KV_RANGE, .key = base_bytes_of(key)}};
}

uint64_t rig_invoke(struct rig *rig, uint32_t client, const struct wire_request *request)
{
    check_invoke(rig->check, rig->now, client, ++rig->call, request);
    return rig->call;
}

void rig_return_put(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request,
                    int64_t revision)
{
    struct wire_response response = {.cluster_id = RIG_CLUSTER,
                                     .member_id = rig_id(1),
                                     .revision = revision,
                                     .result = {.kind = KV_PUT}};
    check_return(rig->check, rig->now, client, call, request, &response, false);
}

void rig_return_get(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request,
                    int64_t revision, const char *value, int64_t mod, int64_t version)
{
    struct kv_record record = {.key = request->op.key,
                               .value = value ? base_bytes_of(value) : (struct base_bytes){0},
                               .create_revision = mod - version + 1,
                               .mod_revision = mod,
                               .version = version};
    struct wire_response response = {.cluster_id = RIG_CLUSTER,
                                     .member_id = rig_id(1),
                                     .revision = revision,
                                     .result = {.kind = KV_RANGE,
                                                .count = value ? 1 : 0,
                                                .record_count = value ? 1 : 0,
                                                .records = &record}};
    check_return(rig->check, rig->now, client, call, request, &response, false);
}

void rig_return_unknown(struct rig *rig, uint32_t client, uint64_t call, const struct wire_request *request)
{
    struct wire_response response = {.status = BASE_TIMEOUT};
    check_return(rig->check, rig->now, client, call, request, &response, true);
}

enum check_judge rig_verdict(const struct rig *rig)
{
    const struct check_violation *first = check_first(rig->check);
    return first ? first->judge : CHECK_COUNT;
}

const char *rig_sentence(const struct rig *rig)
{
    const struct check_violation *first = check_first(rig->check);
    return first ? first->sentence : "nothing";
}
