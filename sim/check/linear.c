/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/linear.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS = 4,
    SLOTS = WORDS * 64,      /* Calls under way on one key at most. */
    CONFIGS_MAX = 1 << 18,   /* Configurations at one instant at most, */
    DOMINATED_MAX = 1 << 11, /* and so many are held against each other. */
};
#define STEPS_MAX (UINT64_C(1) << 27)        /* Configurations looked at for one key at most, */
#define NARROW_STEPS_MAX (UINT64_C(1) << 21) /* and for one try at a smaller window. */

/* --- configurations --- */

struct config {
    uint32_t state;
    uint64_t done[WORDS]; /* By slot: which calls under way have taken effect. */
};

/* A set of configurations, in order of entry. */
struct config_set {
    struct config *configs;
    uint32_t count;
    uint32_t capacity;
    uint32_t *cells; /* Place + 1 in configs; 0 empty. */
    uint32_t cell_count;
};

struct search {
    struct check_values *values;
    const struct check_operation *operations; /* By key, in order of their beginning. */
    uint32_t slots[SLOTS];                    /* The call in each slot; CHECK_NEVER none. */
    uint32_t slot_end;                        /* Slots in use are below. */
    struct config_set now;
    struct config_set next;
    struct config_set seen;
    uint64_t steps;
    uint64_t steps_max;
    bool is_given_up;
};

static uint64_t hash_of(const struct config *config)
{
    uint64_t hash = config->state * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t word = 0; word < WORDS; word++) {
        hash = (hash ^ config->done[word]) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 31;
    }
    return hash;
}

static bool is_same(const struct config *a, const struct config *b)
{
    return a->state == b->state && memcmp(a->done, b->done, sizeof a->done) == 0;
}

static void set_release(struct config_set *set)
{
    free(set->configs);
    free(set->cells);
    *set = (struct config_set){0};
}

static void set_clear(struct config_set *set)
{
    for (uint32_t slot = 0; slot < set->count && set->count < set->cell_count / 8; slot++) {
        uint32_t at = (uint32_t)hash_of(&set->configs[slot]) & (set->cell_count - 1);
        while (set->cells[at] != 0) {
            set->cells[at] = 0; /* Whole runs: everything in them goes. */
            at = (at + 1) & (set->cell_count - 1);
        }
    }
    if (set->cell_count > 0 && set->count >= set->cell_count / 8) {
        memset(set->cells, 0, set->cell_count * sizeof set->cells[0]);
    }
    set->count = 0;
}

static void set_grow(struct config_set *set)
{
    set->capacity = set->capacity ? set->capacity * 2 : 64;
    set->configs = check_resize(set->configs, set->capacity, sizeof set->configs[0]);
    set->cell_count = set->capacity * 2;
    set->cells = check_resize(set->cells, set->cell_count, sizeof set->cells[0]);
    memset(set->cells, 0, set->cell_count * sizeof set->cells[0]);
    for (uint32_t slot = 0; slot < set->count; slot++) {
        uint32_t at = (uint32_t)hash_of(&set->configs[slot]) & (set->cell_count - 1);
        while (set->cells[at] != 0) {
            at = (at + 1) & (set->cell_count - 1);
        }
        set->cells[at] = slot + 1;
    }
}

/* false: it is in already. */
static bool set_add(struct config_set *set, const struct config *config)
{
    if (set->count == set->capacity) {
        set_grow(set);
    }
    uint32_t at = (uint32_t)hash_of(config) & (set->cell_count - 1);
    for (; set->cells[at] != 0; at = (at + 1) & (set->cell_count - 1)) {
        if (is_same(&set->configs[set->cells[at] - 1], config)) {
            return false;
        }
    }
    set->configs[set->count++] = *config;
    set->cells[at] = set->count;
    return true;
}

static bool is_done(const struct config *config, uint32_t slot)
{
    return config->done[slot / 64] >> slot % 64 & 1;
}

static void set_done(struct config *config, uint32_t slot, bool done)
{
    uint64_t bit = UINT64_C(1) << slot % 64;
    config->done[slot / 64] = done ? config->done[slot / 64] | bit : config->done[slot / 64] & ~bit;
}

/* --- the walk --- */

static bool is_reader(const struct check_operation *operation)
{
    return operation->action == CHECK_READ || (operation->action == CHECK_CAS && operation->is_refused);
}

