/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_text_number(double number, char out[32])
{
    int size = snprintf(out, 32, "%.12g", number);
    assert(size > 0 && size < 32);
}

double script_round(double number)
{
    char text[32];
    script_text_number(number, text);
    return strtod(text, NULL);
}

void script_text_duration(uint64_t duration_ns, char out[32])
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{UINT64_C(3600000000000), "hour"},
                 {UINT64_C(60000000000), "min"},
                 {UINT64_C(1000000000), "s"},
                 {UINT64_C(1000000), "ms"},
                 {UINT64_C(1000), "us"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        bool is_whole_only = i < 2; /* "90s", not "1.5min" */
        if (duration_ns >= units[i].ns && (!is_whole_only || duration_ns % units[i].ns == 0)) {
            char number[32];
            script_text_number((double)duration_ns / (double)units[i].ns, number);
            int size = snprintf(out, 32, "%.24s%s", number, units[i].name);
            assert(size > 0 && size < 32);
            return;
        }
    }
    int size = snprintf(out, 32, "%uns", (unsigned)duration_ns);
    assert(size > 0 && size < 32);
}
