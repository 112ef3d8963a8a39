/* The three kinds of scripts, each a state that cases are run against. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFORMANCE_KINDS_H
#define TESTS_CONFORMANCE_KINDS_H

#include "core/base/bytes.h"
#include "tests/conformance/script.h"

/* malloc, for everything that runs here. */
extern const struct base_allocator conformance_allocator;

/* Quorum arithmetic; needs no state between cases. */
void conformance_quorum(const struct script_case *item, struct base_buffer *out);

/* The configuration changer with the progress of each member. */
struct conformance_changer;
struct conformance_changer *conformance_changer_new(void);
void conformance_changer_free(struct conformance_changer *changer);
void conformance_change(struct conformance_changer *changer, const struct script_case *item,
                        struct base_buffer *out);

/* Whole nodes with a pool of messages between them. */
struct conformance_cluster;
struct conformance_cluster *conformance_cluster_new(void);
void conformance_cluster_free(struct conformance_cluster *cluster);
void conformance_interact(struct conformance_cluster *cluster, const struct script_case *item,
                          struct base_buffer *out);

#endif
