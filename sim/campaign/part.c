/* Each run is a child process that writes its events into a pipe as they happen; the
 * parent reads one from each and compares. Nothing but the pipes is ever full. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/campaign/part.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/names.h"
#include "sim/campaign/text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 400, HEAD_WORDS = 5 + SIM_FIELDS_MAX };

/* One run, as its reader sees it. */
struct side {
    pid_t pid;
    FILE *events;
    struct sim_event event;
    char text[TEXT_MAX];
    bool is_over;
};

static void write_event(void *context, const struct sim_event *event)
{
    FILE *out = context;
    size_t size = event->text.size < TEXT_MAX ? event->text.size : TEXT_MAX;
    uint64_t head[HEAD_WORDS] = {event->time_ns, event->number, event->kind, event->machine, size};
    memcpy(head + 5, event->fields, sim_event_info(event->kind)->field_count * sizeof head[0]);
    if (fwrite(head, sizeof head, 1, out) != 1 || (size > 0 && fwrite(event->text.data, size, 1, out) != 1)) {
        _exit(0); /* Nobody reads any more. */
    }
}

static void run_once(const struct script_file *file, uint32_t number,
                     const struct script_run_options *options, struct script_worlds **worlds)
{
    struct script_outcome outcome = {0};
    script_run(file, number, options, worlds, &outcome);
    script_outcome_release(&outcome);
}

static void start(struct side *side, const struct script_file *file, uint32_t number,
                  const struct script_run_options *options, bool is_used)
{
    int ends[2];
    if (pipe(ends) != 0) {
        abort();
    }
    side->pid = fork();
    if (side->pid < 0) {
        abort();
    }
    if (side->pid > 0) {
        (void)close(ends[1]);
        side->events = fdopen(ends[0], "rb");
        return;
    }
    (void)close(ends[0]);
    struct script_worlds *worlds = NULL;
    if (is_used) {
        run_once(file, number, options, &worlds);
    }
    FILE *out = fdopen(ends[1], "wb");
    struct sim_sink sink = {.context = out, .event = write_event};
    struct script_run_options with_sink = *options;
    with_sink.sink = &sink;
    run_once(file, number, &with_sink, &worlds);
    (void)fclose(out);
    _exit(0);
}

static void read_event(struct side *side)
{
    uint64_t head[HEAD_WORDS];
    if (fread(head, sizeof head, 1, side->events) != 1) {
        side->is_over = true;
        return;
    }
    size_t size = head[4] < TEXT_MAX ? head[4] : TEXT_MAX;
    if (size > 0 && fread(side->text, size, 1, side->events) != 1) {
        side->is_over = true;
        return;
    }
    side->event = (struct sim_event){.time_ns = head[0],
                                     .number = head[1],
                                     .kind = (enum sim_event_kind)head[2],
                                     .machine = (uint32_t)head[3],
                                     .text = {.data = (const uint8_t *)side->text, .size = size}};
    memcpy(side->event.fields, head + 5, sizeof side->event.fields);
}

/* What the two events differ in, or NULL. */
static const char *difference(const struct sim_event *a, const struct sim_event *b)
{
    if (a->kind != b->kind) {
        return "kind";
    }
    if (a->time_ns != b->time_ns) {
        return "time";
    }
    if (a->machine != b->machine) {
        return "machine";
    }
    const struct sim_event_info *info = sim_event_info(a->kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (a->fields[i] != b->fields[i]) {
            return info->fields[i];
        }
    }
    return base_bytes_equal(a->text, b->text) ? NULL : "text";
}

static void describe(const struct campaign_names *names, const struct side *side, char *out, size_t size)
{
    if (side->is_over) {
        (void)snprintf(out, size, "is over");
        return;
    }
    char member[CAMPAIGN_NAME_MAX];
    char when[32];
    char text[120];
    campaign_names_machine(side->event.machine, member);
    campaign_text_time(side->event.time_ns, when);
    campaign_names_text(names, &side->event, text, sizeof text);
    (void)snprintf(out, size, "has %s %s %s", when, member, text);
}

static void explain(const struct campaign_names *names, const struct side *a, const struct side *b,
                    const char *what, uint64_t number, char out[CAMPAIGN_PART_MAX])
{
    char first[180];
    char second[180];
    describe(names, a, first, sizeof first);
    describe(names, b, second, sizeof second);
    (void)snprintf(out, CAMPAIGN_PART_MAX,
                   "two runs part at event %" PRIu64 " in its %s: one %s, the other %s", number, what, first,
                   second);
}

static void end(struct side *side)
{
    (void)kill(side->pid, SIGKILL);
    (void)waitpid(side->pid, NULL, 0);
    (void)fclose(side->events);
}

void campaign_part(const struct script_file *file, uint32_t number, const struct script_run_options *options,
                   volatile uint64_t *steps, char out[CAMPAIGN_PART_MAX])
{
    struct side a = {0};
    struct side b = {0};
    struct campaign_names names = {0};
    (void)fflush(NULL);
    start(&a, file, number, options, false);
    start(&b, file, number, options, true);
    const char *what = NULL;
    uint64_t count = 0;
    while (!what) {
        read_event(&a);
        read_event(&b);
        count++;
        (*steps)++;
        if (a.is_over || b.is_over) {
            what = a.is_over != b.is_over ? "existence" : NULL;
            break;
        }
        what = difference(&a.event, &b.event);
        campaign_names_learn(&names, &a.event);
    }
    if (what) {
        explain(&names, &a, &b, what, count, out);
    } else {
        (void)snprintf(out, CAMPAIGN_PART_MAX,
                       "the digests of two runs differ, but two further runs agree in all events");
    }
    end(&a);
    end(&b);
    campaign_names_release(&names);
}
