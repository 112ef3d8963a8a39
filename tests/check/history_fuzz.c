/* history_fuzz COUNT [FIRST [PROGRAM]]: recorded histories, made up here as a Jepsen log,
 * EDN and JSON lines. Whole, each is found linearizable in every form. Damaged a little,
 * it is judged or refused with a line that is there: here, or by the program as a
 * whole. Whatever comes of it is a verdict, never a crash and never a hang. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "sim/check/import.h"
#include "sim/random.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 16, PROCESSES = 4, KEYS = 3, VALUE_MAX = 24, HANG_S = 20 };
enum form { FORM_LOG, FORM_EDN, FORM_JSON, FORM_COUNT };

static const char *const models[] = {
    [CHECK_MODEL_KV] = "kv", [CHECK_MODEL_CAS_REGISTER] = "cas-register", [CHECK_MODEL_ETCD] = "etcd"};

struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

/* A store that does one call after the other, each between its two events. */
struct call {
    bool is_open;
    bool is_done;
    bool is_refused;
    int number; /* Of the process. */
    const char *function;
    int key;
    char value[VALUE_MAX]; /* "": nothing. */
    char other[VALUE_MAX]; /* A cas's second. */
    int revision, modified;
};

struct maker {
    struct sim_random random;
    enum check_model model;
    enum form form;
    struct call calls[PROCESSES];
    char state[KEYS][VALUE_MAX];
    int modified[KEYS];
    int revision;
    int process_next;
    int value_next;
    struct text *text;
};

static size_t any(struct sim_random *random, size_t bound)
{
    return (size_t)sim_random_below(random, bound);
}

static void put(struct text *text, const char *more)
{
    size_t size = strlen(more);
    assert(text->size + size < TEXT_MAX);
    memcpy(text->bytes + text->size, more, size);
    text->size += size;
}

static void put_value(struct maker *maker, const char *value)
{
    bool is_bare = maker->model == CHECK_MODEL_CAS_REGISTER;
    char out[VALUE_MAX + 4];
    if (value[0] == '\0' && maker->model != CHECK_MODEL_KV) {
        put(maker->text, maker->form == FORM_JSON ? "null" : "nil");
        return;
    }
    (void)snprintf(out, sizeof out, is_bare ? "%s" : "\"%s\"", value);
    put(maker->text, out);
}

static void put_values(struct maker *maker, const struct call *call, bool has_value)
{
    if (strcmp(call->function, "cas") != 0) {
        put_value(maker, has_value ? call->value : "");
        return;
    }
    put(maker->text, "[");
    put_value(maker, call->value);
    put(maker->text, maker->form == FORM_JSON ? "," : " ");
    put_value(maker, call->other);
    put(maker->text, "]");
}

static void put_head(struct maker *maker, const struct call *call, const char *type)
{
    char out[160] = "";
    switch (maker->form) {
    case FORM_LOG:
        (void)snprintf(out, sizeof out, "INFO  jepsen.util - %d\t:%s\t:%s\t", call->number, type,
                       call->function);
        break;
    case FORM_EDN:
        (void)snprintf(out, sizeof out, "{:process %d, :type :%s, :f :%s, :key \"k%d\", :value ",
                       call->number, type, call->function, call->key);
        break;
    case FORM_JSON:
        (void)snprintf(out, sizeof out,
                       "{\"process\":%d,\"type\":\"%s\",\"f\":\"%s\",\"key\":\"k%d\",\"value\":",
                       call->number, type, call->function, call->key);
        break;
    case FORM_COUNT:
        break;
    }
    put(maker->text, out);
}

static void put_event(struct maker *maker, const struct call *call, const char *type)
{
    bool is_read = strcmp(call->function, "read") == 0 || strcmp(call->function, "get") == 0;
    bool is_ok = strcmp(type, "ok") == 0;
    const char *quote = maker->form == FORM_JSON ? "\"" : "";
    const char *colon = maker->form == FORM_JSON ? ":" : " ";
    const char *mark = maker->form == FORM_JSON ? "" : ":";
    char out[160];
    put_head(maker, call, type);
    put_values(maker, call, !is_read || is_ok);
    if (maker->model == CHECK_MODEL_ETCD && is_ok) {
        (void)snprintf(out, sizeof out, ",%s%srevision%s%s%d,%s%smod_revision%s%s%d", mark, quote, quote,
                       colon, call->revision, mark, quote, quote, colon, call->modified);
        put(maker->text, out);
    }
    put(maker->text, maker->form == FORM_LOG ? "\n" : "}\n");
}

static void begin(struct maker *maker, struct call *call)
{
    static const char *const functions[][4] = {[CHECK_MODEL_KV] = {"get", "put", "append", "get"},
                                               [CHECK_MODEL_CAS_REGISTER] = {"read", "write", "cas", "cas"},
                                               [CHECK_MODEL_ETCD] = {"get", "put", "delete", "put"}};
    int number = call->number;
    size_t which = any(&maker->random, 4);
    *call = (struct call){.is_open = true, .number = number, .function = functions[maker->model][which]};
    call->key = maker->form == FORM_LOG ? 0 : (int)any(&maker->random, KEYS);
    (void)snprintf(call->value, sizeof call->value, "%d", ++maker->value_next % 10);
    if (strcmp(call->function, "cas") == 0) {
        (void)snprintf(call->other, sizeof call->other, "%d", (int)any(&maker->random, 10));
    } else if (strcmp(call->function, "delete") == 0) {
        call->value[0] = '\0';
    }
    put_event(maker, call, "invoke");
}

