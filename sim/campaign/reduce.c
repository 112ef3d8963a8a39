/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/reduce.h"

#include "sim/campaign/memory.h"
#include "sim/campaign/schedule.h"
#include "sim/script/source.h"
#include "sim/script/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS_MAX = 4096 };

struct tokens {
    struct script_token *items; /* For free(). */
    size_t count;
};

/* The member that a token names, 0: none. */
static unsigned member_at(const struct tokens *tokens, size_t slot)
{
    const struct script_token none = {.kind = SCRIPT_TOKEN_END};
    return campaign_schedule_member(&tokens->items[slot],
                                    slot + 1 < tokens->count ? &tokens->items[slot + 1] : &none);
}

static void read_tokens(struct tokens *tokens, const char *text)
{
    struct script_scanner scanner;
    *tokens = (struct tokens){.count = 0};
    script_scanner_init(&scanner, base_bytes_of(text));
    for (struct script_token token = script_scan(&scanner);
         token.kind != SCRIPT_TOKEN_END && tokens->count < TOKENS_MAX; token = script_scan(&scanner)) {
        tokens->items = campaign_grow(tokens->items, tokens->count, sizeof token);
        tokens->items[tokens->count++] = token;
    }
}

/* `text` with the bytes from `start` to `end` replaced. */
static const char *splice(const char *text, size_t start, size_t end, const char *with,
                          struct base_arena *texts)
{
    size_t length = strlen(text);
    size_t middle = strlen(with);
    assert(start <= end && end <= length);
    char *out = base_arena_alloc(texts, length - (end - start) + middle + 1);
    memcpy(out, text, start);
    memcpy(out + start, with, middle);
    memcpy(out + start + middle, text + end, length - end + 1);
    return out;
}

/* `text` from `start` to `end` left out, and the blank before what is then "{ }". */
static const char *leave_out(const char *text, size_t start, size_t end, struct base_arena *texts)
{
    size_t length = strlen(text);
    bool is_empty =
        start >= 2 && end < length && text[start - 2] == '{' && text[start - 1] == ' ' && text[end] == '}';
    return splice(text, start - is_empty, end, "", texts);
}

static bool is_open(const struct script_token *token)
{
    return script_token_is(token, "{") || script_token_is(token, "(") || script_token_is(token, "[");
}

static bool is_close(const struct script_token *token)
{
    return script_token_is(token, "}") || script_token_is(token, ")") || script_token_is(token, "]");
}

/* An element of the table that opens at token `open`: tokens first … end - 1. */
struct element {
    size_t first;
    size_t end;
    bool is_last;
    bool has_key;
};

/* The element that begins at token `first`; false: the table ends there. */
static bool read_element(const struct tokens *tokens, size_t first, struct element *out)
{
    size_t depth = 0;
    *out = (struct element){.first = first, .end = first};
    for (size_t at = first; at < tokens->count; at++) {
        const struct script_token *token = &tokens->items[at];
        if (depth == 0 && (script_token_is(token, "}") || script_token_is(token, ","))) {
            out->end = at;
            out->is_last = script_token_is(token, "}");
            return at > first;
        }
        out->has_key = out->has_key || (depth == 0 && script_token_is(token, "="));
        depth += is_open(token);
        depth -= is_close(token) && depth > 0;
    }
    return false;
}

/* `text` without an element, its comma with it. */
static const char *drop_element(const char *text, const struct tokens *tokens, const struct element *element,
                                struct base_arena *texts)
{
    const struct script_token *items = tokens->items;
    size_t start = items[element->first].start;
    size_t end = items[element->end].start;
    if (!element->is_last) {
        end = items[element->end + 1].start;
    } else if (script_token_is(&items[element->first - 1], ",")) {
        start = items[element->first - 1].start;
        end = items[element->end - 1].end;
    }
    return leave_out(text, start, end, texts);
}

/* --- numbers --- */

static size_t write_number(double value, int digits, char out[40])
{
    char rounded[40];
    (void)snprintf(rounded, sizeof rounded, "%.*g", digits, value);
    return (size_t)snprintf(out, 40, "%.17g", strtod(rounded, NULL));
}

/* A simpler number instead of this one: the try's, from 0; false: there are not so many,
 * or this is none. */
