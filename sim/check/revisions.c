/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/revisions.h"

#include <stdlib.h>

struct check_revised *check_revisions_add(struct check_revisions *revisions)
{
    if (revisions->count == revisions->capacity) {
        revisions->capacity = check_grown(revisions->capacity, revisions->count + 1);
        revisions->calls = check_resize(revisions->calls, revisions->capacity, sizeof revisions->calls[0]);
    }
    struct check_revised *call = &revisions->calls[revisions->count++];
    *call = (struct check_revised){.returned = CHECK_NEVER};
    return call;
}

void check_revisions_release(struct check_revisions *revisions)
{
    free(revisions->calls);
    *revisions = (struct check_revisions){0};
}

/* A call and what it is ordered by; ties by its place in the history. */
struct place {
    int64_t revision;
    uint32_t order; /* Writes before reads of one revision. */
    uint32_t call;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    if (left->revision != right->revision) {
        return left->revision < right->revision ? -1 : 1;
    }
    if (left->order != right->order) {
        return left->order < right->order ? -1 : 1;
    }
    return left->call < right->call ? -1 : left->call > right->call;
}

/* Could an open write have put this value? Each can be used once: `*used` says at
 * which revision, 0 not yet. */
static bool find_open(const struct check_revisions *revisions, const struct check_revised *read,
                      int64_t revision, int64_t *used)
{
    for (uint32_t i = 0; i < revisions->count; i++) {
        const struct check_revised *call = &revisions->calls[i];
        if (call->returned != CHECK_NEVER || !call->is_write || call->key != read->key ||
            call->invoked > read->returned || (used[i] != 0 && used[i] != revision)) {
            continue;
        }
        if (call->is_delete ? read->value == CHECK_VALUE_NONE : call->value == read->value) {
            used[i] = revision;
            return true;
        }
    }
    return false;
}

/* Walk calls by revision: times must agree with that order. A call is too old when
 * one of a higher revision (or an equal one, if it is the write itself) had returned
 * before it began. From the highest down, the earliest return is kept. */
static struct check_revised_result judge_times(const struct check_revisions *revisions,
                                               const struct place *places, uint32_t count)
{
    uint32_t earliest = CHECK_NEVER; /* Among those of a higher revision. */
    uint32_t pending = CHECK_NEVER;  /* Among those of this one. */
    for (uint32_t slot = count; slot > 0; slot--) {
        const struct check_revised *call = &revisions->calls[places[slot - 1].call];
        if (slot < count && places[slot].revision != places[slot - 1].revision) {
            if (pending != CHECK_NEVER &&
                (earliest == CHECK_NEVER ||
                 revisions->calls[pending].returned < revisions->calls[earliest].returned)) {
                earliest = pending;
            }
            pending = CHECK_NEVER;
        }
        /* What is told of a revision comes after the write that made it. */
        uint32_t before = call->is_write && pending != CHECK_NEVER &&
                                  (earliest == CHECK_NEVER ||
                                   revisions->calls[pending].returned < revisions->calls[earliest].returned)
                              ? pending
                              : earliest;
        if (before != CHECK_NEVER && revisions->calls[before].returned < call->invoked) {
            return (struct check_revised_result){CHECK_REVISED_OLD, places[slot - 1].call, before};
        }
        if (pending == CHECK_NEVER || call->returned < revisions->calls[pending].returned) {
            pending = places[slot - 1].call;
        }
    }
    return (struct check_revised_result){.fault = CHECK_REVISED_FINE};
}

struct version {
    int64_t revision;
    uint32_t value;
    uint32_t call;
};

static struct check_revised_result judge_content(const struct check_revisions *revisions,
                                                 const struct place *places, uint32_t count)
{
    struct check_revised_result result = {.fault = CHECK_REVISED_FINE};
    uint32_t keys = 0;
    for (uint32_t i = 0; i < revisions->count; i++) {
        keys = revisions->calls[i].key >= keys ? revisions->calls[i].key + 1 : keys;
    }
    struct version *versions = check_resize(NULL, keys + 1, sizeof *versions);
    for (uint32_t key = 0; key < keys; key++) {
        versions[key] = (struct version){.value = CHECK_VALUE_NONE, .call = CHECK_NEVER};
    }
    int64_t *used = check_resize(NULL, revisions->count + 1, sizeof *used);
    for (uint32_t i = 0; i < revisions->count; i++) {
        used[i] = 0;
    }
    for (uint32_t slot = 0; slot < count; slot++) {
        uint32_t index = places[slot].call;
        const struct check_revised *call = &revisions->calls[index];
        struct version *version = &versions[call->key];
        if (call->is_write) {
            if (slot > 0 && places[slot - 1].revision == call->revision &&
                revisions->calls[places[slot - 1].call].is_write) {
                result = (struct check_revised_result){CHECK_REVISED_TWICE, index, places[slot - 1].call};
                break;
            }
            *version =
                (struct version){call->revision, call->is_delete ? CHECK_VALUE_NONE : call->value, index};
            continue;
        }
        if (call->value == version->value && (call->modified == 0 || call->modified == version->revision)) {
            continue;
        }
        /* An open write may stand between: after the version, at the revision told. */
        int64_t modified = call->modified > 0 ? call->modified : call->revision;
        if (modified > version->revision && find_open(revisions, call, modified, used)) {
            *version = (struct version){modified, call->value, version->call};
            continue;
        }
        result = (struct check_revised_result){CHECK_REVISED_CONTENT, index,
                                               version->call == CHECK_NEVER ? index : version->call};
        break;
    }
    free(versions);
    free(used);
    return result;
}

struct check_revised_result check_revisions_judge(const struct check_revisions *revisions)
{
    struct place *places = check_resize(NULL, revisions->count + 1, sizeof *places);
    uint32_t count = 0;
    for (uint32_t i = 0; i < revisions->count; i++) {
        const struct check_revised *call = &revisions->calls[i];
        if (call->returned != CHECK_NEVER) {
            places[count++] = (struct place){call->revision, call->is_write ? 0 : 1, i};
        }
    }
    qsort(places, count, sizeof *places, compare_places);
    struct check_revised_result result = judge_content(revisions, places, count);
    if (result.fault == CHECK_REVISED_FINE) {
        result = judge_times(revisions, places, count);
    }
    free(places);
    return result;
}
