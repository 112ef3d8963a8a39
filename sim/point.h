/* Points of a member's own work at which a scenario may act: `before:sync Entry`,
 * `send MsgVoteResp`, `role:leader` (SCENARIOS.md, "Points"). They come from what a
 * member asks of its host and tells its observer, never from hooks in the core. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_POINT_H
#define SIM_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_point_when { SIM_POINT_AT, SIM_POINT_BEFORE, SIM_POINT_AFTER };

enum sim_point_verb {
    SIM_VERB_APPEND,
    SIM_VERB_WRITE,
    SIM_VERB_READ,
    SIM_VERB_SYNC,
    SIM_VERB_RENAME,
    SIM_VERB_REMOVE,
    SIM_VERB_SYNCDIR,
    SIM_VERB_SEND,
    SIM_VERB_RECEIVE,
    SIM_VERB_APPLY,
    SIM_VERB_ROLE,
    SIM_VERB_PROMOTE,
    SIM_VERB_DEMOTE,
    SIM_VERB_COMMIT,
    SIM_VERB_SNAPSHOT,
    SIM_VERB_BOOTSTRAP,
    SIM_VERB_COUNT
};

/* Something that happens on a member now. `kinds` are bits: what a disk operation is
 * about, a message's type, what an entry does, a role, a step of bootstrap; a match asks
 * for one of them. */
struct sim_point {
    enum sim_point_when when;
    enum sim_point_verb verb;
    uint64_t kinds;
    const char *word; /* SIM_VERB_BOOTSTRAP: the step. */
    uint32_t machine;
    uint32_t peer; /* SEND, RECEIVE; else 0. */
    uint64_t term; /* Where they mean something; else 0. */
    uint64_t index;
};

/* What a scenario waits for. */
struct sim_point_match {
    enum sim_point_when when;
    enum sim_point_verb verb;
    uint64_t kinds; /* 0: any. */
};

/* Read a point's text; false: `error` says what was found and what was expected. A
 * verb without before: or after: means before, where there are both. */
bool sim_point_parse(const char *text, struct sim_point_match *out, char *error, size_t size);
bool sim_point_matches(const struct sim_point_match *match, const struct sim_point *point);
/* Every point there is, a line each, for `faultline list --points`: number 0, 1, …;
 * NULL at the end. `text` is the caller's room. */
const char *sim_point_line(uint32_t number, char *text, size_t size);

/* The bits of `kinds`, by what they are about. */
uint64_t sim_point_record(uint32_t disk_record, const char *file_name);
uint64_t sim_point_message(uint32_t wire_kind, uint32_t raft_type);
uint64_t sim_point_role(uint32_t raft_role);
uint64_t sim_point_step(const char *word);

enum sim_point_apply {
    SIM_APPLY_PUT,
    SIM_APPLY_DELETE,
    SIM_APPLY_TXN,
    SIM_APPLY_COMPACT,
    SIM_APPLY_GRANT,
    SIM_APPLY_REVOKE,
    SIM_APPLY_CONF_CHANGE,
    SIM_APPLY_EMPTY
};

#endif
