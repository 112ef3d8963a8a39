/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"

#include <criterion/criterion.h>

#include <string.h>

/* RFC 3720 appendix B.4: 32 bytes each, and a SCSI read command. */
static const struct {
    uint8_t bytes[48];
    size_t size;
    uint32_t crc;
} vectors[] = {
    {{0}, 32, 0x8a9136aa},
    {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     32,
     0x62a8ab43},
    {{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
     32,
     0x46dd794e},
    {{31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
      15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0},
     32,
     0x113fdb5c},
    {{0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2,    0, 0, 0, 0, 0, 0, 0},
     48,
     0xd9963a56},
    {"123456789", 9, 0xe3069283},
};

Test(base_crc32c, meets_the_reference_vectors)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_assert(base_crc32c(0, vectors[i].bytes, vectors[i].size) == vectors[i].crc, "vector %zu", i);
        cr_assert(base_crc32c_portable(0, vectors[i].bytes, vectors[i].size) == vectors[i].crc, "vector %zu",
                  i);
    }
}

Test(base_crc32c, nothing_has_checksum_zero)
{
    cr_assert(base_crc32c(0, NULL, 0) == 0);
    cr_assert(base_crc32c(7, NULL, 0) == 7);
}

/* Every start, every split: the whole equals its parts, by either way. */
Test(base_crc32c, continues_and_both_ways_agree)
{
    uint8_t bytes[97];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t start = 0; start < 16; start++) {
        size_t size = sizeof bytes - start;
        uint32_t whole = base_crc32c_portable(0, bytes + start, size);
        for (size_t split = 0; split <= size; split++) {
            uint32_t first = base_crc32c(0, bytes + start, split);
            cr_assert(first == base_crc32c_portable(0, bytes + start, split));
            cr_assert(base_crc32c(first, bytes + start + split, size - split) == whole);
        }
    }
}
