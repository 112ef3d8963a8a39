/* Is a recorded history linearizable? The general question, for registers without
 * revisions. Keys are judged one by one (locality); each is walked event by event
 * with the set of configurations it may be in: a state, and which of the calls under
 * way have taken effect. A call takes effect at the latest when it returns, so work
 * and memory follow concurrency and not length. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_LINEAR_H
#define SIM_CHECK_LINEAR_H

#include "core/base/bytes.h"
#include "sim/check/table.h"

#include <stdbool.h>

enum check_action { CHECK_READ, CHECK_WRITE, CHECK_CAS, CHECK_APPEND };

enum { CHECK_VALUE_NONE = 0, CHECK_VALUE_EMPTY = 1, CHECK_VALUE_ANY = 2 };

/* Values by number: nothing, "", any (an unknown beginning), and those met. A value
 * is known by a hash that follows from its parts, so that appending needs no text. */
struct check_values {
    struct check_table table;
    struct check_value {
        uint64_t hash;
        uint64_t shift; /* What a hash is multiplied by when this is appended. */
    } * values;
    uint32_t count;
    uint32_t capacity;
};

#define CHECK_NEVER UINT32_MAX

struct check_operation {
    uint32_t key;
    enum check_action action;
    bool is_refused;      /* CAS: it found something else. */
    uint32_t from;        /* CAS: what it expected. */
    uint32_t value;       /* Written, appended, or read. */
    uint32_t invoked;     /* Its place in the order of events. */
    uint32_t returned;    /* The same; CHECK_NEVER when its outcome is not known. */
    uint32_t line;        /* Where it was begun in the file, */
    uint32_t return_line; /* and answered; 0 not. */
};

struct check_recording {
    struct check_operation *operations; /* In order of their beginning. */
    uint32_t count;
    uint32_t capacity;
    uint32_t event_count;
    uint32_t key_count;
    uint32_t initial; /* Value of every key. */
    struct check_values values;
};

enum check_linear_verdict { CHECK_LINEARIZABLE, CHECK_NOT_LINEARIZABLE, CHECK_NOT_JUDGED };

struct check_linear_result {
    enum check_linear_verdict verdict;
    uint32_t key;     /* Of what cannot be, */
    uint32_t culprit; /* the operation whose return cannot be explained, */
    uint32_t window;  /* and the place of the event from which on it cannot be. */
};

void check_values_init(struct check_values *values);
void check_values_release(struct check_values *values);
uint32_t check_values_enter(struct check_values *values, struct base_bytes text);
uint32_t check_values_append(struct check_values *values, uint32_t value, uint32_t suffix);

void check_recording_init(struct check_recording *recording);
void check_recording_release(struct check_recording *recording);
struct check_operation *check_recording_add(struct check_recording *recording);

/* The recording's values grow; it is the same otherwise. */
struct check_linear_result check_linear(struct check_recording *recording);

#endif