/* Let a call take effect in `state`; false when it could not have answered so. */
static bool take_effect(struct search *search, const struct check_operation *operation, uint32_t *state)
{
    bool is_any = *state == CHECK_VALUE_ANY;
    switch (operation->action) {
    case CHECK_READ:
        if (is_any) {
            *state = operation->value;
        }
        return *state == operation->value;
    case CHECK_WRITE:
        *state = operation->value;
        return true;
    case CHECK_CAS:
        if (operation->is_refused) {
            return is_any || *state != operation->from;
        }
        if (!is_any && *state != operation->from) {
            return false;
        }
        *state = operation->value;
        return true;
    case CHECK_APPEND:
        *state = check_values_append(search->values, *state, operation->value);
        return true;
    }
    return false;
}

/* A call that changes nothing and fits takes effect at once: that forecloses nothing. */
static void settle_readers(struct search *search, struct config *config)
{
    if (config->state == CHECK_VALUE_ANY) {
        return;
    }
    for (uint32_t slot = 0; slot < search->slot_end; slot++) {
        if (search->slots[slot] == CHECK_NEVER || is_done(config, slot)) {
            continue;
        }
        const struct check_operation *operation = &search->operations[search->slots[slot]];
        uint32_t state = config->state;
        if (is_reader(operation) && take_effect(search, operation, &state)) {
            set_done(config, slot, true);
        }
    }
}

/* Of two open calls of the same content, the one in the lower slot goes first. */
static bool has_twin_before(const struct search *search, const struct config *config, uint32_t slot)
{
    const struct check_operation *operation = &search->operations[search->slots[slot]];
    for (uint32_t other = 0; other < slot && operation->returned == CHECK_NEVER; other++) {
        if (search->slots[other] == CHECK_NEVER || is_done(config, other)) {
            continue;
        }
        const struct check_operation *twin = &search->operations[search->slots[other]];
        if (twin->returned == CHECK_NEVER && twin->action == operation->action &&
            twin->from == operation->from && twin->value == operation->value) {
            return true;
        }
    }
    return false;
}

/* From one configuration, all ways to get to where the call in `wanted` has just
 * taken effect; those go into `next`. */
static void expand(struct search *search, uint32_t wanted)
{
    for (uint32_t at = 0; at < search->seen.count && !search->is_given_up; at++) {
        struct config config = search->seen.configs[at];
        for (uint32_t slot = 0; slot < search->slot_end; slot++) {
            if (search->slots[slot] == CHECK_NEVER || is_done(&config, slot) ||
                has_twin_before(search, &config, slot)) {
                continue;
            }
            struct config then = config;
            search->steps++;
            if (!take_effect(search, &search->operations[search->slots[slot]], &then.state)) {
                continue;
            }
            set_done(&then, slot, true);
            settle_readers(search, &then);
            if (is_done(&then, wanted)) {
                set_done(&then, wanted, false);
                (void)set_add(&search->next, &then);
            } else {
                (void)set_add(&search->seen, &then);
            }
        }
        search->is_given_up = search->steps > search->steps_max || search->seen.count > CONFIGS_MAX ||
                              search->next.count > CONFIGS_MAX;
    }
}

/* Could everything that b can still do be done from a as well? The same state, the
 * same calls done but for open ones, of which a has used no more. */
static bool dominates(const struct config *a, const struct config *b, const uint64_t *open)
{
    if (a->state != b->state) {
        return false;
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        uint64_t differ = a->done[word] ^ b->done[word];
        if ((differ & ~open[word]) != 0 || (a->done[word] & ~b->done[word]) != 0) {
            return false;
        }
    }
    return true;
}

static void drop_dominated(struct search *search, struct config_set *set)
{
    uint64_t open[WORDS] = {0};
    bool has_open = false;
    for (uint32_t slot = 0; slot < search->slot_end; slot++) {
        if (search->slots[slot] != CHECK_NEVER &&
            search->operations[search->slots[slot]].returned == CHECK_NEVER) {
            open[slot / 64] |= UINT64_C(1) << slot % 64;
            has_open = true;
        }
    }
    if (!has_open || set->count < 2 || set->count > DOMINATED_MAX) {
        return;
    }
    struct config *configs = check_resize(NULL, set->count, sizeof *configs);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        bool is_dominated = false;
        for (uint32_t j = 0; j < set->count && !is_dominated; j++) {
            is_dominated = i != j && dominates(&set->configs[j], &set->configs[i], open);
        }
        if (!is_dominated) {
            configs[kept++] = set->configs[i];
        }
    }
    if (kept < set->count) {
        set_clear(set);
        for (uint32_t i = 0; i < kept; i++) {
            (void)set_add(set, &configs[i]);
        }
    }
    free(configs);
}

static void swap_sets(struct search *search)
{
    struct config_set now = search->now;
    search->now = search->next;
    search->next = now;
    set_clear(&search->next);
}

