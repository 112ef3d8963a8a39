/* Watches: each gets every change of its range, in order, once, whole revisions at
 * a time. A watch is known from the request that created it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_WATCH_H
#define SIM_CHECK_WATCH_H

#include "core/wire/wire.h"
#include "sim/check/table.h"

struct check;
struct check_cluster;

struct check_watcher {
    uint32_t client;
    uint64_t watch;
    uint32_t cluster; /* Slot; UINT32_MAX not known. */
    uint32_t flags;
    uint8_t *range; /* key, then range_end. */
    uint32_t key_size;
    uint32_t end_size;
    bool is_range_known;
    bool is_torn;  /* More of the last revision was announced (fragment). */
    bool is_begun; /* It got something. */
    bool is_over;
    uint64_t attempt;  /* Id of the newest request that creates it. */
    int64_t next;      /* Everything below was delivered; 0 not known. */
    int64_t last;      /* Revision of the last event. */
    uint32_t last_sub; /* Its place in the revision, if next is known. */
};

struct check_watch {
    struct check_table table;
    struct check_watcher *watchers;
    uint32_t count;
    uint32_t capacity;
};

void check_watch_release(struct check_watch *watch);
void check_watch_reset(struct check_watch *watch);
/* A client asks for a watch, or for one to go on after a reset. */
void check_watch_create(struct check *check, uint64_t now, uint32_t client,
                        const struct wire_request *request);
void check_watch_created(struct check *check, uint32_t client, const struct wire_request *request,
                         const struct wire_response *response, const struct check_cluster *cluster);
void check_watch_batch(struct check *check, uint64_t now, uint32_t client, uint64_t watch,
                       const struct wire_watch *batch);

#endif
