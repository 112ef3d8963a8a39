/* Reports: what a campaign found, written for machines and for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

/* The version of the program that every report names. */
const char *report_version(void);

#endif
