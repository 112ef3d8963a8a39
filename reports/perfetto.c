/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/perfetto.h"

#include "core/base/status.h"
#include "core/wire/wire.h"
#include "reports/flight.h"
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/names.h"
#include "sim/campaign/text.h"
#include "sim/event_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { TEXT_MAX = 512, NAME_BYTES = 64 };

/* Processes. A member's is MEMBERS and its number. */
enum { WORLD = 1, CLIENTS = 2, MEMBERS = 10 };

/* Threads of a member, in the order they are shown. A thread's id is its process's
 * times a hundred and this, for ids must not repeat; lanes begin far above. */
enum thread { MACHINE, RAFT, STORAGE, APPLY, LESSOR, NETWORK, THREAD_COUNT };
enum { VERDICT = 1, NOTES = 2, LANES = 100000 };

static const char *const thread_names[THREAD_COUNT] = {
    [MACHINE] = "machine", [RAFT] = "raft",     [STORAGE] = "storage",
    [APPLY] = "apply",     [LESSOR] = "lessor", [NETWORK] = "network",
};

struct member {
    bool is_known; /* Its process has been named, */
    bool has_thread[THREAD_COUNT];
    bool has_life, is_paused, has_role; /* These slices are open: up or down; paused; a role. */
};

/* A thread of the world's or of the clients' for what lasts: one cut link, or a
 * client with one call at a time; a second call meanwhile takes another lane. */
struct lane {
    uint32_t pid, a, b; /* World: a link from a to b. Clients: client a; b: which of its lanes. */
    bool is_open;
    uint64_t call;
};

struct report_perfetto {
    const struct report_run *run;
    FILE *out;
    struct sim_sink sink;
    struct campaign_names names;
    struct report_flight *flight;
    struct member members[SIM_MEMBERS_MAX + 1];
    struct lane *lanes;
    size_t lane_count;
    uint32_t first_lanes[SIM_MACHINES_MAX + 1]
                        [2]; /* Of each client, b 0 and 1: its place and one; 0: none. */
    bool has_any;
    bool has_world, has_clients, has_notes;
    uint64_t time_ns; /* Of the last event. */
};

/* --- JSON --- */

static void put_text(FILE *out, const char *text)
{
    char *clean = report_text_clean(text);
    fputc('"', out);
    for (const char *at = clean; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            fprintf(out, "\\%c", *at);
        } else if (*at == '\n' || *at == '\t') {
            fputs(*at == '\n' ? "\\n" : "\\t", out);
        } else {
            fputc(*at, out);
        }
    }
    fputc('"', out);
    free(clean);
}

/* One record, still open: `}` is to follow. Times are µs, with what is below as decimals. */
static void put_head(struct report_perfetto *perfetto, char phase, uint64_t time_ns, uint32_t pid,
                     uint32_t tid)
{
    fprintf(perfetto->out,
            "%s{\"ph\":\"%c\",\"ts\":%" PRIu64 ".%03" PRIu64 ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32,
            perfetto->has_any ? ",\n" : "", phase, time_ns / 1000, time_ns % 1000, pid, tid);
    perfetto->has_any = true;
}

static void put_name(struct report_perfetto *perfetto, const char *name)
{
    fputs(",\"name\":", perfetto->out);
    put_text(perfetto->out, name);
}

/* The event as `replay -v` says it. */
static void put_what(struct report_perfetto *perfetto, const struct sim_event *event)
{
    char text[TEXT_MAX];
    campaign_names_text(&perfetto->names, event, text, sizeof text);
    fputs(",\"args\":{\"what\":", perfetto->out);
    put_text(perfetto->out, text);
    fputc('}', perfetto->out);
}

static void put_end(struct report_perfetto *perfetto)
{
    fputc('}', perfetto->out);
}

/* --- who is who --- */

