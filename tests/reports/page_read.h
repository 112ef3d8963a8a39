/* A page's events, read back by the rules at the head of reports/page.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_REPORTS_PAGE_READ_H
#define TESTS_REPORTS_PAGE_READ_H

#include "sim/record.h"

#include <jansson.h>

struct page_event {
    uint64_t time_ns;
    uint64_t number;
    uint64_t kind;
    uint64_t machine;
    uint64_t fields[SIM_FIELDS_MAX];
    uint64_t sent_ago; /* 0: nothing was, or nobody knows. */
    size_t text_size;
};

struct page_read {
    struct page_event *events;
    size_t count;
    json_t *about;
};

/* false: it is no such page. */
bool page_read(struct page_read *read, const char *page);
void page_read_release(struct page_read *read);

#endif
