/* What clients ask of members without being told to, and the answers: renewals of
 * leases and creations of watches, overheard where they reach and leave a member. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_OVERHEARD_H
#define SIM_CHECK_OVERHEARD_H

#include "core/wire/wire.h"
#include "sim/check/history.h"

struct check_request {
    uint64_t key; /* Of (member, client, request id). */
    uint32_t member;
    uint32_t client;
    enum wire_request_kind kind;
    int64_t lease;
    uint64_t watch;
    struct check_call call; /* Begun when it reached the member. */
};

struct check_overheard {
    struct check_table table;
    struct check_request *requests;
    uint32_t count;
    uint32_t capacity;
};

void check_overheard_release(struct check_overheard *overheard);
void check_overheard_reset(struct check_overheard *overheard);
void check_overheard_request(struct check *check, uint64_t now, struct check_member *member, uint32_t client,
                             const struct wire_request *request);
void check_overheard_response(struct check *check, uint64_t now, struct check_member *member, uint32_t client,
                              const struct wire_response *response);
/* The member begins anew: what it was asked before is not answered any more. */
void check_overheard_forget(struct check *check, uint32_t member);

#endif
