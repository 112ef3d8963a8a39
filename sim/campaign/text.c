/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What takes longer than anybody waits, times many scenarios, is still a number. */
#define SEEDS_MAX (UINT64_C(1) << 40)

/* Decimal digits from `*text` on; false when there are none or too many. */
static bool take_number(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *out = value;
    return true;
}

bool campaign_text_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!take_number(&text, &value) || *text != '\0') {
        return false;
    }
    *out = value;
    return true;
}

/* Nanoseconds in one of the unit that `text` names; 0 when it names none. */
static uint64_t unit_ns(const char *text)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"", 1000000000},     {"ns", 1},
        {"us", 1000},         {"ms", 1000000},
        {"s", 1000000000},    {"min", 60000000000},
        {"m", 60000000000},   {"hour", 3600000000000},
        {"h", 3600000000000},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text, units[i].name) == 0) {
            return units[i].ns;
        }
    }
    return 0;
}

bool campaign_text_duration(const char *text, uint64_t *out_ns)
{
    uint64_t whole = 0;
    if (!take_number(&text, &whole)) {
        return false;
    }
    const char *part = NULL;
    if (*text == '.') {
        uint64_t ignored = 0;
        part = ++text;
        if (!take_number(&text, &ignored)) {
            return false;
        }
    }
    uint64_t unit = unit_ns(text);
    if (unit == 0 || whole > UINT64_MAX / 2 / unit) {
        return false;
    }
    uint64_t value = whole * unit;
    for (; part && part < text; part++) {
        unit /= 10;
        value += (uint64_t)(*part - '0') * unit;
    }
    *out_ns = value;
    return true;
}

bool campaign_text_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    uint64_t low = 1;
    uint64_t high = 0;
    if (!take_number(&text, &high)) {
        return false;
    }
    if (strncmp(text, "..", 2) == 0) {
        text += 2;
        low = high;
        if (!take_number(&text, &high)) {
            return false;
        }
    }
    if (*text != '\0' || high < low || high - low >= SEEDS_MAX) {
        return false;
    }
    *first = low;
    *last = high;
    return true;
}

bool campaign_text_shard(const char *text, uint32_t *number, uint32_t *count)
{
    uint64_t own = 0;
    uint64_t all = 0;
    if (!take_number(&text, &own) || *text != '/') {
        return false;
    }
    text++;
    if (!take_number(&text, &all) || *text != '\0' || own < 1 || own > all || all > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)own;
    *count = (uint32_t)all;
    return true;
}

void campaign_text_time(uint64_t time_ns, char out[32])
{
    uint64_t seconds = time_ns / 1000000000;
    uint64_t rest = time_ns % 1000000000;
    int size = snprintf(out, 32, "%" PRIu64 ".%09" PRIu64 "s", seconds, rest);
    assert(size > 0 && size < 32);
}
