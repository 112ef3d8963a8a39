/* The events of a page are bytes in base64, read by reports/page/data.js. An event is
 * a row of varints: ns since the one before; its kind times four, plus 1 when a text
 * follows, plus 2 when events between were left out; how many numbers it is on, then
 * only; its machine; its fields, a member's id as its machine's number where that is
 * known; of what ends a message, how many events ago it was sent, or 0; the text's
 * size, and the text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/page.h"

#include "core/base/status.h"
#include "core/raft/types.h"
#include "core/wire/wire.h"
#include "reports/flight.h"
#include "reports/page_text.h"
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/names.h"
#include "sim/campaign/relevant.h"
#include "sim/event_text.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTES = 3 * 1024, /* Written at once: base64 takes three. */
    SCHEMA = 1
};

struct report_page {
    const struct report_run *run;
    const struct report_survey *survey;
    FILE *out;
    struct sim_sink sink;
    struct campaign_names names;
    struct report_flight *flight;
    uint64_t outline; /* Seen so far. */
    uint64_t number;  /* Of the event written last, */
    uint64_t time_ns; /* and its time. */
    uint8_t bytes[BYTES];
    size_t size;
};

/* --- the survey --- */

static bool is_outline(enum sim_event_kind kind)
{
    uint32_t groups = CAMPAIGN_FAULTS | CAMPAIGN_ROLES | CAMPAIGN_STARTS;
    return (campaign_group_of(kind) & groups) != 0;
}

static void survey_take(void *context, const struct sim_event *event)
{
    struct report_survey *survey = context;
    survey->events++;
    survey->outline += is_outline(event->kind);
}

void report_survey_init(struct report_survey *survey)
{
    *survey =
        (struct report_survey){.events_max = REPORT_PAGE_EVENTS_MAX, .outline_max = REPORT_PAGE_OUTLINE_MAX};
    survey->sink = (struct sim_sink){.context = survey, .event = survey_take};
}

/* Events up to this number are left out, but for the outline. */
static uint64_t left_out(const struct report_survey *survey)
{
    return survey->events > survey->events_max ? survey->events - survey->events_max : 0;
}

/* --- bytes --- */

static void put_base64(struct report_page *page)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[BYTES / 3 * 4];
    size_t length = 0;
    for (size_t at = 0; at < page->size; at += 3) {
        size_t left = page->size - at;
        uint32_t group = (uint32_t)page->bytes[at] << 16;
        group |= left > 1 ? (uint32_t)page->bytes[at + 1] << 8 : 0;
        group |= left > 2 ? page->bytes[at + 2] : 0;
        line[length++] = digits[group >> 18];
        line[length++] = digits[group >> 12 & 63];
        line[length++] = left > 1 ? digits[group >> 6 & 63] : '=';
        line[length++] = left > 2 ? digits[group & 63] : '=';
    }
    (void)fwrite(line, 1, length, page->out);
    fputc('\n', page->out);
    page->size = 0;
}

static void put_byte(struct report_page *page, uint8_t byte)
{
    if (page->size == BYTES) {
        put_base64(page);
    }
    page->bytes[page->size++] = byte;
}

