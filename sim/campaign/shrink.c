/* The order of things. A list of acts is cut by halves, quarters … single ones (ddmin),
 * from its end, for what comes late disturbs least. Then clients, members, options and
 * arguments, then times. Each step is one trial of a candidate, and the first candidate
 * that breaks the promise is gone on with; when nothing can be left out any more, times
 * and numbers are rounded. Whatever happens after the violation is cut for nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/shrink.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/reduce.h"
#include "sim/campaign/setup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 8, GAPS = 3, UNITS = 7 };

/* The state of the search. */
struct search {
    struct campaign_shrink *shrink;
    const struct campaign_shrink_options *options;
    struct campaign_trials trials;
    /* Of the pass under way: candidate 0 is at this place. */
    size_t start;
    size_t chunk;
    bool is_rounding; /* A round end stays, also when it comes later than the violation. */
};

static struct campaign_schedule *best(const struct search *search)
{
    return &search->shrink->schedule;
}

/* --- going on with a candidate --- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;
    return first < second ? -1 : first > second;
}

/* Without what the world refused, and what would be done after all was over. */
static void tidy(struct campaign_schedule *schedule, struct campaign_trial *trial, bool keeps_end)
{
    qsort(trial->refused, trial->refused_count, sizeof trial->refused[0], compare_numbers);
    for (uint32_t i = trial->refused_count; i-- > 0;) {
        bool is_again = i + 1 < trial->refused_count && trial->refused[i] == trial->refused[i + 1];
        if (!is_again && trial->refused[i] < schedule->act_count) {
            campaign_schedule_cut(schedule, trial->refused[i], 1);
        }
    }
    size_t count = schedule->act_count;
    while (count > 0 && schedule->acts[count - 1].time_ns > trial->time_ns) {
        count--;
    }
    schedule->act_count = count;
    campaign_schedule_prune(schedule);
    if (trial->time_ns < schedule->end_ns && !keeps_end) {
        schedule->end_ns = trial->time_ns + 1;
    }
}

static void adopt(struct search *search, struct campaign_schedule *take_schedule,
                  struct campaign_trial *trial)
{
    struct campaign_shrink *shrink = search->shrink;
    tidy(take_schedule, trial, search->is_rounding);
    campaign_schedule_release(&shrink->schedule);
    shrink->schedule = *take_schedule;
    shrink->after.time_ns = trial->time_ns;
    memcpy(shrink->sentence, trial->sentence, sizeof shrink->sentence);
    if (search->options->progress) {
        search->options->progress(search->options->context, &shrink->schedule, search->trials.run_count);
    }
}

/* Try a row of candidates and go on with the first that breaks the promise. Answers its
 * place in the row; `count`: none does. */
static size_t try_row(struct search *search, size_t count, campaign_trial_make make)
{
    struct campaign_trial trial = {.time_ns = 0};
    size_t found = campaign_trial_first(&search->trials, count, make, search, true, &trial);
    if (found < count) {
        struct campaign_schedule schedule;
        uint64_t seed = 0;
        bool is_made = make(search, found, &schedule, &seed);
        assert(is_made);
        adopt(search, &schedule, &trial);
    }
    campaign_trial_release(&trial);
    return found;
}

/* --- acts --- */

/* Without `chunk` acts, the last of which stands before `start - number * chunk`; what a
 * demand stands on is not among them. */
static bool make_cut(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    size_t end = search->start - number * search->chunk;
    size_t first = end < search->chunk ? 0 : end - search->chunk;
    size_t kept = first;
    (void)seed;
    campaign_schedule_copy(out, best(search));
    for (size_t i = first; i < end; i++) {
        struct campaign_act act = out->acts[i];
        bool is_needed =
            search->trials.judge == CHECK_EXPECT && campaign_setup_is_needed(out->acts, kept, &act);
        out->acts[kept] = act;
        kept += is_needed;
    }
    if (kept == end) {
        campaign_schedule_release(out);
        return false;
    }
    campaign_schedule_cut(out, kept, end - kept);
    campaign_schedule_prune(out);
    return true;
}