static void name(struct report_perfetto *perfetto, const char *what, uint32_t pid, uint32_t tid,
                 const char *text)
{
    fprintf(perfetto->out, "%s{\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":\"%s\"",
            perfetto->has_any ? ",\n" : "", pid, tid, what);
    perfetto->has_any = true;
    fputs(",\"args\":{\"name\":", perfetto->out);
    put_text(perfetto->out, text);
    fputs("}}", perfetto->out);
}

static void sort(struct report_perfetto *perfetto, const char *what, uint32_t pid, uint32_t tid,
                 uint32_t place)
{
    fprintf(perfetto->out,
            ",\n{\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
            ",\"name\":\"%s\",\"args\":{\"sort_index\":%" PRIu32 "}}",
            pid, tid, what, place);
}

static void name_process(struct report_perfetto *perfetto, uint32_t pid, const char *text, uint32_t place)
{
    name(perfetto, "process_name", pid, pid * 100, text);
    sort(perfetto, "process_sort_index", pid, pid * 100, place);
}

static void name_thread(struct report_perfetto *perfetto, uint32_t pid, uint32_t tid, const char *text)
{
    name(perfetto, "thread_name", pid, tid, text);
    sort(perfetto, "thread_sort_index", pid, tid, tid);
}

static uint32_t pid_of_member(uint32_t machine)
{
    assert(machine > 0 && machine <= SIM_MEMBERS_MAX);
    return MEMBERS + machine;
}

static uint32_t tid_of_member(struct report_perfetto *perfetto, uint32_t machine, enum thread thread)
{
    struct member *member = &perfetto->members[machine];
    uint32_t pid = pid_of_member(machine);
    if (!member->is_known) {
        char text[CAMPAIGN_NAME_MAX];
        campaign_names_machine(machine, text);
        name_process(perfetto, pid, text, machine);
        member->is_known = true;
    }
    uint32_t tid = pid * 100 + (uint32_t)thread + 1;
    if (!member->has_thread[thread]) {
        name_thread(perfetto, pid, tid, thread_names[thread]);
        member->has_thread[thread] = true;
    }
    return tid;
}

static uint32_t tid_of_world(struct report_perfetto *perfetto)
{
    if (!perfetto->has_world) {
        name_process(perfetto, WORLD, "world", 0);
        perfetto->has_world = true;
    }
    if (!perfetto->has_notes) {
        name_thread(perfetto, WORLD, WORLD * 100 + NOTES, "notes and faults");
        perfetto->has_notes = true;
    }
    return WORLD * 100 + NOTES;
}

static uint32_t tid_of_lane(const struct report_perfetto *perfetto, const struct lane *lane)
{
    return LANES + (uint32_t)(lane - perfetto->lanes);
}

static struct lane *lane_find(struct report_perfetto *perfetto, uint32_t pid, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < perfetto->lane_count; i++) {
        struct lane *lane = &perfetto->lanes[i];
        if (lane->pid == pid && lane->a == a && lane->b == b) {
            return lane;
        }
    }
    return NULL;
}

static struct lane *lane_add(struct report_perfetto *perfetto, uint32_t pid, uint32_t a, uint32_t b,
                             const char *text)
{
    perfetto->lanes = campaign_grow(perfetto->lanes, perfetto->lane_count, sizeof perfetto->lanes[0]);
    struct lane *lane = &perfetto->lanes[perfetto->lane_count++];
    *lane = (struct lane){.pid = pid, .a = a, .b = b};
    if (pid == WORLD) {
        (void)tid_of_world(perfetto);
    } else if (!perfetto->has_clients) {
        name_process(perfetto, CLIENTS, "clients", SIM_MEMBERS_MAX + 1);
        perfetto->has_clients = true;
    }
    name_thread(perfetto, pid, tid_of_lane(perfetto, lane), text);
    return lane;
}

