/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/import.h"

#include "core/base/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTS_MAX = 2 };

enum token_kind { TOKEN_NONE, TOKEN_NIL, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_WORD, TOKEN_LIST };

/* A scalar, or a list of up to two of them (a cas's pair). */
struct token {
    enum token_kind kind;
    int64_t number;
    struct base_bytes text; /* As it stands; without quotes or colon. */
    uint32_t part_count;
    struct {
        enum token_kind kind;
        struct base_bytes text;
    } parts[PARTS_MAX];
};

enum type { TYPE_INVOKE, TYPE_OK, TYPE_FAIL, TYPE_INFO, TYPE_COUNT };

struct event {
    uint32_t line;
    bool has_process;
    bool has_type;
    uint64_t process;
    enum type type;
    struct base_bytes function;
    struct token key;
    struct token value;
    int64_t revision;
    int64_t modified;
    bool is_nothing_deleted;
};

struct reader {
    struct check_text *text;
    size_t at;
    size_t end; /* Of the text, or of the line that a log's event has to itself. */
    uint32_t line;
    enum check_model model;
    struct check_recording *recording;
    struct check_revisions *revised;
    struct check_table open; /* Process to its call under way. */
    struct check_table keys; /* Digest to number. */
    uint32_t event_count;
};

static bool refuse(struct reader *reader, const char *found, size_t size, const char *expected)
{
    reader->text->line = reader->line;
    (void)snprintf(reader->text->error, sizeof reader->text->error, "found \"%.*s\", expected %s",
                   (int)(size < 40 ? size : 40), found, expected);
    return false;
}

static bool refuse_here(struct reader *reader, const char *expected)
{
    const char *from = reader->text->bytes + reader->at;
    size_t left = reader->end - reader->at;
    size_t size = 0;
    while (size < left && size < 40 && from[size] != '\n') {
        size++;
    }
    return left == 0 ? refuse(reader, "the end", 7, expected) : refuse(reader, from, size, expected);
}

static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? (unsigned char)reader->text->bytes[reader->at] : -1;
}

static void skip_line(struct reader *reader)
{
    while (peek(reader) >= 0 && peek(reader) != '\n') {
        reader->at++;
    }
}

static void skip_space(struct reader *reader)
{
    for (;; reader->at++) {
        int c = peek(reader);
        if (c == ';') {
            skip_line(reader);
            c = peek(reader);
        }
        reader->line += c == '\n';
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',') {
            return;
        }
    }
}

static bool is_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '+' || c == '/' || c == '?' || c == '!' || c == '*' || c == '#';
}

static struct base_bytes slice(const struct reader *reader, size_t from)
{
    return (struct base_bytes){.data = (const uint8_t *)reader->text->bytes + from,
                               .size = reader->at - from};
}

static bool is_text(struct base_bytes bytes, const char *text)
{
    return base_bytes_equal(bytes, base_bytes_of(text));
}

static bool read_string(struct reader *reader, struct token *out)
{
    size_t from = ++reader->at;
    while (peek(reader) >= 0 && peek(reader) != '"') {
        reader->at += peek(reader) == '\\' && reader->at + 1 < reader->end;
        reader->line += peek(reader) == '\n';
        reader->at++;
    }
    if (peek(reader) < 0) {
        return refuse_here(reader, "the end of a string");
    }
    *out = (struct token){.kind = TOKEN_TEXT, .text = slice(reader, from)};
    reader->at++;
    return true;
}

static bool read_word(struct reader *reader, struct token *out)
{
    bool is_keyword = peek(reader) == ':';
    reader->at += is_keyword;
    size_t from = reader->at;
    while (is_word(peek(reader))) {
        reader->at++;
    }
    *out = (struct token){.kind = TOKEN_WORD, .text = slice(reader, from)};
    if (out->text.size == 0) {
        return refuse_here(reader, "a value");
    }
    if (is_keyword) {
        return true;
    }
    if (is_text(out->text, "nil") || is_text(out->text, "null")) {
        out->kind = TOKEN_NIL;
        return true;
    }
    size_t at = out->text.data[0] == '-' ? 1 : 0;
    uint64_t number = 0;
    size_t digits = at;
    for (; digits < out->text.size && out->text.data[digits] >= '0' && out->text.data[digits] <= '9';
         digits++) {
        number = number * 10 + (uint64_t)(out->text.data[digits] - '0');
    }
    if (digits == out->text.size && digits > at) {
        out->kind = TOKEN_NUMBER;
        out->number = at ? -(int64_t)(number & INT64_MAX) : (int64_t)(number & INT64_MAX);
    }
    return true;
}

