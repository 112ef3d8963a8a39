/* A stable sort of pointers: merge sort with scratch that the caller lends. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_SORT_H
#define CORE_BASE_SORT_H

#include <stddef.h>

/* <0 when `a` comes first, >0 when `b` does, 0 when the given order stays. */
typedef int (*base_compare)(const void *context, const void *a, const void *b);

/* Sort `items`; `scratch` has room for as many. */
void base_sort(const void **items, const void **scratch, size_t count, base_compare compare,
               const void *context);

#endif
