/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"
#include "tests/core/wire/messages.h"

#include <criterion/criterion.h>

#include <stdlib.h>

enum { ROUNDS = 400 };

struct bench {
    size_t bytes_out;
    struct base_allocator allocator;
    struct base_arena arena;
    struct base_arena decoded;
    struct base_buffer frame;
    struct test_random random;
};

static void bench_init(struct bench *bench)
{
    bench->allocator = test_allocator(&bench->bytes_out);
    base_arena_init(&bench->arena, &bench->allocator);
    base_arena_init(&bench->decoded, &bench->allocator);
    base_buffer_init(&bench->frame, &bench->allocator);
    bench->random = (struct test_random){.state = 1};
}

static void bench_reset(struct bench *bench)
{
    base_arena_reset(&bench->arena);
    base_arena_reset(&bench->decoded);
    base_buffer_reset(&bench->frame);
}

static void bench_release(struct bench *bench)
{
    base_arena_release(&bench->arena);
    base_arena_release(&bench->decoded);
    base_buffer_release(&bench->frame);
    cr_assert_eq(bench->bytes_out, 0);
}

/* A frame around a body that need not be one. */
static struct base_bytes frame_of(struct bench *bench, const uint8_t *body, size_t size)
{
    base_buffer_reset(&bench->frame);
    base_put_u32(&bench->frame, (uint32_t)size);
    base_put_u32(&bench->frame, base_crc32c(0, body, size));
    memcpy(base_buffer_extend(&bench->frame, size), body, size);
    return base_buffer_view(&bench->frame);
}

Test(wire_flatten, a_copy_equals_its_original_and_fills_its_block)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < WIRE_KIND_COUNT; kind++) {
            struct wire_message message = test_message(&bench.random, &bench.arena, (enum wire_kind)kind);
            size_t size = wire_flat_size(&message);
            uint8_t *memory = malloc(size);
            memset(memory, 0xa5, size);
            struct wire_message *copy = wire_flatten(&message, memory);
            cr_assert(copy == (void *)memory);
            cr_assert(test_message_equal(&message, copy), "round %d, %s", round, wire_kind_text(copy->kind));
            cr_assert_eq(wire_flat_size(copy), size);
            bench_reset(&bench);
            free(memory);
        }
    }
    bench_release(&bench);
}

Test(wire_flatten, a_copy_leads_nowhere_outside_its_block)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        enum wire_kind kind = (enum wire_kind)(round % WIRE_KIND_COUNT);
        struct wire_message message = test_message(&bench.random, &bench.arena, kind);
        wire_encode(&message, &bench.frame);
        size_t size = wire_flat_size(&message);
        void *memory = malloc(size);
        struct wire_message *copy = wire_flatten(&message, memory);
        /* The original is gone; whoever still reads it meets the sanitizer. */
        base_arena_release(&bench.arena);
        base_arena_init(&bench.arena, &bench.allocator);
        struct base_buffer again;
        base_buffer_init(&again, &bench.allocator);
        wire_encode(copy, &again);
        cr_assert(base_bytes_equal(base_buffer_view(&bench.frame), base_buffer_view(&again)));
        base_buffer_release(&again);
        bench_reset(&bench);
        free(memory);
    }
    bench_release(&bench);
}

Test(wire_encode, the_size_is_known_before)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < WIRE_KIND_COUNT; kind++) {
            struct wire_message message = test_message(&bench.random, &bench.arena, (enum wire_kind)kind);
            wire_encode(&message, &bench.frame);
            cr_assert_eq(wire_encoded_size(&message), bench.frame.size, "round %d, %s", round,
                         wire_kind_text(message.kind));
            bench_reset(&bench);
        }
    }
    bench_release(&bench);
}

/* Longer than the scratch that numbers are measured in, one number after the other. */
Test(wire_encode, the_size_of_a_long_message_is_known_before)
{
    struct bench bench;
    bench_init(&bench);
    static int64_t leases[1000];
    for (int i = 0; i < 1000; i++) {
        leases[i] = INT64_MAX - i;
    }
    struct wire_message message = {.kind = WIRE_RESPONSE,
                                   .response = {.lease_count = 1000, .leases = leases}};
    wire_encode(&message, &bench.frame);
    cr_assert_eq(wire_encoded_size(&message), bench.frame.size);
    bench_reset(&bench);
    bench_release(&bench);
}

