/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/source.h"

#include <assert.h>

void script_scanner_init(struct script_scanner *scanner, struct base_bytes text)
{
    *scanner = (struct script_scanner){.text = text, .line = 1};
}

/* The byte so far on; 0 behind the end. */
static uint8_t peek(const struct script_scanner *scanner, size_t ahead)
{
    return scanner->at + ahead < scanner->text.size ? scanner->text.data[scanner->at + ahead] : 0;
}

static bool is_over(const struct script_scanner *scanner)
{
    return scanner->at >= scanner->text.size;
}

static void skip(struct script_scanner *scanner, size_t count)
{
    for (size_t i = 0; i < count && !is_over(scanner); i++) {
        scanner->line += scanner->text.data[scanner->at] == '\n';
        scanner->at++;
    }
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (byte >= '0' && byte <= '9');
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* The level of a long bracket that begins here ("[[" is 0, "[==[" 2), or -1. */
static int long_level(const struct script_scanner *scanner)
{
    size_t level = 0;
    if (peek(scanner, 0) != '[') {
        return -1;
    }
    while (peek(scanner, 1 + level) == '=') {
        level++;
    }
    return peek(scanner, 1 + level) == '[' ? (int)level : -1;
}

/* Skip a long bracket's content and its closing bracket; answers the content. */
static struct base_bytes scan_long(struct script_scanner *scanner, int level)
{
    skip(scanner, (size_t)level + 2);
    size_t start = scanner->at;
    while (!is_over(scanner)) {
        size_t equals = 0;
        if (peek(scanner, 0) == ']') {
            while (peek(scanner, 1 + equals) == '=') {
                equals++;
            }
            if (equals == (size_t)level && peek(scanner, 1 + equals) == ']') {
                struct base_bytes content = {scanner->text.data + start, scanner->at - start};
                skip(scanner, equals + 2);
                return content;
            }
        }
        skip(scanner, 1);
    }
    return (struct base_bytes){scanner->text.data + start, scanner->at - start};
}

static void skip_blank(struct script_scanner *scanner)
{
    while (!is_over(scanner)) {
        uint8_t byte = peek(scanner, 0);
        if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
            skip(scanner, 1);
        } else if (byte == '-' && peek(scanner, 1) == '-') {
            skip(scanner, 2);
            int level = long_level(scanner);
            if (level >= 0) {
                (void)scan_long(scanner, level);
            }
            while (level < 0 && !is_over(scanner) && peek(scanner, 0) != '\n') {
                skip(scanner, 1);
            }
        } else {
            return;
        }
    }
}

static struct base_bytes scan_quoted(struct script_scanner *scanner)
{
    uint8_t quote = peek(scanner, 0);
    skip(scanner, 1);
    size_t start = scanner->at;
    while (!is_over(scanner) && peek(scanner, 0) != quote && peek(scanner, 0) != '\n') {
        skip(scanner, peek(scanner, 0) == '\\' ? 2 : 1);
    }
    struct base_bytes content = {scanner->text.data + start, scanner->at - start};
    skip(scanner, 1);
    return content;
}

static size_t mark_size(const struct script_scanner *scanner)
{
    static const char *const marks[] = {"...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t size = strlen(marks[i]);
        if (scanner->text.size - scanner->at >= size &&
            memcmp(scanner->text.data + scanner->at, marks[i], size) == 0) {
            return size;
        }
    }
    return 1;
}

struct script_token script_scan(struct script_scanner *scanner)
{
    skip_blank(scanner);
    struct script_token token = {.line = scanner->line, .start = scanner->at};
    if (is_over(scanner)) {
        token.end = token.start;
        return token;
    }
    uint8_t byte = peek(scanner, 0);
    int level = long_level(scanner);
    if (byte == '"' || byte == '\'') {
        token.kind = SCRIPT_TOKEN_STRING;
        token.text = scan_quoted(scanner);
    } else if (level >= 0) {
        token.kind = SCRIPT_TOKEN_STRING;
        token.text = scan_long(scanner, level);
    } else if (is_digit(byte) || (byte == '.' && is_digit(peek(scanner, 1)))) {
        token.kind = SCRIPT_TOKEN_NUMBER;
        while (is_name_byte(peek(scanner, 0)) || (peek(scanner, 0) == '.' && peek(scanner, 1) != '.')) {
            skip(scanner, 1);
        }
        token.text = (struct base_bytes){scanner->text.data + token.start, scanner->at - token.start};
    } else {
        token.kind = is_name_byte(byte) ? SCRIPT_TOKEN_NAME : SCRIPT_TOKEN_MARK;
        skip(scanner, token.kind == SCRIPT_TOKEN_MARK ? mark_size(scanner) : 1);
        while (token.kind == SCRIPT_TOKEN_NAME && is_name_byte(peek(scanner, 0))) {
            skip(scanner, 1);
        }
        token.text = (struct base_bytes){scanner->text.data + token.start, scanner->at - token.start};
    }
    token.end = scanner->at;
    return token;
}

bool script_token_is(const struct script_token *token, const char *text)
{
    return token->kind != SCRIPT_TOKEN_STRING && base_bytes_equal(token->text, base_bytes_of(text));
}

