/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sha256.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static void expect(struct base_bytes bytes, size_t step, const char *digest_hex)
{
    struct base_sha256 sha;
    uint8_t digest[BASE_SHA256_SIZE];
    char text[2 * BASE_SHA256_SIZE + 1];
    base_sha256_init(&sha);
    for (size_t at = 0; at < bytes.size; at += step) {
        size_t size = step < bytes.size - at ? step : bytes.size - at;
        base_sha256_put(&sha, (struct base_bytes){.data = bytes.data + at, .size = size});
    }
    base_sha256_end(&sha, digest);
    for (int i = 0; i < BASE_SHA256_SIZE; i++) {
        (void)sprintf(text + 2 * i, "%02x", digest[i]);
    }
    cr_assert_str_eq(text, digest_hex);
}

/* FIPS 180-4's examples. */
Test(base_sha256, meets_the_reference_vectors)
{
    expect(base_bytes_of(""), 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(base_bytes_of("abc"), 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(base_bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), 56,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(base_sha256, does_not_mind_how_it_is_fed)
{
    static uint8_t bytes[1000000];
    memset(bytes, 'a', sizeof bytes);
    const struct base_bytes all = {.data = bytes, .size = sizeof bytes};
    const size_t steps[] = {1, 63, 64, 65, 1000, sizeof bytes};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        expect(all, steps[i], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