/* It takes effect. */
static void act(struct maker *maker, struct call *call)
{
    char *state = maker->state[call->key];
    bool is_read = strcmp(call->function, "read") == 0 || strcmp(call->function, "get") == 0;
    call->is_done = true;
    if (strcmp(call->function, "cas") == 0) {
        call->is_refused = strcmp(state, call->value) != 0;
        if (!call->is_refused) {
            memcpy(state, call->other, VALUE_MAX);
        }
    } else if (is_read) {
        memcpy(call->value, state, VALUE_MAX);
    } else if (strcmp(call->function, "append") == 0 && strlen(state) + 2 < VALUE_MAX) {
        memcpy(state + strlen(state), call->value, strlen(call->value) + 1);
    } else {
        call->is_refused = strcmp(call->function, "append") == 0; /* There is no more room. */
        memcpy(state, call->is_refused ? state : call->value, call->is_refused ? 0 : VALUE_MAX);
    }
    if (!is_read) {
        maker->modified[call->key] = ++maker->revision;
    }
    call->revision = maker->revision;
    call->modified = maker->modified[call->key] * (state[0] != '\0');
}

static void make(struct text *text, uint64_t seed, enum check_model model, enum form form)
{
    struct maker maker = {
        .model = model, .form = form, .text = text, .process_next = PROCESSES, .revision = 1};
    sim_random_init(&maker.random, seed, 1, 0, SIM_FOR_SCRIPT);
    for (int i = 0; i < PROCESSES; i++) {
        maker.calls[i].number = i;
    }
    text->size = 0;
    for (size_t left = 4 + any(&maker.random, 60); left > 0; left--) {
        struct call *call = &maker.calls[any(&maker.random, PROCESSES)];
        if (!call->is_open) {
            begin(&maker, call);
        } else if (!call->is_done) {
            act(&maker, call);
        } else if (any(&maker.random, 10) == 0 && !call->is_refused) {
            put_event(&maker, call, "info");
            *call = (struct call){.number = maker.process_next++};
        } else {
            put_event(&maker, call, call->is_refused ? "fail" : "ok");
            call->is_open = false;
        }
    }
    text->bytes[text->size] = '\0';
}

/* --- judging it here --- */

static int judge(const struct text *text, enum check_model model, uint64_t seed)
{
    /* A copy of its exact size: whoever reads beyond is caught by a sanitizer. */
    char *bytes = memcpy(malloc(text->size + 1), text->bytes, text->size);
    struct check_text read = {.bytes = bytes, .size = text->size};
    struct check_recording recording;
    struct check_revisions revised = {0};
    int verdict = -1;
    check_recording_init(&recording);
    if (!check_import(&read, model, &recording, &revised)) {
        uint32_t lines = 1;
        for (size_t at = 0; at < text->size; at++) {
            lines += text->bytes[at] == '\n';
        }
        if (read.line < 1 || read.line > lines || strncmp(read.error, "found ", 6) != 0) {
            fprintf(stderr, "seed %" PRIu64 ": line %" PRIu32 " of %" PRIu32 ": %s\n", seed, read.line, lines,
                    read.error);
            abort();
        }
    } else if (model == CHECK_MODEL_ETCD) {
        verdict = check_revisions_judge(&revised).fault != CHECK_REVISED_FINE;
    } else {
        verdict = (int)check_linear(&recording).verdict;
    }
    check_recording_release(&recording);
    check_revisions_release(&revised);
    free(bytes);
    return verdict;
}

/* --- damage --- */

static const char *const words[] = {
    "nil",    ":ok",     ":invoke", ":fail", ":info",   "[",        "]",
    "{",      "}",       "\"",      "\\",    ":",       ",",        ";",
    "\n",     "0",       "-1",      "7",     "[1 2]",   "[1,2,3]",  "INFO x - ",
    ":cas",   ":append", "\t",      "(",     "#{",      "\r\n",     "18446744073709551616",
    ":value", ":key",    "null",    "true",  ":delete", "\xff\xfe", "\xc3\xa9"};

static void splice(struct text *text, size_t at, size_t size, const char *more, size_t more_size)
{
    if (at + size > text->size || text->size - size + more_size >= TEXT_MAX) {
        return;
    }
    memmove(text->bytes + at + more_size, text->bytes + at + size, text->size - at - size);
    memcpy(text->bytes + at, more, more_size);
    text->size += more_size - size;
}

/* A whole line, its end included, from `at` on or around it. */
static size_t line_at(const struct text *text, size_t at, size_t *size)
{
    size_t from = at;
    while (from > 0 && text->bytes[from - 1] != '\n') {
        from--;
    }
    size_t end = at;
    while (end < text->size && text->bytes[end] != '\n') {
        end++;
    }
    *size = end + (end < text->size) - from;
    return from;
}

