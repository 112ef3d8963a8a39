/* The ordered map: byte keys to pointers, in memcmp's order, as a B+ tree. Its
 * shape and order depend on nothing but the calls made. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include "core/base/bytes.h"

struct base_map_node;

/* Owns its nodes, not its keys or values: the bytes of a key must stay where
 * they are as long as the entry is in. An empty map has no memory. */
struct base_map {
    const struct base_allocator *allocator;
    struct base_map_node *root;
    size_t count;   /* Entries. */
    uint32_t depth; /* Levels of nodes; 0 only when empty. */
};

/* A place between two entries; dead after an insert or remove. */
struct base_map_cursor {
    const struct base_map_node *leaf;
    uint32_t slot;
};

void base_map_init(struct base_map *map, const struct base_allocator *allocator);
/* Give the nodes back; the map is empty and can be used again. */
void base_map_release(struct base_map *map);
/* The value of `key`, or NULL. */
void *base_map_get(const struct base_map *map, struct base_bytes key);
/* Enter a key that is not in yet. `value` is not NULL. */
void base_map_insert(struct base_map *map, struct base_bytes key, void *value);
/* Take `key` out: its value, or NULL when it was not in. */
void *base_map_remove(struct base_map *map, struct base_bytes key);
/* The place before the first entry that is not below `key`. */
struct base_map_cursor base_map_seek(const struct base_map *map, struct base_bytes key);
/* Step over the next entry: its value, or NULL at the end. */
void *base_map_next(struct base_map_cursor *cursor);

#endif
