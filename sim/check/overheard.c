/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/overheard.h"

#include "core/base/hash.h"
#include "sim/check/state.h"

#include <stdlib.h>

void check_overheard_release(struct check_overheard *overheard)
{
    check_table_release(&overheard->table);
    free(overheard->requests);
    *overheard = (struct check_overheard){0};
}

void check_overheard_reset(struct check_overheard *overheard)
{
    check_table_reset(&overheard->table);
    overheard->count = 0;
}

static uint64_t key_of(uint32_t member, uint32_t client, uint64_t id)
{
    return base_hash_u64(base_hash_u64(0, (uint64_t)member << 32 | client), id);
}

static void take_out(struct check_overheard *overheard, uint32_t slot)
{
    check_table_remove(&overheard->table, overheard->requests[slot].key);
    uint32_t last = --overheard->count;
    if (slot != last) {
        check_table_remove(&overheard->table, overheard->requests[last].key);
        overheard->requests[slot] = overheard->requests[last];
        check_table_add(&overheard->table, overheard->requests[slot].key, slot);
    }
}

void check_overheard_request(struct check *check, uint64_t now, struct check_member *member, uint32_t client,
                             const struct wire_request *request)
{
    struct check_overheard *overheard = &check->overheard;
    if (request->kind == WIRE_WATCH_CREATE) {
        check_watch_create(check, now, client, request);
    } else if (request->kind != WIRE_LEASE_KEEPALIVE) {
        return;
    }
    uint64_t key = key_of(member->number, client, request->id);
    uint32_t slot = check_table_find(&overheard->table, key);
    if (slot != CHECK_TABLE_NONE) {
        take_out(overheard, slot);
    }
    if (overheard->count == overheard->capacity) {
        overheard->capacity = check_grown(overheard->capacity, overheard->count + 1);
        overheard->requests =
            check_resize(overheard->requests, overheard->capacity, sizeof overheard->requests[0]);
    }
    check_table_add(&overheard->table, key, overheard->count);
    overheard->requests[overheard->count++] =
        (struct check_request){.key = key,
                               .member = member->number,
                               .client = client,
                               .kind = request->kind,
                               .lease = request->lease,
                               .watch = request->watch,
                               .call = {.invoke_ns = now,
                                        .lease = check_lease_promise(member->cluster, request)}};
}

void check_overheard_response(struct check *check, uint64_t now, struct check_member *member, uint32_t client,
                              const struct wire_response *response)
{
    struct check_overheard *overheard = &check->overheard;
    if (overheard->count == 0) {
        return;
    }
    uint32_t slot = check_table_find(&overheard->table, key_of(member->number, client, response->id));
    if (slot == CHECK_TABLE_NONE) {
        return;
    }
    struct check_request asked = overheard->requests[slot];
    struct wire_request request = {.kind = asked.kind, .lease = asked.lease, .watch = asked.watch};
    take_out(overheard, slot);
    if (asked.kind == WIRE_LEASE_KEEPALIVE) {
        check_lease_return(check, now, client, &asked.call, &request, response, member->cluster);
    } else if (response->status == BASE_OK) {
        check_watch_created(check, client, &request, response, member->cluster);
    }
}

void check_overheard_forget(struct check *check, uint32_t member)
{
    struct check_overheard *overheard = &check->overheard;
    for (uint32_t slot = overheard->count; slot > 0; slot--) {
        if (overheard->requests[slot - 1].member == member) {
            take_out(overheard, slot - 1);
        }
    }
}
