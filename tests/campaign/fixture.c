/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tests/campaign/fixture.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/print.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fixture_init(struct fixture *fixture, const char *lines)
{
    *fixture = (struct fixture){.folder = "/tmp/faultline-XXXXXX"};
    if (!mkdtemp(fixture->folder)) {
        abort();
    }
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/fake.lua", fixture->folder);
    FILE *out = fopen(fixture->path, "w");
    if (!out || fputs(lines, out) < 0 || fclose(out) != 0) {
        abort();
    }
    fixture->paths[0] = fixture->path;
    fixture->options.plan.paths = fixture->paths;
    fixture->options.plan.path_count = 1;
    fixture->options.jobs = 1;
}

void fixture_run(struct fixture *fixture)
{
    char error[SCRIPT_TEXT_MAX] = "";
    bool has_run = campaign_run(&fixture->campaign, &fixture->options, error);
    if (!has_run) {
        fputs(error, stderr);
        abort();
    }
}

void fixture_release(struct fixture *fixture)
{
    campaign_release(&fixture->campaign);
    (void)unlink(fixture->path);
    (void)rmdir(fixture->folder);
}

/* Every occurrence of the path becomes "FILE", in place. */
static void hide_path(const struct fixture *fixture, char *text)
{
    size_t size = strlen(fixture->path);
    for (char *at = text; (at = strstr(at, fixture->path)) != NULL; at += 4) {
        memcpy(at, "FILE", 4);
        memmove(at + 4, at + size, strlen(at + size) + 1);
    }
}

char *fixture_report(const struct fixture *fixture, void (*write)(const struct campaign *campaign, FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert(out);
    write(&fixture->campaign, out);
    (void)fclose(out);
    hide_path(fixture, text);
    return text;
}

char *fixture_print(struct fixture *fixture, size_t tally)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert(out);
    struct campaign_printer printer = {.out = out, .volume = CAMPAIGN_NORMAL};
    campaign_print_scenario(&printer, &fixture->campaign, &fixture->campaign.tallies[tally]);
    (void)fclose(out);
    hide_path(fixture, text);
    return text;
}
