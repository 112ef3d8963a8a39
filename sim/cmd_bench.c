/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "sim/bench/history.h"
#include "sim/bench/raft.h"
#include "sim/bench/recovery.h"
#include "sim/bench/world.h"
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/campaign/pool.h"
#include "sim/campaign/text.h"
#include "sim/cmd.h"
#include "sim/nearest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTS = 51 };

static const uint64_t second_ns = 1000000000;

/* Where figures go: one line each. */
struct printer {
    bool is_json;
};

struct bench {
    const char *name;
    const char *summary;
    /* false: what was measured counts for nothing. */
    bool (*run)(const struct printer *printer);
};

static void print_figure(const struct printer *printer, const char *name, double value, const char *unit,
                         uint32_t members, bool has_checks)
{
    if (printer->is_json) {
        printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"members\":%u,\"checks\":%s}\n", name, value,
               unit, members, has_checks ? "true" : "false");
    } else {
        printf("%-22s %12.6g %s\n", name, value, unit);
    }
    (void)fflush(stdout);
}

/* The most memory this process has had, MiB. */
static double peak_mebibytes(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* Pace, messages and memory of bare Raft, under one name. */
static bool run_raft(const struct printer *printer, const char *name, struct bench_raft_options options)
{
    struct bench_raft_result result;
    bench_raft(&options, &result);
    double cpu_s = (double)result.cpu_ns / 1e9;
    char line[64];
    bool has_checks = options.has_checks;
    print_figure(printer, name, (double)result.simulated_ns / 1e9 / cpu_s, "simulated s/s", options.nodes,
                 has_checks);
    (void)snprintf(line, sizeof line, "%s.messages", name);
    print_figure(printer, line, (double)result.messages / cpu_s, "messages/s", options.nodes, has_checks);
    (void)snprintf(line, sizeof line, "%s.events", name);
    print_figure(printer, line, (double)result.events / cpu_s, "events/s", options.nodes, has_checks);
    (void)snprintf(line, sizeof line, "%s.memory", name);
    print_figure(printer, line, (double)result.memory_peak / 1048576, "MiB", options.nodes, has_checks);
    return !result.is_violated;
}

static bool run_raft_idle(const struct printer *printer)
{
    return run_raft(printer, "raft-idle", bench_raft_idle(2 * second_ns));
}

static bool run_raft_load(const struct printer *printer)
{
    return run_raft(printer, "raft-load", bench_raft_load(3 * second_ns));
}

static bool run_raft_wide(const struct printer *printer)
{
    return run_raft(printer, "raft-wide", bench_raft_wide(3 * second_ns));
}

static bool run_judged(const struct printer *printer, const char *name, struct bench_raft_options options)
{
    options.has_checks = true;
    return run_raft(printer, name, options);
}

static bool run_raft_idle_judged(const struct printer *printer)
{
    return run_judged(printer, "raft-idle-judged", bench_raft_idle(2 * second_ns));
}

static bool run_raft_load_judged(const struct printer *printer)
{
    return run_judged(printer, "raft-load-judged", bench_raft_load(3 * second_ns));
}

static bool run_raft_wide_judged(const struct printer *printer)
{
    return run_judged(printer, "raft-wide-judged", bench_raft_wide(3 * second_ns));
}

static bool run_raft_kept(const struct printer *printer)
{
    return run_raft(printer, "raft-kept", bench_raft_kept(30 * second_ns));
}

static bool run_world(const struct printer *printer)
{
    struct bench_world_options options = {
        .members = 3, .rate = 100, .has_faults = true, .seed_ns = 60 * second_ns, .cpu_ns = 3 * second_ns};
    struct bench_world_result result;
    bench_world(&options, &result);
    double cpu_s = (double)result.cpu_ns / 1e9;
    print_figure(printer, "world", (double)result.simulated_ns / 1e9 / cpu_s, "simulated s/s", 3, true);
    print_figure(printer, "world.events", (double)result.events / cpu_s, "events/s", 3, true);
    print_figure(printer, "world.memory", peak_mebibytes(), "MiB", 3, true);
    return !result.is_violated;
}

static bool run_world_idle(const struct printer *printer)
{
    struct bench_world_options options = {.members = 5, .seed_ns = 600 * second_ns, .cpu_ns = 2 * second_ns};
    struct bench_world_result result;
    bench_world(&options, &result);
    double cpu_s = (double)result.cpu_ns / 1e9;
    print_figure(printer, "world-idle", (double)result.simulated_ns / 1e9 / cpu_s, "simulated s/s", 5, true);
    print_figure(printer, "world-idle.memory", peak_mebibytes() / 5, "MiB/member", 5, true);
    return !result.is_violated;
}

static bool run_swarm(const struct printer *printer)
{
    struct bench_world_options options = {
        .members = 5, .rate = 100, .has_faults = true, .seed_ns = 60 * second_ns, .cpu_ns = 4 * second_ns};
    struct bench_world_result result;
    bench_world(&options, &result);
    double hours = (double)result.cpu_ns / 1e9 / 3600;
    print_figure(printer, "swarm", (double)result.seeds / hours, "seeds/CPU-hour", 5, true);
    return !result.is_violated;
}

static bool run_history(const struct printer *printer)
{
    struct bench_history_options options = {.operations = 1000000, .keys = 100, .clients = 10};
    uint64_t cpu_ns = 0;
    bool is_right = bench_history(&options, &cpu_ns);
    print_figure(printer, "history", (double)cpu_ns / 1e9, "s", 0, true);
    return is_right;
}

static bool run_history_impossible(const struct printer *printer)
{
    struct bench_history_options options = {.operations = 100000,
                                            .keys = 1,
                                            .clients = 10,
                                            .is_impossible = true};
    uint64_t cpu_ns = 0;
    bool is_right = bench_history(&options, &cpu_ns);
    print_figure(printer, "history-impossible", (double)cpu_ns / 1e9, "s", 0, true);
    print_figure(printer, "history-impossible.memory", peak_mebibytes(), "MiB", 0, true);
    return is_right;
}

static bool run_recovery(const struct printer *printer)
{
    struct bench_recovery_options options = {.entries = 100000,
                                             .entry_bytes = 64,
                                             .entries_per_save = 10,
                                             .segment_bytes = 4 << 20};
    uint64_t cpu_ns = 0;
    bool is_back = bench_recovery(&options, &cpu_ns);
    print_figure(printer, "recovery", (double)cpu_ns / 1e6, "ms", 1, false);
    return is_back;
}

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* From fork to exit of this program with nothing to do, the median of many. */
static bool run_startup(const struct printer *printer)
{
    uint64_t times_ns[STARTS];
    for (int i = 0; i < STARTS; i++) {
        uint64_t began_ns = campaign_real_ns();
        pid_t pid = fork();
        if (pid == 0) {
            int nowhere = open("/dev/null", O_WRONLY);
            (void)dup2(nowhere, STDOUT_FILENO);
            (void)execl("/proc/self/exe", "faultline", "version", (char *)NULL);
            _exit(CMD_UNJUDGED);
        }
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            return false;
        }
        times_ns[i] = campaign_real_ns() - began_ns;
    }
    qsort(times_ns, STARTS, sizeof times_ns[0], compare_times);
    print_figure(printer, "startup", (double)times_ns[STARTS / 2] / 1e6, "ms", 0, false);
    return true;
}

