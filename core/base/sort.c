/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"

#include <assert.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Merge from[low, middle) and from[middle, high) into to[low, high). */
static void merge(const void **from, const void **to, size_t low, size_t middle, size_t high,
                  base_compare compare, const void *context)
{
    size_t left = low;
    size_t right = middle;
    for (size_t at = low; at < high; at++) {
        if (left < middle && (right == high || compare(context, from[left], from[right]) <= 0)) {
            to[at] = from[left++];
        } else {
            to[at] = from[right++];
        }
    }
    assert(left == middle && right == high);
}

void base_sort(const void **items, const void **scratch, size_t count, base_compare compare,
               const void *context)
{
    const void **from = items;
    const void **to = scratch;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = least(low + width, count);
            merge(from, to, low, middle, least(low + 2 * width, count), compare, context);
        }
        const void **swap = from;
        from = to;
        to = swap;
    }
    if (from != items) {
        memcpy(items, from, count * sizeof *items);
    }
}
