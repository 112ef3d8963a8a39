/* CRC32C (Castagnoli): the checksum of records, snapshot files and frames. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_CRC32C_H
#define CORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` is the checksum of, followed by `size` bytes at
 * `data`. Nothing has checksum 0. The same on every machine; the instruction is
 * used where the processor has it. */
uint32_t base_crc32c(uint32_t crc, const void *data, size_t size);
/* The same by table alone, for machines without the instruction. */
uint32_t base_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