static bool simpler_number(struct base_bytes written, size_t attempt, char out[40])
{
    char text[40];
    char shortest[40];
    if (written.size >= sizeof text) {
        return false;
    }
    memcpy(text, written.data, written.size);
    text[written.size] = '\0';
    double value = strtod(text, NULL);
    if (strchr(text, '.') || strchr(text, 'e')) {
        script_text_number(strtod(text, NULL), shortest);
        for (int digits = 1; digits <= 4; digits++) {
            char rounded[40];
            (void)snprintf(rounded, sizeof rounded, "%.*g", digits, value);
            script_text_number(strtod(rounded, NULL), out);
            if (strlen(out) < strlen(shortest) && attempt-- == 0) {
                return true;
            }
        }
        return false;
    }
    const double whole[] = {1, value >= 20 ? value / 10 : 1, value / 2};
    for (size_t i = 0; i < 3; i++) {
        double smaller = (double)(uint64_t)whole[i];
        bool is_new = smaller >= 1 && smaller < value && (i == 0 || smaller > 1);
        if (is_new && attempt-- == 0) {
            (void)snprintf(out, 40, "%.0f", smaller);
            return true;
        }
    }
    if (value >= 10) {
        (void)write_number(value, 1, out);
        return strtod(out, NULL) < value && strlen(out) <= written.size && attempt == 0;
    }
    return false;
}

/* Does `members = 3` stand here, or learners? How many there are is for
 * campaign_reduce_member. */
static bool is_count(const struct tokens *tokens, size_t slot)
{
    const struct script_token *items = tokens->items;
    bool is_named = script_token_is(&items[slot], "members") || script_token_is(&items[slot], "learners");
    assert(slot < tokens->count);
    return is_named && slot + 2 < tokens->count && script_token_is(&items[slot + 1], "=") &&
           !script_token_is(&items[slot + 2], "0");
}

static bool is_reducible(const struct tokens *tokens, size_t slot)
{
    if (tokens->items[slot].kind != SCRIPT_TOKEN_NUMBER || (slot >= 2 && is_count(tokens, slot - 2))) {
        return false;
    }
    return slot == 0 || !script_token_is(&tokens->items[slot - 1], "[");
}

/* --- steps --- */

/* Count steps down in `*number`; the text when it comes to the one that is wanted. */
static const char *reduce_table(const char *text, const struct tokens *tokens, size_t open, size_t *number,
                                struct base_arena *texts)
{
    struct element element;
    bool is_alone = read_element(tokens, open + 1, &element) && element.is_last;
    for (size_t at = open + 1; read_element(tokens, at, &element); at = element.end + 1) {
        /* Without a rate, a load makes all the calls it can. */
        bool is_kept =
            is_count(tokens, element.first) || script_token_is(&tokens->items[element.first], "rate");
        if ((element.has_key && !is_kept) || (!element.has_key && !is_alone)) {
            if ((*number)-- == 0) {
                return texts ? drop_element(text, tokens, &element, texts) : text;
            }
        }
        if (element.is_last) {
            break;
        }
    }
    return NULL;
}

/* An empty table as the last argument says nothing. */
static const char *reduce_argument(const char *text, const struct tokens *tokens, size_t open, size_t *number,
                                   struct base_arena *texts)
{
    const struct script_token *items = tokens->items;
    bool is_last =
        open + 2 == tokens->count || (open + 2 < tokens->count && script_token_is(&items[open + 2], ")"));
    if (!is_last || !script_token_is(&items[open + 1], "}") || open < 2 || (*number)-- != 0) {
        return NULL;
    }
    bool has_comma = script_token_is(&items[open - 1], ",");
    size_t start = has_comma ? items[open - 1].start : items[open].start;
    return texts ? splice(text, start, items[open + 1].end, "", texts) : text;
}

static const char *reduce(const char *text, size_t *number, struct base_arena *texts)
{
    struct tokens tokens;
    const char *out = NULL;
    read_tokens(&tokens, text);
    for (size_t i = 0; i < tokens.count && !out; i++) {
        const struct script_token *token = &tokens.items[i];
        if (script_token_is(token, "{")) {
            out = reduce_argument(text, &tokens, i, number, texts);
            out = out ? out : reduce_table(text, &tokens, i, number, texts);
        }
    }
    for (size_t i = 0; i < tokens.count && !out; i++) {
        const struct script_token *token = &tokens.items[i];
        char simpler[40];
        for (size_t attempt = 0;
             !out && is_reducible(&tokens, i) && simpler_number(token->text, attempt, simpler); attempt++) {
            if ((*number)-- == 0) {
                out = texts ? splice(text, token->start, token->end, simpler, texts) : text;
            }
        }
    }
    free(tokens.items);
    return out;
}

