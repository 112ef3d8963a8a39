/* A run's events as bytes: in a file, or in memory for comparing two runs.
 *
 * A header (what ran, and the table of event kinds it was written with), then
 * blocks of some thousand events, compressed with zstd, each with its first time
 * and the digest after its last event; then an end mark, without which the trace
 * is known to be cut short. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/record.h"

#include <stdio.h>

struct sim_trace_header {
    const char *version; /* Of the program. */
    const char *build;
    const char *scenario;
    const char *parameters; /* "name=value" lines, in the order given. */
    uint64_t seed;
};

/* --- writing --- */

struct sim_trace_writer;

/* Where the bytes go: appended piece by piece. */
struct sim_trace_output {
    void *context;
    void (*put)(void *context, struct base_bytes bytes);
};

/* `context` is a FILE; whether all was written ferror says. */
void sim_trace_put_file(void *context, struct base_bytes bytes);

/* Bytes in memory; zero is empty. */
struct sim_trace_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};
/* `context` is a struct sim_trace_bytes. */
void sim_trace_put_memory(void *context, struct base_bytes bytes);
void sim_trace_bytes_release(struct sim_trace_bytes *bytes);

/* Writes the header. `header` is needed for the call only, `output` to the end. */
struct sim_trace_writer *sim_trace_writer_new(const struct sim_trace_header *header,
                                              const struct sim_trace_output *output);
/* For sim_recorder_add, once. */
struct sim_sink *sim_trace_writer_sink(struct sim_trace_writer *writer);
/* Write what is left and the end mark, and free it; its sink must not be told more. */
void sim_trace_writer_end(struct sim_trace_writer *writer);

/* --- reading --- */

struct sim_trace;

/* Read a trace that lies in memory; `bytes` are borrowed until the end. NULL when
 * it is none, with a sentence in `error` of `size` bytes. */
struct sim_trace *sim_trace_open(struct base_bytes bytes, char *error, size_t size);
void sim_trace_close(struct sim_trace *trace);
const struct sim_trace_header *sim_trace_header(const struct sim_trace *trace);
/* The next event, borrowed until the next call. `kind` is a place in the trace's
 * own table (sim_trace_info), which is this program's if it wrote the trace. false:
 * the end, or damage. */
bool sim_trace_next(struct sim_trace *trace, struct sim_event *event);
/* Begin again at the block that may hold the first event at or after `time_ns`. */
void sim_trace_seek(struct sim_trace *trace, uint64_t time_ns);
/* Why sim_trace_next ended before the end mark; NULL when it did not. */
const char *sim_trace_error(const struct sim_trace *trace);
/* The digest after the last event of the blocks read. */
void sim_trace_digest(const struct sim_trace *trace, uint64_t digest[2]);
/* NULL: there is no such kind. */
const struct sim_event_info *sim_trace_info(const struct sim_trace *trace, uint32_t kind);
/* sim_event_print by the trace's own table; members are known by the identity
 * events read so far. */
size_t sim_trace_print(struct sim_trace *trace, const struct sim_event *event, char *out, size_t size);

/* --- comparing --- */

enum { SIM_TRACE_LINE = 256 };

/* The first event in which two traces part. */
struct sim_trace_difference {
    uint64_t number;     /* From 1. */
    char field[64];      /* "time", "kind", "machine", a field's name, "text", "end". */
    uint64_t time_ns[2]; /* Of the event in each; 0 after its end. */
    uint32_t machine[2];
    char line[2][SIM_TRACE_LINE]; /* "" after its end. */
};

/* true: they part, here. Reads both from where they are; damage is an end. */
bool sim_trace_diff(struct sim_trace *a, struct sim_trace *b, struct sim_trace_difference *out);

#endif
