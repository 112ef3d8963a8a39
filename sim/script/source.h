/* A script's own text: where in it a key of a table stands, and what an expression
 * looks like as its author wrote it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_SOURCE_H
#define SIM_SCRIPT_SOURCE_H

#include "core/base/bytes.h"

#include <stdbool.h>

enum script_token_kind {
    SCRIPT_TOKEN_END,
    SCRIPT_TOKEN_NAME,
    SCRIPT_TOKEN_NUMBER,
    SCRIPT_TOKEN_STRING,
    SCRIPT_TOKEN_MARK
};

/* Borrowed from the text; a string comes without its quotes, escapes unread. */
struct script_token {
    enum script_token_kind kind;
    uint32_t line;
    struct base_bytes text;
    size_t start; /* Offsets of the whole token in the text. */
    size_t end;
};

struct script_scanner {
    struct base_bytes text;
    size_t at;
    uint32_t line;
};

void script_scanner_init(struct script_scanner *scanner, struct base_bytes text);
/* The next token, comments left out; SCRIPT_TOKEN_END again and again at the end. */
struct script_token script_scan(struct script_scanner *scanner);
bool script_token_is(const struct script_token *token, const char *text);
bool script_token_is_keyword(const struct script_token *token);

/* The line on which the last of `keys` stands, the others being the tables around
 * it, in the call that begins on `line`; `line` itself when that cannot be seen. */
uint32_t script_key_line(struct base_bytes text, uint32_t line, const char *const *keys, size_t count);
/* The first argument of the call of `function` that begins on `line`; false when
 * there is none, or more than one such call. */
bool script_argument(struct base_bytes text, uint32_t line, const char *function, struct base_bytes *out);

#endif
