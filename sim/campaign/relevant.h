/* Which events help to understand a failure: faults and the scenario's own notes
 * always, and for each judge the kinds of events it judges by. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_RELEVANT_H
#define SIM_CAMPAIGN_RELEVANT_H

#include "sim/check/check.h"
#include "sim/record.h"

/* Kinds of events that belong together; bits. */
enum campaign_group {
    CAMPAIGN_FAULTS = 1 << 0,   /* What was done to the machines, and notes. */
    CAMPAIGN_ROLES = 1 << 1,    /* Elections and membership. */
    CAMPAIGN_LOG = 1 << 2,      /* What is in the logs. */
    CAMPAIGN_APPLIED = 1 << 3,  /* What took effect. */
    CAMPAIGN_LEASES = 1 << 4,   /* Leases and lessors. */
    CAMPAIGN_CALLS = 1 << 5,    /* What clients ask and are told. */
    CAMPAIGN_MESSAGES = 1 << 6, /* Between members. */
    CAMPAIGN_STREAMS = 1 << 7,  /* Forwarded and bulk messages, resets. */
    CAMPAIGN_DISKS = 1 << 8,    /* Disks. */
    CAMPAIGN_STARTS = 1 << 9,   /* Bootstrap and identity. */
    CAMPAIGN_ALL = (1 << 10) - 1
};

enum campaign_group campaign_group_of(enum sim_event_kind kind);
/* The groups a judge goes by. */
uint32_t campaign_relevant(enum check_judge judge);
/* What an overview of a run shows. */
uint32_t campaign_overview(void);

#endif
