/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/schedule.h"

#include "sim/campaign/memory.h"
#include "sim/script/source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Beyond so many names they are globals: Lua has room for 200 locals. */
enum { LOCALS_MAX = 150, TIME_COLUMN = 24 };

static const char *keep(struct base_arena *texts, const char *text)
{
    if (!text) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(texts, size), text, size);
}

/* --- from a tape --- */

static int compare_acts(const void *a, const void *b)
{
    const struct script_act *const *first = a;
    const struct script_act *const *second = b;
    if ((*first)->time_ns != (*second)->time_ns) {
        return (*first)->time_ns < (*second)->time_ns ? -1 : 1;
    }
    if ((*first)->order != (*second)->order) {
        return (*first)->order < (*second)->order ? -1 : 1;
    }
    return *first < *second ? -1 : *first > *second; /* Places in one array. */
}

/* Has a coroutine that makes a demand made this call before, as a client or an operator?
 * The demand may well be about what it did. */
static bool is_setup(const struct script_tape *tape, const struct script_act *act)
{
    bool is_client = act->name && strncmp(act->name, "cli", 3) == 0;
    bool has_demand = false;
    for (uint32_t i = 0; (act->waits || is_client) && !act->is_polled && i < tape->act_count; i++) {
        const struct script_act *demand = &tape->acts[i];
        has_demand = has_demand || (demand->is_demand && !demand->is_void && demand->task == act->task);
    }
    return has_demand;
}

void campaign_schedule_init(struct campaign_schedule *schedule, const struct script_tape *tape,
                            bool with_demands, struct base_arena *texts, char why[SCRIPT_TAPE_WHY])
{
    const struct script_act **order = campaign_alloc((tape->act_count + 1) * sizeof order[0]);
    size_t count = 0;
    why[0] = '\0';
    for (uint32_t i = 0; i < tape->act_count; i++) {
        const struct script_act *act = &tape->acts[i];
        bool is_wanted = !act->is_void && (with_demands || !act->is_demand);
        if (is_wanted && act->why[0] != '\0') {
            memcpy(why, act->why, SCRIPT_TAPE_WHY);
        } else if (is_wanted) {
            order[count++] = act;
        }
    }
    qsort(order, count, sizeof order[0], compare_acts);
    *schedule =
        (struct campaign_schedule){.act_count = count, .end_ns = tape->end_ns, .members = tape->members};
    schedule->acts = campaign_alloc((count + 1) * sizeof schedule->acts[0]);
    for (size_t i = 0; i < count; i++) {
        schedule->acts[i] = (struct campaign_act){.time_ns = order[i]->time_ns,
                                                  .text = keep(texts, order[i]->text),
                                                  .point = keep(texts, order[i]->point),
                                                  .name = keep(texts, order[i]->name),
                                                  .waits = order[i]->waits,
                                                  .is_demand = order[i]->is_demand,
                                                  .is_setup = with_demands && is_setup(tape, order[i])};
    }
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        schedule->options[i] = tape->options[i];
        schedule->options[i].text = (char *)(uintptr_t)keep(texts, tape->options[i].text);
    }
    free(order);
}

void campaign_schedule_copy(struct campaign_schedule *schedule, const struct campaign_schedule *from)
{
    *schedule = *from;
    schedule->acts = campaign_alloc((from->act_count + 1) * sizeof schedule->acts[0]);
    memcpy(schedule->acts, from->acts, from->act_count * sizeof schedule->acts[0]);
}

void campaign_schedule_release(struct campaign_schedule *schedule)
{
    free(schedule->acts);
    *schedule = (struct campaign_schedule){.end_ns = 0};
}

/* --- names --- */

bool campaign_schedule_is_name(const char *text, size_t size)
{
    static const char *const kinds[] = {"cli", "lease", "watch", "load", "lock", "backup", "image"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i]);
        if (size > length && strncmp(text, kinds[i], length) == 0) {
            size_t at = length;
            while (at < size && text[at] >= '0' && text[at] <= '9') {
                at++;
            }
            return at == size;
        }
    }
    return false;
}

/* Names in a piece of Lua, one after the other. */
struct names {
    struct script_scanner scanner;
    struct script_token token;
    bool is_field; /* What comes next stands behind a dot or a colon. */
};

static void begin_names(struct names *names, const char *text)
{
    *names = (struct names){.is_field = false};
    script_scanner_init(&names->scanner, base_bytes_of(text));
}

