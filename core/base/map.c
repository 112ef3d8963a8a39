/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/map.h"

#include <assert.h>

/* Every node but the root holds MAP_MIN to MAP_MAX entries; a root that is not a
 * leaf holds at least two. Four to the depth bounds the entries from below, so
 * DEPTH_MAX is beyond any memory. */
enum { MAP_MAX = 16, MAP_MIN = 4, DEPTH_MAX = 32 };

/* keys[i] is the smallest key below children[i], exactly: a separator must not
 * outlive the entry whose bytes it borrows. */
struct base_map_node {
    uint32_t count;
    bool is_leaf;
    struct base_map_node *next; /* The leaf to the right. */
    struct base_bytes keys[MAP_MAX];
    union {
        void *values[MAP_MAX];
        struct base_map_node *children[MAP_MAX];
    } to;
};

/* The way from the root to a leaf; step 0 is the root. */
struct path {
    struct base_map_node *nodes[DEPTH_MAX];
    uint32_t slots[DEPTH_MAX]; /* Child taken, or place in the leaf. */
};

static inline int compare(struct base_bytes a, struct base_bytes b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* How many keys of the node are below `key`, or not above it with `equal`. */
static inline uint32_t keys_below(const struct base_map_node *node, struct base_bytes key, bool equal)
{
    uint32_t low = 0;
    uint32_t high = node->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare(node->keys[middle], key);
        if (order < 0 || (equal && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The child that holds `key` if any does. */
static inline uint32_t child_slot(const struct base_map_node *node, struct base_bytes key)
{
    uint32_t not_above = keys_below(node, key, true);
    return not_above == 0 ? 0 : not_above - 1;
}

static struct base_map_node *node_new(const struct base_map *map, bool is_leaf)
{
    struct base_map_node *node = base_zalloc(map->allocator, sizeof *node);
    node->is_leaf = is_leaf;
    return node;
}

static void node_free(const struct base_map *map, struct base_map_node *node)
{
    base_free(map->allocator, node, sizeof *node);
}

static void subtree_free(const struct base_map *map, struct base_map_node *node)
{
    if (!node->is_leaf) {
        for (uint32_t i = 0; i < node->count; i++) {
            subtree_free(map, node->to.children[i]);
        }
    }
    node_free(map, node);
}

/* Move `count` entries from `from` at `from_slot` to `to` at `to_slot`, over
 * whatever is there. */
static void entries_move(struct base_map_node *to, uint32_t to_slot, const struct base_map_node *from,
                         uint32_t from_slot, uint32_t count)
{
    assert(to_slot + count <= MAP_MAX && from_slot + count <= MAP_MAX);
    memmove(&to->keys[to_slot], &from->keys[from_slot], count * sizeof to->keys[0]);
    memmove(&to->to.values[to_slot], &from->to.values[from_slot], count * sizeof to->to.values[0]);
}

static void node_insert(struct base_map_node *node, uint32_t slot, struct base_bytes key, void *value)
{
    assert(node->count < MAP_MAX && slot <= node->count);
    entries_move(node, slot + 1, node, slot, node->count - slot);
    node->keys[slot] = key;
    node->to.values[slot] = value;
    node->count++;
}

static void node_remove(struct base_map_node *node, uint32_t slot)
{
    assert(slot < node->count);
    entries_move(node, slot, node, slot + 1, node->count - slot - 1);
    node->count--;
}

/* The upper half of a full node, as a new node to its right. */
static struct base_map_node *node_split(const struct base_map *map, struct base_map_node *node)
{
    assert(node->count == MAP_MAX);
    struct base_map_node *right = node_new(map, node->is_leaf);
    entries_move(right, 0, node, MAP_MAX / 2, MAP_MAX / 2);
    right->count = MAP_MAX / 2;
    node->count = MAP_MAX / 2;
    right->next = node->next;
    node->next = node->is_leaf ? right : NULL;
    return right;
}

static void path_find(const struct base_map *map, struct base_bytes key, struct path *path)
{
    assert(map->depth > 0 && map->depth <= DEPTH_MAX);
    struct base_map_node *node = map->root;
    uint32_t level = 0;
    for (; !node->is_leaf; level++) {
        uint32_t slot = child_slot(node, key);
        path->nodes[level] = node;
        path->slots[level] = slot;
        node = node->to.children[slot];
    }
    assert(level + 1 == map->depth);
    path->nodes[level] = node;
    path->slots[level] = keys_below(node, key, false);
}

/* The smallest key of the node at `level` may have changed: tell those above. */
static void path_lead_changed(struct path *path, uint32_t level)
{
    struct base_bytes key = path->nodes[level]->keys[0];
    while (level > 0) {
        level--;
        path->nodes[level]->keys[path->slots[level]] = key;
        if (path->slots[level] != 0) {
            return;
        }
    }
}

void base_map_init(struct base_map *map, const struct base_allocator *allocator)
{
    *map = (struct base_map){.allocator = allocator};
}

void base_map_release(struct base_map *map)
{
    if (map->root) {
        subtree_free(map, map->root);
    }
    base_map_init(map, map->allocator);
}

void *base_map_get(const struct base_map *map, struct base_bytes key)
{
    const struct base_map_node *node = map->root;
    if (!node) {
        return NULL;
    }
    while (!node->is_leaf) {
        node = node->to.children[child_slot(node, key)];
    }
    uint32_t slot = keys_below(node, key, false);
    if (slot == node->count || compare(node->keys[slot], key) != 0) {
        return NULL;
    }
    return node->to.values[slot];
}

/* A new root above the old one and the node split off it. */
static void root_grow(struct base_map *map, struct base_map_node *right)
{
    struct base_map_node *root = node_new(map, false);
    node_insert(root, 0, map->root->keys[0], map->root);
    node_insert(root, 1, right->keys[0], right);
    map->root = root;
    map->depth++;
}

void base_map_insert(struct base_map *map, struct base_bytes key, void *value)
{
    assert(value != NULL);
    if (!map->root) {
        map->root = node_new(map, true);
        map->depth = 1;
    }
    struct path path;
    path_find(map, key, &path);
    uint32_t level = map->depth - 1;
    const struct base_map_node *leaf = path.nodes[level];
    assert(path.slots[level] == leaf->count || compare(leaf->keys[path.slots[level]], key) != 0);
    map->count++;
    uint32_t slot = path.slots[level];
    for (;; level--) {
        struct base_map_node *node = path.nodes[level];
        struct base_map_node *right = node->count == MAP_MAX ? node_split(map, node) : NULL;
        if (right && slot > node->count) {
            node_insert(right, slot - node->count, key, value);
        } else {
            node_insert(node, slot, key, value);
        }
        if (slot == 0) {
            path_lead_changed(&path, level);
        }
        if (!right) {
            return;
        }
        if (level == 0) {
            root_grow(map, right);
            return;
        }
        key = right->keys[0];
        value = right;
        slot = path.slots[level - 1] + 1;
    }
}

/* Join two neighbours, or share their entries evenly when they do not fit in
 * one. `slot` is the left one's in `parent`. */
static void neighbours_balance(const struct base_map *map, struct base_map_node *parent, uint32_t slot)
{
    struct base_map_node *left = parent->to.children[slot];
    struct base_map_node *right = parent->to.children[slot + 1];
    uint32_t total = left->count + right->count;
    if (total <= MAP_MAX) {
        entries_move(left, left->count, right, 0, right->count);
        left->count = total;
        left->next = right->next;
        node_free(map, right);
        node_remove(parent, slot + 1);
        return;
    }
    uint32_t left_count = total / 2;
    if (left->count < left_count) {
        uint32_t moved = left_count - left->count;
        entries_move(left, left->count, right, 0, moved);
        entries_move(right, 0, right, moved, right->count - moved);
    } else {
        uint32_t moved = left->count - left_count;
        entries_move(right, moved, right, 0, right->count);
        entries_move(right, 0, left, left_count, moved);
    }
    left->count = left_count;
    right->count = total - left_count;
    parent->keys[slot + 1] = right->keys[0];
}

void *base_map_remove(struct base_map *map, struct base_bytes key)
{
    if (!map->root) {
        return NULL;
    }
    struct path path;
    path_find(map, key, &path);
    uint32_t level = map->depth - 1;
    struct base_map_node *node = path.nodes[level];
    uint32_t slot = path.slots[level];
    if (slot == node->count || compare(node->keys[slot], key) != 0) {
        return NULL;
    }
    void *value = node->to.values[slot];
    node_remove(node, slot);
    map->count--;
    if (slot == 0 && node->count > 0) {
        path_lead_changed(&path, level);
    }
    for (; level > 0 && path.nodes[level]->count < MAP_MIN; level--) {
        uint32_t at = path.slots[level - 1];
        neighbours_balance(map, path.nodes[level - 1], at == 0 ? 0 : at - 1);
    }
    node = map->root;
    if (node->count == 0) {
        base_map_release(map);
    } else if (!node->is_leaf && node->count == 1) {
        map->root = node->to.children[0];
        map->depth--;
        node_free(map, node);
    }
    return value;
}

struct base_map_cursor base_map_seek(const struct base_map *map, struct base_bytes key)
{
    const struct base_map_node *node = map->root;
    if (!node) {
        return (struct base_map_cursor){0};
    }
    while (!node->is_leaf) {
        node = node->to.children[child_slot(node, key)];
    }
    return (struct base_map_cursor){.leaf = node, .slot = keys_below(node, key, false)};
}

void *base_map_next(struct base_map_cursor *cursor)
{
    const struct base_map_node *leaf = cursor->leaf;
    if (leaf && cursor->slot == leaf->count) {
        leaf = leaf->next;
        *cursor = (struct base_map_cursor){.leaf = leaf};
    }
    if (!leaf) {
        return NULL;
    }
    assert(cursor->slot < leaf->count);
    return leaf->to.values[cursor->slot++];
}
