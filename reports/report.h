/* Reports: what a campaign found, written for machines and for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include "sim/campaign/campaign.h"

#include <stdio.h>

/* Names of the files to write; NULL: not asked for. */
struct report_files {
    const char *json;
    const char *html;
    const char *junit;
    bool tap; /* To standard output. */
};

/* The version of the program that every report names. */
const char *report_version(void);
/* The compiler that built it. */
const char *report_build(void);
/* Can all be written that are asked for? NULL, or the name of the file that cannot be:
 * better said before a campaign than after it. */
const char *report_check(const struct report_files *files);
/* Write all that are asked for. NULL, or the name of the file that could not be. */
const char *report_write(const struct report_files *files, const struct campaign *campaign);

/* One by one. Their bytes depend on what was found, never on when or how fast. */
void report_json(const struct campaign *campaign, FILE *out);
void report_html(const struct campaign *campaign, FILE *out);
void report_junit(const struct campaign *campaign, FILE *out);
void report_tap(const struct campaign *campaign, FILE *out);

#endif
