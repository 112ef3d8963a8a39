/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/point.h"

#include "core/disk.h"
#include "core/wire/wire.h"

#include "sim/nearest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { FILE_SEGMENT = 8, FILE_SNAP = 9, KIND_MAX = 64 };

/* A verb, whether it has a before and an after, and its kinds by bit. */
struct verb_info {
    const char *name;
    bool is_bare; /* A notice: neither before nor after. */
    const char *const *kinds;
};

static const char *const disk_kinds[KIND_MAX] = {
    [DISK_METADATA] = "Metadata", [DISK_HARD_STATE] = "HardState", [DISK_ENTRY] = "Entry",
    [DISK_SNAPSHOT] = "Snapshot", [FILE_SEGMENT] = "segment",      [FILE_SNAP] = "snap",
};

/* Raft's types, and behind them the other messages. */
static const char *const message_kinds[KIND_MAX] = {
    [RAFT_MSG_PROP] = "MsgProp",
    [RAFT_MSG_APP] = "MsgApp",
    [RAFT_MSG_APP_RESP] = "MsgAppResp",
    [RAFT_MSG_VOTE] = "MsgVote",
    [RAFT_MSG_VOTE_RESP] = "MsgVoteResp",
    [RAFT_MSG_SNAP] = "MsgSnap",
    [RAFT_MSG_HEARTBEAT] = "MsgHeartbeat",
    [RAFT_MSG_HEARTBEAT_RESP] = "MsgHeartbeatResp",
    [RAFT_MSG_TRANSFER_LEADER] = "MsgTransferLeader",
    [RAFT_MSG_TIMEOUT_NOW] = "MsgTimeoutNow",
    [RAFT_MSG_READ_INDEX] = "MsgReadIndex",
    [RAFT_MSG_READ_INDEX_RESP] = "MsgReadIndexResp",
    [RAFT_MSG_PRE_VOTE] = "MsgPreVote",
    [RAFT_MSG_PRE_VOTE_RESP] = "MsgPreVoteResp",
    [RAFT_MSG_COUNT + WIRE_SNAPSHOT_CHUNK] = "SnapshotChunk",
    [RAFT_MSG_COUNT + WIRE_REFUSAL] = "Refusal",
    [RAFT_MSG_COUNT + WIRE_LEASE_FORWARD] = "LeaseForward",
    [RAFT_MSG_COUNT + WIRE_LEASE_ANSWER] = "LeaseAnswer",
    [RAFT_MSG_COUNT + WIRE_PEER_QUERY] = "PeerQuery",
    [RAFT_MSG_COUNT + WIRE_PEER_ANSWER] = "PeerAnswer",
    [RAFT_MSG_COUNT + WIRE_HELLO] = "Hello",
    [RAFT_MSG_COUNT + WIRE_WELCOME] = "Welcome",
    [RAFT_MSG_COUNT + WIRE_PING] = "Ping",
    [RAFT_MSG_COUNT + WIRE_PONG] = "Pong",
    [RAFT_MSG_COUNT + WIRE_REQUEST] = "Request",
    [RAFT_MSG_COUNT + WIRE_RESPONSE] = "Response",
    [RAFT_MSG_COUNT + WIRE_WATCH] = "Watch",
    [RAFT_MSG_COUNT + WIRE_GOODBYE] = "Goodbye",
    [RAFT_MSG_COUNT + WIRE_CHANGE_FORWARD] = "ChangeForward",
    [RAFT_MSG_COUNT + WIRE_CHANGE_ANSWER] = "ChangeAnswer",
};

static_assert(RAFT_MSG_COUNT + WIRE_KIND_COUNT <= KIND_MAX, "a bit for each kind of message");

static const char *const apply_kinds[KIND_MAX] = {
    [SIM_APPLY_PUT] = "Put",
    [SIM_APPLY_DELETE] = "Delete",
    [SIM_APPLY_TXN] = "Txn",
    [SIM_APPLY_COMPACT] = "Compact",
    [SIM_APPLY_GRANT] = "Grant",
    [SIM_APPLY_REVOKE] = "Revoke",
    [SIM_APPLY_CONF_CHANGE] = "ConfChange",
    [SIM_APPLY_EMPTY] = "Empty",
};

static const char *const role_kinds[KIND_MAX] = {
    [RAFT_FOLLOWER] = "follower",
    [RAFT_CANDIDATE] = "candidate",
    [RAFT_LEADER] = "leader",
    [RAFT_PRE_CANDIDATE] = "pre-candidate",
};