static bool cut_pass(struct search *search, size_t chunk)
{
    bool has_cut = false;
    search->start = best(search)->act_count;
    search->chunk = chunk;
    while (search->start > 0) {
        size_t count = (search->start + chunk - 1) / chunk;
        size_t found = try_row(search, count, make_cut);
        if (found == count) {
            break;
        }
        has_cut = true;
        size_t end = search->start - found * chunk;
        search->start = end < chunk ? 0 : end - chunk;
        if (search->start > best(search)->act_count) {
            search->start = best(search)->act_count;
        }
    }
    return has_cut;
}

static bool cut_acts(struct search *search)
{
    bool has_cut = false;
    for (size_t chunk = best(search)->act_count; chunk > 0;) {
        bool has_cut_now = cut_pass(search, chunk);
        has_cut = has_cut || has_cut_now;
        if (chunk > 1 || !has_cut_now) {
            chunk /= 2;
        }
        if (chunk > best(search)->act_count) {
            chunk = best(search)->act_count;
        }
    }
    return has_cut;
}

/* --- clients and members --- */

static bool is_client(const struct campaign_act *act)
{
    return act->name && strncmp(act->name, "cli", 3) == 0;
}

/* What one client does, the first one does: the clients behind it, from the last. */
static bool make_merged(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    const struct campaign_schedule *from = best(search);
    size_t first = from->act_count;
    size_t slot = from->act_count;
    (void)seed;
    for (size_t i = from->act_count; i-- > 0;) {
        if (is_client(&from->acts[i])) {
            slot = number-- == 0 ? i : slot;
            first = i;
        }
    }
    if (slot == from->act_count || slot == first) {
        return false;
    }
    campaign_schedule_copy(out, from);
    for (size_t i = slot; i < out->act_count; i++) {
        out->acts[i].text = campaign_reduce_name(out->acts[i].text, from->acts[slot].name,
                                                 from->acts[first].name, &search->shrink->texts);
    }
    campaign_schedule_cut(out, slot, 1);
    return true;
}

static bool merge_clients(struct search *search)
{
    bool has_merged = false;
    for (;;) {
        size_t count = 0;
        for (size_t i = 0; i < best(search)->act_count; i++) {
            count += is_client(&best(search)->acts[i]);
        }
        if (count < 2 || try_row(search, count, make_merged) == count) {
            return has_merged;
        }
        has_merged = true;
    }
}

/* Without one member, from the last on. */
static bool make_fewer(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    struct base_arena *texts = &search->shrink->texts;
    const struct campaign_schedule *from = best(search);
    unsigned member = from->members - (unsigned)number;
    const char *cluster = from->options[0].text ? from->options[0].text : "{}";
    uint32_t learners = (uint32_t)campaign_reduce_key(cluster, "learners", 0);
    uint32_t voters = from->members - learners;
    (void)seed;
    if (voters == 1 && member <= voters) {
        return false;
    }
    campaign_schedule_copy(out, from);
    cluster = member > voters ? campaign_reduce_set_key(cluster, "learners", learners - 1, texts)
                              : campaign_reduce_set_key(cluster, "members", voters - 1, texts);
    out->options[0].text = (char *)(uintptr_t)cluster;
    out->members--;
    size_t kept = 0;
    for (size_t i = 0; i < out->act_count; i++) {
        struct campaign_act act = out->acts[i];
        act.text = campaign_reduce_member(act.text, member, texts);
        const char *point = act.point ? campaign_reduce_member(act.point, member, texts) : NULL;
        if (act.text && (point || !act.point)) {
            act.point = point;
            out->acts[kept++] = act;
        }
    }
    out->act_count = kept;
    campaign_schedule_prune(out);
    return true;
}

static bool drop_members(struct search *search)
{
    bool has_dropped = false;
    while (best(search)->members > 1) {
        size_t count = best(search)->members;
        if (try_row(search, count, make_fewer) == count) {
            break;
        }
        has_dropped = true;
    }
    return has_dropped;
}

/* --- options and arguments --- */

/* The pieces of a schedule that steps are taken in: its options, its acts and their
 * points; NULL: there is nothing. */
static size_t piece_count(const struct campaign_schedule *schedule)
{
    return SCRIPT_TAPE_OPTIONS + 2 * schedule->act_count;
}

