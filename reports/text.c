/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/text.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/print.h"
#include "sim/check/utf8.h"

#include <stdlib.h>
#include <string.h>

static const char replacement[] = CHECK_UTF8_REPLACEMENT;

char *report_text_clean(const char *text)
{
    char *clean = campaign_alloc(strlen(text) * (sizeof replacement - 1) + 1);
    char *to = clean;
    const unsigned char *end = (const unsigned char *)text + strlen(text);
    for (const unsigned char *at = (const unsigned char *)text; at < end;) {
        size_t size = check_utf8_size(at, (size_t)(end - at));
        bool is_control = (*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7f;
        if (size == 0 || is_control) {
            memcpy(to, replacement, sizeof replacement - 1);
            to += sizeof replacement - 1;
            at++;
        } else {
            memcpy(to, at, size);
            to += size;
            at += size;
        }
    }
    return clean;
}

void report_text_escape(FILE *out, const char *text)
{
    char *clean = report_text_clean(text);
    for (const char *at = clean; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*at, out);
        }
    }
    free(clean);
}

char *report_text_replay(const struct campaign *campaign, const struct script_scenario *scenario,
                         uint64_t seed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        abort();
    }
    campaign_print_replay(out, &campaign->options->plan, scenario, seed);
    (void)fclose(out);
    char *clean = report_text_clean(text);
    free(text);
    return clean;
}

const char *report_text_kind(enum campaign_failure_kind kind)
{
    switch (kind) {
    case CAMPAIGN_VIOLATED:
        return "violated";
    case CAMPAIGN_SHOWN:
        return "shown";
    case CAMPAIGN_WRONG:
        return "wrong";
    case CAMPAIGN_UNJUDGED:
        return "not judged";
    case CAMPAIGN_PARTED:
        break;
    }
    return "not deterministic";
}

char *report_text_failure(const struct campaign_failure *failure)
{
    bool has_judge = failure->kind == CAMPAIGN_VIOLATED || failure->kind == CAMPAIGN_SHOWN;
    const char *lead = has_judge ? check_info(failure->judge)->name : report_text_kind(failure->kind);
    size_t size = strlen(lead) + strlen(failure->sentence) + 3;
    char *text = campaign_alloc(size);
    (void)snprintf(text, size, "%s: %s", lead, failure->sentence);
    char *clean = report_text_clean(text);
    free(text);
    return clean;
}