/* Steps of bootstrap and start-up, by their words. */
static const char *const step_kinds[KIND_MAX] = {
    "configured", "size",   "registered", "complete",  "probed", "ids",
    "log",        "joined", "restored",   "recovered", "forced", "raft",
};

static const char *const no_kinds[KIND_MAX] = {0};

static const struct verb_info verbs[SIM_VERB_COUNT] = {
    [SIM_VERB_APPEND] = {"append", false, disk_kinds},
    [SIM_VERB_WRITE] = {"write", false, disk_kinds},
    [SIM_VERB_READ] = {"read", false, disk_kinds},
    [SIM_VERB_SYNC] = {"sync", false, disk_kinds},
    [SIM_VERB_RENAME] = {"rename", false, disk_kinds},
    [SIM_VERB_REMOVE] = {"remove", false, disk_kinds},
    [SIM_VERB_SYNCDIR] = {"syncdir", false, no_kinds},
    [SIM_VERB_SEND] = {"send", false, message_kinds},
    [SIM_VERB_RECEIVE] = {"receive", false, message_kinds},
    [SIM_VERB_APPLY] = {"apply", false, apply_kinds},
    [SIM_VERB_ROLE] = {"role", true, role_kinds},
    [SIM_VERB_PROMOTE] = {"promote", true, no_kinds},
    [SIM_VERB_DEMOTE] = {"demote", true, no_kinds},
    [SIM_VERB_COMMIT] = {"commit", true, no_kinds},
    [SIM_VERB_SNAPSHOT] = {"snapshot", true, no_kinds},
    [SIM_VERB_BOOTSTRAP] = {"bootstrap", true, step_kinds},
};

uint64_t sim_point_record(uint32_t disk_record, const char *file_name)
{
    uint64_t kinds = disk_record == DISK_OTHER ? 0 : UINT64_C(1) << disk_record;
    if (disk_record == DISK_SEGMENT) {
        kinds |= UINT64_C(1) << DISK_METADATA; /* A segment's head: who it belongs to is in it. */
    }
    if (strncmp(file_name, "wal", 3) == 0) {
        kinds |= UINT64_C(1) << FILE_SEGMENT;
    } else if (strncmp(file_name, "snap", 4) == 0) {
        kinds |= UINT64_C(1) << FILE_SNAP;
    }
    return kinds;
}

uint64_t sim_point_message(uint32_t wire_kind, uint32_t raft_type)
{
    return UINT64_C(1) << (wire_kind == WIRE_RAFT ? raft_type : RAFT_MSG_COUNT + wire_kind);
}

uint64_t sim_point_role(uint32_t raft_role)
{
    return UINT64_C(1) << raft_role;
}

uint64_t sim_point_step(const char *word)
{
    for (uint32_t bit = 0; bit < KIND_MAX && step_kinds[bit]; bit++) {
        if (strcmp(step_kinds[bit], word) == 0) {
            return UINT64_C(1) << bit;
        }
    }
    assert(false && "a step that can be waited for");
    return 0;
}

static bool kind_parse(const struct verb_info *verb, const char *text, uint64_t *kinds)
{
    for (uint32_t bit = 0; bit < KIND_MAX; bit++) {
        if (verb->kinds[bit] && strcmp(verb->kinds[bit], text) == 0) {
            *kinds = UINT64_C(1) << bit;
            return true;
        }
    }
    return false;
}

static void list_kinds(const struct verb_info *verb, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t bit = 0; bit < KIND_MAX && at < size; bit++) {
        if (verb->kinds[bit]) {
            at += (size_t)snprintf(out + at, size - at, "%s%s", at == 0 ? "" : " ", verb->kinds[bit]);
        }
    }
}

/* "found kind 'Entri' of sync, did you mean 'Entry'? Expected one of: …" */
static void refuse_kind(const struct verb_info *verb, const char *what, const char *found, char *error,
                        size_t size)
{
    const char *names[KIND_MAX];
    char kinds[512];
    size_t count = 0;
    for (uint32_t bit = 0; bit < KIND_MAX; bit++) {
        if (verb->kinds[bit]) {
            names[count++] = verb->kinds[bit];
        }
    }
    list_kinds(verb, kinds, sizeof kinds);
    const char *nearest = sim_nearest(found, names, count);
    if (nearest) {
        snprintf(error, size, "found %s '%s' of %s, did you mean '%s'? Expected one of: %s", what, found,
                 verb->name, nearest, kinds);
    } else if (count > 0) {
        snprintf(error, size, "found %s '%s' of %s, expected one of: %s", what, found, verb->name, kinds);
    } else {
        snprintf(error, size, "found %s '%s' of %s, expected nothing", what, found, verb->name);
    }
}