static void put_varint(struct report_page *page, uint64_t value)
{
    while (value >= 0x80) {
        put_byte(page, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    put_byte(page, (uint8_t)value);
}

/* --- events --- */

static uint64_t machine_of(const struct campaign_names *names, uint64_t id)
{
    for (size_t i = names->id_count; i > 0; i--) {
        if (names->ids[i - 1].id == id) {
            return names->ids[i - 1].machine;
        }
    }
    return id;
}

static bool ends_message(enum sim_event_kind kind)
{
    return kind == SIM_EVENT_RECEIVE || kind == SIM_EVENT_RECEIVE_STREAM || kind == SIM_EVENT_LOSE ||
           kind == SIM_EVENT_REFUSE;
}

static void put_event(struct report_page *page, const struct sim_event *event, uint64_t sent)
{
    const struct sim_event_info *info = sim_event_info(event->kind);
    bool has_text = event->text.size > 0;
    bool has_gap = event->number != page->number + 1;
    put_varint(page, event->time_ns - page->time_ns);
    put_varint(page, (uint64_t)event->kind * 4 + has_text + 2 * (uint64_t)has_gap);
    if (has_gap) {
        put_varint(page, event->number - page->number);
    }
    put_varint(page, event->machine);
    for (uint32_t i = 0; i < info->field_count; i++) {
        bool is_id = info->types[i] == SIM_FIELD_ID;
        put_varint(page, is_id ? machine_of(&page->names, event->fields[i]) : event->fields[i]);
    }
    if (ends_message(event->kind)) {
        put_varint(page, sent > 0 ? event->number - sent : 0);
    }
    if (has_text) {
        put_varint(page, event->text.size);
        for (size_t i = 0; i < event->text.size; i++) {
            put_byte(page, event->text.data[i]);
        }
    }
    page->time_ns = event->time_ns;
    page->number = event->number;
}

static void take(void *context, const struct sim_event *event)
{
    struct report_page *page = context;
    const struct report_survey *survey = page->survey;
    campaign_names_learn(&page->names, event);
    uint64_t sent = report_flight_match(page->flight, event);
    bool outlines = is_outline(event->kind);
    page->outline += outlines;
    bool is_kept = event->number > left_out(survey) ||
                   (outlines && page->outline + survey->outline_max > survey->outline);
    if (is_kept) {
        put_event(page, event, sent);
    }
}

/* --- what the script is told beside --- */

static json_t *kinds(void)
{
    json_t *all = json_array();
    for (int kind = 0; kind < SIM_EVENT_COUNT; kind++) {
        const struct sim_event_info *info = sim_event_info((enum sim_event_kind)kind);
        json_t *fields = json_array();
        for (uint32_t i = 0; i < info->field_count; i++) {
            json_array_append_new(fields, json_pack("[s,i]", info->fields[i], (int)info->types[i]));
        }
        json_array_append_new(all, json_pack("{s:s,s:i,s:b,s:o}", "text", info->text, "group",
                                             (int)campaign_group_of((enum sim_event_kind)kind), "ends",
                                             (int)ends_message((enum sim_event_kind)kind), "fields", fields));
    }
    return all;
}

/* The words behind fields, each by its number. */
static json_t *words(void)
{
    json_t *roles = json_array();
    json_t *messages = json_array();
    json_t *wires = json_array();
    json_t *requests = json_array();
    json_t *statuses = json_array();
    for (int i = RAFT_FOLLOWER; i <= RAFT_PRE_CANDIDATE; i++) {
        json_array_append_new(roles, json_string(sim_role_text((enum raft_role)i)));
    }
    for (int i = 0; i < RAFT_MSG_COUNT; i++) {
        json_array_append_new(messages, json_string(sim_message_text((enum raft_message_type)i)));
    }
    for (int i = 0; i < WIRE_KIND_COUNT; i++) {
        json_array_append_new(wires, json_string(wire_kind_text((enum wire_kind)i)));
    }
    for (int i = 0; i < WIRE_REQUEST_KIND_COUNT; i++) {
        json_array_append_new(requests, json_string(wire_request_text((enum wire_request_kind)i)));
    }
    for (int i = 0; i < BASE_STATUS_COUNT; i++) {
        json_array_append_new(statuses, json_string(base_status_text((enum base_status)i)));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "roles", roles, "messages", messages, "wires", wires,
                     "requests", requests, "statuses", statuses);
}

static json_t *own_text(char *value)
{
    json_t *string = json_string(value);
    free(value);
    return string;
}

static json_t *drawn(const struct script_outcome *outcome)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < outcome->drawn_count; i++) {
        json_array_append_new(all, json_pack("[o,o]", own_text(report_text_clean(outcome->drawn[i].name)),
                                             own_text(report_text_clean(outcome->drawn[i].value))));
    }
    return all;
}

