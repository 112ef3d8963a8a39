/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/linear.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS = 4,
    SLOTS = WORDS * 64,       /* Calls under way on one key at most. */
    CONFIGS_MAX = 1 << 18,    /* Configurations at one instant at most, */
    DOMINATED_MAX = 1 << 11,  /* and so many are held against each other. */
};
#define STEPS_MAX (UINT64_C(1) << 27)        /* Configurations looked at for one key at most, */
#define NARROW_STEPS_MAX (UINT64_C(1) << 21) /* and for one try at a smaller window. */

/* --- values --- */

#define PRIME ((UINT64_C(1) << 61) - 1)
#define BASE UINT64_C(1000003)

static uint64_t reduce(uint64_t value)
{
    value = (value & PRIME) + (value >> 61);
    return value >= PRIME ? value - PRIME : value;
}

/* a * b modulo 2^61 - 1, by halves. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t a_high = a >> 31;
    uint64_t a_low = a & 0x7fffffff;
    uint64_t b_high = b >> 31;
    uint64_t b_low = b & 0x7fffffff;
    uint64_t middle = reduce(a_low * b_high) + reduce(a_high * b_low);
    uint64_t sum = reduce(a_high * b_high * 2) + (middle >> 30) + ((middle & 0x3fffffff) << 31) % PRIME;
    return reduce(reduce(sum) + reduce(a_low * b_low));
}

static uint32_t intern(struct check_values *values, struct check_value value)
{
    uint64_t key = value.hash ^ value.shift << 1;
    uint32_t slot = check_table_find(&values->table, key);
    if (slot != CHECK_TABLE_NONE) {
        return slot;
    }
    if (values->count == values->capacity) {
        values->capacity = check_grown(values->capacity, values->count + 1);
        values->values = check_resize(values->values, values->capacity, sizeof values->values[0]);
    }
    check_table_add(&values->table, key, values->count);
    values->values[values->count] = value;
    return values->count++;
}

void check_values_init(struct check_values *values)
{
    *values = (struct check_values){0};
    uint32_t none = intern(values, (struct check_value){.hash = UINT64_MAX, .shift = 0});
    uint32_t empty = intern(values, (struct check_value){.hash = 0, .shift = 1});
    uint32_t any = intern(values, (struct check_value){.hash = UINT64_MAX - 1, .shift = 0});
    assert(none == CHECK_VALUE_NONE && empty == CHECK_VALUE_EMPTY && any == CHECK_VALUE_ANY);
}

void check_values_release(struct check_values *values)
{
    check_table_release(&values->table);
    free(values->values);
    *values = (struct check_values){0};
}

uint32_t check_values_enter(struct check_values *values, struct base_bytes text)
{
    struct check_value value = {.hash = 0, .shift = 1};
    for (size_t at = 0; at < text.size; at++) {
        value.hash = reduce(multiply(value.hash, BASE) + text.data[at] + 1);
        value.shift = multiply(value.shift, BASE);
    }
    return intern(values, value);
}

uint32_t check_values_append(struct check_values *values, uint32_t value, uint32_t suffix)
{
    if (value == CHECK_VALUE_ANY) {
        return CHECK_VALUE_ANY;
    }
    struct check_value head = values->values[value == CHECK_VALUE_NONE ? CHECK_VALUE_EMPTY : value];
    struct check_value tail = values->values[suffix];
    return intern(values, (struct check_value){.hash = reduce(multiply(head.hash, tail.shift) + tail.hash),
                                               .shift = multiply(head.shift, tail.shift)});
}

void check_recording_init(struct check_recording *recording)
{
    *recording = (struct check_recording){.initial = CHECK_VALUE_NONE};
    check_values_init(&recording->values);
}

void check_recording_release(struct check_recording *recording)
{
    check_values_release(&recording->values);
    free(recording->operations);
    *recording = (struct check_recording){0};
}

struct check_operation *check_recording_add(struct check_recording *recording)
{
    if (recording->count == recording->capacity) {
        recording->capacity = check_grown(recording->capacity, recording->count + 1);
        recording->operations =
            check_resize(recording->operations, recording->capacity, sizeof recording->operations[0]);
    }
    struct check_operation *operation = &recording->operations[recording->count++];
    *operation = (struct check_operation){.returned = CHECK_NEVER};
    return operation;
}

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
    struct check_recording *recording;
    uint32_t slots[SLOTS]; /* The call in each slot; CHECK_NEVER none. */
    uint32_t slot_end;     /* Slots in use are below. */
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
        *state = check_values_append(&search->recording->values, *state, operation->value);
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
        const struct check_operation *operation = &search->recording->operations[search->slots[slot]];
        uint32_t state = config->state;
        if (is_reader(operation) && take_effect(search, operation, &state)) {
            set_done(config, slot, true);
        }
    }
}