static bool read_token(struct reader *reader, struct token *out, uint32_t depth);

/* Lists, and maps within an event: what is in them beyond a pair is passed over. */
static bool read_list(struct reader *reader, struct token *out, uint32_t depth)
{
    int close = peek(reader) == '[' ? ']' : peek(reader) == '(' ? ')' : '}';
    struct token list = {.kind = TOKEN_LIST};
    size_t from = reader->at;
    if (depth > 32) {
        return refuse_here(reader, "less nesting");
    }
    reader->at++;
    for (;;) {
        skip_space(reader);
        if (peek(reader) == close) {
            reader->at++;
            list.text = slice(reader, from);
            *out = list;
            return true;
        }
        struct token part;
        if (peek(reader) == ':' && close == '}' && reader->at + 1 < reader->end &&
            !is_word((unsigned char)reader->text->bytes[reader->at + 1])) {
            reader->at++; /* JSON's, after a name. */
            continue;
        }
        if (!read_token(reader, &part, depth + 1)) {
            return false;
        }
        if (list.part_count < PARTS_MAX) {
            list.parts[list.part_count].kind = part.kind;
            list.parts[list.part_count].text = part.text;
        }
        list.part_count++;
    }
}

static bool read_token(struct reader *reader, struct token *out, uint32_t depth)
{
    skip_space(reader);
    int c = peek(reader);
    if (c == '"') {
        return read_string(reader, out);
    }
    if (c == '[' || c == '(' || c == '{') {
        return read_list(reader, out, depth);
    }
    return read_word(reader, out);
}

/* --- events --- */

static bool set_type(struct reader *reader, struct event *event, struct base_bytes text)
{
    static const char *const names[TYPE_COUNT] = {"invoke", "ok", "fail", "info"};
    for (uint32_t i = 0; i < TYPE_COUNT; i++) {
        if (is_text(text, names[i])) {
            event->type = (enum type)i;
            event->has_type = true;
            return true;
        }
    }
    return refuse(reader, (const char *)text.data, text.size, "invoke, ok, fail or info");
}

static bool set_field(struct reader *reader, struct event *event, struct base_bytes name,
                      const struct token *value)
{
    if (is_text(name, "process")) {
        event->has_process = true;
        event->process =
            value->kind == TOKEN_NUMBER ? (uint64_t)value->number : base_hash_bytes(1, value->text);
        return true;
    }
    if (is_text(name, "type")) {
        return set_type(reader, event, value->text);
    }
    if (is_text(name, "f")) {
        event->function = value->text;
    } else if (is_text(name, "key")) {
        event->key = *value;
    } else if (is_text(name, "value")) {
        event->value = *value;
    } else if (is_text(name, "revision")) {
        event->revision = value->number;
    } else if (is_text(name, "mod_revision")) {
        event->modified = value->number;
    } else if (is_text(name, "deleted")) {
        event->is_nothing_deleted = value->kind == TOKEN_NUMBER && value->number == 0;
    }
    return true; /* Times and the like are passed over. */
}

static bool read_map(struct reader *reader, struct event *event)
{
    *event = (struct event){.line = reader->line};
    reader->at++;
    for (;;) {
        skip_space(reader);
        if (peek(reader) == '}') {
            reader->at++;
            return true;
        }
        struct token name;
        struct token value;
        bool is_json = peek(reader) == '"';
        if (!read_token(reader, &name, 0)) {
            return false;
        }
        skip_space(reader);
        if (is_json && peek(reader) != ':') {
            return refuse_here(reader, "a colon");
        }
        reader->at += is_json;
        if (!read_token(reader, &value, 0) || !set_field(reader, event, name.text, &value)) {
            return false;
        }
    }
}

/* The event of a line, from its process on; there is none in most. */
static bool read_log_event(struct reader *reader, struct event *event, bool *is_event)
{
    struct token process;
    struct token type;
    struct token function;
    if (!read_token(reader, &process, 0)) {
        return false;
    }
    skip_space(reader);
    if (peek(reader) != ':' || process.kind != TOKEN_NUMBER) {
        return true;
    }
    if (!read_token(reader, &type, 0) || !set_type(reader, event, type.text) ||
        !read_token(reader, &function, 0) || !read_token(reader, &event->value, 0)) {
        return false;
    }
    event->has_process = true;
    event->process = (uint64_t)process.number;
    event->function = function.text;
    *is_event = true;
    return true;
}