Test(wire_flatten, what_the_kind_has_no_use_for_is_zero)
{
    struct wire_message message;
    memset(&message, 0xff, sizeof message);
    message.kind = WIRE_PING;
    message.cluster_id = message.from = message.to = 0;
    struct wire_message copy;
    memset(&copy, 0xff, sizeof copy);
    (void)wire_flatten(&message, &copy);
    static const uint8_t zero[sizeof copy];
    cr_assert(memcmp(&copy.raft, zero, sizeof copy - offsetof(struct wire_message, raft)) == 0);
}

Test(wire_flatten, empty_bytes_and_absent_records_lead_nowhere)
{
    struct kv_event event = {.previous = {.key = base_bytes_of("old"), .mod_revision = 9}};
    event.record.key = base_bytes_of("key");
    event.record.value = base_bytes_of("");
    struct wire_message message = {.kind = WIRE_WATCH, .watch = {.event_count = 1, .events = &event}};
    void *memory = malloc(wire_flat_size(&message));
    const struct kv_event *copy = wire_flatten(&message, memory)->watch.events;
    cr_assert(copy->record.key.data && !copy->record.value.data);
    cr_assert(!copy->previous.key.data && copy->previous.key.size == 0 && copy->previous.mod_revision == 0);
    free(memory);
}

Test(wire_encode, a_decoded_frame_equals_its_original)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < WIRE_KIND_COUNT; kind++) {
            struct wire_message message = test_message(&bench.random, &bench.arena, (enum wire_kind)kind);
            wire_encode(&message, &bench.frame);
            struct wire_message out;
            cr_assert_eq(wire_decode(base_buffer_view(&bench.frame), &bench.decoded, &out), BASE_OK);
            cr_assert(test_message_equal(&message, &out), "round %d, %s", round,
                      wire_kind_text(message.kind));
            bench_reset(&bench);
        }
    }
    bench_release(&bench);
}

Test(wire_encode, appends_to_what_the_buffer_holds)
{
    struct bench bench;
    bench_init(&bench);
    struct wire_message message = test_message(&bench.random, &bench.arena, WIRE_RESPONSE);
    wire_encode(&message, &bench.frame);
    size_t size = bench.frame.size;
    wire_encode(&message, &bench.frame);
    cr_assert_eq(bench.frame.size, 2 * size);
    cr_assert(memcmp(bench.frame.data, bench.frame.data + size, size) == 0);
    bench_release(&bench);
}

Test(wire_encode, an_idle_heartbeat_is_small)
{
    struct bench bench;
    bench_init(&bench);
    struct wire_message message = {
        .kind = WIRE_RAFT,
        .from = 1,
        .to = 2,
        .raft = {.type = RAFT_MSG_HEARTBEAT, .from = 1, .to = 2, .term = 3, .commit = 1000}};
    wire_encode(&message, &bench.frame);
    cr_assert_leq(bench.frame.size, 32);
    bench_release(&bench);
}

Test(wire_decode, flipped_bits_are_found)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS * 5; round++) {
        enum wire_kind kind = (enum wire_kind)(round % WIRE_KIND_COUNT);
        struct wire_message message = test_message(&bench.random, &bench.arena, kind);
        wire_encode(&message, &bench.frame);
        uint32_t bits = (uint32_t)bench.frame.size * 8;
        uint32_t first = test_random_below(&bench.random, bits);
        uint32_t flips = test_random_below(&bench.random, 3);
        bench.frame.data[first / 8] ^= (uint8_t)(1 << first % 8);
        for (uint32_t i = 0; i < flips; i++) {
            uint32_t bit = (first + 1 + test_random_below(&bench.random, bits - 1)) % bits;
            if (i == 0 || flips == 1) {
                bench.frame.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
        }
        struct wire_message out = {.kind = WIRE_PONG};
        cr_assert_eq(wire_decode(base_buffer_view(&bench.frame), &bench.decoded, &out), BASE_CORRUPT);
        cr_assert_eq(out.kind, WIRE_PONG);
        bench_reset(&bench);
    }
    bench_release(&bench);
}

