/* What the tests of the wire share: memory, messages drawn at random, and when
 * two messages mean the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_WIRE_MESSAGES_H
#define TESTS_CORE_WIRE_MESSAGES_H

#include "core/wire/wire.h"

/* malloc behind the core's face; counts the bytes that are out. */
struct base_allocator test_allocator(size_t *bytes_out);

struct test_random {
    uint64_t state;
};

uint64_t test_random_next(struct test_random *random);
/* Uniform enough, in [0, limit). */
uint32_t test_random_below(struct test_random *random, uint32_t limit);

/* Any message of this kind; everything it leads to lives in `arena`. */
struct wire_message test_message(struct test_random *random, struct base_arena *arena, enum wire_kind kind);
struct wire_proposal test_proposal(struct test_random *random, struct base_arena *arena);
/* Transactions within transactions, `depth` of them around a put. */
struct kv_op test_nested_op(struct base_arena *arena, uint32_t depth);

/* Field by field, through every pointer. */
bool test_message_equal(const struct wire_message *a, const struct wire_message *b);
bool test_request_equal(const struct wire_request *a, const struct wire_request *b);
bool test_proposal_equal(const struct wire_proposal *a, const struct wire_proposal *b);

#endif
