/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/blocks.h"

#include "core/raft/entry.h"

#include <assert.h>

enum { BLOCK_BYTES = 32 * 1024, RING_FIRST = 8, TYPE_SHIFT = 30 };

/* An entry's header; its index follows from its place. */
struct slot {
    raft_term term;
    uint32_t offset; /* Of the payload in the block. */
    uint32_t packed; /* Type in the top bits, size below. */
};

struct raft_block {
    raft_index first; /* Index of slot 0. */
    uint32_t count;
    uint32_t bytes;   /* Of the whole block. */
    uint32_t payload; /* Payloads lie from here to the end. */
    uint32_t unused;
    uint64_t lending; /* Retired in this one. */
    struct raft_block *retired_before;
    struct slot slots[];
};

static_assert(sizeof(struct slot) == 16, "a million entries are to fit");

static struct raft_block *block_at(const struct raft_blocks *blocks, uint32_t place)
{
    return blocks->ring[(blocks->first + place) & (blocks->capacity - 1)];
}

static uint32_t headers_end(const struct raft_block *block)
{
    return (uint32_t)(sizeof *block + block->count * sizeof block->slots[0]);
}

static uint32_t size_of(const struct slot *slot)
{
    return slot->packed & RAFT_ENTRY_SIZE_MAX;
}

static void check(const struct raft_blocks *blocks)
{
    assert(blocks->count <= blocks->capacity);
    assert(blocks->returned < blocks->lending);
    assert(blocks->lent <= blocks->lending);
}

void raft_blocks_init(struct raft_blocks *blocks, const struct base_allocator *allocator)
{
    *blocks = (struct raft_blocks){.allocator = allocator, .lending = 1};
}

static void free_block(const struct raft_blocks *blocks, struct raft_block *block)
{
    base_free(blocks->allocator, block, block->bytes);
}

void raft_blocks_release(struct raft_blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        free_block(blocks, block_at(blocks, i));
    }
    while (blocks->retired) {
        struct raft_block *before = blocks->retired->retired_before;
        free_block(blocks, blocks->retired);
        blocks->retired = before;
    }
    base_free(blocks->allocator, blocks->ring, blocks->capacity * sizeof(struct raft_block *));
    *blocks = (struct raft_blocks){0};
}

static bool is_lent(const struct raft_blocks *blocks)
{
    return blocks->lent > blocks->returned;
}

static void give_back(struct raft_blocks *blocks, struct raft_block *block)
{
    if (!is_lent(blocks)) {
        free_block(blocks, block);
        return;
    }
    block->lending = blocks->lending;
    block->retired_before = blocks->retired;
    blocks->retired = block;
}

static void grow_ring(struct raft_blocks *blocks)
{
    uint32_t capacity = blocks->capacity == 0 ? RING_FIRST : blocks->capacity * 2;
    struct raft_block **ring = base_alloc(blocks->allocator, capacity * sizeof(struct raft_block *));
    for (uint32_t i = 0; i < blocks->count; i++) {
        ring[i] = block_at(blocks, i);
    }
    base_free(blocks->allocator, blocks->ring, blocks->capacity * sizeof(struct raft_block *));
    blocks->ring = ring;
    blocks->capacity = capacity;
    blocks->first = 0;
}

static struct raft_block *add_block(struct raft_blocks *blocks, raft_index first, uint32_t size)
{
    if (blocks->count == blocks->capacity) {
        grow_ring(blocks);
    }
    uint32_t least = (uint32_t)(sizeof(struct raft_block) + sizeof(struct slot)) + size;
    uint32_t bytes = least > BLOCK_BYTES ? least : BLOCK_BYTES;
    struct raft_block *block = base_alloc(blocks->allocator, bytes);
    *block = (struct raft_block){.first = first, .bytes = bytes, .payload = bytes};
    blocks->ring[(blocks->first + blocks->count) & (blocks->capacity - 1)] = block;
    blocks->count++;
    return block;
}

