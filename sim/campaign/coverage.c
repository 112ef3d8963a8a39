/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/coverage.h"

#include <inttypes.h>

/* Roles that a fault can find a member in. */
enum { ROLES = SIM_DOWN };

uint64_t campaign_fault_total(const struct campaign_tally *tally, uint32_t number)
{
    uint64_t total = 0;
    for (uint32_t i = 0; number < SIM_FAULT_COUNT && i < SIM_STATION_COUNT; i++) {
        total += tally->faults[number][i];
    }
    for (uint32_t i = 0; number >= SIM_FAULT_COUNT && i < SIM_MESSAGE_COUNT; i++) {
        total += tally->frames[number - SIM_FAULT_COUNT][i];
    }
    return total;
}

/* How often a kind of message arrived at all. */
static uint64_t passed(const struct campaign_tally *tally, uint32_t message)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < SIM_STATION_COUNT * SIM_STATION_COUNT; i++) {
        total += (&tally->passed[message][0][0])[i];
    }
    return total;
}

static uint32_t pairs(const struct campaign_tally *tally)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_MESSAGE_COUNT * SIM_STATION_COUNT * SIM_STATION_COUNT; i++) {
        count += (&tally->passed[0][0][0])[i] > 0;
    }
    return count;
}

void campaign_coverage_sum(FILE *out, const struct campaign_tally *tally)
{
    uint32_t kinds = 0;
    uint32_t on_roles = 0;
    uint32_t on_kinds = 0;
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        kinds += passed(tally, message) > 0;
        for (uint32_t fault = 0; fault < SIM_FRAME_COUNT; fault++) {
            on_kinds += tally->frames[fault][message] > 0;
        }
    }
    for (uint32_t fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        for (uint32_t role = 0; role < ROLES; role++) {
            on_roles += tally->faults[fault][role] > 0;
        }
    }
    fprintf(out,
            "              coverage: %" PRIu32 " of %d fault × role, %" PRIu32 " of %" PRIu32
            " fault × message, %" PRIu32 " kinds of message between %" PRIu32 " pairs of roles",
            on_roles, SIM_FAULT_COUNT * ROLES, on_kinds, SIM_FRAME_COUNT * kinds, kinds, pairs(tally));
    const char *lead = "; never:";
    for (uint32_t number = 0; sim_coverage_name(number); number++) {
        if (campaign_fault_total(tally, number) == 0) {
            fprintf(out, "%s %s", lead, sim_coverage_name(number));
            lead = ",";
        }
    }
    fprintf(out, "\n");
}

void campaign_coverage_print(FILE *out, const struct campaign_tally *tally)
{
    fprintf(out, "              %-16s", "fault");
    for (int role = 0; role < SIM_STATION_COUNT; role++) {
        fprintf(out, " %13s", sim_station_text((enum sim_station)role));
    }
    fprintf(out, "\n");
    for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        if (campaign_fault_total(tally, (uint32_t)fault) == 0) {
            continue;
        }
        fprintf(out, "              %-16s", sim_fault_text((enum sim_fault)fault));
        for (int role = 0; role < SIM_STATION_COUNT; role++) {
            fprintf(out, " %13" PRIu64, tally->faults[fault][role]);
        }
        fprintf(out, "\n");
    }
    fprintf(out, "              %-16s", "message");
    for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
        fprintf(out, " %10s", sim_frame_fault_text((enum sim_frame_fault)fault));
    }
    fprintf(out, " %10s\n", "passed");
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        if (passed(tally, message) == 0) {
            continue;
        }
        fprintf(out, "              %-16s", sim_coverage_message_text(message));
        for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
            fprintf(out, " %10" PRIu64, tally->frames[fault][message]);
        }
        fprintf(out, " %10" PRIu64 "\n", passed(tally, message));
    }
}