bool script_token_is_keyword(const struct script_token *token)
{
    static const char *const words[] = {"and",      "or",    "not",    "nil", "true",  "false",
                                        "function", "end",   "return", "if",  "then",  "else",
                                        "elseif",   "for",   "in",     "do",  "while", "repeat",
                                        "until",    "local", "break",  "goto"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (script_token_is(token, words[i])) {
            return true;
        }
    }
    return false;
}

static bool opens(const struct script_token *token)
{
    return script_token_is(token, "{") || script_token_is(token, "(") || script_token_is(token, "[");
}

static bool closes(const struct script_token *token)
{
    return script_token_is(token, "}") || script_token_is(token, ")") || script_token_is(token, "]");
}

static void scan_to_line(struct script_scanner *scanner, struct base_bytes text, uint32_t line)
{
    struct script_scanner next;
    script_scanner_init(scanner, text);
    next = *scanner;
    struct script_token token = script_scan(&next);
    while (token.kind != SCRIPT_TOKEN_END && token.line < line) {
        *scanner = next;
        token = script_scan(&next);
    }
}

/* Does `token`, with what follows it, give the key `name` a value? Then `scanner`
 * stands behind the "=". */
static bool is_key(struct script_scanner *scanner, const struct script_token *token, const char *name)
{
    struct script_scanner ahead = *scanner;
    if (!base_bytes_equal(token->text, base_bytes_of(name)) || token->kind == SCRIPT_TOKEN_MARK) {
        return false;
    }
    struct script_token next = script_scan(&ahead);
    if (token->kind != SCRIPT_TOKEN_NAME && script_token_is(&next, "]")) {
        next = script_scan(&ahead);
    }
    if (!script_token_is(&next, "=")) {
        return false;
    }
    *scanner = ahead;
    return true;
}

/* In the table whose "{" was read last, find the line of a chain of keys; 0 none. */
static uint32_t line_in_table(struct script_scanner scanner, const char *const *keys, size_t count)
{
    int depth = 1;
    while (depth > 0) {
        struct script_token token = script_scan(&scanner);
        if (token.kind == SCRIPT_TOKEN_END) {
            return 0;
        }
        bool is_direct = depth == 1 || (depth == 2 && token.kind != SCRIPT_TOKEN_NAME); /* ["key"] */
        if (is_direct && is_key(&scanner, &token, keys[0])) {
            depth = 1;
            if (count == 1) {
                return token.line;
            }
            struct script_scanner inside = scanner;
            struct script_token open = script_scan(&inside);
            return script_token_is(&open, "{") ? line_in_table(inside, keys + 1, count - 1) : 0;
        }
        depth += opens(&token) ? 1 : 0;
        depth -= closes(&token) ? 1 : 0;
    }
    return 0;
}

/* Anywhere from here on, as a key or as what is assigned to; 0 none. */
static uint32_t line_anywhere(struct script_scanner scanner, const char *key)
{
    for (;;) {
        struct script_token token = script_scan(&scanner);
        if (token.kind == SCRIPT_TOKEN_END) {
            return 0;
        }
        if (is_key(&scanner, &token, key)) {
            return token.line;
        }
    }
}

uint32_t script_key_line(struct base_bytes text, uint32_t line, const char *const *keys, size_t count)
{
    struct script_scanner scanner;
    assert(count > 0);
    scan_to_line(&scanner, text, line);
    struct script_scanner table = scanner;
    for (;;) {
        struct script_token token = script_scan(&table);
        if (token.kind == SCRIPT_TOKEN_END) {
            break;
        }
        if (script_token_is(&token, "{")) {
            uint32_t found = line_in_table(table, keys, count);
            if (found > 0) {
                return found;
            }
            break;
        }
    }
    uint32_t found = line_anywhere(scanner, keys[count - 1]);
    if (found == 0) {
        script_scanner_init(&scanner, text);
        found = line_anywhere(scanner, keys[count - 1]);
    }
    return found > 0 ? found : line;
}

/* From behind a call's "(" to the end of its first argument. */
static struct base_bytes scan_argument(struct script_scanner *scanner)
{
    size_t start = scanner->at;
    size_t end = start;
    int depth = 0;
    for (bool is_first = true;; is_first = false) {
        struct script_token token = script_scan(scanner);
        bool ends = depth == 0 && (closes(&token) || script_token_is(&token, ","));
        if (ends || token.kind == SCRIPT_TOKEN_END) {
            return (struct base_bytes){scanner->text.data + start, end - start};
        }
        start = is_first ? token.start : start;
        end = token.end;
        bool is_block = script_token_is(&token, "function") || script_token_is(&token, "if") ||
                        script_token_is(&token, "do");
        depth += opens(&token) || is_block ? 1 : 0;
        depth -= closes(&token) || script_token_is(&token, "end") ? 1 : 0;
    }
}

bool script_argument(struct base_bytes text, uint32_t line, const char *function, struct base_bytes *out)
{
    struct script_scanner scanner;
    uint32_t found = 0;
    scan_to_line(&scanner, text, line);
    for (;;) {
        struct script_token token = script_scan(&scanner);
        if (token.kind == SCRIPT_TOKEN_END || token.line > line) {
            return found == 1;
        }
        struct script_scanner ahead = scanner;
        struct script_token next = script_scan(&ahead);
        if (script_token_is(&token, function) && script_token_is(&next, "(")) {
            found++;
            *out = scan_argument(&ahead);
        }
    }
}
