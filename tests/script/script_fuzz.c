/* script_fuzz FOLDER COUNT [FIRST [PROGRAM]]: scripts of the golden files, each damaged a
 * little, are opened and run: here, or by the program as a whole. Whatever comes of it
 * is a verdict, never a crash and never a hang. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/random.h"
#include "sim/script/script.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 512, SCRIPT_MAX = 1 << 16, TEXT_MAX = 1 << 20 };

struct scripts {
    char *items[SCRIPTS_MAX];
    size_t count;
};

static void take_scripts(struct scripts *scripts, char *text)
{
    for (char *at = strstr(text, "=== "); at; at = strstr(at, "\n=== ")) {
        char *start = strchr(at + 1, '\n');
        char *end = start ? strstr(start, "\n---\n") : NULL;
        if (!end || scripts->count == SCRIPTS_MAX) {
            return;
        }
        /* What ends by its budget only would take its time in every mutant. */
        if (!strstr(start, "while true do") || strstr(start, "while true do") > end) {
            scripts->items[scripts->count++] = strndup(start + 1, (size_t)(end - start));
        }
        at = end;
    }
}

static void read_scripts(struct scripts *scripts, const char *folder, const char *name)
{
    static char text[TEXT_MAX];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert(file);
    text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
    fclose(file);
    take_scripts(scripts, text);
}

static const char *const words[] = {"nil",       "true",
                                    "{}",        "c",
                                    "c[1]",      "function() end",
                                    "-1",        "0",
                                    "1e308",     "0/0",
                                    "\"x\"",     "s",
                                    "end",       "(",
                                    ")",         "{",
                                    "}",         "run",
                                    "m1",        "c:client()",
                                    "now()",     "3",
                                    "..",        "c[2]:crash()",
                                    "math.huge", "math.mininteger",
                                    "string",    "print",
                                    "c.leader",  "#c"};

static size_t any(struct sim_random *random, size_t bound)
{
    return (size_t)sim_random_below(random, bound);
}

/* Replace `size` bytes at `at` by a text. */
static void splice(char *script, size_t at, size_t size, const char *text)
{
    size_t length = strlen(script);
    size_t more = strlen(text);
    if (length + more >= SCRIPT_MAX || at + size > length) {
        return;
    }
    memmove(script + at + more, script + at + size, length - at - size + 1);
    memcpy(script + at, text, more);
}

static size_t word_size(const char *at)
{
    size_t size = 0;
    while ((at[size] >= 'a' && at[size] <= 'z') || (at[size] >= '0' && at[size] <= '9') || at[size] == '_') {
        size++;
    }
    return size > 0 ? size : 1;
}

static void damage(char *script, struct sim_random *random)
{
    size_t at = any(random, strlen(script));
    const char *word = words[any(random, sizeof words / sizeof words[0])];
    char byte[2] = {(char)(1 + any(random, 255)), '\0'};
    char copy[64];
    switch (any(random, 6)) {
    case 0:
        splice(script, at, 1, byte);
        break;
    case 1:
        splice(script, at, word_size(script + at), word);
        break;
    case 2:
        splice(script, at, any(random, 8), "");
        break;
    case 3:
        splice(script, at, 0, word);
        break;
    default: /* A word from elsewhere in the script. */
        snprintf(copy, sizeof copy, "%.*s", (int)word_size(script + at), script + at);
        at = any(random, strlen(script));
        splice(script, at, word_size(script + at), copy);
        break;
    }
}

static void run_script(const char *script, struct script_worlds **worlds)
{
    char error[SCRIPT_TEXT_MAX];
    FILE *file = fopen("mutant.lua", "wb");
    assert(file);
    fwrite(script, 1, strlen(script), file);
    fclose(file);
    struct script_file *opened = script_open("mutant.lua", NULL, 0, error);
    if (!opened) {
        assert(error[0] != '\0');
        return;
    }
    for (uint32_t i = 0; i < script_count(opened); i++) {
        const struct script_run_options options = {.seed = 1, .until_ns = UINT64_C(30000000000)};
        struct script_outcome outcome;
        script_run(opened, i, &options, worlds, &outcome);
        assert(outcome.verdict <= SCRIPT_UNJUDGED);
        assert(outcome.verdict == SCRIPT_HELD || outcome.verdict == SCRIPT_VIOLATED ||
               outcome.error[0] != '\0');
        script_outcome_release(&outcome);
    }
    script_close(opened);
}

/* Let the program run it; the exit status is a verdict. */
static void run_program(const char *program, const char *script, uint64_t seed)
{
    FILE *file = fopen("mutant.lua", "wb");
    assert(file);
    fwrite(script, 1, strlen(script), file);
    fclose(file);
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        bool is_quiet = freopen("/dev/null", "w", stdout) && freopen("said", "w", stderr);
        (void)alarm(100);
        (void)execl(program, program, "run", "mutant.lua", "--seeds", "1", "--jobs", "1", "-q", (char *)NULL);
        _exit(is_quiet ? 126 : 127);
    }
    int status = 0;
    pid_t waited = waitpid(pid, &status, 0);
    assert(waited == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 3) {
        fprintf(stderr, "seed %llu: ended with %x:\n%s\n", (unsigned long long)seed, (unsigned)status,
                script);
        abort();
    }
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"load.txt",  "errors.txt",  "sandbox.txt",
                                        "order.txt", "demands.txt", "cluster.txt"};
    static char script[SCRIPT_MAX];
    char folder[] = "/tmp/faultline-fuzz-XXXXXX";
    struct scripts scripts = {.count = 0};
    struct script_worlds *worlds = NULL;
    assert(argc >= 3);
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        read_scripts(&scripts, argv[1], files[i]);
    }
    bool has_folder = mkdtemp(folder) && chdir(folder) == 0;
    assert(has_folder && scripts.count > 0);
    for (uint64_t seed = first; seed < first + strtoull(argv[2], NULL, 10); seed++) {
        struct sim_random random;
        sim_random_init(&random, seed, 0, 0, SIM_FOR_SCRIPT);
        snprintf(script, sizeof script, "%s", scripts.items[any(&random, scripts.count)]);
        for (size_t i = 0; i < 1 + seed % 3; i++) {
            damage(script, &random);
        }
        if (argc > 4) {
            run_program(argv[4], script, seed);
        } else {
            run_script(script, &worlds);
        }
    }
    script_worlds_free(worlds);
    for (size_t i = 0; i < scripts.count; i++) {
        free(scripts.items[i]);
    }
    unlink("mutant.lua");
    unlink("said");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : 1;
}
