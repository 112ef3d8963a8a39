/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/random.h"
#include "sim/trace.h"

#include <criterion/criterion.h>

static const struct sim_trace_header header = {
    .version = "1", .build = "test", .scenario = "one", .parameters = "a=1\nb=2\n", .seed = 42};

/* Some events in all shapes; `wrong` is the number of one that is different. */
static void play(struct sim_recorder *recorder, uint64_t count, uint64_t wrong)
{
    struct sim_random random;
    sim_random_init(&random, 7, 0, 0, SIM_FOR_WORLD);
    uint64_t time_ns = 0;
    for (uint64_t i = 1; i <= count; i++) {
        time_ns += sim_random_below(&random, 1000000);
        uint64_t kind = sim_random_below(&random, SIM_EVENT_COUNT);
        uint64_t machine = sim_random_between(&random, 1, 5);
        uint64_t fields[SIM_FIELDS_MAX];
        for (uint32_t k = 0; k < SIM_FIELDS_MAX; k++) {
            uint64_t bits = sim_random_below(&random, 64);
            fields[k] = sim_random_u64(&random) >> bits;
        }
        fields[0] += i == wrong;
        kind = i == wrong ? SIM_EVENT_COMMIT : kind;
        struct base_bytes text = kind == SIM_EVENT_NOTE ? base_bytes_of("a note") : (struct base_bytes){0};
        sim_record(recorder, time_ns, (enum sim_event_kind)kind, (uint32_t)machine, fields, text);
    }
}

/* A run's whole trace in memory; `digest` is its recorder's. */
static struct sim_trace_bytes trace_of(uint64_t count, uint64_t wrong, uint64_t digest[2])
{
    struct sim_trace_bytes bytes = {0};
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 42);
    struct sim_trace_output output = {.context = &bytes, .put = sim_trace_put_memory};
    struct sim_trace_writer *writer = sim_trace_writer_new(&header, &output);
    sim_recorder_add(&recorder, sim_trace_writer_sink(writer));
    play(&recorder, count, wrong);
    sim_trace_writer_end(writer);
    memcpy(digest, recorder.digest, sizeof recorder.digest);
    return bytes;
}

static struct sim_trace *opened(const struct sim_trace_bytes *bytes, size_t size)
{
    char error[200] = "";
    struct sim_trace *trace = sim_trace_open((struct base_bytes){bytes->data, size}, error, sizeof error);
    cr_assert_not_null(trace, "%s", error);
    return trace;
}

/* Holds what it is told against what a trace says, event by event. */
static void expect_next(void *context, const struct sim_event *event)
{
    struct sim_event read;
    cr_assert(sim_trace_next(context, &read));
    cr_assert_eq(read.time_ns, event->time_ns);
    cr_assert_eq(read.number, event->number);
    cr_assert_eq(read.kind, event->kind);
    cr_assert_eq(read.machine, event->machine);
    for (uint32_t i = 0; i < sim_event_info(event->kind)->field_count; i++) {
        cr_assert_eq(read.fields[i], event->fields[i]);
    }
    cr_assert(base_bytes_equal(read.text, event->text));
}

Test(sim_trace, what_is_read_is_what_was_written)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(30000, 0, digest);
    struct sim_trace *trace = opened(&bytes, bytes.size);
    cr_assert_str_eq(sim_trace_header(trace)->scenario, "one");
    cr_assert_str_eq(sim_trace_header(trace)->parameters, "a=1\nb=2\n");
    cr_assert_eq(sim_trace_header(trace)->seed, 42);
    struct sim_recorder recorder;
    sim_recorder_init(&recorder, 42);
    struct sim_sink sink = {.context = trace, .event = expect_next};
    sim_recorder_add(&recorder, &sink);
    play(&recorder, 30000, 0);
    struct sim_event event;
    cr_assert(!sim_trace_next(trace, &event));
    cr_assert_null(sim_trace_error(trace));
    uint64_t read[2];
    sim_trace_digest(trace, read);
    cr_assert_eq(memcmp(read, digest, sizeof read), 0);
    sim_trace_close(trace);
    sim_trace_bytes_release(&bytes);
}

Test(sim_trace, an_empty_run_is_a_trace_too)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(0, 0, digest);
    struct sim_trace *trace = opened(&bytes, bytes.size);
    struct sim_event event;
    cr_assert(!sim_trace_next(trace, &event));
    cr_assert_null(sim_trace_error(trace));
    sim_trace_close(trace);
    sim_trace_bytes_release(&bytes);
}

