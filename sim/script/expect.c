/* What a scenario demands: expect, eventually, always. A broken demand shows the
 * expression as its author wrote it, and the values of the names in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/object.h"
#include "sim/script/run.h"
#include "sim/script/sandbox.h"
#include "sim/script/source.h"
#include "sim/script/text.h"
#include "sim/script/value.h"

#include <stdio.h>

enum { VALUES_MAX = 8 };

void script_push_named(lua_State *lua, lua_Debug *record, const char *name)
{
    const char *found = NULL;
    int local = 0;
    for (int i = 1; (found = lua_getlocal(lua, record, i)) != NULL; i++) {
        local = strcmp(found, name) == 0 ? i : local; /* The last one hides the others. */
        lua_pop(lua, 1);
    }
    if (local > 0) {
        (void)lua_getlocal(lua, record, local);
        return;
    }
    (void)lua_getinfo(lua, "f", record);
    for (int i = 1; (found = lua_getupvalue(lua, -1, i)) != NULL; i++) {
        if (strcmp(found, name) == 0) {
            lua_remove(lua, -2);
            return;
        }
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    (void)lua_getglobal(lua, name);
}

/* A value as a reader wants it: short, and without addresses. */
static void print_value(lua_State *lua, int index, char out[80])
{
    char number[32];
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        if (lua_isinteger(lua, index)) {
            (void)snprintf(out, 80, "%lld", (long long)lua_tointeger(lua, index));
        } else {
            script_text_number(lua_tonumber(lua, index), number);
            (void)snprintf(out, 80, "%s", number);
        }
        break;
    case LUA_TSTRING:
        (void)snprintf(out, 80, "\"%.60s\"%s", lua_tostring(lua, index),
                       lua_rawlen(lua, index) > 60 ? "…" : "");
        break;
    case LUA_TTABLE:
        (void)snprintf(out, 80, "a table of %llu", (unsigned long long)lua_rawlen(lua, index));
        break;
    default:
        script_push_tostring(lua, index);
        (void)snprintf(out, 80, "%.70s", lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
}

static void copy_token(const struct script_token *token, char out[64])
{
    size_t size = token->text.size < 63 ? token->text.size : 63;
    memcpy(out, token->text.data, size);
    out[size] = '\0';
}

/* Units would only say what everybody knows. */
static bool is_unit(const char *name)
{
#define VALUE(name, number, text) #name,
    static const char *const units[] = {
#include "sim/script/api.def"
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct values {
    lua_State *lua;
    lua_Debug *record;
    char *out;
    size_t size;
    size_t used;
    size_t count;
    struct base_bytes seen[VALUES_MAX];
};

static void add_value(struct values *values, struct base_bytes written)
{
    char text[80];
    for (size_t i = 0; i < values->count; i++) {
        if (base_bytes_equal(values->seen[i], written)) {
            return;
        }
    }
    if (values->count == VALUES_MAX || values->used + 200 > values->size) {
        return;
    }
    print_value(values->lua, -1, text);
    values->used +=
        (size_t)snprintf(values->out + values->used, values->size - values->used, "%s%.*s = %s",
                         values->count > 0 ? ", " : "", (int)(written.size < 60 ? written.size : 60),
                         (const char *)written.data, text);
    values->seen[values->count++] = written;
}

/* In protected mode, a field: name, object. */
static int get_field(lua_State *lua)
{
    (void)lua_gettable(lua, 1);
    return 1;
}

/* A name, with the fields asked of it: "new.term". What is called is left out, but
 * for the object whose method it is. */
static void add_chain(struct values *values, struct script_scanner *scanner, const struct script_token *first,
                      const uint8_t *base)
{
    lua_State *lua = values->lua;
    char name[64];
    size_t end = first->end;
    int top = lua_gettop(lua);
    copy_token(first, name);
    if (is_unit(name)) {
        return;
    }
    script_push_named(lua, values->record, name);
    for (;;) {
        struct script_scanner ahead = *scanner;
        struct script_token next = script_scan(&ahead);
        if (!script_token_is(&next, ".")) {
            break;
        }
        struct script_token field = script_scan(&ahead);
        copy_token(&field, name);
        lua_pushcfunction(lua, get_field);
        lua_insert(lua, -2);
        (void)lua_pushstring(lua, name);
        if (lua_pcall(lua, 2, 1, 0) != LUA_OK) {
            lua_settop(lua, top);
            return;
        }
        end = field.end;
        *scanner = ahead;
    }
    if (!lua_isfunction(lua, -1)) {
        add_value(values, (struct base_bytes){base + first->start, end - first->start});
    }
    lua_settop(lua, top);
}

/* "new.term = 2, old.term = 2" */
static void print_values(lua_State *lua, lua_Debug *record, struct base_bytes expression, char *out,
                         size_t size)
{
    struct script_scanner scanner;
    struct values values = {.lua = lua, .record = record, .out = out, .size = size};
    struct script_token before = {.kind = SCRIPT_TOKEN_END};
    out[0] = '\0';
    script_scanner_init(&scanner, expression);
    for (;;) {
        struct script_token token = script_scan(&scanner);
        if (token.kind == SCRIPT_TOKEN_END) {
            return;
        }
        struct script_scanner ahead = scanner;
        struct script_token next = script_scan(&ahead);
        bool is_member = script_token_is(&before, ".") || script_token_is(&before, ":");
        bool is_key = script_token_is(&next, "=");
        if (token.kind == SCRIPT_TOKEN_NAME && !is_member && !is_key && !script_token_is_keyword(&token)) {
            add_chain(&values, &scanner, &token, expression.data);
        }
        before = token;
    }
}

/* The expression on one line, blanks and comments between its tokens as one blank. */
static void print_expression(struct base_bytes expression, char *out, size_t size)
{
    struct script_scanner scanner;
    size_t used = 0;
    size_t end = 0;
    out[0] = '\0';
    script_scanner_init(&scanner, expression);
    for (;;) {
        struct script_token token = script_scan(&scanner);
        size_t length = token.end - token.start;
        bool has_gap = used > 0 && token.start > end;
        if (token.kind == SCRIPT_TOKEN_END) {
            return;
        }
        if (used + length + 6 > size) {
            (void)snprintf(out + used, size - used, "…");
            return;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", has_gap ? " " : "", (int)length,
                                 (const char *)expression.data + token.start);
        end = token.end;
    }
}

/* The second argument: a text, or what a client's call returned beside false (then
 * its code); a call may also have returned something else. */
static const char *demand_text(lua_State *lua)
{
    if (luaL_getmetafield(lua, 2, "__name") == LUA_TSTRING && strcmp(lua_tostring(lua, -1), "error") == 0) {
        (void)lua_getfield(lua, 2, "code");
        return lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    }
    return lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "";
}

int script_call_expect(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "expect(cond, text)");
    run->expects++;
    if (lua_isnone(lua, 1)) {
        script_argument_error(lua, 1, "expect(cond, text)", "a condition");
    }
    if (lua_toboolean(lua, 1)) {
        return 0;
    }
    struct script_place place;
    lua_Debug record;
    struct base_bytes expression;
    char written[180] = "";
    char values[300] = "";
    if (script_where(lua, &place, &record) &&
        script_argument(base_buffer_view(&place.source->text), place.line, "expect", &expression)) {
        print_expression(expression, written, sizeof written);
        print_values(lua, &record, expression, values, sizeof values);
    }
    const char *text = demand_text(lua);
    script_fail(lua, "expected %s%s%s%s%s%s", written[0] ? written : "what is not so", text[0] ? ": " : "",
                text, values[0] ? " (found " : "", values, values[0] ? ")" : "");
}

/* --- eventually, always --- */

struct poll {
    uint64_t deadline_ns;
    uint64_t every_ns;
    bool is_always;
    uint64_t limit_ns;
};

static int go_on(lua_State *lua, int status, lua_KContext context);

static _Noreturn void fail_poll(lua_State *lua, const struct poll *poll)
{
    struct script_run *run = script_state_of(lua)->run;
    char limit[32];
    script_text_duration(poll->limit_ns, limit);
    if (poll->is_always) {
        char since[32];
        uint64_t start_ns = poll->deadline_ns - poll->limit_ns;
        script_text_duration(sim_world_now(run->world) - start_ns, since);
        script_fail(lua, "always: found it false after %s, expected it to hold for %s", since, limit);
    }
    script_fail(lua, "eventually: found it false all the time, expected it to be true within %s", limit);
}

/* fn was asked; its answer is on top. */
static int asked(lua_State *lua, int status, lua_KContext context)
{
    const struct poll *poll = lua_touserdata(lua, 3);
    struct script_run *run = script_state_of(lua)->run;
    bool is_true = lua_toboolean(lua, -1) != 0;
    uint64_t now_ns = sim_world_now(run->world);
    (void)status;
    lua_settop(lua, 3);
    if (poll->is_always && !is_true) {
        fail_poll(lua, poll);
    }
    if (is_true && !poll->is_always) {
        return 0;
    }
    if (now_ns >= poll->deadline_ns) {
        if (poll->is_always) {
            return 0;
        }
        fail_poll(lua, poll);
    }
    uint64_t next_ns = now_ns + poll->every_ns;
    struct script_wait *wait = script_wait_begin(lua, poll->is_always ? "always" : "eventually");
    (void)context;
    return script_wait(lua, wait, next_ns < poll->deadline_ns ? next_ns : poll->deadline_ns, go_on);
}

static int go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_pushvalue(lua, 1);
    lua_callk(lua, 0, 1, 0, asked);
    return asked(lua, LUA_OK, 0);
}

struct poll_options {
    uint64_t limit_ns;
    uint64_t every_ns;
};

static int begin_poll(lua_State *lua, bool is_always)
{
    static const struct script_key keys[][2] = {
        {{"within", SCRIPT_NS, offsetof(struct poll_options, limit_ns), 0, 0, NULL},
         {"every", SCRIPT_NS, offsetof(struct poll_options, every_ns), 1, 0, NULL}},
        {{"during", SCRIPT_NS, offsetof(struct poll_options, limit_ns), 0, 0, NULL},
         {"every", SCRIPT_NS, offsetof(struct poll_options, every_ns), 1, 0, NULL}}};
    const char *call = is_always ? "always(fn, {during=, every=})" : "eventually(fn, {within=, every=})";
    struct script_path path = {.call = is_always ? "always" : "eventually"};
    struct script_run *run = script_run_check(lua, call);
    script_check_function(lua, 1, call);
    lua_settop(lua, 2);
    struct poll_options options = {.limit_ns = UINT64_MAX, .every_ns = 10000000};
    script_read_table(lua, 2, &path, keys[is_always], 2, &options);
    if (options.limit_ns == UINT64_MAX) {
        if (is_always) {
            script_error(lua, "%s: found no during, expected a duration", call);
        }
        options.limit_ns = 30 * sim_world_options(run->world)->cluster.election_ns;
    }
    run->expects++;
    struct poll *poll = lua_newuserdatauv(lua, sizeof *poll, 0);
    *poll = (struct poll){.deadline_ns = sim_world_now(run->world) + options.limit_ns,
                          .every_ns = options.every_ns,
                          .limit_ns = options.limit_ns,
                          .is_always = is_always};
    return go_on(lua, LUA_OK, 0);
}

int script_call_eventually(lua_State *lua)
{
    return begin_poll(lua, false);
}

int script_call_always(lua_State *lua)
{
    return begin_poll(lua, true);
}