const char *campaign_reduce(const char *text, size_t number, struct base_arena *texts)
{
    return reduce(text, &number, texts);
}

size_t campaign_reduce_count(const char *text)
{
    size_t left = SIZE_MAX;
    (void)reduce(text, &left, NULL);
    return SIZE_MAX - left;
}

/* --- members and names --- */

/* The element of a list that is this token alone; false: it stands elsewhere. */
static bool is_listed(const struct tokens *tokens, size_t slot, struct element *out)
{
    if (slot == 0 || slot + 1 == tokens->count) {
        return false;
    }
    const struct script_token *before = &tokens->items[slot - 1];
    const struct script_token *after = &tokens->items[slot + 1];
    *out = (struct element){.first = slot, .end = slot + 1, .is_last = script_token_is(after, "}")};
    size_t depth = 0;
    for (size_t at = slot; at-- > 0;) { /* Arguments of a call are separated in the same way. */
        const struct script_token *token = &tokens->items[at];
        if (depth == 0 && is_open(token)) {
            return script_token_is(token, "{") &&
                   (script_token_is(before, "{") || script_token_is(before, ",")) &&
                   (script_token_is(after, "}") || script_token_is(after, ","));
        }
        depth += is_close(token);
        depth -= is_open(token);
    }
    return false;
}

/* The first token that names this member; tokens->count: none does. */
static size_t find_member(const struct tokens *tokens, unsigned member)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (member_at(tokens, i) == member) {
            return i;
        }
    }
    return tokens->count;
}

const char *campaign_reduce_member(const char *text, unsigned member, struct base_arena *texts)
{
    struct tokens tokens;
    struct element element;
    for (;;) {
        read_tokens(&tokens, text);
        size_t slot = find_member(&tokens, member);
        if (slot == tokens.count) {
            break;
        }
        text = is_listed(&tokens, slot, &element) ? drop_element(text, &tokens, &element, texts) : NULL;
        free(tokens.items);
        if (!text) {
            return NULL;
        }
    }
    for (size_t i = tokens.count; i-- > 0;) { /* From the end: what stands before keeps its place. */
        unsigned number = member_at(&tokens, i);
        if (number > member) {
            char fresh[16];
            (void)snprintf(fresh, sizeof fresh, "m%u", number - 1);
            text = splice(text, tokens.items[i].start, tokens.items[i].end, fresh, texts);
        }
    }
    free(tokens.items);
    return text;
}

const char *campaign_reduce_name(const char *text, const char *before, const char *after,
                                 struct base_arena *texts)
{
    struct tokens tokens;
    read_tokens(&tokens, text);
    for (size_t i = tokens.count; i-- > 0;) {
        const struct script_token *token = &tokens.items[i];
        if (token->kind == SCRIPT_TOKEN_NAME && script_token_is(token, before)) {
            text = splice(text, token->start, token->end, after, texts);
        }
    }
    free(tokens.items);
    return text;
}

/* The token of the number behind `key =`; tokens->count: there is none. */
static size_t find_key(const struct tokens *tokens, const char *key)
{
    for (size_t i = 0; i + 2 < tokens->count; i++) {
        if (script_token_is(&tokens->items[i], key) && script_token_is(&tokens->items[i + 1], "=") &&
            tokens->items[i + 2].kind == SCRIPT_TOKEN_NUMBER) {
            return i + 2;
        }
    }
    return tokens->count;
}

uint64_t campaign_reduce_key(const char *text, const char *key, uint64_t otherwise)
{
    struct tokens tokens;
    read_tokens(&tokens, text);
    size_t slot = find_key(&tokens, key);
    uint64_t value = slot < tokens.count ? strtoull(text + tokens.items[slot].start, NULL, 10) : otherwise;
    free(tokens.items);
    return value;
}

const char *campaign_reduce_set_key(const char *text, const char *key, uint64_t number,
                                    struct base_arena *texts)
{
    struct tokens tokens;
    char written[96];
    read_tokens(&tokens, text);
    size_t slot = find_key(&tokens, key);
    if (slot < tokens.count) {
        (void)snprintf(written, sizeof written, "%" PRIu64, number);
        text = splice(text, tokens.items[slot].start, tokens.items[slot].end, written, texts);
    } else {
        assert(tokens.count >= 2);
        bool is_empty = tokens.count == 2;
        (void)snprintf(written, sizeof written, " %.40s = %" PRIu64 "%s", key, number, is_empty ? " " : ",");
        text = splice(text, 1, 1, written, texts);
    }
    free(tokens.items);
    return text;
}