/* "INFO  jepsen.util - PROCESS :type :function value"; other lines are the log's own. */
static bool read_log_line(struct reader *reader, struct event *event, bool *is_event)
{
    size_t whole = reader->end;
    size_t from = reader->at;
    skip_line(reader);
    reader->end = reader->at;
    *event = (struct event){.line = reader->line};
    *is_event = false;
    for (size_t at = from; at + 3 < reader->end; at++) {
        if (memcmp(reader->text->bytes + at, " - ", 3) == 0) {
            reader->at = at + 3;
            break;
        }
    }
    int c = peek(reader);
    if (c >= '0' && c <= '9' && !read_log_event(reader, event, is_event)) {
        return false;
    }
    reader->at = reader->end;
    reader->end = whole;
    return true;
}

/* --- calls --- */

static uint32_t value_of(struct reader *reader, enum token_kind kind, struct base_bytes text)
{
    if (kind == TOKEN_NONE || kind == TOKEN_NIL) {
        return CHECK_VALUE_NONE;
    }
    return check_values_enter(&reader->recording->values, text);
}

static uint32_t key_of(struct reader *reader, const struct token *key)
{
    uint64_t digest = key->kind == TOKEN_NONE ? 0 : base_hash_bytes(7, key->text);
    uint32_t slot = check_table_find(&reader->keys, digest);
    if (slot == CHECK_TABLE_NONE) {
        slot = reader->recording->key_count++;
        check_table_add(&reader->keys, digest, slot);
    }
    return slot;
}

static bool set_action(struct reader *reader, const struct event *event, struct check_operation *operation)
{
    static const struct {
        const char *name;
        enum check_action action;
    } actions[] = {{"read", CHECK_READ}, {"get", CHECK_READ}, {"write", CHECK_WRITE},
                   {"put", CHECK_WRITE}, {"cas", CHECK_CAS},  {"append", CHECK_APPEND}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (is_text(event->function, actions[i].name)) {
            operation->action = actions[i].action;
            if (operation->action == CHECK_CAS && event->value.part_count != 2) {
                reader->line = event->line;
                return refuse(reader, (const char *)event->function.data, event->function.size,
                              "a pair of values with it");
            }
            return true;
        }
    }
    reader->line = event->line;
    return refuse(reader, (const char *)event->function.data, event->function.size,
                  "read, get, write, put, cas or append");
}

static bool begin_operation(struct reader *reader, const struct event *event)
{
    struct check_operation operation = {.key = key_of(reader, &event->key),
                                        .invoked = reader->event_count,
                                        .returned = CHECK_NEVER,
                                        .line = event->line};
    if (!set_action(reader, event, &operation)) {
        return false;
    }
    if (operation.action == CHECK_CAS) {
        operation.from = value_of(reader, event->value.parts[0].kind, event->value.parts[0].text);
        operation.value = value_of(reader, event->value.parts[1].kind, event->value.parts[1].text);
    } else if (operation.action != CHECK_READ) {
        operation.value = value_of(reader, event->value.kind, event->value.text);
    }
    check_table_add(&reader->open, event->process, reader->recording->count);
    *check_recording_add(reader->recording) = operation;
    return true;
}

static void end_operation(struct reader *reader, const struct event *event, uint32_t slot)
{
    struct check_operation *operation = &reader->recording->operations[slot];
    if (event->type == TYPE_INFO) {
        return; /* Open for ever. */
    }
    operation->returned = reader->event_count;
    operation->return_line = event->line;
    if (event->type == TYPE_OK && operation->action == CHECK_READ) {
        operation->value = value_of(reader, event->value.kind, event->value.text);
        return;
    }
    if (event->type == TYPE_FAIL && operation->action == CHECK_CAS) {
        operation->is_refused = true;
    } else if (event->type == TYPE_FAIL) {
        operation->action = CHECK_CAS; /* It had no effect: nothing to explain. */
        operation->is_refused = true;
        operation->from = CHECK_VALUE_ANY;
    }
}

