/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/check.h"

#include "sim/check/durability.h"
#include "sim/check/log.h"
#include "sim/check/persisted.h"
#include "sim/check/state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct check_info infos[CHECK_COUNT] = {
#define JUDGE(name, text, promise) [CHECK_##name] = {text, promise},
#include "sim/check/judges.def"
#undef JUDGE
};

const struct check_info *check_info(enum check_judge judge)
{
    assert(judge < CHECK_COUNT);
    return &infos[judge];
}

struct check *check_new(void)
{
    struct check *check = check_resize(NULL, 1, sizeof *check);
    *check = (struct check){0};
    return check;
}

void check_free(struct check *check)
{
    if (!check) {
        return;
    }
    for (uint32_t number = 0; number < check->member_capacity; number++) {
        free(check->members[number]);
    }
    free(check->members);
    for (uint32_t slot = 0; slot < check->cluster_capacity && check->clusters[slot]; slot++) {
        check_cluster_free(check->clusters[slot]);
    }
    free(check->clusters);
    check_calls_release(&check->calls);
    check_overheard_release(&check->overheard);
    check_lock_release(&check->lock);
    check_watch_release(&check->watch);
    free(check);
}

void check_reset(struct check *check, const struct check_options *options)
{
    check->options = *options;
    check->is_violated = false;
    check->frozen_ns = 0;
    check->has_disk = false;
    check->has_votes = false;
    memset(check->armed, 0, sizeof check->armed);
    for (uint32_t number = 0; number < check->member_capacity; number++) {
        if (check->members[number]) {
            *check->members[number] = (struct check_member){.number = number};
        }
    }
    check->cluster_count = 0;
    check_calls_reset(&check->calls);
    check_overheard_reset(&check->overheard);
    check_lock_reset(&check->lock);
    check_watch_reset(&check->watch);
}

const struct check_violation *check_first(const struct check *check)
{
    return check->is_violated ? &check->violation : NULL;
}

uint64_t check_armed(const struct check *check, enum check_judge judge)
{
    assert(judge < CHECK_COUNT);
    return check->armed[judge];
}

static bool is_heard(const struct check *check, enum check_judge judge)
{
    assert(judge < CHECK_COUNT);
    return !check->is_violated && (check->options.off >> judge & 1) == 0;
}

static void record(struct check *check, enum check_judge judge, uint64_t now, uint32_t machine,
                   const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

static void record(struct check *check, enum check_judge judge, uint64_t now, uint32_t machine,
                   const char *format, va_list arguments)
{
    check->is_violated = true;
    check->violation.judge = judge;
    check->violation.time_ns = now;
    check->violation.machine = machine;
    (void)vsnprintf(check->violation.sentence, sizeof check->violation.sentence, format, arguments);
    /* Keys and values may be any bytes; a sentence is one line of print. */
    for (char *at = check->violation.sentence; *at; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at == 0x7f) {
            *at = '?';
        }
    }
}