static void refuse_verb(const char *text, const char *word, size_t length, char *error, size_t size)
{
    static const char grammar[] =
        "[before:|after:] append write read sync rename remove syncdir send receive "
        "apply, or role:… promote demote commit snapshot bootstrap:…";
    const char *names[SIM_VERB_COUNT + 2] = {"before", "after"};
    char found[64];
    for (uint32_t i = 0; i < SIM_VERB_COUNT; i++) {
        names[i + 2] = verbs[i].name;
    }
    snprintf(found, sizeof found, "%.*s", (int)length, word);
    const char *nearest = sim_nearest(found, names, SIM_VERB_COUNT + 2);
    if (nearest && strcmp(nearest, found) != 0) {
        snprintf(error, size, "found '%s' in point '%s', did you mean '%s'? Expected %s", found, text,
                 nearest, grammar);
    } else {
        snprintf(error, size, "found point '%s', expected %s", text, grammar);
    }
}

static const struct verb_info *verb_parse(const char *text, size_t length, enum sim_point_verb *verb)
{
    for (uint32_t i = 0; i < SIM_VERB_COUNT; i++) {
        if (strlen(verbs[i].name) == length && strncmp(verbs[i].name, text, length) == 0) {
            *verb = (enum sim_point_verb)i;
            return &verbs[i];
        }
    }
    return NULL;
}

/* "role:leader", "bootstrap:ids", "promote": notices. */
static bool notice_parse(const struct verb_info *verb, const char *rest, struct sim_point_match *out,
                         char *error, size_t size)
{
    out->when = SIM_POINT_AT;
    bool takes_word = out->verb == SIM_VERB_ROLE || out->verb == SIM_VERB_BOOTSTRAP;
    if (*rest == '\0') {
        return true;
    }
    if (*rest != ':' || !takes_word) {
        snprintf(error, size, "found '%s' after %s, expected nothing", rest, verb->name);
        return false;
    }
    if (!kind_parse(verb, rest + 1, &out->kinds)) {
        refuse_kind(verb, out->verb == SIM_VERB_ROLE ? "role" : "step", rest + 1, error, size);
        return false;
    }
    return true;
}

bool sim_point_parse(const char *text, struct sim_point_match *out, char *error, size_t size)
{
    *out = (struct sim_point_match){.when = SIM_POINT_BEFORE};
    const char *at = text;
    bool has_when = true;
    if (strncmp(at, "before:", 7) == 0) {
        at += 7;
    } else if (strncmp(at, "after:", 6) == 0) {
        out->when = SIM_POINT_AFTER;
        at += 6;
    } else {
        has_when = false;
    }
    size_t length = strcspn(at, " :");
    const struct verb_info *verb = verb_parse(at, length, &out->verb);
    if (!verb) {
        refuse_verb(text, at, length, error, size);
        return false;
    }
    at += length;
    if (verb->is_bare) {
        if (has_when) {
            snprintf(error, size, "found before or after with %s, which is a notice and has neither",
                     verb->name);
            return false;
        }
        return notice_parse(verb, at, out, error, size);
    }
    at += strspn(at, " ");
    if (*at != '\0' && !kind_parse(verb, at, &out->kinds)) {
        refuse_kind(verb, "kind", at, error, size);
        return false;
    }
    return true;
}

bool sim_point_matches(const struct sim_point_match *match, const struct sim_point *point)
{
    return match->when == point->when && match->verb == point->verb &&
           (match->kinds == 0 || (match->kinds & point->kinds) != 0);
}

const char *sim_point_line(uint32_t number, char *text, size_t size)
{
    if (number >= SIM_VERB_COUNT) {
        return NULL;
    }
    const struct verb_info *verb = &verbs[number];
    char kinds[512];
    list_kinds(verb, kinds, sizeof kinds);
    if (!verb->is_bare) {
        snprintf(text, size, "[before:|after:]%-10s %s", verb->name, kinds);
    } else if (number == SIM_VERB_BOOTSTRAP) {
        snprintf(text, size, "%-26s %s", "bootstrap:STEP", kinds);
    } else if (kinds[0] != '\0') {
        snprintf(text, size, "%s:%-21s %s", verb->name, "ROLE", kinds);
    } else {
        snprintf(text, size, "%s", verb->name);
    }
    return text;
}