/* Of two open calls of the same content, the one in the lower slot goes first. */
static bool has_twin_before(const struct search *search, const struct config *config, uint32_t slot)
{
    const struct check_operation *operation = &search->recording->operations[search->slots[slot]];
    for (uint32_t other = 0; other < slot && operation->returned == CHECK_NEVER; other++) {
        if (search->slots[other] == CHECK_NEVER || is_done(config, other)) {
            continue;
        }
        const struct check_operation *twin = &search->recording->operations[search->slots[other]];
        if (twin->returned == CHECK_NEVER && twin->action == operation->action && twin->from == operation->from &&
            twin->value == operation->value) {
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
            if (!take_effect(search, &search->recording->operations[search->slots[slot]], &then.state)) {
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
            search->recording->operations[search->slots[slot]].returned == CHECK_NEVER) {
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
    const struct check_operation *begun = &search->recording->operations[operation];
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
    uint32_t operation;
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

/* Walk events [from, to) of one key; the place at which nothing is possible any more,
 * or `to`. */
static uint32_t walk(struct search *search, const struct event *events, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at++) {
        if (events[at].is_return) {
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
static bool is_impossible_from(struct search *search, const struct event *events, uint32_t from, uint32_t last)
{
    search_begin(search, CHECK_VALUE_ANY, NARROW_STEPS_MAX);
    for (uint32_t at = 0; at < from; at++) {
        const struct check_operation *operation = &search->recording->operations[events[at].operation];
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

/* All events by key, in order: events[begins[key] .. begins[key + 1]). */
static struct event *sort_events(const struct check_recording *recording, uint32_t *begins)
{
    struct event *all = check_resize(NULL, recording->event_count + 1, sizeof *all);
    struct event *events = check_resize(NULL, recording->event_count + 1, sizeof *events);
    memset(all, 0xff, recording->event_count * sizeof *all);
    for (uint32_t i = 0; i < recording->count; i++) {
        const struct check_operation *operation = &recording->operations[i];
        all[operation->invoked] = (struct event){.place = operation->invoked, .operation = i};
        if (operation->returned != CHECK_NEVER) {
            all[operation->returned] =
                (struct event){.place = operation->returned, .operation = i, .is_return = true};
        }
    }
    for (uint32_t at = 0; at < recording->event_count; at++) {
        if (all[at].operation != CHECK_NEVER) {
            begins[recording->operations[all[at].operation].key + 1]++;
        }
    }
    for (uint32_t key = 0; key < recording->key_count; key++) {
        begins[key + 1] += begins[key];
    }
    uint32_t *next = check_resize(NULL, recording->key_count + 1, sizeof *next);
    memcpy(next, begins, (recording->key_count + 1) * sizeof *next);
    for (uint32_t at = 0; at < recording->event_count; at++) {
        if (all[at].operation != CHECK_NEVER) {
            events[next[recording->operations[all[at].operation].key]++] = all[at];
        }
    }
    free(next);
    free(all);
    return events;
}

struct check_linear_result check_linear(struct check_recording *recording)
{
    struct check_linear_result result = {.verdict = CHECK_LINEARIZABLE};
    struct search *search = check_resize(NULL, 1, sizeof *search);
    *search = (struct search){.recording = recording};
    uint32_t *begins = check_resize(NULL, recording->key_count + 2, sizeof *begins);
    memset(begins, 0, (recording->key_count + 2) * sizeof *begins);
    struct event *events = sort_events(recording, begins);
    for (uint32_t key = 0; key < recording->key_count; key++) {
        const struct event *own = events + begins[key];
        uint32_t count = begins[key + 1] - begins[key];
        search_begin(search, recording->initial, STEPS_MAX);
        uint32_t stop = walk(search, own, 0, count);
        if (stop == count) {
            continue;
        }
        result.key = key;
        result.culprit = own[stop].operation;
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
    free(begins);
    free(events);
    return result;
}