static bool begin_revised(struct reader *reader, const struct event *event)
{
    bool is_put = is_text(event->function, "put") || is_text(event->function, "write");
    bool is_delete = is_text(event->function, "delete");
    bool is_read = is_text(event->function, "get") || is_text(event->function, "read");
    if (!is_put && !is_delete && !is_read) {
        reader->line = event->line;
        return refuse(reader, (const char *)event->function.data, event->function.size,
                      "read, get, write, put or delete");
    }
    check_table_add(&reader->open, event->process, reader->revised->count);
    struct check_revised *call = check_revisions_add(reader->revised);
    call->key = key_of(reader, &event->key);
    call->is_write = !is_read;
    call->is_delete = is_delete;
    call->value = is_put ? value_of(reader, event->value.kind, event->value.text) : CHECK_VALUE_NONE;
    call->invoked = reader->event_count;
    call->line = event->line;
    return true;
}

static bool end_revised(struct reader *reader, const struct event *event, uint32_t slot)
{
    struct check_revised *call = &reader->revised->calls[slot];
    if (event->type == TYPE_INFO) {
        return true;
    }
    if (event->type == TYPE_FAIL) {
        call->is_write = false; /* It had no effect. */
        return true;
    }
    if (event->revision <= 0) {
        reader->line = event->line;
        return refuse(reader, "ok", 2, "its revision with it");
    }
    call->returned = reader->event_count;
    call->return_line = event->line;
    call->revision = event->revision;
    call->modified = event->modified;
    if (call->is_delete && event->is_nothing_deleted) {
        call->is_write = false; /* As good as a read of an absent key. */
    } else if (!call->is_write) {
        call->value = value_of(reader, event->value.kind, event->value.text);
    }
    return true;
}

static bool take_event(struct reader *reader, const struct event *event)
{
    if (!event->has_type || !event->has_process) {
        reader->line = event->line;
        return refuse(reader, "an event", 8, "a process and a type in it");
    }
    uint32_t slot = check_table_find(&reader->open, event->process);
    bool is_etcd = reader->model == CHECK_MODEL_ETCD;
    if (event->type == TYPE_INVOKE) {
        if (slot != CHECK_TABLE_NONE) {
            reader->line = event->line;
            return refuse(reader, "invoke", 6, "the answer to what this process asked before");
        }
        if (!(is_etcd ? begin_revised(reader, event) : begin_operation(reader, event))) {
            return false;
        }
    } else if (slot == CHECK_TABLE_NONE && event->type == TYPE_INFO) {
        return true; /* The test's own doings. */
    } else if (slot == CHECK_TABLE_NONE) {
        reader->line = event->line;
        return refuse(reader, event->type == TYPE_OK ? "ok" : "fail", event->type == TYPE_OK ? 2 : 4,
                      "an invoke of this process before it");
    } else {
        check_table_remove(&reader->open, event->process);
        if (!is_etcd) {
            end_operation(reader, event, slot);
        } else if (!end_revised(reader, event, slot)) {
            return false;
        }
    }
    reader->event_count++;
    return true;
}

static bool read_all(struct reader *reader)
{
    for (;;) {
        skip_space(reader);
        int c = peek(reader);
        if (c < 0) {
            return true;
        }
        if (c == '[' || c == ']' || c == '(' || c == ')') {
            reader->at++; /* The whole may be one list. */
            continue;
        }
        struct event event;
        bool is_event = true;
        if (c == '{') {
            if (!read_map(reader, &event)) {
                return false;
            }
        } else if (c >= 'A' && c <= 'Z') {
            if (!read_log_line(reader, &event, &is_event)) {
                return false;
            }
        } else {
            return refuse_here(reader, "a map or a line of a log");
        }
        if (is_event && !take_event(reader, &event)) {
            return false;
        }
    }
}

bool check_import(struct check_text *text, enum check_model model, struct check_recording *recording,
                  struct check_revisions *revised)
{
    struct reader reader = {.text = text,
                            .end = text->size,
                            .line = 1,
                            .model = model,
                            .recording = recording,
                            .revised = revised};
    recording->initial = model == CHECK_MODEL_KV ? CHECK_VALUE_EMPTY : CHECK_VALUE_NONE;
    bool is_read = read_all(&reader);
    recording->event_count = reader.event_count;
    check_table_release(&reader.open);
    check_table_release(&reader.keys);
    return is_read;
}
