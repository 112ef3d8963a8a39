/* Words for what events are made of, as people and scenarios write them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_EVENT_TEXT_H
#define SIM_EVENT_TEXT_H

#include "core/raft/types.h"
#include "sim/record.h"

/* "leader" … ; "MsgApp" … . */
const char *sim_role_text(enum raft_role role);
const char *sim_message_text(enum raft_message_type type);

/* sim_event_print by another table than this program's. */
size_t sim_event_print_as(const struct sim_recorder *recorder, const struct sim_event_info *info,
                          const struct sim_event *event, char *out, size_t size);

#endif
