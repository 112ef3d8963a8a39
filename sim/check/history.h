/* What clients asked and were told (linearizability), by the revisions that the
 * store returns: a write's revision is its place in the order, so each answer is
 * judged when it comes, against the reference store, and nothing is searched. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_HISTORY_H
#define SIM_CHECK_HISTORY_H

#include "core/wire/wire.h"
#include "sim/check/lease.h"
#include "sim/check/table.h"

struct check;
struct check_cluster;
struct check_member;

/* A call under way. */
struct check_call {
    uint64_t number;
    uint64_t invoke_ns;
    uint64_t digest;            /* Of a writing operation; meaningless for others. */
    int64_t floor;              /* Newest revision that anybody had been told when it began, */
    int64_t newest;             /* and the newest there was. */
    struct check_promise lease; /* What was promised of the lease it names. */
    uint32_t cluster;           /* Slot of the cluster that floor and newest are about. */
    bool is_write;
};

/* Calls of one content: how many were asked for and may still take effect, and
 * how many of these did. applied <= asked, always. */
struct check_ask {
    uint64_t digest;
    uint32_t asked;
    uint32_t applied;
};

struct check_calls {
    bool is_used;             /* Somebody called: what nobody asked for is judged. */
    struct check_table table; /* Number to slot of calls. */
    struct check_call *calls;
    uint32_t count;
    uint32_t capacity;
    struct check_table ask_table; /* Digest to slot of asks. */
    struct check_ask *asks;
    uint32_t ask_count;
    uint32_t ask_capacity;
};

struct check_history {
    int64_t floor;        /* Newest revision that any client was told. */
    int64_t acknowledged; /* Newest that a write was acknowledged with. */
    uint64_t serial_ns;
};

void check_calls_release(struct check_calls *calls);
void check_calls_reset(struct check_calls *calls);

void check_history_invoke(struct check *check, uint64_t now, uint64_t call,
                          const struct wire_request *request);
void check_history_return(struct check *check, uint64_t now, uint32_t client, uint64_t call,
                          const struct wire_request *request, const struct wire_response *response,
                          bool is_unknown);
/* An entry took effect for the first time. */
void check_history_apply(struct check *check, uint64_t now, struct check_member *member, raft_index index,
                         const struct wire_proposal *proposal, enum base_status status);

#endif