/* The next name of a result; false: there is none. */
static bool next_name(struct names *names)
{
    for (;;) {
        names->token = script_scan(&names->scanner);
        if (names->token.kind == SCRIPT_TOKEN_END) {
            return false;
        }
        const struct base_bytes *text = &names->token.text;
        bool was_field = names->is_field;
        names->is_field = script_token_is(&names->token, ".") || script_token_is(&names->token, ":");
        if (names->token.kind == SCRIPT_TOKEN_NAME && !was_field &&
            campaign_schedule_is_name((const char *)text->data, text->size)) {
            return true;
        }
    }
}

/* The act before `end` whose result has this name; `end` when there is none. */
static size_t find_name(const struct campaign_schedule *schedule, size_t end, struct base_bytes name)
{
    for (size_t i = 0; i < end; i++) {
        if (schedule->acts[i].name && base_bytes_equal(base_bytes_of(schedule->acts[i].name), name)) {
            return i;
        }
    }
    return end;
}

static bool is_whole(const struct campaign_schedule *schedule, size_t slot)
{
    struct names names;
    begin_names(&names, schedule->acts[slot].text);
    while (next_name(&names)) {
        if (find_name(schedule, slot, names.token.text) == slot) {
            return false;
        }
    }
    return true;
}

void campaign_schedule_cut(struct campaign_schedule *schedule, size_t first, size_t count)
{
    assert(first + count <= schedule->act_count);
    memmove(schedule->acts + first, schedule->acts + first + count,
            (schedule->act_count - first - count) * sizeof schedule->acts[0]);
    schedule->act_count -= count;
}

void campaign_schedule_prune(struct campaign_schedule *schedule)
{
    size_t kept = 0;
    size_t count = schedule->act_count;
    for (size_t i = 0; i < count; i++) {
        schedule->acts[kept] = schedule->acts[i];
        schedule->act_count = kept + 1;
        kept += is_whole(schedule, kept);
    }
    schedule->act_count = kept;
}

/* `text` with each name of a result replaced by the one that the act has now. */
static const char *rename_text(const char *text, const char *const *before,
                               const struct campaign_schedule *schedule, struct base_arena *texts)
{
    struct base_buffer out = {0};
    struct names names;
    size_t at = 0;
    base_buffer_init(&out, &campaign_memory);
    begin_names(&names, text);
    while (next_name(&names)) {
        for (size_t i = 0; i < schedule->act_count; i++) {
            if (before[i] && base_bytes_equal(base_bytes_of(before[i]), names.token.text)) {
                size_t length = strlen(schedule->acts[i].name);
                memcpy(base_buffer_extend(&out, names.token.start - at), text + at, names.token.start - at);
                memcpy(base_buffer_extend(&out, length), schedule->acts[i].name, length);
                at = names.token.end;
                break;
            }
        }
    }
    size_t rest = strlen(text + at) + 1;
    memcpy(base_buffer_extend(&out, rest), text + at, rest);
    const char *kept = keep(texts, (const char *)out.data);
    base_buffer_release(&out);
    return kept;
}

void campaign_schedule_renumber(struct campaign_schedule *schedule, struct base_arena *texts)
{
    const char **before = campaign_alloc((schedule->act_count + 1) * sizeof before[0]);
    for (size_t i = 0; i < schedule->act_count; i++) {
        const char *name = before[i] = schedule->acts[i].name;
        if (name) {
            size_t length = strcspn(name, "0123456789");
            char fresh[48];
            unsigned number = 1;
            for (size_t j = 0; j < i; j++) {
                number += before[j] && strncmp(before[j], name, length) == 0 && before[j][length] >= '0' &&
                          before[j][length] <= '9';
            }
            (void)snprintf(fresh, sizeof fresh, "%.*s%u", (int)length, name, number);
            schedule->acts[i].name = keep(texts, fresh);
        }
    }
    for (size_t i = 0; i < schedule->act_count; i++) {
        schedule->acts[i].text = rename_text(schedule->acts[i].text, before, schedule, texts);
    }
    free(before);
}

/* --- printing --- */

__attribute__((format(printf, 2, 3))) static void add(struct base_buffer *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert(size >= 0 && (size_t)size < sizeof text);
    memcpy(base_buffer_extend(out, (size_t)size), text, (size_t)size);
}

static void add_text(struct base_buffer *out, const char *text, size_t size)
{
    if (size > 0) {
        memcpy(base_buffer_extend(out, size), text, size);
    }
}

