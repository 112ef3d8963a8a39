/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"
#include "reports/text.h"
#include "sim/campaign/print.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

static const xmlChar *xml(const char *text)
{
    return (const xmlChar *)text;
}

static void attribute(xmlTextWriterPtr writer, const char *name, const char *value)
{
    char *clean = report_text_clean(value);
    (void)xmlTextWriterWriteAttribute(writer, xml(name), xml(clean));
    free(clean);
}

static void count_attribute(xmlTextWriterPtr writer, const char *name, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    attribute(writer, name, text);
}

/* A finding about the cluster is a failure; a run that could not be judged an error. */
static void write_failure(xmlTextWriterPtr writer, const struct campaign *campaign,
                          const struct campaign_tally *tally, const struct campaign_failure *failure)
{
    bool is_finding = failure->kind == CAMPAIGN_VIOLATED;
    char *what = report_text_failure(failure);
    char *replay = report_text_replay(campaign, tally->scenario, failure->seed);
    size_t size = strlen(replay) + 48;
    char *text = malloc(size);
    if (!text) {
        abort();
    }
    (void)snprintf(text, size, "seed %" PRIu64 "\n%s\n", failure->seed, replay);
    (void)xmlTextWriterStartElement(writer, xml(is_finding ? "failure" : "error"));
    attribute(writer, "message", what);
    attribute(writer, "type",
              is_finding ? check_info(failure->judge)->name : report_text_kind(failure->kind));
    (void)xmlTextWriterWriteString(writer, xml(text));
    (void)xmlTextWriterEndElement(writer);
    free(text);
    free(replay);
    free(what);
}

static void write_unmet(xmlTextWriterPtr writer, const struct campaign_tally *tally)
{
    for (size_t i = 0; i < campaign_demand_count(tally); i++) {
        struct campaign_demand demand;
        campaign_demand_get(tally, i, &demand);
        if (demand.state == CAMPAIGN_UNMET) {
            (void)xmlTextWriterStartElement(writer, xml("failure"));
            attribute(writer, "message", demand.sentence);
            attribute(writer, "type", "unmet");
            (void)xmlTextWriterEndElement(writer);
        }
    }
}

static void write_case(xmlTextWriterPtr writer, const struct campaign *campaign,
                       const struct campaign_tally *tally)
{
    (void)xmlTextWriterStartElement(writer, xml("testcase"));
    attribute(writer, "classname", tally->scenario->file);
    attribute(writer, "name", tally->scenario->name);
    count_attribute(writer, "assertions", tally->runs);
    if (tally->runs == 0) {
        (void)xmlTextWriterWriteElement(writer, xml("skipped"), NULL);
    }
    for (size_t i = 0; i < tally->failure_count; i++) {
        if (tally->failures[i].kind != CAMPAIGN_SHOWN) {
            write_failure(writer, campaign, tally, &tally->failures[i]);
        }
    }
    write_unmet(writer, tally);
    (void)xmlTextWriterEndElement(writer);
}

static bool is_failed(const struct campaign_tally *tally)
{
    return tally->violated > 0 || campaign_demand_fails(tally);
}

static bool is_error(const struct campaign_tally *tally)
{
    return !is_failed(tally) && tally->wrong + tally->unjudged + tally->parted > 0;
}

/* The scenarios of one file, from slot `first` on. Answers where the next file begins. */
static size_t write_suite(xmlTextWriterPtr writer, const struct campaign *campaign, size_t first)
{
    const struct campaign_tally *tallies = campaign->tallies;
    size_t end = first;
    uint64_t failures = 0;
    uint64_t errors = 0;
    uint64_t skipped = 0;
    const char *file = tallies[first].scenario->file;
    for (; end < campaign->tally_count && strcmp(tallies[end].scenario->file, file) == 0; end++) {
        failures += is_failed(&tallies[end]);
        errors += is_error(&tallies[end]);
        skipped += tallies[end].runs == 0;
    }
    (void)xmlTextWriterStartElement(writer, xml("testsuite"));
    attribute(writer, "name", tallies[first].scenario->file);
    count_attribute(writer, "tests", end - first);
    count_attribute(writer, "failures", failures);
    count_attribute(writer, "errors", errors);
    count_attribute(writer, "skipped", skipped);
    for (size_t i = first; i < end; i++) {
        write_case(writer, campaign, &tallies[i]);
    }
    (void)xmlTextWriterEndElement(writer);
    return end;
}

void report_junit(const struct campaign *campaign, FILE *out)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (!writer) {
        abort();
    }
    (void)xmlTextWriterSetIndent(writer, 1);
    (void)xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    (void)xmlTextWriterStartElement(writer, xml("testsuites"));
    attribute(writer, "name", "faultline");
    for (size_t i = 0; i < campaign->tally_count;) {
        i = write_suite(writer, campaign, i);
    }
    (void)xmlTextWriterEndDocument(writer);
    xmlFreeTextWriter(writer);
    (void)fwrite(xmlBufferContent(buffer), 1, (size_t)xmlBufferLength(buffer), out);
    xmlBufferFree(buffer);
}