static const char *get_piece(const struct campaign_schedule *schedule, size_t piece)
{
    if (piece < SCRIPT_TAPE_OPTIONS) {
        return schedule->options[piece].text;
    }
    const struct campaign_act *act = &schedule->acts[(piece - SCRIPT_TAPE_OPTIONS) / 2];
    return piece % 2 == SCRIPT_TAPE_OPTIONS % 2 ? act->text : act->point;
}

static void set_piece(struct campaign_schedule *schedule, size_t piece, const char *text)
{
    if (piece < SCRIPT_TAPE_OPTIONS) {
        schedule->options[piece].text = (char *)(uintptr_t)text;
        return;
    }
    struct campaign_act *act = &schedule->acts[(piece - SCRIPT_TAPE_OPTIONS) / 2];
    if (piece % 2 == SCRIPT_TAPE_OPTIONS % 2) {
        act->text = text;
    } else {
        act->point = text;
    }
}

/* An option of the scenario as short as it can be: but for the members, nothing. */
static const char *whole_default(const char *text, struct base_arena *texts)
{
    static const char *const counted[] = {"learners", "members"};
    const char *out = "{}";
    for (size_t i = 0; i < 2; i++) {
        uint64_t count = campaign_reduce_key(text, counted[i], UINT64_MAX);
        if (count != UINT64_MAX) {
            out = campaign_reduce_set_key(out, counted[i], count, texts);
        }
    }
    return strcmp(out, "{}") == 0 ? NULL : out;
}

/* Steps in a piece; an option has one more, its default. */
static size_t step_count(const struct campaign_schedule *schedule, size_t piece)
{
    const char *text = get_piece(schedule, piece);
    if (piece >= SCRIPT_TAPE_OPTIONS) {
        /* A point is met once, as it was; without its member or number it would be again. */
        const struct campaign_act *act = &schedule->acts[(piece - SCRIPT_TAPE_OPTIONS) / 2];
        text = act->is_demand || text == act->point ? NULL : text;
    }
    return text ? campaign_reduce_count(text) + (piece < SCRIPT_TAPE_OPTIONS) : 0;
}

static bool make_simpler(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    struct base_arena *texts = &search->shrink->texts;
    const struct campaign_schedule *from = best(search);
    (void)seed;
    number += search->start;
    for (size_t piece = 0; piece < piece_count(from); piece++) {
        size_t steps = step_count(from, piece);
        if (number < steps) {
            const char *before = get_piece(from, piece);
            bool is_option = piece < SCRIPT_TAPE_OPTIONS;
            const char *text = is_option && number == 0 ? whole_default(before, texts)
                                                        : campaign_reduce(before, number - is_option, texts);
            if (text && strcmp(text, before) == 0) {
                return false;
            }
            campaign_schedule_copy(out, from);
            set_piece(out, piece, text);
            return true;
        }
        number -= steps;
    }
    return false;
}

static bool simplify(struct search *search)
{
    bool has_simplified = false;
    search->start = 0;
    for (;;) {
        size_t steps = 0;
        for (size_t piece = 0; piece < piece_count(best(search)); piece++) {
            steps += step_count(best(search), piece);
        }
        size_t count = steps > search->start ? steps - search->start : 0;
        size_t found = try_row(search, count, make_simpler);
        if (found == count) {
            return has_simplified;
        }
        has_simplified = true;
        search->start += found; /* The same place is another step now. */
    }
}

/* --- times --- */

static uint64_t time_at(const struct campaign_schedule *schedule, size_t slot)
{
    return slot < schedule->act_count ? schedule->acts[slot].time_ns : schedule->end_ns;
}

/* What is between an act and the one before it, and before the end: none of it, a
 * tenth, a half. */
static bool make_closer(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    const struct campaign_schedule *from = best(search);
    number += search->start;
    size_t slot = number / GAPS;
    uint64_t before_ns = slot > 0 ? time_at(from, slot - 1) : 0;
    uint64_t gap_ns = time_at(from, slot) > before_ns ? time_at(from, slot) - before_ns : 0;
    const uint64_t gaps_ns[GAPS] = {0, gap_ns / 10, gap_ns / 2};
    uint64_t less_ns = gap_ns - gaps_ns[number % GAPS];
    (void)seed;
    if (less_ns == 0 || (number % GAPS != 0 && gap_ns < 1000000)) {
        return false;
    }
    campaign_schedule_copy(out, from);
    for (size_t i = slot; i < out->act_count; i++) {
        out->acts[i].time_ns -= less_ns;
    }
    out->end_ns -= less_ns;
    return true;
}