unsigned campaign_schedule_member(const struct script_token *token, const struct script_token *next)
{
    const struct base_bytes *text = &token->text;
    unsigned number = 0;
    if (script_token_is(next, "=") || token->kind != SCRIPT_TOKEN_NAME || text->size < 2 || text->size > 3 ||
        text->data[0] != 'm') {
        return 0;
    }
    for (size_t i = 1; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return 0;
        }
        number = number * 10 + (unsigned)(text->data[i] - '0');
    }
    return number;
}

/* A piece of Lua in which members that come later are asked for by number. */
static void add_lua(const struct campaign_schedule *schedule, const char *text, struct base_buffer *out)
{
    struct script_scanner scanner;
    size_t at = 0;
    script_scanner_init(&scanner, base_bytes_of(text));
    for (struct script_token token = script_scan(&scanner), next; token.kind != SCRIPT_TOKEN_END;
         token = next) {
        next = script_scan(&scanner);
        unsigned member = campaign_schedule_member(&token, &next);
        if (member > schedule->members) {
            add_text(out, text + at, token.start - at);
            add(out, "c[%u]", member);
            at = token.end;
        }
    }
    add_text(out, text + at, strlen(text + at));
}

/* Seconds as a number, the zeros at its end left out. */
static size_t print_seconds(uint64_t time_ns, char out[48])
{
    size_t size =
        (size_t)snprintf(out, 48, "%" PRIu64 ".%09" PRIu64, time_ns / 1000000000, time_ns % 1000000000);
    while (out[size - 1] == '0') {
        size--;
    }
    size -= out[size - 1] == '.';
    out[size] = '\0';
    return size;
}

/* The members that acts are about, bit 0 for m1. */
static uint64_t find_members(const struct campaign_schedule *schedule)
{
    uint64_t members = 0;
    for (size_t i = 0; i < schedule->act_count; i++) {
        const char *pieces[] = {schedule->acts[i].text,
                                schedule->acts[i].point ? schedule->acts[i].point : ""};
        for (size_t j = 0; j < 2; j++) {
            struct script_scanner scanner;
            script_scanner_init(&scanner, base_bytes_of(pieces[j]));
            for (struct script_token token = script_scan(&scanner), next; token.kind != SCRIPT_TOKEN_END;
                 token = next) {
                next = script_scan(&scanner);
                unsigned member = campaign_schedule_member(&token, &next);
                members |= member > 0 && member <= SIM_MEMBERS_MAX ? UINT64_C(1) << (member - 1) : 0;
            }
        }
    }
    return members;
}

/* `local m1, m3 = c[1], c[3]` */
static size_t print_members(const struct campaign_schedule *schedule, struct base_buffer *out)
{
    unsigned used[SIM_MEMBERS_MAX + 1];
    uint64_t members = find_members(schedule);
    size_t count = 0;
    for (unsigned member = 1; member <= schedule->members && member <= SIM_MEMBERS_MAX; member++) {
        if (members >> (member - 1) & 1) {
            used[count++] = member;
        }
    }
    for (size_t i = 0; i < count; i++) {
        add(out, "%sm%u", i == 0 ? "    local " : ", ", used[i]);
    }
    for (size_t i = 0; i < count; i++) {
        add(out, "%sc[%u]", i == 0 ? " = " : ", ", used[i]);
    }
    add(out, count > 0 ? "\n" : "");
    return count;
}

/* Is the result of this act asked for later? Answers with a list, for free(). */
static bool *find_used(const struct campaign_schedule *schedule)
{
    bool *is_used = campaign_alloc(schedule->act_count + 1);
    for (size_t i = 0; i < schedule->act_count; i++) {
        struct names names;
        begin_names(&names, schedule->acts[i].text);
        while (next_name(&names)) {
            is_used[find_name(schedule, i, names.token.text)] = true;
        }
    }
    return is_used;
}

static void print_names(const struct campaign_schedule *schedule, const bool *is_used, size_t room,
                        struct base_buffer *out)
{
    size_t count = 0;
    for (size_t i = 0; i < schedule->act_count; i++) {
        count += is_used[i] && schedule->acts[i].name;
    }
    if (count == 0 || count > room) {
        return;
    }
    const char *between = "    local ";
    for (size_t i = 0; i < schedule->act_count; i++) {
        if (is_used[i] && schedule->acts[i].name) {
            add(out, "%s%s", between, schedule->acts[i].name);
            between = ", ";
        }
    }
    add(out, "\n");
}

