/* The processor's own CRC32C instruction, where there is one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_CRC32C_INSTRUCTION_H
#define CORE_BASE_CRC32C_INSTRUCTION_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)

static inline bool crc32c_has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

/* `state` is the inverted checksum. Only where crc32c_has_instruction(). */
__attribute__((target("sse4.2"))) static inline uint32_t crc32c_by_instruction(uint32_t state,
                                                                               const uint8_t *at, size_t size)
{
    uint64_t wide = state;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; size > 0; at++, size--) {
        state = __builtin_ia32_crc32qi(state, *at);
    }
    return state;
}

#else

static inline bool crc32c_has_instruction(void)
{
    return false;
}

static inline uint32_t crc32c_by_instruction(uint32_t state, const uint8_t *at, size_t size)
{
    (void)at;
    (void)size;
    assert(crc32c_has_instruction());
    return state;
}

#endif

#endif