/* Where a client's own events go: its lane of frames, b 0; calls have lanes from 1. */
static struct lane *lane_of_client(struct report_perfetto *perfetto, uint32_t client, uint32_t b)
{
    assert(client <= SIM_MACHINES_MAX);
    if (b < 2 && perfetto->first_lanes[client][b] > 0) {
        return &perfetto->lanes[perfetto->first_lanes[client][b] - 1];
    }
    struct lane *lane = b < 2 ? NULL : lane_find(perfetto, CLIENTS, client, b);
    if (lane) {
        return lane;
    }
    char machine[CAMPAIGN_NAME_MAX];
    char text[NAME_BYTES];
    campaign_names_machine(client, machine);
    if (b == 0) {
        (void)snprintf(text, sizeof text, "%s network", machine);
    } else if (b == 1) {
        (void)snprintf(text, sizeof text, "%s", machine);
    } else {
        (void)snprintf(text, sizeof text, "%s, call %" PRIu32 " at once", machine, b);
    }
    lane = lane_add(perfetto, CLIENTS, client, b, text);
    if (b < 2) {
        perfetto->first_lanes[client][b] = (uint32_t)perfetto->lane_count;
    }
    return lane;
}

/* The process and thread of an event that happens at once. */
static uint32_t tid_of(struct report_perfetto *perfetto, uint32_t machine, enum thread thread, uint32_t *pid)
{
    if (machine == 0) {
        *pid = WORLD;
        return tid_of_world(perfetto);
    }
    if (machine <= SIM_MEMBERS_MAX) {
        *pid = pid_of_member(machine);
        return tid_of_member(perfetto, machine, thread);
    }
    *pid = CLIENTS;
    return tid_of_lane(perfetto, lane_of_client(perfetto, machine, 0));
}

/* --- what lasts --- */

static void begin(struct report_perfetto *perfetto, const struct sim_event *event, enum thread thread,
                  const char *text)
{
    uint32_t tid = tid_of_member(perfetto, event->machine, thread);
    put_head(perfetto, 'B', event->time_ns, pid_of_member(event->machine), tid);
    put_name(perfetto, text);
    put_what(perfetto, event);
    put_end(perfetto);
}

/* End a slice of the member's, if it is open. */
static void end(struct report_perfetto *perfetto, uint32_t machine, enum thread thread, bool *is_open,
                uint64_t time_ns)
{
    if (*is_open) {
        put_head(perfetto, 'E', time_ns, pid_of_member(machine), tid_of_member(perfetto, machine, thread));
        put_end(perfetto);
        *is_open = false;
    }
}

static void count(struct report_perfetto *perfetto, const struct sim_event *event, const char *what,
                  uint64_t value)
{
    uint32_t tid = tid_of_member(perfetto, event->machine, RAFT);
    put_head(perfetto, 'C', event->time_ns, pid_of_member(event->machine), tid);
    put_name(perfetto, what);
    fprintf(perfetto->out, ",\"args\":{\"%s\":%" PRIu64 "}", what, value);
    put_end(perfetto);
}

/* The process is over: with it its role and its pause. */
static void end_life(struct report_perfetto *perfetto, uint32_t machine, uint64_t time_ns)
{
    struct member *member = &perfetto->members[machine];
    end(perfetto, machine, RAFT, &member->has_role, time_ns);
    end(perfetto, machine, MACHINE, &member->is_paused, time_ns);
    end(perfetto, machine, MACHINE, &member->has_life, time_ns);
}

/* "up" and "down" follow each other from the first start on; a pause lies within. */
static void tell_machine(struct report_perfetto *perfetto, const struct sim_event *event)
{
    struct member *member = &perfetto->members[event->machine];
    char text[NAME_BYTES];
    switch ((int)event->kind) {
    case SIM_EVENT_START:
    case SIM_EVENT_RESTART:
        end_life(perfetto, event->machine, event->time_ns);
        (void)snprintf(text, sizeof text, "up");
        if (event->fields[0] > 0) {
            (void)snprintf(text, sizeof text, "up, incarnation %" PRIu64, event->fields[0]);
        }
        begin(perfetto, event, MACHINE, text);
        member->has_life = true;
        break;
    case SIM_EVENT_CRASH:
    case SIM_EVENT_POWER_OFF:
    case SIM_EVENT_STOPPED:
        if (member->has_life || member->has_role) {
            end_life(perfetto, event->machine, event->time_ns);
            begin(perfetto, event, MACHINE, "down");
            member->has_life = true;
            count(perfetto, event, "leader", 0);
        }
        break;
    case SIM_EVENT_PAUSE:
        end(perfetto, event->machine, MACHINE, &member->is_paused, event->time_ns);
        begin(perfetto, event, MACHINE, "paused");
        member->is_paused = true;
        break;
    default:
        assert(event->kind == SIM_EVENT_RESUME);
        end(perfetto, event->machine, MACHINE, &member->is_paused, event->time_ns);
        break;
    }
}

