/* Recorded client histories: Jepsen's log lines, and maps as EDN or JSON (one a line,
 * or one after the other), each an event with a process, a type (invoke, ok, fail,
 * info), a function (read, get, write, put, append, cas, delete), a key and a value.
 *
 * An ok or fail event answers the open call of its process; a fail says that it had
 * no effect (for a cas: that it found something else); info leaves the outcome open
 * for ever, and so does the end of the file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHECK_IMPORT_H
#define SIM_CHECK_IMPORT_H

#include "sim/check/linear.h"
#include "sim/check/revisions.h"

/* The text that is read; `error` says what was found and what was expected. */
struct check_text {
    const char *bytes;
    size_t size;
    uint32_t line; /* Of the error, from 1. */
    char error[160];
};

enum check_model { CHECK_MODEL_KV, CHECK_MODEL_CAS_REGISTER, CHECK_MODEL_ETCD };

/* Fill a recording from the text. false: `text->error` at `text->line`. With the
 * etcd model, `revised` is filled instead. */
bool check_import(struct check_text *text, enum check_model model, struct check_recording *recording,
                  struct check_revisions *revised);

#endif
