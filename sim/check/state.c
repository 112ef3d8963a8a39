/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool check_is_listed(const struct raft_id_set *ids, raft_id id)
{
    for (uint32_t slot = 0; slot < ids->count; slot++) {
        if (ids->ids[slot] == id) {
            return true;
        }
    }
    return false;
}

void check_cluster_free(struct check_cluster *cluster)
{
    for (uint32_t slot = 0; slot < cluster->identity_count; slot++) {
        free(cluster->identities[slot]);
    }
    free(cluster->identities);
    free(cluster->boundaries);
    check_lineage_release(&cluster->lineage);
    check_election_release(&cluster->election);
    check_store_release(&cluster->store);
    check_lease_release(&cluster->lease);
    check_epochs_release(&cluster->epochs);
    free(cluster);
}

static char *next_text(struct check *check)
{
    check->text = (check->text + 1) % CHECK_TEXTS;
    return check->texts[check->text];
}

const char *check_name(struct check *check, const struct check_identity *identity)
{
    char *text = next_text(check);
    if (identity->was_machine != 0) {
        (void)snprintf(text, sizeof check->texts[0], "m%" PRIu32, identity->was_machine);
    } else {
        (void)snprintf(text, sizeof check->texts[0], "member %" PRIx64, identity->id);
    }
    return text;
}

const char *check_name_of(struct check *check, struct check_cluster *cluster, raft_id id)
{
    return id == RAFT_NONE ? "nobody" : check_name(check, check_identity_of(cluster, id));
}

const char *check_seconds(struct check *check, uint64_t time_ns)
{
    char *text = next_text(check);
    uint64_t ms = time_ns / 1000000;
    (void)snprintf(text, sizeof check->texts[0], "%" PRIu64 ".%03" PRIu64 " s", ms / 1000, ms % 1000);
    return text;
}

struct check_cluster *check_cluster_find(const struct check *check, uint64_t id)
{
    for (uint32_t slot = check->cluster_count; slot-- > 0;) {
        if (check->clusters[slot]->id == id) {
            return check->clusters[slot]; /* The newest: a forced one goes by the old one's id. */
        }
    }
    return NULL;
}

static void reset_cluster(struct check_cluster *cluster)
{
    for (uint32_t slot = 0; slot < cluster->identity_count; slot++) {
        free(cluster->identities[slot]);
    }
    cluster->identity_count = 0;
    cluster->is_damaged = false;
    cluster->settled_count = 0;
    cluster->committed = (struct check_tip){0};
    cluster->boundary_count = 0;
    cluster->pruned = 0;
    cluster->history = (struct check_history){0};
    check_lineage_reset(&cluster->lineage);
    check_election_reset(&cluster->election);
    check_store_reset(&cluster->store);
    check_lease_reset(&cluster->lease);
    check_bootstrap_reset(&cluster->bootstrap);
    cluster->founders.count = 0;
    cluster->parent = NULL;
    cluster->is_inheriting = false;
    cluster->inherited = 0;
    cluster->begun_ns = 0;
    cluster->begun_revision = 0;
    check_epochs_reset(&cluster->epochs);
}

struct check_cluster *check_cluster(struct check *check, uint64_t id)
{
    struct check_cluster *cluster = check_cluster_find(check, id);
    return cluster ? cluster : check_cluster_make(check, id);
}

struct check_cluster *check_cluster_make(struct check *check, uint64_t id)
{
    if (check->cluster_count == check->cluster_capacity) {
        uint32_t capacity = check_grown(check->cluster_capacity, check->cluster_count + 1);
        check->clusters = check_resize(check->clusters, capacity, sizeof(struct check_cluster *));
        for (uint32_t slot = check->cluster_capacity; slot < capacity; slot++) {
            check->clusters[slot] = NULL;
        }
        check->cluster_capacity = capacity;
    }
    uint32_t slot = check->cluster_count++;
    if (!check->clusters[slot]) {
        check->clusters[slot] = check_resize(NULL, 1, sizeof *check->clusters[slot]);
        *check->clusters[slot] = (struct check_cluster){0};
    }
    struct check_cluster *cluster = check->clusters[slot];
    reset_cluster(cluster);
    cluster->id = id;
    cluster->slot = slot;
    return cluster;
}

struct check_identity *check_identity_of(struct check_cluster *cluster, raft_id id)
{
    uint32_t low = 0;
    uint32_t high = cluster->identity_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cluster->identities[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < cluster->identity_count && cluster->identities[low]->id == id) {
        return cluster->identities[low];
    }
    if (cluster->identity_count == cluster->identity_capacity) {
        cluster->identity_capacity = check_grown(cluster->identity_capacity, cluster->identity_count + 1);
        cluster->identities =
            check_resize(cluster->identities, cluster->identity_capacity, sizeof(struct check_identity *));
    }
    memmove(&cluster->identities[low + 1], &cluster->identities[low],
            (cluster->identity_count - low) * sizeof(struct check_identity *));
    cluster->identities[low] = check_resize(NULL, 1, sizeof(struct check_identity));
    *cluster->identities[low] = (struct check_identity){.id = id};
    cluster->identity_count++;
    return cluster->identities[low];
}

struct check_member *check_member_make(struct check *check, uint32_t number)
{
    if (number >= check->member_capacity) {
        uint32_t capacity = check_grown(check->member_capacity, number + 1);
        check->members = check_resize(check->members, capacity, sizeof(struct check_member *));
        for (uint32_t slot = check->member_capacity; slot < capacity; slot++) {
            check->members[slot] = NULL;
        }
        check->member_capacity = capacity;
    }
    if (!check->members[number]) {
        check->members[number] = check_resize(NULL, 1, sizeof(struct check_member));
        *check->members[number] = (struct check_member){.number = number};
    }
    return check->members[number];
}

/* The machine is `id` of the cluster from now on. */
void check_identify(struct check_member *member, struct check_cluster *cluster, raft_id id)
{
    struct check_identity *identity = check_identity_of(cluster, id);
    if (member->identity && member->identity != identity && member->identity->machine == member->number) {
        member->identity->machine = 0;
    }
    member->cluster = cluster;
    member->identity = identity;
    identity->machine = member->number;
    identity->is_wiped = false;
    identity->was_machine = member->number;
}

struct check_member *check_member_join(struct check *check, uint32_t number)
{
    struct check_member *member = check_member(check, number);
    check_identify(member, check_cluster(check, 0), number);
    return member;
}