/* null when it held. */
static json_t *failure(const struct report_run *run)
{
    if (!run->failure) {
        return json_null();
    }
    bool has_judge = report_run_has_judge(run);
    json_t *one = json_object();
    json_object_set_new(one, "lead", json_string(report_run_lead(run)));
    json_object_set_new(one, "sentence", own_text(report_run_sentence(run)));
    json_object_set_new(one, "is_hazard", json_boolean(run->failure->kind == CAMPAIGN_SHOWN));
    if (has_judge) {
        json_object_set_new(one, "promise", json_string(check_info(run->failure->judge)->promise));
        json_object_set_new(one, "time", json_integer((json_int_t)run->failure->time_ns));
        json_object_set_new(one, "machine", json_integer(run->outcome->violation.machine));
    }
    return one;
}

static json_t *about(const struct report_page *page)
{
    const struct report_run *run = page->run;
    uint32_t groups =
        report_run_has_judge(run) ? campaign_relevant(run->failure->judge) : campaign_overview();
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, run->seed);
    json_t *all = json_object();
    json_object_set_new(all, "schema", json_integer(SCHEMA));
    json_object_set_new(all, "faultline", json_string(report_version()));
    json_object_set_new(all, "scenario", own_text(report_text_clean(run->scenario->name)));
    json_object_set_new(all, "file", own_text(report_text_clean(run->scenario->file)));
    json_object_set_new(all, "line", json_integer(run->scenario->line));
    json_object_set_new(all, "seed", json_string(seed));
    json_object_set_new(all, "replay", own_text(report_run_replay(run)));
    json_object_set_new(all, "failure", failure(run));
    json_object_set_new(all, "drawn", drawn(run->outcome));
    json_object_set_new(all, "end", json_integer((json_int_t)run->outcome->time_ns));
    json_object_set_new(all, "relevant", json_integer(groups));
    json_object_set_new(all, "events", json_integer((json_int_t)page->survey->events));
    json_object_set_new(all, "left_out", json_integer((json_int_t)left_out(page->survey)));
    json_object_set_new(all, "members_max", json_integer(SIM_MEMBERS_MAX));
    json_object_set_new(all, "machines_max", json_integer(SIM_MACHINES_MAX));
    json_object_set_new(all, "kinds", kinds());
    json_object_set_new(all, "words", words());
    return all;
}

/* In a script's element nothing may look like its end. */
static void put_json(const struct report_page *page)
{
    json_t *all = about(page);
    char *text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
    if (!text) {
        abort(); /* Out of memory. */
    }
    fputs("<script type=\"application/json\" id=\"about\">", page->out);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '<') {
            fputs("\\u003c", page->out);
        } else {
            fputc(*at, page->out);
        }
    }
    fputs("</script>\n", page->out);
    free(text);
    json_decref(all);
}

/* --- the whole --- */

static void put_part(FILE *out, const unsigned char *part, size_t size)
{
    (void)fwrite(part, 1, size, out);
}

struct report_page *report_page_new(const struct report_run *run, const struct report_survey *survey,
                                    FILE *out)
{
    struct report_page *page = campaign_alloc(sizeof *page);
    page->run = run;
    page->survey = survey;
    page->out = out;
    page->sink = (struct sim_sink){.context = page, .event = take};
    page->flight = report_flight_new();
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Faultline: ",
          out);
    report_text_escape(out, run->scenario->name);
    fprintf(out, ", seed %" PRIu64 "</title>\n<style>\n", run->seed);
    put_part(out, report_page_style, report_page_style_size);
    fputs("</style></head>\n<body>\n", out);
    put_part(out, report_page_body, report_page_body_size);
    put_json(page);
    fputs("<script type=\"text/plain\" id=\"events\">\n", out);
    return page;
}

struct sim_sink *report_page_sink(struct report_page *page)
{
    return &page->sink;
}

void report_page_end(struct report_page *page)
{
    put_base64(page);
    fputs("</script>\n<script>\n", page->out);
    put_part(page->out, report_page_script, report_page_script_size);
    fputs("</script>\n</body></html>\n", page->out);
    report_flight_free(page->flight);
    campaign_names_release(&page->names);
    free(page);
}
