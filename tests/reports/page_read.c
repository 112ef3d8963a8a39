/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/reports/page_read.h"

#include "sim/campaign/memory.h"

#include <stdlib.h>
#include <string.h>

/* What stands between a script element's start and its end, for free(). */
static char *element(const char *page, const char *start)
{
    const char *from = strstr(page, start);
    const char *to = from ? strstr(from, "</script>") : NULL;
    if (!to) {
        return NULL;
    }
    from += strlen(start);
    char *text = campaign_alloc((size_t)(to - from) + 1);
    memcpy(text, from, (size_t)(to - from));
    return text;
}

/* In place; answers how many bytes it is. */
static size_t decode(char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t group = 0;
    unsigned bits = 0;
    size_t size = 0;
    for (const char *at = text; *at != '\0' && *at != '='; at++) {
        const char *digit = strchr(digits, *at);
        if (!digit) {
            continue; /* The end of a line. */
        }
        group = group << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            text[size++] = (char)(group >> bits & 255);
        }
    }
    return size;
}

static uint64_t varint(const uint8_t *bytes, size_t size, size_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; *at < size; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            break;
        }
    }
    return value;
}

static void read_event(struct page_read *read, const uint8_t *bytes, size_t size, size_t *at)
{
    struct page_event event = {0};
    if (read->count > 0) {
        event.time_ns = read->events[read->count - 1].time_ns;
        event.number = read->events[read->count - 1].number;
    }
    event.time_ns += varint(bytes, size, at);
    uint64_t head = varint(bytes, size, at);
    event.number += head & 2 ? varint(bytes, size, at) : 1;
    event.kind = head / 4;
    event.machine = varint(bytes, size, at);
    const json_t *kind = json_array_get(json_object_get(read->about, "kinds"), event.kind);
    for (size_t i = 0; i < json_array_size(json_object_get(kind, "fields")); i++) {
        event.fields[i] = varint(bytes, size, at);
    }
    if (json_is_true(json_object_get(kind, "ends"))) {
        event.sent_ago = varint(bytes, size, at);
    }
    if (head & 1) {
        event.text_size = varint(bytes, size, at);
        *at += event.text_size;
    }
    read->events = campaign_grow(read->events, read->count, sizeof read->events[0]);
    read->events[read->count++] = event;
}

bool page_read(struct page_read *read, const char *page)
{
    *read = (struct page_read){0};
    char *about = element(page, "<script type=\"application/json\" id=\"about\">");
    char *events = element(page, "<script type=\"text/plain\" id=\"events\">");
    json_error_t error;
    read->about = about ? json_loads(about, 0, &error) : NULL;
    bool is_page = read->about && events;
    if (is_page) {
        size_t size = decode(events);
        for (size_t at = 0; at < size;) {
            read_event(read, (const uint8_t *)events, size, &at);
        }
    }
    free(about);
    free(events);
    return is_page;
}

void page_read_release(struct page_read *read)
{
    free(read->events);
    json_decref(read->about);
    *read = (struct page_read){0};
}
