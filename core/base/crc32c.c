/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"

#include "core/base/bytes.h"
#include "core/base/crc32c_instruction.h"
#include "core/base/crc32c_table.h"

#include <assert.h>

/* Eight bytes a step: crc32c_table[k][b] is byte b's share when k bytes follow it. */
uint32_t base_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    assert(data || size == 0);
    const uint8_t *at = data;
    uint32_t state = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint32_t low = state ^ base_load_u32(at);
        uint32_t high = base_load_u32(at + 4);
        state = crc32c_table[7][low & 0xff] ^ crc32c_table[6][(low >> 8) & 0xff] ^
                crc32c_table[5][(low >> 16) & 0xff] ^ crc32c_table[4][low >> 24] ^
                crc32c_table[3][high & 0xff] ^ crc32c_table[2][(high >> 8) & 0xff] ^
                crc32c_table[1][(high >> 16) & 0xff] ^ crc32c_table[0][high >> 24];
    }
    for (; size > 0; at++, size--) {
        state = crc32c_table[0][(state ^ *at) & 0xff] ^ (state >> 8);
    }
    return ~state;
}

uint32_t base_crc32c(uint32_t crc, const void *data, size_t size)
{
    assert(data || size == 0);
    if (crc32c_has_instruction()) {
        return ~crc32c_by_instruction(~crc, data, size);
    }
    return base_crc32c_portable(crc, data, size);
}