void raft_blocks_append(struct raft_blocks *blocks, const struct raft_entry *entry)
{
    assert(entry->size <= RAFT_ENTRY_SIZE_MAX);
    struct raft_block *block = blocks->count > 0 ? block_at(blocks, blocks->count - 1) : NULL;
    assert(!block || entry->index == block->first + block->count);
    if (!block || block->payload - headers_end(block) < sizeof(struct slot) + (uint64_t)entry->size) {
        block = add_block(blocks, entry->index, entry->size);
    }
    block->payload -= entry->size;
    if (entry->size > 0) {
        memcpy((uint8_t *)block + block->payload, entry->data, entry->size);
    }
    block->slots[block->count++] = (struct slot){
        .term = entry->term,
        .offset = block->payload,
        .packed = (uint32_t)entry->type << TYPE_SHIFT | entry->size,
    };
    assert(headers_end(block) <= block->payload);
}

static __attribute__((noinline)) uint32_t search(const struct raft_blocks *blocks, raft_index index)
{
    uint32_t low = 0;
    uint32_t high = blocks->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (block_at(blocks, middle)->first <= index) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

/* The block that holds `index`: mostly one of the last two. */
static inline uint32_t find(const struct raft_blocks *blocks, raft_index index)
{
    assert(blocks->count > 0);
    uint32_t last = blocks->count - 1;
    if (block_at(blocks, last)->first <= index) {
        return last;
    }
    if (last > 0 && block_at(blocks, last - 1)->first <= index) {
        return last - 1;
    }
    return search(blocks, index);
}

static inline struct raft_entry entry_of(const struct raft_block *block, raft_index index)
{
    assert(index >= block->first && index - block->first < block->count);
    const struct slot *slot = &block->slots[index - block->first];
    return (struct raft_entry){
        .term = slot->term,
        .index = index,
        .data = size_of(slot) == 0 ? NULL : (const uint8_t *)block + slot->offset,
        .size = size_of(slot),
        .type = (enum raft_entry_type)(slot->packed >> TYPE_SHIFT),
    };
}

struct raft_entry raft_blocks_at(const struct raft_blocks *blocks, raft_index index)
{
    return entry_of(block_at(blocks, find(blocks, index)), index);
}

raft_term raft_blocks_term(const struct raft_blocks *blocks, raft_index index)
{
    const struct raft_block *block = block_at(blocks, find(blocks, index));
    assert(index >= block->first && index - block->first < block->count);
    return block->slots[index - block->first].term;
}

void raft_blocks_lend(struct raft_blocks *blocks, raft_index index, uint32_t count, struct raft_entry *out)
{
    assert(count > 0);
    blocks->lent = blocks->lending;
    uint32_t place = find(blocks, index);
    const struct raft_block *block = block_at(blocks, place);
    for (uint32_t i = 0; i < count; i++, index++) {
        if (index - block->first >= block->count) {
            block = block_at(blocks, ++place);
            assert(place < blocks->count);
        }
        out[i] = entry_of(block, index);
    }
}

void raft_blocks_cut(struct raft_blocks *blocks, raft_index index)
{
    check(blocks);
    while (blocks->count > 0 && block_at(blocks, blocks->count - 1)->first >= index) {
        give_back(blocks, block_at(blocks, blocks->count - 1));
        blocks->count--;
    }
    if (blocks->count == 0) {
        return;
    }
    struct raft_block *last = block_at(blocks, blocks->count - 1);
    assert(index - last->first <= last->count);
    last->count = (uint32_t)(index - last->first);
    if (!is_lent(blocks)) {
        /* Nobody reads what was cut: its room can be used again. */
        last->payload = last->slots[last->count - 1].offset;
    }
}

void raft_blocks_drop(struct raft_blocks *blocks, raft_index index)
{
    check(blocks);
    while (blocks->count > 0) {
        struct raft_block *block = block_at(blocks, 0);
        if (block->first + block->count - 1 > index) {
            break;
        }
        give_back(blocks, block);
        blocks->first = (blocks->first + 1) & (blocks->capacity - 1);
        blocks->count--;
    }
}

void raft_blocks_return(struct raft_blocks *blocks, uint64_t number)
{
    check(blocks);
    assert(number < blocks->lending);
    blocks->returned = number > blocks->returned ? number : blocks->returned;
    struct raft_block **link = &blocks->retired;
    while (*link) {
        struct raft_block *block = *link;
        if (block->lending <= number) {
            *link = block->retired_before;
            free_block(blocks, block);
        } else {
            link = &block->retired_before;
        }
    }
}