static void begin_call(struct search *search, uint32_t operation)
{
    const struct check_operation *begun = &search->operations[operation];
    if (begun->returned == CHECK_NEVER && is_reader(begun)) {
        return; /* Whatever it would have seen, nobody knows. */
    }
    uint32_t slot = 0;
    while (slot < SLOTS && search->slots[slot] != CHECK_NEVER) {
        slot++;
    }
    if (slot == SLOTS) {
        search->is_given_up = true;
        return;
    }
    search->slots[slot] = operation;
    if (slot >= search->slot_end) {
        search->slot_end = slot + 1;
    }
    if (!is_reader(begun)) {
        return;
    }
    for (uint32_t at = 0; at < search->now.count; at++) {
        struct config config = search->now.configs[at];
        settle_readers(search, &config);
        (void)set_add(&search->next, &config);
    }
    swap_sets(search);
}

static void end_call(struct search *search, uint32_t operation)
{
    uint32_t slot = 0;
    while (search->slots[slot] != operation) {
        slot++;
        assert(slot < SLOTS);
    }
    set_clear(&search->seen);
    for (uint32_t at = 0; at < search->now.count; at++) {
        struct config config = search->now.configs[at];
        if (is_done(&config, slot)) {
            set_done(&config, slot, false);
            (void)set_add(&search->next, &config);
        } else {
            (void)set_add(&search->seen, &config);
        }
    }
    expand(search, slot);
    search->slots[slot] = CHECK_NEVER;
    while (search->slot_end > 0 && search->slots[search->slot_end - 1] == CHECK_NEVER) {
        search->slot_end--;
    }
    drop_dominated(search, &search->next);
    swap_sets(search);
}

struct event {
    uint32_t place;
    uint32_t operation; /* Its place among those sorted by key. */
    bool is_return;
};

static void search_begin(struct search *search, uint32_t state, uint64_t steps_max)
{
    set_clear(&search->now);
    set_clear(&search->next);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        search->slots[slot] = CHECK_NEVER;
    }
    search->slot_end = 0;
    search->is_given_up = false;
    search->steps = 0;
    search->steps_max = steps_max;
    struct config config = {.state = state};
    (void)set_add(&search->now, &config);
}

/* Nearly all calls of a history with many keys meet no other: no set is needed for those. */
static bool is_alone(const struct search *search, const struct event *events, uint32_t at, uint32_t to)
{
    return search->slot_end == 0 && search->now.count == 1 && at + 1 < to && events[at + 1].is_return &&
           events[at + 1].operation == events[at].operation;
}

static void call_alone(struct search *search, uint32_t operation)
{
    struct config config = search->now.configs[0];
    if (!take_effect(search, &search->operations[operation], &config.state)) {
        set_clear(&search->now);
        return;
    }
    if (config.state != search->now.configs[0].state) {
        set_clear(&search->now);
        (void)set_add(&search->now, &config);
    }
}

/* Walk events [from, to) of one key; the place at which nothing is possible any more,
 * or `to`. */
static uint32_t walk(struct search *search, const struct event *events, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at++) {
        if (is_alone(search, events, at, to)) {
            at++;
            call_alone(search, events[at].operation);
        } else if (events[at].is_return) {
            end_call(search, events[at].operation);
        } else {
            begin_call(search, events[at].operation);
        }
        if (search->is_given_up || search->now.count == 0) {
            return at;
        }
    }
    return to;
}

/* Is [from, last] impossible by itself, whatever went before? Calls under way at
 * `from` may have taken effect or not. */
static bool is_impossible_from(struct search *search, const struct event *events, uint32_t from,
                               uint32_t last)
{
    search_begin(search, CHECK_VALUE_ANY, NARROW_STEPS_MAX);
    for (uint32_t at = 0; at < from; at++) {
        const struct check_operation *operation = &search->operations[events[at].operation];
        if (events[at].is_return || operation->returned < events[from].place) {
            continue;
        }
        uint32_t end = search->slot_end;
        begin_call(search, events[at].operation);
        if (search->is_given_up) {
            return false;
        }
        if (search->slot_end == end) {
            continue; /* An open read. */
        }
        uint32_t count = search->now.count;
        for (uint32_t i = 0; i < count; i++) {
            struct config config = search->now.configs[i];
            set_done(&config, end, true);
            (void)set_add(&search->now, &config);
        }
        if (search->now.count > DOMINATED_MAX) {
            return false;
        }
    }
    uint32_t stop = walk(search, events, from, last + 1);
    return stop == last && !search->is_given_up && search->now.count == 0;
}