static void tell_role(struct report_perfetto *perfetto, const struct sim_event *event)
{
    struct member *member = &perfetto->members[event->machine];
    char text[NAME_BYTES];
    end(perfetto, event->machine, RAFT, &member->has_role, event->time_ns);
    (void)snprintf(text, sizeof text, "%s, term %" PRIu64, sim_role_text((enum raft_role)event->fields[0]),
                   event->fields[1]);
    begin(perfetto, event, RAFT, text);
    member->has_role = true;
    count(perfetto, event, "term", event->fields[1]);
    count(perfetto, event, "leader", event->fields[0] == RAFT_LEADER);
}

static void tell_cut(struct report_perfetto *perfetto, const struct sim_event *event)
{
    uint32_t from = (uint32_t)event->fields[0];
    uint32_t to = (uint32_t)event->fields[1];
    struct lane *lane = lane_find(perfetto, WORLD, from, to);
    if (!lane) {
        char a[CAMPAIGN_NAME_MAX];
        char b[CAMPAIGN_NAME_MAX];
        char text[NAME_BYTES];
        campaign_names_machine(from, a);
        campaign_names_machine(to, b);
        (void)snprintf(text, sizeof text, "link %s to %s", a, b);
        lane = lane_add(perfetto, WORLD, from, to, text);
    }
    bool is_cut = event->kind == SIM_EVENT_CUT;
    if (lane->is_open != is_cut) {
        put_head(perfetto, is_cut ? 'B' : 'E', event->time_ns, WORLD, tid_of_lane(perfetto, lane));
        if (is_cut) {
            put_name(perfetto, "cut");
            put_what(perfetto, event);
        }
        put_end(perfetto);
        lane->is_open = is_cut;
    }
}

static void tell_invoke(struct report_perfetto *perfetto, const struct sim_event *event)
{
    uint32_t b = 1;
    struct lane *lane = lane_of_client(perfetto, event->machine, b);
    while (lane->is_open) {
        lane = lane_of_client(perfetto, event->machine, ++b);
    }
    put_head(perfetto, 'B', event->time_ns, CLIENTS, tid_of_lane(perfetto, lane));
    put_name(perfetto, wire_request_text((enum wire_request_kind)event->fields[1]));
    put_what(perfetto, event);
    put_end(perfetto);
    lane->is_open = true;
    lane->call = event->fields[0];
}

static void tell_return(struct report_perfetto *perfetto, const struct sim_event *event)
{
    uint32_t b = 1;
    struct lane *lane = lane_of_client(perfetto, event->machine, b);
    while (lane && !(lane->is_open && lane->call == event->fields[0])) {
        lane = lane_find(perfetto, CLIENTS, event->machine, ++b);
    }
    if (!lane) {
        return;
    }
    put_head(perfetto, 'E', event->time_ns, CLIENTS, tid_of_lane(perfetto, lane));
    fprintf(perfetto->out, ",\"args\":{\"outcome\":\"%s\",\"revision\":%" PRIu64 "}",
            event->fields[2] ? "unknown" : base_status_text((enum base_status)event->fields[1]),
            event->fields[3]);
    put_end(perfetto);
    lane->is_open = false;
}

/* --- what happens at once --- */