static void damage(struct text *text, struct sim_random *random)
{
    static char kept[TEXT_MAX];
    size_t at = any(random, text->size);
    const char *word = words[any(random, sizeof words / sizeof words[0])];
    char byte = (char)any(random, 256);
    size_t size = 0;
    switch (any(random, 9)) {
    case 0:
        splice(text, at, 1, &byte, 1);
        break;
    case 1:
        splice(text, at, 0, word, strlen(word));
        break;
    case 2:
        splice(text, at, any(random, 12), "", 0);
        break;
    case 3:
        splice(text, at, 1 + any(random, 6), word, strlen(word));
        break;
    case 4: /* A line again, elsewhere. */
        at = line_at(text, at, &size);
        memcpy(kept, text->bytes + at, size);
        splice(text, line_at(text, any(random, text->size), &(size_t){0}), 0, kept, size);
        break;
    case 5: /* A line gone. */
        at = line_at(text, at, &size);
        splice(text, at, size, "", 0);
        break;
    case 6: /* Another value in quotes. */
        while (at < text->size && text->bytes[at] != '"') {
            at++;
        }
        splice(text, at + 1, 0, word, strlen(word));
        break;
    case 7: /* Deeper than anybody writes. */
        memset(kept, byte % 2 ? '[' : '{', 400);
        splice(text, at, 0, kept, 1 + any(random, 400));
        break;
    default:
        text->size = at;
        break;
    }
    text->size += text->size == 0; /* There is always a byte to damage. */
}

/* --- judging it by the program --- */

static size_t read_back(const char *name, char *out)
{
    FILE *file = fopen(name, "rb");
    assert(file);
    size_t size = fread(out, 1, TEXT_MAX - 1, file);
    out[size] = '\0';
    fclose(file);
    return size;
}

/* What it says suits its exit status; false: not. */
static bool is_answer(int status, bool is_json)
{
    static char said[TEXT_MAX];
    static char blamed[TEXT_MAX];
    size_t size = read_back("said", said);
    size_t blame = read_back("blamed", blamed);
    if (status == 2) {
        char *end = blamed + 8;
        bool is_named = strncmp(blamed, "history:", 8) == 0 && strtoul(blamed + 8, &end, 10) > 0;
        return size == 0 && is_named && strncmp(end, ": found ", 8) == 0;
    }
    if (is_json && size < TEXT_MAX - 1) {
        json_t *object = json_loadb(said, size, 0, NULL);
        bool is_object = json_is_object(object);
        json_decref(object);
        return is_object && blame == 0;
    }
    return size > 0 && blame == 0;
}

static void run_program(const char *program, const struct text *text, enum check_model model, uint64_t seed)
{
    bool is_json = seed % 2 == 0;
    FILE *file = fopen("history", "wb");
    assert(file);
    fwrite(text->bytes, 1, text->size, file);
    fclose(file);
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        bool is_quiet = freopen("said", "w", stdout) && freopen("blamed", "w", stderr);
        (void)alarm(HANG_S);
        (void)execl(program, program, "check", "history", "--model", models[model], is_json ? "--json" : NULL,
                    (char *)NULL);
        _exit(is_quiet ? 126 : 127);
    }
    int status = 0;
    pid_t waited = waitpid(pid, &status, 0);
    assert(waited == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 3 || !is_answer(WEXITSTATUS(status), is_json)) {
        fprintf(stderr, "seed %" PRIu64 ": ended with %x\n", seed, (unsigned)status);
        fwrite(text->bytes, 1, text->size, stderr);
        abort();
    }
}

static void run(uint64_t seed, const char *program)
{
    static struct text text;
    struct sim_random random;
    sim_random_init(&random, seed, 0, 0, SIM_FOR_SCRIPT);
    enum check_model model = (enum check_model)any(&random, 3);
    enum form form = (enum form)any(&random, FORM_COUNT);
    form = form == FORM_LOG && model != CHECK_MODEL_CAS_REGISTER ? FORM_EDN : form;
    make(&text, seed, model, form);
    if (judge(&text, model, seed) != CHECK_LINEARIZABLE) {
        fprintf(stderr, "seed %" PRIu64 ": not found linearizable\n%s", seed, text.bytes);
        abort();
    }
    for (size_t i = 0; i < 1 + seed % 4; i++) {
        damage(&text, &random);
    }
    if (program) {
        run_program(program, &text, model, seed);
    } else {
        (void)alarm(HANG_S);
        (void)judge(&text, model, seed);
    }
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/faultline-histories-XXXXXX";
    assert(argc >= 2);
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    bool has_folder = mkdtemp(folder) && chdir(folder) == 0;
    assert(has_folder);
    for (uint64_t seed = first; seed < first + strtoull(argv[1], NULL, 10); seed++) {
        run(seed, argc > 3 ? argv[3] : NULL);
    }
    unlink("history");
    unlink("said");
    unlink("blamed");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : 1;
}
