/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/durability.h"

#include "sim/check/state.h"

#include <inttypes.h>

void check_durability_settled(struct check *check, uint64_t now, struct check_member *member,
                              raft_index applied, int64_t revision, uint64_t store_hash)
{
    struct check_cluster *cluster = member->cluster;
    /* Every change was held against the reference when it was made, so a store that
     * got as far as an acknowledged revision holds it. */
    cluster->settled_count++;
    check_store_hash(check, now, member, applied, revision, store_hash);
    if (check->options.is_exceeded) {
        return; /* Nobody need have caught up. */
    }
    if (revision < cluster->history.acknowledged) {
        check_found(check, cluster, CHECK_DURABILITY, now, member->number,
                    "m%" PRIu32 " ended at revision %" PRId64 " (entry %" PRIu64 "), but revision %" PRId64
                    " was acknowledged",
                    member->number, revision, applied, cluster->history.acknowledged);
    }
}

void check_durability_end(struct check *check, uint64_t now)
{
    uint32_t settled = 0;
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        settled += check->clusters[slot]->settled_count;
    }
    for (uint32_t slot = 0; slot < check->cluster_count; slot++) {
        struct check_cluster *cluster = check->clusters[slot];
        if (settled > 0 && cluster->settled_count == 0 && cluster->history.acknowledged > 0 &&
            !check->options.is_exceeded) {
            check_found(check, cluster, CHECK_DURABILITY, now, 0,
                        "cluster %" PRIx64 " is gone, but had acknowledged revision %" PRId64, cluster->id,
                        cluster->history.acknowledged);
        }
    }
}