static void put_instant(struct report_perfetto *perfetto, const struct sim_event *event, enum thread thread)
{
    uint32_t pid = 0;
    uint32_t tid = tid_of(perfetto, event->machine, thread, &pid);
    put_head(perfetto, 'i', event->time_ns, pid, tid);
    put_name(perfetto, sim_event_info(event->kind)->text);
    fputs(",\"s\":\"t\"", perfetto->out);
    put_what(perfetto, event);
    put_end(perfetto);
}

/* One end of a message, and of its arrow: at a send, or at a receive whose send is known. */
static void tell_message(struct report_perfetto *perfetto, const struct sim_event *event, uint64_t sent)
{
    bool is_send = event->kind == SIM_EVENT_SEND || event->kind == SIM_EVENT_SEND_STREAM;
    bool is_raft = event->kind == SIM_EVENT_SEND || event->kind == SIM_EVENT_RECEIVE;
    uint32_t pid = 0;
    uint32_t tid = tid_of(perfetto, event->machine, NETWORK, &pid);
    const char *what = is_raft ? sim_message_text((enum raft_message_type)event->fields[1])
                               : wire_kind_text((enum wire_kind)event->fields[1]);
    put_head(perfetto, 'X', event->time_ns, pid, tid);
    fputs(",\"dur\":0.001", perfetto->out);
    put_name(perfetto, what);
    put_what(perfetto, event);
    put_end(perfetto);
    uint64_t id = is_send ? event->number : sent;
    if (id > 0) {
        put_head(perfetto, is_send ? 's' : 'f', event->time_ns, pid, tid);
        put_name(perfetto, what);
        fprintf(perfetto->out, ",\"cat\":\"message\",\"id\":%" PRIu64 "%s", id,
                is_send ? "" : ",\"bp\":\"e\"");
        put_end(perfetto);
    }
}

/* The stage an event that happens at once belongs to. */
static enum thread thread_of(enum sim_event_kind kind)
{
    static const enum thread threads[SIM_EVENT_COUNT] = {
        [SIM_EVENT_ROLE] = RAFT,         [SIM_EVENT_VOTE] = RAFT,         [SIM_EVENT_APPEND] = RAFT,
        [SIM_EVENT_TRUNCATE] = RAFT,     [SIM_EVENT_COMMIT] = RAFT,       [SIM_EVENT_CONFIGURATION] = RAFT,
        [SIM_EVENT_APPLY] = APPLY,       [SIM_EVENT_SNAPSHOT] = STORAGE,  [SIM_EVENT_DISK_WRITE] = STORAGE,
        [SIM_EVENT_DISK_SYNC] = STORAGE, [SIM_EVENT_DISK_NAME] = STORAGE, [SIM_EVENT_DISK_DONE] = STORAGE,
        [SIM_EVENT_DISK_LOST] = STORAGE, [SIM_EVENT_PROMOTE] = LESSOR,    [SIM_EVENT_DEMOTE] = LESSOR,
        [SIM_EVENT_RENEW] = LESSOR,      [SIM_EVENT_EXPIRE] = LESSOR,     [SIM_EVENT_LOSE] = NETWORK,
        [SIM_EVENT_RESET] = NETWORK,     [SIM_EVENT_REFUSE] = NETWORK,
    };
    return threads[kind]; /* MACHINE is 0. */
}

static bool is_life(enum sim_event_kind kind)
{
    return kind == SIM_EVENT_START || kind == SIM_EVENT_RESTART || kind == SIM_EVENT_CRASH ||
           kind == SIM_EVENT_POWER_OFF || kind == SIM_EVENT_STOPPED || kind == SIM_EVENT_PAUSE ||
           kind == SIM_EVENT_RESUME;
}

static bool is_message(enum sim_event_kind kind)
{
    return kind == SIM_EVENT_SEND || kind == SIM_EVENT_SEND_STREAM || kind == SIM_EVENT_RECEIVE ||
           kind == SIM_EVENT_RECEIVE_STREAM;
}