/* Behind a good checksum: bytes changed, dropped and added at random either do
 * not decode, or are the encoding of what they decode to. */
Test(wire_decode, what_decodes_encodes_to_the_same_bytes)
{
    struct bench bench;
    bench_init(&bench);
    unsigned decoded = 0;
    for (int round = 0; round < ROUNDS * 50; round++) {
        enum wire_kind kind = (enum wire_kind)(round % WIRE_KIND_COUNT);
        struct wire_message message = test_message(&bench.random, &bench.arena, kind);
        wire_encode(&message, &bench.frame);
        size_t size = bench.frame.size - 8;
        uint8_t *body = malloc(size + 1);
        memcpy(body, bench.frame.data + 8, size);
        body[test_random_below(&bench.random, (uint32_t)size)] = (uint8_t)test_random_next(&bench.random);
        uint32_t cut = test_random_below(&bench.random, 8);
        if (cut == 0) {
            size = test_random_below(&bench.random, (uint32_t)size);
        } else if (cut == 1) {
            body[size++] = 0;
        }
        struct base_bytes frame = frame_of(&bench, body, size);
        struct wire_message out;
        if (wire_decode(frame, &bench.decoded, &out) == BASE_OK) {
            struct base_buffer again;
            base_buffer_init(&again, &bench.allocator);
            wire_encode(&out, &again);
            cr_assert(base_bytes_equal(frame, base_buffer_view(&again)));
            base_buffer_release(&again);
            decoded++;
        }
        bench_reset(&bench);
        free(body);
    }
    cr_assert_gt(decoded, 100);
    bench_release(&bench);
}

Test(wire_decode, every_prefix_is_refused)
{
    struct bench bench;
    bench_init(&bench);
    for (int kind = 0; kind < WIRE_KIND_COUNT; kind++) {
        struct wire_message message = test_message(&bench.random, &bench.arena, (enum wire_kind)kind);
        struct base_buffer whole;
        base_buffer_init(&whole, &bench.allocator);
        wire_encode(&message, &whole);
        struct wire_message out;
        for (size_t size = 0; size < whole.size; size++) {
            struct base_bytes prefix = {.data = whole.data, .size = size};
            cr_assert_eq(wire_decode(prefix, &bench.decoded, &out), BASE_CORRUPT);
            if (size >= 8) {
                struct base_bytes frame = frame_of(&bench, whole.data + 8, size - 8);
                cr_assert_eq(wire_decode(frame, &bench.decoded, &out), BASE_CORRUPT);
            }
        }
        base_buffer_release(&whole);
        bench_reset(&bench);
    }
    bench_release(&bench);
}

Test(wire_decode, a_number_has_one_spelling)
{
    struct bench bench;
    bench_init(&bench);
    struct wire_message out;
    static const uint8_t good[] = {WIRE_PING, 0, 0, 0};
    cr_assert_eq(wire_decode(frame_of(&bench, good, sizeof good), &bench.decoded, &out), BASE_OK);
    static const uint8_t padded[] = {WIRE_PING, 0x80, 0, 0, 0};
    cr_assert_eq(wire_decode(frame_of(&bench, padded, sizeof padded), &bench.decoded, &out), BASE_CORRUPT);
    static const uint8_t longest[] = {WIRE_PING, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0};
    cr_assert_eq(wire_decode(frame_of(&bench, longest, sizeof longest), &bench.decoded, &out), BASE_OK);
    cr_assert_eq(out.cluster_id, UINT64_MAX);
    static const uint8_t beyond[] = {WIRE_PING, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 0, 0};
    cr_assert_eq(wire_decode(frame_of(&bench, beyond, sizeof beyond), &bench.decoded, &out), BASE_CORRUPT);
    bench_release(&bench);
}

