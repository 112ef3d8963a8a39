/* Leases in true time: none is gone before its time, each goes in the end.
 * Integer arithmetic in ns; a drift of rho ppm makes x ns of a member's clock pass
 * in x / (1 + rho) true ns at the soonest, and in x / (1 - rho) at the latest. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_LEASE_H
#define SIM_CHECK_LEASE_H

#include "core/wire/wire.h"
#include "sim/check/table.h"

struct check;
struct check_call;
struct check_cluster;
struct check_member;

struct check_lease_record {
    int64_t id;
    bool is_present;          /* Granted and not revoked, as the log has it. */
    bool is_free;             /* A client asked for its revocation: it may go at any time. */
    uint64_t gone_ns;         /* When it went; 0 not. */
    uint64_t promised_ns;     /* The last acknowledged renewal was called for then, */
    uint64_t promised_ttl_ns; /* for so long on the primary's clock; 0 none was. */
    uint64_t renewed_ns;      /* Granted, or renewed at the newest primary. */
    raft_index granted;       /* The entry, */
    raft_index revoked;       /* and the one it went by; 0 none. */
    bool is_extended;         /* By the newest primary's promotion, and not renewed since. */
    int64_t ttl_s;            /* As asked for: the least it can be. */
    int64_t ttl_long_s;       /* The most it can be. */
    int64_t remaining_s;      /* By the last checkpoint; 0 none. */
    int64_t extended_s;       /* The same at the newest promotion, which counted from it. */
    uint64_t late_work_ns;    /* The leader's work when it was first found overdue; UINT64_MAX not. */
};

struct check_lease {
    struct check_table table; /* Id to slot. */
    struct check_lease_record *records;
    uint32_t count;
    uint32_t capacity;
    raft_term promoted_term; /* The newest primary's, */
    uint64_t promoted_ns;
    raft_index promoted; /* The entry it was promoted by. */
    uint32_t primary;
    /* How long, all in all, a leader demonstrably committed entries. */
    uint64_t work_ns;
    uint64_t applied_ns;
    raft_term applied_term;
    uint64_t sweep_ns; /* When to look for overdue leases next. */
    int64_t margin_ns; /* Smallest seen; INT64_MAX none. */
};

void check_lease_release(struct check_lease *lease);
void check_lease_reset(struct check_lease *lease);
/* The cluster begins from a backup of `parent` at `index`: with the leases of then, for
 * their full time, as far as they are known; who was promised what is forgotten. */
void check_lease_adopt(struct check_lease *lease, const struct check_lease *parent, raft_index index,
                       uint64_t now);
/* An entry took effect for the first time; `proposal` may be NULL. */
void check_lease_apply(struct check *check, uint64_t now, struct check_member *member,
                       const struct raft_entry *entry, const struct wire_proposal *proposal,
                       enum base_status status);
/* A change that nobody made before leaves a key with this lease. */
void check_lease_attached(struct check *check, uint64_t now, struct check_member *member, int64_t id,
                          struct base_bytes key);
void check_lease_promoted(struct check *check, uint64_t now, struct check_member *member, raft_term term);
void check_lease_renewed(struct check *check, uint64_t now, struct check_member *member, int64_t id,
                         int64_t ttl_s);
/* A client asks for something that names a lease. */
void check_lease_invoke(struct check *check, const struct wire_request *request);
void check_lease_return(struct check *check, uint64_t now, uint32_t client, const struct check_call *call,
                        const struct wire_request *request, const struct wire_response *response,
                        struct check_cluster *cluster);
/* From when and for how long the lease that a request names is promised; a length
 * of 0: not at all. */
struct check_promise {
    uint64_t from_ns;
    uint64_t ttl_ns;
};
struct check_promise check_lease_promise(const struct check_cluster *cluster,
                                         const struct wire_request *request);

#endif
