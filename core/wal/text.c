/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wal/text.h"

#include <assert.h>

enum { HEX_DIGITS = 16 };

void wal_text_reset(struct wal_text *text)
{
    text->size = 0;
    text->bytes[0] = '\0';
}

void wal_text_put(struct wal_text *text, const char *more)
{
    assert(text->size < sizeof text->bytes);
    while (*more != '\0' && text->size + 1 < sizeof text->bytes) {
        text->bytes[text->size++] = *more++;
    }
    text->bytes[text->size] = '\0';
}

void wal_text_put_bytes(struct wal_text *text, struct base_bytes more)
{
    for (size_t at = 0; at < more.size; at++) {
        const char one[2] = {(char)more.data[at], '\0'};
        wal_text_put(text, one);
    }
}

void wal_text_put_decimal(struct wal_text *text, uint64_t value)
{
    char digits[21] = {0};
    size_t at = sizeof digits - 1;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    wal_text_put(text, digits + at);
}

void wal_text_put_hex(struct wal_text *text, uint64_t value)
{
    char digits[HEX_DIGITS + 1] = {0};
    for (int i = 0; i < HEX_DIGITS; i++) {
        digits[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
    }
    wal_text_put(text, digits);
}

void wal_text_put_segment(struct wal_text *text, uint64_t sequence, uint64_t first, bool aside)
{
    wal_text_put(text, "wal/");
    wal_text_put_hex(text, sequence);
    wal_text_put(text, "-");
    wal_text_put_hex(text, first);
    wal_text_put(text, aside ? ".wal.tmp" : ".wal");
}

void wal_text_put_snapshot(struct wal_text *text, uint64_t term, uint64_t index)
{
    wal_text_put(text, "snap/");
    wal_text_put_hex(text, term);
    wal_text_put(text, "-");
    wal_text_put_hex(text, index);
    wal_text_put(text, ".snap");
}

void wal_text_put_snapshot_aside(struct wal_text *text, uint64_t number)
{
    wal_text_put(text, "snap/");
    wal_text_put_hex(text, number);
    wal_text_put(text, ".snap.tmp");
}

/* Move `*at` over 16 lower-case hexadecimal digits. */
static bool take_hex(const char **at, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < HEX_DIGITS; i++, (*at)++) {
        char digit = **at;
        if (digit >= '0' && digit <= '9') {
            *value = *value << 4 | (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            *value = *value << 4 | (uint64_t)(digit - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

static bool is_text(const char *at, const char *expected)
{
    while (*at != '\0' && *at == *expected) {
        at++;
        expected++;
    }
    return *at == *expected;
}

static bool is_pair(const char *name, const char *ending, uint64_t *first, uint64_t *second)
{
    if (!take_hex(&name, first) || *name != '-') {
        return false;
    }
    name++;
    return take_hex(&name, second) && is_text(name, ending);
}

bool wal_text_is_segment(const char *name, uint64_t *sequence, uint64_t *first)
{
    return is_pair(name, ".wal", sequence, first);
}

bool wal_text_is_snapshot(const char *name, uint64_t *term, uint64_t *index)
{
    return is_pair(name, ".snap", term, index);
}

bool wal_text_is_aside(const char *name)
{
    while (*name != '\0') {
        if (is_text(name, ".tmp")) {
            return true;
        }
        name++;
    }
    return false;
}
