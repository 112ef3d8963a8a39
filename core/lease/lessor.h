/* Inside of the lessor, shared by the files of core/lease only. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEASE_LESSOR_H
#define CORE_LEASE_LESSOR_H

#include "core/base/map.h"
#include "core/lease/lease.h"

enum { LEASE_ID_BYTES = 8 };

/* A queue slot of a lease that is in no queue. */
#define LEASE_NOT_QUEUED SIZE_MAX

enum lease_queue_kind { LEASE_EXPIRY, LEASE_CHECKPOINT, LEASE_QUEUE_COUNT };

struct lease {
    int64_t id;
    int64_t ttl_s;
    int64_t remaining_s; /* From a checkpoint; 0 is none. */
    uint64_t expiry_ns;  /* LEASE_FOREVER unless primary. */
    bool is_expiring;
    bool has_checkpoint_out; /* One was handed out and not yet followed by one of 0. */
    struct base_map items;   /* Key to struct lease_item. */
    uint64_t queue_ns[LEASE_QUEUE_COUNT];
    size_t queue_slot[LEASE_QUEUE_COUNT];
    uint8_t id_bytes[LEASE_ID_BYTES]; /* Big-endian: the map's order is the ids'. */
};

/* A key of a lease; in the lease's map and in the lessor's. */
struct lease_item {
    struct lease *lease;
    uint32_t size;
    uint8_t data[];
};

/* A heap of leases by (queue_ns, id), soonest first. */
struct lease_queue {
    struct lease **leases;
    size_t count;
    size_t capacity;
};

/* Unless primary both queues are empty. */
struct lease_lessor {
    const struct base_allocator *allocator;
    struct lease_options options; /* Defaults filled in. */
    bool is_primary;
    uint64_t scan_next_ns;  /* Scans are at multiples of scan_interval, none before this. */
    struct base_map leases; /* Id to struct lease. */
    struct base_map items;  /* Key to struct lease_item. */
    struct lease_queue queues[LEASE_QUEUE_COUNT];
    struct base_bytes *keys; /* What lease_keys lent last. */
    size_t keys_capacity;
};

struct lease *lease_find(const struct lease_lessor *lessor, int64_t id);
/* Instants and spans that would overflow are LEASE_FOREVER. */
uint64_t lease_add_ns(uint64_t a_ns, uint64_t b_ns);
uint64_t lease_seconds_ns(int64_t seconds);

/* Enter the lease in a queue or move it there; LEASE_FOREVER takes it out. */
void lease_queue_set(struct lease_lessor *lessor, enum lease_queue_kind kind, struct lease *lease,
                     uint64_t at_ns);
/* NULL when empty. */
struct lease *lease_queue_first(const struct lease_lessor *lessor, enum lease_queue_kind kind);
void lease_queue_clear(struct lease_lessor *lessor, enum lease_queue_kind kind);
void lease_queue_release(struct lease_lessor *lessor, enum lease_queue_kind kind);

/* Primary: the lease expires then, and its checkpoint is planned from now. */
void lease_expire_at(struct lease_lessor *lessor, struct lease *lease, uint64_t now_ns, uint64_t expiry_ns);

#endif
