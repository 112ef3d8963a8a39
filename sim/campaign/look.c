/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/look.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/part.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/relevant.h"
#include "sim/campaign/ring.h"
#include "sim/campaign/worker.h"

#include <assert.h>
#include <stdlib.h>

struct view {
    const struct campaign_look *look;
    struct campaign_tally *tally;
    struct campaign_failure *failures[CAMPAIGN_LOOKS_MAX];
    uint64_t count;
};

static void put_events(struct base_buffer *buffer, const struct campaign_event *events, size_t count)
{
    base_put_u64(buffer, count);
    for (size_t i = 0; i < count; i++) {
        base_put_u64(buffer, events[i].time_ns);
        base_put_u64(buffer, events[i].number);
        base_put_u32(buffer, events[i].machine);
        base_put_bytes(buffer, base_bytes_of(events[i].member));
        base_put_bytes(buffer, base_bytes_of(events[i].text));
    }
}

static char *get_text(struct base_reader *reader)
{
    struct base_bytes bytes = base_get_bytes(reader);
    char *text = campaign_alloc(bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    return text;
}

static void get_events(struct base_reader *reader, struct campaign_failure *failure)
{
    assert(!failure->events);
    failure->event_count = base_get_u64(reader);
    failure->events = campaign_alloc(failure->event_count * sizeof failure->events[0]);
    for (size_t i = 0; i < failure->event_count; i++) {
        struct campaign_event *event = &failure->events[i];
        event->time_ns = base_get_u64(reader);
        event->number = base_get_u64(reader);
        event->machine = base_get_u32(reader);
        char *member = get_text(reader);
        assert(strlen(member) < sizeof event->member);
        memcpy(event->member, member, strlen(member) + 1);
        free(member);
        event->text = get_text(reader);
    }
    assert(!reader->failed);
}

/* In a worker: the run with a ring, or for two that parted both again. */
static void look_at(void *context, uint64_t task, struct base_buffer *result)
{
    const struct view *view = context;
    const struct campaign_failure *failure = view->failures[task];
    struct script_run_options options = {.seed = failure->seed,
                                         .point = view->tally->scenario->point,
                                         .params = view->look->params,
                                         .param_count = view->look->param_count,
                                         .steps = &campaign_worker_steps};
    const struct campaign_tally *tally = view->tally;
    char sentence[CAMPAIGN_PART_MAX] = "";
    if (failure->kind == CAMPAIGN_PARTED) {
        campaign_part(tally->file, tally->scenario->number, &options, &campaign_worker_steps, sentence);
        put_events(result, NULL, 0);
        base_put_bytes(result, base_bytes_of(sentence));
        return;
    }
    struct campaign_ring ring;
    campaign_ring_init(&ring, CAMPAIGN_EVENTS_MAX, campaign_relevant(failure->judge), failure->time_ns);
    options.sink = &ring.sink;
    struct script_worlds *worlds = NULL;
    struct script_outcome outcome = {0};
    script_run(tally->file, tally->scenario->number, &options, &worlds, &outcome);
    size_t count = 0;
    struct campaign_event *events = campaign_ring_take_events(&ring, &count);
    put_events(result, events, count);
    base_put_bytes(result, base_bytes_of(""));
    campaign_events_free(events, count);
    script_outcome_release(&outcome);
    script_worlds_free(worlds);
    campaign_ring_release(&ring);
}

static bool seen(void *context, uint64_t task, struct base_bytes result)
{
    struct view *view = context;
    struct campaign_failure *failure = view->failures[task];
    struct base_reader reader;
    base_reader_init(&reader, result);
    get_events(&reader, failure);
    char *sentence = get_text(&reader);
    if (sentence[0] != '\0') {
        free(failure->sentence);
        failure->sentence = sentence;
    } else {
        free(sentence);
    }
    return true;
}

static bool lost(void *context, uint64_t task, const char *why)
{
    (void)context;
    (void)task;
    (void)why;
    return true;
}

void campaign_look_again(const struct campaign_look *look, struct campaign_tally *tally)
{
    struct view view = {.look = look, .tally = tally};
    for (size_t i = 0; i < tally->failure_count && view.count < CAMPAIGN_LOOKS_MAX; i++) {
        struct campaign_failure *failure = &tally->failures[i];
        bool has_events = failure->kind == CAMPAIGN_VIOLATED || failure->kind == CAMPAIGN_SHOWN;
        if (has_events || failure->kind == CAMPAIGN_PARTED) {
            view.failures[view.count++] = failure;
        }
    }
    if (view.count == 0) {
        return;
    }
    struct campaign_pool pool = {.context = &view,
                                 .workers = look->jobs < view.count ? look->jobs : (uint32_t)view.count,
                                 .tasks = view.count,
                                 .work = look_at,
                                 .done = seen,
                                 .lost = lost};
    (void)campaign_pool_run(&pool);
}
