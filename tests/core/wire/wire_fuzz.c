/* libFuzzer's target for the decoders: the first byte chooses which, the rest is
 * a message's body (its frame is put around it) or a proposal. What decodes must
 * encode to the same bytes, and its flattened copy too.
 * Build it with clang's -fsanitize=fuzzer,address,undefined together with equal.c,
 * messages.c, core/wire and core/base. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"
#include "tests/core/wire/messages.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void fuzz_frame(struct base_bytes frame, struct base_arena *arena, struct base_buffer *again)
{
    struct wire_message message;
    if (wire_decode(frame, arena, &message) != BASE_OK) {
        return;
    }
    wire_encode(&message, again);
    demand(base_bytes_equal(frame, base_buffer_view(again)));
    void *memory = malloc(wire_flat_size(&message));
    struct wire_message *copy = wire_flatten(&message, memory);
    demand(test_message_equal(&message, copy));
    base_buffer_reset(again);
    wire_encode(copy, again);
    demand(base_bytes_equal(frame, base_buffer_view(again)));
    free(memory);
}

static void fuzz_proposal(struct base_bytes bytes, struct base_arena *arena, struct base_buffer *again)
{
    struct wire_proposal proposal;
    if (wire_proposal_decode(bytes, arena, &proposal) == BASE_OK) {
        wire_proposal_encode(&proposal, again);
        demand(base_bytes_equal(bytes, base_buffer_view(again)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t bytes_out;
    struct base_allocator allocator = test_allocator(&bytes_out);
    struct base_arena arena;
    base_arena_init(&arena, &allocator);
    struct base_buffer frame;
    base_buffer_init(&frame, &allocator);
    struct base_buffer again;
    base_buffer_init(&again, &allocator);
    struct base_bytes rest = {.data = data + 1, .size = size - 1};
    if (data[0] % 4 == 0) {
        fuzz_proposal(rest, &arena, &again);
    } else if (data[0] % 4 == 1) {
        fuzz_frame(rest, &arena, &again);
    } else {
        base_put_u32(&frame, (uint32_t)rest.size);
        base_put_u32(&frame, base_crc32c(0, rest.data, rest.size));
        if (rest.size > 0) {
            memcpy(base_buffer_extend(&frame, rest.size), rest.data, rest.size);
        }
        fuzz_frame(base_buffer_view(&frame), &arena, &again);
    }
    base_buffer_release(&again);
    base_buffer_release(&frame);
    base_arena_release(&arena);
    demand(bytes_out == 0);
    return 0;
}
