/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/coverage.h"

#include <inttypes.h>

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

uint64_t campaign_passed_total(const struct campaign_tally *tally, uint32_t message)
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

struct campaign_coverage campaign_coverage(const struct campaign_tally *tally)
{
    struct campaign_coverage out = {.pairs = pairs(tally)};
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        bool has_passed = campaign_passed_total(tally, message) > 0;
        out.kinds += has_passed;
        for (uint32_t fault = 0; has_passed && fault < SIM_FRAME_COUNT; fault++) {
            out.on_kinds_possible += sim_frame_fault_can_befall((enum sim_frame_fault)fault, message);
            out.on_kinds += tally->frames[fault][message] > 0;
        }
    }
    for (uint32_t fault = 0; fault < SIM_FAULT_COUNT; fault++) {
        for (uint32_t role = 0; role < SIM_STATION_COUNT; role++) {
            bool is_possible = sim_fault_can_find((enum sim_fault)fault, (enum sim_station)role);
            out.on_roles_possible += is_possible;
            out.on_roles += is_possible && tally->faults[fault][role] > 0;
        }
    }
    return out;
}

void campaign_coverage_sum(FILE *out, const struct campaign_tally *tally)
{
    struct campaign_coverage coverage = campaign_coverage(tally);
    fprintf(out,
            "              coverage: %" PRIu32 " of %" PRIu32 " fault × role, %" PRIu32 " of %" PRIu32
            " fault × message, %" PRIu32 " kinds of message between %" PRIu32 " pairs of roles",
            coverage.on_roles, coverage.on_roles_possible, coverage.on_kinds, coverage.on_kinds_possible,
            coverage.kinds, coverage.pairs);
    const char *lead = "; never:";
    for (uint32_t number = 0; sim_coverage_name(number); number++) {
        if (campaign_fault_total(tally, number) == 0) {
            fprintf(out, "%s %s", lead, sim_coverage_name(number));
            lead = ",";
        }
    }
    fprintf(out, "\n");
}

/* A count, or a dash where there can be none. */
static void print_cell(FILE *out, int width, uint64_t count, bool is_possible)
{
    if (count > 0 || is_possible) {
        fprintf(out, " %*" PRIu64, width, count);
    } else {
        fprintf(out, " %*s", width, "-");
    }
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
            print_cell(out, 13, tally->faults[fault][role],
                       sim_fault_can_find((enum sim_fault)fault, (enum sim_station)role));
        }
        fprintf(out, "\n");
    }
    fprintf(out, "              %-16s", "message");
    for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
        fprintf(out, " %10s", sim_frame_fault_text((enum sim_frame_fault)fault));
    }
    fprintf(out, " %10s\n", "passed");
    for (uint32_t message = 0; message < SIM_MESSAGE_COUNT; message++) {
        if (campaign_passed_total(tally, message) == 0) {
            continue;
        }
        fprintf(out, "              %-16s", sim_coverage_message_text(message));
        for (int fault = 0; fault < SIM_FRAME_COUNT; fault++) {
            print_cell(out, 10, tally->frames[fault][message],
                       sim_frame_fault_can_befall((enum sim_frame_fault)fault, message));
        }
        fprintf(out, " %10" PRIu64 "\n", campaign_passed_total(tally, message));
    }
}
