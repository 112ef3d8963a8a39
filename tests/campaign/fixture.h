/* Campaigns over the fake script layer (fake_script.c), for tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAMPAIGN_FIXTURE_H
#define TESTS_CAMPAIGN_FIXTURE_H

#include "reports/report.h"
#include "sim/campaign/campaign.h"

/* A scenario file with these lines under a name of its own. */
struct fixture {
    char folder[64];
    char path[128];
    const char *paths[1];
    struct campaign_options options; /* One job, own seeds, no events looked at. */
    struct campaign campaign;
};

void fixture_init(struct fixture *fixture, const char *lines);
/* Run it; it can be run once. */
void fixture_run(struct fixture *fixture);
void fixture_release(struct fixture *fixture);
/* What a report of a campaign that has run writes, for free(). The fixture's path
 * reads "FILE" in it. */
char *fixture_report(const struct fixture *fixture,
                     void (*write)(const struct campaign *campaign, FILE *out));
/* The failure messages a scenario prints, likewise. */
char *fixture_print(struct fixture *fixture, size_t tally);

#endif
