/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/sort.h"
#include "core/base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void *counting_resize(void *context, void *block, size_t size_old, size_t size_new)
{
    size_t *bytes = context;
    *bytes = *bytes - (block ? size_old : 0) + size_new;
    if (size_new == 0) {
        free(block);
        return NULL;
    }
    void *moved = realloc(block, size_new);
    return moved ? moved : (abort(), NULL);
}

Test(base_bytes, shorter_comes_first)
{
    cr_assert_lt(base_bytes_compare(base_bytes_of("a"), base_bytes_of("ab")), 0);
    cr_assert_gt(base_bytes_compare(base_bytes_of("b"), base_bytes_of("ab")), 0);
    cr_assert_gt(base_bytes_compare(base_bytes_of("\xff"), base_bytes_of("a")), 0);
    cr_assert_eq(base_bytes_compare((struct base_bytes){0}, base_bytes_of("")), 0);
    cr_assert(base_bytes_equal((struct base_bytes){0}, base_bytes_of("")));
    cr_assert_not(base_bytes_equal(base_bytes_of("a"), base_bytes_of("b")));
}

Test(base_bytes, decoder_reads_what_the_encoder_wrote)
{
    size_t bytes = 0;
    const struct base_allocator allocator = {.resize = counting_resize, .context = &bytes};
    struct base_buffer buffer;
    base_buffer_init(&buffer, &allocator);
    base_put_u8(&buffer, 0xfe);
    base_put_u16(&buffer, 0xfedc);
    base_put_u32(&buffer, 0xfedcba98);
    base_put_u64(&buffer, UINT64_C(0xfedcba9876543210));
    base_put_i64(&buffer, INT64_MIN);
    base_put_bytes(&buffer, base_bytes_of("text"));
    base_put_bytes(&buffer, (struct base_bytes){0});
    cr_assert_eq(buffer.data[1], 0xdc); /* Little-endian. */
    struct base_reader reader;
    base_reader_init(&reader, base_buffer_view(&buffer));
    cr_assert_eq(base_get_u8(&reader), 0xfe);
    cr_assert_eq(base_get_u16(&reader), 0xfedc);
    cr_assert_eq(base_get_u32(&reader), 0xfedcba98);
    cr_assert_eq(base_get_u64(&reader), UINT64_C(0xfedcba9876543210));
    cr_assert_eq(base_get_i64(&reader), INT64_MIN);
    cr_assert(base_bytes_equal(base_get_bytes(&reader), base_bytes_of("text")));
    cr_assert_eq(base_get_bytes(&reader).size, 0);
    cr_assert(!reader.failed && base_reader_left(&reader) == 0);
    base_buffer_release(&buffer);
    cr_assert_eq(bytes, 0);
}

Test(base_bytes, decoder_stays_failed_and_answers_zero)
{
    const uint8_t data[] = {5, 0, 0, 0, 'a', 'b'};
    struct base_reader reader;
    base_reader_init(&reader, (struct base_bytes){.data = data, .size = sizeof data});
    cr_assert_eq(base_get_bytes(&reader).size, 0);
    cr_assert(reader.failed);
    cr_assert_eq(base_get_u8(&reader), 0);
    cr_assert_eq(base_get_u16(&reader), 0);
    cr_assert_eq(base_get_u32(&reader), 0);
    cr_assert_eq(base_get_u64(&reader), 0);
    cr_assert_eq(base_reader_left(&reader), 0);
}

Test(base_bytes, buffer_keeps_its_memory_on_reset)
{
    size_t bytes = 0;
    const struct base_allocator allocator = {.resize = counting_resize, .context = &bytes};
    struct base_buffer buffer;
    base_buffer_init(&buffer, &allocator);
    memset(base_buffer_extend(&buffer, 1000), 1, 1000);
    size_t before = bytes;
    base_buffer_reset(&buffer);
    memset(base_buffer_extend(&buffer, 1000), 2, 1000);
    cr_assert(bytes == before && buffer.size == 1000);
    base_buffer_release(&buffer);
    cr_assert_eq(bytes, 0);
}

Test(base_arena, blocks_are_aligned_apart_and_reused)
{
    size_t bytes = 0;
    const struct base_allocator allocator = {.resize = counting_resize, .context = &bytes};
    struct base_arena arena;
    base_arena_init(&arena, &allocator);
    uint8_t *blocks[200];
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 200; i++) {
            blocks[i] = base_arena_alloc(&arena, i * 7);
            cr_assert_eq((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], (int)i, i * 7);
        }
        for (size_t i = 1; i < 200; i++) {
            cr_assert(blocks[i][0] == i && blocks[i][i * 7 - 1] == i);
        }
        base_arena_reset(&arena);
    }
    size_t before = bytes;
    for (size_t i = 0; i < 200; i++) {
        (void)base_arena_alloc(&arena, i * 7);
    }
    cr_assert_leq(bytes, 2 * before);
    struct base_bytes copy = base_arena_copy(&arena, base_bytes_of("text"));
    cr_assert(base_bytes_equal(copy, base_bytes_of("text")));
    cr_assert_eq(base_arena_copy(&arena, (struct base_bytes){0}).size, 0);
    base_arena_release(&arena);
    cr_assert_eq(bytes, 0);
}

Test(base_status, every_code_has_its_own_text)
{
    for (int a = 0; a < BASE_STATUS_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            cr_assert_str_neq(base_status_text((enum base_status)a), base_status_text((enum base_status)b));
        }
    }
    cr_assert_str_eq(base_status_text(BASE_OK), "ok");
}

Test(base_hash, bytes_keep_their_bounds)
{
    uint64_t apart = base_hash_bytes(base_hash_bytes(0, base_bytes_of("ab")), base_bytes_of("c"));
    uint64_t shifted = base_hash_bytes(base_hash_bytes(0, base_bytes_of("a")), base_bytes_of("bc"));
    cr_assert_neq(apart, shifted);
    const struct base_bytes padded = {.data = (const uint8_t *)"a\0", .size = 2};
    cr_assert_neq(base_hash_bytes(0, base_bytes_of("a")), base_hash_bytes(0, padded));
}

static int compare_tens(const void *context, const void *a, const void *b)
{
    (void)context;
    int left = *(const int *)a / 10;
    int right = *(const int *)b / 10;
    return left - right;
}

Test(base_sort, sorts_and_keeps_equals_in_order)
{
    enum { COUNT = 100 };
    int numbers[COUNT];
    const void *items[COUNT];
    const void *scratch[COUNT];
    for (size_t count = 0; count <= COUNT; count++) {
        for (size_t i = 0; i < count; i++) {
            numbers[i] = (int)(i * 37 % 10) * 10 + (int)(i / 10);
            items[i] = &numbers[i];
        }
        base_sort(items, scratch, count, compare_tens, NULL);
        for (size_t i = 1; i < count; i++) {
            cr_assert_lt(*(const int *)items[i - 1], *(const int *)items[i]);
        }
    }
}
