/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/utf8.h"

#include <stdbool.h>

/* The second byte tells the forms that are too long, and surrogates and beyond. */
size_t check_utf8_size(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    size_t size = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 4;
    if ((lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) || size > left) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_bad = (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] >= 0xa0) ||
                  (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] >= 0x90);
    return is_bad ? 0 : size;
}