static bool come_closer(struct search *search)
{
    bool has_come = false;
    search->start = 0;
    for (;;) {
        size_t steps = GAPS * (best(search)->act_count + 1);
        size_t count = steps > search->start ? steps - search->start : 0;
        size_t found = try_row(search, count, make_closer);
        if (found == count) {
            return has_come;
        }
        has_come = true;
        search->start += found;
    }
}

static const uint64_t units_ns[UNITS] = {1000000000, 500000000, 100000000, 10000000, 1000000, 100000, 10000};

static uint64_t round_time(uint64_t time_ns, uint64_t unit_ns)
{
    return (time_ns + unit_ns / 2) / unit_ns * unit_ns;
}

/* All times in whole units. */
static bool make_rounded(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    uint64_t unit_ns = units_ns[number];
    bool has_changed = false;
    (void)seed;
    campaign_schedule_copy(out, best(search));
    for (size_t i = 0; i < out->act_count; i++) {
        uint64_t time_ns = round_time(out->acts[i].time_ns, unit_ns);
        has_changed = has_changed || time_ns != out->acts[i].time_ns;
        out->acts[i].time_ns = time_ns;
    }
    uint64_t end_ns = (out->end_ns + unit_ns - 1) / unit_ns * unit_ns;
    has_changed = has_changed || end_ns != out->end_ns;
    out->end_ns = end_ns;
    if (!has_changed) {
        campaign_schedule_release(out);
    }
    return has_changed;
}

/* One time, as round as it can be between its neighbours. */
static bool make_rounder(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    const struct campaign_schedule *from = best(search);
    number += search->start;
    size_t slot = number / UNITS;
    uint64_t unit_ns = units_ns[number % UNITS];
    bool is_end = slot == from->act_count;
    uint64_t time_ns = round_time(time_at(from, slot) + (is_end ? unit_ns / 2 : 0), unit_ns);
    (void)seed;
    bool is_round = time_at(from, slot) % unit_ns == 0;
    bool is_early = slot > 0 && time_ns < time_at(from, slot - 1);
    bool is_behind = !is_end && time_ns > time_at(from, slot + 1);
    if (is_round || is_early || is_behind) {
        return false;
    }
    campaign_schedule_copy(out, from);
    if (is_end) {
        out->end_ns = time_ns;
    } else {
        out->acts[slot].time_ns = time_ns;
    }
    return true;
}

static void round_times(struct search *search)
{
    search->is_rounding = true;
    (void)try_row(search, UNITS, make_rounded);
    search->start = 0;
    for (;;) {
        size_t steps = UNITS * (best(search)->act_count + 1);
        size_t count = steps > search->start ? steps - search->start : 0;
        size_t found = try_row(search, count, make_rounder);
        if (found == count) {
            return;
        }
        search->start = ((search->start + found) / UNITS + 1) * UNITS; /* The next time. */
    }
}

/* --- the whole --- */

static bool make_same(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    (void)number;
    (void)seed;
    campaign_schedule_copy(out, best(search));
    return true;
}

static bool make_with_seed(void *context, size_t number, struct campaign_schedule *out, uint64_t *seed)
{
    const struct search *search = context;
    campaign_schedule_copy(out, best(search));
    *seed = number + 1 < search->options->seed ? number + 1 : number + 2;
    return true;
}

static void make_small(struct search *search)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        bool has_changed = cut_acts(search);
        has_changed |= merge_clients(search);
        has_changed |= drop_members(search);
        has_changed |= simplify(search);
        has_changed |= come_closer(search);
        if (!has_changed) {
            break;
        }
    }
    (void)cut_acts(search);
    round_times(search);
}

