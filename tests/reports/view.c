/* view FOLDER: runs of real scenarios as a trace for Perfetto and as a page, and
 * whether each is what its readers take it for. Ends with "N passed, N failed". */
/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "reports/page.h"
#include "reports/perfetto.h"
#include "sim/campaign/memory.h"
#include "tests/reports/page_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TRACKS_MAX = 4096 };

static unsigned passed, failed;

static void say(bool is_good, const char *scenario, const char *what)
{
    passed += is_good;
    failed += !is_good;
    if (!is_good) {
        printf("%s: %s\n", scenario, what);
    }
}

/* A thread of the trace, as a viewer sees it. */
struct track {
    json_int_t pid, tid;
    double us;
    int depth;
    bool is_named;
};

struct tracks {
    struct track all[TRACKS_MAX];
    size_t count;
    json_int_t pids[TRACKS_MAX]; /* Processes with a name. */
    size_t pid_count;
    bool has_pids, are_named, are_monotone, are_balanced;
    unsigned slices, arrows, counters, global;
};

static struct track *track_of(struct tracks *tracks, const json_t *event)
{
    json_int_t pid = json_integer_value(json_object_get(event, "pid"));
    json_int_t tid = json_integer_value(json_object_get(event, "tid"));
    for (size_t i = 0; i < tracks->count; i++) {
        if (tracks->all[i].pid == pid && tracks->all[i].tid == tid) {
            return &tracks->all[i];
        }
    }
    if (tracks->count == TRACKS_MAX) {
        abort();
    }
    struct track *track = &tracks->all[tracks->count++];
    *track = (struct track){.pid = pid, .tid = tid};
    return track;
}

static bool has_name(const struct tracks *tracks, json_int_t pid)
{
    for (size_t i = 0; i < tracks->pid_count; i++) {
        if (tracks->pids[i] == pid) {
            return true;
        }
    }
    return false;
}

static void look(struct tracks *tracks, const json_t *event)
{
    struct track *track = track_of(tracks, event);
    const char *name = json_string_value(json_object_get(event, "name"));
    char phase = json_string_value(json_object_get(event, "ph"))[0];
    if (phase == 'M') {
        track->is_named |= strcmp(name, "thread_name") == 0;
        if (strcmp(name, "process_name") == 0) {
            tracks->pids[tracks->pid_count++] = track->pid;
        }
        return;
    }
    double us = json_number_value(json_object_get(event, "ts"));
    tracks->are_monotone &= us >= track->us;
    tracks->are_named &= track->is_named;
    tracks->has_pids &= has_name(tracks, track->pid);
    track->us = us;
    track->depth += phase == 'B' ? 1 : phase == 'E' ? -1 : 0;
    tracks->are_balanced &= track->depth >= 0;
    tracks->slices += phase == 'B';
    tracks->arrows += phase == 'f';
    tracks->counters += phase == 'C';
    const char *scope = json_string_value(json_object_get(event, "s"));
    tracks->global += scope && scope[0] == 'g';
}

static void check_trace(const char *scenario, const char *text, bool is_broken)
{
    static struct tracks tracks;
    tracks = (struct tracks){.has_pids = true, .are_named = true, .are_monotone = true, .are_balanced = true};
    json_error_t error;
    json_t *trace = json_loads(text, 0, &error);
    say(trace != NULL, scenario, "the trace is JSON");
    const json_t *events = json_object_get(trace, "traceEvents");
    for (size_t i = 0; i < json_array_size(events); i++) {
        look(&tracks, json_array_get(events, i));
    }
    for (size_t i = 0; i < tracks.count; i++) {
        tracks.are_balanced &= tracks.all[i].depth == 0;
    }
    say(tracks.has_pids && tracks.are_named, scenario, "every process and thread has a name");
    say(tracks.are_monotone, scenario, "time goes on in every thread");
    say(tracks.are_balanced, scenario, "what begins ends");
    say(tracks.slices > 0 && tracks.arrows > 0 && tracks.counters > 0, scenario, "all sorts are there");
    say(tracks.global == is_broken, scenario, "a broken promise is seen everywhere");
    json_decref(trace);
}

/* A scenario of a file, and one seed of it. */
struct subject {
    struct script_file *file;
    struct campaign_plan_options plan;
    struct campaign_tally tally;
    struct script_outcome outcome;
    struct script_worlds *worlds;
    struct report_run run;
};

static void play(struct subject *subject, struct sim_sink *sink, struct script_outcome *outcome)
{
    struct script_run_options options = {.seed = subject->run.seed, .sink = sink};
    *outcome = (struct script_outcome){0};
    script_run(subject->file, 0, &options, &subject->worlds, outcome);
}