void check_violate(struct check *check, enum check_judge judge, uint64_t time_ns, uint32_t machine,
                   const char *format, ...)
{
    if (!is_heard(check, judge)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    record(check, judge, time_ns, machine, format, arguments);
    va_end(arguments);
}

/* In a lossy world what was synced may be gone. Judges whose findings can follow
 * from that say nothing once it happened; who leads and who votes does not. */
static bool may_be_loss(const struct check *check, const struct check_cluster *cluster,
                        enum check_judge judge)
{
    if (!check->options.is_lossy || judge == CHECK_ELECTION || judge == CHECK_LOCK ||
        judge == CHECK_BOOTSTRAP) {
        return false;
    }
    return judge == CHECK_DURABILITY || judge == CHECK_PERSISTED || judge == CHECK_VOTE || !cluster ||
           cluster->is_damaged;
}

void check_found(struct check *check, struct check_cluster *cluster, enum check_judge judge, uint64_t now,
                 uint32_t machine, const char *format, ...)
{
    if (may_be_loss(check, cluster, judge)) {
        if (cluster) {
            cluster->is_damaged = true;
        }
        return;
    }
    if (!is_heard(check, judge)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    record(check, judge, now, machine, format, arguments);
    va_end(arguments);
}

/* --- what they are told --- */

void check_start(struct check *check, uint64_t now, uint32_t number, uint32_t incarnation)
{
    (void)now;
    struct check_member *member = check_member(check, number);
    check_arm(check, CHECK_ASSERTION);
    member->is_up = true;
    member->incarnation = incarnation;
    member->role = RAFT_FOLLOWER;
    member->term = 0;
    member->voted_term = 0;
    member->voted = RAFT_NONE;
    member->log = (struct check_tip){0};
    member->is_log_known = false;
    member->commit = 0;
    member->applied = 0;
    member->is_applied_known = false;
    member->halves[0].count = 0;
    member->halves[1].count = 0;
    member->standing = (struct check_standing){0};
    member->stream = (struct check_stream){0};
    member->foreign_cluster = 0;
    check_overheard_forget(check, number);
}

void check_down(struct check *check, uint64_t now, uint32_t number, bool power)
{
    (void)now;
    struct check_member *member = check_member(check, number);
    member->is_up = false;
    member->role = RAFT_FOLLOWER;
    member->is_power_lost |= power;
}

void check_wipe(struct check *check, uint64_t now, uint32_t number)
{
    (void)now;
    struct check_member *member = check_member(check, number);
    member->disk = (struct check_tip){0};
    member->disk_term = 0;
    member->disk_vote = RAFT_NONE;
    if (!member->identity) {
        return;
    }
    /* Its votes stay given. What it begins with if it comes back under this id is
     * another matter: that it is less is what wiping means. */
    member->identity->machine = 0;
    member->identity->is_wiped = true;
    member->identity->promised_term = 0;
    member->cluster->is_damaged |= check->options.is_lossy;
    member->identity = NULL;
    member->cluster = NULL;
}

void check_identity(struct check *check, uint64_t now, uint32_t number, uint64_t cluster_id, raft_id id)
{
    (void)now;
    struct check_member *member = check_member(check, number);
    bool is_known = member->cluster && member->cluster->id == cluster_id;
    check_identify(member, is_known ? member->cluster : check_cluster(check, cluster_id), id);
}

void check_restored(struct check *check, uint64_t now, uint32_t number, const struct check_restored *restored)
{
    struct check_member *member = check_member_known(check, number);
    struct check_cluster *cluster = member->cluster;
    if (cluster->parent || cluster->store.applied > 0) {
        return; /* Another member of it was first. */
    }
    cluster->parent = check_cluster_find(check, restored->cluster_id);
    cluster->begun_revision = restored->revision;
    if (cluster->parent && cluster->parent != cluster) {
        check_store_adopt(&cluster->store, &cluster->parent->store, restored);
        check_lease_adopt(&cluster->lease, &cluster->parent->lease, restored->index, now);
    } else {
        cluster->parent = NULL;
    }
}

void check_forced(struct check *check, uint64_t now, uint32_t number)
{
    struct check_member *member = check_member_known(check, number);
    struct check_cluster *parent = member->cluster;
    raft_id id = member->identity->id;
    struct check_cluster *cluster = check_cluster_make(check, parent->id);
    cluster->parent = parent;
    cluster->is_inheriting = true;
    cluster->begun_ns = now;
    member->identity->machine = 0;
    member->identity = NULL;
    check_identify(member, cluster, id);
    cluster->founders = (struct check_electorate){.count = 1}; /* It goes on alone. */
    cluster->founders.voters[0] = member->identity;
    /* What is beyond the commit it gives up: its disk holds what it says it does. */
    member->disk = (struct check_tip){0};
    member->disk_term = 0;
    member->disk_vote = RAFT_NONE;
}

void check_role(struct check *check, uint64_t now, uint32_t number, enum raft_role role, raft_term term,
                raft_id leader)
{
    struct check_member *member = check_member_known(check, number);
    bool is_won = role == RAFT_LEADER && member->role != RAFT_LEADER;
    check_vote_term(check, now, member, term);
    member->role = role;
    if (role == RAFT_CANDIDATE || role == RAFT_PRE_CANDIDATE) {
        check_configuration_stands(check, now, member);
    }
    if (is_won) {
        check_election_won(check, now, member);
        check_persisted_won(check, now, member);
        check_log_complete(check, now, member);
    } else if (leader != RAFT_NONE && leader != member->identity->id) {
        check_bootstrap_moved(check, now, member, leader, "follows a leader");
    }
}

void check_vote(struct check *check, uint64_t now, uint32_t number, raft_term term, raft_id vote)
{
    struct check_member *member = check_member_known(check, number);
    check_vote_cast(check, now, member, term, vote);
    if (vote != RAFT_NONE && vote != member->identity->id) {
        check_bootstrap_moved(check, now, member, vote, "voted");
    }
}

void check_append(struct check *check, uint64_t now, uint32_t number, const struct raft_entry *entry)
{
    struct check_member *member = check_member_known(check, number);
    if (member->role != RAFT_LEADER) {
        check_bootstrap_moved(check, now, member, RAFT_NONE, "appended an entry");
    }
    check_configuration_append(check, now, member, entry);
    check_log_append(check, now, member, entry);
}

void check_truncate(struct check *check, uint64_t now, uint32_t number, raft_index index)
{
    struct check_member *member = check_member_known(check, number);
    check_configuration_truncate(member, index);
    check_log_truncate(check, now, member, index);
}

void check_commit(struct check *check, uint64_t now, uint32_t number, raft_index index)
{
    struct check_member *member = check_member_known(check, number);
    if (member->role != RAFT_LEADER) {
        check_bootstrap_moved(check, now, member, RAFT_NONE, "committed");
    }
    check_log_commit(check, now, member, index);
}

void check_restore(struct check *check, uint64_t now, uint32_t number, const struct raft_snapshot *snapshot)
{
    struct check_member *member = check_member_known(check, number);
    check_bootstrap_moved(check, now, member, RAFT_NONE, "restored a snapshot");
    member->standing.restored = snapshot->index;
    check_log_restore(check, now, member, snapshot->index, snapshot->term);
}

static void resolve(struct check_cluster *cluster, struct check_electorate *half,
                    const struct raft_id_set *ids)
{
    half->count = ids->count;
    for (uint32_t slot = 0; slot < ids->count; slot++) {
        half->voters[slot] = check_identity_of(cluster, ids->ids[slot]);
    }
}

void check_configuration(struct check *check, uint64_t now, uint32_t number,
                         const struct raft_conf_state *configuration)
{
    (void)now;
    struct check_member *member = check_member_known(check, number);
    struct check_cluster *cluster = member->cluster;
    check_configuration_state(member, configuration);
    resolve(cluster, &member->halves[0], &configuration->voters);
    resolve(cluster, &member->halves[1], &configuration->voters_outgoing);
    if (cluster->founders.count == 0) {
        cluster->founders = member->halves[0];
    }
    if (member->role != RAFT_LEADER) {
        return;
    }
    /* Who leaves and comes back is replicated to from the beginning. */
    for (uint32_t slot = 0; slot < cluster->identity_count; slot++) {
        struct check_identity *identity = cluster->identities[slot];
        if (!check_is_listed(&configuration->voters, identity->id) &&
            !check_is_listed(&configuration->voters_outgoing, identity->id) &&
            !check_is_listed(&configuration->learners, identity->id)) {
            identity->match = 0;
        }
    }
}

void check_match(struct check *check, uint64_t now, uint32_t number, raft_id peer, raft_index match)
{
    check_log_match(check, now, check_member_known(check, number), peer, match);
}

void check_restarted(struct check *check, uint64_t now, uint32_t number,
                     const struct raft_status_report *status)
{
    struct check_member *member = check_member_known(check, number);
    if (member->cluster->is_inheriting) {
        member->cluster->is_inheriting = false;
        member->cluster->inherited = status->hard_state.commit;
    }
    check_vote_restarted(check, now, member, &status->hard_state);
    check_log_restarted(check, now, member, status);
    member->is_power_lost = false;
}

void check_written(struct check *check, uint64_t now, uint32_t number, const struct disk_tag *tag)
{
    (void)now;
    (void)number;
    (void)tag;
    check->has_disk = true;
}

void check_durable(struct check *check, uint64_t now, uint32_t number, const struct disk_tag *tag)
{
    (void)now;
    check_persisted_durable(check, check_member_known(check, number), tag);
}

void check_drift(struct check *check, uint32_t drift_ppm)
{
    if (check->options.drift_ppm < drift_ppm) {
        check->options.drift_ppm = drift_ppm;
    }
}

void check_freeze(struct check *check, uint64_t duration_ns)
{
    check->frozen_ns += duration_ns;
}

void check_send(struct check *check, uint64_t now, uint32_t number, uint32_t to,
                const struct wire_message *message)
{
    if (message->kind == WIRE_RESPONSE) {
        check_overheard_response(check, now, check_member_known(check, number), to, &message->response);
    } else if (message->kind == WIRE_RAFT &&
               (message->raft.type == RAFT_MSG_APP_RESP || message->raft.type == RAFT_MSG_VOTE_RESP)) {
        check_persisted_sent(check, now, check_member_known(check, number), &message->raft);
    }
}

void check_receive(struct check *check, uint64_t now, uint32_t number, uint32_t from,
                   const struct wire_message *message)
{
    struct check_member *member = check_member_known(check, number);
    if (message->kind == WIRE_REQUEST) {
        check_overheard_request(check, now, member, from, &message->request);
    } else if (message->kind <= WIRE_SNAPSHOT_CHUNK && message->cluster_id != member->cluster->id) {
        check_bootstrap_foreign(member, now, message);
    }
}

void check_apply(struct check *check, uint64_t now, uint32_t number, const struct raft_entry *entry,
                 const struct wire_proposal *proposal, enum base_status status, int64_t revision)
{
    struct check_member *member = check_member_known(check, number);
    bool is_first = check_store_apply(check, now, member, entry, status, revision);
    check_log_apply(check, now, member, entry);
    if (is_first && entry->index == member->cluster->inherited) {
        member->cluster->begun_revision = revision;
    }
    if (entry->type != RAFT_ENTRY_NORMAL) {
        check_configuration_applied(check, now, member, entry);
    }
    if (!is_first || entry->index <= member->cluster->inherited) {
        return; /* It took effect before, and was judged then. */
    }
    if (proposal) {
        check_history_apply(check, now, member, entry->index, proposal, status);
    }
    check_lease_apply(check, now, member, entry, proposal, status);
}

void check_change(struct check *check, uint64_t now, uint32_t number, const struct kv_event *event,
                  int64_t sub)
{
    check_store_change(check, now, check_member_known(check, number), event, sub);
}

void check_snapshot(struct check *check, uint64_t now, uint32_t number, raft_index index, raft_term term,
                    uint64_t hash, bool installed)
{
    struct check_member *member = check_member_known(check, number);
    if (installed) {
        check_log_installed(check, now, member, (struct check_tip){.index = index, .term = term});
        member->stream = (struct check_stream){0};
    }
    check_configuration_snapshot(check, now, member, index);
    check_store_hash(check, now, member, index, -1, hash);
}

void check_promote(struct check *check, uint64_t now, uint32_t number, raft_term term, uint64_t leases)
{
    (void)leases;
    check_lease_promoted(check, now, check_member_known(check, number), term);
}

void check_demote(struct check *check, uint64_t now, uint32_t number, raft_term term)
{
    (void)check;
    (void)now;
    (void)number;
    (void)term;
}

void check_renew(struct check *check, uint64_t now, uint32_t number, int64_t lease, int64_t ttl_s)
{
    check_lease_renewed(check, now, check_member_known(check, number), lease, ttl_s);
}

void check_expire(struct check *check, uint64_t now, uint32_t number, int64_t lease)
{
    (void)check;
    (void)now;
    (void)number;
    (void)lease;
}

void check_invoke(struct check *check, uint64_t now, uint32_t client, uint64_t call,
                  const struct wire_request *request)
{
    (void)client;
    check_history_invoke(check, now, call, request);
    check_lease_invoke(check, request);
}

void check_return(struct check *check, uint64_t now, uint32_t client, uint64_t call,
                  const struct wire_request *request, const struct wire_response *response, bool is_unknown)
{
    check_history_return(check, now, client, call, request, response, is_unknown);
}

void check_watched(struct check *check, uint64_t now, uint32_t client, uint64_t watch,
                   const struct wire_watch *batch)
{
    check_watch_batch(check, now, client, watch, batch);
}

void check_lock_acquired(struct check *check, uint64_t now, uint32_t client, struct base_bytes name,
                         int64_t revision)
{
    check_lock_take(check, now, client, name, revision);
}

void check_lock_released(struct check *check, uint64_t now, uint32_t client, struct base_bytes name)
{
    check_lock_leave(check, now, client, name);
}

void check_settled(struct check *check, uint64_t now, uint32_t number, raft_index applied, int64_t revision,
                   uint64_t store_hash)
{
    check_durability_settled(check, now, check_member_known(check, number), applied, revision, store_hash);
}

void check_demanded(struct check *check)
{
    check_arm(check, CHECK_PROGRESS);
}

void check_end(struct check *check, uint64_t now)
{
    check_durability_end(check, now);
}

int64_t check_lost(const struct check *check)
{
    int64_t lost = 0;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        const struct check_cluster *cluster = check->clusters[slot];
        if (cluster->parent && !cluster->is_inheriting &&
            cluster->parent->history.acknowledged > cluster->begun_revision) {
            lost += cluster->parent->history.acknowledged - cluster->begun_revision;
        }
    }
    return lost;
}

int64_t check_lease_margin(const struct check *check)
{
    int64_t margin = INT64_MAX;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        int64_t of_cluster = check->clusters[slot]->lease.margin_ns;
        margin = margin < of_cluster ? margin : of_cluster;
    }
    return margin;
}