static void take(void *context, const struct sim_event *event)
{
    struct report_perfetto *perfetto = context;
    bool is_member = event->machine > 0 && event->machine <= SIM_MEMBERS_MAX;
    campaign_names_learn(&perfetto->names, event);
    uint64_t sent = report_flight_match(perfetto->flight, event);
    perfetto->time_ns = event->time_ns;
    if (is_message(event->kind)) {
        tell_message(perfetto, event, sent);
    } else if (event->kind == SIM_EVENT_INVOKE) {
        tell_invoke(perfetto, event);
    } else if (event->kind == SIM_EVENT_RETURN) {
        tell_return(perfetto, event);
    } else if (event->kind == SIM_EVENT_CUT || event->kind == SIM_EVENT_HEAL) {
        tell_cut(perfetto, event);
    } else if (is_member && is_life(event->kind)) {
        tell_machine(perfetto, event);
    } else if (is_member && event->kind == SIM_EVENT_ROLE) {
        tell_role(perfetto, event);
    } else {
        put_instant(perfetto, event, thread_of(event->kind));
    }
    if (is_member && (event->kind == SIM_EVENT_COMMIT || event->kind == SIM_EVENT_APPLY)) {
        count(perfetto, event, event->kind == SIM_EVENT_COMMIT ? "commit" : "applied", event->fields[0]);
    }
}

/* --- the whole --- */

static void put_head_of_file(const struct report_run *run, FILE *out)
{
    char *replay = report_run_replay(run);
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"faultline\":", out);
    put_text(out, report_version());
    fputs(",\"scenario\":", out);
    put_text(out, run->scenario->name);
    fprintf(out, ",\"seed\":\"%" PRIu64 "\",\"replay\":", run->seed);
    put_text(out, replay);
    fputs("},\"traceEvents\":[\n", out);
    free(replay);
}

struct report_perfetto *report_perfetto_new(const struct report_run *run, FILE *out)
{
    struct report_perfetto *perfetto = campaign_alloc(sizeof *perfetto);
    perfetto->run = run;
    perfetto->out = out;
    perfetto->sink = (struct sim_sink){.context = perfetto, .event = take};
    perfetto->flight = report_flight_new();
    put_head_of_file(run, out);
    return perfetto;
}

struct sim_sink *report_perfetto_sink(struct report_perfetto *perfetto)
{
    return &perfetto->sink;
}

static void end_all(struct report_perfetto *perfetto, uint64_t time_ns)
{
    for (uint32_t machine = 1; machine <= SIM_MEMBERS_MAX; machine++) {
        end_life(perfetto, machine, time_ns);
    }
    for (size_t i = 0; i < perfetto->lane_count; i++) {
        const struct lane *lane = &perfetto->lanes[i];
        if (lane->is_open) {
            put_head(perfetto, 'E', time_ns, lane->pid, tid_of_lane(perfetto, lane));
            put_end(perfetto);
        }
    }
}

/* What broke the promise: across all processes. */
static void tell_verdict(struct report_perfetto *perfetto)
{
    const struct report_run *run = perfetto->run;
    char *sentence = report_run_sentence(run);
    (void)tid_of_world(perfetto);
    name_thread(perfetto, WORLD, WORLD * 100 + VERDICT, "verdict");
    put_head(perfetto, 'i', report_run_has_judge(run) ? run->failure->time_ns : perfetto->time_ns, WORLD,
             WORLD * 100 + VERDICT);
    put_name(perfetto, report_run_lead(run));
    fputs(",\"s\":\"g\",\"args\":{\"what\":", perfetto->out);
    put_text(perfetto->out, sentence);
    fputs("}", perfetto->out);
    put_end(perfetto);
    free(sentence);
}

void report_perfetto_end(struct report_perfetto *perfetto)
{
    uint64_t time_ns = perfetto->run->outcome->time_ns;
    end_all(perfetto, time_ns > perfetto->time_ns ? time_ns : perfetto->time_ns);
    if (perfetto->run->failure) {
        tell_verdict(perfetto);
    }
    fputs("\n]}\n", perfetto->out);
    report_flight_free(perfetto->flight);
    campaign_names_release(&perfetto->names);
    free(perfetto->lanes);
    free(perfetto);
}