static void subject_init(struct subject *subject, const char *path, uint64_t seed)
{
    char error[SCRIPT_TEXT_MAX];
    *subject = (struct subject){.file = script_open(path, NULL, 0, error)};
    if (!subject->file) {
        fprintf(stderr, "view: %s\n", error);
        exit(2);
    }
    struct campaign_unit unit = {.file = subject->file, .scenario = script_get(subject->file, 0)};
    campaign_tally_init(&subject->tally, &unit);
    subject->run = (struct report_run){.plan = &subject->plan,
                                       .scenario = unit.scenario,
                                       .outcome = &subject->outcome,
                                       .seed = seed};
    play(subject, NULL, &subject->outcome);
    struct campaign_result result = {.outcome = subject->outcome};
    (void)campaign_tally_add(&subject->tally, seed, &result);
    subject->run.failure = subject->tally.failure_count > 0 ? &subject->tally.failures[0] : NULL;
}

static void subject_release(struct subject *subject)
{
    campaign_tally_release(&subject->tally);
    script_outcome_release(&subject->outcome);
    script_worlds_free(subject->worlds);
    script_close(subject->file);
}

static void try_trace(struct subject *subject)
{
    const char *name = subject->run.scenario->name;
    char *texts[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        size_t size = 0;
        struct script_outcome outcome;
        FILE *out = open_memstream(&texts[i], &size);
        struct report_perfetto *perfetto = report_perfetto_new(&subject->run, out);
        play(subject, report_perfetto_sink(perfetto), &outcome);
        report_perfetto_end(perfetto);
        (void)fclose(out);
        say(strcmp(outcome.digest, subject->outcome.digest) == 0, name, "being watched changes nothing");
        script_outcome_release(&outcome);
    }
    say(strcmp(texts[0], texts[1]) == 0, name, "the same seed gives the same trace");
    check_trace(name, texts[0], subject->run.failure != NULL);
    free(texts[0]);
    free(texts[1]);
}

/* What the page must have: times, kinds and machines of all events, in order. */
struct witness {
    struct sim_sink sink;
    struct sim_sink *page; /* Told the same. */
    struct page_event *events;
    size_t count;
};

static void see(void *context, const struct sim_event *event)
{
    struct witness *witness = context;
    witness->events = campaign_grow(witness->events, witness->count, sizeof witness->events[0]);
    witness->events[witness->count++] = (struct page_event){.time_ns = event->time_ns,
                                                            .number = event->number,
                                                            .kind = (uint64_t)event->kind,
                                                            .machine = event->machine,
                                                            .text_size = event->text.size};
    witness->page->event(witness->page->context, event);
}

static bool is_told(const struct witness *witness, const struct page_read *read)
{
    bool is_same = witness->count == read->count;
    for (size_t i = 0; is_same && i < read->count; i++) {
        const struct page_event *a = &witness->events[i];
        const struct page_event *b = &read->events[i];
        is_same = a->time_ns == b->time_ns && a->number == b->number && a->kind == b->kind &&
                  a->machine == b->machine && a->text_size == b->text_size;
    }
    return is_same;
}

/* Nearly every message that came is known by the one that sent it. */
static bool are_matched(const struct page_read *read)
{
    size_t received = 0;
    size_t matched = 0;
    for (size_t i = 0; i < read->count; i++) {
        const struct page_event *event = &read->events[i];
        if (event->kind != SIM_EVENT_RECEIVE) {
            continue;
        }
        received++;
        const struct page_event *sent = event->sent_ago > 0 ? &read->events[i - event->sent_ago] : NULL;
        matched += sent && sent->kind == SIM_EVENT_SEND && sent->machine == event->fields[0] &&
                   sent->fields[0] == event->machine && sent->fields[1] == event->fields[1];
    }
    return received > 0 && matched * 100 >= received * 99;
}

static void try_page(struct subject *subject)
{
    const char *name = subject->run.scenario->name;
    struct report_survey survey;
    struct script_outcome outcome;
    struct page_read read;
    char *text = NULL;
    size_t size = 0;
    report_survey_init(&survey);
    play(subject, &survey.sink, &outcome);
    script_outcome_release(&outcome);
    FILE *out = open_memstream(&text, &size);
    struct report_page *page = report_page_new(&subject->run, &survey, out);
    struct witness witness = {.page = report_page_sink(page)};
    witness.sink = (struct sim_sink){.context = &witness, .event = see};
    play(subject, &witness.sink, &outcome);
    script_outcome_release(&outcome);
    report_page_end(page);
    (void)fclose(out);
    say(page_read(&read, text), name, "the page can be read back");
    say(is_told(&witness, &read), name, "it has every event");
    say(are_matched(&read), name, "what was received was sent");
    say(json_is_null(json_object_get(read.about, "failure")) == !subject->run.failure, name,
        "it says how the run ended");
    page_read_release(&read);
    free(witness.events);
    free(text);
}

static void try(const char *folder, const char *file, uint64_t seed)
{
    static struct subject subject;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    subject_init(&subject, path, seed);
    try_trace(&subject);
    try_page(&subject);
    subject_release(&subject);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "view: found %d arguments, expected the folder of the repository\n", argc - 1);
        return 2;
    }
    try(argv[1], "tests/campaign/held.lua", 5);
    try(argv[1], "tests/campaign/broken.lua", 4);
    try(argv[1], "scenarios/examples/02-partition.lua", 1);
    try(argv[1], "scenarios/examples/03-load.lua", 1);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
