/* SPDX-License-Identifier: Apache-2.0 */
/* raft_random [SEEDS [STEPS [FIRST]]]: random clusters, STEPS things happen to each
 * of them; then everything works and must make progress. */
#include "tests/core/raft/random_cluster.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 200;
    uint64_t steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 4000;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    uint64_t elections = 0;
    uint64_t commits = 0;
    uint64_t restarts = 0;
    uint64_t snapshots = 0;
    uint64_t changes = 0;
    uint64_t reads = 0;
    uint64_t stuck = 0;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        if (getenv("RAFT_RANDOM_LOUD")) {
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        }
        struct cluster *cluster = cluster_new(seed);
        for (uint64_t step = 0; step < steps; step++) {
            cluster_step(cluster);
        }
        if (!cluster_heal(cluster)) {
            printf("seed %llu: no progress after everything was healed\n", (unsigned long long)seed);
            stuck++;
        }
        elections += cluster->elections;
        commits += cluster->committed_last;
        restarts += cluster->restarts;
        snapshots += cluster->snapshots;
        changes += cluster->changes;
        reads += cluster->reads_done;
        cluster_free(cluster);
    }
    printf(
        "%llu seeds: %llu elections, %llu commits, %llu restarts, %llu snapshots, %llu changes, %llu reads, "
        "%llu stuck\n",
        (unsigned long long)seeds, (unsigned long long)elections, (unsigned long long)commits,
        (unsigned long long)restarts, (unsigned long long)snapshots, (unsigned long long)changes,
        (unsigned long long)reads, (unsigned long long)stuck);
    /* A world in which little happens proves little. */
    bool is_vacuous =
        seeds * steps >= 400000 && (snapshots == 0 || changes == 0 || reads == 0 || restarts == 0);
    return stuck > 0 || is_vacuous;
}