Test(wire_decode, a_count_beyond_the_frame_takes_no_memory)
{
    struct bench bench;
    bench_init(&bench);
    static const uint8_t body[] = {WIRE_WATCH, 0, 0, 0, 0, 1, 0, 0, 255, 255, 255, 255, 15};
    struct base_bytes frame = frame_of(&bench, body, sizeof body);
    size_t before = bench.bytes_out;
    struct wire_message out;
    cr_assert_eq(wire_decode(frame, &bench.decoded, &out), BASE_CORRUPT);
    cr_assert_eq(bench.bytes_out, before);
    bench_release(&bench);
}

Test(wire_decode, id_sets_ascend)
{
    struct bench bench;
    bench_init(&bench);
    struct raft_snapshot snapshot = {.index = 1, .configuration.voters = {.count = 2, .ids = {7, 7}}};
    struct wire_message message = {.kind = WIRE_RAFT, .raft = {.type = RAFT_MSG_SNAP, .snapshot = &snapshot}};
    wire_encode(&message, &bench.frame);
    struct wire_message out;
    cr_assert_eq(wire_decode(base_buffer_view(&bench.frame), &bench.decoded, &out), BASE_CORRUPT);
    bench_release(&bench);
}

/* A transaction around an encoded operation, by hand: the encoder refuses to. */
static size_t wrap(uint8_t *out, size_t size)
{
    static const uint8_t head[] = {KV_TXN, 0, 0, 1};
    memmove(out + sizeof head, out, size);
    memcpy(out, head, sizeof head);
    out[sizeof head + size] = 0;
    return sizeof head + size + 1;
}

Test(wire_decode, transactions_nest_so_deep_and_no_deeper)
{
    struct bench bench;
    bench_init(&bench);
    struct wire_message message = {.kind = WIRE_REQUEST, .request = {.id = 1}};
    message.request.op = test_nested_op(&bench.arena, WIRE_DEPTH_MAX);
    wire_encode(&message, &bench.frame);
    struct wire_message out;
    cr_assert_eq(wire_decode(base_buffer_view(&bench.frame), &bench.decoded, &out), BASE_OK);
    cr_assert(test_message_equal(&message, &out));

    uint8_t body[128] = {KV_PUT, 1, 'k'};
    size_t size = 3;
    for (unsigned depth = 0; depth <= WIRE_DEPTH_MAX + 1; depth++) {
        uint8_t whole[160] = {WIRE_REQUEST, 0, 0, 0, WIRE_KV, 8, 1};
        memcpy(whole + 7, body, size);
        enum base_status expected = depth <= WIRE_DEPTH_MAX ? BASE_OK : BASE_CORRUPT;
        cr_assert_eq(wire_decode(frame_of(&bench, whole, 7 + size), &bench.decoded, &out), expected,
                     "depth %u", depth);
        size = wrap(body, size);
    }
    bench_release(&bench);
}

Test(wire_proposal, decodes_to_its_original)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < ROUNDS * 5; round++) {
        struct wire_proposal proposal = test_proposal(&bench.random, &bench.arena);
        wire_proposal_encode(&proposal, &bench.frame);
        struct wire_proposal out;
        cr_assert_eq(wire_proposal_decode(base_buffer_view(&bench.frame), &bench.decoded, &out), BASE_OK);
        cr_assert(test_proposal_equal(&proposal, &out), "round %d", round);
        struct base_bytes prefix = base_buffer_view(&bench.frame);
        prefix.size = test_random_below(&bench.random, (uint32_t)prefix.size);
        cr_assert_eq(wire_proposal_decode(prefix, &bench.decoded, &out), BASE_CORRUPT);
        bench_reset(&bench);
    }
    bench_release(&bench);
}

Test(wire_text, every_kind_has_one)
{
    for (int kind = 0; kind < WIRE_KIND_COUNT; kind++) {
        cr_assert_neq(wire_kind_text((enum wire_kind)kind)[0], '\0');
    }
    for (int kind = 0; kind < WIRE_REQUEST_KIND_COUNT; kind++) {
        cr_assert_neq(wire_request_text((enum wire_request_kind)kind)[0], '\0');
    }
}
