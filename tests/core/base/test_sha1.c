/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sha1.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static const char *hex_of(const uint8_t *digest, char *text)
{
    for (int i = 0; i < BASE_SHA1_SIZE; i++) {
        (void)sprintf(text + 2 * i, "%02x", digest[i]);
    }
    return text;
}

static void expect(struct base_bytes bytes, const char *digest_hex)
{
    uint8_t digest[BASE_SHA1_SIZE];
    char text[2 * BASE_SHA1_SIZE + 1];
    base_sha1(&bytes, 1, digest);
    cr_assert_str_eq(hex_of(digest, text), digest_hex);
}

/* FIPS 180's examples. */
Test(base_sha1, meets_the_reference_vectors)
{
    expect(base_bytes_of(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect(base_bytes_of("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(base_bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
           "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    static uint8_t million[1000000];
    memset(million, 'a', sizeof million);
    expect((struct base_bytes){.data = million, .size = sizeof million},
           "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

Test(base_sha1, parts_count_as_their_concatenation)
{
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct base_bytes whole = {.data = bytes, .size = size};
        struct base_bytes parts[3] = {{bytes, size / 3}, {NULL, 0}, {bytes + size / 3, size - size / 3}};
        uint8_t expected[BASE_SHA1_SIZE];
        uint8_t found[BASE_SHA1_SIZE];
        base_sha1(&whole, 1, expected);
        base_sha1(parts, 3, found);
        cr_assert_arr_eq(found, expected, BASE_SHA1_SIZE);
    }
}
