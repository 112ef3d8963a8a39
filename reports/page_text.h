/* The parts of the page that are files of their own: reports/page/. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_PAGE_TEXT_H
#define REPORTS_PAGE_TEXT_H

#include <stddef.h>

extern const unsigned char report_page_style[]; /* style.css */
extern const size_t report_page_style_size;
extern const unsigned char report_page_body[]; /* body.html */
extern const size_t report_page_body_size;
extern const unsigned char report_page_script[]; /* All .js, one after the other. */
extern const size_t report_page_script_size;

#endif