/* Names from 1 on, and the proof: the schedule as it will be written. */
static void finish(struct search *search)
{
    struct campaign_shrink *shrink = search->shrink;
    struct campaign_trial trial = {.time_ns = 0};
    shrink->is_late = search->trials.is_late;
    search->trials.stop_ns = UINT64_MAX;
    campaign_schedule_renumber(&shrink->schedule, &shrink->texts);
    shrink->is_lenient = campaign_trial_first(&search->trials, 1, make_same, search, false, &trial) != 0;
    campaign_trial_release(&trial);
    search->trials.stop_ns = campaign_real_ns() + CAMPAIGN_SHRINK_SEEDS_NS;
    uint64_t run_count = search->trials.run_count;
    shrink->seeds_breaking = campaign_trial_count(&search->trials, CAMPAIGN_SHRINK_SEEDS, make_with_seed,
                                                  search, shrink->is_lenient);
    shrink->seeds_tried = (size_t)(search->trials.run_count - run_count);
    shrink->run_count += search->trials.run_count;
    shrink->after.acts = shrink->schedule.act_count;
    shrink->after.members = shrink->schedule.members;
}

/* The run once more, with a tape. false: there is nothing to shrink. */
static bool materialise(struct campaign_shrink *shrink, const struct campaign_shrink_options *options,
                        char why[SCRIPT_TAPE_WHY])
{
    struct script_worlds *worlds = NULL;
    struct script_outcome outcome;
    struct script_tape tape;
    script_tape_init(&tape);
    const struct script_run_options run = {.seed = options->seed,
                                           .params = options->params,
                                           .param_count = options->param_count,
                                           .tape = &tape};
    script_run(options->file, options->scenario->number, &run, &worlds, &outcome);
    shrink->run_count = 1;
    shrink->violation = outcome.violation;
    memcpy(shrink->why, outcome.error, sizeof shrink->why);
    switch (outcome.verdict) {
    case SCRIPT_HELD:
        shrink->end = CAMPAIGN_SHRINK_HELD;
        break;
    case SCRIPT_VIOLATED:
        shrink->end = CAMPAIGN_SHRUNK;
        break;
    case SCRIPT_WRONG:
        shrink->end = CAMPAIGN_SHRINK_WRONG;
        break;
    case SCRIPT_UNJUDGED:
        shrink->end = CAMPAIGN_SHRINK_UNJUDGED;
        break;
    }
    campaign_schedule_init(&shrink->schedule, &tape, shrink->violation.judge == CHECK_EXPECT, &shrink->texts,
                           why);
    shrink->before = (struct campaign_shrink_figures){.acts = shrink->schedule.act_count,
                                                      .members = shrink->schedule.members,
                                                      .time_ns = outcome.violation.time_ns};
    script_tape_release(&tape);
    script_outcome_release(&outcome);
    script_worlds_free(worlds);
    return shrink->end == CAMPAIGN_SHRUNK;
}

void campaign_shrink_init(struct campaign_shrink *shrink, const struct campaign_shrink_options *options)
{
    char untold[SCRIPT_TAPE_WHY];
    *shrink = (struct campaign_shrink){.run_count = 0};
    base_arena_init(&shrink->texts, &campaign_memory);
    uint64_t stop_ns = campaign_real_ns() + options->limit_ns;
    if (!materialise(shrink, options, untold)) {
        return;
    }
    uint64_t end_ns = shrink->schedule.end_ns;
    uint64_t time_ns = shrink->before.time_ns;
    struct search search = {.shrink = shrink,
                            .options = options,
                            .trials = {.judge = shrink->violation.judge,
                                       .seed = options->seed,
                                       .jobs = options->jobs,
                                       .stop_ns = UINT64_MAX,
                                       .slack_ns = UINT64_C(60000000000)}};
    search.trials.slack_ns += time_ns > end_ns ? 2 * (time_ns - end_ns) : 0;
    campaign_trial_demand(shrink->violation.sentence, search.trials.demand);
    if (try_row(&search, 1, make_same) != 0) {
        shrink->end = CAMPAIGN_SHRINK_UNTOLD;
        (void)snprintf(shrink->why, sizeof shrink->why, "%s",
                       untold[0] ? untold : "what the script does is not all there is to it");
        return;
    }
    search.trials.stop_ns = stop_ns;
    make_small(&search);
    finish(&search);
}

void campaign_shrink_release(struct campaign_shrink *shrink)
{
    campaign_schedule_release(&shrink->schedule);
    base_arena_release(&shrink->texts);
}
