/* The lessor: leases, their keys, and on the primary their expiry. Grants and
 * revocations come through the log; expiry instants live on the primary alone
 * (etcd-behaviour §3; etcd: lease/lessor.go). Times are the member's monotonic
 * clock in ns and are passed in. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEASE_LEASE_H
#define CORE_LEASE_LEASE_H

#include "core/base/bytes.h"
#include "core/base/status.h"

struct lease_lessor;

#define LEASE_FOREVER UINT64_MAX            /* No instant. */
#define LEASE_TTL_MAX_S INT64_C(9000000000) /* etcd: MaxLeaseTTL */

struct lease_options {
    int64_t ttl_min_s;          /* Shorter TTLs are raised to it. */
    uint32_t revoke_rate;       /* Expiries a second when many fall together; 0 is 1,000. */
    uint64_t scan_interval_ns;  /* 0 is 500 ms. */
    uint64_t retry_interval_ns; /* An expired lease not yet revoked is found again after this. */
    bool checkpoints;           /* Remaining TTLs are checkpointed through the log. */
};

struct lease_lessor *lease_new(const struct base_allocator *allocator, const struct lease_options *options);
void lease_free(struct lease_lessor *lessor);

/* Applied from the log. BASE_LEASE_EXISTS, BASE_LEASE_TTL_TOO_LARGE, BASE_INVALID
 * (id 0 or negative). `*granted_s` is the TTL after the minimum was applied. */
enum base_status lease_grant(struct lease_lessor *lessor, int64_t id, int64_t ttl_s, uint64_t now_ns,
                             int64_t *granted_s);
/* Applied from the log: the lease and its keys are forgotten. Its keys, sorted,
 * are to be read first with lease_keys. BASE_LEASE_NOT_FOUND. */
enum base_status lease_revoke(struct lease_lessor *lessor, int64_t id);
/* Applied from the log: a checkpoint of the remaining TTL. */
enum base_status lease_checkpoint(struct lease_lessor *lessor, int64_t id, int64_t remaining_s);

bool lease_exists(const struct lease_lessor *lessor, int64_t id);
uint64_t lease_count(const struct lease_lessor *lessor);
/* A key belongs to at most one lease: attaching moves it. The lease must exist. */
void lease_attach(struct lease_lessor *lessor, int64_t id, struct base_bytes key);
void lease_detach(struct lease_lessor *lessor, int64_t id, struct base_bytes key);
/* The lease's keys in byte order, borrowed until the next change. */
uint32_t lease_keys(struct lease_lessor *lessor, int64_t id, const struct base_bytes **keys);

struct lease_info {
    int64_t id;
    int64_t granted_s;
    int64_t remaining_s;   /* From a checkpoint; 0 is none. */
    uint64_t expiry_ns;    /* LEASE_FOREVER unless primary. */
    bool is_expiring;      /* Found expired: a revocation is under way. */
    bool checkpoint_first; /* A checkpoint of 0 must be committed before a renewal. */
    uint32_t key_count;
};

/* BASE_LEASE_NOT_FOUND */
enum base_status lease_info(const struct lease_lessor *lessor, int64_t id, struct lease_info *out);
/* The lease with the smallest id above `after` (0: the first); false at the end. */
bool lease_next(const struct lease_lessor *lessor, int64_t after, struct lease_info *out);

/* Primary only; else BASE_NOT_PRIMARY. A lease whose time is over cannot be renewed
 * any more: BASE_LEASE_NOT_FOUND once it is gone, and until then the caller waits
 * (BASE_UNAVAILABLE). BASE_UNAVAILABLE with `checkpoint_first` in its lease_info
 * asks for something else: commit a checkpoint of 0, then renew. Otherwise the next
 * primary would count from a rest that was measured before this renewal. An expiry
 * is never moved earlier. */
enum base_status lease_renew(struct lease_lessor *lessor, int64_t id, uint64_t now_ns, int64_t *ttl_s);

bool lease_is_primary(const struct lease_lessor *lessor);
/* Become primary: every lease expires at now + extend + TTL (or its checkpointed
 * rest), spread when 1,000 and more would fall together. */
void lease_promote(struct lease_lessor *lessor, uint64_t now_ns, uint64_t extend_ns);
/* No longer primary: no lease expires here. */
void lease_demote(struct lease_lessor *lessor);

/* When lease_expired would find something or has to look again, or a checkpoint is
 * due; LEASE_FOREVER when never. Scans are at whole multiples of the scan
 * interval on the member's clock, as if each took place. */
uint64_t lease_due_ns(const struct lease_lessor *lessor);
/* Leases whose time is over, at most `max` and at most half the rate a scan; they
 * are marked expiring and found again after the retry interval. Answers the count. */
uint32_t lease_expired(struct lease_lessor *lessor, uint64_t now_ns, int64_t *ids, uint32_t max);
/* Checkpoints that are due: ids and remaining seconds. */
uint32_t lease_checkpoints_due(struct lease_lessor *lessor, uint64_t now_ns, int64_t *ids,
                               int64_t *remaining_s, uint32_t max);

/* Hash of ids and TTLs, for comparing members at one applied index. */
uint64_t lease_hash(const struct lease_lessor *lessor);
/* Leases (not their keys: those come back with the store) to and from a snapshot. */
void lease_save(const struct lease_lessor *lessor, struct base_buffer *out);
/* Into an empty lessor. BASE_CORRUPT for what lease_save did not write. */
enum base_status lease_load(struct lease_lessor *lessor, struct base_reader *in);

#endif
