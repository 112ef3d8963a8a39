/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/bootstrap.h"

#include "sim/check/state.h"

#include <inttypes.h>

void check_bootstrap_reset(struct check_bootstrap *bootstrap)
{
    *bootstrap = (struct check_bootstrap){0};
}

void check_bootstrap_foreign(struct check_member *member, uint64_t now, const struct wire_message *message)
{
    if (message->kind != WIRE_RAFT && message->kind != WIRE_SNAPSHOT_CHUNK) {
        return;
    }
    member->foreign_from = message->from;
    member->foreign_cluster = message->cluster_id;
    member->foreign_ns = now;
}

void check_bootstrap_moved(struct check *check, uint64_t now, struct check_member *member, raft_id id,
                           const char *what)
{
    if (member->foreign_cluster == 0) {
        return;
    }
    /* A name sticks; an effect without a name counts only in the same instant. */
    bool is_theirs = id == RAFT_NONE ? member->foreign_ns == now : id == member->foreign_from;
    check_arm(check, CHECK_BOOTSTRAP);
    if (is_theirs) {
        check_found(check, member->cluster, CHECK_BOOTSTRAP, now, member->number,
                    "m%" PRIu32 " of cluster %" PRIx64 " %s by the word of member %" PRIx64
                    " of cluster %" PRIx64,
                    member->number, member->cluster->id, what, member->foreign_from, member->foreign_cluster);
    }
}

/* Is a machine a member of both? 0: none is. */
static uint32_t shared_machine(const struct check_cluster *a, const struct check_cluster *b)
{
    for (uint32_t i = 0; i < a->identity_count; i++) {
        for (uint32_t j = 0; j < b->identity_count; j++) {
            if (a->identities[i]->was_machine != 0 && !a->identities[i]->is_wiped &&
                !b->identities[j]->is_wiped &&
                a->identities[i]->was_machine == b->identities[j]->was_machine) {
                return a->identities[i]->was_machine;
            }
        }
    }
    return 0;
}

/* At the first answer: a quorum of the founders share the membership. Who was added since
 * need not have begun yet. */
static void judge_quorum(struct check *check, uint64_t now, uint32_t client, struct check_cluster *cluster)
{
    const struct check_electorate *founders = &cluster->founders;
    uint32_t known = 0;
    for (uint32_t slot = 0; slot < founders->count; slot++) {
        known += founders->voters[slot]->was_machine != 0;
    }
    if (founders->count == 0) {
        return;
    }
    check_arm(check, CHECK_BOOTSTRAP);
    if (known < founders->count / 2 + 1) {
        check_found(check, cluster, CHECK_BOOTSTRAP, now, client,
                    "cluster %" PRIx64 " answered client %" PRIu32 ", but only %" PRIu32 " of the %" PRIu32
                    " voters it began with ever shared its membership",
                    cluster->id, client, known, founders->count);
    }
}

void check_bootstrap_served(struct check *check, uint64_t now, uint32_t client, struct check_cluster *cluster)
{
    struct check_bootstrap *bootstrap = &cluster->bootstrap;
    if (!bootstrap->is_serving) {
        bootstrap->is_serving = true;
        bootstrap->served_first_ns = now;
        judge_quorum(check, now, client, cluster);
    }
    bootstrap->served_last_ns = now;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        const struct check_cluster *other = check->clusters[slot];
        if (other == cluster || !other->bootstrap.is_serving ||
            other->bootstrap.served_last_ns <= bootstrap->served_first_ns) {
            continue;
        }
        check_arm(check, CHECK_BOOTSTRAP);
        uint32_t shared = shared_machine(cluster, other);
        if (shared != 0) {
            check_found(check, cluster, CHECK_BOOTSTRAP, now, client,
                        "clusters %" PRIx64 " and %" PRIx64 " both serve, and m%" PRIu32
                        " is a member of both",
                        cluster->id, other->id, shared);
        }
    }
}