/* The latest event from which on it is impossible already. */
static uint32_t narrow(struct search *search, const struct event *events, uint32_t last)
{
    uint32_t good = 0; /* From the beginning it is. */
    uint32_t width = 1;
    while (width < last && !is_impossible_from(search, events, last - width, last)) {
        width *= 2;
    }
    uint32_t low = width < last ? last - width : good;
    uint32_t high = last;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_impossible_from(search, events, middle, last)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A recording's calls and events by key, each in order: those of a key lie together,
 * which is what the walk's time hangs on. */
struct sorted {
    struct check_operation *operations;
    uint32_t *origins;    /* Their places in the recording. */
    struct event *events; /* begins[key] .. begins[key + 1] */
    uint32_t *begins;
};

/* counts[key + 1] things of each key; to the places at which each key's begin. */
static void sum_up(uint32_t *counts, uint32_t key_count)
{
    for (uint32_t key = 0; key < key_count; key++) {
        counts[key + 1] += counts[key];
    }
}

static uint32_t *zeroes(size_t count)
{
    uint32_t *all = check_resize(NULL, count, sizeof *all);
    memset(all, 0, count * sizeof *all);
    return all;
}

/* Operations by key, and all events in their order. */
static struct event *sort_operations(struct sorted *sorted, const struct check_recording *recording)
{
    struct event *events = check_resize(NULL, recording->event_count + 1, sizeof *events);
    memset(events, 0xff, recording->event_count * sizeof *events);
    uint32_t *next = zeroes(recording->key_count + 2);
    for (uint32_t i = 0; i < recording->count; i++) {
        next[recording->operations[i].key + 1]++;
    }
    sum_up(next, recording->key_count);
    for (uint32_t i = 0; i < recording->count; i++) {
        const struct check_operation *operation = &recording->operations[i];
        uint32_t place = next[operation->key]++;
        sorted->operations[place] = *operation;
        sorted->origins[place] = i;
        events[operation->invoked] = (struct event){.place = operation->invoked, .operation = place};
        if (operation->returned != CHECK_NEVER) {
            events[operation->returned] =
                (struct event){.place = operation->returned, .operation = place, .is_return = true};
        }
    }
    free(next);
    return events;
}

static void sort_events(struct sorted *sorted, const struct check_recording *recording,
                        const struct event *all)
{
    for (uint32_t i = 0; i < recording->count; i++) {
        const struct check_operation *operation = &recording->operations[i];
        sorted->begins[operation->key + 1] += operation->returned == CHECK_NEVER ? 1 : 2;
    }
    sum_up(sorted->begins, recording->key_count);
    uint32_t *next = check_resize(NULL, recording->key_count + 1, sizeof *next);
    memcpy(next, sorted->begins, (recording->key_count + 1) * sizeof *next);
    for (uint32_t at = 0; at < recording->event_count; at++) {
        if (all[at].operation != CHECK_NEVER) {
            sorted->events[next[sorted->operations[all[at].operation].key]++] = all[at];
        }
    }
    free(next);
}

static struct sorted sort_by_key(const struct check_recording *recording)
{
    struct sorted sorted = {
        .operations = check_resize(NULL, recording->count + 1, sizeof *sorted.operations),
        .origins = check_resize(NULL, recording->count + 1, sizeof *sorted.origins),
        .events = check_resize(NULL, recording->event_count + 1, sizeof *sorted.events),
        .begins = zeroes(recording->key_count + 2),
    };
    struct event *all = sort_operations(&sorted, recording);
    sort_events(&sorted, recording, all);
    free(all);
    return sorted;
}

static void sorted_release(struct sorted *sorted)
{
    free(sorted->operations);
    free(sorted->origins);
    free(sorted->events);
    free(sorted->begins);
}

struct check_linear_result check_linear(struct check_recording *recording)
{
    struct check_linear_result result = {.verdict = CHECK_LINEARIZABLE};
    struct sorted sorted = sort_by_key(recording);
    struct search *search = check_resize(NULL, 1, sizeof *search);
    *search = (struct search){.values = &recording->values, .operations = sorted.operations};
    for (uint32_t key = 0; key < recording->key_count; key++) {
        const struct event *own = sorted.events + sorted.begins[key];
        uint32_t count = sorted.begins[key + 1] - sorted.begins[key];
        search_begin(search, recording->initial, STEPS_MAX);
        uint32_t stop = walk(search, own, 0, count);
        if (stop == count) {
            continue;
        }
        result.key = key;
        result.culprit = sorted.origins[own[stop].operation];
        result.window = own[stop].place;
        if (search->is_given_up) {
            result.verdict = CHECK_NOT_JUDGED; /* Unless another key tells. */
            continue;
        }
        result.verdict = CHECK_NOT_LINEARIZABLE;
        result.window = own[narrow(search, own, stop)].place;
        break;
    }
    set_release(&search->now);
    set_release(&search->next);
    set_release(&search->seen);
    free(search);
    sorted_release(&sorted);
    return result;
}