Test(sim_trace, seeking_finds_the_first_event_at_a_time)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(30000, 0, digest);
    struct sim_trace *trace = opened(&bytes, bytes.size);
    struct sim_event event = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        cr_assert(sim_trace_next(trace, &event));
    }
    uint64_t number = event.number;
    uint64_t time_ns = event.time_ns;
    sim_trace_seek(trace, time_ns);
    cr_assert(sim_trace_next(trace, &event));
    cr_assert_leq(event.number, number);
    cr_assert_gt(event.number, 1);
    while (event.time_ns < time_ns) {
        cr_assert(sim_trace_next(trace, &event));
    }
    cr_assert_eq(event.number, number);
    sim_trace_seek(trace, 0);
    cr_assert(sim_trace_next(trace, &event));
    cr_assert_eq(event.number, 1);
    sim_trace_close(trace);
    sim_trace_bytes_release(&bytes);
}

Test(sim_trace, equal_runs_do_not_part)
{
    uint64_t digest[2];
    struct sim_trace_bytes a = trace_of(5000, 0, digest);
    struct sim_trace_bytes b = trace_of(5000, 0, digest);
    cr_assert_eq(a.size, b.size);
    cr_assert_eq(memcmp(a.data, b.data, a.size), 0);
    struct sim_trace *in_a = opened(&a, a.size);
    struct sim_trace *in_b = opened(&b, b.size);
    struct sim_trace_difference difference;
    cr_assert(!sim_trace_diff(in_a, in_b, &difference));
    sim_trace_close(in_a);
    sim_trace_close(in_b);
    sim_trace_bytes_release(&a);
    sim_trace_bytes_release(&b);
}

Test(sim_trace, the_first_different_event_and_field_are_named)
{
    uint64_t digest[2][2];
    struct sim_trace_bytes a = trace_of(5000, 4000, digest[0]);
    struct sim_trace_bytes b = trace_of(5000, 0, digest[1]);
    cr_assert_neq(memcmp(digest[0], digest[1], sizeof digest[0]), 0);
    struct sim_trace *in_a = opened(&a, a.size);
    struct sim_trace *in_b = opened(&b, b.size);
    struct sim_trace_difference difference;
    cr_assert(sim_trace_diff(in_a, in_b, &difference));
    cr_assert_eq(difference.number, 4000);
    cr_assert_str_eq(difference.field, "kind");
    cr_assert_eq(strncmp(difference.line[0], "commit index ", 13), 0);
    sim_trace_close(in_a);
    sim_trace_close(in_b);
    sim_trace_bytes_release(&a);
    sim_trace_bytes_release(&b);
}

Test(sim_trace, a_shorter_run_parts_at_its_end)
{
    uint64_t digest[2];
    struct sim_trace_bytes a = trace_of(10, 0, digest);
    struct sim_trace_bytes b = trace_of(9, 0, digest);
    struct sim_trace *in_a = opened(&a, a.size);
    struct sim_trace *in_b = opened(&b, b.size);
    struct sim_trace_difference difference;
    cr_assert(sim_trace_diff(in_a, in_b, &difference));
    cr_assert_eq(difference.number, 10);
    cr_assert_str_eq(difference.field, "end");
    cr_assert_str_empty(difference.line[1]);
    sim_trace_close(in_a);
    sim_trace_close(in_b);
    sim_trace_bytes_release(&a);
    sim_trace_bytes_release(&b);
}

Test(sim_trace, every_cut_is_noticed)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(300, 0, digest);
    for (size_t size = 0; size < bytes.size; size++) {
        char error[200] = "";
        struct sim_trace *trace = sim_trace_open((struct base_bytes){bytes.data, size}, error, sizeof error);
        if (!trace) {
            cr_assert_str_not_empty(error);
            continue;
        }
        struct sim_event event;
        while (sim_trace_next(trace, &event)) {
        }
        cr_assert_not_null(sim_trace_error(trace));
        sim_trace_close(trace);
    }
    sim_trace_bytes_release(&bytes);
}

Test(sim_trace, damage_never_leads_astray)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(300, 0, digest);
    struct sim_random random;
    sim_random_init(&random, 1, 0, 0, SIM_FOR_WORLD);
    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t at = sim_random_below(&random, bytes.size);
        uint64_t bit = sim_random_below(&random, 8);
        bytes.data[at] = (uint8_t)(bytes.data[at] ^ 1u << bit);
        char error[200];
        struct sim_trace *trace =
            sim_trace_open((struct base_bytes){bytes.data, bytes.size}, error, sizeof error);
        if (trace) {
            struct sim_event event;
            char line[SIM_TRACE_LINE];
            while (sim_trace_next(trace, &event)) {
                (void)sim_trace_print(trace, &event, line, sizeof line);
            }
            sim_trace_close(trace);
        }
        bytes.data[at] = (uint8_t)(bytes.data[at] ^ 1u << bit);
    }
    sim_trace_bytes_release(&bytes);
}

Test(sim_trace, a_file_holds_what_memory_holds)
{
    uint64_t digest[2];
    struct sim_trace_bytes bytes = trace_of(100, 0, digest);
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    sim_trace_put_file(file, (struct base_bytes){bytes.data, bytes.size});
    cr_assert_eq(ftell(file), (long)bytes.size);
    cr_assert(!ferror(file));
    (void)fclose(file);
    sim_trace_bytes_release(&bytes);
}