static const struct bench benches[] = {
    {"raft-idle", "bare Raft, 5 nodes with nothing to do", run_raft_idle},
    {"raft-load", "bare Raft, 5 nodes, 1,000 proposals/s", run_raft_load},
    {"raft-wide", "bare Raft, 51 nodes, 1,000 proposals/s", run_raft_wide},
    {"raft-kept", "bare Raft, 3 nodes that keep 1,000,000 entries", run_raft_kept},
    {"raft-idle-judged", "raft-idle with all judges on", run_raft_idle_judged},
    {"raft-load-judged", "raft-load with all judges on", run_raft_load_judged},
    {"raft-wide-judged", "raft-wide with all judges on", run_raft_wide_judged},
    {"world", "3 members, 100 requests/s, faults, all judges", run_world},
    {"world-idle", "5 members and nothing to do, all judges", run_world_idle},
    {"swarm", "seeds of 60 simulated s, 5 members, 100 requests/s, faults, all judges", run_swarm},
    {"history", "1,000,000 operations on 100 keys by 10 clients, judged", run_history},
    {"history-impossible", "100,000 operations on one key, one of them impossible", run_history_impossible},
    {"recovery", "a log of 100,000 entries of 64 B, read back after a crash", run_recovery},
    {"startup", "the program from its start to its end", run_startup},
};
enum { BENCHES = sizeof benches / sizeof benches[0] };

/* In a process of its own, so that its memory is its own too. */
static int run_apart(const struct bench *bench, const struct printer *printer)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        bool is_good = bench->run(printer);
        (void)fflush(stdout);
        _exit(is_good ? CMD_HELD : CMD_UNJUDGED);
    }
    int status = 0;
    bool has_ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    if (!has_ended || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "faultline bench: %s: not measured: it broke on the way\n", bench->name);
        return CMD_UNJUDGED;
    }
    return CMD_HELD;
}

static const struct bench *find(const char *name)
{
    const char *names[BENCHES];
    for (int i = 0; i < BENCHES; i++) {
        names[i] = benches[i].name;
        if (strcmp(name, names[i]) == 0) {
            return &benches[i];
        }
    }
    const char *nearest = sim_nearest(name, names, BENCHES);
    fprintf(stderr, "faultline bench: found the name %s, expected %s\n", name,
            nearest ? nearest : "one of those that faultline bench --help lists");
    return NULL;
}

static int run_named(const struct campaign_arguments *arguments, const struct printer *printer)
{
    int status = CMD_HELD;
    for (uint32_t i = 0; i < arguments->word_count; i++) {
        if (!find(arguments->words[i])) {
            return CMD_WRONG;
        }
    }
    for (uint32_t i = 0; i < arguments->word_count; i++) {
        int own = run_apart(find(arguments->words[i]), printer);
        status = own == CMD_HELD ? status : own;
    }
    for (int i = 0; arguments->word_count == 0 && i < BENCHES; i++) {
        int own = run_apart(&benches[i], printer);
        status = own == CMD_HELD ? status : own;
    }
    return status;
}

static bool set_json(void *target, const char *value)
{
    (void)value;
    struct printer *printer = target;
    printer->is_json = true;
    return true;
}

int cmd_bench(int argc, char **argv)
{
    static const struct campaign_argument known[] = {
        {"--json", NULL, "one object a line: name, value, unit, members, checks", set_json},
    };
    struct printer printer = {0};
    struct campaign_arguments arguments = {.command = "bench",
                                           .usage = "[NAME…] [--json]",
                                           .known = known,
                                           .known_count = 1,
                                           .target = &printer};
    arguments.words = campaign_alloc((size_t)argc * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        for (int i = 0; i < BENCHES; i++) {
            printf("  %-30s %s\n", benches[i].name, benches[i].summary);
        }
        status = CMD_HELD;
    } else {
        status = run_named(&arguments, &printer);
    }
    free(arguments.words);
    return status;
}