static void print_act(const struct campaign_schedule *schedule, size_t slot, bool has_name, bool is_lenient,
                      struct base_buffer *out)
{
    const struct campaign_act *act = &schedule->acts[slot];
    if (act->point) {
        bool is_late = strncmp(act->text, "if m.id", 7) == 0;
        add_lua(schedule, act->point, out);
        add(out, ", function(%s) ", is_late ? "m" : "");
    }
    add(out, "%s", act->waits ? "spawn(function() " : "");
    if (is_lenient) {
        add(out, "try(%zu, function() ", slot);
    }
    if (has_name) {
        add(out, "%s = ", act->name);
    }
    add_lua(schedule, act->text, out);
    add(out, "%s%s%s", is_lenient ? " end)" : "", act->waits ? " end)" : "", act->point ? " end)" : "");
}

/* How many acts from `slot` on are the same one, done at once, and no more than done. */
static size_t count_alike(const struct campaign_schedule *schedule, const bool *is_used, size_t slot)
{
    const struct campaign_act *first = &schedule->acts[slot];
    size_t end = slot;
    while (end < schedule->act_count && !first->point && !is_used[end]) {
        const struct campaign_act *act = &schedule->acts[end];
        if (act->point || act->time_ns != first->time_ns || strcmp(act->text, first->text) != 0) {
            break;
        }
        end++;
    }
    return end > slot ? end - slot : 1;
}

static void print_run(const struct campaign_schedule *schedule, bool is_lenient, struct base_buffer *out)
{
    bool *is_used = find_used(schedule);
    uint64_t time_ns = 0;
    char time[48];
    size_t members = print_members(schedule, out);
    print_names(schedule, is_used, LOCALS_MAX - members, out);
    bool has_times = schedule->end_ns > 0;
    for (size_t i = 0; i < schedule->act_count; i++) {
        has_times = has_times || schedule->acts[i].time_ns > 0;
    }
    add(out, "%s", has_times ? "    local function till(t) sleep(t - now()) end\n" : "");
    if (is_lenient) {
        add(out,
            "    local is_over\n"
            "    local function try(n, fn)\n"
            "      if is_over then record(\"late\", 1) elseif not pcall(fn) then record(\"\" .. n, 1) end\n"
            "    end\n");
    }
    add(out, "\n");
    for (size_t i = 0; i < schedule->act_count; i++) {
        const struct campaign_act *act = &schedule->acts[i];
        assert(act->time_ns >= time_ns);
        char till[64] = "";
        if (act->time_ns > time_ns) {
            (void)print_seconds(act->time_ns, time);
            (void)snprintf(till, sizeof till, "till(%s*s)", time);
        }
        time_ns = act->time_ns;
        add(out, "    %-*s  ", TIME_COLUMN - 6, till);
        size_t alike = is_lenient ? 1 : count_alike(schedule, is_used, i);
        if (alike > 2) {
            add(out, "for _ = 1, %zu do ", alike);
        }
        print_act(schedule, i, is_used[i] && act->name, is_lenient, out);
        add(out, "%s\n", alike > 2 ? " end" : "");
        i += alike > 2 ? alike - 1 : 0;
    }
    if (schedule->end_ns > time_ns) {
        (void)print_seconds(schedule->end_ns, time);
        add(out, "    till(%s*s)\n", time);
    }
    add(out, "%s", is_lenient ? "    is_over = true\n" : "");
    free(is_used);
}

void campaign_schedule_print(const struct campaign_schedule *schedule, const char *name, bool is_lenient,
                             struct base_buffer *out)
{
    add(out, "scenario \"");
    for (const char *at = name; *at; at++) {
        add(out, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at == '\n' ? ' ' : *at);
    }
    add(out, "\" {\n");
    for (size_t i = 0; i < SCRIPT_TAPE_OPTIONS; i++) {
        if (schedule->options[i].text) {
            add(out, "  %s = ", schedule->options[i].name);
            add_text(out, schedule->options[i].text, strlen(schedule->options[i].text));
            add(out, ",\n");
        }
    }
    if (schedule->act_count == 0 && schedule->end_ns == 0) {
        add(out, "  run = function() end,\n}\n");
        return;
    }
    add(out, "  run = function(c)\n");
    print_run(schedule, is_lenient, out);
    add(out, "  end,\n}\n");
}
